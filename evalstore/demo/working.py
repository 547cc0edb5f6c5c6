"""What a solver hands back: a number and the way it got there, written down step by step while it calculates."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["Solution", "Working", "plain"]

_SIGNS: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": operator.mod,
}


@dataclass(frozen=True)
class Solution:
    """An answer and the text that a reader could check it by."""

    answer: float
    text: str


class Working:
    """A sheet of paper: every step is calculated and written in one go, so the text cannot differ from the number."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def note(self, line: str) -> None:
        """Write a line without a calculation."""
        self._lines.append(line)

    def step(self, left: float, sign: str, right: float, *, why: str = "") -> float:
        """Calculate one step and write it down."""
        result = _SIGNS[sign](left, right)
        self.note(f"{why + ': ' if why else ''}{plain(left)} {sign} {plain(right)} = {plain(result)}.")
        return result

    def chain(self, sign: str, numbers: Iterable[float], *, why: str = "") -> float:
        """Calculate with one sign along a line of numbers, such as a sum."""
        first, *others = numbers
        for number in others:
            first = self.step(first, sign, number, why=why)
        return first

    def solution(self, answer: float) -> Solution:
        """Close the sheet with this answer."""
        return Solution(plain(answer), " ".join([*self._lines, f"The answer is {plain(answer)}."]))


def plain(number: float) -> float:
    """Round away binary noise and write whole numbers without a point."""
    number = round(number, 4)
    return int(number) if number == int(number) else number
