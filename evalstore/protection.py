"""Which jobs are kept whatever is pruned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evalstore import judgements, meta

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["PIN", "protected_jobs"]

PIN = "pinned"
"""A job with this tag stays."""


def protected_jobs(root: Path) -> set[str]:
    """The ids of all jobs that are, or ever were, a baseline: what was accepted once is what others are judged by."""
    entries = (entry for entry in meta.read(root, judgements.BASELINES) if isinstance(entry, dict))
    return {entry["job_id"] for entry in entries if isinstance(entry.get("job_id"), str)}
