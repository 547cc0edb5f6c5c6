"""A session: an in-memory DuckDB that attaches the current snapshot for each question and holds nothing in between."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from evalstore import sql_files
from evalstore.database import Database, for_glob
from evalstore.errors import BrokenStore, QueryError
from evalstore.job_files import no_files
from evalstore.segments import segment_files
from evalstore.snapshot import Identity, attach_snapshot
from evalstore.staging import interrupted_jobs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import pyarrow as pa

    from evalstore.catalog import Catalog
    from evalstore.relations import Relation

__all__ = ["ALL", "Files", "Session", "SessionWithTrash"]

T = TypeVar("T")
ALL: Literal["all"] = "all"
Files = Literal["all"] | list[str] | None
"""Whose Parquet files a question reads: of all jobs, of the jobs with these ids, or of none."""

_TRIES = 3
# The views that read Parquet. A word in a comment costs a file list; a view that is missed reads through a glob.
_READS_FILES = re.compile(
    r"row|failures|measure|score_aggregates|aggregates_under|leaderboard_by|trend_by|compared_", re.IGNORECASE
)


class Session:
    """Asks questions of one store. One question at a time; parallel questions need a session each."""

    def __init__(self, root: Path, catalog: Catalog) -> None:
        self.root = root
        self._catalog = catalog
        self._databases: dict[bool, Database] = {}
        self._no_files = no_files(root)
        self._holding: Database | None = None
        self._use_segments = True
        self._current_file: Identity | None = None  # the last snapshot found to carry our views

    def close(self) -> None:
        """Lets go of the memory."""
        for database in self._databases.values():
            database.close()
        self._databases.clear()

    def ask_file(self, name: str, /, *, files: Files = None, folder: str = "queries", **parameters: Any) -> pa.Table:
        """The answer to the question in one file of `sql/queries/`, or of another folder of `sql/`."""
        file = f"{folder}/{name}.sql"
        return self._ask(sql_files.read(file), parameters, files, file=file)

    def copy_scores(self, score_files: list[str], name: str, /, **parameters: Any) -> int:
        """Writes the scores in some files as one file, by a COPY of `sql/`; the number of scores of live jobs.

        Raises: QueryError.
        """
        database = self._database(allow_external=True)
        with database.lock, self._attached(database):
            database.set_variables(job_ids=None, **self._no_files | {"score_files": score_files})
            return database.copy_file(name, **parameters).lines

    def ask(self, sql: str, parameters: dict[str, Any], *, allow_external: bool = False) -> pa.Table:
        """The answer to SQL of a user: one reading statement with exactly these parameters.

        Raises: UsageError, QueryError.
        """
        database = self._database(allow_external=allow_external)
        with database.lock:
            database.check_question(sql, parameters)
        files: Files = ALL if _READS_FILES.search(sql) else None
        return self._ask(sql, parameters, files, allow_external=allow_external)

    def _database(self, *, allow_external: bool) -> Database:
        if allow_external not in self._databases:
            root = None if allow_external else self.root
            self._databases[allow_external] = Database(root, sees_variables=allow_external)
        return self._databases[allow_external]

    def _ask(
        self,
        sql: str,
        parameters: dict[str, Any],
        files: Files,
        *,
        file: str | None = None,
        allow_external: bool = False,
    ) -> pa.Table:
        database = self._database(allow_external=allow_external)

        def answer() -> pa.Table:
            self._set_files(database, files)
            if "interrupted_jobs" in sql.lower():
                database.set_variables(interrupted_jobs=interrupted_jobs(self.root))
            return database.ask(sql, parameters, file=file)

        return self._on_one_snapshot(database, answer)

    def relation(self, name: str, /) -> Relation:
        """The lines of one file of `sql/listing/`; to be used up inside `consistently`."""
        return self._database(allow_external=False).relation(f"listing/{name}.sql")

    def consistently(self, ask: Callable[[], T]) -> T:
        """What a function finds out that asks several questions, all of them of one snapshot."""
        return self._on_one_snapshot(self._database(allow_external=False), ask)

    def _on_one_snapshot(self, database: Database, ask: Callable[[], T]) -> T:
        with database.lock:
            if database is self._holding:  # the snapshot is attached already, and whoever did it asks again if need be
                return ask()
            self._use_segments = True
            for tries_left in reversed(range(_TRIES)):
                try:
                    with self._attached(database):
                        self._holding = database
                        return ask()
                except QueryError as error:
                    # A job that was deleted a moment ago took its file along: the next snapshot does without it.
                    # A segment that cannot be read is done without.
                    if not ((error.is_missing_file or error.is_broken_file) and tries_left):
                        raise
                    self._use_segments = False
                finally:
                    self._holding = None
            raise AssertionError

    @contextmanager
    def _attached(self, database: Database) -> Iterator[None]:
        """Attaches a snapshot that shows everything committed before now."""
        try:
            # Looked up before the snapshot is attached: what is published in between is then seen in the snapshot.
            if not (self._published() and self._attach_snapshot(database)):
                self._attach_private(database)
            yield
        finally:
            database.detach()

    def _published(self, *, even_if_current: bool = False) -> bool:
        """Whether the snapshot shows everything. Not so in a folder that cannot be written, or beside a stranger."""
        try:
            if even_if_current or self._catalog.needs_publishing():
                return self._catalog.publish(even_if_current=even_if_current)
        except (BrokenStore, QueryError, OSError):
            return False
        return True

    def _attach_snapshot(self, database: Database) -> bool:
        """Attaches the published snapshot, with the views of this release. False where that cannot be had."""
        if attached := attach_snapshot(database, self._catalog.file):
            if attached == self._current_file or self._catalog.tables.is_current(database):
                self._current_file = attached
                return True
            database.detach()
        return self._published(even_if_current=True) and attach_snapshot(database, self._catalog.file) is not None

    def _attach_private(self, database: Database) -> None:
        """Attaches a copy of our own with what is not published.

        Where a stranger has the snapshot open, so that it cannot be copied, it is made from all documents.
        """
        changes = self._catalog.unpublished()  # before the copy: what is published in between is in the copy
        file = self._catalog.file
        is_copy = file.exists() and database.attach_copy(file)
        if not is_copy:
            database.attach_copy(None)
        self._catalog.tables.fill(database, changes, everything=not is_copy)

    def _set_files(self, database: Database, files: Files) -> None:
        named = self._no_files
        if files is not None:
            if files == ALL:
                present = segment_files(self.root) if self._use_segments else []
                [listed] = database.ask_file("segments/files_to_scan.sql", present=present or [""]).to_pylist()
            else:
                [listed] = database.ask_file("queries/score_files.sql", job_ids=files).to_pylist()
            if listed["row_files"]:
                place = for_glob(f"{self.root}/")  # thousands of paths: joined as text
                named = {kind: [place + for_glob(path) for path in paths] for kind, paths in listed.items()}
        database.set_variables(job_ids=files if isinstance(files, list) else None, **named)


class SessionWithTrash(Session):
    """Asks questions of a store in which the jobs in the trash are there too, on a private copy of the catalog."""

    @contextmanager
    def _attached(self, database: Database) -> Iterator[None]:
        try:
            self._attach_private(database)
            self._catalog.tables.add_deleted(database)
            yield
        finally:
            database.detach()
