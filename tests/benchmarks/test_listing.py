"""Lists of a hundred thousand jobs, against the same SQL on the catalog file."""

from __future__ import annotations

import shutil
import statistics
import time
from pathlib import Path
from typing import Any

from tests.benchmarks import alone, figures

JOBS = figures.scaled(100_000)
TIMES = 5
FILTER: dict[str, Any] = {"dataset": "default/set-3", "model": "default/model-3", "status": "completed", "limit": 25}


def test_listing_jobs(tmp_path):
    from tests.benchmarks import big_stores  # here, so that the processes that are timed import it not

    root = tmp_path / "evals"
    big_stores.many_jobs(root, JOBS)
    rebuilt = alone.run(rebuild, root)
    figures.note(
        "rebuild",
        f"{rebuilt.value:.0f} s",
        missed=False,
        peak_mb=rebuilt.peak_mb,
        seconds=rebuilt.value,
        catalog_mb=round((root / "catalog.duckdb").stat().st_size / 1e6),
    )
    pages = [alone.run(first_page, root) for _ in range(TIMES)]
    bare_pages = [alone.run(bare_first_page, root) for _ in range(TIMES)]
    opened = statistics.median(page.value["seconds"] for page in pages)
    imported = statistics.median(page.value["import_seconds"] for page in pages)
    bare_opened = statistics.median(page.value for page in bare_pages)
    figures.note(
        "first_page",
        f"{opened * 1000:.0f} ms ({opened / bare_opened:.1f} x bare; imports {imported:.1f} s)",
        missed=opened > 0.050,
        peak_mb=max(page.peak_mb for page in pages),
        ratio=opened / bare_opened,
        seconds=opened,
        import_seconds=imported,
        bare_seconds=bare_opened,
    )
    listed, bare = alone.run(list_jobs, root), alone.run(bare_list, root)
    assert listed.value["names"] == bare.value["names"]
    ratio = listed.value["seconds"] / bare.value["seconds"]
    figures.note(
        "list",
        f"{ratio:.2f} x ({listed.value['seconds'] * 1000:.1f} ms)",
        missed=ratio > 1.5,
        peak_mb=listed.peak_mb,
        ratio=ratio,
        seconds=listed.value["seconds"],
        bare_seconds=bare.value["seconds"],
    )
    shutil.rmtree(root)


def rebuild(root: str) -> float:
    import evalstore

    started = time.perf_counter()
    assert evalstore.open(root).sql("SELECT count(*) FROM jobs").item() == JOBS
    return time.perf_counter() - started


def first_page(root: str) -> dict[str, float]:
    started = time.perf_counter()
    import duckdb  # noqa: F401
    import polars  # noqa: F401, ICN001
    import pyarrow  # noqa: F401, ICN001

    import evalstore.store

    imported = time.perf_counter()
    assert evalstore.open(root).jobs(limit=25).height == min(JOBS, 25)
    return {"seconds": time.perf_counter() - imported, "import_seconds": imported - started}


def bare_first_page(root: str) -> float:
    import duckdb
    import polars as pl
    import pyarrow  # noqa: F401, ICN001

    sql, parameters = question(limit=25)
    started = time.perf_counter()
    with duckdb.connect(f"{root}/catalog.duckdb", read_only=True) as database:
        pl.from_arrow(database.sql(sql, params=parameters).to_arrow_table())
    return time.perf_counter() - started


def list_jobs(root: str) -> dict[str, Any]:
    import evalstore

    store = evalstore.open(root)
    return often(lambda: store.jobs(**FILTER))


def bare_list(root: str) -> dict[str, Any]:
    import duckdb
    import polars as pl

    sql, parameters = question(**FILTER)
    with duckdb.connect(f"{root}/catalog.duckdb", read_only=True) as database:
        return often(lambda: pl.from_arrow(database.sql(sql, params=parameters).to_arrow_table()))


def often(ask: Any) -> dict[str, Any]:
    """The median of fifty answers, after one that fills the caches."""
    names = ask()["name"].to_list()
    took = []
    for _ in range(50):
        started = time.perf_counter()
        ask()
        took.append(time.perf_counter() - started)
    return {"seconds": statistics.median(took), "names": names}


def question(**given: Any) -> tuple[str, dict[str, Any]]:
    """The SQL of `store.jobs()` with its parameters."""
    sql = Path(__file__).resolve().parents[2] / "sql/queries/jobs.sql"
    none = dict.fromkeys(("workspace", "status", "dataset", "model", "group", "tag", "limit"))
    return sql.read_text(encoding="utf-8"), {**none, "workspace": "default", **given}
