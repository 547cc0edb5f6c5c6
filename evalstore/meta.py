"""The append-only truth about a store that belongs to no job: one JSON object a line, in files under `meta/`."""

from __future__ import annotations

import errno
import fcntl
import os
from typing import TYPE_CHECKING, Any

from evalstore import json_text

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["append", "is_declaration", "latest_declarations", "read"]


def append(root: Path, file: str, entry: dict[str, Any]) -> None:
    """Appends one entry durably: one write, so that entries of several processes never mix.

    Raises: OSError; then the file is as it was before.
    """
    folder = root / "meta"
    folder.mkdir(parents=True, exist_ok=True)
    line = json_text.dumps(entry)[0].encode() + b"\n"
    descriptor = os.open(folder / file, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)  # so that what is cut off again is never the line of somebody else
        size = os.fstat(descriptor).st_size
        if size and os.pread(descriptor, 1, size - 1) != b"\n":
            line = b"\n" + line  # a torn line of a dead writer must not swallow this one
        try:
            if os.write(descriptor, line) < len(line):  # a full disk shows itself as a short write first
                raise OSError(errno.ENOSPC, "no space left for the whole entry", str(folder / file))
            os.fsync(descriptor)
        except BaseException:
            os.ftruncate(descriptor, size)
            raise
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)  # closing does not let go of it while a forked child has it open too
        os.close(descriptor)


def read(root: Path, file: str) -> list[dict[str, Any]]:
    """All whole entries of a file, in the order in which they were appended."""
    try:
        lines = (root / "meta" / file).read_text(encoding="utf-8", errors="replace").split("\n")
    except FileNotFoundError:
        return []
    entries = []
    for line in lines:
        try:
            entries.append(json_text.loads(line))
        except (ValueError, RecursionError):  # torn by a crash: it was never acknowledged
            continue
    return entries


def latest_declarations(root: Path) -> list[dict[str, Any]]:
    """The declaration in force for each (workspace, metric, name): the last one made."""
    entries = [entry for entry in read(root, "metrics.jsonl") if is_declaration(entry)]
    return list({(e["workspace"], e["metric"], e.get("name")): e for e in entries}.values())


def is_declaration(entry: Any) -> bool:
    """Whether an entry can be the declaration of a metric; what else stands in the file stops nobody."""
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str | None):
        return False
    is_named = all(isinstance(entry.get(field), str) for field in ("workspace", "metric"))
    return is_named and json_text.depth(entry) <= json_text.DEEPEST
