"""The rules that a job is held against by itself: what must be there, least means, errors, rows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from evalstore.analysis import statistics
from evalstore.analysis.policy import rule_of
from evalstore.analysis.rule_words import full_name, metric_and_name, no_mean, number, place_of, rows_said
from evalstore.analysis.verdict import Outcome, RuleVerdict
from evalstore.errors import near

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evalstore.analysis.policy import Policy, Target

__all__ = ["floors", "required", "unmatched"]


def required(policy: Policy, lines: list[dict[str, Any]]) -> Iterator[RuleVerdict]:
    """Whether what must be there has a row that is scored."""
    for kind, wanted in (("suite", policy.required.suites), ("metric", policy.required.metrics)):
        for name in wanted:
            scored = sum(line["rows_scored"] for line in lines if name in (line[kind], metric_and_name(line)))
            outcome: Outcome = "pass" if scored else "fail"
            found = f"has {rows_said(scored)} scored" if scored else "is missing: no row is scored"
            message = f"{kind} {name!r} {found}"
            place: dict[str, Any] = {kind: name}
            yield RuleVerdict("required", outcome, message, **place, value=scored)


def unmatched(policy: Policy, measured: dict[Target, dict[str, Any]]) -> Iterator[RuleVerdict]:
    """Rules about what was not measured judge nothing, which must not go unseen."""
    for suite, metric, section in policy.sections():
        for target, line in measured.items():
            if suite in (None, target[0]) and metric in (None, target[1], metric_and_name(line)):
                break
        else:
            what = " of ".join([*([f"metric {metric!r}"] if metric else []), *([f"suite {suite!r}"] if suite else [])])
            suites = {of_suite for of_suite, _, _ in measured}
            metrics = {one for _, key, name in measured for one in (key, f"{key}:{name}" if name != key else key)}
            close = near(metric or suite or "", metrics if metric else suites)
            problem = f"the policy has rules for {what}, which the job did not measure; {close}"
            kind = section.class_ or "critical"
            yield RuleVerdict("measured", "not comparable", problem, suite=suite, metric=metric, class_=kind)


def floors(policy: Policy, target: Target, line: dict[str, Any]) -> Iterator[RuleVerdict]:
    """The rules that one job is held against by itself."""
    told = place_of(policy, target, line)
    name = full_name(line)
    low, high = _bounds(line, policy.confidence)
    for rule, sign in (("min", 1), ("max", -1)):
        if (bound := rule_of(policy, target, rule)) is not None:
            told_here = told | {"value": line["mean"], "bound": bound, "low": low, "high": high}
            on_bound = rule_of(policy, target, "on") == "bound"
            if problem := no_mean(line):
                yield RuleVerdict(rule, "not comparable", f"{name}: {problem}", **told_here)
            else:
                yield _floor(name, rule, sign, on_bound=on_bound, told=told_here, n=line["items_scored"])
    if (bound := rule_of(policy, target, "max_error_rate")) is not None:
        rate = line["rows_error"] / line["rows_total"]
        outcome: Outcome = "pass" if rate <= bound else "fail"
        share = f"{line['rows_error']:,} of {line['rows_total']:,} rows are in error ({rate:.2%})"
        message = f"{name}: {share}, at most {bound:.2%}"
        yield RuleVerdict("max_error_rate", outcome, message, **told, value=rate, bound=bound)
    if (bound := rule_of(policy, target, "min_rows")) is not None:
        outcome = "pass" if line["rows_scored"] >= bound else "fail"
        message = f"{name}: {rows_said(line['rows_scored'])} scored, at least {bound:,}"
        yield RuleVerdict("min_rows", outcome, message, **told, value=line["rows_scored"], bound=bound)


def _floor(name: str, rule: str, sign: int, *, on_bound: bool, told: dict[str, Any], n: int) -> RuleVerdict:
    """A least or greatest mean: on the mean as it is, or on the end of its interval."""
    mean, bound = told["value"], told["bound"]
    word = "at least" if sign > 0 else "at most"
    if not on_bound:
        outcome: Outcome = "pass" if sign * (mean - bound) >= 0 else "fail"
        return RuleVerdict(rule, outcome, f"{name}: the mean is {number(mean)}, {word} {number(bound)}", **told)
    near, far = (told["low"], told["high"]) if sign > 0 else (told["high"], told["low"])
    if near is None:
        return RuleVerdict(rule, "inconclusive", f"{name}: {rows_said(n)} tell no interval of the mean", **told)
    interval = f"the mean is {number(mean)} [{number(told['low'])}, {number(told['high'])}]"
    message = f"{name}: {interval}, its {'lower' if sign > 0 else 'upper'} end {word} {number(bound)}"
    if sign * (near - bound) >= 0:
        return RuleVerdict(rule, "pass", message, **told)
    if sign * (far - bound) < 0:
        return RuleVerdict(rule, "fail", message, **told)
    needed = math.ceil(n * ((mean - near) / (mean - bound)) ** 2) if sign * (mean - bound) > 0 else None
    more = f"; with this mean it takes about {needed:,} rows" if needed else ""
    return RuleVerdict(rule, "inconclusive", message + more, **told, rows_needed=needed)


def _bounds(line: dict[str, Any], confidence: float) -> tuple[float | None, float | None]:
    """The interval of a mean: Wilson's where rows plainly pass or fail, else by t."""
    n, mean = line["items_scored"], line["mean"]
    if mean is None:
        return None, None
    is_share = line["lowest"] >= 0 and line["highest"] <= 1 and math.isclose(
        line["variance"] or 0, mean * (1 - mean), abs_tol=1e-12
    )  # fmt: skip
    if is_share and line["clusters"] is None and n == line["rows_scored"]:
        return statistics.wilson(round(mean * n), n, confidence) or (None, None)
    units = line["clusters"] or n
    if not line["std_error"] or units < 2:  # noqa: PLR2004
        return None, None
    reach = statistics.t_quantile(units - 1, confidence) * line["std_error"]
    return mean - reach, mean + reach
