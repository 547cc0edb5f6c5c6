"""The three programs that the demo evaluates, each in several releases, and what a call of them would cost.

A solver is a function of the question's text and of nothing else, so it cannot look at the answer, the category or the
id. What it returns is calculated anew in every run: the accuracies are measured, not written down anywhere.

They were written with the templates of the set in view, as programs for a known set are; their accuracies say nothing
about other texts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from evalstore.demo import last_numbers
from evalstore.demo.keyword_rules import FEW_RULES, MANY_RULES, NAMES_OF_THINGS, ONE_STEP_RULES, KeywordRules
from evalstore.demo.strategies import by_clock, by_comparison, by_parts, by_shares
from evalstore.demo.unit_graph import UnitGraph, along_units

if TYPE_CHECKING:
    from collections.abc import Callable

    from evalstore.demo.working import Solution

__all__ = ["SOLVERS", "Price", "Release", "Solver"]


@dataclass(frozen=True)
class Price:
    """A price for this demo only, in USD per 1,000 tokens: these programs cost nothing to run."""

    prompt: float
    completion: float

    def of(self, prompt_tokens: int, completion_tokens: int) -> float:
        """What a call costs."""
        return (self.prompt * prompt_tokens + self.completion * completion_tokens) / 1000


@dataclass(frozen=True)
class Release:
    """One version of a solver, and what was new in it."""

    version: str
    news: str
    solve: Callable[[str], Solution | None]


@dataclass(frozen=True)
class Solver:
    """A program with its releases; `days` says which of them was the newest on each day of the demo."""

    name: str
    price: Price
    releases: tuple[Release, ...]
    days: tuple[str, ...]

    def on_day(self, day: int) -> Release:
        """The release of that day, counted from 0."""
        return next(release for release in self.releases if release.version == self.days[day])


SOLVERS = (
    Solver(
        "last-numbers",
        Price(prompt=0.0002, completion=0.0004),
        (
            Release("v1", "adds the last two numbers", last_numbers.first_release),
            Release("v2", "multiplies where the text says each, every or per", last_numbers.second_release),
            Release("v3", "subtracts what is left, divides what is shared", last_numbers.third_release),
        ),
        ("v1", "v1", "v2", "v2", "v3", "v3"),
    ),
    Solver(
        "keyword-rules",
        Price(prompt=0.0005, completion=0.0015),
        (
            Release("v1", "four rules, digits only", KeywordRules(FEW_RULES, words=False)),
            Release("v2", "rules for every kind of one-step problem", KeywordRules(ONE_STEP_RULES, words=False)),
            Release("v3", "reads number words, and knows problems of two steps", KeywordRules(MANY_RULES)),
            Release("v4", "reads a, an and one as the number 1", KeywordRules(MANY_RULES, articles=True)),
            Release(
                "v5",
                "takes that back, and leaves out numbers that only name something",
                KeywordRules(MANY_RULES, leave_out=NAMES_OF_THINGS),
            ),
        ),
        ("v1", "v2", "v3", "v3", "v4", "v5"),
    ),
    Solver(
        "unit-graph",
        Price(prompt=0.002, completion=0.006),
        (
            Release("v1", "walks along units and rates", UnitGraph((along_units,))),
            Release("v2", "compares owners", UnitGraph((by_comparison, along_units))),
            Release("v3", "tells the time and shares", UnitGraph((by_clock, by_comparison, by_shares, along_units))),
            Release(
                "v4",
                "takes percentages and fractions",
                UnitGraph((by_clock, by_comparison, by_shares, by_parts, along_units)),
            ),
        ),
        ("v1", "v2", "v2", "v3", "v3", "v4"),
    ),
)
