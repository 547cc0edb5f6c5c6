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

__all__ = ["NUMBERS", "PERCENTILES", "aggregate_document", "row_line"]

NUMBERS = {"nan": math.nan, "inf": math.inf, "infinity": math.inf, "-inf": -math.inf, "-infinity": -math.inf}
"""The texts that stand for numbers, in lower case."""
PERCENTILES = tuple(f"p{percent}" for percent in range(10, 101, 10))
_COMMON = ("name", "count", "nan_count", "sum", "mean", "min", "max", "std_dev", "variance", "score_type")


def row_line(row: RowScore) -> str:
    """A row as one line of `row-scores.jsonl`."""
    line: dict[str, Any] = {
        "row_index": row.row_index,
        "item": row.item,
        "sample": row.sample,
        "metrics": {metric: _entries(scores) for metric, scores in row.metrics.items()},
        "requests": row.requests,
        "metric_errors": row.metric_errors or None,
    }
    if row.suite != "default":
        line["suite"] = row.suite
    if row.error is not None:
        line["error"] = row.error
    return json_text.dumps(line)[0]


def aggregate_document(scores: list[AggregateScore]) -> dict[str, Any]:
    """Aggregate scores as the document `aggregate-scores.json`."""
    lines = []
    for score in scores:
        told = score.to_dict()
        shape = (
            ("percentiles", "histogram") if score.score_type == "range" else ("rubric_distribution", "mode_category")
        )
        lines.append({field: told[field] for field in (*_COMMON, *shape)})
    return {"scores": lines}


def _entries(scores: list[MetricScore]) -> list[dict[str, Any]]:
    entries = []
    for score in scores:
        has_number = isinstance(score.value, (int, float))
        if has_number or score.label is None:
            entries.append({"name": score.name, "value": _number(score.value)})
        if score.label is not None:
            entries.append({"name": f"{score.name}.label", "value": score.label})
    return entries


def _number(value: Any) -> Any:
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value
