"""Checks what is asked of the rows and scores of a job: a wrong word is an error that names the right ones."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, get_args

from evalstore.errors import UnknownField, UsageError, near
from evalstore.queries import Order

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["check_names", "check_not_told", "check_order", "checked_columns", "checked_limit"]

_MOST = 2**63 - 1


def check_names(job: dict[str, Any], metric: Any, suite: Any, more: Iterable[tuple[str, str]] = ()) -> set[str]:
    """The metrics of a job, as its line tells them. `more` are pairs of suite and metric that it has beside them.

    Raises: UnknownField for a suite that it has not, or a metric that it, or that suite, has not; UsageError.
    """
    for field, given in (("metric", metric), ("suite", suite)):
        if given is not None and not isinstance(given, str):
            raise UsageError(f"{field} is a name, not {given!r}")
    pairs = [(one["name"], score["metric"]) for one in job["suites"] or () for score in one["metrics"]] + [*more]
    suites = {one["name"] for one in job["suites"] or ()} | {one for one, _ in pairs}
    if suite is not None and suite not in suites:
        raise UnknownField(f"job {job['name']!r} has no suite {suite!r}; {near(suite, suites)}")
    metrics = {one for of_suite, one in pairs if suite in (None, of_suite)}
    if metric is not None and metric not in metrics:
        where = "" if suite is None else f" in suite {suite!r}"
        raise UnknownField(f"job {job['name']!r} has no metric {metric!r}{where}; {near(metric, metrics)}")
    return {one for _, one in pairs}


def check_not_told(job: str, scores: list[dict[str, Any]], by: str | None, errors: str) -> None:
    """Raises: UsageError where one of these scores was told by its counts, and its rows are asked."""
    told = dict.fromkeys(one["metric"] for one in scores if one["is_told"])
    if not told:
        return
    worth = "0" if errors == "zero" else "the worst value"
    what = f"which errors to count as {worth}" if by is None else f"which rows stand behind each {by}"
    with_rows = dict.fromkeys(one["metric"] for one in scores if one["metric"] not in told)
    rest = f"; of {', '.join(with_rows)} there are rows: ask for one of them as metric" if with_rows else ""
    raise UsageError(
        f"of {', '.join(told)} of job {job!r} only counts were told, and counts alone cannot tell {what}{rest}"
    )


def check_order(order: Any) -> None:
    """Raises: UsageError for what is no order."""
    if order is not None and order not in get_args(Order):
        raise UsageError(f"order is one of {', '.join(get_args(Order))}, not {order!r}")


def checked_limit(limit: Any) -> int | None:
    """A number of rows, None for all. Raises: UsageError."""
    if limit is None:
        return None
    try:
        number = -1 if isinstance(limit, bool) else operator.index(limit)
    except TypeError:
        number = -1
    if number < 0:
        raise UsageError(f"limit is a whole number from 0 up, not {limit!r}")
    return min(number, _MOST)


def checked_columns(columns: Any) -> list[str]:
    """The parts of rows that are wanted; all where none are named. Raises: UnknownField, UsageError."""
    from evalstore.rows import COLUMNS

    if columns is None:
        return list(COLUMNS)
    if isinstance(columns, str) or not hasattr(columns, "__iter__"):
        raise UsageError(f"columns is a list of parts such as ['item', 'sample'], not {columns!r}")
    wanted = list(columns)
    for one in wanted:
        if one not in COLUMNS:
            raise UnknownField(f"a row has no part {one!r}; {near(str(one), COLUMNS, most=20)}")
    return wanted
