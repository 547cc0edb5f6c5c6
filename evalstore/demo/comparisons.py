"""Who has how many more than whom: a small graph of owners, for unit-graph.

Its nodes are the words that the text compares, its edges are "5 more than" and "3 times as many as". Asking for an
owner of whom nothing is said is a KeyError, as with any dictionary.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from evalstore.demo.reading import NUMBER

if TYPE_CHECKING:
    from evalstore.demo.working import Working

__all__ = ["Owners", "read_owners"]

_HAS = r"(?:has|had|owns|scored|caught|picked|collected|is)"
_BESIDE_THE_POINT = (
    (r", (?:\d+ years old|who lives at number \d+),", ""),
    (r" is \d+ and has ", " has "),
    (r" lives at number \d+ and is ", " is "),
    (r"(\w+), who (caught|scored|collected|is) ", r"\1. \1 \2 "),
)
_MORE = re.compile(
    rf"(?P<owner>\w+) {_HAS} (?P<value>{NUMBER}) (?:\w+ )??(?P<how>more|fewer|less|older|taller|lower)(?: \w+)??"
    rf"(?: than (?:the )?(?P<than>\w+))?\b(?! than)"
)
_TIMES = re.compile(
    rf"(?P<owner>(?:second )?\w+) {_HAS} (?P<value>{NUMBER}) times as \w+(?: (?!as\b)\w+)?(?: as (?P<than>\w+))?"
)
_SAYS = re.compile(rf"(?P<owner>\w+) {_HAS} (?P<value>{NUMBER})\b")
_FEWER = {"fewer", "less", "lower"}


@dataclass
class Owners:
    """What is known of each owner: a number, or an edge to another owner."""

    numbers: dict[str, float] = field(default_factory=dict)
    edges: dict[str, tuple[str, float, str]] = field(default_factory=dict)

    def names(self) -> list[str]:
        """All owners of whom something is known."""
        return [*self.numbers, *(name for name in self.edges if name not in self.numbers)]

    def number(self, owner: str, working: Working) -> float:
        """Walk the edges to an owner whose number is known, and calculate on the way back."""
        if owner in self.edges:
            sign, value, than = self.edges[owner]
            return working.step(self.number(than, working), sign, value, why=owner.capitalize())
        return self.numbers[owner]


def read_owners(text: str) -> Owners:
    """Read comparisons from a text in digits and small letters."""
    for pattern, instead in _BESIDE_THE_POINT:
        text = re.sub(pattern, instead, text)
    owners = Owners()
    compared = set()
    for comparison in (_MORE, _TIMES):
        for found in comparison.finditer(text):
            compared.add(found.start("value"))
            sign = "*" if comparison is _TIMES else "-" if found["how"] in _FEWER else "+"
            owners.edges[found["owner"]] = (sign, float(found["value"]), found["than"] or "")
    for found in _SAYS.finditer(text):
        if found.start("value") not in compared and found["owner"] not in owners.edges:
            owners.numbers.setdefault(found["owner"], float(found["value"]))
    first = next(iter(owners.numbers), "")
    for owner, (sign, value, than) in owners.edges.items():
        owners.edges[owner] = (sign, value, than or first)
    return owners
