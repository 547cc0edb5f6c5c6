"""An answer in each of the formats. A value looks the same in all of them: see `values`."""

from __future__ import annotations

import io
import itertools
import json
import os
from typing import TYPE_CHECKING, Any, TextIO

from evalstore import json_text
from evalstore.cli import values

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import polars as pl
    from rich.console import Console

    from evalstore.cli.output import Answer

__all__ = ["parquet", "pieces"]

WIDTH = 120  # of a table that goes to a file or a pipe
TOGETHER = 10_000  # lines of JSON


def pieces(answer: Answer, format: str, stdout: TextIO | None, left_out: list[str]) -> Iterator[str]:
    """The text of an answer, piece by piece, for stdout or for a file.

    Adds to `left_out` the titles of the columns of tables for which there was no room.
    """
    if format == "csv":
        return _csv(answer.frame())
    if format == "json":
        if answer.document is None:
            return _json_lines(_objects(answer.frame()))
        document = answer.document()
        return _json_lines(map(values.plain, document)) if isinstance(document, list) else _json_document(document)
    if format == "markdown":
        from evalstore.cli.markdown import markdown

        return markdown(answer.page())
    from evalstore.cli.terminal import render

    return render(answer.page(), _console(stdout), left_out)


def parquet(answer: Answer) -> memoryview:
    """The bytes of an answer as Parquet."""
    data = io.BytesIO()
    answer.frame().write_parquet(data)
    return data.getbuffer()


def _objects(frame: pl.DataFrame) -> Iterator[dict[str, Any]]:
    for line in zip(*values.plain_columns(frame), strict=True):
        yield dict(zip(frame.columns, line, strict=True))


def _json_lines(objects: Iterable[Any]) -> Iterator[str]:
    """An array with one object a line."""
    before = "[\n"
    lines = (json_text.dumps(one)[0] for one in objects)
    while batch := list(itertools.islice(lines, TOGETHER)):
        yield before + ",\n".join(batch)
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def _json_document(document: Any) -> Iterator[str]:
    yield json.dumps(values.plain(document), ensure_ascii=False, indent=2) + "\n"


def _csv(frame: pl.DataFrame) -> Iterator[str]:
    """A missing value is empty, an empty text is two quotes."""
    import polars as pl

    texts = dict(zip(frame.columns, values.text_columns(frame), strict=True))
    yield pl.DataFrame(texts, schema=dict.fromkeys(frame.columns, pl.String)).write_csv()


def _console(stdout: TextIO | None) -> Console:
    """Colours only on a terminal; the width is that of the terminal, elsewhere $COLUMNS or 120."""
    from rich.console import Console

    is_terminal = stdout is not None and stdout.isatty()
    columns = os.environ.get("COLUMNS", "")
    width = None if is_terminal else int(columns) if columns.isdecimal() and int(columns) else WIDTH
    return Console(file=stdout, width=width, force_terminal=is_terminal, highlight=False, markup=False, emoji=False)
