"""Examples as plain dicts with `inputs` and the reference `outputs`, out of whatever holds them.

Nothing is guessed: a row says which of its fields are inputs and which are outputs, by holding them under `inputs` and
`outputs`, or under names that begin so: `inputs.question`, `outputs.answer`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalstore import frames
from evalstore.errors import BrokenInput, UsageError, near

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["FIELDS", "example_row", "example_rows", "file_rows", "is_example"]

FIELDS = ("id", "inputs", "outputs", "metadata", "attachments", "dataset_id", "created_at", "modified_at",
          "source_run_id")  # fmt: skip
_OBJECTS = ("inputs", "outputs", "metadata", "attachments")
_OTHER_NAMES = {
    "reference_outputs": "outputs",
    "reference": "outputs",
    "item": "inputs",
    "example_id": "id",
    "row_key": "id",
}


def example_rows(rows: Any) -> Iterator[dict[str, Any]]:
    """The examples in a Polars, Arrow or pandas frame, in a file, or in any iterable of dicts or examples.

    Raises: UsageError, BrokenInput; they name the row.
    """
    if isinstance(rows, Path):
        yield from file_rows(rows)
        return
    frame = frames.as_polars(rows)
    if frame is not None:
        rows = frame.iter_rows(named=True)
    elif isinstance(rows, (str, bytes, Mapping)) or not isinstance(rows, Iterable):
        raise UsageError(
            f"examples are a frame, a path (pathlib.Path), or an iterable of dicts like {{'inputs': {{...}}, "
            f"'outputs': {{...}}}}, not {type(rows).__name__}"
        )
    for number, row in enumerate(rows):
        yield example_row(row, f"example {number}")


def file_rows(path: Path) -> Iterator[dict[str, Any]]:
    """The examples in a file: JSONL, a JSON array, CSV or Parquet, also packed. Raises: BrokenInput."""
    from evalstore.importers.files import read_records

    for record in read_records(path):
        if record.problem is not None:
            raise record.problem
        try:
            yield example_row(record.value, "")
        except UsageError as error:
            raise BrokenInput(str(error), file=path, line=record.line) from error


def is_example(row: Any) -> bool:
    """Whether it is an example already: any object that has `inputs`."""
    return not isinstance(row, Mapping) and hasattr(row, "inputs")


def example_row(row: Any, place: str) -> dict[str, Any]:
    """One example as a dict with `inputs`, and whichever other of `FIELDS` it has. `place` begins the error's text.

    Raises: UsageError.
    """
    place = f"{place}: " if place else ""
    if is_example(row):
        found = {field: getattr(row, field, None) for field in FIELDS}
        return {field: value for field, value in found.items() if value is not None} | {"inputs": row.inputs}
    if dataclasses.is_dataclass(row) and not isinstance(row, type):
        row = dataclasses.asdict(row)
    if not isinstance(row, Mapping):
        raise UsageError(f"{place}an example is a dict with `inputs` and `outputs`, not {type(row).__name__}")
    found = _fields(row, place)
    if not isinstance(found.get("inputs"), Mapping):
        raise UsageError(f"{place}an example has `inputs`, a dict; got {found.get('inputs')!r}")
    for field in ("outputs", "metadata", "attachments"):
        if not isinstance(found.get(field), Mapping | None):
            raise UsageError(f"{place}`{field}` of an example is a dict, not {type(found[field]).__name__}")
    return {field: value for field, value in found.items() if value is not None}


def _fields(row: Mapping[Any, Any], place: str) -> dict[str, Any]:
    """The fields that a row gives, those with dots gathered in dicts."""
    found: dict[str, Any] = {}
    for key, value in row.items():
        part, dot, name = str(key).partition(".")
        part = _OTHER_NAMES.get(part, part)
        if part not in FIELDS or (dot and part not in _OBJECTS):
            raise UsageError(
                f"{place}{key!r} is no field of an example; {near(str(key), FIELDS)} Fields of the inputs stand under "
                f"'inputs', or are named like 'inputs.{key}'"
            )
        held = found.setdefault(part, {}) if dot else None
        if (part in found and not dot) or (dot and (not isinstance(held, dict) or name in held)):
            raise UsageError(f"{place}{key!r} is given twice")
        if not dot:
            found[part] = value
        elif value is not None or part in ("inputs", "outputs"):
            found[part] = {**found[part], name: value}
    return found
