"""Checking a store against itself: documents, Parquet files, catalog, segments, trash, and what belongs to nobody."""

from __future__ import annotations

import hashlib
import os
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from evalstore import dataset_files, json_text, meta, segments
from evalstore.committed import committed_jobs, folders, job_id_of
from evalstore.database import Database, for_glob
from evalstore.durable_files import read_document
from evalstore.errors import BrokenStore, QueryError
from evalstore.job_document import document_problem, job_document
from evalstore.staging import interrupted_jobs
from evalstore.store_lock import writer_lock
from evalstore.trash import has_tombstone, is_deleted, tombstones, waiting
from evalstore.unpublished import unpublished

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import polars as pl

    from evalstore.catalog import Catalog

__all__ = ["Finding", "Verification", "verify"]

WAIT = 30.0  # seconds for whoever publishes
_PARTS = ("jobs", "segments", "staging", "trash", "meta", "pending", "datasets")
_FILES = ("catalog.duckdb", "writer.lock", "compact.lock", "next.duckdb", "next.duckdb.wal", "catalog.duckdb.wal")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong (`error`), or that somebody may want to know (`note`): where, and what to do."""

    severity: Literal["error", "note"]
    path: str
    message: str


@dataclass
class Verification:
    """What a check of a whole store has found. True when nothing is wrong."""

    findings: list[Finding] = field(default_factory=list)
    jobs: int = 0
    rows: int = 0
    scores: int = 0
    bytes: dict[str, int] = field(default_factory=dict)

    @property
    def errors(self) -> list[Finding]:
        """The findings that are wrong."""
        return [finding for finding in self.findings if finding.severity == "error"]

    def __bool__(self) -> bool:
        return not self.errors

    def to_polars(self) -> pl.DataFrame:
        """The findings, one a line: severity, path, message."""
        import polars as pl

        lines = [(finding.severity, finding.path, finding.message) for finding in self.findings]
        return pl.DataFrame(lines, ["severity", "path", "message"], orient="row", schema_overrides=dict.fromkeys(
            ("severity", "path", "message"), pl.String))  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """All of it, for JSON."""
        found = [{"severity": one.severity, "path": one.path, "message": one.message} for one in self.findings]
        counts = {"jobs": self.jobs, "rows": self.rows, "scores": self.scores}
        return {"ok": bool(self), "findings": found, **counts, "bytes": self.bytes}


def verify(
    root: Path, catalog: Catalog, *, checksums: bool = True, progress: Callable[[int], None] | None = None
) -> Verification:
    """Checks everything in a store. Without `checksums` the content of Parquet files is not read.

    `progress` is called with the number of jobs checked so far.
    """
    result = Verification()
    left = {stone.job_id for stone in waiting(root)}
    seen: dict[str, str] = {}
    for path in committed_jobs(root):
        if is_deleted(root, job_id_of(root, path) or ""):
            continue
        result.findings += _job(root, path, result, left, checksums=checksums)
        job_id = None if document_problem(root, path) else job_id_of(root, path)
        if job_id and (first := seen.setdefault(job_id, path)) != path:
            problem = f"is a copy of jobs/{first}, with the same job_id: move it out of the store"
            result.findings.append(Finding("error", f"jobs/{path}", problem))
        result.jobs += 1
        if progress:
            progress(result.jobs)
    named = {finding.path for finding in result.findings}
    in_catalog = (finding for finding in _catalog(root, catalog) if finding.path not in named)  # one cause, one advice
    result.findings += [*in_catalog, *_segments(root, named, checksums=checksums)]
    result.findings += [*_rest(root), *_meta(root), *_datasets(root, checksums=checksums)]
    for part in _PARTS:
        result.bytes[part] = _size(root / part)
    result.bytes["catalog"] = _size(root / "catalog.duckdb")
    return result


def _job(root: Path, path: str, result: Verification, left: set[str], *, checksums: bool) -> list[Finding]:
    folder = root / "jobs" / path
    document = job_document(root, path)
    if document is None:
        if not folder.exists() or job_document(root, path):  # it was deleted, or put in another's place, just now
            return []
        problem = document_problem(root, path) or "job.json cannot be used"
        advice = "put the file back from a copy, or move the folder out of the store"
        if "is that of job" in problem:
            advice = "move the folder there, or run `evalstore rebuild --adopt` to take it in under its folder's name"
        return [Finding("error", f"jobs/{path}", f"{problem}: {advice}")]
    found, known = [], {"job.json"}
    for kind in ("scores", "rows"):
        entry = document["files"][kind]
        known.add(entry["name"])
        setattr(result, kind, getattr(result, kind) + entry["rows"])
        if flaw := _file_problem(folder / entry["name"], entry, checksums=checksums):
            found.append(Finding("error", f"jobs/{path}/{entry['name']}", f"{flaw}: put it back from a copy"))
    for entry in document.get("attachments") or ():
        known.add(entry["name"])
        if flaw := _attachment_problem(folder / entry["name"], entry, checksums=checksums):
            found.append(Finding("error", f"jobs/{path}/{entry['name']}", f"{flaw}: put it back from a copy"))
    known |= {f"{kind}-{job_id}.parquet" for job_id in left for kind in ("scores", "rows")}
    found += [
        Finding("note", f"jobs/{path}/{name}", "belongs to no job") for name in _names(folder) if name not in known
    ]
    # Somebody may have deleted or replaced the job meanwhile.
    return found if job_id_of(root, path) == document["job"]["job_id"] else []


def _file_problem(path: Path, entry: dict[str, Any], *, checksums: bool) -> str | None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        size = path.stat().st_size
        if size != entry["bytes"]:
            return f"has {size} bytes, and had {entry['bytes']} when the job was committed"
        rows = pq.read_metadata(path).num_rows
        if rows != entry["rows"]:
            return f"has {rows} lines, and had {entry['rows']} when the job was committed"
        if checksums:
            with path.open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != entry["sha256"]:
                    return "has another content than when the job was committed"
    except FileNotFoundError:
        return "is not there"
    except (OSError, pa.ArrowException) as error:
        return f"cannot be read ({str(error).splitlines()[0]})"
    return None


def _attachment_problem(path: Path, entry: dict[str, Any], *, checksums: bool) -> str | None:
    try:
        if checksums:
            with path.open("rb") as file:
                is_same = hashlib.file_digest(file, "sha256").hexdigest() == entry["sha256"]
        else:
            is_same = path.stat().st_size == entry["bytes"]
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    return None if is_same else "has another content than when the job was committed"


def _catalog(root: Path, catalog: Catalog) -> Iterator[Finding]:
    catalog.publish_if_possible()
    if not catalog.file.exists():
        yield Finding("error", "catalog.duckdb", "is not there: run `evalstore rebuild`")
        return
    database = Database()
    try:
        # Nobody publishes meanwhile, so that what is not shown yet is what has a marker afterwards.
        with _nobody_publishing(root), database.lock:
            database.attach_copy(None)
            catalog.tables.fill(database, [], everything=True)
            with database.beside(catalog.file):
                differing = database.ask_file("verify/differing_jobs.sql").to_pylist()
                tables = database.ask_file("verify/differing_tables.sql").column(0).to_pylist()
            changes = unpublished(root)
            pending = {change.marker.job_id for change in changes} | {stone.job_id for stone in waiting(root)}
    except (BrokenStore, QueryError) as error:
        yield Finding("error", "catalog.duckdb", f"{str(error).splitlines()[0]}: run `evalstore rebuild`")
        return
    finally:
        database.close()
    for change in changes:
        file = f"pending/{change.marker.file_name}"
        yield Finding("note", file, "has happened, but is not published yet: the next question sees it")
    if not any(change.marker.operation in ("meta", "segments") for change in changes):
        for table in tables:
            problem = f"table {table} says something else than the files that it is read from"
            yield Finding("error", "catalog.duckdb", f"{problem}: run `evalstore rebuild`")
    for line in differing:
        if line["job_id"] not in pending:
            problem = _difference(is_there=line["is_there"], is_shown=line["is_shown"])
            yield Finding("error", f"jobs/{line['path']}", f"{problem}: run `evalstore rebuild`")


@contextmanager
def _nobody_publishing(root: Path) -> Iterator[None]:
    """Holds the writer lock, where it can be had: not in a folder that may not be written."""
    with ExitStack() as stack:
        with suppress(OSError):
            stack.enter_context(writer_lock(root, until=time.monotonic() + WAIT))
        yield


def _difference(*, is_there: bool, is_shown: bool) -> str:
    if is_there and is_shown:
        return "the catalog says something else than job.json"
    return "is not in the catalog" if is_there else "is in the catalog, and its folder is gone or cannot be read"


def _segments(root: Path, damaged: set[str], *, checksums: bool) -> Iterator[Finding]:
    """Compares segments with the files of their jobs, but for those that are damaged themselves."""
    live = {one.path: one for one in segments.live_segments(root)}
    for path in segments.segment_files(root):
        if segments.is_dropped(root, path):
            continue
        if segments.read_segment(root, path) is None:
            yield Finding("error", path, "cannot be read: delete it, then `evalstore compact`; nothing is lost by that")
        elif path not in live:
            yield Finding("note", path, "is not used: `evalstore compact` removes it")
    if not checksums:
        return
    owned = {job_id: path for job_id, path in _own_files(root).items() if path not in damaged}
    database = Database()
    try:
        for segment in live.values():
            if (problem := _segment_problem(database, root, segment, owned)) and (root / segment.path).exists():
                yield Finding("error", segment.path, f"{problem}: delete it, then `evalstore compact`")
    finally:
        database.close()


def _segment_problem(database: Database, root: Path, segment: segments.Segment, owned: dict[str, str]) -> str | None:
    files = [for_glob(root / owned[job_id]) for job_id in segment.job_ids if job_id in owned]
    try:
        held = database.ask_file("verify/score_digests.sql", files=[for_glob(root / segment.path)]).to_pylist()
        own = database.ask_file("verify/score_digests.sql", files=files).to_pylist() if files else []
    except QueryError as error:
        return f"cannot be compared ({str(error).splitlines()[0]})"
    digests = {line["job_id"]: line for line in held}
    if any(digests.get(line["job_id"]) != line for line in own):
        return "holds other scores than the files of its jobs"
    return None


def _own_files(root: Path) -> dict[str, str]:
    documents = ((path, job_document(root, path)) for path in committed_jobs(root))
    return {
        document["job"]["job_id"]: f"jobs/{path}/{document['files']['scores']['name']}"
        for path, document in documents
        if document
    }


def _rest(root: Path) -> Iterator[Finding]:
    for job in interrupted_jobs(root):
        path = f"{job['workspace']}/{job['job']}"
        logged = "1 row logged" if job["rows_logged"] == 1 else f"{job['rows_logged']} rows logged"
        yield Finding("note", f"staging/{path}", f"was interrupted, {logged}: `evalstore finish {path}`")
    files, graves = sorted((root / "trash").glob("[!.]*.json")), folders(root / "trash")
    known = {stone.job_id for stone in tombstones(root)}  # after the look at the folder: others go on deleting
    for file in files:
        if file.stem not in known and has_tombstone(root, file.stem):
            yield Finding("error", f"trash/{file.name}", "cannot be read, and hides a job: remove it to show the job")
    for folder in graves:
        if folder.name not in known and not folder.name.startswith(".") and folder.exists():
            yield Finding("note", f"trash/{folder.name}", "holds a job that is neither deleted nor there")
    for file in sorted((root / "pending").glob("[!.]*.json")):
        if read_document(file) is None and file.exists():
            yield Finding("note", f"pending/{file.name}", "makes no sense: remove it")
    for name in _names(root):
        if name not in (*_PARTS, *_FILES):
            yield Finding("note", name, "belongs to no store")


def _meta(root: Path) -> Iterator[Finding]:
    for file in sorted((root / "meta").glob("*.jsonl")):
        for number, line in enumerate(file.read_text(encoding="utf-8", errors="replace").split("\n"), 1):
            if line and (problem := _entry_problem(line, file.name)):
                yield Finding("note", f"meta/{file.name}:{number}", f"{problem}, and does not count")


def _datasets(root: Path, *, checksums: bool) -> Iterator[Finding]:
    known = {entry["version"] for entry in dataset_files.entries(root)}
    for version in sorted(known):
        if problem := dataset_files.problem(root, version, checksums=checksums):
            yield Finding("error", f"datasets/{version}.jsonl", f"{problem}: put it back from a copy")
    for file in sorted((root / "datasets").glob("[!.]*")):
        if file.stem not in known and file.exists():
            yield Finding("note", f"datasets/{file.name}", "belongs to no dataset")


def _names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in os.scandir(folder))


def _entry_problem(line: str, file: str) -> str | None:
    try:
        entry = json_text.loads(line)
    except (ValueError, RecursionError):
        return "was cut off when written"
    is_sound = file != "metrics.jsonl" or meta.is_declaration(entry)
    return None if is_sound else "is no declaration of a metric"


def _size(path: Path) -> int:
    if path.is_file():
        return path.stat().st_size
    return sum(file.lstat().st_size for file in path.rglob("*") if file.is_file())
