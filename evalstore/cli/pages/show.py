"""The page of `evalstore show`: a job, and its aggregate scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evalstore.cli import values
from evalstore.cli.blocks import Fields, Heading, Sentence, Table
from evalstore.cli.pages.wording import (
    duration,
    is_told,
    measure,
    name_of,
    number,
    numbers,
    phrases,
    scored,
    share,
    status,
    texts,
    when,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl

    from evalstore.cli.blocks import Block, Column

__all__ = ["aggregate_tables", "show_page"]

POLICIES = {
    "zero": "Rows in error count as 0 in these means.",
    "worst": "Rows in error count as the worst value in these means.",
}


def show_page(job: dict[str, Any], frame: pl.DataFrame, *, by: str | None, errors: str) -> Iterator[Block]:
    """What is known of a job, then its aggregate scores."""
    yield Heading(job["name"], status(job))
    yield Fields([(name, value) for name, value in _facts(job) if value])
    if failed := [suite for suite in job["suites"] or () if suite["status"] == "failed"]:
        yield Table([
            texts("failed suite", failed, "name"),
            numbers("events", failed, "events_processed", say=str),
            texts("error", failed, "error"),
        ])  # fmt: skip
    if errors in POLICIES:
        yield Sentence(POLICIES[errors])
    yield from aggregate_tables(frame, by=by)


def aggregate_tables(frame: pl.DataFrame, *, by: str | None = None) -> Iterator[Table]:
    """The numbers, then the labels: one line per suite, metric, name and slice."""
    lines = frame.to_dicts()
    labels = [line for line in lines if line["score_type"] == "rubric"]
    ranges = [line for line in lines if line["score_type"] != "rubric"]
    if ranges or not labels:
        yield _table(ranges, by, [
            numbers("mean", ranges, "mean"),
            numbers("std error", ranges, "std_error", spare=4),
            numbers("median", ranges, "median", spare=7, say=measure),
            numbers("min", ranges, "min", spare=5, say=measure),
            numbers("max", ranges, "max", spare=6, say=measure),
            _wanted(numbers("passed", ranges, lambda line: share(line["passed"], line["evaluated"]), spare=1)),
        ])  # fmt: skip
    if labels:
        yield _table(labels, by, [
            phrases("mode", labels, "mode_category", spare=4),
            texts("labels", labels, _distribution),
            _wanted(numbers("mean", labels, "mean", spare=2)),
            _wanted(numbers("std error", labels, "std_error", spare=5)),
        ])  # fmt: skip


def _table(lines: list[dict[str, Any]], by: str | None, columns: list[Column | None]) -> Table:
    has_suites = any(line["suite"] != "default" for line in lines)
    around = [
        texts("suite", lines, "suite") if has_suites else None,
        texts("metric", lines, name_of),
        texts(by, lines, "slice") if by else None,
        *columns,
        phrases("rows", lines, scored),
        _counted("errors", lines, "rows_error"),
        _counted("out of range", lines, "out_of_range"),
        _counted("NaN", lines, "nan_count"),
        _counted("infinite", lines, "inf_count"),
    ]
    return Table([column for column in around if column is not None])


def _counted(title: str, lines: list[dict[str, Any]], field: str) -> Column | None:
    """A column of counts that is there only if one of them is not zero."""
    return numbers(title, lines, field, say=str) if any(line[field] for line in lines) else None


def _wanted(column: Column) -> Column | None:
    return column if any(cell is not None for cell in column.cells) else None


def _distribution(line: dict[str, Any]) -> str:
    return ", ".join(f"{step['label']} {step['count']}" for step in line["rubric_distribution"] or ()) or "none"


def _facts(job: dict[str, Any]) -> Iterator[tuple[str, str | None]]:
    error = job["error"]
    yield "error", error and ": ".join(filter(None, (error["type"], error["message"])))
    for field in ("model", "dataset", "metric_ref", "group"):
        yield field.replace("_", " "), job[field]
    took = duration(job["duration"])
    yield "created", f"{when(job['created_at'], to='seconds')} UTC" + (f", took {took}" if took else "")
    yield "rows", _rows(job)
    yield "score", _score(job)
    yield "pass rate", _pass_rate(job)
    yield "cost", None if job["cost"] is None else f"{measure(job['cost'])} USD"
    yield "tokens", _tokens(job)
    yield (
        "latency",
        None
        if job["latency_mean"] is None
        else ", ".join(
            f"{name} {duration(job[field])}"
            for name, field in (("mean", "latency_mean"), ("median", "latency_p50"), ("95 % within", "latency_p95"))
            if job[field] is not None
        ),
    )
    yield "git", _git(job)
    yield "tags", ", ".join(job["tags"] or ())
    yield "labels", ", ".join(f"{key}={value}" for key, value in dict(job["labels"] or {}).items())
    yield "config", values.text(job["config"])
    yield "source", job["source"] and f"{job['source']['tool']}: {job['source']['path']}"


def _rows(job: dict[str, Any]) -> str:
    none = "none, told by its counts" if is_told(job) else "none"
    parts = [none] if job["rows_total"] == 0 else [scored(job)]
    parts += [f"{job['rows_error']} in error"] if job["rows_error"] else []
    parts += [f"{job['rows_unscored']} unscored"] if job["rows_unscored"] else []
    dropped = job["rows_dropped_at"]
    parts += [f"dropped {when(dropped)} UTC"] if dropped else []
    return ", ".join(parts)


def _score(job: dict[str, Any]) -> str | None:
    left_out = job["metrics_unscaled"]
    note = f" (left out: {left_out} without any score, pass/fail or a range 0..1)" if left_out else ""
    return None if job["overall_score"] is None else f"{number(job['overall_score'])}{note}"


def _pass_rate(job: dict[str, Any]) -> str | None:
    passed = share(job["total_passed"], job["total_evaluated"])
    return None if job["pass_rate"] is None else f"{number(job['pass_rate'])}, passed {passed}"


def _tokens(job: dict[str, Any]) -> str | None:
    if job["total_tokens"] is None:
        return None
    parts = [
        f"{job[field]:,} {field.partition('_')[0]}" for field in ("prompt_tokens", "completion_tokens") if job[field]
    ]
    return f"{job['total_tokens']:,}" + (f" ({', '.join(parts)})" if parts else "")


def _git(job: dict[str, Any]) -> str | None:
    if not job["git_commit"]:
        return None
    branch = f" on {job['git_branch']}" if job["git_branch"] else ""
    return f"{job['git_commit'][:12]}{branch}" + (" (dirty)" if job["git_dirty"] else "")
