"""Aggregates are what numpy, plain Python and an independent evaluator compute from the same scores."""

import json
import math
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import evalstore
from evalstore.errors import UnknownField, UsageError

# An example is one job: most of its time goes into committing it, so each holds many lists.
SEARCH = settings.default.max_examples  # type: ignore[union-attr]
THIRD, FIFTH = settings(max_examples=max(1, SEARCH // 3)), settings(max_examples=max(1, SEARCH // 5))

NEMO = Path(__file__).parent / "data" / "nemo"  # written by NeMo Evaluator's own code (nemo-platform 0.1.2, Apache-2.0)
PERCENTILES = range(10, 101, 10)
LARGEST = 1.7976931348623157e308
INF, NAN = math.inf, math.nan


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """One store for all tests and examples; each takes a job of its own."""
    with evalstore.open(tmp_path_factory.mktemp("aggregates") / "evals") as store:
        yield store


def logged(store, rows, **context):
    """The name of a new job with these rows, each of another item unless it says so."""
    with store.job(f"job-{uuid.uuid4().hex[:12]}", **context) as job:
        for number, row in enumerate(rows):
            job.log(**{"item": {"n": number}, **row})
    return job.name


def aggregates(store, rows, **context):
    """(suite, name) -> its aggregates, for a new job with these rows."""
    return {(one.suite, one.name): one for one in store.aggregate_scores(logged(store, rows, **context)).scores}


def aggregate(store, values, **context):
    """The aggregates of one metric, one row per score."""
    [one] = aggregates(store, [{"scores": {"m": value}} for value in values], **context).values()
    return one


def in_suites(lists):
    """The rows of several lists of scores, each a suite of its own, in one job."""
    return [
        {"suite": str(number), "row_key": place, "scores": {"m": value}}
        for number, values in enumerate(lists)
        for place, value in enumerate(values)
    ]


def close(scale):
    """A comparison within what adding up numbers of this size may lose."""
    return lambda left, right: left is not None and abs(left - right) <= 1e-9 * abs(right) + 1e-12 * scale


# Against numpy

NUMBERS = (
    st.floats(-1e6, 1e6)
    | st.integers(-5, 5)
    | st.decimals(0, 1, places=3).map(float)
    | st.sampled_from([0.1, 0.7, 1 / 3, 1e6 + 1e-6, 1e-9, -0.0])
    | st.booleans().map(float)
)
LISTS = st.lists(st.lists(NUMBERS, min_size=1, max_size=25), min_size=1, max_size=8)


@given(LISTS)
@example([[0.102, 0.8], [0.1, 0.4, 0.7, 0.7], [1.0], [2.0, 2.0, 2.0], [1e6 + 0.1] * 3 + [1e6], list(range(1, 11))])
@example(
    [[-0.15, 0.35, 0.85], [0.3, 0.6, 0.9], [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0], [1e-320, 3e-320]]
)
@THIRD
def test_statistics_of_a_range_are_those_of_numpy(store, lists):
    found = aggregates(store, in_suites(lists))
    assert len(found) == len(lists)
    for number, values in enumerate(lists):
        check_statistics(found[str(number), "m"], np.array(values, dtype=float))


def check_statistics(one, values):
    size, scale = len(values), float(np.max(np.abs(values)))
    as_large, squared = close(scale), close(scale**2)
    assert (one.score_type, one.count, one.nan_count, one.inf_count, one.out_of_range) == ("range", size, 0, 0, 0)
    assert (one.rows_scored, one.rows_unscored, one.rows_error, one.rows_total) == (size, 0, 0, size)
    assert (one.min, one.max) == (values.min(), values.max())
    assert close(scale * size)(one.sum, math.fsum(values))
    assert as_large(one.mean, np.mean(values))
    assert as_large(one.median, np.median(values))
    assert squared(one.variance, np.var(values))
    assert squared(one.std_dev**2, np.var(values))
    if size == 1:
        assert (one.sample_variance, one.sample_std_dev, one.std_error) == (None, None, None)
        assert (one.variance, one.std_dev) == (0, 0)
    else:
        assert squared(one.sample_variance, np.var(values, ddof=1))
        assert squared(one.sample_std_dev**2, np.var(values, ddof=1))
        assert squared(one.std_error**2, np.var(values, ddof=1) / size)
    for percent in PERCENTILES:
        assert as_large(one.percentiles[f"p{percent}"], np.percentile(values, percent, method="weibull"))
    check_histogram(one, values)


def check_histogram(one, values):
    """Ten equal bins from minimum to maximum; half-open, the last one closed; one bin where all values are equal."""
    bins = one.histogram.bins
    assert sum(part.count for part in bins) == one.count == len(values)
    assert bins[0].lower_bound == one.min
    assert bins[-1].upper_bound == one.max
    if one.min == one.max:
        assert len(bins) == 1
        return
    assert len(bins) == 10
    width = (one.max - one.min) / 10
    for place, part in enumerate(bins):
        assert part.lower_bound == pytest.approx(one.min + place * width, rel=1e-12, abs=1e-12 * abs(one.max))
        if place < 9:
            assert part.upper_bound == bins[place + 1].lower_bound
            assert part.count == sum(part.lower_bound <= value < part.upper_bound for value in values)
        else:
            assert part.count == sum(part.lower_bound <= value <= part.upper_bound for value in values)


def test_a_metric_with_nothing_to_average_has_no_statistics(store):
    one = aggregate(store, [NAN, None, INF])
    for field in ("sum", "mean", "median", "min", "max", "variance", "std_dev", "sample_variance", "std_error"):
        assert getattr(one, field) is None
    assert one.percentiles is None
    assert one.histogram.bins == []
    assert (one.count, one.nan_count, one.inf_count) == (0, 1, 1)
    assert (one.rows_scored, one.rows_unscored, one.rows_total) == (0, 3, 3)


@pytest.mark.parametrize("infinities", [[INF], [-INF], [INF, -INF, INF]], ids=repr)
def test_infinities_are_counted_and_not_averaged(store, infinities):
    one = aggregate(store, [1.0, *infinities, 3.0])
    assert (one.count, one.inf_count, one.nan_count) == (2, len(infinities), 0)
    assert (one.mean, one.max, one.variance) == (2.0, 3.0, 1.0)
    assert (one.rows_scored, one.rows_unscored) == (2, len(infinities))
    check_histogram(one, [1.0, 3.0])


EXTREME = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from(
    [
        LARGEST,
        -LARGEST,
        LARGEST / 2,
        1e308,
        -1e308,
        1e200,
        -1e200,
        5e-324,
        -5e-324,
        1e-300,
        2.2250738585072014e-308,
        0.0,
        -0.0,
    ]
)


@given(st.lists(st.lists(EXTREME, min_size=1, max_size=8), min_size=1, max_size=8))
@example(
    [[LARGEST, -LARGEST], [LARGEST] * 3, [-1e308, 0.0, 1e308], [5e-324, 0.0], [1e308, -1e308, 1e308], [1e200, -1e200]]
)
@FIFTH
def test_values_near_the_limits_of_a_double_are_aggregated_without_an_error(store, lists):
    """What is beyond a double is null; counts, bounds and the histogram are right all the same."""
    rows = in_suites(lists)
    measured = [{**row, "latency": abs(row["scores"]["m"]), "cost": row["scores"]["m"]} for row in rows]
    found = aggregates(store, measured)
    for number, values in enumerate(lists):
        one = found[str(number), "m"]
        assert (one.count, one.min, one.max) == (len(values), min(values), max(values))
        bins = one.histogram.bins
        assert all(math.isfinite(part.lower_bound) and math.isfinite(part.upper_bound) for part in bins)
        assert sum(part.count for part in bins) == len(values)
        if math.isfinite(one.max - one.min):  # else a bin's edge may be off by the last digit
            for part in bins[:-1]:
                assert part.count == sum(part.lower_bound <= value < part.upper_bound for value in values)
        for field in ("sum", "mean", "median", "variance", "std_dev", "sample_variance", "sample_std_dev", "std_error"):
            value = getattr(one, field)
            assert value is None or math.isfinite(value)
        assert one.percentiles is not None
        assert all(value is None or math.isfinite(value) for value in one.percentiles.values())
        assert one.percentiles["p100"] == max(values)


def test_bins_are_equal_where_the_range_is_wider_than_a_double(store):
    one = aggregate(store, [-LARGEST, -LARGEST * 0.7, LARGEST * 0.3, LARGEST * 0.9, LARGEST])
    assert [part.count for part in one.histogram.bins] == [1, 1, 0, 0, 0, 0, 1, 0, 0, 2]


@pytest.mark.parametrize("value", [INF, -INF, NAN, LARGEST], ids=repr)
def test_a_latency_or_cost_beyond_measure_does_not_lose_the_job(store, value):
    job = logged(
        store, [{"latency": value, "cost": value}, {"latency": 1.0, "cost": 1.0}, {"latency": value, "cost": value}]
    )
    assert store.show(job)["rows_total"] == 3
    assert store.show(job)["status"] == "completed"


# Against NeMo Evaluator


def golden(kind):
    lines = (NEMO / f"golden-{kind}-aggregates.jsonl").read_text(encoding="utf-8").splitlines()
    return {case["case"]: case for case in map(json.loads, lines)}


RANGES, RUBRICS = golden("range"), golden("rubric")
STATISTICS = ("count", "nan_count", "sum", "mean", "min", "max", "std_dev", "variance")


def approx(number):
    return None if number is None else pytest.approx(number, rel=1e-9, abs=1e-9 * abs(number) or 1e-12)


@pytest.fixture(scope="module")
def ranges(store):
    """All cases with numbers, as suites of one job."""
    rows = [
        {"suite": name, "row_key": place, "scores": {"s": float(value) if value == "NaN" else value}}
        for name, case in RANGES.items()
        for place, value in enumerate(case["values"])
    ]
    return aggregates(store, rows)


@pytest.mark.parametrize("case", RANGES)
def test_a_range_agrees_with_nemo(ranges, case):
    expected = RANGES[case]["scores"]
    if not expected:
        assert (case, "s") not in ranges
        return
    one, [theirs] = ranges[case, "s"], expected
    assert one.score_type == theirs["score_type"]
    for field in STATISTICS:
        assert getattr(one, field) == approx(theirs[field]), field
    if theirs["percentiles"] is None:
        assert one.percentiles is None
    else:
        assert one.percentiles == {name: approx(value) for name, value in theirs["percentiles"].items()}
    bins = one.histogram.bins
    assert sum(part.count for part in bins) == one.count
    if RANGES[case]["histogram_values_lost"]:
        return  # theirs is wrong: the maximum is in none of their bins
    assert [part.count for part in bins] == [part["count"] for part in theirs["histogram"]["bins"]]
    for ours, part in zip(bins, theirs["histogram"]["bins"], strict=True):
        assert ours.lower_bound == approx(part["lower_bound"])
        assert ours.upper_bound == approx(part["upper_bound"])


@pytest.fixture(scope="module")
def rubrics(store):
    """All cases with labels; as NeMo has it, a reply that holds no label of the rubric is scored NaN."""
    [rubric] = {json.dumps(case["rubric"]) for case in RUBRICS.values()}
    known = {step["label"] for step in json.loads(rubric)}
    rows = [
        {"suite": name, "row_key": place, "scores": {"s": label if label in known else {"value": NAN, "label": ""}}}
        for name, case in RUBRICS.items()
        for place, label in enumerate(case["labels"])
    ]
    return aggregates(store, rows, metrics={"s": {"rubric": json.loads(rubric)}})


@pytest.mark.parametrize("case", RUBRICS)
def test_a_rubric_agrees_with_nemo(rubrics, case):
    expected = RUBRICS[case]["scores"]
    if not expected:
        assert (case, "s") not in rubrics
        return
    one, [theirs] = rubrics[case, "s"], expected
    assert one.score_type == theirs["score_type"]
    for field in STATISTICS:
        assert getattr(one, field) == approx(theirs[field]), field
    assert [step.model_dump() for step in one.rubric_distribution] == theirs["rubric_distribution"]
    # Theirs names a mode even when nothing was scored.
    assert one.mode_category == (theirs["mode_category"] if theirs["count"] else None)


# The error of the mean

ITEMS = st.lists(
    st.tuples(
        st.none() | st.sampled_from(["A", "B", "C"]),
        st.lists(st.floats(-100, 100), min_size=1, max_size=3),
    ),
    min_size=1,
    max_size=8,
)


@given(st.lists(ITEMS, min_size=1, max_size=6))
@example(
    [[(None, [1.0]), (None, [2.0])], [("A", [1.0]), ("A", [2.0])], [("A", [1.0]), ("B", [2.0])], [(None, [1.0, 3.0])]]
)
@FIFTH
def test_the_error_of_the_mean_averages_repetitions_and_holds_clusters_together(store, suites):
    """An item is (cluster or none, its values in several repetitions)."""
    rows = [
        {"suite": str(number), "row_key": place, "cluster": cluster, "scores": {"m": value}}
        for number, items in enumerate(suites)
        for place, (cluster, values) in enumerate(items)
        for value in values
    ]
    found = aggregates(store, rows)
    for number, items in enumerate(suites):
        one = found[str(number), "m"]
        expected = error_of_mean(items)
        if expected is None:
            assert one.std_error is None
        else:
            assert close(100)(one.std_error, expected)


def error_of_mean(items):
    """The cluster-robust error of a mean with the factor G / (G - 1); an item without a cluster is one of its own."""
    means = np.array([np.mean(values) for _, values in items])
    unit = [f"item {place}" if cluster is None else f"cluster {cluster}" for place, (cluster, _) in enumerate(items)]
    residuals = means - means.mean()
    sums = np.array([residuals[[u == one for u in unit]].sum() for one in sorted(set(unit))])
    if len(sums) < 2:
        return None
    return math.sqrt(len(sums) / (len(sums) - 1) * float(sums @ sums)) / len(means)


def test_without_clusters_and_repetitions_it_is_the_textbook_error(store):
    values = [0.0, 1.0, 1.0, 0.0, 1.0]
    assert aggregate(store, values).std_error == pytest.approx(np.std(values, ddof=1) / math.sqrt(5))


def test_an_item_of_several_clusters_belongs_to_that_of_its_lowest_repetition_that_names_one(store):
    named = [("a", 2, "Y", 4.0), ("a", 1, "X", 2.0), ("a", 0, None, 3.0), ("b", 0, "X", 1.0), ("c", 0, "Y", 7.0)]
    rows = [
        {"row_key": key, "repetition": repetition, "cluster": cluster, "scores": {"m": value}}
        for key, repetition, cluster, value in named
    ]
    [one] = aggregates(store, rows).values()
    assert one.std_error == pytest.approx(error_of_mean([("X", [4.0, 2.0, 3.0]), ("X", [1.0]), ("Y", [7.0])]))


def test_a_repetition_adds_no_certainty(store):
    once = [{"row_key": key, "scores": {"m": key % 2}} for key in range(6)]
    [single] = aggregates(store, once).values()
    [tripled] = aggregates(store, once * 3).values()
    assert tripled.count == 18
    assert tripled.std_error == pytest.approx(single.std_error)


# Rows scored, unscored, in error, in all

KINDS: dict[str, tuple[dict[str, Any], str]] = {
    "number": ({"scores": {"m": 2.5}}, "scored"),
    "zero": ({"scores": {"m": 0}}, "scored"),
    "label beside a number": ({"scores": {"m": {"value": 1, "label": "x"}}}, "scored"),
    "NaN": ({"scores": {"m": NAN}}, "unscored"),
    "infinity": ({"scores": {"m": -INF}}, "unscored"),
    "None": ({"scores": {"m": None}}, "unscored"),
    "empty label": ({"scores": {"m": ""}}, "unscored"),
    "skipped": ({"scores": {"m": {"value": 3, "status": "skipped"}}}, "unscored"),
    "lacking": ({}, "unscored"),
    "another metric": ({"scores": {"n": 1}}, "unscored"),
    "score error": ({"scores": {"m": {"error": "no number"}}}, "error"),
    "score error with a value": ({"scores": {"m": {"value": 9, "error": "late"}}}, "error"),
    "exception": ({"scores": {"m": ValueError("no number")}}, "error"),
    "row error": ({"error": "timeout"}, "error"),
    "row error with NaN": ({"error": "timeout", "scores": {"m": NAN}}, "error"),
    "row error with a score": ({"error": "timeout", "scores": {"m": 4}}, "scored"),
    "several": ({"scores": {"m": [1, 2, 3]}}, "scored"),
    "several, some NaN": ({"scores": {"m": [NAN, 2, None]}}, "scored"),
    "several, some in error": ({"scores": {"m": [{"error": "no"}, 2]}}, "scored"),
    "several, none scored": ({"scores": {"m": [NAN, {"error": "no"}]}}, "error"),
}


def values_of(kind):
    """The numbers of a row that are averaged."""
    score = KINDS[kind][0].get("scores", {}).get("m")
    parts = score if isinstance(score, list) else [score]
    numbers = [
        part.get("value") if isinstance(part, dict) and not part.keys() & {"error", "status"} else part
        for part in parts
    ]
    return [number for number in numbers if isinstance(number, (int, float)) and math.isfinite(number)]


@given(st.lists(st.lists(st.sampled_from(list(KINDS)), min_size=1, max_size=8), min_size=1, max_size=6))
@example([list(KINDS)])
@example([[kind] for kind in KINDS])
@FIFTH
def test_no_row_drops_out_of_a_total_unseen(store, suites):
    rows = [{**KINDS[kind][0], "suite": str(number)} for number, kinds in enumerate(suites) for kind in kinds]
    found = aggregates(store, rows)
    for number, kinds in enumerate(suites):
        if not any("m" in KINDS[kind][0].get("scores", {}) for kind in kinds):
            assert (str(number), "m") not in found
            continue
        one = found[str(number), "m"]
        states = Counter(KINDS[kind][1] for kind in kinds)
        assert (one.rows_scored, one.rows_unscored, one.rows_error) == tuple(
            states[s] for s in ("scored", "unscored", "error")
        )
        assert one.rows_total == len(kinds)
        values = [value for kind in kinds for value in values_of(kind)]
        assert one.count == len(values)
        assert one.mean == (pytest.approx(np.mean(values)) if values else None)


def test_a_row_in_error_counts_in_the_total_of_every_metric_of_its_suite_and_of_no_other(store):
    rows = [
        {"suite": "a", "scores": {"m": 1, "n": [{"name": "x", "value": 1}, {"name": "y", "value": 0}]}},
        {"suite": "a", "error": "timeout"},
        {"suite": "b", "scores": {"m": 1}},
    ]
    found = aggregates(store, rows)
    assert {place: (one.rows_error, one.rows_total) for place, one in found.items()} == {
        ("a", "m"): (1, 2),
        ("a", "x"): (1, 2),
        ("a", "y"): (1, 2),
        ("b", "m"): (0, 1),
    }


def test_a_metric_of_numbers_and_labels_averages_the_numbers_and_loses_nothing(store):
    one = aggregate(store, [1, "a", 3, "b"])
    assert (one.score_type, one.mean, one.rows_total) == ("range", 2.0, 4)
    check_histogram(one, [1, 3])


# Other policies for errors

POLICIES = ("exclude", "zero", "worst")
OUTCOMES = st.sampled_from(["score error", "row error", "None", "NaN"]) | st.floats(-10, 10) | st.booleans().map(float)
DECLARATIONS = [
    {},
    {"higher_is_better": False},
    {"minimum": -20, "maximum": 20},
    {"minimum": -20, "maximum": 20, "higher_is_better": False},
    {"threshold": 0.5},
]


def row_of(outcome):
    if isinstance(outcome, str):
        return KINDS[outcome][0]
    return {"scores": {"m": outcome}}


@given(st.lists(OUTCOMES, min_size=1, max_size=12), st.sampled_from(DECLARATIONS))
@example([1.0, "row error", "score error"], {"minimum": -20, "maximum": 20})
@example(["row error", "None"], {})
@example(["row error", "None"], {"minimum": -20, "maximum": 20})
@FIFTH
def test_errors_are_left_out_or_count_as_zero_or_as_the_worst_value(store, outcomes, declaration):
    job = logged(store, [row_of(outcome) for outcome in outcomes], metrics={"m": declaration} if declaration else None)
    values = [outcome for outcome in outcomes if not isinstance(outcome, str)]
    errors = sum(outcome in ("score error", "row error") for outcome in outcomes)
    if not values and not {"None", "NaN", "score error"} & set(outcomes):
        assert store.aggregate_scores(job).scores == []
        return
    if declaration.get("higher_is_better", True):
        worst = declaration.get("minimum", min(values, default=None))
    else:
        worst = declaration.get("maximum", max(values, default=None))
    added = {"exclude": [], "zero": [0.0] * errors, "worst": [] if worst is None else [worst] * errors}
    for policy in POLICIES:
        [one] = store.aggregate_scores(job, errors=policy).scores
        averaged = values + added[policy]
        assert one.mean == (pytest.approx(np.mean(averaged), rel=1e-9, abs=1e-9) if averaged else None), policy
        assert one.count == len(averaged)
        assert sum(part.count for part in one.histogram.bins) == len(averaged)
        assert (one.rows_scored, one.rows_error, one.rows_total) == (len(values), errors, len(outcomes))


def test_errors_of_a_boolean_metric_count_as_failed(store):
    job = logged(
        store, [{"scores": {"m": True}}, {"scores": {"m": True}}, {"error": "timeout"}, {"scores": {"m": None}}]
    )
    found = {policy: store.aggregate_scores(job, errors=policy).scores[0] for policy in POLICIES}
    assert {policy: (one.passed, one.evaluated) for policy, one in found.items()} == {
        "exclude": (2, 2),
        "zero": (2, 3),
        "worst": (2, 3),
    }
    assert [found[policy].mean for policy in POLICIES] == pytest.approx([1, 2 / 3, 2 / 3])


def test_errors_of_a_boolean_metric_that_should_be_false_count_as_true_at_worst(store):
    rows = [{"scores": {"toxic": False}}, {"scores": {"toxic": True}}, {"error": "timeout"}]
    job = logged(store, rows, metrics={"toxic": {"higher_is_better": False}})
    [excluded] = store.aggregate_scores(job).scores
    [worst] = store.aggregate_scores(job, errors="worst").scores
    assert (excluded.mean, excluded.passed, excluded.evaluated) == (0.5, 1, 2)
    assert (worst.mean, worst.passed, worst.evaluated) == (pytest.approx(2 / 3), 1, 3)


def test_errors_of_labels_without_numbers_have_no_mean_under_any_policy(store):
    job = logged(store, [{"scores": {"m": "good"}}, {"scores": {"m": "poor"}}, {"error": "timeout"}])
    for policy in POLICIES:
        [one] = store.aggregate_scores(job, errors=policy).scores
        assert (one.mean, one.sum, one.count, one.rows_error) == (None, None, 2, 1)


SCALE = [{"label": "poor", "value": 0}, {"label": "good", "value": 1}, {"label": "excellent", "value": 2}]


def test_errors_of_a_rubric_count_as_its_lowest_value_at_worst(store):
    job = logged(
        store,
        [{"scores": {"q": "good"}}, {"scores": {"q": "excellent"}}, {"error": "timeout"}],
        metrics={"q": {"rubric": SCALE}},
    )
    means = [store.aggregate_scores(job, errors=policy).scores[0].mean for policy in POLICIES]
    assert means == [1.5, 1.0, 1.0]


PLAIN = st.dictionaries(
    st.sampled_from("abc"), NUMBERS | st.sampled_from([None, NAN, INF, -INF, True, False, "good", "bad"]), max_size=3
)


@given(st.dictionaries(st.sampled_from("xy"), st.lists(PLAIN, max_size=12), max_size=2))
@FIFTH
def test_a_job_without_errors_is_the_same_under_every_policy(store, suites):
    """The commit takes a shorter text for such jobs, every other policy the whole one."""
    rows = [
        {"suite": suite, "row_key": n, "scores": one} for suite, ones in suites.items() for n, one in enumerate(ones)
    ]
    name = logged(store, rows)
    at_commit = [one.model_dump() for one in store.aggregate_scores(name).scores]
    for errors in ("zero", "worst"):
        assert same([one.model_dump() for one in store.aggregate_scores(name, errors=errors).scores], at_commit)


def same(left, right):
    """Equal but for the last digits of what was added up in another order."""
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, float) and isinstance(right, float):
        return math.isclose(left, right, rel_tol=1e-9, abs_tol=1e-9)
    return left == right


def test_an_unknown_policy_is_refused(store):
    job = logged(store, [{"scores": {"m": 1}}])
    with pytest.raises(UsageError, match="exclude, zero, worst"):
        store.aggregate_scores(job, errors="ignore")


# Declarations


@pytest.fixture(scope="module")
def declared(store):
    """One job with a metric of each kind, and its aggregates by metric."""
    metrics = {
        "quality": {"minimum": 1, "maximum": 5},
        "at least": {"minimum": 0},
        "label": {"rubric": SCALE},
        "steps": {"rubric": SCALE},
        "words": {"rubric": [{"label": "yes"}, {"label": "no"}]},
        "latency": {"threshold": 2.0, "higher_is_better": False},
        "f1": {"threshold": 0.5},
        "rouge": [{"name": "rouge_1", "minimum": 0, "maximum": 1}, {"name": "rouge_L", "minimum": 0, "maximum": 0.1}],
    }
    values: dict[str, list[Any]] = {
        "quality": [9, 1, 5, 0.5, NAN, INF, None, 3],
        "at least": [-1, 0, 1e9, INF, None, 2, 2, 2],
        "label": ["poor", "superb", "good", "good", "", None, "excellent", "poor"],
        "steps": [0, 1, 2, 1.5, 7, 2, 2, NAN],
        "words": ["yes", "yes", "no", "perhaps", None, "yes", "no", "no"],
        "latency": [1.0, 2.0, 2.1, INF, NAN, 0.5, None, 3.0],
        "f1": [0.5, 0.49, 1.0, NAN, None, 0, 0.7, 0.7],
        "ok": [True, False, True, None, True, True, False, True],
        "verdict": [{"value": 3, "passed": p} for p in (True, False, True, True, False, None, None, True)],
        "free": ["b", "a", "c", "b", "", None, "a", "d"],
    }
    rows = [{"scores": {metric: given[place] for metric, given in values.items()}} for place in range(8)]
    for row in rows:
        row["scores"]["rouge"] = [{"name": "rouge_1", "value": 0.4}, {"name": "rouge_L", "value": 0.4}]
    return {one.name: one for one in store.aggregate_scores(logged(store, rows, metrics=metrics)).scores}


@pytest.mark.parametrize(
    ("metric", "outside", "mean"),
    [("quality", 2, 3.7), ("at least", 1, 1e9 / 6 + 5 / 6), ("rouge_1", 0, 0.4), ("rouge_L", 8, 0.4)],
)
def test_values_outside_the_declared_range_are_counted_and_averaged(declared, metric, outside, mean):
    assert declared[metric].out_of_range == outside
    assert declared[metric].mean == pytest.approx(mean)


def test_labels_of_a_rubric_stand_for_their_values(declared):
    one = declared["label"]
    assert (one.score_type, one.count, one.out_of_range, one.rows_unscored) == ("rubric", 5, 1, 3)
    assert (one.mean, one.min, one.max) == (pytest.approx(4 / 5), 0, 2)
    assert [(step.label, step.value, step.count) for step in one.rubric_distribution] == [
        ("poor", 0, 2),
        ("good", 1, 2),
        ("excellent", 2, 1),
    ]
    assert one.mode_category == "good"  # of equals the first in the alphabet


def test_values_of_a_rubric_stand_for_their_labels(declared):
    one = declared["steps"]
    assert (one.score_type, one.count, one.nan_count, one.out_of_range) == ("rubric", 7, 1, 2)
    assert one.mean == pytest.approx(np.mean([0, 1, 2, 1.5, 7, 2, 2]))
    assert {step.label: step.count for step in one.rubric_distribution} == {"poor": 1, "good": 1, "excellent": 3}
    assert one.mode_category == "excellent"


def test_a_rubric_without_values_has_no_mean_and_keeps_its_order(declared):
    one = declared["words"]
    assert (one.count, one.mean, one.sum, one.out_of_range) == (6, None, None, 1)
    assert [(step.label, step.count) for step in one.rubric_distribution] == [("yes", 3), ("no", 3)]
    assert one.mode_category == "no"


def test_labels_of_an_undeclared_metric_are_a_rubric_in_alphabetical_order_without_a_mean(declared):
    one = declared["free"]
    assert (one.score_type, one.count, one.rows_unscored, one.mean, one.out_of_range) == ("rubric", 6, 2, None, 0)
    assert [(step.label, step.value, step.count) for step in one.rubric_distribution] == [
        ("a", None, 2),
        ("b", None, 2),
        ("c", None, 1),
        ("d", None, 1),
    ]
    assert one.mode_category == "a"


@pytest.mark.parametrize(
    ("metric", "passed", "evaluated"),
    [("latency", 3, 5), ("f1", 4, 6), ("ok", 5, 7), ("verdict", 4, 6), ("quality", None, None), ("free", None, None)],
)
def test_pass_and_fail_come_from_booleans_thresholds_and_verdicts(declared, metric, passed, evaluated):
    assert (declared[metric].passed, declared[metric].evaluated) == (passed, evaluated)


def test_a_threshold_is_met_from_below_where_lower_is_better(store):
    job = logged(
        store,
        [{"scores": {"m": value}} for value in (1.9, 2.0, 2.1)],
        metrics={"m": {"threshold": 2, "higher_is_better": False}},
    )
    assert store.sql("SELECT passed FROM row_scores WHERE job = $job ORDER BY value", job=job)["passed"].to_list() == [
        True, True, False,
    ]  # fmt: skip


def test_a_declaration_of_the_job_goes_before_one_of_the_store(tmp_path):
    with evalstore.open(tmp_path / "evals") as store:
        store.metrics.declare("m", minimum=0, maximum=10, threshold=8)
        store.metrics.declare("free", minimum=0, maximum=1)
        for name in ("first", "second", "third"):
            with store.job(name, metrics={"m": {"minimum": 1, "maximum": 5, "threshold": 4}}) as job:
                job.log(item={"q": 1}, scores={"m": 7, "free": 2})
                job.log(item={"q": 2}, scores={"m": 4, "free": 1})
            found = {one.metric: one for one in store.aggregate_scores(name).scores}
            assert (found["m"].out_of_range, found["m"].passed, found["free"].out_of_range) == (1, 2, 1)


def test_a_declaration_of_a_name_goes_before_one_of_its_metric(store):
    metrics = {"rouge": [{"minimum": 0, "maximum": 1}, {"name": "rouge_L", "minimum": 0, "maximum": 100}]}
    rows = [{"scores": {"rouge": [{"name": "rouge_1", "value": 50}, {"name": "rouge_L", "value": 50}]}}]
    found = aggregates(store, rows, metrics=metrics)
    assert {name: one.out_of_range for (_, name), one in found.items()} == {"rouge_1": 1, "rouge_L": 0}


# Slices


@pytest.fixture(scope="module")
def sliced(store):
    """A job of rows with something to slice by, and those rows."""
    random = np.random.default_rng(7)
    rows = []
    for number in range(60):
        kind = random.choice(["number", "NaN", "score error", "row error", "lacking"], p=[0.7, 0.1, 0.1, 0.05, 0.05])
        scores = {"m": float(random.normal()), "ok": bool(random.random() < 0.5)} if kind == "number" else None
        row = {} if kind == "number" else KINDS[str(kind)][0]
        rows.append(
            {
                **row,
                "item": {
                    "n": number,
                    "subject": str(random.choice(["algebra", "it's", 'ge"o'])),
                    "level": {"of": number % 2},
                },
                "metadata": {"category": str(random.choice(["a", "b"]))} if number % 5 else {},
                "cluster": str(random.choice(["x", "y", "z"])) if number % 7 else None,
                "tags": [["hard"], ["hard", "new"], []][number % 3],
                "scores": scores or row.get("scores"),
            }
        )
    return logged(store, rows), rows


SLICES: dict[str, Callable[[dict[str, Any]], str | None]] = {
    "metadata.category": lambda row: row["metadata"].get("category"),
    "item.subject": lambda row: row["item"]["subject"],
    "item.level.of": lambda row: str(row["item"]["level"]["of"]),
    "cluster": lambda row: row["cluster"],
    "tags": lambda row: ", ".join(row["tags"]) or None,
    "suite": lambda row: "default",
    "metadata.nowhere": lambda row: None,
}
SUMS = ("count", "nan_count", "inf_count", "out_of_range", "rows_scored", "rows_unscored", "rows_error", "rows_total")


@pytest.mark.parametrize("by", SLICES)
def test_slices_sum_up_to_the_whole(store, sliced, by):
    job, rows = sliced
    whole = {one.metric: one for one in store.aggregate_scores(job).scores}
    parts = defaultdict(list)
    for one in store.aggregate_scores(job, by=by).scores:
        parts[one.metric].append(one)
    assert parts.keys() == whole.keys()
    for metric, slices in parts.items():
        for field in SUMS:
            assert sum(getattr(one, field) for one in slices) == getattr(whole[metric], field), field
        assert sum(one.sum or 0 for one in slices) == pytest.approx(whole[metric].sum)
        assert sum(one.passed or 0 for one in slices) == (whole[metric].passed or 0)
        wanted = Counter(SLICES[by](row) for row in rows)
        assert {one.slice or None: one.rows_total for one in slices} == wanted
    for one in parts["m"]:
        values = [
            row["scores"]["m"]
            for row in rows
            if SLICES[by](row) == (one.slice or None) and isinstance((row["scores"] or {}).get("m"), float)
        ]
        finite = [value for value in values if math.isfinite(value)]
        assert one.mean == (pytest.approx(np.mean(finite)) if finite else None)


def test_slices_obey_the_policy_for_errors(store, sliced):
    job, _ = sliced
    slices = store.aggregate_scores(job, by="metadata.category", metric="m", errors="zero").scores
    whole = store.aggregate_scores(job, metric="m", errors="zero").scores[0]
    assert sum(one.count for one in slices) == whole.count == whole.rows_scored + whole.rows_error
    assert sum(one.sum for one in slices) == pytest.approx(whole.sum)


@pytest.mark.parametrize("by", ["category", "metadata", "m", "nonsense.path", ""])
def test_a_slice_that_does_not_exist_is_refused(store, sliced, by):
    with pytest.raises(UnknownField, match="cannot be sliced by"):
        store.aggregate_scores(sliced[0], by=by)


# The overall score

OVERALL: dict[str, dict[str, Any]] = {
    "ok": {},
    "closeness": {"minimum": 0, "maximum": 1},
    "toxicity": {"minimum": 0, "maximum": 1, "higher_is_better": False},
    "length": {"threshold": 100, "higher_is_better": False},
    "bleu": {"minimum": 0, "maximum": 100},
    "perplexity": {},
}


@pytest.fixture(scope="module")
def overall(store):
    """A job whose suite `all` has every kind of metric, `one` a single scaled one, `none` none, `empty` none at all."""
    declarations = {metric: fields for metric, fields in OVERALL.items() if fields}
    values: dict[str, list[Any]] = {
        "ok": [True, True, True, False],
        "closeness": [0.5, 0.7, None, 0.9],
        "toxicity": [0.1, 0.3, NAN, 0.2],
        "length": [90, 100, 110, 120],
        "bleu": [20, 30, 40, 50],
        "perplexity": [1.5, 2.5, 3.5, 4.5],
    }
    rows = [
        {"suite": "all", "scores": {metric: given[place] for metric, given in values.items()}} for place in range(4)
    ]
    rows += [{"suite": "one", "scores": {"ok": ok, "bleu": 1}} for ok in (True, False, None)]
    rows += [{"suite": "none", "scores": {"bleu": 10, "label": "fine"}}, {"suite": "none", "scores": {"bleu": 20}}]
    rows += [{"suite": "empty"}]
    job = logged(store, rows, metrics=declarations)
    return store.show(job), {suite["name"]: suite for suite in store.show(job)["suites"]}


def test_the_score_of_a_suite_is_the_mean_over_its_scaled_metrics(overall):
    _, suites = overall
    # ok: 3 of 4; closeness: .7; toxicity: 1 - .2; length: 2 of 4
    assert suites["all"]["overall_score"] == pytest.approx(np.mean([0.75, 0.7, 0.8, 0.5]))
    assert suites["all"]["metrics_unscaled"] == 2
    assert suites["one"]["overall_score"] == 0.5
    assert suites["one"]["metrics_unscaled"] == 1


def test_a_suite_without_a_scaled_metric_has_no_score(overall):
    _, suites = overall
    assert (suites["none"]["overall_score"], suites["none"]["metrics_unscaled"]) == (None, 2)
    assert (suites["empty"]["overall_score"], suites["empty"]["metrics_unscaled"]) == (None, 0)
    assert suites["empty"]["metrics"] == []


def test_the_score_of_a_job_is_the_mean_over_its_suites(overall):
    job, suites = overall
    assert job["overall_score"] == pytest.approx(np.mean([suites["all"]["overall_score"], 0.5]))
    assert job["metrics_unscaled"] == 5
    assert (job["total_suites"], job["total_metrics"], job["total_events"]) == (4, 7, 10)


def test_the_pass_rate_is_pooled(overall):
    job, suites = overall
    assert (job["total_passed"], job["total_evaluated"]) == (3 + 2 + 1, 4 + 4 + 2)
    assert job["pass_rate"] == pytest.approx(6 / 10)
    assert suites["all"]["pass_rate"] == pytest.approx(5 / 8)
    assert suites["none"]["pass_rate"] is None


def test_the_metrics_of_a_suite_say_whether_they_are_scaled(overall):
    _, suites = overall
    metrics = {one["metric"]: one for one in suites["all"]["metrics"]}
    assert {name: one["is_scaled"] for name, one in metrics.items()} == {
        name: name not in ("bleu", "perplexity") for name in OVERALL
    }
    assert metrics["bleu"]["score"] == 35
    assert (metrics["length"]["passed"], metrics["length"]["evaluated"], metrics["length"]["total"]) == (2, 4, 4)
    assert metrics["closeness"]["rows_unscored"] == 1


def test_a_job_without_a_scaled_metric_has_no_overall_score(store):
    job = store.show(logged(store, [{"scores": {"bleu": 10}}]))
    assert (job["overall_score"], job["pass_rate"], job["metrics_unscaled"]) == (None, None, 1)


def test_rows_of_a_job_are_scored_or_in_error_or_neither(store):
    rows = [
        {"scores": {"m": 1, "n": None}},
        {"scores": {"m": {"error": "no"}, "n": 1}},
        {"scores": {"m": {"error": "no"}}},
        {"error": "timeout"},
        {"scores": {"m": NAN}},
        {},
    ]
    shown = store.show(logged(store, rows))
    assert [shown[field] for field in ("rows_total", "rows_scored", "rows_error", "rows_unscored")] == [6, 2, 2, 2]


def test_totals_add_up_what_rows_used_and_leave_unknown_what_is_not_known(store):
    used = [{"latency": s, "cost": s / 10, "prompt_tokens": 10, "completion_tokens": 2} for s in (1.0, 2.0, 4.0)]
    shown = store.show(logged(store, [*used, {"error": "timeout"}]))
    assert (shown["prompt_tokens"], shown["completion_tokens"], shown["total_tokens"]) == (30, 6, 36)
    assert shown["cost"] == pytest.approx(0.7)
    some = store.show(logged(store, [*used, {}]))  # a sum over some rows is no total
    assert [some[field] for field in ("prompt_tokens", "completion_tokens", "total_tokens", "cost")] == [None] * 4
    assert shown["latency_mean"] == some["latency_mean"] == pytest.approx(7 / 3)
    assert (some["latency_p50"], some["latency_p95"]) == (2.0, pytest.approx(np.percentile([1, 2, 4], 95)))
    unknown = store.show(logged(store, [{}]))
    fields = ("prompt_tokens", "total_tokens", "cost", "latency_mean", "latency_p50", "latency_p95")
    assert [unknown[field] for field in fields] == [None] * 6


def test_an_error_that_counts_has_not_passed_whatever_decides_who_passes(store):
    metrics = {"graded": {"minimum": 0, "maximum": 5, "threshold": 4}}
    judge_down = {"error": "judge down"}
    with store.job("policies", metrics=metrics) as job:
        job.log(item=1, scores={"graded": 5, "flag": True, "told": {"value": 0.5, "passed": True}})
        job.log(item=2, error="no answer")
        job.log(item=3, scores={"graded": judge_down, "flag": judge_down, "told": judge_down})
    for errors in ("zero", "worst"):
        found = store.aggregate_scores("policies", errors=errors).scores
        assert [(one.name, one.passed, one.evaluated) for one in found] == [
            ("flag", 1, 3),
            ("graded", 1, 3),
            ("told", 1, 3),
        ]
    assert {(one.passed, one.evaluated) for one in store.aggregate_scores("policies").scores} == {(1, 1)}
