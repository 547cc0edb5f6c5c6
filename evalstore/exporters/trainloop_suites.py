"""The suites of a job as TrainLoop's documentation has them: metrics by name, each with its counts and its events."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from evalstore import json_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evalstore.exporters.exported import Exported, Exporting

__all__ = ["suites_of"]

_FAILED = "failed"


def suites_of(job: dict[str, Any], exporting: Exporting, exported: Exported) -> dict[str, Any]:
    """The suites of a job by name. What has no pass or fail is flagged: its score is a mean, its counts are null."""
    details: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for line in exporting.details(job["job_id"]).to_pylist():
        details.setdefault((line["suite"], line["metric"], line["name"]), []).append(line)
    lines = exporting.scores(f"{job['workspace']}/{job['name']}").to_arrow().select(["suite", "metric", "name", "mean"])
    means = {(line["suite"], line["metric"], line["name"]): line["mean"] for line in lines.to_pylist()}
    is_whole = job["status"] == "completed"
    suites = {}
    for suite in job["suites"] or ():
        metrics: dict[str, Any] = {}
        for metric in suite["metrics"]:
            key = (suite["name"], metric["metric"], metric["name"])
            metrics[_free(metrics, metric)] = _metric(metric, means.get(key), details.get(key, []))
            if metric["evaluated"] is None and metric["rows_scored"]:
                where = f"{job['name']}, {suite['name']}: {metric['name']}"
                exported.flags.append(f"{where} has no pass or fail: its score is the mean, its counts are null")
        status = suite["status"]
        error = {"status": _FAILED if status != "completed" else "completed", "error": suite["error"]}
        error |= {} if status in (_FAILED, "completed") else {"ended_as": status}
        suites[suite["name"]] = {
            "events_processed": suite["events_processed"],
            "metrics": metrics,
            "overall_score": suite["overall_score"],
            "tags": suite["tags"] or [],
            "duration": suite["duration"],
            **({} if is_whole else error),
        }
        if not metrics and suite["rows_digest"]:
            exported.flags.append(f"{job['name']}, {suite['name']}: its rows have no metric, and stay behind")
    return suites


def _free(metrics: dict[str, Any], metric: dict[str, Any]) -> str:
    """The key of a metric: its name under the metric's, where it has one of its own."""
    key = metric["metric"] if metric["name"] == metric["metric"] else f"{metric['metric']}/{metric['name']}"
    while key in metrics:
        key += "'"
    return str(key)


def _metric(metric: dict[str, Any], mean: float | None, lines: list[dict[str, Any]]) -> dict[str, Any]:
    named = {} if metric["name"] == metric["metric"] else {"metric": metric["metric"], "name": metric["name"]}
    errors = {"errors": metric["rows_error"]} if metric["rows_error"] else {}
    is_judged = metric["evaluated"] is not None
    return {
        "passed": metric["passed"] if is_judged else None,
        "total": metric["evaluated"],
        "score": metric["passed"] / metric["evaluated"] if is_judged else mean,
        **errors,
        **named,
        "details": list(_details(lines)),
    }


def _details(lines: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    rows = {(line["row_key"], line["repetition"]) for line in lines}  # fewer than lines where a row is scored twice
    is_repeated = len(rows) < len(lines) or any(line["repetition"] for line in lines)
    for line in lines:
        is_plain = line["status"] == "scored" and line["value_type"] == "bool" and line["passed"] == bool(line["value"])
        found = {
            "event_id": line["row_key"],
            "repetition": line["repetition"] if is_repeated else None,
            "input": _text(line["item"], "input"),
            "output": _text(line["sample"], "output"),
            "verdict": line["comment"],
            "metadata": _value(line["metadata"]),
            "score": None if is_plain else _score(line),
            "status": None if line["status"] in ("scored", "error") else line["status"],
            "error": line["error"],
            "row_error": line["row_error"],
            "reference": _value(line["reference"]),
            "cluster": line["cluster"],
        }
        passed = line["passed"] if line["status"] == "scored" else None
        yield {"event_id": found.pop("event_id"), "passed": passed, **{k: v for k, v in found.items() if v is not None}}


def _score(line: dict[str, Any]) -> Any:
    value = line["value"]
    if value is None:
        return line["label"]
    return value if math.isfinite(value) else str(value)


def _text(document: str | None, field: str) -> str | None:
    """The text of an item or a sample: that of its one field of this name, else all of it as JSON."""
    value = _value(document)
    if isinstance(value, dict) and list(value) == [field]:
        value = value[field]
    return value if value is None or isinstance(value, str) else json_text.dumps(value)[0]


def _value(document: str | None) -> Any:
    return None if document is None else json_text.loads(document)
