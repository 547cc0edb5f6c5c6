r"""Dotted paths into a record: `6b.solution`, `a.b[0].c`, `messages[-1].content`, `a."b.c"`.

A path is keys with dots between them; `[N]` picks from a list, counted from 0, or from the end when N is negative.
A key that holds a dot, a bracket or a quote is written in double quotes, with `\"` and `\\` inside.
A key of the record that is literally the whole path wins, so that a flat column `a.b` needs no quotes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from evalstore.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["FieldPath", "MissingFieldError", "parse_mapping", "parse_path", "without"]

_KEYS_SHOWN = 20
_GONE = object()
_KEY = re.compile(r'"((?:[^"\\]|\\["\\])+)"|([^."\[\]]+)')
_INDEX = re.compile(r"\[(-?[0-9]{1,9})\]")
_NAME = re.compile(r'((?:[^"=]|"(?:[^"\\]|\\.)*")*)=(.*)', re.DOTALL)


class MissingFieldError(KeyError):
    """The record has no such field; the text names the fields that there are."""

    def __str__(self) -> str:
        """Give the sentence as it is: a plain KeyError puts it in quotes."""
        return str(self.args[0])


@dataclass(frozen=True, slots=True)
class FieldPath:
    """A parsed path: the text as it was written, and its steps (a key is a str, a place in a list an int)."""

    text: str
    steps: tuple[str | int, ...]

    @property
    def name(self) -> str:
        """The last key, under which a field is kept that was given no name."""
        return next(step for step in reversed(self.steps) if isinstance(step, str))

    def steps_in(self, record: Mapping[str, Any]) -> tuple[str | int, ...]:
        """The steps that apply to this record: one, where it has a key that is literally the whole path."""
        return (self.text,) if self.text in record else self.steps

    def get(self, record: Mapping[str, Any]) -> Any:
        """The value at the path; a present null is None.

        Raises:
            MissingFieldError: the path leads nowhere in this record.
        """
        if self.text in record:
            return record[self.text]
        value: Any = record
        for number, step in enumerate(self.steps):
            found = _child(value, step)
            if found is _GONE:
                raise MissingFieldError(self._missing(value, number))
            value = found
        return value

    def _missing(self, value: Any, number: int) -> str:
        """Say what is there instead of step `number`, which `value` does not have."""
        here = "this record" if number == 0 else repr(_join(self.steps[:number]))
        if isinstance(value, dict):
            return f"no such field; {here} has: {_listed(value)}"
        if isinstance(value, list):
            return f"no such field; {here} is a list of {len(value)}: its items are [0], [1], ..."
        kind = "null" if value is None else type(value).__name__
        return f"no such field; {here} is {kind} and has no fields"


def parse_path(text: str) -> FieldPath:
    """Read a path.

    Raises:
        UsageError: the text is not a path; the message shows where it stops being one.
    """
    steps: list[str | int] = []
    at = 0
    while at < len(text) or not steps:
        index = _INDEX.match(text, at) if steps else None
        if index is not None:
            steps.append(int(index[1]))
            at = index.end()
            continue
        if steps:
            at += 1 if text[at] == "." else len(text) + 1
        key = _KEY.match(text, at)
        if key is None:
            raise UsageError(
                f'{text!r} is no path: put dots between keys, as in a.b[0].c, quotes around odd ones: a."b.c"'
            )
        steps.append(key[2] if key[1] is None else re.sub(r"\\(.)", r"\1", key[1]))
        at = key.end()
    return FieldPath(text, tuple(steps))


def parse_mapping(text: str) -> tuple[str, FieldPath]:
    """Read `NAME=PATH`; of a bare `PATH` the name is its last key. Spaces around name and path do not count.

    Raises:
        UsageError: the name is empty, or the path is not one.
    """
    named = _NAME.fullmatch(text)
    path = parse_path((text if named is None else named[2]).strip())
    name = path.name if named is None else named[1].strip()
    if not name:
        raise UsageError(f"{text!r} gives no name: write NAME=PATH, as in answer={path.text}")
    return name, path


def without(record: dict[str, Any], paths: Iterable[FieldPath]) -> dict[str, Any]:
    """A copy of the record that lacks what the paths lead to, and whatever holds nothing else; the record is kept."""
    left = _without(record, [path.steps_in(record) for path in paths])
    return left if isinstance(left, dict) else {}


def _child(value: Any, step: str | int) -> Any:
    if isinstance(step, str):
        return value.get(step, _GONE) if isinstance(value, dict) else _GONE
    return value[step] if isinstance(value, list) and -len(value) <= step < len(value) else _GONE


def _without(value: Any, paths: list[tuple[str | int, ...]]) -> Any:
    if () in paths:
        return _GONE
    children: dict[str | int, list[tuple[str | int, ...]]] = {}
    for step, *rest in paths:
        # From the end of a list is the same place as from its start.
        place = step + len(value) if isinstance(step, int) and step < 0 and isinstance(value, list) else step
        children.setdefault(place, []).append(tuple(rest))
    if isinstance(value, dict):
        kept = {key: _without(child, children[key]) if key in children else child for key, child in value.items()}
        return {key: child for key, child in kept.items() if child is not _GONE} or (_GONE if value else value)
    if isinstance(value, list):
        items = [_without(child, children[at]) if at in children else child for at, child in enumerate(value)]
        return [child for child in items if child is not _GONE] or (_GONE if value else value)
    return value


def _join(steps: tuple[str | int, ...]) -> str:
    """Steps as one would write them, for a message."""
    text = ""
    for step in steps:
        dot = "." if text else ""
        text += f"[{step}]" if isinstance(step, int) else dot + (step if _KEY.fullmatch(step) else f'"{step}"')
    return text


def _listed(value: Mapping[str, Any]) -> str:
    shown = ", ".join(str(key)[:60] for key in list(value)[:_KEYS_SHOWN]) or "nothing"
    return shown + (f", ... ({len(value)} in all)" if len(value) > _KEYS_SHOWN else "")
