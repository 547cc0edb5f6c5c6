"""evaluate() and aevaluate(), with the parameters of LangSmith's functions of the same names and some more."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Literal

from evalstore.evaluation.experiment_results import AsyncExperimentResults, ExperimentResults
from evalstore.evaluation.plan import Plan

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Mapping

    from evalstore.store import Store

__all__ = ["aevaluate", "evaluate"]


def evaluate(  # noqa: PLR0917  # the original's signature, up to the star
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
    committed as `error` or `interrupted` with the rows so far, what the data raised, or Ctrl-C.
    """
    plan = Plan(
        target=target,
        data=data,
        evaluators=evaluators,
        summary_evaluators=summary_evaluators,
        metadata=metadata,
        prefix=experiment_prefix,
        description=description,
        concurrency=max_concurrency,
        repetitions=num_repetitions,
        client=client,
        experiment=experiment,
        error_handling=error_handling,
        name=name,
        store=store,
        suite=suite,
        resume=resume,
        limit=timeout,
        retries=retries,
        progress=progress,
        context=context,
    )
    running = plan.open()
    results = ExperimentResults(running)
    if blocking:
        running.run()
    else:
        running.start()
    return results


async def aevaluate(  # noqa: PLR0917
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
    timeout: float | None = None,  # noqa: ASYNC109  # of each call, not of this one
    retries: int = 0,
    progress: bool | None = None,
    **context: Any,
) -> AsyncExperimentResults:
    """The same in the running event loop: asynchronous user code runs there, all other in threads.

    0 as `max_concurrency` means one after the other. Raises: as `evaluate`.
    """
    plan = Plan(
        target=target,
        data=data,
        evaluators=evaluators,
        summary_evaluators=summary_evaluators,
        metadata=metadata,
        prefix=experiment_prefix,
        description=description,
        concurrency=max_concurrency,
        repetitions=num_repetitions,
        client=client,
        experiment=experiment,
        error_handling=error_handling,
        name=name,
        store=store,
        suite=suite,
        resume=resume,
        limit=timeout,
        retries=retries,
        progress=progress,
        context=context,
    )
    running = await asyncio.to_thread(plan.open)
    results = AsyncExperimentResults(running)
    if blocking:
        await running.arun()
    else:
        running.astart()
    return results
