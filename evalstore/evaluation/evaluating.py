"""evaluate() and aevaluate(): what is asked for is checked, its name claimed, and then it runs."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from typing import TYPE_CHECKING, Any, Literal

from evalstore import job_context, names
from evalstore.errors import UsageError, near
from evalstore.evaluation.data import source_of
from evalstore.evaluation.experiment import Experiment
from evalstore.evaluation.experiment_results import AsyncExperimentResults, ExperimentResults
from evalstore.evaluation.progress import Progress
from evalstore.evaluation.rating import raters
from evalstore.evaluation.recording import row_of
from evalstore.evaluation.resuming import Earlier
from evalstore.evaluation.row_log import RowLog
from evalstore.evaluation.runner import Runner
from evalstore.evaluation.scheduling import Schedule
from evalstore.evaluation.summing_up import summary_raters
from evalstore.evaluation.target import Target
from evalstore.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from evalstore.recorder import Job

__all__ = ["aevaluate", "evaluate"]

_DEFAULT_CONCURRENCY = min(32, (os.cpu_count() or 1) + 4)  # as many threads as Python's own pools have
_CONTEXT = tuple(field for field in job_context.JobContext.__annotations__ if field != "created_at")
_said: set[str] = set()


def evaluate(
    target: Callable[..., Any],
    /,
    data: Any = None,
    evaluators: Iterable[Any] | None = None,
    summary_evaluators: Iterable[Any] | None = None,
    metadata: Mapping[str, Any] | None = None,
    experiment_prefix: str | None = None,
    description: str | None = None,
    max_concurrency: int | None = 0,
    num_repetitions: int = 1,
    client: Any = None,
    blocking: bool = True,  # noqa: FBT001, FBT002  # the original's signature
    experiment: str | None = None,
    upload_results: bool = True,  # noqa: ARG001, FBT001, FBT002
    error_handling: Literal["log", "ignore"] = "log",
    *,
    name: str | None = None,
    store: Store | str | os.PathLike[str] | None = None,
    suite: str = "default",
    resume: bool = False,
    timeout: float | None = None,
    retries: int = 0,
    progress: bool | None = None,
    **context: Any,
) -> ExperimentResults:
    """Runs a target on examples, lets evaluators score each run, and stores all of it as one job.

    Each part is durable when it has returned: the output of the target, then the scores of each evaluator.

    Args:
        target: a function, synchronous or not: of one argument, which gets the inputs, or of any of inputs,
            attachments, metadata by name. It returns outputs: a dict, or anything that JSON can hold.
        data: the name of a dataset in the store, a path, a frame, or an iterable (also an asynchronous one, or a
            generator, which is not read ahead) of examples or of dicts with `inputs` and `outputs`.
        evaluators: functions and objects that score one run; see `run_evaluator`.
        summary_evaluators: functions that score the whole, after the last row.
        metadata: anything about the experiment.
        experiment_prefix: what its name begins with, before the time and four hex digits.
        description: kept with the metadata.
        max_concurrency: how many user calls there are at once. 0: one after the other, in this thread. None: some.
        num_repetitions: how often each example is run.
        client: whose store is used, where `store` is not given.
        blocking: wait for the end. False gives rows as they come.
        experiment: the name of an experiment to go on with.
        upload_results: taken for compatibility; nothing leaves the machine in any case.
        error_handling: "log" stores a run that failed as a row in error; "ignore" leaves it out of the store, which
            then has the number of such rows as the summary score `ignored_rows`.
        name: of the job, exactly.
        store: a store, or the path of one; without it $EVALSTORE, else ./evals.
        suite: the suite of all rows.
        resume: go on with the job of this name: only what is missing or failed is run.
        timeout: seconds that one call of the target or of an evaluator may take. What is not asynchronous then runs in
            a thread of its own, and is left alone when it takes longer.
        retries: how often a call that raises is made again.
        progress: show it on stderr; by default where that is a terminal.
        context: what `store.job()` takes: metric_ref, dataset, model, group, tags, labels, config, kind, metrics.

    Raises: UsageError (InvalidEvaluator) before anything has run; JobExists, JobBusy; and, after the job has been
    committed as `error` or `interrupted` with the rows so far, what the data, or a BaseException that user code, raised.
    """
    plan = _Plan(target, data, evaluators, summary_evaluators, client, store, error_handling, num_repetitions,
                 max_concurrency, timeout, retries)  # fmt: skip
    running = plan.open(
        name, experiment_prefix, experiment, metadata, description, suite, context, progress, resume=resume
    )
    results = ExperimentResults(running)
    if blocking:
        running.run()
    else:
        running.start()
    return results


async def aevaluate(
    target: Callable[..., Any],
    /,
    data: Any = None,
    evaluators: Iterable[Any] | None = None,
    summary_evaluators: Iterable[Any] | None = None,
    metadata: Mapping[str, Any] | None = None,
    experiment_prefix: str | None = None,
    description: str | None = None,
    max_concurrency: int | None = 0,
    num_repetitions: int = 1,
    client: Any = None,
    blocking: bool = True,  # noqa: FBT001, FBT002
    experiment: str | None = None,
    upload_results: bool = True,  # noqa: ARG001, FBT001, FBT002
    error_handling: Literal["log", "ignore"] = "log",
    *,
    name: str | None = None,
    store: Store | str | os.PathLike[str] | None = None,
    suite: str = "default",
    resume: bool = False,
    timeout: float | None = None,
    retries: int = 0,
    progress: bool | None = None,
    **context: Any,
) -> AsyncExperimentResults:
    """The same in the running event loop: asynchronous user code runs there, all other in threads.

    0 as `max_concurrency` means one after the other. Raises: as `evaluate`.
    """
    plan = _Plan(target, data, evaluators, summary_evaluators, client, store, error_handling, num_repetitions,
                 max_concurrency, timeout, retries)  # fmt: skip
    running = await asyncio.to_thread(
        plan.open, name, experiment_prefix, experiment, metadata, description, suite, context, progress, resume=resume
    )
    results = AsyncExperimentResults(running)
    if blocking:
        await running.arun()
    else:
        running.astart()
    return results


class _Plan:
    """What is to be run, checked before a name is claimed."""

    def __init__(
        self,
        target: Any,
        data: Any,
        evaluators: Iterable[Any] | None,
        summary_evaluators: Iterable[Any] | None,
        client: Any,
        store: Any,
        error_handling: str,
        repetitions: int,
        concurrency: int | None,
        timeout: float | None,
        retries: int,
    ) -> None:
        if isinstance(target, (str, list, tuple)):
            raise UsageError(
                "evaluate() runs a target, not an experiment that is there: to score it with other evaluators give the "
                "same target and data with its name and resume=True; two jobs are compared by store.compare()"
            )
        for what, value, least in (("num_repetitions", repetitions, 1), ("retries", retries, 0)):
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise UsageError(f"{what} is a whole number from {least} up, not {value!r}")
        if concurrency is not None and (not isinstance(concurrency, int) or concurrency < 0):
            raise UsageError(f"max_concurrency is a whole number from 0 up, or None, not {concurrency!r}")
        if timeout is not None and not timeout > 0:
            raise UsageError(f"timeout is a number of seconds, not {timeout!r}")
        if error_handling not in ("log", "ignore"):
            raise UsageError(f"error_handling is 'log' or 'ignore', not {error_handling!r}")
        if data is None or (isinstance(data, (str, list, tuple)) and not data):
            raise UsageError("data has no examples: give the name of a dataset, or examples")
        self.target = Target(target)
        self.raters = raters(_listed("evaluators", evaluators))
        self.summary = summary_raters(_listed("summary_evaluators", summary_evaluators))
        self.store = _store(store, client)
        self.source = source_of(data, self.store)
        self.ignores_errors = error_handling == "ignore"
        self.repetitions, self.timeout, self.retries = repetitions, timeout, retries
        self.concurrency = _DEFAULT_CONCURRENCY if concurrency is None else concurrency

    def open(
        self,
        name: str | None,
        prefix: str | None,
        experiment: str | None,
        metadata: Mapping[str, Any] | None,
        description: str | None,
        suite: str,
        context: dict[str, Any],
        progress: bool | None,  # noqa: FBT001
        *,
        resume: bool,
    ) -> Experiment:
        """Claims the name. Raises: UsageError, JobExists, JobBusy."""
        for field in context:
            if field not in _CONTEXT:
                raise UsageError(f"evaluate() takes no argument {field!r}; {near(field, [*_CONTEXT, *_OWN])}")
        if experiment is not None:
            if name is not None or prefix is not None:
                raise UsageError("experiment names an experiment to go on with: give neither a name nor a prefix too")
            name, resume = str(getattr(experiment, "experiment_name", experiment)), True
        if name is not None and prefix is not None:
            raise UsageError("an experiment has either a name or an experiment_prefix")
        if resume and name is None:
            raise UsageError("resume=True goes on with an experiment: give its name")
        job = self._job(name, prefix, resume=resume, context=context, metadata=_metadata(self, metadata, description))
        try:
            return self._experiment(job, suite, dict(metadata or {}), progress, is_resumed=resume)
        except BaseException:
            job.abandon()
            raise

    def _job(self, name: str | None, prefix: str | None, *, resume: bool, context: Any, metadata: Any) -> Job:
        if self.source.dataset is not None:
            context = {"dataset": self.source.dataset, **context}
        if name is not None:
            return self.store.job(name, resume=resume, metadata=metadata, **context)
        return self.store.job(prefix=_allowed(prefix or self.target.name), metadata=metadata, **context)

    def _experiment(
        self,
        job: Job,
        suite: str,
        metadata: dict[str, Any],
        progress: bool | None,
        *,
        is_resumed: bool,
    ) -> Experiment:
        total = None if self.source.length is None else self.source.length * self.repetitions
        job.prepare()
        job.begin_parts(total=total, evaluators=[{"evaluator": one.name, "metrics": one.keys} for one in self.raters])
        journal = job.journal_file()
        earlier = Earlier(journal, suite) if is_resumed else None
        rows = RowLog(
            journal, lambda line, run_id: row_of(line, run_id=runner.stored_run_id(line), name=self.target.name)
        )
        runner = Runner(
            job,
            rows,
            Progress(job.name, total, is_shown=progress),
            self.target,
            self.raters,
            suite,
            job.created_at,
            metadata,
            self.repetitions,
            ignores_errors=self.ignores_errors,
            retries=self.retries,
            timeout=self.timeout,
            earlier=earlier,
        )
        are_counted = is_resumed or self.repetitions > 1
        count = self.concurrency if total is None else min(self.concurrency, total)
        return Experiment(
            self.store, job, runner, Schedule(self.source, runner, are_counted=are_counted), self.summary, count
        )


_OWN = ("data", "evaluators", "summary_evaluators", "metadata", "name", "experiment_prefix", "description", "store",
        "max_concurrency", "num_repetitions", "blocking", "suite", "resume", "timeout", "retries", "progress")  # fmt: skip


def _listed(what: str, given: Any) -> list[Any]:
    if given is None:
        return []
    if callable(given) or isinstance(given, (str, bytes, dict)):
        raise UsageError(f"{what} is a list: write {what}=[...]")
    return list(given)


def _store(given: Any, client: Any) -> Store:
    if isinstance(given, Store):
        return given
    if given is None and isinstance(getattr(client, "store", None), Store):
        found: Store = client.store
        return found
    store = Store(given)
    if given is None and str(store.root) not in _said:
        _said.add(str(store.root))
        print(f"evalstore: results are stored in {store.root} (store=, $EVALSTORE)", file=sys.stderr)  # noqa: T201
    return store


def _metadata(plan: _Plan, metadata: Mapping[str, Any] | None, description: str | None) -> dict[str, Any] | None:
    found = {"description": description} if description is not None else {}
    found |= {"num_repetitions": plan.repetitions} if plan.repetitions > 1 else {}
    found |= {"dataset_version": plan.source.version} if plan.source.version is not None else {}
    return {**found, **(metadata or {})} or None


def _allowed(prefix: str) -> str:
    """A prefix as a name may begin: people write sentences there."""
    return re.sub(r"[^A-Za-z0-9._@+-]+", "-", str(prefix)).lstrip("._@+-").rstrip("-")[: names.LONGEST - 30] or "target"
