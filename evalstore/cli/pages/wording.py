"""How numbers, counts and times read on a page."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from evalstore.cli.blocks import Column

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    Lines = list[dict[str, Any]]
    Field = str | Callable[[dict[str, Any]], str | None]
    Say = Callable[[Any], str | None]

__all__ = [
    "duration",
    "is_told",
    "measure",
    "name_of",
    "number",
    "numbers",
    "phrases",
    "scored",
    "share",
    "signed",
    "size",
    "status",
    "texts",
    "when",
]

DIGITS = 4
SMALLEST = 10**-DIGITS
LARGEST = 1e7


def number(value: float | None) -> str | None:
    """A mean or an error of one: four decimals, so that columns of them can be compared."""
    if value is None or not math.isfinite(value):
        return None if value is None else "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if value and not SMALLEST <= abs(value) < LARGEST:
        return f"{value:.2e}"
    return f"{value:.{DIGITS}f}"


def measure(value: float | None) -> str | None:
    """A single value: as `number`, without the zeros at its end."""
    text = number(value)
    return text.rstrip("0").rstrip(".") if text and "." in text and "e" not in text else text


def signed(value: float | None) -> str | None:
    """A difference, with its sign."""
    text = number(value)
    return f"+{text}" if text and value and value > 0 else text


def scored(line: Mapping[str, Any]) -> str:
    """How many rows stand behind a mean."""
    if line["rows_total"] is None:
        return "not told" if line["rows_scored"] is None else f"scored {line['rows_scored']}"
    return f"scored {line['rows_scored']} of {line['rows_total']}"


def status(job: Mapping[str, Any]) -> str:
    """How a job ended; one that scored nothing is no success."""
    has_scored = job["rows_scored"] != 0 or is_told(job)
    return "scored nothing" if job["status"] == "completed" and not has_scored else str(job["status"])


def is_told(job: Mapping[str, Any]) -> bool:
    """Whether a job has no rows, and scores all the same: it was imported by its counts."""
    return job["rows_total"] == 0 and (job["overall_score"] is not None or bool(job.get("total_metrics")))


def share(part: int | None, whole: int | None) -> str | None:
    """A part of a whole."""
    return None if whole is None else f"{part or 0} of {whole}"


def when(moment: datetime | None, *, to: str = "minutes") -> str | None:
    """A time in UTC, for columns that say so."""
    return None if moment is None else moment.isoformat(" ", to)[: 16 if to == "minutes" else 19]


def duration(seconds: float | None) -> str | None:
    """A time span in the unit that suits it."""
    if seconds is None:
        return None
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    if minutes:
        return f"{minutes} min {rest} s"
    return f"{seconds:.3g} s" if seconds >= 1 else f"{seconds * 1000:.3g} ms"


def size(count: int) -> str:
    """An amount of bytes in the unit that suits it."""
    for unit, of_them in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= of_them:
            return f"{count / of_them:,.1f} {unit}"
    return f"{count} bytes"


def name_of(line: Mapping[str, Any]) -> str:
    """A metric, with the name under it where it has one of its own."""
    return str(line["metric"]) if line["name"] == line["metric"] else f"{line['metric']}:{line['name']}"


def texts(title: str, lines: Lines, field: Field, spare: int = 0) -> Column:
    """A column of names and other texts, which may be wrapped."""
    return Column(title, _cells(lines, field, str), spare=spare)


def phrases(title: str, lines: Lines, field: Field, spare: int = 0) -> Column:
    """A column of short texts that stay whole."""
    return Column(title, _cells(lines, field, str), spare=spare, is_whole=True)


def numbers(title: str, lines: Lines, field: Field, spare: int = 0, say: Say = number) -> Column:
    """A column of numbers."""
    return Column(title, _cells(lines, field, say), right=True, spare=spare)


def _cells(lines: Lines, field: Field, say: Say) -> list[str | None]:
    if callable(field):
        return [field(line) for line in lines]
    return [None if line[field] is None else say(line[field]) for line in lines]
