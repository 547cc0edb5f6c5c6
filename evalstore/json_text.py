"""JSON text that keeps what was given: exact integers of any size, non-finite numbers as strings, any Python value.

JSON has no NaN or infinity and DuckDB's reader no lone surrogates; both are kept visible instead of failing a run:
non-finite numbers are written as the strings "nan", "inf" and "-inf", lone surrogates as U+FFFD, and counted.
What would be lost in silence is refused: one of two keys of a dict that are the same text, and nesting that a reader
could not follow.
"""

from __future__ import annotations

import dataclasses
import json
import math
import re
from datetime import date, time
from enum import Enum
from functools import singledispatch
from itertools import repeat
from typing import Any

import orjson

from evalstore.errors import UsageError

__all__ = ["DEEPEST", "as_written", "canonical", "depth", "dumps", "given", "loads", "pretty"]

DEEPEST = 254  # levels of what is stored: as many as orjson writes, so that what it has written needs no look
_PLAIN = orjson.OPT_SERIALIZE_NUMPY
_SORTED = _PLAIN | orjson.OPT_SORT_KEYS
_FORM = bytes.maketrans(b"123456789:,[- \n\r\t", b"0" * 9 + b":" * 8)
_LONG_INTEGER = b":" + b"0" * 19  # under _FORM: nineteen digits, and nothing but the start of a value before them
_SURROGATE = re.compile("[\ud800-\udfff]")


def dumps(value: Any) -> tuple[str, int]:
    """The JSON text of a document of ours, and how many lone surrogates were replaced in it.

    Raises: UsageError as `given`, and RecursionError where that leaves out what is too deep.
    """
    return _encode(value, _PLAIN, "document", deepest=None)


def pretty(value: Any) -> str:
    """The JSON text of a document of ours as people read it: a field a line. Raises: as `dumps`."""
    return json.dumps(loads(dumps(value)[0]), ensure_ascii=False, indent=2)


def as_written(text: str) -> str:
    """A text as it can be written: a lone surrogate becomes U+FFFD."""
    if not _SURROGATE.search(text):
        return text
    # A pair that was split by an earlier decoding becomes the character that it stands for.
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def given(field: str, value: Any) -> tuple[str, int]:
    """The JSON text of what a user gave as this field, and how many lone surrogates were replaced in it.

    Raises: UsageError where two keys of a dict are the same text, or where it is nested more than `DEEPEST` levels.
    """
    try:
        return _encode(value, _PLAIN, field, deepest=DEEPEST)
    except RecursionError as error:
        raise _too_deep(field) from error


def canonical(value: Any) -> str:
    """The JSON text of a value that was `given`, with sorted keys: equal for equal content, for hashing."""
    return _encode(value, _SORTED, "value", deepest=None)[0]


def depth(value: Any) -> int:
    """How many levels of lists and dicts a value of plain JSON has, however many that are."""
    level, held = 0, [value]
    while held := [one for one in held if isinstance(one, (dict, list))]:
        level += 1
        held = [one for holder in held for one in (holder.values() if isinstance(holder, dict) else holder)]
    return level


def loads(text: str | bytes) -> Any:
    """The value of a JSON text, or of its UTF-8. Integers are exact; what is not finite comes as `dumps` writes it.

    Raises: ValueError, RecursionError.
    """
    try:
        data = text if isinstance(text, bytes) else text.encode()
        # orjson makes doubles of integers beyond 64 bit, and refuses NaN and lone surrogates, which json reads.
        if _LONG_INTEGER not in data.translate(_FORM):
            return orjson.loads(data)
    except (UnicodeEncodeError, orjson.JSONDecodeError):
        pass
    text = text.decode() if isinstance(text, bytes) else text
    return json.loads(text, parse_constant=_finite, parse_float=_finite)


def _finite(text: str) -> float | str:
    number = float(text)
    return number if math.isfinite(number) else str(number)


def _encode(value: Any, options: int, field: str, *, deepest: int | None) -> tuple[str, int]:
    try:
        text = orjson.dumps(value, _fallback, options)
    except (TypeError, ValueError, RecursionError):
        try:
            text = orjson.dumps(value, _fallback, options | orjson.OPT_NON_STR_KEYS)
        except (TypeError, ValueError, RecursionError):  # integers beyond 64 bit, lone surrogates, odd keys, depth
            return _encode_slowly(value, options, field, deepest)
        _check_keys(text, field)
    if b"null" in text and _holds_non_finite(value):  # orjson writes NaN as null, which would make it a missing value
        return _encode_slowly(value, options, field, deepest)
    return text.decode(), 0


def _encode_slowly(value: Any, options: int, field: str, deepest: int | None) -> tuple[str, int]:
    reader = _Reader(field)
    document = reader.plain(value, math.inf if deepest is None else deepest)
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"), sort_keys=options == _SORTED)
    return text, reader.replaced


class _Reader:
    """Makes plain JSON of any value, with one call of Python a level: deep values are met deep in a program's stack."""

    def __init__(self, field: str) -> None:
        self.field, self.replaced = field, 0

    def plain(self, value: Any, levels_left: float) -> Any:
        if isinstance(value, Enum):
            return self.plain(value.value, levels_left)
        if isinstance(value, str):
            return self._text(value)
        if value is None or isinstance(value, (bool, int, float)):
            return _plain_number(value)
        if not isinstance(value, (dict, list, tuple)):
            return self.plain(_natural(value), levels_left)
        if not levels_left:
            raise _too_deep(self.field)
        if isinstance(value, dict):
            return dict(zip(self._keys(value), map(self.plain, value.values(), repeat(levels_left - 1)), strict=False))
        return list(map(self.plain, value, repeat(levels_left - 1)))

    def _text(self, value: str) -> str:
        text = str(value.value if isinstance(value, Enum) else value)
        written = as_written(text)
        if written is not text:
            self.replaced += written.count("\ufffd") - text.count("\ufffd")
        return written

    def _keys(self, value: dict[Any, Any]) -> dict[str, None]:
        found: dict[str, None] = {}
        for key in value:
            name = self._text(key if isinstance(key, str) else _key(key))
            if name in found:
                raise _same_key(self.field, name)
            found[name] = None
        return found


def _check_keys(text: bytes, field: str) -> None:
    """Refuses JSON in which a key stands twice in one object."""

    def check(pairs: list[tuple[str, Any]]) -> None:
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _same_key(field, key)
            seen.add(key)

    json.loads(text, object_pairs_hook=check)


def _same_key(field: str, key: str) -> UsageError:
    return UsageError(f"{field}: two keys of one dict are both {key!r} as text; give them texts that differ")


def _too_deep(field: str) -> UsageError:
    return UsageError(f"{field} is nested too deeply: {DEEPEST} levels of lists and dicts can be kept")


def _plain_number(value: Any) -> Any:
    """A number as JSON can hold it; subclasses (enums, numpy floats) become what they are."""
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(float(value))
    return value if value is None or isinstance(value, bool) else int(value)


def _key(key: Any) -> str:
    if key is None or isinstance(key, (bool, int, float)):
        return json.dumps(key)
    return str(_natural(key))


def _fallback(value: Any) -> Any:
    natural = _natural(value)
    return _plain_number(natural) if isinstance(natural, float) else natural


@singledispatch
def _natural(value: Any) -> Any:
    """What a value that JSON does not know is best written as: its fields, its items, its number, or its text."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    kind = type(value)  # an object that makes any attribute up when it is asked for it has none there
    if hasattr(kind, "model_dump"):  # pydantic
        return value.model_dump(mode="json")
    for method in ("tolist", "to_dict"):  # numpy and Arrow arrays and scalars; frames
        if hasattr(kind, method):
            return getattr(value, method)()
    return str(value)


@_natural.register(date)
@_natural.register(time)
def _(value: date | time) -> str:
    return value.isoformat()


@_natural.register(set)
@_natural.register(frozenset)
def _(value: set[Any] | frozenset[Any]) -> list[Any]:
    return sorted(value, key=str)


@_natural.register(bytes)
@_natural.register(bytearray)
def _(value: bytes | bytearray) -> str:
    return bytes(value).decode("utf-8", "backslashreplace")


def _holds_non_finite(value: Any) -> bool:
    if isinstance(value, float):
        return not math.isfinite(value)
    if isinstance(value, dict):
        return any(map(_holds_non_finite, value.values()))
    if isinstance(value, (list, tuple)):
        return any(map(_holds_non_finite, value))
    return not (value is None or isinstance(value, (str, int)))  # unknown to JSON: may hold one, so take the slow way
