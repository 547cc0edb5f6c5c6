"""The commands that keep a store in order."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from evalstore.cli import completion
from evalstore.cli.options import Place, format_option, output_option
from evalstore.cli.output import Answer, counted, progress, say, write
from evalstore.cli.program import Command
from evalstore.errors import BrokenStore

if TYPE_CHECKING:
    import polars as pl

__all__ = ["compact", "delete", "rebuild", "restore", "tag", "trash", "verify"]


@click.command(
    cls=Command,
    short_help="Delete jobs, with a way back.",
    example="evalstore delete gsm8k-175b gsm8k-6b",
)
@click.argument("jobs", metavar="JOB...", nargs=-1, required=True, shell_complete=completion.jobs)
@click.pass_obj
def delete(place: Place, /, *, jobs: tuple[str, ...]) -> None:
    """Delete each JOB (NAME, WORKSPACE/NAME, @last or @last~1): no question sees it any more.

    It lies in the trash, and `evalstore restore` brings it back, until `evalstore prune --trash`. If one of the jobs is
    not there, none is deleted.
    """
    deleted = [place.name_of(path) for path in place.open().delete(*jobs)]
    for name in deleted:
        say(f"deleted {name}")
    name, it = (deleted[0], "it") if len(deleted) == 1 else ("JOB", "them")
    say(f"`evalstore restore {name}` brings {it} back; `evalstore prune --trash` removes {it} for good")


@click.command(
    cls=Command,
    short_help="Bring a deleted job back.",
    example="evalstore restore gsm8k-175b",
)
@click.argument("job", shell_complete=completion.deleted_jobs)
@click.pass_obj
def restore(place: Place, /, *, job: str) -> None:
    """Bring back JOB, the last one of this name that was deleted, or the one with this id.

    `evalstore trash` lists names and ids.
    """
    say(f"restored {place.name_of(place.open().restore(job))}")


@click.command(
    cls=Command,
    short_help="Tag a job, or leave a note.",
    example="evalstore tag gsm8k-175b --add reviewed --remove draft --note 'the run of the paper'",
)
@click.argument("job", shell_complete=completion.jobs)
@click.option("--add", metavar="TAG", multiple=True, help="A tag that it gets; repeatable.")
@click.option("--remove", metavar="TAG", multiple=True, shell_complete=completion.tags, help="One that it loses.")
@click.option("--note", metavar="TEXT", help="A note, kept with the time.")
@click.pass_obj
def tag(place: Place, /, *, job: str, add: tuple[str, ...], remove: tuple[str, ...], note: str | None) -> None:
    """Say something of a finished JOB; nothing else of it changes."""
    tags = place.open().tag(job, add=add, remove=remove, note=note)
    say(f"{job} has the tags {', '.join(tags)}" if tags else f"{job} has no tags")


@click.command(cls=Command, short_help="List deleted jobs.", example="evalstore trash")
@format_option()
@output_option
@click.pass_obj
def trash(place: Place, /, *, format: str, output: str | None) -> None:
    """List the deleted and the replaced jobs that can be restored, the last one first."""
    _write_deleted(place, place.open().trash(), format, output)


@click.command(
    cls=Command,
    short_help="Check that everything is as it was stored.",
    example="evalstore verify\nevalstore verify --no-checksums --format json",
)
@click.option("--no-checksums", is_flag=True, help="Only compare sizes and counts; do not read all of every file.")
@format_option()
@output_option
@click.pass_obj
def verify(place: Place, /, *, no_checksums: bool, format: str, output: str | None) -> None:
    """Check the whole store: documents, Parquet files, the catalog, segments, and what belongs to nobody.

    Each finding says what to do. Notes are nothing wrong; with an error the exit code is 4.
    """
    from evalstore.cli.pages.upkeep import verify_page

    store = place.open()
    with progress("checking", "jobs") as tell:
        found = store.verify(checksums=not no_checksums, progress=tell)
    page = partial(verify_page, found, is_table=format == "markdown")
    write(Answer(found.to_polars, page, found.to_dict), format, output)
    if not found:
        raise BrokenStore(f"{counted(len(found.errors), 'thing')} in {store.root} {_is(len(found.errors))} wrong")


@click.command(
    cls=Command,
    short_help="Make the catalog anew from the files.",
    example="evalstore rebuild\nevalstore rebuild --adopt",
)
@click.option("--adopt", is_flag=True, help="Give a job in a folder of another name the name of its folder.")
@format_option()
@output_option
@click.pass_obj
def rebuild(place: Place, /, *, adopt: bool, format: str, output: str | None) -> None:
    """Make the catalog anew from the folders of the jobs: after moving a store, or copying jobs into it.

    What is left out is listed, with the reason. With something left out that is not deleted the exit code is 4.
    """
    from evalstore.cli.pages.upkeep import left_out_page
    from evalstore.rebuilding import DELETED

    store = place.open()
    rebuilt = store.rebuild(adopt=adopt)
    lines = [{"path": f"jobs/{path}", "reason": reason} for path, reason in rebuilt.left_out]
    document = {"jobs": rebuilt.jobs, "adopted": rebuilt.adopted, "left_out": lines}
    answer = Answer(lambda: _frame(lines, "path", "reason"), lambda: left_out_page(lines), lambda: document)
    write(answer, format, output)
    for path in rebuilt.adopted:
        say(f"took in jobs/{path} under this name")
    say(f"the catalog holds {counted(rebuilt.jobs, 'job')}")
    if broken := sum(reason != DELETED for _, reason in rebuilt.left_out):
        raise BrokenStore(f"{counted(broken, 'folder')} in {store.root / 'jobs'} {_is(broken)} left out")


@click.command(
    cls=Command,
    short_help="Make questions across many small jobs fast.",
    example="evalstore compact",
)
@click.pass_obj
def compact(place: Place, /) -> None:
    """Rewrite the scores of many small jobs as few large files, which questions across jobs then read.

    The files of the jobs stay as they are, and so do all answers. Worth it from some hundred jobs on, and again when as
    many have come to it.
    """
    with progress("compacting", "scores") as tell:
        written = place.open().compact(progress=tell)
    if written.segments:
        within = f"{counted(written.jobs, 'job')} and {counted(written.scores, 'score')}"
        say(f"wrote {counted(written.segments, 'segment')} with {within}")
    else:
        say("nothing to do: there are no small jobs outside of segments, or only one")


def _write_deleted(place: Place, frame: pl.DataFrame, format: str, output: str | None) -> None:
    from evalstore.cli.pages.upkeep import deleted_page

    write(Answer(lambda: frame, lambda: deleted_page(frame, place.name_of)), format, output)


def _frame(lines: list[dict[str, str]], *columns: str) -> pl.DataFrame:
    import polars as pl

    return pl.DataFrame(lines, schema=dict.fromkeys(columns, pl.String))


def _is(number: int) -> str:
    return "is" if number == 1 else "are"
