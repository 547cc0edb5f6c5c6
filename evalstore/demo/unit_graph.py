"""A better solver: it reads which number counts what, and walks from the units it has to the unit that is asked for.

Numbers in other units never take part, so unneeded ones do no harm: that is most of its advantage.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from evalstore.demo.scene import MINUTES, Quantity, Rate, Scene, read
from evalstore.demo.working import Solution, Working

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["UnitGraph", "along_units"]

Fact = TypeVar("Fact", bound=Quantity)
Signed = tuple[int, float]


@dataclass(frozen=True)
class UnitGraph:
    """One release: the strategies that it knows, in the order in which it tries them."""

    strategies: tuple[Callable[[Scene, Working], float | None], ...]

    def __call__(self, question: str) -> Solution | None:
        """Try one strategy after the other; None where none of them finds its way to the unit that is asked for."""
        scene = read(question)
        for strategy in self.strategies:
            working = Working()
            working.note(f"Wanted is a number of {scene.wanted}s.")
            answer = strategy(scene, working)
            if answer is not None:
                return working.solution(answer)
        return None


def along_units(scene: Scene, working: Working) -> float | None:
    """Add up what is there in the wanted unit, directly or along rates, and take away what goes."""
    if found := re.search(r"\b(?:one|single|price of each|per) ([a-z]+)(?: cost)?(?:,|\?)", scene.asked):
        each = _for_each(scene, found[1], working)
        if each is not None:
            return each
    if amounts := _amounts(scene, scene.wanted, working):
        if re.search(r"added|earn|put on", scene.asked):
            values = [value for _, value in amounts]
            return working.step(max(values), "-", min(values), why="What came in between")
        return _total(amounts, working)
    for rate in scene.rates:
        if rate.per == scene.wanted:
            whole = _total(_amounts(scene, rate.unit, working, (scene.wanted,)), working)
            return None if whole is None else working.step(whole, "/", rate.value, why=f"{rate.unit}s by the rate")
    return None


def _for_each(scene: Scene, per: str, working: Working) -> float | None:
    for rate in scene.rates:
        if (rate.unit, rate.per) == (scene.wanted, per):
            return rate.value
    whole, count = (_total(_amounts(scene, unit, working), working) for unit in (scene.wanted, per))
    return working.step(whole, "/", count, why=f"For each {per}") if whole and count else None


def _amounts(scene: Scene, unit: str, working: Working, seen: tuple[str, ...] = ()) -> list[Signed]:
    """What there is of a unit: counted as such, reached along a rate, or another unit of time."""
    amounts = [(fact.sign, fact.value) for fact in _in_question(scene, scene.of(unit))]
    rates = [rate for rate in scene.rates if scene.counts_as(rate.unit, unit) and rate.per not in seen]
    for rate in _in_question(scene, rates):
        count = _total(_amounts(scene, rate.per, working, (*seen, unit)), working)
        reason = f"{unit}s for each {rate.per}"
        amounts.append((rate.sign, rate.value if count is None else working.step(rate.value, "*", count, why=reason)))
    if unit in MINUTES and not rates:
        for other in (name for name in MINUTES if name != unit):
            for fact in scene.of(other):
                minutes = MINUTES[other] / MINUTES[unit]
                amounts.append((fact.sign, working.step(fact.value, "*", minutes, why=f"{other}s in {unit}s")))
    return amounts


def _in_question(scene: Scene, facts: list[Fact]) -> list[Fact]:
    """Leave out what the question is not about: what was there before, or goes only later."""
    if re.search(r"\bget in\b|baked\?|come in|in these weeks", scene.asked):
        return [f for f in facts if f.unit in MINUTES or isinstance(f, Rate) or (f.sign > 0 and not f.start)]
    if "just before" in scene.asked:
        return [f for f in facts if f.unit in MINUTES or f.sign > 0]
    return facts


def _total(amounts: list[Signed], working: Working) -> float | None:
    """Everything that comes less everything that goes; of a bill alone, its sum."""
    came = [value for sign, value in amounts if sign > 0]
    went = [value for sign, value in amounts if sign < 0]
    if not came or not went:
        return working.chain("+", came or went, why="Together") if amounts else None
    there = working.chain("+", came, why="Together")
    return working.step(there, "-", working.chain("+", went, why="Gone"), why="Left")
