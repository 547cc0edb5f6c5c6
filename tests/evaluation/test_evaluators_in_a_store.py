"""Evaluators inside evaluate(): what each of them leaves in the store."""

import asyncio
import functools
import json
from typing import Any

import pytest

from evalstore.errors import InvalidEvaluator
from evalstore.evaluation import (
    EvaluationResult,
    RunEvaluator,
    StringEvaluator,
    aevaluate,
    evaluate,
    exact_match,
    llm_judge,
    numeric_tolerance,
)

DATA = [
    {"id": "q1", "inputs": {"question": "2 + 2"}, "outputs": {"answer": "4"}},
    {"id": "q2", "inputs": {"question": "3 + 3"}, "outputs": {"answer": "6"}},
]


def target(inputs):
    return {"answer": "4"}


def stored(store, job, *columns):
    """Columns of the scores of a job, by row and metric."""
    return store.sql(
        f"SELECT {', '.join(columns)} FROM row_scores WHERE job = $job ORDER BY row_index, metric, score_index", job=job
    ).rows()


def fails(outputs):
    raise LookupError("no luck")


class FailsByName:
    def __call__(self, outputs):
        raise LookupError("no luck")


class FailsAsObject(RunEvaluator):
    def evaluate_run(self, run, example=None):  # type: ignore[override]
        raise LookupError("no luck")


async def fails_later(outputs):
    await asyncio.sleep(0)
    raise LookupError("no luck")


def fails_after_a_key(outputs):
    return {"key": "accuracy", "score": outputs["missing"]}


@pytest.mark.parametrize("concurrency", [0, 2])
@pytest.mark.parametrize(
    ("evaluator", "metric", "error"),
    [
        (fails, "fails", "LookupError: no luck"),
        (eval("lambda outputs: outputs['missing']"), "<lambda>", "KeyError: 'missing'"),
        (FailsByName(), "FailsByName", "LookupError: no luck"),
        (FailsAsObject(), "FailsAsObject", "LookupError: no luck"),
        (functools.partial(fails), "fails", "LookupError: no luck"),
        (fails_later, "fails_later", "LookupError: no luck"),
        (fails_after_a_key, "accuracy", "KeyError: 'missing'"),
        (lambda outputs: None, "<lambda>", "InvalidScore: Expected a non-empty dict"),
    ],
    ids=["function", "lambda", "callable", "class", "partial", "async", "key", "nothing"],
)
def test_every_evaluator_that_fails_leaves_an_error_for_every_row(store, evaluator, metric, error, concurrency):
    results = evaluate(
        target, data=DATA, evaluators=[evaluator, exact_match()], store=store, name="job", max_concurrency=concurrency
    )
    found = stored(store, "job", "row_key", "metric", "value", "status", "error")
    others = [one for one in found if one[1] != "exact_match"]
    assert [one[:4] for one in others] == [("q1", metric, None, "error"), ("q2", metric, None, "error")]
    assert all(one[4].startswith(error) for one in others)
    assert [one[2] for one in found if one[1] == "exact_match"] == [1.0, 0.0]
    for row in results:
        [result] = [one for one in row["evaluation_results"]["results"] if one.key == metric]
        assert (result.score, result.extra) == (None, {"error": True})


@pytest.mark.parametrize(
    "evaluator", [lambda inputs, foo: 1, lambda foo, run: 1, "accuracy", FailsAsObject], ids=range(4)
)
def test_an_evaluator_that_could_only_be_called_wrongly_stops_the_call_before_anything_runs(store, evaluator):
    called: list[Any] = []
    with pytest.raises(InvalidEvaluator):
        evaluate(called.append, data=DATA, evaluators=[evaluator], store=store, name="job")
    assert called == []
    assert not store.has_job("job")
    evaluate(target, data=DATA, store=store, name="job")  # the name is free


def test_ids_comments_and_documents_are_kept(store):
    given = EvaluationResult(
        key="judged",
        score=0.5,
        value="fair",
        comment="why",
        metadata={"version": 2},
        correction={"answer": "6"},
        evaluator_info={"name": "judge"},
        source_run_id="mine",
        target_run_id="the retriever",
    )
    evaluate(target, data=DATA[:1], evaluators=[lambda run: given, lambda run: 1.0], store=store, name="job")
    columns = ("value", "label", "comment", "metadata", "correction", "source_run_id", "target_run_id")
    [bare, judged] = stored(store, "job", *columns)
    assert judged == (0.5, "fair", "why", '{"version":2}', '{"answer":"6"}', "mine", "the retriever")
    assert len(bare[5]) == 36


@pytest.mark.parametrize("concurrency", [0, 2])
def test_evaluators_see_the_inputs_as_they_were(store, concurrency):
    def changes(inputs):
        inputs["question"] = "changed"
        return {"answer": inputs.pop("question")}

    def question(inputs):
        return inputs["question"]

    evaluate(changes, data=DATA, evaluators=[question], store=store, name="job", max_concurrency=concurrency)
    assert [label for (label,) in stored(store, "job", "label")] == ["2 + 2", "3 + 3"]
    assert [row.item for row in store.row_scores("job")] == [one["inputs"] for one in DATA]


def test_a_failed_target_is_no_0_for_anybody(store):
    def breaks(inputs):
        raise ConnectionError("down")

    asked: list[Any] = []
    evaluators = [
        exact_match(),
        numeric_tolerance(),
        StringEvaluator(evaluation_name="graded", grading_function=lambda given, prediction, answer: {"score": 0}),
        llm_judge(model=asked.append, rubric="Right?"),
        lambda outputs: 0,
    ]
    evaluate(breaks, data=DATA[:1], evaluators=evaluators, store=store, name="job")
    found = stored(store, "job", "metric", "value", "status")
    assert [one[1:] for one in found] == [(None, "error")] * len(evaluators)
    assert asked == []


# Judges


def replies(*texts):
    """A model that gives one reply after the other, synchronously or not."""
    left = list(texts)
    return lambda prompt: left.pop(0)


def requests(store, job="job"):
    return [json.loads(text) for (text,) in store.sql("SELECT requests FROM rows ORDER BY row_index").rows()]


@pytest.mark.parametrize("runs", ["sync", "threads", "async"])
@pytest.mark.parametrize("model", ["sync", "async"])
def test_what_a_judge_asked_and_was_told_is_kept_with_the_row(store, runs, model):
    async def later(prompt):
        await asyncio.sleep(0)
        return "Score: 1" if "2 + 2" in prompt else "I cannot say."

    def now(prompt):
        return "Score: 1" if "2 + 2" in prompt else "I cannot say."

    judge = llm_judge(model=now if model == "sync" else later, rubric="Right?", retries=1, wait=0)
    options = {"data": DATA, "evaluators": [judge], "store": store, "name": "job"}
    if runs == "async":

        async def main():
            return await aevaluate(target, **options, max_concurrency=2)

        asyncio.run(main())
    else:
        evaluate(target, **options, max_concurrency=0 if runs == "sync" else 2)
    first, second = stored(store, "job", "metric", "value", "status", "comment", "error")
    assert first == ("judge", 1.0, "scored", "Score: 1", None)
    assert second[:3] == ("judge", None, "error")
    assert second[4].startswith("JudgeFailed: asked 2 times; the last time: InvalidScore: no score in the reply")
    [one], both = requests(store)
    assert (one["evaluator"], one["reply"]) == ("judge", "Score: 1")
    assert "2 + 2" in one["prompt"]
    assert [each["reply"] for each in both] == ["I cannot say."] * 2


def test_the_scale_of_a_judge_is_that_of_its_metric(store):
    unit = llm_judge(model=replies("0.5", "1"), rubric="How good?", key="unit")
    stars = llm_judge(model=replies("3", "5"), rubric="How good?", scale=(1, 5), key="stars")
    evaluate(target, data=DATA, evaluators=[unit, stars], store=store, name="job")
    [suite] = store.show("job")["suites"]
    assert {one["metric"]: (one["score"], one["is_scaled"]) for one in suite["metrics"]} == {
        "unit": (0.75, True),
        "stars": (4.0, False),
    }
    assert suite["overall_score"] == 0.75


def test_the_choices_of_a_judge_are_the_rubric_of_its_metric(store):
    choices = {"wrong": 0.0, "partly": 0.5, "right": 1.0}
    judge = llm_judge(model=replies("Verdict: right", "Verdict: partly"), rubric="Right?", choices=choices)
    evaluate(target, data=DATA, evaluators=[judge], store=store, name="job")
    assert stored(store, "job", "value", "label") == [(1.0, "right"), (0.5, "partly")]
    [score] = store.aggregate_scores("job", metric="judge").scores
    assert score.score_type == "rubric"
    assert {one.label: one.count for one in score.rubric_distribution} == {"wrong": 0, "partly": 1, "right": 1}
    assert score.mean == 0.75


# Summary evaluators


def test_summary_evaluators_of_all_styles_leave_scores_or_errors(store):
    def accuracy(outputs, reference_outputs, threshold=0.5):
        return sum(map(dict.__eq__, outputs, reference_outputs)) / len(outputs)

    def several(runs, examples):
        return [EvaluationResult(key="first", score=1), {"score": 2}]

    async def later(foo, bar):
        return {"score": len(foo) == len(bar), "reasoning": "as many"}

    def broken(runs):
        raise ZeroDivisionError("no runs")

    def nothing(runs):
        return None

    summary: list[Any] = [accuracy, several, later, broken, nothing, lambda inputs: "good"]
    evaluate(target, data=DATA, summary_evaluators=summary, store=store, name="job")
    found = store.sql("SELECT metric, value, label, status, comment, error FROM job_scores").rows()
    known = {one[0]: one[1:] for one in found}
    assert known["accuracy"] == (0.5, None, "scored", None, None)
    assert known["first"] == (1.0, None, "scored", None, None)
    assert known["several"] == (2.0, None, "scored", None, None)
    assert known["later"] == (1.0, None, "scored", "as many", None)
    assert known["<lambda>"] == (None, "good", "scored", None, None)
    assert (known["broken"][2], known["broken"][4]) == ("error", "ZeroDivisionError: no runs")
    assert known["nothing"][2] == "error"
    assert len(found) == 7


def test_a_summary_evaluator_that_could_only_be_called_wrongly_stops_the_call(store):
    with pytest.raises(InvalidEvaluator):
        evaluate(target, data=DATA, summary_evaluators=[lambda outputs, foo: 1], store=store, name="job")
    assert not store.has_job("job")


def test_a_metric_is_declared_by_the_first_score_that_says_what_it_is(store):
    config = {"type": "continuous", "min": 0, "max": 1}

    def unit(outputs, inputs):
        if inputs["question"] == "2 + 2":
            raise LookupError("not yet")
        return {"score": 0.5, "feedback_config": config}

    evaluate(target, data=DATA, evaluators=[unit], store=store, name="job")
    [suite] = store.show("job")["suites"]
    assert [(one["metric"], one["is_scaled"]) for one in suite["metrics"]] == [("unit", True)]
