"""Where the examples of an experiment come from, one after the other, each with its place in the dataset.

Nothing is read ahead: whoever wants the next example asks for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterable, Iterable, Mapping, Sized
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from evalstore import frames, logged_line
from evalstore.datasets import Dataset
from evalstore.errors import DatasetNotFound, UsageError
from evalstore.evaluation.schemas import Example
from evalstore.example_rows import example_row, file_rows, is_example

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from evalstore.store import Store

__all__ = ["Source", "Task", "source_of"]


class Task(NamedTuple):
    """One run of the target that is to be made: an example, its key, its place from 0, and which pass over it."""

    example: Any
    row_key: str
    row_index: int
    repetition: int
    occurrence: int = 0
    """How many examples before it have the same key; counted only where rows are numbered."""


class Source:
    """Examples, each as often as there are repetitions.

    What can be read again is gone through once per repetition; of what can be read once, each example is repeated.
    """

    def __init__(
        self,
        items: Iterable[Any] | AsyncIterable[Any] | Callable[[], Iterable[Any]],
        *,
        length: int | None,
        dataset: str | None = None,
        version: str | None = None,
    ) -> None:
        """`items` is a function where it can be read again."""
        self.items, self.length, self.dataset, self.version = items, length, dataset, version
        self.is_async = isinstance(items, AsyncIterable)

    def tasks(self, repetitions: int, *, are_counted: bool) -> Iterator[Task]:
        """All tasks. Raises: what the data raises, UsageError for what is no example."""
        if callable(self.items):
            seen: Counter[str] = Counter()
            for repetition in range(repetitions):
                seen.clear()
                for index, item in enumerate(self.items()):
                    yield _task(item, index, repetition, seen if are_counted else None)
            return
        seen = Counter()
        items: Iterable[Any] = self.items  # type: ignore[assignment]
        for index, item in enumerate(items):
            yield from self._repeated(item, index, repetitions, seen if are_counted else None)

    async def atasks(self, repetitions: int, *, are_counted: bool) -> AsyncIterator[Task]:
        """The same of an asynchronous iterable."""
        seen: Counter[str] = Counter()
        index = 0
        items: AsyncIterable[Any] = self.items  # type: ignore[assignment]
        async for item in items:
            for task in self._repeated(item, index, repetitions, seen if are_counted else None):
                yield task
            index += 1

    def _repeated(self, item: Any, index: int, repetitions: int, seen: Counter[str] | None) -> Iterator[Task]:
        first = _task(item, index, 0, seen)
        yield first
        for repetition in range(1, repetitions):
            yield Task(first.example, first.row_key, index, repetition, first.occurrence)


def source_of(data: Any, store: Store) -> Source:
    """The examples in what a user gave as `data`.

    That is the name of a dataset kept in the store, a kept dataset, a path, a Polars, Arrow or pandas frame, or an
    iterable, also an asynchronous one, of examples or of dicts.

    Raises: DatasetNotFound, UsageError.
    """
    if isinstance(data, str):
        return _named(data, store)
    if isinstance(data, Path):
        if not data.exists():
            raise UsageError(f"there is no file {data}")
        return Source(lambda: file_rows(data), length=None)
    if isinstance(data, Dataset):
        return Source(lambda: data, length=len(data), dataset=data.name, version=data.version)
    if isinstance(data, AsyncIterable):
        return Source(data, length=None)
    return _given(data)


def _given(data: Any) -> Source:
    frame = None if isinstance(data, (list, tuple)) else frames.as_polars(data)
    if frame is not None:
        _check(frame.height)
        return Source(lambda: frame.iter_rows(named=True), length=frame.height)
    if isinstance(data, (bytes, Mapping)) or not isinstance(data, Iterable):
        raise UsageError(
            "data is the name of a dataset, a path, a frame, or an iterable of examples or of dicts like "
            f"{{'inputs': {{...}}, 'outputs': {{...}}}}, not {type(data).__name__}"
        )
    if isinstance(data, Sized):
        _check(len(data))
        return Source(lambda: data, length=len(data))
    return Source(data, length=None)


def _named(name: str, store: Store) -> Source:
    """A dataset of the store, or else a file."""
    try:
        kept = store.datasets.get(name)
    except DatasetNotFound:
        if Path(name).is_file():
            return Source(lambda: file_rows(Path(name)), length=None)
        if Path(name).suffix:
            raise UsageError(f"there is no file {name}, and no dataset of this name in the store") from None
        raise
    return Source(lambda: kept, length=len(kept), dataset=kept.name, version=kept.version)


def _check(length: int) -> None:
    if not length:
        raise UsageError("data has no examples")


def _task(item: Any, index: int, repetition: int, seen: Counter[str] | None) -> Task:
    example, key = _example(item, index)
    occurrence = 0
    if seen is not None:
        occurrence = seen[key]
        seen[key] += 1
    return Task(example, key, index, repetition, occurrence)


def _example(item: Any, index: int) -> tuple[Any, str]:
    """The example, and the key of its rows: its id, or else the hash of its inputs, which then is its id too."""
    if is_example(item):
        given = getattr(item, "id", None)
        if given is None:
            return item, logged_line.item_key(item.inputs)
        return item, str(given)
    row = example_row(item, f"example {index}")
    if row.get("id") in (None, ""):
        key = logged_line.item_key(row["inputs"])
        return Example(**{**row, "id": UUID(hex=key)}), key
    return Example(**row), str(row["id"])
