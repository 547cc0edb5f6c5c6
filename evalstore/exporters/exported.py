"""What an exporter asks of a store, and what it gives back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    import pyarrow as pa

    from evalstore.aggregates import AggregateScores
    from evalstore.evaluation_summary import EvaluationSummary
    from evalstore.rows import RowScores

__all__ = ["Exported", "Exporting"]


class Exported(list["Path"]):
    """The files that were written. `flags` says what the form cannot hold as the store does."""

    def __init__(self, files: Iterable[Path] = ()) -> None:
        super().__init__(files)
        self.flags: list[str] = []


@dataclass(frozen=True)
class Exporting:
    """The questions of an exporter. Jobs are named as everywhere; The last three go by ids of jobs."""

    show: Callable[[str], dict[str, Any]]
    rows: Callable[[str], RowScores]
    scores: Callable[[str], AggregateScores]
    details: Callable[[str], pa.Table]
    summary: Callable[[list[str]], EvaluationSummary | None]
    comparison: Callable[[list[str]], dict[str, Any]]
