"""What reading a file of records yields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from evalstore.errors import BrokenInput

__all__ = ["TEXT_KEPT", "Record"]

TEXT_KEPT = 1000  # characters of a broken record that are kept to show it


class Record(NamedTuple):
    """One record: its value, or the problem that stands in its place with the first `TEXT_KEPT` characters of its text.

    `line` counts from 1: the line where the record starts, in Parquet the row.
    """

    line: int
    value: dict[str, Any] | None
    problem: BrokenInput | None
    text: str | None = None
