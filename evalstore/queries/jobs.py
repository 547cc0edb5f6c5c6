"""Which jobs there are, and where their files lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    import pyarrow as pa

    from evalstore.queries.words import Kind
    from evalstore.session import Session

__all__ = [
    "accepted_jobs",
    "imported_jobs",
    "job",
    "jobs",
    "jobs_left",
    "jobs_to_prune",
    "known_names",
    "last_job",
    "score_files",
]


def jobs(
    session: Session,
    *,
    workspace: str | None,
    status: str | None = None,
    dataset: str | None = None,
    model: str | None = None,
    group: str | None = None,
    tag: str | None = None,
    limit: int | None = None,
) -> pa.Table:
    """The jobs of a workspace, newest first."""
    return session.ask_file(
        "jobs", workspace=workspace, status=status, dataset=dataset, model=model, group=group, tag=tag, limit=limit
    )


def job(session: Session, *, workspace: str, name: str) -> pa.Table:
    """Everything that is known of one job."""
    return session.ask_file("job", workspace=workspace, name=name)


def jobs_left(session: Session, *, job_ids: list[str]) -> pa.Table:
    """Which of some jobs are still in the store as they were, by their ids."""
    return session.ask_file("jobs_left", job_ids=job_ids)


def last_job(
    session: Session, *, workspace: str, last: int, dataset: str | None = None, model: str | None = None
) -> pa.Table:
    """The n-th newest completed job of a workspace (0 = the newest), of one dataset and model where they are named."""
    return session.ask_file("last_job", workspace=workspace, last=last, dataset=dataset, model=model)


def known_names(session: Session, *, workspace: str, kind: Kind) -> pa.Table:
    """The names of one kind that a workspace knows, the newest first."""
    return session.ask_file("known_names", workspace=workspace, kind=kind)


def imported_jobs(session: Session, *, workspace: str) -> pa.Table:
    """The jobs of a workspace that were imported, by the content hash of what they were imported from."""
    return session.ask_file("imported_jobs", workspace=workspace)


def jobs_to_prune(
    session: Session,
    *,
    workspace: str,
    keep_last: int | None,
    created_before: datetime | None,
    statuses: list[str] | None,
    has_rows: bool,
    protected: list[str],
    pin: str,
) -> pa.Table:
    """The jobs of a workspace that may go: of each series all but the newest of a status, and created before a time."""
    return session.ask_file(
        "jobs_to_prune",
        workspace=workspace,
        keep_last=keep_last,
        created_before=created_before,
        statuses=statuses,
        has_rows=has_rows,
        protected=protected,
        pin=pin,
    )


def score_files(session: Session, *, job_ids: list[str] | None = None) -> pa.Table:
    """The Parquet files of jobs, relative to the root; all jobs when none are named."""
    return session.ask_file("score_files", job_ids=job_ids)


def accepted_jobs(session: Session, *, job_id: str, last: int) -> pa.Table:
    """The newest accepted jobs of the series of a job, itself left out.

    Accepted is what was completed before it, has its rows, and passed the last gate that judged it or was set as a
    baseline once.
    """
    return session.ask_file("accepted_jobs", job_id=job_id, last=last)
