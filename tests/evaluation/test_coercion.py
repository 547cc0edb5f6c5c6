"""What an evaluator may return."""

import asyncio
import copy
import math
import uuid
from collections import Counter
from datetime import date
from decimal import Decimal
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from evalstore.errors import InvalidScore
from evalstore.evaluation import EvaluationResult, EvaluationResults, coercion, run_evaluator
from tests.evaluation.objects import a_run, an_example

RUN_ID = uuid.UUID(int=7)


def returned(value):
    """What an evaluator named `accuracy` that returns `value` gives."""

    def accuracy(run, example):
        return value

    return run_evaluator(accuracy).evaluate_run(a_run(), an_example(), RUN_ID)


@pytest.mark.parametrize(
    ("value", "score"),
    [
        (True, True),
        (False, False),
        (0, 0),
        (3, 3),
        (10**30, 10**30),
        (0.0, 0.0),
        (2.5, 2.5),
        (math.inf, math.inf),
        (np.float64(0.25), 0.25),
        # More than the original takes:
        (np.float32(0.5), 0.5),
        (np.int64(0), 0),
        (np.int64(3), 3),
        (np.bool_(False), False),
        (np.array(4), 4),
        (Decimal("1.5"), 1.5),
        (Decimal(0), 0.0),
    ],
)
def test_a_bare_number_is_the_score(value, score):
    result = returned(value)
    assert result == EvaluationResult(key="accuracy", score=score, source_run_id=RUN_ID)
    assert type(result.score) is type(score)


def test_nan_is_a_score():
    assert math.isnan(returned(math.nan).score)


def test_a_bare_text_is_the_value():
    assert returned("good") == EvaluationResult(key="accuracy", value="good", source_run_id=RUN_ID)


@pytest.mark.parametrize("value", ["", None, {}, []])
def test_nothing_is_refused(value):
    with pytest.raises(ValueError, match="Expected a non-empty dict, str, bool, int, float, list, EvaluationResult"):
        returned(value)


@pytest.mark.parametrize("value", [3j, Fraction(1, 2), date(2026, 1, 1), (1, 2), object(), np.array([1.0]), {1}])
def test_what_is_no_score_is_refused(value):
    with pytest.raises(ValueError, match="Expected a dict, str, bool, int, float, list, EvaluationResult"):
        returned(value)


def test_a_generator_is_refused():
    with pytest.raises(ValueError, match="Expected a dict"):
        returned(one for one in [1])


@pytest.mark.parametrize(
    ("value", "fields"),
    [
        ({"score": 1}, {"score": 1}),
        ({"score": 0}, {"score": 0}),
        ({"score": None}, {}),
        ({"value": ""}, {"value": ""}),
        ({"comment": "why"}, {"comment": "why"}),
        ({"value": {"a": [1]}}, {"value": {"a": [1]}}),
        ({"key": "other", "score": True}, {"key": "other", "score": True}),
        ({"score": 1, "value": "good", "metadata": {"m": 1}}, {"score": 1, "value": "good", "metadata": {"m": 1}}),
        ({"score": 1, "target_run_id": "t"}, {"score": 1, "target_run_id": "t"}),
        ({"score": np.bool_(True)}, {"score": True}),
    ],
)
def test_a_dict_is_a_result_and_its_key_defaults_to_the_name(value, fields):
    assert returned(value) == EvaluationResult(**{"key": "accuracy", "source_run_id": RUN_ID, **fields})


@pytest.mark.parametrize(
    "value",
    [
        {"key": "k"},
        {"accuracy": 5},
        {"score": 1, "foo": 2},
        {"score": 1, "key": None},
        {"score": 1, "key": 5},
        {"score": 1, "comment": 5},
        {"score": "0.9"},
        {"value": [1]},
        {"score": 1, "reasoning": "x"},
        [5],
        [[]],
        [{}],
        [{"score": 1}],
        [{"key": "a"}],
        [{"key": "a", "score": 1}, 5],
        {"results": [{"score": 1}]},
        {"results": [5]},
        {"results": None},
        {"results": {"key": "a"}},
    ],
)
def test_what_says_no_score_or_too_much_is_refused(value):
    with pytest.raises(ValueError, match="Expected"):
        returned(value)


def test_the_error_names_the_field():
    with pytest.raises(InvalidScore, match=r"got \{.*\}: comment: Input should be a valid string"):
        returned({"score": 1, "comment": 5})


@pytest.mark.parametrize(
    "value",
    [
        [{"key": "a", "score": 1}, {"key": "b", "value": "x"}],
        {"results": [{"key": "a", "score": 1}, {"key": "b", "value": "x"}]},
        {"results": [EvaluationResult(key="a", score=1), {"key": "b", "value": "x"}]},
        EvaluationResults(results=[EvaluationResult(key="a", score=1), EvaluationResult(key="b", value="x")]),
        # More than the original takes:
        [EvaluationResult(key="a", score=1), {"key": "b", "value": "x"}],
    ],
)
def test_several_results_keep_their_order_and_have_one_source(value):
    assert returned(value) == {
        "results": [
            EvaluationResult(key="a", score=1, source_run_id=RUN_ID),
            EvaluationResult(key="b", value="x", source_run_id=RUN_ID),
        ]
    }


def test_no_results_are_no_results():
    assert returned({"results": []}) == {"results": []}


def test_the_same_key_may_come_twice_and_other_fields_beside_results_stay():
    twice = returned({"results": [{"key": "a", "score": 1}, {"key": "a", "score": 0}], "more": 2})
    assert [one.score for one in twice["results"]] == [1, 0]
    assert twice["more"] == 2


def test_a_result_keeps_the_source_and_the_target_that_it_has():
    given = EvaluationResult(key="a", score=1, source_run_id="mine", target_run_id="child")
    assert returned(given) == given


def test_a_source_is_always_set():
    def accuracy(run):
        return EvaluationResult(key="a", score=1)

    results: list[Any] = [run_evaluator(accuracy).evaluate_run(a_run()) for _ in range(3)]
    sources = {result.source_run_id for result in results}
    assert len(sources) == 3
    assert all(isinstance(source, uuid.UUID) for source in sources)


@pytest.mark.parametrize(
    "shared",
    [
        {"score": 1},
        [{"key": "a", "score": 1}],
        {"results": [{"key": "a", "score": 1}]},
        EvaluationResult(key="a", score=1),
        {"results": [EvaluationResult(key="a", score=1)]},
    ],
)
def test_what_is_returned_is_not_changed(shared):
    before = copy.deepcopy(shared)
    returned(shared)
    assert shared == before


def test_the_result_of_another_library_is_a_result():
    class Foreign(BaseModel):
        key: str
        score: float
        value: str | None = None
        comment: str | None = None

    assert returned([Foreign(key="a", score=0.5, comment="why")]) == {
        "results": [EvaluationResult(key="a", score=0.5, comment="why", source_run_id=RUN_ID)]
    }


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda some: (
        st.lists(some, max_size=3)
        | st.dictionaries(st.sampled_from(["key", "score", "value", "comment", "results", "other"]), some, max_size=4)
    ),
    max_leaves=8,
)


@given(JSON)
def test_any_return_is_results_or_a_value_error(value):
    try:
        result = returned(value)
    except ValueError:
        return
    results = result["results"] if isinstance(result, dict) else [result]
    assert all(type(one) is EvaluationResult and one.source_run_id == RUN_ID for one in results)


# What a RunEvaluator returns


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"key": "k"}, [EvaluationResult(key="k")]),
        ({"key": "k", "score": 1, "reasoning": "x"}, [EvaluationResult(key="k", score=1, comment="x")]),
        ({"score": 1, "reasoning": "x"}, [EvaluationResult(key="name", score=1, comment="x")]),
        ({"results": [{"score": 1}]}, [EvaluationResult(key="name", score=1)]),
        ({"results": ()}, []),
        (0.5, [EvaluationResult(key="name", score=0.5)]),
        ("good", [EvaluationResult(key="name", value="good")]),
        (EvaluationResult(key="k", score=1), [EvaluationResult(key="k", score=1)]),
    ],
)
def test_the_results_of_an_evaluator_object(value, expected):
    assert coercion.as_results(value, "name") == expected


@pytest.mark.parametrize("value", [None, {}, {"accuracy": 5}, object()])
def test_an_evaluator_object_may_not_return_anything(value):
    with pytest.raises(InvalidScore):
        coercion.as_results(value, "name")


# What an asynchronous function returns is the same


@pytest.mark.parametrize("value", [True, "good", {"score": 1}, [{"key": "a", "score": 1}], None, [5]])
def test_an_asynchronous_function_is_read_alike(value):
    async def accuracy(run, example):
        await asyncio.sleep(0)
        return value

    def outcome(evaluate):
        try:
            return evaluate()
        except ValueError as error:
            return str(error)

    evaluator = run_evaluator(accuracy)
    run, example = a_run(), an_example()
    expected = outcome(lambda: returned(value))
    assert outcome(lambda: evaluator.evaluate_run(run, example, RUN_ID)) == expected
    assert outcome(lambda: asyncio.run(evaluator.aevaluate_run(run, example, RUN_ID))) == expected


def test_runs_and_examples_are_handed_on_as_they_are_and_not_kept():
    seen = []

    @run_evaluator
    def accuracy(run, example):
        seen.append((run, example))
        return run.outputs["answer"] == example.outputs["answer"]

    run, example = SimpleNamespace(outputs={"answer": 4}), SimpleNamespace(outputs={"answer": 4})
    before = Counter(map(id, vars(accuracy).values()))
    result: Any = accuracy.evaluate_run(run, example)
    assert result.score is True
    assert seen[0][0] is run
    assert seen[0][1] is example
    assert Counter(map(id, vars(accuracy).values())) == before
