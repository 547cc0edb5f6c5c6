"""The folders that TrainLoop really writes: `results/<time>/<suite>.jsonl` and `benchmarks/<time>/<metric>.jsonl`."""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from evalstore.errors import BrokenInput
from evalstore.importers.trainloop_checks import shown, stated
from evalstore.importers.trainloop_jobs import FoundJob, moment, name_part, told_job
from evalstore.importers.trainloop_lines import UNREAD, add_suite, benchmark_row, last_moment, lines, suite_name

if TYPE_CHECKING:
    from datetime import datetime, tzinfo
    from pathlib import Path

__all__ = ["benchmark_jobs", "run_job", "trace_folders"]

_ROUNDED = 1e-9  # USD
_DATA_FOLDER = re.compile(r"""^\s*data_folder:\s*["']?([^"'#\n]+?)["']?\s*(?:#.*)?$""", re.MULTILINE)


def trace_folders(runs: Path) -> list[Path]:
    """Where the judge traces of the runs in a folder may lie."""
    data = runs.parent
    # TrainLoop puts results below the project, and traces where its settings say.
    places = (data, *_set_data_folder(data.parent), *data.parent.glob("*"))
    return [folder for place in places if (folder := place / "judge_traces").is_dir()]


def _set_data_folder(project: Path) -> list[Path]:
    """The data folder that a project's settings name."""
    try:
        text = (project / "trainloop.config.yaml").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return []
    found = _DATA_FOLDER.search(text)
    return [project / found[1]] if found else []


def run_job(
    folder: Path, files: list[Path], trace: Path | None, *, timezone: tzinfo, skip_bad_rows: bool = False
) -> FoundJob:
    """The job of a run folder: a suite for each file. Judge traces bear its time, and nothing else ties them to it.

    Raises: BrokenInput (file, line, field).
    """
    began = moment(folder.name, timezone, file=folder)
    job = FoundJob(folder.name, {"created_at": began}, told={"job": told_job(began, None)})
    for file in files:
        before = len(job.rows)
        add_suite(job, file, skip_bad_rows=skip_bad_rows)
        if len(job.rows) == before:
            job.flags.append(f"{folder.name}: suite {suite_name(file)} holds no results")
    if trace:
        job.attached["judge_traces.jsonl"] = trace
    latest = last_moment(job.rows)
    if latest and latest - began > timedelta(seconds=1):
        job.judges_later_call = latest
    _flag_odd_verdicts(job)
    return job


def benchmark_jobs(folder: Path, files: list[Path], *, timezone: tzinfo, skip_bad_rows: bool = False) -> list[FoundJob]:
    """The jobs of a benchmark folder, one per provider, tied by their group. Raises: BrokenInput (file, line, field).

    A suite is a metric, since TrainLoop asks a provider anew for each. A provider that is declared and has no results
    is named in the flags.
    """
    benchmark = _Benchmark(folder.name, skip_bad_rows=skip_bad_rows)
    for file in files:
        benchmark.read(file)
    jobs = benchmark.finish(moment(folder.name, timezone, file=folder))
    if not jobs:
        raise BrokenInput("holds no results; " + "; ".join(benchmark.flags), file=folder)
    return jobs


class _Benchmark:
    """The files of one benchmark, read one after the other."""

    def __init__(self, time: str, *, skip_bad_rows: bool) -> None:
        self.flags: list[str] = []
        self._group = f"bench_{time}"
        self._strays = FoundJob("", {}) if skip_bad_rows else None
        self._jobs: dict[str, FoundJob] = {}
        self._declared: dict[str, None] = {}
        self._said: set[tuple[str, ...]] = set()
        self._documents: dict[str, dict[str, Any]] = {}

    def read(self, file: Path) -> None:
        """Adds the results of one metric. Raises: BrokenInput (file, line, field)."""
        for number, line in lines(file, self._strays):
            kind, data = line.get("type"), line.get("data")
            if kind == "result":
                try:
                    self._add(benchmark_row(file, number, line, suite_name(file)), str(line["sample"].get("model")))
                except BrokenInput as problem:
                    self._leave_out(problem)
            elif kind in ("metadata", "summary") and isinstance(data, dict):
                try:
                    self._take_document(file, number, kind, data)
                except BrokenInput as problem:
                    self._leave_out(problem)
            else:
                self._leave_out(
                    BrokenInput("must be metadata, result or summary", file=file, line=number, field="type")
                )

    def _take_document(self, file: Path, number: int, kind: str, data: dict[str, Any]) -> None:
        providers, summaries = data.get("providers") or [], data.get("provider_summaries") or {}
        if not isinstance(providers, list):
            raise BrokenInput(f"must be a list, not {providers!r:.60}", file=file, line=number, field="data.providers")
        if not isinstance(summaries, dict):
            what = f"must be an object, not {summaries!r:.60}"
            raise BrokenInput(what, file=file, line=number, field="data.provider_summaries")
        self._documents.setdefault(suite_name(file), {})[kind] = data
        self._declared |= dict.fromkeys(map(_provider, providers))

    def _add(self, row: dict[str, Any], provider: str) -> None:
        job = self._jobs.setdefault(provider, FoundJob(f"{self._group}-{name_part(provider)}", {"model": provider}))
        job.rows.append(row)
        said = (provider, row["suite"], row["row_key"], *row["scores"])
        job.duplicates += said in self._said
        self._said.add(said)
        job.errors += any("error" in score for score in row["scores"].values())

    def _leave_out(self, problem: BrokenInput) -> None:
        """A line that cannot be read is no provider's: it can be told, and not kept. Raises: BrokenInput."""
        if self._strays is None:
            raise problem
        self.flags.append(f"left out: {problem}")

    def finish(self, began: datetime) -> list[FoundJob]:
        """The jobs, in the order of their first results; what is odd about all of them stands with the first."""
        missing = [provider for provider in self._declared if provider not in self._jobs]
        self.flags += [f"left out: {row['error']}" for row in (self._strays.rows if self._strays else ())]
        self.flags += [f"{self._group}: provider {provider} is declared and has no results" for provider in missing]
        about = {
            "providers": list(self._declared),
            "missing_providers": missing,
            "files": self._documents,
            "latency": "batch average",
        }
        for job in self._jobs.values():
            job.context |= {"kind": "benchmark", "group": self._group, "created_at": began}
            job.told, job.metadata = {"job": told_job(began, None)}, {"benchmark": about}
            _flag_odd_verdicts(job)
        jobs = list(self._jobs.values())
        if jobs:
            self.flags.append(f"{self._group}: latencies are averages of a whole batch, as TrainLoop measures them")
            for suite, documents in self._documents.items():
                self.flags += _contradictions(suite, documents.get("summary") or {}, self._jobs)
            jobs[0].flags += self.flags
        return jobs


def _provider(declared: Any) -> str:
    """The name of a provider: `{"provider": "openai", "model": "gpt-4o"}` is openai/gpt-4o."""
    if not isinstance(declared, dict):
        return str(declared)
    return "/".join(str(declared[part]) for part in ("provider", "model") if declared.get(part))


def _contradictions(suite: str, told: dict[str, Any], jobs: dict[str, FoundJob]) -> list[str]:
    """Where the summary of a file says something else than its results do."""
    flags = []
    for provider, said in (told.get("provider_summaries") or {}).items():
        rows = [row for row in jobs[provider].rows if row["suite"] == suite] if provider in jobs else []
        scores = [score for row in rows for score in row["scores"].values()]
        costs = [row["cost"] for row in rows if row["cost"] is not None]
        found = {
            "total_evaluations": len(rows),
            "passed": sum(score.get("value") is True for score in scores),
            "errors": sum("error" in score for score in scores),
            "total_cost": sum(costs),
        }
        for field, count in found.items():
            number = said.get(field) if isinstance(said, dict) else None
            if not stated(number, count, within=_ROUNDED):
                flags.append(f"{suite}, {provider}: states {field} {shown(number)}, its results say {count:g}")
    return flags


def _flag_odd_verdicts(job: FoundJob) -> None:
    """Says which verdicts are neither pass nor fail, and which numbers are none."""
    odd: Counter[str] = Counter()
    negative = unread = 0
    for row in job.rows:
        negative += (row.get("latency") or 0) < 0 or (row.get("cost") or 0) < 0
        unread += UNREAD in (row["metadata"] or ())
        for metric, score in (row.get("scores") or {}).items():
            if "error" not in score and not isinstance(score["value"], bool):
                odd[f"{row['suite']}/{metric}"] += 1
    for what, count in odd.items():
        verdicts = "1 verdict is" if count == 1 else f"{count} verdicts are"
        job.flags.append(f"{job.name}: {what}: {verdicts} neither 0 nor 1, and kept as they are")
    if negative:
        job.flags.append(f"{job.name}: rows with a negative latency or cost, kept as it is: {negative}")
    if unread:
        job.flags.append(f"{job.name}: rows with a time, latency or cost that is no number, kept in metadata: {unread}")
