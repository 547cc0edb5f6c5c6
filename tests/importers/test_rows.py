"""The general importer: records and a mapping become what `job.log()` takes."""

import gzip
import json
import math
import random
from pathlib import Path

import pytest

from evalstore.errors import BrokenInput
from evalstore.importers.paths import parse_mapping, parse_path
from evalstore.importers.rows import RowMapping, logged_rows

GSM8K = Path(__file__).parents[2].parent / "shared/data/gsm8k/example_model_solutions.jsonl"
KEYS = {
    *("item", "sample", "reference", "scores", "row_key", "suite", "cluster", "metadata"),
    *("latency", "cost", "prompt_tokens", "completion_tokens", "repetition", "error"),
}


def named(*texts):
    return dict(map(parse_mapping, texts))


def mapping(**fields):
    """A mapping in short: lists of NAME=PATH, paths, and the suite."""
    for name, value in fields.items():
        if name != "suite":
            fields[name] = parse_path(value) if isinstance(value, str) else named(*value)
    return RowMapping(**fields)


@pytest.fixture
def write(tmp_path):
    def write(*records, name="rows.jsonl"):
        path = tmp_path / name
        lines = [record if isinstance(record, str) else json.dumps(record) for record in records]
        path.write_text("\n".join(lines) + "\n")
        return path

    return write


def rows_of(path, *, skip_bad_rows=False, **fields):
    return list(logged_rows(path, mapping(**fields), skip_bad_rows=skip_bad_rows))


def refusal(path, **fields):
    with pytest.raises(BrokenInput) as caught:
        rows_of(path, **fields)
    assert caught.value.file == path
    return caught.value


def test_every_field_lands_under_the_keyword_of_log(write):
    record = {
        "id": 7,
        "q": {"text": "1+1?", "kind": "sum"},
        "gold": 2,
        "out": [{"text": "2"}],
        "right": True,
        "rouge": 0.5,
        "topic": "math",
        "page": "p1",
        "secs": 0.8,
        "usd": 0.0004,
        "in": 212,
        "made": 95.0,
        "oops": "late",
        "run": 1,
    }
    [row] = rows_of(
        write(record),
        item=["question=q.text"],
        reference=["answer=gold"],
        sample=["output=out[0].text"],
        scores=["exact=right", "rouge"],
        metadata=["topic"],
        row_key="id",
        suite="arithmetic",
        cluster="page",
        latency="secs",
        cost="usd",
        prompt_tokens="in",
        completion_tokens="made",
        error="oops",
        repetition="run",
    )
    assert row == {
        "item": {"question": "1+1?"},
        "reference": {"answer": 2},
        "sample": {"output": "2"},
        "scores": {"exact": True, "rouge": 0.5},
        "metadata": {"topic": "math"},
        "row_key": "7",
        "suite": "arithmetic",
        "cluster": "p1",
        "latency": 0.8,
        "cost": 0.0004,
        "prompt_tokens": 212,
        "completion_tokens": 95,
        "error": "late",
        "repetition": 1,
    }
    assert set(row) == KEYS
    assert type(row["completion_tokens"]) is int


def test_what_is_not_mapped_is_none(write):
    [row] = rows_of(write({"q": 1}), item=["q"])
    assert {key for key, value in row.items() if value is not None} == {"item", "suite"}
    assert row["suite"] == "default"


def test_without_item_the_item_is_what_is_not_used_elsewhere(write):
    record = {"id": 1, "q": "?", "m": {"right": True, "text": "x"}, "n": {"right": False, "text": "y"}, "secs": 1}
    fields = {"scores": ["m.right"], "sample": ["m.text"], "row_key": "id", "latency": "secs"}
    [row] = rows_of(write(record), **fields)
    assert row["item"] == {"q": "?", "n": {"right": False, "text": "y"}}


def test_an_item_of_which_nothing_is_left_needs_a_row_key(write):
    path = write({"id": 1, "right": True})
    assert rows_of(path, scores=["right"], row_key="id")[0]["item"] == {}
    assert refusal(write({"right": True}), scores=["right"]).problem.startswith("no field is left to be the item")
    assert refusal(write({"id": None}), row_key="id").line == 1


@pytest.mark.parametrize(
    "score", [1, 0.5, True, "label", None, {"value": 1, "comment": "c"}, [{"name": "a", "score": 1}]]
)
def test_a_score_passes_as_it_is(write, score):
    [row] = rows_of(write({"q": 1, "s": score}), item=["q"], scores=["s"])
    assert row["scores"] == {"s": score}
    assert type(row["scores"]["s"]) is type(score)


def test_nan_and_infinity_are_scores(write):
    rows = rows_of(write('{"q":1,"s":NaN}', '{"q":1,"s":-Infinity}', '{"q":1,"s":1}'), item=["q"], scores=["s"])
    assert math.isnan(rows[0]["scores"]["s"])
    assert rows[1]["scores"]["s"] == -math.inf


def test_row_keys_are_text_or_integers_and_may_come_again(write):
    path = write({"k": "a"}, {"k": 7}, {"k": "a"}, {"k": 2**70}, {"k": None})
    rows = rows_of(path, item=["k"], row_key="k")
    assert [row["row_key"] for row in rows] == ["a", "7", "a", str(2**70), None]


def test_nulls_are_not_there_and_never_an_error(write):
    names = ("cluster", "latency", "cost", "prompt_tokens", "completion_tokens", "error", "repetition", "row_key")
    record = dict.fromkeys((*names, "q", "s"))
    [row] = rows_of(write(record), item=["q"], scores=["s"], **{name: name for name in names})
    assert (row["item"], row["scores"]) == ({"q": None}, {"s": None})
    assert all(row[name] is None for name in names)


def test_nan_is_no_measurement_and_an_empty_text_no_error(write):
    [row] = rows_of(
        write('{"q": 1, "l": NaN, "t": NaN, "e": ""}'), item=["q"], latency="l", prompt_tokens="t", error="e"
    )
    assert (row["latency"], row["prompt_tokens"], row["error"]) == (None, None, None)


# Bad input


@pytest.mark.parametrize(
    "fields",
    [
        {"item": ["m.x"]},
        {"reference": ["m.x"]},
        {"sample": ["m.x"]},
        {"scores": ["m.x"]},
        {"metadata": ["m.x"]},
        *({name: "m.x"} for name in ("row_key", "cluster", "latency", "cost", "error", "repetition", "prompt_tokens")),
    ],
)
def test_a_missing_path_names_file_line_and_field_and_what_there_is(write, fields):
    path = write({"q": 1, "m": {"x": None}}, {"q": 1, "m": {"y": 1}})
    problem = refusal(path, **{"item": ["q"], **fields})
    assert str(problem) == f"{path}:2: field 'm.x': no such field; 'm' has: y"


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("row_key", 1.5, "must be text, an integer or null, not 1.5"),
        ("row_key", True, "must be text, an integer or null, not true"),
        ("row_key", "", 'must be text, an integer or null, not ""'),
        ("row_key", {"a": 1}, "must be text, an integer or null, not an object"),
        ("row_key", [1], "must be text, an integer or null, not a list"),
        ("cluster", 0.5, "must be text, an integer or null, not 0.5"),
        ("latency", "0.8s", 'must be a number from 0 up or null, not "0.8s"'),
        ("latency", -1, "must be a number from 0 up or null, not -1"),
        ("latency", math.inf, "must be a number from 0 up or null, not Infinity"),
        ("cost", True, "must be a number from 0 up or null, not true"),
        ("cost", {"usd": 1}, "must be a number from 0 up or null, not an object"),
        ("prompt_tokens", 1.5, "must be an integer from 0 up or null, not 1.5"),
        ("completion_tokens", "95", 'must be a number from 0 up or null, not "95"'),
        ("repetition", -1, "must be a number from 0 up or null, not -1"),
        ("error", False, "must be text or null, not false"),
        ("error", {"type": "x"}, "must be text or null, not an object"),
        ("error", 10**70, f"must be text or null, not 1{'0' * 59}..."),
    ],
)
def test_a_value_of_the_wrong_type_names_file_line_and_field(write, field, value, message):
    path = write({"q": 1, "f": None}, {"q": 1, "f": value})
    assert str(refusal(path, item=["q"], **{field: "f"})) == f"{path}:2: field 'f': {message}"


@pytest.mark.parametrize(
    ("scores", "bad", "problem"),
    [
        ([0.5, "high", {"x": 1}], 2, "the score is text, while on line 1 it is a number"),
        (["high", None, 1], 3, "the score is a number, while on line 1 it is text"),
        ([True, False, "yes"], 3, "the score is text, while on line 1 it is a number"),
        ([None, {"value": 1}, 1], 3, "the score is a number, while on line 2 it is an object"),
        ([{"value": 1}, [1]], 2, "the score is a list, while on line 1 it is an object"),
    ],
)
def test_scores_of_mixed_types_name_both_types_and_both_lines(write, scores, bad, problem):
    path = write(*({"q": 1, "s": score} for score in scores))
    assert str(refusal(path, item=["q"], scores=["m=s"])) == f"{path}:{bad}: field 's': mixed types: {problem}"


def test_booleans_numbers_and_nulls_are_one_type_of_score(write):
    scores = [None, True, 0, 1, 0.5, None, False]
    rows = rows_of(write(*({"q": 1, "s": score} for score in scores)), item=["q"], scores=["s"])
    assert [row["scores"]["s"] for row in rows] == scores


def test_a_broken_line_and_a_missing_file_are_refused_by_default(write, tmp_path):
    problem = refusal(write({"q": 1}, '{"q": '), item=["q"])
    assert (problem.line, "is cut off" in str(problem)) == (2, True)
    assert "no such file" in str(refusal(tmp_path / "none.jsonl"))


@pytest.mark.parametrize(("name", "text"), [("a.csv", "a,b\n"), ("a.json", "[]")])
def test_a_file_without_a_row_is_refused(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text)
    assert str(refusal(path, item=["a"])) == f"{path}: holds no rows"
    with pytest.raises(BrokenInput, match="holds no rows"):
        rows_of(path, item=["a"], skip_bad_rows=True)


def test_skipped_bad_rows_become_rows_in_error_in_their_place(write):
    cut = '{"q": "' + "x" * 2000
    path = write({"q": 1, "s": 1}, cut, {"s": 1}, {"q": 2, "s": "high"}, {"q": 3, "s": 0}, "[1]")
    rows = rows_of(path, item=["q"], scores=["s"], suite="mine", skip_bad_rows=True)
    assert [row["item"].get("q") for row in rows] == [1, None, None, None, 3, None]
    assert rows[1] == {
        "item": {"line": 2, "text": cut[:1000]},
        "row_key": "line 2",
        "suite": "mine",
        "error": f"BrokenInput: {path}:2: is cut off: unterminated string starting at column 7",
    }
    assert rows[2]["item"] == {"line": 3, "text": '{"s": 1}'}
    assert rows[2]["error"] == f"BrokenInput: {path}:3: field 'q': no such field; this record has: s"
    assert "mixed types: the score is text, while on line 1 it is a number" in rows[3]["error"]
    assert rows[5]["item"] == {"line": 6, "text": "[1]"}


def test_a_bad_row_does_not_decide_the_type_of_a_score(write):
    path = write({"q": 1, "l": "slow", "s": "high"}, {"q": 1, "l": 1, "s": 0.5})
    rows = rows_of(path, item=["q"], latency="l", scores=["s"], skip_bad_rows=True)
    assert ["error" in row and row["error"] is not None for row in rows] == [True, False]


def test_a_file_of_bad_rows_only_is_rows_in_error(write):
    assert [row["row_key"] for row in rows_of(write("x", "y"), skip_bad_rows=True)] == ["line 1", "line 2"]


@pytest.mark.parametrize("content", [b"", gzip.compress(b'{"q": 1}\n' * 1000)[:12]], ids=["empty", "no line"])
def test_a_file_of_which_nothing_can_be_read_is_refused_although_bad_rows_are_skipped(tmp_path, content):
    path = tmp_path / "rows.jsonl.gz"
    path.write_bytes(content)
    with pytest.raises(BrokenInput):
        rows_of(path, item=["q"], skip_bad_rows=True)


def test_a_csv_row_in_error_shows_its_own_lines(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text('q,s\n"a\nb",1,2\nc,3\n')
    rows = rows_of(path, item=["q"], scores=["s"], skip_bad_rows=True)
    assert rows[0]["item"] == {"line": 2, "text": '"a\nb",1,2'}
    assert rows[1]["item"] == {"q": "c"}


# The real file


@pytest.mark.skipif(
    not GSM8K.exists(), reason="the GSM8K solutions of openai/grade-school-math are not beside the project"
)
@pytest.mark.parametrize(
    ("model", "accuracy"),
    [
        ("6b_finetuning", 0.2168),
        ("6b_verification", 0.3904),
        ("175b_finetuning", 0.3472),
        ("175b_verification", 0.5625),
    ],
)
def test_the_real_solutions_of_four_models_have_their_known_accuracy(model, accuracy):
    rows = rows_of(
        GSM8K,
        item=["question=question"],
        reference=["answer=ground_truth"],
        sample=[f"solution={model}.solution"],
        scores=[f"is_correct={model}.is_correct"],
    )
    assert len(rows) == 1319
    assert sum(row["scores"]["is_correct"] for row in rows) / len(rows) == pytest.approx(accuracy, abs=5e-5)
    assert all(row["sample"]["solution"] and row["item"]["question"] for row in rows)


@pytest.mark.parametrize(
    ("score", "said"),
    [("9" * 400, "does not fit a double"), ('{"foo": 1}', "no field 'foo'"), ('{"passed": 3}', "passed is")],
)
def test_a_score_that_is_none_names_file_and_line_and_can_be_skipped(tmp_path, score, said):
    path = tmp_path / "rows.jsonl"
    path.write_text(f'{{"q": 1, "s": {score}}}\n{{"q": 2, "s": 1}}\n')
    mapping = RowMapping(scores={"s": parse_path("s")})
    with pytest.raises(BrokenInput, match=rf"rows\.jsonl:1: .*{said}"):
        list(logged_rows(path, mapping))
    bad, good = logged_rows(path, mapping, skip_bad_rows=True)
    assert said in bad["error"]
    assert good["scores"] == {"s": 1}


@pytest.mark.parametrize("name", ["cut.json", "cut.jsonl.gz"])
def test_what_was_read_before_a_file_breaks_off_is_kept_where_bad_rows_are_skipped(tmp_path, name):
    lines = [json.dumps({"q": number, "s": 1, "noise": random.Random(number).random()}) for number in range(20_000)]
    whole = ("[" + ",".join(lines) + "]").encode() if name == "cut.json" else gzip.compress("\n".join(lines).encode())
    path = tmp_path / name
    path.write_bytes(whole[: len(whole) // 2])
    mapping = RowMapping(scores={"s": parse_path("s")})
    with pytest.raises(BrokenInput):
        list(logged_rows(path, mapping))
    rows = list(logged_rows(path, mapping, skip_bad_rows=True))
    assert len(rows) > 1000
    assert [bool(row.get("error")) for row in rows] == [False] * (len(rows) - 1) + [True]
