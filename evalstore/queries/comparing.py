"""What changed between jobs, and what they are held against."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

    from evalstore.queries.words import Errors
    from evalstore.session import Session

__all__ = [
    "baselines",
    "clustered_rows",
    "compare_flips",
    "compare_jobs",
    "compare_labels",
    "compare_metrics",
    "compare_plain_flips",
    "compare_plain_metrics",
    "compare_rows",
    "compare_shape",
    "compare_texts",
    "compare_units",
    "compare_unscored",
    "error_values",
    "gate_failures",
    "gate_metrics",
]


def compare_jobs(
    session: Session, *, baselines: list[str], candidate: str, metric: str | None = None, suite: str | None = None
) -> pa.Table:
    """What two sides have in common, from the catalog alone.

    Every metric of either, and whether they hold the same rows.
    """
    return session.ask_file("compare_jobs", baselines=baselines, candidate=candidate, metric=metric, suite=suite)


def compare_labels(
    session: Session, *, baselines: list[str], candidate: str, metric: str | None = None, suite: str | None = None
) -> pa.Table:
    """How many rows have labels without a number on both sides, and how many of these have other labels, by metric.

    Of repetitions and several baselines the different labels count.
    """
    jobs = [*baselines, candidate]
    return session.ask_file(
        "compare_labels", files=jobs, baselines=baselines, candidate=candidate, metric=metric, suite=suite
    )


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
    told_by: list[str],
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
    told_by: list[str],
    cluster_source: str | None = None,
    cluster_path: str | None = None,
    slice_source: str | None = None,
    slice_path: str | None = None,
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
    told_by: list[str],
    metric: str | None = None,
    suite: str | None = None,
) -> pa.Table:
    """How many rows of both sides are scored on one alone, and not in error on the other, by metric.

    Rows that the other side does not hold at all are no such rows.
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
    told_by: list[str],
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


def compare_plain_flips(
    session: Session,
    *,
    baselines: list[str],
    candidate: str,
    flips: list[str],
    limit: int,
    metric: str | None = None,
    suite: str | None = None,
) -> pa.Table:
    """So many of those rows, of plain jobs (see compare_shape) without slices, of which no row has other content.

    Of a million rows those few are kept while they are read: to sort them all takes as long as to find them.
    """
    parameters = {name: value for name, value in locals().items() if name != "session"}
    return session.ask_file("compare_plain_flips", files=[*baselines, candidate], **parameters)


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
    """What two sides hold of some rows: the item, both outputs, and what was said of both.

    Of several repetitions or baselines, those that show best what became of the row.
    """
    parameters = {name: value for name, value in locals().items() if name != "session"}
    return session.ask_file("compare_texts", files=[*baselines, candidate], **parameters)


def baselines(session: Session, *, workspace: str, baseline: str | None = None, with_history: bool) -> pa.Table:
    """The baselines of a workspace, or all versions of them, the newest first."""
    return session.ask_file("baselines", workspace=workspace, baseline=baseline, with_history=with_history)


def gate_metrics(session: Session, *, job_id: str) -> pa.Table:
    """What a gate wants to know of each metric of one job.

    Its mean with the spread of it, its rows, direction and class, and whether it was told by its counts.
    """
    return session.ask_file("gate_metrics", job_id=job_id)


def gate_failures(session: Session, *, job_id: str) -> pa.Table:
    """Which rows of one job failed: by suite, and by metric those of them that have a score nevertheless.

    The lines of suites have neither metric nor name.
    """
    return session.ask_file("gate_failures", files=[job_id], job_id=job_id)


def error_values(session: Session, *, baselines: list[str], candidate: str) -> pa.Table:
    """What the policy "worst" makes of an error in each metric of a job: in the job alone, and beside its baselines.

    And whether that is declared (or plain pass and fail), or only the worst score that was seen.
    """
    return session.ask_file("error_values", files=[*baselines, candidate], baselines=baselines, candidate=candidate)


def clustered_rows(
    session: Session, *, job_id: str, cluster_source: str | None = None, cluster_path: str | None = None
) -> pa.Table:
    """How many rows of one job there are, and how many of them name a cluster, by suite.

    The cluster is that of the rows, or a field of them that is named.
    """
    return session.ask_file(
        "clustered_rows", files=[job_id], job_id=job_id, cluster_source=cluster_source, cluster_path=cluster_path
    )
