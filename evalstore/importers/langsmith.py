"""The importer `langsmith`: what LangSmith's own evaluate() or aevaluate() returned becomes one job.

By duck typing: the rows are dicts of run, example and evaluation_results, of whatever classes.
"""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC
from typing import TYPE_CHECKING, Any

from evalstore import job_context, names
from evalstore.errors import BrokenInput, InvalidName, UsageError
from evalstore.feedback import declaration
from evalstore.importers.report import ImportReport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from evalstore.importers.target import OpenJob
    from evalstore.recorder import Job

__all__ = ["import_results"]

_COUNTS = ("prompt_tokens", "completion_tokens", "total_tokens")
_REPORT_EVERY = 1000


def import_results(
    results: Any,
    open_job: OpenJob,
    *,
    job: str | None = None,
    suite: str = "default",
    progress: Callable[[int], None] | None = None,
    **options: Any,
) -> ImportReport:
    """Imports the rows and summary scores of an experiment as one job, named `job` or else as the experiment is.

    `options` are context of the job, as `store.job()` takes it, and `job_metadata`. An experiment that broke off
    becomes a job with the status `error`, or `interrupted`, that holds its rows so far.

    Raises: BrokenInput for what is no experiment or holds no rows, UsageError for one that is still running; then no
    job is left behind.
    """
    rows = _Rows(results)
    first = next(rows, None)
    if first is None:
        raise BrokenInput("the experiment holds no rows") from rows.failure
    given = options.pop("job_metadata", None)
    metadata = {"langsmith": _experiment(results, first[0])} if given is None else given
    source = {"tool": "langsmith", "path": None, "content_hash": None}
    opened = open_job(job or _name(results), metadata=metadata, source=source, **options)
    count = 0
    try:
        declared: set[str] = set()
        for run, example, results_of_row in _with_first(first, rows):
            scores = _scores(results_of_row)
            _declare(opened, scores, declared)
            opened.log(suite=suite, **_row(run, example), scores=scores)
            count += 1
            if progress and count % _REPORT_EVERY == 0:
                progress(count)
        if summary := _scores(_field(getattr(results, "_summary_results", None), "results") or ()):
            opened.log_summary(summary)
        opened.finish(rows.status, rows.failure)
    except BaseException:
        opened.abandon()
        raise
    if progress:
        progress(count)
    flags = [] if rows.failure is None else [f"the experiment broke off: {type(rows.failure).__name__}: {rows.failure}"]
    return ImportReport("langsmith", [], [opened.name], count, flags=flags)


class _Rows:
    """The rows as (run, example, results), however they are held. `failure` is what the experiment broke off with."""

    def __init__(self, results: Any) -> None:
        self.failure: BaseException | None = None
        self._held_failure = getattr(results, "_processing_error", None)
        self._count = 0
        self._rows = iter(_held(results))

    @property
    def status(self) -> str:
        """That of the job."""
        if self.failure is None:
            return "completed"
        return "error" if isinstance(self.failure, Exception) else "interrupted"

    def __iter__(self) -> Iterator[tuple[Any, Any, Any]]:
        return self

    def __next__(self) -> tuple[Any, Any, Any]:
        try:
            row = next(self._rows)
        except StopIteration:
            raise
        except BaseException as error:
            if not isinstance(error, Exception) and error is not self._held_failure:
                raise  # Ctrl-C now, and not the one that the experiment broke off with
            self.failure = error
            raise StopIteration from error
        self._count += 1
        results = _field(_field(row, "evaluation_results"), "results")
        if _field(row, "example") is None or not isinstance(results, (list, tuple)):
            raise BrokenInput(
                f"row {self._count} is no row of an experiment: a dict of run, example and evaluation_results"
            )
        return _field(row, "run"), _field(row, "example"), results


def _held(results: Any) -> Iterable[Any]:
    """What iterates over the rows, all of them, also where the user has been through them already."""
    task = getattr(results, "_task", None)
    if isinstance(task, asyncio.Future):
        if not task.done():
            raise UsageError("the experiment is still running: `await results.wait()` first")
        return _finished(results, task)
    if hasattr(results, "__aiter__"):
        return _awaited(results)
    if not hasattr(results, "__iter__") or isinstance(results, (str, bytes)):
        raise BrokenInput(f"{type(results).__name__} is no result of evaluate(): give what it returned")
    rows: Iterable[Any] = results
    return rows


def _finished(results: Any, task: asyncio.Future[Any]) -> Iterator[Any]:
    """The rows of an asynchronous experiment that has come to its end; it can be iterated only once."""
    yield from results._results  # noqa: SLF001
    if task.cancelled():
        raise RuntimeError("the experiment was cancelled")
    if (failure := task.exception()) is not None:
        raise failure


def _awaited(results: Any) -> Iterator[Any]:
    """The rows of an asynchronous iterable, read to its end in a thread with a loop of its own."""
    rows: list[Any] = []
    take = rows.append  # one by one: those before a failure count
    failures: list[BaseException] = []

    async def read() -> None:
        try:
            async for row in results:
                take(row)
        except Exception as error:  # noqa: BLE001  # the producer's, whatever it is
            failures.append(error)

    reader = threading.Thread(target=lambda: asyncio.run(read()), name="evalstore-import")
    reader.start()
    reader.join()
    yield from rows
    if failures:
        raise failures[0]


def _with_first(first: Any, rest: Iterable[Any]) -> Iterator[Any]:
    yield first
    yield from rest


def _field(holder: Any, field: str) -> Any:
    """A field of a dict or of an object; None where there is none."""
    return holder.get(field) if isinstance(holder, dict) else getattr(holder, field, None)


def _row(run: Any, example: Any) -> dict[str, Any]:
    """What `job.log()` takes of a run and its example, without the scores. A run may be None: nothing came back."""
    error = _field(run, "error") if run is not None else "no run: the target was not called, or its run was lost"
    outputs = _field(run, "outputs")
    started, ended = _moment(_field(run, "start_time")), _moment(_field(run, "end_time"))
    cost = _field(run, "total_cost")
    return {
        "item": _field(example, "inputs") or {},
        "sample": None if error and outputs == {"output": None} else outputs,  # what stands for an output that is none
        "reference": _field(example, "outputs"),
        "row_key": _key(_field(example, "id")),
        "error": str(error).partition("\n\n")[0] if error else None,  # the traceback stands after an empty line
        "metadata": {**(_field(example, "metadata") or {}), "langsmith": _known(run, error)},
        "started_at": started,
        "finished_at": ended,
        "latency": (ended - started).total_seconds() if started and ended else None,
        "cost": None if cost is None else float(cost),
        **{count: _field(run, count) for count in _COUNTS},
    }


def _known(run: Any, error: Any) -> dict[str, Any]:
    """What else is known of a run."""
    found = {"run_id": _field(run, "id"), "name": _field(run, "name"), "tags": _field(run, "tags"), "error": error}
    return {field: str(value) if field == "run_id" else value for field, value in found.items() if value}


def _key(example_id: Any) -> str | None:
    return None if example_id is None else str(example_id)


def _moment(given: datetime | None) -> datetime | None:
    """A time with its zone; LangSmith's are UTC, also where they do not say so."""
    return given.replace(tzinfo=UTC) if given is not None and given.tzinfo is None else given


def _scores(results: Iterable[Any]) -> dict[str, list[dict[str, Any]]]:
    """Results as `job.log()` takes scores; an evaluator that raised is an error and no missing score."""
    scores: dict[str, list[dict[str, Any]]] = {}
    for result in results:
        fields = dict(result) if isinstance(result, dict) else result.model_dump()
        key = fields.pop("key")
        extra = fields.get("extra")
        if isinstance(extra, dict) and extra.get("error") is True and fields.get("score") is None:
            fields["error"] = fields.pop("comment", None) or "error"
        score = {field: value for field, value in fields.items() if value is not None and value != {}}
        scores.setdefault(key, []).append({"score": None, **score})
    return scores


def _declare(job: Job, scores: dict[str, list[dict[str, Any]]], declared: set[str]) -> None:
    """Declares the metrics of which a score says what they are, each once."""
    for metric in scores.keys() - declared:
        found = (declaration(score.get("feedback_config")) for score in scores[metric])
        if fields := next(filter(None, found), None):
            declared.add(metric)
            job.declare(metric, **fields)


def _experiment(results: Any, run: Any) -> dict[str, Any]:
    """What is known of the experiment as a whole: its name, and the metadata that each of its runs repeats."""
    metadata = _field(_field(run, "extra"), "metadata") or {}
    shared = {name: value for name, value in metadata.items() if name != "example_version"}
    return {"experiment_name": getattr(results, "experiment_name", None), "metadata": shared}


def _name(results: Any) -> str:
    """The experiment's name, if it may name a job; else one made of the time."""
    try:
        return names.check_name(getattr(results, "experiment_name", None) or "")
    except InvalidName:
        return job_context.prefixed_name("langsmith")
