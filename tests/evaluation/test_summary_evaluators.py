"""Summary evaluators: all their styles and all their returns. How they are called: test_signatures.py."""

import asyncio

import pytest

from evalstore.errors import InvalidScore
from evalstore.evaluation import EvaluationResult
from evalstore.evaluation.summary import as_summary_evaluator
from tests.evaluation.objects import a_run, an_example

RUNS, EXAMPLES = [a_run(), a_run()], [an_example(), an_example()]


def returned(value, style):
    """What a summary evaluator named `f1` that returns `value` gives, without the sources."""

    def f1_of_documents(outputs, reference_outputs):
        return value

    def f1_of_runs(runs, examples):
        return value

    def f1_by_place(a, b):
        return value

    async def f1_later(runs, examples):
        await asyncio.sleep(0)
        return value

    function = {"documents": f1_of_documents, "runs": f1_of_runs, "by place": f1_by_place, "async": f1_later}[style]
    function.__name__ = "f1"
    found = as_summary_evaluator(function)(RUNS, EXAMPLES)["results"]
    assert all(one.source_run_id is not None for one in found)
    return [one.model_copy(update={"source_run_id": None}) for one in found]


styles = pytest.mark.parametrize("style", ["documents", "runs", "by place", "async"])


@styles
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.5, [EvaluationResult(key="f1", score=0.5)]),
        (True, [EvaluationResult(key="f1", score=True)]),
        (3, [EvaluationResult(key="f1", score=3)]),
        ("good", [EvaluationResult(key="f1", value="good")]),
        ({"score": 1}, [EvaluationResult(key="f1", score=1)]),
        ({"key": "k", "score": 1}, [EvaluationResult(key="k", score=1)]),
        ({"score": 1, "reasoning": "why"}, [EvaluationResult(key="f1", score=1, comment="why")]),
        (
            {"results": [{"score": 1}, {"key": "k", "score": 2}]},
            [EvaluationResult(key="f1", score=1), EvaluationResult(key="k", score=2)],
        ),
        (
            [{"score": 1}, {"key": "k", "score": 2}],
            [EvaluationResult(key="f1", score=1), EvaluationResult(key="k", score=2)],
        ),
        (
            [EvaluationResult(key="a", score=1), EvaluationResult(key="b", score=2)],
            [EvaluationResult(key="a", score=1), EvaluationResult(key="b", score=2)],
        ),
        ({"results": [EvaluationResult(key="a", score=1)]}, [EvaluationResult(key="a", score=1)]),
        (EvaluationResult(key="a", score=1), [EvaluationResult(key="a", score=1)]),
    ],
    ids=range(12),
)
def test_every_return_is_taken_in_every_style(value, expected, style):
    assert returned(value, style) == expected


@styles
@pytest.mark.parametrize("value", [None, [], {}, "", [1], {"accuracy": 5}, {"key": "k"}, object], ids=str)
def test_what_is_no_score_is_refused_in_every_style(value, style):
    with pytest.raises(InvalidScore, match="Expected"):
        returned(value, style)


def test_what_it_raises_is_raised():
    def f1(runs, examples):
        raise ZeroDivisionError("no runs")

    with pytest.raises(ZeroDivisionError, match="no runs"):
        as_summary_evaluator(f1)(RUNS, EXAMPLES)


def test_it_has_a_name_and_stays_as_it_is():
    class F1:
        def __call__(self, outputs):
            return 1.0

    evaluator = as_summary_evaluator(F1())
    assert (evaluator.name, repr(evaluator)) == ("F1", "<SummaryEvaluator F1>")
    assert as_summary_evaluator(evaluator) is evaluator


def test_an_asynchronous_one_works_inside_a_running_loop():
    async def main():
        return returned(0.5, "async")

    assert asyncio.run(main()) == [EvaluationResult(key="f1", score=0.5)]
