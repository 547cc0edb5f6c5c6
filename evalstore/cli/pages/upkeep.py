"""The pages of the commands that keep a store in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evalstore.cli.blocks import Fields, Sentence, Table
from evalstore.cli.pages.wording import numbers, phrases, size, texts, when

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import polars as pl

    from evalstore.cli.blocks import Block
    from evalstore.pruning import PruneReport
    from evalstore.verification import Verification

__all__ = ["deleted_page", "left_out_page", "pruned_page", "verify_page"]


def deleted_page(frame: pl.DataFrame, name_of: Callable[[str], str]) -> list[Block]:
    """One line per deleted job, the last one first."""
    lines = frame.to_dicts()
    columns = [
        texts("job", lines, lambda line: name_of(f"{line['workspace']}/{line['job']}")),
        phrases("deleted (UTC)", lines, lambda line: when(line["deleted_at"])),
        phrases("why", lines, lambda line: line["reason"].partition(" by ")[0]),
        phrases("id", lines, "job_id", spare=1),
    ]
    return [Table(columns)]


def pruned_page(report: PruneReport, name_of: Callable[[str], str]) -> list[Block]:
    """One line per job that may go or is gone, then those that stay, with the reason."""
    shown = [_pruned(report.jobs, name_of, is_trash=report.action == "remove")]
    if stay := [job for job in report.kept if job["reason"] != "too young"]:
        shown.append(
            Table([
                texts("stays", stay, lambda line: name_of(f"{line['workspace']}/{line['job']}")),
                phrases("since it is", stay, "reason"),
            ])
        )  # fmt: skip
    return list(shown)


def _pruned(lines: list[dict[str, Any]], name_of: Callable[[str], str], *, is_trash: bool) -> Table:
    if is_trash:
        around = [
            phrases("deleted (UTC)", lines, lambda line: when(line["deleted_at"])),
            phrases("why", lines, lambda line: line["reason"].partition(" by ")[0]),
        ]
    else:
        around = [
            phrases("created (UTC)", lines, lambda line: when(line["created_at"])),
            phrases("status", lines, "status"),
            texts("model", lines, "model", spare=2),
            texts("dataset", lines, "dataset", spare=3),
            texts("group", lines, "group", spare=4),
        ]
    named = texts("job", lines, lambda line: name_of(f"{line['workspace']}/{line['job']}"))
    space = numbers("rows on disk", lines, "bytes", spare=1, say=size)
    return Table([named, *around, space])


def verify_page(found: Verification, *, is_table: bool = False) -> Iterator[Block]:
    """What there is, then what was found, as records or as a table."""
    yield Fields(
        [
            ("checked", f"{found.jobs:,} jobs, {found.rows:,} rows, {found.scores:,} scores"),
            ("on disk", ", ".join(f"{part} {size(count)}" for part, count in found.bytes.items() if count)),
        ]
    )
    lines = found.to_polars().to_dicts()
    if not lines:
        yield Sentence("Nothing is wrong.")
    elif is_table:
        yield Table([phrases(field, lines, field) for field in ("severity", "path", "message")])
    else:  # paths are long and there to be copied: they have a line of their own
        for line in lines:
            yield Fields([(line["severity"].ljust(len("on disk")), line["path"]), ("", line["message"])])


def left_out_page(lines: list[dict[str, Any]]) -> Iterator[Block]:
    """The folders that are no job of the catalog, if there are any."""
    if lines:
        yield Table([texts("left out", lines, "path"), texts("reason", lines, "reason")])
