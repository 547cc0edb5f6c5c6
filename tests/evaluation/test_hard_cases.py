"""What goes wrong in odd places costs one score or one clear sentence, never the experiment."""

import asyncio
import contextvars
from collections import OrderedDict
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import polars as pl
import pytest

import evalstore
from evalstore.compat.langsmith import Client
from evalstore.errors import UsageError
from evalstore.evaluation.reporting import report


class Unprintable(Exception):
    def __str__(self):
        raise RuntimeError("no text")

    __repr__ = __str__


@pytest.fixture
def store(tmp_path):
    with evalstore.open(tmp_path / "evals") as store:
        yield store


def target(inputs):
    return {"a": inputs["q"]}


def rows(count):
    return [{"inputs": {"q": n}, "outputs": {"a": n}, "id": f"n{n}"} for n in range(count)]


def raises(outputs):
    raise Unprintable


def nameless(outputs):
    return {"key": "", "score": 1}


def unwritable(outputs):
    report(requests={1: "a", "1": "b"})
    return 1


def right(outputs, reference_outputs):
    return outputs == reference_outputs


@pytest.mark.parametrize("evaluator", [raises, nameless, unwritable])
@pytest.mark.parametrize("concurrency", [0, 2])
def test_whatever_an_evaluator_does_leaves_an_error_and_the_others_their_scores(store, evaluator, concurrency):
    results = evalstore.evaluate(
        target, rows(3), [evaluator, right], store=store, name="odd", max_concurrency=concurrency
    )
    assert len(results) == 3
    counted = dict(store.sql("SELECT metric, count(error) FROM row_scores GROUP BY metric").rows())
    assert counted == {evaluator.__name__: 3, "right": 0}


def test_a_target_whose_error_has_no_text_leaves_a_row_in_error(store):
    results = evalstore.evaluate(raises_in_target, rows(2), [right], store=store, name="odd")
    assert all("Unprintable" in (row["run"].error or "") for row in results)
    assert store.sql("SELECT count(error) FROM rows").item() == 2


def raises_in_target(inputs):
    raise Unprintable


def test_data_in_another_order_give_each_run_an_id_of_its_own(store):
    def stops(inputs):
        if inputs["q"] == 2 and not stopped:
            stopped.append(True)
            raise KeyboardInterrupt
        return {"a": inputs["q"]}

    stopped: list[bool] = []
    with pytest.raises(KeyboardInterrupt):
        evalstore.evaluate(stops, rows(3), [right], store=store, name="again")
    one, two, three = rows(3)
    results = evalstore.evaluate(stops, [three, one, two], [right], store=store, name="again", resume=True)
    ids = {row["run"].id for row in results}
    assert len(ids) == 3
    assert store.sql("SELECT count(DISTINCT target_run_id) FROM row_scores").item() == 3


def test_a_run_that_is_read_back_knows_its_experiment(store):
    given = {"store": store, "name": "known", "metadata": {"prompt": "p"}, "num_repetitions": 2}
    evalstore.evaluate(target, rows(2), [right], **given)
    again = evalstore.evaluate(target, rows(2), [right], **given, resume=True)
    assert sorted((row["run"].extra or {})["metadata"]["repetition"] for row in again) == [0, 0, 1, 1]
    assert all((row["run"].extra or {})["metadata"]["prompt"] == "p" for row in again)


@pytest.mark.parametrize("form", [str, Path, evalstore.open])
def test_a_client_has_a_store_however_it_is_named(tmp_path, form):
    client = Client(store=form(str(tmp_path / "quiz")))
    results = client.evaluate(target, rows(2), [right])
    assert evalstore.open(tmp_path / "quiz").has_job(results.experiment_name)


def test_rows_of_an_asynchronous_run_are_not_taken_by_a_plain_loop(store):
    async def run():
        results = await evalstore.aevaluate(target, rows(2), [right], store=store, name="async")
        with pytest.raises(TypeError, match="async for"):
            list(results)
        assert [row["run"].outputs async for row in results] == [{"a": 0}, {"a": 1}]
        assert results[1]["run"].outputs == {"a": 1}

    asyncio.run(run())


@pytest.mark.parametrize("concurrency", [0, 1, 4])
def test_context_variables_of_the_caller_are_seen(store, concurrency):
    variable = contextvars.ContextVar("variable", default="nobody's")
    variable.set("mine")
    results = evalstore.evaluate(
        lambda inputs: {"a": variable.get()}, rows(4), [], store=store, name="context", max_concurrency=concurrency
    )
    assert [row["run"].outputs for row in results] == [{"a": "mine"}] * 4


def test_a_mock_is_stored_as_its_text_at_once(store):
    [row] = evalstore.evaluate(lambda inputs: {"m": Mock(name="it")}, rows(1), [], store=store, name="mock")
    assert row["run"].error is None
    assert "Mock name='it'" in store.sql("SELECT sample FROM rows").item()


def test_a_plain_object_without_outputs_is_an_example(store):
    data = [SimpleNamespace(id="one", inputs={"q": 1})]
    [row] = evalstore.evaluate(target, data, [lambda outputs: True], store=store, name="plain")
    assert row["run"].outputs == {"a": 1}
    assert store.sql("SELECT reference FROM rows").item() is None


def test_inputs_are_as_they_were_in_any_container(store):
    def spoils(inputs):
        inputs["m"]["a"] = inputs["t"][0]["b"] = "spoilt"
        return {"a": 1}

    data = [{"inputs": {"m": OrderedDict(a=1), "t": ({"b": 1},)}, "outputs": {}}]
    [row] = evalstore.evaluate(spoils, data, [], store=store, name="spoilt")
    assert row["run"].inputs["m"] == {"a": 1}
    assert store.sql("SELECT item FROM rows").item() == '{"m":{"a":1},"t":[{"b":1}]}'


class Scores(evalstore.evaluation.RunEvaluator):
    def evaluate_run(self, run, example=None, evaluator_run_id=None):
        return {"score": 1}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"evaluators": Scores()}, "evaluators is a list"),
        ({"timeout": "5"}, "timeout is a number"),
        ({"metadata": [1]}, "metadata is a dict"),
        ({"suite": ""}, "suite is a text"),
        ({"data": Path("typo.jsonl")}, "there is no file"),
        ({"data": "typo.jsonl"}, "there is no file"),
    ],
)
def test_wrong_arguments_are_refused_before_a_name_is_claimed(store, wrong, message):
    store.record("other", pl.DataFrame({"q": [1], "right": [True]}), scores=["right"])
    with pytest.raises(UsageError, match=message):
        evalstore.evaluate(target, **{"data": rows(1), "store": store, "name": "nightly", **wrong})
    assert not store.has_job("nightly")
    assert store.sql("FROM interrupted_jobs").is_empty()
