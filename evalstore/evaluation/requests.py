"""The calls that an evaluator made to a model: they are kept in the `requests` of the row, not in its scores.

An evaluator hands them over as `extra={"requests": [...]}` of a result (any JSON each), or as the attribute `requests`
of what it raises.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from evalstore.evaluation.results import EvaluationResult

__all__ = ["requests_of_error", "without_requests"]


def without_requests(results: Iterable[EvaluationResult]) -> tuple[list[EvaluationResult], list[Any]]:
    """The results without the requests that they hand over, and those requests."""
    kept: list[EvaluationResult] = []
    requests: list[Any] = []
    for result in results:
        if result.extra and isinstance(result.extra.get("requests"), list):
            requests += result.extra["requests"]
            extra = {name: value for name, value in result.extra.items() if name != "requests"}
            kept.append(result.model_copy(update={"extra": extra or None}))
        else:
            kept.append(result)
    return kept, requests


def requests_of_error(error: BaseException) -> list[Any]:
    """The requests that an evaluator made before it raised."""
    requests = getattr(error, "requests", None)
    return requests if isinstance(requests, list) else []
