"""evaluate(): every row and every score is stored, whatever target, evaluators and data look like."""

import asyncio
import dataclasses
import functools
import json
import threading
import time
from uuid import UUID, uuid4

import polars as pl
import pydantic
import pytest

import evalstore
from evalstore.errors import DatasetNotFound, InvalidEvaluator, JobExists, UsageError
from evalstore.evaluation import Example, RunEvaluator, evaluate, report

DATA = [{"inputs": {"q": number}, "outputs": {"a": 2 * number}, "id": f"n{number}"} for number in range(6)]


def double(inputs):
    return {"a": 2 * inputs["q"]}


def right(outputs, reference_outputs):
    return outputs["a"] == reference_outputs["a"]


def size(run, example):
    return {"key": "size", "score": run.outputs["a"], "value": "even", "comment": f"of {example.inputs['q']}"}


def stored_scores(store, job):
    lines = store.sql("SELECT * FROM row_scores WHERE job = $job", job=job).to_dicts()
    return {(line["metric"], line["row_key"], line["repetition"], line["score_index"]): line for line in lines}


def stored_rows(store, job):
    lines = store.sql("SELECT * FROM rows WHERE job = $job ORDER BY row_index, repetition", job=job).to_dicts()
    return {(line["row_key"], line["repetition"]): line for line in lines}


def test_each_row_is_there_as_an_object_and_in_the_store(store):
    results = evaluate(double, data=DATA, evaluators=[right, size], store=store, name="run")
    assert [row["run"].outputs for row in results] == [{"a": 2 * number} for number in range(6)]
    row = results[1]
    assert (row["run"].inputs, row["run"].error, row["example"].outputs) == ({"q": 1}, None, {"a": 2})
    assert row["run"].end_time is not None
    assert isinstance(row["run"].id, UUID)
    assert [(one.key, one.score, one.value, one.comment) for one in row["evaluation_results"]["results"]] == [
        ("right", True, None, None),
        ("size", 2, "even", "of 1"),
    ]
    assert all(one.source_run_id for one in row["evaluation_results"]["results"])
    rows, scores = stored_rows(store, "run"), stored_scores(store, "run")
    assert list(rows) == [(f"n{number}", 0) for number in range(6)]
    assert [row["row_index"] for row in rows.values()] == list(range(6))
    line = rows["n1", 0]
    assert (json.loads(line["item"]), json.loads(line["sample"]), json.loads(line["reference"])) == (
        {"q": 1}, {"a": 2}, {"a": 2}
    )  # fmt: skip
    assert line["latency"] >= 0
    assert line["started_at"] <= line["finished_at"]
    assert len(scores) == 12
    assert (scores["right", "n1", 0, 0]["value"], scores["right", "n1", 0, 0]["value_type"]) == (1.0, "bool")
    line = scores["size", "n1", 0, 0]
    assert (line["value"], line["label"], line["comment"], line["status"]) == (2.0, "even", "of 1", "scored")
    assert line["source_run_id"] == str(row["evaluation_results"]["results"][1].source_run_id)
    assert line["target_run_id"] == str(row["run"].id)
    assert store.show("run")["status"] == "completed"


def test_the_store_answers_as_soon_as_evaluate_returns_and_knows_what_was_said_of_the_run(store):
    evaluate(double, DATA, [right], store=store, name="run", metadata={"a": 1}, description="twice", dataset="sums",
             model="openai/6b", tags=["nightly"], group="g", metric_ref="m", suite="s")  # fmt: skip
    shown = store.show("run")
    assert (shown["dataset"], shown["model"], shown["tags"], shown["group"], shown["metric_ref"]) == (
        "default/sums", "openai/6b", ["nightly"], "g", "default/m"
    )  # fmt: skip
    assert shown["metadata"] == {"description": "twice", "a": 1}
    assert [suite["name"] for suite in shown["suites"]] == ["s"]
    assert store.leaderboard("right")["mean"].to_list() == [1.0]


def test_results_can_be_walked_any_number_of_times_counted_and_indexed(store):
    results = evaluate(double, DATA, [right], store=store, blocking=False)
    first = list(results)
    assert list(results) == first
    assert len(results) == 6
    assert results[2] is first[2]
    assert results[-1] is first[-1]
    with pytest.raises(IndexError):
        _ = results[6]
    results.wait()
    assert results.experiment_name in store.jobs()["name"].to_list()


def test_the_name_is_one_and_begins_with_the_prefix(store):
    results = evaluate(double, DATA, [], store=store, experiment_prefix="Toxic queries, v1")
    assert results.experiment_name.startswith("Toxic-queries-v1-")
    assert evaluate(double, DATA, [], store=store).experiment_name.startswith("double-")
    assert store.jobs().height == 2
    evaluate(double, DATA, [], store=store, name="exact")
    with pytest.raises(JobExists):
        evaluate(double, DATA, [], store=store, name="exact")


# Errors


class Fails(RunEvaluator):
    def evaluate_run(self, run, example=None, evaluator_run_id=None):
        raise KeyError("in a class")


class Callable:
    def __call__(self, outputs):
        raise LookupError("in an object")


async def fails_async(outputs):
    raise TimeoutError("in a coroutine")


def two_keys(run, example):
    if run:
        raise ValueError("in both")
    return [{"key": "one", "score": 1}, {"key": "two", "score": 2}]


def test_every_evaluator_leaves_a_score_or_an_error_for_every_row(store):
    evaluators = [right, Fails(), Callable(), fails_async, two_keys, lambda run: 1 / 0, lambda run: None,
                  functools.partial(lambda outputs, by: outputs["b"], by=1)]  # fmt: skip
    results = evaluate(double, DATA[:2], evaluators, store=store, name="run")
    for row in results:
        found = row["evaluation_results"]["results"]
        assert len(found) == 9
        assert [one.score for one in found] == [True] + [None] * 8
        assert all(one.extra == {"error": True} for one in found[1:])
    lines = [line for line in stored_scores(store, "run").values() if line["row_key"] == "n0"]
    errors = sorted(line["error"] for line in lines if line["status"] == "error")
    assert [error.partition(":")[0] for error in errors] == [
        "InvalidScore", "KeyError", "KeyError", "LookupError", "TimeoutError", "ValueError", "ValueError",
        "ZeroDivisionError",
    ]  # fmt: skip
    assert {"one", "two", "Fails", "Callable", "fails_async"} <= {line["metric"] for line in lines}
    assert all(line["value"] is None for line in lines if line["status"] == "error")
    traceback = json.loads(next(line["extra"] for line in lines if line["metric"] == "Fails"))["traceback"]
    assert "in a class" in traceback
    aggregates = {one.metric: one for one in results.aggregate_scores.scores}
    assert (aggregates["Callable"].count, aggregates["Callable"].rows_error) == (0, 2)


def test_a_failed_row_is_kept_and_never_a_score(store):
    def target(inputs):
        if inputs["q"] == 1:
            raise ValueError("boom")
        return {"a": 2 * inputs["q"]}

    def is_short(outputs):  # would be true of no outputs at all
        return len(str(outputs.get("a", ""))) < 9

    def failed(run):
        return run.error is not None

    results = evaluate(target, DATA[:3], [is_short, failed], store=store, name="run")
    row = results[1]
    assert row["run"].outputs is None
    assert str(row["run"].error).startswith("ValueError('boom')\n\nTraceback")
    assert [(one.key, one.score) for one in row["evaluation_results"]["results"]] == [
        ("is_short", None), ("failed", True)
    ]  # fmt: skip
    assert "boom" in str(row["evaluation_results"]["results"][0].comment)
    line = stored_rows(store, "run")["n1", 0]
    assert (line["error"], line["sample"]) == ("ValueError: boom", None)
    assert json.loads(line["error_details"])["type"] == "ValueError"
    score = stored_scores(store, "run")["is_short", "n1", 0, 0]
    assert (score["status"], score["value"]) == ("error", None)
    [short] = [one for one in results.aggregate_scores.scores if one.metric == "is_short"]
    assert (short.mean, short.rows_scored, short.rows_error, short.rows_total) == (1.0, 2, 1, 3)


def test_ignored_errors_are_counted_and_not_stored(store):
    def target(inputs):
        return {"a": 1 / inputs["q"]}

    results = evaluate(target, DATA[:3], [], store=store, name="run", error_handling="ignore")
    assert [row["run"].error is None for row in results] == [False, True, True]
    assert set(stored_rows(store, "run")) == {("n1", 0), ("n2", 0)}
    assert store.sql("SELECT metric, value FROM job_scores").rows() == [("ignored_rows", 1.0)]


def test_nan_none_and_nothing_are_three_things(store):
    def odd(outputs):
        return {"results": []} if outputs["a"] == 0 else {"score": None if outputs["a"] == 2 else float("nan")}

    results = evaluate(double, DATA[:3], [odd], store=store, name="run")
    assert [len(row["evaluation_results"]["results"]) for row in results] == [0, 1, 1]
    lines = stored_scores(store, "run")
    assert [lines["odd", f"n{number}", 0, 0]["status"] for number in range(3)] == ["skipped", "unscored", "unscored"]
    [aggregate] = results.aggregate_scores.scores
    assert (aggregate.count, aggregate.nan_count, aggregate.mean) == (0, 1, None)


def test_results_of_one_key_are_all_kept(store):
    def also_right(outputs):
        return {"key": "right", "score": 0.5}

    results = evaluate(double, DATA[:1], [right, also_right, right], store=store, name="run")
    assert [one.score for one in results[0]["evaluation_results"]["results"]] == [True, 0.5, True]
    assert [line["value"] for line in stored_scores(store, "run").values()] == [1.0, 0.5, 1.0]
    infos = [json.loads(line["evaluator_info"])["evaluator"] for line in stored_scores(store, "run").values()]
    assert infos == ["right", "also_right", "right#2"]


# Targets


class Answer(pydantic.BaseModel):
    a: int


@dataclasses.dataclass
class Reply:
    a: int


class Invokable:
    def invoke(self, inputs):
        return {"a": inputs["q"]}


async def slow_double(anything):
    await asyncio.sleep(0)
    return {"a": 2 * anything["q"]}


def yields(inputs):
    yield inputs["q"]
    yield 2


TARGETS = {
    "model": (lambda anything: Answer(a=anything["q"]), {"a": 1}),
    "dataclass": (lambda inputs: Reply(inputs["q"]), {"a": 1}),
    "text": (lambda inputs: "text", {"output": "text"}),
    "nothing": (lambda inputs: None, {"output": None}),
    "list": (lambda inputs: [1, 2], {"output": [1, 2]}),
    "metadata": (lambda inputs, metadata: {"m": metadata["kind"]}, {"m": "sum"}),
    "attachments": (lambda attachments, inputs: {"n": len(attachments)}, {"n": 0}),
    "partial": (functools.partial(lambda inputs, by: {"a": inputs["q"] * by}, by=3), {"a": 3}),
    "invoke": (Invokable(), {"a": 1}),
    "coroutine": (slow_double, {"a": 2}),
    "generator": (yields, {"output": [1, 2]}),
}


@pytest.mark.parametrize(("target", "outputs"), TARGETS.values(), ids=TARGETS)
def test_targets_may_be_of_any_shape_and_return_anything(store, target, outputs):
    data = [{"inputs": {"q": 1}, "metadata": {"kind": "sum"}}]
    results = evaluate(target, data, [lambda outputs: outputs == {}], store=store, name="run")
    assert results[0]["run"].outputs == outputs
    [line] = stored_rows(store, "run").values()
    assert json.loads(line["sample"]) == outputs
    assert json.loads(line["metadata"]) == {"kind": "sum"}


def test_what_a_target_does_to_its_inputs_is_not_seen_by_evaluators(store):
    def target(inputs):
        inputs["q"] = 99
        inputs["list"].append(1)
        return {"a": 1}

    seen = []

    def look(inputs, run):
        seen.append((inputs, run.inputs))
        return 1

    data = [{"inputs": {"q": 1, "list": []}}]
    results = evaluate(target, data, [look], store=store, name="run")
    assert seen == [({"q": 1, "list": []}, {"q": 1, "list": []})]
    assert results[0]["run"].inputs == {"q": 1, "list": []}
    assert json.loads(stored_rows(store, "run").popitem()[1]["item"]) == {"q": 1, "list": []}


def test_what_a_target_and_an_evaluator_report_lands_in_the_row(store):
    def target(inputs):
        report(prompt_tokens=10, cost=0.25, requests={"prompt": "p"})
        report(prompt_tokens=2, completion_tokens=5, cost=0.25)
        return {"a": 1}

    def judge(outputs):
        report(cost=9, requests=["asked"])
        return 1

    evaluate(target, DATA[:1], [judge], store=store, name="run")
    [row] = stored_rows(store, "run").values()
    assert (row["prompt_tokens"], row["completion_tokens"], row["total_tokens"], row["cost"]) == (12, 5, 17, 0.5)
    assert json.loads(row["requests"]) == [{"prompt": "p"}, {"evaluator": "judge", "cost": 9.0, "requests": ["asked"]}]
    report(cost=1)  # outside of a run nothing happens


def test_usage_metadata_in_the_outputs_is_understood(store):
    def target(inputs):
        usage = {"input_tokens": 7, "output_tokens": 3, "total_tokens": 10, "total_cost": 0.5}
        return {"a": 1, "usage_metadata": usage}

    evaluate(target, DATA[:1], [], store=store, name="run")
    [row] = stored_rows(store, "run").values()
    assert (row["prompt_tokens"], row["completion_tokens"], row["total_tokens"], row["cost"]) == (7, 3, 10, 0.5)


def test_outputs_that_cannot_be_stored_are_an_error_of_their_row(store):
    deep: list = []
    for _ in range(300):
        deep = [deep]
    results = evaluate(lambda inputs: {"a": deep if inputs["q"] == 1 else 1}, DATA[:2], [], store=store, name="run")
    assert "nested too deeply" in stored_rows(store, "run")["n1", 0]["error"]
    assert results[1]["run"].outputs is None


# Data


def as_examples(_folder):
    return [Example(id=f"n{number}", inputs={"q": number}, outputs={"a": 2 * number}) for number in range(6)]


class Duck:
    def __init__(self, number):
        self.id, self.inputs, self.outputs, self.metadata = f"n{number}", {"q": number}, {"a": 2 * number}, None


def as_csv(folder):
    path = folder / "data.csv"
    lines = ["id,inputs.q,outputs.a", *(f"n{number},{number},{2 * number}" for number in range(6))]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def as_jsonl(folder):
    path = folder / "data.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in DATA), encoding="utf-8")
    return str(path)


async def one_by_one():
    for row in DATA:
        yield row


SOURCES = {
    "examples": as_examples,
    "other objects": lambda _: [Duck(number) for number in range(6)],
    "a generator": lambda _: (row for row in DATA),
    "a tuple": lambda _: tuple(DATA),
    "polars": lambda _: pl.DataFrame(DATA),
    "arrow": lambda _: pl.DataFrame(DATA).to_arrow(),
    "pandas": lambda _: pl.DataFrame(DATA).to_pandas(),
    "csv": as_csv,
    "jsonl": as_jsonl,
    "asynchronous": lambda _: one_by_one(),
    "an iterator": lambda folder: iter(as_examples(folder)),
}


@pytest.mark.parametrize("given", SOURCES.values(), ids=SOURCES)
@pytest.mark.parametrize("concurrency", [0, 2])
def test_examples_may_come_from_anywhere(store, tmp_path, given, concurrency):
    results = evaluate(double, given(tmp_path), [right], store=store, name="run", max_concurrency=concurrency)
    assert len(results) == 6
    rows = stored_rows(store, "run")
    assert [(key, row["row_index"]) for (key, _), row in rows.items()] == [(f"n{n}", n) for n in range(6)]
    assert all(line["value"] == 1 for line in stored_scores(store, "run").values())


def test_a_dataset_of_the_store_is_known_by_its_name(store):
    kept = store.datasets.add("doubles", DATA)
    evaluate(double, "doubles", [right], store=store, name="by-name")
    evaluate(double, kept, [right], store=store, name="itself")
    for name in ("by-name", "itself"):
        assert store.show(name)["dataset"] == "default/doubles"
        assert store.show(name)["metadata"]["dataset_version"] == kept.version
        assert store.show(name)["rows_total"] == 6
    with pytest.raises(DatasetNotFound, match="did you mean doubles"):
        evaluate(double, "double", [right], store=store)


def test_examples_without_an_id_are_known_by_their_inputs(store):
    results = evaluate(
        double, [{"inputs": {"q": 1}}, {"inputs": {"q": 1}}, {"inputs": {"q": 2}}], [], store=store, name="run"
    )
    rows = stored_rows(store, "run")
    with store.job("by-hand") as job:
        job.log(item={"q": 1})
    [(key, _)] = stored_rows(store, "by-hand")
    assert list(rows)[:2] == [(key, 0), (key, 1)]
    assert results[0]["example"].id == UUID(hex=key)


@pytest.mark.parametrize("given", ["list", "generator"])
def test_repetitions_are_numbered(store, given):
    data = (row for row in DATA[:2]) if given == "generator" else DATA[:2]
    results = evaluate(double, data, [right], store=store, name="run", num_repetitions=3)
    assert len(results) == 6
    rows = stored_rows(store, "run")
    assert list(rows) == [("n0", 0), ("n0", 1), ("n0", 2), ("n1", 0), ("n1", 1), ("n1", 2)]
    assert [row["row_index"] for row in rows.values()] == [0, 0, 0, 1, 1, 1]
    assert len({row["run"].id for row in results}) == 6
    if given != "generator":
        assert [row["example"].id for row in results] == ["n0", "n1"] * 3


REFUSED = [
    ({"evaluators": [lambda inputs, foo: 1]}, InvalidEvaluator, "Supported arguments are"),
    ({"evaluators": [lambda foo, run: 1]}, InvalidEvaluator, "Supported arguments are"),
    ({"evaluators": right}, UsageError, r"write evaluators=\[...\]"),
    ({"summary_evaluators": [lambda: 1]}, InvalidEvaluator, "summary evaluator"),
    ({"data": []}, UsageError, "no examples"),
    ({"data": None}, UsageError, "data is missing"),
    ({"data": 5}, UsageError, "not int"),
    ({"data": {"inputs": {}}}, UsageError, "not dict"),
    ({"num_repetitions": 0}, UsageError, "from 1 up"),
    ({"max_concurrency": -1}, UsageError, "from 0 up"),
    ({"error_handling": "stop"}, UsageError, "'log' or 'ignore'"),
    ({"evaluatrs": [right]}, UsageError, "did you mean evaluators"),
    ({"resume": True}, UsageError, "give its name"),
    ({"name": "a", "experiment_prefix": "b"}, UsageError, "either a name or"),
    ({"timeout": 0}, UsageError, "seconds"),
]


@pytest.mark.parametrize(("options", "error", "message"), REFUSED, ids=range(len(REFUSED)))
def test_what_is_wrong_with_a_call_is_said_before_anything_runs(store, options, error, message):
    called: list = []
    with pytest.raises(error, match=message):
        evaluate(called.append, **{"data": DATA, "store": store, **options})
    assert not called
    assert not store.root.exists() or store.jobs().is_empty()
    assert not list((store.root / "staging").glob("default/*"))


# Order, concurrency, back-pressure


def test_without_concurrency_everything_runs_in_this_thread_row_after_row(store):
    steps = []

    def target(inputs):
        steps.append(("target", inputs["q"], threading.current_thread()))
        return double(inputs)

    def watch(inputs):
        steps.append(("evaluator", inputs["q"], threading.current_thread()))
        return 1

    evaluate(target, DATA[:3], [watch], store=store)
    assert [step[:2] for step in steps] == [(what, n) for n in range(3) for what in ("target", "evaluator")]
    assert {step[2] for step in steps} == {threading.current_thread()}


class Gauge:
    """How many calls there are at once."""

    def __init__(self):
        self.now = self.peak = 0
        self.lock = threading.Lock()

    def __enter__(self):
        with self.lock:
            self.now += 1
            self.peak = max(self.peak, self.now)

    def __exit__(self, *_):
        with self.lock:
            self.now -= 1


@pytest.mark.parametrize("is_async", [False, True])
def test_n_means_n_calls_at_once_of_targets_and_evaluators_together(store, is_async):
    gauge = Gauge()

    def target(inputs):
        with gauge:
            time.sleep(0.02)
        return double(inputs)

    async def atarget(inputs):
        with gauge:
            await asyncio.sleep(0.02)
        return double(inputs)

    def slow(outputs):
        with gauge:
            time.sleep(0.02)
        return 1

    evaluate(atarget if is_async else target, DATA * 2, [slow], store=store, max_concurrency=3)
    assert gauge.peak == 3


def test_rows_come_as_they_are_completed_and_keep_their_place_in_the_dataset(store):
    def target(inputs):
        time.sleep(0.3 if inputs["q"] == 0 else 0.01)
        return double(inputs)

    results = evaluate(target, DATA, [right], store=store, name="run", max_concurrency=2)
    order = [row["run"].inputs["q"] for row in results]
    assert order[-1] == 0
    assert [row["run"].inputs["q"] for row in results] == order
    assert [row["row_index"] for row in stored_rows(store, "run").values()] == list(range(6))


@pytest.mark.parametrize("concurrency", [0, 3])
@pytest.mark.parametrize("is_async", [False, True])
def test_a_generator_is_never_read_ahead(store, concurrency, is_async):
    begun: list = []
    read: list = []
    worst: list = []

    def source():
        for row in DATA * 4:
            read.append(row)
            worst.append(len(read) - len(begun))
            yield {"inputs": row["inputs"]}

    def target(inputs):
        begun.append(inputs)
        time.sleep(0.002)
        return double(inputs)

    async def atarget(inputs):
        begun.append(inputs)
        await asyncio.sleep(0.002)
        return double(inputs)

    results = evaluate(atarget if is_async else target, source(), [], store=store, max_concurrency=concurrency)
    assert len(results) == 24
    assert max(worst) <= max(concurrency, 1)


def test_streaming_shows_each_row_when_it_is_there_and_durable(store):
    go = [threading.Event() for _ in range(3)]

    def target(inputs):
        go[inputs["q"]].wait(20)
        return double(inputs)

    results = evaluate(target, DATA[:3], [right], store=store, name="run", blocking=False)
    rows = iter(results)
    for number in range(3):
        assert len(results) == number
        go[number].set()
        assert next(rows)["run"].inputs == {"q": number}
        journal = store.root / "staging" / "default" / "run" / "journal.jsonl"
        if number < 2:
            assert journal.read_bytes().count(b"\n") == number + 1
    assert next(rows, None) is None
    assert store.show("run")["status"] == "completed"


# What stops a run


def broken_source():
    yield from DATA[:3]
    raise ConnectionError("the data is gone")


@pytest.mark.parametrize("concurrency", [0, 2])
@pytest.mark.parametrize("target", [double, slow_double])
def test_a_broken_source_is_raised_and_the_rows_so_far_are_stored(store, concurrency, target):
    with pytest.raises(ConnectionError, match="the data is gone") as caught:
        evaluate(target, broken_source(), [right], store=store, name="run", max_concurrency=concurrency)
    assert "'run' has 3 rows so far, stored as error" in caught.value.__notes__[0]
    shown = store.show("run")
    assert (shown["status"], shown["rows_total"], shown["error"]["type"]) == ("error", 3, "ConnectionError")


@pytest.mark.parametrize("concurrency", [0, 2])
def test_a_stream_raises_at_its_end_each_time(store, concurrency):
    results = evaluate(double, broken_source(), [right], store=store, name="run", blocking=False,
                       max_concurrency=concurrency)  # fmt: skip
    for _ in range(2):
        seen: list = []
        with pytest.raises(ConnectionError):
            seen.extend(results)
        assert len(seen) == 3
    with pytest.raises(ConnectionError):
        results.wait()
    assert store.show("run")["rows_total"] == len(results) == 3


@pytest.mark.parametrize("where", ["target", "evaluator"])
@pytest.mark.parametrize("concurrency", [0, 2])
def test_sys_exit_in_user_code_interrupts_the_run(store, where, concurrency):
    def exits(given):
        if (given["q"] if "q" in given else given["a"] / 2) == 2:
            raise SystemExit(7)
        return {"a": 2 * given["q"]} if "q" in given else 1

    def evaluator(outputs):
        return exits(outputs)

    target = exits if where == "target" else double
    with pytest.raises(SystemExit):
        evaluate(target, DATA, [evaluator], store=store, name="run", max_concurrency=concurrency)
    assert store.show("run")["status"] == "interrupted"
    lines = stored_rows(store, "run")
    assert {("n0", 0), ("n1", 0)} <= set(lines)
    if where == "evaluator":
        line = stored_scores(store, "run")["evaluator", "n2", 0, 0]
        assert (line["status"], line["value"]) == ("unscored", None)
        assert "before this evaluator" in line["comment"]


def test_a_slow_call_is_given_up_after_the_timeout_and_a_failed_one_made_again(store):
    calls = []

    def target(inputs):
        calls.append(inputs["q"])
        if inputs["q"] == 0:
            time.sleep(5)
        if inputs["q"] == 1 and calls.count(1) < 3:
            raise ConnectionError("try again")
        return double(inputs)

    async def judge(outputs):
        await asyncio.sleep(5 if outputs["a"] == 4 else 0)
        return 1

    began = time.monotonic()
    evaluate(target, DATA[:3], [judge], store=store, name="run", timeout=0.2, retries=2)
    assert time.monotonic() - began < 4
    rows = stored_rows(store, "run")
    assert rows["n0", 0]["error"] == "TimeoutError: took longer than 0.2 s"
    assert (rows["n1", 0]["error"], calls.count(1)) == (None, 3)
    assert stored_scores(store, "run")["judge", "n2", 0, 0]["error"] == "TimeoutError: took longer than 0.2 s"


# Summary evaluators


def test_summary_evaluators_see_all_rows_in_the_order_of_the_dataset(store):
    def target(inputs):
        time.sleep(0.05 if inputs["q"] == 0 else 0)
        return double(inputs)

    def mean(outputs, reference_outputs):
        assert [one["a"] for one in outputs] == [one["a"] for one in reference_outputs] == [0, 2, 4, 6, 8, 10]
        return sum(one["a"] for one in outputs) / len(outputs)

    def many(runs, examples):
        return [{"key": "rows", "score": len(runs)}, {"key": "named", "score": sum(one.id == "n1" for one in examples)}]

    async def later(runs, examples):
        return {"score": 0.5, "comment": "c"}

    def broken(runs, examples):
        raise ValueError("no rows like that")

    results = evaluate(target, DATA, [], [mean, many, later, broken, lambda runs, examples: object()], store=store,
                       name="run", max_concurrency=3)  # fmt: skip
    found = {one.key: one.score for one in results.summary}
    assert found == {"mean": 5.0, "rows": 6, "named": 1, "later": 0.5, "broken": None, "<lambda>": None}
    assert results._summary_results["results"] == results.summary
    lines = {line["metric"]: line for line in store.sql("FROM job_scores").to_dicts()}
    assert (lines["mean"]["value"], lines["later"]["comment"]) == (5.0, "c")
    assert (lines["broken"]["status"], lines["broken"]["error"]) == ("error", "ValueError: no rows like that")
    assert lines["<lambda>"]["status"] == "error"
    assert store.show("run")["status"] == "completed"


# FeedbackConfig


def test_a_feedback_config_declares_the_metric(store):
    config = {"type": "categorical", "categories": [{"value": 1, "label": "Poor"}, {"value": 5, "label": "Excellent"}]}

    def rating(outputs):
        return {"score": 5 if outputs["a"] else 1, "feedback_config": config}

    def quality(outputs):
        return {"score": 0.5, "feedback_config": {"type": "continuous", "min": 0, "max": 1}}

    def odd(outputs):
        return {"score": 1, "feedback_config": {"type": "nope", "min": "x"}}

    results = evaluate(double, DATA[:3], [rating, quality, odd], store=store, name="run")
    declared = {one["metric"]: one for one in store.show("run")["metrics"]}
    assert declared["rating"]["rubric"] == [
        {"label": "Poor", "value": 1.0, "description": None},
        {"label": "Excellent", "value": 5.0, "description": None},
    ]
    assert (declared["quality"]["minimum"], declared["quality"]["maximum"]) == (0, 1)
    assert "odd" not in declared
    [rated] = [one.to_dict() for one in results.aggregate_scores.scores if one.metric == "rating"]
    assert [(step["label"], step["count"]) for step in rated["rubric_distribution"]] == [
        ("Poor", 1), ("Excellent", 2)
    ]  # fmt: skip
    assert json.loads(stored_scores(store, "run")["odd", "n0", 0, 0]["feedback_config"])["type"] == "nope"


# Frames


def test_frames_have_the_columns_of_the_original(store):
    results = evaluate(double, DATA[:2], [right, size], store=store)
    columns = ["inputs.q", "outputs.a", "error", "reference.a", "feedback.right", "feedback.size", "execution_time",
               "example_id", "id"]  # fmt: skip
    frame = results.to_polars()
    assert frame.columns == columns
    assert frame["feedback.right"].to_list() == [True, True]
    assert frame["feedback.size"].to_list() == [0, 2]
    pandas = results.to_pandas(start=1)
    assert list(pandas.columns) == columns
    assert (len(pandas), pandas["example_id"].iloc[0]) == (1, "n1")
    assert "<table" in results._repr_html_()
    assert "2 rows, completed" in repr(results)


def test_a_column_of_mixed_values_is_text_in_polars(store):
    results = evaluate(lambda inputs: {"a": "x" if inputs["q"] else 1}, DATA[:2], [], store=store)
    assert results.to_polars()["outputs.a"].to_list() == ["1", "x"]


# Where it runs


def test_it_works_inside_a_running_event_loop(store):
    async def cell():
        return evaluate(slow_double, DATA[:2], [right, later], store=store)

    async def later(outputs):
        await asyncio.sleep(0)
        return 1

    async def cell_of_plain_code():
        return evaluate(double, DATA[:2], [right, later], store=store)

    for one in (cell, cell_of_plain_code):
        results = asyncio.run(one())
        assert [[r.score for r in row["evaluation_results"]["results"]] for row in results] == [[True, 1]] * 2


def test_without_a_store_it_is_the_one_of_the_environment_and_that_is_said_once(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("EVALSTORE", str(tmp_path / "mine"))
    for _ in range(2):
        evaluate(double, DATA[:1], [right])
    assert evalstore.open(tmp_path / "mine").jobs().height == 2
    said = capsys.readouterr().err.splitlines()
    assert said == [f"evalstore: results are stored in {tmp_path / 'mine'} (store=, $EVALSTORE)"]


def test_duck_typed_examples_are_handed_on_as_they_are(store):
    example, seen = Duck(1), []

    def look(run, example):
        seen.append(example)
        return 1

    results = evaluate(double, [example], [look], store=store)
    assert seen == [example]
    assert [id(row["example"]) for row in results] == [id(example)]


def test_ids_that_are_uuids_are_the_keys_of_rows(store):
    key = uuid4()
    evaluate(double, [Example(id=key, inputs={"q": 1})], [], store=store, name="run")
    assert list(stored_rows(store, "run")) == [(str(key), 0)]
