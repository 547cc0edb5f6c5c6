"""What a user may give as scores, brought into the one form that is written: one flat dict per score.

The keys of a written score are those of `SCORE_FIELDS`; absent means null. Numbers travel as numbers, non-finite ones
as the strings "nan", "inf", "-inf" (JSON has none).
"""

from __future__ import annotations

import math
from typing import Any

from evalstore import json_text
from evalstore.errors import InvalidScore, near

__all__ = ["STATUSES", "error_text", "normalise"]

# Fields of a score dict that are text, and those that are any JSON.
_TEXT = {"comment", "source_run_id", "target_run_id"}
_JSON = {"correction", "metadata", "evaluator_info", "feedback_config", "extra"}
_FIELDS = {"name", "key", "value", "score", "label", "passed", "status", "error"} | _TEXT | _JSON
STATUSES = ("unscored", "error", "skipped")


def normalise(scores: dict[str, Any] | None) -> list[dict[str, Any]]:
    """The written form of `{metric: score}`; a list under a metric gives several scores of it.

    Scores of one row with the same metric and name are kept apart by `score_index` 0, 1, ...

    Raises: InvalidScore, which names the metric.
    """
    if not scores:
        return []
    if not isinstance(scores, dict):
        raise InvalidScore(f"scores is a dict of metric -> score, not {type(scores).__name__}: write scores={{'accuracy': 1}}")
    written: list[dict[str, Any]] = []
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
    return written


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
    metric = score["metric"]
    unknown = [key for key in given if key not in _FIELDS]
    if unknown:
        raise InvalidScore(f"metric {metric!r}: a score has no field {unknown[0]!r}; {near(str(unknown[0]), _FIELDS)}")
    name = given.get("name", given.get("key"))
    if name is not None:
        if not isinstance(name, str) or not name:
            raise InvalidScore(f"metric {metric!r}: the name of a score is text, not {name!r}")
        score["name"] = name
    value, label = given.get("value"), given.get("label")
    if "score" in given:  # LangSmith's names: `score` is the number, `value` the label
        if label is None:
            label = value
        elif value is not None:
            raise InvalidScore(f"metric {metric!r}: give either `score` and `label`, or `value` and `label`, not all three")
        value = given["score"]
    _value(score, value)
    if label is not None:
        if isinstance(label, (dict, list)):
            score["label"], score["value_type"] = json_text.dumps(label)[0], "json"
        elif "label" in score:
            raise InvalidScore(f"metric {metric!r}: two labels, {score['label']!r} and {label!r}")
        else:
            score["label"] = _clean(label if isinstance(label, str) else str(label))
            if score["value_type"] == "null":
                score["value_type"] = "str"
    if given.get("passed") is not None:
        if given["passed"] not in (True, False):
            raise InvalidScore(f"metric {metric!r}: passed is True or False, not {given['passed']!r}")
        score["passed"] = bool(given["passed"])
    if given.get("error") is not None:
        score["error"] = _clean(error_text(given["error"]))
    if given.get("status") not in (None, "scored"):
        if given["status"] not in STATUSES:
            raise InvalidScore(f"metric {metric!r}: status is one of {', '.join(STATUSES)}, not {given['status']!r}")
        score["status"] = given["status"]
    for field in _TEXT & given.keys():
        if given[field] is not None:
            score[field] = _clean(str(given[field]))
    for field in _JSON & given.keys():
        if given[field] is not None:
            text = json_text.dumps(given[field])[0]
            # An integer too long for a double left its digits in `extra` already.
            score[field] = json_text.dumps({**json_text.loads(score[field]), **dict(given[field])})[0] if field in score else text


def _value(score: dict[str, Any], given: Any) -> None:
    """Sets value, value_type and label from a bare value."""
    if hasattr(given, "item") and not isinstance(given, (str, bytes)):  # numpy and Arrow scalars
        given = given.item()
    if given is None:
        score["value_type"] = "null"
    elif isinstance(given, str):
        score["label"], score["value_type"] = _clean(given), "str"
    elif isinstance(given, bool):
        score["value"], score["value_type"] = int(given), "bool"
    elif isinstance(given, (dict, list)):
        score["label"], score["value_type"] = json_text.dumps(given)[0], "json"
    elif isinstance(given, int):
        score["value"], score["value_type"] = _double(score["metric"], given), "int"
        if score["value"] != given:
            score["extra"] = json_text.dumps({"exact_value": str(given)})[0]
    elif hasattr(given, "__float__"):  # float, Decimal, Fraction
        number = _double(score["metric"], given)
        score["value"], score["value_type"] = number if math.isfinite(number) else str(number), "float"
    else:
        raise InvalidScore(
            f"metric {score['metric']!r}: {type(given).__name__} is no score; give a number, True/False, a text label, "
            "None, a dict with value, label, comment, ..., or a list of those"
        )


def _double(metric: str, number: Any) -> float:
    try:
        return float(number)
    except (OverflowError, ValueError) as error:
        raise InvalidScore(f"metric {metric!r}: a number of this size does not fit a double: {error}") from error


def _clean(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
