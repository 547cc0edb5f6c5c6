"""Reads records from Parquet."""

from __future__ import annotations

import base64
import datetime as dt
import decimal
import itertools
from collections import Counter
from typing import TYPE_CHECKING, Any

from evalstore.importers.record import Record
from evalstore.importers.sources import seekable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from evalstore.importers.sources import Source

__all__ = ["parquet_records"]

_READ_AHEAD = 1024 * 1024
_BATCH_BYTES = 16 * 1024 * 1024


def parquet_records(source: Source) -> Iterator[Record]:
    """The records of Parquet, one a row."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with seekable(source) as file:
        try:
            # Both settings keep it from reading the whole file ahead.
            parquet = pq.ParquetFile(file, pre_buffer=False, buffer_size=_READ_AHEAD)
            names = parquet.schema_arrow.names
            if repeated := [name for name, count in Counter(names).items() if count > 1]:
                raise source.problem(f"has the column {repeated[0]!r} more than once", field=repeated[0])
            size = sum(parquet.metadata.row_group(group).total_byte_size for group in range(parquet.num_row_groups))
            rows = _BATCH_BYTES * parquet.metadata.num_rows // max(size, 1)
            schema = pa.schema([field.with_type(_to_microseconds(field.type)) for field in parquet.schema_arrow])
            maps = [field.name for field in schema if pa.types.is_map(field.type)]
            lines = itertools.count(1)
            for batch in parquet.iter_batches(batch_size=min(max(rows, 1), 4096)):
                plain = batch if batch.schema.equals(schema) else batch.cast(schema, safe=False)
                for row in plain.to_pylist():
                    record = {name: _plain(value) for name, value in row.items()}
                    record.update({name: {} for name in maps if record[name] == []})  # else it would be a list
                    yield Record(next(lines), record, None)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise source.problem(f"is Parquet that cannot be read: {error}") from error


def _to_microseconds(kind: Any) -> Any:
    """The type itself, or the finest that Python's datetime has."""
    import pyarrow as pa

    if pa.types.is_timestamp(kind) and kind.unit == "ns":
        return pa.timestamp("us", kind.tz)
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_to_microseconds(field.type)) for field in kind])
    if pa.types.is_list(kind):
        return pa.list_(kind.value_field.with_type(_to_microseconds(kind.value_type)))
    return {pa.duration("ns"): pa.duration("us"), pa.time64("ns"): pa.time64("us")}.get(kind, kind)


def _plain(value: Any) -> Any:
    """What JSON would hold in place of a value of Parquet."""
    convert = _PLAIN.get(type(value), str)
    return value if convert is None else convert(value)


def _plain_list(items: list[Any]) -> Any:
    if items and isinstance(items[0], tuple):  # how pyarrow hands over a map
        return {str(key): _plain(item) for key, item in items}
    return [_plain(item) for item in items]


def _plain_bytes(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return base64.b64encode(value).decode()


_PLAIN: dict[type, Callable[[Any], Any] | None] = {
    **dict.fromkeys((str, bool, int, float, type(None))),
    dict: lambda value: {key: _plain(item) for key, item in value.items()},
    list: _plain_list,
    bytes: _plain_bytes,
    decimal.Decimal: lambda value: int(value) if value.as_tuple().exponent == 0 else float(value),
    **dict.fromkeys((dt.datetime, dt.date, dt.time), lambda value: value.isoformat()),
    dt.timedelta: dt.timedelta.total_seconds,
}
