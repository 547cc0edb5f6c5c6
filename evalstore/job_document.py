"""Reading `job.json`: only a document that can be used is one."""

from __future__ import annotations

from datetime import datetime
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import orjson

from evalstore.durable_files import read_document
from evalstore.json_text import DEEPEST, depth

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["document_problem", "job_document"]

_TEXTS = ("job_id", "workspace", "name", "kind", "status", "created_at")
_LEVELS_AROUND = 2  # the document and its job, around what a user gave
_aggregate_texts = itemgetter("suite", "metric", "name", "score_type")
_aggregate_numbers = itemgetter(
    "count", "nan_count", "inf_count", "out_of_range", "items_scored",
    "rows_scored", "rows_unscored", "rows_error", "rows_total",
)  # fmt: skip


def document_problem(root: Path, path: str) -> str | None:
    """Why the document of the job at `workspace/name` cannot be used; None when it can."""
    if job_document(root, path) is not None:
        return None
    file = root / "jobs" / path / "job.json"
    if not file.exists():
        return "there is no job.json"
    document = read_document(file)
    if document is None:
        return "job.json cannot be read"
    if _is_too_deep(document):
        return "job.json is nested too deeply"
    job = document.get("job")
    named = isinstance(job, dict) and all(isinstance(job.get(field), str) for field in ("workspace", "name"))
    if isinstance(job, dict) and named and path != (told := f"{job['workspace']}/{job['name']}"):
        return f"job.json is that of job {told}"
    return "job.json lacks something that belongs in it"


def job_document(root: Path, path: str, *, folder: Path | None = None) -> dict[str, Any] | None:
    """The document of the job at `workspace/name`, or None when it cannot be used.

    `folder` is where it lies when that is elsewhere: in the trash.
    """
    document = read_document((folder or root / "jobs" / path) / "job.json")
    return document if document and _is_usable(document, path) else None


def _is_usable(document: dict[str, Any], path: str) -> bool:
    job, files = document.get("job"), document.get("files")
    lists = [document.get(part) for part in ("suites", "metrics", "aggregates")]
    return (
        isinstance(job, dict)
        and all(isinstance(job.get(field), str) for field in _TEXTS)
        and path == f"{job['workspace']}/{job['name']}"
        and _is_moment(job["created_at"])
        and all(isinstance(part, list) and all(isinstance(entry, dict) for entry in part) for part in lists)
        and all(_is_aggregate(aggregate) for aggregate in document["aggregates"])
        and isinstance(files, dict)
        and all(_is_file(files.get(kind)) for kind in ("scores", "rows"))
        and not _is_too_deep(document)
    )


def _is_too_deep(document: dict[str, Any]) -> bool:
    """Whether it is nested more deeply than anything is written: who reads it could not write it down again."""
    try:
        orjson.dumps(document)
    except TypeError:
        return depth(document) > DEEPEST + _LEVELS_AROUND
    return False


def _is_aggregate(aggregate: dict[str, Any]) -> bool:
    try:
        texts, numbers = _aggregate_texts(aggregate), _aggregate_numbers(aggregate)
    except KeyError:
        return False
    untold = {type(None)} if aggregate.get("is_told") else set()  # counts that another tool did not tell
    return set(map(type, texts)) == {str} and set(map(type, numbers)) <= {int, bool} | untold


def _is_file(file: Any) -> bool:
    if not isinstance(file, dict) or not all(isinstance(file.get(field), str) for field in ("name", "sha256")):
        return False
    return "/" not in file["name"] and all(isinstance(file.get(field), int) for field in ("rows", "bytes"))


def _is_moment(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False
