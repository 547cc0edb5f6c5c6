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

import base64
import csv
import datetime as dt
import decimal
import gzip
import io
import itertools
import json
import re
import shutil
import tempfile
import zlib
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import orjson
import zstandard

from evalstore.errors import BrokenInput

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from _typeshed import WriteableBuffer

__all__ = ["TEXT_KEPT", "Record", "read_records"]

TEXT_KEPT = 1000  # characters of a broken record that are kept to show it
_CHUNK = 16 * 1024
_READ_AHEAD = 1024 * 1024
_BATCH_BYTES = 16 * 1024 * 1024
_LONGEST_CELL = 2**31 - 1
_SURELY_EXACT = 1e18  # a float below cannot be an integer beyond 64 bit
_PACKED_SUFFIXES = {".gz", ".gzip", ".zst", ".zstd"}
_FORMATS = {".jsonl": "json", ".ndjson": "json", ".json": "json", ".csv": ",", ".tsv": "\t", ".tab": "\t"}
_PARQUET_SUFFIXES = {".parquet", ".pq"}
_REFUSED = {
    b"PK\x03\x04": "a zip archive",
    b"BZh": "bzip2 data",
    b"\xfd7zXZ": "xz data",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
}
_JSON_KINDS = {dict: "an object", list: "an array", str: "text", bool: "a boolean", type(None): "null"}
_SKIPPED_FRAME = re.compile(rb"[\x50-\x5f]\x2a\x4d\x18")  # how pzstd begins a file
_KEY_ENDS = re.compile(rb'"[ \t\r\n]*:')
_SPACE = re.compile(r"[ \t\r\n]*")
_CELL = re.compile(
    r"(?P<int>-?(?:0|[1-9][0-9]{0,999}))"
    r"|(?P<bool>(?i:true|false))"
    r"|(?P<float>-?(?:(?:0|[1-9][0-9]*)?\.[0-9]+|0|[1-9][0-9]*)(?:[eE][+-]?[0-9]+)?|nan|NaN|-?(?:inf|Inf|Infinity))",
    re.ASCII,  # else the long s is an s
)


class Record(NamedTuple):
    """One record: its value, or the problem that stands in its place with the first `TEXT_KEPT` characters of its text.

    `line` counts from 1: the line where the record starts, in Parquet the row.
    """

    line: int
    value: dict[str, Any] | None
    problem: BrokenInput | None
    text: str | None = None


def read_records(path: Path | str) -> Iterator[Record]:
    """Yield the records of a file, good and bad, in order; the file is opened when the first one is asked for.

    Raises:
        BrokenInput: the file as a whole cannot be used: missing, a folder, empty, cut off while compressed, not one of
            the formats, a JSON array with a syntax error, CSV without a header, unreadable Parquet.
    """
    file, line = Path(path), 0
    try:
        with _opened(file) as source:
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


class _Source:
    """An opened file, unpacked, of which the first lines may be looked at before they are read."""

    def __init__(self, path: Path, stream: io.BufferedIOBase, *, packed: bool) -> None:
        self.path, self.stream, self.packed = path, stream, packed
        self.seen: list[bytes] = []
        suffixes = [suffix.lower() for suffix in path.suffixes]
        while suffixes and suffixes[-1] in _PACKED_SUFFIXES:
            suffixes.pop()
        self.suffix = suffixes[-1] if suffixes else ""

    def look(self) -> bytes:
        """The next line that is not blank, stripped; empty at the end. It is still to be read."""
        for raw in self.stream:
            self.seen.append(raw if self.seen else raw.removeprefix(b"\xef\xbb\xbf"))
            if line := self.seen[-1].strip():
                return line
        return b""

    def lines(self) -> Iterator[bytes]:
        yield from self.seen
        yield from self.stream

    def problem(self, text: str, line: int | None = None, field: str | None = None) -> BrokenInput:
        return BrokenInput(text, file=self.path, line=line, field=field)

    def broken(self, line: int, problem: str, text: str | bytes, field: str | None = None) -> Record:
        """A record that cannot be read."""
        if isinstance(text, bytes):
            text = text[: 4 * TEXT_KEPT].decode(errors="replace")
        return Record(line, None, self.problem(problem, line, field), text[:TEXT_KEPT].rstrip("\r\n"))


@contextmanager
def _opened(path: Path) -> Iterator[_Source]:
    try:
        raw = path.open("rb")
    except ValueError as error:  # a NUL in the name
        raise BrokenInput(f"is not a file name: {error}", file=path) from error
    with raw:
        magic = raw.peek(4)[:4]
        if magic.startswith(b"\x1f\x8b"):
            with gzip.GzipFile(fileobj=raw) as plain:
                yield _Source(path, plain, packed=True)
        elif magic == zstandard.FRAME_HEADER or _SKIPPED_FRAME.fullmatch(magic):
            yield _Source(path, io.BufferedReader(_Zstd(raw), _CHUNK * 8), packed=True)
        else:
            yield _Source(path, raw, packed=False)


class _Zstd(io.RawIOBase):
    """Zstandard, unpacked, any number of frames. EOFError if it is cut off, where the library's reader just ends."""

    def __init__(self, packed: IO[bytes]) -> None:
        self._packed = packed
        self._frame: zstandard.ZstdDecompressionObj | None = None
        self._rest = b""
        self._plain = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        target = memoryview(buffer)
        while not self._plain:
            chunk = self._rest or self._packed.read(_CHUNK)
            if not chunk:
                if self._frame is not None:
                    raise EOFError
                return 0
            frame = self._frame or zstandard.ZstdDecompressor().decompressobj()
            self._plain = memoryview(frame.decompress(chunk))
            self._frame, self._rest = (None, frame.unused_data) if frame.eof else (frame, b"")
        count = min(len(target), len(self._plain))
        target[:count] = self._plain[:count]
        self._plain = self._plain[count:]
        return count


def _reader(source: _Source) -> Iterator[Record]:
    """The records, by the format that the first line and the suffix tell."""
    first = source.look()
    if not first:
        raise source.problem("is empty")
    if first.startswith(b"PAR1"):
        return _parquet_records(source)
    for magic, name in _REFUSED.items():
        if first.startswith(magic):
            raise source.problem(f"holds {name}: unpack or convert it to JSONL, JSON, CSV or Parquet first")
    if source.suffix in _PARQUET_SUFFIXES:
        raise source.problem("is not Parquet, as its name says: it does not start with PAR1")
    wanted = _FORMATS.get(source.suffix)
    if b"\0" in first:
        raise source.problem("is neither JSON, CSV nor Parquet: it holds binary data")
    if wanted == "json" or first in {b"{", b"["} or (first[:1] in b"{[" and (wanted is None or _is_json(first))):
        return _json_records(source, first)
    delimiter = wanted or ("\t" if b"\t" in first else "," if b"," in first else None)
    if delimiter is None:
        raise source.problem("its format cannot be told: name it .jsonl, .json, .csv, .tsv or .parquet")
    return _csv_records(source, delimiter)


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _json_records(source: _Source, first: bytes) -> Iterator[Record]:
    if first.startswith(b"[") and not (source.look() and _is_json(first)):
        return _json_array(source)
    # A single line of one object is a record under the name .jsonl; under .json it is a document.
    if first == b"{" or (source.suffix == ".json" and not source.look() and _is_json(first) and first[:1] == b"{"):
        raise source.problem("holds one JSON object: write an array of records, or one record a line")
    return _json_lines(source)


class _DefectError(ValueError):
    """What is wrong with the text of a record, and with which key."""

    def __init__(self, text: str, field: str | None = None) -> None:
        super().__init__(text)
        self.field = field


def _json_lines(source: _Source) -> Iterator[Record]:
    for line, raw in enumerate(source.lines(), 1):
        if raw.isspace():
            continue
        try:
            value = _json_value(raw)
        except _DefectError as error:
            yield source.broken(line, str(error), raw, error.field)
            continue
        if type(value) is dict:
            yield Record(line, value, None)
        else:
            yield source.broken(line, _not_an_object(value), raw)


def _not_an_object(value: Any) -> str:
    return f"the record is {_JSON_KINDS.get(type(value), 'a number')}, not an object"


def _json_value(raw: bytes) -> Any:
    """Parse fast, and once more with care what the fast parser refuses or may have changed.

    orjson keeps the last of two equal keys, turns integers beyond 64 bit into floats, and knows neither NaN nor lone
    surrogates. A quote before a colon is the end of a key, or else a part of a text: if there are as many as keys came
    out, then no key got lost.
    """
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return _careful_json(raw)
    keys, waiting = 0, [value]
    while waiting:
        node = waiting.pop()
        kind = type(node)
        if kind is dict:
            keys += len(node)
            waiting.extend(node.values())
        elif kind is list:
            waiting.extend(node)
        elif kind is float and not -_SURELY_EXACT < node < _SURELY_EXACT:
            return _careful_json(raw)
    return value if keys == len(_KEY_ENDS.findall(raw)) else _careful_json(raw)


def _careful_json(raw: bytes) -> Any:
    text = _utf8(raw).rstrip("\r\n")
    decoder, repeated = _decoder()
    try:
        value = decoder.decode(text)
    except (ValueError, RecursionError) as error:
        raise _DefectError(_json_defect(error, text)) from None
    if repeated:
        raise _DefectError(_repeats(repeated), repeated[0])
    return value


def _utf8(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise _DefectError(f"is not UTF-8: 0x{raw[error.start]:02x} at byte column {error.start + 1}") from None


def _decoder() -> tuple[json.JSONDecoder, list[str]]:
    """A decoder, and the list to which it adds the keys that occur twice in one object."""
    repeated: list[str] = []

    def as_dict(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        value = dict(pairs)
        if len(value) != len(pairs):
            repeated.extend(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        return value

    return json.JSONDecoder(object_pairs_hook=as_dict), repeated


def _repeats(repeated: list[str]) -> str:
    return f"the key {repeated[0]!r:.100} occurs more than once in one object"


def _json_defect(error: ValueError | RecursionError, text: str) -> str:
    if isinstance(error, json.JSONDecodeError):
        cut = error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated")
        what = error.msg[:1].lower() + error.msg[1:].removesuffix(" at")
        return f"{'is cut off' if cut else 'is not JSON'}: {what} at column {error.colno}"
    if isinstance(error, RecursionError):
        return "is nested too deeply"
    return f"cannot be read: {str(error).partition(':')[0]}"  # an integer of more digits than Python converts


def _json_array(source: _Source) -> Iterator[Record]:
    raw = b"".join(source.seen) + source.stream.read()
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        column = error.start - raw.rfind(b"\n", 0, error.start)
        raise source.problem(f"is not UTF-8: 0x{raw[error.start]:02x} at byte column {column}", line) from error
    del raw
    decoder, repeated = _decoder()
    counted, line = 0, 1
    at = _past_space(text, text.index("[") + 1)
    more = text[at : at + 1] != "]"
    while more:
        line, counted = line + text.count("\n", counted, at), at
        try:
            value, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            where = error.lineno if isinstance(error, json.JSONDecodeError) else line
            raise source.problem(f"the array {_json_defect(error, text)}", where) from error
        if repeated:
            yield source.broken(line, _repeats(repeated), text[at : min(end, at + TEXT_KEPT)], repeated[0])
            repeated.clear()
        elif type(value) is dict:
            yield Record(line, value, None)
        else:
            yield source.broken(line, _not_an_object(value), text[at : min(end, at + TEXT_KEPT)])
        at = _past_space(text, end)
        more = text[at : at + 1] == ","
        if more:
            at = _past_space(text, at + 1)
    line += text.count("\n", counted, at)
    if at == len(text):
        raise source.problem("the array is cut off: it has no ]", line)
    if text[at] != "]":
        raise source.problem("the array is not JSON: expecting a comma or ]", line)
    if (end := _past_space(text, at + 1)) != len(text):
        raise source.problem("the array is followed by something else", line + text.count("\n", at, end))


def _past_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return at if found is None else found.end()


class _TextLines:
    """Lines for the csv module: counts them, keeps those of the current record, notes what is not UTF-8."""

    def __init__(self, raw: Iterator[bytes]) -> None:
        self._raw = raw
        self.count = 0
        self.kept: list[bytes] = []
        self.defect: str | None = None

    def __iter__(self) -> _TextLines:
        return self

    def __next__(self) -> str:
        raw = next(self._raw)
        self.count += 1
        self.kept.append(raw)
        try:
            return raw.decode()
        except UnicodeDecodeError as error:
            # The reader goes on, so that it finds where the record ends.
            self.defect = f"is not UTF-8: 0x{raw[error.start]:02x} at byte column {error.start + 1}"
            return raw.decode(errors="replace")


def _csv_records(source: _Source, delimiter: str) -> Iterator[Record]:
    csv.field_size_limit(_LONGEST_CELL)  # for the whole process: the module has no other; its own is 128 KB
    lines = _TextLines(source.lines())
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    header: list[str] | None = None
    while True:
        lines.kept.clear()
        lines.defect = None
        start = lines.count + 1
        row: list[str] = []
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            lines.defect = f"is not CSV: {error}"
        if header is None:
            if lines.defect is not None:
                raise source.problem(f"the header {lines.defect}", start)
            header = _header(source, start, row) if row else None
        elif lines.defect is not None:
            yield source.broken(start, lines.defect, b"".join(lines.kept))
        elif len(row) == len(header):
            yield Record(start, dict(zip(header, map(_cell, row), strict=True)), None)
        elif row:
            defect = f"has {len(row)} cells where the header has {len(header)}"
            yield source.broken(start, defect, b"".join(lines.kept))


def _header(source: _Source, line: int, names: list[str]) -> list[str]:
    if not any(isinstance(_cell(name), str) for name in names):
        raise source.problem("has no header: its first line holds values, not names", line)
    if "" in names:
        raise source.problem(f"column {names.index('') + 1} of the header has no name", line)
    for name, count in Counter(names).items():
        if count > 1:
            raise source.problem(f"the header has the name {name!r:.100} {count} times", line, name)
    return names


def _cell(text: str) -> Any:
    if not text:
        return None
    match = _CELL.fullmatch(text)
    if match is None:
        return text
    if match.lastgroup == "bool":
        return text.lower() == "true"
    return int(text) if match.lastgroup == "int" else float(text)


def _parquet_records(source: _Source) -> Iterator[Record]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with _seekable(source) as file:
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


@contextmanager
def _seekable(source: _Source) -> Iterator[io.BufferedIOBase | IO[bytes]]:
    """The file from its start; unpacked into a temporary one if need be, since Parquet is read from its end."""
    if not source.packed and source.stream.seekable():
        source.stream.seek(0)
        yield source.stream
        return
    with tempfile.TemporaryFile() as copy:
        copy.writelines(source.seen)
        shutil.copyfileobj(source.stream, copy)
        copy.seek(0)
        yield copy


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
