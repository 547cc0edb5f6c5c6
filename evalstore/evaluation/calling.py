"""How user code is called: in this thread, in a thread of its own, or in an event loop; with a time limit, and again.

`InThread` never suspends, so that one coroutine serves synchronous runs, driven by hand, and asynchronous ones.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import threading
import time
from concurrent.futures import Future, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from evalstore.evaluation.results import EvaluationResult

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

__all__ = ["Caller", "Calling", "InLoop", "InThread", "driven", "in_daemon_thread"]

T = TypeVar("T")
_NEVER_AWAITED = (dict, list, str, int, float, bool, type(None), EvaluationResult)
_TOO_LONG = "took longer than {:g} s"
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0  # seconds before a failed call is made again: doubled each time


class Caller(Protocol):
    """Calls user code."""

    async def call(self, function: Callable[..., Any], *given: Any, is_async: bool, limit: float | None) -> Any:
        """What the function returns, awaited where it is asynchronous; `limit` is how many seconds it may take.

        Raises: what it raises; TimeoutError.
        """

    async def awaited(self, value: Any, limit: float | None) -> Any:
        """What an awaitable gives that a function returned of which nobody knew that it is asynchronous."""

    async def pause(self, seconds: float) -> None:
        """Waits."""


class InThread:
    """Calls user code in this thread; asynchronous code in one event loop beside it, which all calls share."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = threading.Lock()

    async def call(self, function: Callable[..., Any], *given: Any, is_async: bool, limit: float | None) -> Any:
        """What the function returns; with a limit it runs in a thread of its own, which is then left alone."""
        if is_async:
            return self.wait_for(function(*given), limit)
        return function(*given) if limit is None else _result_within(in_daemon_thread(function, *given), limit)

    async def awaited(self, value: Any, limit: float | None) -> Any:
        """What an awaitable gives that a function returned of which nobody knew that it is asynchronous."""
        return self.wait_for(value, limit)

    async def pause(self, seconds: float) -> None:
        """Waits."""
        time.sleep(seconds)  # noqa: ASYNC251  # never suspends, see above

    def wait_for(self, awaitable: Awaitable[T], limit: float | None = None) -> T:
        """What an awaitable gives, awaited in the event loop beside this thread."""
        future = asyncio.run_coroutine_threadsafe(_within(awaitable, limit), self._running_loop())
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def close(self) -> None:
        """Ends the event loop."""
        with self._lock:
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._loop.stop)
                self._loop = None

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=_run_loop, args=[self._loop], name="evalstore-loop", daemon=True).start()
            return self._loop


class InLoop:
    """Calls user code from the running event loop; what is not asynchronous in a thread of its own."""

    async def call(self, function: Callable[..., Any], *given: Any, is_async: bool, limit: float | None) -> Any:
        """What the function returns; a thread that takes too long is left alone."""
        if is_async:
            return await _within(function(*given), limit)
        return await _within(asyncio.wrap_future(in_daemon_thread(function, *given)), limit)

    async def awaited(self, value: Any, limit: float | None) -> Any:
        """What an awaitable gives that a function returned of which nobody knew that it is asynchronous."""
        return await _within(value, limit)

    async def pause(self, seconds: float) -> None:
        """Waits."""
        await asyncio.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Calling:
    """How the user code of an experiment is called: by whom, how long one call may take, how often it is made again."""

    caller: Caller
    limit: float | None = None
    retries: int = 0

    @property
    def is_direct(self) -> bool:
        """Whether calling what is not asynchronous is no more than calling it."""
        return isinstance(self.caller, InThread) and self.limit is None and not self.retries

    async def call(self, function: Callable[..., Any], *given: Any, is_async: bool) -> Any:
        """What the function returns; where it raises, what one of the retries returns. Raises: what the last raises."""
        if not self.retries:
            return await self._once(function, *given, is_async=is_async)
        pause = _FIRST_PAUSE
        for _ in range(self.retries):
            try:
                return await self._once(function, *given, is_async=is_async)
            except Exception:  # noqa: BLE001  # whatever it is, the last call raises it
                await self.caller.pause(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
        return await self._once(function, *given, is_async=is_async)

    async def _once(self, function: Callable[..., Any], *given: Any, is_async: bool) -> Any:
        if is_async or not self.is_direct:
            value = await self.caller.call(function, *given, is_async=is_async, limit=self.limit)
        else:
            value = function(*given)
        # Most values are of these types, and asking models of pydantic for an attribute takes its time.
        if type(value) in _NEVER_AWAITED or not inspect.isawaitable(value):
            return value
        return await self.caller.awaited(value, self.limit)


def driven(coroutine: Coroutine[Any, Any, T]) -> T:
    """What a coroutine that never suspends returns."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        value: T = end.value
        return value
    coroutine.close()
    raise RuntimeError("a coroutine of a synchronous run has suspended")


def in_daemon_thread(function: Callable[..., T], *given: Any) -> Future[T]:
    """What a function returns or raises, run in a thread for which nobody waits when the process ends."""
    future: Future[T] = Future()
    context = contextvars.copy_context()

    def work() -> None:
        try:
            value = context.run(function, *given)
        except BaseException as error:  # noqa: BLE001  # raised where the future is waited for
            _settle(future.set_exception, error)
        else:
            _settle(future.set_result, value)

    threading.Thread(target=work, name="evalstore-call", daemon=True).start()
    return future


def _settle(settle: Callable[[Any], None], outcome: Any) -> None:
    try:
        settle(outcome)
    except Exception:  # noqa: BLE001  # cancelled: nobody waits any more
        return


async def _within(awaitable: Awaitable[T], limit: float | None) -> T:
    if limit is None:
        return await awaitable
    task = asyncio.ensure_future(awaitable)
    done, _ = await asyncio.wait([task], timeout=limit)
    if not done:
        task.cancel()
        raise TimeoutError(_TOO_LONG.format(limit))
    return task.result()


def _result_within(future: Future[T], limit: float) -> T:
    if not wait([future], limit).done:
        raise TimeoutError(_TOO_LONG.format(limit))
    return future.result()


def _run_loop(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
