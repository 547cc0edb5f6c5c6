"""The published snapshot: a DuckDB file that is replaced whole by rename, never edited in place.

Whoever holds the store's lock publishes: a private copy takes everything that is committed but not shown yet, and is
renamed over the old one. A reader keeps the file that it opened, so readers and writers never wait for each other.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from evalstore import json_text, meta, sql_files
from evalstore.database import Database, for_glob, sql_text
from evalstore.errors import BrokenStore
from evalstore.job_folder import committed_jobs, drop_staging, fault_point, pending_markers, read_document, sync_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from evalstore.job_folder import Marker

__all__ = ["Catalog"]

WAIT_FOR_LOCK = 2.0  # seconds that a question or a writer waits for whoever publishes
PUBLISH_AGAIN = 1.0  # seconds in all that one holder goes on publishing what others commit meanwhile
CHUNK = 200  # documents that are parsed as one JSON text


class Catalog:
    """The snapshot of one store: publishing into it, and filling a private copy where that is not possible."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.file = root / "catalog.duckdb"
        self._publisher: Database | None = None
        self._structures: dict[str, str] = {}

    def publish(self, *, wait: float = WAIT_FOR_LOCK, even_if_current: bool = False) -> bool:
        """Brings everything committed into the snapshot. False when another process holds the lock all the while.

        Raises: BrokenStore or OSError when the catalog cannot be written; what is committed stays committed.
        """
        until = time.monotonic() + wait
        again_until = until + PUBLISH_AGAIN
        while True:
            with self._writer_lock(until) as held:
                if not held:
                    return False
                self._publish_once(even_if_current=even_if_current)
            # A writer that found the lock taken may have left after our look at pending/: look again, then leave.
            until, even_if_current = time.monotonic(), False
            if until > again_until or not self.unpublished():
                return True

    def needs_publishing(self) -> bool:
        """Whether the snapshot may not show everything that is committed."""
        return not self.file.exists() or bool(self.unpublished())

    def unpublished(self) -> list[tuple[Marker, dict[str, Any]]]:
        """What is committed and marked, with the document of the job ({} for meta).

        A job whose document cannot be read is left out and keeps its marker: it stops nobody.
        """
        found: list[tuple[Marker, dict[str, Any]]] = []
        for marker in pending_markers(self.root):
            if marker.operation == "meta":
                found.append((marker, {}))
            elif (document := self._document(marker.path)) and document["job"]["job_id"] == marker.job_id:
                found.append((marker, document))
        return found

    def fill(self, database: Database, unpublished: list[tuple[Marker, dict[str, Any]]], *, everything: bool) -> None:
        """Brings tables, jobs, declarations and views of the catalog attached to `database` up to date."""
        database.run("BEGIN")
        try:
            self._fill(database, unpublished, everything=everything)
            database.run("COMMIT")
        except BaseException:
            with suppress(Exception):
                database.run("ROLLBACK")
            raise

    def is_current(self, database: Database) -> bool:
        """Whether the catalog attached to `database` carries the views of this release."""
        info = database.ask_file("publish/store_info.sql").to_pylist()
        return bool(info) and info[0]["views_fingerprint"] == _views_fingerprint()

    @contextmanager
    def _writer_lock(self, until: float) -> Iterator[bool]:
        descriptor = os.open(self.root / "writer.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    if time.monotonic() >= until:
                        yield False
                        return
                    time.sleep(0.003)
                else:
                    yield True
                    return
        finally:
            os.close(descriptor)

    def _publish_once(self, *, even_if_current: bool) -> None:
        fresh = not self.file.exists()
        if not (fresh or even_if_current or self.unpublished()):
            self._drop_stale_markers()
            return
        draft = self.root / "next.duckdb"
        for left_over in (draft, self.root / "next.duckdb.wal"):
            left_over.unlink(missing_ok=True)  # a WAL beside a fresh copy would be replayed into it
        if not fresh:
            self._copy_snapshot(draft)
        unpublished = self.unpublished()  # after the copy: whoever marks later finds us gone and publishes itself
        self._publisher = database = self._publisher or Database()
        with database.lock:
            database.attach(draft, read_only=False)
            try:
                self.fill(database, unpublished, everything=fresh)
                database.run("CHECKPOINT")
            finally:
                database.detach()
        fault_point("before-publish")
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        draft.chmod(0o444)  # before the rename: readers compare the change time of the file that they opened
        (self.root / "catalog.duckdb.wal").unlink(missing_ok=True)
        draft.rename(self.file)
        sync_folder(self.root)
        fault_point("after-publish")
        for marker, _ in unpublished:
            drop_staging(self.root, marker.path, marker.job_id)
            marker.drop(self.root)

    def _drop_stale_markers(self) -> None:
        """Drops the markers of commits that never happened: a crash between marker and rename, then a clean-up."""
        for marker in pending_markers(self.root):
            places = (self.root / "jobs" / marker.path, self.root / "staging" / marker.path)
            if marker.operation == "commit" and not any(place.exists() for place in places):
                marker.drop(self.root)

    def _copy_snapshot(self, draft: Path) -> None:
        with self.file.open("rb") as source, draft.open("wb") as target:
            try:
                fcntl.lockf(source, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError as error:
                raise BrokenStore(
                    f"{self.file} is open for writing in another program, so nothing can be published. Close it there "
                    "(open catalogs with `duckdb -readonly`); what was committed is safe and will be published then."
                ) from error
            shutil.copyfileobj(source, target, 1 << 20)

    def _fill(self, database: Database, unpublished: list[tuple[Marker, dict[str, Any]]], *, everything: bool) -> None:
        _migrate(database)
        documents = {marker.job_id: (marker.path, document) for marker, document in unpublished if document}
        if everything:
            for path in committed_jobs(self.root):
                if document := self._document(path):
                    documents[document["job"]["job_id"]] = (path, document)
        known = database.ask_file("publish/known_jobs.sql", job_ids=list(documents) or [""]).column(0).to_pylist()
        new = [entry for job_id, entry in documents.items() if job_id not in set(known)]
        self._insert(database, "job", [_job_line(document) for _, document in new])
        aggregates = [
            {"job_id": document["job"]["job_id"], **aggregate}
            for _, document in new
            for aggregate in document["aggregates"]
        ]
        self._insert(database, "aggregate_score", aggregates)
        self._insert(database, "score_file", [_file_line(path, document) for path, document in new])
        database.run_file("publish/delete_metric.sql")
        self._insert(database, "metric", meta.latest_declarations(self.root))
        info = database.ask_file("publish/store_info.sql").to_pylist()
        if info != [{"root": str(self.root), "views_fingerprint": _views_fingerprint()}]:
            self._create_views(database)
            database.run_file("publish/set_store_info.sql", root=str(self.root), views_fingerprint=_views_fingerprint())

    def _create_views(self, database: Database) -> None:
        for name in sql_files.names("macros", "views"):
            # A stored view takes no parameters, so the root goes in as text: quoted, and escaped where it is a glob.
            text = sql_files.read(name)
            text = text.replace("'@ROOT_GLOB@", sql_text(for_glob(self.root))[:-1])
            text = text.replace("'@ROOT@", sql_text(self.root)[:-1])
            database.run(text, file=name)

    def _insert(self, database: Database, table: str, lines: list[dict[str, Any]]) -> None:
        if not lines:
            return
        if table not in self._structures:
            columns = database.ask_file("publish/columns.sql", table_name=table).to_pylist()
            self._structures[table] = json_text.dumps([{c["column_name"]: c["data_type"] for c in columns}])[0]
        chunks = [json_text.dumps(lines[start : start + CHUNK])[0] for start in range(0, len(lines), CHUNK)]
        database.run_file(f"publish/insert_{table}.sql", documents=chunks, structure=self._structures[table])

    def _document(self, path: str) -> dict[str, Any] | None:
        document = read_document(self.root / "jobs" / path / "job.json")
        if document is None or not document.keys() >= {"job", "suites", "metrics", "aggregates", "files"}:
            return None
        return document


def _views_fingerprint() -> str:
    return sql_files.fingerprint("macros", "views")


def _migrate(database: Database) -> None:
    """Applies the numbered files of sql/tables/ that the attached catalog has not seen."""
    [is_set_up] = database.ask_file("publish/schema_version.sql").column(0).to_pylist()
    applied = database.ask_file("publish/applied_version.sql").column(0).to_pylist()[0] if is_set_up else 0
    for name in sql_files.names("tables"):
        version = int(name.partition("/")[2][:3])
        if version > applied:
            database.run_file(name)
            database.run_file("publish/set_version.sql", version=version)


def _job_line(document: dict[str, Any]) -> dict[str, Any]:
    job = document["job"]
    error = job.get("error")
    return {
        **job,
        "suites": document["suites"],
        "metrics": document["metrics"],
        "config": _text(job.get("config")),
        "metadata": _text(job.get("metadata")),
        "error": error and {**error, "details": _text(error.get("details"))},
    }


def _text(value: Any) -> str | None:
    return None if value is None else json_text.dumps(value)[0]


def _file_line(path: str, document: dict[str, Any]) -> dict[str, Any]:
    line: dict[str, Any] = {"job_id": document["job"]["job_id"]}
    for kind in ("scores", "rows"):
        file = document["files"][kind]
        line |= {
            kind: f"jobs/{path}/{file['name']}",
            f"{kind}_count": file["rows"],
            f"{kind}_bytes": file["bytes"],
            f"{kind}_sha256": file["sha256"],
        }
    return line
