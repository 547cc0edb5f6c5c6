"""The commands that put jobs away in a file, and bring them back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from evalstore.cli import completion
from evalstore.cli.options import Place, format_option
from evalstore.cli.output import Answer, counted, progress, say, write
from evalstore.cli.program import Command
from evalstore.cli.writing import import_

if TYPE_CHECKING:
    import polars as pl

    from evalstore.importers.report import ImportReport

__all__ = ["archive", "import_archive"]


@click.command(
    cls=Command,
    short_help="Write jobs as one file, with checksums.",
    example="evalstore archive gsm8k-175b gsm8k-6b --to gsm8k.tar.zst",
)
@click.argument("jobs", metavar="JOB...", nargs=-1, required=True, shell_complete=completion.jobs)
@click.option("--to", metavar="FILE.tar.zst", type=click.Path(dir_okay=False), required=True, help="What to write.")
@click.pass_obj
def archive(place: Place, /, *, jobs: tuple[str, ...], to: str) -> None:
    """Write each JOB with all that belongs to it into one file; its path goes to stdout.

    `evalstore import archive` brings the jobs back, here or in another store. They stay where they are: `evalstore
    prune` or `delete` makes room.
    """
    from evalstore.cli.pages.wording import size

    with progress("archiving", "files") as tell:
        report = place.open().archive(jobs, to=to, progress=tell)
    click.echo(to)
    say(f"archived {counted(len(report.jobs), 'job')}: {size(report.bytes)} in {size(report.archive_bytes)}")


@import_.command(
    "archive",
    cls=Command,
    short_help="Jobs that `evalstore archive` has put away.",
    example="evalstore import archive gsm8k.tar.zst",
)
@click.argument("path")
@format_option("table", "json")
@click.pass_obj
def import_archive(place: Place, /, *, path: str, format: str) -> None:
    """Bring back the jobs in the archive PATH, under the workspaces and names that they had.

    Every checksum is checked before anything is stored. A job that is here already stays as it is; a name that another
    job has is refused.
    """
    from evalstore.cli.pages.jobs import frame_page

    with progress("unpacking", "files") as tell:
        report = place.open().import_from("archive", path, progress=tell)
    frame = _frame(report)
    write(Answer(lambda: frame, lambda: frame_page(frame), report.to_dict), format)
    for flag in report.flags:
        say(flag)


def _frame(report: ImportReport) -> pl.DataFrame:
    import polars as pl

    came = len(report.jobs) - len(report.flags)
    what = ["brought in"] * came + ["was here already"] * len(report.flags)
    return pl.DataFrame({"job": report.jobs, "what": what})
