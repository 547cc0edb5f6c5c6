"""The rows that a gate shows: those that lost most against the baseline, and the worst ones of a job by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evalstore import queries
from evalstore.analysis.drops import COMPARING, flips_of

if TYPE_CHECKING:
    from evalstore.analysis.comparison import Comparison
    from evalstore.analysis.policy import Policy, Target
    from evalstore.analysis.verdict import RuleVerdict
    from evalstore.session import Session

__all__ = ["rows_below", "rows_that_lost"]

WORST_ROWS = 5  # of each metric that did not pass
_KINDS = {"min": "lowest", "max": "highest", "max_error_rate": "in error"}
_TOWARDS = {"lowest": -1, "highest": 1, "in error": None}  # which of the repetitions of a row is shown


def rows_that_lost(
    policy: Policy, measured: dict[Target, dict[str, Any]], rules: list[RuleVerdict], comparisons: list[Comparison]
) -> list[dict[str, Any]]:
    """The rows that lost most, of the metrics whose losses did not pass."""
    lost = {
        (rule.suite, rule.metric, rule.name, flip)
        for target, line in measured.items()
        for rule in rules
        if rule.rule in COMPARING and rule.outcome != "pass" and (rule.suite, rule.metric, rule.name) == target
        for flip in (flips_of(policy, target, line), "newly in error")
    }
    if not lost:
        return []
    flips = sorted({flip for *_, flip in lost})
    found = [line for one in comparisons for line in one.flip_table(*flips, limit=WORST_ROWS).to_pylist()]
    return [line for line in found if (line["suite"], line["metric"], line["name"], line["flip"]) in lost]


def rows_below(session: Session, job: dict[str, Any], rules: list[RuleVerdict]) -> list[dict[str, Any]]:
    """The lowest or highest rows, and those in error, of the metrics that a rule about the job itself did not pass.

    They look as those that lost do; `flip` is lowest, highest or in error, and there is no baseline.
    """
    wanted = [
        {"suite": rule.suite, "metric": rule.metric, "name": rule.name, "kind": _KINDS[rule.rule]}
        for rule in rules
        if rule.rule in _KINDS and rule.outcome != "pass" and rule.suite and rule.metric and rule.name
    ]
    if not wanted or job["rows_dropped_at"]:
        return []
    found = queries.worst_rows(session, job_id=job["job_id"], wanted=wanted, limit=WORST_ROWS).to_pylist()
    fields = ("suite", "row_key", "metric", "name", "baseline_value", "candidate_value")
    keys = [{field: line[field] for field in fields} | {"towards": _TOWARDS[line["flip"]]} for line in found]
    texts = queries.compare_texts(
        session, baselines=[], candidate=job["job_id"], rows=[{"place": n, **key} for n, key in enumerate(keys)],
        row_keys=list({key["row_key"] for key in keys}),
    ).to_pylist()  # fmt: skip
    return [line | {"difference": None} | text for line, text in zip(found, texts, strict=True)]
