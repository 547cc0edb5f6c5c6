"""What a gate says: a verdict per rule, and one in all."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from evalstore import json_text

if TYPE_CHECKING:
    import polars as pl

__all__ = ["OUTCOMES", "Outcome", "RuleVerdict", "Verdict", "worst_of"]

Outcome = Literal["pass", "inconclusive", "not comparable", "fail", "broken"]
OUTCOMES: tuple[Outcome, ...] = ("pass", "inconclusive", "not comparable", "fail", "broken")
"""From best to worst: the worst of its rules is that of a gate."""

EXIT_CODES = {"pass": 0, "fail": 1, "inconclusive": 3, "not comparable": 3, "broken": 4}
ADVISORY = "performance"


@dataclass(frozen=True)
class RuleVerdict:
    """One rule, what it was held against, and what came of it. `class_` "performance" is advice: it does not count."""

    rule: str
    outcome: Outcome
    message: str
    suite: str | None = None
    metric: str | None = None
    name: str | None = None
    class_: str = "critical"
    value: float | None = None
    bound: float | None = None
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    p_adjusted: float | None = None
    rows_needed: int | None = None

    @property
    def counts(self) -> bool:
        """Whether the gate depends on it."""
        return self.class_ != ADVISORY

    def to_dict(self) -> dict[str, Any]:
        """The rule as plain data."""
        told = asdict(self)
        return {"class" if key == "class_" else key: value for key, value in told.items()}


@dataclass(frozen=True)
class Verdict:
    """What a gate says of a job: true for a pass, and for nothing else."""

    job: str
    job_id: str
    outcome: Outcome
    message: str
    rules: list[RuleVerdict]
    workspace: str
    git_commit: str | None = None
    baseline: str | None = None
    baseline_jobs: list[str] = field(default_factory=list)
    confidence: float = 0.95
    warnings: list[str] = field(default_factory=list)
    worst_rows: list[dict[str, Any]] = field(default_factory=list, repr=False)
    baseline_job_ids: list[str] = field(default_factory=list)
    inconclusive_as: Literal["pass", "fail"] | None = None
    """What the user makes of an inconclusive outcome, which stays that; None for any other."""

    def __bool__(self) -> bool:
        return self.outcome == "pass"

    @property
    def exit_code(self) -> int:
        """That of `evalstore gate`: 0 pass, 1 fail, 3 inconclusive or not comparable, 4 broken."""
        return EXIT_CODES[self.inconclusive_as or self.outcome]

    @property
    def said(self) -> str:
        """The outcome, and what the user makes of it: "inconclusive, passed by --inconclusive pass"."""
        if self.inconclusive_as is None:
            return self.outcome
        return f"{self.outcome}, {self.inconclusive_as}ed by --inconclusive {self.inconclusive_as}"

    def with_inconclusive_as(self, word: Literal["pass", "fail"] | None) -> Verdict:
        """The same, where an inconclusive outcome counts as pass or fail. No other outcome is softened."""
        return replace(self, inconclusive_as=word) if self.outcome == "inconclusive" else self

    @property
    def failures(self) -> list[RuleVerdict]:
        """The rules that count and did not pass, the worst first."""
        found = [rule for rule in self.rules if rule.counts and rule.outcome != "pass"]
        return sorted(found, key=lambda rule: -OUTCOMES.index(rule.outcome))

    def to_dict(self) -> dict[str, Any]:
        """The verdict as plain data."""
        fields = (
            "workspace", "job", "job_id", "git_commit", "outcome", "message", "baseline", "baseline_jobs",
            "baseline_job_ids", "confidence", "warnings", "inconclusive_as",
        )  # fmt: skip
        told = {name: getattr(self, name) for name in fields}
        return {**told, "rules": [rule.to_dict() for rule in self.rules], "worst_rows": self.worst_rows}

    def to_json(self) -> str:
        """The same as JSON."""
        return json_text.dumps(self.to_dict())[0]

    def to_polars(self) -> pl.DataFrame:
        """One line per rule."""
        import polars as pl

        kinds: dict[str, Any] = {
            **dict.fromkeys(("rule", "outcome", "message", "suite", "metric", "name", "class"), pl.String),
            **dict.fromkeys(("value", "bound", "difference", "low", "high", "p_adjusted"), pl.Float64),
            "rows_needed": pl.Int64,
        }
        return pl.DataFrame([rule.to_dict() for rule in self.rules], kinds, orient="row")


def worst_of(rules: list[RuleVerdict]) -> tuple[Outcome, str]:
    """The outcome in all of some rules, and why. Where no rule counts, nothing was judged."""
    counted = [rule for rule in rules if rule.counts]
    if not counted:
        advice = f", only {len(rules)} of class performance, which is advice" if rules else ""
        return "not comparable", f"nothing was judged: no rule counts{advice}"
    worst = max((rule.outcome for rule in counted), key=OUTCOMES.index)
    if worst == "pass":
        return "pass", f"{len(counted)} of {len(counted)} rules passed"
    those = [rule for rule in counted if rule.outcome == worst]
    more = f" (and {len(those) - 1} more)" if len(those) > 1 else ""
    return worst, f"{those[0].message}{more}"
