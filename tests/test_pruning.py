"""Pruning: what may go by series, age and status, what stays, and jobs that go on without their rows."""

import json
import shutil
from datetime import UTC, datetime, timedelta

import pytest

import evalstore
from evalstore import catalog, meta, trash
from evalstore.copying import drop_dead_copy
from evalstore.errors import JobExists, NotComparable, RowsDropped, StoreNotFound, UsageError
from tests.crashes import deaths
from tests.processes import Process, run
from tests.whole_jobs import assert_clean

NOW = datetime.now(UTC)


def put(store, name, *, days=0, rows=2, status="completed", **context):
    job = store.job(name, created_at=NOW - timedelta(days=days), **context)
    for n in range(rows):
        job.log(item={"q": n}, row_key=n, scores={"right": n % 2}, metadata={"kind": "a"})
    job.finish(status, RuntimeError("disk") if status == "error" else None)
    return job.job_id


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """Series: five of model a, two of b (one of them in a group), two that failed, one in another workspace."""
    root = tmp_path_factory.mktemp("pruning") / "evals"
    with evalstore.open(root) as store:
        for number in range(5):
            put(store, f"a-{number}", days=10 * number + 1, model="a", dataset="d")
        put(store, "b-0", days=35, model="b", dataset="d")
        put(store, "b-1", days=45, model="b", dataset="d", group="g")
        for number in range(2):
            put(store, f"bad-{number}", days=20 * number + 1, model="a", dataset="d", status="error")
        put(evalstore.open(root, workspace="lab"), "far", days=99)
        store.tag("a-3", add=["pinned"])
    meta.append(
        root, "baselines.jsonl", {"name": "main", "workspace": "default", "job_id": store.show("a-4")["job_id"]}
    )
    return root


@pytest.fixture
def store(filled, tmp_path):
    shutil.copytree(filled, tmp_path / "evals")
    with evalstore.open(tmp_path / "evals") as store:
        yield store


def names(store):
    return set(store.jobs(workspace="-")["name"])


# What may go


@pytest.mark.parametrize(
    ("which", "wanted", "kept"),
    [
        ({"keep_last": 2}, {"a-2"}, {"a-3", "a-4"}),
        ({"keep_last": 0}, {"a-0", "a-1", "a-2", "b-0", "b-1", "bad-0", "bad-1"}, {"a-3", "a-4"}),
        ({"keep_last": 1, "older_than": timedelta(days=15)}, {"a-2", "bad-1"}, {"a-3", "a-4"}),
        ({"older_than": timedelta(days=30)}, {"b-0", "b-1"}, {"a-3", "a-4"}),
        ({"older_than": timedelta(days=300_000)}, set(), set()),
        ({"status": "error"}, {"bad-0", "bad-1"}, set()),
        ({"status": ["error", "interrupted"], "keep_last": 1}, {"bad-1"}, set()),
        ({"status": "completed", "older_than": timedelta(days=40)}, {"b-1"}, {"a-4"}),
    ],
)
@pytest.mark.parametrize("rows_only", [False, True])
def test_what_fits_all_that_is_said_may_go_and_a_dry_run_does_nothing(filled, which, wanted, kept, rows_only):
    store = evalstore.open(filled)
    report = store.prune(**which, rows_only=rows_only, dry_run=True)
    assert {job["job"] for job in report.jobs} == wanted == set(report.to_polars()["job"])
    assert {job["job"] for job in report.kept} == kept
    assert len(report) == len(wanted)
    assert report.bytes == sum(job["bytes"] for job in report.jobs)
    assert (report.bytes > 0) == bool(wanted)
    reasons = {job["job"]: job["reason"] for job in report.kept}
    assert reasons.items() <= {"a-3": "tagged pinned", "a-4": "a baseline"}.items()
    assert len(names(store)) == 10
    assert store.trash().is_empty()


def test_pruned_jobs_lie_in_the_trash_and_come_back(store):
    report = store.prune(keep_last=1)
    gone = {"a-1", "a-2", "bad-1"}
    assert (report.action, report.dry_run) == ("delete", False)
    assert {job["job"] for job in report.jobs} == set(store.trash()["job"]) == gone
    assert names(store) == {"a-0", "a-3", "a-4", "b-0", "b-1", "bad-0", "far"}
    store.restore("a-2")
    assert "a-2" in names(store)
    assert_clean(store)
    assert json.loads(json.dumps(report.to_dict(), default=str))["bytes"] == report.bytes


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({}, "say what to prune: keep_last, older_than, status, or trash=True"),
        ({"rows_only": True}, "say what to prune"),
        ({"trash": True, "keep_last": 3}, "the trash is pruned by `older_than` only"),
        ({"trash": True, "rows_only": True}, "the trash is pruned by `older_than` only"),
        ({"keep_last": -1}, "keep_last is a number of jobs, not -1"),
        ({"keep_last": True}, "keep_last is a number of jobs, not True"),
        ({"status": "active"}, "a job ends as one of completed, error, interrupted, cancelled, not 'active'"),
    ],
)
def test_what_makes_no_sense_is_refused(filled, wrong, message):
    with pytest.raises(UsageError, match=message):
        evalstore.open(filled).prune(**wrong)


def test_without_a_store_there_is_nothing_to_prune(tmp_path):
    for how in ({"keep_last": 1}, {"trash": True}):
        with pytest.raises(StoreNotFound):
            evalstore.open(tmp_path / "none").prune(**how)
    assert list(tmp_path.iterdir()) == []


# Without rows


def test_a_job_goes_on_without_its_rows_and_all_else_is_as_it_was(store):
    store.tag("b-0", add=["paper"], note="as published")
    before, old = store.aggregate_scores("b-0").to_polars(), store.show("b-0")
    trends = [store.trend("right").drop("job_id"), store.trend().drop("job_id")]
    leaders = store.leaderboard("right").drop("job_id")
    report = store.prune(older_than=timedelta(days=30), rows_only=True)
    assert {job["job"] for job in report.jobs} == {"b-0", "b-1"}
    new = store.show("b-0")
    assert store.aggregate_scores("b-0").to_polars().equals(before)
    changed = {field for field in old if old[field] != new[field]}
    assert changed == {"job_id", "rows_dropped_at"}
    assert (new["tags"], new["notes"][0]["note"], new["rows_total"]) == (["paper"], "as published", 2)
    assert [store.trend("right").drop("job_id"), store.trend().drop("job_id")][0].equals(trends[0])
    assert store.trend().drop("job_id").equals(trends[1])
    assert store.leaderboard("right").drop("job_id").equals(leaders)
    for view in ("row_scores", "rows"):
        assert store.sql(f"SELECT count(*) FROM {view} WHERE job LIKE 'b-%'").item() == 0
    shown = {path.stat().st_size for path in (store.root / "jobs/default/b-0").glob(f"*-{new['job_id']}.parquet")}
    assert max(shown) < 1000
    assert store.prune(older_than=timedelta(days=30), rows_only=True).jobs == []
    assert_clean(store)
    assert [path for path, _ in store.rebuild().left_out] == []
    store.compact()
    assert_clean(store)
    assert store.trend().drop("job_id").equals(trends[1])


def test_a_job_without_rows_is_deleted_restored_and_gives_way_to_the_old_one(store):
    old = store.show("b-0")["job_id"]
    store.prune(older_than=timedelta(days=30), rows_only=True)
    store.delete("b-0")
    store.restore("b-0")
    assert store.show("b-0")["rows_dropped_at"] is not None
    with pytest.raises(JobExists, match="used again"):
        store.restore(old)
    store.delete("b-0")
    store.restore(old)
    assert len(store.row_scores("b-0")) == 2
    assert_clean(store)


def test_what_needs_rows_says_that_they_were_dropped(store, tmp_path):
    store.prune(older_than=timedelta(days=30), rows_only=True)
    for ask in (
        lambda: store.row_scores("b-0"),
        lambda: store.aggregate_scores("b-0", by="metadata.kind"),
        lambda: store.aggregate_scores("b-0", errors="zero"),
        lambda: store.export(["b-0"], "nemo", to=tmp_path),
    ):
        with pytest.raises(RowsDropped, match=r"the rows of job 'b-0' were dropped on 2.*; its aggregate scores are"):
            ask()
    for sides in (("b-0", "a-0"), ("a-0", "b-0"), ("b-0", "b-1")):
        with pytest.raises(NotComparable, match=r"the rows of job 'b-[01]' were dropped on 2.* row by row"):
            store.compare(*sides)
    verdict = store.gate("a-0", baseline="b-0", policy={"all": {"max_drop": 0.1}})
    assert verdict.outcome == "not comparable", verdict.message
    with pytest.raises(UsageError, match="cannot be resumed: its rows were dropped"):
        store.job("b-0", resume=True)
    put(store, "b-0", rows=3, overwrite=True)
    assert len(store.row_scores("b-0")) == 3
    assert_clean(store)


def test_a_job_that_is_being_written_anew_stays(store):
    job = store.job("b-0", overwrite=True)
    job.log(item=1, scores={"right": 1})
    report = store.prune(older_than=timedelta(days=30), rows_only=True)
    assert [one["job"] for one in report.jobs] == ["b-1"]
    assert [(one["job"], one["reason"]) for one in report.kept if one["job"] == "b-0"] == [("b-0", "being written")]
    job.finish()
    assert len(store.row_scores("b-0")) == 1
    assert_clean(store)


READS = """
store = evalstore.open(root)
say("ready")
wait()
for _ in range(12):
    found = store.sql("SELECT count(DISTINCT job_id), count(*) FROM row_scores WHERE workspace = 'default'").row(0)
    assert found[1] == 2 * found[0], found
    store.aggregate_scores("b-0")
say("done")
"""


def test_readers_are_not_disturbed(store):
    with Process(READS, store.root) as reader:
        reader.wait_for("ready")
        reader.go()
        store.prune(keep_last=1, rows_only=True)
        store.prune(older_than=timedelta(days=30), rows_only=True)
        reader.wait_for("done")
    assert_clean(store)


def test_the_old_rows_go_for_good_with_the_trash(store, monkeypatch):
    old = store.show("b-0")["job_id"]
    store.prune(older_than=timedelta(days=30), rows_only=True)
    for module in (trash, catalog):
        monkeypatch.setattr(module, "GRACE", 0.0)
    report = store.prune(trash=True)
    assert old in {job["job_id"] for job in report.jobs}
    assert report.bytes > 0
    assert not list(store.root.rglob(f"*{old}*"))
    assert store.trend("right", model="b")["mean"].to_list() == [0.5, 0.5]
    assert_clean(store)


# Crashes

DROPS = """
from datetime import timedelta
def operation(store): store.prune(keep_last=0, rows_only=True)
"""


@pytest.mark.parametrize(
    "every",
    [pytest.param(19, id="short"), pytest.param(1, id="long", marks=[pytest.mark.slow, pytest.mark.timeout(1800)])],
)
def test_a_death_at_any_step_leaves_the_job_with_its_rows_or_without(store, tmp_path, every):
    small = evalstore.open(tmp_path / "small")
    old = put(small, "a", days=3)
    put(small, "b", days=2, model="other")
    seen = set()
    for number, copy in deaths(small.root, DROPS, every=every, first=2):
        other = evalstore.open(copy)
        assert names(other) == {"a", "b"}, number
        shown = other.show("a")
        rows = other.sql("SELECT count(*) FROM rows WHERE job = 'a'").item()
        assert (rows, shown["job_id"] == old) == ((0, False) if shown["rows_dropped_at"] else (2, True)), number
        assert other.trend("right").height == 2
        assert other.sql("FROM interrupted_jobs").is_empty()
        assert_clean(other)
        seen.add(rows)
        other.prune(keep_last=0, rows_only=True)
        assert other.sql("SELECT count(*) FROM rows").item() == 0
        put(other, "a", overwrite=True, rows=1)
        assert_clean(other)
    assert seen == {0, 2}


def test_a_dead_copy_is_nobodys_job(store):
    run(
        """
        from evalstore import copying, row_dropping
        job_id = evalstore.open(root).show("b-0")["job_id"]
        copying.StagedJob.commit = lambda staged: os.kill(os.getpid(), signal.SIGKILL)
        row_dropping.drop_rows(evalstore.open(root).root, job_id, "default/b-0")
        """,
        store.root,
        exit_code=137,
    )
    left = store.root / "staging/default/b-0"
    assert left.exists()
    assert store.sql("FROM interrupted_jobs").is_empty()
    assert_clean(store)
    store.delete("b-0")
    store.restore("b-0")
    assert len(store.row_scores("b-0")) == 2
    drop_dead_copy(store.root, "default/b-0")
    drop_dead_copy(store.root, "default/b-0")
    assert not left.exists()
