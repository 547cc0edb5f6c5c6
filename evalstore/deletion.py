"""Deleting jobs, with a way back until they are purged."""

from __future__ import annotations

import shutil
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from evalstore import trash
from evalstore.committed import folders, job_id_of
from evalstore.copying import drop_dead_copy
from evalstore.durable_files import read_document
from evalstore.errors import BrokenStore, JobBusy, JobExists, JobNotFound, near
from evalstore.markers import Marker, pending_markers, place_marker
from evalstore.segments import drop, live_segments
from evalstore.staging import is_committed, is_dead
from evalstore.store_lock import PATIENCE, exclusively, still_busy

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from evalstore.catalog import Catalog
    from evalstore.trash import Tombstone

__all__ = ["Pruned", "delete", "prune", "restore"]

_CLAIMED_BY_THEN = 60.0  # seconds: a younger folder may belong to a process that is about to lock it


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was removed for good, and which deleted jobs are too young for it."""

    jobs: list[Tombstone]
    kept: list[Tombstone]


def delete(root: Path, catalog: Catalog, jobs: Iterable[tuple[str, str]]) -> None:
    """Deletes jobs, given as (job_id, path): gone from every later question, all in one publication.

    Their files stay in place a while for questions that are being answered, and then lie in the trash.
    """
    for job_id, path in jobs:
        place_marker(root, Marker("delete", job_id, path))
    catalog.publish_if_possible()


def restore(root: Path, catalog: Catalog, workspace: str, name: str) -> Tombstone:
    """Brings back the job of this name (or id) that was deleted last.

    Raises: JobNotFound; JobExists when the name has been used again; JobBusy while somebody writes under it.
    """
    with exclusively(root):
        for marker in pending_markers(root):  # deletions that nobody could publish
            if marker.operation == "delete" and not trash.has_tombstone(root, marker.job_id):
                trash.place_tombstone(root, marker.job_id, marker.path, "deleted")
        deleted = trash.tombstones(root)
        found = [one for one in deleted if one.path == f"{workspace}/{name}" or one.job_id == name]
        if not found:
            names = [one.path.partition("/")[2] for one in deleted if one.path.startswith(f"{workspace}/")]
            raise JobNotFound(f"no job {name!r} of workspace {workspace!r} is in the trash; {near(name, names)}")
        stone = found[0]
        _check_name_is_free(root, stone)
        marker = place_marker(root, Marker("restore", stone.job_id, stone.path))
        try:
            Marker("delete", stone.job_id, stone.path).drop(root)
            trash.dig_up(root, stone)
        except FileExistsError as error:
            marker.drop(root)
            raise JobExists(
                f"job {stone.path} cannot be restored: the name has been used again. Delete the job that has it now, "
                f"then `evalstore restore {stone.job_id}`"
            ) from error
        except FileNotFoundError as error:
            raise BrokenStore(f"job {stone.path} cannot be restored: its folder is gone") from error
    catalog.publish_if_possible()
    return stone


def prune(root: Path, catalog: Catalog, *, older_than: float = 0.0, dry_run: bool = False) -> Pruned:
    """Removes for good what was deleted more than so many seconds ago, and what dead processes have left.

    Jobs that were deleted a moment ago stay: a question may be reading them.

    Raises: BrokenStore or OSError when the deletions cannot be published; then nothing is removed.
    """
    age = max(older_than, trash.GRACE)
    if dry_run:
        return _old(root, age)
    if not catalog.publish(wait=PATIENCE):  # what a question may still be shown must not be purged
        raise still_busy()
    with exclusively(root):
        pruned = _old(root, age)
        for stone in pruned.jobs:
            if trash.has_tombstone(root, stone.job_id):
                trash.bury(root, stone)
            trash.purge(root, stone)
        _sweep(root)
        _drop_segments_of(root, {stone.job_id for stone in pruned.jobs})
    catalog.publish()
    return pruned


def _old(root: Path, age: float) -> Pruned:
    deleted = trash.tombstones(root)
    old = [trash.measured(root, stone) for stone in deleted if stone.age >= age]
    return Pruned(old, [trash.measured(root, stone) for stone in deleted if stone.age < age])


def _drop_segments_of(root: Path, job_ids: set[str]) -> None:
    """Lets those segments go that hold scores of purged jobs: what is purged is nowhere."""
    held = [segment for segment in live_segments(root) if not job_ids.isdisjoint(segment.job_ids)]
    if held:
        place_marker(root, Marker("segments", str(uuid.uuid4()), "segments"))
    for segment in held:
        drop(root, segment.segment_id)


def _check_name_is_free(root: Path, stone: Tombstone) -> None:
    """Makes way where a deleted job of the same name still lies in place. Raises: JobBusy, JobExists."""
    name = stone.path.partition("/")[2]
    drop_dead_copy(root, stone.path)
    staged = root / "staging" / stone.path
    head = read_document(staged / "head.json")
    if head and head.get("job_id") != stone.job_id and not is_dead(staged):
        raise JobBusy(f"job {name!r} cannot be restored: a job of this name is being written")
    if head and head.get("job_id") != stone.job_id and not is_committed(root, head):
        raise JobExists(
            f"job {name!r} cannot be restored: an interrupted job has its name. Run `evalstore finish {name}`, delete "
            f"that one, then `evalstore restore {stone.job_id}`"
        )
    holder = job_id_of(root, stone.path)
    for other in trash.waiting(root):
        if other.job_id == holder != stone.job_id:
            trash.bury(root, other)


def _sweep(root: Path) -> None:
    """Removes what processes that died while claiming, publishing or purging have left. It belongs to nobody."""
    for folder in folders(root / "staging" / ".new"):
        is_old = time.time() - folder.stat().st_mtime > _CLAIMED_BY_THEN
        if is_old and is_dead(folder):
            shutil.rmtree(folder, ignore_errors=True)
    for workspace in folders(root / "staging"):
        for folder in folders(workspace) if workspace.name != ".new" else ():
            drop_dead_copy(root, f"{workspace.name}/{folder.name}")
    for folder in folders(root / "trash"):
        if folder.name.startswith("."):
            shutil.rmtree(folder, ignore_errors=True)
    for draft in root.glob("pending/.*"):
        with suppress(FileNotFoundError):
            if time.time() - draft.stat().st_mtime > _CLAIMED_BY_THEN:
                draft.unlink()
    for file in ("next.duckdb", "next.duckdb.wal"):
        with suppress(OSError):
            (root / file).unlink()
