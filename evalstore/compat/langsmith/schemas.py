"""As `langsmith.schemas`: what evaluators are handed."""

from __future__ import annotations

from evalstore.evaluation.schemas import Example, Run

__all__ = ["Example", "Run"]
