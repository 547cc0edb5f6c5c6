"""Evaluators and evaluate(): LangSmith's local evaluation, whole, and stored."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evalstore.evaluation.evaluators import DynamicRunEvaluator, RunEvaluator, run_evaluator
    from evalstore.evaluation.results import (
        Category,
        ComparisonEvaluationResult,
        EvaluationResult,
        EvaluationResults,
        FeedbackConfig,
    )
    from evalstore.evaluation.schemas import Example, Run

# Looked up when first used: `import evalstore` must not wait for pydantic.
_HOME = {
    "Category": "results",
    "ComparisonEvaluationResult": "results",
    "DynamicRunEvaluator": "evaluators",
    "EvaluationResult": "results",
    "EvaluationResults": "results",
    "Example": "schemas",
    "FeedbackConfig": "results",
    "Run": "schemas",
    "RunEvaluator": "evaluators",
    "run_evaluator": "evaluators",
}

__all__ = [
    "Category",
    "ComparisonEvaluationResult",
    "DynamicRunEvaluator",
    "EvaluationResult",
    "EvaluationResults",
    "Example",
    "FeedbackConfig",
    "Run",
    "RunEvaluator",
    "run_evaluator",
]


def __dir__() -> list[str]:
    return sorted(__all__)


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"evalstore.evaluation.{_HOME[name]}"), name)
    raise AttributeError(f"module 'evalstore.evaluation' has no attribute {name!r}")
