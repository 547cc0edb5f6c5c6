"""What is asked of evaluate(): checked before anything runs, then opened as a job whose name is claimed."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from evalstore import job_context, names
from evalstore.errors import UsageError, near
from evalstore.evaluation.data import source_of
from evalstore.evaluation.experiment import Experiment
from evalstore.evaluation.progress import Progress
from evalstore.evaluation.rating import raters
from evalstore.evaluation.resuming import Earlier
from evalstore.evaluation.row_log import RowLog
from evalstore.evaluation.runner import Runner
from evalstore.evaluation.scheduling import Schedule
from evalstore.evaluation.summing_up import summary_raters
from evalstore.evaluation.target import Target
from evalstore.store import Store

if TYPE_CHECKING:
    from evalstore.evaluation.data import Source
    from evalstore.recorder import Job

__all__ = ["Plan"]

_SOME = min(32, (os.cpu_count() or 1) + 4)  # calls at once where nobody said how many: as Python's own pools have it
_CONTEXT = tuple(field for field in job_context.JobContext.__annotations__ if field != "created_at")
_OWN = (
    "data", "evaluators", "summary_evaluators", "metadata", "name", "experiment_prefix", "description", "store",
    "max_concurrency", "num_repetitions", "blocking", "suite", "resume", "timeout", "retries", "progress",
)  # fmt: skip
_said: set[str] = set()


@dataclass
class Plan:
    """What is asked for, by the names that `evaluate` explains; `limit` are the seconds of its `timeout`."""

    target: Any
    data: Any
    evaluators: Iterable[Any] | None
    summary_evaluators: Iterable[Any] | None
    metadata: Mapping[str, Any] | None
    prefix: str | None
    description: str | None
    concurrency: int | None
    repetitions: int
    client: Any
    experiment: Any
    error_handling: str
    name: str | None
    store: Any
    suite: str
    resume: bool
    limit: float | None
    retries: int
    progress: bool | None
    context: dict[str, Any]

    def open(self) -> Experiment:
        """Checks everything, claims the name, and gives what can be run.

        Raises: UsageError, InvalidEvaluator, DatasetNotFound, JobExists, JobBusy; then nothing has run.
        """
        self._check_values()
        self._check_names()
        target = Target(self.target)
        self._raters = raters(_listed("evaluators", self.evaluators))
        self._summary = summary_raters(_listed("summary_evaluators", self.summary_evaluators))
        store = _store(self.store, self.client)
        source = source_of(self.data, store)
        job = self._job(store, source, target)
        try:
            return self._experiment(store, job, source, target)
        except BaseException:
            job.abandon()
            raise

    def _check_values(self) -> None:
        for what, value, least in (("num_repetitions", self.repetitions, 1), ("retries", self.retries, 0)):
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise UsageError(f"{what} is a whole number from {least} up, not {value!r}")
        if self.concurrency is not None and (not isinstance(self.concurrency, int) or self.concurrency < 0):
            raise UsageError(f"max_concurrency is a whole number from 0 up, or None, not {self.concurrency!r}")
        if self.limit is not None and not (isinstance(self.limit, (int, float)) and self.limit > 0):
            raise UsageError(f"timeout is a number of seconds, not {self.limit!r}")
        if not isinstance(self.suite, str) or not self.suite:
            raise UsageError(f"suite is a text that is not empty, not {self.suite!r}")
        if not isinstance(self.metadata, (Mapping, type(None))):
            raise UsageError(f"metadata is a dict, not {type(self.metadata).__name__}")

    def _check_names(self) -> None:
        if isinstance(self.target, (str, list, tuple)):
            raise UsageError(
                "evaluate() runs a target, not an experiment that is there: to score it with other evaluators give the "
                "same target and data with its name and resume=True"
            )
        if self.data is None:
            raise UsageError("data is missing: give the name of a dataset, or examples")
        if self.error_handling not in ("log", "ignore"):
            raise UsageError(f"error_handling is 'log' or 'ignore', not {self.error_handling!r}")
        for field in self.context:
            if field not in _CONTEXT:
                raise UsageError(f"evaluate() takes no argument {field!r}; {near(field, [*_CONTEXT, *_OWN])}")
        if self.experiment is not None:
            if self.name is not None or self.prefix is not None:
                raise UsageError("experiment names an experiment to go on with: give neither a name nor a prefix too")
            self.name, self.resume = str(getattr(self.experiment, "experiment_name", self.experiment)), True
        if self.name is not None and self.prefix is not None:
            raise UsageError("an experiment has either a name or an experiment_prefix")
        if self.resume and self.name is None:
            raise UsageError("resume=True goes on with an experiment: give its name")

    def _job(self, store: Store, source: Source, target: Target) -> Job:
        context = self.context
        if source.dataset is not None:
            context = {"dataset": source.dataset, **context}
        metadata: dict[str, Any] = {} if self.description is None else {"description": self.description}
        metadata |= {"num_repetitions": self.repetitions} if self.repetitions > 1 else {}
        metadata |= {"dataset_version": source.version} if source.version is not None else {}
        metadata |= self.metadata or {}
        if self.name is not None:
            return store.job(self.name, resume=self.resume, metadata=metadata or None, **context)
        return store.job(prefix=_allowed(self.prefix or target.name), metadata=metadata or None, **context)

    def _experiment(self, store: Store, job: Job, source: Source, target: Target) -> Experiment:
        total = None if source.length is None else source.length * self.repetitions
        job.prepare()
        job.begin_parts(total=total, evaluators=[{"evaluator": one.name, "metrics": one.keys} for one in self._raters])
        journal = job.journal_file()

        def read(line: dict[str, Any]) -> dict[str, Any]:
            return runner.stored_row(line)

        rows = RowLog(journal, read)
        runner = Runner(
            job,
            rows,
            Progress(job.name, total, is_shown=self.progress),
            target,
            self._raters,
            self.suite,
            dict(self.metadata or {}),
            self.repetitions,
            ignores_errors=self.error_handling == "ignore",
            earlier=Earlier(journal, self.suite) if self.resume else None,
        )
        schedule = Schedule(
            source, runner, limit=self.limit, retries=self.retries, are_counted=self.resume or self.repetitions > 1
        )
        count = _SOME if self.concurrency is None else self.concurrency
        return Experiment(
            store, job, runner, schedule, self._summary, count=count if total is None else min(count, total)
        )


def _listed(what: str, given: Any) -> list[Any]:
    if given is None:
        return []
    if callable(given) or isinstance(given, (str, bytes, dict)) or not isinstance(given, Iterable):
        raise UsageError(f"{what} is a list: write {what}=[...]")
    return list(given)


def _store(given: Any, client: Any) -> Store:
    if given is None and isinstance(found := getattr(client, "store", None), (Store, str, os.PathLike)):
        given = found
    if isinstance(given, Store):
        return given
    store = Store(given)
    if given is None and str(store.root) not in _said:
        _said.add(str(store.root))
        print(f"evalstore: results are stored in {store.root} (store=, $EVALSTORE)", file=sys.stderr)  # noqa: T201
    return store


def _allowed(prefix: str) -> str:
    """A prefix as a name may begin: people write sentences there."""
    return re.sub(r"[^A-Za-z0-9._@+-]+", "-", str(prefix)).lstrip("._@+-").rstrip("-")[: names.LONGEST - 30] or "target"
