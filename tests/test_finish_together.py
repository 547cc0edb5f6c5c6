"""Jobs that are committed together are what they would be each by itself, down to their files."""

import math
import shutil
import subprocess
import sys

import pyarrow.parquet as pq
import pytest

import evalstore
from evalstore.errors import JobExists

DECLARED = {"quality": {"minimum": 1, "maximum": 5}, "grade": {"rubric": [{"label": "bad"}, {"label": "good"}]}}


def plain(job):
    for n in range(5):
        job.log(item={"q": n}, row_key=n, scores={"m": n % 2 == 0}, latency=0.5, tags=["t"])


def odd(job):
    for n in range(6):
        job.log(item={"q": n % 3}, cluster=f"c{n % 2}", suite="é [*]?", scores={
            "quality": [1.5, math.nan, math.inf, 9, None, 2][n], "grade": ["good", "other"][n % 2],
            "rouge": [{"name": "a", "value": 1}, {"name": "a", "value": 2}],
        })  # fmt: skip
    job.log(item={"q": "x" * 100_000}, error="gone")
    job.log(item={"q": 9}, row_key="k", scores={"quality": ValueError("no")}, metadata={"a": 1})


def without_scores(job):
    job.log(item={"q": 1}, sample={"a": 1})


def without_rows(job):
    job.log_summary({"f1": 0.5})


WRITERS = {"plain": plain, "odd": odd, "without-scores": without_scores, "without-rows": without_rows}
TABLES = {
    "row_scores": "* EXCLUDE (job_id)",
    "rows": "* EXCLUDE (job_id)",
    "aggregate_scores": "* EXCLUDE (job_id)",
    "suites": "* EXCLUDE (job_id, created_at)",
    "job_scores": "* EXCLUDE (job_id, created_at)",
    "jobs": "name, status, rows_total, rows_scored, rows_unscored, rows_error, overall_score, pass_rate, total_events",
}


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    folder = tmp_path_factory.mktemp("together")
    with evalstore.open(folder / "alone") as alone, evalstore.open(folder / "together") as together:
        for store in (alone, together):
            with store._open_batches() as batches:
                jobs = []
                for name, write in WRITERS.items():
                    job = store._open_job(name, metrics=DECLARED, batches=batches if store is together else None)
                    write(job)
                    jobs.append(job)
                batches.commit_soon()
                batches.wait()
            for job in jobs:
                job.finish()  # of one that is finished, nothing
                assert job.status == "completed"
        yield (alone, together)


@pytest.mark.parametrize("table", TABLES)
def test_everything_says_the_same(stores, table):
    query = f"SELECT {TABLES[table]} FROM {table} ORDER BY ALL"
    one, other = (repr(store.sql(query).to_dicts()) for store in stores)  # NaN is NaN
    assert one == other


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("kind", ["rows", "scores"])
def test_files_have_the_same_columns(stores, name, kind):
    schemas = []
    for store in stores:
        [file] = (store.root / "jobs/default" / name).glob(f"{kind}-*.parquet")
        # A column that is nowhere null may say so or not: it is read the same.
        schemas.append([(column.name, str(column.type), column.metadata) for column in pq.read_schema(file)])
    assert schemas[0] == schemas[1]


def test_the_store_is_sound(stores):
    for store in stores:
        assert store.verify(), store.verify().errors
        assert list((store.root / "pending").iterdir()) == []


def test_a_job_alone_and_a_frame_after_many(stores):
    """The views behind what is written are those of the job in hand."""
    _, store = stores
    store.record("frame", [{"q": n % 2, "m": True} for n in range(3)], scores=["m"])
    with store.job("alone") as job:
        plain(job)
    with store._open_batches() as batches:
        for n in range(2):
            plain(store._open_job(f"more-{n}", batches=batches))
        batches.commit_soon()
        batches.wait()
    query = "SELECT job, count(*) AS n FROM row_scores WHERE job IN ('frame', 'alone', 'more-0', 'more-1') GROUP BY job"
    assert dict(store.sql(query).rows()) == {"frame": 3, "alone": 5, "more-0": 5, "more-1": 5}


def test_one_batch_is_committed_while_the_next_is_written(tmp_path):
    with evalstore.open(tmp_path / "evals") as store:
        with store._open_batches() as batches:
            for name in ("a", "b", "c"):
                plain(store._open_job(name, batches=batches))
                batches.commit_soon()
            plain(store._open_job("dropped", batches=batches))
        assert store.jobs()["name"].sort().to_list() == ["a", "b", "c"]
        assert [path.name for path in (store.root / "staging" / "default").iterdir()] == []
        assert list((store.root / "staging" / ".new").iterdir()) == []
        with store.job("dropped") as job:  # the name is free
            plain(job)


def test_a_batch_that_cannot_be_committed_takes_the_next_with_it(tmp_path):
    with evalstore.open(tmp_path / "evals") as store:
        with store._open_batches() as batches:
            for name in ("a", "b", "c"):
                plain(store._open_job(name, batches=batches))
            (store.root / "jobs/default/b/somebody").mkdir(parents=True)  # was faster
            batches.commit_soon()
            plain(store._open_job("d", batches=batches))
            with pytest.raises(JobExists, match="job 'b' exists"):
                batches.wait()
        shutil.rmtree(store.root / "jobs/default/b")
        assert store.jobs()["name"].to_list() == ["a"]
        for name in ("b", "c", "d"):
            with store.job(name) as job:
                plain(job)
        assert store.verify()


def test_a_job_of_a_batch_whose_writer_dies_leaves_nothing(tmp_path):
    code = f"""
import os, evalstore
store = evalstore.open({str(tmp_path / "evals")!r})
batches = store._open_batches()
job = store._open_job("a", batches=batches)
job.log(item={{"q": 1}}, scores={{"m": 1}})
os.kill(os.getpid(), 9)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    with evalstore.open(tmp_path / "evals") as store:
        assert store.sql("SELECT * FROM interrupted_jobs").is_empty()
        with store.job("a") as job:
            plain(job)
        assert store.jobs()["rows_total"].to_list() == [5]
