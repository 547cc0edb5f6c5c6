"""Quantiles and tails of the distributions that a gate needs, without scipy, which takes longer to load than to judge.

Formulas: NIST Digital Library of Mathematical Functions, 8.17 (the incomplete beta function and its continued fraction,
8.17.22), 5.11.13 (the ratio of gamma functions); Abramowitz and Stegun, 26.7.1 (Student's t), 26.7.5 (its quantiles);
Hill, "Algorithm 395: Student's t-distribution", Communications of the ACM 13, 1970.
"""

from __future__ import annotations

import math
from statistics import NormalDist

__all__ = ["half_binomial", "normal_quantile", "t_quantile", "t_tail"]

_EXACT = 10_000  # tosses; the sums of more of them are left to scipy
_MANY = 4_000  # degrees of freedom from which on the series of the normal deviate is exact, and the fraction is not
_VERY_MANY = 100_000  # from here on the series of the quantile is exact
_LARGE = 15.0  # from here on the series of the ratio of gamma functions is exact
_CLOSE = 1e-15  # to one: the next factor of a fraction that changes nothing any more
_MOST_TERMS = 1_000  # of a fraction, which below `_MANY` degrees of freedom has come to its end long before
_FAR = 1e8  # standard deviations whose squares are all that counts


def normal_quantile(share: float) -> float:
    """Below how many standard deviations this share of a normal distribution lies."""
    return math.inf if share == 1 else NormalDist().inv_cdf(share)


def t_tail(t: float, freedom: int) -> float:
    """How likely Student's t is above t, which is not negative: half of I_x(v / 2, 1 / 2) at x = v / (v + t^2).

    Of many degrees of freedom v it is the tail beyond the normal deviate that Hill's series gives.
    """
    ratio = t / math.sqrt(freedom)
    if freedom >= _MANY:
        return math.erfc(_normal_deviate(ratio, freedom) / math.sqrt(2)) / 2
    reach = math.hypot(1.0, ratio)
    x, rest = (1.0 / reach) ** 2, (ratio / reach) ** 2
    half = freedom / 2
    scale = _power(t, freedom) * (ratio / reach) * _gamma_ratio(half) * math.sqrt(half / math.pi)
    if x < (half + 1) / (half + 2.5):
        return scale / half * _fraction(half, 0.5, x) / 2
    return 0.5 - scale * _fraction(0.5, half, rest)


def t_quantile(share: float, freedom: int) -> float:
    """Below which t this share, half or more, of Student's distribution lies.

    By Newton's method: the tail is convex, so from the normal quantile, which lies before it, it only rises.
    """
    z, above = normal_quantile(share), 1 - share
    if z <= 0 or math.isinf(z):
        return max(z, 0.0)
    if freedom >= _VERY_MANY:
        first, second = (z**3 + z) / 4, (5 * z**5 + 16 * z**3 + 3 * z) / 96
        third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
        return z + first / freedom + second / freedom**2 + third / freedom**3
    t, step = z, math.inf
    while step > t * 1e-14:
        reach = math.hypot(1.0, t / math.sqrt(freedom))
        density = _gamma_ratio(freedom / 2) * _power(t, freedom) / reach / math.sqrt(2 * math.pi)
        step = (t_tail(t, freedom) - above) / density
        t += step
    return t


def half_binomial(most: int, tosses: int) -> float:
    """How likely a fair coin shows heads `most` times or fewer: exact, in whole numbers, up to 10,000 tosses."""
    if tosses > _EXACT:
        from scipy.special import bdtr

        return float(bdtr(most, tosses, 0.5))
    ways = every = 1
    for heads in range(most):
        ways = ways * (tosses - heads) // (heads + 1)
        every += ways
    return every / (1 << tosses)


def _power(t: float, freedom: int) -> float:
    """(1 + t^2 / v) ^ (-v / 2)."""
    ratio = t / math.sqrt(freedom)
    return math.exp(-freedom / 2 * (math.log1p(ratio * ratio) if ratio < _FAR else 2 * math.log(ratio)))


def _normal_deviate(ratio: float, freedom: int) -> float:
    """As many standard deviations as t is unlikely; `ratio` is t / sqrt(v)."""
    a = freedom - 0.5
    b = 48 * a * a
    z = math.sqrt(a * math.log1p(ratio * ratio))
    first, second = z**3 + 3 * z, (4 * z**7 + 33 * z**5 + 240 * z**3 + 855 * z) / 10
    third = (64 * z**11 + 788 * z**9 + 9801 * z**7 + 89775 * z**5 + 543375 * z**3 + 1788885 * z) / 210
    return z + first / b - second / b**2 + third / b**3


def _gamma_ratio(z: float) -> float:
    """The gamma function at z + 1/2, divided by that at z and by the root of z."""
    if z < _LARGE:
        return math.gamma(z + 0.5) / math.gamma(z) / math.sqrt(z)
    return math.exp(-1 / (8 * z) + 1 / (192 * z**3) - 1 / (640 * z**5) + 17 / (14336 * z**7) - 31 / (18432 * z**9))


def _fraction(a: float, b: float, x: float) -> float:
    """The continued fraction of the incomplete beta function, by Lentz's method, where it converges quickly."""
    front, back = 1.0, 1 / (1 - (a + b) * x / (a + 1))
    found = back
    for m in range(1, _MOST_TERMS):
        place = a + 2 * m
        for term in (m * (b - m) * x / ((place - 1) * place), -(a + m) * (a + b + m) * x / (place * (place + 1))):
            front, back = 1 + term / front, 1 / (1 + term * back)
            found *= front * back
        if abs(front * back - 1) < _CLOSE:
            break
    return found
