"""Waiting for asynchronous user code from code that is not, also inside a running event loop."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable

__all__ = ["completed"]


def completed(awaitable: Awaitable[Any]) -> Any:
    """What an awaitable gives, waited for in this thread, or in one of its own where an event loop runs in this one.

    Raises: what the awaitable raises.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(_awaited(awaitable))
    outcome: list[Any] = []
    context = contextvars.copy_context()

    def wait() -> None:
        try:
            outcome.append((True, context.run(asyncio.run, _awaited(awaitable))))
        except BaseException as error:  # noqa: BLE001  # raised in the thread that waits
            outcome.append((False, error))

    waiter = threading.Thread(target=wait, name="evalstore-awaiting")
    waiter.start()
    waiter.join()
    [(is_done, value)] = outcome
    if not is_done:
        raise value
    return value


async def _awaited(awaitable: Awaitable[Any]) -> Any:
    return await awaitable
