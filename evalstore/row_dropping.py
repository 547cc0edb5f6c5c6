"""Dropping the rows and scores of a job, and keeping what was computed from them.

The job is replaced by one without rows, in one step and as any job is replaced: who reads the old one reads on, and the
old one lies in the trash.
"""

from __future__ import annotations

import os
import shutil
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from evalstore import said
from evalstore.committed import EMPTY
from evalstore.copying import put_in_place
from evalstore.durable_files import write_document
from evalstore.errors import JobNotFound
from evalstore.job_document import job_document
from evalstore.job_files import file_entry

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["drop_rows"]


def drop_rows(root: Path, job_id: str, path: str) -> str:
    """Drops the rows of the job at `workspace/name`, when it still is that one; the id that it has from now on.

    Raises: JobNotFound, JobExists, JobBusy, StoreBusy, OSError; then nothing has changed.
    """
    document = job_document(root, path)
    if document is None or document["job"]["job_id"] != job_id:
        raise JobNotFound(f"there is another job {path} than a moment ago")
    new_id = str(uuid.uuid4())
    told = {**document["job"], "job_id": new_id, "rows_dropped_at": datetime.now(UTC).isoformat()}
    place = root / "jobs" / path

    def fill(folder: Path) -> None:
        for attached in place.iterdir():
            if attached.is_file() and attached.name != "job.json" and attached.suffix != ".parquet":
                os.link(attached, folder / attached.name)
        files: dict[str, Any] = {}
        for kind in ("scores", "rows"):
            file = folder / f"{kind}-{new_id}.parquet"
            shutil.copyfile(root / EMPTY / f"{kind}-empty.parquet", file)
            files[kind] = file_entry(file, 0)
        write_document(folder / "job.json", {**document, "job": told, "files": files})
        said.carry_over(root, job_id, new_id)

    put_in_place(root, told, fill, replaces=job_id)
    return new_id
