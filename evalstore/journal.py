"""An append-only file of lines, each of which is there whole or not at all once `append` has returned or raised."""

from __future__ import annotations

import errno
import os
import threading
import time
from typing import TYPE_CHECKING

from evalstore.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Journal"]

SYNC_EVERY = 1.0  # seconds; what a process loses on SIGKILL is nothing, on power loss at most this


class Journal:
    """Appends lines with one `write` each. Safe from several threads."""

    def __init__(self, path: Path, *, is_shared: bool = False) -> None:
        """The lines of a shared journal are those of several jobs: each says of which."""
        self.path, self.is_shared = path, is_shared
        self.lines = 0
        self.longest_line = 0
        self._lock = threading.Lock()
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        self._size = os.fstat(self._descriptor).st_size
        self._synced = time.monotonic()

    @classmethod
    def recovered(cls, path: Path) -> Journal:
        """The journal of a dead writer, cut at its last newline: a torn line was never acknowledged."""
        with path.open("r+b") as file:
            whole = lines = longest = 0
            for line in file:
                if line.endswith(b"\n"):
                    whole, lines, longest = whole + len(line), lines + 1, max(longest, len(line))
            status = os.fstat(file.fileno())
            if whole < status.st_size:
                file.truncate(whole)
                os.utime(file.fileno(), ns=(status.st_atime_ns, status.st_mtime_ns))  # tells when its writer died
        journal = cls(path)
        journal.lines, journal.longest_line = lines, longest
        return journal

    def append(self, line: bytes) -> int:
        """Appends one line, which ends in a newline; where it begins. On return it survives the death of this process.

        Raises: OSError; then the file is as it was before, and the line was not logged.
        """
        with self._lock:
            if self._descriptor < 0:
                raise UsageError(f"{self.path} is closed: its job is finished, or being finished")
            try:
                written = os.write(self._descriptor, line)
                if written < len(line):  # a full disk shows itself as a short write first
                    raise OSError(errno.ENOSPC, "no space left for the whole line", str(self.path))
            except BaseException:
                os.ftruncate(self._descriptor, self._size)
                raise
            begins = self._size
            self._size += written
            self.lines += 1
            self.longest_line = max(self.longest_line, written)
            if time.monotonic() - self._synced > SYNC_EVERY:
                os.fsync(self._descriptor)
                self._synced = time.monotonic()
            return begins

    def close(self) -> None:
        """Makes everything durable and closes the file."""
        with self._lock:
            if self._descriptor >= 0:
                os.fsync(self._descriptor)
                os.close(self._descriptor)
                self._descriptor = -1
