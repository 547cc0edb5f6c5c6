"""The commands that record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from evalstore.cli import completion
from evalstore.cli.options import Place, document_file, format_option, keys_and_values, names_and_paths
from evalstore.cli.output import Answer, counted, progress, say, write
from evalstore.cli.program import Command, Group
from evalstore.errors import BrokenInput

if TYPE_CHECKING:
    from collections.abc import Callable

    from evalstore.importers.report import ImportReport

__all__ = ["export", "finish", "import_"]

PARTS = {"item": "item", "reference": "reference", "sample": "sample", "score": "scores", "metadata": "metadata"}
FIELDS = {
    "row_key": "The id of the row; without it, the item's hash tells rows of two jobs apart.",
    "cluster": "What rows that are not independent have in common: a passage, a user.",
    "latency": "Seconds.",
    "cost": "USD.",
    "prompt_tokens": "A count.",
    "completion_tokens": "A count.",
    "error": "Why there is no sample.",
    "repetition": "0, 1, 2 for an item that was run several times.",
}


@click.command(
    cls=Command,
    short_help="Commit a job whose writer died.",
    example="evalstore finish nightly-20261121T060000Z-3fa2",
)
@click.argument("job", shell_complete=completion.interrupted_jobs)
@click.pass_obj
def finish(place: Place, /, *, job: str) -> None:
    """Commit JOB, which SIGKILL or a power cut interrupted, with every row that was logged, as `interrupted`."""
    store = place.open()
    rows = store.finish(job)
    say(f"stored job {job} as interrupted, with {counted(rows, 'row')}")
    if (source := store.show(job)["source"]) and source["path"]:
        say(f"its import did not come to its end: import {source['path']} again, with --overwrite, for all of it")


@click.group(
    "import",
    cls=Group,
    short_help="Bring in results of other tools.",
    example="evalstore import rows answers.jsonl --job my-run --score is_correct",
)
def import_() -> None:
    """Bring results of other tools into the store."""


def _fields_of_rows(command: Callable[..., None]) -> Callable[..., None]:
    """The options that say which field of a record is what."""
    for field, text in reversed(FIELDS.items()):
        command = click.option(f"--{field.replace('_', '-')}", metavar="PATH", help=text)(command)
    for option, part in reversed(PARTS.items()):
        text = "A score" if option == "score" else f"A field of the {option}"
        command = click.option(
            f"--{option}", part, metavar="NAME=PATH", multiple=True, help=f"{text}; repeatable."
        )(command)  # fmt: skip
    return command


@import_.command(
    "rows",
    cls=Command,
    short_help="Any file of records: JSONL, JSON, CSV, Parquet.",
    example="""\
evalstore import rows solutions.jsonl --job gsm8k-175b --model openai/175b --dataset openai/gsm8k \\
  --item question --reference answer=ground_truth --sample solution=175b.solution \\
  --score is_correct=175b.is_correct --tag paper""",
)
@click.argument("path")
@click.option("--job", metavar="NAME", required=True, help="The name of the new job.")
@click.option("--model", metavar="REF", shell_complete=completion.models, help="What was evaluated.")
@click.option("--dataset", metavar="REF", shell_complete=completion.datasets, help="What it was evaluated on.")
@click.option("--metric-ref", metavar="REF", help="The definition of the metric.")
@click.option("--group", metavar="G", shell_complete=completion.groups, help="The group of jobs that this one is in.")
@_fields_of_rows
@click.option("--suite", metavar="S", default="default", show_default=True, help="The suite of all rows.")
@click.option("--tag", "tags", metavar="T", multiple=True, help="A tag of the job; repeatable.")
@click.option("--label", "labels", metavar="K=V", multiple=True, help="A label of the job; repeatable.")
@click.option("--config", metavar="FILE", type=click.Path(), help="The configuration of the run, JSON or TOML.")
@click.option("--metrics", metavar="FILE", type=click.Path(), help="Declarations of the metrics, JSON or TOML.")
@click.option(
    "--overwrite", is_flag=True, help="Replace the job of this name, unless it is the same; it goes into the trash."
)
@click.option("--skip-bad-rows", is_flag=True, help="Store bad records as rows in error instead of refusing the file.")
@format_option("table", "json")
@click.pass_obj
def import_rows(
    place: Place, /, *, path: str, config: str | None, metrics: str | None, labels: tuple[str, ...], format: str,
    **options: Any,
) -> None:  # fmt: skip
    """Import the records in PATH as one job: JSONL, a JSON array, CSV or Parquet, also in .gz or .zst.

    Fields are named by dotted paths: answer, choices[0].text, meta."a.b". A bare PATH in place of NAME=PATH is kept
    under its last key. Without --item, the item is all that no other option uses. A REF is workspace/name.
    """
    for option, part in PARTS.items():
        options[part] = names_and_paths(f"--{option}", options[part])
    declared = document_file(metrics)
    if not isinstance(declared, dict | None):
        raise BrokenInput("declares no metrics: write {METRIC: {minimum: ..., maximum: ...}, ...}", file=metrics)
    with progress(f"importing {options['job']}", "rows") as tell:
        report = place.open().import_from(
            "rows", path, config=document_file(config), metrics=declared, labels=keys_and_values("--label", labels),
            progress=tell, **options,
        )  # fmt: skip
    _write_report(report, format)


@import_.command(
    "nemo",
    cls=Command,
    short_help="Artifacts of NeMo Evaluator's metric jobs.",
    example="evalstore import nemo artifacts/ --dataset openai/gsm8k",
)
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option("--job", metavar="NAME", help="The name of the new job, where PATH is one.")
@click.option("--model", metavar="REF", shell_complete=completion.models, help="What was evaluated.")
@click.option("--dataset", metavar="REF", shell_complete=completion.datasets, help="What it was evaluated on.")
@click.option("--metric-ref", metavar="REF", help="The definition of the metric.")
@click.option("--tag", "tags", metavar="T", multiple=True, help="A tag of the jobs; repeatable.")
@click.option("--label", "labels", metavar="K=V", multiple=True, help="A label of the jobs; repeatable.")
@click.option(
    "--overwrite", is_flag=True, help="Replace jobs of these names that are not the same; they go into the trash."
)
@format_option("table", "json")
@click.pass_obj
def import_nemo(
    place: Place, /, *, paths: tuple[str, ...], labels: tuple[str, ...], format: str, **options: Any
) -> None:
    """Import the artifacts at the PATHs, folders and files: row-scores JSONL with aggregate-scores JSON beside it.

    A job is named after its files: NAME.row-scores.jsonl, or NAME/row-scores.jsonl. Aggregates are computed from rows;
    those of which there are no rows are stored as they are told, and marked is_told.
    """
    options["labels"] = keys_and_values("--label", labels)
    with progress("importing", "rows") as tell:
        report = place.open().import_from("nemo", list(paths), progress=tell, **options)
    _write_report(report, format)


@import_.command(
    "trainloop",
    cls=Command,
    short_help="What TrainLoop writes, and what its documentation describes.",
    example="evalstore import trainloop my-project/trainloop/data --timezone Europe/Berlin",
)
@click.argument("path")
@click.option("--timezone", metavar="ZONE", default="UTC", show_default=True, help="Of times that name none.")
@click.option("--job", metavar="NAME", help="The name of the new job, where PATH is one.")
@click.option("--prefix", metavar="TEXT", default="", help="What goes before the names of the jobs.")
@click.option("--model", metavar="REF", shell_complete=completion.models, help="What was evaluated.")
@click.option("--dataset", metavar="REF", shell_complete=completion.datasets, help="What it was evaluated on.")
@click.option("--tag", "tags", metavar="T", multiple=True, help="A tag of the jobs; repeatable.")
@click.option("--label", "labels", metavar="K=V", multiple=True, help="A label of the jobs; repeatable.")
@click.option(
    "--overwrite", is_flag=True, help="Replace jobs of these names that are not the same; they go into the trash."
)
@click.option("--skip-bad-rows", is_flag=True, help="Store bad lines as rows in error instead of refusing the run.")
@format_option("table", "json")
@click.pass_obj
def import_trainloop(place: Place, /, *, path: str, labels: tuple[str, ...], format: str, **options: Any) -> None:
    """Import all results of TrainLoop at PATH: a job per run, of a benchmark one per provider.

    PATH is a project, its data folder, results/ or benchmarks/ in it, one run, a JSON file as TrainLoop's documentation
    describes it, or a folder of those. What is there already, with the same content, is left as it is.
    """
    options["labels"] = keys_and_values("--label", labels)
    with progress("importing", "rows") as tell:
        report = place.open().import_from("trainloop", path, progress=tell, **options)
    _write_report(report, format)


@click.group(
    "export",
    cls=Group,
    short_help="Write jobs in the form of other tools.",
    example="evalstore export nemo gsm8k-175b --to artifacts",
)
def export() -> None:
    """Write jobs in the form of other tools."""


@export.command(
    "nemo",
    cls=Command,
    short_help="As artifacts of NeMo Evaluator.",
    example="evalstore export nemo gsm8k-175b gsm8k-6b --to artifacts",
)
@click.argument("jobs", metavar="JOB...", nargs=-1, required=True, shell_complete=completion.jobs)
@click.option("--to", metavar="FOLDER", type=click.Path(file_okay=False), default=".", help="Where to write them.")
@click.pass_obj
def export_nemo(place: Place, /, *, jobs: tuple[str, ...], to: str) -> None:
    """Write each JOB as JOB.row-scores.jsonl and JOB.aggregate-scores.json; their paths go to stdout."""
    for file in place.open().export(list(jobs), "nemo", to=to):
        click.echo(str(file))


@export.command(
    "trainloop",
    cls=Command,
    short_help="As the JSON files of TrainLoop's documentation.",
    example="evalstore export trainloop nightly-1 nightly-2 --to my-project/data/results",
)
@click.argument("jobs", metavar="JOB...", nargs=-1, required=True, shell_complete=completion.jobs)
@click.option("--to", metavar="FOLDER", type=click.Path(file_okay=False), default=".", help="Where to write them.")
@click.pass_obj
def export_trainloop(place: Place, /, *, jobs: tuple[str, ...], to: str) -> None:
    """Write evaluations, benchmarks (a file per group) and evaluation_summary.json; their paths go to stdout."""
    exported = place.open().export(list(jobs), "trainloop", to=to)
    for file in exported:
        click.echo(str(file))
    for flag in exported.flags:
        say(f"note: {flag}")


def _write_report(report: ImportReport, format: str) -> None:
    import polars as pl

    from evalstore.cli.pages.jobs import frame_page
    from evalstore.importers.report import unchanged as report_unchanged

    what: dict[str, list[Any]] = {"job": report.jobs} if len(report.jobs) == 1 else {"jobs": [len(report.jobs)]}
    counts = {"rows": report.rows, "bad rows": report.bad_rows}
    if report.format == "trainloop":
        counts = {"rows": report.rows, "duplicates": report.duplicates, "errors": report.errors}
    frame = pl.DataFrame({**what, **{name: [count] for name, count in counts.items()}})
    write(Answer(lambda: frame, lambda: frame_page(frame), report.to_dict), format)
    unchanged = {job for job in report.jobs if report_unchanged(job) in report.flags}
    for job in report.jobs:
        if job not in unchanged:
            say(f"stored job {job}")
    for flag in report.flags if format == "table" else ():
        say(f"note: {flag}")
    if report.bad_rows:
        job = report.jobs[0] if len(report.jobs) == 1 else "JOB"
        say(f"bad rows stand as rows in error: evalstore rows {job} --where 'error ~ BrokenInput'")
