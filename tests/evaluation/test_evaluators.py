"""Evaluators of any shape: functions, objects, subclasses, those of other libraries."""

import asyncio
import functools
import threading
import uuid
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest

from evalstore.errors import InvalidEvaluator, UsageError
from evalstore.evaluation import (
    DynamicRunEvaluator,
    EvaluationResult,
    EvaluationResults,
    RunEvaluator,
    StringEvaluator,
    run_evaluator,
)
from evalstore.evaluation.awaiting import completed
from evalstore.evaluation.evaluators import as_evaluator, evaluator_keys, evaluator_name, failed_results
from evalstore.evaluation.requests import requests_of_error, without_requests
from tests.evaluation.objects import a_run, an_example

RUN, EXAMPLE = a_run(), an_example()


def results(evaluator, *, is_async=False) -> list[Any]:
    """The results, by either way."""
    evaluator = as_evaluator(evaluator)
    found = asyncio.run(evaluator.aevaluate_run(RUN, EXAMPLE)) if is_async else evaluator.evaluate_run(RUN, EXAMPLE)
    return found["results"] if isinstance(found, dict) else [found]


both_ways = pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])


def accuracy(run, example):
    """Compares."""
    return {"key": "accuracy", "score": run.outputs == example.outputs}


def test_the_decorator_makes_an_evaluator_that_can_still_be_called():
    evaluator = run_evaluator(accuracy)
    assert isinstance(evaluator, DynamicRunEvaluator)
    assert isinstance(evaluator, RunEvaluator)
    assert (evaluator.__name__, evaluator.__doc__) == ("accuracy", "Compares.")  # type: ignore[attr-defined]
    assert repr(evaluator) == "<DynamicRunEvaluator accuracy>"
    assert not evaluator.is_async
    result: Any = evaluator(RUN, EXAMPLE)
    assert (result.key, result.score) == ("accuracy", True)


def test_an_evaluator_stays_as_it_is():
    evaluator = run_evaluator(accuracy)
    assert as_evaluator(evaluator) is evaluator


def test_the_given_id_is_the_source():
    source = uuid.uuid4()
    result: Any = run_evaluator(accuracy).evaluate_run(RUN, EXAMPLE, source)
    assert result.source_run_id == source


def test_the_example_may_be_missing():
    result: Any = run_evaluator(lambda run, example: example is None).evaluate_run(RUN)
    assert result.score is True


async def slow(outputs):
    await asyncio.sleep(0)
    return 0.5


class Slow:
    async def __call__(self, outputs):
        return 0.5


def hidden(outputs):
    return slow(outputs)


@both_ways
@pytest.mark.parametrize("evaluator", [slow, Slow(), functools.partial(slow), hidden], ids=range(4))
def test_an_asynchronous_function_works_either_way(evaluator, is_async):
    assert [one.score for one in results(evaluator, is_async=is_async)] == [0.5]


def test_an_asynchronous_evaluator_can_be_called_inside_a_running_loop():
    async def main():
        return results(slow)

    assert asyncio.run(main())[0].score == 0.5


def test_what_an_awaitable_raises_is_raised_inside_a_running_loop_too():
    async def fails():
        raise LookupError("gone")

    async def main():
        completed(fails())

    with pytest.raises(LookupError, match="gone"):
        asyncio.run(main())


def test_a_plain_function_does_not_hold_up_the_loop():
    def judge(outputs):
        return {"score": 1, "comment": threading.current_thread().name}

    [result] = results(judge, is_async=True)
    assert result.comment != threading.current_thread().name


def test_both_forms_are_used_each_where_it_belongs():
    async def later(run):
        return "async"

    both = DynamicRunEvaluator(lambda run: "sync", later)
    assert both.is_async
    assert results(both)[0].value == "sync"
    assert results(both, is_async=True)[0].value == "async"
    with pytest.raises(TypeError, match="give either func or"):
        DynamicRunEvaluator(later, later)


# Objects


class TwoArguments(RunEvaluator):
    """As the document writes it."""

    def evaluate_run(self, run, example=None):  # type: ignore[override]
        return EvaluationResult(key="two", score=1.0 if run.outputs == example.outputs else 0.0)


class ThreeArguments(RunEvaluator):
    def evaluate_run(self, run, example=None, evaluator_run_id=None):
        return EvaluationResults(results=[EvaluationResult(key="three", score=1.0, source_run_id=evaluator_run_id)])


class Swapped(RunEvaluator):
    def evaluate_run(self, example, run):  # type: ignore[override]
        return {"key": "swapped", "score": run.outputs == example.outputs}


class OtherNames(RunEvaluator):
    def evaluate_run(self, prediction, wanted):  # type: ignore[override]
        return prediction is RUN and wanted is EXAMPLE


class AnyArguments(RunEvaluator):
    def evaluate_run(self, **given):  # type: ignore[override]
        return {"results": [EvaluationResult(key=key, score=1) for key in given]}


class Waits(RunEvaluator):
    async def evaluate_run(self, run, example=None):  # type: ignore[override]
        await asyncio.sleep(0)
        return 1.0


class Both(RunEvaluator):
    def evaluate_run(self, run, example=None):  # type: ignore[override]
        return "sync"

    async def aevaluate_run(self, run, example=None):  # type: ignore[override]
        return "async"


class Duck:
    def evaluate_run(self, run, example):
        return 1


@both_ways
@pytest.mark.parametrize(
    ("evaluator", "keys"),
    [
        (TwoArguments(), ["two"]),
        (ThreeArguments(), ["three"]),
        (Swapped(), ["swapped"]),
        (OtherNames(), ["OtherNames"]),
        (AnyArguments(), ["run", "example", "evaluator_run_id"]),
        (Waits(), ["Waits"]),
        (Duck(), ["Duck"]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_evaluate_run_is_given_as_many_arguments_as_it_takes(evaluator, keys, is_async):
    found = results(evaluator, is_async=is_async)
    assert [one.key for one in found] == keys
    assert all(one.score == 1 and one.source_run_id for one in found)


def test_an_object_with_both_methods_is_called_by_the_one_that_fits():
    assert results(Both())[0].value == "sync"
    assert results(Both(), is_async=True)[0].value == "async"
    assert as_evaluator(Both()).is_async  # type: ignore[attr-defined]
    assert not as_evaluator(TwoArguments()).is_async  # type: ignore[attr-defined]


def test_an_object_without_a_form_for_loops_runs_in_a_thread_when_called_directly():
    found: Any = asyncio.run(TwoArguments().aevaluate_run(RUN, EXAMPLE))
    assert found.score == 1.0


def test_a_class_of_evaluators_is_no_evaluator():
    with pytest.raises(InvalidEvaluator, match=r"give one of them, TwoArguments\(\)"):
        as_evaluator(TwoArguments)


def test_an_evaluate_run_that_needs_more_is_refused():
    class Greedy(RunEvaluator):
        def evaluate_run(self, run, example, *, model):  # type: ignore[override]
            return 1

    with pytest.raises(InvalidEvaluator, match=r"write evaluate_run\(self, run, example=None\)"):
        as_evaluator(Greedy())


def test_an_evaluator_without_evaluate_run_cannot_be_made():
    class Nothing(RunEvaluator):
        pass

    with pytest.raises(TypeError, match="abstract"):
        Nothing()  # type: ignore[abstract]


def test_mocks_and_plain_objects_are_runs_and_examples():
    run, example = mock.Mock(outputs={"a": 1}), SimpleNamespace(outputs={"a": 1})
    for evaluator in (accuracy, lambda outputs, reference_outputs: outputs == reference_outputs, TwoArguments()):
        found: Any = as_evaluator(evaluator).evaluate_run(run, example)
        [result] = found["results"] if isinstance(found, dict) else [found]
        assert result.score == 1
    judge = mock.create_autospec(accuracy, return_value=0.5)
    found = DynamicRunEvaluator(judge).evaluate_run(run, example)
    assert (found.key, found.score) == ("accuracy", 0.5)
    judge.assert_called_once_with(run=run, example=example)


# Under which keys an error is stored


def one_key(run):
    return {"key": "one", "score": run.outputs["missing"]}


def many_keys(run):
    if run.error:
        return dict(key="first", score=0)  # noqa: C408
    scores = [{"key": "second", "score": 1}, EvaluationResult(key="third", score=1)]
    return {"results": scores} if run.tags else EvaluationResults(results=[EvaluationResult(key="fourth", score=1)])


def computed_keys(run):
    def inner():
        return {"key": "not mine"}

    return [{"key": name, "score": 1} for name in inner()]


def bare(outputs):
    return outputs["missing"]


class Callable:
    def __call__(self, outputs):
        return {"key": "of the object", "score": 1}


@pytest.mark.parametrize(
    ("evaluator", "keys"),
    [
        (one_key, ["one"]),
        (many_keys, ["first", "second", "third", "fourth"]),
        (computed_keys, ["computed_keys"]),
        (bare, ["bare"]),
        (functools.partial(one_key), ["one"]),
        (Callable(), ["of the object"]),
        (TwoArguments(), ["two"]),
        (OtherNames(), ["OtherNames"]),
        (StringEvaluator(evaluation_name="exact", grading_function=lambda i, p, a: {}), ["exact"]),
        (eval("lambda run: 1"), ["<lambda>"]),
    ],
    ids=range(10),
)
def test_an_error_is_stored_under_the_keys_of_the_scores(evaluator, keys):
    evaluator = as_evaluator(evaluator)
    assert evaluator_keys(evaluator) == keys
    error = KeyError("missing")
    failed = failed_results(evaluator, error)
    assert [one.key for one in failed] == keys
    for one in failed:
        assert (one.score, one.comment, one.extra) == (None, "KeyError('missing')", {"error": True})
        assert one.source_run_id is not None


def test_a_lambda_among_others_on_its_line_is_known_by_its_name():
    pair = (lambda run: {"key": "a", "score": 1}, lambda run: {"key": "b", "score": 1})
    assert evaluator_keys(run_evaluator(pair[0])) == ["<lambda>"]


@pytest.mark.parametrize(
    ("evaluator", "name"),
    [(accuracy, "accuracy"), (run_evaluator(accuracy), "accuracy"), (TwoArguments(), "TwoArguments")],
    ids=range(3),
)
def test_every_evaluator_has_a_name(evaluator, name):
    assert evaluator_name(evaluator) == name
    assert evaluator_name(as_evaluator(evaluator)) == name


# Text evaluators


def graded(given, prediction, answer):
    return {"score": prediction == answer, "comment": f"{given}: {prediction}, {answer}"}


def test_a_text_evaluator_grades_one_field_of_each():
    evaluator = StringEvaluator(evaluation_name="exact", grading_function=graded)
    run = a_run(inputs={"input": "q"}, outputs={"output": "x"})
    result = evaluator.evaluate_run(run, an_example(outputs={"output": "y"}))
    assert (result.key, result.score, result.comment) == ("exact", False, "q: x, y")
    assert evaluator.evaluate_run(run).comment == "q: x, None"
    assert evaluator.feedback_keys == ["exact"]


def test_a_text_evaluator_may_look_at_other_fields():
    evaluator = StringEvaluator(input_key="question", prediction_key="answer", answer_key=None, grading_function=graded)
    [result] = results(evaluator)
    assert (result.key, result.comment) == ("StringEvaluator", "2 + 2: 4, None")


def test_a_text_evaluator_needs_outputs_and_a_function():
    evaluator = StringEvaluator(grading_function=graded)
    with pytest.raises(UsageError, match="Run outputs cannot be None"):
        evaluator.evaluate_run(a_run(outputs=None))
    with pytest.raises(KeyError):
        evaluator.evaluate_run(a_run(outputs={}))
    with pytest.raises(ValueError, match="grading_function"):
        StringEvaluator(grading_function=3)


# Requests


def test_requests_travel_in_extra_and_in_errors():
    handed = EvaluationResult(key="a", score=1, extra={"requests": [{"prompt": "p"}], "more": 1})
    plain = EvaluationResult(key="b", score=1, extra={"requests": "not a list"})
    kept, requests = without_requests([handed, plain])
    assert requests == [{"prompt": "p"}]
    assert [one.extra for one in kept] == [{"more": 1}, {"requests": "not a list"}]
    assert handed.extra == {"requests": [{"prompt": "p"}], "more": 1}
    error = ValueError()
    assert requests_of_error(error) == []
    error.requests = [1]  # type: ignore[attr-defined]
    assert requests_of_error(error) == [1]
