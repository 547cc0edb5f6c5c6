"""The commands that compare and judge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from evalstore.cli import completion
from evalstore.cli.options import Place, format_option, output_option, policy_option, which
from evalstore.cli.output import Answer, say, warn, write
from evalstore.cli.program import Command

if TYPE_CHECKING:
    from evalstore.analysis.comparison import Comparison

__all__ = ["compare"]

FLIPS = ("changed", "improved", "regressed", "newly in error", "recovered", "both right", "both wrong", "unchanged",
         "both in error")  # fmt: skip


@click.command(
    cls=Command,
    short_help="Compare two jobs row by row.",
    example="""\
evalstore compare gsm8k-6b gsm8k-175b
evalstore compare gsm8k-6b gsm8k-175b --flips regressed --limit 5
evalstore compare @last~1 @last --by metadata.category --html report.html""",
)
@click.argument("baseline", shell_complete=completion.jobs)
@click.argument("candidate", shell_complete=completion.jobs)
@which("metric", "suite")
@policy_option
@click.option("--by", metavar="FIELD", shell_complete=completion.slices, help="Also per value of a row's field.")
@click.option("--flips", metavar="FLIP", type=click.Choice(FLIPS), help=f"Show these rows: {', '.join(FLIPS)}.")
@click.option("--limit", metavar="N", type=click.IntRange(min=0), default=20, show_default=True,
              help="At most N rows of each flip and metric; 0 for all.")  # fmt: skip
@click.option("--cluster", metavar="FIELD", shell_complete=completion.slices,
              help="What rows that belong together have in common; by default their cluster.")  # fmt: skip
@click.option("--confidence", metavar="SHARE", type=float, default=0.95, show_default=True, help="Of the intervals.")
@click.option("--margin", metavar="LOSS", type=float, help="A loss that does not matter: is it less than that?")
@click.option("--test", type=click.Choice(["auto", "permutation"]), default="auto", show_default=True,
              help="McNemar or t as it fits, or random sign flips.")  # fmt: skip
@click.option("--correction", type=click.Choice(["holm", "bh", "none"]), default="holm", show_default=True,
              help="Of the p values, over all metrics.")  # fmt: skip
@click.option("--max-changed", metavar="SHARE", type=float, default=0.05, show_default=True,
              help="Rows of one key with other content, at most.")  # fmt: skip
@click.option("--min-paired", metavar="SHARE", type=float, default=0.9, show_default=True,
              help="Rows that are in both, of the smaller job.")  # fmt: skip
@click.option("--html", metavar="FILE", type=click.Path(dir_okay=False), help="Also write a report as one HTML file.")
@format_option()
@output_option
@click.pass_obj
def compare(
    place: Place, /, *, baseline: str, candidate: str, flips: str | None, limit: int, html: str | None, format: str,
    output: str | None, **asked: Any,
) -> None:  # fmt: skip
    """Compare the jobs BASELINE and CANDIDATE (NAME, WORKSPACE/NAME, @last, @last~1, @NAME of a baseline).

    Over the rows that both have: means, the difference with its interval and p value, and which rows flipped. Rows of
    one key with other content are left out; jobs that share too few rows are not comparable (exit code 3).
    """
    from evalstore.cli.pages.compare import compare_page, flips_page, flips_table

    found = place.open().compare(baseline, candidate, **asked)
    warn(found.warnings, None if flips else format, output)
    if html:
        found.write_html(html)
        say(f"wrote {html}")
    if flips is None:
        document = found.to_dict()
        frame = (lambda: found.slices) if asked["by"] else (lambda: found.metrics)
        write(Answer(frame, lambda: compare_page(document), lambda: document), format, output)
        return
    table = _flips(found, flips, limit)
    lines = table.to_pylist()

    def frame_of_flips() -> Any:
        from evalstore.frames import to_polars

        return to_polars(table)

    page = (lambda: [flips_table(lines)]) if format == "markdown" else (lambda: flips_page(lines))
    write(Answer(frame_of_flips, page), format, output)


def _flips(found: Comparison, flips: str, limit: int) -> Any:
    kinds = () if flips == "changed" else (flips,)
    return found.flip_table(*kinds, limit=limit or None)
