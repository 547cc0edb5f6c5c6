"""What is said of jobs after they were committed: tags added and removed, and notes. The truth is `meta/tags.jsonl`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from evalstore import json_text, meta

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["FILE", "carry_over", "is_sound", "repeat", "said", "say"]

FILE = "tags.jsonl"


def say(
    root: Path, job_id: str, *, add: Iterable[str] = (), remove: Iterable[str] = (), note: str | None = None
) -> None:
    """Writes down what is said of a job, durably. Raises: OSError."""
    notes = [] if note is None else [{"note": note, "noted_at": datetime.now(UTC).isoformat()}]
    meta.append(root, FILE, {"job_id": job_id, "add": sorted(set(add)), "remove": sorted(set(remove)), "notes": notes})


def said(root: Path) -> dict[str, dict[str, Any]]:
    """Per job_id the tags that are `added` and `removed` in the end, and the `notes` in their order."""
    found: dict[str, dict[str, Any]] = {}
    for entry in meta.read(root, FILE):
        if not _is_entry(entry):
            continue
        job_id = json_text.as_written(entry["job_id"])
        one = found.setdefault(job_id, {"job_id": job_id, "added": [], "removed": [], "notes": []})
        for here, there, tags in (("removed", "added", entry["remove"]), ("added", "removed", entry["add"])):
            one[there] = [tag for tag in one[there] if tag not in tags]
            one[here] = sorted({*one[here], *tags})
        one["notes"] += entry["notes"]
    return found


def carry_over(root: Path, old: str, new: str) -> None:
    """What was said of a job is said of the one that goes on with it."""
    one = said(root).get(old)
    if one is not None:
        entry = {"job_id": new, "add": one["added"], "remove": one["removed"], "notes": one["notes"]}
        meta.append(root, FILE, entry)


def repeat(root: Path, job_id: str, told: dict[str, Any]) -> None:
    """Says of a job what was said of it in another store, as `said` gives it; but for what is said here already."""
    here = said(root).get(job_id)
    if here is None or any(told[part] != here[part] for part in ("added", "removed", "notes")):
        notes = [note for note in told["notes"] if here is None or note not in here["notes"]]
        meta.append(root, FILE, {"job_id": job_id, "add": told["added"], "remove": told["removed"], "notes": notes})


def is_sound(told: Any) -> bool:
    """Whether something can be what `said` gives of a job."""
    if not isinstance(told, dict):
        return False
    parts = {"add": told.get("added"), "remove": told.get("removed"), "notes": told.get("notes")}
    return _is_entry({"job_id": "", **parts})


def _is_entry(entry: Any) -> bool:
    """Whether an entry can be one; what else stands in the file stops nobody."""
    if not isinstance(entry, dict) or not isinstance(entry.get("job_id"), str):
        return False
    lists = [entry.get(part) for part in ("add", "remove", "notes")]
    if not all(isinstance(part, list) for part in lists):
        return False
    is_tagged = all(isinstance(tag, str) for tag in (*entry["add"], *entry["remove"]))
    return is_tagged and all(_is_note(note) for note in entry["notes"])


def _is_note(note: Any) -> bool:
    if not isinstance(note, dict) or not all(isinstance(note.get(part), str) for part in ("note", "noted_at")):
        return False
    try:
        return datetime.fromisoformat(note["noted_at"]).tzinfo is not None
    except ValueError:
        return False
