"""What a gate or a comparison must not let through in silence: less measured, less there, or half a job."""

from contextlib import suppress
from datetime import timedelta

import pytest
from click.testing import CliRunner

import evalstore
from evalstore.analysis.policy import Policy
from evalstore.cli.app import evalstore as program
from evalstore.errors import BrokenInput, NotComparable, NotFound, UnknownField, UsageError
from tests.trainloop.files import detail, evaluation, write_json

ROWS = 300


def put(store, name, score, *, rows=ROWS, suites=("default",), **more):
    """A job whose rows have the scores that `score` gives for their number."""
    with store.job(name, dataset="d", model="m") as job:
        for suite in suites:
            for n in range(rows):
                job.log(item={"q": n}, row_key=n, suite=suite, scores=score(n), **more)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Jobs of the same rows: with less and less of them scored, and with less measured."""
    with evalstore.open(tmp_path_factory.mktemp("closed") / "evals") as store:
        put(store, "base", lambda n: {"ok": n % 5 > 0})
        put(store, "silent", lambda n: {"ok": True if n % 5 else None})
        put(store, "half", lambda n: {"ok": n % 5 > 0}, rows=ROWS // 2)
        put(store, "two-suites", lambda n: {"ok": n % 5 > 0, "style": n % 7 / 7}, suites=("s1", "s2"))
        put(store, "one-suite", lambda n: {"ok": n % 5 > 0, "style": n % 7 / 7}, suites=("s1",))
        put(store, "one-metric", lambda n: {"ok": n % 5 > 0}, suites=("s1", "s2"))
        put(store, "named-well", lambda _: {"verdict": "good"})
        put(store, "named-ill", lambda _: {"verdict": "bad"})
        yield store


def outcomes(verdict):
    return {(rule.rule, rule.outcome) for rule in verdict.rules}


@pytest.mark.parametrize(("job", "missing"), [("one-suite", "s2/ok"), ("one-metric", "s1/style")])
@pytest.mark.parametrize("rule", [{"max_drop": 0.2}, {"max_flips": 0}])
def test_what_the_baseline_measured_must_be_measured(store, job, missing, rule):
    verdict = store.gate(job, baseline="two-suites", policy={"all": rule})
    assert verdict.outcome == "not comparable"
    assert missing in " ".join(one.message for one in verdict.rules if one.rule == "measured")
    assert f"{missing}: the baseline measured it, the job did not" in [one.message for one in verdict.failures]
    # What no rule compares need not be there, and what is advice does not count.
    assert store.gate(job, baseline="two-suites", policy={"suites": {"s1": {"metrics": {"ok": rule}}}})
    advice = {"all": {**rule, "class": "performance"}, "required": {"metrics": ["ok"]}}
    assert store.gate(job, baseline="two-suites", policy=advice)


def test_rows_that_lost_their_score_do_not_leave_the_gate(store):
    drop = store.gate("silent", baseline="base", policy={"all": {"max_drop": 0.15}})
    assert drop.outcome == "not comparable"
    assert "only 240 of 300 rows are scored on both sides, 0 are newly in error, 60 without a score now" in drop.message
    flips = store.gate("silent", baseline="base", policy={"all": {"max_flips": 59}})
    assert (flips.outcome, flips.rules[0].value) == ("fail", 60)
    assert store.gate("silent", baseline="base", policy={"all": {"max_flips": 60}})
    assert flips.warnings[0] == "ok: 240 of 300 rows are scored, 0 are in error"
    floor = store.gate("silent", min={"ok": 0.9})
    assert floor  # of what is scored, and it says so
    assert floor.warnings == ["ok: 240 of 300 rows are scored, 0 are in error"]


def test_a_comparison_says_which_scores_are_gone(store):
    found = store.compare("base", "silent")
    assert found.metrics["newly_unscored"].to_list() == [60]
    assert found.warnings == [
        "ok: 60 of 300 rows that are scored in the baseline have no score in the candidate, and are left out"
    ]
    back = store.compare("silent", "base")
    assert back.metrics.select("newly_unscored", "newly_scored").rows() == [(0, 60)]
    assert back.warnings == [
        "ok: 60 of 300 rows that are scored in the candidate have no score in the baseline, and are left out"
    ]


def test_rows_that_were_not_run_are_not_rows_without_a_score(store):
    put(store, "half-silent", lambda n: {"ok": True if n % 5 else None}, rows=ROWS // 2)
    assert store.compare("base", "half-silent").metrics["newly_unscored"].to_list() == [30]
    assert store.compare("base", "half").metrics["newly_unscored"].to_list() == [0]
    verdict = store.gate("half", baseline="base", policy={"all": {"max_flips": 0}})
    assert verdict.warnings == ["150 of 300 rows of the baseline are not in the job"]


@pytest.mark.parametrize("rule", [{"max_drop": 0.2}, {"max_flips": 0}, {"min": 0.1}])
def test_labels_without_a_number_cannot_pass(store, rule):
    verdict = store.gate("named-ill", baseline="named-well", policy={"all": rule})
    assert verdict.outcome == "not comparable"


def test_half_a_job_is_no_baseline(store):
    with suppress(ZeroDivisionError), store.job("crashed", dataset="d", model="m") as job:
        for n in range(ROWS):
            job.log(item={"q": n}, row_key=n, scores={"ok": n % 5 > 0})
        raise ZeroDivisionError
    verdict = store.gate("base", baseline="crashed", policy={"all": {"max_drop": 0.2, "max_flips": 0}})
    assert (verdict.outcome, verdict.message) == (
        "not comparable",
        "the baseline, job 'crashed', is error, not completed",
    )
    assert store.compare("crashed", "base").warnings == [
        "job 'crashed' is error, not completed: its rows may not be all"
    ]


def test_jobs_without_their_rows_cannot_be_compared(tmp_path):
    with evalstore.open(tmp_path / "evals") as store:
        for name in ("one", "two", "three"):
            put(store, name, lambda n: {"ok": n % 5 > 0}, rows=30)
            assert store.gate(name, min={"ok": 0})
        store.prune(rows_only=True, keep_last=1, older_than=timedelta(0))
        dropped = [each for each in ("one", "two", "three") if store.show(each)["rows_dropped_at"] is not None]
        assert len(dropped) == 2
        [whole] = {"one", "two", "three"} - set(dropped)
        for sides in ((dropped[0], whole), (whole, dropped[0]), (dropped[0], dropped[1])):
            with pytest.raises(NotComparable, match=r"rows of job '(one|two)' were dropped on \d{4}.*evalstore trash"):
                store.compare(*sides)
            verdict = store.gate(sides[1], baseline=sides[0], policy={"all": {"max_drop": 0.5, "max_flips": 9}})
            assert outcomes(verdict) == {("max_drop", "not comparable"), ("max_flips", "not comparable")}
        assert store.gate(dropped[0], min={"ok": 0.5})  # its aggregates are there
        with_errors = store.gate(dropped[0], policy={"errors": "zero", "all": {"min": 0.1}})
        assert (with_errors.outcome, "were dropped" in with_errors.message) == ("not comparable", True)
        put(store, "four", lambda n: {"ok": n % 5 > 0}, rows=30)
        assert all(store.gate(one, min={"ok": 0.5}) for one in (dropped[0], whole))
        after = store.gate("four", baseline="last:5", policy={"all": {"max_drop": 0.9}})
        assert after.baseline_jobs == [whole]


def test_numbers_beyond_a_double_break_nothing(store):
    put(store, "huge", lambda n: {"x": 1e308 * (n % 2)})
    put(store, "hugely-less", lambda n: {"x": -1e308 * (n % 2)})
    [found] = store.compare("huge", "hugely-less", margin=1.0).metrics.to_dicts()
    assert (found["low"], found["p_value"], found["mde"], found["change"]) == (None, None, None, "cannot be told")
    verdict = store.gate("hugely-less", baseline="huge", policy={"all": {"max_drop": 0.1, "max_flips": 3}})
    assert outcomes(verdict) == {("max_drop", "inconclusive"), ("max_flips", "fail")}


def test_rows_that_all_lost_the_same_are_a_loss(store):
    put(store, "even", lambda _: {"x": 0.5}, rows=50)
    put(store, "lower", lambda _: {"x": 0.4}, rows=50)
    [found] = store.compare("even", "lower").metrics.to_dicts()
    assert (found["test"], found["p_value"], found["change"]) == ("sign test", 2 * 0.5**50, "regressed")
    assert store.gate("lower", baseline="even", policy={"all": {"max_drop": 0.05}}).outcome == "fail"
    put(store, "even-again", lambda _: {"x": 0.5}, rows=50)
    same = store.gate("even-again", baseline="even", policy={"all": {"max_drop": 0.05}})
    assert same.outcome == "inconclusive"
    assert "declare the metric's minimum and maximum" in same.message


def test_clusters_and_slices_that_are_not_there_are_said(store):
    with pytest.raises(UnknownField, match=r"no row of 'silent' has metadata\.topic, so none can be clustered by it"):
        store.compare("base", "silent", cluster="metadata.topic")
    with pytest.raises(UnknownField, match="clustered"):
        store.gate("base", baseline="half", policy={"cluster": "metadata.topic", "all": {"max_drop": 0.2}})
    found = store.compare("base", "half", by="metadata.topic")
    assert found.warnings == ["no row of 'half' has metadata.topic: all of them are one slice"]


def test_wrong_calls_are_refused(store):
    found = store.compare("base", "half")
    for limit in (0, -1, 1.5, "5", True):
        with pytest.raises(UsageError, match="limit is a number of rows"):
            found.flipped("regressed", limit=limit)
    with pytest.raises(UnknownField, match="no metric 'okk' was compared; did you mean ok"):
        found.flipped(metric="okk")
    for field in ("metric", "suite"):
        with pytest.raises(UnknownField, match=f"neither job has a {field} 5"):
            store.compare("base", "half", **{field: 5})
    for baseline in (5, "last:", "last:0", "last:x", "last:-1", "last:12345"):
        with pytest.raises(UsageError, match="last:5"):
            store.gate("base", baseline=baseline, policy={"all": {"max_drop": 0.2}})
    with pytest.raises(NotFound, match="there is no baseline 'mian'; there are none yet"):
        store.baselines.history("mian")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[all]\nmin = true\n", "valid number"),
        ("[all]\nmin = '0.5'\n", "valid number"),
        ("[all]\nmin_rows = true\n", "valid integer"),
        ("[all]\nmin_rows = '10'\n", "valid integer"),
        ("[all]\nmax_flips = 1.0\n", "valid integer"),
        ("[all]\nmax_error_rate = false\n", "valid number"),
        ("[all]\nmin = 1\nhigher_is_better = 'no'\n", "valid boolean"),
        ("confidence = 0.5\n[all]\nmin = 1\n", "greater than 0.5"),
        ("[metrics.rouge.rouge_1]\nmin = 0.1\n", r'a name with dots is quoted: \[metrics."rouge.rouge_1"\]'),
        ("[suites.s.1]\nmin = 0.1\n", r'a name with dots is quoted: \[suites."s.1"\]'),
        ("metrics = 3\n", "valid dictionary"),
    ],
)
@pytest.mark.parametrize("floors", [None, {"ok": 0.1}])
def test_a_policy_that_is_not_meant_so_is_not_read_so(store, tmp_path, text, message, floors):
    (tmp_path / "gate.toml").write_text(text)
    with pytest.raises(BrokenInput, match=message):
        store.gate("base", policy=tmp_path / "gate.toml", min=floors)


def test_whole_numbers_are_numbers(store):
    assert store.gate("base", policy={"all": {"min": 0, "max": 1, "max_error_rate": 0}})
    assert Policy.model_validate({"all": {"max_drop": 1}}).all_.max_drop == 1
    for floors in ({"ok": "0.5"}, {"ok": None}, {"ok": True}, {"ok": float("nan")}, {3: 0.5}):
        with pytest.raises(UsageError, match="min is a dict"):
            store.gate("base", min=floors)
    with pytest.raises(UsageError, match=r"policy: field 'metrics\.ok'"):
        store.gate("base", policy={"metrics": {"ok": 3}}, min={"ok": 0.5})


def test_rules_for_what_is_not_measured_say_what_is(store):
    verdict = store.gate("two-suites", policy={"suites": {"s1": {"metrics": {"stile": {"min": 0}}}}})
    assert verdict.message == (
        "the policy has rules for metric 'stile' of suite 's1', which the job did not measure; did you mean style?"
    )
    advice = {"metrics": {"stile": {"min": 0, "class": "performance"}, "ok": {"min": 0}}}
    assert store.gate("two-suites", policy=advice)
    assert "there are: s1, s2" in store.gate("two-suites", policy={"suites": {"x": {"min": 0}}}).message


def test_a_job_may_have_the_name_of_a_place_in_the_page(store):
    for name in ("x@DATA@", "y@TITLE@"):
        put(store, name, lambda n: {"ok": n % 5 > 0}, rows=5)
    text = store.compare("x@DATA@", "y@TITLE@").to_html()
    assert "<title>x@DATA@ and y@TITLE@ compared</title>" in text
    assert '"job":"y@TITLE@"' in text


def test_the_worst_rows_of_a_job_by_itself_are_shown(store):
    with store.job("uneven") as job:
        for n in range(40):
            if n % 10 == 9:
                job.log(item={"q": n}, row_key=n, error="TimeoutError: late")
            else:
                job.log(item={"q": n}, row_key=n, sample={"text": f"answer {n}"}, scores={"x": (n * 7) % 40 / 40})
    floor = store.gate("uneven", min={"x": 0.9}).worst_rows
    assert [(one["flip"], one["row_key"], one["candidate_value"]) for one in floor] == [
        ("lowest", str(n), (n * 7) % 40 / 40) for n in (0, 23, 6, 12, 35)
    ]
    assert floor[1]["candidate_sample"] == '{"text":"answer 23"}'
    ceiling = store.gate("uneven", policy={"all": {"max": 0.1}}).worst_rows
    assert [one["candidate_value"] for one in ceiling] == [39 / 40, 38 / 40, 37 / 40, 36 / 40, 35 / 40]
    errors = store.gate("uneven", policy={"all": {"max_error_rate": 0.01}}).worst_rows
    assert [(one["flip"], one["row_key"], one["candidate_error"]) for one in errors] == [
        ("in error", str(n), "TimeoutError: late") for n in (9, 19, 29, 39)
    ]
    assert store.gate("uneven", min={"x": 0.1}).worst_rows == []


# Counts without their rows


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """Documents whose metric `short` has 60 events: 20 of them are told in `half` and `low`, all of them in `whole`."""
    folder = tmp_path_factory.mktemp("told")
    every, some = ([detail(n, n % 3 > 0) for n in range(count)] for count in (60, 20))
    suites = {
        "half": {"polite": (40, 60, every), "short": (45, 60, some)},
        "low": {"polite": (40, 60, every), "short": (3, 60, some)},
        "whole": {"polite": (40, 60, every), "short": (40, 60, every)},
        "alone": {"short": (45, 60, some)},
        "polite": {"polite": (40, 60, every)},
    }
    with evalstore.open(folder / "evals") as store:
        for name, metrics in suites.items():
            store.import_from(
                "trainloop", write_json(folder / f"evaluation_{name}.json", evaluation(g=metrics)), job=name
            )
        yield store


@pytest.mark.parametrize(
    ("before", "after", "where"),
    [
        ("half", "low", "both"), ("half", "whole", "the baseline"), ("whole", "half", "the candidate"),
        ("polite", "half", "the candidate"),
    ],
)  # fmt: skip
def test_metrics_without_all_of_their_rows_are_not_compared_in_silence(told, before, after, where):
    found = told.compare(before, after)
    said = f"g/short: only its counts were told in {where}, without all of its rows: it is not compared"
    assert (found.warnings, found.metrics["metric"].to_list()) == ([said], ["polite"])
    assert [(one["metric"], one["told_in"]) for one in found.not_compared] == [("short", where.split()[-1])]
    assert said in found.to_html()
    page = CliRunner().invoke(program, ["--store", str(told.root), "compare", before, after]).stdout
    assert f"Warning: {said}" in page.replace("\n", " ")
    assert "Not compared" not in page


def test_what_has_nothing_but_such_metrics_is_not_comparable(told):
    with pytest.raises(NotComparable, match=r"nothing in common: .*; g/short: only its counts were told in both"):
        told.compare("alone", "low", metric="short")
    verdict = told.gate("alone", policy={"all": {"min": 0.5}})
    assert (verdict.outcome, verdict.message) == (
        "not comparable", "of job 'alone' only counts were told, without all of its rows: there is nothing to judge",
    )  # fmt: skip


@pytest.mark.parametrize("rules", [{"max_drop": 0.5}, {"max_flips": 60}, {"min": 0.5}, {"min_rows": 1}])
@pytest.mark.parametrize(("before", "after"), [("half", "low"), ("whole", "low"), ("polite", "low")])
def test_no_gate_passes_on_rows_that_are_not_all(told, before, after, rules):
    verdict = told.gate(after, baseline=before, policy={"all": rules})
    assert verdict.outcome == "not comparable"
    assert "g/short: only counts were told, without all of its rows, so it cannot be judged" in verdict.message
    assert [rule.metric for rule in verdict.failures] == ["short"]
    assert told.gate(after, baseline=before, policy={"metrics": {"short": rules}}).outcome == "not comparable"
    # What no rule is about, and what is advice, is said and does not count.
    other = told.gate(after, baseline=before, policy={"metrics": {"polite": rules}})
    assert other
    assert any("g/short" in warning and "counts were told" in warning for warning in other.warnings)
    assert told.gate(after, baseline=before, policy={"all": rules, "metrics": {"short": {"class": "performance"}}})


def test_counts_of_the_baseline_alone_are_no_baseline(told):
    verdict = told.gate("whole", baseline="half", policy={"all": {"max_drop": 0.5}})
    assert (verdict.outcome, [rule.metric for rule in verdict.failures]) == ("not comparable", ["short"])
    assert verdict.message == "g/short: only counts were told, without all of its rows, in the baseline"
    missed = told.gate("polite", baseline="half", policy={"all": {"max_drop": 0.5}})
    assert missed.message == "g/short: the baseline measured it, the job did not"


def test_what_is_required_is_not_there_by_its_counts(told):
    verdict = told.gate("half", policy={"required": {"metrics": ["short", "polite"], "suites": ["g"]}})
    assert [(rule.metric, rule.outcome) for rule in verdict.rules] == [
        (None, "pass"), ("short", "not comparable"), ("polite", "pass"),
    ]  # fmt: skip
    zero = told.gate("half", policy={"errors": "zero", "metrics": {"polite": {"min": 0.5}}})
    assert zero
