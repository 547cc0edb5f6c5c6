"""NeMo Evaluator's form of results: one JSON object a row, and one document of aggregate scores.

NaN is the string "NaN" there, and so are infinities "Infinity" and "-Infinity"; a score with a label is two entries,
`quality` with the number and `quality.label` with the text.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from evalstore import json_text

if TYPE_CHECKING:
    from evalstore.models import AggregateScore, MetricScore, RowScore

__all__ = ["KEYS", "NUMBERS", "PARTS", "PERCENTILES", "aggregate_document", "entries", "metric_errors", "row_line"]

NUMBERS = {"nan": math.nan, "inf": math.inf, "infinity": math.inf, "-inf": -math.inf, "-infinity": -math.inf}
"""The texts that stand for numbers, in lower case."""
KEYS = ("row_index", "item", "sample", "metrics", "requests", "metric_errors", "suite", "error")
"""What a line of row scores holds; `suite` and `error` are ours."""
PARTS = ("item", "sample", "requests", "metadata", "error")
"""The parts of a row that its line is made of."""
PERCENTILES = tuple(f"p{percent}" for percent in range(10, 101, 10))
_COMMON = ("name", "count", "nan_count", "sum", "mean", "min", "max", "std_dev", "variance", "score_type")


def row_line(row: RowScore) -> str:
    """A row as one line of `row-scores.jsonl`. What its metadata holds beside the line's own keys is written too."""
    line: dict[str, Any] = {
        "row_index": None if row.metadata.get("row_index", ...) is None else row.row_index,
        "item": row.item,
        "sample": row.sample,
        "metrics": {
            metric: [{"name": one.name, "value": _written(one.value)} for one in entries(scores)]
            for metric, scores in row.metrics.items()
        },
        "requests": row.requests,
        "metric_errors": metric_errors(row) or None,
    }
    if row.suite != "default":
        line["suite"] = row.suite
    if row.error is not None:
        line["error"] = row.error
    return json_text.dumps({**line, **{key: value for key, value in row.metadata.items() if key not in KEYS}})[0]


def entries(scores: list[MetricScore]) -> list[MetricScore]:
    """The scores of one metric as they are told there: numbers as doubles (NaN is NaN), each label apart."""
    found = []
    names = [score.name for score in scores]
    for score in scores:
        has_number = isinstance(score.value, (int, float))
        # Of several scores of one name each begins with a number, or null, so that it is told which label is whose.
        if has_number or score.label is None or names.count(score.name) > 1:
            number = _number(score.value) if has_number else None
            found.append(score.model_copy(update={"value": number, "label": None}))
        if score.label is not None:
            update = {"name": f"{score.name}.label", "value": score.label, "label": None}
            found.append(score.model_copy(update=update))
    return found


def metric_errors(row: RowScore) -> dict[str, Any]:
    """The errors of metrics: those of its scores, and those that came in beside scores that are whole."""
    told = row.metadata.get("metric_errors")
    return {**(told if isinstance(told, dict) else {}), **row.metric_errors}


def aggregate_document(scores: list[AggregateScore]) -> dict[str, Any]:
    """Aggregate scores as the document `aggregate-scores.json`."""
    lines = []
    for score in scores:
        told = score.to_dict()
        shape = (
            ("percentiles", "histogram") if score.score_type == "range" else ("rubric_distribution", "mode_category")
        )
        lines.append({field: _finite(told[field]) for field in (*_COMMON, *shape)})
    return {"scores": lines}


def _number(value: Any) -> Any:
    return float(value) if isinstance(value, bool) else value


def _written(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def _finite(value: Any) -> Any:
    """A value of aggregates, which has null in place of what is not finite."""
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
