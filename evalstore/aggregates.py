"""The aggregate scores of one job, as models and as a frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evalstore.frames import Answer
from evalstore.models import AggregateRangeScore, AggregateRubricScore

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["AggregateScores"]


class AggregateScores(Answer):
    """One line per (suite, metric, name), and per slice where one was asked for."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table

    def __len__(self) -> int:
        return int(self._table.num_rows)

    @property
    def scores(self) -> list[AggregateRangeScore | AggregateRubricScore]:
        """The scores as models: `.name`, `.mean`, `.percentiles`, ..., `.to_dict()`."""
        return [_model(line) for line in self._table.to_pylist()]


def _model(line: dict[str, Any]) -> AggregateRangeScore | AggregateRubricScore:
    kind = AggregateRangeScore if line["score_type"] == "range" else AggregateRubricScore
    return kind.model_validate({field: line[field] for field in kind.model_fields})
