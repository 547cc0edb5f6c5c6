"""Reads records from CSV and TSV."""

from __future__ import annotations

import csv
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from evalstore.importers.record import Record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evalstore.importers.sources import Source

__all__ = ["csv_records"]

_LONGEST_CELL = 2**31 - 1
_CELL = re.compile(
    r"(?P<int>-?(?:0|[1-9][0-9]{0,999}))"
    r"|(?P<bool>(?i:true|false))"
    r"|(?P<float>-?(?:(?:0|[1-9][0-9]*)?\.[0-9]+|0|[1-9][0-9]*)(?:[eE][+-]?[0-9]+)?|nan|NaN|-?(?:inf|Inf|Infinity))",
    re.ASCII,  # else the long s is an s
)


class _TextLines:
    """Lines for the csv module: counts them, keeps those of the current record, notes what is not UTF-8."""

    def __init__(self, raw: Iterator[bytes]) -> None:
        self._raw = raw
        self.count = 0
        self.kept: list[bytes] = []
        self.defect: str | None = None

    def __iter__(self) -> _TextLines:
        return self

    def __next__(self) -> str:
        raw = next(self._raw)
        self.count += 1
        self.kept.append(raw)
        try:
            return raw.decode()
        except UnicodeDecodeError as error:
            # The reader goes on, so that it finds where the record ends.
            self.defect = f"is not UTF-8: 0x{raw[error.start]:02x} at byte column {error.start + 1}"
            return raw.decode(errors="replace")


def csv_records(source: Source, delimiter: str) -> Iterator[Record]:
    """The records of CSV, or of TSV with a tab as the delimiter."""
    csv.field_size_limit(_LONGEST_CELL)  # for the whole process: the module has no other; its own is 128 KB
    lines = _TextLines(source.lines())
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    header: list[str] | None = None
    while True:
        lines.kept.clear()
        lines.defect = None
        start = lines.count + 1
        row: list[str] = []
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            lines.defect = f"is not CSV: {error}"
        if header is None:
            if lines.defect is not None:
                raise source.problem(f"the header {lines.defect}", start)
            header = _header(source, start, row) if row else None
        elif lines.defect is not None:
            yield source.broken(start, lines.defect, b"".join(lines.kept))
        elif len(row) == len(header):
            yield Record(start, dict(zip(header, map(_cell, row), strict=True)), None)
        elif row:
            defect = f"has {len(row)} cells where the header has {len(header)}"
            yield source.broken(start, defect, b"".join(lines.kept))


def _header(source: Source, line: int, names: list[str]) -> list[str]:
    if not any(isinstance(_cell(name), str) for name in names):
        raise source.problem("has no header: its first line holds values, not names", line)
    if "" in names:
        raise source.problem(f"column {names.index('') + 1} of the header has no name", line)
    for name, count in Counter(names).items():
        if count > 1:
            raise source.problem(f"the header has the name {name!r:.100} {count} times", line, name)
    return names


def _cell(text: str) -> Any:
    if not text:
        return None
    match = _CELL.fullmatch(text)
    if match is None:
        return text
    if match.lastgroup == "bool":
        return text.lower() == "true"
    return int(text) if match.lastgroup == "int" else float(text)
