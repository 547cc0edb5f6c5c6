"""The interval of the mean of one job, and how many rows would bring its end to a bound."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

from evalstore.analysis import statistics

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["MeanBounds", "mean_bounds"]

NO_SPREAD = 1e-12  # as a share of the mean: what is left of rounding


@dataclass(frozen=True)
class MeanBounds:
    """From where to where a mean lies; without ends, `problem` says why nothing is known.

    `method` is "Wilson" for rows that plainly pass or fail, "rule of three" where all units (clusters, or items) are
    alike, else "t".
    """

    mean: float
    rows: int
    units: int
    confidence: float
    low: float | None = None
    high: float | None = None
    method: str | None = None
    scale: tuple[float, float] | None = None
    problem: str | None = None
    is_constant: bool = False

    def rows_needed(self, bound: float) -> int | None:
        """About how many rows of this mean and spread bring the end that is nearer to a bound up to it.

        Wilson's end stands where (mean - end)^2 = z^2 end (1 - end) / n; those of t come nearer by the root of n.
        """
        away = abs(self.mean - bound)
        if self.low is None or self.high is None or not away:
            return None
        if self.method == "Wilson":
            z = NormalDist().inv_cdf((1 + self.confidence) / 2)
            return math.ceil(z * z * bound * (1 - bound) / away**2) if 0 <= bound <= 1 else None
        far = self.low if bound < self.mean else self.high
        if self.method == "t" or self.scale is None:
            return math.ceil(self.rows * ((self.mean - far) / away) ** 2)
        reach = abs(self.mean - self.scale[0 if bound < self.mean else 1])
        if away >= reach:
            return None
        units = math.log((1 - self.confidence) / 2) / math.log1p(-away / reach)
        return math.ceil(units * self.rows / self.units)


def mean_bounds(line: Mapping[str, Any], confidence: float) -> MeanBounds | None:
    """The interval of the mean of a metric, of a line as gate_metrics.sql gives it; None without a mean.

    Where all units are alike a spread that was not seen is not zero: as in a comparison the rule of three says how
    large a share could be otherwise, as far as the declared bounds.
    """
    n, mean = line["items_scored"], line["mean"]
    if mean is None:
        return None
    is_share = line["lowest"] >= 0 and line["highest"] <= 1 and math.isclose(
        line["variance"] or 0, mean * (1 - mean), abs_tol=1e-12
    )  # fmt: skip
    units = line["clusters"] or n
    told: dict[str, Any] = {"mean": mean, "rows": n, "units": units, "confidence": confidence}
    if is_share and line["clusters"] in (None, n) and n == line["rows_counted"]:
        low, high = statistics.wilson(round(mean * n), n, confidence) or (None, None)
        return MeanBounds(**told, low=low, high=high, method="Wilson")
    if units < 2 or line["std_error"] is None:  # noqa: PLR2004
        what = "cluster" if line["clusters"] else "row"
        return MeanBounds(**told, problem=f"one {what} tells no interval of the mean, at least two are needed")
    if line["std_error"] > NO_SPREAD * max(abs(mean), abs(line["highest"] - line["lowest"])):
        reach = statistics.t_quantile(units - 1, confidence) * line["std_error"]
        return MeanBounds(**told, low=mean - reach, high=mean + reach, method="t")
    scale = (0.0, 1.0) if is_share else (line["minimum"], line["maximum"])
    if scale[0] is None or scale[1] is None or not scale[0] <= mean <= scale[1]:
        problem = "all are alike, and nothing says how far they can be apart: declare the metric's minimum and maximum"
        return MeanBounds(**told, problem=problem, is_constant=True)
    share = 1 - ((1 - confidence) / 2) ** (1 / units)
    low, high = mean - share * (mean - scale[0]), mean + share * (scale[1] - mean)
    return MeanBounds(**told, low=low, high=high, method="rule of three", scale=scale)
