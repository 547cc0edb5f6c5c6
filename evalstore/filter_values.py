"""What a filter compares with: from what a user writes to the value as a field has it."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

from evalstore import names
from evalstore.errors import InvalidCondition, near
from evalstore.result_fields import CHOICES

if TYPE_CHECKING:
    from evalstore.result_fields import Field

__all__ = ["EXACT", "Value", "period", "plain", "shown", "text", "value", "written"]

Value = str | int | float | bool | datetime | None
"""An `int` is one that a float does not hold exactly, compared with JSON; all other numbers are floats."""

EXACT = 2**53
"""Up to here a float is as exact as an integer."""

_TOO_LARGE = Decimal("1e400")  # for a float
_SHOWN = 60  # characters of a wrong value
_ZONE = r" ?(?:Z|z|UTC|[+-][0-9]{2}(?::?[0-9]{2}){0,2})"
_CLOCK = rf"[Tt ]([0-9]{{2}})(?::([0-9]{{2}})(?::([0-9]{{2}})(?:[.,]([0-9]+))?)?)?({_ZONE})?"
_PERIOD = re.compile(rf"([0-9]{{4}})(?:-([0-9]{{2}})(?:-([0-9]{{2}})(?:{_CLOCK})?)?)?")
_BETWEEN = " -:.,Tt"  # may stand behind the beginning of a time: somebody is still typing


def value(field: Field, place: str, given: Any) -> Value:
    """A value as the field has it. Raises: InvalidCondition, which says what the field takes."""
    if given is None:
        return None
    if field.kind == "time":
        return _moment(place, given)
    if field.kind in ("number", "numbers"):
        return float(_number(place, given))
    if field.kind == "json" and isinstance(found := plain(given), (bool, int, float)):
        return found if isinstance(found, bool) else _number(place, found)
    found = text(place, given)
    if field.text in CHOICES and found not in CHOICES[field.text]:
        raise InvalidCondition(f"{place}: there is no {field.text} {found!r}; {near(found, CHOICES[field.text])}")
    return names.reference(found, field.text) if field.kind == "reference" else found


def written(text: str, field: Field) -> Value:
    """What stands on the right of an operator; 7 is a text where the field holds texts."""
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1]
    if text.lower() in ("null", "none"):
        return None
    if field.kind not in ("number", "numbers", "json"):
        return text
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for read in (int, float):
        try:
            return read(text)
        except ValueError:  # also of an integer of thousands of digits
            continue
    return text


def text(place: str, given: Any) -> str:
    """A text. Raises: InvalidCondition."""
    if not isinstance(given, str):
        raise InvalidCondition(f"{place}: takes a text, not {shown(given)}")
    try:
        given.encode()
    except UnicodeEncodeError as error:
        raise InvalidCondition(f"{place}: {given!a} cannot be written as UTF-8") from error
    return str(given)


def period(place: str, given: str) -> tuple[datetime, datetime | None]:
    """What a time, or the beginning of one, covers: its first instant, and the one behind it (None: no end).

    "2026-01" is a month, "2026-01-31 18" an hour, "2026-01-31T18:00:00+05:00" a second; without a zone it is UTC.

    Raises: InvalidCondition.
    """
    match = _PERIOD.fullmatch(given.strip().rstrip(_BETWEEN))
    wrong = InvalidCondition(
        f"{place}: {shown(given)} is no time and no beginning of one: write a year, month, day, hour, ... such as "
        "2026, 2026-01, 2026-01-31, 2026-01-31 18:00 or 2026-01-31T18:00:00+05:00"
    )
    if match is None:
        raise wrong
    *parts, zone = match.groups()
    date_and_time = [part or least for part, least in zip(parts, ("", "01", "01", "00", "00", "00", ""), strict=True)]
    year, month, day, hour, minute, second, fraction = date_and_time
    offset = (zone or "Z").strip().replace("UTC", "Z").upper()
    try:
        first = datetime.fromisoformat(f"{year}-{month}-{day}T{hour}:{minute}:{second}.{fraction:0<6.6}{offset}")
        start = first.astimezone(UTC)
    except (ValueError, OverflowError):
        raise wrong from None
    try:
        return start, _behind(first, 7 - parts.count(None), len(fraction)).astimezone(UTC)
    except (ValueError, OverflowError):  # the calendar ends
        return start, None


def plain(given: Any) -> Any:
    """A number, or true and false, of another library (numpy.int64, Decimal) as that of Python; all else as it is."""
    if given is None or isinstance(given, (str, bool, int, float)):
        return given
    if isinstance(given, Integral):
        return int(given)
    if isinstance(given, Decimal):
        return _of_decimal(given)
    if isinstance(given, Real):
        return float(given)
    if getattr(given, "shape", None) == () and callable(getattr(given, "item", None)):
        found = given.item()
        return found if isinstance(found, (bool, date)) else given
    return given


def shown(value: Any) -> str:
    """A wrong value as a message repeats it."""
    try:
        found = repr(value)
    except (RecursionError, ValueError):  # nested without end; an integer of too many digits
        found = type(value).__name__
    return found if len(found) <= _SHOWN else f"{found[:_SHOWN]}..."


def _number(place: str, given: Any) -> float | int:
    """A number: a float, or the integer where that would not be the same."""
    found = plain(given)
    if isinstance(found, bool) or not isinstance(found, (int, float)):
        raise InvalidCondition(f"{place}: takes a number, not {shown(given)}")
    try:
        number = float(found)
    except OverflowError as error:
        raise InvalidCondition(f"{place}: {shown(given)} is too large for a number") from error
    if math.isnan(number):
        raise InvalidCondition(f"{place}: NaN compares with nothing; null finds what has no number")
    return found if isinstance(found, int) and abs(found) > EXACT else number


def _moment(place: str, given: Any) -> datetime:
    """A time as an instant; without a zone it is UTC."""
    moment = plain(given)
    if isinstance(moment, str):
        try:
            moment = datetime.fromisoformat(moment)
        except ValueError as error:
            raise InvalidCondition(
                f"{place}: {given!r} is no time: write one such as 2026-01-31, 2026-01-31T18:00:00Z or "
                "2026-01-31T18:00:00+05:00"
            ) from error
    elif isinstance(moment, date) and not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day)  # noqa: DTZ001
    if not isinstance(moment, datetime):
        raise InvalidCondition(f"{place}: takes a time, not {shown(given)}")
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError as error:
        raise InvalidCondition(f"{place}: {given!r} lies outside of the calendar") from error


def _of_decimal(given: Decimal) -> int | float:
    if not given.is_finite():
        return math.nan if given.is_nan() else float(given)
    if given != given.to_integral_value():
        return float(given)
    return int(min(max(given, -_TOO_LARGE), _TOO_LARGE))  # not the gigabytes of digits that a Decimal can stand for


def _behind(first: datetime, parts: int, digits: int) -> datetime:
    """The end of a year, month, day, hour, minute, second (1 to 6 parts), or of a second's fraction of some digits."""
    if parts == 1:
        return first.replace(year=first.year + 1)
    if parts == 2:  # noqa: PLR2004
        return (first + timedelta(days=31)).replace(day=1)
    lengths = ({"days": 1}, {"hours": 1}, {"minutes": 1}, {"seconds": 1}, {"microseconds": 10 ** max(6 - digits, 0)})
    return first + timedelta(**lengths[parts - 3])
