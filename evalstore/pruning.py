"""Pruning: which jobs may go, and what was done with them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from evalstore import deletion, queries
from evalstore.arrow_lines import as_dicts
from evalstore.errors import JobBusy, JobExists, JobNotFound, UsageError
from evalstore.protection import PIN, protected_jobs
from evalstore.row_dropping import drop_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    import polars as pl

    from evalstore.catalog import Catalog
    from evalstore.session import Session
    from evalstore.trash import Tombstone

__all__ = ["STATUSES", "PruneReport", "prune_jobs", "prune_trash"]

STATUSES = ("completed", "error", "interrupted", "cancelled")
_MOST = 2**31 - 1
_COLUMNS = ("workspace", "job", "job_id", "dataset", "model", "group", "status", "reason")


@dataclass(frozen=True)
class PruneReport:
    """What `prune` did, or with `dry_run` would have done.

    `action` is "delete" (into the trash), "drop rows" or "remove" (for good); `jobs` are those that it was done to, and
    `kept` those that fit as well and stay, with the `reason`: a baseline, tagged pinned, being written, too young.
    """

    action: Literal["delete", "drop rows", "remove"]
    jobs: list[dict[str, Any]]
    kept: list[dict[str, Any]] = field(default_factory=list)
    dry_run: bool = False

    def __len__(self) -> int:
        return len(self.jobs)

    @property
    def bytes(self) -> int:
        """How much their rows and scores take on the disk; after "delete" and "drop rows" the trash has it."""
        return sum(job["bytes"] for job in self.jobs)

    def to_polars(self) -> pl.DataFrame:
        """The jobs, one a line: their names, series and status, created_at, deleted_at, reason, bytes."""
        import polars as pl

        kinds: dict[str, Any] = dict.fromkeys(_COLUMNS, pl.String)
        moment = pl.Datetime("us", "UTC")
        kinds |= {"created_at": moment, "deleted_at": moment, "bytes": pl.Int64}
        return pl.DataFrame([{name: job.get(name) for name in kinds} for job in self.jobs], kinds)

    def to_dict(self) -> dict[str, Any]:
        """All of it, for JSON."""
        told = {"action": self.action, "dry_run": self.dry_run, "bytes": self.bytes}
        return {**told, "jobs": self.jobs, "kept": self.kept}


def prune_jobs(
    root: Path,
    catalog: Catalog,
    session: Session,
    *,
    workspace: str,
    keep_last: int | None,
    older_than: timedelta | None,
    status: str | Sequence[str] | None,
    rows_only: bool,
    dry_run: bool,
    progress: Callable[[int], None] | None = None,
) -> PruneReport:
    """Deletes jobs of a workspace, or drops their rows. `progress` is called with the number of jobs done.

    Raises: UsageError.
    """
    if keep_last is not None and (isinstance(keep_last, bool) or not 0 <= keep_last <= _MOST):
        raise UsageError(f"keep_last is a number of jobs, not {keep_last!r}")
    table = queries.jobs_to_prune(
        session,
        workspace=workspace,
        keep_last=keep_last,
        created_before=None if older_than is None else _before(older_than),
        statuses=_statuses(status),
        has_rows=rows_only,
        protected=sorted(protected_jobs(root)),
        pin=PIN,
    )
    found = as_dicts(table)
    jobs = [{k: v for k, v in line.items() if k != "kept_as"} for line in found if line["kept_as"] is None]
    kept = [{"reason": line.pop("kept_as"), **line} for line in found if line["kept_as"] is not None]
    action: Literal["delete", "drop rows"] = "drop rows" if rows_only else "delete"
    if dry_run or not jobs:
        return PruneReport(action, jobs, kept, dry_run)
    if rows_only:
        jobs, busy = _drop_rows_of(root, jobs, progress)
        kept += busy
        catalog.publish_if_possible()
    else:
        deletion.delete(root, catalog, [(job["job_id"], f"{job['workspace']}/{job['job']}") for job in jobs])
    return PruneReport(action, jobs, kept)


def prune_trash(root: Path, catalog: Catalog, *, older_than: timedelta | None, dry_run: bool) -> PruneReport:
    """Removes for good what was deleted long enough ago, and what dead processes have left.

    Raises: BrokenStore, StoreBusy.
    """
    age = older_than.total_seconds() if older_than else 0.0
    pruned = deletion.prune(root, catalog, older_than=age, dry_run=dry_run)
    return PruneReport("remove", list(_lines(pruned.jobs)), list(_lines(pruned.kept, "too young")), dry_run)


def _drop_rows_of(
    root: Path, jobs: list[dict[str, Any]], progress: Callable[[int], None] | None
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Those whose rows are gone now, and those that somebody is writing or has replaced."""
    done, busy = [], []
    for job in jobs:
        try:
            drop_rows(root, job["job_id"], f"{job['workspace']}/{job['job']}")
        except (JobBusy, JobExists, JobNotFound):
            busy.append({"reason": "being written", **job})
        else:
            done.append(job)
        if progress:
            progress(len(done) + len(busy))
    return done, busy


def _lines(stones: Iterable[Tombstone], reason: str | None = None) -> Iterable[dict[str, Any]]:
    for stone in stones:
        workspace, _, job = stone.path.partition("/")
        names = {"workspace": workspace, "job": job, "job_id": stone.job_id}
        yield {**names, "deleted_at": stone.deleted_at, "reason": reason or stone.reason, "bytes": stone.bytes}


def _before(age: timedelta) -> datetime:
    try:
        return datetime.now(UTC) - age
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC)


def _statuses(status: str | Sequence[str] | None) -> list[str] | None:
    wanted = [status] if isinstance(status, str) else list(status or ())
    if unknown := [one for one in wanted if one not in STATUSES]:
        raise UsageError(f"a job ends as one of {', '.join(STATUSES)}, not {unknown[0]!r}")
    return wanted or None
