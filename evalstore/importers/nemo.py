"""The importer `nemo`: artifacts of NeMo Evaluator's metric jobs, row scores with aggregate scores beside them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from evalstore.errors import BrokenInput, JobExists, UsageError
from evalstore.importers import nemo_aggregates, nemo_rows
from evalstore.importers.records import content_hash
from evalstore.importers.report import ImportReport, unchanged

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from evalstore.importers.report import IsRepeat, OpenJob

__all__ = ["import_nemo"]

_ROWS, _AGGREGATES = "row-scores.jsonl", "aggregate-scores.json"
_REPORT_EVERY = 1000


@dataclass
class _Artifacts:
    """The files of one job."""

    rows: Path | None = None
    aggregates: Path | None = None
    files: list[Path] = field(default_factory=list)

    def add(self, path: Path) -> None:
        self.files.append(path)
        if path.suffix == ".jsonl":
            self.rows = path
        else:
            self.aggregates = path


def import_nemo(
    path: Path,
    open_job: OpenJob,
    is_repeat: IsRepeat,
    *,
    job: str | None = None,
    progress: Callable[[int], None] | None = None,
    **context: Any,
) -> ImportReport:
    """Imports a folder of artifacts, or one file with what belongs to it: each job as one.

    A job is named after its files (`NAME.row-scores.jsonl`, or NAME/row-scores.jsonl). Aggregates of which there are no
    rows are stored as they are told, and marked `is_told`.

    Raises: BrokenInput (file, line, field), UsageError; then the job in hand is not left behind.
    """
    found = _found(path)
    if job is not None and len(found) > 1:
        raise UsageError(f"{path} holds {len(found)} jobs, and job names one: leave it out")
    jobs, flags, count = list[str](), list[str](), 0
    for found_name, artifacts in found.items():
        name = job or found_name
        try:
            count += _import_job(name, artifacts, open_job, context)
        except JobExists:
            if not is_repeat(name, partial(_import_job, name, artifacts, context=context)):
                raise
            flags.append(unchanged(name))
        jobs.append(name)
        if progress:
            progress(count)
    files = [str(file) for artifacts in found.values() for file in artifacts.files]
    return ImportReport("nemo", files, jobs, count, flags=flags)


def _import_job(name: str, artifacts: _Artifacts, open_job: OpenJob, context: dict[str, Any]) -> int:
    """Stores one job; the number of its rows."""
    told = nemo_aggregates.read(artifacts.aggregates) if artifacts.aggregates else []
    seen = nemo_rows.scan(artifacts.rows) if artifacts.rows else nemo_rows.Seen()
    metrics = nemo_aggregates.declarations(told, seen)
    kept = nemo_aggregates.without_rows(told, seen)
    main = artifacts.files[0]
    source = {"tool": "nemo", "path": str(main), "content_hash": content_hash(main)}
    opened = open_job(name, source=source, told_aggregates=kept, **{"metrics": metrics, **context})
    count = 0
    try:
        for row in nemo_rows.logged_rows(artifacts.rows, seen) if artifacts.rows else ():
            opened.log(**row)
            count += 1
        opened.finish()
    except BaseException:
        opened.abandon()
        raise
    return count


def _found(path: Path) -> dict[str, _Artifacts]:
    """The artifacts at a path by the name of their job."""
    if path.is_dir():
        files = sorted(file for kind in (_ROWS, _AGGREGATES) for file in path.rglob(f"*{kind}"))
        if not files:
            raise BrokenInput(f"holds no artifacts: files that end in {_ROWS} or {_AGGREGATES}", file=path)
    else:
        files = [path]
        if path.suffix == ".jsonl" and path.name.endswith(_ROWS):
            beside = path.with_name(path.name.removesuffix(_ROWS) + _AGGREGATES)
            files += [beside] if beside.exists() else []
    found: dict[str, _Artifacts] = {}
    for file in files:
        found.setdefault(_job_name(file), _Artifacts()).add(file)
    return found


def _job_name(file: Path) -> str:
    for kind in (_ROWS, _AGGREGATES):
        if file.name == kind:
            return file.resolve().parent.name
        if file.name.endswith(kind):
            return file.name.removesuffix(kind).rstrip(".-_")
    return file.stem
