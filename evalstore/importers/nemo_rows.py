"""Row scores of NeMo Evaluator: one JSON object a line, which becomes what `job.log(**row)` takes."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from evalstore.errors import BrokenInput
from evalstore.importers.files import read_records
from evalstore.nemo_form import NUMBERS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Seen", "logged_rows", "scan"]

_LABEL = ".label"
_KNOWN = {"row_index", "item", "sample", "metrics", "requests", "metric_errors", "suite", "error"}


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
                    value = score.get("value")
                    seen.labels[metric, score["name"]].setdefault(score["label"], value)
    return seen


def logged_rows(path: Path, seen: Seen) -> Iterator[dict[str, Any]]:
    """The keyword arguments of `job.log()` for each row. Raises: BrokenInput, which names file, line and field."""
    for line, record in _records(path):
        scores = _scores(path, line, record)
        errors = _part(path, line, record, "metric_errors", dict) or {}
        for metric, error in errors.items():
            given = scores.setdefault(metric, [])
            if not given:
                given += [{"name": name} for name in seen.names.get(metric) or [metric]]
            for score in given:
                if score.get("label") is None and not _is_finite(score.get("value")):
                    score["error"] = str(error)
        yield {
            "item": record["item"],
            "sample": _part(path, line, record, "sample", dict) or None,
            "scores": scores,
            "requests": record.get("requests") or None,
            "row_index": _part(path, line, record, "row_index", int),
            "suite": _part(path, line, record, "suite", str) or "default",
            "error": _part(path, line, record, "error", str),
            "metadata": {key: value for key, value in record.items() if key not in _KNOWN} or None,
        }


def _records(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
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


def _scores(path: Path, line: int, record: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The scores of a row, a label beside its number."""
    found: dict[str, list[dict[str, Any]]] = {}
    for metric, entries in record["metrics"].items():
        place = f"metrics.{metric}"
        if not isinstance(entries, list) or not all(
            isinstance(e, dict) and isinstance(e.get("name"), str) for e in entries
        ):
            raise BrokenInput("must be a list of {name, value}", file=path, line=line, field=place)
        by_name: dict[str, dict[str, Any]] = {}
        for entry in entries:
            name, value = entry["name"], entry.get("value")
            if name.endswith(_LABEL) and isinstance(value, str):
                score = by_name.setdefault(name.removesuffix(_LABEL), {"name": name.removesuffix(_LABEL)})
                score |= {"label": value} if value else {}
                continue
            if isinstance(value, (dict, list)):
                raise BrokenInput(f"the value of {name!r} is no number and no text", file=path, line=line, field=place)
            number = NUMBERS.get(value.lower(), value) if isinstance(value, str) else value
            score = by_name.setdefault(name, {"name": name})
            score |= {"label": number} if isinstance(number, str) else {"value": number}
        found[metric] = list(by_name.values())
    return found


def _is_finite(value: Any) -> bool:
    return isinstance(value, (int, float)) and value - value == 0
