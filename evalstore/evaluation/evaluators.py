"""Evaluators: code that scores one run. Functions and objects of many shapes, brought into one: RunEvaluator."""

from __future__ import annotations

import abc
import asyncio
import functools
import inspect
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

from evalstore.errors import InvalidEvaluator
from evalstore.evaluation import coercion, signatures
from evalstore.evaluation.awaiting import completed
from evalstore.evaluation.feedback_keys import keys_in_source
from evalstore.evaluation.results import EvaluationResult

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from evalstore.evaluation.results import EvaluationResults

__all__ = [
    "DynamicRunEvaluator",
    "RunEvaluator",
    "as_evaluator",
    "evaluator_keys",
    "evaluator_name",
    "failed_results",
    "run_evaluator",
]


_GIVEN = ("run", "example", "evaluator_run_id")
_NEVER_AWAITED = (dict, list, str, int, float, bool, type(None), EvaluationResult)  # most values, told at once


class RunEvaluator(abc.ABC):
    """What scores a run. Subclasses write `evaluate_run(self, run, example=None)`, and `aevaluate_run` if they like."""

    @abc.abstractmethod
    def evaluate_run(
        self, run: Any, example: Any = None, evaluator_run_id: UUID | None = None
    ) -> EvaluationResult | EvaluationResults:
        """The scores of one run, or a dict or list that stands for them. What it raises is stored as an error."""

    async def aevaluate_run(
        self, run: Any, example: Any = None, evaluator_run_id: UUID | None = None
    ) -> EvaluationResult | EvaluationResults:
        """The same, asynchronously: unless a subclass says otherwise, `evaluate_run` in a thread."""
        call = _method_call(self.evaluate_run)
        return cast(
            "EvaluationResult | EvaluationResults", await asyncio.to_thread(call, run, example, evaluator_run_id)
        )

    @property
    def feedback_keys(self) -> list[str]:
        """The keys that it is known to score under before it has run; none if that cannot be told."""
        return []


class DynamicRunEvaluator(RunEvaluator):
    """A function as an evaluator; `afunc` is its asynchronous form, where it has both.

    Raises: InvalidEvaluator (a ValueError and a TypeError) for a function that could only be called wrongly.
    """

    def __init__(self, func: Callable[..., Any], afunc: Callable[..., Any] | None = None) -> None:
        self._binding = signatures.bind_evaluator(func)
        self._async_binding = None if afunc is None else signatures.bind_evaluator(afunc)
        if self._binding.is_async and self._async_binding is not None:
            raise InvalidEvaluator("func is asynchronous already: give either func or, beside a plain func, afunc")
        functools.update_wrapper(self, func, updated=())
        self.name = self._binding.name

    @property
    def is_async(self) -> bool:
        """Whether it has an asynchronous form."""
        return self._binding.is_async or self._async_binding is not None

    @property
    def sees_run(self) -> bool:
        """Whether the function is given the run, and so can tell one that failed."""
        return self._binding.sees_run or (self._async_binding is not None and self._async_binding.sees_run)

    @property
    def feedback_keys(self) -> list[str]:
        """The keys written literally in what the function returns, else its name."""
        return keys_in_source(self._binding.function) or [self.name]

    def evaluate_run(
        self, run: Any, example: Any = None, evaluator_run_id: UUID | None = None
    ) -> EvaluationResult | EvaluationResults:
        """The scores of one run. Raises: what the function raises; InvalidScore for what it should not return."""
        value = self._binding(run, example)
        if type(value) not in _NEVER_AWAITED and inspect.isawaitable(value):
            value = completed(value)
        return coercion.coerced(value, self.name, evaluator_run_id or uuid4())

    async def aevaluate_run(
        self, run: Any, example: Any = None, evaluator_run_id: UUID | None = None
    ) -> EvaluationResult | EvaluationResults:
        """The same, asynchronously; a plain function runs in a thread."""
        if self._async_binding is not None:
            value = await self._async_binding(run, example)
        elif self._binding.is_async:
            value = await self._binding(run, example)
        else:
            value = await asyncio.to_thread(self._binding, run, example)
            if inspect.isawaitable(value):
                value = await value
        return coercion.coerced(value, self.name, evaluator_run_id or uuid4())

    def __call__(self, run: Any, example: Any = None) -> EvaluationResult | EvaluationResults:
        """As `evaluate_run`."""
        return self.evaluate_run(run, example)

    def __repr__(self) -> str:
        return f"<DynamicRunEvaluator {self.name}>"


def run_evaluator(func: Callable[..., Any]) -> DynamicRunEvaluator:
    """A function as an evaluator; to be used as a decorator.

    Its parameters are any of run, example, inputs (those of the example, as they were before the target ran), outputs,
    reference_outputs, attachments, by name; or two others, which are given the run and the example. It returns a
    number, a boolean, a text, a dict with score, value or comment, a list of dicts with a key each, or results.

    Raises: InvalidEvaluator (a ValueError) for other parameters.
    """
    return DynamicRunEvaluator(func)


def as_evaluator(thing: Any) -> RunEvaluator:
    """An evaluator of any shape as one whose `evaluate_run` and `aevaluate_run` take (run, example, evaluator_run_id).

    Takes functions, and objects with `evaluate_run`, also of other libraries, whatever of the three it takes.

    Raises: InvalidEvaluator (a ValueError) for what is none, or could only be called wrongly.
    """
    if isinstance(thing, DynamicRunEvaluator):
        return thing
    if inspect.isclass(thing) and hasattr(thing, "evaluate_run"):
        raise InvalidEvaluator(f"{thing.__name__} is a class of evaluators: give one of them, {thing.__name__}()")
    if hasattr(thing, "evaluate_run"):
        return _ObjectEvaluator(thing)
    return DynamicRunEvaluator(thing)


def evaluator_name(evaluator: Any) -> str:
    """What an evaluator is called: the key of its scores where it names none."""
    for field in ("evaluation_name", "name"):
        if isinstance(name := getattr(evaluator, field, None), str) and name:
            return name
    return signatures.callable_name(evaluator)


def evaluator_keys(evaluator: RunEvaluator) -> list[str]:
    """The keys under which an error of the evaluator is stored, one at least: those it would have scored under."""
    return evaluator.feedback_keys or [evaluator_name(evaluator)]


def failed_results(
    evaluator: RunEvaluator, error: BaseException, source_run_id: UUID | str | None = None
) -> list[EvaluationResult]:
    """What stands in the place of the scores of an evaluator that raised: no score, `extra` {"error": True}."""
    keys = [key for key in evaluator_keys(evaluator) if key] or [evaluator_name(evaluator)]
    return [
        EvaluationResult(key=key, comment=repr(error), extra={"error": True}, source_run_id=source_run_id or uuid4())
        for key in keys
    ]


class _ObjectEvaluator(RunEvaluator):
    """An object with `evaluate_run`, called with as many arguments as it takes; its returns are brought into form."""

    def __init__(self, evaluator: Any) -> None:
        self.name = evaluator_name(evaluator)
        self._evaluator = evaluator
        self._evaluate = _method_call(evaluator.evaluate_run)
        given = getattr(evaluator, "aevaluate_run", None)
        inherits = getattr(given, "__func__", None) is RunEvaluator.aevaluate_run
        self._aevaluate = None if given is None or inherits else _method_call(given)

    @property
    def is_async(self) -> bool:
        """Whether it has an asynchronous form of its own."""
        said = getattr(self._evaluator, "is_async", None)
        return said if isinstance(said, bool) else self._aevaluate is not None

    @property
    def feedback_keys(self) -> list[str]:
        """The keys that the object says it scores under, else those written literally in its `evaluate_run`."""
        said = getattr(self._evaluator, "feedback_keys", None)
        if isinstance(said, (list, tuple)) and said and all(isinstance(key, str) for key in said):
            return list(said)
        return keys_in_source(self._evaluator.evaluate_run)

    def evaluate_run(
        self, run: Any, example: Any = None, evaluator_run_id: UUID | None = None
    ) -> EvaluationResult | EvaluationResults:
        evaluator_run_id = evaluator_run_id or uuid4()
        value = self._evaluate(run, example, evaluator_run_id)
        if inspect.isawaitable(value):
            value = completed(value)
        return self._results(value, evaluator_run_id)

    async def aevaluate_run(
        self, run: Any, example: Any = None, evaluator_run_id: UUID | None = None
    ) -> EvaluationResult | EvaluationResults:
        evaluator_run_id = evaluator_run_id or uuid4()
        if self._aevaluate is not None:
            value = self._aevaluate(run, example, evaluator_run_id)
        else:
            value = await asyncio.to_thread(self._evaluate, run, example, evaluator_run_id)
        if inspect.isawaitable(value):
            value = await value
        return self._results(value, evaluator_run_id)

    def _results(self, value: Any, evaluator_run_id: UUID) -> EvaluationResults:
        return {"results": coercion.as_results(value, self.name, evaluator_run_id)}

    def __repr__(self) -> str:
        return repr(self._evaluator)


def _method_call(method: Callable[..., Any]) -> Callable[[Any, Any, Any], Any]:
    """The method as a function of (run, example, evaluator_run_id), given as many of them as it takes.

    Raises: InvalidEvaluator where it needs more.
    """
    parameters = inspect.signature(method).parameters.values()
    takes_any = any(one.kind is one.VAR_KEYWORD for one in parameters)
    named = [one for one in parameters if one.kind not in (one.VAR_KEYWORD, one.VAR_POSITIONAL)]
    required = [one for one in named if one.default is one.empty]
    if all(one.name in _GIVEN and one.kind is not one.POSITIONAL_ONLY for one in required):
        wanted = _GIVEN if takes_any else [one.name for one in named if one.name in _GIVEN]
        return lambda *given: method(**{name: given[_GIVEN.index(name)] for name in wanted})
    count = sum(one.kind is not one.KEYWORD_ONLY for one in named)
    if len(required) > len(_GIVEN) or any(one.kind is one.KEYWORD_ONLY for one in required):
        raise InvalidEvaluator(
            f"{method.__qualname__}{inspect.signature(method)} cannot be called with a run and an example: write "
            "evaluate_run(self, run, example=None)"
        )
    return lambda *given: method(*given[:count])
