"""The axes of a chart: from where to where they go, and round ticks with short labels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime

__all__ = ["Axis", "numbers", "runs", "times"]

_DAY = 86_400
_STEPS = (60, 300, 900, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600, _DAY, 2 * _DAY, 7 * _DAY, 14 * _DAY)  # seconds
_MONTHS = (1, 2, 3, 6, 12, 24, 60, 120)
_MOST = 8  # ticks across


@dataclass(frozen=True)
class Axis:
    """An axis from `low` to `high`, its ticks with their labels, and what it measures."""

    low: float
    high: float
    ticks: list[tuple[float, str]]
    unit: str = ""

    def share(self, value: float) -> float:
        """How far along a value lies: 0 at the low end, 1 at the high one."""
        return (value - self.low) / (self.high - self.low)


def numbers(low: float, high: float, *, most: int, within: tuple[float, float] | None = None) -> Axis:
    """An axis of numbers that begins and ends with a tick; not beyond `within`."""
    if low == high:
        room = abs(low) * 0.1 or 0.1
        low, high = low - room, high + room
    step = _round_step((high - low) / most)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    if within is not None:
        first, last = max(first, math.ceil(within[0] / step)), min(last, math.floor(within[1] / step + 1e-9))
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    plain = digits <= 6 and abs(last * step) < 1e7  # noqa: PLR2004  # what still reads well in full
    ticks = [(n * step, f"{n * step:,.{digits}f}" if plain else f"{n * step:.3g}") for n in range(first, last + 1)]
    return Axis(min(low, ticks[0][0]), max(high, ticks[-1][0]), ticks)


def runs(low: float, high: float) -> Axis:
    """An axis of the numbers of jobs in their series."""
    step = max(1, math.ceil(_round_step((high - low) / _MOST))) if high > low else 1
    ticks = [(float(n), f"{n}") for n in range(math.ceil(low), math.floor(high) + 1) if (n - 1) % step == 0]
    low, high = _with_room(low, high, 1)
    return Axis(low, high, ticks, "number of the job in its series")


def times(low: float, high: float) -> Axis:
    """An axis of time (seconds since 1970), with ticks at whole minutes, hours, days or months of UTC."""
    span = high - low
    inner_low, inner_high = _with_room(low, high, _DAY / 2)
    step = next((step for step in _STEPS if span / step <= _MOST), None)
    if span == 0:
        return Axis(inner_low, inner_high, [(low, _day(low))], "time (UTC)")
    if step is None:
        return Axis(inner_low, inner_high, _months(low, high), "time (UTC)")
    first, last = math.ceil(low / step), math.floor(high / step)
    ticks = [(float(n * step), _day(n * step) if step >= _DAY else _hour(n * step)) for n in range(first, last + 1)]
    return Axis(inner_low, inner_high, ticks or [(low, _day(low))], "time (UTC)")


def _months(low: float, high: float) -> list[tuple[float, str]]:
    begin, end = _moment(low), _moment(high)
    first, last = begin.year * 12 + begin.month - 1, end.year * 12 + end.month - 1
    step = next((step for step in _MONTHS if (last - first) / step <= _MOST), _MONTHS[-1])
    months = (month for month in range(first, last + 1) if month % step == 0)
    starts = (datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC) for month in months)
    return [(start.timestamp(), f"{start:%Y-%m}") for start in starts if low <= start.timestamp() <= high]


def _with_room(low: float, high: float, least: float) -> tuple[float, float]:
    """A little more on both sides, so that no mark is cut."""
    room = (high - low) * 0.02 or least
    return low - room, high + room


def _round_step(rough: float) -> float:
    """The least of 1, 2, 5 times a power of ten that is not smaller."""
    power: float = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _day(seconds: float) -> str:
    return f"{_moment(seconds):%Y-%m-%d}"


def _hour(seconds: float) -> str:
    moment = _moment(seconds)
    return _day(seconds)[5:] if moment.hour == moment.minute == 0 else f"{moment:%H:%M}"
