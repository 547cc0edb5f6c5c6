"""An evaluator that grades texts: one field of the input, of the prediction and of the answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from evalstore.errors import UsageError
from evalstore.evaluation import coercion
from evalstore.evaluation.evaluators import RunEvaluator

if TYPE_CHECKING:
    from uuid import UUID

    from evalstore.evaluation.results import EvaluationResult

__all__ = ["StringEvaluator"]


class StringEvaluator(RunEvaluator, BaseModel):
    """Grades by `grading_function(input, prediction, answer)`, which returns the fields of a result.

    `input_key`, `prediction_key` and `answer_key` are the fields of the run's inputs, of its outputs and of the
    example's outputs; without an `answer_key`, or without an example, the answer is None. `evaluation_name` is the key
    of the result where the function gives none.
    """

    evaluation_name: str | None = None
    input_key: str = "input"
    prediction_key: str = "output"
    answer_key: str | None = "output"
    grading_function: Callable[[str, str, str | None], dict[str, Any]]

    @property
    def feedback_keys(self) -> list[str]:
        """The name of the evaluation, if it has one."""
        return [self.evaluation_name] if self.evaluation_name else []

    def evaluate_run(self, run: Any, example: Any = None, evaluator_run_id: UUID | None = None) -> EvaluationResult:
        """The grade of one run.

        Raises: what the function raises; KeyError for a field that is not there; UsageError for a
        run without outputs; InvalidScore for what it should not return.
        """
        if run.outputs is None:
            raise UsageError("Run outputs cannot be None.")
        answer = None
        if example is not None and example.outputs is not None and self.answer_key is not None:
            answer = example.outputs.get(self.answer_key)
        grade = self.grading_function(run.inputs[self.input_key], run.outputs[self.prediction_key], answer)
        named = {} if self.evaluation_name is None else {"key": self.evaluation_name}
        [result] = coercion.as_results({**named, **grade}, type(self).__name__, evaluator_run_id)
        return result
