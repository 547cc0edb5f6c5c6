"""LangSmith's local evaluation: write `evalstore.compat.langsmith` where a script imports `langsmith`.

Nothing leaves the machine; results go to the store of the client, else to `$EVALSTORE`, else to `./evals`.
"""

from __future__ import annotations

from evalstore.compat.langsmith import evaluation, schemas
from evalstore.compat.langsmith.client import Client
from evalstore.evaluation import aevaluate, evaluate

__all__ = ["Client", "aevaluate", "evaluate", "evaluation", "schemas"]
