"""What the benchmarks measured: kept in results.json, and shown as a table in the README.

The bounds stand here, and for each bound that is missed the reason. Nothing fails when a bound is missed: it is said.
"""

from __future__ import annotations

import json
import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

__all__ = ["BOUNDS", "REASONS", "SCALE", "note", "scaled", "table"]

RESULTS = Path(__file__).with_name("results.json")
SCALE = float(os.environ.get("EVALSTORE_BENCH_SCALE", "1"))
"""How large the work is; only the full size is kept."""

BOUNDS = {
    "record": ("`record()` of 1 M rows with 3 scores each", "≤ 1.3 x two bare `COPY`"),
    "log": ("`log()`, one thread, 3 scores a row", "≥ 50,000 rows/s, memory flat"),
    "small_jobs_empty": ("commit of jobs of 10 rows, 8 processes x 50, empty store", "median ≤ 60 ms, p99 ≤ 1 s"),
    "small_jobs_1000": ("the same beside 1,000 jobs", "median ≤ 60 ms, p99 ≤ 1 s"),
    "small_jobs_20000": ("the same beside 20,000 jobs", "stated"),
    "first_page": ("open, and the first 25 of 100,000 jobs", "≤ 50 ms after import"),
    "list": ("list with filter and sort, 100,000 jobs", "≤ 1.5 x the bare SQL"),
    "results_page": ("open, and the first 25 results of 100,000 jobs x 10 scores; then again", "≤ 50 ms, then ≤ 15 ms"),
    "results_filter": ("25 of them by a filter on the mean of a score, sorted by it", "≤ 1.5 x the bare SQL"),
    "results_walk": ("a walk over 100 pages of 100 results", "linear in the number of pages"),
    "results_mlflow": ("MLflow, 5,000 runs in SQLite: `search_runs` by a metric, sorted by it", "for comparison"),
    "trend": ("`trend()` of a metric over 10,000 jobs with ten each", "stated, beside a bare window in DuckDB"),
    "drop_rows": ("`prune(rows_only=True)` of 100 jobs of 1,000 rows", "stated"),
    "archive": ("`archive()` of a job of 1 M rows", "stated, beside copying its folder"),
    "rebuild": ("`catalog.duckdb` anew from the documents of 100,000 jobs", "stated"),
    "scan": ("mean per job and metric, 30 M scores in 10,000 jobs, each in its own file", "stated"),
    "scan_compacted": ("the same after `compact()`", "≤ 1.3 x bare DuckDB, one sorted file"),
    "compare": (
        "comparison of two jobs of 1 M rows, clustered, among 1,000 jobs",
        "≤ 1.3 x the same SQL by hand, < 2 s",
    ),
    "flips": ("20 flips of these with both outputs", "< 0.5 s"),
    "gate_shell": ("`evalstore gate` of 1,000 rows against a baseline, from the shell", "< 1 s"),
    "gate_false_alarms": (
        "1,000 pairs of equal runs in a store, also clustered and repeated: how often the gate fails",
        "≤ 5 %",
    ),
    "gate_power": ("1,000 pairs with a true drop, and 1,000 without: what it finds, what it passes", "80 %"),
    "evaluate": (
        "`evaluate()`, trivial target, 2 evaluators, 2,000 examples, stored",
        "≤ 1/3 of LangSmith's runner, nothing stored",
    ),
    "evaluate_async": ("1,000 async targets of 50 ms, 100 at once", "≤ 1.15 x the ideal 0.5 s"),
    "evaluate_memory": ("`evaluate()` over a generator of 200,000 rows", "memory flat"),
    "import_runs": (
        "import of 1,000 run folders of TrainLoop with 100,000 lines",
        "≤ 3 x bare DuckDB, JSONL to Parquet",
    ),
    "import": ("`import evalstore`", "≤ 0.15 s"),
}
"""What is measured, and how good it must be: the lines of the table in their order."""

REASONS = {
    "record": (
        "beside writing the two files, every row is hashed, every score judged against its declarations, and the "
        "aggregates are computed from the files, as they are for any job"
    ),
    "log": "each row is hashed twice and becomes one write, so that it survives the process; no batch is kept back",
    "small_jobs_empty": (
        "a commit costs about 0.17 s of one core, nearly all of it DuckDB planning and starting the SQL of the "
        "aggregates, whatever the number of rows; eight processes share the cores"
    ),
    "small_jobs_1000": "as in an empty store",
    "first_page": "a DuckDB instance takes 10 to 40 ms to start, and reading the views of the catalog 5 ms",
    "list": "each question attaches the snapshot and lets go of it, some 7 ms; the bare SQL stays attached",
    "results_page": "besides the start of DuckDB and attaching the snapshot, it is four small questions",
    "results_filter": "the total is counted apart, and the scores of the page are fetched after it is known",
    "evaluate": (
        "a third of the time is the commit; the rest makes each part of a row durable by a write of its own, where "
        "LangSmith's runner stores nothing"
    ),
    "import_runs": (
        "each line is checked and each row hashed in Python, and each run becomes a job of its own: two Parquet files "
        "of 22 columns with their statistics, and a document, all durable, where bare DuckDB writes one file"
    ),
    "flips": "the scores of both jobs are read and joined anew: no index of rows is kept",
    "gate_shell": "half of it is Python loading DuckDB, Arrow and pydantic; each question is planned for 10 to 70 ms",
    "gate_false_alarms": "a test at this level errs so often by chance alone",
    "gate_power": "the number of rows is told from a normal approximation, which few rows bend",
    "scan_compacted": (
        "scores are joined to their jobs, so that deleted ones do not count, and 10,000 paths are looked up"
    ),
    "evaluate_async": "by a hair, beside other work: half a millisecond for each row comes on top of the sleeping",
}
"""Why a bound is missed, where it is."""

_LOAD = os.getloadavg()[0]  # before anything is measured: what else the machine does


def scaled(count: int) -> int:
    """A number of rows or jobs at the size that the environment asks for."""
    return max(1, round(count * SCALE))


def note(name: str, measured: str, *, missed: bool, peak_mb: float, **details: Any) -> None:
    """Prints what was measured, and keeps it where the work had its full size."""
    print(f"\n{name}: {measured}{', MISSED' if missed else ''}; peak {peak_mb:,.0f} MB; {details}")
    if SCALE != 1:
        return
    kept = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    if {key: kept.get(key) for key in _setting()} != _setting():
        kept = {}  # figures of two machines or releases do not stand in one table
    figures = kept.get("figures", {})
    figures[name] = {
        "measured": measured,
        "missed": missed,
        "peak_mb": round(peak_mb),
        "load_before": round(_LOAD, 1),
        **{key: float(f"{value:.4g}") if isinstance(value, float) else value for key, value in details.items()},
    }
    document = {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        **_setting(),
        "figures": {key: figures[key] for key in BOUNDS if key in figures},
    }
    RESULTS.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def table() -> str:
    """The table of the README: work, bound, measured, peak memory; and why bounds are missed."""
    kept = json.loads(RESULTS.read_text(encoding="utf-8"))
    versions = ", ".join(f"{name} {number}" for name, number in kept["versions"].items())
    machine = kept["machine"]
    where = f"{machine['cores']} cores and {machine['memory_gb']} GB ({machine['system']}; {versions})"
    load = max(figure["load_before"] for figure in kept["figures"].values())
    busy = f" Other work kept the machine busy meanwhile: load {load} before the start." if load > 1 else ""
    lines = [
        f"Measured on {kept['date']} with {where}.{busy}\n",
        "| work | bound | measured | peak memory |",
        "|---|---|---|---|",
    ]
    for name, figure in kept["figures"].items():
        work, bound = BOUNDS[name]
        measured = figure["measured"] + (" (**missed**)" if figure["missed"] else "")
        lines.append(f"| {work} | {bound} | {measured} | {figure['peak_mb']:,} MB |")
    missed = [name for name, figure in kept["figures"].items() if figure["missed"]]
    lines += ["", *(f"Missed, {BOUNDS[name][0]}: {REASONS[name]}  " for name in missed)] if missed else []
    return "\n".join(lines) + "\n"


def _setting() -> dict[str, Any]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    names = ("evalstore", "duckdb", "polars", "pyarrow")
    return {
        "machine": {
            "cores": os.cpu_count(),
            "memory_gb": round(memory / 2**30),
            "system": f"{platform.system()} {platform.machine()}",
        },
        "versions": {"Python": platform.python_version(), **{name: version(name) for name in names}},
    }
