"""More that no gate may let through: crashed suites, errors worth the best value, rules that find nothing."""

import asyncio
import json

import numpy as np
import pytest
import scipy.stats

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
        both = [{**row, "suite": suite} for suite in "ac" for row in scored([True] * 40)]
        log(store, "whole", both)
        log(store, "crashed", [*both[:40], *failed(range(40), suite="c")])
        log(store, "without-c", both[:40])
        log(store, "scored-failures", [{**row, "error": "it broke"} for row in scored(right)])
        yield store


# Suites that crashed, and rows that failed

FLOORS = {"all": {"min": 0.9, "max_error_rate": 0.01}}


def test_a_suite_that_crashed_whole_is_all_in_error(store):
    verdict = store.gate("crashed", policy=FLOORS)
    assert outcomes(verdict) == {
        ("min", "a", "pass"), ("max_error_rate", "a", "pass"), ("max_error_rate", "c", "fail"),
        ("measured", "c", "not comparable"),
    }  # fmt: skip
    said = "suite 'c': none of its 40 rows is scored, all in error"
    assert (verdict.outcome, verdict.message, verdict.warnings) == ("fail", f"{said}, at most 1.00%", [said])
    [rule] = store.gate("crashed", policy={"suites": {"c": {"metrics": {"ok": {"min": 0.1}}}}}).rules
    assert rule.message == (
        "the policy has rules for metric 'ok' of suite 'c', which the job did not measure; of suite 'c' none of its 40 "
        "rows is scored, all in error"
    )
    assert store.gate("crashed", policy={"suites": {"c": {"min_rows": 1}}}).message == said
    assert store.gate("crashed", policy={"suites": {"a": {"min": 0.9}}}).warnings == [said]


@pytest.mark.parametrize(
    ("rule", "outcome"),
    [
        ({"min": 0.9}, "not comparable"),
        ({"max_error_rate": 0.01}, "fail"),
        ({"min_rows": 1}, "fail"),
        ({"max_drop": 0.9}, "not comparable"),
        ({"max_flips": 39}, "fail"),
    ],
)
def test_a_suite_that_crashed_is_judged_as_what_the_baseline_measured(store, rule, outcome):
    verdict = store.gate("crashed", baseline="whole", policy={"suites": {"c": rule}})
    [found] = verdict.rules
    assert (found.suite, found.metric, verdict.outcome) == ("c", "ok", outcome)
    assert "c/ok: 0 of 40 rows are scored, 40 are in error" in verdict.warnings


def test_what_the_baseline_measured_is_missed_by_every_rule(store):
    for rule in ({"min": 0.1}, {"max_error_rate": 1.0}, {"min_rows": 1}):
        verdict = store.gate("without-c", baseline="whole", policy={"all": rule})
        assert (verdict.outcome, verdict.message) == (
            "not comparable", "c/ok: the baseline measured it, the job did not",
        )  # fmt: skip
        assert store.gate("without-c", baseline="whole", policy={"suites": {"a": rule}})


def test_a_comparison_with_a_suite_that_crashed_shows_it(store):
    found = store.compare("whole", "crashed")
    told = {line["suite"]: line for line in found.metrics.to_dicts()}
    fields = ("paired", "newly_in_error", "candidate_scored", "candidate_rows", "candidate_errors", "change")
    assert [told["c"][field] for field in fields] == [0, 40, 0, 40, 40, "nothing paired"]
    assert told["a"]["paired"] == 40
    assert found.flipped("newly in error").height == 40
    assert found.warnings == ["c/ok: no row is scored on both sides, 40 are newly in error"]
    assert {line["suite"]: line["candidate_failed"] for line in found.rows.to_dicts()} == {"a": 0, "c": 40}
    zero = {line["suite"]: line for line in store.compare("whole", "crashed", errors="zero").metrics.to_dicts()}
    assert (zero["c"]["paired"], zero["c"]["difference"]) == (40, -1)
    back = {line["suite"]: line for line in store.compare("crashed", "whole").metrics.to_dicts()}
    assert (back["c"]["recovered"], back["c"]["baseline_errors"]) == (40, 40)


def test_rows_that_failed_are_in_error_whatever_an_evaluator_made_of_them(store):
    verdict = store.gate("scored-failures", policy={"all": {"max_error_rate": 0.5}})
    assert (verdict.outcome, verdict.rules[0].value) == ("fail", 1.0)
    assert "40 of 40 rows are in error (100.00%), 40 of them failed and are scored nevertheless" in verdict.message
    floor = store.gate("scored-failures", policy={"all": {"min": 0.5}})
    assert floor
    assert floor.warnings == ["ok: 40 of 40 rows failed, and are scored nevertheless"]
    [warning] = store.compare("quarter", "scored-failures").warnings
    assert warning.startswith("40 of 40 rows of 'scored-failures' failed, or a repetition of them did, and are scored")


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


# What an error is worth

WORST = {"errors": "worst", "all": {"min": 0.9}}
BOUNDS = {"x": {"minimum": 0, "maximum": 1}}


def test_the_worst_value_must_be_declared(store):
    log(store, "alike", [*scored([1.0] * 24, "x"), *failed(range(24, 40))])
    log(store, "all-right", scored([1.0] * 40, "x"))
    log(store, "alike-declared", [*scored([1.0] * 24, "x"), *failed(range(24, 40))], metrics=BOUNDS)
    verdict = store.gate("alike", policy=WORST)
    assert (verdict.outcome, verdict.message) == (
        "not comparable",
        'x: errors = "worst" needs the worst value: declare the minimum of the metric with the job',
    )
    declared = store.gate("alike-declared", policy=WORST)
    assert (declared.outcome, declared.rules[0].value) == ("fail", 0.6)
    for rule in ({"max_drop": 0.5}, {"max_flips": 39}):
        assert not store.gate("alike", baseline="all-right", policy={"errors": "worst", "all": rule})
    assert store.compare("all-right", "alike", errors="worst").warnings == [
        "x: errors count as the worst score seen, 1, since no minimum is declared"
    ]
    assert store.compare("alike-declared", "all-right", errors="worst", metric="x").warnings == []
    right = [*scored([True] * 24), *failed(range(24, 40))]
    log(store, "booleans", right)
    assert store.gate("booleans", policy=WORST).rules[0].value == 0.6


def test_the_worst_value_goes_by_the_direction_that_is_in_force(store):
    log(store, "seconds", [*scored([3.0] * 32, "lat"), *failed(range(32, 40))], metrics={"lat": {"maximum": 9.0}})
    policy = {"errors": "worst", "metrics": {"lat": {"max": 3.1, "higher_is_better": False}}}
    verdict = store.gate("seconds", policy=policy)
    assert (verdict.outcome, "by which higher is better" in verdict.message) == ("not comparable", True)
    lower = {"lat": {"maximum": 9.0, "higher_is_better": False}}
    log(store, "fewer-seconds", [*scored([3.0] * 32, "lat"), *failed(range(32, 40))], metrics=lower)
    judged = store.gate("fewer-seconds", policy=policy)
    assert (judged.outcome, judged.rules[0].value) == ("fail", pytest.approx((32 * 3 + 8 * 9) / 40))


def test_an_error_is_worth_the_same_in_every_rule_of_a_gate(store):
    log(store, "low", scored([-1.0, *[0.9] * 39], "x"), metrics=BOUNDS)
    log(store, "high", [*scored([0.8] * 32, "x"), *failed(range(32, 40))], metrics=BOUNDS)
    policy = {"errors": "worst", "all": {"min": 0.6, "max_drop": 0.9}}
    apart = store.gate("high", baseline="low", policy=policy)
    assert {rule.rule: rule.outcome for rule in apart.rules} == {"min": "pass", "max_drop": "not comparable"}
    assert "an error would be worth 0 in the job and -1 beside the baseline" in apart.message
    log(store, "within", scored([0.9] * 40, "x"), metrics=BOUNDS)
    together = store.gate("high", baseline="within", policy=policy)
    assert {rule.rule: rule.value for rule in together.rules} == {"min": 0.64, "max_drop": pytest.approx(0.64)}
    # Scores beyond what is declared are worse than it.
    log(store, "beyond", [*scored([-1.0, *[1.0] * 31], "x"), *failed(range(32, 40))], metrics=BOUNDS)
    assert store.gate("beyond", policy=WORST).rules[0].value == pytest.approx((31 - 1 - 8) / 40)


def test_errors_that_count_are_not_counted_twice(store):
    log(store, "fifth-failed", [*scored([n % 4 > 0 for n in range(32)]), *failed(range(32, 40))])
    for errors in ("zero", "worst"):
        verdict = store.gate("fifth-failed", baseline="quarter", policy={"errors": errors, "all": {"max_drop": 0.01}})
        assert verdict.outcome in ("fail", "inconclusive")
        [rule] = verdict.rules
        assert (rule.value, rule.difference) == (0.6, pytest.approx(-0.15))
    left_out = store.gate("fifth-failed", baseline="quarter", policy={"all": {"max_drop": 0.5}})
    assert left_out.message == "ok: only 32 of 40 rows are scored on both sides, 8 are newly in error"


def test_a_baseline_mostly_in_error_is_no_baseline(store):
    log(store, "hardly", [*scored([n % 4 > 0 for n in range(30)]), *failed(range(30, 40))])
    policy = {"all": {"max_drop": 0.5}}
    verdict = store.gate("quarter", baseline="hardly", policy=policy)
    assert (verdict.outcome, verdict.message) == (
        "not comparable",
        "ok: only 30 of 40 rows are scored on both sides, 0 are newly in error, 10 were in error in the baseline",
    )
    log(store, "silent", scored([n % 4 > 0 if n < 30 else None for n in range(40)]))
    silent = store.gate("quarter", baseline="silent", policy=policy)
    assert silent.message.endswith("0 are newly in error, 10 had no score in the baseline")
    found = store.compare("silent", "quarter")
    assert found.metrics["newly_scored"].to_list() == [10]
    assert found.warnings == [
        "ok: 10 of 40 rows that are scored in the candidate have no score in the baseline, and are left out"
    ]
    # Rows that only the job has are no such rows.
    log(store, "more", scored([n % 4 > 0 for n in range(80)]))
    assert store.compare("silent", "more").metrics["newly_scored"].to_list() == [10]
    assert store.gate("more", baseline="quarter", policy=policy)


# Clusters, and rows that are all alike


def passages(values, *, cluster=None, metadata=None, suite="default"):
    """20 passages of 10 rows, which all have the value of their passage."""
    for passage, value in enumerate(values):
        for n in range(10):
            row = {"row_key": f"{passage}.{n}", "scores": {"ok": value}, "suite": suite}
            if cluster is not None and cluster(passage, n):
                row["cluster"] = f"c{passage}"
            if metadata is not None and metadata(passage, n):
                row["metadata"] = {"passage": f"p{passage}"}
            yield row


def always(*_):
    return True


THREE_QUARTERS = [passage < 15 for passage in range(20)]


def test_the_cluster_of_the_policy_holds_for_floors(store):
    log(store, "by-passage", passages(THREE_QUARTERS, metadata=always))
    log(store, "by-cluster", passages(THREE_QUARTERS, cluster=always))
    policy = {"all": {"min": 0.68, "on": "bound"}}
    assert store.gate("by-passage", policy=policy)
    named = store.gate("by-passage", policy={"cluster": "metadata.passage", **policy})
    of_rows = store.gate("by-cluster", policy=policy)
    assert (named.outcome, of_rows.outcome) == ("inconclusive", "inconclusive")
    # Of clusters of one size it is the interval of the mean of their means.
    expected = scipy.stats.ttest_1samp(np.array(THREE_QUARTERS, dtype=float), 0).confidence_interval()
    assert (named.rules[0].low, named.rules[0].high) == pytest.approx(tuple(expected))
    assert (named.rules[0].low, named.rules[0].high) == pytest.approx((of_rows.rules[0].low, of_rows.rules[0].high))
    with pytest.raises(evalstore.errors.UnknownField, match=r"no row of 'by-passage' has metadata\.chapter"):
        store.gate("by-passage", policy={"cluster": "metadata.chapter", "all": {"min": 0.1}})
    with pytest.raises(evalstore.errors.UnknownField, match="clustered by 'nosuch'"):
        store.gate("by-passage", policy={"cluster": "nosuch", "all": {"min": 0.1}})
    by_rows = store.gate("by-cluster", policy={"cluster": "row_key", **policy})
    assert by_rows.rules[0].low == store.gate("by-passage", policy=policy).rules[0].low


def test_rows_in_no_cluster_are_warned_of(store):
    log(store, "few-named", passages(THREE_QUARTERS, metadata=lambda passage, n: passage < 2))
    verdict = store.gate("few-named", policy={"cluster": "metadata.passage", "all": {"min": 0.1}})
    assert verdict.warnings == ["180 of 200 rows name no cluster, and are taken each for itself"]
    log(store, "few-named-too", passages(THREE_QUARTERS[::-1], metadata=lambda passage, n: passage < 2))
    assert store.compare("few-named", "few-named-too", cluster="metadata.passage").warnings == [
        "ok: 180 of 200 paired rows name no cluster, and are taken each for itself"
    ]


def test_a_cluster_is_what_either_job_names(store):
    log(store, "few-by-passage", passages(THREE_QUARTERS[::-1], metadata=lambda passage, n: passage < 2))
    lines = [
        store.compare(before, after, cluster="metadata.passage").metrics.to_dicts()[0]
        for before, after in (("by-passage", "few-by-passage"), ("few-by-passage", "by-passage"))
    ]
    assert [line["clusters"] for line in lines] == [20, 20]
    assert lines[0]["p_value"] == pytest.approx(lines[1]["p_value"])
    # By suite too: one of them names clusters in a suite alone.
    for name, values, suites in (("both-named", THREE_QUARTERS, "ab"), ("one-named", THREE_QUARTERS[::-1], "b")):
        rows = [
            row
            for suite in "ab"
            for row in passages(values, suite=suite, cluster=lambda *_, of=suite, named=suites: of in named)
        ]
        log(store, name, rows)
    found = store.compare("both-named", "one-named")
    assert (found.metrics["clusters"].to_list(), found.warnings) == ([20, 20], [])


def test_a_flawless_job_passes_a_floor_on_its_bound(store):
    policy = {"all": {"min": 0.5, "on": "bound"}}
    log(store, "flawless", passages([True] * 20, cluster=always))
    verdict = store.gate("flawless", policy=policy)
    assert verdict
    assert verdict.rules[0].low == pytest.approx(0.025 ** (1 / 20))  # the rule of three, of 20 clusters
    repeated = [{**row, "repetition": n} for row in scored([True] * 40) for n in range(3)]
    log(store, "flawless-repeated", repeated)
    assert store.gate("flawless-repeated", policy=policy).rules[0].low == pytest.approx(0.025 ** (1 / 40))
    log(store, "hopeless", [*scored([False] * 30), *failed(range(30, 40))])
    zero = store.gate("hopeless", policy={"errors": "zero", **policy})
    assert (zero.outcome, zero.rules[0].high) == (
        "fail",
        pytest.approx(scipy.stats.binomtest(0, 40).proportion_ci(method="wilson").high),
    )


def test_rows_that_are_all_alike_tell_as_far_as_is_declared(store):
    policy = {"all": {"min": 0.9, "on": "bound"}}
    log(store, "halves", scored([0.5] * 40, "x"))
    assert store.gate("halves", policy=policy).outcome == "fail"
    unknown = store.gate("halves", policy={"all": {"min": 0.4, "on": "bound"}})
    assert unknown.message == (
        "x: all are alike, and nothing says how far they can be apart: declare the metric's minimum and maximum"
    )
    log(store, "declared-halves", scored([0.5] * 40, "x"), metrics=BOUNDS)
    found = store.gate("declared-halves", policy=policy).rules[0]
    assert (found.outcome, found.high) == ("fail", pytest.approx(1 - 0.5 * 0.025 ** (1 / 40)))
    close = store.gate("declared-halves", policy={"all": {"min": 0.49, "on": "bound"}}).rules[0]
    needed = close.rows_needed
    log(store, "enough-halves", scored([0.5] * needed, "x"), metrics=BOUNDS)
    assert store.gate("enough-halves", policy={"all": {"min": 0.49, "on": "bound"}})
    log(store, "single", scored([0.5], "x"))
    assert store.gate("single", policy=policy).message == (
        "x: one row tells no interval of the mean, at least two are needed"
    )


def test_how_many_rows_a_floor_takes_is_how_many_it_takes(store):
    for n in (1, 2, 3):
        log(store, f"right-{n}", scored([True] * n))
        found = store.gate(f"right-{n}", policy={"all": {"min": 0.5, "on": "bound"}}).rules[0]
        assert (found.outcome, found.rows_needed) == ("inconclusive", 4)
    log(store, "right-4", scored([True] * 4))
    assert store.gate("right-4", policy={"all": {"min": 0.5, "on": "bound"}})


def test_a_loss_and_its_interval_are_said_alike(store):
    log(store, "small-1", scored([n * 1e-6 for n in range(40)], "x"))
    log(store, "small-2", scored([n * 0.8e-6 - (n % 3) * 1e-7 for n in range(40)], "x"))
    [rule] = store.gate("small-2", baseline="small-1", policy={"all": {"max_drop": 1e-7}}).rules
    assert "a loss of 4.00e-06 [3.25e-06, 4.75e-06]: more than 1.00e-07" in rule.message
    [gain] = store.gate("small-1", baseline="small-2", policy={"all": {"max_drop": 1e-7}}).rules
    assert "a gain of 4.00e-06 [3.25e-06, 4.75e-06]" in gain.message
    [lower] = store.gate(
        "small-1", baseline="small-2", policy={"all": {"max_drop": 1e-7, "higher_is_better": False}}
    ).rules
    assert "a loss of 4.00e-06 [3.25e-06, 4.75e-06]" in lower.message
    log(store, "one-lost", scored([n % 4 > 1 if n == 1 else n % 4 > 0 for n in range(40)]))
    [tiny] = store.gate("one-lost", baseline="quarter", policy={"all": {"max_drop": 1e-9}}).rules
    assert (tiny.rows_needed, tiny.message.endswith("it takes more than a billion rows to tell")) == (None, True)


# Scores of whole jobs, other workspaces, runs that have not ended


def test_a_summary_score_is_held_against_the_sections_that_name_it(store):
    for name, value in (("f1-low", 0.5), ("f1-high", 0.9)):
        with store.job(name) as job:
            for row in scored([True] * 4):
                job.log(item={"q": row["row_key"]}, **row)
            job.log_summary({"f1": value, "broken": {"error": "no"}})
    low = store.gate("f1-low", min={"f1": 0.6})
    assert (low.outcome, low.message) == ("fail", "f1, a score of the whole job, is 0.5, at least 0.6")
    assert store.gate("f1-high", min={"f1": 0.6, "ok": 0.5})
    assert store.gate("f1-high", policy={"required": {"metrics": ["f1"]}, "metrics": {"f1": {"max": 0.95}}})
    assert store.gate("f1-low", policy={"all": {"min": 0.8}})  # which is about the metrics of rows
    for rule in ({"max_drop": 0.1}, {"min": 0.4, "on": "bound"}, {"min_rows": 1}):
        verdict = store.gate("f1-low", baseline="f1-high", policy={"metrics": {"f1": rule}})
        assert (verdict.outcome, "has no rows: only its min and max" in verdict.message) == ("not comparable", True)
    assert store.gate("f1-high", min={"broken": 0.1}).outcome == "not comparable"
    assert not store.gate("f1-high", policy={"required": {"metrics": ["broken"]}})
    assert store.compare("f1-low", "f1-high").warnings == ["scores of whole jobs are not compared: broken, f1"]


def test_a_baseline_is_one_of_the_workspace_of_the_job(store):
    with evalstore.open(store.root, workspace="other") as other:
        log(other, "quarter", scored([n % 4 > 0 for n in range(40)]))
        log(other, "half", scored([n % 2 > 0 for n in range(40)]))
        other.baselines.set("released", "half")
    store.baselines.set("main", "quarter")
    store.baselines.set("released", "quarter")
    policy = {"all": {"max_drop": 0.5}}
    with pytest.raises(evalstore.errors.JobNotFound, match="no job 'main' in workspace 'other'"):
        store.gate("other/quarter", baseline="main", policy=policy)
    with pytest.raises(evalstore.errors.JobNotFound, match="no baseline 'main' in workspace 'other'"):
        store.gate("other/quarter", baseline="@main", policy=policy)
    with pytest.raises(evalstore.errors.UsageError, match="name one of 'other' by its name"):
        store.gate("other/quarter", baseline="@last", policy=policy)
    theirs = store.gate("other/quarter", baseline="released", policy=policy)
    assert (theirs.baseline_jobs, theirs.baseline_job_ids) == (["half"], [store.show("other/half")["job_id"]])
    across = store.gate("other/quarter", baseline="default/quarter", policy=policy)
    assert (across.outcome, across.baseline_jobs) == ("pass", ["default/quarter"])
    assert across.baseline_job_ids == [store.show("quarter")["job_id"]]
    with (store.root / "meta" / "verdicts.jsonl").open() as lines:
        assert json.loads(lines.readlines()[-1])["baseline_job_ids"] == across.baseline_job_ids
    found = store.compare("other/quarter", "quarter")
    assert (found.baseline, found.candidate) == ("other/quarter", "default/quarter")


def test_an_empty_baseline_is_refused(store):
    for asked in ({"baseline": "", "policy": {"all": {"min": 0.1}}}, {"policy": {"baseline": "", "all": {"min": 0.1}}}):
        with pytest.raises(evalstore.errors.UsageError, match="the baseline is an empty text"):
            store.gate("quarter", **asked)


def test_a_run_that_has_not_ended_is_not_judged(store):
    async def run():
        begun = asyncio.Event()
        ended = asyncio.Event()

        async def target(inputs):
            begun.set()
            await ended.wait()
            return inputs

        results = await evalstore.aevaluate(
            target, data=[{"inputs": {"n": 1}}], evaluators=[lambda outputs: {"key": "ok", "score": True}],
            store=store, name="running", blocking=False,
        )  # fmt: skip
        await begun.wait()
        with pytest.raises(evalstore.errors.JobBusy, match="job 'running' is still running"):
            results.gate(min={"ok": 0.5})
        with pytest.raises(evalstore.errors.JobNotFound, match="job 'running' is still running"):
            store.gate("running", min={"ok": 0.5})
        ended.set()
        await results.wait()
        return results.gate(min={"ok": 0.5})

    assert asyncio.run(run())


def test_an_infinite_score_of_the_baseline_alone_is_warned_of(store):
    values = [0.5, 0.6, 0.7, 0.8] * 10
    log(store, "finite", scored(values, "x"))
    log(store, "infinite", scored([float("inf"), *values[1:]], "x"))
    for sides in (("finite", "infinite"), ("infinite", "finite")):
        [warning] = store.compare(*sides).warnings
        assert "1 of 40 rows" in warning
        verdict = store.gate(sides[1], baseline=sides[0], policy={"all": {"max_drop": 0.5}})
        assert warning in verdict.warnings
