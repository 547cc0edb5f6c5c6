"""How a value looks, in every format the same: as JSON has it.

A cell of CSV, markdown or a table is the text of the JSON value. What JSON has no word for: NaN and the infinities are
"NaN", "Infinity" and "-Infinity"; times are ISO 8601, with their zone where they have one; durations are seconds;
decimals are numbers where a double holds them, else text; bytes are text.
"""

from __future__ import annotations

import math
import re
from datetime import date, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from evalstore import json_text

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

__all__ = ["one_line", "plain", "plain_columns", "text", "text_columns"]

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def plain(value: Any) -> Any:
    """The value as JSON has it, whatever it holds."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else _NON_FINITE[str(value)]
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    for kind, say in _OTHERS.items():
        if isinstance(value, kind):
            return say(value)
    return str(value)


def text(value: Any) -> str | None:
    """The value as the text of a cell; None for what is not there."""
    return _text(plain(value))


def plain_columns(frame: pl.DataFrame) -> list[list[Any]]:
    """The columns of a frame, each value as `plain` has it."""
    return [_plain_column(column) for column in frame]


def text_columns(frame: pl.DataFrame) -> list[list[str | None]]:
    """The columns of a frame, each value as `text` has it."""
    return [[_text(value) for value in column] for column in plain_columns(frame)]


def one_line(cell: str) -> str:
    r"""A text that stays on its line and cannot command a terminal: control characters are shown, as in `\n`."""
    return _UNPRINTABLE.sub(lambda match: _ESCAPES.get(match[0]) or ascii(match[0])[1:-1], cell)


def _plain_column(column: pl.Series) -> list[Any]:
    import polars as pl

    kind = column.dtype
    if isinstance(kind, (pl.Date, pl.Datetime, pl.Time)):
        iso = column.dt.to_string("iso:strict")  # Polars knows years and nanoseconds that Python does not
        return iso.str.replace(r"(\.\d*?)0+($|[+-])", "$1$2").str.replace(r"\.($|[+-])", "$1").to_list()
    if kind.is_integer() or kind in (pl.String, pl.Boolean) or (kind.is_float() and column.is_finite().all()):
        return column.to_list()
    return [plain(value) for value in column.to_list()]


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return str(value) if type(value) is int else json_text.dumps(value)[0]


def _number(value: Decimal) -> int | float | str:
    if not value.is_finite():
        return str(value)
    if value == value.to_integral_value():
        return int(value)
    return float(value) if Decimal(repr(float(value))) == value else str(value)


_NON_FINITE = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
_OTHERS: dict[type | tuple[type, ...], Callable[[Any], Any]] = {
    Decimal: _number,
    (date, time): lambda moment: moment.isoformat(),
    timedelta: timedelta.total_seconds,
    bytes: lambda data: data.decode("utf-8", "backslashreplace"),
}
