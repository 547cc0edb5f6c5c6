"""Putting finished files in the place of a job whose content lies elsewhere too: in an archive, or in the job before.

A process that dies on the way leaves nothing that could be finished, and nothing that is worth it.
"""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from evalstore.committed import begun_replacements
from evalstore.durable_files import read_document
from evalstore.errors import JobBusy, JobNotFound
from evalstore.staged_job import StagedJob
from evalstore.staging import host, is_committed, is_copy, is_dead

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["drop_dead_copy", "put_in_place"]


def put_in_place(root: Path, job: dict[str, Any], fill: Callable[[Path], None], *, replaces: str | None = None) -> None:
    """Makes the files that `fill` writes into a folder a job: `job` has its job_id, workspace, name and created_at.

    `replaces` is the id of the job whose place it takes, and that goes into the trash. The catalog is not published.

    Raises: JobExists, JobBusy, StoreBusy, and what `fill` raises; then nothing has changed.
    """
    drop_dead_copy(root, f"{job['workspace']}/{job['name']}")
    now = datetime.now(UTC).isoformat()
    told = {field: job[field] for field in ("job_id", "workspace", "name", "created_at")}
    head = {**told, "started_at": now, "writing_since": now, "host": host(), "pid": os.getpid(), "is_copy": True}
    staged = StagedJob.claim(root, head, replaces=replaces)
    try:
        fill(staged.commit_folder())
        staged.commit()
    except BaseException:
        if not is_committed(root, staged.head):
            staged.abandon()
        raise
    finally:
        staged.release()


def drop_dead_copy(root: Path, path: str) -> None:
    """Gives the name `workspace/name` back that a process had for such a job when it died."""
    folder = root / "staging" / path
    head = read_document(folder / "head.json")
    if not head or not is_copy(head) or not is_dead(folder) or is_committed(root, head):
        return
    if any(marker.path == path for marker in begun_replacements(root)):
        return  # it is as good as committed: whoever publishes brings it to its end
    with suppress(JobNotFound, JobBusy):  # somebody else was faster
        StagedJob.take_over(root, *path.split("/", 1)).abandon()
