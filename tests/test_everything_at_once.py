"""Writers, readers, a deleter, a compactor and strangers at once, and killed writers: nothing is lost or torn."""

import random
import time
from collections import Counter
from contextlib import ExitStack

import duckdb
import polars as pl
import pytest

import evalstore
from evalstore.catalog import Catalog
from evalstore.database import Database
from evalstore.errors import JobNotFound
from evalstore.session import Session
from tests.processes import Process
from tests.test_durability import assert_nothing_lost, interrupted
from tests.whole_jobs import WHOLE, assert_all_whole, assert_clean, copies, record

WRITES = """
me, seconds = sys.argv[2], float(sys.argv[3])
store, number = evalstore.open(root), 0
say("ready")
wait()
until = time.monotonic() + seconds
while time.monotonic() < until:
    with store.job(f"{me}-{number}", dataset="d", model=me) as job:
        for i in range(5):
            job.log(item={"q": i}, scores={"right": i % 2, "length": i}, row_key=i)
    name = f"{me}-{number // 2}"
    if number % 4 == 1:
        with store.job(name, overwrite=True, dataset="d", model=me) as job:
            for i in range(4):
                job.log(item={"q": i}, scores={"right": 1}, row_key=i)
    if number % 4 == 3:
        with store.job(name, resume=True) as job:
            job.log(item={"q": "more"}, scores={"right": 0, "length": 9}, row_key="more")
            assert job.has(0)
    assert store.has_job(name)
    number += 1
    say("stored", number)
"""

READS = f"""
store, looks = evalstore.open(root), 0
say("ready")
wait()
until = time.monotonic() + float(sys.argv[2])
while time.monotonic() < until:
    [(jobs, rows, torn)] = store.sql(\"\"\"{WHOLE}\"\"\").rows()
    assert torn == [] and jobs >= 20, (jobs, torn)
    # One snapshot a question: what two views say of the same jobs is the same.
    uneven = store.sql(
        "SELECT job, count(*), sum_told FROM row_scores JOIN (SELECT job_id, "
        "sum(rows_scored)::BIGINT AS sum_told FROM suite_metrics GROUP BY ALL) USING (job_id) "
        "WHERE status = 'scored' GROUP BY ALL HAVING count(*) <> sum_told"
    ).rows() if looks % 5 == 0 else []
    assert uneven == [], uneven
    assert store.jobs(limit=5).height == 5
    name = store.jobs(limit=1)["name"].item()
    try:
        assert len(store.row_scores(name)) in (4, 5, 6, 7, 8)
    except JobNotFound:  # deleted between the two questions
        pass
    looks += 1
say("looks", looks)
"""

DELETES = """
store, changes = evalstore.open(root), 0
names = [f"job-{n:04}" for n in range(10)]
say("ready")
wait()
until = time.monotonic() + float(sys.argv[2])
while time.monotonic() < until:
    name = names[changes % 10]
    store.delete(name)
    assert not store.has_job(name)
    store.restore(name)
    assert store.has_job(name)
    if changes % 7 == 0:
        store.prune(trash=True)
    changes += 1
say("changes", changes)
"""

COMPACTS = """
store, done = evalstore.open(root), 0
say("ready")
wait()
until = time.monotonic() + float(sys.argv[2])
while time.monotonic() < until or not done:  # once at least, on a slow machine after the others
    done += store.compact().segments
    time.sleep(0.1)
say("compacted", done)
"""

HOLDS = """
import duckdb
plain = duckdb.connect(root + "/catalog.duckdb", read_only=True)
before = plain.sql("SELECT count(*) FROM jobs").fetchall()
say("ready")
wait()
until = time.monotonic() + float(sys.argv[2])
while time.monotonic() < until:
    assert plain.sql("SELECT count(*) FROM jobs").fetchall() == before
    time.sleep(0.1)
say("held", *before)
"""

ASKS_LONG = """
store = evalstore.open(root)
say("ready")
wait()
began, asked = time.monotonic(), 0
while time.monotonic() - began < float(sys.argv[2]):  # one question takes a good part of the whole time
    times = int(float(sys.argv[2]) * 30_000)
    store.sql("SELECT sum(hash(a.value + b.range)) FROM row_scores AS a, range($times) AS b", times=times)
    asked += 1
say("asked", asked, (time.monotonic() - began) / asked)
"""


@pytest.mark.parametrize(
    ("seconds", "writers", "readers"),
    [
        pytest.param(5, 8, 4, id="short"),
        pytest.param(60, 8, 4, id="long", marks=[pytest.mark.slow, pytest.mark.timeout(900)]),
    ],
)
def test_everything_at_once(store, seconds, writers, readers):
    record(store, "job", 5)
    copies(store, "job", 24)
    with ExitStack() as stack:
        start = lambda *given: stack.enter_context(Process(*given))  # noqa: E731
        writing = [start(WRITES, store.root, f"w{n}", seconds) for n in range(writers)]
        others = [start(READS, store.root, seconds) for _ in range(readers)]
        others += [start(code, store.root, seconds) for code in (DELETES, COMPACTS, HOLDS, ASKS_LONG)]
        for process in writing + others:
            process.wait_for("ready")
        for process in writing + others:
            process.go()
        stored = [len(process.end()) for process in writing]
        said = [process.end()[-1] for process in others]
    print(f"{sum(stored)} jobs in {seconds} s;", ", ".join(said))
    assert all(stored)
    assert all(line.split()[1] != "0" for line in said)
    expected = ["job", *(f"job-{n:04}" for n in range(24))]
    expected += [f"w{n}-{number}" for n in range(writers) for number in range(stored[n])]
    assert_all_whole(evalstore.open(store.root), expected)
    with duckdb.connect(str(store.root / "catalog.duckdb"), read_only=True) as plain:
        assert plain.sql("SELECT count(*) FROM jobs").fetchall() == [(len(expected),)]
        assert plain.sql("SELECT count(*) = count(DISTINCT job_id) FROM segment_job").fetchall() == [(True,)]
    assert list((store.root / "pending").iterdir()) == list((store.root / "staging").glob("*/*")) == []
    assert_clean(store)


# The hunt

WORKS = """
import random
me, compacts = sys.argv[2], len(sys.argv) > 3
store = evalstore.open(root)
for number in range(10**6):
    name = f"job-{me}{number:03}"  # digits: a number of its own for each job
    say("doing", "log")
    job = store.job(name, dataset="d", model="m")
    for i in range(random.randrange(1, 12)):
        job.log(item={"q": i}, scores={"right": i % 4 == 0}, row_key=str(i))
        say("logged", name[4:], i)
    say("doing", "finish")
    job.finish()
    say("finished", name[4:], i)
    if number % 2:
        say("doing", "resume")
        with store.job(name, resume=True) as job:
            job.log(item={"q": i + 1}, scores={"right": False}, row_key=str(i + 1))
            say("logged", name[4:], i + 1)
        say("finished", name[4:], i + 1)
    else:
        say("doing", "delete")
        store.delete(name)
        say("doing", "restore")
        store.restore(name)
    if compacts:
        say("doing", "compact")
        try:
            store.compact()
        except StoreBusy:
            pass
"""
OPERATIONS = ["log", "finish", "resume", "delete", "restore"]


def assert_nothing_half(store, said):
    assert_nothing_lost(store, [line for line in said if not line.startswith("doing")])
    assert_all_whole(store)
    assert_clean(store)


@pytest.mark.parametrize(
    ("rounds", "writers"),
    [
        pytest.param(2, 3, id="short"),
        pytest.param(110, 3, id="long", marks=[pytest.mark.slow, pytest.mark.timeout(3000)]),
    ],
)
def test_kill_9_of_writers_that_also_resume_delete_and_compact_loses_nothing(store, rounds, writers):
    record(store, "before")
    said: list[str] = []
    hit: Counter[str] = Counter()
    for round_ in range(rounds):
        processes = [
            Process(WORKS, store.root, 1000 + round_ * writers + n, *(["compacts"] if n == 0 else []))
            for n in range(writers)
        ]
        try:
            for n, process in enumerate(processes):
                said += process.said_until(f"doing {random.choice([*OPERATIONS, *(['compact'] if n == 0 else [])])}")
                time.sleep(random.uniform(0, 0.3))
                process.kill()
                said += process.end(137)
                hit[[line for line in said if line.startswith("doing")][-1]] += 1
        finally:
            for process in processes:
                process.__exit__()
        looking = evalstore.open(store.root)
        for name, rows in interrupted(looking).items():
            if random.random() < 0.5:
                assert looking.finish(name) == rows
        if (round_ + 1) % max(rounds // 10, 2) == 0:
            assert_nothing_half(looking, said)
    assert len(hit) == 6 or rounds < 20  # every operation was hit
    for name in interrupted(store):
        store.finish(name)
    for line in store.trash().filter(pl.col("reason") == "deleted").to_dicts():
        if not store.has_job(line["job"]):  # killed between the two
            store.restore(line["job_id"])
    print(f"{hit.total()} kills ({hit}), {store.jobs().height} jobs")
    assert store.sql("FROM interrupted_jobs").is_empty()
    with pytest.raises(JobNotFound):
        store.finish("before")
    assert_nothing_half(store, said)


def test_a_job_that_is_published_while_a_private_copy_is_made_is_seen(store, monkeypatch):
    record(store, "first")
    publisher = Catalog(store.root)
    attach_copy = Database.attach_copy

    def attach_and_be_overtaken(database, file):
        done = attach_copy(database, file)
        publisher.publish()
        return done

    with Process(HOLDS_THE_LOCK, store.root) as holder:
        holder.wait_for("holding")
        monkeypatch.setattr("evalstore.catalog.WAIT_FOR_LOCK", 0.0)
        monkeypatch.setattr(Catalog.publish, "__kwdefaults__", {**(Catalog.publish.__kwdefaults__ or {}), "wait": 0.0})
        record(store, "second")
        holder.go()
        holder.wait_for("let go")
    monkeypatch.setattr(Session, "_published", lambda *_, **__: False)  # as when the lock cannot be had in time
    monkeypatch.setattr(Database, "attach_copy", attach_and_be_overtaken)
    assert sorted(evalstore.open(store.root).jobs()["name"]) == ["first", "second"]


HOLDS_THE_LOCK = """
import fcntl
lock = open(root + "/writer.lock", "a")
fcntl.flock(lock, fcntl.LOCK_EX)
say("holding")
wait()
lock.close()
say("let go")
"""
