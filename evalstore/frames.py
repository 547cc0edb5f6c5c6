"""Frames in, frames out: Polars, Arrow and pandas tables on the way into a job, answers on the way out."""

from __future__ import annotations

import os
import sys
import warnings
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from evalstore.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

__all__ = ["Answer", "as_polars", "check_process", "to_polars"]

_FORKED = "this process was forked from one that had loaded Polars, and Polars cannot compute in it"
_lost_threads = False


def _note_lost_threads() -> None:
    global _lost_threads  # noqa: PLW0603
    _lost_threads = "polars" in sys.modules


os.register_at_fork(after_in_child=_note_lost_threads)


def check_process() -> None:
    """Refuses what would hang for ever: Polars waits for threads that a forked child has not.

    Raises: UsageError.
    """
    if _lost_threads:
        raise UsageError(
            f"{_FORKED}: start processes with multiprocessing.get_context('spawn'), or leave this to the parent; "
            "job(), log() and questions work here"
        )


def to_polars(table: pa.Table) -> pl.DataFrame:
    """An answer as a Polars frame: nulls are null, NaN is NaN, nested columns stay nested, times are UTC.

    In a forked child its values can be read, and a warning says that they cannot be computed with.

    Raises: UsageError for columns that Polars has no type for, and for two columns of one name.
    """
    import polars as pl
    import pyarrow as pa

    repeated = {name for name in table.column_names if table.column_names.count(name) > 1}
    if repeated:
        raise UsageError(f"two columns are named {min(repeated)!r}: give one of them another name with AS")
    for place, field in enumerate(table.schema):
        if pa.types.is_interval(field.type):
            table = table.set_column(place, field.name, _durations(field.name, table.column(place)))
        elif _is_unknown(field.type):
            raise UsageError(
                f"a frame has no type for column {field.name!r} ({field.type}): cast it, to VARCHAR perhaps"
            )
    if _lost_threads:  # a whole table is taken apart by the threads that are lost; a column is not
        problem = f"{_FORKED}: the values of this frame can be read, but filter, select, sort and join would hang"
        warnings.warn(problem, RuntimeWarning, stacklevel=3)
        return pl.DataFrame([pl.Series(name, table.column(place)) for place, name in enumerate(table.column_names)])
    return pl.DataFrame(table)


def _durations(name: str, column: pa.ChunkedArray) -> pa.Array:
    """DuckDB's intervals as durations, where they have no months: months have no fixed length."""
    import pyarrow as pa

    intervals = column.to_pylist()
    if any(interval is not None and interval.months for interval in intervals):
        raise UsageError(f"column {name!r} holds months, which have no fixed length: cast it to VARCHAR")
    durations = [
        None if interval is None else timedelta(days=interval.days, microseconds=interval.nanoseconds // 1000)
        for interval in intervals
    ]
    return pa.array(durations, pa.duration("us"))


def _is_unknown(kind: pa.DataType) -> bool:
    import pyarrow as pa

    if pa.types.is_interval(kind) or pa.types.is_union(kind):
        return True
    return any(_is_unknown(kind.field(place).type) for place in range(kind.num_fields))


def as_polars(table: Any) -> pl.DataFrame | None:
    """A Polars, Arrow or pandas table as a Polars frame; None for anything else."""
    import polars as pl

    if isinstance(table, (pl.LazyFrame, pl.DataFrame)) or hasattr(table, "__arrow_c_stream__"):
        check_process()
    if isinstance(table, pl.LazyFrame):
        return table.collect()
    if isinstance(table, pl.DataFrame):
        return table
    if type(table).__module__.partition(".")[0] == "pandas":
        return pl.from_pandas(table)
    if hasattr(table, "__arrow_c_stream__"):
        return pl.DataFrame(table)
    return None


class Answer:
    """Holds a table: `.to_polars()`, `.to_arrow()`, `.to_pandas()`, and a notebook rendering."""

    _table: pa.Table

    def to_arrow(self) -> pa.Table:
        """The answer as an Arrow table."""
        return self._table

    def to_polars(self) -> pl.DataFrame:
        """The answer as a Polars frame."""
        return to_polars(self._table)

    def to_pandas(self) -> pd.DataFrame:
        """The answer as a pandas frame. Needs the extra `evalstore[pandas]`."""
        check_process()
        return self.to_polars().to_pandas()

    def __repr__(self) -> str:
        return f"{type(self).__name__}, {self.to_polars()}"

    def _repr_html_(self) -> str:
        return str(self.to_polars()._repr_html_())
