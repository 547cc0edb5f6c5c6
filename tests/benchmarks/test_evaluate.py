"""evaluate() against LangSmith's own runner in the same run, many slow targets at once, and memory over many rows.

LangSmith is installed for this alone, in an environment of its own: see the Makefile.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks import alone, figures
from tests.benchmarks.langsmith_runner import TIMES, exact, judge, langsmith, mean, target

LANGSMITH = alone.ROOT / ".venv-langsmith" / "bin" / "python"
EXAMPLES, TARGETS = figures.scaled(2_000), figures.scaled(1_000)
FEW, MANY = figures.scaled(100_000), figures.scaled(200_000)
SLEEP, AT_ONCE = 0.05, 100


def test_a_trivial_target(tmp_path):
    if not LANGSMITH.exists():
        pytest.skip("LangSmith is not installed: `make bench` does that")
    theirs = alone.run(langsmith, EXAMPLES, python=LANGSMITH)
    ours = alone.run(evalstore, tmp_path / "evals", EXAMPLES)
    ratio = ours.value / theirs.value
    figures.note(
        "evaluate",
        f"{ratio:.2f} x; {1000 * ours.value / EXAMPLES:.2f} ms against {1000 * theirs.value / EXAMPLES:.2f} ms a row",
        missed=ratio > 1 / 3,
        peak_mb=ours.peak_mb,
        ratio=ratio,
        seconds=ours.value,
        langsmith_seconds=theirs.value,
    )


def test_many_slow_targets(tmp_path):
    found = alone.run(slow_targets, tmp_path / "evals", TARGETS)
    ideal = TARGETS / AT_ONCE * SLEEP
    figures.note(
        "evaluate_async",
        f"{found.value['rows']:.3f} s until the last row; {found.value['opened']:.3f} s to open the job, "
        f"{found.value['committed']:.2f} s to commit it",
        missed=found.value["rows"] > 1.15 * ideal,
        peak_mb=found.peak_mb,
        ratio=found.value["rows"] / ideal,
    )


def test_memory_over_many_rows(tmp_path):
    few, many = (alone.run(from_generator, tmp_path / str(count), count) for count in (FEW, MANY))
    growth = many.value["peak_mb"] - few.value["peak_mb"]
    figures.note(
        "evaluate_memory",
        f"{growth:+.1f} MB from {FEW:,} to {MANY:,} rows; {MANY / many.value['seconds']:,.0f} rows/s",
        missed=growth > 10,
        peak_mb=many.value["peak_mb"],
        growth_mb=growth,
        finish_peak_mb=round(many.peak_mb),
    )


def evalstore(root: str, count: int) -> float:
    """Our best time, everything stored."""
    from evalstore import evaluate, open
    from evalstore.evaluation import Example

    store = open(root)
    data = [Example(id=uuid.uuid4(), inputs={"question": n}, outputs={"answer": 2 * n}) for n in range(count)]
    times = []
    for _ in range(TIMES):
        began = time.perf_counter()
        results = evaluate(target, data=data, evaluators=[exact, judge], summary_evaluators=[mean], store=store)
        times.append(time.perf_counter() - began)
        assert len(results) == count
    assert store.sql("SELECT count(*) FROM row_scores").item() == 2 * count * TIMES
    return min(times)


def slow_targets(root: str, count: int) -> dict[str, float]:
    """Seconds to open the job, then to the last row, then to commit it."""
    from evalstore import aevaluate, evaluate, open

    store = open(root)
    evaluate(target, [{"inputs": {"question": 1}}], store=store)  # what is loaded once is loaded

    async def slow(inputs: dict[str, Any]) -> dict[str, Any]:
        await asyncio.sleep(SLEEP)
        return target(inputs)

    async def run() -> dict[str, float]:
        data = [{"id": str(n), "inputs": {"question": n}, "outputs": {"answer": 2 * n}} for n in range(count)]
        called = time.perf_counter()
        results = await aevaluate(slow, data, store=store, max_concurrency=AT_ONCE, blocking=False)
        began = last = time.perf_counter()
        async for _ in results:
            last = time.perf_counter()
        return {"opened": began - called, "rows": last - began, "committed": time.perf_counter() - last}

    return asyncio.run(run())


def from_generator(root: str, count: int) -> dict[str, float]:
    """The peak of memory when the last row has been read, before the job is committed."""
    from evalstore import evaluate

    data = ({"id": str(n), "inputs": {"question": n}, "outputs": {"answer": 2 * n}} for n in range(count))
    began = time.perf_counter()
    results = evaluate(target, data, [exact, judge], store=Path(root), blocking=False)
    peak = seconds = 0.0
    for seen, _ in enumerate(results, 1):
        if seen == count:
            peak, seconds = alone.peak_mb(), time.perf_counter() - began
    return {"peak_mb": peak, "seconds": seconds}
