"""The aggregate scores of one job, as models and as a frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evalstore.errors import UnknownField, UsageError, near
from evalstore.frames import Answer
from evalstore.models import AggregateRangeScore, AggregateRubricScore, Histogram, RubricCount

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

__all__ = ["AggregateScores", "Score", "check_fields", "score_of"]

Score = AggregateRangeScore | AggregateRubricScore
_ALWAYS = ("suite", "metric", "name", "count", "is_told")


class AggregateScores(Answer):
    """One line per (suite, metric, name), and per slice where one was asked for."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table

    def __len__(self) -> int:
        return int(self._table.num_rows)

    @property
    def scores(self) -> list[Score]:
        """The scores as models: `.name`, `.mean`, `.percentiles`, ..., `.to_dict()`."""
        return [score_of(line) for line in self._table.to_pylist()]


def check_fields(fields: Sequence[str] | None) -> tuple[str, ...] | None:
    """The fields of scores that are wanted, with those that are always there; None for all.

    Raises: UnknownField, UsageError.
    """
    if fields is None:
        return None
    if not isinstance(fields, (list, tuple, set, frozenset)):
        raise UsageError(f"aggregate_fields is a list of fields such as ['mean', 'std_dev'], not {fields!r}")
    valid = {*AggregateRangeScore.model_fields, *AggregateRubricScore.model_fields} - {"slice"}
    for one in fields:
        if not isinstance(one, str) or one not in valid:
            raise UnknownField(f"a score has no field {one!r}; {near(str(one), valid, most=len(valid))}")
    return (*_ALWAYS, *(one for one in fields if one not in _ALWAYS))


def score_of(line: dict[str, Any], fields: tuple[str, ...] | None = None) -> Score:
    """A line as a model, with some of its fields only where they are named."""
    kind = AggregateRangeScore if line["score_type"] == "range" else AggregateRubricScore
    if fields is None:
        return kind.model_validate({field: line[field] for field in kind.model_fields if field in line})
    told = {field: line[field] for field in fields if field in kind.model_fields}
    if told.get("histogram") is not None:
        told["histogram"] = Histogram.model_validate(told["histogram"])
    if "rubric_distribution" in told:
        told["rubric_distribution"] = [RubricCount.model_validate(one) for one in told["rubric_distribution"] or ()]
    return kind.model_construct(set(told), **told)  # what was not asked for is not there, which is not None
