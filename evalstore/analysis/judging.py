"""The part of a store that compares jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evalstore.analysis import comparing
from evalstore.analysis.comparison import Comparison

if TYPE_CHECKING:
    import pyarrow as pa

    from evalstore.analysis.comparing import Test
    from evalstore.analysis.statistics import Correction
    from evalstore.queries import Errors
    from evalstore.session import Session

__all__ = ["Judging"]


class Judging:
    """The part of a store that says what changed between jobs, and whether it is real."""

    def _job(self, text: str) -> pa.Table:
        raise NotImplementedError

    @property
    def _asking(self) -> Session:
        raise NotImplementedError

    def compare(
        self,
        baseline: str,
        candidate: str,
        *,
        metric: str | None = None,
        suite: str | None = None,
        errors: Errors = "exclude",
        cluster: str | None = None,
        confidence: float = 0.95,
        margin: float | None = None,
        by: str | None = None,
        max_changed: float = 0.05,
        min_paired: float = 0.9,
        test: Test = "auto",
        correction: Correction = "holm",
    ) -> Comparison:
        """What changed from one job to another, over the rows that they share, and whether it is more than noise.

        Rows are paired by suite, metric, name and row key; repetitions are averaged first. Rows of one key whose item or
        reference differs are left out and counted.

        Args:
            baseline: a job: NAME, workspace/NAME, @last, @last~1.
            candidate: the other one; differences are candidate - baseline.
            metric: only this one.
            suite: only this one.
            errors: "exclude" leaves rows in error out, "zero" counts them as 0, "worst" as the worst value.
            cluster: the field of rows that says which belong together (metadata.passage); by default their `cluster`,
                where they name one. "row_key" takes every row for itself.
            confidence: of the intervals; 1 - confidence is the level of the tests.
            margin: a loss that does not matter, in units of the metric: is the candidate worse by less than that?
            by: a field of rows to slice by (metadata.category).
            max_changed: the share of rows with other content up to which the jobs are comparable.
            min_paired: the share of the smaller job's rows that must be in both.
            test: "auto" is McNemar's exact test for pass/fail without repetitions and clusters, else paired or clustered
                t; "permutation" flips signs at random.
            correction: of the p values over all metrics: "holm", "bh" (false discovery rate) or "none".

        Raises: NotComparable; JobNotFound, UnknownField, UsageError.
        """

        def ask() -> Comparison:
            [[before], [after]] = self._job(baseline).to_pylist(), self._job(candidate).to_pylist()
            asked = comparing.question(
                before, after, metric=metric, suite=suite, errors=errors, cluster=cluster, confidence=confidence,
                margin=margin, by=by, max_changed=max_changed, min_paired=min_paired, test=test, correction=correction,
            )  # fmt: skip
            return Comparison(asked, comparing.compare(self._asking, asked), lambda: self._asking)

        return self._asking.consistently(ask)
