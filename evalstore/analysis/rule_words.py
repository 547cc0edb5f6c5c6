"""What the rules of a gate have in common: whose they are, which way is up, and how numbers are said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evalstore.analysis.policy import rule_of

if TYPE_CHECKING:
    from evalstore.analysis.policy import Policy, Target

__all__ = [
    "countable",
    "full_name",
    "is_higher_better",
    "metric_and_name",
    "no_mean",
    "number",
    "place_of",
    "rows_needed_said",
    "rows_said",
]

MOST_ROWS = 10**9


def place_of(policy: Policy, target: Target, line: dict[str, Any]) -> dict[str, Any]:
    """What a rule is about, and its class: that of the policy, else that declared for the metric."""
    kind = rule_of(policy, target, "class") or line["class"] or "critical"
    return dict(zip(("suite", "metric", "name"), target, strict=True)) | {"class_": kind}


def is_higher_better(policy: Policy, target: Target, line: dict[str, Any]) -> bool:
    """The direction of a metric: that of the policy, else the declared one."""
    told = rule_of(policy, target, "higher_is_better")
    return bool(line["higher_is_better"] if told is None else told)


def metric_and_name(line: dict[str, Any]) -> str:
    """As policies name one of several scores of a metric."""
    return f"{line['metric']}:{line['name']}"


def full_name(line: dict[str, Any]) -> str:
    """Suite, metric and name, as far as they say something."""
    name = line["metric"] if line["name"] == line["metric"] else metric_and_name(line)
    return str(name if line["suite"] == "default" else f"{line['suite']}/{name}")


def number(value: float) -> str:
    """Four decimals at most; very small numbers by their power of ten."""
    return f"{value:.4f}".rstrip("0").rstrip(".") if abs(value) >= 1e-4 or value == 0 else f"{value:.2e}"  # noqa: PLR2004


def rows_needed_said(needed: int) -> str:
    """About so many rows, or more than anybody runs."""
    return f"about {needed:,} rows" if needed <= MOST_ROWS else "more than a billion rows"


def countable(needed: int | None) -> int | None:
    """How many rows it takes, where that many can be run."""
    return None if needed is None or needed > MOST_ROWS else needed


def no_mean(line: dict[str, Any]) -> str | None:
    """Why a metric has no mean; None where it has one."""
    if line["mean"] is not None:
        return None
    if not line["rows_scored"]:
        return "no row is scored, so there is no mean"
    return f"{rows_said(line['rows_scored'])} scored with labels, which have no mean: a rubric gives them values"


def rows_said(count: int) -> str:
    """So many rows."""
    return f"{count:,} row" + ("" if count == 1 else "s")
