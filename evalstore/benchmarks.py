"""Benchmarks: the models of one group beside each other, what they cost, and which of them is best."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from evalstore import frames, names, queries
from evalstore.errors import NotComparable, UnknownField, UsageError, near

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl
    import pyarrow as pa

    from evalstore.session import Session

__all__ = ["MAX_ERROR_RATE", "Benchmark", "benchmark", "comparison"]

MAX_ERROR_RATE = 0.1
"""The share of rows in error, in any metric, above which a model is not the best, unless another one is named."""

_CENT = 0.005 + 1e-9  # of what is stated with two decimals
_MILLI = 0.0005 + 1e-9  # with three
_FOR_FLAGS = ("worst_metric", "metric_set", "rows_with_cost", "rows_with_tokens", "rows_told")


@dataclass(frozen=True)
class Benchmark:
    """What `store.benchmark()` found.

    `models` has a line per model, the best first: passed, pass rate, overall score, errors, cost (USD), tokens, latency
    (seconds). `metrics` has one per model and metric. `missing` are the models without a completed job, and why they
    have none; `flags` says what is odd, such as stated numbers that contradict each other.
    """

    group: str
    models: pl.DataFrame
    metrics: pl.DataFrame
    best_overall: str | None
    best_value: str | None
    cost_savings: float | None
    missing: list[dict[str, Any]] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)

    def to_polars(self) -> pl.DataFrame:
        """The models."""
        return self.models

    def to_dict(self) -> dict[str, Any]:
        """All of it, for JSON."""
        told = {"group": self.group, "models": self.models.to_dicts(), "metrics": self.metrics.to_dicts()}
        best = {"best_overall": self.best_overall, "best_value": self.best_value, "cost_savings": self.cost_savings}
        return {**told, "comparison": best, "missing": self.missing, "flags": self.flags}


def benchmark(session: Session, group: str, *, workspace: str, dataset: str | None, max_error_rate: float) -> Benchmark:
    """The models of a group. Raises: UsageError, UnknownField, NotComparable."""
    is_rate = isinstance(max_error_rate, (int, float)) and 0 <= max_error_rate <= 1
    if not is_rate or isinstance(max_error_rate, bool):
        raise UsageError(f"max_error_rate is a share between 0 and 1, not {max_error_rate!r}")
    narrow: dict[str, Any] = {"workspace": workspace, "group": group, "dataset": dataset}
    found = queries.benchmark_models(session, **narrow, max_error_rate=max_error_rate)
    missing = queries.benchmark_missing(session, **narrow).to_pylist()
    if not found.num_rows:
        known = queries.known_names(session, workspace=workspace, kind="group").column(0).to_pylist()
        if group not in known:
            raise UnknownField(f"there is no group {group!r} in workspace {workspace!r}; {near(group, known)}")
        on = "" if dataset is None else f" on {dataset}"
        raise NotComparable(f"no job of group {group!r}{on} has completed: there is nothing to compare")
    lines = found.to_pylist()
    job_ids = [line["job_id"] for line in lines]
    stated = queries.benchmark_stated(session, job_ids=job_ids).to_pylist()
    result = Benchmark(
        group,
        _frame(found.drop_columns(list(_FOR_FLAGS))),
        _frame(queries.benchmark_metrics(session, job_ids=job_ids)),
        **_best(lines),
        missing=missing,
    )
    result.flags.extend([*_odd(lines, max_error_rate), *_contradictions(stated, result)])
    return result


def comparison(session: Session, job_ids: list[str]) -> dict[str, Any]:
    """best_overall, best_value and cost_savings among some jobs, as `benchmark` has them of a group."""
    return _best(queries.benchmark_models(session, job_ids=job_ids, max_error_rate=MAX_ERROR_RATE).to_pylist())


def _best(lines: list[dict[str, Any]]) -> dict[str, Any]:
    overall = next((line for line in lines if line["is_best_overall"]), None)
    value = next((line for line in lines if line["is_best_value"]), None)
    return {
        "best_overall": overall and overall["model"],
        "best_value": value and value["model"],
        "cost_savings": value["cost_savings"] if overall and value else None,
    }


def _frame(table: pa.Table) -> pl.DataFrame:
    return frames.to_polars(table)


def _odd(lines: list[dict[str, Any]], max_error_rate: float) -> Iterator[str]:
    """What stands in the way of a comparison."""
    for line in lines:
        model, worst = line["model"], line["worst_metric"]
        if not line["comparable"]:
            yield f"{model} answered other rows than the others, and is not compared with them"
        elif (line["error_rate"] or 0) > max_error_rate:
            failed = f"failed on {line['rows_error']} of {line['rows_total']} rows"
            if worst and (worst["share"] or 0) > line["rows_error"] / (line["rows_total"] or 1):
                failed = f"has {worst['metric']} in error on {worst['rows_error']} of {worst['rows_total']} rows"
            yield f"{model} {failed}, and cannot be the best (limit {max_error_rate:g})"
        elif not line["same_metrics"]:
            scored = ", ".join(line["metric_set"] or ()) or "no metric"
            yield f"{model} is scored in other metrics than the others ({scored}), and is not compared with them"
        else:
            for what, known in (("cost", "rows_with_cost"), ("tokens", "rows_with_tokens")):
                if 0 < (line[known] or 0) < line["rows_told"]:
                    some = f"{what} of {line[known]} of {line['rows_told']} rows"
                    yield f"{model} tells the {some}: that is no total"
            if line["cost"] is None:
                yield f"what {model} cost is not known: it cannot be the best value"
    if all(line["overall_score"] is None for line in lines):
        yield "no model has an overall score: no metric has pass/fail or a declared range 0..1, so none is best"


def _contradictions(stated: list[dict[str, Any]], found: Benchmark) -> Iterator[str]:
    """Where the files that the jobs came from state something else than their counts say."""
    for line in stated:
        model, cost, tokens = line["model"], line["cost"], line["total_tokens"]
        per_passed = cost / line["passed"] if cost is not None and line["passed"] else None
        for what, value, within in (("overall_score", line["overall_score"], _MILLI), ("cost", cost, _CENT),
                                    ("cost_per_passed", per_passed, _MILLI)):  # fmt: skip
            if _differs(line[f"stated_{what}"], value, within):
                yield f"{model} states {what} {line[f'stated_{what}']:g}; its counts say {value:.4g}"
        per_token = line["stated_cost_per_token"]
        if per_token and tokens and cost is not None and not math.isclose(per_token * tokens, cost, rel_tol=0.1):
            yield (
                f"{model} states {per_token:g} USD a token: its {tokens:,} tokens would have cost "
                f"{per_token * tokens:,.2f} USD, and {cost:,.2f} is stated. As USD per 1,000 tokens it would speak of "
                f"{1000 * cost / per_token:,.0f} tokens"
            )
    first = stated[0] if stated else {}
    if first.get("latency_kind"):
        yield f"latencies are each a {first['latency_kind']}: how long one call took is not known"
    for what in ("best_overall", "best_value"):
        said, is_so = first.get(f"stated_{what}"), getattr(found, what)
        if said is not None and names.reference(said) != is_so:
            yield f"the file states {what} {said}; the counts say {is_so or 'none'}"
    if _differs(first.get("stated_cost_savings"), found.cost_savings, _CENT):
        shown = "not known" if found.cost_savings is None else f"{found.cost_savings:.4g}"
        yield f"the file states cost_savings {first['stated_cost_savings']:g}; by the costs it is {shown}"


def _differs(said: float | None, found: float | None, within: float) -> bool:
    """Whether what is stated is something else than what was found, by more than rounding."""
    return said is not None and found is not None and abs(said - found) > within
