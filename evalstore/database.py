"""DuckDB, behind one door: the only module that imports it. Results leave as Arrow tables, failures as QueryError."""

from __future__ import annotations

import ctypes
import os
import re
import threading
import weakref
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from evalstore import sql_files
from evalstore.errors import BrokenStore, QueryError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import pyarrow as pa

    from evalstore.relations import Relation

__all__ = ["CopiedFile", "Database", "check_root", "for_glob", "sql_text"]

CATALOG = "catalog"
SNAPSHOT = "snapshot"
_BATCH = 10_000  # lines of an answer that is taken part by part
_COMMENT = r"(?:\s|--[^\n]*\n|/\*.*?\*/)*"
_EXPLAIN = re.compile(rf"{_COMMENT}EXPLAIN\b{_COMMENT}(?:ANALYZE\b|\([^)]*\))?", re.IGNORECASE | re.DOTALL)
_BROKEN_PARQUET = re.compile(r"\.parquet|parquet file|magic bytes|thrift|zstd", re.IGNORECASE)
_LOGGING = re.compile(r"(?:enable|disable)_logging", re.IGNORECASE)
_PIVOTS = re.compile(rf"{_COMMENT}(?:PIVOT|UNPIVOT|FROM|SELECT|WITH)\b", re.IGNORECASE | re.DOTALL)


def for_glob(path: Path | str) -> str:
    """A path as `read_parquet` and `glob` must be given it, so that it names itself only."""
    return str(path).replace("[", "[[]").replace("*", "[*]").replace("?", "[?]")


def sql_text(value: Path | str) -> str:
    """A string literal of SQL. For ATTACH and stored views, which take no parameters; all else is bound."""
    return "'" + str(value).replace("'", "''") + "'"


def check_root(root: Path) -> None:
    """Refuses folders that DuckDB cannot name: it cuts a path at `?` and has no escape for a backslash."""
    bad = [repr(character) for character in str(root) if character in "?\\" or not character.isprintable()]
    if bad:
        raise UsageError(
            f"a store cannot live at {str(root)!r}: its path holds {', '.join(bad)}; choose another folder"
        )


@dataclass
class CopiedFile:
    """What a COPY wrote: how many lines, and of each column the statistics that stand in the footer."""

    lines: int
    columns: dict[str, dict[str, str]]

    def is_empty(self, column: str) -> bool:
        """Whether all values of a column are null."""
        return not self.lines or int(self.columns[column]["null_count"]) == self.lines

    def highest(self, column: str) -> str | None:
        """The highest value of a column, as text."""
        return self.columns.get(column, {}).get("max")


_open: weakref.WeakSet[Database] = weakref.WeakSet()


class Database:
    """One in-memory DuckDB instance, into which catalogs are attached for a moment.

    With `root`, SQL reaches no file outside that folder and no setting. Tables in variables of Python are visible with
    `sees_variables` only.
    """

    def __init__(self, root: Path | None = None, *, sees_variables: bool = False, threads: int | None = None) -> None:
        self.lock = threading.RLock()
        _open.add(self)
        self._variables: dict[str, Any] = {}
        self._connection = duckdb.connect(":memory:")
        for setting in (
            "SET TimeZone = 'UTC'",
            "SET autoinstall_known_extensions = false",
            "SET autoload_known_extensions = false",
            "SET enable_progress_bar = false",
        ):
            self._connection.execute(setting)
        self._threads: int | None = None
        self.use_threads(threads)
        if sees_variables:
            self._connection.execute("SET python_scan_all_frames = true")  # a caller's frames lie above ours
        else:
            self._connection.execute("SET python_enable_replacements = false")
        if root is not None:
            inside = ", ".join(sql_text(f"{place}/") for place in (root, for_glob(root)))
            self._connection.execute(f"SET allowed_directories = [{inside}]")
            self._connection.execute("SET enable_external_access = false")
        if root is not None or sees_variables:  # SQL of users runs here
            self._connection.execute("SET lock_configuration = true")

    def use_threads(self, threads: int | None) -> None:
        """Works with so many threads from now on; None is one for each processor."""
        if threads != self._threads:
            self._threads = threads
            self._connection.execute("RESET threads" if threads is None else f"SET threads = {threads:d}")

    def close(self) -> None:
        """Lets go of the memory."""
        self._connection.close()

    def leave_to_parent(self) -> None:
        """In a forked child: never closes the instance, whose threads are the parent's."""
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._connection))

    def attach(self, file: Path, *, read_only: bool) -> None:
        """Makes a catalog file the current database.

        A file that is written keeps to what DuckDB 1.5 and 2.0 both read, and leaves no WAL that a crash could strand.
        """
        options = "READ_ONLY"
        if not read_only:
            # Smaller blocks than usual: with many columns and little in each, the file is a third as large.
            options = "STORAGE_VERSION 'v1.5.0', RECOVERY_MODE 'no_wal_writes'"
            options += "" if file.exists() else ", BLOCK_SIZE 65536"
        try:
            self._connection.execute(f"ATTACH {sql_text(file)} AS {CATALOG} ({options})")
        except duckdb.Error as error:
            raise BrokenStore(f"{file} cannot be opened: {_first_line(error)}") from error
        self._connection.execute(f"USE {CATALOG}")

    def attach_copy(self, file: Path | None) -> bool:
        """Makes a private copy of a catalog file, held in memory, the current database; without a file an empty one.

        False when the file cannot be copied: then nothing is attached.
        """
        self._connection.execute(f"ATTACH ':memory:' AS {CATALOG}")
        try:
            if file is not None:
                with self.beside(file):
                    self._connection.execute(f"COPY FROM DATABASE {SNAPSHOT} TO {CATALOG}")
        except (duckdb.Error, BrokenStore):
            self._connection.execute(f"DETACH {CATALOG}")
            return False
        self._connection.execute(f"USE {CATALOG}")
        return True

    @contextmanager
    def beside(self, file: Path) -> Iterator[None]:
        """Attaches a catalog file as `snapshot` beside the current database, to compare or copy it.

        Raises: BrokenStore.
        """
        try:
            self._connection.execute(f"ATTACH {sql_text(file)} AS {SNAPSHOT} (READ_ONLY)")
        except duckdb.Error as error:
            raise BrokenStore(f"{file} cannot be opened: {_first_line(error)}") from error
        try:
            yield
        finally:
            self._connection.execute(f"DETACH DATABASE IF EXISTS {SNAPSHOT}")

    def detach(self) -> None:
        """Lets go of the current catalog, if there is one."""
        self._connection.execute("USE memory")
        self._connection.execute(f"DETACH DATABASE IF EXISTS {CATALOG}")

    def run(self, sql: str, parameters: Mapping[str, Any] | None = None, *, file: str | None = None) -> None:
        """Runs one or more statements for what they do.

        Raises: QueryError.
        """
        try:
            self._connection.execute(sql, dict(parameters) if parameters else None)
        except duckdb.Error as error:
            raise QueryError(_message(error), sql=sql, file=file) from error

    def run_file(self, name: str, /, **parameters: Any) -> None:
        """Runs one file of `sql/` for what it does. Raises: QueryError, which names the file."""
        self.run(sql_files.read(name), parameters, file=name)

    def copy_file(self, name: str, /, **parameters: Any) -> CopiedFile:
        """Runs one file of `sql/` that is a COPY with RETURN_STATS. Raises: QueryError."""
        [(_, copied)] = self.copy_files(name, **parameters)
        return copied

    def copy_files(self, name: str, /, **parameters: Any) -> list[tuple[Path, CopiedFile]]:
        """Runs one file of `sql/` that is a COPY, perhaps into parts, with RETURN_STATS; the files that it wrote.

        Raises: QueryError.
        """
        try:
            copied = self._connection.execute(sql_files.read(name), parameters).fetchall()
        except duckdb.Error as error:
            missing = isinstance(error, duckdb.IOException)
            raise QueryError(_message(error), sql=sql_files.read(name), file=name, is_missing_file=missing) from error
        return [
            (Path(path), CopiedFile(int(lines), {name.strip('"'): facts for name, facts in columns.items()}))
            for path, lines, _, _, columns, *_ in copied
        ]

    def ask(self, sql: str, parameters: Mapping[str, Any] | None = None, *, file: str | None = None) -> pa.Table:
        """The answer to one question, materialised, so that errors in the data surface here.

        Raises: QueryError.
        """
        try:
            return self._connection.sql(sql, params=dict(parameters) if parameters else None).to_arrow_table()
        except duckdb.Error as error:
            raise QueryError(
                _message(error),
                sql=sql,
                file=file,
                is_missing_file=isinstance(error, duckdb.IOException),
                is_broken_file=bool(_BROKEN_PARQUET.search(str(error))),
            ) from error
        except RuntimeError as error:  # 1.5: a parameter that is no UTF-8
            raise QueryError(_first_line(error), sql=sql, file=file) from error

    def ask_file(self, name: str, /, **parameters: Any) -> pa.Table:
        """The answer to the question in one file of `sql/`."""
        return self.ask(sql_files.read(name), parameters, file=name)

    def relation(self, name: str, /) -> Relation:
        """The lines of one file of `sql/` that is a question without parameters, to narrow and order further."""
        from evalstore.relations import Relation

        try:
            return Relation(self._connection.sql(sql_files.read(name)), name)
        except duckdb.Error as error:
            raise QueryError(_message(error), sql=sql_files.read(name), file=name) from error

    def stream_file(self, name: str, /, **parameters: Any) -> Iterator[pa.RecordBatch]:
        """The answer to the question in one file of `sql/`, part by part. Nothing else may be asked meanwhile.

        Raises: QueryError.
        """
        sql = sql_files.read(name)
        try:
            yield from self._connection.sql(sql, params=parameters).to_arrow_reader(_BATCH)
        except duckdb.Error as error:
            raise QueryError(_message(error), sql=sql, file=name) from error

    def set_variables(self, **values: Any) -> None:
        """Sets the variables that views read: file lists and what only Python can know."""
        for name, value in values.items():
            if name in self._variables and self._variables[name] == value:
                continue  # thousands of paths take longer to hand over than many a question to answer
            kind = "::VARCHAR[]" if isinstance(value, list) and all(isinstance(v, str) for v in value) else ""
            self._connection.execute(f"SET VARIABLE {name} = $value{kind}", {"value": value})
            self._variables[name] = value

    def register(self, name: str, table: pa.Table) -> None:
        """Makes an Arrow table known as a view."""
        self._connection.register(name, table)

    def unregister(self, name: str) -> None:
        """Forgets an Arrow table."""
        self._connection.unregister(name)

    def check_question(self, sql: str, given: Iterable[str]) -> None:
        """Refuses SQL that is not exactly one reading statement with exactly the parameters given.

        Raises: QueryError where it cannot be parsed, UsageError otherwise.
        """
        if _LOGGING.search(sql):  # a function that a SELECT can call, and that writes files
            raise UsageError("sql only reads: logging is refused")
        kinds, wanted = self._statements(sql)
        if kinds == ["EXPLAIN"]:  # EXPLAIN ANALYZE runs what it explains
            kinds, _ = self._statements(_EXPLAIN.sub("", sql, count=1))
        # PIVOT arrives as a CREATE TYPE before the SELECT that needs it (1.5), or as both in one (2.0).
        if not (kinds in (["MULTI"], ["CREATE", "SELECT"]) and _PIVOTS.match(sql)):
            if len(kinds) != 1:
                raise UsageError(f"sql takes exactly one statement, not {len(kinds)}")
            if kinds != ["SELECT"]:
                raise UsageError(
                    f"sql only reads: {kinds[0]} is refused; to change the data use the Python API or the command line"
                )
        given = set(given)
        if wanted != given:
            missing = ", ".join(f"${name}" for name in sorted(wanted - given))
            surplus = ", ".join(f"${name}" for name in sorted(given - wanted))
            parts = [f"give a value for {missing}"] if missing else []
            parts += [f"the query has no {surplus}"] if surplus else []
            raise UsageError("; ".join(parts))

    def _statements(self, sql: str) -> tuple[list[str], set[str]]:
        """The kinds of the statements in a text, and the parameters that they name."""
        try:
            statements = self._connection.extract_statements(sql)
        except duckdb.Error as error:
            raise QueryError(_message(error), sql=sql) from error
        except TypeError as error:
            raise UsageError("sql is text that can be written as UTF-8") from error
        kinds = [str(statement.type).rpartition(".")[2] for statement in statements]
        return kinds, {name for statement in statements for name in statement.named_parameters}


def _leave_to_parent() -> None:
    for database in list(_open):
        database.leave_to_parent()


os.register_at_fork(after_in_child=_leave_to_parent)


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]


def _message(error: Exception) -> str:
    return str(error).strip()
