"""A page as text for a terminal.

Nothing is cut without being said. Where the lines of a table are too long, first those columns go that can be spared,
then texts are wrapped, and where that is not enough each line becomes a record of its own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from evalstore.cli.blocks import Column, Commands, Fields, Heading, Sentence
from evalstore.cli.values import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.console import Console, RenderableType

    from evalstore.cli.blocks import Block

__all__ = ["cut", "render"]

GAP = 2
NARROWEST = 12  # a column of text is not wrapped into less
AT_ONCE = 500  # lines that are laid out together


def render(blocks: Iterable[Block], console: Console, left_out: list[str]) -> Iterator[str]:
    """The blocks as text, piece by piece. Adds to `left_out` the titles of columns for which there was no room."""
    for number, block in enumerate(blocks):
        if number and not isinstance(block, Commands) and not (isinstance(block, Fields) and block.indent):
            yield "\n"
        for piece in _pieces(block, console.width, left_out):
            with console.capture() as capture:
                console.print(piece, soft_wrap=isinstance(block, (Heading, Commands)))
            yield re.sub(r"[^\S\n]+\n", "\n", capture.get())


def cut(text: str, width: int) -> str:
    """A text on one line, cut to a width with an ellipsis."""
    from rich.cells import cell_len, set_cell_size

    text = one_line(text)
    return text if cell_len(text) <= width else set_cell_size(text, max(width - 1, 0)).rstrip() + "…"


def _pieces(block: Block, width: int, left_out: list[str]) -> Iterator[RenderableType]:
    from rich.rule import Rule
    from rich.text import Text

    if isinstance(block, Heading) and block.level == 0:
        yield Rule(Text(one_line(block.text), style="bold"), align="left", style="dim")
    elif isinstance(block, Commands):
        yield from (Text(f"$ {one_line(line)}", style="dim") for line in block.lines)
    elif isinstance(block, Heading):
        yield Text.assemble((one_line(block.text), "bold"), ("  " + one_line(block.detail), "dim"))
    elif isinstance(block, Sentence):
        yield Text(one_line(block.text))
    elif isinstance(block, Fields):
        yield _grid(block, width)
    elif not len(block):
        yield from _tables(block.columns, [len(column.title) for column in block.columns])
        yield Text("(none)", style="dim")
    else:
        columns = _spared(block.columns, width)
        left_out += [column.title for column in block.columns if column not in columns]
        widths = _widths(columns, width)
        yield from _records(columns, width) if widths is None else _tables(columns, widths)


def _spared(columns: list[Column], width: int) -> list[Column]:
    """The columns without those that can be spared where the lines are too long."""
    columns = list(columns)
    while _line_length(column.width for column in columns) > width and any(column.spare for column in columns):
        columns.remove(max(columns, key=lambda column: column.spare))
    return columns


def _widths(columns: list[Column], width: int) -> list[int] | None:
    """How wide each column is, the widest texts wrapped as far as need be; None where they cannot be."""
    natural = [column.width for column in columns]
    for widest in range(min(max(natural), width), NARROWEST - 1, -1):
        widths = [
            wanted if column.right or column.is_whole else min(wanted, widest)
            for column, wanted in zip(columns, natural, strict=True)
        ]
        if _line_length(widths) <= width:
            return widths
    return None if _line_length(natural) > width else natural


def _line_length(widths: Iterable[int]) -> int:
    widths = list(widths)
    return sum(widths) + GAP * (len(widths) - 1)


def _tables(columns: list[Column], widths: list[int]) -> Iterator[RenderableType]:
    """One table in pieces, so that any number of lines is laid out in little memory."""
    from rich import box
    from rich.table import Table as RichTable
    from rich.text import Text

    is_wrapped = any(column.width > width for column, width in zip(columns, widths, strict=True))
    for start in range(0, max(len(columns[0].cells), 1), AT_ONCE):
        piece = RichTable(
            box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, GAP - 1, 0, 0), header_style="bold",
            border_style="dim", show_header=start == 0, leading=int(is_wrapped),
        )  # fmt: skip
        for column, width in zip(columns, widths, strict=True):
            piece.add_column(
                Text(one_line(column.title)), justify="right" if column.right else "left", width=width, overflow="fold"
            )
        for cells in zip(*(column.shown(start, start + AT_ONCE) for column in columns), strict=True):
            piece.add_row(*map(Text, cells))
        yield piece


def _records(columns: list[Column], width: int) -> Iterator[RenderableType]:
    from rich.rule import Rule

    for place in range(len(columns[0].cells)):
        yield Rule(f"{place + 1}", style="dim", align="left")
        yield _grid(Fields([(column.title, column.shown(place, place + 1)[0]) for column in columns]), width)


def _grid(block: Fields, width: int) -> RenderableType:
    from rich.padding import Padding
    from rich.table import Table as RichTable
    from rich.text import Text

    name_width = max(len(one_line(name)) for name, _ in block.pairs)
    room = max(width - block.indent - name_width - GAP, NARROWEST)
    grid = RichTable(box=None, show_header=False, pad_edge=False, padding=(0, GAP, 0, 0))
    grid.add_column(width=name_width, no_wrap=True, style="dim")
    grid.add_column(max_width=room, overflow="fold")
    for name, value in block.pairs:
        grid.add_row(Text(one_line(name)), Text(cut(value, room) if block.is_cut else one_line(value)))
    return Padding(grid, (0, 0, 0, block.indent), expand=False)
