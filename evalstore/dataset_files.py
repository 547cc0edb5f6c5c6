"""Where the datasets of a store lie: one file per content, named by its hash, and one line per name and version.

datasets/<version>.jsonl     the examples, one a line; the version is the SHA-256 of the file
meta/datasets.jsonl          which version has which name, in the order in which they were added
"""

from __future__ import annotations

import hashlib
import os
import uuid
from typing import TYPE_CHECKING, Any

from evalstore import json_text, meta
from evalstore.durable_files import sync_folder

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["add_entry", "entries", "file_of", "problem", "write_content"]

_ENTRIES = "datasets.jsonl"
_VERSION_LENGTH = 64


def entries(root: Path) -> list[dict[str, Any]]:
    """One entry per dataset and version, the oldest first: workspace, name, version, examples, created_at, ..."""
    return [entry for entry in meta.read(root, _ENTRIES) if _is_entry(entry)]


def add_entry(root: Path, entry: dict[str, Any]) -> None:
    """Gives a content a name, durably. Raises: OSError."""
    meta.append(root, _ENTRIES, entry)


def file_of(root: Path, version: str) -> Path:
    """The file with the content of this version."""
    return root / "datasets" / f"{version}.jsonl"


def write_content(root: Path, rows: Iterable[dict[str, Any]]) -> tuple[str, int]:
    """Writes rows durably, the same rows to the same file; their version and their number.

    Raises: OSError, and what `rows` raises; then nothing is left behind.
    """
    folder = root / "datasets"
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f".{uuid.uuid4().hex}"
    digest, count = hashlib.sha256(), 0
    try:
        with draft.open("xb") as file:
            for row in rows:
                line = json_text.canonical(row).encode() + b"\n"
                digest.update(line)
                file.write(line)
                count += 1
            file.flush()
            os.fsync(file.fileno())
        draft.rename(file_of(root, digest.hexdigest()))
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    sync_folder(folder)
    return digest.hexdigest(), count


def problem(root: Path, version: str, *, checksums: bool) -> str | None:
    """What is wrong with the file of a version; None when nothing is."""
    try:
        with file_of(root, version).open("rb") as file:
            if checksums and hashlib.file_digest(file, "sha256").hexdigest() != version:
                return "is not what was added"
    except OSError as error:
        return error.strerror or "cannot be read"
    return None


def _is_entry(entry: Any) -> bool:
    if not isinstance(entry, dict):
        return False
    named = all(isinstance(entry.get(field), str) for field in ("workspace", "name", "version", "created_at"))
    return (
        named
        and isinstance(entry.get("examples"), int)
        and len(entry["version"]) == _VERSION_LENGTH
        and set(entry["version"]) <= set("0123456789abcdef")
    )
