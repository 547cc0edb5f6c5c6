"""`evalstore demo`: an evaluation to look at, and what can be asked of it."""

from __future__ import annotations

import itertools
import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from evalstore.cli.output import Answer, progress, write
from evalstore.cli.program import Command

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl

    from evalstore.cli.blocks import Block
    from evalstore.cli.options import Place
    from evalstore.store import Store

__all__ = ["demo"]

METRIC = "correct"
SUITE = "several-steps"
WORST = 3
COSTS = "SELECT model, cost_per_passed FROM model_costs ORDER BY 2"


@click.command(cls=Command, short_help="Record an example and look at it.", example="evalstore --store demo-store demo")
@click.pass_obj
def demo(place: Place) -> None:
    """Record what three small programs answered to 400 word problems on six days, and look at it.

    A second run records nothing twice.
    """
    from evalstore.demo import evaluation
    from evalstore.demo.solvers import SOLVERS

    store = place.open()
    counted = itertools.count(1)
    with progress("recording the demo", "jobs", total=evaluation.DAYS * len(SOLVERS)) as tell:
        evaluation.run(store, progress=lambda _: tell(next(counted)))
    write(Answer(store.jobs, lambda: _page(store, place)), "table", is_tour=True)


def _page(store: Store, place: Place) -> Iterator[Block]:
    from evalstore.cli.blocks import Commands, Heading, Sentence
    from evalstore.cli.pages.compare import compare_page
    from evalstore.cli.pages.leaderboard import leaderboard_page
    from evalstore.cli.pages.rows import rows_page
    from evalstore.cli.pages.show import aggregate_tables
    from evalstore.cli.pages.trend import trend_page
    from evalstore.demo.evaluation import DATASET

    program = f"{shlex.quote(_typed())} --store {shlex.quote(place.path or str(store.root))}"
    board = store.leaderboard(METRIC, dataset=DATASET)
    model, job = _best(board)

    yield Heading("Which model is best?", level=0)
    yield Commands([f"{program} leaderboard --metric {METRIC}"])
    yield from leaderboard_page(board)

    yield Heading("How did the best one do?", level=0)
    yield Commands([f"{program} show {job}"])
    yield from aggregate_tables(store.aggregate_scores(job).to_polars())

    yield Heading("Where did it fail?", level=0)
    yield Commands([f"{program} rows {job} --metric {METRIC} --suite {SUITE} --worst {WORST}"])
    yield from rows_page(store.row_scores(job, metric=METRIC, suite=SUITE, order="worst", limit=WORST), "worst")

    yield Heading("How did it get there?", level=0)
    yield Commands([f"{program} trend --metric {METRIC} --model {model} --suite {SUITE}"])
    trend = store.trend(METRIC, model=model, suite=SUITE, dataset=DATASET)
    yield from trend_page(trend)

    before = trend["job"][-2]
    yield Heading("Is the last step more than noise?", level=0)
    yield Commands([f"{program} compare {before} {job} --metric {METRIC}"])
    yield from compare_page(store.compare(before, job, metric=METRIC).to_dict())

    yield Heading("What next?", level=0)
    yield Sentence(f"The store is the folder {store.root}. Ask it:")
    yield Commands(
        [
            f"{program} jobs",
            f"{program} show {job} --by metadata.category",
            f"{program} sql {shlex.quote(COSTS)}",
        ]
    )


def _best(board: pl.DataFrame) -> tuple[str, str]:
    """The model that stands highest over the suites, and its job."""
    import polars as pl

    standing = board.group_by("model", "job").agg(pl.col("rank").mean()).sort("rank", "model")
    return standing.row(0, named=True)["model"], standing.row(0, named=True)["job"]


def _typed() -> str:
    """How this program is called in the reader's shell: by its name where the shell finds it, else as it was called."""
    called = Path(sys.argv[0])
    return str(called) if called.name == "evalstore" and not shutil.which("evalstore") else "evalstore"
