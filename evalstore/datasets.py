"""Datasets that a store keeps under a name, versioned by content: the same rows are the same version."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalstore import dataset_files, json_text, names, store_folder
from evalstore.errors import BrokenStore, DatasetNotFound, UsageError, near
from evalstore.example_rows import example_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl

__all__ = ["Dataset", "Datasets"]


@dataclass(frozen=True)
class Dataset:
    """One version of a dataset: iterating gives its examples as dicts, any number of times, in their order."""

    name: str
    workspace: str
    version: str
    """The SHA-256 of the content, 64 hex digits; any beginning of it of 6 or more names the version."""
    examples: int
    description: str | None
    created_at: datetime
    _file: Path = field(repr=False)

    def __len__(self) -> int:
        return self.examples

    def __iter__(self) -> Iterator[dict[str, Any]]:
        try:
            with self._file.open("rb") as file:
                for line in file:
                    yield json_text.loads(line)
        except OSError as error:
            raise BrokenStore(f"{self._file} cannot be read ({error.strerror}): see `evalstore verify`") from error

    def to_polars(self) -> pl.DataFrame:
        """The examples, one a line: id, and inputs, outputs, metadata as JSON text."""
        import polars as pl

        columns = ("id", "inputs", "outputs", "metadata")
        lines = [[_text(row.get(column)) for column in columns] for row in self]
        return pl.DataFrame(lines, dict.fromkeys(columns, pl.String), orient="row")


class Datasets:
    """The datasets of a workspace: `store.datasets.add("capitals", rows)`."""

    def __init__(self, root: Path, workspace: str) -> None:
        self._root, self._workspace = root, workspace

    def add(self, name: str, rows: Any, *, description: str | None = None) -> Dataset:
        """Keeps a dataset under a name; new content under a known name is its next version, the same content none.

        `rows` is an iterable of dicts or examples with `inputs` and `outputs`, a Polars, Arrow or pandas frame with
        such columns (also `inputs.question`), or a path.

        Raises: UsageError, BrokenInput, OSError; then the dataset is as it was.
        """
        if not isinstance(name, str) or not name.strip():
            raise UsageError(f"the name of a dataset is text, not {name!r}")
        names.reference(name, "dataset")
        given = Path(rows) if isinstance(rows, str) else rows
        store_folder.create(self._root)
        kept = (_kept(row, number) for number, row in enumerate(example_rows(given)))
        version, count = dataset_files.write_content(self._root, _not_empty(kept, name))
        newest = self._entries(name)[-1:]
        if not newest or newest[0]["version"] != version:
            entry = {"workspace": self._workspace, "name": name, "version": version, "examples": count,
                     "description": description, "created_at": datetime.now(UTC).isoformat()}  # fmt: skip
            dataset_files.add_entry(self._root, entry)
        return self.get(name)

    def get(self, name: str, version: str | None = None) -> Dataset:
        """A dataset: its newest version, or the one whose content hash begins so.

        Raises: DatasetNotFound, which names near ones.
        """
        entries = self._entries(name)
        if not entries:
            known = {entry["name"] for entry in self._entries()}
            raise DatasetNotFound(
                f"there is no dataset {name!r} in workspace {self._workspace!r}; {near(name, known)} "
                "`store.datasets.add(name, rows)` keeps one"
            )
        if version is not None:
            shortest = 6
            entries = [e for e in entries if len(version) >= shortest and e["version"].startswith(version)]
            if not entries:
                versions = [entry["version"][:12] for entry in self._entries(name)]
                raise DatasetNotFound(f"dataset {name!r} has no version {version!r}; {near(version, versions)}")
        return self._dataset(entries[-1])

    def has(self, name: str) -> bool:
        """Whether there is a dataset of this name."""
        return bool(self._entries(name))

    def _entries(self, name: str | None = None) -> list[dict[str, Any]]:
        found = (entry for entry in dataset_files.entries(self._root) if entry["workspace"] == self._workspace)
        return [entry for entry in found if name is None or entry["name"] == name]

    def _dataset(self, entry: dict[str, Any]) -> Dataset:
        return Dataset(
            entry["name"],
            entry["workspace"],
            entry["version"],
            entry["examples"],
            entry.get("description"),
            datetime.fromisoformat(entry["created_at"]),
            dataset_files.file_of(self._root, entry["version"]),
        )

    def list(self) -> pl.DataFrame:
        """All versions of all datasets of the workspace, the newest first."""
        import polars as pl

        columns: dict[str, pl.DataType | type[pl.DataType]] = {
            "name": pl.String,
            "version": pl.String,
            "examples": pl.Int64,
            "description": pl.String,
            "created_at": pl.Datetime("us", "UTC"),
        }
        found = [self._dataset(entry) for entry in reversed(self._entries())]
        lines = [[getattr(one, column) for column in columns] for one in found]
        return pl.DataFrame(lines, columns, orient="row")


def _kept(row: dict[str, Any], number: int) -> dict[str, Any]:
    """An example as it is kept. Attachments are not: they are bytes, and JSON has none."""
    if row.get("attachments"):
        raise UsageError(
            f"example {number} has attachments, which a kept dataset cannot hold: give their paths as inputs"
        )
    kept = {field: row[field] for field in ("id", "inputs", "outputs", "metadata") if field in row}
    kept = {**kept, "id": str(kept["id"])} if "id" in kept else kept
    plain: dict[str, Any] = json_text.loads(json_text.given(f"example {number}", kept)[0])
    return plain


def _not_empty(rows: Iterator[dict[str, Any]], name: str) -> Iterator[dict[str, Any]]:
    is_empty = True
    for row in rows:
        is_empty = False
        yield row
    if is_empty:
        raise UsageError(f"dataset {name!r} would have no examples")


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json_text.dumps(value)[0]
