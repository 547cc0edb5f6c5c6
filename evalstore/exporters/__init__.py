"""An exporter writes jobs in the form of another tool."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evalstore.errors import UsageError, near

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from evalstore.aggregates import AggregateScores
    from evalstore.rows import RowScores

__all__ = ["FORMATS", "run"]

FORMATS = ("nemo",)


def run(
    format: str,
    jobs: Sequence[str],
    *,
    show: Callable[[str], dict[str, Any]],
    rows: Callable[[str], RowScores],
    scores: Callable[[str], AggregateScores],
    to: Path,
) -> list[Path]:
    """Writes jobs into a folder in one format; the files. What is asked of a store goes by the name of a job.

    Raises: UsageError for an unknown format or jobs that cannot be written side by side, JobNotFound; then nothing was
    written. OSError.
    """
    if format not in FORMATS:
        raise UsageError(f"there is no exporter for {format!r}; {near(format, FORMATS)}")
    from evalstore.exporters import nemo

    named = nemo.by_name(map(show, jobs))
    return [file for name, job in named.items() for file in nemo.export_job(name, rows(job), scores(job), to)]
