"""Rows that failed: suites that crashed whole, and rows that were scored although their target gave no output."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from evalstore import queries
from evalstore.analysis.policy import RULES, rule_of
from evalstore.analysis.rule_words import rows_said
from evalstore.analysis.verdict import RuleVerdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evalstore.analysis.policy import Policy, Target
    from evalstore.session import Session

__all__ = ["BareSuite", "Failures", "bare_lines", "bare_verdicts", "failures"]


@dataclass(frozen=True)
class BareSuite:
    """A suite of which no row has a score of any metric: how many rows it has, and how many of them failed."""

    rows: int
    failed: int

    def __str__(self) -> str:
        failed = "all in error" if self.failed == self.rows else f"{self.failed:,} in error"
        return f"none of its {rows_said(self.rows)} is scored, {failed}"


@dataclass(frozen=True)
class Failures:
    """What failed of a job: its bare suites, and how many failed rows each metric scored nevertheless."""

    bare: dict[str, BareSuite]
    scored: dict[Target, int]


def failures(session: Session, job: dict[str, Any]) -> Failures:
    """Of a job whose rows were dropped nobody knows which of them failed."""
    found = []
    if not job["rows_dropped_at"] and queries.failed_rows(session, job_id=job["job_id"])["failed"][0].as_py():
        found = queries.gate_failures(session, job_id=job["job_id"]).to_pylist()
    by_suite = {line["suite"]: line["rows_failed"] for line in found if line["metric"] is None}
    return Failures(
        {
            suite["name"]: BareSuite(suite["events_processed"], by_suite.get(suite["name"], 0))
            for suite in job["suites"] or ()
            if suite["events_processed"] and not suite["metrics"]
        },
        {
            (line["suite"], line["metric"], line["name"]): line["rows_failed"]
            for line in found
            if line["metric"] is not None
        },
    )


def bare_lines(bare: dict[str, BareSuite], seen: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The metrics that the baseline measured in those suites, as lines of a job that scored no row of them."""
    for line in seen:
        if (suite := bare.get(line["suite"])) is not None and not line["in_candidate"] and not line["is_told"]:
            unknown = dict.fromkeys(("mean", "variance", "std_error", "clusters"))
            counts = {"items_scored": 0, "rows_scored": 0, "rows_error": suite.failed, "rows_total": suite.rows}
            yield line | unknown | counts


def bare_verdicts(
    policy: Policy, bare: dict[str, BareSuite], measured: dict[Target, dict[str, Any]]
) -> Iterator[RuleVerdict]:
    """The rules about those suites, where nobody knows which metrics they were to have."""
    for name, suite in bare.items():
        if any(name == of_suite for of_suite, _, _ in measured):
            continue
        target = (name, "", "")
        kind = rule_of(policy, target, "class") or "critical"
        problem = f"suite {name!r}: {suite}"
        if (bound := rule_of(policy, target, "max_error_rate")) is not None:
            rate = suite.failed / suite.rows
            yield RuleVerdict(
                "max_error_rate", "pass" if rate <= bound else "fail", f"{problem}, at most {bound:.2%}", name,
                class_=kind, value=rate, bound=bound,
            )  # fmt: skip
        if any(rule_of(policy, target, rule) is not None for rule in RULES):
            yield RuleVerdict("measured", "not comparable", problem, name, class_=kind)
