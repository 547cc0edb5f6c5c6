"""The exporter `trainloop`: the JSON files that TrainLoop's documentation describes.

An evaluation becomes `evaluation_results_<time>.json`, one that failed `evaluation_error_<time>.json`, the jobs of a
benchmark together `benchmark_results_<time>.json`; and `evaluation_summary.json` sums up the evaluations among them.
Fields that the documentation does not know hold what would be lost otherwise; the importer reads them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evalstore import json_text
from evalstore.durable_files import read_document
from evalstore.errors import EvalStoreError
from evalstore.evaluation_summary import iso
from evalstore.exporters.exported import Exported
from evalstore.exporters.trainloop_benchmark import benchmark_document, is_whole, one_per_provider
from evalstore.exporters.trainloop_context import context_of, error_of
from evalstore.exporters.trainloop_suites import suites_of
from evalstore.names import DEFAULT_WORKSPACE

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from evalstore.exporters.exported import Exporting

__all__ = ["export_jobs"]

_SUMMARY = "evaluation_summary"
_TOTALS = ("total_suites", "overall_score", "total_metrics", "total_passed", "total_evaluated", "pass_rate")


def export_jobs(jobs: list[str], exporting: Exporting, to: Path) -> Exported:
    """Writes the documents of some jobs into a folder. A file of another job is never overwritten. Raises: OSError."""
    exported = Exported()
    shown = list({job["job_id"]: job for job in map(exporting.show, jobs)}.values())
    to.mkdir(parents=True, exist_ok=True)
    for job in (one for one in shown if one["kind"] != "benchmark"):
        kind = "results" if job["status"] == "completed" else "error"
        document = _evaluation(job, exporting, exported)
        exported.append(_write(to, f"evaluation_{kind}_{_stamp(job['created_at'])}", document))
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for job in (one for one in shown if one["kind"] == "benchmark"):
        groups.setdefault((job["workspace"], job["group"] or job["name"]), []).append(job)
    for (workspace, group), members in groups.items():
        parts = one_per_provider(members)
        if len(parts) > 1:
            exported.flags.append(f"{group} has several jobs of one model: there are {len(parts)} documents of it")
        for number, part in enumerate(parts):
            suites = {job["job_id"]: suites_of(job, exporting, exported) for job in part}
            exported.flags += [f"{job['name']} did not complete: {job['status']}" for job in part if not is_whole(job)]
            document = benchmark_document(part, suites, exporting.comparison([job["job_id"] for job in part]))
            document |= {"job": f"{group} ({number})" if number else group, "workspace": workspace}
            exported.append(_write(to, f"benchmark_results_{_stamp(part[0]['created_at'])}", document))
    beside = _evaluations_in(to, exporting, exported)
    summary = exporting.summary(list(dict.fromkeys([*(job["job_id"] for job in shown), *beside])))
    if summary is not None:
        exported.append(_summary_file(to, exported))
        _put(exported[-1], summary.to_dict())
    return exported


def _evaluation(job: dict[str, Any], exporting: Exporting, exported: Exported) -> dict[str, Any]:
    suites = suites_of(job, exporting, exported)
    document: dict[str, Any] = {"timestamp": iso(job["created_at"]), "duration": job["duration"]}
    if job["status"] == "completed":
        document |= {
            "total_events": job["total_events"],
            "suites": suites,
            "summary": {field: job[field] for field in _TOTALS},
            "configuration": {} if job["config"] is None else job["config"],
        }
    else:
        document |= {"status": job["status"], "error": error_of(job), "partial_results": {"suites": suites}}
        if job["config"] is not None:
            document["configuration"] = job["config"]
    return {**document, "job": job["name"], "workspace": job["workspace"], **context_of(job)}


def _evaluations_in(folder: Path, exporting: Exporting, exported: Exported) -> list[str]:
    """The ids of the evaluations of which files lie in a folder: its summary is of all of them."""
    found = []
    for file in sorted(folder.glob("evaluation_results_*.json")):
        document = read_document(file) or {}
        try:
            name = f"{document.get('workspace', DEFAULT_WORKSPACE)}/{document['job']}"
            found.append(str(exporting.show(name)["job_id"]))
        except (KeyError, EvalStoreError):
            exported.flags.append(f"{file.name} is of no job here: the summary is without it")
    return found


def _summary_file(to: Path, exported: Exported) -> Path:
    """Where the summary goes: not over a file that is no summary."""
    file, number = to / f"{_SUMMARY}.json", 1
    while file.exists() and "latest_evaluation" not in (read_document(file) or {}):
        number += 1
        file = to / f"{_SUMMARY}_{number}.json"
    if number > 1:
        exported.flags.append(f"{_SUMMARY}.json is none of evaluations: theirs is {file.name}")
    return file


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d_%H-%M-%S")


def _write(to: Path, stem: str, document: dict[str, Any]) -> Path:
    """Puts a document down under a name that no other job's document has; the same job's is replaced."""
    file, number = to / f"{stem}.json", 1
    while file.exists() and not _is_of_same_job(read_document(file) or {}, document):
        number += 1
        file = to / f"{stem}_{number}.json"
    _put(file, document)
    return file


def _is_of_same_job(one: dict[str, Any], other: dict[str, Any]) -> bool:
    names = (one.get("job"), one.get("workspace", DEFAULT_WORKSPACE))
    return names == (other["job"], other["workspace"])


def _put(file: Path, document: dict[str, Any]) -> None:
    """Writes a document as people read it; whoever reads meanwhile has the old one or the new."""
    draft = file.with_name(f".{file.name}")
    draft.write_text(json_text.pretty(document) + "\n", encoding="utf-8")
    draft.rename(file)
