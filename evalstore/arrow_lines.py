"""Lines as dicts, and as an Arrow table: both ways without pandas.

Arrow's own conversion of Python objects, and its way with times that have a zone, import pandas wherever that is
installed, which takes longer than most questions.
"""

from __future__ import annotations

from array import array
from datetime import UTC
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa

__all__ = ["as_dicts", "as_table", "whole_numbers"]

_BLOCK = 1 << 20  # what one thread parses at once


def as_table(lines: list[dict[str, Any]], schema: pa.Schema) -> pa.Table | None:
    """The lines with exactly these columns; what a line lacks is null, what else it has is left out.

    By way of JSON text, which is several times as fast as DuckDB reads JSON into wide structs.

    None when a value is not of its column's type: nothing is converted here. Lines hold no NaN (see `json_text.loads`).
    """
    import pyarrow as pa
    from pyarrow import json

    try:
        texts = [orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE) for line in lines]
        data = b"".join(texts)
        block = max(_BLOCK, *map(len, texts))
        return json.read_json(
            pa.py_buffer(data),
            read_options=json.ReadOptions(use_threads=len(data) > block, block_size=block),
            parse_options=json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore"),
        )
    except (orjson.JSONEncodeError, pa.ArrowInvalid):
        return None


def as_dicts(table: pa.Table) -> list[dict[str, Any]]:
    """The lines of an answer; its times, which DuckDB gives in UTC, are aware of that."""
    import pyarrow as pa

    zoned = []
    for place, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type) and field.type.tz is not None:
            plain = pa.timestamp(field.type.unit)
            chunks = [chunk.view(plain) for chunk in table.column(place).chunks]
            table = table.set_column(place, field.name, pa.chunked_array(chunks, plain))
            zoned.append(field.name)
    lines: list[dict[str, Any]] = table.to_pylist()
    for line in lines:
        for name in zoned:
            if line[name] is not None:
                line[name] = line[name].replace(tzinfo=UTC)
    return lines


def whole_numbers(numbers: Iterable[int]) -> pa.Array:
    """Numbers as an Arrow array of int64."""
    import pyarrow as pa

    held = array("q", numbers)
    return pa.Array.from_buffers(pa.int64(), len(held), [None, pa.py_buffer(held)])
