"""What `log()` returned for is not lost; a job is there whole or not at all: under signals, full disks and forks."""

import errno
import json
import os
import random
import shutil
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import duckdb
import pytest

import evalstore
from evalstore.errors import EvalStoreError, JobExists
from tests.processes import Process, ask_elsewhere, leave_free, run, small_disk

LOGS_FOR_EVER = """
job = evalstore.open(root).job("cut", dataset="d", model="m")
padding = "x" * int(sys.argv[2])
for i in range(10**9):
    job.log(item={"q": i, "padding": padding}, scores={"right": i % 2 == 0}, row_key=str(i))
    say("logged", i)
"""

FINISHES = """
fault, fresh = sys.argv[2:]
store = evalstore.open(root)
for name in ("cut",) if fresh == "True" else ("before", "cut"):
    with store.job(name, dataset="d", model=name) as job:
        for i in range(20):
            job.log(item={"q": i}, scores={"right": i % 4 == 0}, row_key=str(i))
        if name == "cut":
            os.environ["EVALSTORE_FAULT"] = fault
"""

# At which step of finish the process dies, and whether the job is there afterwards.
STEPS = {
    "before-marker": False,
    "before-rename": False,
    "after-rename": True,
    "before-publish": True,
    "after-publish": True,
}


def record(store, name, rows=20, **context):
    with store.job(name, dataset="d", model=name, **context) as job:
        for i in range(rows):
            job.log(item={"q": i}, scores={"right": i % 4 == 0}, row_key=str(i))


def journal(root, name="cut"):
    """The whole lines of a journal; a last one without its newline was never acknowledged."""
    *lines, _torn = (root / "staging/default" / name / "journal.jsonl").read_bytes().split(b"\n")
    return [json.loads(line) for line in lines]


def interrupted(store):
    return dict(store.sql("SELECT job, rows_logged FROM interrupted_jobs").rows())


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def staged(root):
    return sorted(str(path.relative_to(root / "staging")) for path in (root / "staging").glob("*/*"))


def assert_holds_whole(store, names, rows=20):
    """Every question agrees that exactly these jobs are there, each with all its rows."""
    whole = dict.fromkeys(names, rows)
    assert dict(store.jobs().select("name", "rows_total").rows()) == whole
    assert dict(store.sql("SELECT job, count(*) FROM rows GROUP BY ALL").rows()) == whole
    assert dict(store.sql("SELECT job, count(*) FROM row_scores GROUP BY ALL").rows()) == whole
    assert dict(store.sql("SELECT job, rows_total FROM aggregate_scores").rows()) == whole
    assert dict(store.sql("SELECT name, scores[1].rows_total FROM results").rows()) == whole
    assert set(store.leaderboard("right").select("job", "mean", "rows_scored").rows()) == {
        (n, 0.25, rows) for n in names
    }


def assert_published(store, names):
    with duckdb.connect(str(store.root / "catalog.duckdb"), read_only=True) as plain:
        assert plain.sql("SELECT name FROM jobs ORDER BY name").fetchall() == [(name,) for name in sorted(names)]


# Kill -9


@pytest.mark.parametrize("padding", [0, 1_000_000])
def test_every_row_whose_log_returned_is_in_the_journal_after_kill_9(store, padding):
    record(store, "before")
    with Process(LOGS_FOR_EVER, store.root, padding) as writer:
        writer.wait_for("logged 20")
        assert interrupted(store) == {}  # its writer lives
        writer.signal(signal.SIGKILL)
        acknowledged = int((writer.end(137) or ["logged 20"])[-1].split()[1]) + 1
    rows = journal(store.root)
    assert [row["row_key"] for row in rows] == [str(i) for i in range(len(rows))]
    assert acknowledged <= len(rows) <= acknowledged + 1
    assert interrupted(store) == {"cut": len(rows)}
    assert_holds_whole(store, ["before"])


def test_a_store_whose_very_first_job_is_still_being_written_answers_every_question(store):
    with Process(LOGS_FOR_EVER, store.root, 0) as writer:
        writer.wait_for("logged 0")
        assert store.jobs().is_empty()
        assert store.leaderboard().is_empty()
        for table in ("row_scores", "rows", "failures", "results", "interrupted_jobs", "aggregate_scores"):
            assert store.sql(f"FROM {table}").is_empty()
        with duckdb.connect(str(store.root / "catalog.duckdb"), read_only=True) as plain:
            assert plain.sql("SELECT count(*) FROM row_scores").fetchall() == [(0,)]
        writer.kill()
    assert interrupted(store).keys() == {"cut"}


def test_the_name_of_an_interrupted_job_is_not_handed_out_again(store):
    with Process(LOGS_FOR_EVER, store.root, 0) as writer:
        writer.wait_for("logged 5")
        writer.kill()
    before = journal(store.root)
    with pytest.raises(JobExists, match=r"'cut' was interrupted .*rows are safe.*evalstore finish cut"):
        store.job("cut")
    assert journal(store.root) == before
    record(store, "next")
    assert_holds_whole(store, ["next"])
    assert interrupted(store) == {"cut": len(before)}


def assert_whole_or_not_at_all(store, step, earlier):
    is_there = STEPS[step]
    names = [*earlier, "cut"] if is_there else earlier
    assert_holds_whole(store, names)
    assert interrupted(store) == ({} if is_there else {"cut": 20})
    record(store, "next")
    assert_holds_whole(store, [*names, "next"])
    assert_published(store, [*names, "next"])
    assert not (store.root / "next.duckdb").exists()
    if is_there:
        assert names_in(store.root / "pending") == staged(store.root) == []
        with pytest.raises(JobExists):
            store.job("cut")
    else:
        assert staged(store.root) == ["default/cut"]
        assert [row["row_key"] for row in journal(store.root)] == [str(i) for i in range(20)]


@pytest.mark.parametrize("step", STEPS)
def test_a_job_killed_while_it_finished_is_there_whole_or_not_at_all(store, step):
    run(FINISHES, store.root, step, False, exit_code=137)
    assert_whole_or_not_at_all(store, step, ["before"])


@pytest.mark.parametrize("step", ["before-publish", pytest.param("before-rename", marks=pytest.mark.slow)])
def test_the_first_job_of_a_store_killed_while_it_finished_is_there_whole_or_not_at_all(store, step):
    run(FINISHES, store.root, step, True, exit_code=137)
    assert_whole_or_not_at_all(store, step, [])


def test_a_marker_goes_when_the_commit_that_it_announced_never_happened_and_the_job_was_given_up(store):
    run(FINISHES, store.root, "before-rename", False, exit_code=137)
    assert len(names_in(store.root / "pending")) == 1
    shutil.rmtree(store.root / "staging/default/cut")
    record(store, "next")
    assert names_in(store.root / "pending") == []


def test_a_marker_goes_when_the_name_of_the_job_that_never_came_belongs_to_another_job(store):
    run(FINISHES, store.root, "before-rename", False, exit_code=137)
    shutil.rmtree(store.root / "staging/default/cut")
    record(store, "cut")
    record(store, "next")
    assert_holds_whole(store, ["before", "cut", "next"])
    assert names_in(store.root / "pending") == []


LISTS_INTERRUPTED = """
import pathlib
from evalstore.staging import interrupted_jobs
say({tuple(job["job"] for job in interrupted_jobs(pathlib.Path(root))) for _ in range(3000)})
"""


def test_an_interrupted_job_is_listed_for_everyone_who_asks_at_the_same_time(store):
    with Process(LOGS_FOR_EVER, store.root, 0) as writer:
        writer.wait_for("logged 0")
        writer.kill()
    with Process(LISTS_INTERRUPTED, store.root) as one, Process(LISTS_INTERRUPTED, store.root) as other:
        assert one.end() == other.end() == ["{('cut',)}"]


KILLED_WHILE_WORKING = """
import random
store = evalstore.open(root)
start = int(sys.argv[2])
for number in range(start, start + 1000):
    job = store.job(f"job-{number}", dataset="d", model="m")
    for i in range(random.randrange(1, 40)):
        job.log(item={"q": i}, scores={"right": i % 4 == 0}, row_key=str(i))
        say("logged", number, i)
    job.finish()
    say("finished", number, i)
"""


def assert_nothing_lost(store, said):
    """What killed writers said is there: finished jobs whole, rows of the others at least logged."""
    logged: dict[str, int] = {}
    finished: dict[str, int] = {}
    for line in said:
        word, number, i = line.split()
        (logged if word == "logged" else finished)[f"job-{number}"] = int(i) + 1
    shown = dict(store.jobs().select("name", "rows_total").rows())
    with_rows = {name: rows for name, rows in shown.items() if rows}  # a writer may have died before its first row
    assert dict(store.sql("SELECT job, count(*) FROM row_scores GROUP BY ALL").rows()) == with_rows
    assert dict(store.sql("SELECT job, count(*) FROM rows GROUP BY ALL").rows()) == with_rows
    in_journals = interrupted(store)
    for name in shown.keys() & in_journals.keys():  # it was being resumed
        assert in_journals[name] >= shown[name]
    deleted = {job for job, reason in store.trash().select("job", "reason").rows() if reason == "deleted"}
    for name, rows in finished.items():
        assert shown.get(name, 0) >= rows or name in deleted - shown.keys()
    for name, rows in logged.items():
        assert max(shown.get(name, 0), in_journals.get(name, 0)) >= rows or name in deleted - shown.keys()


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("writers", [1, 3])
def test_kill_9_at_any_moment_loses_nothing(store, writers):
    said = []
    for round_ in range(150):
        processes = [Process(KILLED_WHILE_WORKING, store.root, (round_ * writers + n) * 1000) for n in range(writers)]
        try:
            for process in processes:
                for word in random.choice([["logged"], ["finished"], ["finished", "logged"], ["finished", "finished"]]):
                    said += process.said_until(word)
                time.sleep(random.uniform(0, 0.3))
                process.signal(signal.SIGKILL)
                said += process.end(137)
        finally:
            for process in processes:
                process.__exit__()
        if round_ % 10 == 9:
            assert_nothing_lost(evalstore.open(store.root), said)
    record(store, "last")
    assert_nothing_lost(store, said)
    assert_published(store, store.jobs()["name"])


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_writers_that_stand_still_at_any_moment_confuse_nobody(store):
    writers = [Process(KILLED_WHILE_WORKING, store.root, n * 1000) for n in range(3)]
    try:
        for writer in writers:
            writer.wait_for("logged")
        until = time.monotonic() + 90
        while time.monotonic() < until:
            writer = random.choice(writers)
            writer.signal(signal.SIGSTOP)
            time.sleep(random.uniform(0.02, 0.3))
            writer.signal(signal.SIGCONT)
            time.sleep(random.uniform(0, 0.05))
        said = []
        for writer in writers:
            assert writer.errors() == ""
            writer.signal(signal.SIGKILL)
            said += writer.end(137)
    finally:
        for writer in writers:
            writer.__exit__()
    assert_nothing_lost(store, said)
    assert len([line for line in said if line.startswith("finished")]) > 100


# Exceptions and signals


def test_an_exception_ends_the_job_as_error_with_its_type_message_and_traceback_and_keeps_the_rows(store):

    def fails():
        with store.job("cut") as job:
            for i in range(3):
                job.log(item={"q": i}, scores={"right": True})
            raise ZeroDivisionError("division by zero")

    with pytest.raises(ZeroDivisionError):
        fails()
    shown = store.show("cut")
    assert (shown["status"], shown["rows_total"]) == ("error", 3)
    assert (shown["error"]["type"], shown["error"]["message"]) == ("ZeroDivisionError", "division by zero")
    assert "test_durability.py" in json.loads(shown["error"]["details"])["traceback"]
    assert store.sql("SELECT level, error FROM failures").rows() == [("job", "ZeroDivisionError: division by zero")]
    assert len(store.row_scores("cut")) == 3
    assert store.leaderboard().is_empty()
    assert interrupted(store) == {}


def test_an_exception_before_the_first_row_leaves_an_empty_job_in_error(store):
    with pytest.raises(RuntimeError), store.job("cut"):
        raise RuntimeError("no \ud800 text and\0zero")
    shown = store.show("cut")
    assert (shown["status"], shown["rows_total"]) == ("error", 0)
    assert shown["error"]["message"] == "no \ufffd text and\0zero"


def test_an_exception_inside_nested_jobs_ends_both(store):

    def fails():
        with store.job("outer") as outer, store.job("inner") as inner:
            outer.log(item=1, scores={"right": True})
            inner.log(item=1, scores={"right": True})
            raise LookupError("gone")

    with pytest.raises(LookupError):
        fails()
    assert set(store.jobs().select("name", "status", "rows_total").rows()) == {
        ("outer", "error", 1),
        ("inner", "error", 1),
    }


def test_the_exception_of_the_block_is_kept_when_finish_fails_too(store):
    record(store, "before")
    (store.root / "jobs/lab").touch()  # where the folder of the workspace must go
    lab = evalstore.open(store.root, workspace="lab")

    def fails():
        with lab.job("cut") as job:
            job.log(item=1, scores={"right": True})
            raise ValueError("the cause")

    with pytest.raises((OSError, ValueError)) as caught:
        fails()
    chain = [caught.value, caught.value.__context__, caught.value.__cause__]
    assert any(isinstance(error, ValueError) and str(error) == "the cause" for error in chain)
    assert any(isinstance(error, OSError) for error in chain)
    assert interrupted(store) == {"cut": 1}
    assert_holds_whole(store, ["before"])


def test_finish_that_failed_never_looks_like_success_when_it_is_called_again(store):
    record(store, "before")
    (store.root / "jobs/lab").touch()
    lab = evalstore.open(store.root, workspace="lab")
    job = lab.job("cut")
    job.log(item=1, scores={"right": True})
    with pytest.raises(OSError, match="jobs/lab"):
        job.finish()
    (store.root / "jobs/lab").unlink()
    try:
        job.finish()
    except (EvalStoreError, OSError):
        assert interrupted(store) == {"cut": 1}
    else:
        assert lab.has_job("cut")


STOPPED = """
with evalstore.open(root).job("cut") as job:
    for i in range(10**9):
        job.log(item={"q": i}, scores={"right": True})
        say("logged", i)
"""

STOPPED_IN_ASYNCIO = """
import asyncio

async def main():
    with evalstore.open(root).job("cut") as job:
        for i in range(10**9):
            await asyncio.sleep(0)
            job.log(item={"q": i}, scores={"right": True})
            say("logged", i)

asyncio.run(main())
"""

STOPPED_IN_NESTED_JOBS = """
store = evalstore.open(root)
with store.job("outer") as outer:
    outer.log(item=0, scores={"right": True})
    with store.job("cut") as job:
        for i in range(10**9):
            job.log(item={"q": i}, scores={"right": True})
            say("logged", i)
"""


@pytest.mark.parametrize("code", [STOPPED, STOPPED_IN_ASYNCIO], ids=["plain", "asyncio"])
@pytest.mark.parametrize(
    ("number", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["ctrl-c", "sigterm"]
)
def test_a_signal_ends_the_job_as_interrupted_and_keeps_the_rows(store, code, number, exit_code):
    with Process(code, store.root) as writer:
        writer.wait_for("logged 20")
        writer.signal(number)
        acknowledged = int((writer.end(exit_code) or ["logged 20"])[-1].split()[1]) + 1
    shown = store.show("cut")
    assert shown["status"] == "interrupted"
    assert acknowledged <= shown["rows_total"] <= acknowledged + 1
    assert len(store.row_scores("cut")) == shown["rows_total"]
    assert interrupted(store) == {}
    assert store.sql("FROM results").is_empty()


def test_sigterm_in_nested_jobs_interrupts_both(store):
    with Process(STOPPED_IN_NESTED_JOBS, store.root) as writer:
        writer.wait_for("logged 3")
        writer.signal(signal.SIGTERM)
        writer.end(143)
    assert set(store.jobs().select("name", "status").rows()) == {("outer", "interrupted"), ("cut", "interrupted")}


def test_pressing_ctrl_c_again_and_again_while_the_job_finishes_loses_no_row(store):
    record(store, "before")
    with Process(STOPPED, store.root) as writer:
        writer.wait_for("logged 3000")
        for _ in range(200):
            writer.signal(signal.SIGINT)
            time.sleep(0.005)
        acknowledged = int((writer.end(130) or ["logged 3000"])[-1].split()[1]) + 1
    rows = interrupted(store).get("cut") or store.show("cut")["rows_total"]
    assert acknowledged <= rows <= acknowledged + 1


def test_sigterm_is_left_alone_where_somebody_handles_it_and_after_the_job(tmp_path):
    said = run(
        """
        def own(*_):
            say("own handler")
        store = evalstore.open(root)
        with store.job("first"):
            assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        signal.signal(signal.SIGTERM, own)
        with store.job("second"):
            os.kill(os.getpid(), signal.SIGTERM)
        assert signal.getsignal(signal.SIGTERM) is own
        say(sorted(store.jobs()["status"]))
        """,
        tmp_path / "evals",
    )
    assert said == ["own handler", "['completed', 'completed']"]


INTERRUPTED_IN_LOG = """
import random, resource

class Tick(Exception):
    pass

armed = False

def tick(*_):
    if armed:
        raise Tick

signal.signal(signal.SIGALRM, tick)
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
random.seed(7)
job = evalstore.open(root).job("cut")
path = os.path.join(root, "staging/default/cut/journal.jsonl")
acknowledged, ticks, i, until = [], 0, 0, time.monotonic() + float(sys.argv[2])
while time.monotonic() < until:
    i += 1
    try:
        armed = True
        signal.setitimer(signal.ITIMER_REAL, random.uniform(1e-6, 8e-5))
        job.log(item={"q": i}, row_key=str(i))
        armed = False
        acknowledged.append(str(i))
    except Tick:
        ticks += 1
    finally:
        armed = False
        signal.setitimer(signal.ITIMER_REAL, 0)
    if i % 10 == 0:  # a write that fails makes the journal cut itself back
        resource.setrlimit(resource.RLIMIT_FSIZE, (os.path.getsize(path) + 3, hard))
        try:
            job.log(item="too long", row_key="never")
        except OSError:
            pass
        else:
            say("the write did not fail")
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
assert ticks > 20, ticks
with open(path) as file:
    keys = [json.loads(line)["row_key"] for line in file]
say(len(keys), "rows,", len(set(acknowledged) - set(keys)), "lost,", keys.count("never"), "of those refused")
say(len(keys) - len(set(keys)), "twice")
"""


@pytest.mark.parametrize("seconds", [1.5, pytest.param(60, marks=pytest.mark.slow)])
def test_an_interruption_inside_log_never_tears_the_journal(tmp_path, seconds):
    rows, twice = run(INTERRUPTED_IN_LOG, tmp_path / "evals", seconds)
    assert rows.endswith("rows, 0 lost, 0 of those refused")
    assert twice == "0 twice"


# Full disks

LIMITED = """
import resource
store = evalstore.open(root)
job = store.job("cut")
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (64 * 1024, hard))
path = os.path.join(root, "staging/default/cut/journal.jsonl")
logged = 0
for attempt in range(3):
    try:
        while True:
            job.log(item={"q": "x" * 5000}, row_key=str(logged))
            logged += 1
    except OSError as error:
        with open(path) as file:
            assert [json.loads(line)["row_key"] for line in file] == [str(i) for i in range(logged)]
        say("full", logged, error.errno)
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
job.log(item={"q": "x" * 5000}, row_key=str(logged))
job.finish()
say(answer("SELECT row_key FROM rows ORDER BY row_index") == [(str(i),) for i in range(logged + 1)])
"""


def test_a_short_write_makes_log_raise_and_leaves_no_half_row(tmp_path):
    *full, whole = run(LIMITED, tmp_path / "evals")
    assert len(full) == 3
    assert len({line.split()[1] for line in full}) == 1
    assert whole == "True"


REFUSED_ONCE = """
import resource
job = evalstore.open(root).job("cut")
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
try:
    job.log(item={"q": "x" * 500}, row_key="k", repetition=0)
except OSError:
    say("full")
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
job.log(item={"q": "x" * 500}, row_key="k", repetition=0)
job.finish()
say(answer("SELECT row_key, repetition FROM rows"))
"""


def test_a_numbered_row_that_could_not_be_written_can_be_logged_again(tmp_path):
    assert run(REFUSED_ONCE, tmp_path / "evals") == ["full", "[('k', 0)]"]


@pytest.fixture
def disk(tmp_path):
    with small_disk(tmp_path / "disk", "12m") as folder:
        yield folder


def test_log_on_a_full_disk_raises_and_goes_on_when_there_is_space_again(disk):
    store = evalstore.open(disk / "evals")
    record(store, "before")
    logged = 0
    refusals: list[int | None] = []
    with store.job("cut", model="cut", dataset="d") as job:
        leave_free(disk, 64 * 1024)
        while len(refusals) < 3:
            try:
                job.log(item={"q": logged, "x": "x" * 3000}, scores={"right": logged % 4 == 0}, row_key=str(logged))
                logged += 1
            except OSError as error:
                refusals.append(error.errno)
                assert [row["row_key"] for row in journal(store.root)] == [str(i) for i in range(logged)]
        (disk / "filler").unlink()
        for i in range(logged, 40):
            job.log(item={"q": i}, scores={"right": i % 4 == 0}, row_key=str(i))
    assert 5 < logged < 40
    assert refusals == [errno.ENOSPC] * 3
    assert [row.row_key for row in store.row_scores("cut")] == [str(i) for i in range(40)]


def test_finish_on_a_full_disk_raises_and_the_rows_stay_in_the_journal(disk):
    store = evalstore.open(disk / "evals")
    record(store, "before")
    job = store.job("cut")
    for i in range(50):
        job.log(item={"q": i}, scores={"right": True}, row_key=str(i))
    leave_free(disk, 0)
    with pytest.raises((OSError, EvalStoreError)):
        job.finish()
    assert_holds_whole(store, ["before"])
    assert interrupted(store) == {"cut": 50}
    (disk / "filler").unlink()
    assert [row["row_key"] for row in journal(store.root)] == [str(i) for i in range(50)]
    record(store, "next")
    assert_holds_whole(store, ["before", "next"])
    assert interrupted(evalstore.open(store.root)) == {"cut": 50}


def test_a_name_refused_by_a_full_disk_can_be_claimed_when_there_is_space_again(disk):
    store = evalstore.open(disk / "evals")
    record(store, "before")
    leave_free(disk, 0)
    for _ in range(2):
        with pytest.raises(OSError, match="No space"):
            store.job("cut")
    (disk / "filler").unlink()
    assert staged(store.root) == []
    record(store, "cut")
    assert_holds_whole(store, ["before", "cut"])


def test_a_publication_that_ran_out_of_space_stops_no_later_one_in_the_same_process(disk):
    store = evalstore.open(disk / "evals")
    record(store, "before")
    job = store.job("cut", dataset="d", model="cut")
    for i in range(20):
        job.log(item={"q": i}, scores={"right": i % 4 == 0}, row_key=str(i))
    leave_free(disk, 1600 * 1024)  # enough for the job and for a copy of the catalog, but not for a larger one
    job.finish()
    assert_holds_whole(store, ["before", "cut"])
    (disk / "filler").unlink()
    record(store, "next")
    assert_holds_whole(store, ["before", "cut", "next"])
    assert_published(store, ["before", "cut", "next"])


FREE = [4, 32, 64, 256, 1400, 4000]  # KiB


@pytest.mark.parametrize(
    "free", [FREE, pytest.param(range(4, 5000, 40), marks=pytest.mark.slow)], ids=["short", "long"]
)
def test_wherever_the_disk_runs_full_finish_raises_or_the_job_is_there(disk, free):
    store = evalstore.open(disk / "evals")
    record(store, "before")
    names, lost = ["before"], {}
    outcomes = set()
    for space in free:
        name = f"cut-{space}"
        job = store.job(name, dataset="d", model=name)
        for i in range(20):
            job.log(item={"q": i}, scores={"right": i % 4 == 0}, row_key=str(i))
        leave_free(disk, space * 1024)
        try:
            job.finish()
        except (OSError, EvalStoreError):
            lost[name] = 20
            outcomes.add("raised")
        else:
            names.append(name)
            outcomes.add("committed")
        assert_holds_whole(evalstore.open(store.root), names)
        assert interrupted(store) == lost
        (disk / "filler").unlink()
    assert outcomes == {"raised", "committed"}
    assert_holds_whole(store, names)
    assert_published(store, names)
    assert sorted(staged(store.root)) == sorted(f"default/{name}" for name in lost)


# Threads and forks


def test_log_from_eight_threads_loses_nothing(store):
    threads, rows = 8, 250
    with store.job("cut") as job:

        def work(thread):
            for i in range(rows):
                job.log(
                    item={"thread": thread, "q": i},
                    scores={"right": True, "rouge": [{"name": "a", "score": i}, {"name": "b", "score": -i}]},
                    row_key=f"{thread}/{i}",
                )

        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(work, range(threads)))
    every = {f"{thread}/{i}" for thread in range(threads) for i in range(rows)}
    frame = store.row_scores("cut").rows()
    assert len(frame) == len(every)
    assert set(frame["row_key"]) == every
    assert sorted(frame["row_index"]) == list(range(len(every)))
    assert len(store.row_scores("cut").to_polars()) == 3 * len(every)
    for thread in range(threads):  # each thread's rows in its own order
        keys = frame.sort("row_index").filter(frame.sort("row_index")["row_key"].str.starts_with(f"{thread}/"))[
            "row_key"
        ]
        numbers = [int(key.split("/")[1]) for key in keys]
        assert all(one < other for one, other in pairwise(numbers))


def test_a_thread_that_logs_while_the_job_finishes_gets_an_error_or_its_row_is_kept(store):
    for round_ in range(5):
        job = store.job(f"cut-{round_}")
        acknowledged: list[str] = []
        failures: list[Exception] = []

        def work(job=job, acknowledged=acknowledged, failures=failures):
            for i in range(10**6):
                try:
                    job.log(item=i, row_key=str(i))
                except (EvalStoreError, OSError) as error:
                    failures.append(error)
                    return
                acknowledged.append(str(i))

        thread = threading.Thread(target=work)
        thread.start()
        time.sleep(0.01 * round_)
        job.finish()
        thread.join()
        assert isinstance(failures[0], EvalStoreError), failures
        assert {row.row_key for row in store.row_scores(job.name)} >= set(acknowledged)


FORKS = """
import subprocess
job = evalstore.open(root).job("cut")
for i in range(5):
    job.log(item=i, row_key=str(i))
if sys.argv[2] == "fork":
    child = os.fork()
    if child == 0:
        time.sleep(60)
        os._exit(0)
else:
    child = subprocess.Popen(["sleep", "60"], close_fds=False).pid
say("child", child)
time.sleep(60)
"""


@pytest.mark.parametrize("way", ["fork", "subprocess"])
def test_a_job_whose_writer_was_killed_is_interrupted_though_a_child_of_the_writer_lives(store, way):
    record(store, "before")
    with Process(FORKS, store.root, way) as writer:
        child = int(writer.wait_for("child").split()[1])
        try:
            assert interrupted(store) == {}
            writer.kill()
            os.kill(child, 0)  # it lives
            assert interrupted(store) == {"cut": 5}
            with pytest.raises(JobExists, match="was interrupted"):
                store.job("cut")
        finally:
            os.kill(child, signal.SIGKILL)


def test_a_forked_child_that_leaves_the_block_does_not_finish_the_job_of_its_parent(store):
    run(
        """
        with evalstore.open(root).job("cut") as job:
            job.log(item=0, row_key="0")
            if os.fork() == 0:
                sys.exit(0)
            os.wait()
            job.log(item=1, row_key="1")
        """,
        store.root,
    )
    assert store.show("cut")["status"] == "completed"
    assert [row.row_key for row in store.row_scores("cut")] == ["0", "1"]


def test_another_process_sees_a_job_as_soon_as_finish_has_returned(store):
    record(store, "before")
    assert ask_elsewhere(store.root, "SELECT job, count(*) FROM row_scores GROUP BY ALL") == [["before", 20]]
    assert_published(store, ["before"])
