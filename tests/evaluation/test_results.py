"""EvaluationResult, Run and Example have the fields, the validation and the printed form of LangSmith's."""

import logging
import subprocess
import sys
import uuid
from decimal import Decimal

import numpy as np
import pytest
from pydantic import ValidationError

import evalstore
from evalstore import evaluation
from evalstore.evaluation import ComparisonEvaluationResult, EvaluationResult, EvaluationResults, Example, Run
from tests.evaluation.objects import START, a_run, an_example

RUN_ID = uuid.UUID("7ebb4900-91c0-40b0-bb10-f2f6a451fd3c")


def test_the_printed_form_is_that_of_the_original():
    assert repr(EvaluationResult(key="randomness", score=1, source_run_id=RUN_ID)) == (
        "EvaluationResult(key='randomness', score=1, value=None, metadata=None, comment=None, correction=None, "
        "evaluator_info={}, feedback_config=None, "
        "source_run_id=UUID('7ebb4900-91c0-40b0-bb10-f2f6a451fd3c'), target_run_id=None, extra=None)"
    )


@pytest.mark.parametrize("score", [True, False, 0, 1, 10**30, 0.0, 2.5, float("inf"), None])
def test_a_score_keeps_its_type(score):
    kept = EvaluationResult(key="k", score=score).score
    assert (kept, type(kept)) == (score, type(score))


@pytest.mark.parametrize(
    ("given", "kept"), [(np.bool_(True), True), (np.int64(3), 3), (np.float32(0.5), 0.5), (np.array(2.0), 2.0)]
)
def test_a_scalar_of_numpy_is_the_number_that_it_is(given, kept):
    score = EvaluationResult(key="k", score=given).score
    assert (score, type(score)) == (kept, type(kept))


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"key": 5},
        {"key": None},
        {"key": "k", "score": "0.9"},
        {"key": "k", "score": [1]},
        {"key": "k", "score": np.array([1.0, 2.0])},
        {"key": "k", "value": [1]},
        {"key": "k", "comment": 5},
        {"key": "k", "correction": "text"},
        {"key": "k", "metadata": "text"},
        {"key": "k", "evaluator_info": None},
        {"key": "k", "reasoning": "because"},
        {"key": "k", "target_run_id": 5},
    ],
)
def test_what_the_original_refuses_is_refused(fields):
    with pytest.raises(ValidationError):
        EvaluationResult(**fields)


def test_fields_are_kept_as_they_are_given():
    fields = {
        "key": "k",
        "score": 0.5,
        "value": {"label": "good"},
        "metadata": {"version": "2"},
        "comment": "fine",
        "correction": {"answer": "42"},
        "evaluator_info": {"name": "judge"},
        "feedback_config": {"type": "nope", "later": 1},
        "source_run_id": "not a uuid",
        "target_run_id": str(RUN_ID),
        "extra": {"error": True},
    }
    assert EvaluationResult(**fields).model_dump() == fields


def test_a_decimal_is_a_float():
    assert EvaluationResult(key="k", score=Decimal("0.5")).score == 0.5


@pytest.mark.parametrize("value", [4, 0.5, True])
def test_a_number_as_value_is_warned_about(value, caplog):
    with caplog.at_level(logging.WARNING):
        EvaluationResult(key="k", value=value)
    [record] = caplog.records
    assert record.getMessage() == (f"Numeric values should be provided in the 'score' field, not 'value'. Got: {value}")


def test_a_number_beside_a_score_or_a_label_is_not_warned_about(caplog):
    EvaluationResult(key="k", score=1, value=4)
    EvaluationResult(key="k", value="good")
    assert caplog.records == []


def test_several_results_are_a_plain_dict():
    results = EvaluationResults(results=[EvaluationResult(key="k", score=1)])
    assert type(results) is dict
    assert results["results"][0].key == "k"


def test_a_comparison_keeps_ids_and_types():
    compared = ComparisonEvaluationResult(key="k", scores={RUN_ID: True, "b": 0.5}, comment={RUN_ID: "better"}, more=1)
    assert compared.scores == {RUN_ID: True, "b": 0.5}
    assert compared.comment == {RUN_ID: "better"}
    with pytest.raises(ValidationError):
        ComparisonEvaluationResult(key="k", scores={RUN_ID: "good"})


def test_an_example_is_frozen_and_its_id_becomes_a_uuid():
    example = an_example(id=str(RUN_ID))
    assert example.id == RUN_ID
    assert (example.dataset_id, example.metadata, example.attachments) == (uuid.UUID(int=0), None, None)
    with pytest.raises(ValidationError):
        example.inputs = {}


def test_the_id_of_an_example_may_be_any_text():
    assert Example(id="gsm8k/test/17").id == "gsm8k/test/17"


def test_a_run_knows_its_latency_its_trace_and_its_metadata():
    run = a_run()
    assert run.latency == 2.0
    assert run.trace_id == run.id
    assert run.metadata == {}
    assert a_run(end_time=None).latency is None
    assert a_run(trace_id=RUN_ID).trace_id == RUN_ID


@pytest.mark.parametrize("missing", ["id", "name", "start_time"])
def test_a_run_needs_an_id_a_name_and_a_start(missing):
    fields = {"id": RUN_ID, "name": "n", "start_time": START}
    del fields[missing]
    with pytest.raises(ValidationError):
        Run(**fields)


def test_the_names_at_the_top_are_the_same_objects():
    assert evalstore.run_evaluator is evaluation.run_evaluator
    assert evalstore.EvaluationResult is evaluation.EvaluationResult


def test_importing_evalstore_does_not_wait_for_pydantic():
    code = "import sys, evalstore, evalstore.evaluation; print(sorted({'pydantic', 'duckdb'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
