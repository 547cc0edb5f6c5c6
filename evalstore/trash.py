"""Deleted jobs, until they are purged.

<root>/pending/delete-<job_id>.json   a deletion that is not published yet
<root>/trash/<job_id>.json   a tombstone: the job is deleted, though its files lie where readers may still use them
<root>/trash/<job_id>/       its folder, moved here when no reader can need it any more; with the tombstone inside
"""

from __future__ import annotations

import os
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from evalstore.durable_files import read_document, sync_folder, write_document

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "GRACE",
    "Tombstone",
    "bury",
    "dig_up",
    "drop_foreign_names",
    "has_tombstone",
    "is_deleted",
    "measured",
    "place_tombstone",
    "purge",
    "tombstones",
    "waiting",
]

GRACE = 10.0  # seconds that the files of a deleted job stay in place: a question may be reading them
_INSIDE = "deleted.json"


@dataclass(frozen=True, slots=True)
class Tombstone:
    """A deleted job: which one, where it was (`workspace/name`), when it was deleted, and why.

    `bytes` is how much its rows and scores take, where somebody has looked (see `measured`).
    """

    job_id: str
    path: str
    deleted_at: datetime
    reason: str
    bytes: int = 0

    @property
    def age(self) -> float:
        """Seconds since the deletion."""
        return time.time() - self.deleted_at.timestamp()


def place_tombstone(root: Path, job_id: str, path: str, reason: str) -> None:
    """Declares a job deleted, durably. Its files stay where they are.

    `reason` is `deleted` or `replaced by <job_id>`.
    """
    document = {"job_id": job_id, "path": path, "deleted_at": datetime.now(UTC).isoformat(), "reason": reason}
    write_document(root / "trash" / f"{job_id}.json", document)
    sync_folder(root / "trash")


def is_deleted(root: Path, job_id: str) -> bool:
    """Whether a job that may still lie in `jobs/` is deleted."""
    return has_tombstone(root, job_id) or (root / "pending" / f"delete-{job_id}.json").exists()


def has_tombstone(root: Path, job_id: str) -> bool:
    """Whether a deleted job still has files in `jobs/`."""
    return (root / "trash" / f"{job_id}.json").exists()


def waiting(root: Path) -> list[Tombstone]:
    """The deleted jobs whose files are still in place."""
    names = (name for name in _names(root) if name.endswith(".json") and not name.startswith("."))
    found = (_tombstone(root / "trash" / name) for name in names)
    return [one for one in found if one is not None]


def tombstones(root: Path) -> list[Tombstone]:
    """All deleted jobs that can be restored, the last one deleted first."""
    still = [
        *_announced(root),
        *waiting(root),
    ]  # first: one that is moved meanwhile is then found twice, and not missed
    moved = (_tombstone(root / "trash" / name / _INSIDE) for name in _names(root) if not name.endswith(".json"))
    found = {one.job_id: one for one in (*moved, *still) if one is not None}
    return sorted(found.values(), key=lambda one: one.deleted_at, reverse=True)


def measured(root: Path, stone: Tombstone) -> Tombstone:
    """The same with the size of its Parquet files, in the trash or still in place."""
    for folder in (root / "trash" / stone.job_id, root / "jobs" / stone.path):
        if files := list(folder.glob(f"*-{stone.job_id}.parquet")):
            with suppress(OSError):
                return replace(stone, bytes=sum(file.stat().st_size for file in files))
    return stone


def bury(root: Path, stone: Tombstone) -> None:
    """Moves the folder of a deleted job into the trash. Under the writer lock, when no reader needs it any more.

    Where a job.json cannot be read and the files of several jobs lie there, nothing is done.
    """
    place, grave = root / "jobs" / stone.path, root / "trash" / stone.job_id
    holder = _holder(place)
    if holder == stone.job_id:
        drop_foreign_names(place, stone.job_id)
        _move_in(place, grave)
    elif holder is None and (ids := _ids_of_files(place)):
        if stone.job_id in ids and len(ids) > 1:
            return
        if ids == {stone.job_id}:
            _move_in(place, grave)
    grave.mkdir(exist_ok=True)
    for left_behind in place.glob(f"*-{stone.job_id}.parquet"):  # second names of the files of a replaced job
        if (grave / left_behind.name).exists():
            left_behind.unlink(missing_ok=True)
    (root / "trash" / f"{stone.job_id}.json").rename(grave / _INSIDE)
    sync_folder(root / "trash")


def dig_up(root: Path, stone: Tombstone) -> None:
    """Puts the folder of a deleted job back in its place. Under the writer lock.

    Raises: FileExistsError when the name has been used again; FileNotFoundError when the folder is gone.
    """
    place, grave = root / "jobs" / stone.path, root / "trash" / stone.job_id
    if (grave / "job.json").exists() or _ids_of_files(grave):
        if place.exists():
            raise FileExistsError
        if (grave / _INSIDE).exists():  # dying before the end must leave a job that is deleted, not one that is lost
            (grave / _INSIDE).rename(root / "trash" / f"{stone.job_id}.json")
        place.parent.mkdir(parents=True, exist_ok=True)
        grave.rename(place)
        sync_folder(place.parent)
    elif (holder := _holder(place)) != stone.job_id and (holder or _ids_of_files(place) != {stone.job_id}):
        raise FileExistsError if holder else FileNotFoundError
    with suppress(FileNotFoundError):
        (root / "trash" / f"{stone.job_id}.json").unlink()
    sync_folder(root / "trash")


def _move_in(place: Path, grave: Path) -> None:
    """Gives a folder its place in the trash; an older copy of the same job, buried before, makes way."""
    if grave.exists():
        older = grave.with_name(f".{grave.name}")  # what begins so is swept away
        shutil.rmtree(older, ignore_errors=True)
        grave.rename(older)
        shutil.rmtree(older, ignore_errors=True)
    place.rename(grave)
    sync_folder(place.parent)


def _holder(folder: Path) -> str | None:
    """The job that a folder holds, by its document; None where that cannot be read."""
    job = (read_document(folder / "job.json") or {}).get("job")
    job_id = job.get("job_id") if isinstance(job, dict) else None
    return job_id if isinstance(job_id, str) else None


def _ids_of_files(folder: Path) -> set[str]:
    """The jobs whose Parquet files lie in a folder."""
    return {file.stem.partition("-")[2] for file in folder.glob("*-*.parquet")}


def drop_foreign_names(folder: Path, job_id: str) -> None:
    """Removes the second names of the files of other jobs, which this one has replaced."""
    for file in folder.glob("*.parquet"):
        if not file.name.endswith(f"-{job_id}.parquet"):
            file.unlink(missing_ok=True)


def purge(root: Path, stone: Tombstone) -> None:
    """Removes a buried job for good."""
    grave = root / "trash" / stone.job_id
    gone = grave.with_name(f".{stone.job_id}")  # half a folder must not look like a job that can be restored
    with suppress(FileNotFoundError):
        grave.rename(gone)
    shutil.rmtree(gone, ignore_errors=True)


def _announced(root: Path) -> list[Tombstone]:
    """The deletions that nobody could publish yet, by their markers."""
    found = []
    for file in (root / "pending").glob("delete-*.json"):
        document = read_document(file) or {}
        job_id, path = document.get("job_id"), document.get("path")
        if isinstance(job_id, str) and isinstance(path, str) and file.name == f"delete-{job_id}.json":
            with suppress(FileNotFoundError):
                moment = datetime.fromtimestamp(file.stat().st_mtime, UTC)
                found.append(Tombstone(job_id, path, moment, "deleted"))
    return found


def _names(root: Path) -> list[str]:
    try:
        return [entry.name for entry in os.scandir(root / "trash")]
    except FileNotFoundError:
        return []


def _tombstone(file: Path) -> Tombstone | None:
    document: dict[str, Any] = read_document(file) or {}
    texts = [document.get(field) for field in ("job_id", "path", "deleted_at", "reason")]
    if not all(isinstance(text, str) for text in texts):
        return None
    job_id, path, deleted_at, reason = map(str, texts)
    if path.startswith(("/", ".")) or "/." in path or job_id not in (file.stem, file.parent.name):
        return None
    try:
        moment = datetime.fromisoformat(deleted_at)
    except ValueError:
        return None
    return Tombstone(job_id, path, moment, reason) if moment.tzinfo else None
