"""The writer lock of a store: whoever holds it may publish, and may move the folders of jobs."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from evalstore.errors import StoreBusy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["PATIENCE", "exclusively", "still_busy", "writer_lock"]

PATIENCE = 30.0  # seconds for whoever publishes
_LOOK_EVERY = 0.003  # seconds


@contextmanager
def writer_lock(root: Path, *, until: float, file: str = "writer.lock") -> Iterator[bool]:
    """Holds the lock, or yields False when it could not be had until then (`time.monotonic()`).

    The system lets go of it when the process dies, however it dies. Nothing of it is inherited by programs that the
    process starts.
    """
    descriptor = os.open(root / file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        yield _locked(descriptor, until)
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)  # closing does not let go of it while a forked child has it open too
        os.close(descriptor)


@contextmanager
def exclusively(root: Path, *, wait: float = PATIENCE) -> Iterator[None]:
    """Holds the writer lock for work that cannot be left to others.

    Raises: StoreBusy when it could not be had for so many seconds; then nothing has changed.
    """
    with writer_lock(root, until=time.monotonic() + wait) as held:
        if not held:
            raise still_busy(wait)
        yield


def still_busy(wait: float = PATIENCE) -> StoreBusy:
    """What is said when the lock could not be had."""
    return StoreBusy(f"another process has been publishing for {wait:.0f} seconds; nothing was changed: try again")


def _locked(descriptor: int, until: float) -> bool:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                return False
            time.sleep(_LOOK_EVERY)
        else:
            return True
