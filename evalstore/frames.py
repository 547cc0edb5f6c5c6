"""Frames in, frames out: Polars, Arrow and pandas tables on the way into a job, answers on the way out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

__all__ = ["Answer", "as_polars", "to_polars"]


def to_polars(table: pa.Table) -> pl.DataFrame:
    """An answer as a Polars frame: nulls are null, NaN is NaN, nested columns stay nested, times are UTC."""
    import polars as pl

    return pl.DataFrame(table)


def as_polars(table: Any) -> pl.DataFrame | None:
    """A Polars, Arrow or pandas table as a Polars frame; None for anything else."""
    import polars as pl

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
        return self.to_polars().to_pandas()

    def _repr_html_(self) -> str:
        return str(self.to_polars()._repr_html_())
