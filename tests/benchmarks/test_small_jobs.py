"""Eight processes that commit fifty small jobs each, against eight that write and fsync the two files of such jobs."""

from __future__ import annotations

import os
import shutil
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest

import evalstore
from tests.benchmarks import alone, big_stores, figures

if TYPE_CHECKING:
    from collections.abc import Callable

PROCESSES = 8
JOBS = figures.scaled(50)


@pytest.mark.parametrize(("name", "before"), [("empty", 0), ("1000", 1000), ("20000", 20_000)])
def test_committing_small_jobs(tmp_path, name, before):
    root = tmp_path / "evals"
    if before:
        big_stores.many_jobs(root, figures.scaled(before))
        with evalstore.open(root) as store:
            assert store.sql("SELECT count(*) FROM jobs").item() == figures.scaled(before)
    seconds, finishes, peak = at_once(commit_jobs, root)
    with evalstore.open(root) as store:
        [stored] = store.sql("SELECT count(*) AS stored FROM jobs WHERE dataset = 'default/small'")["stored"]
    bare_seconds, copies, _ = at_once(copy_files, tmp_path)
    median, late = statistics.median(finishes), finishes[round(0.99 * len(finishes)) - 1]
    ratio = median / statistics.median(copies)
    asked = PROCESSES * JOBS
    figures.note(
        f"small_jobs_{name}",
        f"{stored} of {asked}; finish {median * 1000:.0f} ms, p99 {late * 1000:.0f} ms, "
        f"max {finishes[-1] * 1000:.0f} ms; {asked / seconds:.0f} jobs/s ({ratio:.0f} x bare files)",
        missed=stored != asked or (before <= 1000 and (median > 0.060 or late > 1)),
        peak_mb=peak,
        ratio=ratio,
        bare_median_ms=statistics.median(copies) * 1000,
        bare_jobs_per_second=asked / bare_seconds,
    )
    shutil.rmtree(root)


def at_once(work: Callable[..., list[float]], root: Path) -> tuple[float, list[float], float]:
    """Seconds in all, seconds of each piece of work in order, and the peak memory of one process."""
    started = [alone.start(work, root, worker, JOBS) for worker in range(PROCESSES)]
    for one in started:
        one.wait_until_ready()
    begun = time.perf_counter()
    for one in started:
        one.go()
    runs = [one.end() for one in started]
    took = time.perf_counter() - begun
    return took, sorted(piece for run in runs for piece in run.value), max(run.peak_mb for run in runs)


def commit_jobs(root: str, worker: int, count: int) -> list[float]:
    finishes = []
    alone.ready()
    store = evalstore.open(root)
    for n in range(count):
        job = store.job(f"small-{worker}-{n}", dataset="small", model="m")
        for m in range(10):
            job.log(item={"question": m}, scores={"exact": m % 2 == 0, "closeness": m / 10, "length": m}, row_key=m)
        started = time.perf_counter()
        job.finish()
        finishes.append(time.perf_counter() - started)
    return finishes


def copy_files(folder: str, worker: int, count: int) -> list[float]:
    """Two COPY and two fsync a job: no aggregates, no document, no catalog."""
    copies = []
    with duckdb.connect() as database:
        database.execute(
            "CREATE TABLE score AS SELECT i // 3 AS row, 'metric-' || i % 3 AS metric, i FROM range(30) r(i)"
        )
        database.execute("CREATE TABLE item AS SELECT i AS row, '{\"question\": 1}' AS item FROM range(10) r(i)")
        alone.ready()
        for n in range(count):
            started = time.perf_counter()
            for table in ("score", "item"):
                path = Path(folder, f"{table}-{worker}-{n}.parquet")
                database.execute(f"COPY {table} TO '{path}' (FORMAT parquet, COMPRESSION zstd)")
                with path.open("rb") as file:
                    os.fsync(file.fileno())
            copies.append(time.perf_counter() - started)
    return copies
