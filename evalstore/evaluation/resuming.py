"""Which rows of an experiment that goes on are there already, and what each of them still wants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from evalstore import logged_line
from evalstore.row_parts import evaluator_of, offsets

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from evalstore.evaluation.data import Task

__all__ = ["Earlier", "Known", "wanting"]


class Known(NamedTuple):
    """A row that is there: where its line begins in the journal, its content hash, and whether it is in error."""

    offset: int
    row_hash: str
    failed: bool


class Earlier:
    """The rows that a resumed job starts with, each of which one task may claim."""

    def __init__(self, journal: Path, suite: str) -> None:
        self._rows: dict[str, dict[int, Known]] = {}
        for offset, line in offsets(journal):
            if line["suite"] == suite:
                known = Known(offset, line["row_hash"], line.get("error") is not None)
                self._rows.setdefault(line["row_key"], {})[line["repetition"]] = known
        self._claimed: set[tuple[str, int]] = set()

    def claim(self, task: Task, repetitions: int) -> tuple[int, Known | None]:
        """The repetition under which a task is stored, and the row that is there for it, if there is one.

        A row of the same key with another content is not for this task: it is run anew in its place.
        """
        rows = self._rows.get(task.row_key, {})
        wanted = task.occurrence * repetitions + task.repetition
        free = [number for number in rows if (task.row_key, number) not in self._claimed]
        if free:
            own = logged_line.row_hash(task.example.inputs or {}, getattr(task.example, "outputs", None))
            same = [number for number in free if rows[number].row_hash == own]
            if same:
                number = wanted if wanted in same else min(same)
                self._claimed.add((task.row_key, number))
                return number, rows[number]
        while wanted in rows and (task.row_key, wanted) in self._claimed:
            wanted += 1
        self._claimed.add((task.row_key, wanted))
        return wanted, None


def wanting(line: dict[str, Any], evaluators: Iterable[str]) -> tuple[list[str], list[dict[str, Any]]]:
    """The evaluators that have no score in a line of the journal or failed there, and the scores that stay."""
    own = list(evaluators)
    by: dict[str | None, list[dict[str, Any]]] = {}
    for score in line["scores"]:
        by.setdefault(evaluator_of(score), []).append(score)
    failed = {name for name, scores in by.items() if any(_is_to_be_redone(score) for score in scores)}
    missing = [name for name in own if name not in by or name in failed]
    return missing, [score for name, scores in by.items() if name not in missing for score in scores]


def _is_to_be_redone(score: dict[str, Any]) -> bool:
    return (
        score.get("error") is not None
        or score.get("status") == "error"
        or '"missing":true' in (score.get("extra") or "")
    )
