"""Rows logged one at a time, against writing their JSON to a file: how many a second, and whether memory grows."""

from __future__ import annotations

import os
import time
from typing import Any

import orjson

import evalstore
from tests.benchmarks import alone, figures

FEW, MANY = figures.scaled(100_000), figures.scaled(400_000)


def test_logging_rows(tmp_path):
    few, many = alone.run(log, tmp_path / "few", FEW), alone.run(log, tmp_path / "many", MANY)
    bare = alone.run(write, tmp_path / "bare.jsonl", MANY)
    rate = MANY / many.value["seconds"]
    growth, ratio = many.value["peak_mb"] - few.value["peak_mb"], many.value["seconds"] / bare.value
    figures.note(
        "log",
        f"{rate:,.0f} rows/s ({ratio:.1f} x bare writes), {growth:+.1f} MB from {FEW:,} to {MANY:,} rows; "
        f"finishing those {many.peak_mb:,.0f} MB",
        missed=rate < 50_000 or growth > 10,
        peak_mb=many.value["peak_mb"],
        ratio=ratio,
        rows_per_second=round(rate),
        growth_mb=growth,
        finish_seconds=many.value["finish_seconds"],
        finish_peak_mb=round(many.peak_mb),
    )


def row(n: int) -> dict[str, Any]:
    return {
        "item": {"question": f"What is {n} + {n}?"},
        "sample": {"answer": n},
        "reference": {"answer": 2 * n},
        "scores": {"exact": False, "closeness": 0.5, "length": n % 40},
        "row_key": n,
        "latency": 0.8,
    }


def log(root: str, count: int) -> dict[str, float]:
    job = evalstore.open(root).job("job")
    started = time.perf_counter()
    for n in range(count):
        job.log(**row(n))
    logged, peak = time.perf_counter(), alone.peak_mb()
    job.finish()
    return {"seconds": logged - started, "peak_mb": peak, "finish_seconds": time.perf_counter() - logged}


def write(path: str, count: int) -> float:
    """One line and one write a row."""
    started = time.perf_counter()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT)
    for n in range(count):
        os.write(descriptor, orjson.dumps(row(n), option=orjson.OPT_APPEND_NEWLINE))
    os.fsync(descriptor)
    return time.perf_counter() - started
