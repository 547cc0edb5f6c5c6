"""The scores of a whole job: appended to a file in staging while the job runs, and part of its document afterwards.

`summary.jsonl` holds one line per call of `log_summary()`: `{"attempt": 0, "scores": [...]}`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from evalstore import json_text, score_values
from evalstore.journal import Journal

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["SummaryScores"]

FILE = "summary.jsonl"


class SummaryScores:
    """The summary scores of a job in staging. A metric that a later attempt scores replaces what was said of it."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE
        self._journal: Journal | None = None
        self._attempt = 1 + max((line["attempt"] for line in self._lines()), default=-1)
        self.has_new = False

    def log(self, scores: dict[str, Any]) -> int:
        """Appends scores as `Job.log` takes them, durably; how many lone surrogates were replaced in them.

        Raises: InvalidScore, OSError; then nothing was logged.
        """
        written, replaced = score_values.normalise(scores)
        for score in written:
            _judge(score)
        replaced += self._append({"attempt": self._attempt, "scores": written})
        self.has_new = True
        return replaced

    def keep(self, scores: list[dict[str, Any]]) -> None:
        """Takes over those of the committed job that goes on here."""
        if scores:
            self._append({"attempt": self._attempt, "scores": scores})
            self._attempt += 1

    def all(self) -> list[dict[str, Any]]:
        """Those that stand, in the order in which they were logged."""
        standing: dict[str, tuple[int, list[dict[str, Any]]]] = {}
        for line in self._lines():
            for score in line["scores"]:
                attempt, kept = standing.get(score["metric"], (line["attempt"], []))
                kept = kept if attempt == line["attempt"] else []
                standing[score["metric"]] = line["attempt"], [*kept, score]
        return score_values.numbered([score for _, kept in standing.values() for score in kept])

    def close(self) -> None:
        """Makes them durable."""
        if self._journal is not None:
            self._journal.close()
            self._journal = None

    def _append(self, line: dict[str, Any]) -> int:
        text, replaced = json_text.dumps(line)
        if self._journal is None:
            self._journal = Journal(self._file)
        self._journal.append(text.encode() + b"\n")
        return replaced

    def _lines(self) -> list[dict[str, Any]]:
        """All whole lines."""
        if not self._file.exists():
            return []
        data = self._file.read_bytes()
        return [json_text.loads(line) for line in data[: data.rfind(b"\n") + 1].splitlines() if line]


def _judge(score: dict[str, Any]) -> None:
    """Sets `status`, and `passed` of a boolean, as the commit does for the scores of rows."""
    value = score.get("value")
    score.setdefault("name", score["metric"])
    if score.get("error") is not None:
        score["status"] = "error"
    elif "status" not in score:
        is_number = isinstance(value, (int, float)) and math.isfinite(value)
        score["status"] = "scored" if is_number or (value is None and score.get("label")) else "unscored"
    if score.get("value_type") == "bool":
        score.setdefault("passed", value == 1)
