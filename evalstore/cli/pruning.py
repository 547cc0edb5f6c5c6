"""The command that makes room."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from evalstore.cli.options import Place, format_option, output_option, time_span
from evalstore.cli.output import Answer, counted, progress, say, write
from evalstore.cli.program import Command
from evalstore.cli.reading import STATUSES
from evalstore.errors import UsageError

if TYPE_CHECKING:
    from evalstore.pruning import PruneReport

__all__ = ["prune"]


@click.command(
    cls=Command,
    short_help="Delete old jobs, drop their rows, empty the trash.",
    example="""\
evalstore prune --keep-last 20 --older-than 90d --dry-run
evalstore prune --older-than 30d --rows-only
evalstore prune --trash --older-than 30d""",
)
@click.option("--keep-last", metavar="N", type=click.IntRange(0, 10**9), help="Keep the newest N of each series.")
@click.option(
    "--older-than", metavar="AGE", help="Only jobs created (with --trash: deleted) so long ago: 12h, 30d, 2w."
)
@click.option(
    "--status", type=click.Choice(STATUSES), multiple=True, help="Only jobs that ended so; repeatable."
)  # fmt: skip
@click.option("--rows-only", is_flag=True, help="Drop rows and scores; keep the jobs with their aggregates.")
@click.option("--trash", is_flag=True, help="Remove deleted jobs for good. There is no way back.")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@format_option()
@output_option
@click.pass_obj
def prune(
    place: Place, /, *, keep_last: int | None, older_than: str | None, status: tuple[str, ...], rows_only: bool,
    trash: bool, dry_run: bool, format: str, output: str | None,
) -> None:  # fmt: skip
    """Delete the jobs of the workspace that fit all that is said, into the trash; or empty the trash.

    A series is dataset, model and group; the newest N are counted per status. A job that is or was a baseline, or is
    tagged `pinned`, stays. With --rows-only trends go on, and `show` says when the rows went.
    """
    from evalstore.cli.pages.upkeep import pruned_page

    if not (trash or keep_last is not None or older_than or status):
        raise UsageError("say what to prune: --keep-last, --older-than, --status, or --trash for deleted jobs")
    age = time_span("--older-than", older_than)
    store = place.open()
    with progress("dropping rows", "jobs") as tell:
        report = store.prune(
            keep_last=keep_last, older_than=age, status=status or None, rows_only=rows_only, trash=trash,
            dry_run=dry_run, progress=tell,
        )  # fmt: skip
    write(Answer(report.to_polars, partial(pruned_page, report, place.name_of), report.to_dict), format, output)
    say(_summary(report))


def _summary(report: PruneReport) -> str:
    from evalstore.cli.pages.wording import size

    count, space = counted(len(report), "job"), f" ({size(report.bytes)})" if report else ""
    does = {
        "delete": ("would delete {}", "deleted {}"),
        "drop rows": ("would drop the rows of {}", "dropped the rows of {}"),
        "remove": ("would remove {} for good", "removed {} for good"),
    }[report.action][not report.dry_run]
    parts = [does.format(count) + space]
    if report.action == "remove":
        parts += [f"{len(report.kept)} more in the trash, too young"] if report.kept else []
    else:
        parts += [f"{counted(len(report.kept), 'other')} that fit stay"] if report.kept else []
        parts += ["`evalstore prune --trash` frees the space"] if report and not report.dry_run else []
    return "; ".join(parts)
