"""What a page that a person sees is made of."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from evalstore.cli.values import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Block", "Column", "Commands", "Fields", "Heading", "Sentence", "Table"]

NOTHING = "-"


@dataclass(eq=False)
class Column:
    """A column of a table. Where the lines are too long, columns with the highest `spare` go first; 0 stays.

    Only texts wrap, unless `is_whole`; numbers stand on the right.
    """

    title: str
    cells: Sequence[str | None]
    right: bool = False
    spare: int = 0
    is_whole: bool = False

    @cached_property
    def width(self) -> int:
        """How many places of a terminal it wants."""
        from rich.cells import cell_len

        cells = [one_line(self.title), *self.shown()]
        return max(len(cell) if cell.isascii() else cell_len(cell) for cell in cells)

    def shown(self, start: int = 0, stop: int | None = None) -> list[str]:
        """The cells of some lines, each on its line."""
        return [NOTHING if cell is None else one_line(cell) for cell in self.cells[start:stop]]


@dataclass
class Table:
    """Columns of equal length."""

    columns: list[Column]

    def __len__(self) -> int:
        return len(self.columns[0].cells) if self.columns else 0


@dataclass
class Fields:
    """Names with their values, one a line; where `is_cut`, a value never takes more than its line."""

    pairs: list[tuple[str, str]]
    is_cut: bool = False
    indent: int = 0


@dataclass
class Heading:
    """What follows is about `text`; `detail` stands beside it, more quietly. Level 0 is that of a chapter."""

    text: str
    detail: str = ""
    level: int = 1


@dataclass
class Sentence:
    """Something said in words."""

    text: str


@dataclass
class Commands:
    """What one may type next, a line each, never wrapped: it is there to be copied."""

    lines: list[str]


Block = Table | Fields | Heading | Sentence | Commands
