"""Opening a job to write: a new one, one that takes the place of another, or one that goes on where another stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evalstore import attachments, said
from evalstore.committed import job_id_of
from evalstore.copying import drop_dead_copy
from evalstore.database import Database, for_glob
from evalstore.durable_files import read_document, sync_file, sync_folder, write_document
from evalstore.errors import BrokenStore, JobBusy, UsageError
from evalstore.job_document import job_document
from evalstore.journal import Journal
from evalstore.row_index import RowIndex, numbered_lines
from evalstore.row_parts import FILE, fold
from evalstore.staged_job import StagedJob
from evalstore.staging import drop_staging, is_committed, is_dead
from evalstore.summary_scores import SummaryScores
from evalstore.told import told_of, was_told
from evalstore.trash import is_deleted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from evalstore.catalog import Catalog

__all__ = ["declared", "open_attempt", "resume_attempt"]

_SAME = ("metric_ref", "dataset", "model", "config")  # what a resumed job may not change
_KEPT = ("kind", "group", "labels", "tags", "metadata")  # what stays as it was unless it is given again


def open_attempt(
    root: Path, head: dict[str, Any], catalog: Catalog, *, overwrite: bool = False, shared: Journal | None = None
) -> StagedJob:
    """Claims the name of a new job. With `overwrite` it may be that of a committed job, whose place it then takes.

    `shared` is the journal of several jobs whose content lies elsewhere too.

    Raises: JobExists, JobBusy.
    """
    path = f"{head['workspace']}/{head['name']}"
    _clear_staging(root, path, catalog)
    return StagedJob.claim(root, head, replaces=job_id_of(root, path) if overwrite else None, shared=shared)


def resume_attempt(
    root: Path, head: dict[str, Any], catalog: Catalog, *, general: list[dict[str, Any]]
) -> tuple[StagedJob, RowIndex]:
    """A job that starts with the rows of the one of this name, interrupted or committed; a new one where there is none.

    `general` are the declarations of metrics in force for a new job, beside those in the head.

    Raises: JobBusy; UsageError when it was run with another model, dataset, config or other declarations, or when it
    was imported with more than its rows.
    """
    path = f"{head['workspace']}/{head['name']}"
    _clear_staging(root, path, catalog)
    if (root / "staging" / path / "head.json").exists():
        staged = StagedJob.take_over(root, head["workspace"], head["name"])
        try:
            if is_committed(root, staged.head):  # its remains are swept away by whoever publishes it
                raise JobBusy(f"job {head['name']!r} is committed and waits to be published; try again")
            if told_of(staged.head):
                raise _told(head["name"], "its import did not come to its end, and would lose what was told of it")
            _go_on(staged, head)
        except BaseException:
            staged.release()
            raise
        return staged, RowIndex.of_journal(staged.journal.path)
    old = job_id_of(root, path)
    if old is None or is_deleted(root, old):
        new = {"kind": head["kind"] or "evaluation", "metrics": declared(general, head["metrics"])}
        return StagedJob.claim(root, {**head, **new}), RowIndex()
    document = job_document(root, path)
    if document is None:
        raise BrokenStore(f"{root / 'jobs' / path / 'job.json'} cannot be read: run `evalstore verify`")
    before = document["job"]
    if before.get("rows_dropped_at"):
        raise UsageError(f"job {head['name']!r} cannot be resumed: its rows were dropped. Use overwrite=True")
    if was_told(document):
        raise _told(head["name"], "it was imported, and would lose what was told of it besides its rows")
    merged = _merged({**before, "metrics": document["metrics"]}, head)
    merged["elapsed"] = before.get("duration")

    def start_with_what_is_there(folder: Path) -> None:
        _write_lines(folder / "journal.jsonl", _lines_of(root / "jobs" / path, document["files"]))
        summary = SummaryScores(folder)
        summary.keep(before.get("summary_scores") or [])
        summary.close()
        attachments.carry_over(root / "jobs" / path, document, folder)

    head = {**merged, "resumes": before["status"]}
    staged = StagedJob.claim(root, head, replaces=old, prepare=start_with_what_is_there)
    said.carry_over(root, old, staged.job_id)
    return staged, RowIndex.of_journal(staged.journal.path)


def _go_on(staged: StagedJob, head: dict[str, Any]) -> None:
    """Makes a job taken over from a dead writer ours."""
    merged = _merged(staged.head, head)
    merged["elapsed"] = staged.seconds_before + staged.seconds_written
    merged |= {field: staged.head.get(field) for field in ("job_id", "replaces")}
    fold(staged.folder, staged.journal)
    _restart_journal(staged, numbered_lines(staged.journal.path))
    (staged.folder / FILE).unlink(missing_ok=True)  # all of it is in the journal now
    write_document(staged.folder / "head.json", merged)
    staged.head = merged


def _restart_journal(staged: StagedJob, lines: Iterator[bytes]) -> None:
    """Puts other lines in the place of the journal, in one step."""
    path = staged.journal.path
    staged.journal.close()
    draft = path.with_name("next.jsonl")
    _write_lines(draft, lines)
    draft.rename(path)
    staged.journal = Journal.recovered(path)


def _write_lines(file: Path, lines: Iterator[bytes]) -> None:
    with file.open("wb") as draft:
        draft.writelines(lines)
    sync_file(file)


def _lines_of(folder: Path, files: dict[str, Any]) -> Iterator[bytes]:
    database = Database()
    try:
        database.run_file("resume/005_journal_number.sql")
        parameters = {f"{kind}_file": for_glob(folder / files[kind]["name"]) for kind in ("rows", "scores")}
        for batch in database.stream_file("resume/010_logged_lines.sql", **parameters):
            for line in batch.column(0).to_pylist():
                yield line.encode() + b"\n"
    finally:
        database.close()


def _merged(before: dict[str, Any], head: dict[str, Any]) -> dict[str, Any]:
    """The head of the new attempt: what was said before, and what is said now.

    Raises: UsageError where the two contradict each other.
    """
    for field in _SAME:
        if head.get(field) not in (None, before.get(field)):
            raise _contradiction(head["name"], field, before.get(field), head[field])
    known = {(one["metric"], one["name"]): one for one in before["metrics"]}
    for one in head["metrics"]:
        if one != known.get((one["metric"], one["name"]), one):
            raise _contradiction(head["name"], "metrics", known[one["metric"], one["name"]], one)
    kept = {field: before.get(field) for field in (*_SAME, "created_at", "started_at")}
    kept |= {field: head.get(field) or before.get(field) for field in _KEPT}
    # What is said again is not counted again.
    kept["replaced_characters"] = max(before.get("replaced_characters") or 0, head["replaced_characters"])
    return {**head, **kept, "metrics": declared(before["metrics"], head["metrics"])}


def declared(general: list[dict[str, Any]], own: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The declarations of a job: its own go before general ones of the same metric and name."""
    return list({(one["metric"], one["name"]): one for one in (*general, *own)}.values())


def _contradiction(job: str, field: str, before: Any, now: Any) -> UsageError:
    return UsageError(
        f"job {job!r} was run with {field} {before!r}, and cannot be resumed with {now!r}: choose another name, or "
        "overwrite=True"
    )


def _told(job: str, why: str) -> UsageError:
    return UsageError(
        f"job {job!r} cannot be resumed: {why}. Import it again, with overwrite, or log into a job of another name"
    )


def _clear_staging(root: Path, path: str, catalog: Catalog) -> None:
    """A job that was committed by a writer that died before it was published does not keep its name in staging.

    Nor does one that was to be copied there.
    """
    drop_dead_copy(root, path)
    folder = root / "staging" / path
    head = read_document(folder / "head.json")
    if head and is_dead(folder) and is_committed(root, head):
        catalog.publish_if_possible()
        if (root / "jobs" / path).exists():  # durable, also where its writer died a moment after the rename
            sync_folder((root / "jobs" / path).parent)
            drop_staging(root, path, str(head["job_id"]))
