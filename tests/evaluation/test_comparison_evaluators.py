"""Evaluators that compare runs. How they are called: test_signatures.py."""

import asyncio
import uuid

import pytest

from evalstore.errors import InvalidScore
from evalstore.evaluation import ComparisonEvaluationResult, DynamicComparisonRunEvaluator, comparison_evaluator
from tests.evaluation.objects import a_run, an_example

FIRST, SECOND = a_run(), a_run()
RUNS, EXAMPLE = [FIRST, SECOND], an_example()
SCORES = {FIRST.id: 1, SECOND.id: 0}


def returned(value):
    @comparison_evaluator
    def preference(runs, example):
        return value

    return preference.compare_runs(RUNS, EXAMPLE)


@pytest.mark.parametrize(
    ("value", "key"),
    [
        ([1, 0], "preference"),
        ({"scores": SCORES}, "preference"),
        ({"key": "k", "scores": SCORES, "other": 1}, "k"),
        (ComparisonEvaluationResult(key="k", scores={**SCORES}), "k"),
    ],
    ids=range(4),
)
def test_returns_become_scores_by_run(value, key):
    result = returned(value)
    assert (result.key, result.scores) == (key, SCORES)
    assert isinstance(result.source_run_id, uuid.UUID)


def test_ids_may_be_texts_and_a_run_may_be_left_out():
    assert returned({"scores": {str(FIRST.id): 1}, "comment": "why"}).scores == {str(FIRST.id): 1}


@pytest.mark.parametrize(
    "value", [None, 3, "A", {}, {"key": "k"}, {"scores": [1, 0]}, {"scores": {FIRST.id: "good"}}], ids=range(7)
)
def test_what_is_no_comparison_is_refused(value):
    with pytest.raises(InvalidScore, match="Expected"):
        returned(value)


@pytest.mark.parametrize("value", [[], [1], [1, 0, 0]], ids=str)
def test_a_list_that_does_not_fit_the_runs_is_refused(value):
    with pytest.raises(InvalidScore, match="one score for each of 2 runs"):
        returned(value)


def test_a_score_of_another_run_is_refused():
    with pytest.raises(InvalidScore, match="scores of the compared runs"):
        returned({"scores": {uuid.uuid4(): 1}})


def test_it_works_synchronously_and_not():
    async def preference(runs, example):
        return [1, 0]

    later = comparison_evaluator(preference)
    assert later.is_async
    assert later(RUNS, EXAMPLE).scores == SCORES
    assert asyncio.run(later.acompare_runs(RUNS, EXAMPLE)).scores == SCORES
    plain = comparison_evaluator(lambda outputs: [1, 0])
    assert asyncio.run(plain.acompare_runs(RUNS, EXAMPLE)).scores == SCORES
    both = DynamicComparisonRunEvaluator(lambda runs, example: [0, 1], preference)
    assert both.compare_runs(RUNS).scores == {FIRST.id: 0, SECOND.id: 1}
    assert asyncio.run(both.acompare_runs(RUNS)).scores == SCORES
    assert repr(both) == "<DynamicComparisonRunEvaluator <lambda>>"
    with pytest.raises(TypeError, match="give either func or"):
        DynamicComparisonRunEvaluator(preference, preference)
