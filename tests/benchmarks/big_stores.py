"""Stores of many jobs, made in little time out of one that was recorded: new names, ids and numbers, the same form."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import orjson

import evalstore
from tests.benchmarks import alone

__all__ = ["METRICS", "many_jobs", "many_scores"]

METRICS = 10  # of each job in `many_jobs`; as many aggregates
_LINKS = 30_000  # ext4 allows 65,000 names for a file
_NEWEST = datetime(2026, 11, 1, tzinfo=UTC)


def many_jobs(root: Path, count: int) -> None:
    """Makes a store with this many jobs and ten aggregates each, none of which equals another.

    Parquet files are names for those of one recorded job: for questions that read none. There is no catalog yet: the
    first question makes it.
    """
    with evalstore.open(root) as store:
        with store.job("template", dataset="set-0", model="model-0", config={"temperature": 0}) as job:
            for n in range(10):
                scores = {f"metric-{m}": (7 * n + m) % 10 / 9 for m in range(METRICS)}
                job.log(item={"question": n}, sample={"answer": n}, scores=scores, row_key=n, latency=0.8, cost=0.001)
        template = _taken_out(store, "template")
    rng = random.Random(0)
    document, copy = orjson.loads((template / "job.json").read_bytes()), template
    for n in range(count - 1):
        if n % _LINKS == 0:
            copy = template.with_name(f"{template.name}-{n}")
            shutil.copytree(template, copy)
        job_id, folder = _id(rng), root / "jobs/default" / f"job-{n:06}"
        folder.mkdir()
        for kind in ("scores", "rows"):
            os.link(copy / document["files"][kind]["name"], folder / f"{kind}-{job_id}.parquet")
        changed = _renamed(document, folder.name, job_id, n)
        changed["aggregates"] = [_varied(aggregate, rng) for aggregate in document["aggregates"]]
        (folder / "job.json").write_bytes(orjson.dumps(changed))
    _forget(root, template)


def many_scores(root: Path, jobs: int, rows: int) -> None:
    """Makes a store of jobs that have this many rows and three scores a row, in Parquet files of their own.

    Files of rows are names for those of one recorded job: for questions about scores. There is no catalog yet.
    """
    frame = [
        {"id": n, "question": f"What is {n} + {n}?", "exact": n % 3 == 0, "closeness": n / rows, "length": n % 40}
        for n in range(rows)
    ]
    scores = ["exact", "closeness", "length"]
    with evalstore.open(root) as store:
        store.record("template", frame, scores=scores, item=["question"], columns={"row_key": "id"}, dataset="set-0")
        template = _taken_out(store, "template")
    workers = os.cpu_count() or 1
    started = [alone.start(write_scores, root, template, start, jobs - 1, workers) for start in range(workers)]
    for one in started:
        one.end()
    _forget(root, template)


def write_scores(root: str, template: str, start: int, stop: int, step: int) -> None:
    """Writes every `step`-th job."""
    jobs, taken = Path(root, "jobs/default"), Path(template)
    document = orjson.loads((taken / "job.json").read_bytes())
    rng = random.Random(start)
    with duckdb.connect(config={"threads": 1}) as database:
        database.execute(
            "CREATE TABLE score AS FROM read_parquet($file)", {"file": str(taken / document["files"]["scores"]["name"])}
        )
        sql = (_sql() / "commit/050_scores_file.sql").read_text(encoding="utf-8")
        options = sql[sql.rindex(") TO $path") :]
        changed = "value * (hash(row_key, $job_id) % 1000) / 1000"
        copy = f"COPY (SELECT * REPLACE ($job_id AS job_id, {changed} AS value) FROM score {options}"
        for n in range(start, stop, step):
            job_id, folder = _id(rng), jobs / f"job-{n:06}"
            folder.mkdir()
            os.link(taken / document["files"]["rows"]["name"], folder / f"rows-{job_id}.parquet")
            file = folder / f"scores-{job_id}.parquet"
            database.execute(copy, {"path": str(file), "job_id": job_id})
            job = _renamed(document, folder.name, job_id, n)
            job["files"]["scores"] |= {
                "bytes": file.stat().st_size,
                "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
            }
            (folder / "job.json").write_bytes(orjson.dumps(job))


def _sql() -> Path:
    return Path(__file__).resolve().parents[2] / "sql"


def _taken_out(store: evalstore.Store, name: str) -> Path:
    """The folder of a job, copied out of the store: what the others are made from."""
    folder = store.root.with_name(f"{store.root.name}-{name}")
    shutil.copytree(store.root / "jobs" / store.workspace / name, folder)
    return folder


def _id(rng: random.Random) -> str:
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def _renamed(document: dict[str, Any], name: str, job_id: str, n: int) -> dict[str, Any]:
    created = (_NEWEST - timedelta(minutes=n)).isoformat()
    job = {
        "job_id": job_id,
        "name": name,
        "dataset": f"default/set-{n % 20}",
        "model": f"default/model-{n % 50}",
        "status": "error" if n % 100 == 99 else "completed",
        "created_at": created,
        "started_at": created,
        "finished_at": created,
    }
    files = {kind: {**file, "name": f"{kind}-{job_id}.parquet"} for kind, file in document["files"].items()}
    return {**document, "job": {**document["job"], **job}, "files": files}


def _varied(aggregate: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    """The same with other numbers: equal ones would be compressed away, as real ones are not."""
    numbers = {field: value * rng.random() if isinstance(value, float) else value for field, value in aggregate.items()}
    percentiles = [value * rng.random() for value in aggregate["percentiles"]]
    return {**numbers, "percentiles": percentiles, "histogram": [rng.randrange(10) for _ in range(10)]}


def _forget(root: Path, template: Path) -> None:
    """Leaves only what is in `jobs/` to tell the next question what there is."""
    (root / "catalog.duckdb").unlink()
    for folder in template.parent.glob(f"{template.name}*"):
        shutil.rmtree(folder)
