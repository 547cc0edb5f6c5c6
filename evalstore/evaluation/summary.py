"""Summary evaluators: code that scores a whole job, once, after its last row."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from evalstore.evaluation import coercion, signatures
from evalstore.evaluation.awaiting import completed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from evalstore.evaluation.results import EvaluationResults

__all__ = ["SummaryEvaluator", "as_summary_evaluator"]


class SummaryEvaluator:
    """A function over all runs and examples, and its `name`: the key of its scores where it names none."""

    def __init__(self, function: Callable[..., Any]) -> None:
        """Raises: InvalidEvaluator for a function that could only be called wrongly."""
        self._binding = signatures.bind_summary(function)
        self.name = self._binding.name

    def __call__(self, runs: Sequence[Any], examples: Sequence[Any]) -> EvaluationResults:
        """Its scores. Raises: what the function raises; InvalidScore for what it should not return."""
        value = self._binding(runs, examples)
        if inspect.isawaitable(value):
            value = completed(value)
        return coercion.coerced_summary(value, self.name, uuid4())

    def __repr__(self) -> str:
        return f"<SummaryEvaluator {self.name}>"


def as_summary_evaluator(function: Callable[..., Any]) -> SummaryEvaluator:
    """A function as a summary evaluator, synchronous or not.

    Its parameters are any of runs, examples, inputs, outputs, reference_outputs (lists of one length), by name; or two
    others, which are given the runs and the examples. It returns what an evaluator may return; a missing key is its
    name, in lists too.

    Raises: InvalidEvaluator (a ValueError) for other parameters.
    """
    return function if isinstance(function, SummaryEvaluator) else SummaryEvaluator(function)
