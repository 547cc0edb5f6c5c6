"""Rows of results as lines of a table, with the columns of LangSmith's data frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evalstore import json_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    import polars as pl

__all__ = ["flat_row", "flat_rows"]


def flat_row(row: Any) -> dict[str, Any]:
    """One row as a flat dict; several results of one key get `#1`, `#2`, ... appended."""
    run, example = row["run"], row["example"]
    line: dict[str, Any] = {f"inputs.{name}": value for name, value in (run.inputs or {}).items()}
    line |= {f"outputs.{name}": value for name, value in (run.outputs or {}).items()}
    line["error"] = run.error
    line |= {f"reference.{name}": value for name, value in (getattr(example, "outputs", None) or {}).items()}
    counts: dict[str, int] = {}
    for result in row["evaluation_results"]["results"]:
        number = counts[result.key] = counts.get(result.key, -1) + 1
        name = f"feedback.{result.key}" + (f"#{number}" if number else "")
        line[name] = result.value if result.score is None else result.score
    is_timed = run.end_time is not None and run.start_time is not None
    line["execution_time"] = (run.end_time - run.start_time).total_seconds() if is_timed else None
    line["example_id"] = run.reference_example_id
    line["id"] = run.id
    return line


def flat_rows(rows: Iterable[Any]) -> pl.DataFrame:
    """Rows as a frame: each column in the one type that all its values have, else as text."""
    import polars as pl

    lines = [flat_row(row) for row in rows]
    names = list(dict.fromkeys(name for line in lines for name in line))
    return pl.DataFrame([_series(name, [line.get(name) for line in lines]) for name in sorted(names, key=_part)])


_PARTS = ("inputs.", "outputs.", "error", "reference.", "feedback.", "execution_time", "example_id", "id")


def _part(name: str) -> int:
    """Where a column stands: all lines together have more columns than the first one."""
    return next(number for number, part in enumerate(_PARTS) if name.startswith(part))


def _series(name: str, values: list[Any]) -> pl.Series:
    import polars as pl

    kinds = {type(value) for value in values if value is not None}
    if kinds == {int, float}:
        return pl.Series(name, values, dtype=pl.Float64, strict=False)
    if kinds <= {bool} or kinds <= {int} or kinds <= {float} or kinds <= {str}:
        try:
            return pl.Series(name, values)
        except (OverflowError, TypeError):  # an integer beyond 64 bit
            pass
    return pl.Series(name, [_text(value) for value in values], dtype=pl.String)


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json_text.dumps(value)[0] if isinstance(value, (dict, list, bool, int, float)) else str(value)
