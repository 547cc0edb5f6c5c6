"""evalstore: the local warehouse for evaluation results."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evalstore.aggregates import AggregateScores
    from evalstore.errors import EvalStoreError
    from evalstore.evaluation.evaluating import aevaluate, evaluate
    from evalstore.evaluation.evaluators import run_evaluator
    from evalstore.evaluation.results import EvaluationResult
    from evalstore.importers.report import ImportReport
    from evalstore.recorder import Job
    from evalstore.rows import RowScores
    from evalstore.store import Store, open

__all__ = [
    "AggregateScores",
    "EvalStoreError",
    "EvaluationResult",
    "ImportReport",
    "Job",
    "RowScores",
    "Store",
    "__version__",
    "aevaluate",
    "evaluate",
    "open",
    "run_evaluator",
]

__version__ = "0.1.0"

# Looked up when first used: `import evalstore` must not wait for DuckDB and Polars.
_HOME = {
    "AggregateScores": "evalstore.aggregates",
    "EvalStoreError": "evalstore.errors",
    "EvaluationResult": "evalstore.evaluation.results",
    "ImportReport": "evalstore.importers.report",
    "Job": "evalstore.recorder",
    "RowScores": "evalstore.rows",
    "Store": "evalstore.store",
    "aevaluate": "evalstore.evaluation.evaluating",
    "evaluate": "evalstore.evaluation.evaluating",
    "open": "evalstore.store",
    "run_evaluator": "evalstore.evaluation.evaluators",
}


def __dir__() -> list[str]:
    return sorted(__all__)


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    if name == "errors":
        return import_module("evalstore.errors")
    raise AttributeError(f"module 'evalstore' has no attribute {name!r}")
