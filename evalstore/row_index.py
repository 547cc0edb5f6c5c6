"""Which rows a job has: for jobs that are resumed, and for rows that are numbered by whoever logs them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from evalstore import json_text
from evalstore.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["RowIndex", "numbered_lines"]


class RowIndex:
    """The rows logged so far by (suite, row_key) and repetition: where each stands, and whether it is in error."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], dict[int, tuple[int | None, bool]]] = {}
        self._counts: dict[str, int] = {}
        self.last_position = -1

    @classmethod
    def of_journal(cls, path: Path) -> RowIndex:
        """The index of all whole lines of a journal."""
        index = cls()
        for line in _lines(path):
            index.note_line(line)
        return index

    def note_line(self, line: dict[str, Any]) -> None:
        """Takes in a line of the journal; without a repetition it has the next free one."""
        self.last_position = max(self.last_position, line["position"])
        suite, key, repetition = line["suite"], line["row_key"], line.get("repetition")
        repetition = self.next_free(suite, key) if repetition is None else repetition
        self.note(suite, key, repetition, line.get("row_index"), failed=line.get("error") is not None)

    def note(self, suite: str, key: str, repetition: int, row_index: int | None, *, failed: bool) -> None:
        """Takes in a row."""
        rows = self._rows.setdefault(_place(suite, key), {})
        if repetition not in rows:
            written = json_text.as_written(suite)
            self._counts[written] = self._counts.get(written, 0) + 1
        rows[repetition] = row_index, failed

    def has(self, suite: str, key: str, repetition: int) -> bool:
        """Whether this row is there and not in error."""
        _, failed = self._rows.get(_place(suite, key), {}).get(repetition, (None, True))
        return not failed

    def place(self, suite: str, key: str, repetition: int | None) -> tuple[int, int | None]:
        """The repetition of the next row with this key, and the place in the dataset of the one that it replaces.

        Without a repetition it is that of the first one in error, or else the next free one.

        Raises: UsageError when that repetition is there and not in error.
        """
        rows = self._rows.get(_place(suite, key), {})
        if repetition is None:
            in_error = [number for number, (_, failed) in rows.items() if failed]
            repetition = min(in_error, default=self.next_free(suite, key))
        row_index, failed = rows.get(repetition, (None, True))
        if not failed:
            raise UsageError(
                f"row {key!r}, repetition {repetition}, of suite {suite!r} is logged already; only a row in error "
                "may be logged again. Leave `repetition` out to add one."
            )
        return repetition, row_index

    def count(self, suite: str) -> int:
        """The number of rows of a suite."""
        return self._counts.get(json_text.as_written(suite), 0)

    def next_free(self, suite: str, key: str) -> int:
        """The first repetition after all that a key has."""
        return max(self._rows.get(_place(suite, key), {}), default=-1) + 1


def _place(suite: str, key: str) -> tuple[str, str]:
    """A row under the names with which it comes back from the journal."""
    return json_text.as_written(suite), json_text.as_written(key)


def numbered_lines(path: Path) -> Iterator[bytes]:
    """The lines of a journal, each with its repetition and its place in the dataset, as the commit numbers them."""
    index = RowIndex()
    for line in _lines(path):  # an unnumbered row takes the next number after all that were given
        if line.get("repetition") is not None:
            index.note_line(line)
    places: dict[tuple[str, str, int], int] = {}
    counts: dict[str, int] = {}
    for line in _lines(path):
        suite, key, repetition = line["suite"], line["row_key"], line.get("repetition")
        if repetition is None:
            repetition = index.next_free(suite, key)
            index.note_line({**line, "repetition": repetition})
        place = places.setdefault((suite, key, repetition), counts.get(suite, 0))
        counts[suite] = max(counts.get(suite, 0), place + 1)
        line["repetition"] = repetition
        if line.get("row_index") is None:
            line["row_index"] = place
        yield orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                yield orjson.loads(line)
