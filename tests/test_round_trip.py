"""What is logged is what is read back: scores, documents and fields of every kind, one by one or as a whole frame."""

import dataclasses
import enum
import itertools
import json
import math
import re
import string
import struct
import uuid
from collections import Counter
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pydantic
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

import evalstore
from evalstore import bulk
from evalstore.errors import InvalidScore, UsageError

# An example is one job or two: most of its time goes into committing them, so each holds many values.
SEARCH = settings.default.max_examples  # type: ignore[union-attr]
THIRD, FIFTH = settings(max_examples=max(1, SEARCH // 3)), settings(max_examples=max(1, SEARCH // 5))

LARGEST = 1.7976931348623157e308
SMALLEST = 5e-324
INF, NAN = math.inf, math.nan


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """One store for all tests and examples; each takes jobs of its own."""
    with evalstore.open(tmp_path_factory.mktemp("round-trip") / "evals") as store:
        yield store


def fresh(what="job"):
    return f"{what}-{uuid.uuid4().hex[:12]}"


def logged(store, rows, **context):
    """The name of a new job with these rows."""
    with store.job(fresh(), **context) as job:
        for row in rows:
            job.log(**{"item": {"is": "any"}, **row})
    return job.name


def read_back(store, *rows):
    return list(store.row_scores(logged(store, rows)))


def same_number(left, right):
    """Equal to the last bit, the sign of zero included; NaN is NaN."""
    if math.isnan(left) or math.isnan(right):
        return math.isnan(left) and math.isnan(right)
    return struct.pack("<d", left) == struct.pack("<d", right)


# Values

TEXTS = st.text(max_size=20) | st.sampled_from(
    ["", " ", "nan", "NULL", "true", "1", "{}", "null", "'", '"', "\\", "\0", "a\0b", "\r\n", "x" * 5000, "\u2028",
     "🙂", "e\u0301", "\ufffd", "\ufeff", "'; DROP TABLE job; --", "$metric"]
)  # fmt: skip
INTEGERS = st.integers(-(2**80), 2**80) | st.sampled_from(
    [0, -1, 2**31, 2**53 - 1, 2**53, 2**53 + 1, -(2**53) - 1, 2**63 - 1, 2**63, -(2**63) - 1, 2**64, 2**70, 2**70 + 1]
)
FLOATS = st.floats() | st.sampled_from(
    [NAN, INF, -INF, 0.0, -0.0, SMALLEST, -SMALLEST, LARGEST, -LARGEST, 1e-7, 1e16, 1e22]
)
JSON = st.recursive(
    st.none() | st.booleans() | INTEGERS | FLOATS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(TEXTS, JSON, max_size=4)


def as_read(value):
    """A JSON value as it is read back: the only thing that changes is that non-finite numbers become text."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {key: as_read(held) for key, held in value.items()}
    if isinstance(value, list):
        return [as_read(held) for held in value]
    return value


def document_as_read(value):
    """As `as_read`; what is no object becomes one, what is absent an empty one."""
    if value is None:
        return {}
    return as_read(value) if isinstance(value, dict) else {"value": as_read(value)}


def same(left, right):
    """Equal in type too: 1 is neither 1.0 nor True, and 0.0 is not -0.0."""
    return repr(left) == repr(right)


# Scores


@dataclasses.dataclass
class Expected:
    """One score as it must come back."""

    value: bool | int | float | None = None  # in the type in which it is read
    kind: str = "null"
    label: str | None = None
    fields: dict = dataclasses.field(default_factory=dict)

    @property
    def status(self):
        if "error" in self.fields:
            return "error"
        if self.fields.get("status", "scored") != "scored":
            return self.fields["status"]
        if self.value is None:
            return "scored" if self.label else "unscored"
        return "scored" if math.isfinite(float(self.value)) else "unscored"

    @property
    def passed(self):
        return self.fields.get("passed", self.value if self.kind == "bool" else None)


def bare(given):
    """What a bare value must come back as."""
    if given is None:
        return Expected()
    if isinstance(given, str):
        return Expected(kind="str", label=str(given))
    if isinstance(given, (bool, np.bool_)):
        return Expected(bool(given), "bool")
    if isinstance(given, (int, np.integer)):
        return Expected(int(given), "int")
    return Expected(float(given), "float")


NUMPY_VALUES = st.one_of(
    FLOATS.map(np.float64),
    st.floats(width=32).map(np.float32),
    st.integers(-(2**63), 2**63 - 1).map(np.int64),
    st.integers(0, 255).map(np.uint8),
    st.booleans().map(np.bool_),
    TEXTS.map(lambda text: np.str_(text.rstrip("\0"))),  # which numpy takes for padding
)
OTHER_NUMBERS = st.decimals(-(10**300), 10**300) | st.fractions()
BARE = st.none() | st.booleans() | INTEGERS | FLOATS | TEXTS | NUMPY_VALUES | OTHER_NUMBERS

SCORE_FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "passed": st.booleans(),
        "status": st.sampled_from(["scored", "unscored", "error", "skipped"]),
        "comment": TEXTS,
        "error": TEXTS.filter(bool),
        "correction": JSON.filter(lambda value: value is not None),
        "metadata": OBJECTS,
        "evaluator_info": OBJECTS,
        "feedback_config": JSON.filter(lambda value: value is not None),
        "extra": OBJECTS,
        "source_run_id": TEXTS,
        "target_run_id": TEXTS,
    },
)


@st.composite
def score_dicts(draw):
    """A score as a dict, in our words or in LangSmith's, and what must come back."""
    fields = draw(SCORE_FIELDS)
    value = draw(BARE)
    label = draw(st.none() | TEXTS) if not isinstance(value, str) else None
    expected = bare(value)
    if label is not None:
        expected.label = label
        expected.kind = "str" if expected.kind == "null" else expected.kind
    expected.fields = fields
    if draw(st.booleans()):
        return {"value": value, "label": label, **fields}, expected
    return {"score": value, "value" if label is not None else "label": label, **fields}, expected


ONE_SCORE = BARE.map(lambda value: (value, bare(value))) | score_dicts()
NAMES = st.sampled_from(["", "rouge_1", "rouge_L", "é", "a b", "quality.label"])


@st.composite
def several_scores(draw):
    """A list of scores of one metric, some with names; the name of those without one is that of the metric."""
    written, expected = [], []
    for given_score, one in draw(st.lists(ONE_SCORE, min_size=1, max_size=4)):
        name = draw(NAMES)
        if name:
            fields = given_score if isinstance(given_score, dict) else {"value": given_score}
            written.append({**fields, "name": name})
        else:
            written.append(given_score)
        expected.append((name, one))
    return written, expected


METRICS = st.sampled_from(["m", "exact match", "rouge", "Q.é", "🙂", "select", "'\"", "a:b#1", "\0"]) | TEXTS.filter(
    bool
)
SCORES = st.dictionaries(METRICS, ONE_SCORE.map(lambda pair: (pair[0], [("", pair[1])])) | several_scores(), max_size=5)


@given(st.lists(SCORES, min_size=1, max_size=8))
@THIRD
@example(
    [
        {"m": (value, [("", bare(value))])}
        for value in (True, 2**53 + 1, 2**70, -0.0, NAN, INF, -INF, SMALLEST, "", "\0")
    ]
)
def test_a_score_comes_back_as_it_was_given(store, rows):
    given_rows = [{"row_key": i, "scores": {m: score for m, (score, _) in row.items()}} for i, row in enumerate(rows)]
    answer = store.row_scores(logged(store, given_rows))
    wanted = {}
    for key, row in enumerate(rows):
        for metric, (_, scores) in row.items():
            numbers: Counter[str] = Counter()
            for name, score in scores:
                wanted[str(key), metric, name or metric, numbers[name or metric]] = score
                numbers[name or metric] += 1

    lines = answer.to_polars().to_dicts()
    found = {(line["row_key"], line["metric"], line["name"], line["score_index"]): line for line in lines}
    assert len(lines) == len(wanted)
    assert found.keys() == wanted.keys()
    for place, expected in wanted.items():
        check_line(found[place], expected)

    for row in answer:
        read = {(row.row_key, m, score.name, n): score for m in row.metrics for n, score in with_index(row.metrics[m])}
        assert read.keys() == {place for place in wanted if place[0] == row.row_key}
        for place, score in read.items():
            check_score(score, wanted[place])
        errors = {place[1] for place in read if "error" in wanted[place].fields}
        assert row.metric_errors.keys() == errors


def with_index(scores):
    """Each score with its number among those of its name."""
    numbers: Counter[str] = Counter()
    for score in scores:
        yield numbers[score.name], score
        numbers[score.name] += 1


def check_line(line, expected):
    if expected.value is None:
        assert line["value"] is None
    else:
        assert same_number(line["value"], float(expected.value))
    assert line["value_type"] == expected.kind
    assert line["label"] == expected.label
    assert line["status"] == expected.status
    assert line["passed"] == expected.passed
    for field in ("comment", "error", "source_run_id", "target_run_id"):
        assert line[field] == expected.fields.get(field)
    for field in ("correction", "metadata", "evaluator_info", "feedback_config"):
        wanted = expected.fields.get(field)
        assert (line[field] is None) == (wanted is None)
        assert line[field] is None or same(json.loads(line[field]), as_read(wanted))
    kept = json.loads(line["extra"] or "{}")
    assert all(same(kept[key], as_read(value)) for key, value in expected.fields.get("extra", {}).items())


def check_score(score, expected):
    if expected.value is None:
        assert score.value == expected.label
    elif isinstance(expected.value, float):
        assert isinstance(score.value, float)
        assert same_number(score.value, expected.value)
    else:
        assert same(score.value, expected.value)  # an integer of any size to its last digit
    assert score.label == expected.label
    assert score.passed == expected.passed
    assert score.status == expected.status
    assert score.comment == expected.fields.get("comment")
    assert score.error == expected.fields.get("error")


@pytest.mark.parametrize("kept", [[1, 2], "text", 3, {"a": 1}], ids=repr)
def test_any_json_may_stand_as_extra_beside_a_number(store, kept):
    values = [1, 0.5, 2**53 + 1]
    rows = read_back(store, *({"scores": {"m": {"value": value, "extra": kept}}} for value in values))
    assert [row.metrics["m"][0].value for row in rows] == values


def test_a_nested_value_is_kept_as_json_text_and_counts_as_a_label(store):
    given_values = {"langsmith": {"score": 1, "value": {"a": [1, 2]}}, "bare": {"value": [1, None]}}
    [row] = read_back(store, {"scores": given_values})
    assert json.loads(row.metrics["langsmith"][0].label) == {"a": [1, 2]}
    assert row.metrics["langsmith"][0].value == 1
    assert json.loads(row.metrics["bare"][0].label) == [1, None]


def test_an_exception_as_a_score_is_an_error_of_that_score(store):
    [row] = read_back(store, {"scores": {"m": ValueError("no number in it"), "n": 1}})
    assert row.metric_errors == {"m": "ValueError: no number in it"}
    assert row.metrics["m"][0].status == "error"
    assert row.metrics["n"][0].value == 1
    assert row.error is None


NO_SCORES = {
    "an object": object(),
    "bytes": b"bytes",
    "an integer beyond a double": 10**400,
    "a decimal beyond a double": Decimal("1e400"),
    "a fraction beyond a double": Fraction(-(10**400)),
    "an array": np.array([1, 2]),
    "a date": np.datetime64("2024-01-01"),
    "a list in a list": [[1]],
    "an unknown field": {"valeu": 1},
    "an unknown status": {"value": 1, "status": "fine"},
    "an unknown verdict": {"value": 1, "passed": "yes"},
    "two labels": {"value": "a", "label": "b"},
    "a name that is empty": {"value": 1, "name": ""},
    "a name that is no text": {"value": 1, "name": 5},
}


@pytest.mark.parametrize("kind", NO_SCORES)
def test_what_is_no_score_is_refused_by_the_name_of_its_metric(unfinished, kind):
    with pytest.raises(InvalidScore, match="accuracy"):
        unfinished.log(item={"q": 1}, scores={"accuracy": NO_SCORES[kind]})


@pytest.mark.parametrize("scores", [[1], "m", {"": 1}, {1: 1}, 0.5], ids=repr)
def test_scores_are_a_dict_of_metric_and_score(unfinished, scores):
    with pytest.raises(InvalidScore):
        unfinished.log(item={"q": 1}, scores=scores)


@pytest.fixture(scope="module")
def unfinished(store):
    """A job for rows that are refused."""
    job = store.job(fresh())
    yield job
    job.abandon()


# Documents and fields

SECONDS = st.floats(allow_nan=True, allow_infinity=True) | st.integers(0, 10**6) | st.sampled_from([Decimal("0.25")])
COUNTS = st.integers(0, 2**40)
MOMENTS = st.datetimes(
    datetime(1970, 1, 1),  # noqa: DTZ001
    datetime(2200, 1, 1),  # noqa: DTZ001
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))]),
)
ROWS = st.fixed_dictionaries(
    {"item": OBJECTS | JSON.filter(lambda value: value is not None)},
    optional={
        "sample": JSON,
        "reference": JSON,
        "metadata": JSON,
        "requests": JSON,
        "suite": st.sampled_from(["default", "math", "Ä 🙂", "it's", "a/b", "\0"]),
        "cluster": TEXTS.filter(bool) | st.integers(0, 5),
        "error": TEXTS.filter(bool),
        "tags": st.lists(TEXTS, max_size=3),
        "latency": SECONDS,
        "cost": SECONDS,
        "prompt_tokens": COUNTS,
        "completion_tokens": COUNTS,
        "total_tokens": COUNTS,
        "started_at": MOMENTS,
        "finished_at": MOMENTS,
        "row_index": st.integers(0, 2**62),
    },
)
KEYS = st.sampled_from(["a", "b", "7", 7, -7, 2**70, "é", "\0", "k" * 300, "'"])


@given(st.lists(st.tuples(KEYS, ROWS), min_size=1, max_size=8))
@THIRD
def test_documents_and_fields_of_a_row_come_back_as_they_were_given(store, rows):
    answer = store.row_scores(logged(store, [{"row_key": key, **row} for key, row in rows]))
    found = {(row.suite, row.row_key, row.repetition): row for row in answer}
    times = {(line["suite"], line["row_key"], line["repetition"]): line for line in answer.rows().to_dicts()}
    assert len(found) == len(times) == len(rows)
    used: Counter[tuple[str, str]] = Counter()
    position: Counter[str] = Counter()
    for key, row in rows:
        suite = row.get("suite", "default")
        place = (suite, str(key), used[suite, str(key)])
        used[suite, str(key)] += 1
        check_row(found[place], row, position[suite])
        position[suite] += 1
        for field in ("started_at", "finished_at"):
            assert times[place][field] == row.get(field)


def check_row(read, row, position):
    for field in ("item", "sample", "reference", "metadata"):
        assert same(getattr(read, field), document_as_read(row.get(field))), field
    requests = as_read(row.get("requests"))
    assert same(read.requests, [] if requests is None else requests if isinstance(requests, list) else [requests])
    assert read.row_index == row.get("row_index", position)
    assert read.cluster == (str(row["cluster"]) if "cluster" in row else None)
    assert read.error == row.get("error")
    assert read.tags == row.get("tags", [])
    for field in ("latency", "cost"):
        number = getattr(read, field)
        assert (number is None) == (field not in row)
        assert number is None or same_number(number, float(row[field]))
    for field in ("prompt_tokens", "completion_tokens"):
        assert getattr(read, field) == row.get(field)
    both = {"prompt_tokens", "completion_tokens"} <= row.keys()
    total = row["prompt_tokens"] + row["completion_tokens"] if both else None
    assert read.total_tokens == row.get("total_tokens", total)


class Colour(enum.Enum):
    RED = "red"


@dataclasses.dataclass
class Point:
    x: float
    label: str | None = None


class Message(pydantic.BaseModel):
    role: str
    logprob: float | None = None


NESTED = {
    "tuples": ((1, (2, 3)), [1, [2, 3]]),
    "a set": ({"b", "a"}, ["a", "b"]),
    "a dataclass": (Point(1.5), {"x": 1.5, "label": None}),
    "a dataclass that holds NaN": (Point(NAN), {"x": "nan", "label": None}),
    "a model": (Message(role="user"), {"role": "user", "logprob": None}),
    "an array": (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
    "an array that holds NaN": (np.array([1.0, NAN, -INF]), [1.0, "nan", "-inf"]),
    "float32": (np.float32(0.5), 0.5),
    "int64": (np.int64(7), 7),
    "an infinite float64": (np.float64("inf"), "inf"),
    "an enum": (Colour.RED, "red"),
    "a date": (date(2024, 2, 29), "2024-02-29"),
    "a time": (datetime(2024, 2, 29, 12, tzinfo=UTC), "2024-02-29T12:00:00+00:00"),
    "a UUID": (uuid.UUID(int=5), "00000000-0000-0000-0000-000000000005"),
    "keys that are no text": (
        {2: "a", None: "b", True: "c", 1.5: "d"},
        {"2": "a", "null": "b", "true": "c", "1.5": "d"},
    ),
}


@pytest.fixture(scope="module")
def nested(store):
    """Each kind alone, beside a null, beside an integer beyond 64 bit, and beside a lone surrogate."""
    rows = [
        {"item": {"v": value, **beside}, "row_key": kind}
        for kind, (value, _) in NESTED.items()
        for beside in ({}, {"n": None}, {"n": 2**64}, {"n": "\ud800"})
    ]
    return read_back(store, *rows)


@pytest.mark.parametrize("kind", NESTED)
def test_values_that_json_does_not_know_are_written_by_their_content_whatever_stands_beside_them(nested, kind):
    _, read = NESTED[kind]
    assert [repr(row.item["v"]) for row in nested if row.row_key == kind] == [repr(read)] * 4


def test_what_is_absent_reads_as_empty_and_what_is_bare_as_value(store):
    absent, bare_values = read_back(store, {}, {"item": 3, "sample": "text", "reference": [1], "metadata": False})
    assert (absent.sample, absent.reference, absent.metadata, absent.requests, absent.tags) == ({}, {}, {}, [], [])
    assert bare_values.item == {"value": 3}
    assert bare_values.sample == {"value": "text"}
    assert bare_values.reference == {"value": [1]}
    assert bare_values.metadata == {"value": False}


@pytest.mark.parametrize(
    "wrong",
    [
        {"suite": ""},
        {"suite": 3},
        {"row_key": ""},
        {"row_key": 1.5},
        {"row_key": True},
        {"cluster": ""},
        {"latency": "fast"},
        {"latency": True},
        {"cost": 10**400},
        {"prompt_tokens": 1.5},
        {"prompt_tokens": -1},
        {"total_tokens": INF},
        {"total_tokens": NAN},
        {"prompt_tokens": 2**63},
        {"row_index": -1},
        {"row_index": 2**63},
        {"repetition": -1},
        {"repetition": 2**31},
        {"started_at": datetime(2024, 1, 1)},  # noqa: DTZ001
    ],
    ids=repr,
)
def test_a_field_that_cannot_be_kept_is_refused(unfinished, wrong):
    with pytest.raises(UsageError, match=next(iter(wrong))):
        unfinished.log(item={"q": 1}, **wrong)


def test_a_row_that_was_refused_is_not_logged(store):
    with store.job(fresh()) as job:
        for wrong in ({"row_key": 1.5}, {"scores": {"m": object()}}, {"prompt_tokens": -1}, {"repetition": -1}):
            with pytest.raises(UsageError):
                job.log(item={"q": 1}, **wrong)
        job.log(item={"q": 2})
    [row] = store.row_scores(job.name)
    assert row.item == {"q": 2}


def test_counts_so_large_that_their_sum_is_not_a_number_do_not_lose_the_job(store):
    rows = [{"row_key": i, "prompt_tokens": 2**62, "completion_tokens": 2**62} for i in range(4)]
    job = logged(store, rows)
    assert [row.prompt_tokens for row in store.row_scores(job)] == [2**62] * 4
    assert store.show(job)["rows_total"] == 4


# Lone surrogates


PLACES: dict[str, dict[str, Any]] = {
    "item": {"item": {"q": "\ud800x"}},
    "a key of the item": {"item": {"\udfff": 1}},
    "sample": {"sample": "\ud800"},
    "reference": {"reference": ["\ud800"]},
    "metadata": {"metadata": {"a": {"b": "\ud800"}}},
    "requests": {"requests": [{"role": "\ud800"}]},
    "row_key": {"row_key": "k\ud800"},
    "cluster": {"cluster": "\ud800"},
    "suite": {"suite": "s\ud800"},
    "error": {"error": "\ud800"},
    "tags": {"tags": ["\ud800"]},
    "metric": {"scores": {"m\ud800": 1}},
    "name": {"scores": {"m": {"value": 1, "name": "\ud800"}}},
    "label": {"scores": {"m": "\ud800"}},
    "label beside a number": {"scores": {"m": {"value": 1, "label": "\ud800"}}},
    "comment": {"scores": {"m": {"value": 1, "comment": "\ud800"}}},
    "error of a score": {"scores": {"m": {"value": 1, "error": "\ud800"}}},
    "correction": {"scores": {"m": {"value": 1, "correction": {"a": "\ud800"}}}},
    "metadata of a score": {"scores": {"m": {"value": 1, "metadata": {"a": "\ud800"}}}},
    "evaluator_info": {"scores": {"m": {"value": 1, "evaluator_info": {"a": "\ud800"}}}},
    "feedback_config": {"scores": {"m": {"value": 1, "feedback_config": {"a": "\ud800"}}}},
    "extra": {"scores": {"m": {"value": 1, "extra": {"a": "\ud800"}}}},
    "source_run_id": {"scores": {"m": {"value": 1, "source_run_id": "\ud800"}}},
    "json label": {"scores": {"m": {"score": 1, "value": {"a": "\ud800"}}}},
}


def test_a_lone_surrogate_is_replaced_and_counted_wherever_it_stands(store):
    counted = {}
    with store.job(fresh()) as job:
        for place, row in PLACES.items():
            before = job.replaced_characters
            job.log(**{"item": {"in": place}, "metadata": {}, **row})
            counted[place] = job.replaced_characters - before
    assert {place: count for place, count in counted.items() if count != 1} == {}
    answer = store.row_scores(job.name)
    scores = answer.to_polars().to_dicts()
    for row in answer:
        assert "\ufffd" in repr(row) + repr([score for score in scores if score["row_key"] == row.row_key])
    assert store.show(job.name)["replaced_characters"] == len(PLACES)


@given(
    st.lists(
        st.text(st.characters(exclude_categories=()), max_size=8) | st.text("\ud83d\ude00a", max_size=8), max_size=8
    )
)
@FIFTH
def test_pairs_of_surrogates_become_the_character_and_lone_ones_the_replacement(store, texts):
    wanted = [without_surrogates(text) for text in texts]
    assume(len({text for text, _ in wanted}) == len(set(texts)))  # keys that become the same are refused
    with store.job(fresh()) as job:
        job.log(item={"q": texts}, sample=dict.fromkeys(texts, 0))
    [row] = store.row_scores(job.name)
    assert row.item["q"] == [text for text, _ in wanted]
    assert row.sample == {text: 0 for text, _ in wanted}
    in_keys = sum(without_surrogates(text)[1] for text in set(texts))
    assert job.replaced_characters == sum(count for _, count in wanted) + in_keys


def without_surrogates(text):
    paired = re.sub(
        "[\ud800-\udbff][\udc00-\udfff]",
        lambda pair: chr(0x10000 + ((ord(pair[0][0]) - 0xD800) << 10) + ord(pair[0][1]) - 0xDC00),
        text,
    )
    return re.subn("[\ud800-\udfff]", "\ufffd", paired)


# Keys, hashes, repetitions


@given(st.lists(st.integers(0, 3), max_size=12))
@FIFTH
def test_exact_duplicates_are_all_kept_and_numbered_in_the_order_of_logging(store, items):
    job = logged(store, [{"item": {"q": item}, "sample": n} for n, item in enumerate(items)])
    rows = sorted(store.row_scores(job), key=lambda row: row.row_index)
    assert [row.item["q"] for row in rows] == items
    assert [row.sample["value"] for row in rows] == list(range(len(items)))
    assert [row.repetition for row in rows] == [items[:n].count(item) for n, item in enumerate(items)]
    assert len({row.row_key for row in rows}) == len(set(items))


def test_the_same_key_in_another_suite_is_another_row(store):
    rows = read_back(store, *({"row_key": "k", "suite": suite} for suite in ("a", "b", "a")))
    assert sorted((row.suite, row.row_key, row.repetition) for row in rows) == [
        ("a", "k", 0),
        ("a", "k", 1),
        ("b", "k", 0),
    ]


def test_key_and_hash_go_by_content_whatever_the_order_of_fields(store):
    frame = store.sql(
        "SELECT row_key, row_hash, repetition FROM rows WHERE job = $job ORDER BY row_index",
        job=logged(
            store,
            [
                {"item": {"a": 1, "b": {"c": 2, "d": 3}}, "reference": {"x": 1, "y": 2}},
                {"item": {"b": {"d": 3, "c": 2}, "a": 1}, "reference": {"y": 2, "x": 1}, "sample": "another"},
                {"item": {"a": 1, "b": {"c": 2, "d": 3}}, "reference": {"x": 1, "y": 3}},
                {"item": {"a": 1, "b": {"c": 2, "d": 4}}, "reference": {"x": 1, "y": 2}},
                {"item": {"a": 1, "b": {"c": 2, "d": 3}}},
            ],
        ),
    )
    keys, hashes = frame["row_key"].to_list(), frame["row_hash"].to_list()
    assert keys[0] == keys[1] == keys[2] == keys[4] != keys[3]
    assert hashes[0] == hashes[1]
    assert len(set(hashes)) == 4
    assert frame["repetition"].to_list() == [0, 1, 2, 0, 3]


def test_a_numbered_row_replaces_one_in_error(store):
    with store.job(fresh()) as job:
        job.log(item={"q": 1}, row_key="a", repetition=0, error="timeout")
        job.log(item={"q": 1}, row_key="a", repetition=0, error="timeout again")
        job.log(item={"q": 1}, row_key="a", repetition=1, scores={"m": 0})
        job.log(item={"q": 1}, row_key="a", repetition=0, scores={"m": 1})
    rows = sorted(store.row_scores(job.name), key=lambda row: row.repetition)
    assert [(row.repetition, row.error, row.metrics["m"][0].value) for row in rows] == [(0, None, 1), (1, None, 0)]
    assert len(store.row_scores(job.name).to_polars()) == 2
    assert store.show(job.name)["rows_error"] == 0


def test_a_numbered_row_that_is_no_error_is_not_replaced(store):
    with store.job(fresh()) as job:
        job.log(item={"q": 1}, row_key="a", repetition=0, scores={"m": 1})
        with pytest.raises(UsageError, match="logged already"):
            job.log(item={"q": 1}, row_key="a", repetition=0, scores={"m": 0})
        with pytest.raises(UsageError, match="logged already"):
            job.log(item={"q": 1}, row_key="a", repetition=0, error="late")
        job.log(item={"q": 1}, row_key="a", repetition=0, suite="other", scores={"m": 0})
    assert [(row.suite, row.metrics["m"][0].value) for row in store.row_scores(job.name)] == [
        ("default", 1),
        ("other", 0),
    ]


def test_a_row_without_a_number_takes_the_next_one_that_is_free(store):
    rows = read_back(
        store,
        {"row_key": "a", "sample": 0},
        {"row_key": "a", "sample": 1, "repetition": 4},
        {"row_key": "a", "sample": 2},
        {"row_key": "b", "sample": 3},
    )
    numbered = {row.sample["value"]: (row.row_key, row.repetition) for row in rows}
    assert numbered == {0: ("a", 5), 1: ("a", 4), 2: ("a", 6), 3: ("b", 0)}


def test_a_job_without_rows_is_a_job(store):
    job = logged(store, [])
    assert list(store.row_scores(job)) == []
    assert len(store.aggregate_scores(job)) == 0
    assert store.show(job)["rows_total"] == 0


# Whole frames

COLUMN_NAMES = ["a", "B", "c d", 'q"', "é", "x.y", "select", "🙂", "\\", "z\n"]
KINDS = {
    pl.String: st.text(max_size=6) | st.sampled_from(["", "\0", "\b\f\n\r\t\x1b\x7f", '"\\/', "é🙂\u2028", "x" * 300]),
    pl.Int64: st.integers(-(2**63), 2**63 - 1) | st.integers(-(2**53), 2**53),
    pl.UInt64: st.integers(0, 2**64 - 1),
    pl.Int8: st.integers(-128, 127),
    pl.Boolean: st.booleans(),
    pl.Float64: st.floats()
    | st.sampled_from([0.1, 1e16, 1e22, 1e-7, 1e-5, 123456789.125, -0.0, SMALLEST, LARGEST, NAN]),
    pl.Float32: st.floats(width=32) | st.sampled_from([0.5, 0.10000000149011612]),
    pl.Null: st.none(),
}
ROW_COLUMNS = {
    "row_key": (pl.String, st.text(min_size=1, max_size=4)),
    "cluster": (pl.String, st.text(min_size=1, max_size=3)),
    "error": (pl.String, st.text(min_size=1, max_size=3)),
    "latency": (pl.Float64, st.floats()),
    "cost": (pl.Float64, st.floats(0, 1)),
    "prompt_tokens": (pl.Int64, st.integers(0, 2**40)),
    "completion_tokens": (pl.Int32, st.integers(0, 1000)),
}
FORMS = {
    "polars": lambda frame: frame,
    "lazy": lambda frame: frame.lazy(),
    "arrow": lambda frame: frame.to_arrow(),
    "pandas": lambda frame: frame.to_pandas(use_pyarrow_extension_array=True),
    "dicts": lambda frame: frame.to_dicts(),
}


@st.composite
def recordings(draw):
    """A frame, and which of its columns are what."""
    height = draw(st.integers(0, 5))
    columns = []
    roles: dict[str, list[str]] = {"scores": [], "item": [], "sample": [], "reference": [], "metadata": []}
    names = draw(st.lists(st.sampled_from(COLUMN_NAMES), min_size=2, max_size=6, unique=True))
    parts = ["scores", *draw(st.lists(st.sampled_from(list(roles)), min_size=5, max_size=5))]
    for name, part in zip(names, parts, strict=False):
        kind = draw(st.sampled_from(list(KINDS)))
        columns.append(column(draw, name, kind, KINDS[kind], height))
        roles[part].append(name)
    fields = draw(st.lists(st.sampled_from(list(ROW_COLUMNS)), unique=True, max_size=3))
    columns += [column(draw, f"the {field}", *ROW_COLUMNS[field], height) for field in fields]
    return pl.DataFrame(columns), roles, {field: f"the {field}" for field in fields}


def column(draw, name, kind, values, height):
    return pl.Series(name, draw(st.lists(values | st.none(), min_size=height, max_size=height)), dtype=kind)


@given(recordings(), st.sampled_from(list(FORMS)))
@THIRD
def test_a_recorded_frame_is_what_logging_its_rows_gives(store, recording, form):
    frame, roles, fields = recording
    if form == "pandas":  # which takes NaN for missing
        frame = frame.with_columns(pl.selectors.float().fill_nan(None))
    if form == "dicts" and frame.is_empty():
        frame = frame.head(0)
    job = recorded(store, FORMS[form](frame), columns=fields, **roles)
    check_same_rows(store, job, logged(store, rows_of(frame, roles, fields)))


def rows_of(frame, roles, fields):
    for line in frame.to_dicts():
        parts = {part: {name: line[name] for name in names} for part, names in roles.items()}
        row = {part: held or None for part, held in parts.items()}
        yield {**row, "item": parts["item"], **{field: line[name] for field, name in fields.items()}}


def check_same_rows(store, left, right):
    for view, order in (("rows", "row_index"), ("row_scores", "row_index, metric, name, score_index")):
        query = f"SELECT * EXCLUDE (job, job_id) FROM {view} WHERE job = $job ORDER BY {order}"
        assert_frame_equal(store.sql(query, job=left), store.sql(query, job=right), check_exact=True)


def recorded(store, frame, **columns):
    """The name of a new job with the rows of this frame."""
    job = fresh("recorded")
    store.record(job, frame, **columns)
    return job


def files_of(store, job):
    """Rows and scores of a job, line by line as they stand in its files."""
    folder = store.root / "jobs" / "default" / job
    return [
        pl.read_parquet(next(folder.glob(f"{kind}-*.parquet")), hive_partitioning=False).drop("job_id")
        for kind in ("rows", "scores")
    ]


DECLARED = {
    "z": {"rubric": [{"label": "low", "value": 0}, {"label": "high", "value": 1}]},
    "b": {"threshold": 3, "higher_is_better": False},
    "é": {"higher_is_better": False},
    "B": {"rubric": [{"label": "none", "value": 0}, {"label": "half", "value": 0.5}]},
}


@pytest.mark.parametrize("keyed", [True, False])
def test_a_frame_of_distinct_keys_makes_the_very_files_of_the_general_way(store, keyed, monkeypatch):
    """Line by line, beyond the size at which DuckDB begins to write with several threads."""
    count = 130_000
    places = pl.int_range(count, eager=True)
    frame = pl.DataFrame(
        {
            "n": places,
            "id": "key " + (places * 7919 % count).cast(pl.String),
            "z": pl.Series(["low", "high", "other", "", None]).gather(places % 5),
            "b": pl.Series([1.0, 5.0, NAN, math.inf, None]).gather(places % 5),
            "é": places % 3 == 0,
            "B": pl.Series([0.0, 0.5, 0.25, None]).gather(places % 4),
            "a": pl.Series([None, 4, 5]).gather(places % 3),
            "latency": places / 7,
            "in": places % 11,
            "out": pl.Series([None, 3]).gather(places % 2),
        }
    )
    fields = {"latency": "latency", "prompt_tokens": "in", "completion_tokens": "out"}
    said = {
        "scores": {"z": "z", "b": "b", "é": "é", "B": "B", "a": "a"},
        "item": ["n"],
        "reference": ["z"],
        "columns": {**fields, "row_key": "id"} if keyed else fields,
        "metrics": DECLARED,
    }
    quick = recorded(store, frame, **said)
    made = bulk.frame_rows

    def not_known_to_be_distinct(*given):
        rows, replaced = made(*given)
        assert rows.are_distinct
        return dataclasses.replace(rows, are_distinct=False), replaced

    monkeypatch.setattr(bulk, "frame_rows", not_known_to_be_distinct)
    general = recorded(store, frame, **said)
    for left, right in zip(files_of(store, quick), files_of(store, general), strict=True):
        assert_frame_equal(left, right, check_exact=True)
    document, other = store.show(quick), store.show(general)
    assert document["suites"] == other["suites"]
    assert store.aggregate_scores(quick).to_polars().equals(store.aggregate_scores(general).to_polars())


def test_all_columns_that_nothing_else_uses_make_up_the_item(store):
    frame = pl.DataFrame({"q": ["a", "b"], "n": [1, None], "ok": [True, False], "id": ["x", "y"], "cat": ["c", "d"]})
    job = recorded(store, frame, scores={"correct": "ok"}, metadata={"category": "cat"}, columns={"row_key": "id"})
    rows = list(store.row_scores(job))
    assert [row.item for row in rows] == [{"q": "a", "n": 1}, {"q": "b", "n": None}]
    assert [row.metadata for row in rows] == [{"category": "c"}, {"category": "d"}]
    assert [row.row_key for row in rows] == ["x", "y"]
    assert [row.metrics["correct"][0].value for row in rows] == [True, False]


@pytest.mark.parametrize("form", [form for form in FORMS if form != "dicts"])
def test_a_frame_with_nothing_left_for_the_item_is_what_logging_its_rows_gives(store, form):
    frame = pl.DataFrame({"ok": [True, False], "id": ["x", None]})
    job = recorded(store, FORMS[form](frame), scores=["ok"], columns={"row_key": "id"})
    rows = [{"item": {}, "scores": {"ok": ok}, "row_key": key} for ok, key in frame.iter_rows()]
    check_same_rows(store, job, logged(store, rows))


def test_a_single_precision_column_of_the_item_is_what_logging_its_rows_gives(store):
    frame = pl.DataFrame({"temperature": pl.Series([0.1, 0.7, None], dtype=pl.Float32), "ok": [1, 0, 1]})
    job = recorded(store, frame, scores=["ok"])
    rows = [{"item": {"temperature": t}, "scores": {"ok": ok}} for t, ok in frame.iter_rows()]
    check_same_rows(store, job, logged(store, rows))


def test_a_pandas_frame_takes_nan_for_missing(store):
    frame = pd.DataFrame({"q": ["a", "b", None], "ok": [1.0, np.nan, 0.0], "n": [1, 2, 3]})
    job = recorded(store, frame, scores=["ok"], item=["q", "n"])
    rows = list(store.row_scores(job))
    assert [row.metrics["ok"][0].value for row in rows] == [1.0, None, 0.0]
    assert [row.item for row in rows] == [{"q": "a", "n": 1}, {"q": "b", "n": 2}, {"q": None, "n": 3}]


def test_nested_and_dated_columns_are_recorded_too(store):
    frame = pl.DataFrame(
        {
            "q": [{"text": "a", "tags": ["x"]}, {"text": "b", "tags": []}],
            "day": [date(2024, 1, 1), None],
            "price": pl.Series([Decimal("1.10"), None], dtype=pl.Decimal(10, 2)),
            "kind": pl.Series(["low", "high"], dtype=pl.Categorical),
            "score": [Decimal("0.5"), None],
        }
    )
    job = recorded(store, frame, scores=["score", "kind"])
    first, second = store.row_scores(job)
    assert first.item["q"] == {"text": "a", "tags": ["x"]}
    assert first.item["day"] == "2024-01-01"
    assert second.item["day"] is None
    assert [row.metrics["score"][0].value for row in (first, second)] == [0.5, None]
    assert [row.metrics["kind"][0].value for row in (first, second)] == ["low", "high"]


def test_exact_duplicates_in_a_frame_are_all_kept(store):
    job = recorded(store, pl.DataFrame({"q": ["a", "a", "b", "a"], "ok": [1, 1, 1, 1]}), scores=["ok"])
    assert [(row.item["q"], row.repetition) for row in store.row_scores(job)] == [
        ("a", 0),
        ("a", 1),
        ("b", 0),
        ("a", 2),
    ]


WRONG_COLUMNS = {
    "a key that is a fraction": ("row_key", [1.5, 2.5]),
    "a key that is empty": ("row_key", ["", "a"]),
    "a key that is a boolean": ("row_key", [True, False]),
    "a cluster that is empty": ("cluster", ["", "a"]),
    "a latency that is a boolean": ("latency", [True, False]),
    "a latency that is text": ("latency", ["1.5", "2.5"]),
    "a count that is a fraction": ("prompt_tokens", [1.5, 2]),
    "a count below zero": ("prompt_tokens", [-1, 2]),
    "a count that is a boolean": ("prompt_tokens", [True, False]),
    "a repetition below zero": ("repetition", [-1, 0]),
    "a repetition twice": ("repetition", [0, 0]),
}


@pytest.mark.parametrize("form", ["polars", "dicts"])
@pytest.mark.parametrize("wrong", WRONG_COLUMNS)
def test_a_frame_is_refused_for_what_log_refuses_and_leaves_no_job(store, wrong, form):
    field, values = WRONG_COLUMNS[wrong]
    frame = pl.DataFrame({"q": ["same", "same"], "ok": [1, 0], "it": values}, strict=False)
    job = fresh()
    with pytest.raises(UsageError, match=field if wrong != "a repetition twice" else "logged already"):
        store.record(job, FORMS[form](frame), scores=["ok"], item=["q"], columns={field: "it"})
    assert not store.has_job(job)


def test_a_numbered_row_of_a_frame_replaces_one_in_error_only(store):
    frame = pl.DataFrame({"q": ["a"] * 3, "n": [0, 1, 0], "why": ["timeout", None, None], "ok": [None, True, False]})
    job = recorded(store, frame, scores=["ok"], item=["q"], columns={"repetition": "n", "error": "why"})
    rows = {row.repetition: row.metrics["ok"][0].value for row in store.row_scores(job)}
    assert rows == {0: False, 1: True}


def test_columns_that_are_not_there_are_named_and_the_name_of_the_job_stays_free(store):
    job, rows = fresh(), [{"q": 1, "ok": True}]
    with pytest.raises(UsageError, match=r"'okay'.*did you mean ok"):
        store.record(job, rows, scores=["okay"])
    with pytest.raises(UsageError, match="no field 'seconds'"):
        store.record(job, rows, scores=["ok"], columns={"seconds": "q"})
    store.record(job, rows, scores=["ok"])


def test_a_store_whose_only_job_was_refused_can_be_asked(tmp_path):
    with evalstore.open(tmp_path / "evals") as store:
        with pytest.raises(UsageError):
            store.record("job", [{"q": 1, "ok": True}], scores=["okay"])
        assert not store.has_job("job")
        assert store.jobs().is_empty()


# The job itself


SAID = st.fixed_dictionaries(
    {
        "config": JSON,
        "metadata": JSON,
        "labels": st.dictionaries(TEXTS, TEXTS, max_size=3),
        "tags": st.lists(TEXTS, max_size=3),
        "group": st.none() | TEXTS,
    }
)


@given(SAID)
@FIFTH
def test_what_is_said_of_a_job_comes_back(store, said):
    shown = store.show(logged(store, [], **said))
    for field in ("config", "metadata"):
        assert same(shown[field], as_read(said[field]))
    assert dict(shown["labels"]) == said["labels"]
    assert shown["tags"] == sorted(set(said["tags"]))
    assert shown["group"] == said["group"]


REFERENCES = st.text(string.ascii_letters + string.digits + "._- é'/", min_size=1, max_size=12).filter(
    lambda t: "/" not in t
)


@given(REFERENCES, REFERENCES, st.sampled_from(["", "Instruct-v0.1", "a/b"]))
@FIFTH
def test_a_bare_reference_means_the_default_workspace(store, dataset, model, rest):
    job = logged(store, [], dataset=dataset, model=f"{model}/{rest}" if rest else model)
    shown = store.show(job)
    assert shown["dataset"] == f"default/{dataset}"
    assert shown["model"] == (f"{model}/{rest}" if rest else f"default/{model}")


def test_rows_are_the_same_however_often_the_answer_is_walked(store):
    answer = store.row_scores(logged(store, [{"row_key": i, "scores": {"m": i}} for i in range(3)]))
    first, second = list(answer), list(answer)
    assert first == second
    assert len(answer) == 3
    assert [row.row_key for row in itertools.chain(first)] == ["0", "1", "2"]


def test_an_answer_shows_its_table(store):
    store.record(name := fresh(), [{"q": 1, "right": True}], scores=["right"])
    for answer in (store.aggregate_scores(name), store.row_scores(name)):
        assert repr(answer).startswith(f"{type(answer).__name__}, shape: (1, ")
        assert "│ suite" in repr(answer) or "┆ suite" in repr(answer)
        assert "<table" in answer._repr_html_()
