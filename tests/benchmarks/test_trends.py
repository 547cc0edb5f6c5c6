"""Trends over ten thousand jobs against a bare window over the same points, and what pruning and archives cost."""

from __future__ import annotations

import shutil
import statistics
import time
from pathlib import Path
from typing import Any

from tests.benchmarks import alone, figures

JOBS = figures.scaled(10_000)
ROWS = figures.scaled(1_000_000)
PUT_AWAY = max(1, figures.scaled(100))
TIMES = 5


def test_trends_of_many_jobs(tmp_path):
    from tests.benchmarks import big_stores  # here, so that the processes that are timed import it not

    root = tmp_path / "evals"
    big_stores.many_jobs(root, JOBS)
    asked, bare = alone.run(ask, root), alone.run(ask_bare, root)
    assert asked.value["points"] == bare.value["points"] > 0
    ratio = asked.value["seconds"] / bare.value["seconds"]
    figures.note(
        "trend",
        f"{ratio:.2f} x ({asked.value['seconds'] * 1000:.0f} ms)",
        missed=False,
        peak_mb=asked.peak_mb,
        ratio=ratio,
        seconds=asked.value["seconds"],
        bare_seconds=bare.value["seconds"],
    )


def test_dropping_rows(tmp_path):
    root = tmp_path / "evals"
    alone.run(record, root, PUT_AWAY)
    dropped = alone.run(drop, root)
    figures.note(
        "drop_rows",
        f"{1000 * dropped.value['seconds'] / PUT_AWAY:.1f} ms a job",
        missed=False,
        peak_mb=dropped.peak_mb,
        seconds=dropped.value["seconds"],
        jobs=dropped.value["jobs"],
    )


def test_an_archive(tmp_path):
    root = tmp_path / "evals"
    alone.run(record_large, root)
    away = alone.run(archive, root, tmp_path / "a.tar.zst")
    copied = alone.run(copy, root, tmp_path / "copy")
    ratio = away.value / copied.value
    figures.note(
        "archive",
        f"{ratio:.1f} x ({away.value:.2f} s)",
        missed=False,
        peak_mb=away.peak_mb,
        ratio=ratio,
        seconds=away.value,
        bare_seconds=copied.value,
    )


def timed(question: Any) -> tuple[float, Any]:
    """The median of some answers, and the last one."""
    took, answer = [], None
    for _ in range(TIMES + 1):
        started = time.perf_counter()
        answer = question()
        took.append(time.perf_counter() - started)
    return statistics.median(took[1:]), answer


def ask(root: str) -> dict[str, Any]:
    import evalstore

    store = evalstore.open(root)
    seconds, frame = timed(lambda: store.trend("metric-3", window="7d"))
    return {"seconds": seconds, "points": len(frame)}


BARE = """
SELECT
    job.workspace, job.dataset, job.model, a.suite, job.name, job.created_at, a.mean, a.std_error, a.rows_scored,
    lag(a.mean) OVER series AS previous,
    avg(a.mean) OVER of_late AS moving_mean,
    stddev_samp(a.mean) OVER of_late AS moving_std_dev
FROM aggregate_score AS a JOIN job USING (job_id)
WHERE job.status = 'completed' AND a.metric = 'metric-3'
WINDOW
    series AS (PARTITION BY job.workspace, job.dataset, job.model, a.suite ORDER BY job.created_at),
    of_late AS (
        PARTITION BY job.workspace, job.dataset, job.model, a.suite ORDER BY job.created_at
        RANGE BETWEEN INTERVAL 7 DAYS PRECEDING AND CURRENT ROW
    )
"""


def ask_bare(root: str) -> dict[str, Any]:
    import duckdb
    import polars as pl

    with duckdb.connect(str(Path(root) / "catalog.duckdb"), read_only=True) as database:
        seconds, frame = timed(lambda: pl.from_arrow(database.sql(BARE).to_arrow_table()))
    return {"seconds": seconds, "points": len(frame)}


def record(root: str, count: int) -> None:
    import evalstore

    store = evalstore.open(root)
    lines = [{"q": number, "ok": number % 3 == 0} for number in range(1000)]
    for number in range(count):
        store.record(f"job-{number}", lines, scores=["ok"], item=["q"], model="m", dataset="d")


def drop(root: str) -> dict[str, Any]:
    import evalstore

    store = evalstore.open(root)
    store.jobs()
    started = time.perf_counter()
    report = store.prune(keep_last=0, rows_only=True)
    return {"seconds": time.perf_counter() - started, "jobs": len(report)}


def record_large(root: str) -> None:
    import polars as pl

    import evalstore

    frame = pl.DataFrame({"q": pl.int_range(ROWS, eager=True)}).with_columns(ok=pl.col("q") % 3 == 0)
    evalstore.open(root).record("large", frame, scores=["ok"], item=["q"])


def archive(root: str, to: str) -> float:
    import evalstore

    store = evalstore.open(root)
    store.jobs()
    started = time.perf_counter()
    store.archive(["large"], to=to)
    return time.perf_counter() - started


def copy(root: str, to: str) -> float:
    started = time.perf_counter()
    shutil.copytree(Path(root) / "jobs/default/large", to)
    return time.perf_counter() - started
