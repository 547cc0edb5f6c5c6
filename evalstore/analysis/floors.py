"""The rules that a job is held against by itself: what must be there, least means, errors, rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evalstore.analysis.mean_bounds import mean_bounds
from evalstore.analysis.policy import floors_of_call, rule_of
from evalstore.analysis.rule_words import (
    countable,
    full_name,
    metric_and_name,
    no_mean,
    number,
    place_of,
    rows_needed_said,
    rows_said,
)
from evalstore.analysis.verdict import ADVISORY, Outcome, RuleVerdict
from evalstore.errors import near

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from evalstore.analysis.mean_bounds import MeanBounds
    from evalstore.analysis.policy import Policy, Target

__all__ = ["TOLD", "floors", "required", "unmatched"]

TOLD = "only counts were told, without all of its rows"
"""Of a metric, suite or job as TrainLoop's documents may tell of it."""


def required(
    policy: Policy, measured: dict[Target, dict[str, Any]], summary: list[dict[str, Any]]
) -> Iterator[RuleVerdict]:
    """Whether what must be there has a row that is scored, or is a score of the whole job."""
    for kind, wanted in (("suite", policy.required.suites), ("metric", policy.required.metrics)):
        for name in wanted:
            names = ("suite",) if kind == "suite" else ("metric", "metric_and_name")
            lines = [line | {"metric_and_name": metric_and_name(line)} for line in measured.values()]
            lines = [line for line in lines if name in [line[one] for one in names]]
            scored = sum(line["rows_scored"] for line in lines if not line["is_told"])
            is_told = any(line["is_told"] for line in lines)
            outcome: Outcome = "pass" if scored else "not comparable" if is_told else "fail"
            found = f"has {rows_said(scored)} scored" if scored else "is missing: no row is scored"
            if outcome == "fail" and kind == "metric" and _is_named(name, summary):
                outcome, found = "pass", "is a score of the whole job"
            message = f"of {kind} {name!r} {TOLD}" if outcome == "not comparable" else f"{kind} {name!r} {found}"
            place: dict[str, Any] = {kind: name}
            yield RuleVerdict("required", outcome, message, **place, value=scored)


def _is_named(metric: str | None, summary: list[dict[str, Any]]) -> bool:
    """Whether a score of the whole job has this name, and a number."""
    scored = [one for one in summary if one["status"] == "scored"]
    return any(metric in (one["metric"], metric_and_name(one)) for one in scored)


def unmatched(
    policy: Policy,
    measured: dict[Target, dict[str, Any]],
    bare: Mapping[str, object],
    summary: list[dict[str, Any]],
) -> Iterator[RuleVerdict]:
    """Sections about what was not measured judge nothing, which must not go unseen.

    `bare` says of suites that have rows and no score what became of those; rules about them are judged elsewhere.
    So are rules about the scores of the whole job, `summary`.
    """
    for suite, metric, section in policy.sections():
        if metric is None and suite in bare and section.has_rules:
            continue
        names = [name for one in summary for name in (one["metric"], metric_and_name(one))]
        if suite is None and metric in names and section.has_rules:
            continue
        for target, line in measured.items():
            if suite in (None, target[0]) and metric in (None, target[1], metric_and_name(line)):
                break
        else:
            what = " of ".join([*([f"metric {metric!r}"] if metric else []), *([f"suite {suite!r}"] if suite else [])])
            suites = {of_suite for of_suite, _, _ in measured}
            metrics = {one for _, key, name in measured for one in (key, f"{key}:{name}" if name != key else key)}
            close = near(metric or suite or "", metrics if metric else suites)
            has = "rules" if section.has_rules else "a section"
            problem = f"the policy has {has} for {what}, which the job did not measure; " + (
                f"of suite {suite!r} {bare[suite]}" if suite is not None and suite in bare else close
            )
            # A direction that nothing was turned to leaves the metric that was meant judged the wrong way round.
            is_advice = section.class_ == ADVISORY and section.has_rules and section.higher_is_better is None
            kind = ADVISORY if is_advice else "critical"
            yield RuleVerdict("measured", "not comparable", problem, suite=suite, metric=metric, class_=kind)


def floors(policy: Policy, target: Target, line: dict[str, Any], problem: str | None = None) -> Iterator[RuleVerdict]:
    """The rules that one job is held against by itself. `problem` is why its mean cannot be taken."""
    told = place_of(policy, target, line)
    name = full_name(line)
    found = mean_bounds(line, policy.confidence)
    for rule, sign in (("min", 1), ("max", -1)):
        if (bound := rule_of(policy, target, rule)) is not None:
            told_here = told | {"value": line["mean"], "bound": bound}
            if rule == "min" and floors_of_call(policy, target):
                told_here["class_"] = "critical"
            if problem is not None or found is None:
                why = f"{name}: {problem or no_mean(line)}"
                yield RuleVerdict(rule, "not comparable", why, **told_here)
            else:
                told_here |= {"low": found.low, "high": found.high}
                on_bound = rule_of(policy, target, "on") == "bound"
                yield _floor(name, rule, sign, found, on_bound=on_bound, told=told_here)
    if (bound := rule_of(policy, target, "max_error_rate")) is not None:
        errors = line["rows_error"] + line["rows_failed"]
        rate = errors / line["rows_total"]
        outcome: Outcome = "pass" if rate <= bound else "fail"
        share = f"{errors:,} of {line['rows_total']:,} rows are in error ({rate:.2%})"
        scored = f", {line['rows_failed']:,} of them failed and are scored nevertheless" if line["rows_failed"] else ""
        message = f"{name}: {share}{scored}, at most {bound:.2%}"
        yield RuleVerdict("max_error_rate", outcome, message, **told, value=rate, bound=bound)
    if (bound := rule_of(policy, target, "min_rows")) is not None:
        outcome = "pass" if line["rows_scored"] >= bound else "fail"
        message = f"{name}: {rows_said(line['rows_scored'])} scored, at least {bound:,}"
        yield RuleVerdict("min_rows", outcome, message, **told, value=line["rows_scored"], bound=bound)


def _floor(name: str, rule: str, sign: int, found: MeanBounds, *, on_bound: bool, told: dict[str, Any]) -> RuleVerdict:
    """A least or greatest mean: on the mean as it is, or on the end of its interval."""
    mean, bound = found.mean, told["bound"]
    word = "at least" if sign > 0 else "at most"
    if not on_bound or (found.is_constant and sign * (mean - bound) < 0):
        outcome: Outcome = "pass" if sign * (mean - bound) >= 0 else "fail"
        return RuleVerdict(rule, outcome, f"{name}: the mean is {number(mean)}, {word} {number(bound)}", **told)
    if found.low is None or found.high is None:
        return RuleVerdict(rule, "inconclusive", f"{name}: {found.problem}", **told)
    near, far = (found.low, found.high) if sign > 0 else (found.high, found.low)
    interval = f"the mean is {number(mean)} [{number(found.low)}, {number(found.high)}]"
    message = f"{name}: {interval}, its {'lower' if sign > 0 else 'upper'} end {word} {number(bound)}"
    if sign * (near - bound) >= 0:
        return RuleVerdict(rule, "pass", message, **told)
    if sign * (far - bound) < 0:
        return RuleVerdict(rule, "fail", message, **told)
    needed = found.rows_needed(bound) if sign * (mean - bound) > 0 else None
    more = f"; with this mean it takes {rows_needed_said(needed)}" if needed else ""
    return RuleVerdict(rule, "inconclusive", message + more, **told, rows_needed=countable(needed))
