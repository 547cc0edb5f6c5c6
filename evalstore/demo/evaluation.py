"""The evaluation that `evalstore demo` records: every solver on the whole set, on each of six past days."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from time import perf_counter
from typing import TYPE_CHECKING, Any

from evalstore.demo.solvers import SOLVERS
from evalstore.demo.word_problems import WordProblem, load

if TYPE_CHECKING:
    from collections.abc import Callable

    from evalstore.demo.solvers import Price, Release, Solver
    from evalstore.demo.working import Solution
    from evalstore.store import Store

__all__ = ["DATASET", "METRICS", "attempt", "run"]

DATASET = "evalstore/word-problems"
DAYS = len(SOLVERS[0].days)
LOOK_BACK = 60
_CLOSE_ENOUGH = 1e-6  # as doubles go
TERSE, LONG = 12, 30
METRICS: dict[str, dict[str, Any]] = {
    "closeness": {"minimum": 0, "maximum": 1},
    "verbosity": {
        "rubric": [
            {"label": "terse", "value": 1, "description": f"fewer than {TERSE} words: hard to follow"},
            {"label": "normal", "value": 2, "description": f"{TERSE} to {LONG} words"},
            {"label": "long", "value": 3, "description": f"more than {LONG} words"},
        ]
    },
}


@dataclass(frozen=True)
class Attempt:
    """What one solver made of one problem, in the words of `job.log()`."""

    sample: dict[str, Any] | None
    scores: dict[str, Any] | None
    error: Exception | None
    latency: float
    prompt_tokens: int
    completion_tokens: int
    cost: float


def run(store: Store, *, progress: Callable[[str], None] | None = None, today: date | None = None) -> list[str]:
    """Record the jobs of the demo and return their names, oldest first; jobs that are there already are left alone."""
    problems = load()
    first_day = _first_day(store, today or datetime.now(UTC).date())
    names = []
    for day in range(DAYS):
        for place, solver in enumerate(SOLVERS):
            date_of_run = first_day + timedelta(days=day)
            name = _job_name(solver, day, date_of_run)
            names.append(name)
            if store.has_job(name):
                said = "is there already"
            else:
                created_at = datetime.combine(date_of_run, time(6, 10 * place), tzinfo=UTC)
                _record(store, name, solver, solver.on_day(day), problems, created_at=created_at)
                said = f"{len(problems)} rows"
            if progress:
                progress(f"{name}: {said}")
    return names


def _first_day(store: Store, today: date) -> date:
    """Where the store holds a demo already, its first day; else the day from which the last run is yesterday's.

    Without this, a second demo on a later day would record other versions for days that have theirs.
    """
    newest = today - timedelta(days=DAYS)
    for earlier in range(LOOK_BACK, 0, -1):
        first_day = newest - timedelta(days=earlier)
        if store.has_job(_job_name(SOLVERS[0], 0, first_day)):
            return first_day
    return newest


def _job_name(solver: Solver, day: int, date_of_run: date) -> str:
    return f"{solver.name}-{solver.on_day(day).version}-{date_of_run.isoformat()}"


def _record(
    store: Store, name: str, solver: Solver, release: Release, problems: list[WordProblem], *, created_at: datetime
) -> None:
    with store.job(
        name,
        dataset=DATASET,
        model=f"demo/{solver.name}",
        tags=["demo"],
        config={"version": release.version, "news": release.news, "usd_per_1000_tokens": asdict(solver.price)},
        labels={"version": release.version},
        metrics=METRICS,
        created_at=created_at,
    ) as job:
        for problem in problems:
            tried = attempt(release.solve, problem, solver.price)
            is_easy = problem.difficulty == "easy"
            job.log(
                item={"question": problem.question},
                sample=tried.sample,
                reference={"answer": problem.answer},
                scores=tried.scores,
                suite="one-step" if is_easy else "several-steps",
                row_key=problem.id,
                cluster=None if is_easy else problem.passage or problem.id,  # without a story it stands for itself
                metadata={"category": problem.category, "difficulty": problem.difficulty},
                latency=tried.latency,
                prompt_tokens=tried.prompt_tokens,
                completion_tokens=tried.completion_tokens,
                cost=tried.cost,
                error=tried.error,
            )


def attempt(solve: Callable[[str], Solution | None], problem: WordProblem, price: Price) -> Attempt:
    """Let a solver try one problem, with a watch running; what it raises is a result, too."""
    solution, error = None, None
    started = perf_counter()
    try:
        solution = solve(problem.question)
    except Exception as raised:  # noqa: BLE001  # whatever a solver raises is the row's error
        error = raised
    latency = perf_counter() - started
    prompt_tokens = len(problem.question.split())
    completion_tokens = len(solution.text.split()) if solution else 0
    return Attempt(
        sample=None if error else {"solution": solution and solution.text, "answer": solution and solution.answer},
        scores=None if error else _scores(solution, problem.answer),
        error=error,
        latency=latency,
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
        cost=price.of(prompt_tokens, completion_tokens),
    )


def _scores(solution: Solution | None, right: float) -> dict[str, Any]:
    if solution is None:
        return {"correct": {"value": None, "comment": "gave up"}, "closeness": None, "verbosity": None}
    off = abs(solution.answer - right)
    correct = off < _CLOSE_ENOUGH
    comment = f"said {solution.answer:g}, off by {off:g}"
    words = len(solution.text.split())
    return {
        "correct": True if correct else {"value": False, "comment": comment},
        "closeness": max(0.0, 1 - off / max(abs(right), 1)),
        "verbosity": "terse" if words < TERSE else "long" if words > LONG else "normal",
    }
