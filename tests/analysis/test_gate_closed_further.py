"""More that no gate may let through: crashed suites, errors worth the best value, rules that find nothing."""

import json

import numpy as np
import pytest

import evalstore


def log(store, name, rows, **context):
    with store.job(name, dataset="d", model="m", **context) as job:
        for row in rows:
            job.log(**{"item": {"q": row["row_key"]}, **row})


def scored(values, metric="ok", **more):
    return [{"row_key": n, "scores": {metric: value}, **more} for n, value in enumerate(values)]


def failed(keys, **more):
    return [{"row_key": n, "error": "it broke", **more} for n in keys]


def outcomes(verdict):
    return {(rule.rule, rule.suite, rule.outcome) for rule in verdict.rules}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with evalstore.open(tmp_path_factory.mktemp("further") / "evals") as store:
        right = [n % 4 > 0 for n in range(40)]
        log(store, "quarter", scored(right))
        yield store


# Policies


def test_a_section_for_what_was_not_measured_is_seen_even_without_a_rule(store):
    asked = {"metrics": {"ok": {"min": 0.1}, "okay": {"higher_is_better": False}}}
    verdict = store.gate("quarter", policy=asked)
    assert (verdict.outcome, verdict.message) == (
        "not comparable",
        "the policy has a section for metric 'okay', which the job did not measure; did you mean ok?",
    )
    for section in ({"suites": {"nosuch": {"class": "performance"}}}, {"metrics": {"okay": {"on": "bound"}}}):
        assert store.gate("quarter", policy={"all": {"min": 0.1}, **section}).outcome == "not comparable"
    # Of class performance it is advice, unless it would have turned a direction.
    advice = {"class": "performance", "max": 1.0}
    assert store.gate("quarter", policy={"all": {"min": 0.1}, "metrics": {"okay": advice}})
    turned = {**advice, "higher_is_better": False}
    assert not store.gate("quarter", policy={"all": {"min": 0.1}, "metrics": {"okay": turned}})


def test_a_floor_of_the_call_holds_whatever_the_policy_says(store):
    for section in (
        {"suites": {"default": {"metrics": {"ok": {"min": 0.1}}}}},
        {"metrics": {"ok:ok": {"min": 0.1}}},
        {"metrics": {"ok": {"class": "performance"}}, "required": {"metrics": ["ok"]}},
        {"all": {"min": 0.1, "max_error_rate": 0.5}},
    ):
        verdict = store.gate("quarter", policy=section, min={"ok": 0.99})
        assert (verdict.outcome, verdict.failures[0].bound) == ("fail", 0.99)
        assert verdict.failures[0].message == "ok: the mean is 0.75, at least 0.99"
        assert store.gate("quarter", policy=section, min={"ok": 0.7})
    # The stricter of both holds.
    stricter = store.gate("quarter", policy={"metrics": {"ok": {"min": 0.9}}}, min={"ok": 0.1})
    assert (stricter.outcome, [rule.bound for rule in stricter.rules]) == ("fail", [0.9])
    both = store.gate("quarter", policy={"min": {"ok": 0.9}, "suites": {"default": {"min": 0.1}}})
    assert both.outcome == "fail"
    assert store.gate("quarter", min={"okay": 0.5}).outcome == "not comparable"


def test_a_required_suite_is_a_suite(store):
    log(store, "rouge", [{"row_key": 0, "scores": {"rouge": {"value": 0.5, "name": "r1"}}}])
    assert store.gate("rouge", policy={"required": {"metrics": ["rouge:r1"], "suites": ["default"]}})
    verdict = store.gate("rouge", policy={"required": {"suites": ["rouge:r1"]}})
    assert (verdict.outcome, verdict.message) == ("fail", "suite 'rouge:r1' is missing: no row is scored")


def test_a_policy_may_begin_with_a_byte_order_mark(store, tmp_path):
    (tmp_path / "gate.toml").write_bytes(b"\xef\xbb\xbf[all]\nmin = 0.1\n")
    assert store.gate("quarter", policy=tmp_path / "gate.toml")


def test_numbers_of_numpy_are_numbers(store):
    assert store.gate("quarter", min={"ok": np.float32(0.5)})
    assert not store.gate("quarter", min={"ok": np.float32(0.9)})
    log(store, "quarter-again", scored([n % 4 > 0 for n in range(40)]))
    found = store.compare("quarter", "quarter-again", margin=np.float32(0.25))
    assert json.loads(found.to_json())["metrics"][0]["margin"] == 0.25
