"""Readers never block writers, writers never block readers, and strangers at the files stop nobody."""

import json
import os
import shutil
import signal
import tempfile
import time
import uuid
from collections import Counter
from contextlib import ExitStack, contextmanager
from pathlib import Path

import duckdb
import pytest

import evalstore
from evalstore.catalog import Catalog
from evalstore.errors import BrokenStore, JobBusy
from tests.processes import Process, ask_elsewhere, read_only_disk, run

ROWS = 20

WRITES = """
me, jobs = sys.argv[2], int(sys.argv[3])
store = evalstore.open(root)
say("ready")
wait()
for number in range(jobs):
    name = f"{me}-{number}"
    with store.job(name, dataset="d", model=me) as job:
        for i in range(20):
            job.log(item={"q": i}, scores={"right": i % 4 == 0}, row_key=str(i))
    assert store.sql("SELECT count(*) FROM row_scores WHERE job = $job", job=name).item() == 20
    say("stored", name)
"""

# Every job that a question sees has all its rows, its scores and its aggregates.
LOOKS = """
SELECT name, rows_total, rows_of_job, scores_of_job, rows_aggregated, mean
FROM jobs
LEFT JOIN (SELECT job_id, count(*) AS rows_of_job FROM rows GROUP BY ALL) USING (job_id)
LEFT JOIN (SELECT job_id, count(*) AS scores_of_job FROM row_scores GROUP BY ALL) USING (job_id)
LEFT JOIN (
    SELECT job_id, sum(rows_total)::INT AS rows_aggregated, any_value(mean) AS mean FROM aggregate_scores GROUP BY ALL
) USING (job_id)
"""

READS = f"""
store, wanted, looks, most = evalstore.open(root), int(sys.argv[2]), 0, 0
say("ready")
wait()
while most < wanted:
    seen = store.sql(\"\"\"{LOOKS}\"\"\").rows()
    torn = [line for line in seen if line[1:] != (20, 20, 20, 20, 0.25)]
    assert not torn, torn
    assert len(seen) >= most, "a job has gone"
    assert store.leaderboard("right").height <= 3
    looks, most = looks + 1, len(seen)
say("looks", looks)
"""


def record(store, name, rows=ROWS, **context):
    with store.job(name, dataset="d", model=name, **context) as job:
        for i in range(rows):
            job.log(item={"q": i}, scores={"right": i % 4 == 0}, row_key=str(i))


def assert_whole(rows, names):
    assert sorted(rows) == sorted([name, ROWS, ROWS, ROWS, ROWS, 0.25] for name in names)


def session_sees(store):
    return [list(row) for row in evalstore.open(store.root).sql(LOOKS).rows()]


def published(root):
    with duckdb.connect(str(root / "catalog.duckdb"), read_only=True) as plain:
        return [list(row) for row in plain.sql(LOOKS).fetchall()]


def pending(root):
    return sorted(path.name for path in (root / "pending").iterdir())


@contextmanager
def writers_and_readers(root, writers, jobs, readers=0):
    """Processes that write so many jobs each, and processes that look until they have seen all."""
    with ExitStack() as stack:
        writing = [stack.enter_context(Process(WRITES, root, f"w{n}", jobs)) for n in range(writers)]
        reading = [stack.enter_context(Process(READS, root, writers * jobs + 1)) for n in range(readers)]
        for process in writing + reading:
            process.wait_for("ready")
        for process in writing + reading:
            process.go()
        yield writing, reading


# Writers and readers


@pytest.mark.parametrize(
    ("writers", "jobs"), [(4, 10), pytest.param(8, 50, marks=[pytest.mark.slow, pytest.mark.timeout(900)])]
)
def test_jobs_of_several_processes_are_all_stored_exactly_once(store, writers, jobs):
    with writers_and_readers(store.root, writers, jobs) as (writing, _):
        stored = [line.split()[1] for process in writing for line in process.end() if line.startswith("stored")]
    names = [f"w{n}-{number}" for n in range(writers) for number in range(jobs)]
    assert sorted(stored) == sorted(names)
    assert_whole(session_sees(store), names)
    assert_whole(ask_elsewhere(store.root, LOOKS), names)
    assert_whole(published(store.root), names)  # nobody left a job behind unpublished
    assert pending(store.root) == []
    assert list((store.root / "staging").glob("*/*")) == []


@pytest.mark.parametrize("jobs", [4, pytest.param(60, marks=[pytest.mark.slow, pytest.mark.timeout(900)])])
def test_readers_see_only_whole_jobs_while_others_write(store, jobs):
    record(store, "first")
    with writers_and_readers(store.root, 2, jobs, readers=2) as (writing, reading):
        for process in writing:
            assert len(process.end()) == jobs
        for process in reading:
            assert int(process.wait_for("looks").split()[1]) >= 2


def test_a_job_is_seen_from_any_process_once_finish_has_returned(store):
    for number in range(2):
        record(store, f"job-{number}")
        names = [f"job-{n}" for n in range(number + 1)]
        assert_whole(published(store.root), names)
        assert_whole(ask_elsewhere(store.root, LOOKS), names)


CLAIMS = """
store = evalstore.open(root)
say("ready")
wait()
try:
    job = store.job("the-one")
except (JobExists, JobBusy) as error:
    say("refused", type(error).__name__)
else:
    say("claimed")
    job.log(item=1, scores={"right": True})
    wait()
    job.finish()
"""


def test_of_eight_processes_that_want_one_name_one_gets_it_and_the_others_know_before_any_work(store):
    with ExitStack() as stack:
        processes = [stack.enter_context(Process(CLAIMS, store.root)) for _ in range(8)]
        for process in processes:
            process.wait_for("ready")
        for process in processes:
            process.go()
        said = [process.wait_for("") for process in processes]
        assert Counter(line.split()[0] for line in said) == {"claimed": 1, "refused": 7}
        with pytest.raises(JobBusy, match=r"'the-one' is being written by process \d+"):
            store.job("the-one")
        for process, line in zip(processes, said, strict=True):
            if line == "claimed":
                process.go()
            process.end()
    assert store.jobs().select("name", "status", "rows_total").rows() == [("the-one", "completed", 1)]
    assert list((store.root / "staging").glob("*/*")) == []


CLAIMS_AND_FINISHES = """
store = evalstore.open(root)
won = 0
for number in range(int(sys.argv[2])):
    say("ready")
    wait()
    try:
        with store.job(f"round-{number}") as job:
            job.log(item=1, scores={"right": True}, row_key=str(os.getpid()))
            won += 1
    except (JobExists, JobBusy):
        pass
say("won", won)
"""


def test_a_name_is_never_handed_out_again_while_its_job_is_being_committed(store):
    rounds = 4
    with ExitStack() as stack:
        processes = [stack.enter_context(Process(CLAIMS_AND_FINISHES, store.root, rounds)) for _ in range(3)]
        for _ in range(rounds):
            for process in processes:
                process.wait_for("ready")
            for process in processes:
                process.go()
        won = [int(process.wait_for("won").split()[1]) for process in processes]
    assert sum(won) == rounds
    assert dict(store.jobs().select("name", "rows_total").rows()) == {f"round-{n}": 1 for n in range(rounds)}


FINISHES_WHEN_TOLD = """
store = evalstore.open(root)
for number in range(int(sys.argv[2])):
    job = store.job(f"job-{number}")
    job.log(item=1, scores={"right": True})
    say("ready")
    wait()
    job.finish()
    say("finished", number)
"""


def test_a_writer_that_stands_still_right_after_its_commit_may_be_published_by_others(store):
    rounds = 6
    catalog = Catalog(store.root)
    with Process(FINISHES_WHEN_TOLD, store.root, rounds) as writer:
        for number in range(rounds):
            writer.wait_for("ready")
            target = store.root / f"jobs/default/job-{number}"
            writer.go()
            while not target.exists():
                pass
            writer.signal(signal.SIGSTOP)
            catalog.publish(wait=0)
            writer.signal(signal.SIGCONT)
            writer.wait_for(f"finished {number}")
    assert store.jobs().height == rounds


HOLDS_READ_ONLY = """
import duckdb
con = duckdb.connect(root + "/catalog.duckdb", read_only=True)
before = con.sql("SELECT count(*) FROM jobs").fetchall()
con.sql("SELECT count(*) FROM row_scores").fetchall()
say("holding")
wait()
assert con.sql("SELECT count(*) FROM jobs").fetchall() == before
assert con.sql("SELECT count(*) FROM row_scores").fetchall() == [(20,)]
say("kept its snapshot")
"""


def test_a_plain_read_only_connection_held_open_blocks_nobody(store):
    record(store, "first")
    with Process(HOLDS_READ_ONLY, store.root) as holder:
        holder.wait_for("holding")
        for name in ("second", "third"):
            record(store, name)
            assert_whole(session_sees(store), [row[0] for row in published(store.root)])
            assert pending(store.root) == []
        holder.go()
        holder.wait_for("kept its snapshot")
    assert_whole(published(store.root), ["first", "second", "third"])


HOLDS_THE_WRITER_LOCK = """
import fcntl
lock = open(root + "/writer.lock", "a")
fcntl.flock(lock, fcntl.LOCK_EX)
say("holding")
time.sleep(600)
"""


def test_a_writer_that_does_not_get_the_lock_leaves_a_committed_job_that_every_session_sees(store):
    record(store, "first")
    with Process(HOLDS_THE_WRITER_LOCK, store.root) as holder:
        holder.wait_for("holding")
        began = time.monotonic()
        record(store, "second")
        assert time.monotonic() - began < 10
        assert len(pending(store.root)) == 1
        assert_whole(session_sees(store), ["first", "second"])
        assert [row[0] for row in published(store.root)] == ["first"]
        holder.kill()
    assert_whole(session_sees(store), ["first", "second"])
    assert_whole(published(store.root), ["first", "second"])
    assert pending(store.root) == []


# Strangers at the catalog

HOLDS_READ_WRITE = """
import duckdb
os.chmod(root + "/catalog.duckdb", 0o644)
con = duckdb.connect(root + "/catalog.duckdb")
con.execute("CREATE TABLE stranger AS SELECT 1 AS one")
con.execute("DELETE FROM job")
say("holding")
time.sleep(600)
"""


@pytest.fixture
def stranger(store):
    """Another program that has the catalog open for writing, and has changed it without a checkpoint."""
    record(store, "first")
    with Process(HOLDS_READ_WRITE, store.root) as process:
        process.wait_for("holding")
        yield process


def test_with_a_stranger_writing_in_the_catalog_jobs_are_committed_and_sessions_see_everything(store, stranger):
    record(store, "second")
    assert (store.root / "jobs/default/second/job.json").is_file()
    assert_whole(session_sees(store), ["first", "second"])
    assert set(store.leaderboard("right")["job"]) == {"first", "second"}
    stranger.kill()
    assert_whole(session_sees(store), ["first", "second"])
    assert_whole(published(store.root), ["first", "second"])
    assert pending(store.root) == []


def test_publishing_beside_a_stranger_says_who_has_the_catalog_open(store, stranger):
    record(store, "second")
    catalog = Catalog(store.root)
    with pytest.raises(BrokenStore, match=r"catalog\.duckdb is open for writing.*safe") as caught:
        catalog.publish()
    assert str(stranger.pid) in str(caught.value)
    stranger.kill()
    assert catalog.publish()
    assert_whole(published(store.root), ["first", "second"])


def test_a_metric_can_be_declared_beside_a_stranger(store, stranger):
    store.metrics.declare("right", higher_is_better=False)
    assert store.leaderboard("right")["higher_is_better"].to_list() == [False]


def test_what_a_killed_stranger_left_in_a_wal_reaches_nobody(store, stranger):
    stranger.kill()
    assert (store.root / "catalog.duckdb.wal").exists()
    assert_whole(session_sees(store), ["first"])
    record(store, "second")
    assert_whole(session_sees(store), ["first", "second"])
    assert_whole(published(store.root), ["first", "second"])
    assert not (store.root / "catalog.duckdb.wal").exists()
    with duckdb.connect(str(store.root / "catalog.duckdb"), read_only=True) as plain:
        assert plain.sql("FROM duckdb_tables() WHERE table_name = 'stranger'").fetchall() == []


def test_a_wal_of_an_older_snapshot_stops_nobody(store, stranger):
    stranger.kill()
    wal = (store.root / "catalog.duckdb.wal").read_bytes()
    (store.root / "catalog.duckdb.wal").unlink()
    record(store, "second")
    (store.root / "catalog.duckdb.wal").write_bytes(wal)
    assert_whole(session_sees(store), ["first", "second"])
    record(store, "third")
    assert_whole(published(store.root), ["first", "second", "third"])


# Left-overs and damage


def test_left_over_files_of_nonsense_stop_nobody(store):
    record(store, "first")
    left_over = [store.root / name for name in ("catalog.duckdb.wal", "next.duckdb", "next.duckdb.wal")]
    for path in left_over:
        path.write_bytes(b"not a database\0" * 1000)
        path.chmod(0o444)
    assert_whole(session_sees(store), ["first"])
    record(store, "second")
    assert_whole(session_sees(store), ["first", "second"])
    assert_whole(published(store.root), ["first", "second"])
    assert not any(path.exists() for path in left_over)


def test_a_left_over_copy_of_the_snapshot_with_a_wal_brings_nothing_in(store, stranger):
    stranger.kill()
    (store.root / "catalog.duckdb.wal").rename(store.root / "next.duckdb.wal")
    shutil.copy(store.root / "catalog.duckdb", store.root / "next.duckdb")
    record(store, "second")
    assert_whole(published(store.root), ["first", "second"])


def test_a_snapshot_that_is_gone_is_made_again_from_the_jobs(store):
    for name in ("first", "second"):
        record(store, name)
    (store.root / "catalog.duckdb").unlink()
    assert_whole(session_sees(store), ["first", "second"])
    assert_whole(published(store.root), ["first", "second"])


def place_unpublished(root, document, name="damaged"):
    """A committed job with this text as its document, and the marker that announces it."""
    job_id = str(uuid.uuid4())
    folder = root / "jobs/default" / name
    folder.mkdir()
    if document is not None:
        (folder / "job.json").write_bytes(document.replace(b"@ID@", job_id.encode()))
    marker = {"operation": "commit", "job_id": job_id, "path": f"default/{name}"}
    (root / "pending" / f"commit-{job_id}.json").write_text(json.dumps(marker))


UNREADABLE = [
    None,
    b"",
    b'{"schema_version": 1, "job": {"job_id": "@ID@", "na',
    b"\xff\xfe\x00\x01",
    b"1",
    b"[]",
    b"{}",
]

UNUSABLE = {
    "nulls": b'{"job": null, "suites": null, "metrics": null, "aggregates": null, "files": null}',
    "no id": b'{"job": {}, "suites": [], "metrics": [], "aggregates": [], "files": {}}',
    "no files": b'{"job": {"job_id": "@ID@"}, "suites": [], "metrics": [], "aggregates": [], "files": {}}',
    "wrong types": b'{"job": {"job_id": "@ID@", "created_at": "soon"}, "suites": "x", "metrics": 1, "aggregates": [1],'
    b' "files": {"scores": {"name": "s", "rows": "many", "bytes": 1, "sha256": 1},'
    b' "rows": {"name": "r", "rows": 1, "bytes": 1, "sha256": 1}}}',
}


def assert_stops_nobody(store, damaged):
    """Beside one job that is there, and damaged ones that are announced, everything goes on."""
    assert_whole(session_sees(store), ["first"])
    record(store, "second")
    assert_whole(session_sees(store), ["first", "second"])
    assert_whole(published(store.root), ["first", "second"])
    assert len(pending(store.root)) == damaged  # for `verify` to name
    (store.root / "catalog.duckdb").unlink()
    assert_whole(session_sees(store), ["first", "second"])


def test_pending_jobs_whose_documents_cannot_be_read_stop_nobody(store):
    record(store, "first")
    for number, document in enumerate(UNREADABLE):
        place_unpublished(store.root, document, f"damaged-{number}")
    assert_stops_nobody(store, len(UNREADABLE))


@pytest.mark.parametrize("damage", UNUSABLE)
def test_a_pending_job_whose_document_cannot_be_used_stops_nobody(store, damage):
    record(store, "first")
    place_unpublished(store.root, UNUSABLE[damage])
    assert_stops_nobody(store, 1)


def test_a_catalog_that_cannot_be_read_is_made_anew(tmp_path):
    store = evalstore.open(tmp_path / "evals")
    record(store, "first")
    (tmp_path / "evals/catalog.duckdb").unlink()
    (tmp_path / "evals/catalog.duckdb").write_bytes(b"not a catalog" * 1000)
    assert store.jobs()["name"].to_list() == ["first"]
    record(store, "second")
    assert sorted(evalstore.open(tmp_path / "evals").jobs()["name"].to_list()) == ["first", "second"]
    with duckdb.connect(str(tmp_path / "evals/catalog.duckdb"), read_only=True) as plain:
        assert plain.sql("SELECT count(DISTINCT job) FROM row_scores").fetchall() == [(2,)]


def test_a_document_that_is_a_folder_stops_nobody(store):
    record(store, "first")
    place_unpublished(store.root, None)
    (store.root / "jobs/default/damaged/job.json").mkdir()
    assert_stops_nobody(store, 1)


def test_markers_that_make_no_sense_stop_nobody(store):
    record(store, "first")
    texts = ["", '{"operation": "com', "[]", "{}", "\0", '{"operation": 1, "job_id": 2, "path": 3}',
             '{"operation": "commit", "job_id": "x", "path": "../../.."}']  # fmt: skip
    for number, text in enumerate(texts):
        (store.root / "pending" / f"commit-{number}.json").write_text(text)
    (store.root / "pending/.commit-draft.json.0123").write_text("{}")
    assert_whole(session_sees(store), ["first"])
    record(store, "second")
    assert_whole(session_sees(store), ["first", "second"])
    assert_whole(published(store.root), ["first", "second"])


def test_a_parquet_file_that_is_gone_is_named_and_other_jobs_still_answer(store):
    for name in ("first", "second"):
        record(store, name)
    [scores] = (store.root / "jobs/default/first").glob("scores-*.parquet")
    scores.unlink()
    assert store.jobs().height == 2
    assert len(store.row_scores("second")) == ROWS
    with pytest.raises(evalstore.EvalStoreError, match=scores.name):
        store.row_scores("first")


# Folders that may only be read

DIES_UNPUBLISHED = """
store = evalstore.open(root)
for name in ("first", "second"):
    with store.job(name, dataset="d", model=name) as job:
        for i in range(20):
            job.log(item={"q": i}, scores={"right": i % 4 == 0}, row_key=str(i))
        if name == "second":
            os.environ["EVALSTORE_FAULT"] = "after-rename"
"""

ASKS_AS_NOBODY = f"""
def asked(root):
    store = evalstore.open(root)
    say(json.dumps(store.sql(\"\"\"{LOOKS}\"\"\").rows()))
    say(sorted(store.leaderboard("right")["job"]), store.show("second")["rows_total"], len(store.row_scores("second")))
    try:
        store.job("third")
    except (OSError, EvalStoreError) as error:
        say(type(error).__name__, error)
    else:
        say("a job was opened")

*protected, warm = sys.argv[1:]
asked(warm)  # loads everything that another user might not be allowed to load
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
for root in protected:
    assert not os.access(root, os.W_OK)
    asked(root)
"""


def everything_under(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def protect(folder):
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)


@pytest.fixture
def readable_folder():
    """A folder that any user may enter, unlike those of pytest."""
    with tempfile.TemporaryDirectory(prefix="evalstore-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
        for path in folder.rglob("*"):
            if path.is_dir():
                path.chmod(0o755)


def test_sessions_on_a_folder_that_may_not_be_written_see_everything_committed(readable_folder):
    roots = [readable_folder / name for name in ("evals", "without-snapshot", "warm")]
    run(DIES_UNPUBLISHED, roots[0], exit_code=137)
    assert [row[0] for row in published(roots[0])] == ["first"]
    for copy in roots[1:]:
        shutil.copytree(roots[0], copy)
    (roots[1] / "catalog.duckdb").unlink()
    before = [everything_under(root) for root in roots[:2]]
    for root in roots[:2]:
        protect(root)
    _, _, _, *said = run(ASKS_AS_NOBODY, *roots)
    assert len(said) == 6
    for seen, other, refusal in (said[:3], said[3:]):
        assert_whole(json.loads(seen), ["first", "second"])
        assert other == "['first', 'second'] 20 20"
        assert refusal.startswith("PermissionError")
    assert [everything_under(root) for root in roots[:2]] == before


def test_sessions_on_a_read_only_file_system_see_everything_committed(tmp_path):
    run(DIES_UNPUBLISHED, tmp_path / "evals", exit_code=137)
    with read_only_disk(tmp_path, tmp_path.parent / f"{tmp_path.name}-read-only") as folder:
        store = evalstore.open(folder / "evals")
        assert_whole(session_sees(store), ["first", "second"])
        assert set(store.leaderboard("right")["job"]) == {"first", "second"}
        assert len(store.row_scores("second")) == ROWS
        with pytest.raises(OSError, match="Read-only"):
            store.job("third")


@pytest.mark.parametrize(("seconds", "jobs"), [(1, 3), pytest.param(60, 40, marks=pytest.mark.slow)])
def test_a_session_keeps_answering_while_the_snapshot_is_replaced_by_unrelated_ones(store, seconds, jobs):
    other = evalstore.open(store.root.with_name("other"))
    for number in range(jobs):
        record(other, f"other-{number}", rows=2)
    record(store, "first")
    one, two = store.root / "one", store.root / "two"
    shutil.copy(store.root / "catalog.duckdb", one)
    shutil.copy(other.root / "catalog.duckdb", two)
    with Process(REPLACES, store.root, one, two) as process:
        process.wait_for("replacing")
        until, seen = time.monotonic() + seconds, Counter[int]()
        while time.monotonic() < until or len(seen) < 2:  # a slow machine may need longer to meet both
            seen[store.sql("SELECT count(*) FROM jobs").item()] += 1
        process.signal(signal.SIGTERM)
    assert seen.keys() == {1, jobs}


REPLACES = """
import shutil
say("replacing")
while True:
    for source in sys.argv[2:]:
        shutil.copy(source, root + "/draft")
        os.replace(root + "/draft", root + "/catalog.duckdb")
        time.sleep(0.002)
"""


def test_asking_leaves_no_file_open_and_no_lock_behind(store):
    record(store, "first")
    store.jobs()
    open_files = {os.path.realpath(fd) for fd in Path("/proc/self/fd").iterdir()}
    assert not {path for path in open_files if path.startswith(str(store.root))}
