"""What TrainLoop's documentation does not know of a job, as fields of its document: nothing is lost on the way back."""

from __future__ import annotations

import math
from typing import Any

from evalstore import json_text

__all__ = ["context_of", "error_of"]

_USAGE = (
    "cost", "prompt_tokens", "completion_tokens", "total_tokens", "latency_mean", "latency_p50", "latency_p95",
)  # fmt: skip
_CONTEXT = ("dataset", "model", "group", "tags", "labels")
_SCORE = (
    "metric", "name", "value", "label", "passed", "comment", "error", "correction", "metadata", "evaluator_info",
    "extra",
)  # fmt: skip


def context_of(job: dict[str, Any]) -> dict[str, Any]:
    """What the job used, how its metrics are declared, the scores of the whole job, and where it belongs."""
    declared = [{key: value for key, value in one.items() if value is not None} for one in job["metrics"] or ()]
    found = {
        "usage": {field: job[field] for field in _USAGE if job[field] is not None},
        "metric_declarations": declared,
        "job_scores": [_score(one) for one in job["summary_scores"] or ()],
        **{field: job[field] for field in _CONTEXT},
    }
    return {field: value for field, value in found.items() if value}


def error_of(job: dict[str, Any]) -> dict[str, Any] | None:
    """Why a job did not complete; None where nothing was said."""
    if job["error"] is None:
        return None
    error = dict(job["error"])
    if isinstance(error["details"], str):
        error["details"] = json_text.loads(error["details"])
    return error


def _score(score: dict[str, Any]) -> dict[str, Any]:
    found = {field: score[field] for field in _SCORE if score.get(field) is not None}
    value = score.get("value")
    if score.get("value_type") == "bool":
        found["value"] = value == 1
    elif isinstance(value, float) and not math.isfinite(value):
        found["value"] = str(value)
    return found if score["status"] in ("scored", "error") else {**found, "status": score["status"]}
