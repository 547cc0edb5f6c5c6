"""The commands that judge: gates, and the baselines that they hold jobs against."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from evalstore.cli import completion
from evalstore.cli.options import Place, format_option, output_option
from evalstore.cli.output import FORMATS, Answer, say, warn, write
from evalstore.cli.program import Command, Group
from evalstore.errors import EvalStoreError, UsageError

if TYPE_CHECKING:
    import pyarrow as pa

    from evalstore.analysis.verdict import Verdict

__all__ = ["baseline", "gate"]


@click.command(
    cls=Command,
    short_help="Hold a job against a policy: may it ship?",
    example="""\
evalstore gate @last --baseline main --policy gate.toml
evalstore gate gsm8k-175b --min is_correct=0.85
evalstore gate @last --baseline last:5 --policy gate.toml --junit gate.xml --markdown gate.md""",
)
@click.argument("job", shell_complete=completion.jobs)
@click.option("--baseline", metavar="NAME", shell_complete=completion.baselines,
              help="A baseline, last:5 for the last five accepted jobs, or a job.")  # fmt: skip
@click.option("--policy", metavar="FILE", type=click.Path(dir_okay=False), help="The rules, in TOML.")
@click.option("--min", "floors", metavar="METRIC=MEAN", multiple=True, help="The least mean of a metric; repeatable.")
@click.option("--inconclusive", type=click.Choice(["pass", "fail"]),
              help="What an inconclusive verdict counts as, in all outputs; else the exit code is 3.")  # fmt: skip
@click.option("--junit", metavar="FILE", type=click.Path(dir_okay=False), help="Also write JUnit XML.")
@click.option("--markdown", metavar="FILE", type=click.Path(dir_okay=False), help="Also write Markdown.")
@format_option(*FORMATS, "junit", "github")
@output_option
@click.pass_context
def gate(
    context: click.Context, /, *, job: str, baseline: str | None, policy: str | None, floors: tuple[str, ...],
    inconclusive: Literal["pass", "fail"] | None, junit: str | None, markdown: str | None, format: str,
    output: str | None,
) -> None:  # fmt: skip
    """Hold JOB (NAME, WORKSPACE/NAME, @last, @last~1) against the rules of a policy, and keep the verdict.

    Exit codes: 0 passed, 1 failed, 2 wrong usage, 3 inconclusive or not comparable, 4 broken. What was not judged never
    passes. The format github writes annotations for GitHub Actions.
    """
    place: Place = context.obj
    try:
        judged = place.open().gate(job, baseline=baseline, policy=policy, min=_floors(floors))
    except EvalStoreError as error:
        _write_error(
            job,
            str(error),
            junit=[junit, output if format == "junit" else None],
            markdown=[markdown, output if format == "markdown" else None],
        )
        raise
    verdict = judged.with_inconclusive_as(inconclusive)
    warn(verdict.warnings, format, output)
    for file, kind in ((junit, "junit"), (markdown, "markdown")):
        if file:
            _write(verdict, kind, file)
    try:
        _write(verdict, format, output)
        sys.stdout.flush()
    except BrokenPipeError:  # who reads has seen enough, and the exit code still says what became of the job
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if verdict.inconclusive_as:
        say(verdict.said)
    context.exit(verdict.exit_code)


def _write_error(job: str, problem: str, *, junit: list[str | None], markdown: list[str | None]) -> None:
    """Files of an earlier run must not stand for a gate that could not judge."""
    from evalstore.cli.pages.gate import junit_of_error

    for file in filter(None, junit):
        Path(file).write_text(junit_of_error(job, problem), encoding="utf-8")
    for file in filter(None, markdown):
        Path(file).write_text(f"## NOT JUDGED  {job}\n\n{problem}\n", encoding="utf-8")


def _write(verdict: Verdict, format: str, output: str | None) -> None:
    from evalstore.cli.pages import gate as pages

    if format in ("junit", "github"):
        text = pages.junit(verdict) if format == "junit" else pages.github_commands(verdict)
        if output:
            Path(output).write_text(text, encoding="utf-8")
        else:
            click.echo(text, nl=False)
        return
    page = pages.gate_page(verdict, is_markdown=format == "markdown")
    write(Answer(verdict.to_polars, lambda: page, verdict.to_dict), format, output)


def _floors(given: tuple[str, ...]) -> dict[str, float] | None:
    from evalstore.cli.options import keys_and_values

    found = {}
    for metric, text in keys_and_values("--min", given).items():
        try:
            found[metric] = float(text)
        except ValueError:
            raise UsageError(f"--min: {text!r} is no number") from None
    return found or None


@click.group(
    cls=Group,
    short_help="Name the jobs that others are held against.",
    example="evalstore baseline set main gsm8k-175b --note 'as released'",
)
def baseline() -> None:
    """Name the jobs that others are held against: @NAME is that job wherever a job is named."""


@baseline.command(
    "set",
    cls=Command,
    short_help="Make a job the baseline of a name.",
    example="evalstore baseline set main @last --note 'release 1.4'",
)
@click.argument("name", shell_complete=completion.baselines)
@click.argument("job", shell_complete=completion.jobs)
@click.option("--note", metavar="TEXT", help="Why.")
@click.pass_obj
def set_(place: Place, /, *, name: str, job: str, note: str | None) -> None:
    """Make the completed JOB the baseline NAME from now on. What it was before stays in its history."""
    say(f"baseline {name} is job {place.open().baselines.set(name, job, note=note)}")


@baseline.command(
    "list", cls=Command, short_help="List the baselines.", example="evalstore baseline list --format json"
)
@format_option()
@output_option
@click.pass_obj
def list_(place: Place, /, *, format: str, output: str | None) -> None:
    """List the current job of each baseline, the last one set first."""
    _write_baselines(place.open().baselines.table(), format, output)


@baseline.command(
    "history", cls=Command, short_help="List all versions of a baseline.", example="evalstore baseline history main"
)
@click.argument("name", required=False, shell_complete=completion.baselines)
@format_option()
@output_option
@click.pass_obj
def history(place: Place, /, *, name: str | None, format: str, output: str | None) -> None:
    """List all versions of the baseline NAME, or of all baselines, the newest first."""
    _write_baselines(place.open().baselines.table(name, with_history=True), format, output)


@baseline.command("remove", cls=Command, short_help="Take a baseline away.", example="evalstore baseline remove main")
@click.argument("name", shell_complete=completion.baselines)
@click.option("--note", metavar="TEXT", help="Why.")
@click.pass_obj
def remove(place: Place, /, *, name: str, note: str | None) -> None:
    """Take the baseline NAME away. Its job and its history stay."""
    say(f"baseline {name} is taken away; it was job {place.open().baselines.remove(name, note=note)}")


def _write_baselines(table: pa.Table, format: str, output: str | None) -> None:
    from evalstore.arrow_lines import as_dicts
    from evalstore.cli.pages.baselines import baselines_page

    def frame() -> Any:
        from evalstore.frames import to_polars

        return to_polars(table)

    write(Answer(frame, lambda: baselines_page(as_dicts(table))), format, output)
