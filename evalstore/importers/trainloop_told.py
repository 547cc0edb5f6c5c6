"""What documented results become: rows where events are told in full, counts that are marked as told where not.

Counts are what counts: a stated score that differs from them by more than rounding is flagged, and not stored.
"""

from __future__ import annotations

from collections import Counter
from statistics import fmean
from typing import TYPE_CHECKING, Any

from evalstore.errors import BrokenInput
from evalstore.importers import trainloop_checks as checks
from evalstore.importers.trainloop_documents import FAILED, Suite
from evalstore.importers.trainloop_events import event_key, named, take_texts
from evalstore.importers.trainloop_jobs import FoundJob, moment, name_part, told_job, verdict
from evalstore.score_values import STATUSES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import tzinfo
    from pathlib import Path

    from evalstore.importers.trainloop_documents import Benchmark, Detail, Evaluation, Summary, Told

__all__ = ["benchmark_jobs", "classes", "evaluation_job", "summary_job"]

_CONTEXT = ("dataset", "model", "group", "tags", "labels")
_USAGE = (
    "cost", "prompt_tokens", "completion_tokens", "total_tokens", "latency_mean", "latency_p50", "latency_p95",
)  # fmt: skip

_STATED = {"overall_score", "cost_analysis", "performance"}


def evaluation_job(file: Path, document: Evaluation, *, timezone: tzinfo) -> FoundJob:
    """The job of an evaluation; one that failed keeps its partial suites. Raises: BrokenInput (file, field)."""
    began = moment(document.timestamp, timezone, file=file)
    job = FoundJob(name_part(file.stem), {"created_at": began, "config": document.configuration or None})
    suites = _suites(job, file, document.suites)
    fields = _told(job, document)
    job.told = {"suites": suites, "job": told_job(began, document.duration, **fields)}
    kept = {
        "total_events": document.total_events,
        "summary": document.summary,
        "partial_results": document.partial_results,
        "suites": _unknown(document.suites),
        **document.more(),
    }
    job.metadata = {"document": {key: value for key, value in kept.items() if value is not None}}
    checks.check_summary(job, document)
    checks.check_signs(job, file, {"duration": document.duration, **document.usage})
    return job


def _told(job: FoundJob, document: Told) -> dict[str, Any]:
    """What a document says of the whole job; context, declarations and scores of it go to the job."""
    job.context |= {field: found for field in _CONTEXT if (found := getattr(document, field))}
    declared: dict[str, list[dict[str, Any]]] = {}
    for one in document.metric_declarations:
        declared.setdefault(str(one.get("metric")), []).append({k: v for k, v in one.items() if k != "metric"})
    job.context["metrics"] = declared
    scores: dict[str, list[dict[str, Any]]] = {}
    for one in document.job_scores:
        score = {key: value for key, value in one.items() if key != "metric"}
        if score.get("value") in ("nan", "inf", "-inf"):
            score["value"] = float(score["value"])
        scores.setdefault(str(one.get("metric")), []).append(score)
    job.summary = {**(job.summary or {}), **scores} or None
    fields: dict[str, Any] = {
        field: int(value) if field.endswith("tokens") else value
        for field, value in document.usage.items()
        if field in _USAGE
    }
    if document.status in FAILED:
        is_said = document.error is not None or document.status == "error"
        fields |= {"status": document.status, "error": _error(document.error) if is_said else None}
    return fields


def benchmark_jobs(file: Path, document: Benchmark, *, timezone: tzinfo) -> list[FoundJob]:
    """The jobs of a benchmark, one per provider with results, tied by their group. Raises: BrokenInput."""
    began, group = moment(document.timestamp, timezone, file=file), name_part(file.stem)
    missing = [provider for provider in document.providers if provider not in document.results]
    kept = document.model_dump(exclude={"timestamp", "results"}, exclude_none=True)
    about = {**kept, "missing_providers": missing}
    jobs = []
    for provider, result in document.results.items():
        context = {"kind": "benchmark", "group": group, "model": provider, "created_at": began}
        job = FoundJob(f"{group}-{name_part(provider)}", context)
        began = moment(document.timestamp if result.timestamp is None else result.timestamp, timezone, file=file)
        job.context |= {"created_at": began, "config": result.configuration or None}
        job.name_before = group
        given = result.suites
        if "suites" not in result.model_fields_set:  # as it is documented
            given = {"default": Suite(metrics=result.metrics, events_processed=document.total_samples)}
        suites = _suites(job, file, given)
        cost, tokens = result.cost_analysis.get("total_cost"), result.performance.get("total_tokens")
        numbers = {
            "cost": cost,
            "total_tokens": None if tokens is None else int(tokens),
            "latency_mean": result.performance.get("avg_response_time"),
        }
        known = {field: value for field, value in numbers.items() if value is not None}
        job.told = {"suites": suites, "job": told_job(began, result.duration, **{**known, **_told(job, result)})}
        of_provider = result.model_dump(include=_STATED, exclude_none=True) | result.more()
        job.metadata = {"benchmark": about, "document": of_provider}
        passed = sum(metric.passed or 0 for suite in given.values() for metric in suite.metrics.values())
        checks.check_signs(job, file, {**result.cost_analysis, **result.performance}, f"results.{provider}")
        checks.check_costs(job, provider, result.cost_analysis, tokens, passed)
        jobs.append(job)
    flags = [f"{file.name}: provider {provider} is declared and has no results" for provider in missing]
    if not jobs:
        raise BrokenInput("; ".join(["holds no results", *flags]), file=file, field="results")
    jobs[0].flags += flags + checks.check_comparison(file, document)
    return jobs


def summary_job(file: Path, document: Summary, *, timezone: tzinfo) -> FoundJob:
    """A summary without the files that it sums up, as a job without rows: its numbers are scores of the whole job.

    Raises: BrokenInput (file, field).
    """
    began = moment(document.latest_evaluation, timezone, file=file)
    job = FoundJob(name_part(file.stem), {"created_at": began, "tags": ["summary"], "metrics": classes(document)})
    job.told, job.metadata = {"job": told_job(began, None)}, {"document": document.model_dump(mode="json")}
    days = (document.trending or {}).get("last_7_days")
    scores = [
        {"name": str(day["date"]), "value": day.get("score")}
        for day in (days if isinstance(days, list) else ())
        if isinstance(day, dict) and day.get("date") and isinstance(day.get("score"), (int, float, type(None)))
    ]
    job.summary = {"overall_score": document.overall_score, **({"last_7_days": scores} if scores else {})}
    job.flags.append(f"{file.name} sums up runs that are not here: a job without rows, its numbers are in job_scores")
    return job


def classes(document: Summary) -> dict[str, dict[str, str]]:
    """The declarations that a summary makes: of which class a metric is."""
    told = document.metrics_summary
    performance = {metric: {"class": "performance"} for metric in told.performance_metrics}
    return {**performance, **{metric: {"class": "critical"} for metric in told.critical_metrics}}


def _unknown(suites: Mapping[str, Suite]) -> dict[str, Any] | None:
    """The fields of suites and metrics that the documentation does not know."""
    found = {}
    for name, suite in suites.items():
        metrics = {key: more for key, metric in suite.metrics.items() if (more := metric.more())}
        if more := {**suite.more(), **({"metrics": metrics} if metrics else {})}:
            found[name] = more
    return found or None


def _suites(job: FoundJob, file: Path, suites: Mapping[str, Suite]) -> list[dict[str, Any]]:
    """What is told of suites; rows and flags go to the job."""
    told = []
    checks.check_names(file, suites)
    for position, (name, suite) in enumerate(suites.items()):
        place = f"suites.{name}"
        rows = _Rows(job, name or "default")
        metrics = []
        for key, metric in suite.metrics.items():
            checks.check_metric(job, file, f"{place}.metrics.{key}", metric)
            contradicted = rows.add(metric.metric or key, metric.name, metric.details)
            if contradicted:
                where = f"{file.name}: {place}.metrics.{key}"
                job.flags.append(f"{where}: metrics before it tell other texts of {named(contradicted)}; both kept")
            if not checks.is_complete(metric):
                metrics.append({
                    "metric": metric.metric or key,
                    "name": metric.name or metric.metric or key,
                    "passed": metric.passed,
                    "total": metric.total,
                    "errors": metric.errors,
                    "mean": metric.score if metric.passed is None else None,
                })  # fmt: skip
        found = rows.finish()
        events = suite.events_processed
        checks.check_signs(job, file, {"duration": suite.duration}, place)
        if events is not None and found > events:
            job.flags.append(f"{file.name}: {place}: states {events} events, and details tell of {found}")
        scores = checks.scores_by_counts(suite)
        if scores and not checks.stated(suite.overall_score, fmean(scores), within=checks.MEAN_ROUNDED):
            said = f"states overall_score {suite.overall_score:g}, its counts say {fmean(scores):.4g}"
            job.flags.append(f"{file.name}: {place}: {said}")
        # Of rows that are all there nothing else is known: they are counted when they are stored.
        most = max((metric.total or 0 for metric in suite.metrics.values()), default=0)
        unstated = max(found, most) if metrics or not found else None
        told.append({
            "suite": name or "default",
            "position": position,
            "events_processed": max(found, events) if events is not None else unstated,
            "tags": None if suite.tags is None else [tag for tag in suite.tags if tag],
            "duration": suite.duration,
            "status": suite.ended_as or suite.status,
            "error": None if suite.error is None else str(suite.error),
            "metrics": metrics,
        })  # fmt: skip
    return told


class _Rows:
    """Details brought together into rows: an event of a suite is one row, with a score for each metric."""

    def __init__(self, job: FoundJob, suite: str) -> None:
        self._job, self._suite = job, suite
        self._rows: dict[tuple[Any, int], dict[str, Any]] = {}

    def add(self, metric: str, name: str | None, details: list[Detail]) -> list[str]:
        """Adds the details of one metric; the events that others tell otherwise.

        One that comes again without a repetition is the next one.
        """
        seen: Counter[Any] = Counter()
        contradicted = []
        for number, detail in enumerate(details):
            key = event_key(detail, number)
            again = seen[key] if detail.repetition is None else detail.repetition
            seen[key] += 1
            new = self._row(detail, again)
            row = self._rows.setdefault((key, again), new)
            score = {**_score_of(detail), **({} if name is None else {"name": name})}
            if row is not new and (other := take_texts(row, new)):
                contradicted.append(str(detail.event_id))
                score["extra"] = {**score.get("extra", {}), **other}
            metadata = detail.metadata or None
            if metadata != row["metadata"]:
                score["metadata"] = metadata
            row["scores"].setdefault(metric, []).append(score)
            self._job.duplicates += detail.repetition is None and again > 0
            self._job.errors += "error" in score or (detail.row_error is not None and "status" in score)
        return contradicted

    def finish(self) -> int:
        """Hands the rows over; how many they are."""
        self._job.rows += [row for _, row in sorted(self._rows.items(), key=lambda one: one[0][1])]
        return len(self._rows)

    def _row(self, detail: Detail, again: int) -> dict[str, Any]:
        is_named = detail.event_id not in (None, "")
        return {
            "suite": self._suite,
            "row_key": str(detail.event_id) if is_named else None,
            "repetition": again if is_named and detail.repetition is not None else None,
            "item": {"input": detail.input},
            "sample": None if detail.output is None else {"output": detail.output},
            "metadata": detail.metadata or None,
            "error": detail.row_error,
            "reference": detail.reference,
            "cluster": detail.cluster,
            "scores": {},
        }


def _score_of(detail: Detail) -> dict[str, Any]:
    if detail.error is not None:
        return {"error": detail.error}
    value = {"value": float(detail.score)} if isinstance(detail.score, (int, float)) else verdict(detail.passed)
    if isinstance(detail.score, str):
        value = {"value": float(detail.score)} if detail.score in ("nan", "inf", "-inf") else {"label": detail.score}
    if "value" in value and not isinstance(value["value"], bool) and isinstance(detail.passed, bool):
        value["passed"] = detail.passed
    more = detail.more()
    return {
        **value,
        **({"status": detail.status} if detail.status in STATUSES else {}),
        **({} if detail.verdict is None else {"comment": detail.verdict}),
        **({"extra": more} if more else {}),
    }


def _error(error: Any) -> dict[str, Any]:
    if not isinstance(error, dict):
        return {"type": "Error", "message": "" if error is None else str(error), "details": None}
    rest = {key: value for key, value in error.items() if key not in ("type", "message", "details")}
    details = error.get("details")
    return {
        "type": str(error.get("type") or "Error"),
        "message": str(error.get("message") or ""),
        "details": {**details, **rest} if isinstance(details, dict) else (rest or details),
    }
