"""Attaching the published catalog: the whole of one snapshot, while others may be put in its place."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from evalstore.errors import BrokenStore

if TYPE_CHECKING:
    from pathlib import Path

    from evalstore.database import Database

__all__ = ["Identity", "attach_snapshot"]

Identity = tuple[int, int, int]
"""Device, inode and change time: another file has another one."""

_PATIENCE = 5.0  # seconds of trying to attach a snapshot that is being replaced


def attach_snapshot(database: Database, file: Path) -> Identity | None:
    """Attaches the snapshot, and tells which file it is; None when it cannot be opened as it is.

    DuckDB 2.0 opens a file twice; a snapshot that is renamed in between would mix two, so compare and repeat.
    """
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        before = _identity(file)
        try:
            database.attach(file, read_only=True)
        except BrokenStore:
            database.detach()
            if _identity(file) == before:
                return None
            continue
        if _identity(file) == before:
            return before
        database.detach()
    return None


def _identity(file: Path) -> Identity | None:
    try:
        status = file.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino, status.st_ctime_ns
