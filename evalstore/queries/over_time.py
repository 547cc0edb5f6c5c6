"""How scores went from job to job, how evaluations stand, and what the models of a group cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import pyarrow as pa

    from evalstore.queries.words import Baseline, Errors
    from evalstore.session import Session

__all__ = [
    "benchmark_jobs",
    "benchmark_metrics",
    "benchmark_missing",
    "benchmark_models",
    "benchmark_stated",
    "evaluation_summary",
    "metric_trend",
    "metric_trend_counting",
    "suite_trend",
    "suite_trend_counting",
]


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


def suite_trend(
    session: Session,
    *,
    workspace: str,
    suite: str | None = None,
    dataset: str | None = None,
    model: str | None = None,
    group: str | None = None,
    last_points: int | None = None,
    last_days: int | None = None,
    per: Literal["run", "day"] = "run",
    any_status: bool = False,
) -> pa.Table:
    """How the overall score of suites went from job to job, per series, with mean and spread over a window."""
    return session.ask_file(
        "suite_trend",
        workspace=workspace,
        suite=suite,
        dataset=dataset,
        model=model,
        group=group,
        last_points=last_points,
        last_days=last_days,
        per=per,
        any_status=any_status,
    )


def suite_trend_counting(
    session: Session,
    *,
    workspace: str,
    errors: Errors,
    suite: str | None = None,
    dataset: str | None = None,
    model: str | None = None,
    group: str | None = None,
    last_points: int | None = None,
    last_days: int | None = None,
    per: Literal["run", "day"] = "run",
    any_status: bool = False,
) -> pa.Table:
    """How the overall score of suites went from job to job, with rows in error counted in it."""
    return session.ask_file(
        "suite_trend_counting",
        files="all",
        workspace=workspace,
        suite=suite,
        dataset=dataset,
        model=model,
        group=group,
        errors=errors,
        last_points=last_points,
        last_days=last_days,
        per=per,
        any_status=any_status,
    )


def metric_trend(
    session: Session,
    *,
    workspace: str,
    metric: str,
    name: str | None = None,
    suite: str | None = None,
    dataset: str | None = None,
    model: str | None = None,
    group: str | None = None,
    last_points: int | None = None,
    last_days: int | None = None,
    per: Literal["run", "day"] = "run",
    any_status: bool = False,
) -> pa.Table:
    """How the mean of a metric went from job to job, per series, with mean and spread over a window."""
    return session.ask_file(
        "metric_trend",
        workspace=workspace,
        metric=metric,
        name=name,
        suite=suite,
        dataset=dataset,
        model=model,
        group=group,
        last_points=last_points,
        last_days=last_days,
        per=per,
        any_status=any_status,
    )


def metric_trend_counting(
    session: Session,
    *,
    workspace: str,
    errors: Errors,
    metric: str,
    name: str | None = None,
    suite: str | None = None,
    dataset: str | None = None,
    model: str | None = None,
    group: str | None = None,
    last_points: int | None = None,
    last_days: int | None = None,
    per: Literal["run", "day"] = "run",
    any_status: bool = False,
) -> pa.Table:
    """How the mean of a metric went from job to job, with rows in error counted in it."""
    return session.ask_file(
        "metric_trend_counting",
        files="all",
        workspace=workspace,
        metric=metric,
        name=name,
        suite=suite,
        dataset=dataset,
        model=model,
        group=group,
        errors=errors,
        last_points=last_points,
        last_days=last_days,
        per=per,
        any_status=any_status,
    )


def benchmark_jobs(
    session: Session, *, workspace: str | None = None, group: str | None = None, dataset: str | None = None
) -> pa.Table:
    """The jobs that a benchmark compares: the latest completed one of each model."""
    return session.ask_file("benchmark_jobs", workspace=workspace, group=group, dataset=dataset)


def benchmark_models(
    session: Session,
    *,
    max_error_rate: float,
    workspace: str | None = None,
    group: str | None = None,
    dataset: str | None = None,
    job_ids: list[str] | None = None,
) -> pa.Table:
    """What the models of a benchmark scored and cost, by the latest completed job of each, and which are best."""

    def ask() -> pa.Table:
        files = job_ids
        if files is None:
            found = benchmark_jobs(session, workspace=workspace, group=group, dataset=dataset)
            files = found.column("job_id").to_pylist()
        return session.ask_file(
            "benchmark_models",
            files=files,
            workspace=workspace,
            group=group,
            dataset=dataset,
            job_ids=job_ids,
            max_error_rate=max_error_rate,
        )

    return session.consistently(ask)


def benchmark_metrics(session: Session, *, job_ids: list[str]) -> pa.Table:
    """What these jobs scored in each metric: passed of evaluated, mean with its 95 % interval, rows in error."""
    return session.ask_file("benchmark_metrics", job_ids=job_ids)


def benchmark_missing(session: Session, *, workspace: str, group: str, dataset: str | None) -> pa.Table:
    """The models of a benchmark without a completed job: their jobs ended otherwise, or they were declared only."""
    return session.ask_file("benchmark_missing", workspace=workspace, group=group, dataset=dataset)


def benchmark_stated(session: Session, *, job_ids: list[str]) -> pa.Table:
    """What the files of a benchmark state of cost and choice, where these jobs were imported from such files."""
    return session.ask_file("benchmark_stated", job_ids=job_ids)
