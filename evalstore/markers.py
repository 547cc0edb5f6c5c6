"""Markers in `pending/`: what is committed, and may not be shown by the catalog yet."""

from __future__ import annotations

import os
import uuid
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from evalstore.durable_files import read_document, sync_all, sync_folder, write_document, write_draft

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Marker", "pending_markers", "place_marker", "place_markers"]


@dataclass(frozen=True, slots=True)
class Marker:
    """Something that the catalog may not show yet.

    A job was committed, deleted or restored, or `meta/` or `segments/` have changed. `replaces` is the id of the job
    whose place a committed one takes.
    """

    operation: str
    job_id: str
    path: str
    replaces: str | None = None

    @property
    def file_name(self) -> str:
        """The name of its file in `pending/`."""
        return f"{self.operation}-{self.job_id}.json"

    def drop(self, root: Path) -> None:
        """Removes the marker: what it says is true in the published catalog, or never happened."""
        with suppress(FileNotFoundError):
            (root / "pending" / self.file_name).unlink()


def place_marker(root: Path, marker: Marker) -> Marker:
    """Writes a marker durably."""
    write_document(root / "pending" / marker.file_name, asdict(marker))
    sync_folder(root / "pending")
    return marker


def place_markers(root: Path, markers: list[Marker]) -> None:
    """Writes markers durably; who looks meanwhile finds some of them."""
    pending = root / "pending"
    pending.mkdir(parents=True, exist_ok=True)
    drafts = {pending / f".{marker.file_name}.{uuid.uuid4().hex}": marker for marker in markers}
    for draft, marker in drafts.items():
        write_draft(draft, asdict(marker))
    sync_all(drafts)
    for draft, marker in drafts.items():
        draft.rename(pending / marker.file_name)
    sync_folder(pending)


def pending_markers(root: Path) -> list[Marker]:
    """All markers that make sense, in no order; what else lies there stops nobody."""
    try:
        names = [entry.name for entry in os.scandir(root / "pending") if entry.name.endswith(".json")]
    except FileNotFoundError:
        return []
    return [marker for name in names if (marker := _marker(root, name)) is not None]


def _marker(root: Path, name: str) -> Marker | None:
    document = read_document(root / "pending" / name) or {}
    operation, job_id, path, replaces = (document.get(field) for field in ("operation", "job_id", "path", "replaces"))
    fields = (operation, job_id, path)
    if not all(isinstance(field, str) and field for field in fields) or not isinstance(replaces, str | None):
        return None
    marker = Marker(str(operation), str(job_id), str(path), replaces)
    is_inside = not marker.path.startswith(("/", ".")) and "/." not in marker.path
    return marker if is_inside and marker.file_name == name else None
