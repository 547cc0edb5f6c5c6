"""An exporter writes jobs in the form of another tool."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evalstore.errors import UsageError, near
from evalstore.exporters.exported import Exported, Exporting

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["FORMATS", "Exported", "Exporting", "run"]

FORMATS = ("nemo", "trainloop")


def run(format: str, jobs: list[str], exporting: Exporting, to: Path) -> Exported:
    """Writes jobs into a folder in one format; the files.

    Raises: UsageError for an unknown format or jobs that cannot be written side by side, JobNotFound; then nothing was
    written. OSError.
    """
    if format not in FORMATS:
        raise UsageError(f"there is no exporter for {format!r}; {near(format, FORMATS)}")
    if not jobs:
        raise UsageError("there is nothing to export: name the jobs")
    if format == "trainloop":
        from evalstore.exporters import trainloop

        return trainloop.export_jobs(jobs, exporting, to)
    from evalstore.exporters import nemo

    named = nemo.by_name(map(exporting.show, jobs))
    return Exported(
        file
        for name, job in named.items()
        for file in nemo.export_job(name, exporting.rows(job), exporting.scores(job), to)
    )
