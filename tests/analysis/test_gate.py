"""Gates and baselines: what passes, what fails, what cannot be told, and that nothing passes unseen."""

import json
import random
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

import evalstore
from evalstore.analysis.policy import policy_of
from evalstore.errors import BrokenInput, InvalidName, JobNotFound, NotFound, UsageError

DAY = datetime(2026, 3, 1, tzinfo=UTC)


def put(store, name, right, *, rows=400, seed=0, day=0, failed=0, metric="ok", suite="default", **context):
    """A job over the same items each time, of which a share is right."""
    rng = random.Random(seed)
    frame = pl.DataFrame(
        {
            "id": list(range(rows)),
            "q": list(range(rows)),
            metric: [None if n < failed else rng.random() < right for n in range(rows)],
            "error": ["it broke" if n < failed else None for n in range(rows)],
        },
        schema_overrides={metric: pl.Boolean, "error": pl.String},
    )
    store.record(
        name, frame, scores=[metric], item=["q"], columns={"row_key": "id", "error": "error"}, suite=suite,
        created_at=DAY + timedelta(days=day), dataset="d", model="m", **context,
    )  # fmt: skip


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with evalstore.open(tmp_path_factory.mktemp("gate") / "evals") as store:
        put(store, "good", 0.8)
        put(store, "same", 0.8, day=1)
        put(store, "noisy", 0.8, day=2, seed=3)
        put(store, "bad", 0.5, day=3, seed=1)
        put(store, "failing", 0.8, day=4, failed=100)
        put(store, "tiny", 0.8, rows=8, day=5)
        store.baselines.set("main", "good", note="as released")
        yield store


def outcomes(verdict):
    return {rule.rule: rule.outcome for rule in verdict.rules}


DROP = {"all": {"max_drop": 0.05}}


def test_only_a_pass_is_true(store):
    good = store.gate("same", baseline="main", policy=DROP)
    assert (bool(good), good.outcome, good.exit_code, good.message) == (True, "pass", 0, "1 of 1 rules passed")
    bad = store.gate("bad", baseline="main", policy=DROP)
    assert (bool(bad), bad.outcome, bad.exit_code) == (False, "fail", 1)
    assert "a loss of" in bad.message
    assert len(bad.worst_rows) == 5
    assert {one["flip"] for one in bad.worst_rows} == {"regressed"}
    noisy = store.gate("noisy", baseline="main", policy={"all": {"max_drop": 0.01}})
    assert (bool(noisy), noisy.outcome, noisy.exit_code) == (False, "inconclusive", 3)
    assert noisy.rules[0].rows_needed > 400
    assert f"it takes about {noisy.rules[0].rows_needed:,} rows to tell" in noisy.message


def test_a_gate_loads_nothing_that_it_does_not_need(store):
    code = (
        "import sys, evalstore\n"
        f"verdict = evalstore.open({str(store.root)!r}).gate('noisy', baseline='main', policy={DROP!r})\n"
        "print(verdict.outcome, *sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    outcome, *loaded = done.stdout.split()
    assert outcome in ("pass", "inconclusive")
    assert {"scipy", "polars", "asyncio", "rich", "evalstore.models", "evalstore.recorder"} & set(loaded) == set()


def test_every_rule_has_its_verdict(store):
    policy = {
        "required": {"suites": ["default", "math"], "metrics": ["ok"]},
        "metrics": {
            "ok": {"min": 0.75, "max": 0.99, "max_drop": 0.05, "max_error_rate": 0.1, "min_rows": 350, "max_flips": 0}
        },
    }
    verdict = store.gate("failing", baseline="main", policy=policy)
    assert [(rule.rule, rule.suite, rule.outcome) for rule in verdict.rules] == [
        ("required", "default", "pass"), ("required", "math", "fail"), ("required", None, "pass"),
        ("min", "default", "pass"), ("max", "default", "pass"), ("max_error_rate", "default", "fail"),
        ("min_rows", "default", "fail"), ("max_drop", "default", "not comparable"), ("max_flips", "default", "fail"),
    ]  # fmt: skip
    assert verdict.outcome == "fail"
    assert "only 300 of 400 rows are scored on both sides, 100 are newly in error" in str(verdict.rules)


def test_a_floor_on_the_mean_and_on_the_end_of_its_interval(store):
    assert store.gate("good", min={"ok": 0.7})
    assert not store.gate("bad", min={"ok": 0.7})
    on_bound = {"metrics": {"ok": {"min": 0.76, "on": "bound"}}}
    verdict = store.gate("good", policy=on_bound)
    mean = store.aggregate_scores("good").scores[0].mean
    assert verdict.outcome == "inconclusive"
    assert verdict.rules[0].low < 0.76 < mean
    assert store.gate("bad", policy=on_bound).outcome == "fail"
    assert store.gate("good", policy={"metrics": {"ok": {"min": 0.7, "on": "bound"}}})
    with_zero = store.gate("failing", policy={"errors": "zero", "all": {"min": 0.7}})
    assert with_zero.rules[0].value == pytest.approx(store.aggregate_scores("failing").scores[0].mean * 300 / 400)


def test_few_rows_cannot_pass(store):
    put(store, "tiny-again", 0.8, rows=8, day=6)
    verdict = store.gate("tiny-again", baseline="tiny", policy=DROP)
    assert verdict.outcome == "inconclusive"  # the same answers, but eight of them show nothing
    put(store, "one", 1.0, rows=1, day=6)
    put(store, "one-again", 1.0, rows=1, day=7)
    assert store.gate("one-again", baseline="one", policy=DROP).outcome == "inconclusive"


def test_nothing_to_judge_never_passes(store):
    with store.job("empty", dataset="d", model="m"):
        pass
    with store.job("unscored") as job:
        job.log(item=1, scores={"ok": None}, row_key=0)
    with suppress(ZeroDivisionError), store.job("crashed") as job:
        job.log(item=1, scores={"ok": True}, row_key=0)
        raise ZeroDivisionError
    with store.job("other") as job:
        job.log(item=1, scores={"style": 0.5}, row_key=0)
    policy = {"metrics": {"ok": {"min": 0, "max_drop": 0.05}}}
    for job, outcome, message in (
        ("empty", "not comparable", "scored no row: there is nothing to judge"),
        ("unscored", "not comparable", "scored no row"),
        ("crashed", "broken", "job 'crashed' is error, not completed"),
        ("other", "not comparable", "rules for metric 'ok', which the job did not measure"),
    ):
        verdict = store.gate(job, baseline="main", policy=policy)
        assert (verdict.outcome, bool(verdict)) == (outcome, False)
        assert message in verdict.message
    against_other = store.gate("good", baseline="other", policy=DROP)
    assert (against_other.outcome, against_other.exit_code) == ("not comparable", 3)
    assert store.gate("crashed", baseline="main", policy=policy).exit_code == 4


def test_advice_does_not_count_and_alone_judges_nothing(store):
    advice = {"all": {"max_drop": 0.05, "class": "performance"}}
    verdict = store.gate("bad", baseline="main", policy=advice)
    assert (verdict.outcome, verdict.rules[0].outcome) == ("not comparable", "fail")
    assert "nothing was judged" in verdict.message
    with_floor = {"all": {"max_drop": 0.05, "class": "performance"}, "required": {"metrics": ["ok"]}}
    assert store.gate("bad", baseline="main", policy=with_floor).outcome == "pass"


def test_the_direction_decides_what_a_loss_is(store):
    for name, shift in (("fast", 0.0), ("slow", 1.0)):
        rows = [{"id": n, "q": n, "seconds": 1.0 + n % 5 + shift * (n % 3 > 0)} for n in range(60)]
        store.record(name, rows, scores=["seconds"], item=["q"], columns={"row_key": "id"})
    rule = {"max_drop": 0.2, "max_flips": 0}
    plain = store.gate("slow", baseline="fast", policy={"all": rule})
    assert plain.outcome == "pass"
    turned = store.gate("slow", baseline="fast", policy={"all": {**rule, "higher_is_better": False}})
    assert outcomes(turned) == {"max_drop": "fail", "max_flips": "fail"}
    assert {one["flip"] for one in turned.worst_rows} == {"improved"}  # as the store has it, higher is better
    store.metrics.declare("seconds", higher_is_better=False)
    declared = store.gate("slow", baseline="fast", policy={"all": rule})
    assert outcomes(declared) == {"max_drop": "fail", "max_flips": "fail"}
    assert "40 rows regressed" in str(declared.rules)


def test_suites_are_compared_one_by_one(store):
    for name, text in (("suites-1", "a"), ("suites-2", "b")):
        with store.job(name) as job:
            for n in range(300):
                job.log(item=n, suite="kept", scores={"ok": True}, row_key=n)
                job.log(item=f"{text}{n}", suite="changed", scores={"ok": True}, row_key=n)
    verdict = store.gate("suites-2", baseline="suites-1", policy=DROP)
    assert {rule.suite: rule.outcome for rule in verdict.rules} == {"kept": "pass", "changed": "not comparable"}
    assert verdict.outcome == "not comparable"
    narrow = {"suites": {"kept": {"max_drop": 0.05, "metrics": {"ok": {"min": 1.0}}}}}
    assert store.gate("suites-2", baseline="suites-1", policy=narrow).message == "2 of 2 rules passed"


def test_many_metrics_are_tested_together(store):
    rng = random.Random(5)
    names = [f"m{n}" for n in range(20)]
    for job in ("many-1", "many-2"):
        rows = [{"id": n, **{name: rng.random() < 0.5 for name in names}} for n in range(100)]
        store.record(job, rows, scores=names, item=["id"], columns={"row_key": "id"})
    p = {
        each: store.gate("many-2", baseline="many-1", policy={"correction": each, "all": {"max_drop": 0.01}})
        for each in ("none", "holm")
    }
    plain, holm = ([rule.p_adjusted for rule in one.rules] for one in p.values())
    assert min(holm) == pytest.approx(min(1, 20 * min(plain)))
    assert p["holm"].outcome != "pass"


# Policies


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("confidence = 0.95\n[all\n", 2, "is not TOML"),
        ("[metrics.ok]\nmin = 0.8\nmax_dorp = 0.1\n", 3, "did you mean max_drop"),
        ("\n[all]\nmax_drop = 'much'\n", 3, "valid number"),
        ("[all]\nmax_drop = 0\n", 2, "greater than 0"),
        ("confidence = 95\n[all]\nmax_drop = 0.1\n", 1, "less than 1"),
        ("[suites.s.metrics.ok]\nmin_rows = 0\n", 2, "greater than or equal to 1"),
        ("[metric.ok]\nmin = 1\n", 1, "there is no such setting; did you mean metrics"),
        ("[all]\nmin = nan\n", 2, "finite"),
        ("[required]\nsuite = ['s']\n", 2, "did you mean suites"),
    ],
)
def test_a_policy_that_cannot_be_read_says_where(store, tmp_path, text, line, message):
    file = tmp_path / "gate.toml"
    file.write_text(text)
    with pytest.raises(BrokenInput) as caught:
        store.gate("good", baseline="main", policy=file)
    assert (caught.value.file, caught.value.line) == (file, line)
    assert message in str(caught.value)


def test_a_policy_without_rules_is_wrong_usage(store, tmp_path):
    file = tmp_path / "gate.toml"
    for text in ("", "confidence = 0.9\n", "[all]\nclass = 'critical'\n", "[metrics.ok]\n"):
        file.write_text(text)
        with pytest.raises(UsageError, match="holds no rule"):
            store.gate("good", baseline="main", policy=file)
    with pytest.raises(UsageError, match="a gate needs rules"):
        store.gate("good", baseline="main")
    with pytest.raises(UsageError, match="name a baseline"):
        store.gate("good", policy=DROP)
    with pytest.raises(UsageError, match="min is a dict"):
        store.gate("good", min=0.5)
    with pytest.raises(BrokenInput, match="No such file"):
        store.gate("good", policy=tmp_path / "none.toml")


def test_a_narrow_section_goes_before_a_wide_one(tmp_path):
    from evalstore.analysis.policy import rule_of

    file = tmp_path / "gate.toml"
    file.write_text("""
[all]
min = 0.1
[suites.s]
min = 0.2
[metrics.m]
min = 0.3
[metrics."m:n"]
max = 9
[suites.s.metrics.m]
min = 0.4
""")
    policy = policy_of(str(file), None)
    found = [
        rule_of(policy, target, "min")
        for target in (("t", "k", "k"), ("s", "k", "k"), ("t", "m", "m"), ("s", "m", "n"))
    ]
    assert found == [0.1, 0.2, 0.3, 0.4]
    assert rule_of(policy, ("t", "m", "n"), "max") == 9
    assert rule_of(policy, ("t", "m", "m"), "max") is None
    assert rule_of(policy_of(str(file), {"m": 0.9}), ("t", "m", "m"), "min") == 0.9


# Baselines


def test_baselines_have_versions(tmp_path):
    with evalstore.open(tmp_path / "evals") as store:
        for day, name in enumerate(("one", "two")):
            put(store, name, 0.5, rows=5, day=day)
        store.baselines.set("main", "one", note="first")
        assert store.show("@main")["name"] == "one"
        assert store.baselines.set("main", "@last") == "two"
        store.baselines.set("weekly", "one")
        assert store.baselines.list().select("baseline", "version", "job").rows() == [
            ("weekly", 1, "one"),
            ("main", 2, "two"),
        ]
        assert store.baselines.remove("weekly") == "one"
        with pytest.raises(NotFound, match="there is no baseline 'weekly'; there are: main"):
            store.baselines.remove("weekly")
        told = ["baseline", "version", "job", "note", "is_current"]
        history = [("weekly", 2, None, None, False), ("weekly", 1, "one", None, False), ("main", 2, "two", None, True),
                   ("main", 1, "one", "first", False)]  # fmt: skip
        assert sorted(store.baselines.history().select(told).rows()) == sorted(history)
        assert store.baselines.history("main").height == 2
        (store.root / "catalog.duckdb").unlink()
        store.rebuild()
        assert sorted(store.baselines.history().select(told).rows()) == sorted(history)
        assert store.sql("SELECT count(*) FROM baselines").item() == 4
        with (
            evalstore.open(store.root, workspace="other") as other,
            pytest.raises(JobNotFound, match="no baseline 'main'"),
        ):
            other.show("@main")


def test_a_baseline_is_a_completed_job_that_is_there(tmp_path):
    with evalstore.open(tmp_path / "evals") as store:
        put(store, "one", 0.5, rows=5)
        store.baselines.set("main", "one")
        with pytest.raises(ZeroDivisionError), store.job("crashed"):
            raise ZeroDivisionError
        with pytest.raises(UsageError, match="'crashed' is error: a baseline is a completed job"):
            store.baselines.set("main", "crashed")
        with pytest.raises(JobNotFound):
            store.baselines.set("main", "none")
        for name in ("last", "last-week"):
            with pytest.raises(UsageError, match="mean the newest jobs"):
                store.baselines.set(name, "one")
        with pytest.raises(InvalidName, match="cannot name a baseline"):
            store.baselines.set("a b", "one")
        store.delete("one")
        with pytest.raises(JobNotFound, match="baseline 'main' is job 'one', which was deleted or replaced"):
            store.show("@main")
        with pytest.raises(
            JobNotFound, match=r"no baseline 'mian' .*evalstore baseline set mian JOB.* did you mean main\?"
        ):
            store.show("@mian")
        put(store, "two", 0.5, rows=5)
        with pytest.raises(JobNotFound):
            store.gate("two", baseline="main", policy=DROP)


def test_the_last_accepted_jobs_are_a_baseline(tmp_path):
    with evalstore.open(tmp_path / "evals") as store:
        for day in range(4):
            put(store, f"run-{day}", 0.8, day=day, seed=day)
        put(store, "candidate", 0.8, day=5, seed=9)
        first = store.gate("candidate", baseline="last:5", policy=DROP)
        assert first.outcome == "not comparable"
        assert "no accepted job comes before 'candidate'" in first.message
        store.baselines.set("main", "run-0")
        assert store.gate("run-1", min={"ok": 0.5})
        assert not store.gate("run-2", min={"ok": 0.99})
        verdict = store.gate("candidate", baseline="last:5", policy={"all": {"max_drop": 0.2}})
        assert verdict.baseline_jobs == ["run-0", "run-1"]
        assert verdict.outcome == "pass"
        means = [store.aggregate_scores(name).scores[0].mean or 0 for name in ("run-0", "run-1", "candidate")]
        assert verdict.rules[0].difference == pytest.approx(means[2] - (means[0] + means[1]) / 2)
        assert not store.gate("run-1", min={"ok": 0.99})  # the last verdict counts
        assert store.gate("candidate", baseline="last:1", policy={"all": {"max_drop": 0.2}}).baseline_jobs == ["run-0"]
        found = store.compare("last:3", "candidate").metrics.to_dicts()
        assert (found[0]["paired"], found[0]["test"]) == (400, "exact McNemar")
        with pytest.raises(UsageError, match="last:0"):
            store.gate("candidate", baseline="last:0", policy=DROP)


def test_verdicts_are_kept(store):
    before = store.sql("SELECT count(*) FROM gate_verdicts").item()
    store.gate("bad", baseline="main", policy=DROP)
    store.gate("good", min={"ok": 0.1})
    found = store.sql("FROM gate_verdicts ORDER BY judged_at DESC LIMIT 2").to_dicts()
    assert store.sql("SELECT count(*) FROM gate_verdicts").item() == before + 2
    assert [(one["job"], one["outcome"], one["baseline"], one["baseline_jobs"]) for one in found] == [
        ("good", "pass", None, []), ("bad", "fail", "main", ["good"]),
    ]  # fmt: skip
    assert json.loads(found[1]["policy"]) == DROP
    [rule] = found[1]["rules"]
    assert (rule["rule"], rule["metric"], rule["bound"], rule["outcome"]) == ("max_drop", "ok", 0.05, "fail")
    unnested = "SELECT rule.outcome FROM gate_verdicts, unnest(rules) AS r(rule) WHERE job = 'bad'"
    assert "fail" in store.sql(unnested)["outcome"].to_list()


def test_what_is_no_entry_stops_nobody(tmp_path):
    with evalstore.open(tmp_path / "evals") as store:
        put(store, "one", 0.5, rows=5)
        store.baselines.set("main", "one")
        store.gate("one", min={"ok": 0})
        for file in ("baselines.jsonl", "verdicts.jsonl"):
            with (store.root / "meta" / file).open("a") as opened:
                opened.write(
                    '7\n{"workspace": 1}\n[]\n{"workspace": "default", "baseline": "x", "set_at": "never"}\n{"torn'
                )
        store.rebuild()
        assert store.baselines.list()["baseline"].to_list() == ["main"]
        assert store.sql("SELECT count(*) FROM gate_verdicts").item() == 1


def test_what_evaluate_returns_has_a_gate(tmp_path):
    store = evalstore.open(tmp_path / "evals")
    data = [{"id": n, "inputs": {"n": n}, "outputs": {"n": n}} for n in range(20)]

    def right(outputs, reference_outputs):
        return outputs["n"] == reference_outputs["n"]

    first = evalstore.evaluate(lambda inputs: inputs, data=data, evaluators=[right], store=store, name="first")
    assert first.gate(min={"right": 0.9})
    store.baselines.set("main", "first")
    second = evalstore.evaluate(
        lambda inputs: {"n": 0}, data=data, evaluators=[right], store=store, name="second", blocking=False
    )
    verdict = second.gate(baseline="main", policy={"all": {"max_drop": 0.1}})
    assert (bool(verdict), verdict.outcome) == (False, "fail")
