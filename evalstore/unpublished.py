"""What has been committed, deleted or restored and may not be shown by the catalog yet.

A marker only says where to look: what counts is what lies on the disk. So it does not matter in which order markers
are found, how often one is applied, or how far whoever placed it has come.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from evalstore.committed import job_id_of
from evalstore.durable_files import read_document
from evalstore.job_document import job_document
from evalstore.markers import Marker, pending_markers
from evalstore.trash import is_deleted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Change", "unpublished"]

_OF_THE_STORE = ("meta", "segments")


@dataclass(frozen=True, slots=True)
class Change:
    """What the catalog has to be told. A job with its document is there; one without is not there (any more)."""

    marker: Marker
    document: dict[str, Any] | None = None

    @property
    def removed_job(self) -> str | None:
        """The id of the job that has to go."""
        return None if self.document or self.marker.operation in _OF_THE_STORE else self.marker.job_id


def unpublished(root: Path) -> Iterator[Change]:
    """The changes that markers announce and that have happened.

    A job whose document cannot be used is left out and keeps its marker: it stops nobody. The marker of a commit that
    never happened is dropped.
    """
    for marker in pending_markers(root):
        if marker.operation in _OF_THE_STORE or is_deleted(root, marker.job_id):
            yield Change(marker)
        elif (document := job_document(root, marker.path)) and document["job"]["job_id"] == marker.job_id:
            yield Change(marker, document)
        elif marker.operation != "commit":
            if _is_elsewhere(root, marker):
                yield Change(marker)
        elif _never_happened(root, marker):
            with suppress(OSError):
                marker.drop(root)


def _never_happened(root: Path, marker: Marker) -> bool:
    """Whether the job of a marker is neither committed nor being written."""
    staged = read_document(root / "staging" / marker.path / "head.json") or {}
    return staged.get("job_id") != marker.job_id and _is_elsewhere(root, marker)


def _is_elsewhere(root: Path, marker: Marker) -> bool:
    """Whether the job is not in its place. A document there that cannot be read may be the job that was announced."""
    job_id = job_id_of(root, marker.path)
    return not (root / "jobs" / marker.path).exists() or job_id not in (None, marker.job_id)
