"""Conditions of the form `FIELD OP VALUE`, as the command line and `where=` take them. Values are bound, never SQL."""

from __future__ import annotations

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
_SCORE = re.compile(r'("(?:[^"]|"")+"|[^":][^:]*)(?:\s*:\s*("(?:[^"]|"")+"|.+))?', re.DOTALL)
"""METRIC or METRIC:NAME, each in double quotes where it holds a colon; a quote in it is doubled."""
_NAMES = {"==": "=", "<>": "!="}
_KEY, _INDEX = r'(?:"[^"]*"|[^.\[\]"]+)', r"\[[0-9]+\]"
_PATH = re.compile(rf"(?:{_KEY}|{_INDEX})(?:\.{_KEY}|{_INDEX})*")
_STEP = re.compile(r'"([^"]*)"|([^.\[\]"]+)|\[([0-9]+)\]')


def conditions(where: str | list[str] | tuple[str, ...] | None, metrics: set[str]) -> list[dict[str, Any]]:
    """Reads conditions on rows; all of them must hold.

    FIELD is a metric (`rouge`, `rouge:rouge_1`, or `score.NAME` where a row field has the same name), a row field, or a
    path inside item, sample, reference or metadata (`metadata.category`). OP is one of = != < <= > >= and ~ (holds the
    text, whatever its case). VALUE is a number (also inf, -inf, nan), true, false, null or text, quoted or not.
    A metric or name with a colon in it stands in double quotes (`"a:b":c`). A label is neither less nor greater than a
    number, and nothing is less or greater than NaN.

    Raises: InvalidCondition, UnknownField.
    """
    if where is None:
        return []
    if not isinstance(where, (str, list, tuple)):
        raise InvalidCondition(f"where is a condition 'FIELD OP VALUE', or a list of them, not {where!r}")
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
    metric, name = _metric_and_name(field.removeprefix("score."), metrics)
    if metric not in metrics:
        valid = [*metrics, *ROW_FIELDS, *(f"{column}.<path>" for column in _DOCUMENTS)]
        raise UnknownField(f"{text!r}: there is no field {field!r}; {near(field, valid, most=20)}")
    return condition | {"source": "score", "metric": metric, "name": name}


def _metric_and_name(field: str, metrics: set[str]) -> tuple[str, str | None]:
    """The metric that a field names, and its name where there is one: `a`, `a:b`, `"a:b":c`."""
    if field in metrics:
        return field, None
    match = _SCORE.fullmatch(field)
    if match is None:
        return field, None
    metric, name = (part and _unquoted(part.strip()) for part in match.groups())
    return metric, name or None


def _unquoted(part: str) -> str:
    is_quoted = len(part) > 1 and part[0] == part[-1] == '"'
    return part[1:-1].replace('""', '"') if is_quoted else part


def _number(value: str) -> str | None:
    """The number that a text is, as text that DuckDB casts: its older clients make null of a NaN that is bound."""
    if value.lower() in ("true", "false"):
        return str(float(value.lower() == "true"))
    try:
        return str(float(value))
    except ValueError:
        return None
