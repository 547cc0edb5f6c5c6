"""Folders that move, may not be written or run full, and clocks that jump: nothing acknowledged is lost."""

import json
import os
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

import evalstore
from evalstore import job_context
from evalstore.errors import EvalStoreError, StoreNotFound
from tests.processes import Process, leave_free, run, small_disk

ROWS = 4


def record(store, name, rows=ROWS, **context):
    with store.job(name, **{"dataset": "d", "model": name, **context}) as job:
        for i in range(rows):
            job.log(item={"q": i}, scores={"right": i == 0}, row_key=str(i))


def rows_of_jobs(store):
    """Every question agrees how many rows each job has."""
    rows = dict(store.jobs().select("name", "rows_total").rows())
    with_rows = {name: count for name, count in rows.items() if count}
    assert dict(store.sql("SELECT job, count(*) FROM rows GROUP BY ALL").rows()) == with_rows
    assert dict(store.sql("SELECT job, count(*) FROM row_scores GROUP BY ALL").rows()) == with_rows
    return rows


def interrupted(store):
    return dict(store.sql("SELECT job, rows_logged FROM interrupted_jobs").rows())


def published(root):
    with duckdb.connect(str(root / "catalog.duckdb"), read_only=True) as plain:
        return dict(plain.sql("SELECT job, count(*) FROM rows GROUP BY ALL").fetchall())


# A store that moves


def test_a_store_renamed_while_a_session_is_open_loses_nothing_and_is_not_made_anew(store):
    record(store, "before")
    assert rows_of_jobs(store) == {"before": ROWS}
    job = store.job("open")
    job.log(item=0, row_key="0", scores={"right": True})
    moved = store.root.rename(store.root.with_name("moved"))
    for ask in (store.jobs, lambda: store.row_scores("before"), lambda: store.sql("FROM rows")):
        with pytest.raises(StoreNotFound):
            ask()
    job.log(item=1, row_key="1", scores={"right": True})  # its journal has moved along
    with pytest.raises((OSError, EvalStoreError)):
        job.finish()
    assert not store.root.exists()
    there = evalstore.open(moved)
    assert rows_of_jobs(there) == {"before": ROWS}
    assert interrupted(there) == {"open": 2}
    assert there.finish("open") == 2
    assert rows_of_jobs(there) == published(moved) == {"before": ROWS, "open": 2}
    moved.rename(store.root)
    assert rows_of_jobs(store) == {"before": ROWS, "open": 2}
    record(store, "after")
    assert rows_of_jobs(store) == published(store.root) == {"before": ROWS, "open": 2, "after": ROWS}


def test_two_stores_that_change_places_under_open_sessions_answer_for_the_place(store, tmp_path):
    other = evalstore.open(tmp_path / "other")
    record(store, "one")
    record(other, "two", rows=2)
    assert (rows_of_jobs(store), rows_of_jobs(other)) == ({"one": ROWS}, {"two": 2})
    store.root.rename(tmp_path / "third")
    other.root.rename(store.root)
    (tmp_path / "third").rename(other.root)
    for _ in range(2):
        assert (rows_of_jobs(store), rows_of_jobs(other)) == ({"two": 2}, {"one": ROWS})
    record(store, "three", rows=3)
    assert (rows_of_jobs(store), rows_of_jobs(other)) == ({"two": 2, "three": 3}, {"one": ROWS})
    assert published(store.root) == {"two": 2, "three": 3}


def test_a_link_that_leads_elsewhere_later_does_not_move_an_open_store(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "one")
    store = evalstore.open(tmp_path / "link/evals")
    record(store, "before")
    (tmp_path / "link").unlink()
    (tmp_path / "link").symlink_to(tmp_path / "two")
    record(store, "after")
    assert rows_of_jobs(store) == {"before": ROWS, "after": ROWS}
    assert list((tmp_path / "two").iterdir()) == []


def test_a_store_works_at_a_very_long_path_and_is_refused_whole_at_one_that_is_too_long(tmp_path):
    folder = tmp_path
    while len(str(folder)) < 3600:
        folder = folder / ("d" * 200)
    store = evalstore.open(folder / ("e" * 255))
    record(store, "one")
    assert rows_of_jobs(store) == published(store.root) == {"one": ROWS}
    names = [path.name for path in folder.iterdir()]
    with pytest.raises((OSError, EvalStoreError)):
        record(evalstore.open(folder / ("f" * 200) / ("g" * 200) / "h"), "one")
    assert [path.name for path in folder.iterdir() if (path / "h").exists()] == []
    assert rows_of_jobs(store) == {"one": ROWS}
    assert set(names) <= {path.name for path in folder.iterdir()}


# Folders that may not be written, one at a time

ONE_FOLDER_AT_A_TIME = """
from pathlib import Path

def log(job):
    for i in range(4):
        job.log(item={"q": i}, scores={"right": i == 0}, row_key=str(i))

def attempt(store, name):
    how_far = "refused"
    try:
        job = store.job(name, dataset="d", model=name)
        how_far = "claimed"
        log(job)
        how_far = "logged"
        job.finish()
        how_far = "finished"
    except (OSError, EvalStoreError) as error:
        return how_far, type(error).__name__
    return how_far, None

def seen(store):
    store = evalstore.open(store.root)
    return [dict(store.sql(query).rows()) for query in (
        "SELECT name, rows_total FROM jobs", "SELECT job, count(*) FROM row_scores GROUP BY ALL",
        "SELECT job, rows_logged FROM interrupted_jobs")]

def declared(store):
    try:
        store.metrics.declare("right", threshold=0.5)
    except (OSError, EvalStoreError) as error:
        return type(error).__name__

protected, warm, folders = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
store = evalstore.open(warm)
attempt(store, "warm"), seen(store), declared(store)
os.mkdir(warm + "/staging/x")
store = evalstore.open(protected)
attempt(store, "before")
os.makedirs(protected + "/staging/default", exist_ok=True)
if os.geteuid() == 0:
    for path in [Path(protected), *Path(protected).rglob("*")]:
        os.chown(path, 65534, 65534)
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
for number, name in enumerate(folders):
    folder = Path(protected) / name
    folder.mkdir(exist_ok=True)
    folder.chmod(0o555)
    outcome = attempt(store, f"job-{number}")
    within = seen(store)
    meta = declared(store)
    folder.chmod(0o755)
    after = seen(store)
    again = None
    if f"job-{number}" in after[2]:
        again = evalstore.open(protected).finish(f"job-{number}")
    elif outcome[0] == "refused":
        again = attempt(store, f"job-{number}")[0]
    say(json.dumps([name, outcome, within, meta, after, again]))
say(json.dumps(seen(store)))
"""


@pytest.fixture
def readable_folder():
    """A folder that any user may enter, unlike those of pytest."""
    with tempfile.TemporaryDirectory(prefix="evalstore-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


EVERY_FOLDER = ["jobs", "jobs/default", "pending", "staging", "staging/default", "staging/.new", "meta", "."]


@pytest.mark.parametrize(
    "folders",
    [["jobs/default", "pending", "."], pytest.param(EVERY_FOLDER, marks=pytest.mark.slow)],
    ids=["short", "long"],
)
def test_a_folder_that_may_not_be_written_loses_no_row_and_stops_no_question(readable_folder, folders):
    *told, last = run(ONE_FOLDER_AT_A_TIME, readable_folder / "evals", readable_folder / "warm", json.dumps(folders))
    names = ["before"]
    for number, line in enumerate(map(json.loads, told)):
        folder, (how_far, error), within, meta, after, again = line
        name = f"job-{number}"
        assert within == after, line  # nothing comes or goes by itself
        jobs, scores, waiting = within
        assert jobs == scores == dict.fromkeys([*names, *([name] if how_far == "finished" else [])], ROWS), line
        assert waiting == ({name: ROWS} if how_far == "logged" else {}), line
        assert (error is None) == (how_far == "finished"), line
        assert again == {"finished": None, "logged": ROWS, "refused": "finished"}[how_far], line
        assert (meta is None) == (folder != "pending"), line  # what meta/ holds can still be added to
        names.append(name)
    jobs, scores, waiting = json.loads(last)
    assert jobs == scores == dict.fromkeys(names, ROWS)
    assert waiting == {}
    assert published(readable_folder / "evals") == jobs


# Clocks that jump


class Clock(datetime):
    """The time, some days off."""

    days = 0

    @classmethod
    def now(cls, tz=None):
        return datetime.now(tz) + timedelta(days=cls.days)


@pytest.fixture
def clock(monkeypatch):
    monkeypatch.setattr(job_context, "datetime", Clock)
    monkeypatch.setattr(Clock, "days", 0)
    return Clock


def test_jobs_recorded_while_the_clock_jumps_by_days_stand_in_the_order_of_their_times(store, clock):
    days = {"today": 0, "ahead": 3, "behind": -400, "a-little-ahead": 1}
    for name, clock.days in days.items():
        record(store, name, model="m")
        shown = store.show(name)
        assert 0 <= shown["duration"] < 60
        assert shown["started_at"] <= shown["finished_at"]
    newest_first = sorted(days, key=lambda name: -days[name])
    assert store.jobs()["name"].to_list() == newest_first
    assert [store.show(f"@last~{number}" if number else "@last")["name"] for number in range(4)] == newest_first
    assert store.leaderboard("right")["job"].to_list() == ["ahead"]
    assert store.trend("right")["job"].to_list() == newest_first[::-1]
    assert rows_of_jobs(evalstore.open(store.root)) == published(store.root) == dict.fromkeys(days, ROWS)


def test_a_clock_that_jumps_within_a_job_does_not_change_how_long_it_took(store, clock):
    clock.days = 3
    with store.job("job") as job:
        job.log(item=1)
        clock.days = -3
        job.log(item=2)
    shown = store.show("job")
    assert 0 <= shown["duration"] < 60
    assert shown["finished_at"] > datetime.now(UTC) + timedelta(days=2)


def test_files_with_times_of_the_future_and_the_past_stop_nobody(store):
    for number, year in enumerate((2100, 1990)):
        record(store, f"job-{number}")
        then = datetime(year, 1, 1, tzinfo=UTC).timestamp()
        for path in store.root.rglob("*"):
            os.utime(path, (then, then))
        assert rows_of_jobs(store) == dict.fromkeys([f"job-{n}" for n in range(number + 1)], ROWS)


DIES = """
from datetime import datetime, timedelta, UTC
job = evalstore.open(root).job("cut", created_at=datetime.now(UTC) + timedelta(days=float(sys.argv[2])))
job.log(item=1, scores={"right": True})
say("logged")
time.sleep(600)
"""


@pytest.mark.parametrize("days", [3, pytest.param(-300, marks=pytest.mark.slow)])
def test_a_job_finished_by_somebody_else_took_as_long_as_it_was_written(store, days):
    with Process(DIES, store.root, days) as writer:
        writer.wait_for("logged")
        writer.kill()
    store.finish("cut")
    assert_took_less_than_an_hour(store.show("cut"))


@pytest.mark.parametrize("torn", [b"", b'{"position": 1, "sui'])
def test_a_job_whose_writer_died_long_ago_took_as_long_as_it_was_written(store, torn):
    with Process(DIES, store.root, 0) as writer:
        writer.wait_for("logged")
        writer.kill()
    staged = store.root / "staging/default/cut"
    with (staged / "journal.jsonl").open("ab") as journal:
        journal.write(torn)
    week = timedelta(days=7)
    head = json.loads((staged / "head.json").read_text())
    for field in ("created_at", "started_at", "writing_since"):
        head[field] = (datetime.fromisoformat(head[field]) - week).isoformat()
    (staged / "head.json").write_text(json.dumps(head))
    then = (staged / "journal.jsonl").stat().st_mtime - week.total_seconds()
    os.utime(staged / "journal.jsonl", (then, then))
    assert store.finish("cut") == 1
    assert_took_less_than_an_hour(store.show("cut"))


def assert_took_less_than_an_hour(shown):
    assert 0 <= shown["duration"] < 3600
    assert timedelta(0) <= shown["finished_at"] - shown["started_at"] < timedelta(hours=1)


@pytest.mark.parametrize("days", [3, -300])
def test_a_job_that_several_writers_died_of_took_as_long_as_it_was_written(store, days):
    created = datetime.now(UTC) + timedelta(days=days)
    with Process(DIES, store.root, days) as writer:
        writer.wait_for("logged")
        writer.kill()
    for _ in range(2):
        with Process(DIES.replace("created_at=", "resume=True, created_at="), store.root, days) as writer:
            writer.wait_for("logged")
            writer.kill()
    with store.job("cut", resume=True) as job:
        job.log(item=1)
    shown = store.show("cut")
    assert 0 <= shown["duration"] < 3600
    assert abs(shown["started_at"] - created) < timedelta(hours=1)
    assert shown["finished_at"] >= shown["started_at"]
    with store.job("cut", resume=True) as job:
        job.log(item=1)
    assert store.show("cut")["duration"] >= shown["duration"]
    assert store.show("cut")["finished_at"] >= shown["finished_at"]
    assert "writing_since" not in (store.root / "jobs/default/cut/job.json").read_text()


def test_a_head_that_does_not_say_when_its_writing_began_is_finished(store):
    with Process(DIES, store.root, 3) as writer:
        writer.wait_for("logged")
        writer.kill()
    head = store.root / "staging/default/cut/head.json"
    head.write_text(
        json.dumps({key: held for key, held in json.loads(head.read_text()).items() if key != "writing_since"})
    )
    store.finish("cut")
    assert_took_less_than_an_hour(store.show("cut"))


# Full disks


@pytest.fixture
def disk(tmp_path):
    with small_disk(tmp_path / "disk", "14m") as folder:
        yield folder


STEPS = [0, 8, 24, 1300]  # KiB


@pytest.mark.parametrize("free", [STEPS, pytest.param(range(0, 60, 3), marks=pytest.mark.slow)], ids=["short", "long"])
def test_wherever_the_disk_runs_full_all_acknowledged_rows_are_there_when_there_is_space_again(disk, free):
    store = evalstore.open(disk / "evals")
    record(store, "before")
    wanted = {"before": ROWS}
    ends = set()
    for number, space in enumerate(free):
        name, logged, end, job = f"job-{number}", 0, "claim", None
        leave_free(disk, space * 1024)
        try:
            job = store.job(name, dataset="d", model="m")
            end = "log"
            for i in range(ROWS):
                job.log(item={"q": i, "x": "x" * 3000}, scores={"right": True}, row_key=str(i))
                logged += 1
            end = "finish"
            job.finish()
            end = "done"
        except (OSError, EvalStoreError):
            if job is not None and end == "log":
                job._staged.release()
        ends.add(end)
        assert rows_of_jobs(evalstore.open(store.root)) == {**wanted, **({name: ROWS} if end == "done" else {})}
        (disk / "filler").unlink()
        if end in ("log", "finish"):
            assert interrupted(store) == {name: logged}
            assert store.finish(name) == logged
        if end == "claim":
            record(store, name)
            logged = ROWS
        wanted[name] = logged
        assert interrupted(store) == {}
        jobs = dict(store.jobs().select("name", "rows_total").rows())
        assert jobs == wanted
    assert ends == {"claim", "log", "finish", "done"}
    assert published(store.root) == {name: rows for name, rows in wanted.items() if rows}
    assert list((store.root / "staging").glob("*/*")) == list((store.root / "pending").iterdir()) == []


def test_a_frame_that_does_not_fit_leaves_no_job_and_its_name_free(disk):
    store = evalstore.open(disk / "evals")
    record(store, "before")
    rows = [{"q": "x" * 2000 + str(i), "right": i == 0} for i in range(ROWS)]
    refused = 0
    for number, space in enumerate((0, 40, 4000)):
        leave_free(disk, space * 1024)
        try:
            store.record(f"job-{number}", rows, scores=["right"])
        except (OSError, EvalStoreError):
            refused += 1
            assert not store.has_job(f"job-{number}")
            assert list((store.root / "staging").glob("*/*")) == []
            (disk / "filler").unlink()
            store.record(f"job-{number}", rows, scores=["right"])
    assert refused >= 1
    assert rows_of_jobs(store) == {"before": ROWS, **{f"job-{n}": ROWS for n in range(3)}}


DECLARES_WITHOUT_SPACE = """
import resource
store = evalstore.open(root)
for number in range(8):
    store.metrics.declare(f"metric-{number}", threshold=0.5)
size = os.path.getsize(root + "/meta/metrics.jsonl")
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20, hard))
try:
    store.metrics.declare("late", threshold=0.5)
except OSError:
    say("raised", size == os.path.getsize(root + "/meta/metrics.jsonl"))
else:
    say("returned")
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
store.metrics.declare("last", threshold=0.5)
say(sorted(name for name, in store.sql("SELECT metric FROM metric WHERE metric LIKE 'la%'").rows()))
"""


def test_a_declaration_that_does_not_fit_raises_or_is_there(tmp_path):
    outcome, names = run(DECLARES_WITHOUT_SPACE, tmp_path / "evals")
    assert (outcome, names) == ("raised True", "['last']")
