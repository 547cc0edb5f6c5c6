"""Scores of whole jobs under a policy: they are one number each, without rows that could be counted or compared."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from evalstore.analysis.policy import RULES, Policy, rule_of
from evalstore.analysis.rule_words import number
from evalstore.analysis.verdict import RuleVerdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evalstore.analysis.policy import Target
    from evalstore.analysis.verdict import Outcome

__all__ = ["summary_floors", "summary_targets"]


def summary_targets(job: dict[str, Any], measured: dict[Target, dict[str, Any]]) -> list[dict[str, Any]]:
    """The summary scores of a job whose names no metric of its rows has."""
    names = {(metric, name) for _, metric, name in measured}
    return [one for one in job["summary_scores"] or () if (one["metric"], one["name"]) not in names]


def summary_floors(policy: Policy, summary: list[dict[str, Any]]) -> Iterator[RuleVerdict]:
    """The rules of the sections that name a summary score: `min` and `max`, on the value as it is."""
    named = Policy.model_construct(min=policy.min, metrics=policy.metrics)
    for score in summary:
        target = ("", score["metric"], score["name"])
        told: dict[str, Any] = {
            "metric": score["metric"], "name": score["name"], "class_": rule_of(named, target, "class") or "critical",
        }  # fmt: skip
        said = score["metric"] if score["name"] == score["metric"] else f"{score['metric']}:{score['name']}"
        value = score["value"] if score["status"] == "scored" else None
        for rule in RULES:
            if (bound := rule_of(named, target, rule)) is None:
                continue
            what = f"{said}, a score of the whole job,"
            problem = None
            if rule not in ("min", "max") or rule_of(named, target, "on") == "bound":
                problem = "has no rows: only its min and max can be held against it, on the value"
            elif value is None or not math.isfinite(value):
                problem = f"has no number: {score['error'] or score['label'] or score['status']}"
            if problem is not None or value is None:
                yield RuleVerdict(rule, "not comparable", f"{what} {problem}", **told, bound=bound)
                continue
            sign = 1 if rule == "min" else -1
            outcome: Outcome = "pass" if sign * (value - bound) >= 0 else "fail"
            word = "at least" if rule == "min" else "at most"
            message = f"{what} is {number(value)}, {word} {number(bound)}"
            yield RuleVerdict(rule, outcome, message, **told, value=value, bound=bound)
