"""Holds a job against a policy. Fails closed: what was not judged never passes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from evalstore import queries
from evalstore.analysis import comparing
from evalstore.analysis.asked import name_beside, question
from evalstore.analysis.comparison import Comparison
from evalstore.analysis.drops import COMPARING, Compared, drops
from evalstore.analysis.failed_rows import bare_lines, bare_verdicts, failures
from evalstore.analysis.floors import TOLD, floors, required, unmatched
from evalstore.analysis.own_metrics import own_metrics, unclustered_rows
from evalstore.analysis.pairing import FEW
from evalstore.analysis.policy import RULES, Policy, Target, rule_of
from evalstore.analysis.rule_words import full_name, place_of
from evalstore.analysis.summary_floors import summary_floors, summary_targets
from evalstore.analysis.verdict import RuleVerdict, Verdict, worst_of
from evalstore.analysis.worst_rows import rows_below, rows_that_lost
from evalstore.analysis.worst_values import problem_alone, problem_together, worst_values
from evalstore.errors import NotComparable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evalstore.session import Session

__all__ = ["Case", "judge"]


@dataclass(frozen=True)
class Case:
    """A job, what it is held against, and by which policy."""

    job: dict[str, Any]
    policy: Policy
    baseline: str | None
    baselines: list[dict[str, Any]]
    problem: str | None = None  # why there is nothing to compare with


def _unjudged(case: Case) -> RuleVerdict | None:
    """What speaks against judging at all: the job, its baseline, or that its rows are gone."""
    job, policy = case.job, case.policy
    if job["status"] != "completed":
        return RuleVerdict("completed", "broken", f"job {job['name']!r} is {job['status']}, not completed")
    if case.problem is not None:
        return RuleVerdict("baseline", "not comparable", case.problem)
    for one in case.baselines:
        if one["status"] != "completed":
            problem = f"the baseline, job {one['name']!r}, is {one['status']}, not completed"
            return RuleVerdict("baseline", "not comparable", problem)
    if job["rows_dropped_at"] and (policy.errors != "exclude" or policy.cluster is not None):
        what = "with errors in them" if policy.errors != "exclude" else f"by {policy.cluster}"
        problem = f"the rows of job {job['name']!r} were dropped, so its means cannot be taken {what}"
        return RuleVerdict("completed", "not comparable", problem)
    return None


def judge(session: Session, case: Case) -> Verdict:
    """The verdict on a job. Raises: QueryError; what speaks against the job itself is part of the verdict."""
    job, policy = case.job, case.policy
    if (unjudged := _unjudged(case)) is not None:
        return _verdict(case, [unjudged])
    failed, seen = failures(session, job), _seen(session, case)
    own = own_metrics(session, job, policy)
    unclustered = unclustered_rows(session, job, policy, own)
    lines = [*own, *bare_lines(failed.bare, seen)]
    every = {(line["suite"], line["metric"], line["name"]): line for line in lines}
    every = {target: line | {"rows_failed": failed.scored.get(target, 0)} for target, line in every.items()}
    told = {target: line for target, line in every.items() if line["is_told"]}
    measured = {target: line for target, line in every.items() if not line["is_told"]}
    if not any(line["rows_scored"] for line in measured.values()):
        why = f"of job {job['name']!r} {TOLD}" if told else f"job {job['name']!r} scored no row"
        return _verdict(case, [RuleVerdict("completed", "not comparable", f"{why}: there is nothing to judge")])
    summary = summary_targets(job, every)
    rules = [*required(policy, every, summary), *unmatched(policy, every, failed.bare, summary)]
    rules += [*summary_floors(policy, summary), *_not_judged(policy, told)]
    rules += [*bare_verdicts(policy, failed.bare, every), *_not_measured(policy, seen, every)]
    worths = _worths(session, case)
    for target, line in measured.items():
        rules += floors(policy, target, line, problem_alone(policy, target, line, worths.get(target)))
    comparisons: list[Comparison] = []
    compared = _compared(session, case, measured, seen, comparisons)
    for target, line in measured.items():
        if (problem := problem_together(policy, target, line, worths.get(target))) is not None:
            compared[target] = Compared(None, None, None, problem)
    rules += drops(policy, measured, compared)
    suites = {line["suite"] for one in comparisons for line in one.found.rows}
    unseen = [line for line in told.values() if line["suite"] not in suites]
    warnings = [f"{full_name(line)}: {TOLD}: it is not judged" for line in unseen]
    warnings += [warning for one in comparisons for warning in (*_missing_rows(one), *one.warnings)]
    bare = [f"suite {name!r}: {one}" for name, one in failed.bare.items()]
    warnings = list(dict.fromkeys([*bare, *_left_out(measured), *unclustered, *warnings]))
    worst = [*rows_that_lost(policy, measured, rules, comparisons), *rows_below(session, job, rules)]
    return _verdict(case, rules, warnings, worst)


def _verdict(
    case: Case, rules: list[RuleVerdict], warnings: list[str] | None = None, worst: list[dict[str, Any]] | None = None
) -> Verdict:
    outcome, message = worst_of(rules)
    job = case.job
    return Verdict(
        job["name"], job["job_id"], outcome, message, rules, job["workspace"], job["git_commit"], case.baseline,
        [name_beside(one, job) for one in case.baselines], case.policy.confidence, warnings or [], worst or [],
        baseline_job_ids=[one["job_id"] for one in case.baselines],
    )  # fmt: skip


def _worths(session: Session, case: Case) -> dict[Target, dict[str, Any]]:
    """What an error is worth, where the policy gives it the worst value."""
    if case.policy.errors != "worst":
        return {}
    jobs = [one["job_id"] for one in case.baselines]
    return worst_values(session, baselines=jobs, candidate=case.job["job_id"])


def _not_judged(policy: Policy, told: dict[Target, dict[str, Any]]) -> Iterator[RuleVerdict]:
    """What was told by its counts, and rules are about: the rows that are there cannot stand for the others."""
    for target, line in told.items():
        if any(rule_of(policy, target, rule) is not None for rule in RULES):
            problem = f"{full_name(line)}: {TOLD}, so it cannot be judged"
            yield RuleVerdict("measured", "not comparable", problem, **place_of(policy, target, line))


def _seen(session: Session, case: Case) -> list[dict[str, Any]]:
    """What the job and its baselines measured; nothing without a baseline."""
    if not case.baselines:
        return []
    jobs = [one["job_id"] for one in case.baselines]
    return list(queries.compare_jobs(session, baselines=jobs, candidate=case.job["job_id"]).to_pylist())


def _not_measured(
    policy: Policy, seen: list[dict[str, Any]], measured: dict[Target, dict[str, Any]]
) -> Iterator[RuleVerdict]:
    """What the baseline measured and the job did not: rules about it would judge the rest, and pass."""
    for line in seen:
        target = (line["suite"], line["metric"], line["name"])
        if target not in measured and any(rule_of(policy, target, rule) is not None for rule in RULES):
            problem = f"{full_name(line)}: the baseline measured it, the job did not"
            yield RuleVerdict("measured", "not comparable", problem, **place_of(policy, target, line))


def _compares(policy: Policy, target: Target) -> bool:
    return any(rule_of(policy, target, rule) is not None for rule in COMPARING)


def _left_out(measured: dict[Target, dict[str, Any]]) -> Iterator[str]:
    """Warnings about rows that are in no mean."""
    for line in measured.values():
        missing = line["rows_total"] - line["rows_scored"]
        if missing > FEW * line["rows_total"]:
            yield (
                f"{full_name(line)}: {line['rows_scored']:,} of {line['rows_total']:,} rows are scored, "
                f"{line['rows_error']:,} are in error"
            )
        if line["rows_failed"] > FEW * line["rows_total"]:
            failed = f"{line['rows_failed']:,} of {line['rows_total']:,} rows failed"
            yield f"{full_name(line)}: {failed}, and are scored nevertheless"


def _missing_rows(one: Comparison) -> Iterator[str]:
    """Warnings about rows of the baseline that the job did not run."""
    for line in one.found.rows:
        if line["only_in_baseline"] > FEW * line["baseline_rows"]:
            where = "" if line["suite"] == "default" else f" in suite {line['suite']!r}"
            share = f"{line['only_in_baseline']:,} of {line['baseline_rows']:,} rows"
            yield f"{share} of the baseline{where} are not in the job"


def _compared(
    session: Session,
    case: Case,
    measured: dict[Target, dict[str, Any]],
    seen: list[dict[str, Any]],
    comparisons: list[Comparison],
) -> dict[Target, Compared]:
    """The metrics that rules compare; suites are compared one by one, so that one cannot spoil the others."""
    policy = case.policy
    targets = [target for target in measured if _compares(policy, target)]
    found: dict[Target, Compared] = {}
    for suite in dict.fromkeys(target[0] for target in targets):
        try:
            one = _comparison(session, case, suite, [line for line in seen if line["suite"] == suite])
        except NotComparable as error:
            found |= {target: Compared(None, None, None, str(error)) for target in targets if target[0] == suite}
            continue
        comparisons.append(one)
        [rows] = one.found.rows
        for line in one.not_compared:
            if line["told_in"] == "baseline":
                problem = f"{TOLD}, in the baseline"
                found[line["suite"], line["metric"], line["name"]] = Compared(None, None, None, problem)
        for line, pairs in zip(one.found.metrics, one.found.pairs, strict=True):
            found[line["suite"], line["metric"], line["name"]] = Compared(line, pairs, rows)
    return found


def _comparison(session: Session, case: Case, suite: str, measured: list[dict[str, Any]]) -> Comparison:
    policy = case.policy
    if suite not in {each["name"] for job in case.baselines for each in job["suites"] or ()}:
        raise NotComparable(f"the baseline has no suite {suite!r}")
    asked = question(
        case.baselines, case.job, metric=None, suite=suite, errors=policy.errors, cluster=policy.cluster,
        confidence=policy.confidence, margin=None, by=None, max_changed=policy.max_changed,
        min_paired=policy.min_paired, test="auto", correction="none", with_mde=False,
    )  # fmt: skip
    return Comparison(asked, comparing.compare(session, asked, measured), lambda: session)
