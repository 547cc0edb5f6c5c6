"""Markers in `pending/`: what is committed, and may not be shown by the catalog yet."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from evalstore.durable_files import read_document, sync_folder, write_document

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Marker", "is_stale", "pending_markers", "place_marker"]


@dataclass(frozen=True, slots=True)
class Marker:
    """Something committed that the catalog may not show yet: an operation on a job, or on `meta`."""

    operation: str
    job_id: str
    path: str

    @property
    def file_name(self) -> str:
        """The name of its file in `pending/`."""
        return f"{self.operation}-{self.job_id}.json"

    def drop(self, root: Path) -> None:
        """Removes the marker: what it says is true in the published catalog, or never happened."""
        with suppress(FileNotFoundError):
            (root / "pending" / self.file_name).unlink()


def place_marker(root: Path, operation: str, job_id: str, path: str) -> Marker:
    """Writes a marker durably."""
    marker = Marker(operation, job_id, path)
    write_document(root / "pending" / marker.file_name, {"operation": operation, "job_id": job_id, "path": path})
    sync_folder(root / "pending")
    return marker


def pending_markers(root: Path) -> list[Marker]:
    """All markers that make sense, in no order; what else lies there stops nobody."""
    try:
        names = [entry.name for entry in os.scandir(root / "pending") if entry.name.endswith(".json")]
    except FileNotFoundError:
        return []
    markers = []
    for name in names:
        document = read_document(root / "pending" / name) or {}
        fields = [document.get(field) for field in ("operation", "job_id", "path")]
        if all(isinstance(field, str) and field for field in fields):
            marker = Marker(*fields)  # type: ignore[arg-type]
            if marker.file_name == name and not marker.path.startswith(("/", ".")) and "/." not in marker.path:
                markers.append(marker)
    return markers


def is_stale(root: Path, marker: Marker) -> bool:
    """Whether a marker announces a commit that never happened: its job is neither committed nor being written."""
    if marker.operation != "commit":
        return False
    staged = read_document(root / "staging" / marker.path / "head.json") or {}
    if staged.get("job_id") == marker.job_id:
        return False
    place = root / "jobs" / marker.path
    if not place.exists():
        return True
    document = read_document(place / "job.json")  # one that cannot be read may be the job that was announced
    job = document.get("job") if document else None
    return isinstance(job, dict) and isinstance(job.get("job_id"), str) and job["job_id"] != marker.job_id
