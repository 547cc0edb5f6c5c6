"""Holds a job against a policy. Fails closed: what was not judged never passes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from evalstore import queries
from evalstore.analysis import comparing, statistics
from evalstore.analysis.comparison import Comparison
from evalstore.analysis.policy import Policy, Target, rule_of
from evalstore.analysis.verdict import Outcome, RuleVerdict, Verdict, worst_of
from evalstore.errors import NotComparable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evalstore.analysis.statistics import Pairs
    from evalstore.session import Session

__all__ = ["Case", "Compared", "drop_verdict", "judge"]

WORST_ROWS = 5  # of each metric that lost


@dataclass(frozen=True)
class Case:
    """A job, what it is held against, and by which policy."""

    job: dict[str, Any]
    policy: Policy
    baseline: str | None
    baselines: list[dict[str, Any]]
    problem: str | None = None  # why there is nothing to compare with


@dataclass(frozen=True)
class Compared:
    """A metric as it was compared, with the numbers behind it; or why it could not be."""

    line: dict[str, Any] | None
    pairs: Pairs | None
    suite_rows: dict[str, Any] | None
    problem: str | None = None


def judge(session: Session, case: Case) -> Verdict:
    """The verdict on a job. Raises: QueryError; what speaks against the job itself is part of the verdict."""
    job, policy = case.job, case.policy
    if job["status"] != "completed":
        problem = f"job {job['name']!r} is {job['status']}, not completed"
        return _verdict(case, [RuleVerdict("completed", "broken", problem)])
    if case.problem is not None:
        return _verdict(case, [RuleVerdict("baseline", "not comparable", case.problem)])
    lines = _measured(session, case)
    if not lines or not any(line["rows_scored"] for line in lines):
        problem = f"job {job['name']!r} scored no row: there is nothing to judge"
        return _verdict(case, [RuleVerdict("completed", "not comparable", problem)])
    measured = {(line["suite"], line["metric"], line["name"]): line for line in lines}
    rules = [*_required(policy, lines), *_unmatched(policy, measured)]
    for target, line in measured.items():
        rules += _floors(policy, target, line)
    comparisons: list[Comparison] = []
    compared = _compared(session, case, measured, comparisons)
    rules += _comparing(policy, measured, compared)
    warnings = [warning for one in comparisons for warning in one.warnings]
    return _verdict(case, rules, warnings, _worst_rows(policy, measured, rules, comparisons))


_COMPARING = ("max_drop", "max_flips")


def _verdict(
    case: Case, rules: list[RuleVerdict], warnings: list[str] | None = None, worst: list[dict[str, Any]] | None = None
) -> Verdict:
    outcome, message = worst_of(rules)
    job = case.job
    return Verdict(
        job["name"], job["job_id"], outcome, message, rules, job["workspace"], job["git_commit"], case.baseline,
        [one["name"] for one in case.baselines], case.policy.confidence, warnings or [], worst or [],
    )  # fmt: skip


def _measured(session: Session, case: Case) -> list[dict[str, Any]]:
    """The metrics of the job; with errors that count, their means are computed anew."""
    lines: list[dict[str, Any]] = queries.gate_metrics(session, job_id=case.job["job_id"]).to_pylist()
    if case.policy.errors == "exclude":
        return lines
    anew = queries.sliced_scores(
        session, job_id=case.job["job_id"], slice_source=None, slice_path=None, errors=case.policy.errors
    ).select(["suite", "metric", "name", "mean", "variance", "std_error", "min", "max", "items_scored"])
    found = {(one["suite"], one["metric"], one["name"]): one for one in anew.to_pylist()}
    return [
        line
        | {**(one := found[line["suite"], line["metric"], line["name"]]), "lowest": one["min"], "highest": one["max"]}
        for line in lines
    ]


def _required(policy: Policy, lines: list[dict[str, Any]]) -> Iterator[RuleVerdict]:
    for kind, wanted in (("suite", policy.required.suites), ("metric", policy.required.metrics)):
        for name in wanted:
            scored = sum(line["rows_scored"] for line in lines if name in (line[kind], _metric(line)))
            outcome: Outcome = "pass" if scored else "fail"
            message = (
                f"{kind} {name!r} {'has ' + _rows(scored) + ' scored' if scored else 'is missing: no row is scored'}"
            )
            place: dict[str, Any] = {kind: name}
            yield RuleVerdict("required", outcome, message, **place, value=scored)


def _unmatched(policy: Policy, measured: dict[Target, dict[str, Any]]) -> Iterator[RuleVerdict]:
    """Rules about what was not measured judge nothing, which must not go unseen."""
    for suite, metric in policy.sections():
        for target, line in measured.items():
            if suite in (None, target[0]) and metric in (None, target[1], _metric(line)):
                break
        else:
            what = " ".join([*([f"metric {metric!r}"] if metric else []), *([f"suite {suite!r}"] if suite else [])])
            problem = f"the policy has rules for {what}, which the job did not measure"
            yield RuleVerdict("measured", "not comparable", problem, suite=suite, metric=metric)


def _floors(policy: Policy, target: Target, line: dict[str, Any]) -> Iterator[RuleVerdict]:
    """The rules that one job is held against by itself."""
    told = _told(policy, target, line)
    name = _full_name(line)
    low, high = _bounds(line, policy.confidence)
    for rule, sign in (("min", 1), ("max", -1)):
        if (bound := rule_of(policy, target, rule)) is not None:
            told_here = told | {"value": line["mean"], "bound": bound, "low": low, "high": high}
            on_bound = rule_of(policy, target, "on") == "bound"
            yield _floor(name, rule, sign, on_bound=on_bound, told=told_here, n=line["items_scored"])
    if (bound := rule_of(policy, target, "max_error_rate")) is not None:
        rate = line["rows_error"] / line["rows_total"]
        outcome: Outcome = "pass" if rate <= bound else "fail"
        share = f"{line['rows_error']:,} of {line['rows_total']:,} rows are in error ({rate:.2%})"
        message = f"{name}: {share}, at most {bound:.2%}"
        yield RuleVerdict("max_error_rate", outcome, message, **told, value=rate, bound=bound)
    if (bound := rule_of(policy, target, "min_rows")) is not None:
        outcome = "pass" if line["rows_scored"] >= bound else "fail"
        message = f"{name}: {_rows(line['rows_scored'])} scored, at least {bound:,}"
        yield RuleVerdict("min_rows", outcome, message, **told, value=line["rows_scored"], bound=bound)


def _floor(name: str, rule: str, sign: int, *, on_bound: bool, told: dict[str, Any], n: int) -> RuleVerdict:
    """A least or greatest mean: on the mean as it is, or on the end of its interval."""
    mean, bound = told["value"], told["bound"]
    word = "at least" if sign > 0 else "at most"
    if mean is None:
        return RuleVerdict(rule, "not comparable", f"{name}: no row is scored, so there is no mean", **told)
    if not on_bound:
        outcome: Outcome = "pass" if sign * (mean - bound) >= 0 else "fail"
        return RuleVerdict(rule, outcome, f"{name}: the mean is {_number(mean)}, {word} {_number(bound)}", **told)
    near, far = (told["low"], told["high"]) if sign > 0 else (told["high"], told["low"])
    if near is None:
        return RuleVerdict(rule, "inconclusive", f"{name}: {_rows(n)} tell no interval of the mean", **told)
    interval = f"the mean is {_number(mean)} [{_number(told['low'])}, {_number(told['high'])}]"
    message = f"{name}: {interval}, its {'lower' if sign > 0 else 'upper'} end {word} {_number(bound)}"
    if sign * (near - bound) >= 0:
        return RuleVerdict(rule, "pass", message, **told)
    if sign * (far - bound) < 0:
        return RuleVerdict(rule, "fail", message, **told)
    needed = math.ceil(n * ((mean - near) / (mean - bound)) ** 2) if sign * (mean - bound) > 0 else None
    more = f"; with this mean it takes about {needed:,} rows" if needed else ""
    return RuleVerdict(rule, "inconclusive", message + more, **told, rows_needed=needed)


def _bounds(line: dict[str, Any], confidence: float) -> tuple[float | None, float | None]:
    """The interval of a mean: Wilson's where rows plainly pass or fail, else by t."""
    n, mean = line["items_scored"], line["mean"]
    if mean is None:
        return None, None
    is_share = line["lowest"] >= 0 and line["highest"] <= 1 and math.isclose(
        line["variance"] or 0, mean * (1 - mean), abs_tol=1e-12
    )  # fmt: skip
    if is_share and line["clusters"] is None and n == line["rows_scored"]:
        return statistics.wilson(round(mean * n), n, confidence) or (None, None)
    units = line["clusters"] or n
    if not line["std_error"] or units < 2:  # noqa: PLR2004
        return None, None
    reach = statistics.t_quantile(units - 1, confidence) * line["std_error"]
    return mean - reach, mean + reach


def _compared(
    session: Session, case: Case, measured: dict[Target, dict[str, Any]], comparisons: list[Comparison]
) -> dict[Target, Compared]:
    """The metrics that rules compare; suites are compared one by one, so that one cannot spoil the others."""
    policy = case.policy
    targets = [target for target in measured if any(rule_of(policy, target, rule) is not None for rule in _COMPARING)]
    found: dict[Target, Compared] = {}
    for suite in dict.fromkeys(target[0] for target in targets):
        try:
            one = _comparison(session, case, suite)
        except NotComparable as error:
            found |= {target: Compared(None, None, None, str(error)) for target in targets if target[0] == suite}
            continue
        comparisons.append(one)
        [rows] = one.found.rows
        for line, pairs in zip(one.found.metrics, one.found.pairs, strict=True):
            found[line["suite"], line["metric"], line["name"]] = Compared(line, pairs, rows)
    return found


def _comparison(session: Session, case: Case, suite: str) -> Comparison:
    policy = case.policy
    if suite not in {each["name"] for job in case.baselines for each in job["suites"] or ()}:
        raise NotComparable(f"the baseline has no suite {suite!r}")
    asked = comparing.question(
        case.baselines, case.job, metric=None, suite=suite, errors=policy.errors, cluster=policy.cluster,
        confidence=policy.confidence, margin=None, by=None, max_changed=policy.max_changed,
        min_paired=policy.min_paired, test="auto", correction="none",
    )  # fmt: skip
    return Comparison(asked, comparing.compare(session, asked), lambda: session)


def _comparing(
    policy: Policy, measured: dict[Target, dict[str, Any]], compared: dict[Target, Compared]
) -> list[RuleVerdict]:
    """The rules that compare. Drops are tested together, so that many metrics do not make a false alarm likely."""
    tested = [target for target in measured if rule_of(policy, target, "max_drop") is not None]
    found = [compared.get(target) or Compared(None, None, None, "the baseline did not measure it") for target in tested]
    p_values = [one.line["p_value"] if one.line else None for one in found]
    rules = []
    for target, one, p in zip(tested, found, statistics.adjusted(p_values, policy.correction), strict=True):
        rules.append(drop_verdict(policy, target, measured[target], one, p))
    for target, line in measured.items():
        if (bound := rule_of(policy, target, "max_flips")) is not None:
            flips = _flips_of(policy, target, line)
            rules.append(_flips(bound, flips, _told(policy, target, line), _full_name(line), compared.get(target)))
    return rules


def drop_verdict(policy: Policy, target: Target, line: dict[str, Any], one: Compared, p: float | None) -> RuleVerdict:
    """Non-inferiority: whether less than the margin is lost.

    Passes where the interval of the loss ends before the margin; fails where a loss is real (its adjusted p value says
    so) and beyond the margin; else too few rows tell.
    """
    margin, name, told = rule_of(policy, target, "max_drop"), _full_name(line), _told(policy, target, line)
    told["bound"] = margin
    if one.line is None or one.suite_rows is None or not one.line["paired"]:
        return RuleVerdict(
            "max_drop", "not comparable", f"{name}: {one.problem or 'no row is scored on both sides'}", **told
        )
    found = one.line
    told |= {"value": found["candidate_mean"], **{field: found[field] for field in ("difference", "low", "high")}}
    told["p_adjusted"] = p
    share = found["paired"] / one.suite_rows["paired"]
    lost = one.line["newly_in_error"]
    if lost and share < policy.min_paired:
        message = (
            f"{name}: only {found['paired']:,} of {one.suite_rows['paired']:,} rows are scored on both sides, "
            f"{lost:,} are newly in error"
        )
        return RuleVerdict("max_drop", "not comparable", message, **told)
    sign = 1 if _is_higher_better(policy, target, line) else -1
    loss = -sign * found["difference"]
    said = f"{name}: {_number(found['baseline_mean'])} -> {_number(found['candidate_mean'])}, {_change(found, sign)}"
    if found["low"] is None or one.pairs is None:
        return RuleVerdict("max_drop", "inconclusive", f"{said}; {_rows(found['paired'])} tell no interval", **told)
    greatest = -found["low"] if sign > 0 else found["high"]
    if greatest < margin:
        return RuleVerdict("max_drop", "pass", f"{said}: less than {_number(margin)} is lost", **told)
    if p is not None and p < 1 - policy.confidence and loss > margin:
        return RuleVerdict("max_drop", "fail", f"{said}: more than {_number(margin)}, and real (p {p:.2g})", **told)
    needed = statistics.rows_needed(one.pairs, margin, policy.confidence)
    more = f"; it takes about {needed:,} rows to tell" if needed and needed > found["paired"] else ""
    return RuleVerdict(
        "max_drop", "inconclusive", f"{said}: whether it is within {_number(margin)} cannot be told{more}", **told,
        rows_needed=needed,
    )  # fmt: skip


def _flips_of(policy: Policy, target: Target, line: dict[str, Any]) -> str:
    """The flip that is a loss: the other one where the policy turns the direction of a metric round."""
    return "regressed" if _is_higher_better(policy, target, line) == line["higher_is_better"] else "improved"


def _flips(bound: int, flip: str, told: dict[str, Any], name: str, one: Compared | None) -> RuleVerdict:
    if one is None or one.line is None:
        problem = one.problem if one else "the baseline did not measure it"
        return RuleVerdict("max_flips", "not comparable", f"{name}: {problem}", **told, bound=bound)
    lost, errors = one.line[flip], one.line["newly_in_error"]
    outcome: Outcome = "pass" if lost + errors <= bound else "fail"
    message = f"{name}: {_rows(lost)} regressed, {errors:,} newly in error, at most {bound:,}"
    return RuleVerdict("max_flips", outcome, message, **told, value=lost + errors, bound=bound)


def _worst_rows(
    policy: Policy, measured: dict[Target, dict[str, Any]], rules: list[RuleVerdict], comparisons: list[Comparison]
) -> list[dict[str, Any]]:
    """The rows that lost most, of the metrics whose losses did not pass."""
    lost = {
        (rule.suite, rule.metric, rule.name, flip)
        for target, line in measured.items()
        for rule in rules
        if rule.rule in _COMPARING and rule.outcome != "pass" and (rule.suite, rule.metric, rule.name) == target
        for flip in (_flips_of(policy, target, line), "newly in error")
    }
    if not lost:
        return []
    flips = sorted({flip for *_, flip in lost})
    found = [line for one in comparisons for line in one.flip_table(*flips, limit=WORST_ROWS).to_pylist()]
    return [line for line in found if (line["suite"], line["metric"], line["name"], line["flip"]) in lost]


def _told(policy: Policy, target: Target, line: dict[str, Any]) -> dict[str, Any]:
    kind = rule_of(policy, target, "class") or line["class"] or "critical"
    return dict(zip(("suite", "metric", "name"), target, strict=True)) | {"class_": kind}


def _is_higher_better(policy: Policy, target: Target, line: dict[str, Any]) -> bool:
    told = rule_of(policy, target, "higher_is_better")
    return bool(line["higher_is_better"] if told is None else told)


def _change(line: dict[str, Any], sign: int) -> str:
    word = "no change" if not line["difference"] else "a gain" if sign * line["difference"] > 0 else "a loss"
    size = "" if not line["difference"] else f" of {_number(abs(line['difference']))}"
    ends = "" if line["low"] is None else f" [{line['low']:+.4f}, {line['high']:+.4f}]"
    return f"{word}{size}{ends}"


def _metric(line: dict[str, Any]) -> str:
    return f"{line['metric']}:{line['name']}"


def _full_name(line: dict[str, Any]) -> str:
    name = line["metric"] if line["name"] == line["metric"] else _metric(line)
    return str(name if line["suite"] == "default" else f"{line['suite']}/{name}")


def _number(value: float) -> str:
    return f"{value:.4f}".rstrip("0").rstrip(".") if abs(value) >= 1e-4 or value == 0 else f"{value:.2e}"  # noqa: PLR2004


def _rows(count: int) -> str:
    return f"{count:,} row" + ("" if count == 1 else "s")
