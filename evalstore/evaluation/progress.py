"""How far an experiment is, on one line of a terminal."""

from __future__ import annotations

import sys
import threading
import time
from typing import TYPE_CHECKING, Any, TextIO

from evalstore.running_means import RunningMeans, progress_line

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Progress"]

_EVERY = 0.2  # seconds between two looks of the line


class Progress:
    """Counts rows, and shows them on stderr where that is a terminal. Safe from several threads."""

    def __init__(self, name: str, total: int | None, *, is_shown: bool | None, stream: TextIO | None = None) -> None:
        """`is_shown` None means: where stderr is a terminal."""
        self._stream = stream or sys.stderr
        self._is_shown = self._stream.isatty() if is_shown is None else is_shown
        self._name, self.total = name, total
        self._lock = threading.Lock()
        self._means = RunningMeans()
        self._began = self._shown_at = time.monotonic()
        self.done = self.failed = self.new = 0

    def row(self, scores: Iterable[dict[str, Any]] = (), *, failed: bool, is_new: bool = True) -> None:
        """Notes a row that is complete; `is_new` is False for one that was there already."""
        with self._lock:
            self.done += 1
            self.new += is_new
            self.failed += failed
            if self._is_shown:
                self._means.add(scores)
                if time.monotonic() - self._shown_at >= _EVERY:
                    self._show("")

    def end(self) -> None:
        """Shows the last line, and leaves it there."""
        with self._lock:
            if self._is_shown:
                self._show("\n")

    def _show(self, end: str) -> None:
        self._shown_at = now = time.monotonic()
        rate = self.new / max(now - self._began, 1e-9)
        text = progress_line(self._name, self.done, self.total, failed=self.failed, rate=rate, means=self._means)
        try:
            self._stream.write(f"\r\x1b[K{text}{end}")
            self._stream.flush()
        except (OSError, ValueError):  # the terminal is gone: the work goes on
            self._is_shown = False
