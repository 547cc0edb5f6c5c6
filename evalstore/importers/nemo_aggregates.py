"""Aggregate scores of NeMo Evaluator: what they declare of metrics, and what they tell that no row does."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, Field, ValidationError

from evalstore import json_text
from evalstore.errors import BrokenInput
from evalstore.nemo_form import PERCENTILES

if TYPE_CHECKING:
    from pathlib import Path

    from evalstore.importers.nemo_rows import Seen

__all__ = ["declarations", "read", "without_rows"]


_Count = Annotated[int, Field(ge=0, le=2**63 - 1)]


class _Bin(BaseModel):
    count: Annotated[int, Field(ge=0, le=2**32 - 1)]


class _Histogram(BaseModel):
    bins: list[_Bin]


class _Step(BaseModel):
    label: str
    value: float | None = None
    description: str | None = None
    count: _Count = 0


class _Told(BaseModel):
    name: str
    count: _Count | None = None
    nan_count: _Count | None = None
    sum: float | None = None
    mean: float | None = None
    min: float | None = None
    max: float | None = None
    std_dev: float | None = None
    variance: float | None = None
    score_type: str = "range"
    percentiles: dict[str, float | None] | None = None
    histogram: _Histogram | None = None
    rubric_distribution: list[_Step] | None = None
    mode_category: str | None = None


def read(path: Path) -> list[_Told]:
    """The aggregate scores in a document. Raises: BrokenInput."""
    try:
        document = json_text.loads(path.read_bytes())
        return [_Told.model_validate(one) for one in document["scores"]]
    except OSError as error:
        raise BrokenInput(error.strerror or str(error), file=path) from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise BrokenInput(first["msg"], file=path, field=f"scores.{place}") from error
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise BrokenInput("is no document of aggregate scores: {'scores': [...]}", file=path) from error


def declarations(told: list[_Told], seen: Seen) -> dict[str, list[dict[str, Any]]]:
    """The rubrics, as aggregates tell them in their order; where none do, as labels and numbers stand in the rows."""
    steps = {one.name: one.rubric_distribution for one in told if one.rubric_distribution}
    found: dict[str, list[dict[str, Any]]] = {}
    for metric, names in seen.names.items():
        for name in names:
            rubric = [step.model_dump(exclude={"count"}) for step in steps.get(name) or ()]
            labels = seen.labels.get((metric, name), {})
            if not rubric and labels and all(value is not None for value in labels.values()):
                rubric = [{"label": label, "value": value} for label, value in sorted(labels.items(), key=_by_value)]
            if rubric:
                found.setdefault(metric, []).append({"name": name, "rubric": rubric})
    return found


def without_rows(told: list[_Told], seen: Seen) -> list[dict[str, Any]]:
    """The aggregates of names that no row has, as a job document has them: corpus scores, and jobs without rows."""
    names = {name for of_metric in seen.names.values() for name in of_metric}
    [metric] = seen.names if len(seen.names) == 1 else [None]
    return [_line(one, metric or one.name) for one in told if one.name not in names]


def _line(told: _Told, metric: str) -> dict[str, Any]:
    count, nan_count = told.count, told.nan_count  # None where they are not told
    is_rubric = told.score_type == "rubric"
    sample = None
    if told.variance is not None and told.variance >= 0 and count is not None and count > 1:
        sample = told.variance * count / (count - 1)
    counts = [one.count for one in told.histogram.bins] if told.histogram else []
    percentiles = None if told.percentiles is None else [told.percentiles.get(name) for name in PERCENTILES]
    return {
        "suite": "default",
        "metric": metric,
        "name": told.name,
        "score_type": "rubric" if is_rubric else "range",
        "count": count,
        "nan_count": nan_count,
        "inf_count": 0,
        "out_of_range": 0,
        **{field: getattr(told, field) for field in ("sum", "mean", "variance", "std_dev")},
        "minimum": told.min,
        "maximum": told.max,
        "sample_variance": sample,
        "sample_std_dev": None if sample is None else math.sqrt(sample),
        "median": percentiles[4] if percentiles else None,
        "percentiles": percentiles,
        "histogram": counts if sum(counts) == count else None,  # theirs may have lost a value
        "rubric_distribution": [step.model_dump() for step in told.rubric_distribution or ()] if is_rubric else None,
        "mode_category": None if count == 0 else told.mode_category,
        "rows_scored": count,
        "rows_unscored": nan_count,
        "rows_error": 0,
        "rows_total": None if count is None or nan_count is None else count + nan_count,
        "items_scored": count,
        "is_told": True,
    }


def _by_value(step: tuple[str, float | None]) -> tuple[float, str]:
    return (step[1] or 0.0, step[0])
