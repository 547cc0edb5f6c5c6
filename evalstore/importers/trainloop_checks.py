"""Whether what a document states of results is what its counts say."""

from __future__ import annotations

import math
from statistics import fmean
from typing import TYPE_CHECKING, Any

from evalstore.errors import BrokenInput
from evalstore.importers.trainloop_documents import FAILED
from evalstore.importers.trainloop_jobs import as_number

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from evalstore.importers.trainloop_documents import Benchmark, Evaluation, Metric, Suite
    from evalstore.importers.trainloop_jobs import FoundJob

__all__ = [
    "MEAN_ROUNDED",
    "check_comparison",
    "check_costs",
    "check_metric",
    "check_names",
    "check_signs",
    "check_summary",
    "is_complete",
    "pass_rate",
    "scores_by_counts",
    "shown",
    "stated",
]

_ROUNDED = 0.0005 + 1e-9  # the documented examples give three decimals
MEAN_ROUNDED = 2 * _ROUNDED  # a mean of rounded numbers, rounded again
_ROUGHLY = 0.005 + 1e-9  # two decimals


def stated(said: Any, found: float | None, *, within: float = _ROUNDED) -> bool:
    """Whether what a document states is what its counts say, up to rounding; what it does not state is not wrong."""
    number = as_number(said)
    return said is None or (number is not None and found is not None and abs(number - found) <= within)


def shown(said: Any) -> str:
    """What a document states, as a message repeats it."""
    return f"{said:g}" if isinstance(said, float) else f"{said!r:.60}"


def is_complete(metric: Metric) -> bool:
    """Whether the details are all the events that were counted."""
    return bool(metric.details) and metric.total in (None, _judged(metric))


def _judged(metric: Metric) -> int:
    return sum(detail.passed is not None and detail.error is None for detail in metric.details)


def pass_rate(metric: Metric) -> float | None:
    """Passed / total, where there are both."""
    if metric.passed is None or not metric.total:
        return None
    return metric.passed / metric.total


def has_mean_only(metric: Metric) -> bool:
    """Whether a score is stated that no counts stand behind: what it is a mean of, a declaration may say."""
    return metric.passed is None and metric.score is not None


def scores_by_counts(suite: Suite) -> list[float]:
    """The pass rates that the score of a suite is the mean of; none where scores without counts are in it too."""
    if any(has_mean_only(metric) for metric in suite.metrics.values()):
        return []
    return [score for metric in suite.metrics.values() if (score := pass_rate(metric)) is not None]


def check_names(file: Path, suites: Mapping[str, Suite]) -> None:
    """Refuses two suites, or two metrics of one, that would be one. Raises: BrokenInput (file, field)."""
    if "" in suites and "default" in suites:
        what = "is there twice: a suite without a name is called default"
        raise BrokenInput(what, file=file, field="suites.default")
    for name, suite in suites.items():
        seen: dict[tuple[str, str], str] = {}
        for key, metric in suite.metrics.items():
            measured = metric.metric or key
            if (first := seen.setdefault((measured, metric.name or measured), key)) != key:
                what = f"is metric {measured} of metrics.{first} once more"
                raise BrokenInput(what, file=file, field=f"suites.{name}.metrics.{key}")


def check_metric(job: FoundJob, file: Path, place: str, metric: Metric) -> None:
    """Refuses counts that cannot be, and flags what contradicts them. Raises: BrokenInput."""
    if metric.passed is not None and metric.total is None:
        raise BrokenInput("states passed without total", file=file, field=place)
    if metric.passed is not None and metric.total is not None and metric.passed > metric.total:
        raise BrokenInput(f"states {metric.passed} passed of {metric.total}", file=file, field=place)
    found = pass_rate(metric)
    if found is not None and not stated(metric.score, found):
        counts = f"{metric.passed} of {metric.total} say {found:.4g}"
        job.flags.append(f"{file.name}: {place}: states score {shown(metric.score)}, {counts}")
    judged = _judged(metric)
    if metric.total is not None and judged > metric.total:
        job.flags.append(f"{file.name}: {place}: states {metric.total} in all, its details tell of {judged}")
    passed = sum(detail.passed == 1 and detail.error is None for detail in metric.details)
    if is_complete(metric) and metric.passed is not None and passed != metric.passed:
        job.flags.append(f"{file.name}: {place}: states {metric.passed} passed, its details say {passed}")


def check_summary(job: FoundJob, document: Evaluation) -> None:
    """Flags what the summary of an evaluation states otherwise than its suites."""
    metrics = [metric for suite in document.suites.values() for metric in suite.metrics.values()]
    passed = sum(metric.passed or 0 for metric in metrics)
    total = sum(metric.total or 0 for metric in metrics)
    of_suites = [fmean(scores) for suite in document.suites.values() if (scores := scores_by_counts(suite))]
    is_by_counts = not any(has_mean_only(metric) for metric in metrics)
    names = {key for suite in document.suites.values() for key in suite.metrics}
    found = {
        "total_suites": len(document.suites),
        **({"overall_score": fmean(of_suites) if of_suites else None} if is_by_counts else {}),
        "total_metrics": len(names),
        "total_passed": passed,
        "total_evaluated": total,
        "pass_rate": passed / total if total else None,
    }
    for field, number in found.items():
        said = (document.summary or {}).get(field)
        if not stated(said, number, within=MEAN_ROUNDED if field == "overall_score" else _ROUNDED):
            says = "nothing" if number is None else f"{number:.4g}"
            job.flags.append(f"{job.name}: summary.{field} states {shown(said)}, its suites say {says}")
    events = [suite.events_processed for suite in document.suites.values() if suite.events_processed is not None]
    if document.status not in FAILED and events and document.total_events not in (None, sum(events)):
        job.flags.append(f"{job.name}: total_events states {document.total_events}, its suites processed {sum(events)}")


def check_signs(job: FoundJob, file: Path, numbers: Mapping[str, float | None], place: str = "") -> None:
    """Flags seconds, USD and tokens below zero."""
    for field, number in numbers.items():
        if number is not None and number < 0:
            where = f"{place}: {field}" if place else field
            job.flags.append(f"{file.name}: {where} is negative: {number:g}, kept as it is")


def check_costs(
    job: FoundJob, provider: str, costs: Mapping[str, float | None], tokens: float | None, passed: int
) -> None:
    """Flags numbers about cost that cannot all be true. Cost per score is total cost / passed."""
    total = costs.get("total_cost")
    if total is None:
        return
    per_token, per_score = costs.get("cost_per_token"), costs.get("cost_per_score")
    if per_token is not None and tokens and not math.isclose(per_token * tokens, total, rel_tol=0.05):
        job.flags.append(
            f"{provider}: cost_per_token {per_token:g} x {tokens:,.0f} tokens = {per_token * tokens:g}, and total_cost "
            f"is {total:g} ({1000 * total / tokens:.4g} per 1K tokens)"
        )
    if per_score is not None and passed and not stated(per_score, total / passed):
        job.flags.append(f"{provider}: states cost_per_score {per_score:g}, {total:g} / {passed} passed is "
                         f"{total / passed:.4g}")  # fmt: skip


def _named(said: Any) -> str:
    return said if isinstance(said, str) else shown(said)


def check_comparison(file: Path, document: Benchmark) -> list[str]:
    """Flags a comparison that its own numbers contradict: the best score, and the least cost per passed."""
    said = document.comparison or {}
    scores: dict[str, float] = {}
    costs: dict[str, float] = {}
    values: dict[str, float] = {}
    for provider, result in document.results.items():
        found = [score for metric in result.metrics.values() if (score := pass_rate(metric)) is not None]
        passed, cost = (
            sum(metric.passed or 0 for metric in result.metrics.values()),
            result.cost_analysis.get("total_cost"),
        )
        if found:
            scores[provider] = fmean(found)
        if cost is not None:
            costs[provider] = cost
        if cost is not None and passed:
            values[provider] = cost / passed
    if any(has_mean_only(metric) for result in document.results.values() for metric in result.metrics.values()):
        scores = {}
    best = {"best_overall": max(scores, key=scores.__getitem__)} if scores else {}
    best |= {"best_value": min(values, key=values.__getitem__)} if values else {}
    flags = [
        f"{file.name}: comparison.{field} states {_named(said[field])}, its results say {provider}"
        for field, provider in best.items()
        if said.get(field) not in (None, provider)
    ]
    if len(best) > 1 and (dearer := costs.get(best["best_overall"])):
        savings = 1 - costs[best["best_value"]] / dearer
        if not stated(said.get("cost_savings"), savings, within=_ROUGHLY):
            what = f"states {shown(said['cost_savings'])}, costs say {savings:.3g}"
            flags.append(f"{file.name}: comparison.cost_savings {what}")
    return flags
