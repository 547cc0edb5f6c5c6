"""What a text says, as unit-graph sees it: quantities with a unit, and rates that lead from one unit to another."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from evalstore.demo.reading import NUMBER, in_digits, singular

__all__ = ["MINUTES", "Quantity", "Rate", "Scene", "read"]

MINUTES = {"week": 10080, "day": 1440, "hour": 60, "minute": 1}
MONEY = {"coin", "dollar"}
PERSONS = {"child", "guide", "pupil", "teacher", "inhabitant", "visitor"}

_NO_UNIT = "of|more|fewer|less|times|than|after|now|before|and|at|on|away|to|from|are|percent|in|for|by|each|apiece|fit"
_UNIT = rf"(?:more |new |fresh |quiz )?(?P<unit>(?!(?:{_NO_UNIT})\b)[a-z]+)"
_VALUE = rf"\$?(?P<value>{NUMBER})"
_COUNTED = re.compile(rf"{_VALUE}(?: {_UNIT})?")
_PERIOD = r"(?P<per>minute|hour|day|week)"
_ONE_HAS = r"(?:costs|is sold for|gets|is given|holds)"
_RATES = tuple(
    re.compile(pattern)
    for pattern in (
        rf"{_VALUE} (?:{_UNIT} )?(?:each|apiece)\b(?! (?:day|week))",
        rf"{_VALUE} {_UNIT} (?:per|an?|every|each|in an) {_PERIOD}\b",
        rf"(?:each|every) {_PERIOD}\b[^.?]*?{_VALUE} {_UNIT}?",
        rf"{_VALUE} {_UNIT} (?:in|with|to|into) (?:each|every)(?: of)?(?: \d+)? (?P<per>[a-z]+)",
        rf"(?P<per>[a-z]+), each for {_VALUE} {_UNIT}",
        rf"\b(?:one|an?|every|each) (?P<per>[a-z]+) [a-z ]*?{_ONE_HAS} {_VALUE}(?: {_UNIT})?",
        rf"{_VALUE} {_UNIT} fit into one (?P<per>[a-z]+)",
        rf"(?P<per>bags) of {_VALUE}",
        rf"{_VALUE} {_UNIT} in (?P<times>\d+) {_PERIOD}s",
        rf"\bin (?P<times>\d+) {_PERIOD}s [a-z ]+?{_VALUE} {_UNIT}",
        rf"takes [a-z]+ (?P<times>\d+) {_PERIOD}s to [a-z]+ {_VALUE} {_UNIT}",
    )
)
_CLAUSES = re.compile(r"[.?] |, (?!each for)| (?:and|but|that|who) ")
_LOSES = re.compile(
    r"\b(?:gives|gave|took|takes out|away|get off|spends?|buys?|costs?|lost|loses|uses|lamp|watched|has been|has run|"
    r"sold|borrow(?:ed)?|leak|crack|rents|less|keeps|damaged|hat)\b"
)
_GAINS = re.compile(r"\b(?:sold for|and gets|pays with|note|hands over)\b")
_STARTS = re.compile(r"\b(?:stands?|ha[sd]|are \d+|there (?:are|were)|starts with)\b")
_WANTED = (
    re.compile(r", in ([a-z]+)\?"),
    re.compile(r"how many (?:more |fewer |correct )?([a-z]+)"),
    re.compile(r"what is \S+ of \S+ ([a-z]+)"),
)


@dataclass(frozen=True)
class Quantity:
    """A number of something; `sign` is -1 where it goes away, `start` is true where it was there from the beginning."""

    value: float
    unit: str
    sign: int = 1
    start: bool = False


@dataclass(frozen=True)
class Rate(Quantity):
    """So much of a unit for each of another: an edge of the graph."""

    per: str = ""


@dataclass(frozen=True)
class Scene:
    """Everything that a text says, and what it asks for."""

    text: str
    asked: str
    wanted: str
    quantities: list[Quantity] = field(default_factory=list)
    rates: list[Rate] = field(default_factory=list)

    def of(self, unit: str) -> list[Quantity]:
        """The quantities of a unit."""
        return [quantity for quantity in self.quantities if self.counts_as(quantity.unit, unit)]

    @staticmethod
    def counts_as(unit: str, wanted: str) -> bool:
        """Whether one unit is as good as another: pupils and teachers are people."""
        return unit == wanted or (wanted == "person" and unit in PERSONS)


def read(question: str) -> Scene:
    """Read a question: its last sentence asks, the sentences before it tell."""
    text = in_digits(re.sub(r"(\d+:\d\d)", r"\1 oclock", question)).lower()
    asked = text[max(text.rfind(stop) for stop in (". ", ", how", "pace, ")) + 1 :].strip()
    wanted = next((found[-1] for pattern in _WANTED if (found := pattern.findall(asked))), "coins")
    scene = Scene(text, asked, singular(wanted))
    unit = ""
    for clause in _CLAUSES.split(text):
        for fact in _facts(clause, unit):
            if isinstance(fact, Rate):
                scene.rates.append(fact)
            else:
                scene.quantities.append(fact)
            unit = fact.per if isinstance(fact, Rate) and fact.unit in MONEY else fact.unit
    return scene


def _facts(clause: str, unit: str) -> list[Quantity]:
    """The facts of one clause in their order. A number without a unit counts what was counted last."""
    sign = -1 if _LOSES.search(clause) and not _GAINS.search(clause) else 1
    start = bool(_STARTS.search(clause))
    found: dict[int, re.Match[str]] = {}
    periods: set[int] = set()
    for pattern in (*_RATES, _COUNTED):
        for match in pattern.finditer(clause):
            found.setdefault(match.start("value"), match)
            if match is found[match.start("value")] and "times" in pattern.groupindex:
                periods.add(match.start("times"))
    facts: list[Quantity] = []
    for position in sorted(found.keys() - periods):
        match = found[position]
        named = match.groupdict()
        unit = _unit(match, clause, unit)
        value = float(named["value"]) / float(named.get("times") or 1)
        if match.re is _COUNTED:
            facts.append(Quantity(value, unit, sign, start))
        else:
            per = named.get("per") or _priced(clause[: match.start()]) or (facts[-1].unit if facts else "")
            facts.append(Rate(value, unit, sign, start, singular(per)))
    return facts


def _unit(found: re.Match[str], clause: str, before: str) -> str:
    if "$" in found[0]:
        return "dollar"
    if re.match("%| percent", clause[found.end("value") :]):
        return "percent"
    return singular(found.groupdict().get("unit") or before)


def _priced(text: str) -> str:
    """What a price is for: the thing counted before it, else the first word of `Beads cost 8 coins apiece`."""
    counted = re.findall(rf"{NUMBER} ([a-z]+)", text)
    first = re.match(r"(?:all )?([a-z]+s)\b", text.strip())
    return str(counted[-1]) if counted else first[1] if first else ""
