"""From logged rows to the finished files of a job: two Parquet files and the document with everything about it."""

from __future__ import annotations

import hashlib
import os
from datetime import datetime
from typing import TYPE_CHECKING, Any

from evalstore.committed import EMPTY
from evalstore.database import for_glob
from evalstore.durable_files import write_draft
from evalstore.told import told_rows
from evalstore.workbench import Workbench, write_empty_files

if TYPE_CHECKING:
    from pathlib import Path

    from evalstore.workbench import JobDraft, Measured

__all__ = ["DOCUMENT_VERSION", "JobFiles", "file_entry", "no_files", "write_schema_files"]

DOCUMENT_VERSION = 1
_schema_files: dict[str, bytes] = {}
_idle: list[Workbench] = []
"""Those that nobody uses, whichever store they were made for: one takes longer to set up than to use."""

os.register_at_fork(after_in_child=_idle.clear)  # they are the parent's


class JobFiles:
    """Writes the files of the jobs of one store."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._no_files = no_files(root)

    def finish(self, drafts: list[JobDraft]) -> None:
        """Writes the files of some jobs, their documents among them, into their folders. Nothing is durable yet.

        Raises: QueryError, OSError.
        """
        try:
            workbench = _idle.pop()
        except IndexError:
            workbench = Workbench(self._no_files)
        try:
            measured = workbench.write(drafts, self._root / EMPTY)
        except BaseException:
            workbench.close()
            raise
        _idle.append(workbench)
        for draft in drafts:
            write_draft(draft.folder / "job.json", _document(draft, measured[draft.job_id]))


def _document(draft: JobDraft, measured: Measured) -> dict[str, Any]:
    totals, aggregates = measured.totals, measured.aggregates
    job = dict(draft.job)
    status, error = job["status"], job.get("error")
    suites = totals.pop("suites", [])
    for suite in suites:
        # A suite has run through when its job has; what stopped the job stopped the suite that was not done.
        if suite["status"] is None:
            suite["status"] = status
            suite["error"] = suite["error"] or (error or {}).get("message")
        del suite["job_id"], suite["rows_error"]
    none: dict[str, int | None]
    none = dict.fromkeys(("rows_total", "rows_scored", "rows_unscored", "rows_error", "total_events", "total_suites",
                          "total_metrics", "metrics_unscaled"), 0)  # fmt: skip
    started, finished = job.get("started_at"), job.get("finished_at")
    if job.get("duration") is None and started and finished:
        job["duration"] = (datetime.fromisoformat(finished) - datetime.fromisoformat(started)).total_seconds()
    for aggregate in aggregates:
        del aggregate["job_id"]
    known = {_named(aggregate) for aggregate in aggregates}
    told = [aggregate for aggregate in draft.told.get("aggregates") or () if _named(aggregate) not in known]
    if not draft.rows_count:
        none |= told_rows(aggregates + told)
    return {
        "schema_version": DOCUMENT_VERSION,
        "job": {**job, **none, **{k: v for k, v in totals.items() if k != "job_id"}, **draft.told.get("job", {})},
        "suites": suites,
        "metrics": draft.declarations,
        "aggregates": aggregates + told,
        "files": {
            "scores": file_entry(draft.scores_file, draft.scores_count),
            "rows": file_entry(draft.rows_file, draft.rows_count),
        },
        **({"attachments": draft.attached} if draft.attached else {}),
    }


def _named(aggregate: dict[str, Any]) -> tuple[str, str, str]:
    return aggregate["suite"], aggregate["metric"], aggregate["name"]


def file_entry(path: Path, count: int) -> dict[str, Any]:
    """What a document says of one of its Parquet files."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"name": path.name, "rows": count, "bytes": path.stat().st_size, "sha256": digest}


def no_files(root: Path) -> dict[str, list[str]]:
    """The variables that make the views `rows` and `row_scores` empty."""
    return {
        "score_files": [for_glob(root / EMPTY / "scores-empty.parquet")],
        "row_files": [for_glob(root / EMPTY / "rows-empty.parquet")],
    }


def write_schema_files(folder: Path) -> None:
    """Writes files without a line, with exactly the columns of rows and scores: views need one file to look at."""
    if not _schema_files:
        rows, scores = folder / "rows-empty.parquet", folder / "scores-empty.parquet"
        write_empty_files(rows, scores)
        _schema_files.update({file.name: file.read_bytes() for file in (rows, scores)})
    for name, content in _schema_files.items():
        (folder / name).write_bytes(content)
