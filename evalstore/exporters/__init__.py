"""An exporter writes jobs in the form of another tool."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evalstore.errors import UsageError, near

if TYPE_CHECKING:
    from pathlib import Path

    from evalstore.aggregates import AggregateScores
    from evalstore.rows import RowScores

__all__ = ["FORMATS", "check", "run"]

FORMATS = ("nemo",)


def check(format: str) -> None:
    """Raises: UsageError for an unknown format."""
    if format not in FORMATS:
        raise UsageError(f"there is no exporter for {format!r}; {near(str(format), FORMATS)}")


def run(format: str, job: str, rows: RowScores, scores: AggregateScores, to: Path) -> list[Path]:
    """Writes one job into a folder in one format; the files. Raises: UsageError for an unknown one, OSError."""
    check(format)
    from evalstore.exporters import nemo

    return nemo.export_job(job, rows, scores, to)
