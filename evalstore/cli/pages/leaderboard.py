"""The page of `evalstore leaderboard`."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from evalstore.cli.blocks import Heading, Sentence, Table
from evalstore.cli.pages.wording import name_of, numbers, phrases, scored, texts

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl

    from evalstore.cli.blocks import Block

__all__ = ["leaderboard_page"]

NOT_COMPARABLE = "Not comparable, so not ranked: measured on other rows than the jobs above."


def leaderboard_page(frame: pl.DataFrame) -> Iterator[Block]:
    """A table per dataset, suite, metric and name; what cannot be compared stands below it."""
    lines = frame.to_dicts()
    if not lines:
        yield _table(lines)
    for (dataset, suite, _, _), group in groupby(lines, itemgetter("dataset", "suite", "metric", "name")):
        measured = list(group)
        first = measured[0]
        ranked = [line for line in measured if line["comparable"]]
        others = [line for line in measured if not line["comparable"]]
        parts = [dataset or "no dataset", *([suite] if suite != "default" else [])]
        yield Heading(name_of(first), " · ".join(parts) + ("" if first["higher_is_better"] else " · lower is better"))
        yield _table(ranked)
        if others:
            yield Sentence(NOT_COMPARABLE)
            yield _table(others)


def _table(lines: list[dict[str, Any]]) -> Table:
    columns = [
        numbers("#", lines, "rank", say=str),
        texts("model", lines, "model"),
        numbers("mean", lines, "mean"),
        numbers("std error", lines, "std_error", spare=2),
        phrases("rows", lines, scored),
        numbers("errors", lines, "rows_error", spare=1, say=str) if any(line["rows_error"] for line in lines) else None,
        texts("job", lines, "job", spare=3),
        phrases("status", lines, "status") if any(line["status"] != "completed" for line in lines) else None,
    ]
    return Table([column for column in columns if column is not None])
