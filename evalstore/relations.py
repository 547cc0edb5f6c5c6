"""Questions that are put together at run time, out of expressions and not of text: the other half of DuckDB's door.

A value in an expression is a constant and a column one that the SQL file has named, so nothing of a user becomes SQL.
"""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Any, TypeAlias

import duckdb
from duckdb import (
    CaseExpression,
    CoalesceOperator,
    ColumnExpression,
    ConstantExpression,
    Expression,
    FunctionExpression,
    LambdaExpression,
)

from evalstore.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import pyarrow as pa

__all__ = [
    "Condition",
    "Relation",
    "as_number",
    "beyond_double",
    "call",
    "column",
    "constant",
    "either",
    "every",
    "is_any",
    "only_where",
    "surely",
]

Condition: TypeAlias = Expression
_LARGEST = 1e38  # below it a HUGEINT holds every integer


def column(name: str) -> Expression:
    """A column of a relation."""
    return ColumnExpression(name)


def constant(value: Any) -> Expression:
    """A value."""
    return ConstantExpression(value)


def call(function: str, *arguments: Expression) -> Expression:
    """A function of DuckDB, applied."""
    return FunctionExpression(function, *arguments)


def every(conditions: Iterable[Expression]) -> Expression:
    """True where all conditions are."""
    return reduce(lambda left, right: left & right, conditions)


def either(conditions: Iterable[Expression]) -> Expression:
    """True where one of the conditions is; of none, false."""
    conditions = list(conditions)
    return reduce(lambda left, right: left | right, conditions) if conditions else constant(value=False)


def surely(condition: Expression) -> Expression:
    """A condition that is false where it was unknown."""
    return CoalesceOperator(condition, constant(value=False))


def only_where(condition: Expression, value: Expression) -> Expression:
    """A value where a condition holds, and null elsewhere."""
    return CaseExpression(condition, value)


def as_number(value: Expression) -> Expression:
    """A text as the number that it writes."""
    return value.cast(duckdb.type("DOUBLE"))


def beyond_double(text: Expression) -> Expression:
    """What an integer, written as a text, is more than the nearest double; 0 where it has no more digits than that."""
    whole, nearest = duckdb.type("HUGEINT"), as_number(text)
    fits = call("abs", nearest) < constant(_LARGEST)
    return CoalesceOperator(
        only_where(fits, (text.cast(whole) - nearest.cast(whole)).cast(duckdb.type("DOUBLE"))), constant(0.0)
    )


def is_any(values: Expression, holds: Callable[[Expression], Expression]) -> Expression:
    """Whether a condition holds for one of the values of a list."""
    found = call("list_filter", values, LambdaExpression("one", holds(column("one"))))
    return call("len", found) > constant(0)


class Relation:
    """The lines of a SQL file, narrowed, joined, ordered and cut. Computed when its table is asked for."""

    def __init__(self, relation: duckdb.DuckDBPyRelation, file: str) -> None:
        self._relation, self._file = relation, file

    def where(self, condition: Expression) -> Relation:
        """The lines for which a condition is true."""
        return self._changed(lambda relation: relation.filter(condition))

    def columns(self, **columns: Expression) -> Relation:
        """These columns only."""
        named = [expression.alias(name) for name, expression in columns.items()]
        return self._changed(lambda relation: relation.select(*named))

    def by(self, key: str, **columns: Expression) -> Relation:
        """One line per value of a key, with columns of aggregates."""
        named = [column(key), *(expression.alias(name) for name, expression in columns.items())]
        return self._changed(lambda relation: relation.aggregate(named, key))

    def beside(self, other: Relation, key: str) -> Relation:
        """With the columns of another relation, which are null where it has no line of this key."""
        return self._changed(lambda relation: relation.join(other._relation, key, how="left"))

    def first(self, count: int, *order: Expression, skip: int = 0) -> Relation:
        """The first lines, in an order where one is given."""
        return self._changed(lambda relation: (relation.sort(*order) if order else relation).limit(count, skip))

    def count(self) -> int:
        """How many lines there are."""
        counted = self._changed(lambda relation: relation.aggregate([FunctionExpression("count_star")]))
        return int(counted.table().column(0)[0].as_py())

    def table(self) -> pa.Table:
        """The lines. Raises: QueryError."""
        return self._guarded(self._relation.to_arrow_table)

    def _changed(self, change: Callable[[duckdb.DuckDBPyRelation], duckdb.DuckDBPyRelation]) -> Relation:
        return Relation(self._guarded(lambda: change(self._relation)), self._file)

    def _guarded(self, ask: Callable[[], Any]) -> Any:
        try:
            return ask()
        except duckdb.Error as error:
            raise QueryError(str(error).strip(), sql="", file=self._file) from error
