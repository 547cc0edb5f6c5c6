"""The pairs of two jobs in numbers, and intervals that SQL cannot give: of their difference, and of a proportion.

Formulas: Student's t on paired differences, and its cluster-robust form with G - 1 degrees of freedom (Miller, "Adding
Error Bars to Evals", arXiv 2411.00640); Wilson's score interval and Newcombe's for paired proportions ("Improved
confidence intervals for the difference between binomial proportions based on paired data", Statistics in Medicine 17,
1998, method 10).
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from importlib import import_module

from evalstore.analysis import distributions

__all__ = ["Interval", "Pairs", "interval", "load", "newcombe", "t_quantile", "wilson"]

FEW_ROWS = 200  # up to here, and with few discordant pairs, the normal approximation is too narrow for pass and fail
FEW_DISCORDANT = 50


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
    1 - (alpha / 2) ** (1 / n), and none differs by more than the scale, up or down. None too where numbers are too
    large for a double.
    """
    error = pairs.std_error
    if error is None or not math.isfinite(error):
        return None
    if pairs.unit_squares == 0:
        if not pairs.scale:
            return None
        share = 1 - ((1 - confidence) / 2) ** (1 / pairs.units)
        below, above = pairs.difference + pairs.scale, pairs.scale - pairs.difference
        return Interval(pairs.difference - share * below, pairs.difference + share * above, "rule of three")
    if pairs.baseline_ones is not None and (pairs.n < FEW_ROWS or pairs.up + pairs.down < FEW_DISCORDANT):
        return Interval(*newcombe(pairs.n, pairs.baseline_ones, pairs.up, pairs.down, confidence), "Newcombe")
    reach = t_quantile(pairs.units - 1, confidence) * error
    return Interval(pairs.difference - reach, pairs.difference + reach, "clustered t" if pairs.is_clustered else "t")


def t_quantile(freedom: int, confidence: float) -> float:
    """How many standard errors an interval of Student's t reaches to either side."""
    return distributions.t_quantile((1 + confidence) / 2, freedom)


def wilson(passed: int, n: int, confidence: float) -> tuple[float, float] | None:
    """Wilson's score interval of a proportion; None of no rows."""
    if n == 0:
        return None
    z = distributions.normal_quantile((1 + confidence) / 2)
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
