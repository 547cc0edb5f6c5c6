"""JSON text that keeps what was given: exact integers of any size, non-finite numbers as strings, any Python value.

JSON has no NaN or infinity and DuckDB's reader no lone surrogates; both are kept visible instead of failing a run:
non-finite numbers are written as the strings "nan", "inf" and "-inf", lone surrogates as U+FFFD, and counted.
"""

from __future__ import annotations

import dataclasses
import json
import math
import re
from datetime import date, time
from enum import Enum
from functools import singledispatch
from typing import Any

import orjson

__all__ = ["canonical", "dumps", "loads"]

_PLAIN = orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY
_SORTED = _PLAIN | orjson.OPT_SORT_KEYS
_FORM = bytes.maketrans(b"123456789:,[- \n\r\t", b"0" * 9 + b":" * 8)
_LONG_INTEGER = b":" + b"0" * 19  # under _FORM: nineteen digits, and nothing but the start of a value before them
_SURROGATE = re.compile("[\ud800-\udfff]")


def dumps(value: Any) -> tuple[str, int]:
    """The JSON text of a value, and how many lone surrogates were replaced in it."""
    return _encode(value, _PLAIN)


def canonical(value: Any) -> str:
    """The JSON text of a value with sorted keys: equal for equal content, for hashing."""
    return _encode(value, _SORTED)[0]


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


def _encode(value: Any, options: int) -> tuple[str, int]:
    try:
        text = orjson.dumps(value, _fallback, options)
    except (TypeError, ValueError, RecursionError):  # integers beyond 64 bit, lone surrogates, odd keys
        return _encode_slowly(value, options)
    if b"null" in text and _holds_non_finite(value):  # orjson writes NaN as null, which would make it a missing value
        return _encode_slowly(value, options)
    return text.decode(), 0


def _encode_slowly(value: Any, options: int) -> tuple[str, int]:
    replaced = 0

    def plain(value: Any) -> Any:
        nonlocal replaced
        if isinstance(value, Enum):
            value = value.value
        if isinstance(value, str):
            text = str(value)
            if _SURROGATE.search(text):
                # A pair that was split by an earlier decoding becomes the character that it stands for.
                joined = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
                replaced += joined.count("\ufffd") - text.count("\ufffd")
                text = joined
            return text
        if value is None or isinstance(value, (bool, int, float)):
            return _plain_number(value)
        if isinstance(value, dict):
            return {plain(key if isinstance(key, str) else _key(key)): plain(held) for key, held in value.items()}
        if isinstance(value, (list, tuple)):
            return [plain(held) for held in value]
        return plain(_natural(value))

    text = json.dumps(plain(value), ensure_ascii=False, separators=(",", ":"), sort_keys=options == _SORTED)
    return text, replaced


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
    if hasattr(value, "model_dump"):  # pydantic
        return value.model_dump(mode="json")
    for method in ("tolist", "to_dict"):  # numpy and Arrow arrays and scalars; frames
        if hasattr(value, method):
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
