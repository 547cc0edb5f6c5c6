"""Whether a difference is more than noise: tests over the few numbers that SQL gives, and corrections for many of them.

Student's t on paired differences, by rows or by clusters; McNemar's exact test; sign flips; non-inferiority; Holm;
Benjamini and Hochberg.
"""

from __future__ import annotations

import math
from itertools import accumulate
from typing import TYPE_CHECKING, Literal

from evalstore.analysis.distributions import half_binomial, t_tail
from evalstore.analysis.statistics import interval

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from evalstore.analysis.statistics import Pairs

__all__ = ["Correction", "adjusted", "p_mcnemar", "p_noninferior", "p_permutation", "p_value"]

Correction = Literal["holm", "bh", "none"]

ENUMERATED = 14  # as many signs are tried out in all their combinations
FLIPS, FEWER_FLIPS = 9_999, 999  # random sign flips; fewer where there are many different sizes
MANY_SIZES = 20_000


def p_value(pairs: Pairs) -> tuple[float | None, str]:
    """(two-sided p value, name of the test) of no difference: exact McNemar where that fits, else paired t.

    Where all differ by the same, t has no spread to go by, and all signs being equal is what speaks: 2 / 2 ** units.
    """
    if pairs.baseline_ones is not None:
        return (p_mcnemar(pairs.up, pairs.down) if pairs.n else None), "exact McNemar"
    name = "clustered t" if pairs.is_clustered else "paired t"
    error = pairs.std_error
    if error is None or not math.isfinite(error):
        return None, name
    if error == 0:
        return (1.0, name) if pairs.difference == 0 else (min(1.0, 2 * 0.5**pairs.units), "sign test")
    return 2 * t_tail(abs(pairs.difference / error), pairs.units - 1), name


def p_mcnemar(up: int, down: int) -> float:
    """McNemar's exact test: the binomial test of the discordant rows, two-sided."""
    return min(1.0, 2 * half_binomial(min(up, down), up + down))


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
    limit = abs(total) - 1e-12 * sum(size * some for size, some in zip(sizes, units, strict=True))
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
