"""What one leaf of a filter is as an expression over the columns of `sql/listing/`."""

from __future__ import annotations

from operator import eq, ge, gt, le, lt
from typing import TYPE_CHECKING, Any

from evalstore.relations import as_number, call, column, constant, either, is_any, only_where

if TYPE_CHECKING:
    from collections.abc import Callable

    from evalstore.filters import Leaf
    from evalstore.relations import Condition
    from evalstore.result_fields import Field

__all__ = ["json_values", "meets", "score_meets", "value_of"]

_COMPARED: dict[str, Callable[[Condition, Condition], Condition]] = {
    "$eq": eq, "$in": eq, "$lt": lt, "$lte": le, "$gt": gt, "$gte": ge,
}  # fmt: skip
_ISO = "%Y-%m-%dT%H:%M:%S.%fZ"  # as which a part of a time is looked for
_JSON_NUMBERS = ("UBIGINT", "BIGINT", "HUGEINT", "UHUGEINT", "DOUBLE")


def meets(leaf: Leaf) -> Condition:
    """Whether a job meets a leaf that is not about scores. Unknown stands for false."""
    field = leaf.field
    if field.kind == "json":
        return _json_meets(leaf)
    value = value_of(field)
    if field.kind == "texts":
        is_missing = value.isnull() | (call("len", value) == constant(0))
        return _with_missing(leaf, is_missing, is_any(value, lambda one: _compared(leaf, one)))
    return _with_missing(leaf, value.isnull(), _compared(leaf, value))


def score_meets(leaf: Leaf, number: int) -> Condition:
    """Whether one of the scores meets a leaf; `number` is that of its columns least_, greatest_ and values_."""
    least, greatest = column(f"least_{number}"), column(f"greatest_{number}")
    if leaf.operator in ("$eq", "$in"):
        found = either(
            call("list_contains", column(f"values_{number}"), constant(value))
            for value in leaf.values
            if value is not None
        )
    else:
        found = _compared(leaf, greatest if leaf.operator in ("$gt", "$gte") else least)
    return _with_missing(leaf, greatest.isnull(), found)


def value_of(field: Field) -> Condition:
    """The value of a field that is not one of JSON."""
    if field.column == "labels":
        return call("map_extract_value", column("labels"), constant(field.path))
    return column(field.column)


def json_values(field: Field) -> tuple[Condition, Condition, Condition]:
    """What stands at a place of a JSON document, where it is a number, a text, a boolean."""
    place = (column(field.column), constant(field.path))
    kind, text = call("json_type", *place), call("json_extract_string", *place)
    return (
        only_where(kind.isin(*map(constant, _JSON_NUMBERS)), as_number(text)),
        only_where(kind == constant("VARCHAR"), text),
        only_where(kind == constant("BOOLEAN"), text == constant("true")),
    )


def _json_meets(leaf: Leaf) -> Condition:
    """A number is compared with numbers only, a text with texts, true and false with booleans."""
    number, text, boolean = json_values(leaf.field)
    kind = call("json_type", column(leaf.field.column), constant(leaf.field.path))
    is_missing = kind.isnull() | (kind == constant("NULL"))
    found = either(
        _compared_one(leaf, boolean if isinstance(value, bool) else text if isinstance(value, str) else number, value)
        for value in leaf.values
        if value is not None
    )
    return _with_missing(leaf, is_missing, found)


def _with_missing(leaf: Leaf, is_missing: Condition, found: Condition) -> Condition:
    if leaf.operator == "$exists":
        return ~is_missing if leaf.values == (True,) else is_missing
    if None in leaf.values:
        return is_missing | found
    return found


def _compared(leaf: Leaf, given: Condition) -> Condition:
    if leaf.operator == "$exists":
        return constant(value=False)  # not looked at
    return either(_compared_one(leaf, given, value) for value in leaf.values if value is not None)


def _compared_one(leaf: Leaf, given: Condition, value: Any) -> Condition:
    if leaf.operator == "$like":
        text = call("strftime", given, constant(_ISO)) if leaf.field.kind == "time" else given
        return call("contains", call("lower", text), call("lower", constant(value)))
    return _COMPARED[leaf.operator](given, constant(value))
