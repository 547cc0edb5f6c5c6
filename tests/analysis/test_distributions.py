"""What is reckoned without scipy comes to what scipy says."""

import math

import pytest
import scipy.special
from hypothesis import example, given
from hypothesis import strategies as st

from evalstore.analysis import distributions

FREEDOM = st.one_of(st.integers(1, 200), st.floats(0, 7).map(lambda size: int(10**size)))


def exactly(value):
    return pytest.approx(value, rel=1e-11, abs=1e-290)


@given(freedom=FREEDOM, t=st.one_of(st.floats(0, 40), st.floats(-9, 2).map(lambda size: 10**size)))
@example(freedom=1, t=0.0)
@example(freedom=3_999, t=12.0)
@example(freedom=4_000, t=12.0)
def test_the_tail_of_students_t_is_that_of_scipy(freedom, t):
    found = distributions.t_tail(t, freedom)
    assert found == exactly(scipy.special.betaincc(0.5, freedom / 2, t * t / (freedom + t * t)) / 2)
    if t > 0.01:  # stdtr(1, -1e-8) is wrong in the ninth digit
        assert found == pytest.approx(scipy.special.stdtr(freedom, -t), rel=1e-10, abs=1e-290)


@given(freedom=FREEDOM, above=st.one_of(st.floats(1e-3, 0.5), st.floats(-12, -0.5).map(lambda size: 10**size)))
@example(freedom=1, above=1e-12)
@example(freedom=99_999, above=0.025)
@example(freedom=100_000, above=0.025)
def test_quantiles_of_students_t_are_those_of_scipy(freedom, above):
    wanted = scipy.special.stdtrit(freedom, 1 - above)
    assert distributions.t_quantile(1 - above, freedom) == pytest.approx(wanted, rel=1e-12, abs=1e-12)


def test_all_of_a_distribution_reaches_for_ever():
    assert distributions.t_quantile(1.0, 7) == distributions.normal_quantile(1.0) == math.inf
    assert distributions.t_quantile(0.5, 7) == 0.0
    assert distributions.t_tail(0.0, 7) == 0.5


def test_an_endless_t_has_no_tail():
    assert 0 <= distributions.t_tail(1e300, 2) < 1e-290
    assert distributions.t_tail(1e200, 1) == exactly(1 / math.pi / 1e200)


@given(st.floats(1e-12, 1, exclude_max=True))
def test_quantiles_of_the_normal_distribution_are_those_of_scipy(share):
    assert distributions.normal_quantile(share) == pytest.approx(scipy.special.ndtri(share), rel=1e-12, abs=1e-15)


@given(st.data())
def test_fair_coins_are_those_of_scipy(data):
    tosses = data.draw(st.integers(0, 12_000))
    most = data.draw(st.integers(0, tosses))
    wanted = scipy.special.bdtr(most, tosses, 0.5)
    assert distributions.half_binomial(most, tosses) == pytest.approx(wanted, rel=1e-9, abs=1e-300)


def test_few_tosses_are_exact():
    assert distributions.half_binomial(0, 0) == 1.0
    assert [distributions.half_binomial(heads, 4) for heads in range(5)] == [1 / 16, 5 / 16, 11 / 16, 15 / 16, 1.0]
    assert distributions.half_binomial(4_999, 9_999) == 0.5


@pytest.mark.timeout(10)
def test_what_is_no_number_has_no_tail_and_ends():
    assert math.isnan(distributions.t_tail(math.nan, 5))
