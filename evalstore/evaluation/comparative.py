"""Evaluators that compare several runs of one example with one another."""

from __future__ import annotations

import asyncio
import functools
import inspect
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from pydantic import ValidationError

from evalstore.errors import InvalidEvaluator, InvalidScore
from evalstore.evaluation import signatures
from evalstore.evaluation.awaiting import completed
from evalstore.evaluation.results import ComparisonEvaluationResult

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["DynamicComparisonRunEvaluator", "comparison_evaluator"]


class DynamicComparisonRunEvaluator:
    """A function that compares runs; `afunc` is its asynchronous form, where it has both.

    Raises: InvalidEvaluator (a ValueError and a TypeError) for a function that could only be called wrongly.
    """

    def __init__(self, func: Callable[..., Any], afunc: Callable[..., Any] | None = None) -> None:
        self._binding = signatures.bind_comparison(func)
        self._async_binding = None if afunc is None else signatures.bind_comparison(afunc)
        if self._binding.is_async and self._async_binding is not None:
            raise InvalidEvaluator("func is asynchronous already: give either func or, beside a plain func, afunc")
        functools.update_wrapper(self, func, updated=())
        self.name = self._binding.name

    @property
    def is_async(self) -> bool:
        """Whether it has an asynchronous form."""
        return self._binding.is_async or self._async_binding is not None

    def compare_runs(self, runs: Sequence[Any], example: Any = None) -> ComparisonEvaluationResult:
        """One score per run. Raises: what the function raises; InvalidScore for what it should not return."""
        value = self._binding(runs, example)
        if inspect.isawaitable(value):
            value = completed(value)
        return _coerced(value, self.name, runs)

    async def acompare_runs(self, runs: Sequence[Any], example: Any = None) -> ComparisonEvaluationResult:
        """The same, asynchronously; a plain function runs in a thread."""
        if self._async_binding is not None:
            value = await self._async_binding(runs, example)
        elif self._binding.is_async:
            value = await self._binding(runs, example)
        else:
            value = await asyncio.to_thread(self._binding, runs, example)
            if inspect.isawaitable(value):
                value = await value
        return _coerced(value, self.name, runs)

    def __call__(self, runs: Sequence[Any], example: Any = None) -> ComparisonEvaluationResult:
        """As `compare_runs`."""
        return self.compare_runs(runs, example)

    def __repr__(self) -> str:
        return f"<DynamicComparisonRunEvaluator {self.name}>"


def comparison_evaluator(func: Callable[..., Any]) -> DynamicComparisonRunEvaluator:
    """A function as a comparison evaluator; to be used as a decorator.

    Its parameters are any of runs, example, inputs, outputs (a list, one for each run), reference_outputs, by name; or
    two others, which are given the runs and the example. It returns a list with a score for each run in their order, a
    dict {"scores": {run.id: score}} with a `key` and a `comment` if it likes, or a ComparisonEvaluationResult.

    Raises: InvalidEvaluator (a ValueError) for other parameters.
    """
    return DynamicComparisonRunEvaluator(func)


def _coerced(value: Any, key: str, runs: Sequence[Any]) -> ComparisonEvaluationResult:
    """The result that a return value stands for. Scores that cannot be told to belong to a run are refused."""
    if isinstance(value, list):
        if len(value) != len(runs):
            raise InvalidScore(f"Expected one score for each of {len(runs)} runs, in their order. Got {value!r}")
        value = {"scores": {run.id: score for run, score in zip(runs, value, strict=True)}}
    if isinstance(value, dict):
        value = _validated({"key": key, **value})
    if not isinstance(value, ComparisonEvaluationResult):
        raise InvalidScore(
            f"Expected 'dict', 'list' or 'ComparisonEvaluationResult' result object. Received: result={value!r}"
        )
    known = {str(run.id) for run in runs}
    if strangers := [str(run_id) for run_id in value.scores if str(run_id) not in known]:
        raise InvalidScore(f"Expected scores of the compared runs, {', '.join(sorted(known))}. Got {strangers[0]}")
    return value if value.source_run_id else value.model_copy(update={"source_run_id": uuid4()})


def _validated(value: dict[str, Any]) -> ComparisonEvaluationResult:
    try:
        return ComparisonEvaluationResult.model_validate(value)
    except ValidationError as error:
        raise InvalidScore(
            "Expected a dictionary with a 'key' and dictionary of scores mapping run IDs to numeric scores, or "
            f"ComparisonEvaluationResult object, got {value!r}"
        ) from error
