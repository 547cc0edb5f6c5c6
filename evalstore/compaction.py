"""Compaction: the scores of many small jobs are rewritten as few large files, which questions across jobs read."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from evalstore.database import for_glob
from evalstore.durable_files import sync_file, sync_folder
from evalstore.errors import QueryError, StoreBusy
from evalstore.markers import Marker, place_marker
from evalstore.segments import Segment, drop, live_segments, segment_files, segment_id_of
from evalstore.store_lock import writer_lock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from evalstore.catalog import Catalog
    from evalstore.session import Session

__all__ = ["Compacted", "compact"]

TARGET = 1_000_000  # scores in a segment
SMALL = TARGET // 2  # scores of a job that is worth compacting, and of a segment that is worth doing again


@dataclass(frozen=True, slots=True)
class Compacted:
    """What a compaction has written."""

    segments: int
    jobs: int
    scores: int


@dataclass(frozen=True, slots=True)
class _SmallJob:
    job_id: str
    path: str
    scores_count: int
    segment_id: str | None


def compact(
    root: Path, catalog: Catalog, session: Session, *, progress: Callable[[int], None] | None = None
) -> Compacted:
    """Writes segments for the jobs that have none, and joins segments that have become small.

    `progress` is called with the number of scores written so far. Readers and writers go on meanwhile.

    Raises: StoreBusy when another process is compacting; OSError when there is no space. Then nothing has changed.
    """
    with writer_lock(root, until=time.monotonic(), file="compact.lock") as held:
        if not held:
            raise StoreBusy("another process is compacting this store: wait for it")
        (root / "segments").mkdir(exist_ok=True)
        for left_over in (root / "segments").glob(".draft-*"):
            left_over.unlink(missing_ok=True)
        if _live_paths(session) != {segment.path for segment in live_segments(root)}:  # files were removed or damaged
            _publish(root, catalog)
        segments, jobs, scores = 0, 0, 0
        for group in list(_groups(_small_jobs(session))):
            segment = _write(root, session, group)
            if segment is None:
                continue  # a job was deleted meanwhile: the next compaction takes the others
            segments, jobs, scores = segments + 1, jobs + len(segment.job_ids), scores + segment.scores_count
            if progress:
                progress(scores)
        if segments:
            _publish(root, catalog)
        _drop_dead(root, session)
        return Compacted(segments, jobs, scores)


def _small_jobs(session: Session) -> list[_SmallJob]:
    """The jobs to be compacted: small ones in no segment, and those of segments in which little is left."""
    jobs = [_SmallJob(**line) for line in session.ask_file("jobs_to_compact", folder="segments").to_pylist()]
    sizes: dict[str | None, int] = {}
    for job in jobs:
        sizes[job.segment_id] = sizes.get(job.segment_id, 0) + job.scores_count
    loose = [job for job in jobs if job.segment_id is None and 0 < job.scores_count < SMALL]
    left = [job for job in jobs if job.segment_id is not None and sizes[job.segment_id] < SMALL]
    if not loose and len({job.segment_id for job in left}) == 1:
        return []  # one small segment stays as it is
    chosen = {job.job_id for job in (*loose, *left)}
    return [job for job in jobs if job.job_id in chosen]


def _groups(jobs: list[_SmallJob]) -> Iterator[list[_SmallJob]]:
    group: list[_SmallJob] = []
    size = 0
    for job in jobs:
        if group and size + job.scores_count > TARGET:
            yield group
            group, size = [], 0
        group.append(job)
        size += job.scores_count
    if len(group) > 1 or any(job.segment_id for job in group):
        yield group


def _write(root: Path, session: Session, group: list[_SmallJob]) -> Segment | None:
    segment_id = str(uuid.uuid4())
    draft = root / "segments" / f".draft-{segment_id}"
    segment = Segment(
        segment_id,
        f"segments/scores-{segment_id}.parquet",
        [job.job_id for job in group],
        sum(job.scores_count for job in group),
        sorted({job.segment_id for job in group if job.segment_id}),
    )
    files = [for_glob(root / job.path) for job in group]
    try:
        written = session.copy_scores(files, "segments/write_segment.sql", path=str(draft), footer=segment.footer())
    except QueryError:
        draft.unlink(missing_ok=True)
        if all((root / job.path).exists() for job in group):
            raise
        return None
    if written != segment.scores_count:
        draft.unlink(missing_ok=True)
        return None
    sync_file(draft)
    draft.rename(root / segment.path)
    sync_folder(root / "segments")
    return segment


def _drop_dead(root: Path, session: Session) -> None:
    """Lets those segments go that the catalog does not name."""
    for path in set(segment_files(root)) - _live_paths(session):
        drop(root, segment_id_of(path))


def _live_paths(session: Session) -> set[str]:
    return set(session.ask_file("live_segments", folder="segments").column(0).to_pylist())


def _publish(root: Path, catalog: Catalog) -> None:
    place_marker(root, Marker("segments", str(uuid.uuid4()), "segments"))
    catalog.publish()
