"""What a catalog holds: tables out of job documents, declarations out of `meta/`, and the macros and views on top."""

from __future__ import annotations

from contextlib import suppress
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from evalstore import json_text, judgements, meta, said, sql_files
from evalstore.arrow_lines import as_table
from evalstore.committed import committed_jobs
from evalstore.database import for_glob, sql_text
from evalstore.job_document import job_document
from evalstore.job_files import no_files
from evalstore.segments import live_segments
from evalstore.trash import is_deleted, tombstones

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    import pyarrow as pa

    from evalstore.database import Database
    from evalstore.unpublished import Change

__all__ = ["CatalogTables"]

BATCH = 200  # jobs that are inserted at once
_ROOT = "'@ROOT_GLOB@"  # stands for the folder of the store in views that name files


class CatalogTables:
    """Fills the catalog that is attached to a database: a draft of the snapshot, or a private copy."""

    def __init__(self, root: Path, opened_as: Path) -> None:
        self._root, self._opened_as = root, opened_as
        self._schemas: dict[str, pa.Schema] = {}

    def fill(self, database: Database, changes: list[Change], *, everything: bool) -> None:
        """Brings tables, jobs, declarations and views up to date in one transaction."""
        database.run("BEGIN")
        try:
            self._fill(database, changes, everything=everything)
            database.run("COMMIT")
        except BaseException:
            with suppress(Exception):
                database.run("ROLLBACK")
            raise

    def fill_empty(self, database: Database) -> None:
        """Makes an empty catalog one of this release, of a store without a job."""
        _migrate(database)
        self._set_place(database)

    def add_deleted(self, database: Database) -> None:
        """Brings the jobs in the trash into a private copy, each with the time of its deletion."""
        deleted = []
        for stone in tombstones(self._root):
            buried = self._root / "trash" / stone.job_id
            folder = buried if (buried / "job.json").exists() else None
            document = job_document(self._root, stone.path, folder=folder)
            if document and document["job"]["job_id"] == stone.job_id:
                document["job"]["deleted_at"] = stone.deleted_at.isoformat()
                deleted.append((stone.path, document))
        self._insert_jobs(database, deleted)
        self._say(database)

    def is_current(self, database: Database) -> bool:
        """Whether the catalog carries the views of this release."""
        info = database.ask_file("publish/store_info.sql").to_pylist()
        return bool(info) and info[0]["views_fingerprint"] == _views_fingerprint()

    def _fill(self, database: Database, changes: list[Change], *, everything: bool) -> None:
        _migrate(database)
        told = [(change.marker.path, change.document) for change in changes if change.document]
        documents: Iterator[tuple[str, dict[str, Any]]]
        if everything:  # into an empty catalog
            known = set[str]()
            documents = chain(told, self._committed())
        else:
            known = self._clear(database, told, [job_id for change in changes if (job_id := change.removed_job)])
            documents = iter(told)
        new = _unknown(documents, known)
        while batch := list(islice(new, BATCH)):  # a few at a time: documents are large, and a rebuild reads them all
            self._insert_jobs(database, batch)
        if everything or told or any(change.marker.path == said.FILE for change in changes):
            self._say(database)
        database.run_file("publish/delete_metric.sql")
        self._insert(database, "metric", meta.latest_declarations(self._root))
        paths = {change.marker.path for change in changes}
        for table, file, read in (
            ("baseline", judgements.BASELINES, judgements.baselines),
            ("gate_verdict", judgements.VERDICTS, judgements.verdicts),
        ):
            if everything or file in paths:
                database.run_file(f"publish/delete_{table}.sql")
                self._insert(database, table, read(self._root))
        if everything or any(change.marker.operation == "segments" for change in changes):
            self._read_segments(database)
        self._set_place(database)

    def _say(self, database: Database) -> None:
        """Brings in what is said of jobs after they were committed."""
        if entries := list(said.said(self._root).values()):
            database.run_file("publish/say_of_jobs.sql", said=entries)

    def _read_segments(self, database: Database) -> None:
        database.run_file("publish/delete_segment.sql")
        database.run_file("publish/delete_segment_job.sql")
        live = live_segments(self._root)
        self._insert(
            database,
            "segment",
            [{"segment_id": one.segment_id, "path": one.path, "scores_count": one.scores_count} for one in live],
        )
        self._insert(
            database,
            "segment_job",
            [{"segment_id": one.segment_id, "job_id": job_id} for one in live for job_id in one.job_ids],
        )

    def _clear(self, database: Database, told: list[tuple[str, dict[str, Any]]], removed: list[str]) -> set[str]:
        """Takes out removed jobs, and those whose name now belongs to another one. Gives those that stay as they are.

        One name is one job: whatever markers have come to, the job in the folder of that name is the one shown.
        """
        job_ids = [document["job"]["job_id"] for _, document in told]
        paths = [path for path, _ in told]
        known = database.ask_file("publish/known_jobs.sql", job_ids=[*job_ids, *removed, ""], paths=[*paths, ""])
        kept = set(known.column(0).to_pylist()) & set(job_ids)
        gone = [job_id for job_id in known.column(0).to_pylist() if job_id not in kept]
        if gone:
            for table in ("job", "aggregate_score", "score_file"):
                database.run_file(f"publish/delete_{table}.sql", job_ids=gone)
        return kept

    def _committed(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Paths and documents of the jobs in `jobs/` that are not deleted and whose document can be used."""
        for path in committed_jobs(self._root):
            document = job_document(self._root, path)
            if document and not is_deleted(self._root, document["job"]["job_id"]):
                yield path, document

    def _insert_jobs(self, database: Database, jobs: list[tuple[str, dict[str, Any]]]) -> None:
        self._insert(database, "job", [_job_line(document) for _, document in jobs])
        aggregates = [
            {"job_id": document["job"]["job_id"], **aggregate}
            for _, document in jobs
            for aggregate in document["aggregates"]
        ]
        self._insert(database, "aggregate_score", aggregates)
        self._insert(database, "score_file", [_file_line(path, document) for path, document in jobs])

    def _set_place(self, database: Database) -> None:
        """Makes the views those of this release, and their files those of this folder."""
        [info] = database.ask_file("publish/store_info.sql").to_pylist() or [{"root": None, "views_fingerprint": None}]
        at_home = info["root"] == str(self._root)
        paths = {str(self._root), str(self._opened_as), *(info["paths"] if at_home else ())}
        are_current = info["views_fingerprint"] == _views_fingerprint()
        if at_home and are_current and paths == set(info["paths"]):
            return
        self._create_views(database, only_of_files=are_current)
        database.run_file(
            "publish/set_store_info.sql",
            root=str(self._root),
            paths=sorted(paths),
            views_fingerprint=_views_fingerprint(),
        )

    def _create_views(self, database: Database, *, only_of_files: bool) -> None:
        # A stored view takes no parameters, so the root goes in as text: escaped for a glob, and quoted.
        root = sql_text(for_glob(self._root))[:-1]
        database.set_variables(**no_files(self._root))  # else each view would look for the files of all jobs
        for name in sql_files.names("macros", "views"):
            text = sql_files.read(name)
            if _ROOT in text or not only_of_files:
                database.run(text.replace(_ROOT, root), file=name)

    def _insert(self, database: Database, table: str, lines: list[dict[str, Any]]) -> None:
        if not lines:
            return
        found = as_table(lines, self._schema(database, table))
        if found is None:
            columns = database.ask_file("publish/columns.sql", table_name=table).to_pylist()
            structure = json_text.dumps([{c["column_name"]: c["data_type"] for c in columns}])[0]
            documents = json_text.dumps(lines)[0]
            found = database.ask_file("publish/odd_lines.sql", documents=documents, structure=structure)
        database.register("document_line", found)
        try:
            database.run_file(f"publish/insert_{table}.sql")
        finally:
            database.unregister("document_line")

    def _schema(self, database: Database, table: str) -> pa.Schema:
        """The columns of a table as documents fill them; maps as text, which Arrow's reader of JSON does not know."""
        if table not in self._schemas:
            import pyarrow as pa

            schema = database.ask_file("publish/no_lines.sql", table_name=table).schema
            kinds = [(field.name, pa.string() if pa.types.is_map(field.type) else field.type) for field in schema]
            self._schemas[table] = pa.schema(kinds)
        return self._schemas[table]


def _unknown(documents: Iterable[tuple[str, dict[str, Any]]], known: set[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Those of jobs that are not known, each job once."""
    for path, document in documents:
        job_id = document["job"]["job_id"]
        if job_id not in known:
            known.add(job_id)
            yield path, document


def _views_fingerprint() -> str:
    return sql_files.fingerprint("tables", "macros", "views")


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
        "attachments": document.get("attachments"),
        "labels": _text(job.get("labels")),
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
