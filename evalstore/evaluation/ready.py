"""Ready evaluators, small and exact. Each is a function that makes one.

They look at one field of the outputs and one of the reference: `field` and `reference_field` (the same where only one
is named), a key or a dotted path; without a name, the only field that there is. Where the output or the reference is
not there, they raise, which is stored as an error: nothing that was not looked at is scored False.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any

from evalstore import json_text
from evalstore.errors import UsageError, near
from evalstore.evaluation.evaluators import DynamicRunEvaluator
from evalstore.evaluation.likeness import difference, number_of, parsed_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["contains", "exact_match", "json_equality", "normalised_text", "numeric_tolerance", "regex"]

_SPACE = re.compile(r"\s+")


def normalised_text(text: str) -> str:
    """The text without what seldom matters: NFKC, case folded, no punctuation, single spaces, none at the ends."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    spoken = "".join(" " if unicodedata.category(one).startswith("P") else one for one in folded)
    return _SPACE.sub(" ", spoken).strip()


def exact_match(
    *,
    field: str | None = None,
    reference_field: str | None = None,
    normalise: bool | Callable[[str], str] = False,
    key: str = "exact_match",
) -> DynamicRunEvaluator:
    """Whether the output is the reference: True or False.

    `normalise=True` compares the texts that `normalised_text` makes of both, a function those that it makes. Without,
    a text is never a number, and True is not 1.
    """
    form = normalised_text if normalise is True else normalise or None

    def evaluate(outputs: Any, reference_outputs: Any) -> dict[str, Any]:
        given = _picked(outputs, field, "output")
        wanted = _picked(reference_outputs, reference_field or field, "reference")
        if form is not None:
            return {"score": form(_text(given)) == form(_text(wanted))}
        return {"score": difference(given, wanted) is None}

    return _named(evaluate, key)


def contains(
    texts: str | Iterable[str] | None = None,
    *,
    field: str | None = None,
    reference_field: str | None = None,
    ignore_case: bool = False,
    key: str = "contains",
) -> DynamicRunEvaluator:
    """Whether the output, a text, holds each of some texts: those given, else that or those of the reference."""
    fixed = None if texts is None else _texts(texts)

    def evaluate(outputs: Any, reference_outputs: Any) -> dict[str, Any]:
        wanted = fixed or _texts(_picked(reference_outputs, reference_field or field, "reference"))
        given = _text(_picked(outputs, field, "output"))
        where = given.casefold() if ignore_case else given
        missing = [one for one in wanted if (one.casefold() if ignore_case else one) not in where]
        return {"score": not missing, "comment": "missing: " + ", ".join(map(repr, missing)) if missing else None}

    return _named(evaluate, key)


def regex(
    pattern: str | re.Pattern[str], *, field: str | None = None, full: bool = False, key: str = "regex"
) -> DynamicRunEvaluator:
    """Whether a regular expression is found in the output, a text; with `full`, whether it is all of it.

    Raises: UsageError for a pattern that cannot be read.
    """
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise UsageError(f"{pattern!r} is no regular expression: {error}") from error
    look = compiled.fullmatch if full else compiled.search

    def evaluate(outputs: Any) -> dict[str, Any]:
        return {"score": look(_text(_picked(outputs, field, "output"))) is not None}

    return _named(evaluate, key)


def json_equality(
    *, field: str | None = None, reference_field: str | None = None, key: str = "json_equality"
) -> DynamicRunEvaluator:
    """Whether the output is the same JSON as the reference; the comment says where they first differ.

    Without a field, all of the outputs is compared. A text in a named field is read as JSON; an output that is none is
    False. The order of keys does not matter, that of lists does; 1 and 1.0 are the same, 1 and True and "1" are not.
    """

    def evaluate(outputs: Any, reference_outputs: Any) -> dict[str, Any]:
        given, wanted = outputs, reference_outputs
        if field is not None or reference_field is not None:
            given = _picked(outputs, field, "output")
            wanted = parsed_json(_picked(reference_outputs, reference_field or field, "reference"))
            try:
                given = parsed_json(given)
            except ValueError as error:
                return {"score": False, "comment": f"not JSON: {error}"}
        elif not outputs or not reference_outputs:
            raise UsageError(f"there is no {'reference' if outputs else 'output'} to compare")
        return {"score": (found := difference(given, wanted)) is None, "comment": found}

    return _named(evaluate, key)


def numeric_tolerance(
    *,
    absolute: float = 0.0,
    relative: float = 0.0,
    field: str | None = None,
    reference_field: str | None = None,
    key: str = "numeric_tolerance",
) -> DynamicRunEvaluator:
    """Whether the output is a number within `absolute`, or within `relative` times the reference, of the reference.

    Exact in the numbers as they are written: 1.1 is within 0.1 of 1. Texts are read as numbers; an output that is none
    is False.

    Raises: UsageError for a tolerance that is negative or not finite.
    """
    tolerances = [number_of(one) for one in (absolute, relative)]
    if any(isinstance(one, float) or one < 0 for one in tolerances):
        raise UsageError(f"a tolerance is a number from 0 up, not {absolute!r} or {relative!r}")

    def evaluate(outputs: Any, reference_outputs: Any) -> dict[str, Any]:
        wanted = number_of(_picked(reference_outputs, reference_field or field, "reference"))
        output = _picked(outputs, field, "output")
        try:
            given = number_of(output)
        except ValueError as error:
            return {"score": False, "comment": str(error)}
        if isinstance(given, float) or isinstance(wanted, float):  # NaN is near nothing, an infinity near itself
            return {"score": given == wanted}
        off = abs(given - wanted)
        return {"score": off <= max(tolerances[0], tolerances[1] * abs(wanted)), "comment": f"off by {float(off):g}"}

    return _named(evaluate, key)


def _named(function: Callable[..., Any], key: str) -> DynamicRunEvaluator:
    function.__name__ = function.__qualname__ = key
    return DynamicRunEvaluator(function)


def _picked(document: Any, field: str | None, what: str) -> Any:
    """The value of a field. Raises: UsageError where there is none, or None."""
    document = document if isinstance(document, dict) else {}
    if field is None:
        if len(document) > 1:
            raise UsageError(f"name the field of the {what} to look at: field=...; {near('', map(str, document))}")
        value = next(iter(document.values()), None)
    elif field in document:
        value = document[field]
    else:
        value = document
        for part in field.split("."):
            value = value.get(part) if isinstance(value, dict) else None
    if value is None:
        known = "" if field is None else f" {field!r}; {near(field, map(str, document))}"
        raise UsageError(f"there is no {what}{known}")
    return value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json_text.canonical(value)


def _texts(value: str | Iterable[str] | Mapping[str, Any]) -> list[str]:
    given = [value] if isinstance(value, str) or not isinstance(value, (list, tuple, set)) else list(value)
    if not given:
        raise UsageError("contains: there is no text to look for")
    return [_text(one) for one in given]
