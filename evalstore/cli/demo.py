"""`evalstore demo`: an evaluation to look at, and what can be asked of it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import click

from evalstore.cli.options import Place
from evalstore.cli.output import Answer, progress, say, write

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl

    from evalstore.cli.blocks import Block
    from evalstore.store import Store

__all__ = ["demo"]

METRIC = "correct"
SUITE = "several-steps"
WORST = 3


@click.command(short_help="Record an example and look at it.")
@click.pass_obj
def demo(place: Place) -> None:
    """Record what three small programs answered to 400 word problems on six days, and look at it.

    A second run records nothing twice.

    \b
    Example:
      evalstore --store demo-store demo
    """
    from evalstore.demo import evaluation

    store = place.open()
    recorded = 0
    with progress("recording the demo", "jobs", total=evaluation.JOBS) as tell:

        def count(message: str) -> None:
            nonlocal recorded
            recorded += 1
            tell(recorded)

        evaluation.run(store, progress=count)
    say("")
    write(Answer(lambda: store.jobs(), lambda: _pages(store, place)), "table")


def _pages(store: Store, place: Place) -> Iterator[Block]:
    from evalstore.cli.blocks import Fields, Heading, Sentence
    from evalstore.cli.pages.leaderboard import leaderboard_page
    from evalstore.cli.pages.rows import rows_page
    from evalstore.cli.pages.show import aggregate_tables
    from evalstore.cli.pages.trend import trend_page
    from evalstore.demo.evaluation import DATASET

    board = store.leaderboard(METRIC, dataset=DATASET)
    model, job = _best(board)
