"""How scores went from job to job: the parameters of a trend, and its frame."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal, get_args

from evalstore import frames, queries
from evalstore.errors import UsageError

if TYPE_CHECKING:
    import polars as pl

    from evalstore.session import Session

__all__ = ["Axis", "check_window", "series_columns", "series_title", "trend"]

Axis = Literal["time", "day", "run"]
"""What a point is: each job at its time, the last complete job of each UTC day, or each job by its number."""

_COLUMNS: dict[Axis, str] = {"time": "created_at", "day": "day", "run": "position"}
_SERIES = ("dataset", "model", "group", "suite", "metric", "name")
_DAYS = {"d": 1, "w": 7}
_LONGEST = 100_000  # points or days: what DuckDB can add to any date


def trend(
    session: Session,
    *,
    workspace: str,
    metric: str | None,
    name: str | None,
    x: Axis,
    window: str | int,
    errors: queries.Errors,
    **narrow: Any,
) -> pl.DataFrame:
    """The points of all series that are asked for; `x` is the column that says where each stands.

    Raises: UsageError.
    """
    if metric is None and name is not None:
        raise UsageError("trend: `name` narrows a metric; give the metric too")
    if x not in _COLUMNS:
        raise UsageError(f"x is one of {', '.join(get_args(Axis))}, not {x!r}")
    last_points, last_days = check_window(window)
    over: dict[str, Any] = {"last_points": last_points, "last_days": last_days, "per": "day" if x == "day" else "run"}
    asked: dict[str, Any] = {"workspace": workspace, **over, **narrow}
    if metric is None:
        if errors == "exclude":
            table = queries.suite_trend(session, **asked)
        else:
            table = queries.suite_trend_counting(session, errors=errors, **asked)
    else:
        asked |= {"metric": metric, "name": name}
        if errors == "exclude":
            table = queries.metric_trend(session, **asked)
        else:
            table = queries.metric_trend_counting(session, errors=errors, **asked)
    return frames.to_polars(table.append_column("x", table.column(_COLUMNS[x])))


def check_window(window: str | int) -> tuple[int | None, int | None]:
    """A window as a number of points, or as one of UTC days. Raises: UsageError."""
    if isinstance(window, int) and not isinstance(window, bool) and 1 <= window <= _LONGEST:
        return window, None
    if isinstance(window, str) and (found := re.fullmatch(r"([1-9][0-9]{0,4})([dw])", window)):
        return None, int(found[1]) * _DAYS[found[2]]
    raise UsageError(f"window is a number of points such as 5, or of days such as '7d' or '2w', not {window!r}")


def series_columns(frame: pl.DataFrame) -> list[str]:
    """The columns that tell the series of a trend apart."""
    return [column for column in _SERIES if column in frame.columns]


def series_title(point: dict[str, Any], measured: str) -> str:
    """How a series is called: its model, dataset, group, suite, and what was measured; without what goes unsaid."""
    parts = (point["model"] or "no model", point["dataset"] or "no dataset", point["group"], point["suite"], measured)
    return " · ".join(part for part in parts if part and part != "default")
