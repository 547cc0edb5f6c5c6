"""The importer `nemo`: artifacts of NeMo Evaluator's metric jobs, row scores with aggregate scores beside them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from evalstore import models
from evalstore.errors import BrokenInput, JobExists, UsageError
from evalstore.importers import nemo_aggregates, nemo_files, nemo_rows
from evalstore.importers.records import content_hash
from evalstore.importers.report import ImportReport, unchanged

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from evalstore.importers.nemo_files import Artifacts
    from evalstore.importers.target import OpenJob, Target

__all__ = ["import_nemo"]


def import_nemo(
    paths: Sequence[Path],
    target: Target,
    *,
    job: str | None = None,
    progress: Callable[[int], None] | None = None,
    **context: Any,
) -> ImportReport:
    """Imports folders of artifacts and single files, each with what belongs to it: each job as one.

    A job is named after its files (`NAME.row-scores.jsonl`, or NAME/row-scores.jsonl). Aggregates of which there are no
    rows are stored as they are told, and marked `is_told`.

    Raises: BrokenInput (file, line, field), UsageError; then the job in hand is not left behind.
    """
    found = nemo_files.find(paths)
    if job is not None and len(found) > 1:
        raise UsageError(f"there are {len(found)} jobs, and job names one: leave it out, or name one file")
    jobs, flags, count = list[str](), list[str](), 0
    for found_name, artifacts in found.items():
        name = job or found_name
        again = partial(_import_job, name, artifacts, context=context)
        try:
            may_be = target.may_have(name, content_hash(artifacts.files[0]), context)
            if may_be and target.is_repeat(name, again):
                flags.append(unchanged(name))
            else:
                count += again(target.open_job)
        except JobExists:
            if not target.is_repeat(name, again):
                raise
            flags.append(unchanged(name))
        jobs.append(name)
        if progress:
            progress(count)
    files = [str(file) for artifacts in found.values() for file in artifacts.files]
    return ImportReport("nemo", files, jobs, count, flags=flags)


def _import_job(name: str, artifacts: Artifacts, open_job: OpenJob, context: dict[str, Any]) -> int:
    """Stores one job; the number of its rows."""
    aggregates = nemo_aggregates.read(artifacts.aggregates) if artifacts.aggregates else []
    seen = nemo_rows.scan(artifacts.rows) if artifacts.rows else nemo_rows.Seen()
    metrics = nemo_aggregates.declarations(aggregates, seen)
    try:
        models.declarations(metrics)
    except UsageError as error:
        raise BrokenInput(str(error), file=artifacts.aggregates or artifacts.rows) from error
    kept = nemo_aggregates.without_rows(aggregates, seen)
    main = artifacts.files[0]
    source = {"tool": "nemo", "path": str(main), "content_hash": content_hash(main)}
    told = {"aggregates": kept} if kept else None
    opened = open_job(name, source=source, told=told, **{"metrics": metrics, **context})
    count = 0
    try:
        for line, row in nemo_rows.logged_rows(artifacts.rows, seen) if artifacts.rows else ():
            try:
                opened.log(**row)
            except UsageError as error:
                raise BrokenInput(str(error), file=artifacts.rows, line=line) from error
            count += 1
        opened.finish()
    except BaseException:
        opened.abandon()
        raise
    return count
