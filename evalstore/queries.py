"""One typed function per file in `sql/queries/`. A test holds names, parameters and docstrings together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pyarrow as pa

    from evalstore.session import Session

__all__ = [
    "Baseline",
    "Errors",
    "Kind",
    "Order",
    "aggregate_scores",
    "evaluation_summary",
    "failed_rows",
    "failed_verdicts",
    "imported_jobs",
    "job",
    "jobs",
    "known_names",
    "last_job",
    "latest_runs",
    "leaderboard",
    "metric_details",
    "metric_trend",
    "result_lines",
    "result_places",
    "result_score_places",
    "result_scores",
    "row_details",
    "row_scores",
    "score_files",
    "select_rows",
    "sliced_scores",
    "suite_scores",
    "suite_trend",
]

Baseline = Literal["previous", "first_in_window", "window_mean", "job"]
Errors = Literal["exclude", "zero", "worst"]
Order = Literal["worst", "best"]
Kind = Literal["job", "dataset", "model", "group", "tag", "suite", "metric", "name", "interrupted"]


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


def last_job(
    session: Session, *, workspace: str, last: int, dataset: str | None = None, model: str | None = None
) -> pa.Table:
    """The n-th newest completed job of a workspace (0 = the newest), of one dataset and model where they are named."""
    return session.ask_file("last_job", workspace=workspace, last=last, dataset=dataset, model=model)


def known_names(session: Session, *, workspace: str, kind: Kind) -> pa.Table:
    """The names of one kind that a workspace knows, the newest first."""
    return session.ask_file("known_names", workspace=workspace, kind=kind)


def evaluation_summary(
    session: Session,
    *,
    workspace: str | None,
    job_ids: list[str] | None = None,
    dataset: str | None = None,
    model: str | None = None,
    group: str | None = None,
    baseline: Baseline = "previous",
    baseline_job_id: str | None = None,
    epsilon: float = 0.01,
    days: int = 7,
) -> pa.Table:
    """The latest completed evaluation, how its score stands to a baseline, and the scores of the days before it.

    The score of a day is that of its last run (UTC); a day without one is absent. Only runs of one series (dataset,
    model, group) are compared: that of the latest.
    """
    return session.ask_file(
        "evaluation_summary",
        workspace=workspace,
        job_ids=job_ids,
        dataset=dataset,
        model=model,
        group=group,
        baseline=baseline,
        baseline_job_id=baseline_job_id,
        epsilon=epsilon,
        days=days,
    )


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


def imported_jobs(session: Session, *, workspace: str) -> pa.Table:
    """The jobs of a workspace that were imported, by the content hash of what they were imported from."""
    return session.ask_file("imported_jobs", workspace=workspace)


def leaderboard(
    session: Session,
    *,
    workspace: str,
    metric: str | None = None,
    name: str | None = None,
    suite: str | None = None,
    dataset: str | None = None,
    errors: Errors = "exclude",
) -> pa.Table:
    """Which model is best: the latest completed job per model and dataset, ranked by the mean over the same rows."""
    parameters: dict[str, Any] = {"metric": metric, "name": name, "suite": suite, "dataset": dataset, "errors": errors}
    return session.ask_file(
        "leaderboard", files=None if errors == "exclude" else "all", workspace=workspace, **parameters
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


def suite_trend(
    session: Session,
    *,
    workspace: str,
    suite: str | None = None,
    dataset: str | None = None,
    model: str | None = None,
) -> pa.Table:
    """How the overall score of suites went from job to job, per series."""
    return session.ask_file("suite_trend", workspace=workspace, suite=suite, dataset=dataset, model=model)


def metric_trend(
    session: Session,
    *,
    workspace: str,
    metric: str,
    name: str | None = None,
    suite: str | None = None,
    dataset: str | None = None,
    model: str | None = None,
) -> pa.Table:
    """How the mean of a metric went from job to job, per series."""
    return session.ask_file(
        "metric_trend", workspace=workspace, metric=metric, name=name, suite=suite, dataset=dataset, model=model
    )


def score_files(session: Session, *, job_ids: list[str] | None = None) -> pa.Table:
    """The Parquet files of jobs, relative to the root; all jobs when none are named."""
    return session.ask_file("score_files", job_ids=job_ids)


def result_lines(session: Session, *, places: list[int]) -> pa.Table:
    """Everything but the scores of the results at these places of the table `job`."""
    return session.ask_file("result_lines", places=places)


def result_places(session: Session, *, job_id: str) -> pa.Table:
    """Where in the table `job` a job stands."""
    return session.ask_file("result_places", job_id=job_id)


def result_score_places(session: Session, *, job_numbers: list[int]) -> pa.Table:
    """Where in the table `aggregate_score` the scores of these jobs stand."""
    return session.ask_file("result_score_places", job_numbers=job_numbers)


def result_scores(session: Session, *, places: list[int]) -> pa.Table:
    """The aggregate scores at these places of the table `aggregate_score`, those of a job by suite, metric and name."""
    return session.ask_file("result_scores", places=places)
