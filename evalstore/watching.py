"""How far a job is that somebody else is writing, told from its files in staging; nobody is disturbed.

Each look reads only what has come to the journal since the one before.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

from evalstore.durable_files import read_document
from evalstore.row_parts import FILE, offsets
from evalstore.running_means import RunningMeans
from evalstore.staging import is_committed, is_dead

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["JobProgress", "Watcher"]


@dataclass(frozen=True, slots=True)
class JobProgress:
    """How far a job is: rows done of `rows_total` (None where nobody knows), those that failed, and means so far.

    `means` and `evaluator_errors` are by metric, or by `metric/name`; a mean is that of the numbers so far, None where
    there is none. `status` is `active` while its writer lives, `interrupted` when it died, else that of the job.
    `rate` is in rows a second, `seconds_left` an estimate.
    """

    job: str
    status: str
    rows: int
    rows_total: int | None
    rows_failed: int
    means: dict[str, float | None]
    evaluator_errors: dict[str, int]
    seconds: float | None
    rate: float | None
    seconds_left: float | None

    def to_dict(self) -> dict[str, Any]:
        """The fields, for JSON."""
        return {field: getattr(self, field) for field in self.__slots__}


class Watcher:
    """Looks at a job in staging again and again."""

    def __init__(self, root: Path, workspace: str, name: str) -> None:
        self._root, self._name = root, name
        self._folder = root / "staging" / workspace / name
        self._start_over(None)

    def look(self) -> JobProgress | None:
        """How far the job is now; None when it is not in staging, or committed."""
        head = read_document(self._folder / "head.json")
        if head is None or is_committed(self._root, head):
            return None
        status = "interrupted" if is_dead(self._folder) else "active"
        try:
            journal = (self._folder / "journal.jsonl").stat()
            if (head["job_id"], journal.st_ino) != self._seen or journal.st_size < self._offset:
                self._start_over((head["job_id"], journal.st_ino))
            self._read()
        except FileNotFoundError:  # it was committed, or is just being made
            return None
        return self._progress(head, status)

    def _start_over(self, seen: tuple[str, int] | None) -> None:
        self._seen, self._offset = seen, 0
        self._total: int | None = None
        self._means = RunningMeans()
        self._rows = self._failed = 0
        self._numbered: dict[tuple[str, str, int], tuple[bool, list[dict[str, Any]]]] = {}
        self._first: tuple[float, int] | None = None

    def _read(self) -> None:
        with (self._folder / "journal.jsonl").open("rb") as file:
            file.seek(self._offset)
            for line in file:
                if line.endswith(b"\n"):
                    self._offset += len(line)
                    self._take(orjson.loads(line))
        if self._total is None:
            self._total = self._told_total()
        if self._first is None:
            self._first = time.monotonic(), self._rows

    def _take(self, line: dict[str, Any]) -> None:
        failed = line.get("error") is not None
        if line.get("repetition") is not None:  # such a row may be logged again
            key = line["suite"], line["row_key"], line["repetition"]
            if key in self._numbered:
                before, scores = self._numbered[key]
                self._rows -= 1
                self._failed -= before
                self._means.take_out(scores)
            self._numbered[key] = failed, line["scores"]
        self._rows += 1
        self._failed += failed
        self._means.add(line["scores"])

    def _told_total(self) -> int | None:
        """How many rows the writer said that there will be."""
        try:
            for _, line in offsets(self._folder / FILE):
                total = line.get("begin", {}).get("total")
                return total if isinstance(total, int) else None
        except FileNotFoundError:
            return None
        return None

    def _progress(self, head: dict[str, Any], status: str) -> JobProgress:
        began = datetime.fromisoformat(head.get("writing_since") or head["created_at"])
        seconds = max(0.0, (datetime.now(UTC) - began).total_seconds())
        rate = self._rate(seconds, is_new=not (head.get("elapsed") or head.get("resumes")))
        is_going_on = status == "active" and rate and self._total is not None
        left = (self._total - self._rows) / rate if is_going_on else None  # type: ignore[operator]
        return JobProgress(
            self._name,
            status,
            self._rows,
            self._total,
            self._failed,
            self._means.means(),
            {key: count for key, count in self._means.errors.items() if count},
            seconds,
            rate,
            None if left is None else max(0.0, left),
        )

    def _rate(self, seconds: float, *, is_new: bool) -> float | None:
        """Rows a second: of the whole run, or, of one that goes on with rows of old, since the first look."""
        if is_new:
            return self._rows / seconds if seconds else None
        then, rows = self._first or (time.monotonic(), self._rows)
        passed = time.monotonic() - then
        return (self._rows - rows) / passed if passed else None
