"""Telling a retry from a clash: whether what is to be stored under a taken name is what is there already."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evalstore.database import Database, for_glob
from evalstore.job_document import job_document

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["is_same_job", "says_same"]

_SAID = ("kind", "metric_ref", "dataset", "model", "group", "labels", "tags", "config", "metadata")
_SAME = ("status", *_SAID)


def says_same(root: Path, head: dict[str, Any]) -> bool:
    """Whether a head says of the job of its name what was said when that was made, its declarations among it."""
    document = job_document(root, f"{head['workspace']}/{head['name']}")
    if document is None or document["metrics"] != head["metrics"]:
        return False
    return all(document["job"].get(field) == head[field] for field in _SAID)


def is_same_job(root: Path, other: Path, path: str) -> bool:
    """Whether the jobs at `workspace/name` of two stores say the same, but for when and where they were made."""
    documents = [job_document(one, path) for one in (root, other)]
    if not all(documents):
        return False
    here, there = (document or {} for document in documents)
    if _told(here) != _told(there):
        return False
    database = Database()
    try:
        return all(
            _file(root, path, here, kind).exists()
            and not database.ask_file(
                "verify/differing_lines.sql",
                one=for_glob(_file(root, path, here, kind)),
                other=for_glob(_file(other, path, there, kind)),
            )
            .column(0)[0]
            .as_py()
            for kind in ("rows", "scores")
        )
    finally:
        database.close()


def _told(document: dict[str, Any]) -> list[Any]:
    """What was said of a job, and what was told of it that stands in no row."""
    aggregates = [aggregate for aggregate in document["aggregates"] if aggregate.get("is_told")]
    return [*(document["job"].get(field) for field in _SAME), document["metrics"], aggregates]


def _file(root: Path, path: str, document: dict[str, Any], kind: str) -> Path:
    return root / "jobs" / path / str(document["files"][kind]["name"])
