"""What a judge is asked, and how its replies are read."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from evalstore import json_text
from evalstore.errors import InvalidScore, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from evalstore.evaluation.results import FeedbackConfig

__all__ = ["PROMPT", "Reader", "filled", "reply_text"]

PROMPT = """{rubric}

Inputs:
{inputs}

Answer to judge:
{outputs}

Reference answer:
{reference_outputs}

Give your reasons in a few sentences. Then end with one line of its own:
{last_line}"""
_PLACE = re.compile(r"\{(rubric|inputs|outputs|reference_outputs|last_line)\}")
_SCORE_LINE = re.compile(r"[\s*_#>`\"']*(?:score|verdict)[\s*_`\"']*[:=](.*)", re.IGNORECASE)


class Reader:
    """What a reply may say, and how it is read: one of some labels, or a number within a scale.

    `last_line` is what the prompt asks for, `feedback_config` what is known of the metric.
    """

    def __init__(self, choices: dict[str, float | None], least: float, greatest: float) -> None:
        """Raises: UsageError for a scale or labels that cannot be told apart."""
        if not least < greatest:
            raise UsageError(f"scale is the least and the greatest score, not {(least, greatest)!r}")
        self._choices = {_bare(label).casefold(): (label, number) for label, number in choices.items()}
        if len(self._choices) < len(choices) or "" in self._choices:
            raise UsageError(f"choices are labels that differ by more than case and marks, not {list(choices)!r}")
        self._least, self._greatest = least, greatest
        self.feedback_config: FeedbackConfig
        if choices:
            self.last_line = "Verdict: one of " + ", ".join(choices)
            categories: list[Any] = [{"value": number, "label": label} for label, number in choices.items()]
            self.feedback_config = {"type": "categorical", "categories": categories}
        else:
            self.last_line = f"Score: a number from {least:g} to {greatest:g}"
            self.feedback_config = {"type": "continuous", "min": least, "max": greatest}

    def read(self, text: str) -> dict[str, Any] | None:
        """The score that the last score line, or else the whole text, says; None if it says none."""
        said = [match[1] for match in map(_SCORE_LINE.match, text.splitlines()) if match]
        word = _bare(said[-1] if said else text)
        if self._choices:
            label, number = self._choices.get(word.casefold(), (None, None))
            return None if label is None else {"score": number, "value": label, "comment": text}
        try:
            number = float(word)
        except ValueError:
            return None
        within = math.isfinite(number) and self._least <= number <= self._greatest
        return {"score": number, "comment": text} if within else None


def _bare(text: str) -> str:
    """A word without the marks that models put round it."""
    return text.strip(" \t\n\r*_`\"'").rstrip(".").rstrip(" *_`\"'")


def filled(template: str, rubric: str, last_line: str) -> Callable[..., str]:
    """The template as a function of the three documents. Braces that are no places of ours stay as they are."""

    def prompt(inputs: Any, outputs: Any, reference_outputs: Any) -> str:
        documents = {"inputs": inputs, "outputs": outputs, "reference_outputs": reference_outputs}
        texts = {name: json_text.given(name, value)[0] for name, value in documents.items()}
        texts |= {"rubric": rubric, "last_line": last_line}
        return _PLACE.sub(lambda place: texts[place[1]], template)

    return prompt


def reply_text(reply: Any) -> str:
    """The text of a reply. Raises: InvalidScore for what has none."""
    text = reply if isinstance(reply, str) else getattr(reply, "content", None)
    if not isinstance(text, str):
        raise InvalidScore(f"the model returned {type(reply).__name__}: a text, or an object whose content is one")
    return text
