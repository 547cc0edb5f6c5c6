"""Dotted paths into records, and NAME=PATH."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalstore.errors import UsageError
from evalstore.importers.paths import FieldPath, MissingFieldError, parse_mapping, parse_path, without

RECORD = {
    "question": "?",
    "6b": {"solution": "18", "is_correct": True, "note": None},
    "messages": [{"content": "hi"}, {"content": "bye"}],
    "acc,none": 0.5,
    "a": {"b.c": 1, 'quo"te': 2},
    "gone": None,
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("question", "?"),
        ("6b.solution", "18"),
        ("6b", RECORD["6b"]),
        ("messages[0].content", "hi"),
        ("messages[-1].content", "bye"),
        ("acc,none", 0.5),
        ('a."b.c"', 1),
        (r'a."quo\"te"', 2),
        ('"question"', "?"),
    ],
)
def test_a_path_leads_to_its_value(text, value):
    assert parse_path(text).get(RECORD) == value


def test_a_null_that_is_there_is_none_and_not_an_error():
    assert parse_path("gone").get(RECORD) is None
    assert parse_path("6b.note").get(RECORD) is None


def test_a_key_that_is_literally_the_whole_path_wins():
    record = {"a.b": "flat", "a": {"b": "nested"}}
    assert parse_path("a.b").get(record) == "flat"
    assert parse_path('a."b"').get(record) == "nested"
    assert parse_path("a.b").get({"a": {"b": "nested"}}) == "nested"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("answer", "no such field; this record has: question, 6b, messages, acc,none, a, gone"),
        ("6b.answer", "no such field; '6b' has: solution, is_correct, note"),
        ("6b.solution.x", "no such field; '6b.solution' is str and has no fields"),
        ("gone.x", "no such field; 'gone' is null and has no fields"),
        ("messages.content", "no such field; 'messages' is a list of 2: its items are [0], [1], ..."),
        ("messages[2]", "no such field; 'messages' is a list of 2: its items are [0], [1], ..."),
        ("messages[-3]", "no such field; 'messages' is a list of 2: its items are [0], [1], ..."),
        ("messages[0].role", "no such field; 'messages[0]' has: content"),
        ("6b[0]", "no such field; '6b' has: solution, is_correct, note"),
    ],
)
def test_a_path_that_leads_nowhere_says_what_is_there_instead(text, message):
    with pytest.raises(MissingFieldError) as caught:
        parse_path(text).get(RECORD)
    assert str(caught.value) == message


def test_a_record_of_many_fields_is_not_listed_whole():
    with pytest.raises(MissingFieldError, match=r"c18, c19, \.\.\. \(30 in all\)$"):
        parse_path("x").get({f"c{n}": n for n in range(30)})


@pytest.mark.parametrize(
    "text", ["", ".", "a.", ".a", "a..b", "a[", "a[x]", "a[0", "a[0]b", "[0]", 'a."b', '""', 'a."b"c', "a]", "a.[0]"]
)
def test_what_is_not_a_path_is_refused(text):
    with pytest.raises(UsageError, match="is no path"):
        parse_path(text)


@given(st.lists(st.text(min_size=1), min_size=1, max_size=4))
def test_any_key_can_be_reached_in_quotes(keys):
    text = ".".join('"' + key.replace("\\", "\\\\").replace('"', '\\"') + '"' for key in keys)
    assert parse_path(text).steps == tuple(keys)


def test_a_path_is_frozen_and_equal_to_itself_parsed_again():
    assert parse_path("a.b[0]") == parse_path("a.b[0]") == FieldPath("a.b[0]", ("a", "b", 0))
    assert hash(parse_path("a")) == hash(parse_path("a"))


@pytest.mark.parametrize(
    ("text", "name", "path"),
    [
        ("answer=ground_truth", "answer", "ground_truth"),
        ("ground_truth", "ground_truth", "ground_truth"),
        ("6b.solution", "solution", "6b.solution"),
        ("choices[0]", "choices", "choices[0]"),
        ('a."b.c"', "b.c", 'a."b.c"'),
        ('"a=b"', "a=b", '"a=b"'),
        ('n="a=b"', "n", '"a=b"'),
        ("n=a=b", "n", "a=b"),
        (" answer = x ", "answer", "x"),
    ],
)
def test_a_mapping_is_a_name_and_a_path_or_a_path_named_by_its_last_key(text, name, path):
    assert parse_mapping(text) == (name, parse_path(path))


@pytest.mark.parametrize("text", ["=x", " =x", "name=", "", "name=a..b"])
def test_a_mapping_without_name_or_path_is_refused(text):
    with pytest.raises(UsageError):
        parse_mapping(text)


def test_a_record_without_some_paths_keeps_everything_else_and_is_itself_unchanged():
    record = {"q": 1, "m": {"x": 1, "y": 2}, "n": {"z": 1}, "l": [1, 2, 3], "d.e": 4, "d": {"e": 5}, "void": {}}
    paths = [parse_path(text) for text in ("m.x", "n.z", "l[0]", "l[-1]", "d.e", "absent.x", "q.x")]
    assert without(record, paths) == {"q": 1, "m": {"y": 2}, "l": [2], "d": {"e": 5}, "void": {}}
    assert record["m"] == {"x": 1, "y": 2}
    assert record["l"] == [1, 2, 3]
    assert without(record, []) == record


def test_a_record_of_which_everything_is_taken_is_empty():
    assert without({"a": {"b": [1]}}, [parse_path("a.b[0]")]) == {}
