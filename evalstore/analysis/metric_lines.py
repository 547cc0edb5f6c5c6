"""A line per metric, or per slice of one: what statistics make of the numbers that SQL gives."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from evalstore.analysis import power, significance, statistics
from evalstore.analysis.statistics import Pairs

if TYPE_CHECKING:
    from evalstore.analysis.asked import Question

__all__ = ["adjust", "judged", "pairs_of"]

FLIP_COUNTS = (
    "improved", "regressed", "newly_in_error", "recovered", "both_right", "both_wrong", "unchanged", "both_in_error",
)  # fmt: skip
_SCORED = (
    "baseline_scored", "baseline_rows", "baseline_errors", "candidate_scored", "candidate_rows", "candidate_errors",
)  # fmt: skip


def judged(line: dict[str, Any], pairs: Pairs | None, known: dict[str, Any], asked: Question) -> dict[str, Any]:
    """What statistics say of one line of numbers."""
    higher = line["higher_is_better"]
    found = statistics.interval(pairs, asked.confidence) if pairs else None
    p, test = significance.p_value(pairs) if pairs else (None, None)
    effect, kind = _effect(line, pairs)
    sides = _sides(line, pairs, asked.confidence)
    told: dict[str, Any] = {
        "suite": line["suite"],
        "metric": line["metric"],
        "name": line["name"],
        "higher_is_better": higher,
        "class": known["class"],
        "baseline_mean": line["baseline_mean"],
        "candidate_mean": line["candidate_mean"],
        "difference": line["difference"],
        "low": found and found.low,
        "high": found and found.high,
        "interval": found and found.method,
        "std_error": pairs and pairs.std_error,
        "p_value": p,
        "p_adjusted": None,
        "test": test,
        "change": None,
        "paired": line["n"],
        "clusters": line["clusters"],
        **{field: known[field] for field in _SCORED},
        **sides,
        "effect_size": effect,
        "effect": kind,
        "mde": power.minimal_detectable_effect(pairs, asked.confidence) if pairs and asked.with_mde else None,
        **{field: line[field] for field in FLIP_COUNTS},
        "in_error": line["in_error"],
    }
    if asked.margin is not None:
        p_margin = pairs and significance.p_noninferior(pairs, asked.margin, higher_is_better=higher)
        worst = None if found is None else found.low if higher else -found.high
        told |= {
            "margin": asked.margin,
            "p_noninferior": p_margin,
            "noninferior": None if worst is None else worst > -asked.margin,
        }
    return told


def pairs_of(line: dict[str, Any], known: dict[str, Any]) -> Pairs | None:
    """The pairs of a line as statistics want them; None where nothing is paired."""
    if not line["n"]:
        return None
    is_clustered = line["clusters"] is not None
    is_plain = line["is_pass_fail"] and not line["is_repeated"] and not is_clustered
    declared = None
    if known["maximum"] is not None and known["minimum"] is not None:
        declared = known["maximum"] - known["minimum"]
    seen = known["highest"] - known["lowest"] if known["highest"] is not None else None
    return Pairs(
        n=line["n"],
        difference=line["difference"],
        std_dev=line["std_dev"],
        units=line["units"],
        unit_squares=line["unit_squares"],
        up=line["up"],
        down=line["down"],
        baseline_ones=round(line["baseline_mean"] * line["n"]) if is_plain else None,
        scale=1.0 if line["is_pass_fail"] else declared or seen,
        is_clustered=is_clustered,
    )


def _effect(line: dict[str, Any], pairs: Pairs | None) -> tuple[float | None, str | None]:
    """Cohen's h of two proportions, else Cohen's d of paired differences (their mean over their deviation)."""
    if pairs is None:
        return None, None
    if line["is_pass_fail"]:
        before, after = (
            2 * math.asin(math.sqrt(min(max(line[side], 0), 1))) for side in ("baseline_mean", "candidate_mean")
        )
        return after - before, "Cohen h"
    if not pairs.std_dev or not math.isfinite(pairs.std_dev):
        return None, "Cohen d"
    return pairs.difference / pairs.std_dev, "Cohen d"


def _sides(line: dict[str, Any], pairs: Pairs | None, confidence: float) -> dict[str, Any]:
    """Wilson's intervals of both pass rates, where rows are plainly passed or not."""
    found: dict[str, Any] = {}
    for side, change in (("baseline", 0), ("candidate", line["up"] - line["down"])):
        ends = None
        if pairs is not None and pairs.baseline_ones is not None:
            ends = statistics.wilson(pairs.baseline_ones + change, pairs.n, confidence)
        found[f"{side}_low"], found[f"{side}_high"] = ends or (None, None)
    return found


def adjust(lines: list[dict[str, Any]], asked: Question) -> None:
    """Adjusts the p values for there being several, and says in a word what they tell."""
    for line, p in zip(lines, significance.adjusted([one["p_value"] for one in lines], asked.correction), strict=True):
        line["p_adjusted"] = p
        if not line["paired"]:
            line["change"] = "nothing paired"
        elif p is None:
            line["change"] = "too few rows" if line["paired"] == 1 else "cannot be told"
        elif p < 1 - asked.confidence and line["difference"]:
            line["change"] = "improved" if (line["difference"] > 0) == line["higher_is_better"] else "regressed"
        else:
            line["change"] = "no difference shown"
