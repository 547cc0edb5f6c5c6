"""Experiments that break off, in real processes, and go on: what was paid for is there, and only the rest is paid."""

import json
import os
import signal

import pytest

import evalstore
from evalstore.errors import UsageError
from evalstore.evaluation import aevaluate, evaluate
from tests.processes import Process

DATA = [{"inputs": {"q": number}, "outputs": {"a": 2 * number}, "id": f"n{number}"} for number in range(4)]

RUN = """
import asyncio, threading
from evalstore.evaluation import aevaluate, evaluate
DATA = [{"inputs": {"q": number}, "outputs": {"a": 2 * number}, "id": f"n{number}"} for number in range(4)]
stuck = threading.Event()

def double(inputs):
    return {"a": 2 * inputs["q"]}

def right(outputs, reference_outputs):
    return outputs == reference_outputs

def judge(outputs):
    if outputs["a"] == 4:
        say("judging")
        stuck.wait(60)
    return {"score": 0.5, "comment": "fine"}

async def ajudge(outputs):
    if outputs["a"] == 4:
        say("judging")
        await asyncio.sleep(60)
    return {"key": "judge", "score": 0.5, "comment": "fine"}

ajudge.__name__ = "judge"  # what tells whether it has scored

async def adouble(inputs):
    return {"a": 2 * inputs["q"]}

def mean(outputs):
    return sum(one["a"] for one in outputs) / len(outputs)
"""


class Counted:
    """The same functions, which count their calls."""

    def __init__(self):
        self.calls = []

    def target(self, inputs):
        self.calls.append(("target", inputs["q"]))
        return {"a": 2 * inputs["q"]}

    def evaluators(self):
        def right(outputs, reference_outputs):
            self.calls.append(("right", outputs["a"] // 2))
            return outputs == reference_outputs

        def judge(outputs):
            self.calls.append(("judge", outputs["a"] // 2))
            return {"score": 0.5, "comment": "fine"}

        return [right, judge]


def go_on(store, counted, **options):
    return evaluate(counted.target, DATA, counted.evaluators(), store=store, name="run", resume=True, **options)


def killed_in_the_judge(store, call="evaluate(double, DATA, [right, judge], store=root, name='run')"):
    with Process(f"{RUN}\n{call}", store.root) as process:
        process.wait_for("judging")
        process.kill()


def assert_complete(store):
    assert store.show("run")["status"] == "completed"
    rows = store.sql("SELECT row_key, row_index, repetition, sample FROM rows ORDER BY row_index").rows()
    assert rows == [(f"n{n}", n, 0, json.dumps({"a": 2 * n}, separators=(",", ":"))) for n in range(4)]
    scores = store.sql("SELECT metric, row_key, status, value, comment FROM row_scores ORDER BY ALL").rows()
    assert scores == [("judge", f"n{n}", "scored", 0.5, "fine") for n in range(4)] + [
        ("right", f"n{n}", "scored", 1.0, None) for n in range(4)
    ]


@pytest.mark.parametrize(
    "call",
    [
        "evaluate(double, DATA, [right, judge], store=root, name='run')",
        "evaluate(double, DATA, [right, judge], store=root, name='run', blocking=False).wait()",
        "asyncio.run(aevaluate(adouble, DATA, [right, ajudge], store=root, name='run'))",
    ],
    ids=["sync", "streaming", "async"],
)
def test_after_sigkill_in_a_slow_judge_only_what_is_missing_is_paid_for(store, call):
    killed_in_the_judge(store, call)
    counted = Counted()
    results = go_on(store, counted)
    assert counted.calls == [("judge", 2), ("target", 3), ("right", 3), ("judge", 3)]
    assert len(results) == 4
    assert [row["run"].outputs for row in results] == [{"a": 2 * n} for n in range(4)]
    assert [[one.key for one in row["evaluation_results"]["results"]] for row in results] == [["right", "judge"]] * 4
    assert_complete(store)


def test_a_killed_experiment_can_be_finished_with_all_its_parts_and_then_go_on(store):
    killed_in_the_judge(store)
    store.finish("run")
    assert store.show("run")["status"] == "interrupted"
    lines = store.sql("SELECT metric, row_key, status, value, comment FROM row_scores WHERE row_key = 'n2'").rows()
    assert sorted(lines) == [
        ("judge", "n2", "unscored", None, "the run ended before this evaluator did"),
        ("right", "n2", "scored", 1.0, None),
    ]
    [judge] = store.aggregate_scores("run", metric="judge").scores
    assert (judge.mean, judge.rows_scored, judge.rows_unscored, judge.rows_total) == (0.5, 2, 1, 3)
    counted = Counted()
    go_on(store, counted)
    assert counted.calls == [("judge", 2), ("target", 3), ("right", 3), ("judge", 3)]
    assert_complete(store)


def test_an_experiment_may_be_killed_while_it_goes_on(store):
    killed_in_the_judge(store)
    killed_in_the_judge(store, "evaluate(double, DATA, [right, judge], store=root, name='run', resume=True)")
    killed_in_the_judge(store, "evaluate(double, iter(DATA), [right, judge], store=root, name='run', resume=True)")
    counted = Counted()
    go_on(store, counted)
    assert [call for call in counted.calls if call[1] == 2] == [("judge", 2)]
    assert [(what, n) for what, n in counted.calls if what == "target" and n < 3] == []
    assert_complete(store)


def test_a_complete_experiment_stays_as_it_is(store):
    summed = []

    def count(outputs):
        summed.append(outputs)
        return len(outputs)

    go_on(store, Counted(), summary_evaluators=[count])
    before = store.show("run")
    counted = Counted()
    results = go_on(store, counted, summary_evaluators=[count])
    assert (counted.calls, len(summed), len(list(results))) == ([], 1, 4)
    assert [one.score for one in results.summary] == [4]
    assert store.show("run") == before


def test_failed_rows_and_failed_scores_get_another_chance_and_new_evaluators_their_turn(store):
    down = {"target": True, "judge": True}

    def target(inputs):
        if down["target"] and inputs["q"] == 1:
            raise ConnectionError("down")
        return {"a": 2 * inputs["q"]}

    def judge(outputs):
        if down["judge"] and outputs["a"] == 4:
            raise ConnectionError("down")
        return {"score": 0.5, "comment": "fine"}

    evaluate(target, DATA, [judge], store=store, name="run")
    assert {line[:2] for line in store.sql("SELECT row_key, status FROM row_scores").rows()} == {
        ("n0", "scored"), ("n1", "error"), ("n2", "error"), ("n3", "scored")
    }  # fmt: skip
    down.clear()
    down |= {"target": False, "judge": False}
    counted = Counted()
    results = go_on(store, counted)
    assert counted.calls == [
        ("right", 0),
        ("target", 1), ("right", 1), ("judge", 1),
        ("right", 2), ("judge", 2),
        ("right", 3),
    ]  # fmt: skip
    assert len(results) == 4
    assert_complete(store)


def test_an_example_with_other_content_under_its_old_id_is_run_anew(store):
    go_on(store, Counted())
    counted = Counted()
    changed = [*DATA[:3], {"inputs": {"q": 30}, "outputs": {"a": 60}, "id": "n3"}]
    evaluate(counted.target, changed, counted.evaluators(), store=store, name="run", resume=True)
    assert counted.calls == [("target", 30), ("right", 30), ("judge", 30)]
    assert store.sql("SELECT item FROM rows ORDER BY row_index").to_series().to_list()[3] == '{"q":30}'
    assert store.show("run")["rows_total"] == 4


def test_more_repetitions_and_more_examples_can_come_to_an_experiment(store):
    go_on(store, Counted())
    counted = Counted()
    go_on(store, counted, num_repetitions=2)
    assert [n for what, n in counted.calls if what == "target"] == [0, 1, 2, 3]
    assert store.sql("SELECT row_key, repetition FROM rows ORDER BY ALL").rows() == [
        (f"n{n}", repetition) for n in range(4) for repetition in range(2)
    ]


def test_equal_examples_are_each_claimed_once(store):
    data = [{"inputs": {"q": 1}}, {"inputs": {"q": 1}}, {"inputs": {"q": 1}, "outputs": {"a": 5}}]
    counted = Counted()
    evaluate(counted.target, data[:2], [], store=store, name="run")
    evaluate(counted.target, data, [], store=store, name="run", resume=True)
    assert len(counted.calls) == 3
    evaluate(counted.target, list(reversed(data)), [], store=store, name="run", resume=True)
    assert len(counted.calls) == 3
    assert sorted(store.sql("SELECT repetition, reference FROM rows").rows()) == [(0, None), (1, None), (2, '{"a":5}')]


def test_another_model_under_a_resumed_name_is_refused(store):
    go_on(store, Counted(), model="one")
    with pytest.raises(UsageError, match="cannot be resumed"):
        go_on(store, Counted(), model="other")


# Ctrl-C and SIGTERM


WAYS = {
    "in this thread": "evaluate(double, DATA, [right, judge], [mean], store=root, name='run')",
    "in threads": "evaluate(double, DATA, [right, judge], [mean], store=root, name='run', max_concurrency=2)",
    "an async target": "evaluate(adouble, DATA, [right, ajudge], [mean], store=root, name='run')",
    "in a loop": "asyncio.run(aevaluate(adouble, DATA, [right, ajudge], [mean], store=root, name='run'))",
    "sync code in a loop": "asyncio.run(aevaluate(double, DATA, [right, judge], [mean], store=root, name='run'))",
    "iterating": "list(evaluate(double, DATA, [right, judge], [mean], store=root, name='run', blocking=False))",
    "waiting": "evaluate(double, DATA, [right, judge], [mean], store=root, name='run', blocking=False).wait()",
    "elsewhere": (
        "results = evaluate(double, DATA, [right, judge], [mean], store=root, name='run', blocking=False)\n"
        "time.sleep(60)"
    ),
}


@pytest.mark.parametrize("call", WAYS.values(), ids=WAYS)
def test_ctrl_c_commits_the_rows_so_far_and_is_raised(store, call):
    with Process(f"{RUN}\n{call}\nsay('went on')", store.root) as process:
        process.wait_for("judging")
        process.signal(signal.SIGINT)
        assert process.wait() in (130, 1)  # Python forgets why it ends where a thread outlives the main one
        assert process.end(process.wait()) == []
        errors = process.errors()
    assert "KeyboardInterrupt" in errors
    assert store.show("run")["status"] == "interrupted"
    rows = store.sql("SELECT row_key FROM rows ORDER BY row_index").to_series().to_list()
    assert rows[:3] == ["n0", "n1", "n2"]
    lines = {tuple(line) for line in store.sql("SELECT metric, row_key, status FROM row_scores").rows()}
    assert {("right", "n2", "scored"), ("judge", "n2", "unscored"), ("judge", "n1", "scored")} <= lines
    counted = Counted()
    go_on(store, counted)
    assert ("target", 2) not in counted.calls
    assert ("judge", 2) in counted.calls
    assert_complete(store)


@pytest.mark.parametrize("call", [WAYS["in this thread"], WAYS["in threads"]], ids=["in this thread", "in threads"])
def test_sigterm_does_the_same(store, call):
    with Process(f"{RUN}\n{call}\nsay('went on')", store.root) as process:
        process.wait_for("judging")
        process.signal(signal.SIGTERM)
        assert process.end(exit_code=143) == []
    assert store.show("run")["status"] == "interrupted"


def test_a_program_that_ends_while_rows_come_waits_for_them(store):
    code = f"{RUN}\nstuck.set()\nevaluate(double, DATA, [right, judge], store=root, name='run', blocking=False)"
    with Process(code, store.root) as process:
        process.end()
    assert_complete(store)


def test_no_row_that_was_streamed_is_lost(store):
    code = """
results = evaluate(double, iter(DATA), [right, judge], store=root, name="run", blocking=False)
for row in results:
    say("row", row["run"].inputs["q"])
"""
    with Process(RUN + code, store.root) as process:
        process.wait_for("row 1")
        process.kill()
    store.finish("run")
    assert store.sql("SELECT row_key FROM rows ORDER BY row_index").to_series().to_list()[:2] == ["n0", "n1"]


def test_the_disk_may_be_full(store, monkeypatch):
    write, budget = os.write, [3000]

    def small_disk(descriptor, data):
        budget[0] -= len(data)
        if budget[0] < 0:
            return write(descriptor, data[: len(data) // 2])
        return write(descriptor, data)

    data = [{"inputs": {"q": n}, "id": str(n)} for n in range(50)]
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", small_disk)
        with pytest.raises(OSError, match=r"[Nn]o space left"):
            evaluate(lambda inputs: {"a": 1}, data, [lambda outputs: 1, lambda run: 2], store=store, name="run")
    assert evalstore.open(store.root).sql("SELECT count(*) FROM interrupted_jobs").item() <= 1


async def _never_called(inputs):
    raise AssertionError(inputs)


def test_an_asynchronous_experiment_goes_on_too(store):
    import asyncio

    killed_in_the_judge(store)
    calls = []

    async def target(inputs):
        calls.append(inputs["q"])
        return {"a": 2 * inputs["q"]}

    evaluators = Counted().evaluators()
    asyncio.run(aevaluate(target, DATA, evaluators, store=store, name="run", resume=True, max_concurrency=4))
    assert calls == [3]
    assert_complete(store)
    asyncio.run(aevaluate(_never_called, DATA, evaluators, store=store, name="run", resume=True))
