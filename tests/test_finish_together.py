"""Jobs that are committed together are what they would be each by itself, down to their files."""

import math

import pyarrow.parquet as pq
import pytest

import evalstore

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
            batch = store._open_batch()
            jobs = []
            for name, write in WRITERS.items():
                job = store._open_job(name, metrics=DECLARED, batch=batch if store is together else None)
                write(job)
                jobs.append(job)
            batch.commit()
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
    with store._open_batch() as batch:
        for n in range(2):
            plain(store._open_job(f"more-{n}", batch=batch))
        batch.commit()
    query = "SELECT job, count(*) AS n FROM row_scores WHERE job IN ('frame', 'alone', 'more-0', 'more-1') GROUP BY job"
    assert dict(store.sql(query).rows()) == {"frame": 3, "alone": 5, "more-0": 5, "more-1": 5}
