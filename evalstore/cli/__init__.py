"""The command line: it parses, calls one method of the store, and prints.

    app.py         the program: its global options, and what an error prints and exits with
    options.py     what several commands take, and how NAME=PATH and the like are read
    completion.py  completion in the shell
    reading.py     the commands that ask; writing.py: those that record; upkeep.py: those that keep a store in order
    pages/         what a person sees, one module per command
    layout.py      fits a page into the width of a terminal
    output.py      writes an answer in any of the formats; values.py: how a value looks in all of them

Nothing heavy is imported before a command runs: `evalstore --help` waits for click only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Runs the command line and exits: 0 done, 2 wrong usage, 3 not comparable, 4 the store or an input is broken."""
    from evalstore.cli.app import evalstore

    evalstore.main(arguments, prog_name="evalstore")
    raise AssertionError
