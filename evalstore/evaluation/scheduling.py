"""Who runs the tasks of an experiment: this thread, several, or tasks of an event loop. Never more at once than asked.

Whoever is free takes the next example, so that a source is not read ahead.
"""

from __future__ import annotations

import asyncio
import contextvars
import sys
import threading
from typing import TYPE_CHECKING, Any

from evalstore.evaluation.calling import Calling, InLoop, InThread, driven, in_daemon_thread

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from evalstore.evaluation.calling import Caller
    from evalstore.evaluation.data import Source, Task
    from evalstore.evaluation.runner import Runner

__all__ = ["Schedule", "run_here", "run_in_loop", "run_in_threads", "run_loop_in_thread"]

_LOOK_EVERY = 0.2  # seconds between two looks at whether to stop


class Schedule:
    """The tasks of an experiment, and the wish to stop. Safe from several threads."""

    def __init__(
        self, source: Source, runner: Runner, *, limit: float | None = None, retries: int = 0, are_counted: bool = False
    ) -> None:
        """`limit` are the seconds that a user's call may take; `are_counted`: equal keys are told apart."""
        self._source, self._runner, self._are_counted = source, runner, are_counted
        self._limit, self._retries = limit, retries
        self.stopped: BaseException | None = None

    def stop(self, reason: BaseException) -> None:
        """Asks the run to end, as if it had raised this."""
        self.stopped = self.stopped or reason

    def check(self) -> None:
        """Raises what the run was asked to end with."""
        if self.stopped is None and not threading.main_thread().is_alive():
            # Ctrl-C has ended the program, and this thread is all that is left of it.
            last = getattr(sys, "last_value", None)
            if isinstance(last, KeyboardInterrupt):
                self.stopped = last
        if self.stopped is not None:
            raise self.stopped

    def tasks(self, caller: InThread) -> Iterator[Task]:
        """All tasks, for threads."""
        if not self._source.is_async:
            yield from self._source.tasks(self._runner.repetitions, are_counted=self._are_counted)
            return
        tasks = self.atasks()
        while (task := caller.wait_for(_next(tasks))) is not None:
            yield task

    async def atasks(self) -> AsyncIterator[Task]:
        """All tasks, for an event loop; what may take its time to tell the next one does so in a thread."""
        source, repetitions = self._source, self._runner.repetitions
        if source.is_async:
            async for task in source.atasks(repetitions, are_counted=self._are_counted):
                yield task
            return
        tasks = source.tasks(repetitions, are_counted=self._are_counted)
        if source.length is not None:
            for task in tasks:
                yield task
            return
        while (following := await asyncio.wrap_future(in_daemon_thread(next, tasks, None))) is not None:
            yield following

    def calling(self, caller: Caller) -> Calling:
        """How the user's code is called in this experiment."""
        return Calling(caller, self._limit, self._retries)

    async def run(self, task: Task, how: Calling) -> None:
        """Runs one task."""
        await self._runner.run_row(task, how)


def run_here(schedule: Schedule, caller: InThread) -> None:
    """Runs all tasks in this thread, one after the other."""
    how = schedule.calling(caller)
    for task in schedule.tasks(caller):
        schedule.check()
        driven(schedule.run(task, how))


def run_in_threads(schedule: Schedule, caller: InThread, count: int) -> None:
    """Runs the tasks in so many threads. What stops this one stops the run at once: the others are not waited for.

    Raises: what the source raised, or a thread, after the rows that had begun.
    """
    tasks, lock, how = schedule.tasks(caller), threading.Lock(), schedule.calling(caller)
    ended = threading.Semaphore(0)
    failures: list[BaseException] = []

    def work() -> None:
        try:
            while not failures and schedule.stopped is None:
                with lock:
                    task = None if failures else next(tasks, None)
                if task is None:
                    return
                driven(schedule.run(task, how))
        except BaseException as error:  # noqa: BLE001  # raised in the thread that waits
            failures.append(error)
        finally:
            ended.release()

    for number in range(count):
        context = contextvars.copy_context()  # of its own: what user code sets is seen by no other call
        threading.Thread(target=context.run, args=[work], name=f"evalstore-worker-{number}", daemon=True).start()
    try:
        for _ in range(count):
            while not ended.acquire(timeout=_LOOK_EVERY):
                schedule.check()
    except BaseException as error:
        schedule.stop(error)
        raise
    schedule.check()
    if failures:
        raise failures[0]


async def run_in_loop(schedule: Schedule, count: int) -> None:
    """Runs the tasks in so many tasks of the running event loop.

    Raises: what the source raised, or a task, after the rows that had begun; CancelledError at once.
    """
    tasks, lock, how = schedule.atasks(), asyncio.Lock(), schedule.calling(InLoop())
    failures: list[BaseException] = []

    async def work() -> None:
        try:
            while not failures and schedule.stopped is None:
                async with lock:
                    task = None if failures else await _next(tasks)
                if task is None:
                    return
                await schedule.run(task, how)
        except BaseException as error:
            failures.append(error)
            if isinstance(error, asyncio.CancelledError):
                raise

    workers = [asyncio.ensure_future(work()) for _ in range(count)]
    try:
        await asyncio.wait(workers)
    except asyncio.CancelledError as error:
        schedule.stop(error)
        for worker in workers:
            worker.cancel()
        await asyncio.wait(workers)
        raise
    schedule.check()
    if failures:
        raise failures[0]


def run_loop_in_thread(schedule: Schedule, work: Callable[[], Awaitable[None]]) -> None:
    """Runs a coroutine function in an event loop in a thread of its own, and waits for it.

    What stops this thread cancels the coroutine, and waits a moment for that. Raises: what the coroutine raises.
    """
    loop = asyncio.new_event_loop()
    main: list[asyncio.Task[None]] = []

    async def run() -> None:
        main.append(asyncio.current_task())  # type: ignore[arg-type]
        await work()

    def lead() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(run())

    future = in_daemon_thread(lead)
    ended = threading.Event()
    future.add_done_callback(lambda _: ended.set())
    try:
        while not ended.wait(_LOOK_EVERY):
            schedule.check()
    except BaseException as error:
        schedule.stop(error)
        if main and not loop.is_closed():
            loop.call_soon_threadsafe(main[0].cancel)
        ended.wait(1.0)
        raise
    future.result()


async def _next(tasks: AsyncIterator[Any]) -> Any:
    return await anext(tasks, None)
