"""One typed function per file in `sql/queries/`. A test holds names, parameters and docstrings together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from datetime import datetime

    import pyarrow as pa

    from evalstore.session import Session

__all__ = [
    "Baseline",
    "Errors",
    "Kind",
    "Order",
    "accepted_jobs",
    "aggregate_scores",
    "baselines",
    "benchmark_metrics",
    "benchmark_missing",
    "benchmark_models",
    "benchmark_stated",
    "compare_flips",
    "compare_jobs",
    "compare_metrics",
    "compare_plain_metrics",
    "compare_rows",
    "compare_shape",
    "compare_texts",
    "compare_units",
    "compare_unscored",
    "evaluation_summary",
    "failed_rows",
    "failed_verdicts",
    "gate_metrics",
    "imported_jobs",
    "job",
    "jobs",
    "jobs_to_prune",
    "known_names",
    "last_job",
    "latest_runs",
    "leaderboard",
    "leaderboard_by",
    "metric_details",
    "metric_trend",
    "metric_trend_counting",
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
    "suite_trend_counting",
    "worst_rows",
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
    return session.ask_file(
        "benchmark_models",
        workspace=workspace,
        group=group,
        dataset=dataset,
        job_ids=job_ids,
        max_error_rate=max_error_rate,
    )


def benchmark_metrics(session: Session, *, job_ids: list[str]) -> pa.Table:
    """What these jobs scored in each metric: passed of evaluated, mean with its 95 % interval, rows in error."""
    return session.ask_file("benchmark_metrics", job_ids=job_ids)


def benchmark_missing(session: Session, *, workspace: str, group: str, dataset: str | None) -> pa.Table:
    """The models of a benchmark without a completed job: their jobs ended otherwise, or they were declared only."""
    return session.ask_file("benchmark_missing", workspace=workspace, group=group, dataset=dataset)


def benchmark_stated(session: Session, *, job_ids: list[str]) -> pa.Table:
    """What the files of a benchmark state of cost and choice, where these jobs were imported from such files."""
    return session.ask_file("benchmark_stated", job_ids=job_ids)


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


def compare_jobs(
    session: Session, *, baselines: list[str], candidate: str, metric: str | None = None, suite: str | None = None
) -> pa.Table:
    """What two sides have in common, from the catalog alone.

    Every metric of either, and whether they hold the same rows.
    """
    return session.ask_file("compare_jobs", baselines=baselines, candidate=candidate, metric=metric, suite=suite)


def compare_rows(session: Session, *, baselines: list[str], candidate: str, suite: str | None = None) -> pa.Table:
    """How many rows two sides share, by suite.

    With the same content, with other content under the same key, and on one side only.
    """
    jobs = [*baselines, candidate]
    return session.ask_file("compare_rows", files=jobs, baselines=baselines, candidate=candidate, suite=suite)


def compare_shape(session: Session, *, baselines: list[str], candidate: str, suite: str | None = None) -> pa.Table:
    """Whether the scores of two sides are plain, and how many rows failed, by suite.

    Plain is: no row is repeated or failed, no metric scores a row twice, and the baseline is one job.
    """
    jobs = [*baselines, candidate]
    return session.ask_file("compare_shape", files=jobs, baselines=baselines, candidate=candidate, suite=suite)


def compare_plain_metrics(
    session: Session,
    *,
    baselines: list[str],
    candidate: str,
    metric: str | None = None,
    suite: str | None = None,
) -> pa.Table:
    """The same of plain jobs (see compare_shape) without clusters, of which no row has other content.

    Of small jobs, planning the longer question takes longer than asking this one.
    """
    jobs = [*baselines, candidate]
    return session.ask_file(
        "compare_plain_metrics", files=jobs, baselines=baselines, candidate=candidate, metric=metric, suite=suite
    )


def compare_metrics(
    session: Session,
    *,
    baselines: list[str],
    candidate: str,
    errors: Errors,
    is_plain: bool,
    check_content: bool,
    told_by: str,
    cluster_source: str | None = None,
    cluster_path: str | None = None,
    slice_source: str | None = None,
    slice_path: str | None = None,
    metric: str | None = None,
    suite: str | None = None,
) -> pa.Table:
    """What statistics need of two sides that are compared row by row, one line per metric.

    And per slice, where one is named. The names of the metrics are those of compare_jobs, by their numbers.
    """
    parameters = {name: value for name, value in locals().items() if name != "session"}
    return session.ask_file("compare_metrics", files=[*baselines, candidate], **parameters)


def compare_units(
    session: Session,
    *,
    baselines: list[str],
    candidate: str,
    errors: Errors,
    is_plain: bool,
    check_content: bool,
    told_by: str,
    cluster_source: str | None = None,
    cluster_path: str | None = None,
    metric: str | None = None,
    suite: str | None = None,
) -> pa.Table:
    """The sums of the differences over what is independent: clusters, and rows that are in none.

    With how many units have that sum, whatever its sign.
    """
    parameters = {name: value for name, value in locals().items() if name != "session"}
    return session.ask_file("compare_units", files=[*baselines, candidate], **parameters)


def compare_unscored(
    session: Session,
    *,
    baselines: list[str],
    candidate: str,
    errors: Errors,
    is_plain: bool,
    check_content: bool,
    told_by: str,
    metric: str | None = None,
    suite: str | None = None,
) -> pa.Table:
    """How many rows of both sides are scored in the baseline alone, and not in error in the candidate, by metric.

    Rows that the candidate does not hold at all are no such rows.
    """
    parameters = {name: value for name, value in locals().items() if name != "session"}
    return session.ask_file("compare_unscored", files=[*baselines, candidate], **parameters)


def compare_flips(
    session: Session,
    *,
    baselines: list[str],
    candidate: str,
    errors: Errors,
    is_plain: bool,
    check_content: bool,
    told_by: str,
    flips: list[str],
    slice_source: str | None = None,
    slice_path: str | None = None,
    metric: str | None = None,
    suite: str | None = None,
    limit: int | None = None,
) -> pa.Table:
    """The rows that flipped in some of the ways that flip_name names.

    The greatest differences of a metric come first, and so many of each at most.
    """
    parameters = {name: value for name, value in locals().items() if name != "session"}
    return session.ask_file("compare_flips", files=[*baselines, candidate], **parameters)


def compare_texts(
    session: Session,
    *,
    baselines: list[str],
    candidate: str,
    rows: list[dict[str, Any]],
    row_keys: list[str],
    first_index: int | None = None,
    last_index: int | None = None,
) -> pa.Table:
    """What two sides hold of some rows: the item, both outputs, and what was said of both."""
    parameters = {name: value for name, value in locals().items() if name != "session"}
    return session.ask_file("compare_texts", files=[*baselines, candidate], **parameters)


def baselines(session: Session, *, workspace: str, baseline: str | None = None, with_history: bool) -> pa.Table:
    """The baselines of a workspace, or all versions of them, the newest first."""
    return session.ask_file("baselines", workspace=workspace, baseline=baseline, with_history=with_history)


def accepted_jobs(session: Session, *, job_id: str, last: int) -> pa.Table:
    """The newest accepted jobs of the series of a job, itself left out.

    Accepted is what was completed before it, has its rows, and passed the last gate that judged it or was set as a
    baseline once.
    """
    return session.ask_file("accepted_jobs", job_id=job_id, last=last)


def gate_metrics(session: Session, *, job_id: str) -> pa.Table:
    """What a gate wants to know of each metric of one job.

    Its mean with the spread of it, its rows, direction and class.
    """
    return session.ask_file("gate_metrics", job_id=job_id)


def worst_rows(session: Session, *, job_id: str, wanted: list[dict[str, str]], limit: int) -> pa.Table:
    """The rows of one job that speak most against some of its metrics: the lowest, the highest, or those in error.

    The mean of their repetitions counts; so many of each metric at most.
    """
    return session.ask_file("worst_rows", files=[job_id], job_id=job_id, wanted=wanted, limit=limit)
