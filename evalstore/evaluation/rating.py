"""The evaluators of an experiment, each with a name of its own, and how one of them rates one run."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from evalstore import score_values
from evalstore.errors import RowNotWritten, UsageError
from evalstore.evaluation import recording
from evalstore.evaluation.coercion import as_results
from evalstore.evaluation.evaluators import as_evaluator, evaluator_keys, evaluator_name, failed_results
from evalstore.evaluation.reporting import Report, listening
from evalstore.evaluation.requests import requests_of_error, without_requests
from evalstore.evaluation.results import EvaluationResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from evalstore.evaluation.calling import Calling
    from evalstore.evaluation.evaluators import RunEvaluator
    from evalstore.row_parts import OpenRow

__all__ = ["Rater", "TargetFailed", "raters"]

_log = logging.getLogger("evalstore")


class TargetFailed(Exception):
    """There are no outputs to rate: what an evaluator has to say that cannot see `run.error`."""


@dataclass(slots=True)
class Rater:
    """An evaluator of an experiment; `name` tells it from the others, also in the store."""

    name: str
    evaluator: RunEvaluator
    keys: list[str]
    is_async: bool
    sees_run: bool
    source: recording.Source
    has_failed: bool = False

    async def rate(
        self, run: Any, example: Any, row: OpenRow, how: Calling, *, is_last: bool
    ) -> list[EvaluationResult]:
        """Its results for one run, which are durable when this returns; in their place, its error.

        Raises: OSError where nothing can be written.
        """
        call_id, report = uuid4(), Report()
        try:
            if run.error is not None and not self.sees_run:
                raise TargetFailed(run.error.partition("\n")[0])
            with listening(report, self.name):
                value = await how.call(self._function, run, example, call_id, is_async=self.is_async)
            results = [value] if type(value) is EvaluationResult else as_results(value, self.keys[0], call_id)
            if len(results) != 1 or results[0].extra is not None:
                results, requests = without_requests(results)
                report.add_requests(requests)
            scores, replaced = recording.written_scores(results, self.source, str(run.id))
            row.add(self.name, scores, replaced=replaced, requests=report.requests, is_last=is_last)
        except RowNotWritten:
            raise
        except Exception as failure:  # noqa: BLE001  # whatever user code raises is stored
            error = recording.readable(failure)
            self._log(error, run)
            results = failed_results(self.evaluator, error, call_id)
            report.add_requests(requests_of_error(error))
            scores, replaced = score_values.normalise(recording.error_scores(results, error, self.name, run.id))
            try:
                row.add(self.name, scores, replaced=replaced, requests=report.requests, is_last=is_last)
            except UsageError:  # what was reported cannot be stored, and that may be the error itself
                row.add(self.name, scores, replaced=replaced, is_last=is_last)
        return results

    @property
    def _function(self) -> Callable[..., Any]:
        return self.evaluator.aevaluate_run if self.is_async else self.evaluator.evaluate_run

    def _log(self, error: Exception, run: Any) -> None:
        """Says that the evaluator failed: once, since all of it is stored."""
        is_first = not self.has_failed
        self.has_failed = True
        if not isinstance(error, TargetFailed):
            level = logging.ERROR if is_first else logging.DEBUG
            _log.log(level, "evaluator %s failed on run %s (further ones are stored): %r", self.name, run.id, error)


def raters(evaluators: Iterable[Any]) -> list[Rater]:
    """The evaluators of an experiment; of several with one name, all but the first get a number.

    Raises: InvalidEvaluator.
    """
    found: list[Rater] = []
    counts: dict[str, int] = {}
    for given in evaluators:
        evaluator = as_evaluator(given)
        name = evaluator_name(evaluator)
        counts[name] = number = counts.get(name, 0) + 1
        name = name if number == 1 else f"{name}#{number}"
        found.append(
            Rater(
                name,
                evaluator,
                evaluator_keys(evaluator),
                bool(getattr(evaluator, "is_async", False)),
                bool(getattr(evaluator, "sees_run", True)),
                recording.Source(name),
            )
        )
    return found
