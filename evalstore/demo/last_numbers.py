"""The naive baseline: take the last two numbers of the text and do something with them.

It is here to be beaten. A set on which it does well would measure nothing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from evalstore.demo.working import Working

if TYPE_CHECKING:
    from evalstore.demo.working import Solution

__all__ = ["first_release", "second_release", "third_release"]

WHOLE_NUMBER = re.compile(r"\d+")
NUMBER = re.compile(r"\d+(?:,\d{3})+|\d+(?:\.\d+)?")


def first_release(question: str) -> Solution | None:
    """Add the last two runs of digits, whatever is asked."""
    found = [float(digits) for digits in WHOLE_NUMBER.findall(question)]
    return _combine(found, "+")


def second_release(question: str) -> Solution | None:
    """Read 1,200 and 3.45 as one number, and multiply where the text says each, every or per."""
    found = [float(digits.replace(",", "")) for digits in NUMBER.findall(question)]
    return _combine(found, "*" if re.search(r"\b(?:each|every|per|apiece)\b", question) else "+")


def third_release(question: str) -> Solution | None:
    """Subtract where something is left, divide where it is shared, and give up on fewer than two numbers."""
    found = [float(digits.replace(",", "")) for digits in NUMBER.findall(question)]
    if len(found) < 2:  # noqa: PLR2004
        return None
    if re.search(r"\b(?:left|remain|change|fewer|less)\b", question):
        return _combine(sorted(found[-2:], reverse=True), "-")
    if re.search(r"\b(?:equally|divides|bags of|fit into)\b", question):
        return _combine(sorted(found[-2:], reverse=True), "/")
    return _combine(found, "*" if re.search(r"\b(?:each|every|per|apiece)\b", question) else "+")


def _combine(found: list[float], sign: str) -> Solution:
    working = Working()
    return working.solution(working.step(found[-2], sign, found[-1]))
