"""The shapes that users meet and give: declarations, rows with their scores, aggregate scores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from evalstore.errors import UsageError

__all__ = [
    "AggregateRangeScore",
    "AggregateRubricScore",
    "AggregateScore",
    "Histogram",
    "HistogramBin",
    "MetricDeclaration",
    "MetricScore",
    "RowScore",
    "RubricCount",
    "RubricStep",
    "declarations",
]

Finite = Annotated[float, Field(allow_inf_nan=False)]


class RubricStep(BaseModel):
    """One label of a rubric, with the number that it stands for, if any."""

    model_config = ConfigDict(extra="forbid")

    label: str = Field(min_length=1)
    value: Finite | None = None
    description: str | None = None


class MetricDeclaration(BaseModel):
    """What is known of a metric: its range or rubric, its direction, when a score passes, and its class.

    `name` narrows the declaration to one name of the metric; without it, it speaks for all of them.
    """

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    metric: str = Field(min_length=1)
    name: str | None = None
    score_type: Literal["range", "rubric"] | None = None
    minimum: Finite | None = None
    maximum: Finite | None = None
    rubric: list[RubricStep] | None = None
    higher_is_better: bool | None = None
    threshold: Finite | None = None
    class_: Literal["critical", "performance"] | None = Field(default=None, alias="class")

    @model_validator(mode="after")
    def _consistent(self) -> MetricDeclaration:
        if self.minimum is not None and self.maximum is not None and self.minimum >= self.maximum:
            raise ValueError(f"minimum {self.minimum} must be below maximum {self.maximum}")
        if self.rubric is not None:
            labels = [step.label for step in self.rubric]
            if not labels or len(set(labels)) < len(labels):
                raise ValueError("a rubric holds one step per label, and at least one")
            if self.minimum is not None or self.maximum is not None or self.score_type == "range":
                raise ValueError("a metric is either a range (minimum, maximum) or a rubric")
        elif self.score_type == "rubric":
            raise ValueError("score_type 'rubric' needs rubric=[{'label': ..., 'value': ...}, ...]")
        return self

    def document(self) -> dict[str, Any]:
        """The declaration as it is written down."""
        return self.model_dump(by_alias=True)


def declarations(metrics: Mapping[str, Any] | None) -> list[MetricDeclaration]:
    """Reads `{"quality": {...}, "rouge": [{"name": "rouge_1", ...}, ...]}`.

    Raises: UsageError, which names the metric and the field.
    """
    found = []
    if metrics is not None and not isinstance(metrics, Mapping):
        raise UsageError(f"metrics is a dict of metric -> declaration, not {type(metrics).__name__}")
    for metric, given in (metrics or {}).items():
        for one in given if isinstance(given, list) else [given]:
            fields = one.model_dump(by_alias=True) if isinstance(one, BaseModel) else one
            if not isinstance(fields, dict):
                raise UsageError(f"the declaration of metric {metric!r} is a dict, not {type(one).__name__}")
            try:
                found.append(MetricDeclaration.model_validate({**fields, "metric": metric}))
            except ValidationError as error:
                first = error.errors()[0]
                place = ".".join(str(part) for part in first["loc"])
                valid = ", ".join(f.alias or n for n, f in MetricDeclaration.model_fields.items() if n != "metric")
                raise UsageError(
                    f"metric {metric!r}{', field ' + place if place else ''}: {first['msg']}; fields: {valid}"
                ) from error
    return found


class MetricScore(BaseModel):
    """One score of a row: its number (NaN is NaN, missing is None), or its label where there is no number."""

    name: str
    value: float | int | bool | str | None = None
    label: str | None = None
    passed: bool | None = None
    status: str = "scored"
    comment: str | None = None
    error: str | None = None


class RowScore(BaseModel):
    """One row of a job with all its scores. `item` and `sample` are always dicts, `{}` when absent."""

    job: str
    suite: str
    row_key: str
    repetition: int
    row_index: int
    item: dict[str, Any]
    sample: dict[str, Any]
    reference: dict[str, Any]
    metrics: dict[str, list[MetricScore]]
    metric_errors: dict[str, str]
    requests: list[Any]
    metadata: dict[str, Any]
    error: str | None = None
    latency: float | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    cost: float | None = None
    tags: list[str]
    cluster: str | None = None


class HistogramBin(BaseModel):
    """A half-open bin; the last one is closed."""

    lower_bound: float
    upper_bound: float
    count: int


class Histogram(BaseModel):
    """Ten equal bins between minimum and maximum; their counts sum to `count` of the score."""

    bins: list[HistogramBin]


class RubricCount(RubricStep):
    """One label of a rubric with the number of scores that have it."""

    count: int


class AggregateScore(BaseModel):
    """Statistics of one (suite, metric, name) of a job, or of one slice of it.

    `count` scores took part; `rows_scored` of `rows_total` rows have one. `variance` and `std_dev` are those of the
    population, `sample_*` those of a sample; `std_error` is that of the mean. `is_told` marks what another tool has
    computed, from rows that are not here; only there a count may be None: it was not told.
    """

    suite: str
    metric: str
    name: str
    slice: str | None = None
    score_type: Literal["range", "rubric"]
    count: int | None
    nan_count: int | None
    inf_count: int
    out_of_range: int
    sum: float | None
    mean: float | None
    min: float | None
    max: float | None
    std_dev: float | None
    variance: float | None
    sample_std_dev: float | None
    sample_variance: float | None
    std_error: float | None
    median: float | None
    passed: int | None
    evaluated: int | None
    rows_scored: int | None
    rows_unscored: int | None
    rows_error: int
    rows_total: int | None
    is_told: bool = False

    def to_dict(self) -> dict[str, Any]:
        """The fields as a plain nested dict."""
        return self.model_dump()


class AggregateRangeScore(AggregateScore):
    """Statistics of a number. `percentiles` are p10 .. p100 (numpy's `weibull`).

    `histogram` is None only where another tool told none, or one that does not add up.
    """

    score_type: Literal["range"]
    percentiles: dict[str, float | None] | None
    histogram: Histogram | None


class AggregateRubricScore(AggregateScore):
    """Statistics of a label: how often each was given, and which most often (None when nothing was scored)."""

    score_type: Literal["rubric"]
    rubric_distribution: list[RubricCount]
    mode_category: str | None

    @field_validator("rubric_distribution", mode="before")
    @classmethod
    def _none_is_empty(cls, given: Any) -> Any:
        return [] if given is None else given
