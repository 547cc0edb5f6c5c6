"""What a user may give as scores, brought into the one form that is written: one flat dict per score.

The keys of a written score are those of `SCORE_FIELDS`; absent means null. Numbers travel as numbers, non-finite ones
as the strings "nan", "inf", "-inf" (JSON has none).
"""

from __future__ import annotations

import math
from typing import Any

from evalstore import json_text
from evalstore.errors import InvalidScore, UsageError, near

__all__ = ["STATUSES", "check_distinct", "error_text", "normalise", "numbered"]

# Fields of a score dict that are text, and those that are any JSON.
_TEXT = {"comment", "source_run_id", "target_run_id"}
_JSON = {"correction", "metadata", "evaluator_info", "feedback_config", "extra"}
_FIELDS = {"name", "key", "value", "score", "label", "passed", "status", "error"} | _TEXT | _JSON
STATUSES = ("unscored", "error", "skipped")


def normalise(scores: dict[str, Any] | None) -> tuple[list[dict[str, Any]], int]:
    """The written form of `{metric: score}`, and how many lone surrogates were replaced in its documents.

    A list under a metric gives several scores of it; scores of one row with the same metric and name are kept apart by
    `score_index` 0, 1, ...

    Raises: InvalidScore, which names the metric.
    """
    written: list[dict[str, Any]] = []
    if not scores:
        return written, 0
    if not isinstance(scores, dict):
        raise InvalidScore(
            f"scores is a dict of metric -> score, not {type(scores).__name__}: write scores={{'accuracy': 1}}"
        )
    for metric, given in scores.items():
        if not isinstance(metric, str) or not metric:
            raise InvalidScore(f"a metric is named by text, not by {metric!r}")
        kind = type(given)
        if kind is bool:  # the common cases first: this runs once per score
            written.append({"metric": metric, "score_index": 0, "value": int(given), "value_type": "bool"})
        elif kind is float and math.isfinite(given):
            written.append({"metric": metric, "score_index": 0, "value": given, "value_type": "float"})
        elif isinstance(given, (list, tuple)):
            counts: dict[str, int] = {}
            for one in given:
                score = _score(metric, one)
                name = score.get("name", metric)
                score["score_index"] = counts[name] = counts.get(name, -1) + 1
                written.append(score)
        else:
            written.append(_score(metric, given))
    return written, sum(score.pop("replaced", 0) for score in written)


def numbered(written: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Written scores of one row, brought together from several sources, with `score_index` counted anew."""
    counts: dict[tuple[str, str], int] = {}
    for score in written:
        key = score["metric"], score.get("name") or score["metric"]
        score["score_index"] = counts[key] = counts.get(key, -1) + 1
    return written


def check_distinct(written: list[dict[str, Any]]) -> None:
    """Refuses written scores of one row of which two would be the same one.

    Raises: InvalidScore, which names the metric.
    """
    seen = set()
    for score in written:
        key = score["metric"], score.get("name") or score["metric"], score["score_index"]
        if key in seen:
            raise InvalidScore(
                f"scores: two metrics, or two names of one, are both {key[1]!r} as text; give them texts that differ"
            )
        seen.add(key)


def error_text(error: str | BaseException) -> str:
    """An error as one line of text: `Type: message`."""
    if isinstance(error, str):
        return error or "error"
    message = str(error)
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def _score(metric: str, given: Any) -> dict[str, Any]:
    score: dict[str, Any] = {"metric": metric, "score_index": 0}
    if isinstance(given, dict):
        _fields(score, given)
    elif isinstance(given, BaseException):
        score["error"] = error_text(given)
        score["value_type"] = "null"
    elif isinstance(given, (list, tuple)):
        raise InvalidScore(f"metric {metric!r}: a list of scores holds numbers, labels or dicts, not lists")
    else:
        _value(score, given)
    return score


def _fields(score: dict[str, Any], given: dict[str, Any]) -> None:
    """Sets what a dict says of a score."""
    metric = score["metric"]
    if unknown := [key for key in given if key not in _FIELDS]:
        raise InvalidScore(f"metric {metric!r}: a score has no field {unknown[0]!r}; {near(str(unknown[0]), _FIELDS)}")
    name = given.get("name", given.get("key"))
    if name is not None:
        if not isinstance(name, str) or not name:
            raise InvalidScore(f"metric {metric!r}: the name of a score is text, not {name!r}")
        score["name"] = name
    value, label = _number_and_label(metric, given)
    _value(score, value)
    if label is not None:
        _label(score, label)
    _judgement(score, given)
    for field in _TEXT & given.keys():
        if given[field] is not None:
            score[field] = str(given[field])
    for field in _JSON & given.keys():
        if given[field] is not None:
            _document(score, field, given[field])


def _document(score: dict[str, Any], field: str, value: Any) -> None:
    if field in score:  # an integer too long for a double has left its digits in `extra`
        value = {**json_text.loads(score[field]), **(value if isinstance(value, dict) else {"extra": value})}
    try:
        score[field], replaced = json_text.given(f"metric {score['metric']!r}, {field}", value)
    except UsageError as error:
        raise InvalidScore(str(error)) from error
    score["replaced"] = score.get("replaced", 0) + replaced


def _number_and_label(metric: str, given: dict[str, Any]) -> tuple[Any, Any]:
    """Value and label of a dict. LangSmith's names are taken too: its `score` is a value, its `value` a label."""
    value, label = given.get("value"), given.get("label")
    if "score" not in given:
        return value, label
    if value is not None and label is not None:
        raise InvalidScore(f"metric {metric!r}: give `score` with `value` or with `label`, not all three")
    return given["score"], value if label is None else label


def _label(score: dict[str, Any], label: Any) -> None:
    if isinstance(label, (dict, list)):
        _document(score, "label", label)
        score["value_type"] = "json"
        return
    if "label" in score:
        raise InvalidScore(f"metric {score['metric']!r}: two labels, {score['label']!r} and {label!r}")
    score["label"] = str(label)
    if score["value_type"] == "null":
        score["value_type"] = "str"


def _judgement(score: dict[str, Any], given: dict[str, Any]) -> None:
    """Sets passed, error and status."""
    passed, error, status = given.get("passed"), given.get("error"), given.get("status")
    if passed is not None:
        if passed not in (True, False):
            raise InvalidScore(f"metric {score['metric']!r}: passed is True or False, not {passed!r}")
        score["passed"] = bool(passed)
    if error is not None:
        score["error"] = error_text(error)
    if status is not None and status != "scored":  # what is scored is found out, not claimed
        if status not in STATUSES:
            raise InvalidScore(f"metric {score['metric']!r}: status is one of {', '.join(STATUSES)}, not {status!r}")
        score["status"] = status


def _value(score: dict[str, Any], given: Any) -> None:
    """Sets value, value_type and label from a bare value."""
    if hasattr(given, "item") and not isinstance(given, (str, bytes)) and getattr(given, "size", 1) == 1:
        given = given.item()  # numpy and Arrow scalars
    if given is None:
        score["value_type"] = "null"
    elif isinstance(given, str):
        score["label"], score["value_type"] = str(given), "str"
    elif isinstance(given, bool):
        score["value"], score["value_type"] = int(given), "bool"
    elif isinstance(given, (dict, list)):
        _document(score, "label", given)
        score["value_type"] = "json"
    elif isinstance(given, int):
        score["value"], score["value_type"] = _double(score["metric"], given), "int"
        if score["value"] != given:
            _document(score, "extra", {"exact_value": str(given)})
    elif hasattr(given, "__float__") and getattr(given, "size", 1) == 1:  # float, Decimal, Fraction
        number = _double(score["metric"], given)
        score["value"], score["value_type"] = number if math.isfinite(number) else str(number), "float"
    else:
        raise InvalidScore(
            f"metric {score['metric']!r}: {type(given).__name__} is no score; give a number, True/False, a text label, "
            "None, a dict with value, label, comment, ..., or a list of those"
        )


def _double(metric: str, given: Any) -> float:
    try:
        number = float(given)
    except (OverflowError, ValueError) as error:
        raise InvalidScore(f"metric {metric!r}: this number does not fit a double: {error}") from error
    if math.isinf(number) and number != given:
        raise InvalidScore(f"metric {metric!r}: {given} does not fit a double")
    return number
