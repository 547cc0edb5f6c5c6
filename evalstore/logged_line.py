"""One row as a line of the journal: what `log()` was given, checked and put into the types of the store."""

from __future__ import annotations

import hashlib
import math
import traceback as tracebacks
from datetime import UTC
from typing import TYPE_CHECKING, Any

import orjson

from evalstore import json_text, score_values
from evalstore.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

__all__ = ["checked_text", "digest", "encoded", "error_document", "item_key", "logged_line", "row_hash", "row_key_text"]

_SMALL = 2**31
_LIMITS = {"repetition": _SMALL}


def logged_line(
    position: int,
    *,
    suite: str,
    row_key: str | int | None,
    scores: dict[str, Any] | None,
    error: str | BaseException | None,
    documents: dict[str, Any],
    requests: Any,
    numbers: dict[str, Any],
    counts: dict[str, Any],
    moments: dict[str, datetime | None],
    cluster: str | None,
    tags: Iterable[str],
) -> tuple[dict[str, Any], int]:
    """The line, with key and content hash, and how many lone surrogates were replaced in it.

    Raises: UsageError (InvalidScore), which names the field.
    """
    line: dict[str, Any] = {"position": position, "suite": checked_text("suite", suite)}
    replaced = _put_documents(line, documents)
    if requests is not None:
        line["requests"], count = json_text.given("requests", requests)
        replaced += count
    canonical_item = json_text.canonical(documents["item"])
    line["row_hash"] = _row_hash(canonical_item, documents["reference"])
    line["row_key"] = digest(canonical_item) if row_key is None else row_key_text(row_key)
    line["scores"], count = score_values.normalise(scores)
    replaced += count
    if error is not None:
        _put_error(line, error)
    _put_numbers(line, numbers)
    _put_counts(line, counts)
    _put_moments(line, moments)
    if cluster is not None:
        line["cluster"] = checked_text("cluster", str(cluster))
    if tags:
        line["tags"] = [tags] if isinstance(tags, str) else [str(tag) for tag in tags]
    return line, replaced


def _put_documents(line: dict[str, Any], documents: dict[str, Any]) -> int:
    """Puts values as JSON objects, and tells how many lone surrogates were replaced in them."""
    replaced = 0
    for field, value in documents.items():
        if value is not None:
            line[field], count = _object_text(field, value)
            replaced += count
    return replaced


def _put_error(line: dict[str, Any], error: str | BaseException) -> None:
    line["error"] = score_values.error_text(error)
    if isinstance(error, BaseException):
        line["error_details"] = json_text.dumps(_error_details(error))[0]


def _put_numbers(line: dict[str, Any], numbers: dict[str, Any]) -> None:
    for field, value in numbers.items():
        if type(value) is float and math.isfinite(value):  # the common cases first: this runs for every row
            line[field] = value
        elif value is not None:
            number = _float(field, value)
            line[field] = number if math.isfinite(number) else str(number)  # JSON has no infinity


def _put_counts(line: dict[str, Any], counts: dict[str, Any]) -> None:
    for field, value in counts.items():
        if type(value) is int and 0 <= value < _SMALL:
            line[field] = value
        elif value is not None:
            number = _float(field, value)
            if not (number.is_integer() and 0 <= number < _LIMITS.get(field, 2**63)):
                raise UsageError(f"{field} is a whole number from 0 up, not {value!r}")
            line[field] = int(value)


def _put_moments(line: dict[str, Any], moments: dict[str, datetime | None]) -> None:
    for field, moment in moments.items():
        if moment is not None:
            if moment.tzinfo is None:
                raise UsageError(f"{field} {moment.isoformat()} has no time zone: write datetime(..., tzinfo=UTC)")
            line[field] = moment.astimezone(UTC).isoformat()


def _float(field: str, value: Any) -> float:
    if isinstance(value, (bool, str)) or not hasattr(value, "__float__"):
        raise UsageError(f"{field} is a number, not {value!r}")
    try:
        return float(value)
    except OverflowError as error:
        raise UsageError(f"{field} does not fit a double: {value!r}") from error


def encoded(line: dict[str, Any]) -> tuple[bytes, int]:
    """The line as bytes with a newline, and how many lone surrogates were replaced in it.

    Raises: InvalidScore where two metrics, or two names of one, are the same then.
    """
    try:
        return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE), 0
    except (TypeError, ValueError):  # a lone surrogate in a key, a tag, an error
        text, replaced = json_text.dumps(line)
        score_values.check_distinct(json_text.loads(text)["scores"])
        return text.encode() + b"\n", replaced


def _object_text(field: str, value: Any) -> tuple[str, int]:
    """The JSON object of a value, `{"value": ...}` round what is none; and how many lone surrogates were replaced."""
    text, replaced = json_text.given(field, value)
    return (text if text.startswith("{") else f'{{"value":{text}}}'), replaced


def _error_details(error: BaseException) -> dict[str, str]:
    """Type, message and traceback of an exception."""
    trace = "".join(tracebacks.format_exception(error))
    return {"type": type(error).__name__, "message": str(error), "traceback": trace}


def error_document(error: BaseException) -> dict[str, Any]:
    """An exception as the document of a job holds it."""
    details = _error_details(error)
    return {"type": details.pop("type"), "message": details.pop("message"), "details": details}


def digest(text: str) -> str:
    """The key of a canonical text: 32 hex digits."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _row_hash(canonical_item: str, reference: Any) -> str:
    return digest(f"{canonical_item}\n{'' if reference is None else json_text.canonical(reference)}")


def row_hash(item: Any, reference: Any) -> str:
    """The content hash of a row: what tells whether two rows of one key are about the same thing."""
    return _row_hash(json_text.canonical(item), reference)


def item_key(item: Any) -> str:
    """The key of a row without one: 32 hex digits that are equal for equal items."""
    return digest(json_text.canonical(item))


def row_key_text(key: Any) -> str:
    """A row key as text. Raises: UsageError."""
    if isinstance(key, bool) or not isinstance(key, (str, int)) or key == "":
        raise UsageError(f"row_key is text or a whole number, not {key!r}")
    return str(key)


def checked_text(field: str, value: Any) -> str:
    """A text that is not empty. Raises: UsageError, which names the field."""
    if not isinstance(value, str) or not value:
        raise UsageError(f"{field} is a text that is not empty, not {value!r}")
    return value
