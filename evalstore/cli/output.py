"""What leaves the command line: answers to stdout or a file, all talk to stderr."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import polars as pl

    from evalstore.cli.blocks import Block

__all__ = ["FORMATS", "Answer", "counted", "progress", "say", "warn", "write"]

FORMATS = ("table", "json", "csv", "parquet", "markdown")
PAGES = ("table", "markdown")


@dataclass
class Answer:
    """An answer in its three shapes; each is made when a format needs it.

    `frame` has all columns, for CSV and Parquet; `page` is what a person sees, for table and markdown; `document` is
    for JSON, by default an object per line of the frame.
    """

    frame: Callable[[], pl.DataFrame]
    page: Callable[[], Iterable[Block]]
    document: Callable[[], Any] | None = None


def write(answer: Answer, format: str, output: str | None = None, *, is_tour: bool = False) -> None:
    """Writes an answer to stdout, or to the file `output`; says for which columns there was no room, but on a tour."""
    from evalstore.cli import formats

    if format == "parquet":
        _write_parquet(formats.parquet(answer), output)
        return
    left_out: list[str] = []
    pieces = formats.pieces(answer, format, None if output else sys.stdout, left_out)
    if output:
        Path(output).write_text("".join(pieces), encoding="utf-8")
    else:
        for piece in pieces:
            sys.stdout.write(piece)
    if left_out and not is_tour:
        say(f"(no room for {', '.join(dict.fromkeys(left_out))}; --format json has everything)")


def counted(number: int, noun: str) -> str:
    """A number of things: `1 row`, `2,000 rows`."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def say(message: str) -> None:
    """Tells the person something that is no data."""
    sys.stdout.flush()  # so that on a terminal it comes after what it is about
    click.echo(message, err=True)


def warn(warnings: list[str], format: str | None, output: str | None) -> None:
    """Tells the person what speaks against an answer, unless the page that goes to stdout does; None: no page does."""
    if output or format not in PAGES:
        for warning in warnings:
            say(f"warning: {warning}")


@contextmanager
def progress(what: str, unit: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
    """Shows on stderr how far work is, if that is a terminal; gives the function that is told the count so far."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    of_total = "" if total is None else f" of {total}"
    columns = (
        TextColumn("{task.description}"),
        BarColumn(24),
        TextColumn("{task.completed:,.0f}" + f"{of_total} {unit}"),
    )
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(what, total=total)
        yield lambda count: shown.update(task, completed=count)


def _write_parquet(data: memoryview, output: str | None) -> None:
    if output:
        Path(output).write_bytes(data)
    elif sys.stdout.isatty():
        raise click.UsageError("Parquet is no text for a terminal: name a file (-o FILE), or send it to one (> FILE).")
    else:
        sys.stdout.buffer.write(data)
