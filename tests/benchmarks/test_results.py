"""Results out of a hundred thousand jobs with ten aggregates each: pages, filters on scores, walks; and MLflow."""

from __future__ import annotations

import statistics
import time
from typing import Any

import pytest

from tests.benchmarks import alone, figures
from tests.benchmarks.mlflow_runner import median, mlflow_search

MLFLOW = alone.ROOT / ".venv-mlflow" / "bin" / "python"
JOBS = figures.scaled(100_000)
RUNS = figures.scaled(5_000)
PAGES = 100
STATISTIC = "scores.metric-3.mean"
BARE = """
    WITH found AS (
        SELECT job.job_id, job.created_at, score.mean, count(*) OVER () AS total
        FROM job INNER JOIN aggregate_score AS score USING (job_id)
        WHERE job.workspace = 'default' AND job.status = 'completed' AND score.name = 'metric-3' AND score.mean >= 0.25
        ORDER BY score.mean DESC, job.job_id LIMIT 25
    )
    SELECT found.total, found.mean AS key, job.*, score.*
    FROM found INNER JOIN job USING (job_id) INNER JOIN aggregate_score AS score USING (job_id)
    ORDER BY key DESC, job.job_id
"""


def test_results(tmp_path):
    from tests.benchmarks import big_stores  # here, so that the processes that are timed import it not

    root = tmp_path / "evals"
    big_stores.many_jobs(root, JOBS)
    alone.run(publish, root)
    measure(root)


def measure(root):
    cold = alone.run(first_pages, root)
    figures.note(
        "results_page",
        f"{cold.value['cold'] * 1000:.0f} ms, then {cold.value['warm'] * 1000:.1f} ms",
        missed=cold.value["cold"] > 0.050 or cold.value["warm"] > 0.015,
        peak_mb=cold.peak_mb,
        seconds=cold.value["cold"],
        warm_seconds=cold.value["warm"],
    )
    ours, bare = alone.run(filtered, root), alone.run(bare_filtered, root)
    assert ours.value["found"] == pytest.approx(bare.value["found"])
    ratio = ours.value["seconds"] / bare.value["seconds"]
    figures.note(
        "results_filter",
        f"{ratio:.2f} x ({ours.value['seconds'] * 1000:.0f} ms)",
        missed=ratio > 1.5,
        peak_mb=ours.peak_mb,
        ratio=ratio,
        seconds=ours.value["seconds"],
        bare_seconds=bare.value["seconds"],
    )
    walked = alone.run(walk, root)
    growth = walked.value["last"] / walked.value["first"]
    figures.note(
        "results_walk",
        f"{walked.value['seconds'] / walked.value['pages'] * 1000:.0f} ms a page, the last as the first x {growth:.2f}",
        missed=growth > 1.5,
        peak_mb=walked.peak_mb,
        ratio=growth,
        seconds=walked.value["seconds"],
        pages=walked.value["pages"],
    )


@pytest.mark.skipif(not MLFLOW.exists(), reason="`make bench` installs MLflow, for the benchmark only")
def test_search_of_mlflow_for_comparison(tmp_path):
    searched = alone.run(mlflow_search, tmp_path, RUNS, python=MLFLOW)
    figures.note(
        "results_mlflow",
        f"{searched.value * 1000:.0f} ms",
        missed=False,
        peak_mb=searched.peak_mb,
        seconds=searched.value,
    )


def publish(root: str) -> None:
    import evalstore

    assert evalstore.open(root).sql("SELECT count(*) FROM jobs").item() == JOBS


def first_pages(root: str) -> dict[str, float]:
    import duckdb  # noqa: F401
    import pyarrow  # noqa: F401, ICN001

    import evalstore.result_pages
    import evalstore.results
    import evalstore.store

    started = time.perf_counter()
    store = evalstore.open(root)
    assert len(store.results.list(page_size=25).data) == min(JOBS, 25)
    cold = time.perf_counter() - started
    return {"cold": cold, "warm": median(lambda: store.results.list(page_size=25).data)}


def filtered(root: str) -> dict[str, Any]:
    import evalstore

    store = evalstore.open(root)

    def ask() -> Any:
        return store.results.list({STATISTIC: {"$gte": 0.25}}, sort=f"-{STATISTIC}", page_size=25)

    page = ask()
    means = [score.mean for result in page.data for score in result.scores if score.name == "metric-3"]
    return {"seconds": median(ask), "found": [page.pagination.total_results, *means]}


def bare_filtered(root: str) -> dict[str, Any]:
    import duckdb

    with duckdb.connect(f"{root}/catalog.duckdb", read_only=True) as database:
        table = database.sql(BARE).to_arrow_table()
        means = table.column("key").to_pylist()[::10]
        found = [table.column("total")[0].as_py(), *means]
        return {"seconds": median(lambda: database.sql(BARE).to_arrow_table()), "found": found}


def walk(root: str) -> dict[str, Any]:
    """Pages of 100, one after the other, as iterating fetches them."""
    import evalstore

    results = iter(evalstore.open(root).results.list(page_size=100))
    took = []
    for _ in range(min(PAGES, JOBS // 101)):
        started = time.perf_counter()
        for _ in range(100):
            next(results)
        took.append(time.perf_counter() - started)
    tenth = max(1, len(took) // 10)
    first, last = statistics.median(took[:tenth]), statistics.median(took[-tenth:])
    return {"seconds": sum(took), "pages": len(took), "first": first, "last": last}
