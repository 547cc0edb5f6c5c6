"""How fast rows get in, as a ratio against bare DuckDB in the same run. `make bench` prints the figures."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import duckdb
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from evalstore.store import Store

ROWS = 1_000_000


@contextmanager
def clock() -> Iterator[list[float]]:
    took: list[float] = []
    started = time.perf_counter()
    yield took
    took.append(time.perf_counter() - started)


def test_recording_a_frame_against_two_bare_copies(store: Store, tmp_path: Path, capsys):
    frame = pl.DataFrame(
        {
            "id": range(ROWS),
            "question": [f"What is {n} + {n}?" for n in range(ROWS)],
            "exact": [n % 3 == 0 for n in range(ROWS)],
            "closeness": [n / ROWS for n in range(ROWS)],
            "length": [n % 40 for n in range(ROWS)],
        }
    )
    scores = ["exact", "closeness", "length"]
    with clock() as recorded:
        store.record("job", frame, scores=scores, item=["question"], columns={"row_key": "id"})
    [listed] = store.score_files()
    copied = 0.0
    with duckdb.connect() as bare:
        for file in (listed, listed.replace("scores-", "rows-")):
            bare.register(
                "columns", bare.sql("SELECT * FROM read_parquet($file)", params={"file": file}).to_arrow_table()
            )
            with clock() as took:
                target = {"target": str(tmp_path / "bare.parquet")}
                bare.execute("COPY columns TO $target (FORMAT parquet, COMPRESSION zstd)", target)
            copied += took[0]
    with capsys.disabled():
        print(f"\nrecord {ROWS:,} rows x 3 scores: {recorded[0]:.1f} s, {recorded[0] / copied:.1f} x two bare COPY")


def test_logging_rows(store: Store, capsys):
    count = 200_000
    with store.job("job") as job, clock() as took:
        for n in range(count):
            job.log(
                item={"question": f"What is {n} + {n}?"},
                sample={"answer": n},
                reference={"answer": 2 * n},
                scores={"exact": False, "closeness": 0.5, "length": n % 40},
                row_key=n,
                latency=0.8,
            )
    with capsys.disabled():
        print(f"\nlog: {count / took[0]:,.0f} rows a second with 3 scores each")


def test_finishing_small_jobs(store: Store, capsys):
    finishes = []
    for n in range(50):
        job = store.job(f"job-{n}")
        for m in range(10):
            job.log(item={"question": m}, scores={"exact": m % 2 == 0}, row_key=m)
        with clock() as took:
            job.finish()
        finishes += took
    finishes.sort()
    with capsys.disabled():
        print(
            f"\nfinish of a job of 10 rows: median {finishes[25] * 1000:.0f} ms, slowest {finishes[-1] * 1000:.0f} ms"
        )
