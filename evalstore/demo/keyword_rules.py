"""Rules of thumb: keywords in the question, and in the text before it, say what to do with the numbers that were found.

This is how schoolbooks warn children not to work, and it goes surprisingly far. It fails where a text holds numbers
that are not needed, or where the order of the story matters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from evalstore.demo import plans
from evalstore.demo.reading import in_digits, numbers_in
from evalstore.demo.working import Solution, Working

if TYPE_CHECKING:
    from evalstore.demo.plans import Plan

__all__ = ["FEW_RULES", "MANY_RULES", "NAMES_OF_THINGS", "ONE_STEP_RULES", "KeywordRules", "Rule"]


@dataclass(frozen=True)
class Rule:
    """What the question must ask, what the text must say, and what to do then."""

    plan: Plan
    asks: str = ""
    says: str = ""


FEW_RULES = (
    Rule(plans.subtract, asks="left|remain|change"),
    Rule(plans.subtract, says="gives|fewer|lower"),
    Rule(plans.divide, says="equally"),
    Rule(plans.multiply, says="each|every|per "),
)
ONE_STEP_RULES = (
    Rule(plans.subtract, asks="how many more|how many fewer|ahead|more minutes"),
    Rule(plans.divide, says="equally|same number|fit into|bags of|tray holds"),
    Rule(plans.divide, asks=r"(?:one|single) \w+ cost|price of each|in one hour|per hour\?|hours .*(?:need|take)"),
    Rule(plans.fraction, says=r"\d/\d"),
    Rule(plans.percent, says="%|percent"),
    Rule(plans.half, says=r"\bhalf of"),
    Rule(plans.quarter, says=r"\bquarter of"),
    Rule(plans.hours_in_minutes, asks="minutes", says=r"\bhours\b"),
    Rule(plans.multiply, says="times as"),
    Rule(plans.subtract, says="fewer|lower|less than"),
    Rule(plans.add_up, says="older|taller|more visitors"),
    Rule(plans.multiply, says=r"\b(?:each|every|per|apiece|a day|a week|at a steady|one \w+ costs)\b"),
    Rule(plans.subtract, asks="left|remain|change|come back"),
)
MANY_RULES = (
    Rule(plans.one_and_a_half, says="half (?:the )?price"),
    Rule(plans.without_fraction, asks="left|not|remain", says=r"\d/\d"),
    Rule(plans.without_percent, says="cheaper|discount"),
    Rule(plans.remainder, asks="left over|keep", says="left over|bags of"),
    Rule(plans.purse_less_bill, asks="left|remain|change", says="apiece|each|buys|costs.*takes"),
    Rule(plans.both_of_times, asks="together|in all", says="times as many"),
    Rule(plans.both, asks="together", says=r"more \w* ?than"),
    Rule(plans.start_and_gains, asks="after .* weeks", says="week"),
    Rule(plans.weeks_of_days, says=r"weeks.* a day|every day.* weeks"),
    Rule(plans.out_and_in, says="off .* on|away.* came|gives .* then gets"),
    Rule(plans.add_up_and_divide, says="equally", asks="friend get|family"),
    Rule(plans.add_up_and_multiply, asks="together in"),
    Rule(plans.same_pace, asks="same pace|does it print|without getting"),
    Rule(plans.subtract, asks="last|journey|open|early|earn|added|books did"),
    *ONE_STEP_RULES,
)
NAMES_OF_THINGS = re.compile(r"\b(?:number|floor|class|platform) \d+\b|\bis \d+(?= and)|\d+ years old,|\d+ rooms")


@dataclass(frozen=True)
class KeywordRules:
    """One release: its rules from first to last, what it can read besides digits, and which numbers it leaves out."""

    rules: tuple[Rule, ...]
    words: bool = True
    articles: bool = False
    leave_out: re.Pattern[str] | None = None

    def __call__(self, question: str) -> Solution | None:
        """Find the numbers, find the first rule that applies, and calculate; None for a text without numbers."""
        text = in_digits(question, articles=self.articles) if self.words else question
        text = self.leave_out.sub("", text) if self.leave_out else text
        asked = text[max(text.rfind(stop) for stop in (". ", ", how")) + 1 :]
        numbers = numbers_in(text)
        if not numbers:
            return None
        working = Working()
        for rule in self.rules:
            said, wanted = (re.search(rule.says, text, re.IGNORECASE), re.search(rule.asks, asked, re.IGNORECASE))
            if said and wanted:
                clues = " and ".join(f"'{found[0][-30:]}'" for found in (said, wanted) if found[0])
                working.note(f"It says {clues}.")
                return working.solution(rule.plan(working, numbers))
        working.note("No keyword, so add up.")
        return working.solution(plans.add_up(working, numbers))
