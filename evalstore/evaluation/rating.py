"""The evaluators of an experiment, each with a name of its own, and how one of them rates one run."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from evalstore.errors import InvalidScore
from evalstore.evaluation import recording
from evalstore.evaluation.calling import again
from evalstore.evaluation.coercion import as_results
from evalstore.evaluation.evaluators import as_evaluator, evaluator_keys, evaluator_name, failed_results
from evalstore.evaluation.reporting import Report, listening

if TYPE_CHECKING:
    from collections.abc import Iterable

    from evalstore.evaluation.calling import Caller
    from evalstore.evaluation.evaluators import RunEvaluator
    from evalstore.evaluation.results import EvaluationResult
    from evalstore.row_parts import OpenRow

__all__ = ["Rater", "TargetFailed", "raters"]

_log = logging.getLogger("evalstore")


class TargetFailed(Exception):
    """There are no outputs to rate: what an evaluator has to say that cannot see `run.error`."""


@dataclass(frozen=True, slots=True)
class Rater:
    """An evaluator of an experiment; `name` tells it from the others, also in the store."""

    name: str
    evaluator: RunEvaluator
    keys: list[str]
    is_async: bool
    sees_run: bool

    async def rate(
        self,
        run: Any,
        example: Any,
        row: OpenRow,
        caller: Caller,
        *,
        retries: int,
        timeout: float | None,
        is_last: bool,
    ) -> list[EvaluationResult]:
        """Its results for one run, which are durable when this returns; in their place, its error.

        Raises: OSError where nothing can be written.
        """
        call_id, report = uuid4(), Report()
        function = self.evaluator.aevaluate_run if self.is_async else self.evaluator.evaluate_run
        try:
            if run.error is not None and not self.sees_run:
                raise TargetFailed(run.error.partition("\n")[0])
            with listening(report, self.name):
                if retries:
                    value = await again(
                        caller,
                        lambda: caller.call(function, run, example, call_id, is_async=self.is_async, timeout=timeout),
                        retries,
                    )
                else:
                    value = await caller.call(function, run, example, call_id, is_async=self.is_async, timeout=timeout)
            results = as_results(value, self.keys[0], call_id)
            scores = recording.as_scores(results, self.name, run.id)
        except Exception as error:  # noqa: BLE001  # whatever user code raises is stored
            return self._failed(error, run, row, report, is_last=is_last)
        try:
            row.add(self.name, scores, requests=report.requests, is_last=is_last)
        except InvalidScore as error:
            return self._failed(error, run, row, report, is_last=is_last)
        return results

    def _failed(
        self, error: Exception, run: Any, row: OpenRow, report: Report, *, is_last: bool
    ) -> list[EvaluationResult]:
        if not isinstance(error, TargetFailed):
            _log.error("evaluator %s failed on run %s: %r", self.name, run.id, error)
        results = failed_results(self.evaluator, error)
        scores = recording.error_scores(results, error, self.name, run.id)
        row.add(self.name, scores, requests=report.requests, is_last=is_last)
        return results


def raters(evaluators: Iterable[Any]) -> list[Rater]:
    """The evaluators of an experiment; of several with one name, all but the first get a number.

    Raises: InvalidEvaluator.
    """
    found: list[Rater] = []
    counts: dict[str, int] = {}
    for given in evaluators:
        evaluator = as_evaluator(given)
        name = evaluator_name(evaluator)
        counts[name] = counts.get(name, 0) + 1
        found.append(
            Rater(
                name if counts[name] == 1 else f"{name}#{counts[name]}",
                evaluator,
                evaluator_keys(evaluator),
                bool(getattr(evaluator, "is_async", False)),
                bool(getattr(evaluator, "sees_run", True)),
            )
        )
    return found
