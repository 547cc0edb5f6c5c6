"""The evaluation set of the demo and the three programs that are evaluated on it."""

import inspect
import re
from collections import Counter
from fractions import Fraction

import pytest

from evalstore.demo.evaluation import METRICS, attempt
from evalstore.demo.solvers import SOLVERS, Price
from evalstore.demo.word_problems import WordProblem, as_jsonl, data_file, generate, load
from evalstore.demo.working import Solution

PROBLEMS = load()
GIVEN_UP = {"value": None, "comment": "gave up"}
FREE = Price(prompt=0, completion=0)
NEWEST = {solver.name: solver.releases[-1] for solver in SOLVERS}

FROM_TWO_TO_TWENTY = (
    "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen "
    "nineteen twenty"
)
SAID_OTHERWISE = {
    2: r"\bhalf\b|twice|just as many|ride back|road back",
    3: r"third|three",
    4: r"quarter",
    7: r"weeks",
    12: r"dozen",
    30: r"and a half",
    60: r"minutes",
    100: r"percent|%|\$",
}
WORKED_BY_HAND = {
    "wp-005": 18,
    "wp-006": 17.25,
    "wp-013": 220,
    "wp-016": 5,
    "wp-023": 63,
    "wp-031": 22,
    "wp-037": 3,
    "wp-039": 24,
    "wp-047": 16,
    "wp-055": 39,
    "wp-059": 241,
    "wp-068": 60,
    "wp-074": 55,
    "wp-080": 58,
}


def test_the_generator_makes_the_file_byte_for_byte():
    assert data_file().read_bytes() == as_jsonl().encode()


def test_there_are_400_problems_and_none_is_told_twice():
    assert len(PROBLEMS) == len({problem.id for problem in PROBLEMS}) == len({p.question for p in PROBLEMS}) == 400


def test_every_category_has_problems_of_every_difficulty():
    found = Counter((problem.category, problem.difficulty) for problem in PROBLEMS)
    assert {category for category, _ in found} == {
        "shopping", "time", "rates", "fractions", "sharing", "comparison", "changes",
    }  # fmt: skip
    assert len(found) == 7 * 3
    assert min(found.values()) >= 10


def test_the_questions_of_a_passage_share_their_story():
    stories = {problem.passage for problem in PROBLEMS if problem.passage}
    assert len(stories) == 40
    for story in stories:
        told = [problem.question.rsplit(". ", 1)[0] for problem in PROBLEMS if problem.passage == story]
        assert len(told) == 3
        assert len(set(told)) == 1


def test_every_answer_is_what_its_sum_comes_to():
    for drawn in generate():
        worth = eval(re.sub(r"(\d+)", r"Fraction(\1)", drawn.expression), {"Fraction": Fraction})
        assert worth == Fraction(str(drawn.problem.answer)), drawn
        assert worth >= 0, drawn
        assert (worth * 100).denominator == 1, drawn


def test_every_number_of_a_sum_stands_in_the_text():
    for drawn in generate():
        question = drawn.problem.question
        assert set(drawn.shown) <= numbers_of(question), drawn
        for number in {int(digits) for digits in re.findall(r"\d+", drawn.expression)} - numbers_of(question):
            assert re.search(SAID_OTHERWISE[number], question, re.IGNORECASE), drawn


def numbers_of(text):
    """Every number of a text in every way it may be meant: 9:40 is 580 minutes, $3.45 is 345 cents."""
    text = text.lower()
    found = {int(digits.replace(",", "")) for digits in re.findall(r"\d+(?:,\d{3})*", text)}
    found |= {60 * int(hours) + int(minutes) for hours, minutes in re.findall(r"(\d+):(\d\d)", text)}
    found |= {100 * int(dollars) + int(cents) for dollars, cents in re.findall(r"\$(\d+)\.(\d\d)", text)}
    words = enumerate(FROM_TWO_TO_TWENTY.split(), 2)
    return found | {number for number, word in words if re.search(rf"\b{word}\b", text)}


def test_some_answers_were_worked_out_from_the_text_alone():
    answers = {problem.id: problem.answer for problem in PROBLEMS}
    assert {key: answers[key] for key in WORKED_BY_HAND} == WORKED_BY_HAND


def test_a_solver_is_handed_the_question_and_nothing_else():
    seen: list[str] = []
    for problem in PROBLEMS:
        attempt(seen.append, problem, FREE)
    assert seen == [problem.question for problem in PROBLEMS]
    for solver in SOLVERS:
        for release in solver.releases:
            assert list(inspect.signature(release.solve).parameters) == ["question"]


def outcomes(release):
    return Counter(outcome(attempt(release.solve, problem, FREE)) for problem in PROBLEMS)


def outcome(tried):
    if tried.scores is None:
        return "error"
    if tried.scores["correct"] == GIVEN_UP:
        return "given up"
    return "solved" if tried.scores["correct"] is True else "wrong"


@pytest.fixture(scope="module")
def measured():
    return {(solver.name, release.version): outcomes(release) for solver in SOLVERS for release in solver.releases}


@pytest.mark.parametrize(
    ("solver", "least", "most"), [("last-numbers", 15, 30), ("keyword-rules", 45, 60), ("unit-graph", 78, 92)]
)
def test_the_newest_release_solves_about_as_many_as_is_said_of_it(solver, least, most, measured):
    assert least <= measured[solver, NEWEST[solver].version]["solved"] / 4 <= most


def test_every_release_is_better_than_the_one_before_but_for_one_that_is_worse(measured):
    worse = [
        (solver.name, newer.version)
        for solver in SOLVERS
        for older, newer in zip(solver.releases, solver.releases[1:], strict=False)
        if measured[solver.name, newer.version]["solved"] <= measured[solver.name, older.version]["solved"]
    ]
    assert worse == [("keyword-rules", "v4")]


def test_some_rows_raise_and_some_are_given_up(measured):
    assert measured["last-numbers", "v1"]["error"] > 0
    assert measured["keyword-rules", "v5"]["error"] > 0
    assert measured["unit-graph", "v4"]["error"] > 0
    assert measured["last-numbers", "v3"]["given up"] > 0
    assert measured["unit-graph", "v4"]["given up"] > 0


def test_every_solver_has_a_release_on_each_day_and_every_release_a_day():
    assert len({len(solver.days) for solver in SOLVERS}) == 1
    for solver in SOLVERS:
        assert list(dict.fromkeys(solver.days)) == [release.version for release in solver.releases]


def scored(answer, *, right=10.0, text="so it is"):
    problem = WordProblem("wp-000", "How many are 3 and 7?", right, "changes", "easy")
    return attempt(lambda _: Solution(answer, text), problem, Price(prompt=1, completion=2))


def test_a_right_answer_is_correct_and_as_close_as_can_be():
    assert scored(10.0).scores == {"correct": True, "closeness": 1.0, "verbosity": "terse"}


def test_a_wrong_answer_says_by_how_much():
    scores = scored(7.0).scores
    assert scores["correct"] == {"value": False, "comment": "said 7, off by 3"}
    assert scores["closeness"] == pytest.approx(0.7)


def test_closeness_stays_within_its_declared_range():
    assert scored(1e9).scores["closeness"] == METRICS["closeness"]["minimum"]
    assert scored(-5.0, right=0.0).scores["closeness"] == 0


def test_the_length_of_a_solution_is_one_of_the_labels_of_the_rubric():
    labels = [level["label"] for level in METRICS["verbosity"]["rubric"]]
    assert [scored(10.0, text="word " * words).scores["verbosity"] for words in (11, 30, 31)] == labels


def test_what_a_call_used_is_counted_in_words_and_priced():
    tried = scored(10.0, text="three and seven")
    assert (tried.prompt_tokens, tried.completion_tokens) == (6, 3)
    assert tried.cost == pytest.approx(6 / 1000 * 1 + 3 / 1000 * 2)
    assert tried.latency > 0


def test_an_exception_is_the_result_of_its_row():
    tried = attempt(lambda question: question.index("?!"), PROBLEMS[0], FREE)  # type: ignore[arg-type,return-value]
    assert isinstance(tried.error, ValueError)
    assert tried.scores is None


def test_a_row_that_was_given_up_has_no_score():
    scores = attempt(lambda _: None, PROBLEMS[0], FREE).scores
    assert scores == {"correct": GIVEN_UP, "closeness": None, "verbosity": None}
