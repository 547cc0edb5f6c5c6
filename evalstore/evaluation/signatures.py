"""How a user's function is called: by the names of its parameters, or by their places where the names say nothing.

What could only be called wrongly is refused when it is bound, before anything has run.
"""

from __future__ import annotations

import copy
import functools
import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from evalstore.errors import InvalidEvaluator, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Binding", "bind_comparison", "bind_evaluator", "bind_summary", "bind_target", "callable_name", "is_async"]

_BY_PLACE = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_REST = inspect.Parameter.VAR_POSITIONAL


@dataclass(frozen=True, slots=True)
class _Role:
    """What a kind of function is called with: how each known name is read, and what goes by place.

    `first_counts`: the first parameter is given something even if it has a default.
    """

    what: str
    values: Mapping[str, Callable[..., Any]]
    places: tuple[str, ...]
    first_counts: bool = False


@dataclass(frozen=True, slots=True)
class Binding:
    """A function with a plan of its arguments; called with the subjects, it returns what the function returns."""

    function: Callable[..., Any]
    name: str
    is_async: bool
    places: tuple[Callable[..., Any], ...]
    names: tuple[tuple[str, Callable[..., Any]], ...]

    @property
    def sees_run(self) -> bool:
        """Whether an evaluator is given the run, by its name or by its place."""
        return _EVALUATOR.values["run"] in (*self.places, *(read for _, read in self.names))

    def __call__(self, *subjects: Any) -> Any:
        """What the function returns: an awaitable where it is asynchronous. Raises what the function raises."""
        return self.function(
            *[read(*subjects) for read in self.places], **{name: read(*subjects) for name, read in self.names}
        )


def bind_evaluator(function: Callable[..., Any]) -> Binding:
    """An evaluator, to be called with (run, example); the example may be None.

    Raises: InvalidEvaluator.
    """
    return _bind(function, _EVALUATOR, InvalidEvaluator)


def bind_summary(function: Callable[..., Any]) -> Binding:
    """A summary evaluator, to be called with (runs, examples), two lists of one length. Raises: InvalidEvaluator."""
    return _bind(function, _SUMMARY, InvalidEvaluator)


def bind_comparison(function: Callable[..., Any]) -> Binding:
    """A comparison evaluator, to be called with (runs, example). Raises: InvalidEvaluator."""
    return _bind(function, _COMPARISON, InvalidEvaluator)


def bind_target(target: Any) -> Binding:
    """A target, to be called with (example); what it does to its inputs leaves the example as it was.

    Objects that are not callable but have `invoke` (and `ainvoke`) are called by that.

    Raises: UsageError.
    """
    if not callable(target) and callable(invoke := getattr(target, "invoke", None)):
        return Binding(invoke, type(target).__name__, is_async(invoke), (_fresh_inputs,), ())
    return _bind(target, _TARGET, UsageError)


def is_async(function: Any) -> bool:
    """Whether calling it gives a coroutine: also for partials, bound methods and objects with `async def __call__`."""
    while isinstance(function, functools.partial):
        function = function.func
    return inspect.iscoroutinefunction(function) or (
        not inspect.isroutine(function)
        and not inspect.isclass(function)
        and inspect.iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004
    )


def callable_name(function: Any) -> str:
    """The name of a function, of what a partial is part of, or of the class of a callable object."""
    while isinstance(function, functools.partial):
        function = function.func
    name = getattr(function, "__name__", None)
    return name if isinstance(name, str) and name else type(function).__name__


def _bind(function: Any, role: _Role, refusal: type[UsageError]) -> Binding:
    parameters = _parameters(function, role, refusal)
    placed = _placed(parameters, role)
    if placed is None:
        raise refusal(_refused(function, role))
    places: list[Callable[..., Any]] = []
    names: list[tuple[str, Callable[..., Any]]] = []
    for one in parameters:
        read = role.values.get(placed.get(one.name, one.name))
        if one.kind is one.VAR_POSITIONAL:
            places += [role.values[place] for place in role.places[len(placed) :] if placed]
        elif one.kind is one.POSITIONAL_ONLY or one.name in placed:
            places.append(read or functools.partial(_constant, one.default))
        elif read is not None:
            names.append((one.name, read))
    return Binding(function, callable_name(function), is_async(function), tuple(places), tuple(names))


def _parameters(function: Any, role: _Role, refusal: type[UsageError]) -> list[inspect.Parameter]:
    """The parameters but `**kw`, which is never given anything."""
    if not callable(function):
        raise refusal(f"{function!r} is no {role.what}: it is not callable")
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError) as error:
        raise refusal(f"{_refused(function, role)} Its parameters cannot be seen: wrap it in a function.") from error
    return [one for one in parameters if one.kind is not one.VAR_KEYWORD]


def _placed(parameters: list[inspect.Parameter], role: _Role) -> dict[str, str] | None:
    """Which parameters are given something by their place, and what; none if all goes by name, None if nothing fits."""
    required = [one for at, one in enumerate(parameters) if _is_required(one, role, at)]
    leading = [one for one in required if one.kind in _BY_PLACE]
    placed = {one.name: place for one, place in zip(leading, role.places, strict=False)}
    count = len(leading)
    rest_follows = 0 < count < len(role.places) and len(parameters) > count and parameters[count].kind is _REST
    in_place = all(name == place or name not in role.values for name, place in placed.items())
    unknown = [one.name for one in required if one.name not in role.values]
    if not unknown and not (rest_follows and in_place):
        return {} if any(one.name in role.values for one in parameters) else None
    fits = in_place and (count == len(role.places) or rest_follows)
    return placed if fits and all(name in placed for name in unknown) else None


def _is_required(one: inspect.Parameter, role: _Role, at: int) -> bool:
    if role.first_counts and at == 0 and one.kind in _BY_PLACE:
        return True
    return one.default is one.empty and one.kind is not _REST


def _constant(value: Any, *_: Any) -> Any:
    return value


def _refused(function: Any, role: _Role) -> str:
    try:
        shown = f"{callable_name(function)}{inspect.signature(function)}"
    except (TypeError, ValueError):
        shown = callable_name(function)
    *but_last, last = role.values
    others = " and ".join(f"the {place}" for place in role.places)
    count = {1: "one parameter", 2: "two parameters"}[len(role.places)]
    return (
        f"Invalid {role.what}. Must have at least one argument. Supported arguments are {', '.join(but_last)} and "
        f"{last}, by name and in any order; or {count} of other names, given {others}. Received {shown}."
    )


def _fresh_inputs(example: Any) -> Any:
    return _fresh(_inputs(example))


def _fresh(value: Any) -> Any:
    """The same content in containers of its own."""
    if type(value) is dict:
        return {key: _fresh(one) for key, one in value.items()}
    if type(value) is list:
        return [_fresh(one) for one in value]
    if isinstance(value, (dict, list, tuple, set)):
        try:
            return copy.deepcopy(value)
        except Exception:  # noqa: BLE001  # it is user code
            return value
    return value


def _of(subject: Any, field: str) -> Any:
    """A field of a run or an example; {} where there is none."""
    return {} if subject is None else getattr(subject, field, None) or {}


def _inputs(example: Any) -> Any:
    return _of(example, "inputs")


_EVALUATOR = _Role(
    "evaluator function",
    {
        "run": lambda run, _: run,
        "example": lambda _, example: example,
        "inputs": lambda _, example: _of(example, "inputs"),
        "outputs": lambda run, _: _of(run, "outputs"),
        "reference_outputs": lambda _, example: _of(example, "outputs"),
        "attachments": lambda _, example: _of(example, "attachments"),
    },
    ("run", "example"),
)
_SUMMARY = _Role(
    "summary evaluator function",
    {
        "runs": lambda runs, _: runs,
        "examples": lambda _, examples: examples,
        "inputs": lambda _, examples: [_of(one, "inputs") for one in examples],
        "outputs": lambda runs, _: [_of(one, "outputs") for one in runs],
        "reference_outputs": lambda _, examples: [_of(one, "outputs") for one in examples],
    },
    ("runs", "examples"),
)
_COMPARISON = _Role(
    "comparison evaluator function",
    {
        "runs": lambda runs, _: runs,
        "example": lambda _, example: example,
        "inputs": lambda _, example: _of(example, "inputs"),
        "outputs": lambda runs, _: [_of(one, "outputs") for one in runs],
        "reference_outputs": lambda _, example: _of(example, "outputs"),
    },
    ("runs", "example"),
)
_TARGET = _Role(
    "target function",
    {
        "inputs": _fresh_inputs,
        "attachments": lambda example: _of(example, "attachments"),
        "metadata": lambda example: _of(example, "metadata"),
    },
    ("inputs",),
    first_counts=True,
)
