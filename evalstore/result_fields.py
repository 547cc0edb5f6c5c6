"""The fields by which results are found and sorted: what a name such as `scores.accuracy.mean` means."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from evalstore.conditions import json_path
from evalstore.errors import UnknownField, near

__all__ = ["CHOICES", "STATISTICS", "Field", "Kind", "field"]

Kind = Literal["text", "reference", "time", "number", "texts", "json", "numbers"]
"""What a field holds. `texts` and `numbers` are several values of one result: its tags, its scores of one name."""

_TEXTS = ("name", "workspace", "group", "status", "kind", "git_commit")
_REFERENCES = ("metric", "dataset", "model")
_TIMES = ("created_at", "updated_at", "finished_at", "deleted_at")
_NUMBERS = (
    "duration", "overall_score", "pass_rate", "cost", "rows_total", "rows_scored", "rows_unscored", "rows_error",
)  # fmt: skip
_PLAIN: dict[str, Kind] = {
    **dict.fromkeys(_TEXTS, "text"),
    **dict.fromkeys(_REFERENCES, "reference"),
    **dict.fromkeys(_TIMES, "time"),
    **dict.fromkeys(_NUMBERS, "number"),
    "tags": "texts",
}
CHOICES = {
    "status": ("completed", "error", "interrupted", "cancelled"),
    "kind": ("evaluation", "benchmark", "comparison"),
}
"""The fields that are one of a few words."""

_PERCENTILES = tuple(f"p{percent}" for percent in range(10, 101, 10))
STATISTICS = (
    "mean", "median", "min", "max", "sum", "count", "nan_count", "inf_count", "out_of_range", "std_dev", "variance",
    "sample_std_dev", "sample_variance", "std_error", "passed", "evaluated", "rows_scored", "rows_unscored",
    "rows_error", "rows_total", *_PERCENTILES,
)  # fmt: skip
"""The numbers of an aggregate score by which results are found and sorted."""

_WITH_PATH = {
    "labels": "labels.<key>",
    "config": "config.<path>",
    "metadata": "metadata.<path>",
    "scores": "scores.<name>.<statistic>",
    "suites": "suites.<suite>.<metric>.score",
}
_PART = re.compile(r'"([^"]*)"|([^."]+)')
_PARTS = re.compile(r'(?:"[^"]+"|[^."]+)(?:\.(?:"[^"]+"|[^."]+))*')


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `path` is the key of a label or a JSON pointer; the last three are said of scores only."""

    text: str
    kind: Kind
    column: str
    path: str | None = None
    suite: str | None = None
    score: str | None = None


def field(text: str) -> Field:
    """The field of this name.

    Raises: UnknownField, which names the valid ones.
    """
    if not isinstance(text, str):
        raise UnknownField(f"a field is named by text, not by {text!r}; {_valid('')}")
    if text in _PLAIN:
        return Field(text, _PLAIN[text], text)
    head, dot, rest = text.partition(".")
    if head in _WITH_PATH and not (dot and rest):
        raise UnknownField(f"{text!r} is no field: write {_WITH_PATH[head]}")
    if head == "labels":
        quoted = len(rest) > 1 and rest[0] == rest[-1] == '"'
        return Field(text, "text", "labels", path=rest[1:-1] if quoted else rest)
    if head in ("config", "metadata"):
        return Field(text, "json", head, path=json_path(rest))
    if head == "scores":
        name, dot, statistic = rest.rpartition(".")
        return _score(text, None, name, statistic)
    if head == "suites":
        parts = _parts(rest)
        if len(parts) < 3:  # noqa: PLR2004
            raise UnknownField(f"{text!r} is no field: write {_WITH_PATH['suites']}")
        return _score(text, parts[0], ".".join(parts[1:-1]), parts[-1])
    raise UnknownField(f"results have no field {text!r}; {_valid(text)}")


def _score(text: str, suite: str | None, name: str, statistic: str) -> Field:
    valid = STATISTICS if suite is None else ("score", *STATISTICS)
    if not name or statistic not in valid:
        example = f"{text}.mean" if not name else f"{text[: len(text) - len(statistic)]}mean"
        raise UnknownField(f"{text!r} names no statistic of a score: write {example}, or another of {', '.join(valid)}")
    return Field(text, "numbers", statistic, suite=suite, score=_unquoted(name))


def _unquoted(name: str) -> str:
    return name[1:-1] if len(name) > 1 and name[0] == name[-1] == '"' else name


def _parts(rest: str) -> list[str]:
    """The parts between dots; one that holds dots itself stands in double quotes. None of what is not written so."""
    return [quoted or plain for quoted, plain in _PART.findall(rest)] if _PARTS.fullmatch(rest) else []


def _valid(text: str) -> str:
    return near(text, [*_PLAIN, *_WITH_PATH.values()], most=len(_PLAIN) + len(_WITH_PATH))
