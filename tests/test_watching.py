"""Looking at a job that another process writes: how far it is, the means so far, and how it ended."""

import json

import pytest

from evalstore.errors import JobNotFound
from tests.processes import Process

RUNS = """
from evalstore.evaluation import evaluate

def target(inputs):
    say("row", inputs["q"])
    wait()
    if inputs["q"] == 1:
        raise ValueError("boom")
    return {"a": inputs["q"]}

def half(outputs):
    return outputs["a"] / 2

def broken(outputs):
    return {"key": "broken", "score": 1 / outputs["a"]}

data = [{"inputs": {"q": q}} for q in range(4)]
evaluate(target, data, [half, broken], store=root, name="run", **json.loads(sys.argv[2]))
"""


def test_a_running_job_is_seen_from_outside_row_by_row(store):
    with Process(RUNS, store.root, "{}") as process:
        process.wait_for("row 0")
        looks = store.watch("run", every=0.01)
        seen = [next(looks)]
        for number in range(4):
            process.go()
            if number < 3:
                process.wait_for(f"row {number + 1}")
                seen.append(next(looks))
        process.end()
        last = list(looks)[-1]
    assert [one.status for one in seen] == ["active"] * 4
    assert [(one.rows, one.rows_failed) for one in seen] == [(0, 0), (1, 0), (2, 1), (3, 1)]
    assert {one.rows_total for one in seen} == {4}
    assert [one.means.get("half") for one in seen] == [None, 0, 0, 0.5]
    assert seen[3].evaluator_errors == {"half": 1, "broken": 2}
    assert seen[3].means["broken"] == 0.5
    assert seen[3].rate > 0
    assert seen[3].seconds_left > 0
    assert (last.status, last.rows, last.rows_failed) == ("completed", 4, 1)
    assert last.means == {"broken": pytest.approx(5 / 12), "half": pytest.approx(5 / 6)}


def test_a_dead_job_is_interrupted_and_one_that_goes_on_counts_each_row_once(store):
    with Process(RUNS, store.root, "{}") as process:
        for number in range(3):
            process.wait_for(f"row {number}")
            process.go()
        process.wait_for("row 3")
        process.kill()
    [look] = store.watch("run")
    assert (look.status, look.rows, look.rows_failed) == ("interrupted", 3, 1)
    with Process(RUNS, store.root, json.dumps({"resume": True})) as process:
        process.wait_for("row 1")
        looks = store.watch("run", every=0.01)
        first = next(looks)
        process.go()
        process.wait_for("row 3")
        second = next(looks)
        process.kill()
    assert (first.status, first.rows, first.rows_failed) == ("active", 3, 1)
    assert (second.rows, second.rows_failed, second.means["half"]) == (3, 1, 0.5)


def test_any_job_can_be_watched(store):
    with store.job("by-hand") as job:
        job.log(item=1, scores={"right": True, "grade": "good"})
        looks = store.watch("by-hand", every=0.01)
        look = next(looks)
        assert (look.status, look.rows, look.rows_total, look.means) == ("active", 1, None, {"right": 1, "grade": None})
        job.log(item=2, scores={"right": False})
        assert next(looks).means["right"] == 0.5
    assert [one.status for one in looks] == ["completed"]


def test_an_unknown_job_is_named(store):
    with store.job("known") as job:
        job.log(item=1)
    with pytest.raises(JobNotFound, match="known"):
        list(store.watch("unknown"))


def test_the_command_shows_it_and_ends_with_the_job(store):
    watches = """
    command = [sys.executable, "-m", "evalstore", "--store", root, "watch", "run", "--every", "0.05"]
    os.execvp(command[0], command)
    """
    with Process(RUNS, store.root, "{}") as process:
        process.wait_for("row 0")
        with Process(watches, store.root) as watching:
            assert watching.wait_for("run").startswith("run  active  0/4 rows")
            for _ in range(4):
                process.go()
            process.end()
            lines = watching.end()
    assert lines[-1].startswith("run  completed  4 rows  1 failed  3 evaluator errors")
    assert "half 0.8333" in lines[-1]
