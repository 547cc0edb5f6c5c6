"""What can be done with a handful of numbers: the plans among which keyword-rules chooses.

A plan that is given other numbers than it was made for raises, and whoever runs the solver records that as an error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from evalstore.demo.working import Working

    Plan = Callable[[Working, list[float]], float]

__all__ = [
    "add_up",
    "add_up_and_divide",
    "add_up_and_multiply",
    "both",
    "both_of_times",
    "divide",
    "fraction",
    "half",
    "hours_in_minutes",
    "multiply",
    "one_and_a_half",
    "out_and_in",
    "percent",
    "purse_less_bill",
    "quarter",
    "remainder",
    "same_pace",
    "start_and_gains",
    "subtract",
    "weeks_of_days",
    "without_fraction",
    "without_percent",
]


def add_up(working: Working, numbers: list[float]) -> float:
    """All numbers together."""
    return working.chain("+", numbers)


def subtract(working: Working, numbers: list[float]) -> float:
    """The largest less all others."""
    return working.chain("-", sorted(numbers, reverse=True))


def multiply(working: Working, numbers: list[float]) -> float:
    """All numbers multiplied."""
    return working.chain("*", numbers)


def divide(working: Working, numbers: list[float]) -> float:
    """The larger by the smaller."""
    return working.chain("/", sorted(numbers, reverse=True))


def remainder(working: Working, numbers: list[float]) -> float:
    """What division leaves over."""
    return working.chain("%", sorted(numbers, reverse=True))


def half(working: Working, numbers: list[float]) -> float:
    """Half of the first number."""
    return working.step(numbers[0], "/", 2)


def quarter(working: Working, numbers: list[float]) -> float:
    """A quarter of the first number."""
    return working.step(numbers[0], "/", 4)


def one_and_a_half(working: Working, numbers: list[float]) -> float:
    """A price and half of it."""
    return working.step(max(numbers), "+", half(working, [max(numbers)]))


def fraction(working: Working, numbers: list[float]) -> float:
    """A part written as 2/5, of the largest number."""
    upper, lower, whole = sorted(numbers)
    return working.step(working.step(whole, "/", lower), "*", upper)


def without_fraction(working: Working, numbers: list[float]) -> float:
    """What remains when that part is gone."""
    return working.step(max(numbers), "-", fraction(working, numbers))


def percent(working: Working, numbers: list[float]) -> float:
    """So many percent, taking the smaller number for the percentage."""
    part, whole = sorted(numbers)
    return working.step(working.step(whole, "*", part), "/", 100)


def without_percent(working: Working, numbers: list[float]) -> float:
    """A price after a discount in percent."""
    return working.step(max(numbers), "-", percent(working, numbers))


def hours_in_minutes(working: Working, numbers: list[float]) -> float:
    """The first number is in hours."""
    return working.step(numbers[0], "*", 60)


def weeks_of_days(working: Working, numbers: list[float]) -> float:
    """Something daily, over weeks."""
    return working.chain("*", [*numbers, 7])


def same_pace(working: Working, numbers: list[float]) -> float:
    """So many in a few minutes, and how many in more minutes."""
    *known, longer = numbers
    minutes, made = sorted(known)
    return working.step(working.step(made, "/", minutes), "*", longer)


def add_up_and_multiply(working: Working, numbers: list[float]) -> float:
    """Two together, for so long."""
    *together, hours = numbers
    return working.step(working.chain("+", together), "*", hours)


def add_up_and_divide(working: Working, numbers: list[float]) -> float:
    """All piles together, for so many people."""
    *piles, people = numbers
    return working.step(working.chain("+", piles), "/", people)


def purse_less_bill(working: Working, numbers: list[float]) -> float:
    """The largest number is what there is to pay with, the others make the bill."""
    *bill, purse = sorted(numbers)
    return working.step(purse, "-", working.chain("*", bill))


def start_and_gains(working: Working, numbers: list[float]) -> float:
    """A start, and so much so many times."""
    start, *gains = numbers
    return working.step(start, "+", working.chain("*", gains))


def out_and_in(working: Working, numbers: list[float]) -> float:
    """A start, then a loss, then a gain."""
    start, out, into = numbers
    return working.step(working.step(start, "-", out), "+", into)


def both(working: Working, numbers: list[float]) -> float:
    """The first has a number and the second has so many more; how many both have."""
    first, second = numbers
    return working.chain("+", [first, first, second])


def both_of_times(working: Working, numbers: list[float]) -> float:
    """The first has a number and the second has it so many times; how many both have."""
    return working.step(max(numbers), "+", working.chain("*", numbers))
