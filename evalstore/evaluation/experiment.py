"""One experiment: a job that is filled with the rows of a target, then with the scores of the whole, then committed."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from evalstore.evaluation import recording, scheduling
from evalstore.evaluation.calling import InLoop, InThread, driven

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evalstore.aggregates import AggregateScores
    from evalstore.evaluation.results import EvaluationResult
    from evalstore.evaluation.runner import Runner
    from evalstore.evaluation.scheduling import Schedule
    from evalstore.evaluation.summing_up import SummaryRater
    from evalstore.recorder import Job
    from evalstore.store import Store

__all__ = ["Experiment"]

_INTERRUPTIONS = (KeyboardInterrupt, SystemExit, asyncio.CancelledError)


class Experiment:
    """Runs what was planned, in whichever thread or loop it is told to, and tells readers when it has ended."""

    def __init__(
        self, store: Store, job: Job, runner: Runner, schedule: Schedule, summary: list[SummaryRater], *, count: int
    ) -> None:
        """`count` is how many user calls there are at once; 0 means in the thread that runs the experiment."""
        self.store, self.job, self.runner, self.rows = store, job, runner, runner.rows
        self._schedule, self._summary_raters, self._count = schedule, summary, count
        self.summary: list[EvaluationResult] = []
        self._task: asyncio.Task[None] | None = None

    @property
    def status(self) -> str:
        """The status of the job: active, completed, error, interrupted, failed."""
        return self.job.status

    # Synchronous

    def run(self, *, in_background: bool = False) -> None:
        """Runs everything in this thread, or led by it, until the job is committed.

        Raises: what has stopped the run; the job is then committed as `error` or `interrupted`, with the rows so far.
        """
        error: BaseException | None = None
        try:
            with self.job:
                self._produce(in_background=in_background)
                caller = InThread()
                try:
                    driven(self._sum_up(caller))
                finally:
                    caller.close()
        except BaseException as reason:
            error = reason
            self._note(error)
            raise
        finally:
            self.runner.progress.end()
            self.rows.end(error)

    def start(self) -> None:
        """Runs everything in the background."""

        def lead() -> None:
            try:
                self.run(in_background=True)
            except BaseException:  # noqa: BLE001  # raised where somebody reads the rows or waits
                return

        threading.Thread(target=lead, name=f"evalstore-{self.job.name}").start()

    def wait(self) -> None:
        """Waits until the run has ended. Raises: what has stopped it."""
        self.rows.wait_for(1 << 62)

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Ctrl-C while somebody waits ends the run: its job is committed as interrupted before the error goes on."""
        try:
            yield
        except KeyboardInterrupt as error:
            if self.rows.error is not error:
                self._schedule.stop(error)
                try:
                    self.wait()
                except BaseException as stopped:  # noqa: BLE001
                    raise error from (None if stopped is error else stopped)
            raise

    def _produce(self, *, in_background: bool) -> None:
        if self.runner.target.is_async:
            scheduling.run_loop_in_thread(self._schedule, self._produce_in_loop)
            return
        caller = InThread()
        try:
            if self._count == 0 and not in_background:
                scheduling.run_here(self._schedule, caller)
            else:
                scheduling.run_in_threads(self._schedule, caller, max(self._count, 1))
        finally:
            caller.close()

    async def _produce_in_loop(self) -> None:
        await scheduling.run_in_loop(self._schedule, max(self._count, 1))

    # Asynchronous

    async def arun(self) -> None:
        """Runs everything in the running event loop, until the job is committed. Raises: as `run`."""
        error: BaseException | None = None
        try:
            try:
                await self._produce_in_loop()
                await self._sum_up(InLoop())
            except BaseException as reason:
                kind = "interrupted" if isinstance(reason, _INTERRUPTIONS) else "error"
                self.job.finish(kind, reason)
                raise
            await asyncio.to_thread(self.job.finish)
        except BaseException as reason:
            error = reason
            self._note(error)
            raise
        finally:
            self.runner.progress.end()
            self.rows.end(error)

    def astart(self) -> None:
        """Runs everything as a task of the running event loop."""
        self._task = asyncio.ensure_future(self.arun())
        self._task.add_done_callback(lambda task: task.cancelled() or task.exception())  # it is raised to readers

    async def await_end(self) -> None:
        """Waits until the run has ended. Raises: what has stopped it."""
        await self.rows.await_for(1 << 62)

    # The whole

    def aggregate_scores(self) -> AggregateScores:
        """The statistics of each metric. Raises: JobNotFound before the job is committed."""
        return self.store.aggregate_scores(f"{self.job.workspace}/{self.job.name}")

    async def _sum_up(self, caller: InThread | InLoop) -> None:
        """Lets the summary evaluators judge all rows, unless their scores of exactly these rows are there."""
        kept = self.job.summary_scores()
        if (
            not self.job.has_new_rows
            and self._summary_raters
            and all(one.has_scored(kept) for one in self._summary_raters)
        ):
            self.summary = [result for score in kept if (result := recording.as_result(score)) is not None]
            return
        if self.runner.ignored:
            self.job.log_summary({"ignored_rows": self.runner.ignored})
        if not self._summary_raters:
            return
        rows = self.rows.in_order()
        runs, examples = [row["run"] for row in rows], [row["example"] for row in rows]
        for rater in self._summary_raters:
            results, scores = await rater.rate(runs, examples, caller)
            self.job.log_summary(scores)
            for result in results:
                self.runner.declare(result)
            self.summary += results

    def _note(self, error: BaseException) -> None:
        rows = f"{len(self.rows)} rows" if len(self.rows) != 1 else "1 row"
        name = self.job.name
        stored = f"stored as {self.job.status}" if self.job.status != "failed" else f"safe: `evalstore finish {name}`"
        error.add_note(
            f"the experiment {name!r} has {rows} so far, {stored}; the same call with name={name!r}, resume=True goes "
            "on there"
        )
