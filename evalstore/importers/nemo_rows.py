"""Row scores of NeMo Evaluator: one JSON object a line, which becomes what `job.log(**row)` takes."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from evalstore.errors import BrokenInput
from evalstore.importers.files import read_records
from evalstore.nemo_form import KEYS, NUMBERS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Seen", "logged_rows", "scan"]

_LABEL = ".label"
_MOST_ROWS = 2**63
_BLANK = 4096  # bytes; a file of blanks that is larger is none of ours


@dataclass
class Seen:
    """What a file of rows holds: metrics with their names, and the labels of names with the number of each."""

    names: dict[str, list[str]] = field(default_factory=dict)
    labels: dict[tuple[str, str], dict[str, float | None]] = field(default_factory=lambda: defaultdict(dict))


def scan(path: Path) -> Seen:
    """Looks through a file of rows. Raises: BrokenInput."""
    seen = Seen()
    for line, record in _records(path):
        for metric, scores in _scores(path, line, record).items():
            names = seen.names.setdefault(metric, [])
            for score in scores:
                if score["name"] not in names:
                    names.append(score["name"])
                if score.get("label") is not None:
                    values, value = seen.labels[metric, score["name"]], score.get("value")
                    if values.get(score["label"]) is None:
                        values[score["label"]] = value if _is_finite(value) else None
    return seen


def logged_rows(path: Path, seen: Seen) -> Iterator[tuple[int, dict[str, Any]]]:
    """The line and the keyword arguments of `job.log()` for each row.

    What has no place in a row of ours stays in its metadata under the name that it has there: further keys, errors of
    metrics that scored all the same, a `row_index` that is null.

    Raises: BrokenInput, which names file, line and field.
    """
    for line, record in _records(path):
        scores = _scores(path, line, record)
        metadata = {key: value for key, value in record.items() if key not in KEYS}
        if "row_index" in record and record["row_index"] is None:
            metadata["row_index"] = None
        errors = _part(path, line, record, "metric_errors", dict) or {}
        if "" in errors:
            raise BrokenInput("a metric has no name", file=path, line=line, field="metric_errors")
        if unplaced := _place_errors(errors, scores, seen):
            metadata["metric_errors"] = unplaced
        row_index = _part(path, line, record, "row_index", int)
        if row_index is not None and not 0 <= row_index < _MOST_ROWS:
            raise BrokenInput(f"is a whole number from 0 up, not {row_index}", file=path, line=line, field="row_index")
        yield (
            line,
            {
                "item": record["item"],
                "sample": _part(path, line, record, "sample", dict) or None,
                "scores": scores,
                "requests": record.get("requests") or None,
                "row_index": row_index,
                "suite": _part(path, line, record, "suite", str) or "default",
                "error": _part(path, line, record, "error", str),
                "metadata": metadata or None,
            },
        )


def _place_errors(errors: dict[str, Any], scores: dict[str, list[dict[str, Any]]], seen: Seen) -> dict[str, Any]:
    """Puts errors of metrics at the scores that are missing for them; those of metrics that lack none."""
    unplaced = {}
    for metric, error in errors.items():
        given = scores.setdefault(metric, [])
        if not given:
            given += [{"name": name} for name in seen.names.get(metric) or [metric]]
        missing = [score for score in given if score.get("label") is None and not _is_finite(score.get("value"))]
        for score in missing:
            score["error"] = str(error)
        if not missing:
            unplaced[metric] = error
    return unplaced


def _records(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    if _is_empty(path):  # a job without rows is written so
        return
    for record in read_records(path):
        if record.value is None:
            raise record.problem or BrokenInput("cannot be read", file=path, line=record.line)
        if "item" not in record.value and isinstance(told := record.value.get("error"), dict):
            raise BrokenInput(f"the download broke off here: {told.get('message')}", file=path, line=record.line)
        for part in ("item", "metrics"):
            if not isinstance(record.value.get(part), dict):
                raise BrokenInput(
                    "must be an object: this is no row of row scores", file=path, line=record.line, field=part
                )
        yield record.line, record.value


def _part(path: Path, line: int, record: dict[str, Any], part: str, kind: type) -> Any:
    value = record.get(part)
    if value is None or (isinstance(value, kind) and not isinstance(value, bool)):
        return value
    raise BrokenInput(f"must be {kind.__name__} or null, not {value!r:.60}", file=path, line=line, field=part)


def _is_empty(path: Path) -> bool:
    try:
        return path.is_file() and path.stat().st_size < _BLANK and not path.read_bytes().strip()
    except OSError:
        return False  # whoever reads it says what is wrong


def _scores(path: Path, line: int, record: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The scores of a row, a label beside its number."""
    found: dict[str, list[dict[str, Any]]] = {}
    for metric, entries in record["metrics"].items():
        if not metric:
            raise BrokenInput("a metric has no name", file=path, line=line, field="metrics")
        place = f"metrics.{metric}"
        if not isinstance(entries, list) or not all(map(_is_entry, entries)):
            raise BrokenInput("must be a list of {name, value}", file=path, line=line, field=place)
        scores: list[dict[str, Any]] = []
        for entry in entries:
            value = entry.get("value")
            if isinstance(value, (dict, list)):
                problem = f"the value of {entry['name']!r} is no number and no text"
                raise BrokenInput(problem, file=path, line=line, field=place)
            if isinstance(value, int) and _is_too_large(value):
                problem = f"the value of {entry['name']!r} does not fit a double"
                raise BrokenInput(problem, file=path, line=line, field=place)
            _take(scores, entry["name"], value)
        found[metric] = scores
    return found


def _take(scores: list[dict[str, Any]], name: str, value: Any) -> None:
    """Adds an entry to the scores of a metric; a name that comes again is another score of this name."""
    is_label = name.endswith(_LABEL) and name != _LABEL and isinstance(value, str)
    name = name.removesuffix(_LABEL) if is_label else name
    number = NUMBERS.get(value.lower(), value) if isinstance(value, str) else value
    last = next((score for score in reversed(scores) if score["name"] == name), None)
    if is_label:
        if last is None or last.get("label") is not None:
            scores.append(last := {"name": name})
        last |= {"label": value} if value else {}
    elif isinstance(number, str):
        scores.append({"name": name, "label": number})
    elif last is None or "value" in last:
        scores.append({"name": name, "value": number})
    else:
        last["value"] = number


def _is_entry(entry: Any) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("name"), str) and entry["name"] != ""


def _is_too_large(value: int) -> bool:
    try:
        float(value)
    except OverflowError:
        return True
    return False


def _is_finite(value: Any) -> bool:
    return isinstance(value, (int, float)) and value - value == 0
