"""What evaluators may return, brought into the one form: EvaluationResult, one or several.

Nothing that was returned is changed: an evaluator may return the same dict or result for every row.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

from pydantic import ValidationError

from evalstore.errors import InvalidScore
from evalstore.evaluation.results import EvaluationResult, as_plain_scalar

if TYPE_CHECKING:
    from uuid import UUID

    from evalstore.evaluation.results import EvaluationResults

__all__ = ["as_results", "coerced", "coerced_summary"]

_FORMS = "dict, str, bool, int, float, list, EvaluationResult, or EvaluationResults"
_SAYS = ("score", "value", "comment")  # a dict that has none of these says nothing


def coerced(value: Any, key: str, source_run_id: UUID | str | None = None) -> EvaluationResult | EvaluationResults:
    """The result or results that the return value of an evaluator function stands for.

    `key` is the key of a bare value and of a dict without one; the items of a list have keys of their own.
    `source_run_id` is set where none is.

    Raises: InvalidScore (a ValueError).
    """
    value = _bare(value)
    if isinstance(value, (bool, int, float)):
        return EvaluationResult(key=key, score=value, source_run_id=source_run_id)
    if is_result(value):
        return _filled(value, source_run_id)
    if value is None or (isinstance(value, (dict, list, str)) and not value):
        raise InvalidScore(f"Expected a non-empty {_FORMS}. Got {value!r}")
    if isinstance(value, list):
        if not all(isinstance(one, dict) or is_result(one) for one in value):
            raise InvalidScore(f"Expected a list of dicts or EvaluationResults. Received {value!r}.")
        return {"results": [_item(one, None, source_run_id) for one in value]}
    if isinstance(value, str):
        return EvaluationResult(key=key, value=value, source_run_id=source_run_id)
    if not isinstance(value, dict):
        raise InvalidScore(f"Expected a {_FORMS}. Got {type(value).__name__}: {value!r}")
    if "results" in value:
        return cast("EvaluationResults", {**value, "results": _items(value["results"], None, source_run_id)})
    return _item(value, key, source_run_id)


def coerced_summary(value: Any, key: str, source_run_id: UUID | str | None = None) -> EvaluationResults:
    """The results that the return value of a summary evaluator stands for; in lists, too, `key` is the missing key.

    Raises: InvalidScore (a ValueError).
    """
    if isinstance(value, list) and value and all(isinstance(one, dict) or is_result(one) for one in value):
        value = {"results": value}
    if isinstance(value, dict) and "results" in value:
        return {"results": _items(value["results"], key, source_run_id)}
    if isinstance(value, dict) and "reasoning" in value:
        value = _without_reasoning(value)
    result = coerced(value, key, source_run_id)
    return result if isinstance(result, dict) else {"results": [result]}


def as_results(value: Any, default_key: str, source_run_id: UUID | str | None = None) -> list[EvaluationResult]:
    """The results, none to many, in what `evaluate_run` returned.

    Results and dicts of a RunEvaluator are taken as they are (a dict needs only a key, and its `reasoning` is a
    comment); all else as what a function returns.

    Raises: InvalidScore (a ValueError).
    """
    if isinstance(value, EvaluationResult):
        return [_filled(value, source_run_id)]
    if isinstance(value, dict) and "results" in value:
        return _items(value["results"], default_key, source_run_id)
    if isinstance(value, dict) and "key" in value:
        return [_validated(_without_reasoning(value), source_run_id)]
    value = _without_reasoning(value) if isinstance(value, dict) else value
    result = coerced(value, default_key, source_run_id)
    return result["results"] if isinstance(result, dict) else [result]


def is_result(value: Any) -> bool:
    """Whether it is a result: ours, or an object of another library with the same fields."""
    return isinstance(value, EvaluationResult) or (
        hasattr(value, "model_dump")
        and all(field in getattr(type(value), "model_fields", ()) for field in ("key", "score", "value"))
    )


def _bare(value: Any) -> Any:
    """A scalar of numpy or a Decimal as the plain number that it is."""
    return float(value) if isinstance(value, Decimal) else as_plain_scalar(value)


def _items(values: Any, key: str | None, source_run_id: UUID | str | None) -> list[EvaluationResult]:
    if not isinstance(values, (list, tuple)):
        raise InvalidScore(f"Expected a list of dicts or EvaluationResults under 'results'. Got {values!r}")
    return [_item(one, key, source_run_id) for one in values]


def _item(value: Any, key: str | None, source_run_id: UUID | str | None) -> EvaluationResult:
    """One result; `key` is that of a dict without one, None if it must have one."""
    if is_result(value):
        return _filled(value, source_run_id)
    if not isinstance(value, dict) or not any(field in value for field in _SAYS):
        raise InvalidScore(
            "Expected an EvaluationResult object, or dict with a metric 'key' and optional 'score' or categorical "
            f"'value'; got {value!r}"
        )
    return _validated(value if key is None else {"key": key, **value}, source_run_id)


def _validated(value: dict[str, Any], source_run_id: UUID | str | None) -> EvaluationResult:
    try:
        return EvaluationResult.model_validate({"source_run_id": source_run_id, **value})
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InvalidScore(
            "Expected an EvaluationResult object, or dict with a metric 'key' and optional 'score'; got "
            f"{value!r}: {place}: {first['msg']}"
        ) from error


def _filled(result: Any, source_run_id: UUID | str | None) -> EvaluationResult:
    ours = result if isinstance(result, EvaluationResult) else EvaluationResult.model_validate(result.model_dump())
    if ours.source_run_id or source_run_id is None:
        return ours
    return ours.model_copy(update={"source_run_id": source_run_id})


def _without_reasoning(value: dict[str, Any]) -> dict[str, Any]:
    """The dict with its `reasoning` as its comment, where it has no comment."""
    if "reasoning" not in value or "comment" in value:
        return value
    return {"comment" if name == "reasoning" else name: one for name, one in value.items()}
