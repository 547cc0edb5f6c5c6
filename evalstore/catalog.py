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
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from evalstore.catalog_tables import CatalogTables
from evalstore.committed import EMPTY, begun_replacements, complete_replacements
from evalstore.database import Database
from evalstore.durable_files import fault_point, sync_folder
from evalstore.errors import BrokenStore, QueryError
from evalstore.job_files import write_schema_files
from evalstore.markers import Marker
from evalstore.segments import remove_dropped
from evalstore.staging import drop_staging
from evalstore.store_lock import writer_lock
from evalstore.trash import GRACE, bury, has_tombstone, place_tombstone, waiting
from evalstore.unpublished import Change, unpublished

__all__ = ["Catalog"]

WAIT_FOR_LOCK = 2.0  # seconds that a question or a writer waits for whoever publishes
PUBLISH_AGAIN = 1.0  # seconds in all that one holder goes on publishing what others commit meanwhile
_log = logging.getLogger("evalstore")
_empty_catalogs: list[bytes] = []
"""The one that this process has made, once it has."""


class Catalog:
    """The snapshot of one store, and how it comes to show what is committed."""

    def __init__(self, root: Path, *, opened_as: Path | None = None) -> None:
        """`opened_as` is the root as it was named, where that is through a symbolic link."""
        self.root = root
        self.file = root / "catalog.duckdb"
        self.tables = CatalogTables(root, opened_as or root)
        self._wal = root / "catalog.duckdb.wal"
        self._publisher: Database | None = None

    def publish(self, *, wait: float = WAIT_FOR_LOCK, even_if_current: bool = False, anew: bool = False) -> bool:
        """Brings everything committed into the snapshot. False when another process holds the lock all the while.

        With `anew` it is made from the folders of all jobs, as if there were none.

        Raises: BrokenStore or OSError when the catalog cannot be written; what is committed stays committed.
        """
        until = time.monotonic() + wait
        again_until = until + PUBLISH_AGAIN
        while True:
            with writer_lock(self.root, until=until) as held:
                if not held:
                    return False
                try:
                    self._publish_once(even_if_current=even_if_current, anew=anew)
                except BaseException:
                    with suppress(OSError):  # as large as the catalog, and the disk may be full
                        (self.root / "next.duckdb").unlink()
                    raise
            # A writer that found the lock taken may have left after our look at pending/: look again, then leave.
            until, even_if_current, anew = time.monotonic(), False, False
            if until > again_until or not self.is_behind():
                return True

    def publish_if_possible(self) -> None:
        """Publishes, and says in the log why not: what is committed is safe, and the next question takes it along."""
        try:
            self.publish()
        except (BrokenStore, QueryError, OSError) as error:
            _log.warning("committed, but not published yet: %s", error)

    def needs_publishing(self) -> bool:
        """Whether the snapshot may not show everything that is committed, or may show what a stranger has written."""
        return not self.file.exists() or self._wal.exists() or self.is_behind() or bool(begun_replacements(self.root))

    def unpublished(self) -> list[Change]:
        """What is committed, deleted or restored and marked as not shown yet."""
        return list(unpublished(self.root))

    def is_behind(self) -> bool:
        """Whether something is."""
        return next(unpublished(self.root), None) is not None

    def _publish_once(self, *, even_if_current: bool, anew: bool) -> None:
        if not (even_if_current or anew or self.needs_publishing()):
            return
        complete_replacements(self.root)
        fresh = anew or not self.file.exists()
        draft = self.root / "next.duckdb"
        for left_over in (draft, self.root / "next.duckdb.wal"):
            left_over.unlink(missing_ok=True)  # a WAL beside a fresh copy would be replayed into it
        if not fresh:
            self._copy_snapshot(draft)
        changes = self.unpublished()  # after the copy: whoever marks later finds us gone and publishes itself
        _place_tombstones(self.root, changes)
        # Also those whose publication somebody did not live to see.
        changes += [Change(Marker("delete", stone.job_id, stone.path)) for stone in waiting(self.root)]
        try:
            self._write(draft, changes, everything=fresh)
        except BrokenStore as error:
            if fresh:
                raise
            _log.warning("%s; it is made anew from the job folders", error)
            draft.unlink(missing_ok=True)
            self._write(draft, changes, everything=True)
        fault_point("before-publish")
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        draft.chmod(0o444)  # before the rename: readers compare the change time of the file that they opened
        self._wal.unlink(missing_ok=True)  # a stranger's: beside the new snapshot it would stop every reader
        draft.rename(self.file)
        sync_folder(self.root)
        fault_point("after-publish")
        for change in changes:
            drop_staging(self.root, change.marker.path, change.marker.job_id)
            change.marker.drop(self.root)
        self._bury()

    def _bury(self) -> None:
        """Moves the folders of jobs that no reader can need any more. What cannot be moved now is moved later."""
        for stone in waiting(self.root):
            if stone.age >= GRACE:
                with suppress(OSError):
                    bury(self.root, stone)
        remove_dropped(self.root, older_than=GRACE)

    def _write(self, draft: Path, changes: list[Change], *, everything: bool) -> None:
        self._publisher = database = self._publisher or Database(threads=1)  # small work, and others work too
        with database.lock:
            try:
                if everything:
                    draft.write_bytes(_empty_catalog(self.root))
                database.attach(draft, read_only=False)
                self.tables.fill(database, changes, everything=everything)
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


def _empty_catalog(root: Path) -> bytes:
    """A catalog of this release without a job. To look at all its views takes DuckDB longer than to add most jobs."""
    if not _empty_catalogs:
        drafts = root / "staging" / ".new"
        drafts.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=drafts) as folder:
            _empty_catalogs.append(_made_empty_catalog(Path(folder)))
    return _empty_catalogs[0]


def _made_empty_catalog(folder: Path) -> bytes:
    (folder / EMPTY).mkdir(parents=True)
    write_schema_files(folder / EMPTY)
    file = folder / "catalog.duckdb"
    database = Database(threads=1)
    try:
        database.attach(file, read_only=False)
        CatalogTables(folder, folder).fill_empty(database)
        database.run("CHECKPOINT")
        database.detach()
    finally:
        database.close()
    return file.read_bytes()


def _place_tombstones(root: Path, changes: list[Change]) -> None:
    """A marker that says `delete` is the deletion; when it goes, a tombstone has to stand in its place."""
    for marker in (change.marker for change in changes if change.removed_job):
        if marker.operation == "delete" and not has_tombstone(root, marker.job_id):
            place_tombstone(root, marker.job_id, marker.path, "deleted")


def _holder(descriptor: int) -> str:
    """Who holds a lock on an open file, where the system tells."""
    layout = "hhqqi"  # struct flock of Linux: type, whence, start, length, process
    asked = struct.pack(layout, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
    try:
        process = struct.unpack(layout, fcntl.fcntl(descriptor, fcntl.F_GETLK, asked))[-1]
    except (OSError, struct.error):
        return ""
    return f" (process {process})" if process > 0 else ""
