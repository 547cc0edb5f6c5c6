"""A whole frame as the rows of a job: columns become logged rows without a Python object per row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from evalstore import json_text
from evalstore.errors import InvalidScore, UnknownField, UsageError, near
from evalstore.frames import as_polars
from evalstore.logged_line import checked_text
from evalstore.workbench import FrameRows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import polars as pl

    from evalstore.recorder import Job

    Columns = Sequence[str] | Mapping[str, str]

__all__ = ["ColumnMapping", "frame_rows", "is_simple", "logged_rows", "write"]

_ROW_COLUMNS = (
    "row_key",
    "cluster",
    "error",
    "latency",
    "prompt_tokens",
    "completion_tokens",
    "total_tokens",
    "cost",
    "repetition",
)
_EXACT = 2**53  # beyond it a double does not hold every integer


@dataclass(frozen=True)
class ColumnMapping:
    """Which columns of a frame hold what; a dict gives a column another name: `{"answer": "ground_truth"}`."""

    scores: Columns
    item: Columns | None = None
    sample: Columns = ()
    reference: Columns = ()
    metadata: Columns = ()
    suite: str = "default"
    row: Mapping[str, str] = field(default_factory=dict)

    def resolved(self, columns: list[str]) -> dict[str, dict[str, str]]:
        """(field -> name -> column) for a frame with these columns; without `item` it is what nothing else uses.

        Raises: UnknownField, UsageError.
        """
        named = {part: _named(getattr(self, part)) for part in ("scores", "sample", "reference", "metadata")}
        if unknown := set(self.row) - set(_ROW_COLUMNS):
            raise UsageError(f"a row has no field {min(unknown)!r}; {near(min(unknown), _ROW_COLUMNS)}")
        named["row"] = dict(self.row)
        used = {column for part in named.values() for column in part.values()}
        named["item"] = _named(self.item) if self.item is not None else {c: c for c in columns if c not in used}
        for part, mapping in named.items():
            for column in mapping.values():
                if column not in columns:
                    raise UnknownField(f"{part}: the frame has no column {column!r}; {near(column, columns)}")
        return named

    def check(self) -> None:
        """Refuses what `log()` would refuse of any row.

        Raises: UsageError, InvalidScore.
        """
        checked_text("suite", self.suite)
        if not (scores := _named(self.scores)):
            raise UsageError("record() needs the score columns: scores=['exact_match']")
        if "" in scores:
            raise InvalidScore("scores: a metric is named by text, not by ''")
        for part in ("scores", "item", "sample", "reference", "metadata"):
            for name in _named(getattr(self, part) or ()):
                if not isinstance(name, str):
                    raise UsageError(f"{part}: a field is named by text, not by {name!r}")


def write(job: Job, rows: Any, mapping: ColumnMapping) -> None:
    """Logs a frame or a list of dicts as all rows of a job, and finishes it; on any error no job is left behind."""
    frame = as_polars(rows)
    try:
        mapping.check()
        if frame is not None and is_simple(frame, mapping.resolved(frame.columns)):
            job.log_frame(*frame_rows(frame, mapping))
        else:
            for row in logged_rows(rows if frame is None else frame, mapping):
                job.log(**row)
            job.finish()
    except BaseException:
        job.abandon()
        raise


def is_simple(frame: pl.DataFrame, mapping: dict[str, dict[str, str]]) -> bool:
    """Whether whole columns convert as `log()` would convert each value: text, booleans, numbers that JSON holds."""
    texts = {column for part in ("item", "sample", "reference", "metadata") for column in mapping[part].values()}
    return (
        all(_holds_exact_numbers(frame[column]) for column in {*texts, *mapping["scores"].values()})
        and all(frame[column].dtype.is_float() is False or _is_finite(frame[column]) for column in texts)
        and all(_is_plain(frame[column], field) for field, column in mapping["row"].items())
    )


def _holds_exact_numbers(series: pl.Series) -> bool:
    import polars as pl

    if series.dtype.is_integer():
        return all(-_EXACT <= end <= _EXACT for end in (series.min(), series.max()) if isinstance(end, int))
    return series.dtype in (pl.Float32, pl.Float64, pl.String, pl.Boolean, pl.Null, pl.Categorical, pl.Enum)


def _is_finite(series: pl.Series) -> bool:
    return bool(series.is_finite().fill_null(value=True).all())


def _is_plain(series: pl.Series, field: str) -> bool:
    """Whether a column is of the type in which a field of a row is stored, and holds nothing that `log()` refuses."""
    import polars as pl

    if field in ("latency", "cost"):
        return series.dtype.is_numeric()
    if field.endswith("_tokens"):
        least = series.min()
        return series.dtype.is_integer() and not (isinstance(least, int) and least < 0)
    if field == "row_key" and series.dtype.is_integer():
        return True
    # Repetitions are checked one against the other, row by row.
    return field != "repetition" and series.dtype == pl.String and not bool((series == "").any())


def logged_rows(rows: pl.DataFrame | Iterable[dict[str, Any]], mapping: ColumnMapping) -> Iterator[dict[str, Any]]:
    """Rows as arguments of `log()`: for dicts, and for frames whose columns hold nested or mixed values."""
    for row in rows if not hasattr(rows, "iter_rows") else rows.iter_rows(named=True):
        if not isinstance(row, dict):
            raise UsageError(
                f"record() takes a Polars, Arrow or pandas frame or a list of dicts, not {type(row).__name__}"
            )
        names = mapping.resolved(list(row))
        parts = {part: {name: row[column] for name, column in some.items()} for part, some in names.items()}
        values = parts.pop("row")
        yield {
            **{part: value or None for part, value in parts.items()},
            "item": parts["item"],
            "suite": mapping.suite,
            **values,
        }


def frame_rows(frame: pl.DataFrame, mapping: ColumnMapping) -> tuple[FrameRows, int]:
    """The rows and the scores of a simple frame, as the SQL of the commit reads them.

    And how many lone surrogates were replaced in what names them.

    Raises: UsageError where two names of a part are the same then.
    """
    import polars as pl

    given = {**mapping.resolved(frame.columns), "suite": mapping.suite}
    texts = {part: json_text.given(part, said) for part, said in given.items()}
    replaced = sum(count for _, count in texts.values()) * len(frame)  # as log() counts them, in every row
    names = {part: json_text.loads(text) for part, (text, _) in texts.items()}
    parts = {part: _object(frame, names[part]) for part in ("item", "sample", "reference", "metadata")}
    columns = {
        **parts,
        "item": parts["item"].fill_null("{}"),
        "canonical_item": _canonical(frame, names["item"], parts["item"]).fill_null("{}"),
        "canonical_reference": _canonical(frame, names["reference"], parts["reference"]).fill_null(""),
        **{field: pl.lit(None, kind) for field, kind in _row_kinds().items()},
        **{field: frame[column].cast(_row_kinds()[field]) for field, column in names["row"].items()},
    }
    rows = frame.select(pl.int_range(pl.len(), dtype=pl.Int64).alias("position"), **columns)
    scores = {name: frame.select(*_score(frame[column])).to_arrow() for name, column in names["scores"].items()}
    keys = rows["row_key" if "row_key" in names["row"] else "canonical_item"]
    are_distinct = keys.null_count() == 0 and keys.n_unique() == len(keys)
    return FrameRows(names["suite"], rows.to_arrow(), scores, are_distinct=are_distinct), replaced


def _row_kinds() -> dict[str, pl.DataType]:
    import polars as pl

    kinds: dict[str, Any] = {"latency": pl.Float64, "cost": pl.Float64, "repetition": pl.Int32}
    return {field: kinds.get(field, pl.Int64 if field.endswith("_tokens") else pl.String) for field in _ROW_COLUMNS}


def _named(columns: Columns) -> dict[str, str]:
    if isinstance(columns, str):
        raise UsageError(f"columns are given as a list: write [{columns!r}]")
    return dict(columns) if isinstance(columns, Mapping) else {column: column for column in columns}


def _object(frame: pl.DataFrame, names: dict[str, str]) -> pl.Series:
    """The JSON object of some columns, as `json_text.dumps` would write it; null for no columns."""
    import polars as pl

    if not names:
        return pl.Series([None], dtype=pl.String).new_from_index(0, len(frame))
    wider = {pl.Categorical: pl.String, pl.Enum: pl.String, pl.Float32: pl.Float64}
    fields = [
        frame[column].cast(wider.get(frame[column].dtype.base_type(), frame[column].dtype)) for column in names.values()
    ]
    named = dict(zip(names, fields, strict=True))  # a list of columns would give one without a name another name
    return pl.DataFrame(named).select(pl.struct(pl.all()).struct.json_encode()).to_series()


def _canonical(frame: pl.DataFrame, names: dict[str, str], written: pl.Series) -> pl.Series:
    """The JSON object with its names in order, which is what was written where they already were."""
    ordered = dict(sorted(names.items()))
    return written if list(ordered) == list(names) else _object(frame, ordered)


def _score(column: pl.Series) -> list[pl.Series | pl.Expr]:
    """Value, value_type and label of one score column, as `score_values.normalise` finds them."""
    import polars as pl

    kind = column.dtype
    is_text = kind in (pl.String, pl.Categorical, pl.Enum)
    name = "bool" if kind == pl.Boolean else "str" if is_text else "int" if kind.is_integer() else "float"
    kinds = pl.Enum(["null", name])
    return [
        pl.lit(None, pl.Float64).alias("value") if is_text else column.cast(pl.Float64).alias("value"),
        pl.when(column.is_null()).then(pl.lit("null", kinds)).otherwise(pl.lit(name, kinds)).alias("value_type"),
        (column.cast(pl.String) if is_text else pl.lit(None, pl.String)).alias("label"),
    ]
