"""When two values of JSON are the same, and where they first differ; texts as JSON, and as exact numbers."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from numbers import Number
from typing import Any

from evalstore import json_text
from evalstore.evaluation.results import as_plain_scalar

__all__ = ["difference", "number_of", "parsed_json"]

_SHOWN = 60  # characters of a value in a message


def difference(given: Any, wanted: Any, path: str = "") -> str | None:
    """Where two values first differ and how, as text; None if they are the same.

    Numbers are the same by their value, NaN is NaN, True is no number; the order of keys does not matter.
    """
    if isinstance(given, dict) and isinstance(wanted, dict):
        return _dicts(given, wanted, path)
    if isinstance(given, (list, tuple)) and isinstance(wanted, (list, tuple)):
        for at, (one, other) in enumerate(zip(given, wanted, strict=False)):
            if found := difference(one, other, f"{path}[{at}]"):
                return found
        return None if len(given) == len(wanted) else f"{_at(path)}{len(given)} items, not {len(wanted)}"
    given, wanted = as_plain_scalar(given), as_plain_scalar(wanted)
    if _is_same(given, wanted):
        return None
    return f"{_at(path)}{_shown(given)}, not {_shown(wanted)}"


def parsed_json(value: Any) -> Any:
    """The value of a JSON text; what is no text stays. Raises: ValueError."""
    return json_text.loads(value) if isinstance(value, str) else value


def number_of(value: Any) -> Fraction | float:
    """The number, exactly as it is written; a float only if it is not finite. Raises: ValueError for what is none."""
    value = as_plain_scalar(value)
    text = str(value).strip() if isinstance(value, (str, Number)) and not isinstance(value, bool) else ""
    for kind in (Fraction, float):
        try:
            return kind(text)
        except (ValueError, ZeroDivisionError):
            continue
    raise ValueError(f"no number: {_shown(value)}")


def _dicts(given: dict[Any, Any], wanted: dict[Any, Any], path: str) -> str | None:
    for key, value in wanted.items():
        if key not in given:
            return f"{_at(path)}no {key!r}"
        if found := difference(given[key], value, f"{path}.{key}" if path else str(key)):
            return found
    extra = [key for key in given if key not in wanted]
    return f"{_at(path)}an extra {extra[0]!r}" if extra else None


def _is_same(given: Any, wanted: Any) -> bool:
    if isinstance(given, bool) or isinstance(wanted, bool):
        return given is wanted
    if isinstance(given, float) and isinstance(wanted, float) and math.isnan(given):
        return math.isnan(wanted)
    return bool(given == wanted)


def _at(path: str) -> str:
    return f"{path}: " if path else ""


def _shown(value: Any) -> str:
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        text = repr(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
