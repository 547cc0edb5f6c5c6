"""Files of records, one record after the other: JSONL, a JSON array, CSV, TSV or Parquet, each also in gzip or zstd.

What a file is:
- Compression is told by the first bytes, whatever the name says: a `.gz` that was unpacked under its old name is read.
- Parquet is known by its first bytes, and JSON by a first line that is JSON, under any name. Otherwise the suffix
  before `.gz` or `.zst` decides, and without a known one a first line with a comma or tab makes it CSV or TSV.
- JSON is an array if it starts with `[`, unless that line is a whole array and more follows (then it is one broken line
  of JSONL); else it is one object a line. One object over the whole file is refused.

What a value is:
- JSON: as Python has it. NaN and Infinity are floats, integers are exact at any size, a repeated key is a problem.
- CSV: an integer, a decimal number (also nan and inf as Python, Polars, R and JavaScript write them) and true/false in
  any case are typed; an empty cell is None; all else is text, also `007`, `+1`, `1.` and ` 1`. Blank lines are skipped.
- Parquet: dates and times are ISO text (to the microsecond), durations seconds, decimals int (scale 0) or float, maps
  objects, binary is text if it is UTF-8, else base64.

Memory does not grow with the file, except for a JSON array, which is held whole; Parquet takes a row group at most.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import zstandard

from evalstore.errors import BrokenInput
from evalstore.importers.csv_files import csv_records
from evalstore.importers.json_files import is_json, json_records
from evalstore.importers.parquet_files import parquet_records
from evalstore.importers.record import TEXT_KEPT, Record
from evalstore.importers.sources import opened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evalstore.importers.sources import Source

__all__ = ["TEXT_KEPT", "Record", "read_records"]

_FORMATS = {".jsonl": "json", ".ndjson": "json", ".json": "json", ".csv": ",", ".tsv": "\t", ".tab": "\t"}
_PARQUET_SUFFIXES = {".parquet", ".pq"}
_REFUSED = {
    b"PK\x03\x04": "a zip archive",
    b"BZh": "bzip2 data",
    b"\xfd7zXZ": "xz data",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
}


def read_records(path: Path | str) -> Iterator[Record]:
    """Yield the records of a file, good and bad, in order; the file is opened when the first one is asked for.

    Raises:
        BrokenInput: the file as a whole cannot be used: missing, a folder, empty, cut off while compressed, not one of
            the formats, a JSON array with a syntax error, CSV without a header, unreadable Parquet.
    """
    file, line = Path(path), 0
    try:
        with opened(file) as source:
            for record in _reader(source):
                line = record.line
                yield record
    except FileNotFoundError as error:
        raise BrokenInput("there is no such file", file=file) from error
    except IsADirectoryError as error:
        raise BrokenInput("is a folder: name one file", file=file) from error
    except (EOFError, OSError, zlib.error, zstandard.ZstdError) as error:
        what = "the compressed data is cut off" if isinstance(error, EOFError) else f"cannot be read: {error}"
        raise BrokenInput(what + (f" after line {line}" if line else ""), file=file) from error


def _reader(source: Source) -> Iterator[Record]:
    """The records, by the format that the first line and the suffix tell."""
    first = source.look()
    if not first:
        raise source.problem("is empty")
    if first.startswith(b"PAR1"):
        return parquet_records(source)
    for magic, name in _REFUSED.items():
        if first.startswith(magic):
            raise source.problem(f"holds {name}: unpack or convert it to JSONL, JSON, CSV or Parquet first")
    if source.suffix in _PARQUET_SUFFIXES:
        raise source.problem("is not Parquet, as its name says: it does not start with PAR1")
    wanted = _FORMATS.get(source.suffix)
    if b"\0" in first:
        raise source.problem("is neither JSON, CSV nor Parquet: it holds binary data")
    if wanted == "json" or first in {b"{", b"["} or (first[:1] in b"{[" and (wanted is None or is_json(first))):
        return json_records(source, first)
    delimiter = wanted or ("\t" if b"\t" in first else "," if b"," in first else None)
    if delimiter is None:
        raise source.problem("its format cannot be told: name it .jsonl, .json, .csv, .tsv or .parquet")
    return csv_records(source, delimiter)
