"""The exporter `nemo`: the two artifacts of a metric job, row scores and aggregate scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evalstore import json_text, nemo_form

if TYPE_CHECKING:
    from pathlib import Path

    from evalstore.aggregates import AggregateScores
    from evalstore.rows import RowScores

__all__ = ["export_job"]


def export_job(job: str, rows: RowScores, scores: AggregateScores, to: Path) -> list[Path]:
    """Writes JOB.row-scores.jsonl and JOB.aggregate-scores.json into a folder. Raises: OSError."""
    to.mkdir(parents=True, exist_ok=True)
    row_file, aggregate_file = to / f"{job}.row-scores.jsonl", to / f"{job}.aggregate-scores.json"
    rows.write_jsonl(row_file)
    text, _ = json_text.dumps(nemo_form.aggregate_document(list(scores.scores)))
    aggregate_file.write_text(f"{text}\n", encoding="utf-8")
    return [row_file, aggregate_file]
