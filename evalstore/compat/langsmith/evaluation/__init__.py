"""As `langsmith.evaluation`."""

from __future__ import annotations

from evalstore.compat.langsmith.evaluation import evaluator
from evalstore.evaluation import (
    ComparisonEvaluationResult,
    EvaluationResult,
    EvaluationResults,
    RunEvaluator,
    StringEvaluator,
    aevaluate,
    evaluate,
    run_evaluator,
)

__all__ = [
    "ComparisonEvaluationResult",
    "EvaluationResult",
    "EvaluationResults",
    "RunEvaluator",
    "StringEvaluator",
    "aevaluate",
    "evaluate",
    "evaluator",
    "run_evaluator",
]
