"""The grammar of filters: from what a user writes to a checked tree, whose every leaf compares one field.

A leaf is true or false, never unknown. What a result does not have (no model, no such label, no such score) equals
null, and is neither equal to, less than, greater than nor like anything else; `$ne`, `$nin` and `$not` are the plain
opposites. A field that holds several values (tags, the scores of one name in several suites) meets a comparison when
one of them does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from evalstore import filter_values, result_fields
from evalstore.conditions import FORM
from evalstore.errors import InvalidCondition
from evalstore.filter_values import Value, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["OPERATORS", "All", "Either", "Filter", "Leaf", "Not", "Value", "leaves", "parse", "parse_where"]

Operator = Literal["$eq", "$like", "$lt", "$lte", "$gt", "$gte", "$in", "$exists"]
_RANGES = ("$lt", "$lte", "$gt", "$gte")
_LOGICAL = ("$and", "$or", "$not")
OPERATORS = ("$eq", "$ne", "$like", *_RANGES, "$in", "$nin", "$exists", *_LOGICAL)
_OPPOSITES: dict[str, Operator] = {"$ne": "$eq", "$nin": "$in"}
_DEEPEST = 32  # levels of a filter: more than anybody writes, less than anything below stumbles over
_WORDS = {"=": "$eq", "!=": "$ne", "<": "$lt", "<=": "$lte", ">": "$gt", ">=": "$gte", "~": "$like"}


@dataclass(frozen=True, slots=True)
class Leaf:
    """One comparison. The values of `$in` are several, those of all other operators one."""

    field: result_fields.Field
    operator: Operator
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """True where the part is false."""

    part: Filter


@dataclass(frozen=True, slots=True)
class All:
    """True where all parts are."""

    parts: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """True where at least one part is."""

    parts: tuple[Filter, ...]


Filter = Leaf | Not | All | Either


def parse(given: Mapping[str, Any], *, bare: Literal["$eq", "$like"] = "$eq") -> Filter:
    """Reads `{"model": "openai/175b", "scores.accuracy.mean": {"$gte": 0.8}}`: all of it must hold.

    `bare` is what a text without an operator means: equal in a `filter`, a substring in a `search`.

    Raises: UnknownField, InvalidCondition.
    """
    return _Grammar(bare).whole(given, 0)


def parse_where(text: str) -> Filter:
    """Reads `FIELD OP VALUE`, with OP one of = != < <= > >= and ~.

    VALUE is a number, true, false, null or text, with or without quotes.

    Raises: UnknownField, InvalidCondition.
    """
    match = FORM.fullmatch(text) if isinstance(text, str) else None
    if match is None or match["value"] == "":
        raise InvalidCondition(
            f"{text!r} is no condition: write FIELD OP VALUE, such as 'model = openai/175b' or "
            "'scores.accuracy.mean >= 0.8'"
        )
    field = result_fields.field(match["field"])
    operator = _WORDS[{"==": "=", "<>": "!="}.get(match["op"], match["op"])]
    return _comparison(field, operator, filter_values.written(match["value"], field))


def leaves(tree: Filter | None) -> Iterator[Leaf]:
    """The comparisons that a filter is made of."""
    if isinstance(tree, Leaf):
        yield tree
    elif isinstance(tree, Not):
        yield from leaves(tree.part)
    elif tree is not None:
        for part in tree.parts:
            yield from leaves(part)


class _Grammar:
    """Reads nested dicts; `bare` is what a text without an operator means."""

    def __init__(self, bare: Literal["$eq", "$like"]) -> None:
        self._bare = bare

    def whole(self, given: Any, level: int) -> Filter:
        """Of `{field: ..., field: ...}`, or `{logical: ...}`."""
        if not isinstance(given, Mapping):
            raise InvalidCondition(f"a filter is a dict such as {{'model': 'openai/175b'}}, not {shown(given)}")
        parts = [
            self._logical(key, value, None, level) if key in _LOGICAL else self._field(key, value, level)
            for key, value in self._members(given, level)
        ]
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _members(self, given: Mapping[Any, Any], level: int) -> list[tuple[Any, Any]]:
        if not given:
            raise InvalidCondition("an empty dict says nothing: leave the filter out to find everything")
        if level > _DEEPEST:
            raise InvalidCondition(f"a filter is nested {_DEEPEST} levels deep at most")
        if len(given) > 1 and (logical := [key for key in given if key in _LOGICAL]):
            raise InvalidCondition(
                f"{logical[0]} stands beside {', '.join(repr(key) for key in given if key != logical[0])}: a logical "
                "operator stands alone in its dict; write {'$and': [{...}, {...}]}"
            )
        return list(given.items())

    def _field(self, key: Any, value: Any, level: int) -> Filter:
        if isinstance(key, str) and key.startswith("$"):
            if key in OPERATORS:
                raise InvalidCondition(f"{key} stands under a field: write {{FIELD: {{{key!r}: {shown(value)}}}}}")
            raise _unknown_operator(key)
        return self._of_field(result_fields.field(key), value, level + 1)

    def _of_field(self, field: result_fields.Field, value: Any, level: int) -> Filter:
        """Of what stands under a field: a bare value, or `{operator: ..., operator: ...}`."""
        if not isinstance(value, Mapping):
            return _comparison(field, self._bare if isinstance(value, str) else "$eq", value)
        parts = [
            self._logical(operator, operand, field, level)
            if operator in _LOGICAL
            else _comparison(field, operator, operand)
            for operator, operand in self._members(value, level)
        ]
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _logical(self, operator: str, value: Any, field: result_fields.Field | None, level: int) -> Filter:
        def part(given: Any) -> Filter:
            return self.whole(given, level + 1) if field is None else self._of_field(field, given, level + 1)

        if operator == "$not":
            return Not(part(value))
        if not isinstance(value, (list, tuple)) or not value:
            raise InvalidCondition(f"{operator} takes a list of at least one filter, not {shown(value)}")
        return (All if operator == "$and" else Either)(tuple(part(one) for one in value))


def _comparison(field: result_fields.Field, operator: Any, operand: Any) -> Filter:
    if operator not in OPERATORS:
        raise _unknown_operator(operator)
    if operator in _OPPOSITES:
        return Not(_leaf(field, _OPPOSITES[operator], operand))
    return _leaf(field, operator, operand)


def _leaf(field: result_fields.Field, operator: Operator, operand: Any) -> Filter:
    place = f"{field.text} {operator}"
    if operator == "$exists":
        exists = filter_values.plain(operand)
        if not isinstance(exists, bool):
            raise InvalidCondition(f"{place}: takes true or false, not {shown(operand)}")
        return Leaf(field, operator, (exists,))
    if operator == "$in":
        if not isinstance(operand, (list, tuple, set, frozenset)):
            raise InvalidCondition(f"{place}: takes a list of values, not {shown(operand)}")
        return Leaf(field, operator, tuple(filter_values.value(field, place, one) for one in operand))
    if operand is None and operator != "$eq":
        raise InvalidCondition(f"{place}: null is compared with $eq, $ne, $in and $nin only")
    if operator == "$like":
        return _like(field, place, operand)
    if field.kind == "reference" and operator != "$eq":  # compared as a text: `a/` is less than `a/b`
        return Leaf(field, operator, (filter_values.text(place, operand),))
    value = filter_values.value(field, place, operand)
    if isinstance(value, bool) and operator != "$eq":
        raise InvalidCondition(f"{place}: true and false are compared with $eq, $ne, $in and $nin only")
    return Leaf(field, operator, (value,))


def _like(field: result_fields.Field, place: str, operand: Any) -> Filter:
    """A part of a text; of a time, that it lies within what is written: a year, a month, ..., a second."""
    if field.kind in ("number", "numbers") or not isinstance(operand, str):
        raise InvalidCondition(f"{place}: looks for a text in a text, not for {shown(operand)} in a {field.kind}")
    if field.kind != "time":
        return Leaf(field, "$like", (filter_values.text(place, operand),))
    first, end = filter_values.period(place, operand)
    begun = Leaf(field, "$gte", (first,))
    return begun if end is None else All((begun, Leaf(field, "$lt", (end,))))


def _unknown_operator(operator: Any) -> InvalidCondition:
    return InvalidCondition(f"{operator!r} is no operator; the operators are {', '.join(OPERATORS)}")
