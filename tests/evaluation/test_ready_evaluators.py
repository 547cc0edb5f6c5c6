"""The ready evaluators are exact, and what cannot be looked at is an error and no 0."""

import math
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalstore.errors import UsageError
from evalstore.evaluation import contains, exact_match, json_equality, normalised_text, numeric_tolerance, regex
from tests.evaluation.objects import a_run, an_example

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda some: st.lists(some, max_size=3) | st.dictionaries(st.text(max_size=2), some, max_size=3),
    max_leaves=6,
)


def judged(evaluator, outputs, reference=None) -> Any:
    return evaluator.evaluate_run(a_run(outputs=outputs), an_example(outputs=reference))


def score(evaluator, given, wanted=None):
    found = judged(evaluator, {"answer": given}, {"answer": wanted}).score
    assert type(found) is bool
    return found


@pytest.mark.parametrize(
    ("make", "key"),
    [
        (exact_match, "exact_match"),
        (contains, "contains"),
        (lambda **more: regex("a", **more), "regex"),
        (json_equality, "json_equality"),
        (numeric_tolerance, "numeric_tolerance"),
    ],
    ids=["exact_match", "contains", "regex", "json_equality", "numeric_tolerance"],
)
def test_each_scores_under_its_own_key_or_a_given_one(make, key):
    assert judged(make(), {"answer": "1"}, {"answer": "1"}).key == key
    assert judged(make(key="mine"), {"answer": "1"}, {"answer": "1"}).key == "mine"
    assert make(key="mine").feedback_keys == ["mine"]


@pytest.mark.parametrize(
    "make", [exact_match, contains, lambda **more: regex("a", **more), json_equality, numeric_tolerance], ids=range(5)
)
@pytest.mark.parametrize("outputs", [None, {}, {"answer": None}, {"output": None}], ids=str)
def test_an_output_that_is_not_there_is_an_error(make, outputs):
    with pytest.raises(UsageError, match="there is no output"):
        judged(make(field="answer"), outputs, {"answer": "1"})


@pytest.mark.parametrize("make", [exact_match, contains, json_equality, numeric_tolerance])
@pytest.mark.parametrize("reference", [None, {}, {"answer": None}, {"other": "1"}], ids=str)
def test_a_reference_that_is_not_there_is_an_error(make, reference):
    with pytest.raises(UsageError, match="there is no reference 'answer'"):
        judged(make(field="answer"), {"answer": "1"}, reference)


def test_the_only_field_needs_no_name_and_of_several_one_is_named():
    assert judged(exact_match(), {"a": 1}, {"b": 1}).score
    with pytest.raises(UsageError, match=r"name the field of the output to look at: field=\.\.\."):
        judged(exact_match(), {"a": 1, "b": 2}, {"a": 1})
    assert judged(exact_match(field="a"), {"a": 1, "b": 2}, {"a": 1}).score
    assert judged(exact_match(field="a", reference_field="b"), {"a": 1, "b": 2}, {"a": 2, "b": 1}).score
    assert judged(exact_match(field="a.b", reference_field="a.b"), {"a": {"b": 1}, "c": 0}, {"a.b": 1, "c": 0}).score


@pytest.mark.parametrize(
    ("given", "wanted", "same"),
    [
        ("4", "4", True),
        ("4", "4 ", False),
        ("Paris", "paris", False),
        (4, 4.0, True),
        (4, "4", False),
        (1, True, False),
        (True, True, True),
        (np.int64(4), 4, True),
        (Decimal("0.5"), 0.5, True),
        (["a", 1], ["a", 1], True),
        (["a"], ["a", 1], False),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
    ],
    ids=range(12),
)
def test_exact_match(given, wanted, same):
    assert score(exact_match(), given, wanted) is same


@pytest.mark.parametrize(
    ("given", "wanted", "same"),
    [
        ("  The Answer:\n4. ", "the answer 4", True),
        ("Straße", "STRASSE", True),
        ("ﬁve", "five", True),
        ("four", "4", False),
        (4, "4", True),
        ("co-op", "co op", True),
    ],
    ids=range(6),
)
def test_exact_match_with_normalisation(given, wanted, same):
    assert score(exact_match(normalise=True), given, wanted) is same
    assert score(exact_match(normalise=normalised_text), given, wanted) is same


def test_exact_match_with_a_normalisation_of_ones_own():
    assert score(exact_match(normalise=lambda text: text.split()[-1]), "it is 4", "4")


@given(st.text())
def test_normalising_twice_is_normalising_once(text):
    once = normalised_text(text)
    assert normalised_text(once) == once


def test_contains():
    assert score(contains(), "the answer is Paris", "Paris")
    assert not score(contains(), "the answer is paris", "Paris")
    assert score(contains(ignore_case=True), "the answer is paris", "PARIS")
    assert score(contains("Paris"), "Paris")
    assert score(contains(), "Paris and Rome", ["Rome", "Paris"])
    result = judged(contains(["Paris", "Rome"]), {"a": "Paris"})
    assert (result.score, result.comment) == (False, "missing: 'Rome'")
    assert score(contains(), "it is 42", 42)
    with pytest.raises(UsageError, match="no text to look for"):
        contains([])


def test_regex():
    assert score(regex(r"\d+"), "it is 42")
    assert not score(regex(r"\d+", full=True), "it is 42")
    assert score(regex(r"\d+", full=True), 42)
    with pytest.raises(UsageError, match="no regular expression: unterminated"):
        regex("[")


@pytest.mark.parametrize(
    ("given", "wanted", "comment"),
    [
        ({"a": 1, "b": [1, 2]}, {"b": [1, 2], "a": 1.0}, None),
        ('{"a": 1}', '{"a": 1.0}', None),
        ('{"a": 1}', {"a": 1}, None),
        ({"a": 1}, {"a": True}, "a: 1, not true"),
        ({"a": 1}, {"a": "1"}, 'a: 1, not "1"'),
        ({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]}, "a[1].b: 2, not 3"),
        ({"a": [1, 2]}, {"a": [1]}, "a: 2 items, not 1"),
        ({}, {"a": 1}, "no 'a'"),
        ({"a": 1, "b": 2}, {"a": 1}, "an extra 'b'"),
        ([1, 2], [2, 1], "[0]: 1, not 2"),
        ("nonsense", {"a": 1}, "not JSON: Expecting value: line 1 column 1 (char 0)"),
    ],
    ids=range(11),
)
def test_json_equality(given, wanted, comment):
    result = judged(json_equality(field="answer"), {"answer": given}, {"answer": wanted})
    assert (result.score, result.comment) == (comment is None, comment)


def test_json_equality_of_all_of_the_outputs():
    assert judged(json_equality(), {"a": 1, "b": 2}, {"b": 2, "a": 1}).score
    for outputs, reference, missing in ((None, {"a": 1}, "output"), ({"a": 1}, None, "reference")):
        with pytest.raises(UsageError, match=f"there is no {missing}"):
            judged(json_equality(), outputs, reference)


def test_a_reference_that_is_no_json_is_an_error():
    with pytest.raises(ValueError, match="Expecting"):
        judged(json_equality(field="a"), {"a": "{}"}, {"a": "nonsense"})


@given(JSON)
def test_any_json_is_the_same_as_itself(value):
    assert judged(json_equality(), {"a": value}, {"a": value}).score


@pytest.mark.parametrize(
    ("tolerance", "given", "wanted", "near"),
    [
        ({"absolute": 0.1}, 1.1, 1.0, True),  # 0.10000000000000009 away in doubles
        ({"absolute": 0.1}, 1.1000001, 1, False),
        ({"absolute": 0.3}, 0.1, -0.2, True),
        ({}, 0.1, "0.10", True),
        ({}, "1e3", 1000, True),
        ({"relative": 0.01}, 101, 100, True),
        ({"relative": 0.01}, 102, 100, False),
        ({"relative": 0.01}, -101, -100, True),
        ({"absolute": 1}, " 42 ", 43, True),
        ({"absolute": 1}, "42 apples", 42, False),
        ({"absolute": 1}, True, 1, False),
        ({"absolute": 1}, math.nan, 1, False),
        ({"absolute": 1}, math.inf, 1, False),
        ({"absolute": 1}, math.inf, math.inf, True),
        ({"absolute": 1}, Decimal("0.5"), np.float64(1.5), True),
        ({}, 10**30 + 1, 10**30, False),
    ],
    ids=range(16),
)
def test_numeric_tolerance(tolerance, given, wanted, near):
    assert score(numeric_tolerance(**tolerance), given, wanted) is near


def test_numeric_tolerance_says_how_far_off():
    assert judged(numeric_tolerance(), {"a": 1.5}, {"a": 1}).comment == "off by 0.5"
    assert judged(numeric_tolerance(), {"a": "x"}, {"a": 1}).comment == 'no number: "x"'


def test_a_reference_that_is_no_number_is_an_error():
    with pytest.raises(ValueError, match="no number"):
        judged(numeric_tolerance(), {"a": 1}, {"a": "one"})


@pytest.mark.parametrize("tolerance", [{"absolute": -1}, {"relative": math.nan}, {"absolute": math.inf}], ids=str)
def test_a_tolerance_is_a_number_from_0_up(tolerance):
    with pytest.raises(UsageError, match="from 0 up"):
        numeric_tolerance(**tolerance)
