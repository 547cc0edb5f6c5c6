"""What is asked of a comparison: which jobs, which metrics, by which rules."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real
from typing import Any, Literal, get_args

from evalstore import conditions, queries
from evalstore.analysis.significance import Correction
from evalstore.errors import UnknownField, UsageError, near

__all__ = ["Question", "Test", "field_source", "is_number", "jobs_said", "name_beside", "question"]

Test = Literal["auto", "permutation"]


@dataclass(frozen=True)
class Question:
    """What is asked of a job and one or several baselines, their names read and their values checked."""

    baselines: list[dict[str, Any]]
    candidate: dict[str, Any]
    metric: str | None
    suite: str | None
    errors: queries.Errors
    cluster: str | None
    confidence: float
    margin: float | None
    by: str | None
    max_changed: float
    min_paired: float
    test: Test
    correction: Correction
    with_mde: bool = True  # which takes longer than all else that statistics say

    @property
    def jobs(self) -> dict[str, Any]:
        """The ids of both sides, as SQL wants them."""
        return {"baselines": [one["job_id"] for one in self.baselines], "candidate": self.candidate["job_id"]}

    @property
    def narrow(self) -> dict[str, Any]:
        """Which metrics are meant."""
        return {"metric": self.metric, "suite": self.suite}


def question(
    baselines: list[dict[str, Any]],
    candidate: dict[str, Any],
    *,
    metric: str | None,
    suite: str | None,
    errors: queries.Errors,
    cluster: str | None,
    confidence: float,
    margin: float | None,
    by: str | None,
    max_changed: float,
    min_paired: float,
    test: Test,
    correction: Correction,
    with_mde: bool = True,
) -> Question:
    """Checks what is asked. Raises: UsageError, UnknownField."""
    _check_word("errors", errors, get_args(queries.Errors))
    _check_word("test", test, get_args(Test))
    _check_word("correction", correction, get_args(Correction))
    _check_number("confidence", confidence, 0.5, 1, "such as 0.95")
    _check_number("max_changed", max_changed, 0, 1, "a share of the rows", closed=True)
    _check_number("min_paired", min_paired, 0, 1, "a share of the rows", closed=True)
    if margin is not None:
        _check_number("margin", margin, 0, math.inf, "the loss that does not matter, in units of the metric")
        margin = float(margin)
    if any(one["job_id"] == candidate["job_id"] for one in baselines):
        raise UsageError(f"{candidate['name']!r} is compared with itself: name two jobs")
    suites = [each for job in (*baselines, candidate) for each in job["suites"] or ()]
    known = {
        "metric": {one["metric"] for each in suites for one in each["metrics"]},
        "suite": {each["name"] for each in suites},
    }
    for field, given in (("metric", metric), ("suite", suite)):
        if given is not None and given not in known[field]:
            raise UnknownField(f"neither job has a {field} {given!r}; {near(str(given), known[field])}")
    return Question(
        baselines, candidate, metric, suite, errors, cluster, confidence, margin, by, max_changed, min_paired, test,
        correction, with_mde,
    )  # fmt: skip


def _check_word(name: str, given: str, valid: tuple[str, ...]) -> None:
    if given not in valid:
        raise UsageError(f"{name} is one of {', '.join(valid)}, not {given!r}")


def is_number(given: Any) -> bool:
    """Whether something is a number, of Python or numpy, and no yes or no."""
    return isinstance(given, Real) and not isinstance(given, bool)


def _check_number(name: str, given: Any, low: float, high: float, what: str, *, closed: bool = False) -> None:
    if not is_number(given) or not (low <= given <= high if closed else low < given < high):
        raise UsageError(f"{name} lies between {low} and {high} ({what}), not {given!r}")


def field_source(field: str, what: str) -> tuple[str, str | None]:
    """(column, JSON path) of a row field. Raises: UnknownField."""
    source = conditions.row_source(field) if isinstance(field, str) else None
    if source is None:
        valid = [*conditions.ROW_FIELDS, "metadata.<path>", "item.<path>", "sample.<path>", "reference.<path>"]
        raise UnknownField(f"rows cannot be {what} by {field!r}; {near(str(field), valid, most=20)}")
    return source


def name_beside(job: dict[str, Any], other: dict[str, Any]) -> str:
    """The name of a job beside another one: with its workspace, where that is not the same."""
    name: str = job["name"]
    return name if job["workspace"] == other["workspace"] else f"{job['workspace']}/{name}"


def jobs_said(asked: Question) -> str:
    """Both sides by their names, for messages."""
    return f"{', '.join(repr(name_beside(one, asked.candidate)) for one in asked.baselines)} and " + repr(
        name_beside(asked.candidate, asked.baselines[0])
    )
