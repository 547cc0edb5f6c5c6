"""The page of `evalstore benchmark`."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from evalstore.cli.blocks import Fields, Heading, Table
from evalstore.cli.pages.wording import duration, measure, name_of, numbers, phrases, scored, share, texts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evalstore.benchmarks import Benchmark
    from evalstore.cli.blocks import Block, Column

__all__ = ["benchmark_page"]


def benchmark_page(found: Benchmark) -> Iterator[Block]:
    """Which model is best, the models, each metric, and what is missing."""
    yield Heading(found.group, level=0)
    yield Fields(
        [
            ("best overall", found.best_overall or "none"),
            ("best value", found.best_value or "none"),
            ("cost savings", "not known" if found.cost_savings is None else f"{found.cost_savings:.1%}"),
        ]
    )
    yield _models(found.models.to_dicts())
    for _, lines in groupby(found.metrics.to_dicts(), itemgetter("suite", "metric", "name")):
        measured = list(lines)
        first = measured[0]
        yield Heading(name_of(first), "" if first["suite"] == "default" else first["suite"])
        yield _metric(measured)
    if found.missing:
        yield Table(
            [
                texts("missing", found.missing, "model"),
                phrases("status", found.missing, "status"),
                texts("why", found.missing, "error"),
            ]
        )


def _models(lines: list[dict[str, Any]]) -> Table:
    datasets = {line["dataset"] for line in lines}
    columns: list[Column | None] = [
        texts("model", lines, "model"),
        texts("dataset", lines, "dataset") if len(datasets) > 1 else None,
        numbers("score", lines, "overall_score"),
        numbers("passed", lines, lambda line: share(line["passed"], line["evaluated"])),
        numbers("errors", lines, "rows_error", say=str) if any(line["rows_error"] for line in lines) else None,
        numbers("USD", lines, "cost", say=measure),
        numbers("USD/passed", lines, "cost_per_passed", say=_small),
        numbers("USD/1K tokens", lines, "cost_per_1k_tokens", spare=3, say=_small),
        numbers("tokens", lines, "total_tokens", spare=4, say="{:,}".format),
        numbers("latency", lines, "latency_mean", spare=2, say=duration),
        numbers("p50", lines, "latency_p50", spare=6, say=duration),
        numbers("p95", lines, "latency_p95", spare=5, say=duration),
        phrases("rows", lines, lambda line: None if line["comparable"] else "others")
        if not all(line["comparable"] for line in lines)
        else None,
    ]
    return Table([column for column in columns if column is not None])


def _metric(lines: list[dict[str, Any]]) -> Table:
    is_judged = any(line["evaluated"] for line in lines)
    columns: list[Column | None] = [
        texts("model", lines, "model"),
        numbers("pass rate", lines, "pass_rate") if is_judged else numbers("mean", lines, "mean"),
        numbers("passed", lines, lambda line: share(line["passed"], line["evaluated"])) if is_judged else None,
        phrases("rows", lines, scored),
        numbers("errors", lines, "rows_error", say=str) if any(line["rows_error"] for line in lines) else None,
    ]
    return Table([column for column in columns if column is not None])


def _small(value: float) -> str:
    """A price: of small ones what counts."""
    return f"{value:.4g}"
