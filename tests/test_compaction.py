"""Compaction changes no answer: not while it runs, not when it dies, not when its files are lost."""

import random
import shutil
import time
from contextlib import ExitStack

import duckdb
import pytest

import evalstore
from evalstore import catalog, compaction, trash
from evalstore.errors import StoreBusy
from tests.crashes import deaths
from tests.processes import Process
from tests.whole_jobs import WHOLE, assert_all_whole, assert_clean, copies, record

VIEWS = ["jobs", "results", "aggregate_scores", "suites", "suite_metrics", "row_scores", "rows", "leaderboard",
         "suite_trend", "metric_trend", "model_costs", "failures"]  # fmt: skip


def answers(store):
    """What every view says, and several questions."""
    said = {view: sorted(repr(line) for line in store.sql(f"FROM {view}").rows()) for view in VIEWS}
    for name in store.jobs()["name"]:
        said[name] = [
            repr(store.row_scores(name).to_polars().rows()),
            repr(store.aggregate_scores(name, by="metadata.kind").to_polars().rows()),
        ]
    said["zero"] = [repr(store.leaderboard(errors="zero").rows())]
    return said


def scores_of_all(store):
    return store.sql("SELECT count(*), sum(value), count(DISTINCT (job_id, suite, row_key, repetition)) FROM row_scores"
                     ).rows()  # fmt: skip


@pytest.fixture
def small_segments(monkeypatch):
    """Segments of 12 scores."""
    monkeypatch.setattr(compaction, "TARGET", 12)
    monkeypatch.setattr(compaction, "SMALL", 6)


@pytest.fixture
def no_grace(monkeypatch):
    for module in (trash, catalog):
        monkeypatch.setattr(module, "GRACE", 0.0)


def odd_job(store, name, model="m"):
    with store.job(name, dataset="d", model=model) as job:
        job.log(
            item=1, row_key=1, scores={"right": True, "label": {"label": "good", "comment": "c"}}, metadata={"kind": 1}
        )
        job.log(item=2, row_key=2, error="too late", metadata={"kind": 2})
        job.log(item=3, row_key=3, scores={"right": float("nan")})


def segments(store):
    return sorted(path.name for path in (store.root / "segments").glob("scores-*"))


def live(store):
    with duckdb.connect(str(store.root / "catalog.duckdb"), read_only=True) as plain:
        return plain.sql("SELECT segment_id FROM segment").fetchall()


def held(store):
    """How many jobs the live segments hold."""
    with duckdb.connect(str(store.root / "catalog.duckdb"), read_only=True) as plain:
        return plain.sql("SELECT count(*), count(DISTINCT job_id) FROM segment_job").fetchall()[0]


# Answers


def test_no_answer_changes(store):
    for n in range(3):
        record(store, f"job-{n}", 2 + n)
    odd_job(store, "odd")
    odd_job(evalstore.open(store.root, workspace="lab"), "odd", "n")
    with store.job("empty"):
        pass
    before = answers(store)
    told: list[int] = []
    done = store.compact(progress=told.append)
    assert (done.segments, done.jobs, done.scores) == (1, 5, 15)
    assert told == [15]
    assert answers(store) == before
    assert answers(evalstore.open(store.root)) == before
    with duckdb.connect(str(store.root / "catalog.duckdb"), read_only=True) as plain:
        assert plain.sql("SELECT count(*) FROM row_scores").fetchall() == [(15,)]
    assert store.compact() == compaction.Compacted(0, 0, 0)
    assert len(segments(store)) == 1
    (store.root / "catalog.duckdb").unlink()
    assert answers(store) == before
    assert held(store) == (5, 5)
    assert_clean(store)


def test_an_empty_store_and_one_job_are_nothing_to_do(store):
    with store.job("a"):
        pass
    assert store.compact().segments == 0
    record(store, "b")
    assert store.compact().segments == 0
    assert_clean(store)


def test_jobs_that_come_and_go_between_compactions_are_counted_once(store, small_segments, no_grace):
    record(store, "job", 2)
    names = copies(store, "job", 11)
    assert store.compact().jobs == 12
    assert len(live(store)) == 2
    store.delete("job", *names[:3])
    expected = dict.fromkeys(names[3:], 2)

    def check():
        assert dict(store.sql("SELECT job, count(*) FROM row_scores GROUP BY ALL").rows()) == expected
        assert_all_whole(store, list(expected))

    check()
    store.restore(names[0])
    expected[names[0]] = 2
    check()
    record(store, names[5], 3, overwrite=True)
    expected[names[5]] = 3
    check()
    record(store, "new", 1)
    with store.job(names[6], resume=True) as job:
        job.log(item="more", scores={"right": 1})
    expected |= {"new": 1, names[6]: 3}
    check()
    store.compact()
    check()
    store.restore(names[1])
    expected[names[1]] = 2
    check()
    store.compact()
    check()
    store.prune(trash=True)
    check()
    store.compact()
    check()
    jobs, distinct = held(store)
    assert jobs == distinct
    assert store.compact().segments == 0
    check()
    assert_clean(store)


def test_small_segments_are_joined_and_the_old_ones_go(store, small_segments, no_grace):
    record(store, "job", 2)
    copies(store, "job", 11)
    store.compact()
    before = segments(store)
    assert len(before) == 2
    with duckdb.connect(str(store.root / "catalog.duckdb"), read_only=True) as plain:
        told = plain.sql("SELECT list(name) FROM segment_job JOIN job USING (job_id) GROUP BY segment_id").fetchall()
    store.delete(*(name for (held_names,) in told for name in held_names[2:]))  # two jobs are left in each
    left = scores_of_all(store)
    assert left[0][0] == 8
    assert store.compact() == compaction.Compacted(1, 4, 8)
    assert scores_of_all(store) == left
    record(store, "late", 8)  # a publication, of a job that is not small
    assert len(segments(store)) == len(live(store)) == 1
    assert not set(segments(store)) & set(before)
    assert store.compact().segments == 0
    store.restore(told[0][0][-1])  # it had its place in a segment that is gone
    assert scores_of_all(store)[0][0] == 8 + 8 + 2
    assert_all_whole(store)
    assert_clean(store)


def test_large_jobs_stay_in_their_own_files(store, small_segments):
    record(store, "large", 8)
    for n in range(3):
        record(store, f"small-{n}", 2)
    assert store.compact().jobs == 3
    assert_all_whole(store)
    assert_clean(store)


# Lost and broken files


@pytest.mark.parametrize("how", ["folder", pytest.param("files", marks=pytest.mark.slow)])
def test_segments_removed_by_hand_cost_nothing(store, how):
    record(store, "job")
    copies(store, "job", 5)
    store.compact()
    before = answers(store)
    if how == "folder":
        shutil.rmtree(store.root / "segments")
    else:
        for file in (store.root / "segments").iterdir():
            file.unlink()
    assert answers(store) == before
    assert_clean(store)
    assert store.compact().jobs == 6
    assert answers(store) == before
    assert_clean(store)


BROKEN = {
    "garbage": lambda file: file.write_bytes(b"garbage" * 100),
    "cut": lambda file: file.write_bytes(file.read_bytes()[:-9]),
    "empty": lambda file: file.write_bytes(b""),
}


SHORT = {("garbage", "ask"), ("cut", "rebuild"), ("empty", "compact")}


@pytest.mark.parametrize(
    ("damage", "then"),
    [
        pytest.param(damage, then, marks=[] if (damage, then) in SHORT else pytest.mark.slow)
        for damage in BROKEN
        for then in ("ask", "rebuild", "compact")
    ],
)
def test_a_segment_that_cannot_be_read_stops_nobody(store, damage, then):
    for n in range(3):
        record(store, f"job-{n}")
    before = answers(store)
    store.compact()
    [segment] = (store.root / "segments").glob("scores-*")
    BROKEN[damage](segment)
    if then == "rebuild":
        store.rebuild()
    elif then == "compact":
        assert store.compact().jobs == 3
    assert answers(store) == before
    if then == "ask":
        assert f"segments/{segment.name}" in {one.path for one in store.verify().findings}
        assert "catalog.duckdb" not in {one.path for one in store.verify().errors}


def test_a_stray_file_that_is_no_segment_stops_nobody(store):
    for n in range(3):
        record(store, f"job-{n}")
    (store.root / "segments").mkdir(exist_ok=True)
    (store.root / "segments/scores-stray.parquet").write_bytes(b"garbage" * 100)
    (store.root / "catalog.duckdb").unlink()
    assert_all_whole(store, ["job-0", "job-1", "job-2"])


# Side by side

COMPACTS = """
from evalstore import compaction
compaction.TARGET, compaction.SMALL = int(sys.argv[2]), int(sys.argv[2]) // 2
store, done, busy = evalstore.open(root), 0, 0
say("ready")
wait()
until = time.monotonic() + float(sys.argv[3])
while time.monotonic() < until:
    try:
        done += store.compact().segments
    except StoreBusy:
        busy += 1
        time.sleep(0.01)
say("compacted", done, busy)
"""


def test_of_two_compactions_one_is_told_to_wait(store):
    for n in range(2):
        record(store, f"job-{n}")
    with Process(
        """
        import fcntl
        lock = open(root + "/compact.lock", "a")
        fcntl.flock(lock, fcntl.LOCK_EX)
        say("holding")
        wait()
        """,
        store.root,
    ) as other:
        other.wait_for("holding")
        with pytest.raises(StoreBusy, match="another process is compacting"):
            store.compact()
        other.kill()
    assert store.compact().jobs == 2
    refused = []

    def compact_again(_):
        with pytest.raises(StoreBusy):
            evalstore.open(store.root).compact()
        refused.append(1)

    for n in range(2):
        record(store, f"more-{n}")
    store.compact(progress=compact_again)
    assert refused == [1]
    assert_all_whole(store)
    assert_clean(store)


READS = f"""
store, looks = evalstore.open(root), 0
say("ready")
wait()
until = time.monotonic() + float(sys.argv[2])
while time.monotonic() < until:
    [(jobs, rows, torn)] = store.sql(\"\"\"{WHOLE}\"\"\").rows()
    assert torn == [] and jobs >= 30, (jobs, torn)
    assert store.sql(
        "SELECT count(*) = count(DISTINCT (job_id, row_key, repetition)) FROM row_scores"
    ).item(), "a score was counted twice"
    looks += 1
say("looks", looks)
"""

WRITES = """
store, number = evalstore.open(root), 0
say("ready")
wait()
until = time.monotonic() + float(sys.argv[2])
while time.monotonic() < until:
    number += 1
    with store.job(f"w-{number}", dataset="d", model="m") as job:
        for i in range(3):
            job.log(item=i, scores={"right": i % 2}, row_key=i)
    with store.job(f"w-{number // 2 + 1}", overwrite=True, dataset="d", model="m") as job:
        job.log(item=1, scores={"right": 1}, row_key=1)
    store.delete(f"job-{number % 20:04}") if number % 2 else store.restore(f"job-{(number - 1) % 20:04}")
say("written", number)
"""


@pytest.mark.parametrize(
    "seconds",
    [pytest.param(2, id="short"), pytest.param(60, id="long", marks=[pytest.mark.slow, pytest.mark.timeout(600)])],
)
def test_readers_and_writers_beside_compactions_see_no_difference(store, seconds):
    record(store, "job")
    copies(store, "job", 31)
    with ExitStack() as stack:
        codes: list[tuple] = [(COMPACTS, 30, seconds), (READS, seconds), (WRITES, seconds)]
        codes += [(COMPACTS, 30, seconds), (READS, seconds)] if seconds > 2 else []
        processes = [stack.enter_context(Process(code, store.root, *given)) for code, *given in codes]
        for process in processes:
            process.wait_for("ready")
        for process in processes:
            process.go()
        said = [process.end()[-1] for process in processes]
    print(said)
    assert sum(int(line.split()[1]) for line in said if line.startswith("compacted")) > 0
    assert_all_whole(store)
    jobs, distinct = held(store)
    assert jobs == distinct
    assert_clean(store)


# Deaths

COMPACTS_ONCE = """
def operation(store):
    compaction.TARGET, compaction.SMALL = 12, 6
    store.compact()
"""


@pytest.mark.parametrize(
    "every",
    [pytest.param(17, id="short"), pytest.param(1, id="long", marks=[pytest.mark.slow, pytest.mark.timeout(1800)])],
)
def test_a_death_at_any_step_of_a_compaction_changes_no_answer(store, small_segments, no_grace, every):
    record(store, "job", 2)
    names = copies(store, "job", 11)
    store.compact()
    store.delete(*names[:4], *names[8:])
    for n in range(3):
        record(store, f"new-{n}", 2)
    before = scores_of_all(store)
    for _, copy in deaths(store.root, COMPACTS_ONCE, every=every, first=1 + every // 2, grace=0.0):
        other = evalstore.open(copy)
        assert scores_of_all(other) == before
        assert_all_whole(other)
        other.compact()
        assert scores_of_all(other) == before
        assert other.compact().segments == 0
        assert_clean(other)
        (other.root / "catalog.duckdb").unlink()
        assert scores_of_all(other) == before
        shutil.rmtree(copy)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_kill_9_at_any_moment_of_compacting_changes_no_answer(store):
    record(store, "job", 4)
    copies(store, "job", 60)
    before = scores_of_all(store)
    for round_ in range(100):
        with Process(COMPACTS, store.root, random.choice([30, 60, 120]), 60) as process:
            process.wait_for("ready")
            process.go()
            time.sleep(random.uniform(0, 0.4))
            process.kill()
        looking = evalstore.open(store.root)
        assert scores_of_all(looking) == before
        if round_ % 10 == 9:
            assert_clean(looking)
            for file in (store.root / "segments").glob("scores-*"):
                if random.random() < 0.5:
                    file.unlink()
    store.compact()
    assert scores_of_all(store) == before
    assert_clean(store)
