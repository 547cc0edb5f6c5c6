"""The last steps of a job, taken by its writer, or by somebody else when the writer is gone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from evalstore import attachments
from evalstore.committed import job_id_of
from evalstore.copying import drop_dead_copy
from evalstore.errors import JobExists
from evalstore.row_parts import fold
from evalstore.staged_job import StagedJob
from evalstore.staging import drop_staging, is_committed
from evalstore.summary_scores import SummaryScores
from evalstore.told import told_of
from evalstore.trash import is_deleted
from evalstore.workbench import JobDraft

if TYPE_CHECKING:
    from pathlib import Path

    from evalstore.catalog import Catalog
    from evalstore.job_files import JobFiles
    from evalstore.journal import Journal
    from evalstore.workbench import FrameRows

__all__ = ["Ending", "commit_staged", "finish_interrupted"]

_TOLD = ("told", "told_aggregates")
_OF_THE_ATTEMPT = (*_TOLD, "metrics", "host", "pid", "replaces", "resumes", "elapsed", "writing_since")
"""What a head says, and a document does not."""


@dataclass
class Ending:
    """How an attempt at a staged job ends: its rows, the `summary` scores of the whole job, and how long it took.

    What the head says another tool has told of the job goes before `seconds`, and of a whole job before the status.
    """

    staged: StagedJob
    rows: Journal | FrameRows
    summary: list[dict[str, Any]]
    status: str
    seconds: float
    error: dict[str, Any] | None = None
    replaced_characters: int = 0

    def draft(self) -> JobDraft:
        """The job as it is to be finished, with an empty folder for its files."""
        staged = self.staged
        finished_at = staged.began_at + timedelta(seconds=self.seconds)  # the clock may have been set meanwhile
        job = {
            **{key: value for key, value in staged.head.items() if key not in _OF_THE_ATTEMPT},
            "status": self.status,
            "finished_at": finished_at.isoformat(),
            "duration": round(staged.seconds_before + self.seconds, 6),  # as exact as the times are
            "error": self.error,
            "summary_scores": self.summary,
            "replaced_characters": self.replaced_characters + (staged.head.get("replaced_characters") or 0),
        }
        folder = staged.commit_folder()
        attached = attachments.bring(staged.folder, folder, staged.job_id)
        told = told_of(staged.head)
        if self.status != "completed":  # how it was broken off is told here
            told = {**told, "job": {k: v for k, v in told.get("job", {}).items() if k not in ("status", "error")}}
        return JobDraft(folder, job, staged.head["metrics"], self.rows, told=told, attached=attached)


def commit_staged(ending: Ending, files: JobFiles) -> None:
    """Writes the files of a staged job and commits it."""
    files.finish([ending.draft()])
    ending.staged.commit()


def finish_interrupted(root: Path, workspace: str, name: str, files: JobFiles, catalog: Catalog) -> int:
    """Commits a job whose writer died, as `interrupted`, with every row of its journal; their number.

    Raises: JobNotFound, JobBusy; JobExists where another job has been put in its place.
    """
    drop_dead_copy(root, f"{workspace}/{name}")
    staged = StagedJob.take_over(root, workspace, name)
    try:
        if not is_committed(root, staged.head):
            _check_place(root, staged)
            seconds = staged.seconds_written
            error = _interruption(staged.head)
            staged.head = _without_content_hash(staged.head)
            fold(staged.folder, staged.journal)
            staged.journal.close()
            summary = SummaryScores(staged.folder).all()
            commit_staged(Ending(staged, staged.journal, summary, "interrupted", seconds, error), files)
    finally:
        staged.release()
    catalog.publish_if_possible()
    drop_staging(root, f"{workspace}/{name}", staged.job_id)
    return staged.journal.lines


def _interruption(head: dict[str, Any]) -> dict[str, Any]:
    """What stopped a job. How the evaluation itself ended, as another tool has told it, stands in the details."""
    message = f"its writer (process {head.get('pid')} on {head.get('host')}) ended without finishing it"
    if path := (head.get("source") or {}).get("path"):
        message += f"; import {path} again, with overwrite, for what it did not come to"
    told = told_of(head).get("job", {})
    ended = {field: told[field] for field in ("status", "error") if field in told}
    return {"type": "Interrupted", "message": message, "details": {"told": ended} if ended else None}


def _without_content_hash(head: dict[str, Any]) -> dict[str, Any]:
    """Half an import is not what it was to be: importing the same again must not find it there."""
    return {**head, "source": {**head["source"], "content_hash": None}} if head.get("source") else head


def _check_place(root: Path, staged: StagedJob) -> None:
    """A job that was put in the place of an interrupted one is in its way, unless it is deleted. Raises: JobExists."""
    there = job_id_of(root, staged.path)
    if there not in (None, staged.replaces):
        if not is_deleted(root, there):
            raise JobExists(
                f"jobs/{staged.path} holds another job, which came there while this one was interrupted: delete that "
                f"one (`evalstore delete {staged.name}`; it can be restored by its id), then finish this one"
            )
        staged.head = {**staged.head, "replaces": there}
