"""The general importer: any file of records, with a mapping that says which field is what.

It yields what `job.log(**row)` takes, one dict a record. Nothing is guessed: a path that leads nowhere and a value of
the wrong type are errors that name file, line and field. A null is "not there" everywhere, and never an error.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from evalstore import score_values
from evalstore.errors import BrokenInput, InvalidScore
from evalstore.importers.files import TEXT_KEPT, Record, read_records
from evalstore.importers.paths import FieldPath, MissingFieldError, without

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["RowMapping", "logged_rows"]

_SHOWN = 60  # characters of a wrong value
_KINDS = {bool: "a number", int: "a number", float: "a number", str: "text", dict: "an object", list: "a list"}


@dataclass(frozen=True, slots=True)
class RowMapping:
    """Which field of a record is what: dicts map the name that is kept to the path where the value is found.

    Without `item` the item is the whole record minus the fields that are used elsewhere. Without `row_key` (or where it
    is null) the row is known by the hash of its item.
    """

    item: dict[str, FieldPath] = field(default_factory=dict)
    reference: dict[str, FieldPath] = field(default_factory=dict)
    sample: dict[str, FieldPath] = field(default_factory=dict)
    scores: dict[str, FieldPath] = field(default_factory=dict)
    metadata: dict[str, FieldPath] = field(default_factory=dict)
    row_key: FieldPath | None = None
    suite: str = "default"
    cluster: FieldPath | None = None
    latency: FieldPath | None = None
    cost: FieldPath | None = None
    prompt_tokens: FieldPath | None = None
    completion_tokens: FieldPath | None = None
    error: FieldPath | None = None
    repetition: FieldPath | None = None

    def used(self) -> list[FieldPath]:
        """The paths of everything but the item."""
        named = [*self.reference.values(), *self.sample.values(), *self.scores.values(), *self.metadata.values()]
        single = [self.row_key, self.cluster, self.latency, self.cost, self.prompt_tokens, self.completion_tokens]
        return named + [path for path in (*single, self.error, self.repetition) if path is not None]


def logged_rows(path: Path | str, mapping: RowMapping, *, skip_bad_rows: bool = False) -> Iterator[dict[str, Any]]:
    """Yield the keyword arguments of `job.log()` for each record of the file, in order.

    Keys: item, sample, reference, scores, row_key, suite, cluster, metadata, latency, cost, prompt_tokens,
    completion_tokens, repetition, error. With `skip_bad_rows` a bad record becomes a row in error, with its line and
    the start of its text as item, and so does the place where a file breaks off; a file of which nothing can be read is
    refused all the same.

    Raises:
        BrokenInput: the file cannot be used (see `read_records`) or holds no rows; and, unless they are skipped, a
            record that cannot be read, a path that leads nowhere in it, a value of the wrong type, or a score whose
            type is not that of the rows before: a metric is numbers and booleans, or texts, or objects, or lists.
    """
    rows = _Rows(path, mapping)
    empty = True
    for record in _records(path, to_the_end=skip_bad_rows):
        empty = False
        try:
            row = rows.row(record)
        except BrokenInput as problem:
            if not skip_bad_rows:
                raise
            row = _row_in_error(record, problem, mapping.suite)
        yield row
    if empty:
        raise BrokenInput("holds no rows", file=path)


def _records(path: Path | str, *, to_the_end: bool) -> Iterator[Record]:
    """The records of a file; where it breaks off after some of them, the break is one more, bad record."""
    count = 0
    try:
        for record in read_records(path):
            count += 1
            yield record
    except BrokenInput as problem:
        if not (to_the_end and count):
            raise
        yield Record(problem.line or count + 1, None, problem)


class _Rows:
    """Turns the records of one file into rows, and remembers of which type each score was."""

    def __init__(self, path: Path | str, mapping: RowMapping) -> None:
        self._path, self._mapping, self._used = path, mapping, mapping.used()
        self._kinds: dict[str, tuple[str, int]] = {}

    def row(self, record: Record) -> dict[str, Any]:
        if record.value is None:
            raise record.problem or self._problem("cannot be read", record)
        mapping = self._mapping
        row_key = self._key(record, mapping.row_key)
        row = {
            "item": self._item(record, record.value, has_key=row_key is not None),
            "sample": self._picked(record, mapping.sample),
            "reference": self._picked(record, mapping.reference),
            "row_key": row_key,
            "suite": mapping.suite,
            "cluster": self._key(record, mapping.cluster),
            "metadata": self._picked(record, mapping.metadata),
            "latency": self._amount(record, mapping.latency),
            "cost": self._amount(record, mapping.cost),
            "prompt_tokens": self._count(record, mapping.prompt_tokens),
            "completion_tokens": self._count(record, mapping.completion_tokens),
            "repetition": self._count(record, mapping.repetition),
            "error": self._text(record, mapping.error),
        }
        # Last, so that a row that is bad for another reason does not decide what type a score has.
        row["scores"] = self._scores(record)
        return row

    def _problem(self, text: str, record: Record, path: FieldPath | None = None) -> BrokenInput:
        return BrokenInput(text, file=self._path, line=record.line, field=None if path is None else path.text)

    def _get(self, record: Record, path: FieldPath | None) -> Any:
        if path is None:
            return None
        try:
            return path.get(record.value or {})
        except MissingFieldError as error:
            raise self._problem(str(error), record, path) from None

    def _picked(self, record: Record, paths: dict[str, FieldPath]) -> dict[str, Any] | None:
        return {name: self._get(record, path) for name, path in paths.items()} or None

    def _item(self, record: Record, value: dict[str, Any], *, has_key: bool) -> dict[str, Any]:
        if self._mapping.item:
            return {name: self._get(record, path) for name, path in self._mapping.item.items()}
        item = without(value, self._used)
        if not item and not has_key:
            raise self._problem("no field is left to be the item: name one as item, or one as row key", record)
        return item

    def _scores(self, record: Record) -> dict[str, Any] | None:
        scores = self._picked(record, self._mapping.scores)
        kinds = {name: _KINDS[type(value)] for name, value in (scores or {}).items() if value is not None}
        for name, kind in kinds.items():
            first, line = self._kinds.get(name, (kind, record.line))
            if kind != first:
                text = f"mixed types: the score is {kind}, while on line {line} it is {first}"
                raise self._problem(text, record, self._mapping.scores[name])
        try:
            score_values.normalise(scores)
        except InvalidScore as error:
            raise self._problem(str(error), record) from error
        for name, kind in kinds.items():
            self._kinds.setdefault(name, (kind, record.line))
        return scores

    def _key(self, record: Record, path: FieldPath | None) -> str | None:
        value = self._get(record, path)
        if value is None or (isinstance(value, str) and value):
            return value
        if type(value) is int:
            return str(value)
        raise self._wrong(record, path, value, "text, an integer")

    def _text(self, record: Record, path: FieldPath | None) -> str | None:
        value = self._get(record, path)
        if value is None or isinstance(value, str):
            return value or None
        raise self._wrong(record, path, value, "text")

    def _amount(self, record: Record, path: FieldPath | None) -> int | float | None:
        """A number that is not negative; NaN is what some tools write where there is none."""
        value = self._get(record, path)
        if value is None or (isinstance(value, float) and math.isnan(value)):
            return None
        if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < math.inf:
            return value
        raise self._wrong(record, path, value, "a number from 0 up")

    def _count(self, record: Record, path: FieldPath | None) -> int | None:
        """An integer that is not negative; `212.0` is what some tools write for 212."""
        value = self._amount(record, path)
        if value is None or isinstance(value, int):
            return value
        if value.is_integer():
            return int(value)
        raise self._wrong(record, path, value, "an integer from 0 up")

    def _wrong(self, record: Record, path: FieldPath | None, value: Any, wanted: str) -> BrokenInput:
        return self._problem(f"must be {wanted} or null, not {_shown(value)}", record, path)


def _shown(value: Any) -> str:
    """A value in a message: a scalar as JSON would have it and not longer than a line, else its kind."""
    if isinstance(value, (dict, list)):
        return _KINDS[type(value)]
    shown = json.dumps(value, ensure_ascii=False)
    return shown if len(shown) <= _SHOWN else shown[:_SHOWN] + "..."


def _row_in_error(record: Record, problem: BrokenInput, suite: str) -> dict[str, Any]:
    text = record.text
    if record.value is not None:
        text = json.dumps(record.value, ensure_ascii=False, default=str)[:TEXT_KEPT]
    return {
        "item": {"line": record.line, "text": text},
        "row_key": f"line {record.line}",
        "suite": suite,
        "error": f"BrokenInput: {problem}",
    }
