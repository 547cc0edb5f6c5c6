"""Reading numbers out of a text, as far as the better solvers share it."""

from __future__ import annotations

import re

from evalstore.demo.sums import in_words

__all__ = ["NUMBER", "in_digits", "numbers_in", "singular"]

NUMBER = r"\d+(?:\.\d+)?"

_BY_WORD = {in_words(number): number for number in range(2, 100)}
_WORD = re.compile(r"(?<!the )\b(" + "|".join(sorted(_BY_WORD, key=len, reverse=True)) + r")\b", re.IGNORECASE)
_ARTICLE = re.compile(r"\b(?:an?|one)\b", re.IGNORECASE)
_IRREGULAR = {"people": "person", "children": "child"}


def in_digits(text: str, *, articles: bool = False) -> str:
    """Write every number of the text in digits: `two dozen`, `3 and a half` and `twice` become 24, 3.5 and `2 times`.

    A time of day becomes the minutes since midnight. With `articles` a, an and one are read as the number 1 as well.
    """
    text = re.sub(r"(?<=\d),(?=\d{3})", "", text)
    text = re.sub(r"(\d+):(\d\d)", lambda clock: str(60 * int(clock[1]) + int(clock[2])), text)
    text = _WORD.sub(lambda word: str(_BY_WORD[word[0].lower()]), text)
    text = re.sub(r"(\d+) and a half\b", r"\1.5", text)
    text = re.sub(r"(\d+) dozen\b", lambda found: str(12 * int(found[1])), text)
    text = re.sub(r"\ba dozen\b", "12", text)
    text = re.sub(r"\btwice\b", "2 times", text)
    return _ARTICLE.sub("1", text) if articles else text


def numbers_in(text: str) -> list[float]:
    """Find the numbers of a text whose numbers are in digits."""
    return [float(number) for number in re.findall(NUMBER, text)]


def singular(noun: str) -> str:
    """Take the plural off, well enough to see that eggs are counted in eggs: `boxes` becomes `box`."""
    noun = noun.lower()
    if noun in _IRREGULAR:
        return _IRREGULAR[noun]
    for ending, instead in (("ies", "y"), ("xes", "x"), ("ches", "ch"), ("s", "")):
        if noun.endswith(ending) and not noun.endswith("ss"):
            return noun.removesuffix(ending) + instead
    return noun
