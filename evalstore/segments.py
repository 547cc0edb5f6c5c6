"""The files in `segments/`: which of them count, and which jobs they hold.

<root>/segments/scores-<id>.parquet   the scores of some jobs; its footer names them, and the segments it stands for
<root>/segments/<id>.dropped          that one does not count any more; it goes when no reader can need it

Segments are derived from the files of jobs. To lose one costs time, never a score.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from evalstore import json_text

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "Segment",
    "drop",
    "is_dropped",
    "live_segments",
    "read_segment",
    "remove_dropped",
    "segment_files",
    "segment_id_of",
]


@dataclass(frozen=True, slots=True)
class Segment:
    """A file with the scores of some jobs. `replaces` are the segments whose jobs it has taken over."""

    segment_id: str
    path: str
    job_ids: list[str]
    scores_count: int
    replaces: list[str]

    def footer(self) -> str:
        """What is kept in the file about itself."""
        fields = {"job_ids": self.job_ids, "scores_count": self.scores_count, "replaces": self.replaces}
        return json_text.dumps(fields)[0]


def segment_files(root: Path) -> list[str]:
    """The files that are there, relative to the root."""
    try:
        names = [entry.name for entry in os.scandir(root / "segments")]
    except FileNotFoundError:
        return []
    return sorted(f"segments/{name}" for name in names if name.startswith("scores-") and name.endswith(".parquet"))


def live_segments(root: Path) -> list[Segment]:
    """The segments that count: not dropped, replaced by no other one, and readable. No job is in two of them."""
    found = [segment for path in segment_files(root) if (segment := read_segment(root, path)) is not None]
    replaced = {segment_id for segment in found for segment_id in segment.replaces}
    live, taken = [], set[str]()
    for segment in found:
        if segment.segment_id not in replaced and taken.isdisjoint(segment.job_ids):
            live.append(segment)
            taken.update(segment.job_ids)
    return live


def is_dropped(root: Path, path: str) -> bool:
    """Whether a segment was declared not to count any more."""
    return (root / "segments" / f"{segment_id_of(path)}.dropped").exists()


def segment_id_of(path: str) -> str:
    """The id in the name of a segment's file."""
    return path.removeprefix("segments/scores-").removesuffix(".parquet")


def read_segment(root: Path, path: str) -> Segment | None:
    """What the footer of a segment says. None for one that is dropped, or that cannot be read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if is_dropped(root, path):
        return None
    try:
        footer: dict[str, Any] = json_text.loads(pq.read_metadata(root / path).metadata[b"evalstore"].decode())
        return Segment(segment_id_of(path), path, footer["job_ids"], footer["scores_count"], footer["replaces"])
    except (OSError, pa.ArrowException, ValueError, KeyError, TypeError):
        return None  # `verify` names it; its jobs are read from their own files


def drop(root: Path, segment_id: str) -> None:
    """Declares that a segment does not count any more."""
    (root / "segments" / f"{segment_id}.dropped").touch()


def remove_dropped(root: Path, *, older_than: float) -> None:
    """Removes the files of segments that were dropped more than so many seconds ago."""
    for mark in (root / "segments").glob("*.dropped"):
        with suppress(OSError):
            if time.time() - mark.stat().st_mtime >= older_than:
                (root / "segments" / f"scores-{mark.stem}.parquet").unlink(missing_ok=True)
                mark.unlink()
