"""The part of a store that compares jobs and holds them against policies."""

from __future__ import annotations

import logging
import re
import uuid
from functools import cached_property
from typing import TYPE_CHECKING, Any

from evalstore import judgements, queries, store_folder
from evalstore.analysis import comparing, statistics
from evalstore.analysis.asked import question
from evalstore.analysis.baselines import Baselines
from evalstore.analysis.comparison import Comparison
from evalstore.arrow_lines import as_dicts
from evalstore.asking import Asking
from evalstore.errors import JobNotFound, NotComparable, UsageError
from evalstore.markers import Marker, place_marker

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from evalstore.analysis.asked import Test
    from evalstore.analysis.policy import Policy
    from evalstore.analysis.significance import Correction
    from evalstore.analysis.verdict import Verdict
    from evalstore.queries import Errors

__all__ = ["Judging"]

_log = logging.getLogger("evalstore")
_LAST = re.compile(r"last:([1-9]\d{0,3})")


class Judging(Asking):
    """The part of a store that says what changed between jobs, and whether it is real."""

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

        Rows are paired by suite, metric, name and row key; repetitions are averaged first. Rows of one key whose item
        or reference differs are left out and counted.

        Args:
            baseline: a job: NAME, workspace/NAME, @last, @last~1, @NAME of a baseline; or last:5, the last five
                accepted jobs before the candidate, whose scores are averaged.
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
            test: "auto" is McNemar's exact test for pass/fail without repetitions and clusters, else paired or
                clustered t; "permutation" flips signs at random.
            correction: of the p values over all metrics: "holm", "bh" (false discovery rate) or "none".

        Raises: NotComparable; JobNotFound, UnknownField, UsageError.
        """
        statistics.load()

        def ask() -> Comparison:
            [after] = as_dicts(self._job(candidate))
            before = self._last_accepted(baseline, after) or as_dicts(self._job(baseline))
            asked = question(
                before, after, metric=metric, suite=suite, errors=errors, cluster=cluster, confidence=confidence,
                margin=margin, by=by, max_changed=max_changed, min_paired=min_paired, test=test, correction=correction,
            )  # fmt: skip
            return Comparison(asked, comparing.compare(self._asking, asked), lambda: self._asking)

        return self._asking.consistently(ask)

    def gate(
        self,
        job: str,
        *,
        baseline: str | None = None,
        policy: str | os.PathLike[str] | dict[str, Any] | Policy | None = None,
        min: Mapping[str, float] | None = None,
    ) -> Verdict:
        """Whether a job may ship: holds it against a policy. True for a pass, and for nothing else.

        Fails closed: a job that is not completed, has nothing to judge or cannot be compared never passes. The verdict
        is stored, and can be asked for in the view `gate_verdicts`.

        Args:
            job: NAME, workspace/NAME, @last, @last~1.
            baseline: the name of a baseline (main), `last:5` for the last five accepted jobs of the series, or a job,
                all of the workspace of the job; workspace/NAME for one of another. Without it, that of the policy.
            policy: a TOML file, or the same as a dict.
            min: the least mean of some metrics, such as {"is_correct": 0.85}.

        Raises: BrokenInput for a policy that cannot be read, UsageError for one without rules; JobNotFound.
        """
        from evalstore.analysis.gating import Case, judge
        from evalstore.analysis.policy import policy_of

        read = policy_of(policy, min)
        if not isinstance(baseline, str | None):
            raise UsageError(f"baseline is the name of a baseline, last:5 or a job, not {baseline!r}")
        named = read.baseline if baseline is None else baseline
        if named == "":
            raise UsageError("the baseline is an empty text: name a baseline, last:5 or a job, or none at all")
        if named is None and read.needs_baseline:
            raise UsageError("the policy compares (max_drop, max_flips), so name a baseline: main, last:5 or a job")

        def ask() -> Verdict:
            [line] = as_dicts(self._job(job))
            try:
                case = Case(line, read, named, self._baseline_jobs(named, line) if named is not None else [])
            except NotComparable as error:
                case = Case(line, read, named, [], problem=str(error))
            return judge(self._asking, case)

        verdict = self._asking.consistently(ask)
        self._store_verdict(verdict, read)
        return verdict

    @cached_property
    def baselines(self) -> Baselines:
        """Named baselines: `store.baselines.set("main", "gsm8k-175b")`."""
        return Baselines(self.root, self.workspace, self._catalog, lambda: self._asking, self._job)

    def _baseline_jobs(self, named: str, job: dict[str, Any]) -> list[dict[str, Any]]:
        """The jobs that a baseline means: its own, the last ones accepted, or the job of that name.

        Names are those of the workspace of the job that is judged; `workspace/NAME` is a job of another one.
        """
        if last := self._last_accepted(named, job):
            return last
        space = job["workspace"]
        if "/" in named:
            return as_dicts(self._job(named))
        if named.startswith("@last"):
            if space != self.workspace:
                raise UsageError(f"{named} is a job of workspace {self.workspace!r}: name one of {space!r} by its name")
            return as_dicts(self._job(named))
        name = named.removeprefix("@")
        found = as_dicts(queries.baselines(self._asking, workspace=space, baseline=name, with_history=False))
        if found and found[0]["job_now"] is not None:
            return as_dicts(self._job(f"{space}/{found[0]['job_now']}"))
        if space == self.workspace and (found or name != named):
            return as_dicts(self._job(f"@{name}"))  # which says what is wrong with it
        if found:
            raise JobNotFound(f"baseline {name!r} of workspace {space!r} is a job that was deleted or replaced")
        if name != named:
            raise JobNotFound(f"there is no baseline {name!r} in workspace {space!r}")
        return as_dicts(self._job(f"{space}/{named}"))

    def _last_accepted(self, named: str, job: dict[str, Any]) -> list[dict[str, Any]] | None:
        """The jobs that `last:5` means, the oldest first; None for other texts. Raises: NotComparable for no job."""
        if not isinstance(named, str) or not named.startswith("last:"):
            return None
        if not (found := _LAST.fullmatch(named)):
            raise UsageError(f"{named} means no job: write last:5 for the last five accepted ones, 9999 at most")
        count = int(found[1])
        jobs = as_dicts(queries.accepted_jobs(self._asking, job_id=job["job_id"], last=count))
        if not jobs:
            raise NotComparable(
                f"no accepted job comes before {job['name']!r} in its series (same dataset, model and group): accepted "
                "is what is completed, and passed its last gate or was set as a baseline"
            )
        return list(reversed(jobs))

    def _store_verdict(self, verdict: Verdict, policy: Policy) -> None:
        told = verdict.to_dict()
        left_out = ("warnings", "worst_rows", "inconclusive_as")  # the last is for one call, and not for the record
        entry = {field: value for field, value in told.items() if field not in left_out}
        entry["policy"] = policy.model_dump(mode="json", by_alias=True, exclude_unset=True)
        try:
            store_folder.create(self.root)
            judgements.store_verdict(self.root, entry)
            place_marker(self.root, Marker("meta", str(uuid.uuid4()), judgements.VERDICTS))
        except OSError as error:
            _log.warning("the verdict cannot be stored: %s", error)
            return
        self._catalog.publish_if_possible()
