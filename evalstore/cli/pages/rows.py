"""The page of `evalstore rows`: each row readable, those in error apart; or one line per row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evalstore.cli import values
from evalstore.cli.blocks import Column, Fields, Heading, Sentence, Table
from evalstore.cli.pages.wording import measure

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import polars as pl

    from evalstore.cli.blocks import Block
    from evalstore.models import MetricScore, RowScore
    from evalstore.rows import RowScores

__all__ = ["rows_page", "wide_page"]

FIELDS_SHOWN = 8  # of a document
NARROW_FIELDS = ("suite", "row_key", "repetition")


def rows_page(rows: RowScores, order: str | None) -> Iterator[Block]:
    """A block per row; in an order, the rows in error come first, in a section of their own."""
    failed = rows.rows()["is_error"].to_list() if order else [False] * len(rows)
    if not failed:
        yield Sentence("(none)")
    section = None
    for row, is_error in zip(rows, failed, strict=True):
        title = ("In error" if is_error else f"{order.capitalize()} first") if order else None
        if title and title != section:
            section = title
            yield Heading(title)
        yield Heading(_name(row), _scores(row), level=2)
        pairs = list(_pairs(row))
        if pairs:
            yield Fields(pairs, is_cut=True, indent=2)


def wide_page(frame: pl.DataFrame) -> list[Block]:
    """One line per row: its key, its scores, and what went wrong."""
    scores = [name for name in frame.columns if ":" in name]
    lines = frame.to_dicts()
    hidden = {
        "suite": all(line["suite"] == "default" for line in lines),
        "repetition": not any(line["repetition"] for line in lines),
        "error": not any(line["error"] for line in lines),
    }
    columns = [
        Column(name, [values.text(line[name]) for line in lines], right=name == "repetition")
        for name in NARROW_FIELDS
        if not hidden.get(name)
    ]
    columns += [_score_column(name, [line[name] for line in lines]) for name in scores]
    if not hidden["error"]:
        columns.append(Column("error", [line["error"] for line in lines]))
    return [Table(columns)]


def _score_column(name: str, cells: list[Any]) -> Column:
    plain = name.removesuffix(".label")
    half = plain[: len(plain) // 2]
    title = half + name.removeprefix(plain) if plain == f"{half}:{half}" else name  # a name that is the metric's
    is_text = any(isinstance(cell, str) for cell in cells)
    return Column(title, [cell if is_text else measure(cell) for cell in cells], right=not is_text)


def _name(row: RowScore) -> str:
    parts = [row.row_key, *([row.suite] if row.suite != "default" else [])]
    return " · ".join([*parts, *([f"repetition {row.repetition}"] if row.repetition else [])])


def _scores(row: RowScore) -> str:
    return " · ".join(
        f"{metric if one.name == metric else f'{metric}:{one.name}'} {_value(one)}"
        for metric, scores in row.metrics.items()
        for one in scores
    )


def _value(score: MetricScore) -> str:
    if score.status == "error":
        return "error"
    value = score.value if isinstance(score.value, (bool, str)) else measure(score.value)
    shown = values.text(value) or "-"
    return f"{score.label} ({shown})" if score.label not in (None, shown) else shown


def _pairs(row: RowScore) -> Iterator[tuple[str, str]]:
    """What is said of a row, under the names that `--where` takes."""
    if row.error:
        yield "error", row.error
    for metric, scores in row.metrics.items():
        for one in scores:
            name = metric if one.name == metric else f"{metric}:{one.name}"
            if one.error:
                yield "error", f"{name}: {one.error}"
            if one.comment:
                yield "comment", f"{name}: {one.comment}"
    for part in ("item", "sample", "reference"):
        yield from _document(part, getattr(row, part))


def _document(part: str, document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in list(document.items())[:FIELDS_SHOWN]:
        yield f"{part}.{name}", " ".join((values.text(value) or "-").split())
    if len(document) > FIELDS_SHOWN:
        yield part, f"... and {len(document) - FIELDS_SHOWN} more"
