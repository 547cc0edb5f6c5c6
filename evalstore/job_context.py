"""What a job says about itself before its first row: its names, references, declarations, and where the code stood."""

from __future__ import annotations

import os
import secrets
import subprocess
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from evalstore import json_text, names
from evalstore.errors import UsageError, near
from evalstore.models import declarations
from evalstore.staging import host

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Unpack

__all__ = ["JobContext", "git_state", "job_head", "prefixed_name"]

KINDS = ("evaluation", "benchmark", "comparison")


class JobContext(TypedDict, total=False):
    """What may be said of a job when it is opened; all of it is optional.

    `metric_ref`, `dataset` and `model` are references `workspace/name`; a bare name means `default/name`. `created_at`
    (with time zone) is for runs of the past. `metrics` declares metrics: `{"quality": {"minimum": 1, "maximum": 5}}`.
    """

    kind: Literal["evaluation", "benchmark", "comparison"]
    metric_ref: str | None
    dataset: str | None
    model: str | None
    group: str | None
    labels: Mapping[str, str] | None
    tags: Iterable[str]
    config: Any
    metrics: Mapping[str, Any] | None
    created_at: datetime | None


def job_head(
    name: str,
    *,
    workspace: str,
    source: Mapping[str, str | None] | None = None,
    metadata: Any = None,
    **context: Unpack[JobContext],
) -> dict[str, Any]:
    """The head of a job, checked, as plain JSON: all that its document will say except totals.

    Raises: InvalidName; UsageError, which names the field.
    """
    kind, tags, created = context.get("kind", "evaluation"), context.get("tags", ()), context.get("created_at")
    if unknown := context.keys() - JobContext.__annotations__.keys():
        raise UsageError(
            f"a job has no field {min(unknown)!r}; {near(min(unknown), [*JobContext.__annotations__, 'metadata'])}"
        )
    if kind not in KINDS:
        raise UsageError(f"kind is one of {', '.join(KINDS)}, not {kind!r}")
    if isinstance(tags, str):
        raise UsageError(f"tags is a list of texts: write tags=[{tags!r}]")
    if created is not None and created.tzinfo is None:
        raise UsageError(f"created_at {created.isoformat()} has no time zone: write datetime(..., tzinfo=UTC)")
    moment = (created or datetime.now(UTC)).astimezone(UTC).isoformat()
    head = {
        "job_id": str(uuid.uuid4()),
        "workspace": names.check_name(workspace, "workspace"),
        "name": names.check_name(name),
        "kind": kind,
        "metric_ref": names.reference(context.get("metric_ref"), "metric reference"),
        "dataset": names.reference(context.get("dataset"), "dataset"),
        "model": names.reference(context.get("model"), "model"),
        "group": context.get("group"),
        "labels": _labels(context.get("labels")),
        "tags": sorted({str(tag) for tag in tags}),
        "config": context.get("config"),
        "metadata": metadata,
        "metrics": [one.document() for one in declarations(context.get("metrics"))],
        "created_at": moment,
        "started_at": moment,
        "writing_since": datetime.now(UTC).isoformat(),  # by the clock of this machine, as the times of its files
        "source": dict(source) if source else None,
        **({} if source else git_state()),  # results that are brought in were not made by the code around us
        "host": host(),
        "pid": os.getpid(),
    }
    # Checked and replaced here, so that whatever is made of the head later can be written.
    texts = {field: json_text.given(field, value) for field, value in head.items()}
    head = {field: json_text.loads(text) for field, (text, _) in texts.items()}
    return {**head, "tags": sorted(set(head["tags"])), "replaced_characters": sum(count for _, count in texts.values())}


def _labels(labels: Mapping[str, str] | None) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in (labels or {}).items():
        if str(key) in found:
            raise UsageError(f"labels: two keys are both {str(key)!r} as text; give them texts that differ")
        found[str(key)] = str(value)
    return found


def prefixed_name(prefix: str) -> str:
    """A fresh name: the prefix, the time in UTC, and four hex digits."""
    return f"{prefix}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"


def git_state() -> dict[str, Any]:
    """Commit, branch and dirty flag (tracked files only) of the current folder; {} outside a repository."""
    command = ["git", "status", "--porcelain=v2", "--branch", "--untracked-files=no"]
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, env=environment, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return {}
    if done.returncode:
        return {}
    lines = done.stdout.splitlines()
    head = {line.split()[1]: line.split(maxsplit=2)[2] for line in lines if line.startswith("# branch.")}
    commit, branch = head.get("branch.oid"), head.get("branch.head")
    return {
        "git_commit": None if commit == "(initial)" else commit,
        "git_branch": None if branch == "(detached)" else branch,
        "git_dirty": any(not line.startswith("#") for line in lines),
    }
