"""The published snapshot: a DuckDB file that is replaced whole by rename, never edited in place.

Whoever holds the store's lock publishes: a private copy takes everything that is committed but not shown yet, and is
renamed over the old one. A reader keeps the file that it opened, so readers and writers never wait for each other.
"""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
import struct
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from evalstore.catalog_tables import CatalogTables
from evalstore.database import Database
from evalstore.durable_files import fault_point, sync_folder
from evalstore.errors import BrokenStore, QueryError
from evalstore.job_document import job_document
from evalstore.job_folder import drop_staging
from evalstore.markers import is_stale, pending_markers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from evalstore.catalog_tables import Unpublished

__all__ = ["Catalog"]

WAIT_FOR_LOCK = 2.0  # seconds that a question or a writer waits for whoever publishes
PUBLISH_AGAIN = 1.0  # seconds in all that one holder goes on publishing what others commit meanwhile
_log = logging.getLogger("evalstore")


class Catalog:
    """The snapshot of one store, and how it comes to show what is committed."""

    def __init__(self, root: Path, *, opened_as: Path | None = None) -> None:
        """`opened_as` is the root as it was named, where that is through a symbolic link."""
        self.root = root
        self.file = root / "catalog.duckdb"
        self.tables = CatalogTables(root, opened_as or root)
        self._wal = root / "catalog.duckdb.wal"
        self._publisher: Database | None = None

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

    def publish_if_possible(self) -> None:
        """Publishes, and says in the log why not: what is committed is safe, and the next question takes it along."""
        try:
            self.publish()
        except (BrokenStore, QueryError, OSError) as error:
            _log.warning("committed, but not published yet: %s", error)

    def needs_publishing(self) -> bool:
        """Whether the snapshot may not show everything that is committed, or may show what a stranger has written."""
        return not self.file.exists() or self._wal.exists() or bool(self.unpublished())

    def unpublished(self) -> Unpublished:
        """What is committed and marked, with the document of the job ({} for meta).

        A job whose document cannot be used is left out and keeps its marker: it stops nobody.
        """
        found: Unpublished = []
        for marker in pending_markers(self.root):
            if marker.operation == "meta":
                found.append((marker, {}))
            elif is_stale(self.root, marker):
                with suppress(OSError):
                    marker.drop(self.root)
            elif (document := job_document(self.root, marker.path)) and document["job"]["job_id"] == marker.job_id:
                found.append((marker, document))
        return found

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
        if not (even_if_current or self.needs_publishing()):
            return
        fresh = not self.file.exists()
        draft = self.root / "next.duckdb"
        for left_over in (draft, self.root / "next.duckdb.wal"):
            left_over.unlink(missing_ok=True)  # a WAL beside a fresh copy would be replayed into it
        if not fresh:
            self._copy_snapshot(draft)
        unpublished = self.unpublished()  # after the copy: whoever marks later finds us gone and publishes itself
        try:
            self._write(draft, unpublished, everything=fresh)
        except BrokenStore as error:
            if fresh:
                raise
            _log.warning("%s; it is made anew from the job folders", error)
            draft.unlink(missing_ok=True)
            self._write(draft, unpublished, everything=True)
        fault_point("before-publish")
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        draft.chmod(0o444)  # before the rename: readers compare the change time of the file that they opened
        self._wal.unlink(missing_ok=True)  # a stranger's: beside the new snapshot it would stop every reader
        draft.rename(self.file)
        sync_folder(self.root)
        fault_point("after-publish")
        for marker, _ in unpublished:
            drop_staging(self.root, marker.path, marker.job_id)
            marker.drop(self.root)

    def _write(self, draft: Path, unpublished: Unpublished, *, everything: bool) -> None:
        self._publisher = database = self._publisher or Database()
        with database.lock:
            try:
                database.attach(draft, read_only=False)
                self.tables.fill(database, unpublished, everything=everything)
                database.run("CHECKPOINT")
                database.detach()
            except BaseException:
                self._publisher = None  # after a failed checkpoint DuckDB lets go of nothing
                database.close()
                raise

    def _copy_snapshot(self, draft: Path) -> None:
        with self.file.open("rb") as source, draft.open("wb") as target:
            try:
                fcntl.lockf(source, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError as error:
                raise BrokenStore(
                    f"{self.file} is open for writing in another program{_holder(source.fileno())}, so nothing can be "
                    "published. Close it there (open catalogs with `duckdb -readonly`); what was committed is safe and "
                    "will be published then."
                ) from error
            shutil.copyfileobj(source, target, 1 << 20)


def _holder(descriptor: int) -> str:
    """Who holds a lock on an open file, where the system tells."""
    layout = "hhqqi"  # struct flock of Linux: type, whence, start, length, process
    asked = struct.pack(layout, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
    try:
        process = struct.unpack(layout, fcntl.fcntl(descriptor, fcntl.F_GETLK, asked))[-1]
    except (OSError, struct.error):
        return ""
    return f" (process {process})" if process > 0 else ""
