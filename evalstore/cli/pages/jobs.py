"""The page of `evalstore jobs`, and that of any frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evalstore.cli import values
from evalstore.cli.blocks import Column, Table
from evalstore.cli.pages.wording import is_told, measure, number, numbers, phrases, share, status, texts, when

if TYPE_CHECKING:
    import polars as pl

    from evalstore.cli.blocks import Block

__all__ = ["frame_page", "jobs_page"]


def jobs_page(frame: pl.DataFrame, *, has_workspaces: bool) -> list[Block]:
    """One line per job, newest first."""
    lines = frame.to_dicts()
    columns = [
        *([texts("workspace", lines, "workspace")] if has_workspaces else []),
        texts("job", lines, "name"),
        phrases("status", lines, status),
        texts("model", lines, "model", spare=2),
        texts("dataset", lines, "dataset", spare=3),
        numbers("score", lines, "overall_score", say=number),
        numbers("scored", lines, _scored),
        numbers("errors", lines, "rows_error", say=str) if any(line["rows_error"] for line in lines) else None,
        numbers("cost USD", lines, "cost", spare=4, say=measure) if any(line["cost"] for line in lines) else None,
        phrases("created (UTC)", lines, lambda line: when(line["created_at"]), spare=1),
    ]
    return [Table([column for column in columns if column is not None])]


def _scored(line: dict[str, Any]) -> str | None:
    return "told" if is_told(line) else share(line["rows_scored"], line["rows_total"])


def frame_page(frame: pl.DataFrame) -> list[Block]:
    """A frame as it is, all of its columns."""
    cells = values.text_columns(frame)
    return [
        Table(
            [
                Column(c.name, texts, right=c.dtype.is_numeric(), is_whole=not _wraps(c))
                for c, texts in zip(frame, cells, strict=True)
            ]
        )
    ]


def _wraps(column: pl.Series) -> bool:
    import polars as pl

    return column.dtype == pl.String or column.dtype.is_nested()
