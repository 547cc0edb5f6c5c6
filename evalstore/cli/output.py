"""Writes an answer in the format asked for: data to stdout or a file, all talk to stderr."""

from __future__ import annotations

import io
import json
import os
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from evalstore.cli import values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import polars as pl
    from rich.console import Console

    from evalstore.cli.blocks import Block

__all__ = ["FORMATS", "Answer", "progress", "say", "write"]

FORMATS = ("table", "json", "csv", "parquet", "markdown")
WIDTH = 120  # of a table that goes to a file or a pipe


@dataclass
class Answer:
    """An answer in its three shapes; each is made when a format needs it.

    `frame` has all columns, for CSV and Parquet; `page` is what a person sees, for table and markdown; `document` is
    for JSON, by default an object per line of the frame.
    """

    frame: Callable[[], pl.DataFrame]
    page: Callable[[], Iterable[Block]]
    document: Callable[[], Any] | None = None


def say(message: str) -> None:
    """Tells the person something that is no data."""
    click.echo(message, err=True)


@contextmanager
def progress(what: str, unit: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
    """Shows on stderr how far work is, if that is a terminal; gives the function that is told the count so far."""
    if not sys.stderr.isatty():
        yield lambda count: None  # noqa: ARG005
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


def write(answer: Answer, format: str, output: str | None = None, *, is_tour: bool = False) -> None:
    """Writes an answer to stdout, or to the file `output`; says for which columns there was no room, but on a tour."""
    if format == "parquet":
        _write_parquet(answer.frame(), output)
        return
    left_out: list[str] = []
    pieces = _pieces(answer, format, _console(None if output else sys.stdout), left_out)
    if output:
        Path(output).write_text("".join(pieces), encoding="utf-8")
    else:
        for piece in pieces:
            sys.stdout.write(piece)
    if left_out and not is_tour:
        say(f"(no room for {', '.join(dict.fromkeys(left_out))}; --format json has everything)")


def _pieces(answer: Answer, format: str, console: Console, left_out: list[str]) -> Iterator[str]:
    if format == "json":
        if answer.document is None:
            return _json_lines(_objects(answer.frame()))
        document = answer.document()
        return _json_lines(map(values.plain, document)) if isinstance(document, list) else _json_document(document)
    if format == "csv":
        return _csv(answer.frame())
    if format == "markdown":
        from evalstore.cli.markdown import markdown

        return markdown(answer.page())
    from evalstore.cli.terminal import render

    return render(answer.page(), console, left_out)


def _objects(frame: pl.DataFrame) -> Iterator[dict[str, Any]]:
    for line in zip(*values.plain_columns(frame), strict=True):
        yield dict(zip(frame.columns, line, strict=True))


def _json_lines(objects: Iterable[Any]) -> Iterator[str]:
    """An array with one object a line."""
    from evalstore import json_text

    is_first = True
    for one in objects:
        yield ("[\n" if is_first else ",\n") + json_text.dumps(one)[0]
        is_first = False
    yield "[]\n" if is_first else "\n]\n"


def _json_document(document: Any) -> Iterator[str]:
    yield json.dumps(values.plain(document), ensure_ascii=False, indent=2) + "\n"


def _csv(frame: pl.DataFrame) -> Iterator[str]:
    """A missing value is empty, an empty text is two quotes."""
    import polars as pl

    texts = dict(zip(frame.columns, values.text_columns(frame), strict=True))
    yield pl.DataFrame(texts, schema=dict.fromkeys(frame.columns, pl.String)).write_csv()


def _write_parquet(frame: pl.DataFrame, output: str | None) -> None:
    if output is None and sys.stdout.isatty():
        raise click.UsageError("Parquet is no text for a terminal: name a file (-o FILE), or send it to one (> FILE).")
    data = io.BytesIO()
    frame.write_parquet(data)
    if output:
        Path(output).write_bytes(data.getbuffer())
    else:
        sys.stdout.buffer.write(data.getbuffer())


def _console(stdout: TextIO | None) -> Console:
    """Colours only on a terminal; the width is that of the terminal, elsewhere $COLUMNS or 120."""
    from rich.console import Console

    is_terminal = stdout is not None and stdout.isatty()
    columns = os.environ.get("COLUMNS", "")
    width = None if is_terminal else int(columns) if columns.isdecimal() and int(columns) else WIDTH
    return Console(file=stdout, width=width, force_terminal=is_terminal, highlight=False, markup=False, emoji=False)
