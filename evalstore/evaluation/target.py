"""The target: what is evaluated, called with an example, and what it returns as outputs."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Mapping
from typing import Any

from evalstore.evaluation.signatures import bind_target

__all__ = ["Target", "as_outputs"]


class Target:
    """A user's target: a function, synchronous or not, or an object that is called or has `invoke`."""

    def __init__(self, target: Any) -> None:
        """Raises: UsageError for what could only be called wrongly."""
        self._binding = bind_target(target)
        self.name, self.is_async = self._binding.name, self._binding.is_async

    def __call__(self, example: Any) -> Any:
        """What it returns, an awaitable where it is asynchronous; what it yields comes as a list."""
        value = self._binding(example)
        if inspect.isgenerator(value):
            return list(value)
        return _gathered(value) if inspect.isasyncgen(value) else value


def as_outputs(value: Any) -> dict[str, Any]:
    """The outputs of a run: a dict, the fields of a pydantic model or a dataclass, else {"output": value}."""
    if isinstance(value, dict):
        return value
    if hasattr(value, "model_dump"):
        value = value.model_dump()
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = dataclasses.asdict(value)
    return dict(value) if isinstance(value, Mapping) else {"output": value}


async def _gathered(values: Any) -> list[Any]:
    return [value async for value in values]
