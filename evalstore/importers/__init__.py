"""An importer turns what one evaluation tool has left into rows and scores of jobs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalstore.errors import JobExists, UsageError, near
from evalstore.importers.report import ImportReport, unchanged

if TYPE_CHECKING:
    from collections.abc import Callable

    from evalstore.importers.target import Target

__all__ = ["FORMATS", "ImportReport", "run"]

FORMATS = ("langsmith", "nemo", "rows", "trainloop")


def run(
    format: str,
    source: Any,
    target: Target,
    *,
    progress: Callable[[int], None] | None = None,
    **options: Any,
) -> ImportReport:
    """Runs the importer of one format on a file, on several where it takes them, or on what is in memory.

    What is there already, with the same content, is left as it is, and flagged; with `overwrite` unless something else
    is said of it now.

    Raises: UsageError for an unknown format, and what the importer raises.
    """
    if format not in FORMATS:
        raise UsageError(f"there is no importer for {format!r}; {near(format, [*FORMATS, 'archive'])}")
    if format == "langsmith":
        from evalstore.importers import langsmith

        return langsmith.import_results(source, target.open_job, progress=progress, **options)
    if format == "nemo":
        from evalstore.importers import nemo

        paths = [Path(one) for one in (source if isinstance(source, (list, tuple)) else [source])]
        return nemo.import_nemo(paths, target, progress=progress, **options)
    path = Path(source)
    if format == "trainloop":
        from evalstore.importers import trainloop

        return trainloop.import_trainloop(path, target, progress=progress, **options)
    from evalstore.importers import records

    job, reports = str(options.get("job")), list[ImportReport]()

    def is_there() -> bool:
        return target.is_repeat(job, lambda scratch: reports.append(records.import_rows(path, scratch, **options)))

    try:
        if target.may_have(job, records.content_hash(path), options) and is_there():
            return replace(reports[0], flags=[unchanged(job)])
        return records.import_rows(path, target.open_job, progress=progress, **options)
    except JobExists:
        if is_there():
            return replace(reports[0], flags=[unchanged(job)])
        raise
