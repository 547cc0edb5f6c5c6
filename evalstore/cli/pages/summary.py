"""The page of `evalstore summary`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evalstore.cli.blocks import Fields, Heading, Sentence, Table
from evalstore.cli.output import counted
from evalstore.cli.pages.trend import sparkline
from evalstore.cli.pages.wording import number, numbers, phrases, share, signed, when

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evalstore.cli.blocks import Block
    from evalstore.evaluation_summary import EvaluationSummary

__all__ = ["summary_page"]

_NAMED = 5


def summary_page(summary: EvaluationSummary) -> Iterator[Block]:
    """The latest run and its trend, then a line per day."""
    latest = summary.latest
    days = latest["days"] or []
    yield Heading(latest["job"], sparkline([day["score"] for day in days]))
    yield Fields([(name, value) for name, value in _facts(latest) if value])
    if latest["scores_error"]:
        yield Sentence(f"{counted(latest['scores_error'], 'score')} in error: left out, neither passed nor failed.")
    if lost := latest["not_scored"]:
        names = ", ".join(lost[:_NAMED]) + (", ..." if lost[_NAMED:] else "")
        yield Sentence(f"The score before is also of {names}: not scored now, so the change is not of quality alone.")
    yield Table([
        phrases("day (UTC)", days, lambda day: day["date"].isoformat()),
        numbers("score", days, "score"),
        numbers("runs", days, "runs", say=str),
        numbers("rows", days, "rows", say=str),
    ])  # fmt: skip


def _facts(latest: dict[str, Any]) -> Iterator[tuple[str, str | None]]:
    yield "evaluated (UTC)", when(latest["latest_evaluation"])
    yield "dataset", latest["dataset"]
    yield "model", latest["model"]
    yield "group", latest["group"]
    yield "overall score", number(latest["overall_score"])
    change = signed(latest["score_change"])
    yield "trend", latest["trend"] + (f" ({change} from {number(latest['baseline_score'])})" if change else "")
    yield "passed", share(latest["total_passed"], latest["total_evaluated"])
    yield "suites", str(latest["total_suites"])
    yield "metrics", str(latest["total_metrics"])
    yield "critical", ", ".join(latest["critical_metrics"] or ())
    yield "performance", ", ".join(latest["performance_metrics"] or ())
