"""A frame of a million rows, against two bare COPY of the columns that it becomes."""

from __future__ import annotations

import shutil
import statistics
import time
from pathlib import Path

import duckdb
import polars as pl

import evalstore
from tests.benchmarks import alone, figures

ROWS = figures.scaled(1_000_000)
TIMES = 3


def test_recording_a_frame(tmp_path):
    ratios, seconds, peaks, bare_peaks = [], [], [], []
    for _ in range(TIMES):
        recorded, copied = alone.run(record, tmp_path / "evals"), alone.run(copy, tmp_path / "evals")
        ratios.append(recorded.value / copied.value)
        seconds.append(recorded.value)
        peaks.append(recorded.peak_mb)
        bare_peaks.append(copied.peak_mb)
        shutil.rmtree(tmp_path / "evals")
    ratio, took = statistics.median(ratios), statistics.median(seconds)
    figures.note(
        "record",
        f"{ratio:.2f} x ({took:.1f} s)",
        missed=ratio > 1.3,
        peak_mb=max(peaks),
        ratio=ratio,
        seconds=took,
        bare_peak_mb=round(max(bare_peaks)),
    )


def record(root: str) -> float:
    frame = pl.DataFrame(
        {
            "id": range(ROWS),
            "question": [f"What is {n} + {n}?" for n in range(ROWS)],
            "exact": [n % 3 == 0 for n in range(ROWS)],
            "closeness": [n / ROWS for n in range(ROWS)],
            "length": [n % 40 for n in range(ROWS)],
        }
    )
    store = evalstore.open(root)
    started = time.perf_counter()
    store.record("job", frame, scores=["exact", "closeness", "length"], item=["question"], columns={"row_key": "id"})
    return time.perf_counter() - started


def copy(root: str) -> float:
    """The same lines, out of memory, as COPY writes them: no hashes, no aggregates, no fsync."""
    took = 0.0
    with duckdb.connect() as bare:
        for file in sorted(Path(root).glob("jobs/default/job/*.parquet")):
            lines = bare.sql("SELECT * FROM read_parquet($file)", params={"file": str(file)}).to_arrow_table()
            bare.register("lines", lines)
            started = time.perf_counter()
            target = {"target": f"{root}/bare.parquet"}
            bare.execute("COPY lines TO $target (FORMAT parquet, COMPRESSION zstd)", target)
            took += time.perf_counter() - started
    return took
