"""Opens a file of records, and unpacks it from gzip or zstd as it is read."""

from __future__ import annotations

import gzip
import io
import re
import shutil
import tempfile
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

import zstandard

from evalstore.errors import BrokenInput
from evalstore.importers.record import TEXT_KEPT, Record

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from _typeshed import WriteableBuffer

__all__ = ["Source", "opened", "seekable"]

_CHUNK = 16 * 1024
_PACKED_SUFFIXES = {".gz", ".gzip", ".zst", ".zstd"}
_SKIPPED_FRAME = re.compile(rb"[\x50-\x5f]\x2a\x4d\x18")  # how pzstd begins a file


class Source:
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
        """All lines, those looked at too."""
        yield from self.seen
        yield from self.stream

    def problem(self, text: str, line: int | None = None, field: str | None = None) -> BrokenInput:
        """What is wrong with the file, or with one line or field of it."""
        return BrokenInput(text, file=self.path, line=line, field=field)

    def broken(self, line: int, problem: str, text: str | bytes, field: str | None = None) -> Record:
        """A record that cannot be read."""
        if isinstance(text, bytes):
            text = text[: 4 * TEXT_KEPT].decode(errors="replace")
        return Record(line, None, self.problem(problem, line, field), text[:TEXT_KEPT].rstrip("\r\n"))


@contextmanager
def opened(path: Path) -> Iterator[Source]:
    """The file, unpacked if its first bytes say that it is packed."""
    try:
        raw = path.open("rb")
    except ValueError as error:  # a NUL in the name
        raise BrokenInput(f"is not a file name: {error}", file=path) from error
    with raw:
        magic = raw.peek(4)[:4]
        if magic.startswith(b"\x1f\x8b"):
            with gzip.GzipFile(fileobj=raw) as plain:
                yield Source(path, plain, packed=True)
        elif magic == zstandard.FRAME_HEADER or _SKIPPED_FRAME.fullmatch(magic):
            yield Source(path, io.BufferedReader(_Zstd(raw), _CHUNK * 8), packed=True)
        else:
            yield Source(path, raw, packed=False)


@contextmanager
def seekable(source: Source) -> Iterator[io.BufferedIOBase | IO[bytes]]:
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
