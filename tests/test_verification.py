"""Verifying a store and making its catalog anew: every kind of damage is found and named, and nothing that is well."""

import json
import shutil
import time
from contextlib import ExitStack

import duckdb
import pytest

import evalstore
from evalstore import catalog, trash
from tests.processes import Process, read_only_disk, run
from tests.whole_jobs import assert_clean, copies, record

VIEWS = ["jobs", "results", "aggregate_scores", "suites", "suite_metrics", "row_scores", "rows", "leaderboard",
         "suite_trend", "metric_trend", "model_costs", "failures"]  # fmt: skip


def answers(store):
    """What every view says."""
    return {view: sorted(repr(line) for line in store.sql(f"FROM {view}").rows()) for view in VIEWS}


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A store that has seen everything: every kind of job, a deleted, a replaced and an interrupted one, segments."""
    store = evalstore.open(tmp_path_factory.mktemp("original") / "evals")
    store.metrics.declare("quality", minimum=1, maximum=5, higher_is_better=False)
    for name in ("a", "b", "c"):
        record(store, name)
    store.compact()
    with store.job("odd", model="m", dataset="d", tags=["t"], config={"x": 1}) as job:
        job.log(item=1, scores={"quality": float("nan"), "label": "good", "many": [1, 2, None]}, suite="s", cost=0.5)
        job.log(item=2, error="too late")
    with pytest.raises(ZeroDivisionError), store.job("failed", model="m") as job:
        raise ZeroDivisionError
    record(evalstore.open(store.root, workspace="lab"), "a")
    with store.job("empty"):
        pass
    record(store, "b", 2, overwrite=True)
    store.delete("c")
    code = "job = evalstore.open(root).job('cut', model='m')\njob.log(item=1)\nos.kill(os.getpid(), 9)"
    run(code, store.root, exit_code=137)
    return store


@pytest.fixture
def store(original, tmp_path):
    """A copy of it, at home in its folder."""
    shutil.copytree(original.root, tmp_path / "evals")
    with evalstore.open(tmp_path / "evals") as store:
        store.rebuild()
        yield store


JOBS = ["a", "a", "b", "empty", "failed", "odd"]


def found(store, **options):
    return {(one.severity, one.path) for one in store.verify(**options).findings}


NOTES = {("note", "staging/default/cut")}


def scores_of(store, name="a"):
    [file] = (store.root / "jobs/default" / name).glob(f"scores-{store.show(name)['job_id']}.parquet")
    return file


# A store that is well


def test_a_store_that_has_seen_everything_is_clean_and_what_was_interrupted_is_a_note(store):
    seen: list[int] = []
    verification = store.verify(progress=seen.append)
    assert verification
    assert found(store) == found(store, checksums=False) == NOTES
    assert (verification.jobs, seen) == (6, list(range(1, 7)))  # not the deleted one, which still lies in place
    assert verification.bytes["catalog"] == (store.root / "catalog.duckdb").stat().st_size
    assert verification.bytes["jobs"] > verification.bytes["trash"] > 0
    assert verification.to_dict()["ok"] is True
    assert verification.to_polars()["severity"].to_list() == ["note"]
    assert store.finish("cut") == 1
    assert found(store) == set()
    store.compact()
    store.delete("a", "odd")
    assert found(store) == set()


def test_a_job_is_clean_whichever_step_its_writer_died_at(store):
    for step in ("before-marker", "before-rename", "after-rename", "before-publish", "after-publish"):
        code = "with evalstore.open(root).job(sys.argv[2]) as job:\n    job.log(item=1, scores={'s': 1})"
        run(code, store.root, step, EVALSTORE_FAULT=step, exit_code=137)
    assert_clean(store)
    assert set(store.jobs()["name"]) == {*JOBS, "after-rename", "before-publish", "after-publish"}


def test_a_store_that_can_only_be_read_is_verified(store, tmp_path):
    with read_only_disk(tmp_path, tmp_path.parent / f"{tmp_path.name}-read-only") as folder:
        assert evalstore.open(folder / "evals").verify()


WRITES = """
store = evalstore.open(root)
say("ready")
number = 0
while True:
    number += 1
    for more in ({}, {"overwrite": True}):
        with store.job(f"{sys.argv[2]}-{number % 20}", **({"overwrite": True} if number > 20 else more)) as job:
            for i in range(3):
                job.log(item=i, scores={"right": i % 2}, row_key=i)
"""

DELETES = """
from evalstore import catalog, trash
trash.GRACE = catalog.GRACE = 0.1
store = evalstore.open(root)
say("ready")
while True:
    for name in ("a", "b", "odd", "failed"):
        store.delete(name)
        time.sleep(0.01)
        store.restore(name)
    if os.getpid() % 2:
        store.prune(trash=True)
"""


@pytest.mark.parametrize(
    "seconds",
    [pytest.param(3, id="short"), pytest.param(90, id="long", marks=[pytest.mark.slow, pytest.mark.timeout(600)])],
)
def test_nothing_false_is_said_while_others_write_and_delete(store, seconds):
    with ExitStack() as stack:
        processes = [stack.enter_context(Process(WRITES, store.root, f"w{n}")) for n in range(2)]
        processes.append(stack.enter_context(Process(DELETES, store.root)))
        for process in processes:
            process.wait_for("ready")
        until, looks = time.monotonic() + seconds, 0
        while time.monotonic() < until:
            verification = store.verify()
            assert verification, verification.errors
            looks += 1
        for process in processes:
            process.kill()
            assert process.errors() == ""
    print(f"{looks} looks in {seconds} s")
    assert_clean(store)


# Damage


def flip_a_byte(file):
    content = bytearray(file.read_bytes())
    content[12] ^= 0x40  # in the first page
    file.write_bytes(content)


def put_rows(file):
    duckdb.sql(f"COPY (SELECT * FROM '{file}' LIMIT 1) TO '{file}.other' (FORMAT parquet)")
    shutil.move(f"{file}.other", file)


DOCUMENTS = {
    "gone": lambda file: file.unlink(),
    "empty": lambda file: file.write_bytes(b""),
    "garbage": lambda file: file.write_bytes(b"\xff\x00garbage"),
    "another job's": lambda file: shutil.copy(file.parent.parent / "b/job.json", file),
    "lacks files": lambda file: file.write_text(json.dumps({**json.loads(file.read_text()), "files": {}})),
}


@pytest.mark.parametrize("damage", DOCUMENTS)
def test_a_damaged_document_is_found(store, damage):
    DOCUMENTS[damage](store.root / "jobs/default/a/job.json")
    verification = store.verify()
    assert not verification
    assert {one.path for one in verification.errors} == {"jobs/default/a"}
    assert all("rebuild" in one.message or "put the file back" in one.message for one in verification.errors)


FILES = {
    "gone": (lambda file: file.unlink(), "is not there"),
    "cut": (lambda file: file.write_bytes(file.read_bytes()[:-7]), "bytes"),
    "garbage": (lambda file: file.write_bytes(b"x" * file.stat().st_size), "cannot be read"),
    "other rows": (put_rows, "when the job was committed"),
    "a folder": (lambda file: (file.unlink(), file.mkdir()), "when the job was committed"),
}


@pytest.mark.parametrize("damage", FILES)
def test_a_damaged_parquet_file_is_found_also_without_checksums(store, damage):
    file = scores_of(store)
    act, message = FILES[damage]
    act(file)
    for checksums in (True, False):
        verification = store.verify(checksums=checksums)
        assert not verification
        own = [one for one in verification.errors if one.path == f"jobs/default/a/{file.name}"]
        assert len(own) == 1
        assert message in own[0].message
        assert {one.path for one in verification.errors} - {own[0].path} <= {
            f"segments/{path.name}" for path in (store.root / "segments").iterdir()
        }
    assert not store.verify().to_dict()["ok"]


def test_a_flipped_byte_is_found_by_checksum(store):
    rows = scores_of(store).with_name(scores_of(store).name.replace("scores", "rows"))
    flip_a_byte(rows)
    verification = store.verify()
    assert [one.path for one in verification.errors] == [f"jobs/default/a/{rows.name}"]
    assert "another content" in verification.errors[0].message


def tamper(store, *statements):
    """Puts a catalog in place in which somebody has changed something."""
    draft = store.root.with_name("tampered.duckdb")
    shutil.copy(store.root / "catalog.duckdb", draft)
    draft.chmod(0o644)
    with duckdb.connect(str(draft)) as connection:
        for statement in statements:
            connection.execute(statement)
    draft.chmod(0o444)
    draft.rename(store.root / "catalog.duckdb")


def assert_verify_finds(store, path):
    verification = store.verify()
    assert not verification
    assert {one.path for one in verification.errors} == {path}
    store.rebuild()
    assert_clean(store)


ODD = "(SELECT job_id FROM job WHERE name = 'odd')"


@pytest.mark.parametrize(
    "statement",
    [
        f"DELETE FROM aggregate_score WHERE job_id = {ODD} AND metric = 'label'",
        f"DELETE FROM score_file WHERE job_id = {ODD}",
        "DELETE FROM job WHERE name = 'odd'",
        "UPDATE job SET status = 'completed', tags = [] WHERE name = 'odd'",
        f"UPDATE aggregate_score SET mean = 0.5 WHERE job_id = {ODD}",
        f"INSERT INTO aggregate_score SELECT * FROM aggregate_score WHERE job_id = {ODD} LIMIT 1",
    ],
)
def test_a_catalog_that_says_something_else_than_the_folders_is_found(store, statement):
    tamper(store, statement)
    assert_verify_finds(store, "jobs/default/odd")


@pytest.mark.parametrize("statement", [
    "DELETE FROM segment_job WHERE rowid = (SELECT min(rowid) FROM segment_job)", "DELETE FROM metric"])  # fmt: skip
def test_a_catalog_that_lacks_a_line_of_a_segment_or_a_declaration_is_found(store, statement):
    tamper(store, statement)
    assert not store.verify()


def test_a_job_that_the_catalog_shows_and_that_is_gone_is_found(store):
    shutil.rmtree(store.root / "jobs/default/odd")
    assert_verify_finds(store, "jobs/default/odd")


def test_a_catalog_that_is_gone_or_garbage_is_made_anew(store):
    before = answers(store)
    for damage in (lambda file: file.unlink(), lambda file: (file.unlink(), file.write_bytes(b"garbage" * 1000))):
        damage(store.root / "catalog.duckdb")
        store.verify()
        assert answers(store) == before
        assert_clean(store)


def test_a_tombstone_that_cannot_be_read_is_found(store):
    job_id = store.show("a")["job_id"]
    (store.root / f"trash/{job_id}.json").write_text("{")
    store.rebuild()
    assert_verify_finds_tombstone(store, job_id)
    (store.root / f"trash/{job_id}.json").unlink()
    store.rebuild()
    assert store.has_job("a")
    assert_clean(store)


def assert_verify_finds_tombstone(store, job_id):
    assert not store.has_job("a")
    assert [one.path for one in store.verify().errors] == [f"trash/{job_id}.json"]


def test_a_segment_with_other_content_is_found_and_may_be_deleted(store):
    before = answers(store)
    [segment] = (store.root / "segments").glob("*.parquet")
    question = f"SELECT decode(value) FROM parquet_kv_metadata('{segment}') WHERE decode(key) = 'evalstore'"
    with duckdb.connect() as plain:
        [(text,)] = plain.sql(question).fetchall()
        plain.sql(
            f"COPY (SELECT * REPLACE (value + 1 AS value) FROM '{segment}') TO '{segment}' "
            f"(FORMAT parquet, KV_METADATA {{evalstore: '{text}'}})"
        )
    verification = store.verify()
    assert [one.path for one in verification.errors] == [f"segments/{segment.name}"]
    assert store.verify(checksums=False)
    segment.unlink()
    assert answers(store) == before
    assert_clean(store)


def test_what_belongs_to_nobody_is_a_note(store):
    (store.root / "notes.txt").write_text("mine")
    (store.root / "jobs/default/a/extra.txt").write_text("mine")
    (store.root / "pending/x.json").write_text("{")
    with (store.root / "meta/metrics.jsonl").open("a") as file:
        file.write('{"workspace": "def')
    assert found(store) == NOTES | {
        ("note", "notes.txt"), ("note", "jobs/default/a/extra.txt"), ("note", "pending/x.json"),
        ("note", "meta/metrics.jsonl:2"),
    }  # fmt: skip
    assert store.verify()


# Rebuilding


def test_a_catalog_made_anew_answers_as_the_old_one_did(store):
    before = answers(store)
    store.rebuild()
    assert answers(store) == before
    (store.root / "catalog.duckdb").unlink()
    assert answers(store) == before
    (store.root / "catalog.duckdb").unlink()
    assert store.rebuild().jobs == len(JOBS)
    assert answers(evalstore.open(store.root)) == before
    [declared] = store.metrics.in_force()
    assert (declared["metric"], declared["higher_is_better"]) == ("quality", False)
    assert_clean(store)


def test_folders_copied_in_from_another_store_are_taken_up_and_nothing_is_overwritten(store, tmp_path):
    other = evalstore.open(tmp_path / "other")
    for name in ("new", "a", "broken"):
        record(other, name, base=5)
    before = store.show("a")["job_id"]
    shutil.copytree(other.root / "jobs/default/new", store.root / "jobs/guest/new")  # another workspace
    shutil.copytree(other.root / "jobs/default/new", store.root / "jobs/default/new")
    shutil.copytree(other.root / "jobs/default/a", store.root / "jobs/default/a-of-others")
    shutil.copytree(store.root / "jobs/default/a", store.root / "jobs/default/a-again")
    shutil.copytree(other.root / "jobs/default/broken", store.root / "jobs/default/broken")
    (store.root / "jobs/default/broken/job.json").write_text("{")
    rebuilt = store.rebuild()
    reasons = dict(rebuilt.left_out)
    reasons.pop("default/c", None)  # deleted, and buried ten seconds later
    assert reasons.keys() == {"guest/new", "default/a-of-others", "default/a-again", "default/broken"}
    assert "is that of job default/a" in reasons["default/a-of-others"]
    assert "adopt" in reasons["default/a-again"]
    assert "cannot be read" in reasons["default/broken"]
    assert sorted(store.jobs(workspace="-")["name"]) == sorted([*JOBS, "new"])
    assert rebuilt.jobs == len(JOBS) + 1
    assert store.show("a")["job_id"] == before
    assert {one.path for one in store.verify().errors} == {f"jobs/{path}" for path in reasons}
    adopted = store.rebuild(adopt=True)
    assert adopted.adopted == ["default/a-of-others"]
    assert dict(adopted.left_out).keys() - {"default/c"} == {"guest/new", "default/a-again", "default/broken"}
    assert store.show("a")["job_id"] == before
    assert store.show("a-of-others")["job_id"] == other.show("a")["job_id"]
    assert store.sql("SELECT sum(value) FROM row_scores WHERE job = 'a-of-others'").item() == 16
    for path in ("guest/new", "default/a-again", "default/broken"):
        shutil.rmtree(store.root / "jobs" / path)
    assert_clean(store)


def test_of_two_copies_of_a_job_the_one_that_is_said_to_be_left_out_is_left_out(store):
    shutil.copytree(store.root / "jobs/default/a", store.root / "jobs/default/z")
    file = store.root / "jobs/default/z/job.json"
    file.write_text(file.read_text().replace('"name":"a"', '"name":"z"'))
    reasons = dict(store.rebuild().left_out)
    assert "copy of job default/a" in reasons["default/z"]
    assert store.has_job("a")
    assert not store.has_job("z")


def test_a_moved_store_is_at_home_again_after_rebuild(store, tmp_path):
    moved = tmp_path / "elsewhere"
    store.root.rename(moved)
    other = evalstore.open(moved)
    other.rebuild()
    with duckdb.connect(str(moved / "catalog.duckdb"), read_only=True) as plain:
        assert plain.sql("SELECT count(DISTINCT job_id) FROM row_scores").fetchall() == [(4,)]
    assert_clean(other)


def test_the_trash_is_verified_too_when_its_files_have_been_moved(store, monkeypatch):
    for module in (trash, catalog):
        monkeypatch.setattr(module, "GRACE", 0.0)
    record(store, "more")
    copies(store, "more", 3)
    assert found(store) == NOTES
    assert set(store.trash()["job"]) == {"b", "c"}
