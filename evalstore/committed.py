"""What lies in `jobs/`: which job a folder holds, and how a finished one gets there, by one rename.

A job that takes the place of another one (a resumed or overwritten one, or one under the name of a deleted job) changes
places with it. The files of the old one keep their names there for a while, for readers of the old snapshot.
"""

from __future__ import annotations

import errno
import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from evalstore import trash
from evalstore.durable_files import exchange, fault_point, read_document, sync_all, sync_folder
from evalstore.errors import JobExists
from evalstore.markers import Marker, pending_markers, place_marker, place_markers
from evalstore.store_lock import exclusively

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = [
    "EMPTY",
    "Finished",
    "begun_replacements",
    "commit_files",
    "commit_together",
    "committed_jobs",
    "complete_replacements",
    "folders",
    "job_id_in",
    "job_id_of",
]

# Files without a line, where the globs of the published views find them: a glob without any file is an error. No
# workspace can have this name.
EMPTY = "jobs/_/schema"
WAIT_TO_REPLACE = 60.0  # seconds
_NO_EXCHANGE = (errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP)


def committed_jobs(root: Path) -> Iterator[str]:
    """The paths `workspace/name` of all folders in `jobs/`."""
    for workspace in sorted(folders(root / "jobs")):
        if workspace.name != "_":
            for job in sorted(folders(workspace)):
                yield f"{workspace.name}/{job.name}"


def job_id_of(root: Path, path: str) -> str | None:
    """The id of the job that is committed at `workspace/name`."""
    return job_id_in(root / "jobs" / path)


def job_id_in(folder: Path) -> str | None:
    """The id of the job whose finished files a folder holds."""
    job = (read_document(folder / "job.json") or {}).get("job")
    job_id = job.get("job_id") if isinstance(job, dict) else None
    return job_id if isinstance(job_id, str) else None


def folders(folder: Path) -> list[Path]:
    """The folders in a folder that may not be there, in no order."""
    try:
        return [folder / entry.name for entry in os.scandir(folder) if entry.is_dir(follow_symlinks=False)]
    except (FileNotFoundError, NotADirectoryError):
        return []


@dataclass(frozen=True, slots=True)
class Finished:
    """A job whose files are finished: the folder of those, and the id and path `workspace/name` of the job.

    `replaces` is the id of the job that may be in its place.
    """

    folder: Path
    job_id: str
    path: str
    replaces: str | None = None

    def replaces_one(self, root: Path) -> bool:
        """Whether there is a job in its place."""
        return self.replaces is not None and (root / "jobs" / self.path).exists()


def commit_files(root: Path, finished: Finished) -> None:
    """Renames a folder of finished files to the job's place: the commit point.

    Raises: JobExists, StoreBusy; then nothing has changed.
    """
    target = root / "jobs" / finished.path
    sync_all(finished.folder.iterdir())
    if finished.replaces_one(root):
        _replace(root, finished)
    else:
        _place(root, finished)
    fault_point("after-rename")
    sync_folder(target.parent)
    sync_folder(target.parent.parent)
    with suppress(FileNotFoundError):  # somebody has published the job already, and cleared its place in staging
        sync_folder(finished.folder.parent)


def commit_together(root: Path, jobs: list[Finished]) -> None:
    """Renames many folders of finished files to the places of their jobs, waiting for the disk once and not for each.

    Raises: JobExists, StoreBusy; then those before it are committed, and none after it.
    """
    alone = [one for one in jobs if one.replaces_one(root)]
    new = [one for one in jobs if one not in alone]
    sync_all(path for one in new for path in (*one.folder.iterdir(), one.folder))
    for folder in {(root / "jobs" / one.path).parent for one in new}:
        folder.mkdir(parents=True, exist_ok=True)
    fault_point("before-marker")
    place_markers(root, [Marker("commit", one.job_id, one.path) for one in new])
    fault_point("before-rename")
    for number, one in enumerate(new):
        try:
            _rename(root, one)
        except Exception:
            for other in new[number:]:
                Marker("commit", other.job_id, other.path).drop(root)
            raise
        fault_point("after-rename")
    sync_all({(root / "jobs" / one.path).parent for one in new} | {root / "jobs"})
    for one in alone:
        commit_files(root, one)


def begun_replacements(root: Path) -> list[Marker]:
    """The replacements that somebody has begun and not brought to their end."""
    return [
        marker
        for marker in pending_markers(root)
        if marker.replaces is not None
        and (
            job_id_in(root / "staging" / marker.path / "commit") == marker.replaces
            or (trash.is_deleted(root, marker.replaces) and job_id_of(root, marker.path) != marker.job_id)
        )
    ]


def complete_replacements(root: Path) -> None:
    """Brings them to their end, under the writer lock."""
    for marker in begun_replacements(root):
        _complete(root, marker)


def _place(root: Path, finished: Finished) -> None:
    sync_folder(finished.folder)
    (root / "jobs" / finished.path).parent.mkdir(parents=True, exist_ok=True)
    fault_point("before-marker")
    marker = place_marker(root, Marker("commit", finished.job_id, finished.path))
    fault_point("before-rename")
    try:
        _rename(root, finished)
    except Exception:
        marker.drop(root)
        raise


def _rename(root: Path, finished: Finished) -> None:
    try:
        finished.folder.rename(root / "jobs" / finished.path)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
            raise _taken(finished.path) from error
        raise


def _replace(root: Path, finished: Finished) -> None:
    commit, job_id, path, replaces = finished.folder, finished.job_id, finished.path, str(finished.replaces)
    target = root / "jobs" / path
    with exclusively(root, wait=WAIT_TO_REPLACE):
        if not target.exists():
            _place(root, finished)
            return
        if job_id_of(root, path) != replaces:
            raise _taken(path)
        for file in target.glob(f"*-{replaces}.parquet"):
            with suppress(OSError):  # without a second name the worst is that a question asks again
                os.link(file, commit / file.name)
        sync_folder(commit)
        fault_point("before-marker")
        marker = place_marker(root, Marker("commit", job_id, path, replaces))
        fault_point("before-rename")
        try:
            exchange(commit, target)
        except OSError as error:
            if error.errno not in _NO_EXCHANGE:
                marker.drop(root)
                raise
            # In steps: whoever holds the lock next takes those that are left, should this process die in between.
            trash.place_tombstone(root, replaces, path, f"replaced by {job_id}")
        fault_point("after-exchange")
        _complete(root, marker)


def _complete(root: Path, marker: Marker) -> None:
    """The steps of a replacement that are left, whichever were taken."""
    target, other = root / "jobs" / marker.path, root / "staging" / marker.path / "commit"
    old = str(marker.replaces)
    if job_id_in(other) == marker.job_id and job_id_of(root, marker.path) == old and trash.is_deleted(root, old):
        trash.drop_foreign_names(target, old)
        target.rename(root / "trash" / old)
    if not target.exists() and job_id_in(other) == marker.job_id:
        other.rename(target)
    elif job_id_of(root, marker.path) == marker.job_id and job_id_in(other) == old:
        trash.place_tombstone(root, old, marker.path, f"replaced by {marker.job_id}")
        shutil.rmtree(root / "trash" / old, ignore_errors=True)
        trash.drop_foreign_names(other, old)
        other.rename(root / "trash" / old)


def _taken(path: str) -> JobExists:
    workspace, _, name = path.partition("/")
    return JobExists(f"job {name!r} exists in workspace {workspace!r}; choose another name")
