"""What one leaf of a filter is as an expression over the columns of `sql/listing/`."""

from __future__ import annotations

from operator import eq, ge, gt, le, lt
from typing import TYPE_CHECKING

from evalstore.filter_values import EXACT
from evalstore.relations import as_number, beyond_double, call, column, constant, either, is_any, only_where

if TYPE_CHECKING:
    from collections.abc import Callable

    from evalstore.filters import Leaf, Value
    from evalstore.relations import Condition
    from evalstore.result_fields import Field

__all__ = ["json_values", "meets", "score_meets", "value_of"]

_COMPARED: dict[str, Callable[[Condition, Condition], Condition]] = {
    "$eq": eq, "$in": eq, "$lt": lt, "$lte": le, "$gt": gt, "$gte": ge,
}  # fmt: skip
_JSON_NUMBERS = ("UBIGINT", "BIGINT", "HUGEINT", "UHUGEINT", "DOUBLE")


def meets(leaf: Leaf) -> Condition:
    """Whether a job meets a leaf that is not about scores. Unknown stands for false."""
    field = leaf.field
    if field.kind == "json":
        return _json_meets(leaf)
    value = value_of(field)
    if field.kind == "texts":
        is_missing = value.isnull() | (call("len", value) == constant(0))
        return _with_missing(leaf, is_missing, lambda given: is_any(value, lambda one: _compared(leaf, one, given)))
    return _with_missing(leaf, value.isnull(), lambda given: _compared(leaf, value, given))


def score_meets(leaf: Leaf, number: int) -> Condition:
    """Whether one of the scores meets a leaf; `number` is that of its columns least_, greatest_ and values_."""
    least, greatest = column(f"least_{number}"), column(f"greatest_{number}")

    def compare(value: Value) -> Condition:
        if leaf.operator in ("$eq", "$in"):
            return call("list_contains", column(f"values_{number}"), constant(value))
        return _compared(leaf, greatest if leaf.operator in ("$gt", "$gte") else least, value)

    return _with_missing(leaf, greatest.isnull(), compare)


def value_of(field: Field) -> Condition:
    """The value of a field that is not one of JSON."""
    if field.column == "labels":
        return call("map_extract_value", column("labels"), constant(field.path))
    return column(field.column)


def json_values(field: Field) -> tuple[Condition, Condition, Condition, Condition]:
    """What stands at a place of a JSON document: the number with what a double leaves of it, the text, the boolean."""
    place = (column(field.column), constant(field.path))
    kind, text = call("json_type", *place), call("json_extract_string", *place)
    number = only_where(kind.isin(*map(constant, _JSON_NUMBERS)), as_number(text))
    return (
        number,
        only_where(call("abs", number) >= constant(float(EXACT)), beyond_double(text)),
        only_where(kind == constant("VARCHAR"), text),
        only_where(kind == constant("BOOLEAN"), text == constant("true")),
    )


def _json_meets(leaf: Leaf) -> Condition:
    """A number is compared with numbers only, a text with texts, true and false with booleans."""
    number, rest, text, boolean = json_values(leaf.field)
    kind = call("json_type", column(leaf.field.column), constant(leaf.field.path))
    is_missing = kind.isnull() | (kind == constant("NULL"))

    def compare(value: Value) -> Condition:
        if isinstance(value, (bool, str)):
            return _compared(leaf, boolean if isinstance(value, bool) else text, value)
        if isinstance(value, (int, float)) and abs(value) >= EXACT:
            return _compared_exactly(leaf, number, rest, value)
        return _compared(leaf, number, value)

    return _with_missing(leaf, is_missing, compare)


def _compared_exactly(leaf: Leaf, number: Condition, rest: Condition, value: float) -> Condition:
    """By the nearest double first, and where that is the same by what it leaves."""
    nearest = float(value)
    left = float(value - int(nearest)) if isinstance(value, int) else 0.0
    same = (number == constant(nearest)) & _COMPARED[leaf.operator](rest, constant(left))
    strictly = {"$lt": lt, "$lte": lt, "$gt": gt, "$gte": gt}.get(leaf.operator)
    return same if strictly is None else same | strictly(number, constant(nearest))


def _with_missing(leaf: Leaf, is_missing: Condition, compare: Callable[[Value], Condition]) -> Condition:
    """Whether one of the values of a leaf is met: null by what is missing, all others by `compare`."""
    if leaf.operator == "$exists":
        return ~is_missing if leaf.values == (True,) else is_missing
    return either(is_missing if value is None else compare(value) for value in leaf.values)


def _compared(leaf: Leaf, given: Condition, value: Value) -> Condition:
    if leaf.operator == "$like":
        return call("contains", _folded(given), _folded(constant(value)))
    return _COMPARED[leaf.operator](given, constant(value))


def _folded(text: Condition) -> Condition:
    """Upper and lower case the same. `lower` alone keeps letters apart that share one upper case, as two sigmas do."""
    return call("lower", call("upper", text))
