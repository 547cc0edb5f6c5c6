"""Import of many run folders of TrainLoop, against DuckDB reading the same JSONL into Parquet.

A store has two Parquet files per run; what DuckDB takes to write the lines into one file per run is told beside it.
"""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

import evalstore
from tests.benchmarks import alone, figures
from tests.trainloop.files import line, sample, write_run

RUNS, SUITES, SAMPLES, METRICS = figures.scaled(1000), 4, 5, 5  # 100 lines a run


def test_importing_runs_of_trainloop():
    with TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        write_runs(data)
        done = alone.run(imported, str(data), f"{folder}/evals")
        seconds, rows = done.value
        bare = alone.run(read_bare, str(data), f"{folder}/bare.parquet").value
        parted = alone.run(read_bare, str(data), f"{folder}/parts", True).value
        assert rows == RUNS * SUITES * SAMPLES * METRICS
        ratio = seconds / bare
        figures.note(
            "import_runs",
            f"{seconds:.1f} s, {ratio:.1f} x bare DuckDB (which takes {parted / bare:.1f} x for a file per run)",
            missed=ratio > 3,
            peak_mb=done.peak_mb,
            ratio=ratio,
            seconds=seconds,
            bare_seconds=bare,
            parted_seconds=parted,
        )


def write_runs(data: Path) -> None:
    for run in range(RUNS):
        day, second = divmod(run, 86_400)
        time_of_run = f"2026-03-{1 + day:02d}_{second // 3600:02d}-{second // 60 % 60:02d}-{second % 60:02d}"
        suites = {
            f"suite_{suite}": [
                line(f"metric_{metric}", sample(number, tag=f"suite-{suite}"), (run + number + metric) % 3 and 1)
                for number in range(SAMPLES)
                for metric in range(METRICS)
            ]
            for suite in range(SUITES)
        }
        write_run(data, time_of_run, **suites)


def imported(data: str, root: str) -> tuple[float, int]:
    started = time.perf_counter()
    with evalstore.open(root) as store:
        store.import_from("trainloop", data)
        seconds = time.perf_counter() - started
        return seconds, store.sql("SELECT count(*) AS n FROM row_scores")["n"][0]


def read_bare(data: str, target: str, is_parted: bool = False) -> float:
    started = time.perf_counter()
    with duckdb.connect() as connection:
        connection.execute(
            f"""COPY (
                SELECT *, split_part(filename, '/', -2) AS run
                FROM read_json($files, format = 'newline_delimited', filename = TRUE, columns = {{
                    metric: 'VARCHAR', sample: 'JSON', passed: 'JSON', reason: 'VARCHAR'}})
            ) TO $target (FORMAT parquet, COMPRESSION zstd {", PARTITION_BY (run)" if is_parted else ""})""",
            {"files": f"{data}/results/*/*.jsonl", "target": target},
        )
    return time.perf_counter() - started
