"""Reads records from JSONL and JSON arrays."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import orjson

from evalstore.importers.record import TEXT_KEPT, Record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evalstore.importers.sources import Source

__all__ = ["is_json", "json_records"]

_ZEROS = bytes.maketrans(b"123456789", b"0" * 9)
_LONG = b"0" * 19  # digits, of which integers beyond 64 bit have at least that many
_JSON_KINDS = {dict: "an object", list: "an array", str: "text", bool: "a boolean", type(None): "null"}
_KEY_ENDS = re.compile(rb'"[ \t\r\n]*:')
_SPACE = re.compile(r"[ \t\r\n]*")


def is_json(line: bytes) -> bool:
    """Whether the line is a whole JSON value."""
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def json_records(source: Source, first: bytes) -> Iterator[Record]:
    """The records of a JSON array or of JSON lines; `first` is the first line, as `look` gave it."""
    if first.startswith(b"[") and not (source.look() and is_json(first)):
        return _json_array(source)
    # A single line of one object is a record under the name .jsonl; under .json it is a document.
    if first == b"{" or (source.suffix == ".json" and not source.look() and is_json(first) and first[:1] == b"{"):
        raise source.problem("holds one JSON object: write an array of records, or one record a line")
    return _json_lines(source)


class _DefectError(ValueError):
    """What is wrong with the text of a record, and with which key."""

    def __init__(self, text: str, field: str | None = None) -> None:
        super().__init__(text)
        self.field = field


def _json_lines(source: Source) -> Iterator[Record]:
    for line, raw in enumerate(source.lines(), 1):
        if raw.isspace():
            continue
        try:
            value = _json_value(raw)
        except _DefectError as error:
            yield source.broken(line, str(error), raw, error.field)
            continue
        if type(value) is dict:
            yield Record(line, value, None)
        else:
            yield source.broken(line, _not_an_object(value), raw)


def _not_an_object(value: Any) -> str:
    return f"the record is {_JSON_KINDS.get(type(value), 'a number')}, not an object"


def _json_value(raw: bytes) -> Any:
    """Parse fast, and once more with care what the fast parser refuses or may have changed.

    orjson keeps the last of two equal keys, turns integers beyond 64 bit into floats, and knows neither NaN nor lone
    surrogates. A quote before a colon is the end of a key, or else a part of a text: if as many come in as go out, then
    no key got lost; where a text may hide one behind an escape, they cannot be counted.
    """
    try:
        value = orjson.loads(raw)
        keys = orjson.dumps(value).count(b'":')
    except (orjson.JSONDecodeError, TypeError):  # the latter where it is nested more deeply than orjson writes
        return _careful_json(raw)
    is_countable = b"\\u0022" not in raw and b"\\u003" not in raw
    if is_countable and len(_KEY_ENDS.findall(raw)) == keys and _LONG not in raw.translate(_ZEROS):
        return value
    return _careful_json(raw)


def _careful_json(raw: bytes) -> Any:
    text = _utf8(raw).rstrip("\r\n")
    decoder, repeated = _decoder()
    try:
        value = decoder.decode(text)
    except (ValueError, RecursionError) as error:
        raise _DefectError(_json_defect(error, text)) from None
    if repeated:
        raise _DefectError(_repeats(repeated), repeated[0])
    return value


def _utf8(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise _DefectError(f"is not UTF-8: 0x{raw[error.start]:02x} at byte column {error.start + 1}") from None


def _decoder() -> tuple[json.JSONDecoder, list[str]]:
    """A decoder, and the list to which it adds the keys that occur twice in one object."""
    repeated: list[str] = []

    def as_dict(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        value = dict(pairs)
        if len(value) != len(pairs):
            repeated.extend(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        return value

    return json.JSONDecoder(object_pairs_hook=as_dict), repeated


def _repeats(repeated: list[str]) -> str:
    return f"the key {repeated[0]!r:.100} occurs more than once in one object"


def _json_defect(error: ValueError | RecursionError, text: str) -> str:
    if isinstance(error, json.JSONDecodeError):
        cut = error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated")
        what = error.msg[:1].lower() + error.msg[1:].removesuffix(" at")
        return f"{'is cut off' if cut else 'is not JSON'}: {what} at column {error.colno}"
    if isinstance(error, RecursionError):
        return "is nested too deeply"
    return f"cannot be read: {str(error).partition(':')[0]}"  # an integer of more digits than Python converts


def _json_array(source: Source) -> Iterator[Record]:
    raw = b"".join(source.seen) + source.stream.read()
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        column = error.start - raw.rfind(b"\n", 0, error.start)
        raise source.problem(f"is not UTF-8: 0x{raw[error.start]:02x} at byte column {column}", line) from error
    del raw
    decoder, repeated = _decoder()
    counted, line = 0, 1
    at = _past_space(text, text.index("[") + 1)
    more = text[at : at + 1] != "]"
    while more:
        line, counted = line + text.count("\n", counted, at), at
        try:
            value, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            where = error.lineno if isinstance(error, json.JSONDecodeError) else line
            raise source.problem(f"the array {_json_defect(error, text)}", where) from error
        if repeated:
            yield source.broken(line, _repeats(repeated), text[at : min(end, at + TEXT_KEPT)], repeated[0])
            repeated.clear()
        elif type(value) is dict:
            yield Record(line, value, None)
        else:
            yield source.broken(line, _not_an_object(value), text[at : min(end, at + TEXT_KEPT)])
        at = _past_space(text, end)
        more = text[at : at + 1] == ","
        if more:
            at = _past_space(text, at + 1)
    line += text.count("\n", counted, at)
    if at == len(text):
        raise source.problem("the array is cut off: it has no ]", line)
    if text[at] != "]":
        raise source.problem("the array is not JSON: expecting a comma or ]", line)
    if (end := _past_space(text, at + 1)) != len(text):
        raise source.problem("the array is followed by something else", line + text.count("\n", at, end))


def _past_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return at if found is None else found.end()
