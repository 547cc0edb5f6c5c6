"""Finds and reads the SQL of evalstore. SQL is text in files under `sql/`; nothing in Python builds it."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

__all__ = ["fingerprint", "names", "read"]


@cache
def _root() -> Traversable:
    packaged = files("evalstore") / "sql"  # first, since another distribution may own a top-level `sql`
    checkout = Path(__file__).resolve().parents[1] / "sql"
    return checkout if checkout.is_dir() and (checkout.parent / "pyproject.toml").is_file() else packaged


@cache
def names(*folders: str) -> list[str]:
    """The SQL files of some folders as `folder/file.sql`, in the order of their numbers."""
    found = [(entry.name, folder) for folder in folders for entry in (_root() / folder).iterdir()]
    return [f"{folder}/{name}" for name, folder in sorted(found) if name.endswith(".sql")]


@cache
def read(name: str) -> str:
    """The text of one SQL file, named as `names` names it."""
    folder, file = name.split("/")
    return (_root() / folder / file).read_text(encoding="utf-8")


@cache
def fingerprint(*folders: str) -> str:
    """A digest of all SQL in some folders: equal exactly when a catalog made from them would be."""
    digest = hashlib.sha256()
    for name in names(*folders):
        digest.update(f"{name}\n{read(name)}\n".encode())
    return digest.hexdigest()[:16]
