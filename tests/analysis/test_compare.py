"""Two jobs compared row by row: what is paired, what is counted, what is refused, and the figures against scipy's."""

import json
import math
import random
from typing import Any

import numpy as np
import pytest
import scipy.stats

import evalstore
from evalstore import queries
from evalstore.analysis import comparing
from evalstore.analysis.comparison import ALL_FLIPS
from evalstore.errors import JobNotFound, NotComparable, UnknownField, UsageError


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with evalstore.open(tmp_path_factory.mktemp("compare") / "evals") as store:
        yield store


def put(store, name, rows, **context):
    with store.job(name, **context) as job:
        for row in rows:
            job.log(**row)


def row(key, scores=None, *, item=None, **more):
    return {
        "row_key": key,
        "item": {"q": key if item is None else item},
        **({"scores": scores} if scores else {}),
        **more,
    }


@pytest.fixture(scope="module")
def mixed(store):
    """Two jobs with everything that can come between two rows."""
    before = [
        *(row(f"same-{n}", {"ok": n % 2 == 0, "length": n}, sample={"text": f"old {n}"}) for n in range(40)),
        row(
            "regresses",
            {"ok": {"value": True, "comment": "fine"}, "length": 5},
            sample={"text": "yes"},
            metadata={"kind": "a"},
        ),
        row("improves", {"ok": False, "length": 9}, metadata={"kind": "b"}),
        row("fails", {"ok": True, "length": 3}),
        row("recovers", error="TimeoutError: late"),
        row("unscored", {"ok": True, "length": float("nan")}),
        row("only-before", {"ok": True, "length": 1}),
        row("changes", {"ok": True, "length": 100}, item="once"),
        row(7, {"ok": True, "length": 2}),
    ]
    after = [
        row(7, {"ok": True, "length": 2}),
        row("changes", {"ok": False, "length": 1}, item="twice"),
        row("only-after", {"ok": False, "length": 1}),
        row("unscored", {"ok": True, "length": 4}),
        row("recovers", {"ok": True, "length": 4}),
        row("fails", error="TimeoutError: late"),
        row("improves", {"ok": True, "length": 2}, metadata={"kind": "b"}),
        row(
            "regresses",
            {"ok": {"value": False, "comment": "wrong"}, "length": 5},
            sample={"text": "no"},
            metadata={"kind": "a"},
        ),
        *(row(f"same-{n}", {"ok": n % 2 == 0, "length": n}, sample={"text": f"new {n}"}) for n in reversed(range(40))),
    ]
    lower = {"length": {"higher_is_better": False}}
    put(store, "before", before, metrics=lower, dataset="d", model="m")
    put(store, "after", after, metrics=lower, dataset="d", model="m")
    return store


def line(comparison, metric):
    [found] = [one for one in comparison.metrics.to_dicts() if one["metric"] == metric]
    return found


def test_rows_are_paired_by_key_and_content(mixed):
    found = mixed.compare("before", "after")
    [rows] = found.rows.to_dicts()
    assert rows == {
        "suite": "default", "baseline_rows": 48, "candidate_rows": 48, "paired": 46, "changed": 1,
        "only_in_baseline": 1, "only_in_candidate": 1, "baseline_failed": 1, "candidate_failed": 1, "either_failed": 2,
    }  # fmt: skip
    assert found.warnings == [
        "1 of 47 rows have another item or reference under the same key; they are left out",
        "length: 1 of 44 rows that are scored in the candidate have no score in the baseline, and are left out",
    ]


def test_each_metric_counts_what_it_is_a_mean_of(mixed):
    ok = line(mixed.compare("before", "after"), "ok")
    assert (ok["paired"], ok["improved"], ok["regressed"], ok["both_right"], ok["both_wrong"]) == (44, 1, 1, 22, 20)
    assert (ok["newly_in_error"], ok["recovered"], ok["in_error"]) == (1, 1, 2)
    assert (ok["baseline_scored"], ok["baseline_rows"], ok["baseline_errors"]) == (47, 48, 1)
    assert (ok["candidate_scored"], ok["candidate_rows"], ok["candidate_errors"]) == (47, 48, 1)
    assert (ok["baseline_mean"], ok["candidate_mean"], ok["difference"]) == (23 / 44, 23 / 44, 0)
    assert (ok["test"], ok["p_value"], ok["change"]) == ("exact McNemar", 1.0, "no difference shown")
    length = line(mixed.compare("before", "after"), "length")
    assert (length["paired"], length["higher_is_better"], length["improved"], length["unchanged"]) == (43, False, 1, 42)
    assert length["difference"] == pytest.approx(-7 / 43)


def test_flips_show_both_sides(mixed):
    found = mixed.compare("before", "after")
    flips = {(one["metric"], one["row_key"]): one for one in found.flips.to_dicts()}
    assert {key: one["flip"] for key, one in flips.items()} == {
        ("ok", "regresses"): "regressed", ("ok", "improves"): "improved", ("ok", "fails"): "newly in error",
        ("ok", "recovers"): "recovered", ("length", "improves"): "improved", ("length", "fails"): "newly in error",
        ("length", "recovers"): "recovered",
    }  # fmt: skip
    lost = flips["ok", "regresses"]
    assert (lost["baseline_value"], lost["candidate_value"]) == (1, 0)
    assert (lost["baseline_comment"], lost["candidate_comment"]) == ("fine", "wrong")
    assert [json.loads(lost[f"{side}_sample"]) for side in ("baseline", "candidate")] == [
        {"text": "yes"},
        {"text": "no"},
    ]
    assert json.loads(lost["item"]) == {"q": "regresses"}
    assert flips["ok", "fails"]["candidate_error"] == "TimeoutError: late"
    assert found.flipped("both wrong", metric="ok", limit=3).height == 3
    assert set(found.flipped("both wrong")["flip"]) == {"both wrong"}
    with pytest.raises(UsageError, match="cannot flip as 'worse'; there are: improved"):
        found.flipped("worse")


def test_errors_can_count(mixed):
    zero = line(mixed.compare("before", "after", metric="ok", errors="zero"), "ok")
    assert zero["paired"] == 46
    assert (zero["baseline_mean"], zero["candidate_mean"]) == (24 / 46, 24 / 46)
    worst = line(mixed.compare("before", "after", metric="length", errors="worst"), "length")
    assert worst["paired"] == 45  # NaN is no error, and counts under no policy
    # The worst length is the greatest of both jobs: 100, in a row that is not compared.
    assert worst["baseline_mean"] == pytest.approx((sum(range(40)) + 5 + 9 + 3 + 2 + 100) / 45)


def test_slices_and_a_field_as_cluster(mixed):
    found = mixed.compare("before", "after", metric="ok", by="metadata.kind")
    slices = {one["slice"]: one for one in found.slices.to_dicts()}
    assert {name: (one["paired"], one["difference"]) for name, one in slices.items()} == {
        None: (42, 0.0), "a": (1, -1.0), "b": (1, 1.0),
    }  # fmt: skip
    assert slices["a"]["low"] is None  # no interval of one row
    assert set(found.flipped("regressed")["slice"]) == {"a"}
    clustered = line(mixed.compare("before", "after", metric="ok", cluster="metadata.kind"), "ok")
    assert (clustered["clusters"], clustered["test"]) == (2, "clustered t")


def test_a_direction_declared_for_the_store_goes_first(store):
    rows = [row(n, {"seconds": n}) for n in range(5)]
    put(store, "slow-1", rows)
    put(store, "slow-2", [row(n, {"seconds": n + 1}) for n in range(5)])
    assert line(store.compare("slow-1", "slow-2"), "seconds")["improved"] == 5
    store.metrics.declare("seconds", higher_is_better=False)
    found = line(store.compare("slow-1", "slow-2"), "seconds")
    assert (found["regressed"], found["higher_is_better"]) == (5, False)


def test_what_is_not_comparable_is_refused(store, mixed):
    put(store, "essays", [row(n, {"style": 0.5}) for n in range(4)])
    with pytest.raises(NotComparable, match="measured nothing in common: baseline length, ok; candidate style"):
        store.compare("before", "essays")
    put(
        store,
        "part",
        [row(f"same-{n}", {"ok": True}) for n in range(10)] + [row(f"x{n}", {"ok": True}) for n in range(10)],
    )
    with pytest.raises(NotComparable, match=r"only 10 rows are in both, of 48 and 20; min_paired=0\.9"):
        store.compare("before", "part")
    assert line(store.compare("before", "part", min_paired=0.5), "ok")["paired"] == 10
    put(store, "shuffled", [row(f"same-{n}", {"ok": True}, item=n + 1) for n in range(40)])
    with pytest.raises(NotComparable, match="of 40 rows with the same key 40 have another item or reference"):
        store.compare("before", "shuffled")
    put(store, "empty", [])
    with pytest.raises(NotComparable, match="candidate nothing"):
        store.compare("before", "empty")


def test_what_is_asked_wrongly_is_refused(mixed):
    for wrong, message in (
        ({"metric": "okay"}, "neither job has a metric 'okay'; did you mean ok?"),
        ({"suite": "s"}, "neither job has a suite 's'; there are: default"),
        ({"by": "kind"}, "rows cannot be sliced by 'kind'"),
        ({"cluster": "kind"}, "rows cannot be clustered by 'kind'"),
    ):
        with pytest.raises(UnknownField, match=message.replace("?", r"\?")):
            mixed.compare("before", "after", **wrong)
    for given in (
        {"errors": "drop"},
        {"confidence": 95},
        {"margin": -1},
        {"max_changed": 5},
        {"test": "z"},
        {"correction": 1},
    ):
        with pytest.raises(UsageError, match=next(iter(given))):
            mixed.compare("before", "after", **given)
    with pytest.raises(UsageError, match="compared with itself"):
        mixed.compare("before", "before")
    with pytest.raises(JobNotFound):
        mixed.compare("before", "afterwards")


def test_a_metric_on_one_side_is_said(store):
    put(store, "two-1", [row(n, {"a": 1.0, "b": 0.5}) for n in range(3)])
    put(store, "two-2", [row(n, {"a": 0.5, "c": 0.5}) for n in range(3)])
    found = store.compare("two-1", "two-2")
    assert [one["metric"] for one in found.metrics.to_dicts()] == ["a"]
    assert {one["metric"]: one["only_in"] for one in found.not_compared} == {"b": "baseline", "c": "candidate"}


# Against plain Python


def random_job(seed):
    """Rows with several suites and repetitions, failures, errors, NaN, and two scores of one name."""
    rng = random.Random(seed)
    scores: dict[str, Any]
    is_plain = seed % 2 == 0
    rows = []
    for suite in ("s1", "s2"):
        for key in range(60):
            for repetition in range(1 if is_plain else rng.choice([1, 1, 2, 3])):
                base = {"row_key": f"k{key}", "repetition": repetition, "suite": suite, "item": key,
                        "cluster": f"c{key // 5}" if suite == "s2" and key < 50 else None}  # fmt: skip
                if not is_plain and rng.random() < 0.1:
                    rows.append({**base, "error": "it broke"})
                    continue
                value = [rng.random(), float("nan"), None, {"error": "judge"}][
                    rng.choices([0, 1, 2, 3], [20, 1, 1, 1])[0]
                ]
                scores = {"x": value, "ok": rng.random() < 0.5}
                if not is_plain and rng.random() < 0.2:
                    scores["x"] = [{"value": rng.random()}, {"value": rng.random()}]
                rows.append({**base, "scores": scores})
    return rows


def values_of(rows, suite, metric, errors):
    """Per key the mean of its scores, as the README says it; and the keys in error."""
    found, failed = {}, set()
    for key in dict.fromkeys(one["row_key"] for one in rows if one["suite"] == suite):
        values, wrong, right = [], 0, 0
        for one in rows:
            if (one["suite"], one["row_key"]) != (suite, key):
                continue
            if "error" in one:
                wrong += 1
                continue
            scores = one["scores"][metric]
            for score in scores if isinstance(scores, list) else [scores]:
                if isinstance(score, dict) and "error" in score:
                    wrong += 1
                else:
                    number = score["value"] if isinstance(score, dict) else score
                    if number is not None and math.isfinite(number):
                        values.append(float(number))
                        right += 1
        if not right and wrong:
            failed.add(key)
        values += [0.0] * wrong if errors == "zero" else []
        if values:
            found[key] = float(np.mean(values))
    return found, failed


@pytest.fixture(scope="module", params=[0, 1])
def two_random_jobs(request, store):
    seed = request.param
    jobs = {}
    for side, number in (("baseline", seed + 10), ("candidate", seed + 20)):
        jobs[side] = random_job(number)
        put(store, f"random-{side}-{seed}", jobs[side])
    return store, seed, jobs


@pytest.mark.parametrize("errors", ["exclude", "zero"])
def test_random_jobs_come_to_what_plain_python_says(two_random_jobs, errors):
    store, seed, jobs = two_random_jobs
    found = store.compare(f"random-baseline-{seed}", f"random-candidate-{seed}", errors=errors, cluster="row_key")
    for one in found.metrics.to_dicts():
        (before, bad_before), (after, bad_after) = (
            values_of(jobs[side], one["suite"], one["metric"], errors) for side in ("baseline", "candidate")
        )
        keys = [key for key in before if key in after]
        first, second = ([side[key] for key in keys] for side in (before, after))
        assert one["paired"] == len(keys)
        assert (one["baseline_mean"], one["candidate_mean"]) == pytest.approx((np.mean(first), np.mean(second)))
        assert one["newly_in_error"] == len(bad_after - bad_before)
        assert one["both_in_error"] == len(bad_after & bad_before)
        wanted = scipy.stats.ttest_rel(second, first)
        assert one["test"] == "clustered t"
        assert one["p_value"] == pytest.approx(wanted.pvalue, rel=1e-9)
        ends = wanted.confidence_interval()
        assert (one["low"], one["high"]) == pytest.approx((ends.low, ends.high))


def test_clusters_of_rows_count_where_there_are_some(two_random_jobs):
    regression = pytest.importorskip("statsmodels.api")
    store, seed, jobs = two_random_jobs
    found = store.compare(f"random-baseline-{seed}", f"random-candidate-{seed}", metric="x")
    one = next(each for each in found.metrics.to_dicts() if each["suite"] == "s2")
    before, after = (values_of(jobs[side], "s2", "x", "exclude")[0] for side in ("baseline", "candidate"))
    keys = [key for key in before if key in after]
    clusters = [key if int(key[1:]) >= 50 else f"c{int(key[1:]) // 5}" for key in keys]
    difference = np.array([after[key] - before[key] for key in keys])
    groups = np.unique(clusters, return_inverse=True)[1]
    fitted = regression.OLS(difference, np.ones(len(keys))).fit(
        cov_type="cluster", cov_kwds={"groups": groups}, use_t=True
    )
    assert one["clusters"] == 10
    assert one["std_error"] == pytest.approx(fitted.bse[0])
    assert one["p_value"] == pytest.approx(fitted.pvalues[0])


@pytest.mark.parametrize("two_random_jobs", [0], indirect=True)
@pytest.mark.parametrize("errors", ["exclude", "zero", "worst"])
def test_the_short_road_for_plain_jobs_leads_to_the_same(two_random_jobs, errors):
    store, seed, _ = two_random_jobs
    ids = [store.show(f"random-{side}-{seed}")["job_id"] for side in ("baseline", "candidate")]
    sides = {"baselines": ids[:1], "candidate": ids[1]}
    for more in ({}, {"cluster_source": "cluster"}, {"slice_source": "suite"}):
        asked = {**sides, "errors": errors, "check_content": False, "told_by": ids[1:], **more}
        plain, long = (
            queries.compare_metrics(store._asking, **asked, is_plain=is_plain).to_pylist() for is_plain in (True, False)
        )
        assert [{**one, **dict.fromkeys(SUMS)} for one in plain] == [{**one, **dict.fromkeys(SUMS)} for one in long]
        for field in SUMS:
            assert [one[field] for one in plain] == pytest.approx([one[field] for one in long])
    if errors == "exclude":
        short = queries.compare_plain_metrics(store._asking, **sides).to_pylist()
        long = queries.compare_metrics(
            store._asking, **sides, errors=errors, check_content=True, told_by=ids[1:], is_plain=False
        ).to_pylist()
        assert [one["n"] for one in short] == [one["n"] for one in long]
        assert [one["difference"] for one in short] == pytest.approx([one["difference"] for one in long])


@pytest.mark.parametrize("two_random_jobs", [0], indirect=True)
@pytest.mark.parametrize("limit", [1, 7, 1_000])
@pytest.mark.parametrize("flips", [comparing.FLIPS, ("regressed",), ("both wrong", "newly in error"), ALL_FLIPS])
def test_the_short_road_to_flips_leads_to_the_same(two_random_jobs, flips, limit):
    store, seed, _ = two_random_jobs
    ids = [store.show(f"random-{side}-{seed}")["job_id"] for side in ("baseline", "candidate")]
    asked: dict[str, Any] = {"baselines": ids[:1], "candidate": ids[1], "flips": list(flips), "limit": limit}
    narrows: list[dict[str, Any]] = [{}, {"suite": "s2"}, {"metric": "x"}]
    for narrow in narrows:
        short = queries.compare_plain_flips(store._asking, **asked, **narrow)
        long = queries.compare_flips(
            store._asking, **asked, **narrow, errors="exclude", check_content=True, told_by=ids[1], is_plain=False
        )
        assert short.num_rows
        assert short.equals(long)


SUMS = ("baseline_mean", "candidate_mean", "difference", "std_dev", "unit_squares")


# Statistics in their place


def test_permutation_and_correction_on_request(two_random_jobs):
    store, seed, _ = two_random_jobs
    names = (f"random-baseline-{seed}", f"random-candidate-{seed}")
    auto, flipped = (store.compare(*names, test=test).metrics for test in ("auto", "permutation"))
    assert set(flipped["test"]) == {"sign-flip permutation"}
    assert flipped["p_value"].to_list() == pytest.approx(auto["p_value"].to_list(), abs=0.06)
    p = {
        each: store.compare(*names, correction=each).metrics["p_adjusted"].to_list() for each in ("none", "holm", "bh")
    }
    noise = 1e-12  # each was compared anew, and sums of doubles differ by their order
    assert all(a <= b + noise and b <= c + noise for a, b, c in zip(p["none"], p["bh"], p["holm"], strict=True))
    assert p["holm"] == pytest.approx(list(scipy_holm(p["none"])))


def scipy_holm(p_values):
    order = np.argsort(p_values)
    steps = np.maximum.accumulate([(len(order) - rank) * p_values[place] for rank, place in enumerate(order)])
    found = np.empty(len(order))
    found[order] = np.minimum(steps, 1)
    return found


def test_a_margin_is_tested(store):
    put(store, "margin-1", [row(n, {"m": 0.5 + 0.01 * (n % 7)}) for n in range(50)])
    put(store, "margin-2", [row(n, {"m": 0.5 + 0.01 * (n % 7) - 0.002 * (n % 3)}) for n in range(50)])
    near, far = (line(store.compare("margin-1", "margin-2", margin=margin), "m") for margin in (0.01, 0.001))
    assert (near["noninferior"], far["noninferior"]) == (True, False)
    assert near["p_noninferior"] < 0.025 < far["p_noninferior"]
    assert near["change"] == "regressed"  # a real loss, and too small to matter


def test_gsm8k_comes_to_what_scipy_says(store, gsm8k):
    lines = [json.loads(text) for text in gsm8k.read_text(encoding="utf-8").splitlines()]
    models = ("6b_verification", "175b_finetuning")
    for model in models:
        store.import_from(
            "rows", gsm8k, job=f"gsm8k-{model}", item={"question": "question"}, reference={"answer": "ground_truth"},
            sample={"solution": f"{model}.solution"}, scores={"is_correct": f"{model}.is_correct"},
        )  # fmt: skip
    comparison = store.compare(*(f"gsm8k-{model}" for model in models))
    [found] = comparison.metrics.to_dicts()
    first, second = (np.array([one[model]["is_correct"] for one in lines], float) for model in models)
    assert (found["paired"], found["baseline_mean"], found["candidate_mean"]) == (1319, 515 / 1319, 458 / 1319)
    better, worse = int((second > first).sum()), int((second < first).sum())
    assert (found["improved"], found["regressed"]) == (better, worse)
    assert min(better, worse) > 100
    assert found["p_value"] == pytest.approx(scipy.stats.binomtest(better, better + worse).pvalue, rel=1e-12)
    ends = scipy.stats.ttest_rel(second, first).confidence_interval()
    assert (found["low"], found["high"]) == pytest.approx((ends.low, ends.high), rel=1e-9)
    ends = scipy.stats.binomtest(458, 1319).proportion_ci(method="wilson")
    assert (found["candidate_low"], found["candidate_high"]) == pytest.approx((ends.low, ends.high))
    assert comparison.flips.height == better + worse


@pytest.fixture
def gsm8k(request):
    path = request.config.rootpath.parent / "shared/data/gsm8k/example_model_solutions.jsonl"
    if not path.exists():
        pytest.skip(f"needs the example solutions of GSM8K at {path}")
    return path


# The page


@pytest.fixture(scope="module")
def nasty(store):
    text = "</script><script>alert('x')</script><!-- \u2028 & é"
    put(store, "nasty-1", [row(n, {"ok": True}, item=text, sample={"text": text}) for n in range(3)])
    put(store, "nasty-2", [row(n, {"ok": n > 0}, item=text, sample={"text": text + "2"}) for n in range(3)])
    return store


def test_the_page_stands_alone_and_what_it_shows_is_data(nasty, tmp_path):
    nasty.compare("nasty-1", "nasty-2").write_html(tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    text = text.replace("http://www.w3.org/2000/svg", "")  # a name, which nothing loads
    assert text.count("</script>") == 2
    assert "alert('x')</script>" not in text
    for outside in ("http:", "https:", "src=", "@import", "url("):
        assert outside not in text
    _, _, data = text.partition('<script id="data" type="application/json">')
    document = json.loads(data.partition("</script>")[0])
    assert len(document["flips"]) == 1
    assert document["metrics"][0]["regressed"] == 1
