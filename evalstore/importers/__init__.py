"""An importer turns what one evaluation tool has left into rows and scores of jobs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalstore.errors import UsageError, near
from evalstore.importers.report import ImportReport

if TYPE_CHECKING:
    from collections.abc import Callable

    from evalstore.importers.report import OpenJob

__all__ = ["FORMATS", "ImportReport", "run"]

FORMATS = ("langsmith", "rows")


def run(
    format: str, source: Any, open_job: OpenJob, *, progress: Callable[[int], None] | None = None, **options: Any
) -> ImportReport:
    """Runs the importer of one format on a file, or on what is in memory.

    Raises: UsageError for an unknown format, and what the importer raises.
    """
    if format not in FORMATS:
        raise UsageError(f"there is no importer for {format!r}; {near(format, FORMATS)}")
    if format == "langsmith":
        from evalstore.importers import langsmith

        return langsmith.import_results(source, open_job, progress=progress, **options)
    from evalstore.importers import records

    return records.import_rows(Path(source), open_job, progress=progress, **options)
