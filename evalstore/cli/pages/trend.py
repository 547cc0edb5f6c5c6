"""The page of `evalstore trend`."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from evalstore.cli.blocks import Heading, Table
from evalstore.cli.pages.wording import name_of, number, numbers, phrases, scored, signed, texts, when
from evalstore.trends import series_columns, series_title

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl

    from evalstore.cli.blocks import Block, Column

__all__ = ["sparkline", "trend_page"]

BARS = "▁▂▃▄▅▆▇█"


def trend_page(frame: pl.DataFrame) -> Iterator[Block]:
    """A table per series: of one metric, or of the overall score of suites."""
    value = "mean" if "metric" in frame.columns else "overall_score"
    lines = frame.to_dicts()
    if not lines:
        yield _table(lines, value)
    for _, group in groupby(lines, itemgetter(*series_columns(frame))):
        points = list(group)
        measured = name_of(points[0]) if value == "mean" else "overall score"
        yield Heading(series_title(points[0], measured), sparkline([point[value] for point in points]))
        yield _table(points, value)


def sparkline(values: list[float | None]) -> str:
    """A bar per value, between the lowest and the highest; a gap where there is none. Nothing for a single value."""
    known = [value for value in values if value is not None]
    if len(known) <= 1:
        return ""
    low, high = min(known), max(known)
    steps = (len(BARS) - 1) / (high - low) if high > low else 0
    return "".join(" " if value is None else BARS[round((value - low) * steps)] for value in values)


def _table(lines: list[dict[str, Any]], value: str) -> Table:
    is_daily = any(line["x"] == line["day"] for line in lines)
    is_mixed = any(line["status"] != "completed" for line in lines)
    columns: list[Column | None] = [
        phrases("day (UTC)", lines, lambda line: line["day"].isoformat())
        if is_daily
        else phrases("created (UTC)", lines, lambda line: when(line["created_at"])),
        numbers("jobs", lines, "runs_that_day", spare=4, say=str) if is_daily else None,
        texts("job", lines, "job"),
        phrases("status", lines, "status") if is_mixed else None,
        numbers(value.replace("_", " "), lines, value),
        phrases("95 %", lines, _interval, spare=1),
        numbers("previous", lines, "previous", spare=5),
        numbers("delta", lines, "delta", say=signed),
        numbers("moving mean", lines, _moving, spare=3),
        phrases("rows", lines, lambda line: _rows(line, value)),
    ]
    return Table([column for column in columns if column is not None])


def _interval(line: dict[str, Any]) -> str | None:
    low, high = number(line["low"]), number(line["high"])
    return None if low is None or high is None else f"{low} to {high}"


def _moving(line: dict[str, Any]) -> str | None:
    mean, spread = number(line["moving_mean"]), number(line["moving_std_dev"])
    return mean if mean is None or spread is None else f"{mean} ± {spread}"


def _rows(line: dict[str, Any], value: str) -> str:
    shown = scored(line) if value == "mean" else f"{line['events_processed']}"
    return shown + (" (others than before)" if line["rows_changed"] else "")
