"""What is asked of the rows and scores of one job: conditions on them, and words that are wrong."""

import math

import numpy as np
import pytest
from click.testing import CliRunner

import evalstore
from evalstore import errors
from evalstore.cli.app import evalstore as program

VALUES = [-0.5, 0.0, 7.0, math.inf, -math.inf, math.nan, None, "good", "bad"]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with evalstore.open(tmp_path_factory.mktemp("rows") / "evals") as store:
        with store.job("job") as job:
            for number, value in enumerate(VALUES):
                colons = {"a:b": [{"name": "c", "value": number}, {"name": 'd"e:f', "value": -number}]}
                job.log(
                    item={"code": f"{number}x" if number else "12"}, row_key=number, scores={"m": value, **colons},
                    suite="default",
                )  # fmt: skip
            job.log(item={"q": 1}, scores={"n": 1.0}, suite="other", row_key="other")
            job.log(item={"q": 2}, error="broke", suite="broken", row_key="broken")
        with store.job("plain") as job:
            job.log(item={"q": 1}, scores={"a": [{"name": "b:c", "value": 1}]})
        yield store


def found(store, where, **more):
    return [VALUES[int(row.row_key)] for row in store.row_scores("job", where=where, suite="default", **more)]


@pytest.mark.parametrize(
    ("where", "wanted"),
    [
        ("m > 0", [7.0, math.inf]),
        ("m >= -0.5", [-0.5, 0.0, 7.0, math.inf]),
        ("m < 1", [-0.5, 0.0, -math.inf]),
        ("m > -inf", [-0.5, 0.0, 7.0, math.inf]),
        ("m <= -Infinity", [-math.inf]),
        ("m < inf", [-0.5, 0.0, 7.0, -math.inf]),
        ("m = Infinity", [math.inf]),
        ("m = inf", [math.inf]),
        ("m = -inf", [-math.inf]),
        ("m > nan", []),
        ("m <= NaN", []),
        ("m = good", ["good"]),
        ("m > 'c'", ["good"]),
        ("m ~ OO", ["good"]),
        ('"a:b":c = 1', [0.0]),
        ('"a:b" : "c" = 1', [0.0]),
        ('"a:b":"d""e:f" = -2', [7.0]),
        ('score."a:b":c >= 7', ["good", "bad"]),
        ("a:b = 1", [0.0]),
        ("item.code < 13", [-0.5]),
        ("item.code = 12", [-0.5]),
    ],
)
def test_conditions_find_what_they_say(store, where, wanted):
    assert found(store, where) == wanted


@pytest.mark.parametrize("nan", ["NaN", "nan", "NAN"])
def test_nan_is_found_however_it_is_written(store, nan):
    [value] = found(store, f"m = {nan}")
    assert math.isnan(value)
    assert len(found(store, f"m != {nan}")) == len(VALUES) - 2  # nothing is said of what is missing


def test_a_name_with_a_colon_needs_no_quotes_where_the_metric_has_none(store):
    assert len(store.row_scores("plain", where=["a:b:c = 1", 'a:"b:c" = 1'])) == 1


@pytest.mark.parametrize(
    ("question", "kind", "message"),
    [
        ({"suite": "nope"}, errors.UnknownField, "no suite 'nope'; there are: broken, default, other"),
        ({"metric": "nope"}, errors.UnknownField, "no metric 'nope'; there are: a:b, m, n"),
        ({"metric": "n", "suite": "default"}, errors.UnknownField, "no metric 'n' in suite 'default'"),
        ({"metric": 5}, errors.UsageError, "metric is a name, not 5"),
        ({"suite": 5}, errors.UsageError, "suite is a name, not 5"),
        ({"order": "x"}, errors.UsageError, "order is one of worst, best, not 'x'"),
        ({"limit": -1}, errors.UsageError, "limit is a whole number from 0 up, not -1"),
        ({"limit": 1.5}, errors.UsageError, "limit is a whole number"),
        ({"limit": "2"}, errors.UsageError, "limit is a whole number"),
        ({"limit": True}, errors.UsageError, "limit is a whole number"),
        ({"where": 5}, errors.InvalidCondition, "where is a condition"),
        ({"where": [5]}, errors.InvalidCondition, "5 is no condition"),
        ({"columns": "item"}, errors.UsageError, "columns is a list of parts"),
        ({"columns": 5}, errors.UsageError, "columns is a list of parts"),
        ({"columns": [5]}, errors.UnknownField, "a row has no part 5"),
    ],
)
def test_a_question_for_rows_that_is_wrong_is_an_error(store, question, kind, message):
    with pytest.raises(kind, match=message):
        store.row_scores("job", **question)
    if question.keys() <= {"metric", "suite"}:
        with pytest.raises(kind, match=message):
            store.aggregate_scores("job", **question)


def test_what_is_right_is_answered(store):
    assert len(store.row_scores("job", limit=10**30)) == len(VALUES) + 2
    assert len(store.row_scores("job", limit=np.int64(2), columns=iter(["item"]))) == 2
    assert len(store.row_scores("job", limit=0)) == 0
    assert len(store.row_scores("job", suite="broken")) == 1
    assert len(store.aggregate_scores("job", suite="broken")) == 0
    assert [score.metric for score in store.aggregate_scores("job", suite="other", metric="n").scores] == ["n"]


@pytest.mark.parametrize("command", ["rows", "show"])
def test_the_command_line_says_what_is_wrong(store, command):
    done = CliRunner().invoke(program, ["--store", str(store.root), command, "job", "--suite", "nope"])
    assert (done.exit_code, done.stdout) == (2, "")
    assert "no suite 'nope'; there are: broken, default, other" in done.stderr
