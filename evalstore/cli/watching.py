"""The command that looks at a job while it runs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from evalstore.cli import completion
from evalstore.cli.options import Place, format_option
from evalstore.cli.output import say
from evalstore.cli.program import Command
from evalstore.running_means import time_left

if TYPE_CHECKING:
    from evalstore.watching import JobProgress

__all__ = ["watch"]


@click.command(
    cls=Command,
    short_help="Watch a job that is being written.",
    example="evalstore watch nightly --once\nevalstore watch nightly --once --format json",
)
@click.argument("job", shell_complete=completion.jobs)
@click.option("--every", metavar="SECONDS", type=click.FloatRange(min=0.05), default=1.0, show_default=True,
              help="How often to look.")  # fmt: skip
@click.option("--once", is_flag=True, help="Look once, and do not wait for the end.")
@format_option("table", "json")
@click.pass_obj
def watch(place: Place, /, *, job: str, every: float, once: bool, format: str) -> None:
    """Show how far JOB is, until it has ended: rows done of all, errors, time left, and the means so far.

    It may be written by any process on this machine. JSON is one object per look.
    """
    from evalstore import json_text

    shown = ""
    in_place = format == "table" and sys.stdout.isatty()
    for now in place.open().watch(job, every=every):
        text = json_text.dumps(now.to_dict())[0] if format == "json" else _line(now)
        if in_place:
            click.echo(f"\r\x1b[K{text}", nl=False)
        elif text != shown:
            click.echo(text)
        shown = text
        sys.stdout.flush()
        if once:
            break
    if in_place:
        click.echo()
    if shown and "interrupted" in shown and format == "table":
        say(f"its rows are safe: go on with resume=True, or `evalstore finish {job}`")


def _line(now: JobProgress) -> str:
    total = "" if now.rows_total is None or now.status != "active" else f"/{now.rows_total:,}"
    parts = [now.job, now.status, f"{now.rows:,}{total} rows"]
    parts += [f"{now.rows_failed:,} failed"] if now.rows_failed else []
    errors = sum(now.evaluator_errors.values())
    parts += [f"{errors:,} evaluator errors"] if errors else []
    parts += [f"{now.rate:,.1f}/s"] if now.rate and now.status == "active" else []
    parts += [f"{time_left(now.seconds_left)} left"] if now.seconds_left is not None else []
    parts += [f"{key} {mean:.4g}" for key, mean in now.means.items() if mean is not None]
    return "  ".join(parts)
