"""The command that puts the models of a benchmark beside each other."""

from __future__ import annotations

import click

from evalstore.benchmarks import MAX_ERROR_RATE
from evalstore.cli import completion
from evalstore.cli.options import Place, format_option, output_option, which
from evalstore.cli.output import Answer, say, write
from evalstore.cli.program import Command

__all__ = ["benchmark"]


@click.command(
    cls=Command,
    short_help="Compare the models of a group: scores, cost, latency.",
    example="evalstore benchmark nightly-providers\nevalstore benchmark nightly-providers --format json",
)
@click.argument("group", shell_complete=completion.groups)
@which("dataset")
@click.option(
    "--max-error-rate", metavar="SHARE", type=click.FloatRange(0, 1), default=MAX_ERROR_RATE, show_default=True,
    help="A model with more rows in error cannot be the best.",
)  # fmt: skip
@format_option()
@output_option
@click.pass_obj
def benchmark(
    place: Place, /, *, group: str, dataset: str | None, max_error_rate: float, format: str, output: str | None
) -> None:
    """Compare the models of GROUP, each by its latest completed job.

    The best overall has the highest overall score, the best value the least cost per passed evaluation. Only models
    that answered the same rows are compared.
    """
    from evalstore.cli.pages.benchmark import benchmark_page

    found = place.open().benchmark(group, dataset=dataset, max_error_rate=max_error_rate)
    write(Answer(found.to_polars, lambda: benchmark_page(found), found.to_dict), format, output)
    for flag in found.flags:
        say(f"({flag})")
