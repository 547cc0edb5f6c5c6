"""What jobs scored, as a whole, by suite and row by row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

    from evalstore.queries.words import Errors, Order
    from evalstore.session import Session

__all__ = [
    "aggregate_scores",
    "failed_rows",
    "failed_verdicts",
    "latest_runs",
    "leaderboard",
    "leaderboard_by",
    "metric_details",
    "row_details",
    "row_scores",
    "select_rows",
    "sliced_scores",
    "suite_scores",
    "worst_rows",
]


def latest_runs(
    session: Session,
    *,
    workspace: str,
    dataset: str | None = None,
    model: str | None = None,
    group: str | None = None,
    with_failed: bool = False,
    limit: int | None = None,
) -> pa.Table:
    """The latest evaluations of a workspace, the newest first; failed ones only when they are asked for."""
    return session.ask_file(
        "latest_runs",
        workspace=workspace,
        dataset=dataset,
        model=model,
        group=group,
        with_failed=with_failed,
        limit=limit,
    )


def suite_scores(
    session: Session,
    *,
    workspace: str,
    suite: str | None = None,
    dataset: str | None = None,
    model: str | None = None,
    limit: int | None = None,
) -> pa.Table:
    """How each suite did from evaluation to evaluation, the newest first."""
    return session.ask_file("suite_scores", workspace=workspace, suite=suite, dataset=dataset, model=model, limit=limit)


def metric_details(
    session: Session,
    *,
    workspace: str,
    job: str | None = None,
    suite: str | None = None,
    metric: str | None = None,
    limit: int | None = None,
) -> pa.Table:
    """The metrics of suites from evaluation to evaluation: how many passed of how many, the newest first."""
    return session.ask_file("metric_details", workspace=workspace, job=job, suite=suite, metric=metric, limit=limit)


def failed_verdicts(
    session: Session, *, job_id: str, suite: str | None = None, metric: str | None = None, limit: int | None = None
) -> pa.Table:
    """The rows of a job that did not pass, each with its verdict; those in error are apart: see the view `failures`."""
    return session.ask_file("failed_verdicts", files=[job_id], job_id=job_id, suite=suite, metric=metric, limit=limit)


def row_details(session: Session, *, job_id: str) -> pa.Table:
    """Every row of a job under every metric of its suite, with the score that it has there, if any."""
    return session.ask_file("row_details", files=[job_id], job_id=job_id)


def leaderboard(
    session: Session,
    *,
    workspace: str,
    metric: str | None = None,
    name: str | None = None,
    suite: str | None = None,
    dataset: str | None = None,
    any_status: bool = False,
) -> pa.Table:
    """Which model is best: the latest completed job per model and dataset, ranked by the mean over the same rows."""
    return session.ask_file(
        "leaderboard",
        workspace=workspace,
        metric=metric,
        name=name,
        suite=suite,
        dataset=dataset,
        any_status=any_status,
    )


def leaderboard_by(
    session: Session,
    *,
    errors: Errors,
    workspace: str,
    metric: str | None = None,
    name: str | None = None,
    suite: str | None = None,
    dataset: str | None = None,
    any_status: bool = False,
) -> pa.Table:
    """Which model is best when rows in error count as zero or as the worst value, or are left out."""
    return session.ask_file(
        "leaderboard_by",
        files="all",
        workspace=workspace,
        metric=metric,
        name=name,
        suite=suite,
        dataset=dataset,
        errors=errors,
        any_status=any_status,
    )


def aggregate_scores(session: Session, *, job_id: str, metric: str | None = None, suite: str | None = None) -> pa.Table:
    """The aggregate scores of one job, as they were computed when it was committed."""
    return session.ask_file("aggregate_scores", job_id=job_id, metric=metric, suite=suite)


def sliced_scores(
    session: Session,
    *,
    job_id: str,
    slice_source: str | None = None,
    slice_path: str | None = None,
    cluster_source: str | None = None,
    cluster_path: str | None = None,
    errors: Errors = "exclude",
    metric: str | None = None,
    suite: str | None = None,
) -> pa.Table:
    """The aggregate scores of one job per slice of its rows, or under another policy for errors."""
    return session.ask_file(
        "sliced_scores",
        files=[job_id],
        job_id=job_id,
        slice_source=slice_source,
        slice_path=slice_path,
        cluster_source=cluster_source,
        cluster_path=cluster_path,
        errors=errors,
        metric=metric,
        suite=suite,
    )


def select_rows(
    session: Session,
    *,
    job_id: str,
    conditions: list[dict[str, Any]],
    order: Order | None = None,
    metric: str | None = None,
    suite: str | None = None,
    limit: int | None = None,
    columns: list[str],
) -> pa.Table:
    """The rows of one job that meet all conditions, the worst or best first where asked, rows in error before them."""
    return session.ask_file(
        "select_rows",
        files=[job_id],
        job_id=job_id,
        conditions=conditions,
        order=order,
        metric=metric,
        suite=suite,
        limit=limit,
        columns=columns,
    )


def row_scores(session: Session, *, job_id: str, metric: str | None = None, suite: str | None = None) -> pa.Table:
    """The scores of one job in long form, in the order of its rows."""
    return session.ask_file("row_scores", files=[job_id], job_id=job_id, metric=metric, suite=suite)


def failed_rows(session: Session, *, job_id: str) -> pa.Table:
    """How many rows of one job failed: their targets gave no output."""
    return session.ask_file("failed_rows", files=[job_id], job_id=job_id)


def worst_rows(session: Session, *, job_id: str, wanted: list[dict[str, str]], limit: int) -> pa.Table:
    """The rows of one job that speak most against some of its metrics: the lowest, the highest, or those in error.

    The mean of their repetitions counts; so many of each metric at most.
    """
    return session.ask_file("worst_rows", files=[job_id], job_id=job_id, wanted=wanted, limit=limit)
