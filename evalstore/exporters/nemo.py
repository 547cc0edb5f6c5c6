"""The exporter `nemo`: the two artifacts of a metric job, row scores and aggregate scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evalstore import json_text, nemo_form
from evalstore.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from evalstore.aggregates import AggregateScores
    from evalstore.rows import RowScores

__all__ = ["by_name", "export_job"]


def by_name(shown: Iterable[dict[str, Any]]) -> dict[str, str]:
    """The jobs as `workspace/NAME` by the name of their files. Raises: UsageError where two have one name."""
    named: dict[str, str] = {}
    for job in shown:
        path = f"{job['workspace']}/{job['name']}"
        if (other := named.setdefault(job["name"], path)) != path:
            raise UsageError(f"{other} and {path} would be the same files: export them to two folders")
    return named


def export_job(job: str, rows: RowScores, scores: AggregateScores, to: Path) -> list[Path]:
    """Writes JOB.row-scores.jsonl and JOB.aggregate-scores.json into a folder. Raises: OSError."""
    to.mkdir(parents=True, exist_ok=True)
    row_file, aggregate_file = to / f"{job}.row-scores.jsonl", to / f"{job}.aggregate-scores.json"
    rows.write_jsonl(row_file)
    text, _ = json_text.dumps(nemo_form.aggregate_document(list(scores.scores)))
    aggregate_file.write_text(f"{text}\n", encoding="utf-8")
    return [row_file, aggregate_file]
