"""Summary evaluators of an experiment, each with a name of its own, and how one of them judges all rows."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from evalstore.errors import UsageError
from evalstore.evaluation import recording
from evalstore.evaluation.results import EvaluationResult
from evalstore.evaluation.summary import as_summary_evaluator
from evalstore.row_parts import evaluator_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from evalstore.evaluation.calling import Caller
    from evalstore.evaluation.summary import SummaryEvaluator

__all__ = ["SummaryRater", "summary_raters"]

_log = logging.getLogger("evalstore")


@dataclass(frozen=True, slots=True)
class SummaryRater:
    """A summary evaluator of an experiment; `name` tells it from the others, also in the store."""

    name: str
    evaluator: SummaryEvaluator

    async def rate(
        self, runs: list[Any], examples: list[Any], caller: Caller
    ) -> tuple[list[EvaluationResult], dict[str, Any]]:
        """Its results, and the scores that stand for them in the store; in their place, its error."""
        try:
            value = await caller.call(self.evaluator, runs, examples, is_async=False, limit=None)
            results = list(value["results"])
            scores = recording.as_scores(results, self.name, None)
            recording.check_scores(scores)
        except Exception as failure:  # noqa: BLE001  # whatever user code raises is stored
            error = recording.readable(failure)
            _log.error("summary evaluator %s failed: %r", self.name, error)
            failed = EvaluationResult(key=self.evaluator.name, comment=repr(error), extra={"error": True})
            return [failed], recording.error_scores([failed], error, self.name, None)
        return results, scores

    def has_scored(self, scores: Iterable[dict[str, Any]]) -> bool:
        """Whether its scores are among these, without an error."""
        own = [score for score in scores if evaluator_of(score) == self.name]
        return bool(own) and all(score.get("error") is None for score in own)


def summary_raters(evaluators: Iterable[Any]) -> list[SummaryRater]:
    """The summary evaluators of an experiment; of several with one name, all but the first get a number.

    Raises: InvalidEvaluator, UsageError.
    """
    if callable(evaluators):
        raise UsageError("summary_evaluators is a list: write summary_evaluators=[...]")
    found: list[SummaryRater] = []
    counts: dict[str, int] = {}
    for given in evaluators:
        evaluator = as_summary_evaluator(given)
        counts[evaluator.name] = number = counts.get(evaluator.name, 0) + 1
        found.append(SummaryRater(evaluator.name if number == 1 else f"{evaluator.name}#{number}", evaluator))
    return found
