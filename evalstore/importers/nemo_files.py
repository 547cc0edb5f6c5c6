"""Where artifacts of NeMo Evaluator lie: the files of each job, found in folders or named one by one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from evalstore.errors import BrokenInput, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

__all__ = ["Artifacts", "find"]

_ROWS, _AGGREGATES = "row-scores.jsonl", "aggregate-scores.json"


@dataclass
class Artifacts:
    """The files of one job: its rows, its aggregates, or both."""

    rows: Path | None = None
    aggregates: Path | None = None

    @property
    def files(self) -> list[Path]:
        """Those that there are; the first one tells where the job comes from."""
        return [file for file in (self.rows, self.aggregates) if file is not None]


def find(paths: Iterable[Path]) -> dict[str, Artifacts]:
    """The artifacts in folders and of files, by the name of their job: NAME.row-scores.jsonl, or NAME/row-scores.jsonl.

    Rows and aggregates belong together where they lie in one folder under one name; a file that is named alone brings
    along the other one.

    Raises: BrokenInput where there is nothing, UsageError where two jobs would have one name.
    """
    files = {file.parent.resolve() / file.name: file for path in paths for file in _files(path)}
    if not files:
        raise UsageError("name at least one folder or file of artifacts")
    by_place: dict[tuple[Path, str], Artifacts] = {}
    by_name: dict[str, Artifacts] = {}
    for place, file in files.items():
        stem, kind = _stem_and_kind(file)
        name = stem.rstrip(".-_") or place.parent.name
        artifacts = by_place.get((place.parent, stem))
        if artifacts is None:
            artifacts = by_place[place.parent, stem] = Artifacts()
            _check_is_one(name, file, by_name.setdefault(name, artifacts).files)
        _check_is_one(name, file, [one for one in [getattr(artifacts, kind)] if one])
        setattr(artifacts, kind, file)
    return by_name


def _files(path: Path) -> Iterator[Path]:
    """The artifacts in a folder; or a file, and what lies beside it."""
    if path.is_dir():
        found = sorted(file for kind in (_ROWS, _AGGREGATES) for file in path.rglob(f"*{kind}"))
        if not found:
            raise BrokenInput(f"holds no artifacts: files that end in {_ROWS} or {_AGGREGATES}", file=path)
        yield from found
        return
    if not path.exists():
        raise BrokenInput("there is no such file", file=path)
    yield path
    for one, other in ((_ROWS, _AGGREGATES), (_AGGREGATES, _ROWS)):
        if path.name.endswith(one) and (beside := path.with_name(path.name.removesuffix(one) + other)).exists():
            yield beside


def _stem_and_kind(file: Path) -> tuple[str, str]:
    for ending, kind in ((_ROWS, "rows"), (_AGGREGATES, "aggregates")):
        if file.name.endswith(ending):
            return file.name.removesuffix(ending), kind
    return file.stem, "rows" if file.suffix == ".jsonl" else "aggregates"


def _check_is_one(name: str, file: Path, others: list[Path]) -> None:
    if others:
        raise UsageError(
            f"{others[0]} and {file} would both be job {name!r}: import one of them by itself under another name "
            "(job=NAME, --job NAME)"
        )
