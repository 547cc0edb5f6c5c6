"""The rules that hold a job against a baseline: how much may be lost, and how many rows may flip."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from evalstore.analysis import power, significance
from evalstore.analysis.policy import rule_of
from evalstore.analysis.rule_words import (
    countable,
    full_name,
    is_higher_better,
    no_mean,
    number,
    place_of,
    rows_needed_said,
    rows_said,
)
from evalstore.analysis.verdict import RuleVerdict

if TYPE_CHECKING:
    from evalstore.analysis.policy import Policy, Target
    from evalstore.analysis.statistics import Pairs

__all__ = ["COMPARING", "Compared", "drop_verdict", "drops", "flips_of"]

COMPARING = ("max_drop", "max_flips")


@dataclass(frozen=True)
class Compared:
    """A metric as it was compared, with the numbers behind it; or why it could not be."""

    line: dict[str, Any] | None
    pairs: Pairs | None
    suite_rows: dict[str, Any] | None
    problem: str | None = None


def drops(
    policy: Policy, measured: dict[Target, dict[str, Any]], compared: dict[Target, Compared]
) -> list[RuleVerdict]:
    """The rules that compare. Drops are tested together, so that many metrics do not make a false alarm likely."""
    tested = [target for target in measured if rule_of(policy, target, "max_drop") is not None]
    found = [compared.get(target) or Compared(None, None, None, "the baseline did not measure it") for target in tested]
    p_values = [one.line["p_value"] if one.line else None for one in found]
    rules = []
    for target, one, p in zip(tested, found, significance.adjusted(p_values, policy.correction), strict=True):
        rules.append(drop_verdict(policy, target, measured[target], one, p))
    for target, line in measured.items():
        if (bound := rule_of(policy, target, "max_flips")) is not None:
            flips = flips_of(policy, target, line)
            place = place_of(policy, target, line)
            rules.append(_flips(bound, flips, place, full_name(line), compared.get(target), unmeasured=no_mean(line)))
    return rules


def drop_verdict(policy: Policy, target: Target, line: dict[str, Any], one: Compared, p: float | None) -> RuleVerdict:
    """Non-inferiority: whether less than the margin is lost.

    Passes where the interval of the loss ends before the margin; fails where a loss is real (its adjusted p value says
    so) and beyond the margin; else too few rows tell.
    """
    margin, name, told = rule_of(policy, target, "max_drop"), full_name(line), place_of(policy, target, line)
    told["bound"] = margin
    if one.line is None or one.suite_rows is None or not one.line["paired"]:
        problem = one.problem or no_mean(line) or "no row is scored on both sides"
        return RuleVerdict("max_drop", "not comparable", f"{name}: {problem}", **told)
    found = one.line
    told |= {"value": found["candidate_mean"], **{field: found[field] for field in ("difference", "low", "high")}}
    told["p_adjusted"] = p
    # Errors that count are among the pairs already.
    errors, recovered = (found["newly_in_error"], found["recovered"]) if policy.errors == "exclude" else (0, 0)
    unscored, newly_scored = found["newly_unscored"], found["newly_scored"]
    either = found["paired"] + errors + recovered + unscored + newly_scored
    if found["paired"] < policy.min_paired * either:
        message = (
            f"{name}: only {found['paired']:,} of {either:,} rows are scored on both sides, {errors:,} are newly in "
            "error"
            + (f", {unscored:,} without a score now" if unscored else "")
            + (f", {recovered:,} were in error in the baseline" if recovered else "")
            + (f", {newly_scored:,} had no score in the baseline" if newly_scored else "")
        )
        return RuleVerdict("max_drop", "not comparable", message, **told)
    sign = 1 if is_higher_better(policy, target, line) else -1
    loss = -sign * found["difference"]
    said = f"{name}: {number(found['baseline_mean'])} -> {number(found['candidate_mean'])}, {_change(found, sign)}"
    if found["low"] is None or one.pairs is None:
        return RuleVerdict("max_drop", "inconclusive", f"{said}; {_no_interval(one.pairs)}", **told)
    greatest = -found["low"] if sign > 0 else found["high"]
    if greatest < margin:
        return RuleVerdict("max_drop", "pass", f"{said}: less than {number(margin)} is lost", **told)
    if p is not None and p < 1 - policy.confidence and loss > margin:
        return RuleVerdict("max_drop", "fail", f"{said}: more than {number(margin)}, and real (p {p:.2g})", **told)
    needed = power.rows_needed(one.pairs, margin, policy.confidence)
    more = f"; it takes {rows_needed_said(needed)} to tell" if needed and needed > found["paired"] else ""
    return RuleVerdict(
        "max_drop", "inconclusive", f"{said}: whether it is within {number(margin)} cannot be told{more}", **told,
        rows_needed=countable(needed),
    )  # fmt: skip


def flips_of(policy: Policy, target: Target, line: dict[str, Any]) -> str:
    """The flip that is a loss: the other one where the policy turns the direction of a metric round."""
    return "regressed" if is_higher_better(policy, target, line) == line["higher_is_better"] else "improved"


def _flips(
    bound: int, flip: str, told: dict[str, Any], name: str, one: Compared | None, *, unmeasured: str | None
) -> RuleVerdict:
    if one is None or one.line is None:
        problem = one.problem if one else "the baseline did not measure it"
        return RuleVerdict("max_flips", "not comparable", f"{name}: {problem}", **told, bound=bound)
    lost, errors, unscored = one.line[flip], one.line["newly_in_error"], one.line["newly_unscored"]
    all_lost = lost + errors + unscored
    missing = f", {unscored:,} without a score now" if unscored else ""
    message = f"{name}: {rows_said(lost)} regressed, {errors:,} newly in error{missing}, at most {bound:,}"
    if all_lost > bound:
        return RuleVerdict("max_flips", "fail", message, **told, value=all_lost, bound=bound)
    if not one.line["paired"]:
        problem = f"{name}: {unmeasured or 'no row is scored on both sides'}"
        return RuleVerdict("max_flips", "not comparable", problem, **told, bound=bound)
    return RuleVerdict("max_flips", "pass", message, **told, value=all_lost, bound=bound)


def _no_interval(pairs: Pairs | None) -> str:
    """Why there is no interval of a difference, and what would give one."""
    if pairs is None or pairs.units < 2:  # noqa: PLR2004
        what = "cluster" if pairs is not None and pairs.is_clustered else "row"
        return f"one {what} tells no interval, at least two are needed"
    if not math.isfinite(pairs.unit_squares):
        return "the differences are too large to be reckoned with"
    return "all rows differ by the same, and nothing says how far they can: declare the metric's minimum and maximum"


def _change(line: dict[str, Any], sign: int) -> str:
    """The difference in words; the interval counts what the word says: a loss of 0.2 [0.1, 0.3]."""
    change = sign * line["difference"]
    word = "no change" if not change else "a gain" if change > 0 else "a loss"
    size = "" if not change else f" of {number(abs(change))}"
    if line["low"] is None:
        return f"{word}{size}"
    turn = sign if change >= 0 else -sign
    low, high = sorted((turn * line["low"], turn * line["high"]))
    return f"{word}{size} [{number(low)}, {number(high)}]"
