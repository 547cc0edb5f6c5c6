"""As `langsmith.evaluation.evaluator`."""

from __future__ import annotations

from evalstore.evaluation import (
    Category,
    ComparisonEvaluationResult,
    DynamicComparisonRunEvaluator,
    DynamicRunEvaluator,
    EvaluationResult,
    EvaluationResults,
    FeedbackConfig,
    RunEvaluator,
    comparison_evaluator,
    run_evaluator,
)

__all__ = [
    "Category",
    "ComparisonEvaluationResult",
    "DynamicComparisonRunEvaluator",
    "DynamicRunEvaluator",
    "EvaluationResult",
    "EvaluationResults",
    "FeedbackConfig",
    "RunEvaluator",
    "comparison_evaluator",
    "run_evaluator",
]
