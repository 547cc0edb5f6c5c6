"""Statistics that SQL cannot do, over the few numbers that it gives: quantiles, tests, intervals, power.

Formulas: Student's t on paired differences, and its cluster-robust form with G - 1 degrees of freedom (Miller, "Adding
Error Bars to Evals", arXiv 2411.00640); McNemar's exact test; Wilson's score interval and Newcombe's for paired
proportions ("Improved confidence intervals for the difference between binomial proportions based on paired data",
Statistics in Medicine 17, 1998, method 10); Holm; Benjamini and Hochberg.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from importlib import import_module
from itertools import accumulate
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = [
    "Correction",
    "Interval",
    "Pairs",
    "adjusted",
    "interval",
    "load",
    "minimal_detectable_effect",
    "p_mcnemar",
    "p_noninferior",
    "p_permutation",
    "p_value",
    "rows_needed",
    "t_quantile",
    "wilson",
]

Correction = Literal["holm", "bh", "none"]

FEW_ROWS = 200  # up to here, and with few discordant pairs, the normal approximation is too narrow for pass and fail
FEW_DISCORDANT = 50
POWER = 0.8
ENUMERATED = 14  # as many signs are tried out in all their combinations
FLIPS, FEWER_FLIPS = 9_999, 999  # random sign flips; fewer where there are many different sizes
MANY_SIZES = 20_000
_MANY_DISCORDANT = 5_000  # from here on McNemar's test finds what t finds
_LARGE = 1_000  # degrees of freedom from which on t is normal for the power of a test


@dataclass(frozen=True)
class Pairs:
    """The differences (candidate - baseline) of the rows that two jobs share, in one metric.

    `units` are what is independent: clusters, or rows where there are none; `unit_squares` is the sum of the squares of
    their residuals. `scale` is the greatest difference that there can be, None where nobody knows. `up` and `down`
    count the rows whose value rose and fell; `baseline_ones` the rows of pass/fail that passed in the baseline, None
    where values are other than 0 and 1, repeated or clustered.
    """

    n: int
    difference: float
    std_dev: float | None
    units: int
    unit_squares: float
    up: int
    down: int
    baseline_ones: int | None = None
    scale: float | None = None
    is_clustered: bool = False

    @property
    def std_error(self) -> float | None:
        """The standard error of the mean difference: sqrt(squares * G / (G - 1)) / n."""
        if self.units < 2:  # noqa: PLR2004
            return None
        return math.sqrt(self.unit_squares * self.units / (self.units - 1)) / self.n


@dataclass(frozen=True)
class Interval:
    """From where to where a difference lies, and how that was found."""

    low: float
    high: float
    method: str


def load() -> None:
    """Begins to load scipy beside other work: it takes as long as a question to DuckDB, which needs no Python."""
    threading.Thread(target=import_module, args=("scipy.special",), name="evalstore-scipy").start()


def interval(pairs: Pairs, confidence: float) -> Interval | None:
    """The interval of the mean difference; None where fewer than two units, or no spread, say nothing.

    Where all differences are equal, the rule of three: a share of rows that never showed in n is below
    1 - (alpha / 2) ** (1 / n), and none differs by more than the scale.
    """
    error = pairs.std_error
    if error is None:
        return None
    if pairs.unit_squares == 0:
        if not pairs.scale:
            return None
        reach = pairs.scale * (1 - ((1 - confidence) / 2) ** (1 / pairs.units))
        return Interval(pairs.difference - reach, pairs.difference + reach, "rule of three")
    if pairs.baseline_ones is not None and (pairs.n < FEW_ROWS or pairs.up + pairs.down < FEW_DISCORDANT):
        return Interval(*newcombe(pairs.n, pairs.baseline_ones, pairs.up, pairs.down, confidence), "Newcombe")
    reach = t_quantile(pairs.units - 1, confidence) * error
    return Interval(pairs.difference - reach, pairs.difference + reach, "clustered t" if pairs.is_clustered else "t")


def t_quantile(freedom: int, confidence: float) -> float:
    """How many standard errors an interval of Student's t reaches to either side."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, (1 + confidence) / 2))


def wilson(passed: int, n: int, confidence: float) -> tuple[float, float] | None:
    """Wilson's score interval of a proportion; None of no rows."""
    if n == 0:
        return None
    from scipy.special import ndtri

    z = float(ndtri((1 + confidence) / 2))
    share = passed / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    reach = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return (0.0 if passed == 0 else centre - reach), (1.0 if passed == n else centre + reach)


def newcombe(n: int, baseline_ones: int, up: int, down: int, confidence: float) -> tuple[float, float]:
    """Newcombe's interval (method 10) of the difference of two proportions of the same rows, candidate - baseline."""
    candidate_ones = baseline_ones + up - down
    first, second = candidate_ones / n, baseline_ones / n
    low_1, high_1 = wilson(candidate_ones, n, confidence) or (0.0, 1.0)
    low_2, high_2 = wilson(baseline_ones, n, confidence) or (0.0, 1.0)
    both = baseline_ones - down
    neither = n - both - up - down
    product: float = both * neither - up * down
    if product > 0:
        product = max(product - n / 2, 0)
    margins = candidate_ones * (n - candidate_ones) * baseline_ones * (n - baseline_ones)
    phi = product / math.sqrt(margins) if margins else 0.0
    below = _joined(first - low_1, high_2 - second, phi)
    above = _joined(high_1 - first, second - low_2, phi)
    return first - second - below, first - second + above


def _joined(one: float, other: float, phi: float) -> float:
    return math.sqrt(max(one * one - 2 * phi * one * other + other * other, 0.0))


def p_value(pairs: Pairs) -> tuple[float | None, str]:
    """(two-sided p value, name of the test) of no difference: exact McNemar where that fits, else paired t."""
    if pairs.baseline_ones is not None:
        return (p_mcnemar(pairs.up, pairs.down) if pairs.n else None), "exact McNemar"
    name = "clustered t" if pairs.is_clustered else "paired t"
    error = pairs.std_error
    if error is None:
        return None, name
    if error == 0:  # all differ by the same: only that none differs at all says something
        return (1.0 if pairs.difference == 0 else None), name
    from scipy.special import stdtr

    return 2 * float(stdtr(pairs.units - 1, -abs(pairs.difference / error))), name


def p_mcnemar(up: int, down: int) -> float:
    """McNemar's exact test: the binomial test of the discordant rows, two-sided."""
    if up + down == 0:
        return 1.0
    from scipy.special import bdtr

    return min(1.0, 2 * float(bdtr(min(up, down), up + down, 0.5)))


def p_permutation(sizes: Sequence[float], units: Sequence[int], total: float, *, seed: int = 0) -> float | None:
    """The sign-flip permutation test, two-sided: how often random signs give a sum as far from 0 as `total`.

    `units[i]` units have a difference of absolute size `sizes[i]`, none of them 0. All combinations of up to 14 signs,
    else 9,999 random ones (999 over more than 20,000 sizes) and the one that is.
    """
    count = sum(units)
    if count == 0:
        return 1.0
    import numpy as np

    # A little less than the total, so that equal sums that were added in another order count as equal.
    limit = abs(total) * (1 - 1e-12)
    if count <= ENUMERATED:
        values = np.repeat(np.asarray(sizes, dtype=float), units)
        signs = 1 - 2 * ((np.arange(2**count)[:, None] >> np.arange(count)) & 1)
        return float(np.mean(np.abs(signs @ values) >= limit))
    random = np.random.default_rng(seed)
    flips = FLIPS if len(sizes) <= MANY_SIZES else FEWER_FLIPS
    sums = np.zeros(flips)
    for size, some in zip(sizes, units, strict=True):  # how many of the equal ones are turned is binomial
        sums += size * (2.0 * random.binomial(some, 0.5, flips) - some)
    return float((np.count_nonzero(np.abs(sums) >= limit) + 1) / (flips + 1))


def p_noninferior(pairs: Pairs, margin: float, *, higher_is_better: bool) -> float | None:
    """The one-sided p value of "worse by the margin or more": the least alpha whose interval lies above -margin."""
    sign = 1 if higher_is_better else -1
    if (found := interval(pairs, 0.5)) is None:
        return None

    def distance(confidence: float, *, towards_worse: bool) -> float:
        """How far the end of the interval lies above -margin."""
        ends = interval(pairs, confidence) or found
        end = (ends.low if towards_worse else ends.high) if sign > 0 else -(ends.high if towards_worse else ends.low)
        return end + margin

    if sign * pairs.difference + margin > 0:
        return (1 - _root(lambda confidence: distance(confidence, towards_worse=True))) / 2
    return 1 - (1 - _root(lambda confidence: -distance(confidence, towards_worse=False))) / 2


def _root(falling: Callable[[float], float]) -> float:
    """Where between 0 and 1 a falling function passes 0: the greatest confidence that still says it."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if falling(middle) > 0 else (low, middle)
    return low


def adjusted(p_values: Sequence[float | None], correction: Correction) -> list[float | None]:
    """P values, adjusted for there being several: by Holm (family-wise) or Benjamini and Hochberg (false discovery)."""
    told = sorted((p, place) for place, p in enumerate(p_values) if p is not None)
    count = len(told)
    if correction == "holm":
        steps = accumulate(((count - rank) * p for rank, (p, _) in enumerate(told)), max)
        changed = [min(1.0, step) for step in steps]
    elif correction == "bh":
        rising = ((p * count / (rank + 1)) for rank, (p, _) in reversed(list(enumerate(told))))
        changed = [min(1.0, step) for step in accumulate(rising, min)][::-1]
    else:
        changed = [p for p, _ in told]
    found: list[float | None] = [None] * len(p_values)
    for (_, place), p in zip(told, changed, strict=True):
        found[place] = p
    return found


def minimal_detectable_effect(pairs: Pairs, confidence: float, power: float = POWER) -> float | None:
    """The least true difference that a test of this many rows, of this spread, finds with this power.

    For pass/fail that of McNemar's exact test, which finds a little less than t where few rows are discordant.
    """
    error = pairs.std_error
    if not error:
        return None
    if pairs.baseline_ones is not None and pairs.up + pairs.down <= _MANY_DISCORDANT:
        return _detectable_by_mcnemar(pairs, confidence, power)
    freedom = pairs.units - 1
    from scipy.special import nctdtr, ndtri

    if freedom >= _LARGE:
        return float(ndtri((1 + confidence) / 2) + ndtri(power)) * error
    critical = t_quantile(freedom, confidence)

    def found(shift: float) -> float:
        return 1 - float(nctdtr(freedom, shift, critical)) + float(nctdtr(freedom, shift, -critical))

    low, high = 0.0, 1.0
    while found(high) < power:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if found(middle) >= power else (middle, high)
    return high * error


def _detectable_by_mcnemar(pairs: Pairs, confidence: float, power: float) -> float | None:
    """The same for McNemar's exact test, at the share of discordant rows that is, or the difference if that is more.

    Summed over how many rows are discordant: how likely so many are, and how likely the test then tells.
    """
    import numpy as np
    from scipy.special import bdtr, bdtrik, gammaln, xlog1py, xlogy

    n = pairs.n

    def found(difference: float) -> float:
        share = max((pairs.up + pairs.down) / n, difference)
        spread = 6 * math.sqrt(n * share * (1 - share)) + 1
        counts = np.arange(max(1, math.floor(n * share - spread)), min(n, math.ceil(n * share + spread)) + 1)
        ways = gammaln(n + 1) - gammaln(counts + 1) - gammaln(n - counts + 1)
        likely = np.exp(ways + xlogy(counts, share) + xlog1py(n - counts, -share))
        critical = np.floor(np.nan_to_num(bdtrik((1 - confidence) / 2, counts, 0.5), nan=0.0))
        critical -= bdtr(critical, counts, 0.5) > (1 - confidence) / 2  # it never gives less than 0
        told = np.where(critical < 0, 0.0, bdtr(np.maximum(critical, 0), counts, (1 - difference / share) / 2))
        return float(np.sum(likely * told))

    if found(1.0) < power:
        return None
    low, high = 0.0, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if found(middle) >= power else (middle, high)
    return high


def rows_needed(pairs: Pairs, margin: float, confidence: float, power: float = POWER) -> int | None:
    """About how many rows of this spread show, with this power, that less than the margin is lost, if nothing is."""
    from scipy.special import ndtri

    error = pairs.std_error
    if error is None or margin <= 0:
        return None
    if error == 0:
        if not pairs.scale or margin >= pairs.scale:
            return None
        return math.ceil(math.log((1 - confidence) / 2) / math.log1p(-margin / pairs.scale))
    reach = float(ndtri((1 + confidence) / 2) + ndtri(power)) * error
    return math.ceil(pairs.n * (reach / margin) ** 2)
