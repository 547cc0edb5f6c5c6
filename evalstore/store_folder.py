"""The folder of a store: what makes a folder one, and how it comes to be."""

from __future__ import annotations

import shutil
import uuid
from typing import TYPE_CHECKING

from evalstore.committed import EMPTY
from evalstore.database import check_root
from evalstore.errors import StoreNotFound, UsageError
from evalstore.job_files import write_schema_files

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["create", "exists", "require"]

_FOLDERS = ("jobs", "pending", "meta")


def exists(root: Path) -> bool:
    """Whether there is a store at this path."""
    return (root / EMPTY / "scores-empty.parquet").is_file()


def require(root: Path) -> None:
    """Raises StoreNotFound where there is no store: reading never creates one."""
    if not exists(root):
        raise StoreNotFound(
            f"there is no store at {root}; the first job recorded creates it, or name another one (--store, $EVALSTORE)"
        )


def create(root: Path) -> None:
    """Makes the folder a store, if it is none yet. Several processes may do so at once.

    Raises: UsageError for a folder that holds other things, or that DuckDB cannot name.
    """
    if exists(root):
        return
    check_root(root)
    if root.exists() and not root.is_dir():
        raise UsageError(f"{root} is a file; a store is a folder")
    ours = {*_FOLDERS, "staging", "datasets", "writer.lock"}
    strangers = sorted(entry.name for entry in root.iterdir() if entry.name not in ours) if root.exists() else []
    if strangers:
        raise UsageError(
            f"{root} is no store and holds other things ({', '.join(strangers[:3])}); choose a folder of its own"
        )
    for name in _FOLDERS:
        (root / name).mkdir(parents=True, exist_ok=True)
    draft = root / "staging" / ".new" / uuid.uuid4().hex
    draft.mkdir(parents=True)
    write_schema_files(draft)
    try:
        (root / EMPTY).parent.mkdir(exist_ok=True)
        draft.rename(root / EMPTY)
    except OSError:  # another process was faster
        shutil.rmtree(draft, ignore_errors=True)
        if not exists(root):
            raise
