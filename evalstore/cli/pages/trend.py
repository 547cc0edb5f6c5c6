"""The page of `evalstore trend`."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from evalstore.cli.blocks import Heading, Table
from evalstore.cli.pages.wording import name_of, number, numbers, phrases, scored, signed, texts, when

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl

    from evalstore.cli.blocks import Block

__all__ = ["sparkline", "trend_page"]

BARS = "▁▂▃▄▅▆▇█"
SERIES = ("dataset", "model", "group", "suite")


def trend_page(frame: pl.DataFrame) -> Iterator[Block]:
    """A table per series: of one metric, or of the overall score of suites."""
    value, series = ("mean", (*SERIES, "metric", "name")) if "metric" in frame.columns else ("overall_score", SERIES)
    lines = frame.to_dicts()
    if not lines:
        yield _table(lines, value)
    for _, group in groupby(lines, itemgetter(*series)):
        points = list(group)
        first = points[0]
        parts = [first["model"] or "no model", first["dataset"] or "no dataset", first["group"], first["suite"]]
        measured = name_of(first) if value == "mean" else "overall score"
        shown = " · ".join(part for part in (*parts, measured) if part and part != "default")
        yield Heading(shown, sparkline([point[value] for point in points]))
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
    columns = [
        phrases("created (UTC)", lines, lambda line: when(line["created_at"])),
        texts("job", lines, "job"),
        numbers(value.replace("_", " "), lines, value),
        numbers("previous", lines, "previous", spare=3),
        numbers("delta", lines, "delta", say=signed),
        numbers("moving mean", lines, _moving, spare=2),
        phrases("rows", lines, scored if value == "mean" else _rows),
    ]
    return Table(columns)


def _moving(line: dict[str, Any]) -> str | None:
    mean, spread = number(line["moving_mean"]), number(line["moving_std_dev"])
    return mean if mean is None or spread is None else f"{mean} ± {spread}"


def _rows(line: dict[str, Any]) -> str:
    return f"{line['events_processed']}" + (" (others than before)" if line["rows_changed"] else "")
