"""What LangSmith's own evaluate() returned becomes a job: by duck typing, so that stand-ins of its shapes will do.

The shapes are those of its 0.14: synchronous results iterate over what a thread produces, asynchronous ones once only.
"""

import asyncio
import threading
import uuid
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from evalstore.errors import BrokenInput, UsageError
from evalstore.evaluation import EvaluationResult

START = datetime(2026, 1, 1, tzinfo=UTC)
TRACEBACK = "ValueError('three')\n\nTraceback (most recent call last):\n  File ..."


def example(number, **fields):
    known = {"id": uuid.UUID(int=number), "inputs": {"q": number}, "outputs": {"a": 2 * number}, "metadata": None}
    return SimpleNamespace(**{**known, **fields})


def run(**fields):
    known = {
        "id": uuid.uuid4(),
        "name": "Target",
        "start_time": START,
        "end_time": START + timedelta(seconds=1.5),
        "outputs": {"a": 2},
        "error": None,
        "tags": None,
        "extra": {"metadata": {"num_repetitions": 1, "example_version": "1970", "model": "m"}},
    }
    return SimpleNamespace(**{**known, **fields})


def row(number, *results, **fields):
    return {
        "run": run(**fields),
        "example": example(number),
        "evaluation_results": {"results": list(results) or [EvaluationResult(key="exact", score=True)]},
    }


class Results:
    """As the original's: iterates over what is there, then raises what broke it off."""

    experiment_name = "spotless-line-62"

    def __init__(self, rows, failure=None, summary=()):
        self._results, self._processing_error = rows, failure
        if failure is None:
            self._summary_results = {"results": list(summary)}

    def __iter__(self):
        yield from self._results
        if self._processing_error is not None:
            raise self._processing_error


class AsyncResults:
    """As the original's: can be iterated once, in the loop that made it."""

    experiment_name = "terrific-crown-33"

    def __init__(self, rows, failure=None):
        self._results, self._given, self._failure, self._seen = [], rows, failure, 0
        self._task = asyncio.create_task(self._produce())

    async def _produce(self):
        for one in self._given:
            await asyncio.sleep(0)
            self._results.append(one)
        self._summary_results = {"results": [EvaluationResult(key="f1", score=0.5)]}
        if self._failure is not None:
            raise self._failure

    def __aiter__(self):
        return self

    async def __anext__(self):
        while self._seen == len(self._results):
            if self._task.done():
                raise StopAsyncIteration
            await asyncio.sleep(0)
        self._seen += 1
        return self._results[self._seen - 1]

    async def wait(self):
        await self._task


def scores(store, job):
    return store.sql(
        "SELECT row_key, metric, value, value_type, label, status, comment, error FROM row_scores WHERE job = $job "
        "ORDER BY row_index, metric, score_index",
        job=job,
    ).rows()


def key(number):
    return str(uuid.UUID(int=number))


def test_rows_scores_and_times_are_kept(store):
    judged = EvaluationResult(key="judge", score=0.5, value="meh", comment="why", metadata={"m": 1}, source_run_id="s")
    rows = [row(1), row(2, EvaluationResult(key="exact", score=False), judged)]
    report = store.import_from("langsmith", Results(rows), dataset="openai/gsm8k")
    assert (report.jobs, report.rows, report.flags) == (["spotless-line-62"], 2, [])
    assert scores(store, "spotless-line-62") == [
        (key(1), "exact", 1.0, "bool", None, "scored", None, None),
        (key(2), "exact", 0.0, "bool", None, "scored", None, None),
        (key(2), "judge", 0.5, "float", "meh", "scored", "why", None),
    ]
    [first, _] = store.row_scores("spotless-line-62")
    assert (first.item, first.sample, first.reference) == ({"q": 1}, {"a": 2}, {"a": 2})
    assert (first.latency, first.error) == (1.5, None)
    assert first.metadata == {"langsmith": {"run_id": str(rows[0]["run"].id), "name": "Target"}}
    told = store.show("spotless-line-62")
    assert (told["status"], told["dataset"], told["source"]["tool"]) == ("completed", "openai/gsm8k", "langsmith")
    assert told["metadata"] == {
        "langsmith": {"experiment_name": "spotless-line-62", "metadata": {"num_repetitions": 1, "model": "m"}}
    }


def test_a_failed_target_and_a_failed_evaluator_are_errors(store):
    failed = EvaluationResult(key="exact", comment="KeyError('a')", extra={"error": True})
    unscored = EvaluationResult(key="exact", comment="nothing to say")
    rows = [row(1, failed, error=TRACEBACK, outputs={"output": None}), row(2, unscored)]
    store.import_from("langsmith", Results(rows), job="failures")
    assert scores(store, "failures") == [
        (key(1), "exact", None, "null", None, "error", None, "KeyError('a')"),
        (key(2), "exact", None, "null", None, "unscored", "nothing to say", None),
    ]
    [first, _] = store.row_scores("failures")
    assert (first.error, first.sample) == ("ValueError('three')", {})
    assert first.metadata["langsmith"]["error"] == TRACEBACK


def test_repetitions_are_numbered_and_equal_keys_kept_apart(store):
    twice = [EvaluationResult(key="exact", score=1), EvaluationResult(key="exact", score=0)]
    store.import_from("langsmith", Results([row(1, *twice), row(1)]), job="again")
    found = store.sql("SELECT repetition, score_index, value FROM row_scores WHERE job = 'again' ORDER BY ALL").rows()
    assert found == [(0, 0, 1.0), (0, 1, 0.0), (1, 0, 1.0)]


def test_metadata_of_the_examples_can_be_sliced_by(store):
    rows = [row(1), row(2, EvaluationResult(key="exact", score=False))]
    for one, category in zip(rows, ("even", "odd"), strict=True):
        one["example"].metadata = {"category": category}
    store.import_from("langsmith", Results(rows), job="sliced")
    by = store.aggregate_scores("sliced", by="metadata.category")
    assert {one.slice: one.mean for one in by.scores} == {"even": 1.0, "odd": 0.0}


def test_what_a_result_says_of_its_metric_becomes_a_declaration(store):
    unit = {"type": "continuous", "min": 0, "max": 1}
    stars = {"type": "categorical", "categories": [{"value": 1, "label": "poor"}, {"value": 2, "label": "good"}]}
    failed = EvaluationResult(key="unit", comment="ValueError()", extra={"error": True})
    told = [EvaluationResult(key="unit", score=0.5, feedback_config=unit)]
    told.append(EvaluationResult(key="stars", value="good", feedback_config=stars))
    store.import_from("langsmith", Results([row(1, failed), row(2, *told)]), job="declared")
    [suite] = store.show("declared")["suites"]
    assert {one["metric"]: one["is_scaled"] for one in suite["metrics"]} == {"unit": True, "stars": False}
    [score] = store.aggregate_scores("declared", metric="stars").scores
    assert [(one.label, one.count) for one in score.rubric_distribution] == [("poor", 0), ("good", 1)]


def test_summary_scores_are_scores_of_the_job(store):
    summary = [EvaluationResult(key="f1", score=0.5), EvaluationResult(key="verdict", value="good", comment="c")]
    store.import_from("langsmith", Results([row(1)], summary=summary), job="summed")
    found = store.sql("SELECT metric, value, label, comment FROM job_scores WHERE job = 'summed' ORDER BY metric")
    assert found.rows() == [("f1", 0.5, None, None), ("verdict", None, "good", "c")]


@pytest.mark.parametrize(
    ("failure", "status"), [(OSError("disk"), "error"), (KeyboardInterrupt(), "interrupted")], ids=str
)
def test_an_experiment_that_broke_off_keeps_its_rows_and_says_so(store, failure, status):
    report = store.import_from("langsmith", Results([row(1), row(2)], failure), job="broken")
    assert report.rows == 2
    assert report.flags == [f"the experiment broke off: {type(failure).__name__}: {failure}"]
    told = store.show("broken")
    assert (told["status"], told["rows_total"], told["error"]["type"]) == (status, 2, type(failure).__name__)


def test_a_run_that_was_lost_is_a_row_in_error(store):
    lost = {**row(1, EvaluationResult(key="exact", comment="AttributeError()", extra={"error": True})), "run": None}
    store.import_from("langsmith", Results([lost]), job="lost")
    [only] = store.row_scores("lost")
    assert only.error == "no run: the target was not called, or its run was lost"
    assert only.item == {"q": 1}


def test_a_plain_list_of_rows_will_do_and_gets_a_name(store):
    report = store.import_from("langsmith", [row(1)])
    assert report.jobs[0].startswith("langsmith-")
    assert store.has_job(report.jobs[0])


def test_results_of_dicts_will_do(store):
    one = row(1, {"key": "exact", "score": 1, "value": None})
    one["example"] = {"id": "q1", "inputs": {"q": 1}, "outputs": {"a": 2}}
    store.import_from("langsmith", [one], job="dicts")
    assert scores(store, "dicts") == [("q1", "exact", 1.0, "int", None, "scored", None, None)]


def test_rows_are_taken_as_they_come(store):
    """blocking=False: the rows come from a thread while they are read."""
    ready = threading.Event()

    def streamed():
        yield row(1)
        assert ready.wait(10)
        yield row(2)

    threading.Timer(0.05, ready.set).start()
    assert store.import_from("langsmith", streamed(), job="streamed").rows == 2


def test_progress_is_told(store):
    told: list[int] = []
    store.import_from("langsmith", [row(number) for number in range(1001)], job="long", progress=told.append)
    assert told == [1000, 1001]


def test_asynchronous_results_are_taken_once_they_are_there(store):
    async def main():
        results: Any = AsyncResults([row(1), row(2)])
        with pytest.raises(UsageError, match=r"await results.wait\(\)"):
            store.import_from("langsmith", results, job="async")
        async for _ in results:
            pass  # the user has been through them: they are there all the same
        await results.wait()
        return store.import_from("langsmith", results, job="async")

    assert asyncio.run(main()).rows == 2
    assert store.sql("SELECT value FROM job_scores WHERE job = 'async'").item() == 0.5


def test_asynchronous_results_that_broke_off_keep_their_rows(store):
    async def main():
        results = AsyncResults([row(1)], OSError("disk"))
        await asyncio.wait([results._task])
        return store.import_from("langsmith", results, job="broken")

    assert asyncio.run(main()).flags == ["the experiment broke off: OSError: disk"]
    assert store.show("broken")["status"] == "error"


def test_asynchronous_results_that_were_cancelled_keep_their_rows(store):
    async def main():
        results = AsyncResults([row(1), row(2), row(3)])
        await anext(results)
        results._task.cancel()
        await asyncio.wait([results._task])
        return store.import_from("langsmith", results, job="cancelled")

    assert 1 <= asyncio.run(main()).rows <= 3
    assert store.show("cancelled")["status"] == "error"


@pytest.mark.parametrize("fails", [False, True])
def test_any_asynchronous_iterable_will_do(store, fails):
    async def streamed():
        yield row(1)
        await asyncio.sleep(0)
        yield row(2)
        if fails:
            raise OSError("disk")

    async def main():
        return store.import_from("langsmith", streamed(), job="streamed")

    report = asyncio.run(main())
    assert (report.rows, bool(report.flags)) == (2, fails)


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (5, "int is no result of evaluate"),
        ("results.json", "str is no result of evaluate"),
        ([], "the experiment holds no rows"),
        ([5], "row 1 is no row of an experiment"),
        ([row(1), {"run": None}], "row 2 is no row of an experiment"),
        ([row(1), {**row(2), "evaluation_results": {"results": None}}], "row 2 is no row of an experiment"),
    ],
    ids=range(6),
)
def test_what_is_no_experiment_is_refused_and_leaves_nothing(store, given, problem):
    with pytest.raises(BrokenInput, match=problem):
        store.import_from("langsmith", given, job="refused")
    with store.job("refused") as job:  # the name is free
        job.log(item={"q": 1}, scores={"exact": 1})


def test_a_score_that_cannot_be_kept_leaves_nothing(store):
    broken = {"key": "exact", "score": object()}
    with pytest.raises(ValueError, match="exact"):
        store.import_from("langsmith", [row(1), row(2, broken)], job="refused")
    assert not store.has_job("refused")
