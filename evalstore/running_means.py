"""The mean of each metric so far, of a job that is being written."""

from __future__ import annotations

import math
import shutil
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["RunningMeans", "progress_line", "time_left"]


class RunningMeans:
    """Sums and counts per metric and name; what is no finite number, or in error, is counted apart."""

    def __init__(self) -> None:
        self._sums: dict[str, float] = {}
        self.counts: dict[str, int] = {}
        self.errors: dict[str, int] = {}
        self.unscored: dict[str, int] = {}

    def add(self, scores: Iterable[dict[str, Any]]) -> None:
        """Takes the scores of a row, as they are written."""
        for score in scores:
            metric, value = score["metric"], score.get("value")
            name = score.get("name") or metric
            key = metric if name == metric else f"{metric}/{name}"
            self.counts.setdefault(key, 0)
            if score.get("error") is not None or score.get("status") == "error":
                self.errors[key] = self.errors.get(key, 0) + 1
            elif isinstance(value, (int, float)) and math.isfinite(value):
                self._sums[key] = self._sums.get(key, 0.0) + value
                self.counts[key] += 1
            elif score.get("label") is None:
                self.unscored[key] = self.unscored.get(key, 0) + 1

    def take_out(self, scores: Iterable[dict[str, Any]]) -> None:
        """Forgets the scores of a row, in whose place another one has come."""
        opposite = RunningMeans()
        opposite.add(scores)
        for mine, its in (
            (self._sums, opposite._sums),
            (self.counts, opposite.counts),
            (self.errors, opposite.errors),
            (self.unscored, opposite.unscored),
        ):
            for key, number in its.items():
                mine[key] = mine.get(key, 0) - number  # type: ignore[assignment]

    def means(self) -> dict[str, float | None]:
        """The mean of each metric, or of each `metric/name`; None where no number was given yet."""
        return {key: self._sums[key] / count if count else None for key, count in self.counts.items()}


def progress_line(
    name: str,
    done: int,
    total: int | None,
    *,
    failed: int,
    rate: float,
    means: RunningMeans,
    width: int | None = None,
) -> str:
    """One line that fits the terminal: rows done of all, errors, rows a second, time left, means so far."""
    parts = [f"{name}  {done:,}" + ("" if total is None else f"/{total:,}") + " rows"]
    errors = sum(means.errors.values())
    parts += [f"{failed:,} failed"] if failed else []
    parts += [f"{errors:,} evaluator errors"] if errors else []
    if rate:
        parts.append(f"{rate:,.1f}/s")
        if total is not None and done < total:
            parts.append(f"{time_left((total - done) / rate)} left")
    parts += [f"{key} {mean:.4g}" for key, mean in means.means().items() if mean is not None]
    text = "  ".join(parts)
    room = (width or shutil.get_terminal_size().columns) - 1
    return text if len(text) <= room else text[: max(room - 1, 0)] + "…"


def time_left(seconds: float) -> str:
    """Seconds as people say them: 45 s, 3:05 min, 2:10 h."""
    seconds = round(seconds)
    if seconds < 60:  # noqa: PLR2004
        return f"{seconds} s"
    if seconds < 3600:  # noqa: PLR2004
        return f"{seconds // 60}:{seconds % 60:02} min"
    return f"{seconds // 3600}:{seconds % 3600 // 60:02} h"
