"""What evaluators return, in LangSmith's names: its `score` is our value, its `value` our label."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypedDict
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, model_validator

__all__ = [
    "Category",
    "ComparisonEvaluationResult",
    "EvaluationResult",
    "EvaluationResults",
    "FeedbackConfig",
    "as_plain_scalar",
]

_log = logging.getLogger(__name__)


def as_plain_scalar(given: Any) -> Any:
    """The bool, int or float that a scalar of numpy (or of any library with `shape` and `item`) stands for."""
    if getattr(given, "shape", None) == () and hasattr(given, "item"):
        return given.item()
    return given


_Plain = BeforeValidator(as_plain_scalar)
Score = Annotated[StrictBool | StrictInt | StrictFloat | None, _Plain]
Value = Annotated[dict[Any, Any] | str | StrictBool | StrictInt | StrictFloat | None, _Plain]
RunId = UUID | str | None


class Category(TypedDict):
    """One label of a categorical metric, with the number that it stands for, if any."""

    value: float | int | None
    label: str


class FeedbackConfig(TypedDict, total=False):
    """What is known of a metric: `continuous` has min and max, `categorical` has categories, `freeform` neither."""

    type: Literal["continuous", "categorical", "freeform"]
    min: float | int | None
    max: float | int | None
    categories: list[Category | dict[str, Any]] | None


if TYPE_CHECKING:
    GivenConfig = FeedbackConfig | dict[Any, Any]
else:
    GivenConfig = dict[Any, Any]  # any dict is taken, so that a field which we do not know yet loses no score


class EvaluationResult(BaseModel):
    """One score of one run under a `key`: a number or boolean as `score`, a text or dict as `value`, or neither.

    Numbers keep their type: True, 1 and 1.0 stay apart. Unknown fields are refused; a text is no score.
    """

    model_config = ConfigDict(extra="forbid")

    key: str
    score: Score = None
    value: Value = None
    metadata: dict[Any, Any] | None = None
    comment: str | None = None
    correction: dict[Any, Any] | None = None
    evaluator_info: dict[Any, Any] = Field(default_factory=dict)
    feedback_config: GivenConfig | None = None
    source_run_id: RunId = None
    target_run_id: RunId = None
    extra: dict[Any, Any] | None = None

    @model_validator(mode="after")
    def _number_is_a_score(self) -> EvaluationResult:
        if self.score is None and isinstance(self.value, (bool, int, float)):
            _log.warning("Numeric values should be provided in the 'score' field, not 'value'. Got: %s", self.value)
        return self


class EvaluationResults(TypedDict, total=False):
    """Several scores of one run: a plain dict with the one key `results`."""

    results: list[EvaluationResult]


class ComparisonEvaluationResult(BaseModel):
    """Scores of runs that were compared with one another, by run id; `comment` is one for all, or one per run id."""

    key: str
    scores: dict[UUID | str, Score]
    source_run_id: RunId = None
    comment: str | dict[UUID | str, str] | None = None
