"""The program `evalstore`: its global options and its commands."""

from __future__ import annotations

import click

from evalstore import __version__
from evalstore.cli.archiving import archive
from evalstore.cli.benchmark import benchmark
from evalstore.cli.completion import completion
from evalstore.cli.demo import demo
from evalstore.cli.gating import baseline, gate
from evalstore.cli.judging import compare
from evalstore.cli.options import Place
from evalstore.cli.program import Program
from evalstore.cli.pruning import prune
from evalstore.cli.reading import jobs, leaderboard, rows, show, sql, summary
from evalstore.cli.trends import trend
from evalstore.cli.upkeep import compact, delete, rebuild, restore, tag, trash, verify
from evalstore.cli.watching import watch
from evalstore.cli.writing import export, finish, import_

__all__ = ["evalstore"]


@click.group(
    cls=Program,
    example="evalstore demo\nevalstore leaderboard --metric correct",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--store",
    metavar="PATH",
    envvar="EVALSTORE",
    help="The folder of the store; without it $EVALSTORE, else ./evals.",
)
@click.option("--workspace", metavar="NAME", default="default", show_default=True, help="The workspace in it.")
@click.version_option(__version__, message="evalstore %(version)s")
@click.pass_context
def evalstore(context: click.Context, store: str | None, workspace: str) -> None:
    """The local warehouse for evaluation results.

    Whatever ran an evaluation, bring its rows in, then ask: which model is best, what went wrong, how a metric moved.
    Answers go to stdout, everything else to stderr.
    """
    context.obj = Place(store, workspace)


ASKING = (jobs, show, rows, compare, leaderboard, trend, summary, benchmark, sql)
JUDGING = (gate, baseline)
UPKEEP = (tag, delete, restore, trash, prune, archive, verify, rebuild, compact)

for command in (import_, export, watch, *ASKING, *JUDGING, finish, *UPKEEP, demo, completion):
    evalstore.add_command(command)
