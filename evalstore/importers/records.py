"""The importer `rows`: one file of records becomes one job."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from evalstore.errors import BrokenInput, UsageError
from evalstore.importers.paths import parse_path
from evalstore.importers.report import ImportReport
from evalstore.importers.rows import RowMapping, logged_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from evalstore.importers.paths import FieldPath
    from evalstore.importers.target import OpenJob

__all__ = ["content_hash", "import_rows"]

_PARTS = ("item", "reference", "sample", "scores", "metadata")
_FIELDS = ("row_key", "cluster", "latency", "cost", "prompt_tokens", "completion_tokens", "error", "repetition")
_REPORT_EVERY = 1000


def import_rows(
    path: Path,
    open_job: OpenJob,
    *,
    job: str,
    suite: str = "default",
    skip_bad_rows: bool = False,
    progress: Callable[[int], None] | None = None,
    **options: Any,
) -> ImportReport:
    """Imports a file of records as one job; what is no field of a row is context of the job, as `store.job()` takes it.

    Raises: BrokenInput (file, line, field), UsageError; then no job is left behind.
    """
    parts: dict[str, Any] = {part: _paths(part, options.pop(part, None)) for part in _PARTS}
    fields: dict[str, Any] = {field: _path(options.pop(field, None)) for field in _FIELDS}
    mapping = RowMapping(suite=suite, **parts, **fields)
    if not mapping.scores:
        raise UsageError("name at least one score: scores={'is_correct': 'is_correct'} (--score is_correct)")
    rows = logged_rows(path, mapping, skip_bad_rows=skip_bad_rows)
    first = next(rows)  # a file that cannot be read at all claims no name
    source = {"tool": "rows", "path": str(path), "content_hash": content_hash(path)}
    opened = open_job(job, metadata=options.pop("job_metadata", None), source=source, **options)
    count = bad = 0
    try:
        for row in _with_first(first, rows):
            opened.log(**row)
            count += 1
            bad += skip_bad_rows and str(row.get("error") or "").startswith("BrokenInput: ")
            if progress and count % _REPORT_EVERY == 0:
                progress(count)
        opened.finish()
    except BaseException:
        opened.abandon()
        raise
    if progress:
        progress(count)
    return ImportReport("rows", [str(path)], [opened.name], count, bad)


def _with_first(first: dict[str, Any], rest: Any) -> Any:
    yield first
    yield from rest


def _paths(part: str, given: Mapping[str, str] | list[str] | None) -> dict[str, FieldPath]:
    if given is None:
        return {}
    if isinstance(given, str):
        raise UsageError(f"{part} is a dict of name -> path: write {part}={{{given!r}: {given!r}}}")
    pairs = given.items() if hasattr(given, "items") else ((path, path) for path in given)
    return {name: parse_path(path) for name, path in pairs}


def _path(given: str | None) -> FieldPath | None:
    return None if given is None else parse_path(given)


def content_hash(path: Path) -> str | None:
    """The SHA-256 of a file. Raises: BrokenInput."""
    if not path.is_file():  # what comes through a pipe can be read once
        return None
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise BrokenInput(f"cannot be read: {error.strerror}", file=path) from error
