"""Numbers and sums of the word problems: how they are drawn, shown in a text, and worked out.

Everything is drawn through `random.Random.random`, the only method whose sequence Python promises to keep across
versions: the data file must come out the same for whoever makes it again.
"""

from __future__ import annotations

import ast
import operator
from fractions import Fraction
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from random import Random

__all__ = ["Shown", "draw_numbers", "filled_in", "in_words", "pick", "work_out"]

Thing = TypeVar("Thing")

_SMALL = (  # noqa: SIM905
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
).split()
_TENS = "- - twenty thirty forty fifty sixty seventy eighty ninety".split()  # noqa: SIM905
_OPERATIONS: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Mod: operator.mod,
}


class Shown(int):
    """A whole number that a text can show in digits, in words, as a time of day or as money."""

    def __format__(self, how: str) -> str:
        """Write the number as `{n}`, `{n:word}`, `{n:clock}` (minutes since midnight) or `{n:money}` (cents)."""
        if how == "word":
            return in_words(self)
        if how == "clock":
            return f"{self // 60}:{self % 60:02d}"
        if how == "money":
            return f"${self // 100}.{self % 100:02d}"
        return format(int(self), ",")


def in_words(number: int) -> str:
    """Write a number below a hundred in English words."""
    if number < len(_SMALL):
        return _SMALL[number]
    tens, ones = divmod(number, 10)
    return _TENS[tens] + (f"-{_SMALL[ones]}" if ones else "")


def pick(dice: Random, options: Sequence[Thing]) -> Thing:
    """Take one of the options."""
    return options[int(dice.random() * len(options))]


def draw_numbers(dice: Random, wanted: str) -> dict[str, Shown]:
    """Draw what a template asks for, such as `count=3..9 price=2|5 paid=count*price`, from left to right."""
    numbers: dict[str, Shown] = {}
    for part in wanted.split():
        name, _, how = part.partition("=")
        if ".." in how:
            span, _, step = how.partition(":")
            first, last = span.split("..")
            numbers[name] = Shown(pick(dice, range(int(first), int(last) + 1, int(step or 1))))
        elif "|" in how:
            numbers[name] = Shown(pick(dice, how.split("|")))
        else:
            numbers[name] = Shown(work_out(how, numbers))
    return numbers


def work_out(expression: str, numbers: Mapping[str, int]) -> Fraction:
    """Work out a sum in the names of `numbers`, exactly."""
    return _value(ast.parse(expression, mode="eval").body, numbers)


def _value(node: ast.expr, numbers: Mapping[str, int]) -> Fraction:
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return Fraction(node.value)
    if isinstance(node, ast.Name):
        return Fraction(numbers[node.id])
    if isinstance(node, ast.BinOp):
        return _OPERATIONS[type(node.op)](_value(node.left, numbers), _value(node.right, numbers))
    msg = f"a sum may hold numbers, names and + - * / % only, not {ast.unparse(node)!r}"
    raise ValueError(msg)


def filled_in(expression: str, numbers: Mapping[str, int]) -> str:
    """Write the sum with its numbers in place of their names: `count * price` becomes `3 * 4`."""
    tree = ast.parse(expression, mode="eval")
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            node.id = str(int(numbers[node.id]))
    return ast.unparse(tree)
