"""Files that are there whole or not at all, and stay: JSON documents, names in folders."""

from __future__ import annotations

import ctypes
import errno
import os
import uuid
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING, Any

from evalstore import json_text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = [
    "exchange",
    "fault_point",
    "read_document",
    "sync_all",
    "sync_file",
    "sync_folder",
    "write_document",
    "write_draft",
]

_AT_ONCE = 8  # files: a file system makes that many durable in little more time than one
_CURRENT_FOLDER = -100  # AT_FDCWD
_EXCHANGE = 2  # RENAME_EXCHANGE


def read_document(path: Path) -> dict[str, Any] | None:
    """A JSON object from a file, or None when it is not there, cannot be read, or is not whole."""
    try:
        document = json_text.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def write_document(path: Path, document: dict[str, Any]) -> None:
    """Writes a JSON object durably; a crash leaves the old file or the new one."""
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(json_text.dumps(document)[0].encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        draft.rename(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def write_draft(path: Path, document: dict[str, Any]) -> None:
    """Writes a JSON object where nobody looks yet. It is not durable."""
    path.write_bytes(json_text.dumps(document)[0].encode() + b"\n")


def exchange(one: Path, other: Path) -> None:
    """Lets two names change places, in one step.

    Raises: OSError; with ENOSYS, EINVAL or EOPNOTSUPP where the system or the file system cannot do it.
    """
    call = _renameat2()
    if call is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS), str(one))
    if call(_CURRENT_FOLDER, os.fsencode(one), _CURRENT_FOLDER, os.fsencode(other), _EXCHANGE):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(one), None, str(other))


@cache
def _renameat2() -> Any:
    """The function of the C library that Python does not wrap; None where there is none."""
    return getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder durable."""
    sync_file(folder)


def sync_all(paths: Iterable[Path]) -> None:
    """Makes the content of files, and the names in folders, durable."""
    found = list(paths)
    if len(found) < _AT_ONCE:
        for path in found:
            sync_file(path)
        return
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="evalstore-sync") as pool:
        for _ in pool.map(sync_file, found):
            pass


def fault_point(name: str) -> None:
    """Dies here, as by SIGKILL, when the environment asks for it: so tests can crash a writer at every step."""
    if os.environ.get("EVALSTORE_FAULT") == name:
        os.kill(os.getpid(), 9)


def sync_file(path: Path) -> None:
    """Makes the content of a file durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
