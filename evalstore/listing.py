"""Which results a filter finds, in which order: from the checked tree to expressions over `sql/listing/`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from evalstore import matching
from evalstore.arrow_lines import as_dicts
from evalstore.errors import InvalidCondition, UnknownField, near
from evalstore.filters import All, Either, Not, leaves
from evalstore.relations import call, column, constant, either, every, surely
from evalstore.result_fields import Field, field

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evalstore.filters import Filter
    from evalstore.relations import Condition, Relation
    from evalstore.session import Session

__all__ = ["Cursor", "Listing", "SortKey", "sort_keys"]

Cursor = tuple[Any, ...]
"""The sort keys of a result, its number last: where a walk goes on behind it."""


@dataclass(frozen=True, slots=True)
class SortKey:
    """A field to sort by. Results that lack it come last either way."""

    field: Field
    descending: bool


def sort_keys(sort: str | Sequence[str]) -> tuple[SortKey, ...]:
    """Reads "-created_at", "model,-scores.accuracy.mean", or a list of such fields.

    Raises: UnknownField, InvalidCondition.
    """
    given = sort.split(",") if isinstance(sort, str) else sort
    if not isinstance(given, (list, tuple)) or not given:
        raise InvalidCondition(f"sort is a field or a list of fields such as '-created_at', not {sort!r}")
    keys = []
    for one in given:
        text = one.strip() if isinstance(one, str) else one
        found = field(text.removeprefix("-") if isinstance(text, str) else text)
        if found.kind == "texts":
            raise InvalidCondition(f"results cannot be sorted by {found.text}: one result has several")
        keys.append(SortKey(found, text.startswith("-")))
    return tuple(keys)


class Listing:
    """The results that a filter finds in one workspace (or in all, for None), in one order. For one snapshot."""

    def __init__(
        self,
        session: Session,
        tree: Filter | None,
        sort: tuple[SortKey, ...],
        *,
        workspace: str | None,
        status: str | None,
        source: str = "results",
    ) -> None:
        self._session, self._tree, self._sort, self._source = session, tree, sort, source
        self._wanted = {"workspace": workspace, "status": status}

    def check(self) -> None:
        """Whether filter and order name scores that there are. A walk goes on where they are there no more.

        Raises: UnknownField.
        """
        for wanted in self._scores():
            if not self._named(wanted).first(1).table().num_rows:
                raise self._unknown_score(wanted)

    def count(self) -> int:
        """How many there are."""
        return self._found.count()

    def places(self, count: int, *, skip: int = 0, after: Cursor | None = None) -> list[tuple[int, Cursor]]:
        """Some of the results, in order: their places in the table `job`, and the cursor of each."""
        keys, order = self._order()
        shown = self._found.columns(place=column("place"), **{f"key_{n}": key for n, key in enumerate(keys)})
        if after is not None:
            shown = shown.where(_behind(after, order))
        sorted_by = [
            (column(f"key_{n}").desc() if descending else column(f"key_{n}").asc()).nulls_last()
            for n, descending in enumerate(order)
        ]
        lines = as_dicts(shown.first(count, *sorted_by, skip=skip).table())
        return [(line["place"], tuple(line[f"key_{n}"] for n in range(len(keys)))) for line in lines]

    @cached_property
    def _found(self) -> Relation:
        found = self._session.relation(self._source)
        for number, one in enumerate(self._scores()):
            found = found.beside(self._values(one, number), "job_number")
        conditions = [column(name) == constant(value) for name, value in self._wanted.items() if value is not None]
        if self._tree is not None:
            conditions.append(self._condition(self._tree))
        return found.where(every(conditions)) if conditions else found

    def _scores(self) -> list[Field]:
        """The statistics that filter and order ask for, each once."""
        fields = [*(leaf.field for leaf in leaves(self._tree)), *(key.field for key in self._sort)]
        return list({one: None for one in fields if one.kind == "numbers"})

    def _values(self, wanted: Field, number: int) -> Relation:
        """Per job the values of one statistic, least and greatest; all of them where something must equal one."""
        value = column(wanted.column)
        extremes = {f"least_{number}": call("min", value), f"greatest_{number}": call("max", value)}
        if any(leaf.operator in ("$eq", "$in") for leaf in leaves(self._tree) if leaf.field == wanted):
            extremes[f"values_{number}"] = call("list", value)
        return self._named(wanted).by("job_number", **extremes)

    def _named(self, wanted: Field) -> Relation:
        """The scores of the name of a field."""
        scores = self._session.relation("suite_scores" if wanted.column == "score" else "scores")
        parts = ["name" if wanted.suite is None else "metric", *(["full_name"] if ":" in str(wanted.score) else [])]
        is_named = either(column(part) == constant(wanted.score) for part in parts)
        return scores.where(is_named if wanted.suite is None else is_named & _of_suite(wanted))

    def _unknown_score(self, wanted: Field) -> UnknownField:
        scores = self._session.relation("scores")
        if wanted.suite is None:
            return UnknownField(
                f"{wanted.text}: no job has a score {wanted.score!r}; {_near(str(wanted.score), scores, 'name')}"
            )
        of_suite = scores.where(_of_suite(wanted))
        if not of_suite.first(1).table().num_rows:
            return UnknownField(
                f"{wanted.text}: no job has a suite {wanted.suite!r}; {_near(wanted.suite, scores, 'suite')}"
            )
        return UnknownField(
            f"{wanted.text}: no job has a metric {wanted.score!r} in a suite {wanted.suite!r}; "
            f"{_near(str(wanted.score), of_suite, 'metric')}"
        )

    def _order(self) -> tuple[list[Condition], list[bool]]:
        """The expressions to order by and whether each descends; the number of the job makes the order total."""
        keys, order = [], []
        for key in self._sort:
            for expression in self._sorted_by(key):
                keys.append(expression)
                order.append(key.descending)
        return [*keys, column("job_number")], [*order, self._sort[0].descending]

    def _sorted_by(self, key: SortKey) -> list[Condition]:
        if key.field.kind == "numbers":
            number = self._scores().index(key.field)
            return [column(f"{'greatest' if key.descending else 'least'}_{number}")]
        if key.field.kind == "json":
            return list(matching.json_values(key.field))
        return [matching.value_of(key.field)]

    def _condition(self, tree: Filter) -> Condition:
        if isinstance(tree, All):
            return every(map(self._condition, tree.parts))
        if isinstance(tree, Either):
            return either(map(self._condition, tree.parts))
        if isinstance(tree, Not):
            return ~surely(self._condition(tree.part))
        if tree.field.kind == "numbers":
            return matching.score_meets(tree, self._scores().index(tree.field))
        return matching.meets(tree)


def _of_suite(wanted: Field) -> Condition:
    return column("suite") == constant(wanted.suite)


def _near(name: str, scores: Relation, part: str) -> str:
    return near(name, scores.by(part).table().column(part).to_pylist(), most=10)


def _behind(after: Cursor, order: list[bool]) -> Condition:
    """What comes after a cursor: the first key that differs is behind; what lacks a key is behind what has it."""
    cases = []
    for n, (value, descending) in enumerate(zip(after, order, strict=True)):
        same = [_equals(column(f"key_{m}"), after[m]) for m in range(n)]
        if value is not None:
            key = column(f"key_{n}")
            further = (key < constant(value)) if descending else (key > constant(value))
            cases.append(every([*same, further | key.isnull()]))
    return either(cases)


def _equals(key: Condition, value: Any) -> Condition:
    return key.isnull() if value is None else key == constant(value)
