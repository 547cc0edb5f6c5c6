"""The commands that ask."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from evalstore.cli import completion
from evalstore.cli.options import Place, format_option, output_option, parameters, policy_option, which
from evalstore.cli.output import Answer, counted, say, write
from evalstore.cli.program import Command
from evalstore.errors import NotComparable, UnknownField, UsageError, near

if TYPE_CHECKING:
    from collections.abc import Sized

    from evalstore.store import Store

__all__ = ["explain_nothing", "jobs", "leaderboard", "rows", "show", "sql", "summary"]

STATUSES = ("completed", "error", "interrupted", "cancelled")


@click.command(
    cls=Command,
    short_help="List jobs, newest first.",
    example="""\
evalstore jobs --dataset openai/gsm8k --limit 5
evalstore jobs --where 'scores.is_correct.mean >= 0.5' --where 'tags = paper' --sort -overall_score""",
)
@click.option("--status", type=click.Choice(STATUSES), help="Only jobs that ended so.")
@which("dataset", "model")
@click.option("--group", metavar="GROUP", shell_complete=completion.groups, help="Only jobs of this group.")
@click.option("--tag", metavar="TAG", shell_complete=completion.tags, help="Only jobs with this tag.")
@click.option(
    "--limit", metavar="N", type=click.IntRange(min=0), default=25, show_default=True, help="At most N; 0 for all."
)
@click.option("--all-workspaces", is_flag=True, help="Those of every workspace.")
@click.option("--where", metavar="'FIELD OP VALUE'", multiple=True, help="Only jobs for which this holds; repeatable.")
@click.option("--filter", "tree", metavar="JSON", help="Only jobs that this finds, with $or, $not, $in, ...")
@click.option("--sort", metavar="FIELDS", help="Order by these, with - in front for the greatest first.")
@format_option()
@output_option
@click.pass_obj
def jobs(
    place: Place, /, *, limit: int, all_workspaces: bool, where: tuple[str, ...], tree: str | None, sort: str | None,
    format: str, output: str | None, **filters: Any,
) -> None:  # fmt: skip
    """List the jobs of the workspace, newest first.

    FIELD is name, model, dataset, status, tags, created_at, duration, overall_score, cost, ..., or labels.KEY,
    config.PATH, metadata.PATH, scores.NAME.STATISTIC, suites.SUITE.METRIC.score. OP is = != < <= > >= or ~ (holds the
    text). Several conditions must all hold.
    """
    from evalstore.cli.found_jobs import found_jobs
    from evalstore.cli.pages.jobs import jobs_page

    store = place.open()
    workspace = "-" if all_workspaces else None
    if where or tree is not None or sort is not None:
        frame = found_jobs(store, filters, where, tree, sort, limit=limit, workspace=workspace)
    else:
        frame = store.jobs(**filters, limit=limit or None, workspace=workspace)
    is_mixed = all_workspaces or any(space != store.workspace for space in frame["workspace"])
    write(Answer(lambda: frame, lambda: jobs_page(frame, has_workspaces=is_mixed)), format, output)
    _say_if_cut(len(frame), limit, "job")
    if not (any(filters.values()) or where or tree) or filters["status"] == "interrupted":
        _say_if_interrupted(store)


@click.command(
    cls=Command,
    short_help="Show one job and its aggregate scores.",
    example="evalstore show gsm8k-175b --by metadata.category",
)
@click.argument("job", shell_complete=completion.jobs)
@click.option("--by", metavar="FIELD", shell_complete=completion.slices, help="One line per value of a row's field.")
@which("metric", "suite")
@policy_option
@format_option()
@output_option
@click.pass_obj
def show(
    place: Place, /, *, job: str, by: str | None, metric: str | None, suite: str | None, errors: Any, format: str,
    output: str | None,
) -> None:  # fmt: skip
    """Show one JOB (NAME, WORKSPACE/NAME, @last or @last~1) and its aggregate scores.

    Every mean stands beside the number of rows that were scored. FIELD is suite, cluster, tags, ... or a path such as
    metadata.category or item.subject.
    """
    from evalstore.cli.pages.show import show_page

    store = place.open()
    known = store.show(job)
    frame = store.aggregate_scores(job, by=by, metric=metric, suite=suite, errors=errors).to_polars()
    write(
        Answer(
            lambda: frame,
            lambda: show_page(known, frame, by=by, errors=errors),
            lambda: {"job": known, "aggregate_scores": frame.to_dicts()},
        ),
        format,
        output,
    )


@click.command(
    cls=Command,
    short_help="Show rows of a job with their scores.",
    example="evalstore rows gsm8k-175b --where 'is_correct = 0' --where 'item.question ~ dollar' --limit 5",
)
@click.argument("job", shell_complete=completion.jobs)
@click.option("--where", metavar="'FIELD OP VALUE'", multiple=True, help="Only rows for which this holds; repeatable.")
@click.option("--worst", metavar="N", type=click.IntRange(min=1), help="The N worst rows, worst first.")
@click.option("--best", metavar="N", type=click.IntRange(min=1), help="The N best rows, best first.")
@click.option(
    "--limit", metavar="N", type=click.IntRange(min=0), default=20, show_default=True, help="At most N; 0 for all."
)
@which("metric", "suite")
@click.option("--wide", is_flag=True, help="One line per row, with a column per score.")
@format_option()
@output_option
@click.pass_obj
def rows(
    place: Place, /, *, job: str, where: tuple[str, ...], worst: int | None, best: int | None, limit: int,
    metric: str | None, suite: str | None, wide: bool, format: str, output: str | None,
) -> None:  # fmt: skip
    """Show rows of JOB (NAME, WORKSPACE/NAME, @last or @last~1) with their scores.

    FIELD is a metric, suite, row_key, cluster, tags, error, latency, cost, total_tokens, or a path such as
    item.question or metadata.category. OP is = != < <= > >= or ~ (holds the text). Several conditions must all hold.
    With --worst or --best, rows in error come before the others, N of them at most.
    """
    from evalstore.cli.pages.rows import rows_page, wide_page

    if worst and best:
        raise UsageError("give --worst or --best, not both")
    order, most = ("worst", worst) if worst else ("best", best) if best else (None, limit or None)
    store = place.open()
    found = store.row_scores(job, metric=metric, suite=suite, where=list(where), order=order, limit=most)  # type: ignore[arg-type]
    if wide or format == "markdown":
        answer = Answer(found.wide, lambda: wide_page(found.wide()))
    else:
        answer = Answer(found.to_polars, lambda: rows_page(found, order), lambda: [row.model_dump() for row in found])
    write(answer, format, output)
    if order is None:
        _say_if_cut(len(found), limit, "row")
    if not len(found) and not where and store.show(job)["total_metrics"]:
        say(f"{job} was imported by its counts, without rows: evalstore show {job}")


@click.command(
    cls=Command,
    short_help="Rank the models on a dataset.",
    example="evalstore leaderboard --metric is_correct --dataset openai/gsm8k",
)
@which("metric", "name", "suite", "dataset")
@policy_option
@click.option("--any-status", is_flag=True, help="Also jobs that did not complete.")
@format_option()
@output_option
@click.pass_obj
def leaderboard(
    place: Place, /, *, errors: Any, any_status: bool, format: str, output: str | None, **narrow: str | None
) -> None:
    """Rank models by their latest completed job on a dataset, per suite and metric.

    Only jobs over the same rows are ranked together; the others stand below, marked.
    """
    from evalstore.cli.pages.leaderboard import leaderboard_page

    store = place.open()
    frame = store.leaderboard(**narrow, errors=errors, any_status=any_status)
    explain_nothing(store, frame, narrow, any_status=any_status)
    write(Answer(lambda: frame, lambda: leaderboard_page(frame)), format, output)


@click.command(
    cls=Command,
    short_help="Sum up how evaluations stand.",
    example="evalstore summary --model openai/175b --baseline window_mean --format json",
)
@which("dataset", "model")
@click.option("--group", metavar="GROUP", shell_complete=completion.groups, help="Only jobs of this group.")
@click.option(
    "--baseline",
    metavar="WHAT",
    default="previous",
    show_default=True,
    shell_complete=completion.jobs,
    help="What the change is counted from: previous, first_in_window, window_mean, or a JOB.",
)
@click.option("--epsilon", metavar="X", type=float, default=0.01, show_default=True, help="A change up to X is none.")
@click.option("--days", metavar="N", type=click.IntRange(min=1), default=7, show_default=True, help="Of the window.")
@format_option()
@output_option
@click.pass_obj
def summary(place: Place, /, *, format: str, output: str | None, **options: Any) -> None:
    """Sum up the latest completed evaluation: its score, how it changed, and the scores of the days before.

    The score of a day is that of its last run. Only runs of one series are compared (dataset, model, group): that of
    the latest run. --format json has the structure of TrainLoop's evaluation_summary.json.
    """
    from evalstore.cli.pages.summary import summary_page

    store = place.open()
    try:
        found = store.summary(**options)
    except NotComparable:
        narrow = {field: options[field] for field in ("dataset", "model", "group")}
        explain_nothing(store, (), narrow, any_status=True)
        raise
    write(Answer(found.to_polars, lambda: summary_page(found), found.to_dict), format, output)


@click.command(
    cls=Command,
    short_help="Ask in SQL.",
    example="""\
evalstore sql 'SELECT suite, avg(value) FROM row_scores WHERE job = $job GROUP BY ALL' -p job=gsm8k-175b
evalstore sql "$(cat query.sql)" --format csv > answer.csv""",
)
@click.argument("query")
@click.option("-p", "given", metavar="NAME=VALUE", multiple=True, help="The value of $NAME in the query; repeatable.")
@click.option("--allow-external", is_flag=True, help="Let the query read files outside the store.")
@format_option()
@output_option
@click.pass_obj
def sql(
    place: Place, /, *, query: str, given: tuple[str, ...], allow_external: bool, format: str, output: str | None
) -> None:
    """Answer one reading QUERY over the views; - reads it from stdin. SHOW TABLES lists the views.

    Values given with -p are bound, never pasted. What is JSON is that value (7, true, null, "7"), all else is text.
    """
    from evalstore.cli.pages.jobs import frame_page

    text = sys.stdin.read() if query == "-" else query
    frame = place.open().sql(text, parameters(given), allow_external=allow_external)
    write(Answer(lambda: frame, lambda: frame_page(frame)), format, output)


def _say_if_cut(count: int, limit: int, what: str) -> None:
    if limit and count == limit:
        say(f"({counted(count, what)} shown; --limit N shows more, --limit 0 all)")


def _say_if_interrupted(store: Store) -> None:
    if names := store.known("interrupted"):
        are, job = ("was", names[0]) if len(names) == 1 else ("were", "JOB")
        say(f"({', '.join(names)} {are} interrupted; `evalstore finish {job}` stores what was logged)")


def explain_nothing(store: Store, frame: Sized, narrow: dict[str, str | None], *, any_status: bool = False) -> None:
    """Raises UnknownField where the answer is empty because what was asked for is nowhere in the workspace."""
    from evalstore.names import reference

    if len(frame):
        return
    for field, given in narrow.items():
        if given is None:
            continue
        wanted = reference(given) if field in ("dataset", "model") else given
        known = store.known(field)  # type: ignore[arg-type]
        if wanted not in known:
            raise UnknownField(f"there is no {field} {given!r} in workspace {store.workspace!r}; {near(given, known)}")
    if not any_status:
        say("no completed job has such scores; --any-status takes in those that did not complete")
