"""The page of `evalstore baseline list` and `evalstore baseline history`."""

from __future__ import annotations

from typing import Any

from evalstore.cli.blocks import Table
from evalstore.cli.pages.wording import numbers, phrases, texts, when

__all__ = ["baselines_page"]


def baselines_page(lines: list[dict[str, Any]]) -> list[Table]:
    """A line per version: what it is called, which job it is, since when and why."""
    return [
        Table(
            [
                phrases("baseline", lines, "baseline"),
                numbers("version", lines, "version", say=str),
                texts("job", lines, _job),
                phrases("current", lines, lambda line: "yes" if line["is_current"] else "-"),
                phrases("set (UTC)", lines, lambda line: when(line["set_at"])),
                phrases("commit", lines, lambda line: line["git_commit"] and line["git_commit"][:10], spare=1),
                texts("note", lines, "note"),
            ]
        )
    ]


def _job(line: dict[str, Any]) -> str:
    if line["job"] is None:
        return "(taken away)"
    return str(line["job"]) if line["status"] else f"{line['job']} (not there any more)"
