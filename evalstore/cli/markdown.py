"""A page as markdown: pipe tables under headings, cells escaped so that they are read as they are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from evalstore.cli.blocks import NOTHING, Commands, Fields, Heading, Table
from evalstore.cli.values import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from evalstore.cli.blocks import Block

__all__ = ["markdown"]

_SPECIAL = re.compile(r"[\\`*<\[\]|~]|(?<!\w)_|_(?!\w)|&(?=#?\w+;)")  # underscores within words need nothing


def markdown(blocks: Iterable[Block]) -> Iterator[str]:
    """The blocks as markdown, piece by piece."""
    for number, block in enumerate(blocks):
        if number:
            yield "\n"
        if isinstance(block, Table):
            yield from _pipe_table(block)
        elif isinstance(block, Fields):
            yield from (f"- **{_escaped(name)}**: {_escaped(value)}\n" for name, value in block.pairs)
        elif isinstance(block, Commands):
            yield from (f"    $ {line}\n" for line in block.lines)
        elif isinstance(block, Heading):
            yield f"{'#' * (block.level + 1)} {_escaped('  '.join(filter(None, (block.text, block.detail))))}\n"
        else:
            yield f"{_escaped(block.text)}\n"


def _pipe_table(table: Table) -> Iterator[str]:
    yield _pipe_row(column.title for column in table.columns)
    yield "|" + "|".join(" ---: " if column.right else " --- " for column in table.columns) + "|\n"
    for cells in zip(*(column.cells for column in table.columns), strict=True):
        yield _pipe_row(NOTHING if cell is None else cell for cell in cells)
    if not len(table):
        yield "\n(none)\n"


def _pipe_row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(map(_escaped, cells)) + " |\n"


def _escaped(text: str) -> str:
    """Text that stays on its line and that markdown shows as it is."""
    lines = _SPECIAL.sub(lambda match: "&amp;" if match[0] == "&" else "\\" + match[0], text).splitlines()
    return "<br>".join(map(one_line, lines))
