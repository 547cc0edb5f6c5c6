"""Claiming, giving back and taking over a name: nothing that was logged is lost, and no name is locked for ever."""

import fcntl
import shutil
import threading
from types import SimpleNamespace

import pytest

import evalstore
from evalstore import catalog, staging, trash
from evalstore.errors import JobBusy, JobExists, JobNotFound
from evalstore.staging import interrupted_jobs
from tests.processes import Process
from tests.whole_jobs import assert_all_whole, assert_clean, record

WRITES = """
job = evalstore.open(root).job("cut", resume=len(sys.argv) > 2)
job.log(item=1, scores={"right": 1}, row_key="one")
say("logged")
wait()
"""


@pytest.fixture
def store(tmp_path):
    with evalstore.open(tmp_path / "evals") as store:
        yield store


def interrupt(store):
    with Process(WRITES, store.root) as writer:
        writer.wait_for("logged")
        writer.kill()


def keys(store, name):
    return sorted(row.row_key for row in store.row_scores(name))


def test_a_committed_job_that_is_not_published_is_resumed_without_losing_a_row(store):
    record(store, "other")
    with (store.root / "writer.lock").open("rb+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # nobody can publish
        record(store, "a")
        job = store.job("a", resume=True)
        job.log(item="new", scores={"right": 1}, row_key="new")
    assert len(evalstore.open(store.root).jobs()) == 2  # publishes what is pending
    job.log(item="newer", scores={"right": 1}, row_key="newer")
    job.finish()
    assert {"new", "newer"} < set(keys(store, "a"))
    assert len(keys(store, "a")) == 5
    assert_clean(store)


def test_who_takes_a_name_that_is_given_back_keeps_it(store, monkeypatch):
    record(store, "a")
    taken: list[evalstore.Job] = []

    def remove(folder, **options):
        if not taken:
            taken.append(evalstore.open(store.root).job("a", resume=True))
            taken[0].log(item="new", scores={"right": 1}, row_key="new")
        shutil.rmtree(folder, **options)

    monkeypatch.setattr(staging, "shutil", SimpleNamespace(rmtree=remove))
    store.job("a", resume=True).finish()  # nothing is new: the name is given back
    [job] = taken
    job.log(item="newer", scores={"right": 1}, row_key="newer")
    job.finish()
    assert {"new", "newer"} < set(keys(store, "a"))
    assert_clean(store)


@pytest.mark.parametrize("point", ["before-claim", "after-claim", "removing"])
@pytest.mark.parametrize("how", ["finish", "resume", "overwrite", "anew"])
def test_a_death_while_a_name_is_claimed_or_given_back_locks_nobody_out(store, point, how):
    record(store, "other")
    ends = "job.abandon()" if point == "removing" else ""
    code = f"import os\nos.environ['EVALSTORE_FAULT'] = {point!r}\njob = evalstore.open(root).job('a')\n{ends}"
    with Process(code, store.root) as writer:
        assert writer.wait() == 137
    claimed = point == "after-claim"
    assert len(interrupted_jobs(store.root)) == claimed
    if how == "finish":
        if claimed:
            assert store.finish("a") == 0
        else:
            with pytest.raises(JobNotFound):
                store.finish("a")
    elif how == "anew" and claimed:
        with pytest.raises(JobExists, match="evalstore finish a"):
            store.job("a")
    else:
        with store.job("a", **{how: True} if how != "anew" else {}) as job:
            job.log(item=1, scores={"right": 1})
        assert len(keys(store, "a")) == 1
    assert_clean(store)


@pytest.mark.parametrize("how", ["finish", "resume"])
def test_a_death_while_a_job_is_taken_up_again_loses_none_of_its_rows(store, how):
    record(store, "a")
    code = "import os\nos.environ['EVALSTORE_FAULT'] = 'after-claim'\nevalstore.open(root).job('a', resume=True)"
    with Process(code, store.root) as writer:
        assert writer.wait() == 137
    if how == "finish":
        assert store.finish("a") == 3
    else:
        with store.job("a", resume=True) as job:
            assert job.has("0")
    assert len(keys(store, "a")) == 3
    assert_clean(store)


def test_who_looks_at_interrupted_jobs_is_not_taken_for_their_writer(store):
    interrupt(store)
    stopped = threading.Event()

    def look():
        while not stopped.is_set():
            interrupted_jobs(store.root)

    lookers = [threading.Thread(target=look) for _ in range(3)]
    for looker in lookers:
        looker.start()
    try:
        for number in range(60):
            job = store.job("cut", resume=True)
            job.log(item=number, row_key=f"row {number}")
            job._staged.release()  # as if its writer had died
    finally:
        stopped.set()
        for looker in lookers:
            looker.join()
    assert store.finish("cut") == 61


def test_a_job_that_is_being_written_is_still_busy(store):
    with Process(WRITES, store.root) as writer:
        writer.wait_for("logged")
        with pytest.raises(JobBusy):
            store.job("cut", resume=True)
        with pytest.raises(JobBusy):
            store.finish("cut")


def test_a_job_copied_in_under_the_name_of_an_interrupted_one_makes_way_when_it_is_deleted(store, tmp_path):
    interrupt(store)
    with evalstore.open(tmp_path / "other") as other:
        record(other, "cut")
    shutil.copytree(tmp_path / "other/jobs/default/cut", store.root / "jobs/default/cut")
    store.rebuild()
    with pytest.raises(JobExists, match="evalstore delete cut"):
        store.finish("cut")
    store.delete("cut")
    assert store.finish("cut") == 1
    assert keys(store, "cut") == ["one"]
    [deleted] = store.trash()["job_id"]
    store.delete("cut")
    store.restore(deleted)
    assert len(keys(store, "cut")) == 3
    assert_clean(store)


# Damaged, deleted and copied


@pytest.mark.parametrize("damage", ["cut", "gone"])
def test_a_job_whose_document_is_damaged_can_be_deleted_and_restored_with_its_files(store, monkeypatch, damage):
    for module in (trash, catalog):
        monkeypatch.setattr(module, "GRACE", 0.0)
    record(store, "a")
    document = store.root / "jobs/default/a/job.json"
    content = document.read_bytes()
    document.write_text("{") if damage == "cut" else document.unlink()
    store.delete("a")
    record(store, "b")  # a publication
    assert not document.parent.exists()
    store.restore("a")
    assert len(list(document.parent.glob("*.parquet"))) == 2
    document.write_bytes(content)
    store.rebuild()
    assert_all_whole(store, ["a", "b"])
    assert_clean(store)


def test_a_job_put_back_from_a_copy_can_be_deleted_again(store, monkeypatch, tmp_path):
    for module in (trash, catalog):
        monkeypatch.setattr(module, "GRACE", 0.0)
    record(store, "a")
    shutil.copytree(store.root / "jobs/default/a", tmp_path / "copy")
    store.delete("a")
    record(store, "b")
    assert (store.root / "trash").exists()
    shutil.copytree(tmp_path / "copy", store.root / "jobs/default/a")
    store.rebuild()
    assert_all_whole(store, ["a", "b"])
    store.delete("a")
    record(store, "c")
    store.rebuild()
    assert_all_whole(store, ["b", "c"])
    store.restore("a")
    assert_all_whole(store, ["a", "b", "c"])
    assert_clean(store)


def test_a_job_copied_over_another_one_is_listed(store, tmp_path):
    old = record(store, "a")
    with evalstore.open(tmp_path / "other") as other:
        record(other, "a")
    shutil.copytree(tmp_path / "other/jobs/default/a", store.root / "jobs/default/a", dirs_exist_ok=True)
    [(path, reason)] = store.rebuild().left_out
    assert path == "default/a"
    assert old in reason


def test_the_damaged_file_of_a_compacted_job_is_named_and_the_sound_segment_is_not(store):
    for name in "abc":
        record(store, name)
    assert store.compact().segments == 1
    [file] = (store.root / "jobs/default/b").glob("scores-*.parquet")
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 255
    file.write_bytes(content)
    assert [one.path for one in store.verify().errors] == [str(file.relative_to(store.root))]


def test_a_job_whose_document_cannot_be_read_is_not_said_to_be_nowhere(store):
    record(store, "a")
    (store.root / "jobs/default/a/job.json").write_text("{")
    (store.root / "catalog.duckdb").unlink()
    with pytest.raises(JobNotFound, match="cannot be read"):
        store.show("a")


def test_a_failed_publication_leaves_no_draft(store, monkeypatch):
    record(store, "a")

    def fail(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(catalog.Catalog, "_write", fail)
    record(store, "b")
    assert not (store.root / "next.duckdb").exists()
    monkeypatch.undo()
    assert_all_whole(store, ["a", "b"])
