"""Baselines and verdicts of gates: their truth is `meta/baselines.jsonl` and `meta/verdicts.jsonl`."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from evalstore import json_text, meta

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["BASELINES", "VERDICTS", "baselines", "set_baseline", "store_verdict", "verdicts"]

BASELINES = "baselines.jsonl"
VERDICTS = "verdicts.jsonl"
_TEXTS = {"baseline": ("job_id", "job", "git_commit", "note"), "verdict": ("message", "baseline", "git_commit")}


def set_baseline(root: Path, workspace: str, baseline: str, job: dict[str, Any] | None, note: str | None) -> None:
    """Writes down, durably, which job a baseline is from now on; none takes it away. Raises: OSError."""
    told = {"job_id": None, "job": None, "git_commit": None}
    if job is not None:
        told = {"job_id": job["job_id"], "job": job["name"], "git_commit": job["git_commit"]}
    entry = {"workspace": workspace, "baseline": baseline, **told, "note": note, "set_at": _now()}
    meta.append(root, BASELINES, entry)


def store_verdict(root: Path, verdict: dict[str, Any]) -> None:
    """Writes down a verdict, durably. Raises: OSError."""
    meta.append(root, VERDICTS, {"verdict_id": str(uuid.uuid4()), **verdict, "judged_at": _now()})


def baselines(root: Path) -> list[dict[str, Any]]:
    """Every version of every baseline, as lines of its table."""
    versions: dict[tuple[str, str], int] = {}
    lines = []
    for entry in meta.read(root, BASELINES):
        if _is_entry(entry, ("workspace", "baseline"), _TEXTS["baseline"], "set_at"):
            key = (entry["workspace"], entry["baseline"])
            versions[key] = versions.get(key, 0) + 1
            lines.append({**entry, "version": versions[key]})
    return lines


def verdicts(root: Path) -> list[dict[str, Any]]:
    """Every verdict, as lines of its table."""
    needed = ("verdict_id", "workspace", "job_id", "job", "outcome")
    found = [entry for entry in meta.read(root, VERDICTS) if _is_entry(entry, needed, _TEXTS["verdict"], "judged_at")]
    return [{**entry, "policy": json_text.dumps(entry.get("policy"))[0]} for entry in found]


def _is_entry(entry: Any, needed: tuple[str, ...], optional: tuple[str, ...], time: str) -> bool:
    """Whether an entry can be one; what else stands in the file stops nobody."""
    if not isinstance(entry, dict) or json_text.depth(entry) > json_text.DEEPEST:
        return False
    if not all(isinstance(entry.get(field), str) for field in (*needed, time)):
        return False
    if not all(isinstance(entry.get(field), str | None) for field in optional):
        return False
    try:
        return datetime.fromisoformat(entry[time]).tzinfo is not None
    except ValueError:
        return False


def _now() -> str:
    return datetime.now(UTC).isoformat()
