"""Evaluators and evaluate(): LangSmith's local evaluation, whole, and stored."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evalstore.evaluation.evaluating import aevaluate, evaluate
    from evalstore.evaluation.evaluators import DynamicRunEvaluator, RunEvaluator, run_evaluator
    from evalstore.evaluation.experiment_results import AsyncExperimentResults, ExperimentResultRow, ExperimentResults
    from evalstore.evaluation.reporting import report
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
    "AsyncExperimentResults": "experiment_results",
    "Category": "results",
    "ComparisonEvaluationResult": "results",
    "DynamicRunEvaluator": "evaluators",
    "EvaluationResult": "results",
    "EvaluationResults": "results",
    "Example": "schemas",
    "ExperimentResultRow": "experiment_results",
    "ExperimentResults": "experiment_results",
    "FeedbackConfig": "results",
    "Run": "schemas",
    "RunEvaluator": "evaluators",
    "aevaluate": "evaluating",
    "evaluate": "evaluating",
    "report": "reporting",
    "run_evaluator": "evaluators",
}

__all__ = [
    "AsyncExperimentResults",
    "Category",
    "ComparisonEvaluationResult",
    "DynamicRunEvaluator",
    "EvaluationResult",
    "EvaluationResults",
    "Example",
    "ExperimentResultRow",
    "ExperimentResults",
    "FeedbackConfig",
    "Run",
    "RunEvaluator",
    "aevaluate",
    "evaluate",
    "report",
    "run_evaluator",
]


def __dir__() -> list[str]:
    return sorted(__all__)


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"evalstore.evaluation.{_HOME[name]}"), name)
    raise AttributeError(f"module 'evalstore.evaluation' has no attribute {name!r}")
