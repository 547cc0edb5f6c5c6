"""Overwriting and resuming: the old job is there until the new one is, and what was logged stays what it was."""

import math
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta, timezone
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import evalstore
from evalstore import queries
from evalstore.errors import JobBusy, JobExists, JobNotFound, UsageError
from tests.crashes import deaths, deaths_at
from tests.processes import Process, run
from tests.whole_jobs import WHOLE, assert_all_whole, assert_clean, deleted, record


def names(store):
    return sorted(store.jobs(workspace="-")["name"])


def values(store, name="a"):
    return store.sql("SELECT value FROM row_scores WHERE job = $job ORDER BY row_index, repetition", job=name)[
        "value"
    ].to_list()


def die_in(root, code):
    """Runs a snippet that logs into `job` and is killed."""
    run(f"store = evalstore.open(root)\n{code}\nos.kill(os.getpid(), 9)", root, exit_code=137)


# Overwriting


def test_an_overwritten_job_is_there_until_the_new_one_is_and_lies_in_the_trash_then(store):
    old = record(store, "a", 4, base=10)
    record(store, "b")
    with store.job("a", overwrite=True, model="m", dataset="d") as job:
        job.log(item=1, scores={"right": 7}, row_key="x")
        assert values(store) == [10, 11, 10, 11]
        assert store.trash().is_empty()
        assert store.sql("FROM interrupted_jobs").is_empty()
    assert values(store) == [7]
    assert store.show("a")["job_id"] == job.job_id != old
    told = store.trash().select("job", "job_id", "reason").rows()
    assert told == [("a", old, f"replaced by {job.job_id}")]
    assert_all_whole(store, ["a", "b"])
    assert_clean(store)
    with pytest.raises(JobExists, match="used again"):
        store.restore("a")
    store.delete("a")
    assert store.restore(old) == "default/a"
    assert values(store) == [10, 11, 10, 11]
    assert_all_whole(store, ["a", "b"])
    assert_clean(store)


def test_overwriting_what_is_not_there_is_a_new_job_and_both_ways_at_once_are_refused(store):
    with store.job("a", overwrite=True) as job:
        job.log(item=1, scores={"right": 1})
    assert values(store) == [1]
    assert store.trash().is_empty()
    with pytest.raises(UsageError, match="choose one"):
        store.job("a", overwrite=True, resume=True)
    assert_clean(store)


def test_a_frame_overwrites_a_job_and_a_broken_one_leaves_the_old(store):
    rows = [{"q": i, "right": float(i)} for i in range(3)]
    store.record("a", rows, scores=["right"])
    with pytest.raises(JobExists):
        store.record("a", rows[:2], scores=["right"])
    store.record("a", [{"q": 1, "right": 9.0}], scores=["right"], overwrite=True)
    assert values(store) == [9]
    for broken, scores in (([{"q": 1, "right": 1}], ["wrong"]), ([{"q": 1, "right": object()}], ["right"])):
        with pytest.raises(UsageError):
            store.record("a", broken, scores=scores, overwrite=True)
        assert values(store) == [9]
        assert not (store.root / "staging/default/a").exists()
    assert_clean(store)


def test_an_overwriting_job_that_ends_in_an_exception_is_the_job_and_an_abandoned_one_is_not(store):
    old = record(store, "a")
    job = store.job("a", overwrite=True)
    job.log(item=1)
    job.abandon()
    assert store.show("a")["job_id"] == old
    with pytest.raises(ZeroDivisionError), store.job("a", overwrite=True) as job:
        raise ZeroDivisionError
    assert store.show("a")["status"] == "error"
    assert deleted(store) == {old}
    assert_clean(store)


def test_an_interrupted_overwriting_is_finished_and_the_old_job_stays_until_then(store):
    old = record(store, "a")
    die_in(store.root, "job = store.job('a', overwrite=True)\njob.log(item=1, scores={'right': 5})")
    assert store.show("a")["job_id"] == old
    assert store.sql("SELECT job, rows_logged FROM interrupted_jobs").rows() == [("a", 1)]
    assert_clean(store)
    with pytest.raises(JobExists, match="interrupted"):
        store.job("a")
    assert store.finish("a") == 1
    assert values(store) == [5]
    assert store.show("a")["status"] == "interrupted"
    assert deleted(store) == {old}
    assert store.sql("FROM interrupted_jobs").is_empty()
    assert_all_whole(store, ["a"])
    assert_clean(store)


def test_an_interrupted_job_that_is_overwritten_goes_into_the_trash_with_its_rows(store):
    die_in(store.root, "job = store.job('a')\njob.log(item=1, scores={'right': 5})")
    with store.job("a", overwrite=True) as job:
        job.log(item=1, scores={"right": 6})
    assert values(store) == [6]
    [interrupted] = deleted(store)
    store.delete("a")
    store.restore(interrupted)
    assert values(store) == [5]
    assert_clean(store)


@pytest.mark.parametrize("grace", [10.0, 0.0])
def test_a_job_may_be_deleted_and_buried_while_another_is_written_in_its_place(store, monkeypatch, grace):
    for module in (evalstore.trash, evalstore.catalog):
        monkeypatch.setattr(module, "GRACE", grace)
    old = record(store, "a")
    job = store.job("a", overwrite=True)
    job.log(item=1, scores={"right": 5})
    store.delete("a")
    record(store, "b")  # a publication
    assert names(store) == ["b"]
    with pytest.raises(JobBusy):
        store.restore("a")
    job.finish()
    assert values(store) == [5]
    assert deleted(store) == {old}
    assert_all_whole(store, ["a", "b"])
    assert_clean(store)


OVERWRITES = """
store, me, done = evalstore.open(root), float(sys.argv[2]), 0
say("ready")
wait()
until = time.monotonic() + float(sys.argv[3])
while time.monotonic() < until:
    try:
        job = store.job("a", overwrite=True, model="m", dataset="d")
    except (JobBusy, JobExists):
        continue
    for i in range(4):
        job.log(item={"q": i}, scores={"right": me}, row_key=i)
    job.finish()
    done += 1
    assert store.show("a")["rows_total"] == 4
say("done", done)
"""

READS = f"""
store, looks = evalstore.open(root), 0
say("ready")
wait()
until = time.monotonic() + float(sys.argv[2])
while time.monotonic() < until:
    assert store.sql(\"\"\"{WHOLE}\"\"\").rows() == [(1, 4, [])]
    seen = set(store.sql("SELECT value FROM row_scores WHERE job = 'a'")["value"])
    assert sorted(seen) in ([0, 1], [5], [6]), seen
    looks += 1
say("looks", looks)
"""

SECONDS = [
    pytest.param(1.5, id="short"),
    pytest.param(40, id="long", marks=[pytest.mark.slow, pytest.mark.timeout(600)]),
]


@pytest.mark.parametrize("seconds", SECONDS)
def test_two_processes_that_overwrite_one_job_again_and_again_disturb_no_reader(store, seconds):
    record(store, "a", 4)
    with ExitStack() as stack:
        writers = [stack.enter_context(Process(OVERWRITES, store.root, n, seconds)) for n in (5, 6)]
        reader = stack.enter_context(Process(READS, store.root, seconds))
        for process in (*writers, reader):
            process.wait_for("ready")
        for process in (*writers, reader):
            process.go()
        done = [int(writer.end()[-1].split()[1]) for writer in writers]
        looks = int(reader.end()[-1].split()[1])
    print(f"{sum(done)} replacements in {seconds} s beside {looks} rounds of questions")
    assert sum(done) > 0 < looks
    assert len(deleted(store)) == sum(done)
    assert_all_whole(store, ["a"])
    assert_clean(store)


@pytest.mark.parametrize("ask", ["row_scores", "aggregate_scores", "sliced"])
def test_a_job_that_is_replaced_while_it_is_asked_for_answers_whole(store, monkeypatch, ask):
    record(store, "a", 4)
    question = {"row_scores": "select_rows", "aggregate_scores": "aggregate_scores", "sliced": "sliced_scores"}[ask]
    real = getattr(queries, question)

    def asked_late(*given, **named):
        if len(store.trash()) == 0:
            record(evalstore.open(store.root), "a", 4, overwrite=True)
        return real(*given, **named)

    monkeypatch.setattr(queries, question, asked_late)
    if ask == "row_scores":
        assert len(store.row_scores("a")) == 4
    else:
        [score] = store.aggregate_scores("a", by="suite" if ask == "sliced" else None).scores
        assert score.rows_total == 4


# Deaths

STEPS = ["before-marker", "before-rename", "after-exchange", "after-rename", "before-publish", "after-publish"]


def assert_one_of_both(store, old, how):
    """Exactly one of the old and the new job is there, whole; what is not there can be had back or finished."""
    assert names(store) == ["a", "b"]
    is_old = store.show("a")["job_id"] == old
    new = [51, 50, 51] if how == "overwrite" else [0, 1, 0, 51, 50, 51]
    assert values(store) == ([0, 1, 0] if is_old else new)
    assert_all_whole(store, ["a", "b"])
    if is_old:
        assert store.trash().is_empty()
        assert store.sql("SELECT job, rows_logged FROM interrupted_jobs").rows() == [("a", len(new))]
        assert store.finish("a") == len(new)
        assert values(store) == new
    assert store.sql("FROM interrupted_jobs").is_empty()
    assert deleted(store) == {old}
    assert_clean(store)
    store.delete("a")
    store.restore(old)
    assert values(store) == [0, 1, 0]
    assert_all_whole(store, ["a", "b"])
    return is_old


OVERWRITES_ONCE = """
def operation(store):
    with store.job("a", overwrite=True, model="m", dataset="d") as job:
        for i in range(3, 6):
            job.log(item={"q": i}, scores={"right": 50 + i % 2}, row_key=i)
"""

RESUMES_ONCE = OVERWRITES_ONCE.replace("overwrite", "resume")

NO_EXCHANGE = """
import errno
def refuse(*_):
    raise OSError(errno.ENOSYS, "no exchange")
committed.exchange = refuse
"""


@pytest.mark.parametrize("can_exchange", [True, pytest.param(False, marks=pytest.mark.slow)])
@pytest.mark.parametrize("how", ["overwrite", "resume"])
def test_a_death_while_one_job_takes_the_place_of_another_leaves_one_of_them(store, how, can_exchange):
    old = record(store, "a")
    record(store, "b")
    operation = OVERWRITES_ONCE if how == "overwrite" else RESUMES_ONCE
    steps = [step for step in STEPS if can_exchange or step != "after-exchange"]
    kept_old = [
        step
        for step, copy in deaths_at(store.root, operation if can_exchange else NO_EXCHANGE + operation, steps)
        if assert_one_of_both(evalstore.open(copy), old, how)
    ]
    assert kept_old == STEPS[:2]


@pytest.mark.parametrize("how", ["overwrite", "resume"])
def test_a_death_between_the_steps_of_a_replacement_leaves_one_of_both(store, how):
    old = record(store, "a")
    record(store, "b")
    operation = NO_EXCHANGE + (OVERWRITES_ONCE if how == "overwrite" else RESUMES_ONCE)
    for _, copy in deaths_at(store.root, operation, ["after-exchange"]):
        assert_one_of_both(evalstore.open(copy), old, how)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    "can_exchange",
    [
        True,
        False,
    ],
)
@pytest.mark.parametrize("how", ["overwrite", "resume"])
def test_a_death_at_any_step_of_replacing_leaves_one_of_both(store, how, can_exchange):
    old = record(store, "a")
    record(store, "b")
    operation = OVERWRITES_ONCE if how == "overwrite" else RESUMES_ONCE
    outcomes = set()
    for _, copy in deaths(store.root, operation if can_exchange else NO_EXCHANGE + operation):
        other = evalstore.open(copy)
        logged = dict(other.sql("SELECT job, rows_logged FROM interrupted_jobs").rows())
        if other.show("a")["job_id"] != old or logged.get("a") == (3 if how == "overwrite" else 6):
            outcomes.add(assert_one_of_both(other, old, how))
        else:  # it died before its last row was logged
            assert values(other) == [0, 1, 0]
            assert_all_whole(other, ["a", "b"])
            assert_clean(other)
        shutil.rmtree(copy)
    assert outcomes == {True, False}


# Files of replaced jobs


def test_nothing_is_left_of_a_job_that_was_replaced_and_pruned(store, monkeypatch):
    first = record(store, "a")
    second = record(store, "a", overwrite=True)
    record(store, "a", overwrite=True)
    for module in (evalstore.trash, evalstore.catalog):
        monkeypatch.setattr(module, "GRACE", 0.0)
    store.delete("a")
    store.restore(second)
    store.prune(trash=True)
    assert names(store) == ["a"]
    assert store.verify().findings == []
    assert not list(store.root.rglob(f"*{first}*"))


# Resuming


def test_has_tells_which_rows_are_there(store):
    with store.job("a") as job:
        job.log(item=1, row_key="ok", scores={"s": 1})
        job.log(item=1, row_key="ok", scores={"s": 1})
        job.log(item=1, row_key="far", repetition=3)
        job.log(item=2, row_key="failed", error="too late")
        job.log(item=3, row_key=7, suite="other")
        assert [job.has("ok"), job.has("ok", 1), job.has("ok", 2), job.has("nowhere")] == [True, True, False, False]
        job.log(item=4, row_key="late")
        assert job.has("late")
        assert not job.has("failed")
    with store.job("a", resume=True) as job:
        found = {
            (key, repetition, suite): job.has(key, repetition, suite=suite)
            for key in ("ok", "far", "failed", 7, "7", "late", "nowhere")
            for repetition in (0, 1, 3)
            for suite in ("default", "other")
        }
        assert {place for place, is_there in found.items() if is_there} == {
            ("ok", 0, "default"), ("ok", 1, "default"), ("far", 3, "default"), ("late", 0, "default"),
            (7, 0, "other"), ("7", 0, "other"),
        }  # fmt: skip
        job.log(item=2, row_key="failed", scores={"s": 0})
        assert job.has("failed")
    with pytest.raises(UsageError, match="finished"):
        job.has("ok")


def test_rows_in_error_are_replaced_in_their_place_and_others_are_kept(store):
    with store.job("a") as job:
        for i in range(6):
            job.log(item=i, row_key=str(i), **({"error": "too late"} if i % 2 else {"scores": {"s": i}}))
        job.log(item=0, row_key="0", error="too late again")  # a repetition, in error
    with store.job("a", resume=True) as job:
        job.log(item=3, row_key="3", scores={"s": 33})
        job.log(item=0, row_key="0", scores={"s": 44})
        job.log(item=1, row_key="1", repetition=0, error="still late")
        for repetition in (0, 1):
            with pytest.raises(UsageError, match="logged already"):
                job.log(item=0, row_key="0", repetition=repetition, scores={"s": 1})
        with pytest.raises(UsageError, match="logged already"):
            job.log(item=3, row_key="3", repetition=0)
        job.log(item=3, row_key="3", scores={"s": 55})  # a further one
        job.log(item="new", row_key="new", scores={"s": 66})
    told = store.sql(
        "SELECT row_key, repetition, row_index, rows.error, value FROM rows "
        "LEFT JOIN row_scores USING (job_id, suite, row_key, repetition, row_index) ORDER BY row_index, repetition"
    ).rows()
    assert told == [
        ("0", 0, 0, None, 0), ("1", 0, 1, "still late", None), ("2", 0, 2, None, 2), ("3", 0, 3, None, 33),
        ("4", 0, 4, None, 4), ("5", 0, 5, "too late", None), ("0", 1, 6, None, 44), ("3", 1, 7, None, 55),
        ("new", 0, 8, None, 66),
    ]  # fmt: skip
    assert_clean(store)


def test_resuming_where_nothing_is_starts_a_job(store):
    with store.job("a", resume=True, model="m") as job:
        assert not job.has("x")
        job.log(item=1, row_key="x", scores={"right": 1})
        job.log(item=1, row_key="x", scores={"right": 2})
        assert job.has("x", 1)
    assert values(store) == [1, 2]
    assert (store.show("a")["status"], store.show("a")["model"]) == ("completed", "default/m")
    store.delete("a")
    with store.job("a", resume=True) as job:
        assert not job.has("x")  # what is deleted is not gone on with
        job.log(item=1, row_key="x", scores={"right": 3})
    assert values(store) == [3]
    assert_clean(store)


def test_a_completed_job_to_which_nothing_comes_is_left_as_it_is(store):
    job_id = record(store, "a")
    before = store.show("a")
    with store.job("a", resume=True) as job:
        assert job.has("0")
    assert job.status == "completed"
    assert store.show("a") == before
    assert store.show("a")["job_id"] == job_id
    assert store.trash().is_empty()
    assert list((store.root / "staging/default").iterdir()) == []
    record(store, "b")
    assert_clean(store)


def test_an_exception_in_a_completed_job_to_which_nothing_came(store):
    record(store, "a")
    with pytest.raises(ValueError, match="at once"), store.job("a", resume=True):
        raise ValueError("at once")
    assert_all_whole(store, ["a"])
    assert_clean(store)
    with store.job("a", resume=True):
        pass
    assert store.show("a")["status"] == "completed"
    assert values(store) == [0, 1, 0]


def test_a_journal_with_a_torn_line_is_gone_on_with_twice_in_a_row(store):
    log = "for i in range({0}, {1}):\n    job.log(item=i, row_key=i, scores={{'right': i}})"
    die_in(store.root, "job = store.job('a', model='m', tags=['t'])\n" + log.format(0, 4))
    for first in (4, 8):
        with (store.root / "staging/default/a/journal.jsonl").open("ab") as file:
            file.write(b'{"position":99,"suite":"default","row_key":"torn","item":"{')
        code = f"job = store.job('a', resume=True)\nassert job.has({first - 1}) and not job.has('torn')\n"
        die_in(store.root, code + log.format(first, first + 4))
        assert store.sql("SELECT job, rows_logged FROM interrupted_jobs").rows() == [("a", first + 4)]
        assert_clean(store)
    with store.job("a", resume=True) as job:
        assert all(job.has(i) for i in range(12))
        job.log(item=12, row_key=12, scores={"right": 12})
    assert values(store) == list(range(13))
    shown = store.show("a")
    assert (shown["status"], shown["model"], shown["tags"]) == ("completed", "default/m", ["t"])
    assert_all_whole(store, ["a"])
    assert_clean(store)


def test_rows_that_came_to_a_completed_job_before_its_writer_died_are_kept_by_the_next_attempt(store):
    record(store, "a")
    die_in(store.root, "job = store.job('a', resume=True)\njob.log(item='new', row_key='new', scores={'right': 5})")
    with store.job("a", resume=True) as job:
        assert job.has("new")
    assert values(store) == [0, 1, 0, 5]


def test_rows_that_came_to_a_completed_job_before_its_writer_died_are_kept_by_finish(store):
    old = record(store, "a")
    die_in(store.root, "job = store.job('a', resume=True)\njob.log(item='new', row_key='new', scores={'right': 5})")
    assert store.show("a")["job_id"] == old
    assert store.finish("a") == 4
    assert values(store) == [0, 1, 0, 5]
    assert deleted(store) == {old}
    assert_clean(store)


def test_a_living_writer_is_not_disturbed(store):
    with store.job("a") as job:
        job.log(item=1, scores={"right": 1})
        for way in ({"resume": True}, {"overwrite": True}, {}):
            with pytest.raises(JobBusy, match="being written"):
                store.job("a", **way)
    with store.job("a", resume=True) as job, pytest.raises(JobBusy):
        store.job("a", resume=True)
    assert values(store) == [1]


def test_the_circumstances_of_a_resumed_job_stay_unless_they_are_given_again(store):
    made = datetime(2020, 1, 2, tzinfo=UTC)
    told = {"dataset": "d", "model": "m", "config": {"t": 1, "deep": [1, {"x": None}]}, "metric_ref": "e",
            "metrics": {"s": {"minimum": 0, "maximum": 2, "threshold": 1}}, "group": "g", "labels": {"k": "v"},
            "tags": ["t"], "metadata": {"who": 1}, "kind": "benchmark", "created_at": made}  # fmt: skip
    kept = ("dataset", "model", "config", "metric_ref", "metrics", "group", "labels", "tags", "metadata", "kind",
            "created_at", "started_at")  # fmt: skip
    with store.job("a", **told) as job:
        job.log(item=1, scores={"s": 1})
    before = store.show("a")
    for field, wrong in (("dataset", "e"), ("model", "n"), ("config", {"t": 2}), ("metric_ref", "f"),
                         ("metrics", {"s": {"minimum": 0, "maximum": 3}})):  # fmt: skip
        with pytest.raises(UsageError, match=f"was run with {field}"):
            store.job("a", resume=True, **{field: wrong})
    assert store.show("a") == before
    assert list((store.root / "staging/default").iterdir()) == []
    with store.job("a", resume=True) as job:
        job.log(item=2, scores={"s": 2})
    after = store.show("a")
    assert {field: after[field] for field in kept} == {field: before[field] for field in kept} | {"kind": after["kind"]}
    assert after["finished_at"] > before["finished_at"]
    assert after["rows_total"] == 2
    same = {field: told[field] for field in ("dataset", "model", "config", "metric_ref", "metrics")}
    with store.job("a", resume=True, **same, tags=["u"], group="h") as job:
        job.log(item=3, scores={"s": 2})
    assert (store.show("a")["tags"], store.show("a")["group"]) == (["u"], "h")
    die_in(store.root, "job = store.job('b', model='m', config={'t': 1})\njob.log(item=1)")
    for field, wrong in (("model", "n"), ("config", {"t": 2})):
        with pytest.raises(UsageError, match=f"was run with {field}"):
            store.job("b", resume=True, **{field: wrong})
    assert store.finish("b") == 1
    assert_clean(store)


def test_the_kind_of_a_resumed_job_stays(store):
    with store.job("a", kind="benchmark") as job:
        job.log(item=1)
    with store.job("a", resume=True) as job:
        job.log(item=2)
    assert store.show("a")["kind"] == "benchmark"


@pytest.mark.parametrize("declared", ["before", "after"])
def test_declarations_of_the_store_do_not_stop_a_job_from_being_resumed(store, declared):
    own = {"s": {"minimum": 0, "maximum": 1}}
    if declared == "before":
        store.metrics.declare("x", minimum=0, maximum=1)
    with store.job("a", metrics=own) as job:
        job.log(item=1, scores={"s": 1, "x": 1})
    if declared == "after":
        store.metrics.declare("x", minimum=0, maximum=1)
    for again in ({}, {"metrics": own}):
        with store.job("a", resume=True, **again) as job:
            job.log(item=2, scores={"s": 0, "x": 1})
    assert store.show("a")["rows_total"] == 3


@pytest.mark.parametrize(
    "config", [{"t": (0, 1)}, {5: "x"}, {"n": math.nan}, {"when": datetime(2020, 1, 1, tzinfo=UTC)}], ids=str
)
def test_a_job_is_resumed_with_the_config_that_it_was_run_with(store, config):
    with store.job("a", config=config) as job:
        job.log(item=1)
    with store.job("a", config=config, resume=True) as job:
        job.log(item=2)
    assert store.show("a")["rows_total"] == 2


def test_threads_log_in_a_resumed_job(store):
    with store.job("a") as job:
        for i in range(40):
            job.log(item=i, row_key=i, **({"error": "late"} if i % 4 == 0 else {"scores": {"right": i}}))
    with store.job("a", resume=True) as job:

        def work(thread):
            for i in range(40):
                if i % 8 == thread:
                    job.log(item=i, row_key=i, scores={"right": i + 1000})  # replaces where in error, else is added
                job.log(item=i, row_key=f"{thread}/{i}", scores={"right": 0})

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(work, range(8)))
    rows = store.sql("SELECT row_key, repetition, row_index, error FROM rows").rows()
    assert len(rows) == 40 + 30 + 8 * 40
    assert len({row[:2] for row in rows}) == len({row[2] for row in rows}) == len(rows)
    assert all(error is None for *_, error in rows)
    assert_all_whole(store, ["a"])
    assert_clean(store)


def test_resuming_what_was_overwritten_meanwhile_is_refused_at_its_commit_or_replaces_what_is_there(store):
    """A name is staged by one writer at a time, so nobody can come in between."""
    record(store, "a")
    with store.job("a", resume=True) as job:
        with pytest.raises(JobBusy):
            store.job("a", overwrite=True)
        job.log(item="x", row_key="x", scores={"right": 9})
    assert values(store) == [0, 1, 0, 9]
    assert_clean(store)


# What is carried over is what was logged

plain_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
numbers = st.floats() | st.integers(-(2**60), 2**60)
score = st.one_of(
    st.none(), st.booleans(), numbers, st.sampled_from(["good", "bad", "unheard of"]),
    st.fixed_dictionaries({"value": numbers | st.booleans()}, optional={
        "comment": st.text(max_size=5), "metadata": plain_json, "correction": plain_json,
        "evaluator_info": st.dictionaries(st.text(max_size=3), plain_json, max_size=2)}),
    st.fixed_dictionaries({"label": st.sampled_from(["good", "bad"])}, optional={"comment": st.text(max_size=5)}),
)  # fmt: skip
moments = st.builds(
    datetime.fromtimestamp,
    st.floats(-2e9, 7e9),
    st.sampled_from([UTC, timezone(timedelta(hours=5.5))]),
)
log_call = st.fixed_dictionaries(
    {"item": plain_json, "scores": st.fixed_dictionaries({}, optional={
        "free": score, "ranged": numbers | st.none(), "rubric": st.sampled_from(["good", "bad", "odd"]) | st.none(),
        "many": st.lists(numbers, min_size=1, max_size=3)})},
    optional={
        "sample": plain_json, "reference": plain_json, "requests": plain_json, "metadata": plain_json,
        "suite": st.sampled_from(["default", "other"]), "row_key": st.text(min_size=1, max_size=3) | st.integers(0, 3),
        "cluster": st.text(min_size=1, max_size=3),
        "error": st.text(min_size=1, max_size=5) | st.builds(ValueError, st.text(max_size=5)),
        "tags": st.lists(st.text(max_size=4), max_size=3), "started_at": moments, "finished_at": moments,
        "latency": st.floats(), "cost": st.floats(), "prompt_tokens": st.integers(0, 2**62),
        "completion_tokens": st.integers(0, 2**50), "row_index": st.integers(0, 9),
    },
)  # fmt: skip

DECLARED = {"ranged": {"minimum": 0, "maximum": 10, "threshold": 5},
            "rubric": {"rubric": [{"label": "bad", "value": 0}, {"label": "good", "value": 1}]}}  # fmt: skip

CARRIED = ("rows", "row_scores", "aggregate_scores")


def rounded(value):
    """A value whose sums may have been added up in another order."""
    if isinstance(value, float):
        return float(f"{value:.9g}")
    if isinstance(value, dict):
        return {key: rounded(part) for key, part in value.items()}
    return [rounded(part) for part in value] if isinstance(value, (list, tuple)) else value


def everything(store):
    """All that views say about rows and scores, NaN and null apart; statistics but for the last digits."""
    shown = {}
    for view in CARRIED:
        frame = store.sql(f"FROM {view}")
        own = ["job", "job_id", *(["status"] if view == "aggregate_scores" else [])]
        lines = frame.drop(own).rows()
        shown[view] = sorted(repr(rounded(line) if view == "aggregate_scores" else line) for line in lines)
    return shown


@pytest.mark.parametrize("ended", ["error", "killed"])
@pytest.mark.parametrize(
    "examples",
    [pytest.param(4, id="short"), pytest.param(600, id="long", marks=[pytest.mark.slow, pytest.mark.timeout(3000)])],
)
def test_what_a_resumed_job_starts_with_is_bit_by_bit_what_was_logged(examples, ended):
    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(log_call, min_size=1, max_size=4))
    def holds(calls):
        with TemporaryDirectory(prefix="evalstore-") as folder, evalstore.open(f"{folder}/evals") as store:
            expected = {}
            for name in ("plain", "again"):
                job = store.job(name, metrics=DECLARED)
                for call in calls:
                    job.log(**call)
                if name == "plain":
                    job.finish()
                    expected = everything(store)
                    store.delete("plain")
                elif ended == "error":
                    job.finish("error", ValueError("cut"))
                else:
                    job._staged.release()  # as the system does when the process dies
            with store.job("again", resume=True):
                pass
            assert store.show("again")["status"] == "completed"
            found = everything(store)
            for view in CARRIED:
                assert found[view] == expected[view]

    holds()


def test_durations_add_up_and_times_are_kept(store):
    job = store.job("a")
    job.log(item=1, row_key=1)
    time.sleep(0.2)
    job.finish("error", ValueError("cut"))
    first = store.show("a")
    time.sleep(0.3)  # nobody works on it
    with store.job("a", resume=True) as job:
        job.log(item=2, row_key=2)
        time.sleep(0.1)
    second = store.show("a")
    assert second["created_at"] == first["created_at"]
    assert second["started_at"] == first["started_at"]
    assert first["duration"] + 0.1 <= second["duration"]
    assert second["error"] is None
    assert second["status"] == "completed"
    with pytest.raises(JobNotFound):
        store.finish("a")
