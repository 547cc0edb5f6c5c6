"""An importer turns the files of one evaluation tool into rows and scores of jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evalstore.errors import UsageError, near
from evalstore.importers.report import ImportReport

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from evalstore.importers.report import OpenJob

__all__ = ["FORMATS", "ImportReport", "run"]

FORMATS = ("rows", "nemo")


def run(
    format: str, path: Path, open_job: OpenJob, *, progress: Callable[[int], None] | None = None, **options: Any
) -> ImportReport:
    """Runs the importer of one format. Raises: UsageError for an unknown one, and what the importer raises."""
    if format not in FORMATS:
        raise UsageError(f"there is no importer for {format!r}; {near(format, FORMATS)}")
    if format == "nemo":
        from evalstore.importers import nemo

        return nemo.import_nemo(path, open_job, progress=progress, **options)
    from evalstore.importers import records

    return records.import_rows(path, open_job, progress=progress, **options)
