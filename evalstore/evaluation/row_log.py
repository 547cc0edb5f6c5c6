"""The rows of a running experiment, as those who read along see them: any number of readers, any number of times.

The first rows are kept as the objects that they are; later ones are read back from the journal of the job, which this
keeps open, so that memory does not grow with the number of rows.
"""

from __future__ import annotations

import asyncio
import os
import threading
from array import array
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["KEPT", "RowLog"]

KEPT = 10_000  # rows that are kept in memory
_NOT_STORED = -1


class RowLog:
    """Rows in the order in which they were completed. Safe from several threads and event loops."""

    def __init__(self, journal: Path, read: Callable[[dict[str, Any]], Any]) -> None:
        """`read` makes a row of a line of the journal."""
        self._journal = os.open(journal, os.O_RDONLY | os.O_CLOEXEC)
        self._read = read
        self._offsets = array("q")
        self._places = array("q")
        self._kept: dict[int, Any] = {}
        self._changed = threading.Condition()
        self._waiting: list[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = []
        self.is_done = False
        self.error: BaseException | None = None

    def __del__(self) -> None:
        if (journal := self.__dict__.get("_journal")) is not None:
            os.close(journal)

    def __len__(self) -> int:
        return len(self._offsets)

    def append(self, row: Any, offset: int | None, place: tuple[int, int]) -> None:
        """Adds a row; `offset` is where its line begins, None for one that is not stored; `place` sorts it."""
        with self._changed:
            if row is not None and (len(self._offsets) < KEPT or offset is None):
                self._kept[len(self._offsets)] = row
            self._offsets.append(_NOT_STORED if offset is None else offset)
            self._places.append(place[0] << 40 | place[1])
            self._wake()

    def end(self, error: BaseException | None) -> None:
        """Says that no row follows, and what stopped the run, if something did."""
        with self._changed:
            self.is_done, self.error = True, error
            self._wake()

    def row(self, index: int) -> Any:
        """The row at a place from 0 up."""
        if index in self._kept:
            return self._kept[index]
        return self._read(self.line(self._offsets[index]))

    def in_order(self) -> list[Any]:
        """All rows so far in the order of the dataset, one repetition after the other."""
        return [self.row(index) for index in sorted(range(len(self)), key=self._places.__getitem__)]

    def line(self, offset: int) -> dict[str, Any]:
        """The line of the journal that begins there."""
        size = 1 << 14
        while True:
            data = os.pread(self._journal, size, offset)
            end = data.find(b"\n")
            if end >= 0:
                found: dict[str, Any] = orjson.loads(data[:end])
                return found
            if len(data) < size:
                raise EOFError(f"the journal has no whole line at {offset}")
            size *= 4

    def wait_for(self, index: int) -> bool:
        """Waits until there is a row at this place; False when there will be none. Raises: what stopped the run."""
        with self._changed:
            while len(self._offsets) <= index and not self.is_done:
                self._changed.wait()
            return self._is_there(index)

    async def await_for(self, index: int) -> bool:
        """The same in an event loop."""
        while True:
            with self._changed:
                if len(self._offsets) > index or self.is_done:
                    return self._is_there(index)
                loop = asyncio.get_running_loop()
                woken = loop.create_future()
                self._waiting.append((loop, woken))
            await woken

    def _is_there(self, index: int) -> bool:
        if len(self._offsets) > index:
            return True
        if self.error is not None:
            raise self.error
        return False

    def _wake(self) -> None:
        self._changed.notify_all()
        for loop, woken in self._waiting:
            if not loop.is_closed():
                loop.call_soon_threadsafe(_set, woken)
        self._waiting.clear()


def _set(woken: asyncio.Future[None]) -> None:
    if not woken.done():
        woken.set_result(None)
