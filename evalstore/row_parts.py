"""Rows that become durable in parts: what a row is when its target has returned, then the scores of each evaluator.

`parts.jsonl` lies beside the journal of a job in staging. Its lines are

    {"begin": {"total": 300, "evaluators": [{"evaluator": "judge", "metrics": ["judge"]}, ...]}}
    {"row": {"position": 7, ...}}                                      a line of the journal, without scores to come
    {"position": 7, "evaluator": "judge", "scores": [...], "requests": [...]}    what one evaluator has said of it

A row that is complete stands in the journal as one line, under the same position. The others are put there by whoever
finishes the job or goes on with it, with what there is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from evalstore import json_text, score_values
from evalstore.errors import RowNotWritten
from evalstore.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["FILE", "OpenRow", "RowParts", "evaluator_of", "fold", "missing_scores", "offsets", "read_lines"]

FILE = "parts.jsonl"
MISSING = "the run ended before this evaluator did"


class RowParts:
    """The parts of the rows of one job. Safe from several threads."""

    def __init__(self, folder: Path) -> None:
        self._file = Journal(folder / FILE)
        self._open: dict[int, OpenRow] = {}
        self.expected: list[dict[str, Any]] = []

    def begin(self, *, total: int | None, evaluators: list[dict[str, Any]]) -> None:
        """Says how many rows are to come, where that is known, and which evaluators score each, under which metrics."""
        self.expected = evaluators
        self._file.append(_bytes({"begin": {"total": total, "evaluators": evaluators}}) + b"\n")

    def open(self, line: dict[str, Any], data: bytes, *, is_alone: bool) -> OpenRow:
        """Makes a row durable whose scores are to come; with `is_alone` none are, and it needs no part of its own."""
        kept = line.pop("scores", [])
        row = OpenRow(self, line, data, kept)
        if not is_alone:
            self._file.append(b'{"row":' + row.with_scores(kept)[:-1] + b"}\n")
        self._open[line["position"]] = row
        return row

    def append_scores(self, position: int, evaluator: str, data: bytes, requests: list[Any]) -> None:
        """Makes the scores of one evaluator durable, and the raw calls that it made."""
        tail = b',"requests":%b}\n' % json_text.given("requests", requests)[0].encode() if requests else b"}\n"
        line = b'{"position":%d,"evaluator":%b,"scores":[%b]%b' % (position, _bytes(evaluator), data, tail)
        try:
            self._file.append(line)
        except OSError as error:  # never to be taken for an error of the evaluator
            raise RowNotWritten(f"{self._file.path}: {error.strerror}") from error

    def forget(self, row: OpenRow) -> None:
        """A row is complete."""
        self._open.pop(row.line["position"], None)

    def incomplete(self) -> list[bytes]:
        """The lines of the journal for the rows that are still open, with what there is."""
        return [row.whole(missing_scores(self.expected, row.evaluators)) for row in list(self._open.values())]

    def close(self) -> None:
        """Makes everything durable."""
        self._file.close()


class OpenRow:
    """A row whose target has returned: it takes the scores of evaluators, one evaluator after the other."""

    __slots__ = ("_data", "_parts", "_texts", "evaluators", "line", "replaced", "scores")

    def __init__(self, parts: RowParts, line: dict[str, Any], data: bytes, kept: list[dict[str, Any]]) -> None:
        self._parts, self.line, self._data, self.replaced = parts, line, data, 0
        self.scores: list[dict[str, Any]] = list(kept)
        self._texts: list[bytes] = [_inner(kept)] if kept else []
        self.evaluators = {name for score in kept if (name := evaluator_of(score))}

    def add(
        self,
        evaluator: str,
        scores: list[dict[str, Any]],
        *,
        requests: list[Any] | None = None,
        replaced: int = 0,
        is_last: bool = False,
    ) -> None:
        """Takes what an evaluator has said, as `score_values.normalise` writes it, and its raw calls.

        `replaced` is the number of lone surrogates that were replaced. The last one becomes durable with the whole row.

        Raises: UsageError, RowNotWritten; then nothing was taken.
        """
        data = _inner(scores)
        line = _with_requests(self.line, requests) if requests else self.line
        if not is_last:
            self._parts.append_scores(self.line["position"], evaluator, data, requests or [])
        if line is not self.line:
            self.line, self._data = line, _bytes(line) + b"\n"
        self.scores += scores
        self.evaluators.add(evaluator)
        self.replaced += replaced
        if data:
            self._texts.append(data)

    def whole(self, more: list[dict[str, Any]]) -> bytes:
        """The row as one line of the journal, with some more scores."""
        self.scores = score_values.numbered([*self.scores, *more])
        if more or any(score["score_index"] for score in self.scores):  # numbered anew
            return self.with_scores(self.scores)
        return self._data[:-2] + b',"scores":[' + b",".join(self._texts) + b"]}\n"

    def with_scores(self, scores: list[dict[str, Any]]) -> bytes:
        """The line of the journal with these scores."""
        return self._data[:-2] + b',"scores":[' + _inner(scores) + b"]}\n"


def fold(folder: Path, journal: Journal) -> int:
    """Puts the rows that a dead writer has left in parts into its journal; their number. Nothing is done twice.

    Raises: OSError; then it can be done again.
    """
    path = folder / FILE
    if not path.exists():
        return 0
    rows: dict[int, dict[str, Any]] = {}
    returned: dict[int, set[str]] = {}
    expected: list[dict[str, Any]] = []
    complete = {line["position"] for line in read_lines(journal.path)}
    for line in read_lines(path):
        if "begin" in line:
            expected = line["begin"]["evaluators"]
        elif "row" in line:
            position = line["row"]["position"]
            if position not in complete:
                rows[position] = line["row"]
                returned[position] = {name for score in line["row"]["scores"] if (name := evaluator_of(score))}
        elif line["position"] in rows:
            rows[line["position"]]["scores"] += line["scores"]
            rows[line["position"]] = _with_requests(rows[line["position"]], line.get("requests"))
            returned[line["position"]].add(line["evaluator"])
    for position, row in rows.items():
        row["scores"] = score_values.numbered([*row["scores"], *missing_scores(expected, returned[position])])
        journal.append(_bytes(row) + b"\n")
    return len(rows)


def _with_requests(line: dict[str, Any], more: list[Any] | None) -> dict[str, Any]:
    """A line of the journal with some more raw calls."""
    if not more:
        return line
    before = json_text.loads(line["requests"]) if line.get("requests") else []
    requests = [*(before if isinstance(before, list) else [before]), *more]
    return {**line, "requests": json_text.given("requests", requests)[0]}


def missing_scores(expected: list[dict[str, Any]], returned: set[str]) -> list[dict[str, Any]]:
    """For each evaluator that has not returned a score that says so: `unscored`, and never a number."""
    return [
        {
            "metric": metric,
            "score_index": 0,
            "value_type": "null",
            "status": "unscored",
            "comment": MISSING,
            "evaluator_info": json_text.dumps({"evaluator": one["evaluator"]})[0],
            "extra": '{"missing":true}',
        }
        for one in expected
        if one["evaluator"] not in returned
        for metric in one["metrics"]
    ]


def evaluator_of(score: dict[str, Any]) -> str | None:
    """The evaluator that a written score comes from, where that was said."""
    info = score.get("evaluator_info")
    found = json_text.loads(info).get("evaluator") if info and info.startswith("{") else None
    return found if isinstance(found, str) else None


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """The whole lines of a file of parts, or of a journal."""
    for _, line in offsets(path):
        yield line


def offsets(path: Path, start: int = 0) -> Iterator[tuple[int, dict[str, Any]]]:
    """The same from an offset on, each with the offset at which it begins."""
    with path.open("rb") as file:
        file.seek(start)
        for line in file:
            if line.endswith(b"\n"):
                yield start, orjson.loads(line)
            start += len(line)


def _inner(scores: list[dict[str, Any]]) -> bytes:
    return _bytes(scores)[1:-1]


def _bytes(value: Any) -> bytes:
    try:
        return orjson.dumps(value)
    except (TypeError, ValueError):  # lone surrogates
        return json_text.dumps(value)[0].encode()
