"""How evaluations stand: the latest run, how it compares, and the days up to it, also in the form of TrainLoop."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from evalstore.frames import Answer

if TYPE_CHECKING:
    from datetime import datetime

    import pyarrow as pa

__all__ = ["EvaluationSummary", "iso"]


class EvaluationSummary(Answer):
    """The latest completed evaluation of a series and the days before it. `.to_polars()` has one line per day."""

    def __init__(self, line: pa.Table) -> None:
        """`line` is the one that `sql/queries/evaluation_summary.sql` answers."""
        self._line = line

    @cached_property
    def latest(self) -> dict[str, Any]:
        """Everything that is known of the latest run and of its trend, as the query answers it."""
        return dict(self._line.to_pylist()[0])

    @cached_property
    def _table(self) -> pa.Table:
        import pyarrow as pa

        days = self._line.column("days").combine_chunks()
        return pa.Table.from_struct_array(days.flatten())

    def to_dict(self) -> dict[str, Any]:
        """The structure of TrainLoop's `evaluation_summary.json`, with the totals of the latest run as `summary`."""
        latest = self.latest
        days = [{**day, "date": day["date"].isoformat()} for day in latest["days"] or ()]
        totals = ("total_suites", "overall_score", "total_metrics", "total_passed", "total_evaluated", "pass_rate")
        return {
            "latest_evaluation": iso(latest["latest_evaluation"]),
            "total_suites": latest["total_suites"],
            "overall_score": latest["overall_score"],
            "trending": {
                "score_change": latest["score_change"],
                "trend": latest["trend"],
                "last_7_days": days,
                **({"not_scored": latest["not_scored"]} if latest["not_scored"] else {}),
            },
            "metrics_summary": {
                "total_metrics": latest["total_metrics"],
                "critical_metrics": latest["critical_metrics"] or [],
                "performance_metrics": latest["performance_metrics"] or [],
            },
            "summary": {field: latest[field] for field in totals},
        }


def iso(moment: datetime) -> str:
    """A time as TrainLoop's documentation writes it: in UTC, to the millisecond, with a Z."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
