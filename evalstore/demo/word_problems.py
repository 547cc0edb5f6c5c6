"""The evaluation set of the demo: 400 word problems, made here from the templates in `problems.toml`.

The file `data/word_problems.jsonl` is what is evaluated; this module is how it came about, and

    python -m evalstore.demo.word_problems > data/word_problems.jsonl

makes it again, byte for byte. Each template has dice of its own, seeded with its name and the round: a template that
is added or reworded later leaves the numbers of all others as they were.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from evalstore.demo.sums import draw_numbers, filled_in, pick, work_out

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from importlib.resources.abc import Traversable

__all__ = ["DrawnProblem", "WordProblem", "data_file", "generate", "load"]

ROUNDS = 5
SENTENCE_START = re.compile(r"(?:^|[.?!] )[a-z]")


@dataclass(frozen=True)
class WordProblem:
    """One row of the set. A solver is shown `question` and nothing else; `passage` names the story it belongs to."""

    id: str
    question: str
    answer: float
    category: str
    difficulty: str
    passage: str | None = None


@dataclass(frozen=True)
class DrawnProblem:
    """A problem with the way to its answer, which is what makes the answers checkable."""

    problem: WordProblem
    expression: str
    shown: tuple[int, ...]


def generate() -> Iterator[DrawnProblem]:
    """Make the whole set: in each round one problem of every template and one story with its questions."""
    templates = tomllib.loads((files("evalstore.demo") / "problems.toml").read_text(encoding="utf-8"))
    drawn, stories = 0, 0
    for turn in range(ROUNDS):
        for template in [*templates["problem"], *templates["story"]]:
            dice = Random(f"{template['name']} {turn}")  # noqa: S311
            numbers = draw_numbers(dice, template["numbers"])
            words = {**_words(dice, templates["words"]), **numbers}
            text = _in_turn(template["texts"], turn)
            passage = None
            if "questions" in template:
                stories += 1
                passage = f"story-{stories:02d}"
            for asked in template.get("questions", [template]):
                drawn += 1
                told = text if asked is template else f"{text} {_in_turn(asked['texts'], turn)}"
                yield DrawnProblem(
                    WordProblem(
                        id=f"wp-{drawn:03d}",
                        question=_sentences(told, words),
                        answer=_plain(float(work_out(asked["answer"], numbers))),
                        category=template["category"],
                        difficulty=asked["difficulty"],
                        passage=passage,
                    ),
                    expression=filled_in(asked["answer"], numbers),
                    shown=tuple(int(value) for name, value in numbers.items() if re.search(rf"{{{name}\b", told)),
                )


def _in_turn(texts: Sequence[str], turn: int) -> str:
    """Each wording comes up before one comes up again, so that five rounds do not sound alike."""
    return texts[turn % len(texts)]


def _words(dice: Random, words: Mapping[str, list[str]]) -> dict[str, str]:
    names = list(words["names"])
    chosen = [names.pop(int(dice.random() * len(names))) for _ in range(3)]
    thing, things = pick(dice, words["things"]).split()
    return {
        **dict(zip(("name", "other", "third"), chosen, strict=True)),
        "thing": thing,
        "things": things,
        "a_thing": f"an {thing}" if thing[0] in "aeiou" else f"a {thing}",
        "place": pick(dice, words["places"]),
    }


def _sentences(text: str, words: Mapping[str, object]) -> str:
    return SENTENCE_START.sub(lambda start: start[0].upper(), text.format_map(words))


def _plain(answer: float) -> float:
    """7 rather than 7.0, as a person would write it."""
    return int(answer) if answer.is_integer() else answer


def data_file() -> Traversable:
    """Find `word_problems.jsonl`: inside the installed package, else in the checkout that this file is part of."""
    packaged = files("evalstore") / "data" / "word_problems.jsonl"
    return packaged if packaged.is_file() else Path(__file__).resolve().parents[2] / "data" / "word_problems.jsonl"


def load() -> list[WordProblem]:
    """Read the set as it is stored."""
    lines = data_file().read_text(encoding="utf-8").splitlines()
    rows: list[dict[str, Any]] = [json.loads(line) for line in lines]
    return [WordProblem(**row) for row in rows]


def as_jsonl() -> str:
    """Write the set as it is stored: one JSON object a line."""
    return "".join(json.dumps(asdict(drawn.problem)) + "\n" for drawn in generate())


if __name__ == "__main__":
    sys.stdout.write(as_jsonl())
