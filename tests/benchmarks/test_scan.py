"""Means over the scores of all jobs, before and after compaction, against bare DuckDB over one sorted Parquet file."""

from __future__ import annotations

import shutil
import statistics
import time
from typing import Any

import duckdb
import polars as pl
import pytest

import evalstore
from tests.benchmarks import alone, big_stores, figures

JOBS, ROWS = figures.scaled(10_000), 1_000
TIMES = 3


def test_means_per_job_and_metric(tmp_path):
    root, sorted_file = tmp_path / "evals", tmp_path / "sorted.parquet"
    big_stores.many_scores(root, JOBS, ROWS)
    alone.run(write_sorted, root, sorted_file)
    bare = alone.run(ask_bare, sorted_file)
    note("scan", alone.run(ask, root), bare, bound=None)
    if not hasattr(evalstore.open(root), "compact"):
        pytest.skip("there is no compact() yet")
    compacted = alone.run(compact, root)
    note("scan_compacted", alone.run(ask, root), bare, bound=1.3, compact_seconds=compacted.value,
         compact_peak_mb=round(compacted.peak_mb))  # fmt: skip
    shutil.rmtree(root)


def note(name: str, asked: alone.Run, bare: alone.Run, *, bound: float | None, **more: Any) -> None:
    assert asked.value["lines"] == bare.value["lines"] == 3 * JOBS
    assert asked.value["total"] == pytest.approx(bare.value["total"])
    ratio = asked.value["seconds"] / bare.value["seconds"]
    figures.note(
        name,
        f"{ratio:.2f} x ({asked.value['seconds']:.2f} s)",
        missed=bound is not None and ratio > bound,
        peak_mb=asked.peak_mb,
        ratio=ratio,
        seconds=asked.value["seconds"],
        first_seconds=asked.value["first_seconds"],
        bare_seconds=bare.value["seconds"],
        bare_peak_mb=round(bare.peak_mb),
        **more,
    )


def write_sorted(root: str, file: str) -> None:
    lines = "SELECT * FROM read_parquet($files) ORDER BY metric, job_id, row_index"
    with duckdb.connect() as database:
        database.execute(
            f"COPY ({lines}) TO $file (FORMAT parquet, COMPRESSION zstd)",
            {"files": f"{root}/jobs/default/*/scores-*.parquet", "file": file},
        )


def compact(root: str) -> float:
    store: Any = evalstore.open(root)
    started = time.perf_counter()
    store.compact()
    return time.perf_counter() - started


def ask(root: str) -> dict[str, Any]:
    store = evalstore.open(root)
    return timed(lambda: store.sql("SELECT job, metric, avg(value) AS mean FROM row_scores GROUP BY ALL"))


def ask_bare(file: str) -> dict[str, Any]:
    sql = "SELECT job_id, metric, avg(value) AS mean FROM read_parquet($file) GROUP BY ALL"
    with duckdb.connect() as database:
        return timed(lambda: pl.from_arrow(database.sql(sql, params={"file": file}).to_arrow_table()))


def timed(question: Any) -> dict[str, Any]:
    """The median of some answers, and the first: with all that is done once."""
    took = []
    answer = None
    for _ in range(TIMES + 1):
        started = time.perf_counter()
        answer = question()
        took.append(time.perf_counter() - started)
    assert answer is not None
    return {
        "first_seconds": took[0],
        "seconds": statistics.median(took[1:]),
        "lines": answer.height,
        "total": answer["mean"].sum(),
    }
