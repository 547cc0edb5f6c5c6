"""The jobs of a benchmark as the one document that TrainLoop's documentation describes."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any

from evalstore.evaluation_summary import iso
from evalstore.exporters.trainloop_context import context_of, error_of

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["benchmark_document", "is_whole", "one_per_provider"]


def is_whole(job: dict[str, Any]) -> bool:
    """Whether a job came to its end."""
    return bool(job["status"] == "completed")


def one_per_provider(jobs: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """The jobs of a group in so many parts that none has two of one provider; the first has the newest of each."""
    parts: list[dict[str, dict[str, Any]]] = []
    for job in sorted(jobs, key=itemgetter("created_at", "job_id"), reverse=True):
        part = next((one for one in parts if _provider(job) not in one), None)
        if part is None:
            parts.append(part := {})
        part[_provider(job)] = job
    return [[job for job in jobs if job in part.values()] for part in parts]


def benchmark_document(
    jobs: list[dict[str, Any]], suites: Mapping[str, dict[str, Any]], comparison: dict[str, Any]
) -> dict[str, Any]:
    """The document of some jobs of one group, one per provider, with the suites of each by its id."""
    declared = [name for job in jobs for name in _declared(job)]
    providers = {_provider(job): job for job in jobs}
    return {
        "timestamp": iso(jobs[0]["created_at"]),
        "type": "benchmark",
        "providers": list(dict.fromkeys([*declared, *providers])),
        "total_samples": max((job["total_events"] for job in jobs), default=0),
        "results": {name: _result(job, suites[job["job_id"]]) for name, job in providers.items()},
        "comparison": comparison,
    }


def _provider(job: dict[str, Any]) -> str:
    return str(job["model"] or job["name"])


def _declared(job: dict[str, Any]) -> list[str]:
    """The providers that were to be compared, those without results among them."""
    metadata = job["metadata"] if isinstance(job["metadata"], dict) else {}
    benchmark = metadata.get("benchmark")
    providers = benchmark.get("providers") if isinstance(benchmark, dict) else None
    return [str(one) for one in providers] if isinstance(providers, list) else []


def _result(job: dict[str, Any], suites: dict[str, Any]) -> dict[str, Any]:
    """One provider. `metrics` are the counts of all suites, `suites` has them apart, with their events."""
    metrics: dict[str, Any] = {}
    for name, suite in suites.items():
        for key, metric in suite["metrics"].items():
            counts = {field: metric[field] for field in ("passed", "total", "score")}
            metrics[f"{name}/{key}" if key in metrics else key] = counts
    cost, tokens, passed = job["cost"], job["total_tokens"], job["total_passed"]
    return {
        "metrics": metrics,
        "overall_score": job["overall_score"],
        "cost_analysis": {
            "total_cost": cost,
            "cost_per_token": cost / tokens if cost is not None and tokens else None,
            "cost_per_score": cost / passed if cost is not None and passed else None,
        },
        "performance": {"avg_response_time": job["latency_mean"], "total_tokens": tokens},
        "suites": suites,
        "timestamp": iso(job["created_at"]),
        "duration": job["duration"],
        **({} if is_whole(job) else {"status": job["status"], "error": error_of(job)}),
        **({} if job["config"] is None else {"configuration": job["config"]}),
        **context_of(job),
    }
