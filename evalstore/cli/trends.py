"""The command that shows how scores went from job to job, and draws it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from evalstore.cli.options import Place, format_option, output_option, policy_option, which
from evalstore.cli.output import Answer, say, write
from evalstore.cli.program import Command
from evalstore.cli.reading import explain_nothing

if TYPE_CHECKING:
    import polars as pl

__all__ = ["trend"]


@click.command(
    cls=Command,
    short_help="Show how a metric went from job to job.",
    example="""\
evalstore trend --metric correct --model demo/unit-graph
evalstore trend --metric correct --x day --window 14d --plot correct.html""",
)
@which("metric", "name", "suite", "dataset", "model", "group")
@click.option(
    "--x", type=click.Choice(["time", "day", "run"]), default="time", show_default=True,
    help="A point is a job at its time, the last complete job of a UTC day, or a job by its number.",
)  # fmt: skip
@click.option(
    "--window", metavar="N|AGE", default="7d", show_default=True,
    help="What the moving mean is made of: the last N points, or those of the last days: 7d, 2w.",
)  # fmt: skip
@policy_option
@click.option("--any-status", is_flag=True, help="Also jobs that did not complete.")
@click.option(
    "--plot", metavar="FILE", type=click.Path(dir_okay=False), help="Draw the series too: FILE.svg, or FILE.html."
)
@format_option()
@output_option
@click.pass_obj
def trend(
    place: Place, /, *, x: Any, window: str, errors: Any, any_status: bool, plot: str | None, format: str,
    output: str | None, **narrow: str | None,
) -> None:  # fmt: skip
    """Show how a metric went from job to job; without --metric, the overall score of suites.

    Series (dataset, model, group, suite) are never mixed. The moving mean stands with its sample deviation; 95 % is an
    interval. A plot is one file that needs nothing else, with a line and the band of its interval per series.
    """
    from evalstore.cli.pages.trend import trend_page

    if plot is not None:
        from evalstore.charts import check_path

        check_path(plot)
    store = place.open()
    over: str | int = int(window) if window.isascii() and window.isdigit() else window
    frame = store.trend(**narrow, x=x, window=over, errors=errors, any_status=any_status)
    explain_nothing(store, frame, narrow, any_status=any_status)
    write(Answer(lambda: frame, lambda: trend_page(frame)), format, output)
    if plot is not None:
        _draw(frame, plot)


def _draw(frame: pl.DataFrame, path: str) -> None:
    from evalstore.charts import write_trend

    if write_trend(frame, path):
        say(f"drew {path}")
    else:
        say(f"there is nothing to draw: {path} was not written")
