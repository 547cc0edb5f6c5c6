"""What an error is worth to `errors="worst"`, and whether anybody has said so.

Of scores that are all alike the worst one seen is the best one too: where nothing is declared, a gate does not judge.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evalstore import queries
from evalstore.analysis.rule_words import full_name, is_higher_better, number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evalstore.analysis.policy import Policy, Target
    from evalstore.session import Session

__all__ = ["problem_alone", "problem_together", "warnings_of", "worst_values"]


def worst_values(session: Session, *, baselines: list[str], candidate: str) -> dict[Target, dict[str, Any]]:
    """A line per metric: what an error is worth in the job alone and beside its baselines, and what says so."""
    found = queries.error_values(session, baselines=baselines, candidate=candidate).to_pylist()
    return {(line["suite"], line["metric"], line["name"]): line for line in found}


def problem_alone(policy: Policy, target: Target, line: dict[str, Any], worth: dict[str, Any] | None) -> str | None:
    """Why the mean of a metric cannot be taken with the worst value for errors; None where it can."""
    higher = is_higher_better(policy, target, line)
    if policy.errors != "worst" or worth is None or worth["higher_is_better"] is None:
        return None  # without a line the job has no score of it, which is said elsewhere
    if worth["higher_is_better"] != higher:
        best = "higher" if worth["higher_is_better"] else "lower"
        return f'errors = "worst" goes by the direction that the job was recorded with, by which {best} is better'
    if not worth["is_declared"]:
        return f'errors = "worst" needs the worst value: declare the {_bound(higher=higher)} of the metric with the job'
    return None


def problem_together(policy: Policy, target: Target, line: dict[str, Any], worth: dict[str, Any] | None) -> str | None:
    """The same of a comparison, in which an error must be worth as much as in the mean of the job."""
    if (problem := problem_alone(policy, target, line, worth)) is not None or worth is None:
        return problem
    alone, together = worth["worth"], worth["worth_together"]
    if worth["higher_is_better"] is not None and alone != together:
        values = ["nothing" if one is None else number(one) for one in (alone, together)]
        return (
            f"an error would be worth {values[0]} in the job and {values[1]} beside the baseline, whose scores or "
            "declarations go further"
        )
    return None


def warnings_of(worths: dict[Target, dict[str, Any]], known: list[dict[str, Any]]) -> Iterator[str]:
    """Warnings about compared metrics in which errors count as the worst score that was seen."""
    for line in known:
        worth = worths.get((line["suite"], line["metric"], line["name"]))
        errors = (line["baseline_errors"] or 0) + (line["candidate_errors"] or 0)
        if worth is None or worth["is_declared_together"] or worth["worth_together"] is None or not errors:
            continue
        bound = _bound(higher=line["higher_is_better"])
        yield (
            f"{full_name(line)}: errors count as the worst score seen, {number(worth['worth_together'])}, since no "
            f"{bound} is declared"
        )


def _bound(*, higher: bool) -> str:
    return "minimum" if higher else "maximum"
