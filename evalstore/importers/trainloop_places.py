"""Where TrainLoop's results lie below a path, and which files belong together."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from evalstore.errors import BrokenInput
from evalstore.importers import trainloop_runs as runs
from evalstore.importers import trainloop_told as told
from evalstore.importers.trainloop_jobs import FoundJob, content_hash, is_run_time, moment
from evalstore.importers.trainloop_lines import RESULTS, suite_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import tzinfo
    from pathlib import Path

    from evalstore.importers.trainloop_documents import Summary

__all__ = ["Places", "Source"]

_DOCUMENTS = ("evaluation*.json", "benchmark*.json")
_INPUTS = {"events": "*.jsonl", "_registry.json": ""}


@dataclass(frozen=True)
class Source:
    """What makes up one job, or the jobs of one benchmark: where it lies, its files, when it was, how it is read."""

    place: Path
    files: list[Path]
    time: str
    timezone: tzinfo
    read: Callable[[], FoundJob | list[FoundJob]]
    is_run: bool = False
    is_several: bool = False
    is_found: bool = False  # a document that was found in a folder, where others may be sound
    problem: BrokenInput | None = None  # why it cannot be read

    def content_hash(self) -> str:
        """The hash of its time and of all its files. Raises: BrokenInput."""
        if self.problem is not None:
            raise self.problem
        return content_hash(moment(self.time, self.timezone, file=self.place), self.place, self.files)

    def suites(self) -> list[str]:
        """The suites of a run that have results."""
        return [suite_name(file) for file in self.files if file.parent == self.place and file.stat().st_size]

    def jobs(self) -> list[FoundJob]:
        """The jobs. Raises: BrokenInput (file, line, field)."""
        found = self.read()
        return [found] if isinstance(found, FoundJob) else found


class Places:
    """The sources at a path, runs in the order of their times; the classes of metrics that a summary tells; flags."""

    def __init__(self, path: Path, timezone: tzinfo, *, skip_bad_rows: bool) -> None:
        """Raises: BrokenInput."""
        self._options: dict[str, Any] = {"timezone": timezone, "skip_bad_rows": skip_bad_rows}
        self.flags: list[str] = []
        self.classes: dict[str, dict[str, str]] = {}
        self._summaries: list[tuple[Path, Summary]] = []
        self._documented: set[str] = set()  # metrics
        self._trace_folders: dict[Path, list[Path]] = {}  # by the folder of the runs
        self.sources = list(self._sources(path))
        self._take_summaries()
        if not self.sources:
            why = f" ({'; '.join(self.flags)})" if self.flags else ""
            what = "neither results/<time>/*.jsonl nor benchmarks/<time>/*.jsonl nor JSON files of evaluations"
            raise BrokenInput(f"holds no results of TrainLoop: {what}{why}", file=path)

    def _sources(self, path: Path) -> Iterator[Source]:
        if not path.exists():
            raise BrokenInput("there is no such file or folder", file=path)
        if path.is_file():
            if path.suffix == ".jsonl":
                raise BrokenInput(_why_not_alone(path.resolve().parent), file=path)
            yield from self._document(path, is_named=True)
            return
        path = path.resolve()
        bases = [path, path / "data", *sorted(path.glob("*/data"))]
        folders = [folder for base in bases for folder in _run_folders(base)]
        yield from (source for folder in folders for source in self._run(folder))
        self.flags += [
            f"{folder} is not named after the time of a run, and left alone" for base in bases for folder in _odd(base)
        ]
        patterns = _DOCUMENTS if folders else (*_DOCUMENTS, "[!_]*.json")
        places = [place for base in bases for place in (base, base / "results", base / "benchmarks")]
        files = {file: None for place in places for pattern in patterns for file in sorted(place.glob(pattern))}
        for file in files:
            yield from self._document(file, is_named=False)
        for name, pattern in _INPUTS.items():
            found = [file for base in bases for file in ((base / name).glob(pattern) if pattern else [base / name])]
            if any(file.exists() for file in found):
                self.flags.append(f"{name}: what TrainLoop judges, not a result; samples are kept with their scores")

    def _run(self, folder: Path) -> Iterator[Source]:
        files, others = _results_in(folder)
        when = (folder.name, self._options["timezone"])
        if others:
            self.flags.append(f"{folder.name}: left alone: {', '.join(others)}")
        if not files:
            self.flags.append(f"{folder.name} is an empty run: nothing was judged, and no job is made of it")
        elif folder.parent.name == "benchmarks":
            read = partial(runs.benchmark_jobs, folder, files, **self._options)
            yield Source(folder, files, *when, read, is_several=True)
        else:
            trace = self._trace_of(folder)
            run = partial(runs.run_job, folder, files, trace, **self._options)
            yield Source(folder, [*files, *([trace] if trace else [])], *when, run, is_run=True)

    def _trace_of(self, folder: Path) -> Path | None:
        """The judge traces of a run."""
        if folder.parent not in self._trace_folders:
            self._trace_folders[folder.parent] = runs.trace_folders(folder.parent)
        files = (place / f"{folder.name}.jsonl" for place in self._trace_folders[folder.parent])
        return next((file for file in files if file.is_file()), None)

    def _document(self, file: Path, *, is_named: bool) -> Iterator[Source]:
        from evalstore.importers import trainloop_documents as documents

        zone, found = self._options["timezone"], not is_named
        try:
            document = documents.read(file)
        except BrokenInput as problem:
            if is_named:
                raise
            yield Source(file, [file], "", zone, list, is_found=True, problem=problem)
            return
        if isinstance(document, documents.Evaluation):
            self._documented |= {key for suite in document.suites.values() for key in suite.metrics}
            read = partial(told.evaluation_job, file, document, timezone=zone)
            yield Source(file, [file], document.timestamp, zone, read, is_found=found)
        elif isinstance(document, documents.Benchmark):
            compared = partial(told.benchmark_jobs, file, document, timezone=zone)
            yield Source(file, [file], document.timestamp, zone, compared, is_several=True, is_found=found)
        elif isinstance(document, documents.Summary) and is_named:
            summarized = partial(told.summary_job, file, document, timezone=zone)
            yield Source(file, [file], document.latest_evaluation, zone, summarized)
        elif isinstance(document, documents.Summary):
            self._summaries.append((file, document))
        elif is_named:
            raise BrokenInput("is no evaluation, benchmark, error or summary of TrainLoop", file=file)
        else:
            self.flags.append(f"{file.name} is none of TrainLoop's, and left alone")

    def _take_summaries(self) -> None:
        """A summary says what the other files say, and of which class metrics are; alone it is a job."""
        if not self.sources:
            self.sources = [source for file, _ in self._summaries for source in self._document(file, is_named=True)]
            return
        for file, summary in self._summaries:
            self.classes |= told.classes(summary)
            unseen = sorted(told.classes(summary).keys() - self._documented)
            self.flags.append(f"{file.name} sums up the other files: the classes of metrics are taken from it")
            if unseen:
                self.flags.append(f"{file.name} names metrics that are in no results: {', '.join(unseen)}")


def _results_in(folder: Path) -> tuple[list[Path], list[str]]:
    """The files of results in a run folder, and the names of what else is there. Raises: BrokenInput."""
    try:
        with os.scandir(folder) as entries:
            there = sorted((entry.name, entry.is_file()) for entry in entries if not entry.name.startswith("."))
    except OSError as error:
        raise BrokenInput(f"cannot be read: {error.strerror}", file=folder) from error
    files = [folder / name for name, is_file in there if is_file and name.endswith(RESULTS)]
    suites: dict[str, Path] = {}
    for file in files:
        if (first := suites.setdefault(suite_name(file), file)) != file:
            raise BrokenInput(f"is the suite of {first.name} once more: keep one of them", file=file)
    return files, [name for name, is_file in there if not (is_file and name.endswith(RESULTS))]


def _why_not_alone(folder: Path) -> str:
    """Why one file of lines is not imported by itself."""
    if is_run_time(folder.name):
        return f"is a part of a run: name its folder, {folder}"
    example = "results/2026-03-01_10-00-00"
    return f"lies in no folder named after the time of a run, such as {example}: is it a result?"


def _odd(base: Path) -> list[Path]:
    """Folders with results whose names are no times, such as a copy."""
    places = (base / "results", base / "benchmarks", *([base] if base.name in ("results", "benchmarks") else []))
    inside = sorted(folder for place in places if place.is_dir() for folder in place.iterdir())
    return [one for one in inside if not is_run_time(one.name) and one.is_dir() and next(one.glob("*.jsonl*"), None)]


def _run_folders(base: Path) -> list[Path]:
    """The folders of runs in a data folder, or in one of its parts, or the one that is named itself."""
    if is_run_time(base.name):
        return [base]
    inside = [base, base / "results", base / "benchmarks"]
    try:
        found = [folder for place in inside if place.is_dir() for folder in place.iterdir() if is_run_time(folder.name)]
    except OSError as error:
        raise BrokenInput(f"cannot be read: {error.strerror}", file=error.filename) from error
    return sorted((folder for folder in found if folder.is_dir()), key=lambda one: (one.parent, one.name))
