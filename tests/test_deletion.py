"""Deleting with a way back: what is deleted is gone for everyone at once, comes back whole, or goes for good."""

import json
import os
import random
import shutil
import time
from contextlib import ExitStack
from datetime import timedelta

import duckdb
import pytest

import evalstore
from evalstore import catalog, deletion, trash
from evalstore.errors import JobBusy, JobExists, JobNotFound, StoreBusy
from evalstore.markers import Marker, place_marker
from evalstore.store_lock import writer_lock
from tests.crashes import deaths
from tests.processes import Process, ask_elsewhere, read_only_disk, run
from tests.whole_jobs import WHOLE, assert_all_whole, assert_clean, copies, deleted, record


@pytest.fixture
def no_grace(monkeypatch):
    """Files of deleted jobs may be moved away at once."""
    for module in (trash, catalog):
        monkeypatch.setattr(module, "GRACE", 0.0)


def names(store):
    return sorted(store.jobs(workspace="-")["name"])


def files_of(root, job_id):
    """Where files of a job lie, segments left aside."""
    return sorted({path.relative_to(root).parts[0] for path in root.rglob(f"*{job_id}*.parquet")})


# What is deleted is gone, and comes back

LOOKS_WHEN_TOLD = """
store = evalstore.open(root)
while True:
    say(store.sql("SELECT list(name ORDER BY name) FROM jobs").item().to_list(),
        store.sql("SELECT count(*) FROM row_scores").item(), store.has_job("a"))
    wait()
"""


def test_deleting_and_restoring_are_seen_by_every_process_at_once(store):
    for name in ("a", "b"):
        record(store, name)
    with Process(LOOKS_WHEN_TOLD, store.root) as other:
        assert other.wait_for("") == "['a', 'b'] 6 True"
        assert store.delete("a") == ["default/a"]
        other.go()
        assert other.wait_for("") == "['b'] 3 False"
        with duckdb.connect(str(store.root / "catalog.duckdb"), read_only=True) as plain:
            assert plain.sql("SELECT DISTINCT job FROM row_scores").fetchall() == [("b",)]
        assert store.restore("a") == "default/a"
        other.go()
        assert other.wait_for("") == "['a', 'b'] 6 True"
    assert store.trash().is_empty()
    assert_all_whole(store, ["a", "b"])
    assert_clean(store)


@pytest.mark.parametrize("view", ["results", "aggregate_scores", "suites", "suite_metrics", "rows", "row_scores",
                                  "leaderboard", "suite_trend", "metric_trend", "model_costs"])  # fmt: skip
def test_no_view_shows_a_deleted_job_and_each_shows_it_again_as_it_was(two_jobs, view):
    before = two_jobs.sql(f"FROM {view} ORDER BY ALL")
    two_jobs.delete("a")
    assert 0 < two_jobs.sql(f"FROM {view}").height < before.height
    two_jobs.restore("a")
    assert two_jobs.sql(f"FROM {view} ORDER BY ALL").equals(before)


@pytest.fixture(scope="module")
def two_jobs(tmp_path_factory):
    store = evalstore.open(tmp_path_factory.mktemp("two") / "evals")
    for name in ("a", "b"):
        with store.job(name, dataset="d", model=name) as job:
            for i in range(3):
                job.log(item={"q": i}, scores={"right": i % 2}, row_key=i, cost=0.5)
    return store


def test_many_deletions_are_one_publication(store, monkeypatch):
    record(store, "a")
    more = copies(store, "a", 12)
    published: list[None] = []
    write = catalog.Catalog._write
    monkeypatch.setattr(catalog.Catalog, "_write", lambda *given, **named: published.append(write(*given, **named)))
    assert store.delete(*more) == [f"default/{name}" for name in more]
    assert len(published) == 1
    assert names(store) == ["a"]
    assert set(store.trash()["job"]) == set(more)


def test_what_is_not_there_deletes_nothing(store):
    for name in ("a", "b"):
        record(store, name)
    for wrong in (["a", "nowhere"], ["lab/a"], ["a", "@last~2"], ["nowhere", "b"]):
        with pytest.raises(JobNotFound):
            store.delete(*wrong)
        assert names(store) == ["a", "b"]
    assert store.trash().is_empty()
    store.delete("a")
    with pytest.raises(JobNotFound):
        store.delete("a")
    with pytest.raises(JobNotFound):
        store.delete("b", "a")
    assert names(store) == ["b"]
    assert store.trash()["job"].to_list() == ["a"]
    assert store.delete() == []
    with pytest.raises(JobNotFound, match="there are: a"):
        store.restore("b")
    assert_clean(store)


def test_jobs_are_deleted_by_workspace_and_by_last(store):
    lab = evalstore.open(store.root, workspace="lab")
    for name in ("a", "b", "c", "d"):
        record(store, name)
    record(lab, "a")
    assert store.delete("lab/a") == ["lab/a"]
    assert names(store) == ["a", "b", "c", "d"]
    assert store.delete("@last", "d", "@last~1") == ["default/d", "default/c"]
    assert store.delete("@last") == ["default/b"]
    assert names(lab) == ["a"]
    with pytest.raises(JobNotFound):
        lab.restore("b")
    assert lab.restore("default/b") == "default/b"
    assert store.restore("lab/a") == "lab/a"
    told = store.trash().select("workspace", "job", "reason").rows()
    assert set(told) == {("default", "c", "deleted"), ("default", "d", "deleted")}
    assert_clean(store)


def test_a_deleted_name_is_free_and_the_old_job_returns_only_when_the_new_one_is_gone(store):
    old = record(store, "a", base=10)
    store.delete("a")
    new = record(store, "a", rows=5)
    assert store.jobs().select("job_id", "rows_total").rows() == [(new, 5)]
    assert deleted(store) == {old}
    for address in ("a", old):
        with pytest.raises(JobExists, match="used again"):
            store.restore(address)
    store.delete("a")
    assert store.trash()["job_id"].to_list() == [new, old]
    assert store.restore(old) == "default/a"
    assert store.show("a")["job_id"] == old
    assert store.sql("SELECT sum(value) FROM row_scores").item() == 31
    with pytest.raises(JobExists):
        store.restore("a")  # the newest deleted one of this name
    store.delete("a")
    assert store.restore(new) == "default/a"
    assert store.show("a")["job_id"] == new
    assert_all_whole(store, ["a"])
    assert_clean(store)


def test_a_job_is_not_restored_onto_a_name_that_is_being_written(store):
    old = record(store, "a")
    store.delete("a")
    job = store.job("a")
    job.log(item=1, scores={"right": 1})
    with pytest.raises(JobBusy, match="being written"):
        store.restore("a")
    job.abandon()
    assert store.restore(old) == "default/a"
    store.delete("a")
    run("job = evalstore.open(root).job('a')\njob.log(item=1)\nos.kill(os.getpid(), 9)", store.root, exit_code=137)
    with pytest.raises(JobExists, match="interrupted"):
        store.restore("a")
    assert store.finish("a") == 1
    assert store.show("a")["status"] == "interrupted"
    store.delete("a")
    assert store.restore(old) == "default/a"
    assert_clean(store)


# The files


def test_files_stay_in_place_for_questions_under_way_then_lie_in_the_trash_then_go_for_good(store, monkeypatch):
    job_id = record(store, "a")
    record(store, "b")
    store.delete("a")
    record(store, "c")  # a publication
    assert files_of(store.root, job_id) == ["jobs"]
    assert not store.prune(trash=True)
    assert files_of(store.root, job_id) == ["jobs"]
    for module in (trash, catalog):
        monkeypatch.setattr(module, "GRACE", 0.0)
    record(store, "e")
    assert files_of(store.root, job_id) == ["trash"]
    assert store.trash()["job_id"].to_list() == [job_id]
    assert_clean(store)
    assert store.prune(trash=True).to_polars()["job_id"].to_list() == [job_id]
    assert files_of(store.root, job_id) == []
    assert not list(store.root.rglob(f"*{job_id}*"))
    with pytest.raises(JobNotFound):
        store.restore(job_id)
    assert names(store) == ["b", "c", "e"]
    assert_clean(store)


def test_a_job_comes_back_from_the_trash_as_it_was(store, no_grace):
    job_id = record(store, "a", base=4)
    record(store, "b")
    before = store.sql("FROM row_scores ORDER BY ALL")
    store.delete("a")
    record(store, "c")
    assert files_of(store.root, job_id) == ["trash"]
    store.delete("c")
    store.restore(job_id)
    assert store.sql("FROM row_scores ORDER BY ALL").equals(before)
    assert_clean(store)


def test_prune_keeps_what_is_young_and_a_dry_run_keeps_all(store, no_grace):
    for name in ("a", "b"):
        record(store, name)
    store.delete("a", "b")
    assert not store.prune(trash=True, older_than=timedelta(hours=1))
    would = store.prune(trash=True, dry_run=True).to_polars()
    assert set(would["job"]) == set(store.trash()["job"]) == {"a", "b"}
    assert not store.prune(trash=True, older_than=timedelta(hours=1), dry_run=True)
    assert store.prune(trash=True).to_polars().sort("job").equals(would.sort("job"))
    assert store.trash().is_empty()
    assert not store.prune(trash=True)
    assert_clean(store)


def test_prune_takes_the_scores_out_of_the_segments_too(store, no_grace):
    record(store, "a")
    [gone, *_] = copies(store, "a", 4)
    gone_id = store.show(gone)["job_id"]
    store.compact()
    store.delete(gone)
    assert store.sql("SELECT count(*) FROM row_scores").item() == 12
    store.prune(trash=True)
    with duckdb.connect() as plain:
        for file in (store.root / "segments").glob("*.parquet"):
            assert plain.sql(f"SELECT count(*) FROM '{file}' WHERE job_id = '{gone_id}'").fetchall() == [(0,)]
    assert_all_whole(store)
    assert store.compact().jobs == 4
    assert_all_whole(store)
    assert_clean(store)


def test_prune_takes_nothing_while_another_process_publishes(store, monkeypatch):
    record(store, "a")
    store.delete("a")
    [before] = store.trash()["job"].to_list()
    monkeypatch.setattr(trash, "GRACE", 0.0)
    monkeypatch.setattr(deletion, "PATIENCE", 0.1)
    place_marker(store.root, Marker("meta", "00000000-0000-4000-8000-000000000000", "metrics.jsonl"))
    with writer_lock(store.root, until=0.0) as held:
        assert held
        with pytest.raises(StoreBusy, match="nothing was changed"):
            store.prune(trash=True)
    assert store.trash()["job"].to_list() == [before]
    assert store.restore("a") == "default/a"


def test_prune_removes_what_dead_processes_have_left(store):
    record(store, "a")
    run(
        """
        store = evalstore.open(root)
        import evalstore.staged_job
        evalstore.staged_job.write_document = lambda *_: os.kill(os.getpid(), 9)
        store.job("b")
        """,
        store.root,
        exit_code=137,
    )
    (store.root / "next.duckdb").write_bytes(b"half")
    (store.root / "trash").mkdir(exist_ok=True)
    (store.root / "trash/.half").mkdir()
    marker = store.root / "pending/.commit-a.json.0"
    marker.write_text("{")
    [left] = (store.root / "staging/.new").iterdir()
    store.prune(trash=True)
    assert left.exists()  # young enough to be a claim that is just being made
    assert marker.exists()
    os.utime(left, (0, 0))
    os.utime(marker, (0, 0))
    living = store.job("c")
    store.prune(trash=True)
    assert list((store.root / "staging/.new").iterdir()) == list((store.root / "trash").iterdir()) == []
    assert not (store.root / "next.duckdb").exists()
    assert not marker.exists()
    living.log(item=1)
    living.finish()
    assert names(store) == ["a", "c"]


def test_a_store_that_can_only_be_read_refuses_and_stays_as_it_is(tmp_path):
    store = evalstore.open(tmp_path / "evals")
    for name in ("a", "b"):
        record(store, name)
    store.delete("b")
    with read_only_disk(tmp_path, tmp_path.parent / f"{tmp_path.name}-read-only") as folder:
        reader = evalstore.open(folder / "evals")
        assert reader.trash()["job"].to_list() == ["b"]
        for change in (lambda: reader.delete("a"), lambda: reader.restore("b"), lambda: reader.prune(trash=True)):
            with pytest.raises(OSError, match="Read-only"):
                change()
        assert names(reader) == ["a"]
        assert_all_whole(reader, ["a"])
    assert names(store) == ["a"]
    store.restore("b")
    assert_all_whole(store, ["a", "b"])


@pytest.mark.parametrize("is_buried", [False, True])
def test_a_catalog_made_anew_obeys_deletions(store, monkeypatch, is_buried):
    for name in ("a", "b"):
        record(store, name)
    if is_buried:
        for module in (trash, catalog):
            monkeypatch.setattr(module, "GRACE", 0.0)
    store.delete("a")
    left_out = store.rebuild().left_out
    assert [path for path, _ in left_out] == ([] if is_buried else ["default/a"])
    (store.root / "catalog.duckdb").unlink()
    assert names(store) == ["b"]
    assert ask_elsewhere(store.root, "SELECT DISTINCT job FROM row_scores") == [["b"]]
    store.restore("a")
    (store.root / "catalog.duckdb").unlink()
    assert names(store) == ["a", "b"]
    assert_clean(store)


def test_strange_files_in_the_trash_stop_nobody(store):
    record(store, "a")
    store.delete("a")
    for name, text in (
        ("x.json", "{"),
        ("y.json", '{"job_id": "z", "path": "../..", "deleted_at": "now", "reason": ""}'),
    ):
        (store.root / "trash" / name).write_text(text)
    (store.root / "trash/folder").mkdir()
    strange = {"job_id": "folder", "path": "/etc", "deleted_at": "2020-01-01T00:00:00+00:00", "reason": "deleted"}
    (store.root / "trash/folder/deleted.json").write_text(json.dumps(strange))
    record(store, "b")
    assert store.trash()["job"].to_list() == ["a"]
    store.prune(trash=True)
    store.restore("a")
    assert_all_whole(store, ["a", "b"])


# Crashes

DELETES = "def operation(store): store.delete('a', 'b')"
RESTORES = "def operation(store): store.restore('a')"
PRUNES = "def operation(store): store.prune(trash=True)"


def base_store(store, *, is_buried=True):
    """Three jobs, one of them deleted: its files in the trash, or still in place."""
    for name in ("a", "b", "c"):
        record(store, name, rows=2)
    store.compact()
    return store.root


EVERY = [pytest.param(23, id="short"), pytest.param(1, id="long", marks=[pytest.mark.slow, pytest.mark.timeout(1800)])]


@pytest.mark.parametrize("every", EVERY)
def test_a_death_at_any_step_of_a_deletion_leaves_each_job_there_or_deleted(store, every):
    root = base_store(store)
    seen = set()
    for number, copy in deaths(root, DELETES, every=every, first=1 + every // 2):
        other = evalstore.open(copy)
        there, gone = names(other), sorted(other.trash()["job"])
        assert sorted(there + gone) == ["a", "b", "c"], number
        seen.add(tuple(gone))
        assert_all_whole(other, there)
        assert_clean(other)
        for name in gone:
            other.restore(name)
        assert_all_whole(other, ["a", "b", "c"])
        shutil.rmtree(copy)
    assert seen >= {("a", "b")}


@pytest.mark.parametrize("every", EVERY)
@pytest.mark.parametrize(
    "is_buried",
    [
        True,
        False,
    ],
)
def test_a_death_at_any_step_of_restoring_loses_nothing(store, monkeypatch, is_buried, every):
    root = base_store(store)
    if is_buried:
        monkeypatch.setattr(trash, "GRACE", 0.0)
        monkeypatch.setattr(catalog, "GRACE", 0.0)
    store.delete("a")
    for number, copy in deaths(root, RESTORES, every=min(every, 4) if is_buried else every, first=2):
        other = evalstore.open(copy)
        if "a" not in names(other):
            assert names(other) == ["b", "c"], number
            assert other.restore("a") == "default/a", number
        assert_all_whole(other, ["a", "b", "c"])
        assert other.trash().is_empty()
        assert_clean(other)
        shutil.rmtree(copy)


@pytest.mark.parametrize("every", EVERY)
def test_a_death_at_any_step_of_pruning_leaves_a_job_restorable_or_gone_for_good(store, no_grace, every):
    root = base_store(store)
    job_id = store.show("a")["job_id"]
    store.delete("a")
    for _number, copy in deaths(root, PRUNES, every=every, first=1 + every // 2, grace=0.0):
        other = evalstore.open(copy)
        assert_all_whole(other, ["b", "c"])
        assert_clean(other)
        assert deleted(other) <= {job_id}
        other.prune(trash=True)
        assert other.trash().is_empty()
        assert list((other.root / "trash").iterdir()) == []
        assert not list(other.root.rglob(f"*{job_id}*"))
        assert_all_whole(other, ["b", "c"])
        assert_clean(other)
        shutil.rmtree(copy)


DELETES_AND_RESTORES = """
import random
from evalstore import catalog, deletion, trash
trash.GRACE = catalog.GRACE = 0.02
store = evalstore.open(root)
say("ready")
while True:
    name = f"job-{random.randrange(6):04}"
    try:
        if random.random() < 0.6:
            store.delete(name)
        else:
            store.restore(name)
    except (JobNotFound, JobExists):
        pass
"""


@pytest.mark.parametrize(
    "kills",
    [pytest.param(3, id="short"), pytest.param(100, id="long", marks=[pytest.mark.slow, pytest.mark.timeout(1800)])],
)
def test_kill_9_at_any_moment_of_deleting_and_restoring_loses_no_job(store, kills):
    record(store, "job")
    every = {"job", *copies(store, "job", 6)}
    gone: set[str] = set()
    for _ in range(kills):
        with Process(DELETES_AND_RESTORES, store.root) as process:
            process.wait_for("ready")
            time.sleep(random.uniform(0.05, 0.5))
            process.kill()
        looking = evalstore.open(store.root)
        there, gone = set(names(looking)), set(looking.trash()["job"])
        assert there | gone == every
        assert not there & gone
        assert_all_whole(looking)
        assert_clean(looking)
    for name in gone:
        store.restore(name)
    assert_all_whole(store, every)


# A storm

STORM_READER = f"""
store, looks = evalstore.open(root), 0
say("ready")
wait()
until = time.monotonic() + float(sys.argv[2])
while time.monotonic() < until:
    [(jobs, rows, torn)] = store.sql(\"\"\"{WHOLE}\"\"\").rows()
    assert torn == [], torn
    assert rows == 3 * jobs, (rows, jobs)
    looks += 1
say("looks", looks)
"""

STORM = """
store, deleted = evalstore.open(root), 0
names = sys.argv[3:]
say("ready")
wait()
began = time.monotonic()
while time.monotonic() - began < float(sys.argv[2]):
    deleted += len(store.delete(*names[deleted:deleted + 5]))
    time.sleep(max(0.0, began + deleted / 25 - time.monotonic()))
say("deleted", deleted, time.monotonic() - began)
"""


@pytest.mark.parametrize(
    ("seconds", "jobs", "least"),
    [
        pytest.param(2, 60, 0, id="short"),
        pytest.param(30, 800, 50, id="long", marks=[pytest.mark.slow, pytest.mark.timeout(600)]),
    ],
)
def test_no_error_and_no_wrong_answer_reaches_a_reader_in_a_storm_of_deletions(store, seconds, jobs, least):
    record(store, "job")
    more = copies(store, "job", jobs)
    with ExitStack() as stack:
        readers = [stack.enter_context(Process(STORM_READER, store.root, seconds)) for _ in range(4)]
        storm = stack.enter_context(Process(STORM, store.root, seconds, *more))
        for process in (storm, *readers):
            process.wait_for("ready")
        for process in (storm, *readers):
            process.go()
        _, changes, took = storm.end()[-1].split()
        looks = [int(reader.end()[-1].split()[1]) for reader in readers]
    assert int(changes) > least  # 25 a second where the machine keeps up
    assert all(looks)
    print(f"{changes} deletions in {took} s beside {sum(looks)} questions of 4 readers")
    assert_all_whole(evalstore.open(store.root))
    assert_clean(store)


def test_a_question_that_is_being_answered_keeps_its_files_when_the_job_is_deleted(store):
    record(store, "a", rows=2000)
    slow = """
    from evalstore import catalog
    store = evalstore.open(root)
    say("asking")
    say(store.sql("SELECT count(*), sum(a.value) FROM row_scores AS a, range(2000) AS b").rows())
    """
    with Process(slow, store.root) as reader:
        reader.wait_for("asking")
        time.sleep(0.05)
        store.delete("a")
        assert reader.wait_for("[(")[2:-2].split(",")[0] in ("4000000", "0")  # before, or after
