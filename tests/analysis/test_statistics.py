"""Each statistic against scipy or statsmodels, or against what it must come to."""

import math
from statistics import NormalDist

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from evalstore.analysis import power, significance, statistics
from evalstore.analysis.statistics import Pairs

RANDOM = np.random.default_rng(7)
CONTINUOUS = (RANDOM.normal(0.6, 0.2, 80), RANDOM.normal(0.63, 0.2, 80))
ONES = (RANDOM.random(400) < 0.6, RANDOM.random(400) < 0.7)


def pairs(before, after, clusters=None, *, scale=None):
    """What SQL says of the pairs of two lists."""
    before, after = np.asarray(before, float), np.asarray(after, float)
    difference = after - before
    n = len(difference)
    residuals = difference - difference.mean()
    sums = residuals if clusters is None else np.array([residuals[clusters == one].sum() for one in set(clusters)])
    is_plain = clusters is None and bool(np.isin([before, after], [0, 1]).all())
    return Pairs(
        n=n,
        difference=float(difference.mean()),
        std_dev=float(difference.std(ddof=1)) if n > 1 else None,
        units=len(sums),
        unit_squares=float((sums**2).sum()),
        up=int((difference > 0).sum()),
        down=int((difference < 0).sum()),
        baseline_ones=int(before.sum()) if is_plain else None,
        scale=scale,
        is_clustered=clusters is not None,
    )


def test_paired_t_is_that_of_scipy():
    found = pairs(*CONTINUOUS)
    wanted = scipy.stats.ttest_rel(CONTINUOUS[1], CONTINUOUS[0])
    p, name = significance.p_value(found)
    assert name == "paired t"
    assert p == pytest.approx(float(wanted.pvalue), rel=1e-12)
    for confidence in (0.8, 0.95, 0.99):
        ends = wanted.confidence_interval(confidence)
        interval = statistics.interval(found, confidence)
        assert interval is not None
        assert (interval.low, interval.high) == pytest.approx((ends.low, ends.high), rel=1e-10)
        assert interval.method == "t"


def test_clustered_errors_are_those_of_statsmodels():
    regression = pytest.importorskip("statsmodels.api")
    clusters = RANDOM.integers(0, 12, 80)
    found = pairs(*CONTINUOUS, clusters)
    fitted = regression.OLS(CONTINUOUS[1] - CONTINUOUS[0], np.ones(80)).fit(
        cov_type="cluster", cov_kwds={"groups": clusters}, use_t=True
    )
    assert found.std_error == pytest.approx(fitted.bse[0], rel=1e-10)
    p, name = significance.p_value(found)
    assert name == "clustered t"
    assert p == pytest.approx(fitted.pvalues[0], rel=1e-8)
    interval = statistics.interval(found, 0.95)
    assert interval is not None
    assert (interval.low, interval.high) == pytest.approx(tuple(fitted.conf_int()[0]), rel=1e-8)


def test_rows_that_are_their_own_clusters_are_no_clusters():
    plain, clustered = pairs(*CONTINUOUS), pairs(*CONTINUOUS, np.arange(80))
    assert clustered.std_error == pytest.approx(plain.std_error, rel=1e-12)


@given(up=st.integers(0, 300), down=st.integers(0, 300))
def test_mcnemar_is_the_binomial_test_of_scipy(up, down):
    wanted = scipy.stats.binomtest(up, up + down, 0.5).pvalue if up + down else 1.0
    assert significance.p_mcnemar(up, down) == pytest.approx(wanted, rel=1e-9)


def test_pass_and_fail_is_tested_by_mcnemar():
    found = pairs(*ONES)
    assert significance.p_value(found) == (significance.p_mcnemar(found.up, found.down), "exact McNemar")


@given(n=st.integers(1, 3000), share=st.floats(0, 1), confidence=st.floats(0.5, 0.999))
def test_wilson_is_that_of_scipy(n, share, confidence):
    passed = round(n * share)
    wanted = scipy.stats.binomtest(passed, n).proportion_ci(confidence, method="wilson")
    found = statistics.wilson(passed, n, confidence)
    assert found is not None
    assert found == pytest.approx((wanted.low, wanted.high), abs=1e-9)


def test_wilson_of_nothing_is_nothing():
    assert statistics.wilson(0, 0, 0.95) is None


def test_newcombe_on_a_worked_example():
    # Altman et al., Statistics with Confidence (2000), table 6.2: 14 and 22 agree, 5 against 0; from 0.011 to 0.226.
    low, high = statistics.newcombe(41, 14, 5, 0, 0.95)
    assert (round(low, 3), round(high, 3)) == (0.011, 0.226)
    # Bentur et al. 2009, as in Fagerland et al., Statistics in Medicine 33 (2014): 1, 1, 7, 12; from -0.507 to -0.026.
    low, high = statistics.newcombe(21, 8, 1, 7, 0.95)
    assert (round(low, 3), round(high, 3)) == (-0.507, -0.026)


@given(st.data())
def test_newcombe_turns_round_with_its_table(data):
    both, up, down, neither = (data.draw(st.integers(0, 60)) for _ in range(4))
    n = both + up + down + neither
    if n == 0:
        return
    low, high = statistics.newcombe(n, both + down, up, down, 0.95)
    other_low, other_high = statistics.newcombe(n, both + up, down, up, 0.95)
    assert (low, high) == pytest.approx((-other_high, -other_low), abs=1e-12)
    assert low <= (up - down) / n <= high
    assert low < high


def test_small_samples_of_pass_and_fail_use_newcombe():
    assert statistics.interval(pairs([1, 1, 0, 1], [1, 0, 0, 1]), 0.95) == statistics.Interval(
        *statistics.newcombe(4, 3, 0, 1, 0.95), "Newcombe"
    )
    large = statistics.interval(pairs(*ONES), 0.95)
    assert large is not None
    assert large.method == "t"


def test_where_nothing_differs_the_rule_of_three_speaks():
    same = pairs([1] * 300, [1] * 300, scale=1.0)
    found = statistics.interval(same, 0.95)
    assert found is not None
    assert found.method == "rule of three"
    # The greatest share of rows that would still go unseen in 300 with 2.5 %.
    assert (1 - found.high) ** 300 == pytest.approx(0.025)
    assert statistics.interval(pairs([0.3] * 300, [0.3] * 300), 0.95) is None  # nobody knows how far values can lie
    assert significance.p_value(same)[0] == 1.0


@pytest.mark.parametrize("difference", [-1.0, -0.5, 0.0, 0.25, 1.0])
@pytest.mark.parametrize("n", [2, 30])
def test_the_rule_of_three_reaches_as_far_as_rows_can_differ(difference, n):
    found = statistics.interval(Pairs(n, difference, 0.0, n, 0.0, 0, 0, scale=1.0), 0.95)
    assert found is not None
    # With so many of the rows that were not seen at either end, n alike are seen in 2.5 % of cases.
    share = scipy.stats.beta.ppf(0.975, 1, n)
    assert (found.low, found.high) == pytest.approx(
        (difference * (1 - share) - share, difference * (1 - share) + share)
    )
    assert -1 <= found.low <= difference <= found.high <= 1


@pytest.mark.parametrize("n", [2, 7])
def test_differences_that_are_all_alike_are_tested_by_their_signs(n):
    wanted = scipy.stats.permutation_test((np.full(n, -0.5),), np.sum, permutation_type="samples", n_resamples=np.inf)
    p, name = significance.p_value(Pairs(n, -0.5, 0.0, n, 0.0, 0, n, scale=1.0))
    assert p == pytest.approx(float(wanted.pvalue))
    assert name == "sign test"


def test_one_row_tells_nothing():
    alone = pairs([0.2], [0.4])
    assert statistics.interval(alone, 0.95) is None
    assert significance.p_value(alone) == (None, "paired t")
    assert power.minimal_detectable_effect(alone, 0.95) is None


@pytest.mark.parametrize("size", [3, 8, 12])
def test_all_sign_flips_are_those_of_scipy(size):
    difference = RANDOM.normal(0.3, 1, size).round(1)
    wanted = scipy.stats.permutation_test((difference,), np.sum, permutation_type="samples", n_resamples=np.inf).pvalue
    sizes, counts = np.unique(np.abs(difference[difference != 0]), return_counts=True)
    found = significance.p_permutation(list(sizes), list(map(int, counts)), float(difference.sum()))
    assert found == pytest.approx(wanted)


def test_random_sign_flips_come_near_to_it():
    difference = CONTINUOUS[1] - CONTINUOUS[0]
    found = significance.p_permutation(list(np.abs(difference)), [1] * 80, float(difference.sum()))
    assert found == pytest.approx(significance.p_value(pairs(*CONTINUOUS))[0], abs=0.02)
    again = significance.p_permutation(list(np.abs(difference)), [1] * 80, float(difference.sum()))
    assert again == found  # the same question, the same answer
    # Of pass and fail it is McNemar's test.
    ones = pairs(*ONES)
    p = significance.p_permutation([1.0], [ones.up + ones.down], ones.up - ones.down)
    assert p == pytest.approx(significance.p_mcnemar(ones.up, ones.down), abs=0.01)
    assert significance.p_permutation([], [], 0.0) == 1.0


@pytest.mark.parametrize(("correction", "method"), [("holm", "holm"), ("bh", "fdr_bh")])
def test_corrections_are_those_of_statsmodels(correction, method):
    multitest = pytest.importorskip("statsmodels.stats.multitest")
    for count in (1, 2, 7, 30):
        p_values = list(RANDOM.random(count) ** 2)
        wanted = multitest.multipletests(p_values, method=method)[1]
        found = significance.adjusted([p_values[0], None, *p_values[1:]], correction)
        assert found[1] is None
        assert [found[0], *found[2:]] == pytest.approx(list(wanted))


def test_without_a_correction_p_values_stay():
    assert significance.adjusted([0.4, None, 0.01], "none") == [0.4, None, 0.01]


def test_what_can_be_detected_is_what_statsmodels_says():
    of_statsmodels = pytest.importorskip("statsmodels.stats.power")
    for n in (5, 40, 80):
        found = pairs(CONTINUOUS[0][:n], CONTINUOUS[1][:n])
        effect = of_statsmodels.TTestPower().solve_power(nobs=n, alpha=0.05, power=0.8)
        assert found.std_dev is not None
        assert power.minimal_detectable_effect(found, 0.95) == pytest.approx(effect * found.std_dev, rel=1e-6)


def test_what_can_be_detected_goes_over_into_the_normal_one():
    near = Pairs(1000, 0.0, 1.0, 1000, 999.0, 0, 0)
    far = Pairs(1002, 0.0, 1.0, 1002, 1001.0, 0, 0)
    one, other = (power.minimal_detectable_effect(each, 0.95) for each in (near, far))
    assert one is not None
    assert one == pytest.approx(other, rel=0.01)


def test_what_mcnemar_can_detect_is_found_in_80_of_100_cases():
    found = Pairs(300, 0.0, 0.4, 300, 48.0, 24, 24, 200)
    effect = power.minimal_detectable_effect(found, 0.95)
    assert effect is not None
    share = 48 / 300
    counts = np.arange(301)
    critical = np.array(
        [max((c for c in range(k + 1) if 2 * scipy.stats.binom.cdf(c, k, 0.5) <= 0.05), default=-1) for k in counts]
    )
    told = scipy.stats.binom.cdf(critical, counts, (1 - effect / share) / 2)
    assert float(np.sum(scipy.stats.binom.pmf(counts, 300, share) * told)) == pytest.approx(0.8, abs=1e-4)
    assert power.minimal_detectable_effect(Pairs(4, 0.0, 0.5, 4, 1.0, 1, 1, 2), 0.95) is None  # four rows find nothing


def test_three_percent_with_the_variance_of_the_literature_take_969_rows():
    # Miller, arXiv 2411.00640, section 5: a variance of 1/9, a difference of 3 %, 80 % power: 969 questions.
    n = 5000
    found = power.rows_needed(Pairs(n, 0.0, 1 / 3, n, (n - 1) / 9, 0, 0), 0.03, 0.95)
    assert found == 969


def test_rows_that_were_needed_would_have_told():
    few = Pairs(100, 0.0, 0.4, 100, 99 * 0.16, 10, 10)
    needed = power.rows_needed(few, 0.02, 0.95)
    assert needed is not None
    more = Pairs(needed, 0.0, 0.4, needed, (needed - 1) * 0.16, 10, 10)
    assert more.std_error is not None
    # With that many rows the interval ends before the margin in 80 of 100 cases.
    reach = NormalDist().inv_cdf(0.975) * more.std_error
    assert NormalDist().cdf((0.02 - reach) / more.std_error) == pytest.approx(0.8, abs=0.005)


@given(
    difference=st.floats(-0.2, 0.2),
    deviation=st.floats(0.05, 0.5),
    n=st.integers(3, 2000),
    margin=st.floats(0.001, 0.2),
)
def test_noninferiority_agrees_with_its_interval_and_with_t(difference, deviation, n, margin):
    found = Pairs(n, difference, deviation, n, (n - 1) * deviation**2, 0, 0)
    p = significance.p_noninferior(found, margin, higher_is_better=True)
    wanted = scipy.stats.t.sf((difference + margin) / (deviation / math.sqrt(n)), n - 1)
    assert p == pytest.approx(wanted, abs=1e-6)
    interval = statistics.interval(found, 0.95)
    assert interval is not None
    if abs(interval.low + margin) > 1e-9:
        assert p is not None
        assert (interval.low > -margin) == (p < 0.025)
    turned = Pairs(n, -difference, deviation, n, (n - 1) * deviation**2, 0, 0)
    assert significance.p_noninferior(turned, margin, higher_is_better=False) == pytest.approx(p, abs=1e-9)
