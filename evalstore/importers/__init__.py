"""An importer turns what one evaluation tool has left into rows and scores of jobs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalstore.errors import JobExists, UsageError, near
from evalstore.importers.report import ImportReport, may_be_there, unchanged

if TYPE_CHECKING:
    from collections.abc import Callable

    from evalstore.importers.report import Imported, IsRepeat, OpenJob, SaysSame

__all__ = ["FORMATS", "ImportReport", "run"]

FORMATS = ("langsmith", "nemo", "rows", "trainloop")


def run(
    format: str,
    source: Any,
    open_job: OpenJob,
    is_repeat: IsRepeat,
    imported: Imported,
    *,
    says_same: SaysSame,
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

        return langsmith.import_results(source, open_job, progress=progress, **options)
    if format == "nemo":
        from evalstore.importers import nemo

        paths = [Path(one) for one in (source if isinstance(source, (list, tuple)) else [source])]
        return nemo.import_nemo(paths, open_job, is_repeat, imported, progress=progress, **options)
    path = Path(source)
    if format == "trainloop":
        from evalstore.importers import trainloop

        return trainloop.import_trainloop(path, open_job, says_same, imported, progress=progress, **options)
    from evalstore.importers import records

    job, reports = str(options.get("job")), list[ImportReport]()

    def is_there() -> bool:
        return is_repeat(job, lambda scratch: reports.append(records.import_rows(path, scratch, **options)))

    try:
        if may_be_there(job, records.content_hash(path), imported, options) and is_there():
            return replace(reports[0], flags=[unchanged(job)])
        return records.import_rows(path, open_job, progress=progress, **options)
    except JobExists:
        if is_there():
            return replace(reports[0], flags=[unchanged(job)])
        raise
