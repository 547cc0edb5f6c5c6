"""What so many rows can tell: the least difference that a test finds, and how many rows a margin takes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from evalstore.analysis.distributions import normal_quantile
from evalstore.analysis.statistics import t_quantile

if TYPE_CHECKING:
    from evalstore.analysis.statistics import Pairs

__all__ = ["minimal_detectable_effect", "rows_needed"]

POWER = 0.8
_MANY_DISCORDANT = 5_000  # from here on McNemar's test finds what t finds
_LARGE = 1_000  # degrees of freedom from which on t is normal for the power of a test


def minimal_detectable_effect(pairs: Pairs, confidence: float, power: float = POWER) -> float | None:
    """The least true difference that a test of this many rows, of this spread, finds with this power.

    For pass/fail that of McNemar's exact test, which finds a little less than t where few rows are discordant.
    """
    error = pairs.std_error
    if not error or not math.isfinite(error):
        return None
    if pairs.baseline_ones is not None and pairs.up + pairs.down <= _MANY_DISCORDANT:
        return _detectable_by_mcnemar(pairs, confidence, power)
    freedom = pairs.units - 1
    if freedom >= _LARGE:
        return (normal_quantile((1 + confidence) / 2) + normal_quantile(power)) * error
    from scipy.special import nctdtr

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
    error = pairs.std_error
    if error is None or not math.isfinite(error) or margin <= 0:
        return None
    if error == 0:
        if not pairs.scale or margin >= pairs.scale:
            return None
        return math.ceil(math.log((1 - confidence) / 2) / math.log1p(-margin / pairs.scale))
    reach = (normal_quantile((1 + confidence) / 2) + normal_quantile(power)) * error
    return math.ceil(pairs.n * (reach / margin) ** 2)
