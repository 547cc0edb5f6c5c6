"""The rows of one job with their scores: an answer that can be walked any number of times, long or wide."""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalstore import json_text
from evalstore.arrow_lines import as_dicts
from evalstore.errors import UsageError
from evalstore.frames import Answer, check_process, to_polars
from evalstore.models import MetricScore, RowScore

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

    import polars as pl
    import pyarrow as pa

__all__ = ["COLUMNS", "RowScores"]

_KEY = ("suite", "row_key", "repetition")
_IDENTITY = (*_KEY, "row_index")
_DOCUMENTS = ("item", "sample", "reference", "metadata")
_PLAIN = (
    "error", "latency", "prompt_tokens", "completion_tokens", "total_tokens", "cost", "cluster",
)  # fmt: skip
COLUMNS = (*_DOCUMENTS, "requests", "tags", *_PLAIN)
"""The parts of a row that can be left out."""


class RowScores(Answer):
    """Rows of one job, in the order asked for. Iterating gives `RowScore`; `.to_polars()` has one line per score."""

    def __init__(self, job: str, rows: pa.Table, scores: pa.Table, columns: Sequence[str] | None = None) -> None:
        """`columns` are those of the rows that are wanted, beside what says which row it is."""
        self._job, self._scores = job, scores
        kept = rows.column_names if columns is None else [*_IDENTITY, *columns, "quality", "is_error"]
        self._rows = rows.select([name for name in rows.column_names if name in kept])

    def __len__(self) -> int:
        return int(self._rows.num_rows)

    def __iter__(self) -> Iterator[RowScore]:
        scores = defaultdict(list)
        for score in self._scores.to_pylist():
            scores[tuple(score[k] for k in _KEY)].append(score)
        for row in as_dicts(self._rows):
            yield _row_score(self._job, row, scores[tuple(row[k] for k in _KEY)])

    @property
    def errors(self) -> pl.DataFrame:
        """The rows in error among these: one line per row, with the columns of the view `rows`."""
        return to_polars(self._rows.filter(self._rows["is_error"]).drop_columns(["quality", "is_error"]))

    def rows(self) -> pl.DataFrame:
        """One line per row: the columns of the view `rows`, `is_error`, and `quality` where an order was asked for."""
        return to_polars(self._rows)

    def write_jsonl(self, path: str | os.PathLike[str]) -> int:
        """Writes one JSON object per row, in the form of NeMo Evaluator's `row-scores.jsonl`; the number of rows.

        NaN is the string "NaN" there, and a score with a label two entries: `quality` and `quality.label`.

        Raises: UsageError where parts of the rows were left out by `columns=`; then nothing was written. OSError.
        """
        from evalstore import nemo_form

        if missing := [part for part in nemo_form.PARTS if part not in self._rows.column_names]:
            parts = ", ".join(map(repr, nemo_form.PARTS))
            raise UsageError(
                f"rows without {', '.join(missing)} cannot be written in this form: leave columns out of row_scores(), "
                f"or name {parts} there too"
            )
        with Path(path).open("w", encoding="utf-8") as file:
            file.writelines(f"{nemo_form.row_line(row)}\n" for row in self)
        return len(self)

    def wide(self) -> pl.DataFrame:
        """One line per row: the row's fields, then one column `<metric>:<name>` per score, numeric where it is numeric.

        A score that is missing is null, NaN is NaN. Where some of the scores are numbers, labels stand in a column of
        their own, `<metric>:<name>.label`; where none is, in that of the score. Several scores of the same name get
        `#1`, `#2`, ... appended. A metric or name with `:`, `#` or `"` in it, or with `.label` at its end, stands in
        double quotes, so that no two scores share a column.

        The rows whose lowest score is below 0.7, whatever is NaN or missing beside it:
        `wide.filter(pl.any_horizontal((cs.contains(":") & cs.numeric()) < 0.7))`.
        """
        check_process()
        import polars as pl

        rows = to_polars(self._rows).drop("quality", "is_error")
        scores = to_polars(self._scores)
        columns: dict[str, pl.DataFrame] = {}
        for key, part in scores.group_by(["metric", "name", "score_index"], maintain_order=True):
            metric, name, index = key
            column = f"{_quoted(metric)}:{_quoted(name)}" + (f"#{index}" if index else "")
            has_labels = part["label"].null_count() < len(part)
            is_numeric = part["value"].null_count() < len(part) or not has_labels
            if is_numeric:
                columns[column] = part.select(*_KEY, pl.col("value").alias(column))
            if has_labels:
                column += ".label" if is_numeric else ""
                columns[column] = part.select(*_KEY, pl.col("label").alias(column))
        for column in sorted(columns):
            rows = rows.join(columns[column], on=list(_KEY), how="left", maintain_order="left")
        return rows

    @cached_property
    def _table(self) -> pa.Table:
        check_process()
        import polars as pl

        rows = to_polars(self._rows).with_row_index("place").select("place", *_KEY)
        scores = to_polars(self._scores).join(rows, on=list(_KEY), how="inner", maintain_order="left")
        return scores.sort("place", maintain_order=True).select(pl.exclude("place")).to_arrow()


def _quoted(part: Any) -> str:
    """A metric or a name as a part of a column's name."""
    is_plain = not re.search(r'[:#"]|\.label$', part)
    return str(part) if is_plain else '"' + part.replace('"', '""') + '"'


def _row_score(job: str, row: dict[str, Any], scores: list[dict[str, Any]]) -> RowScore:
    metrics: dict[str, list[MetricScore]] = {}
    for score in scores:
        metrics.setdefault(score["metric"], []).append(
            MetricScore(
                name=score["name"],
                value=_value(score),
                **{k: score[k] for k in ("label", "passed", "status", "comment", "error")},
            )
        )
    told: dict[str, Any] = {name: row[name] for name in (*_IDENTITY, *_PLAIN) if name in row}
    told |= {name: _document(row[name]) for name in _DOCUMENTS if name in row}
    told |= {"requests": _requests(row["requests"])} if "requests" in row else {}
    told |= {"tags": row["tags"] or []} if "tags" in row else {}
    told |= {"job": job, "metrics": metrics}
    told["metric_errors"] = {s["metric"]: s["error"] for s in scores if s["error"] is not None}
    if len(told) == len(RowScore.model_fields):
        return RowScore(**told)
    return RowScore.model_construct(set(told), **told)  # what was not asked for is not there, which is not None


def _value(score: dict[str, Any]) -> Any:
    """The value in the type in which it was given."""
    value, kind = score["value"], score["value_type"]
    if value is None:
        return score["label"]
    if kind == "bool":
        return bool(value)
    if kind == "int":
        extra = json_text.loads(score["extra"]) if score["extra"] else None
        return int(extra["exact_value"] if isinstance(extra, dict) and "exact_value" in extra else value)
    return value


def _document(text: str | None) -> dict[str, Any]:
    return json_text.loads(text) if text else {}


def _requests(text: str | None) -> list[Any]:
    requests = json_text.loads(text) if text else []
    return requests if isinstance(requests, list) else [requests]
