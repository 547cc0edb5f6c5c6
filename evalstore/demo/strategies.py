"""Questions for which unit-graph looks at more than units: times of day, comparisons, shares and parts.

A strategy calculates on the working that it is handed and returns the answer, or None where it has nothing to say.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from evalstore.demo.comparisons import read_owners

if TYPE_CHECKING:
    from evalstore.demo.scene import Scene
    from evalstore.demo.working import Working

__all__ = ["by_clock", "by_comparison", "by_parts", "by_shares"]

_PARTS = {"half": 2, "third": 3, "quarter": 4}
_PART = re.compile(r"\b(half|third|quarter) of")
_PART_OF_THE_WANTED = r"\b(half|third|quarter)(?: of \w+)? are {}\b"


def by_clock(scene: Scene, working: Working) -> float | None:
    """Two times of day: the minutes between them, less those that are spent in between."""
    times = sorted(q.value for q in scene.of("oclock"))
    if len(times) < 2:  # noqa: PLR2004
        return None
    between = working.step(times[1], "-", times[0], why="Minutes in between")
    return working.chain("-", [between, *(q.value for q in scene.of("minute"))], why="Still left")


def by_comparison(scene: Scene, working: Working) -> float | None:
    """Owners who have more, fewer or so many times as many as others."""
    if re.search(r"how many (?:more|fewer) \w+ (?:does|are)|by how many", scene.asked):
        numbers = [q.value for q in scene.quantities]
        return working.step(max(numbers), "-", min(numbers), why="The difference")
    owners = read_owners(scene.text)
    if not owners.edges:
        return None
    if re.search(r"together|in all", scene.asked):
        return working.chain("+", [owners.number(owner, working) for owner in owners.names()], why="Together")
    found = re.search(r"(?:does|did|will|old is|is the) ((?:second )?\w+)(?: be (?:in )?(\d+))?", scene.asked)
    if not found:
        return None
    number = owners.number(found[1], working)
    return working.step(number, "+", float(found[2]), why="Later") if found[2] else number


def by_shares(scene: Scene, working: Working) -> float | None:
    """Something is shared equally, or packed until no full bag can be made."""
    if not re.search(r"equally|same number|left over", scene.text):
        return None
    whole = working.chain("+", [q.sign * q.value for q in scene.of(scene.wanted)] or [0], why="To share")
    receivers = [q.value for q in scene.quantities if q.unit not in {scene.wanted, "room", "hour"}]
    receivers += [rate.value for rate in scene.rates if rate.per == "bag"]
    return working.step(whole, "%" if "left over" in scene.text else "/", receivers[0], why="Shared")


def by_parts(scene: Scene, working: Working) -> float | None:
    """Percentages and fractions of the largest number that counts something."""
    upper, lower = 1, 0
    if found := re.search(r"(\d+)(?:%| percent)", scene.text):
        upper, lower = int(found[1]), 100
    elif found := re.search(r"(\d)/(\d+)", scene.text):
        upper, lower = int(found[1]), int(found[2])
    elif found := re.search(_PART_OF_THE_WANTED.format(scene.wanted), scene.text) or _PART.search(scene.text):
        lower = _PARTS[found[1]]
    else:
        return None
    whole = max(fact.value for fact in [*scene.quantities, *scene.rates] if fact.unit != "percent")
    part = working.step(working.step(whole, "/", lower, why="One part"), "*", upper, why="All parts")
    if re.search(r"\bleft|not|remain|cheaper|discount|keep", scene.text):
        return working.step(whole, "-", part, why="The rest")
    return part
