"""Evaluators and evaluate(): LangSmith's local evaluation, whole, and stored."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evalstore.evaluation.comparative import DynamicComparisonRunEvaluator, comparison_evaluator
    from evalstore.evaluation.evaluating import aevaluate, evaluate
    from evalstore.evaluation.evaluators import DynamicRunEvaluator, RunEvaluator, run_evaluator
    from evalstore.evaluation.experiment_results import AsyncExperimentResults, ExperimentResultRow, ExperimentResults
    from evalstore.evaluation.judge import llm_judge
    from evalstore.evaluation.ready import (
        contains,
        exact_match,
        json_equality,
        normalised_text,
        numeric_tolerance,
        regex,
    )
    from evalstore.evaluation.reporting import report
    from evalstore.evaluation.results import (
        Category,
        ComparisonEvaluationResult,
        EvaluationResult,
        EvaluationResults,
        FeedbackConfig,
    )
    from evalstore.evaluation.schemas import Example, Run
    from evalstore.evaluation.string_evaluator import StringEvaluator

# Looked up when first used: `import evalstore` must not wait for pydantic.
_HOME = {
    "AsyncExperimentResults": "experiment_results",
    "Category": "results",
    "ComparisonEvaluationResult": "results",
    "DynamicComparisonRunEvaluator": "comparative",
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
    "StringEvaluator": "string_evaluator",
    "comparison_evaluator": "comparative",
    "contains": "ready",
    "exact_match": "ready",
    "json_equality": "ready",
    "llm_judge": "judge",
    "normalised_text": "ready",
    "numeric_tolerance": "ready",
    "regex": "ready",
    "run_evaluator": "evaluators",
}

__all__ = [
    "AsyncExperimentResults",
    "Category",
    "ComparisonEvaluationResult",
    "DynamicComparisonRunEvaluator",
    "DynamicRunEvaluator",
    "EvaluationResult",
    "EvaluationResults",
    "Example",
    "ExperimentResultRow",
    "ExperimentResults",
    "FeedbackConfig",
    "Run",
    "RunEvaluator",
    "StringEvaluator",
    "aevaluate",
    "comparison_evaluator",
    "contains",
    "evaluate",
    "exact_match",
    "json_equality",
    "llm_judge",
    "normalised_text",
    "numeric_tolerance",
    "regex",
    "report",
    "run_evaluator",
]


def __dir__() -> list[str]:
    return sorted(__all__)


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"evalstore.evaluation.{_HOME[name]}"), name)
    raise AttributeError(f"module 'evalstore.evaluation' has no attribute {name!r}")
