"""What a gate says of any two jobs, and the same reckoned by hand: floors, drops, flips, under every error policy."""

import itertools

import numpy as np
import pytest
import scipy.stats
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import evalstore

MARGIN, FLOOR, RATE, FLIPS, CONFIDENCE = 0.2137, 0.5137, 0.25, 2, 0.9
SCORES = (0.25, 0.5, 0.75)  # not 0 and 1, which other tests are for
DECLARED = {
    "up": {"minimum": 0, "maximum": 1},
    "down": {"minimum": 0, "maximum": 1, "higher_is_better": False},
}
_rows = st.lists(
    st.lists(st.sampled_from([*SCORES, *SCORES, "error", "failed", None]), min_size=1, max_size=2),
    min_size=12, max_size=12,
)  # fmt: skip
_cases = st.tuples(st.sampled_from(["up", "down"]), _rows, _rows)


def test_a_gate_reckons_as_plain_python_does(tmp_path_factory):
    store = evalstore.open(tmp_path_factory.mktemp("laws") / "evals")
    numbers = itertools.count()

    # To shrink a failing example would take minutes.
    @settings(max_examples=2, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(st.lists(_cases, min_size=6, max_size=10))
    def holds(cases):
        number = next(numbers)
        cases = [(metric, _begun(before), _begun(after)) for metric, before, after in cases]
        for side, name in ((1, f"before-{number}"), (2, f"after-{number}")):
            with store.job(name, metrics=DECLARED) as job:
                for place, case in enumerate(cases):
                    _log(job, f"s{place}", case[0], case[side])
        for errors in ("exclude", "zero", "worst"):
            rules = {"min": FLOOR, "max_drop": MARGIN, "max_error_rate": RATE, "max_flips": FLIPS}
            policy = {"errors": errors, "confidence": CONFIDENCE, "correction": "none", "all": rules}
            verdict = store.gate(f"after-{number}", baseline=f"before-{number}", policy=policy)
            found = {(rule.suite, rule.rule): rule for rule in verdict.rules}
            assert len(found) == 4 * len(cases)
            for place, (metric, before, after) in enumerate(cases):
                for rule, (outcome, value) in _expected(metric, before, after, errors).items():
                    said = found[f"s{place}", rule]
                    assert (rule, said.outcome) == (rule, outcome), said.message
                    if value is not None:
                        assert said.value == pytest.approx(value)

    holds()


def _begun(rows):
    """With a row that is scored, so that the metric is known."""
    return [[0.5], *rows]


def _log(job, suite, metric, rows):
    for key, repetitions in enumerate(rows):
        for repetition, outcome in enumerate(repetitions):
            line = {"row_key": key, "item": key, "suite": suite, "repetition": repetition}
            if outcome == "failed":
                job.log(**line, error="it broke")
            else:
                job.log(**line, scores={metric: {"error": "no"} if outcome == "error" else outcome})


def _expected(metric, before, after, errors):
    """The outcome and the value of each rule."""
    worth = {"exclude": None, "zero": 0.0, "worst": 0.0 if metric == "up" else 1.0}[errors]
    outcomes = [one for row in after for one in row]
    values = [value for one in outcomes if (value := _value(one, worth)) is not None]
    mean = float(np.mean(values))
    rate = sum(one in ("error", "failed") for one in outcomes) / len(outcomes)
    sides = [[_of_row(row, worth) for row in rows] for rows in (before, after)]
    return {
        "min": ("pass" if mean >= FLOOR else "fail", mean),
        "max_error_rate": ("pass" if rate <= RATE else "fail", rate),
        "max_drop": _drop(metric, sides),
        "max_flips": _flips(metric, sides),
    }


def _value(outcome, worth):
    return worth if outcome in ("error", "failed") else outcome


def _of_row(row, worth):
    """(mean of the repetitions, whether the row is in error)."""
    values = [value for one in row if (value := _value(one, worth)) is not None]
    is_scored = any(one in SCORES for one in row)
    return (float(np.mean(values)) if values else None), not is_scored and any(one is not None for one in row)


def _lost(before, after):
    """Whether only one side has a value, or an error came to a row that had none."""
    (value, error), (value_after, error_after) = before, after
    both_gone = value is None and value_after is None
    return (value is None) != (value_after is None) or (both_gone and error_after and not error)


def _drop(metric, sides):
    pairs = [(one[0], other[0]) for one, other in zip(*sides, strict=True) if None not in (one[0], other[0])]
    lost = sum(_lost(one, other) for one, other in zip(*sides, strict=True))
    mean_after = float(np.mean([after for _, after in pairs])) if pairs else None
    if len(pairs) < 0.9 * (len(pairs) + lost):
        return "not comparable", mean_after
    losses = np.array([before - after if metric == "up" else after - before for before, after in pairs])
    if len(losses) < 2:
        return "inconclusive", mean_after
    if np.ptp(losses) == 0:
        share = 1 - ((1 - CONFIDENCE) / 2) ** (1 / len(losses))
        greatest = losses[0] + share * (1 - losses[0])
        p = 1.0 if losses[0] == 0 else min(1.0, 2 * 0.5 ** len(losses))
    else:
        found = scipy.stats.ttest_1samp(losses, 0)
        greatest, p = found.confidence_interval(CONFIDENCE).high, found.pvalue
    if greatest < MARGIN:
        return "pass", mean_after
    return ("fail" if p < 1 - CONFIDENCE and losses.mean() > MARGIN else "inconclusive"), mean_after


def _flips(metric, sides):
    lost = paired = 0
    for (before, error_before), (after, error_after) in zip(*sides, strict=True):
        paired += None not in (before, after)
        if error_after:
            lost += not error_before
        elif before is not None and after is None:
            lost += 1
        elif before is not None and not error_before:
            lost += after < before if metric == "up" else after > before
    return ("fail" if lost > FLIPS else "pass" if paired else "not comparable"), lost
