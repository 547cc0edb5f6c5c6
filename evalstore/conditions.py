"""Conditions of the form `FIELD OP VALUE`, as the command line and `where=` take them. Values are bound, never SQL."""

from __future__ import annotations

import math
import re
from typing import Any

from evalstore.errors import InvalidCondition, UnknownField, near

__all__ = ["FORM", "ROW_FIELDS", "conditions", "json_path", "row_source"]

ROW_FIELDS = ("suite", "row_key", "repetition", "cluster", "tags", "error", "latency", "cost", "total_tokens")
_DOCUMENTS = ("item", "sample", "reference", "metadata")
FORM = re.compile(
    r"""\s*(?P<field>(?:"[^"]*"|[^"=!<>~])+?)\s*(?P<op>==|!=|<>|<=|>=|=|<|>|~)\s*(?P<value>(?![=<>~!]).*?)\s*""",
    re.DOTALL,
)
"""FIELD OP VALUE."""
_NAMES = {"==": "=", "<>": "!="}
_KEY, _INDEX = r'(?:"[^"]*"|[^.\[\]"]+)', r"\[[0-9]+\]"
_PATH = re.compile(rf"(?:{_KEY}|{_INDEX})(?:\.{_KEY}|{_INDEX})*")
_STEP = re.compile(r'"([^"]*)"|([^.\[\]"]+)|\[([0-9]+)\]')


def conditions(where: str | list[str] | tuple[str, ...] | None, metrics: set[str]) -> list[dict[str, Any]]:
    """Reads conditions on rows; all of them must hold.

    FIELD is a metric (`rouge`, `rouge:rouge_1`, or `score.NAME` where a row field has the same name), a row field, or a
    path inside item, sample, reference or metadata (`metadata.category`). OP is one of = != < <= > >= and ~ (holds the
    text, whatever its case). VALUE is a number, true, false, null or text, with or without quotes.

    Raises: InvalidCondition, UnknownField.
    """
    if where is None:
        return []
    return [_condition(one, metrics) for one in ([where] if isinstance(where, str) else where)]


def row_source(field: str) -> tuple[str, str | None] | None:
    """(column, JSON path) of a row field, or None when it is none."""
    column, dot, rest = field.partition(".")
    if field in ROW_FIELDS:
        return field, None
    if column in _DOCUMENTS and dot and rest:
        return column, json_path(rest)
    return None


def json_path(dotted: str) -> str:
    """The JSON pointer of a dotted path: `a.b[0]` -> `/a/b/0`. A key with dots or brackets is quoted: `a."b.c"`.

    Raises: UnknownField for what is no path.
    """
    if not _PATH.fullmatch(dotted):
        raise UnknownField(f'{dotted!r} is no path: write a.b, a[0], or a."b.c" for a key with dots or brackets')
    keys = (index or quoted or plain for quoted, plain, index in _STEP.findall(dotted))
    return "".join("/" + key.replace("~", "~0").replace("/", "~1") for key in keys)


def _condition(text: str, metrics: set[str]) -> dict[str, Any]:
    match = FORM.fullmatch(text) if isinstance(text, str) else None
    if match is None or match["value"] == "":
        raise InvalidCondition(
            f"{text!r} is no condition: write FIELD OP VALUE, such as 'is_correct = 0' or 'error != null'"
        )
    field, op, value = match["field"], _NAMES.get(match["op"], match["op"]), match["value"]
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
    condition: dict[str, Any] = dict.fromkeys(("source", "path", "metric", "name"))
    if not quoted and value.lower() in ("null", "none"):
        if op not in ("=", "!="):
            raise InvalidCondition(f"{text!r}: null is compared with = or != only")
        op = "is null" if op == "=" else "is not null"
    plain = value.lower() if value.lower() in ("true", "false") else value  # as JSON writes them
    condition |= {"op": op, "text": value[1:-1] if quoted else plain, "number": None if quoted else _number(value)}
    source = None if field.startswith("score.") else row_source(field)
    if source is not None:
        return condition | {"source": source[0], "path": source[1]}
    metric, _, name = (part.strip('"') for part in field.removeprefix("score.").partition(":"))
    if field.strip('"') in metrics:
        metric, name = field.strip('"'), ""
    if metric not in metrics:
        valid = [*metrics, *ROW_FIELDS, *(f"{column}.<path>" for column in _DOCUMENTS)]
        raise UnknownField(f"{text!r}: there is no field {field!r}; {near(field, valid, most=20)}")
    return condition | {"source": "score", "metric": metric, "name": name or None}


def _number(value: str) -> float | None:
    if value.lower() in ("true", "false"):
        return float(value.lower() == "true")
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
