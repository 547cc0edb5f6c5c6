"""Rows of NeMo Evaluator, in and out: what could be lost on the way, and what is broken in them."""

import json
import math

import pytest

from evalstore import errors
from evalstore.compat import nemo


def line(metrics, **more):
    return {"row_index": 0, "item": {"q": 1}, "sample": {}, "metrics": metrics, "requests": [], "metric_errors": None,
            **more}  # fmt: skip


def put(folder, *lines, told=None):
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "job.row-scores.jsonl"
    file.write_text("".join(f"{one if isinstance(one, str) else json.dumps(one)}\n" for one in lines))
    if told is not None:
        (folder / "job.aggregate-scores.json").write_text(json.dumps({"scores": told}))
    return file


def entry(name, value):
    return {"name": name, "value": value}


# There and back


def test_scores_of_one_name_come_back_each_as_it_was(store, tmp_path):
    given = [
        [{"name": "x", "value": 1}, {"name": "x", "value": 2}],
        [{"name": "x", "label": "a"}, {"name": "x", "value": 2.5}, {"name": "x", "value": 3, "label": "b"}],
        [{"name": "x", "value": math.nan}, {"name": "x", "label": "a"}, {"name": "y", "label": "only"}],
        [{"name": "x", "value": None}, {"name": "x", "value": 7}],
    ]
    with store.job("before") as job:
        for number, scores in enumerate(given):
            job.log(item={"q": number}, scores={"m": scores})
    [rows, _] = store.export(["before"], "nemo", to=tmp_path)
    store.import_from("nemo", rows, job="after")
    before, after = (
        [[(one.name, repr(one.value), one.label) for one in row.metrics["m"]] for row in store.row_scores(name)]
        for name in ("before", "after")
    )
    assert after == before
    [x] = [one for one in store.aggregate_scores("after").scores if one.name == "x"]
    assert (x.count, x.mean) == (5, (1 + 2 + 2.5 + 3 + 7) / 5)


def test_a_label_may_stand_before_its_number_or_as_a_value(store, tmp_path):
    metrics = {"m": [entry("x.label", "good"), entry("x", 1.0), entry("y", 2.0), entry("y", "two")]}
    store.import_from("nemo", put(tmp_path, line(metrics)))
    [row] = store.row_scores("job")
    assert [(one.name, one.value, one.label) for one in row.metrics["m"]] == [
        ("x", 1.0, "good"), ("y", 2.0, None), ("y", "two", "two"),
    ]  # fmt: skip


def test_what_has_no_place_in_a_row_of_ours_comes_back_too(store, tmp_path):
    lines = [
        line({"m": [entry("m", 1.0)]}, row_index=None, metric_errors={"m": "late"}, trace_id="t-1", timing={"s": 0.5}),
        line({"m": [entry("m", "NaN")]}, row_index=1, metric_errors={"m": "no answer"}),
        line({"m": [entry("m", 0.5)]}, row_index=2),
    ]
    store.import_from("nemo", put(tmp_path / "in", *lines))
    [rows, _] = store.export(["job"], "nemo", to=tmp_path / "out")
    assert [json.loads(one) for one in rows.read_text().splitlines()] == lines
    first, second, _ = store.row_scores("job")
    further = {"trace_id": "t-1", "timing": {"s": 0.5}}
    assert first.metadata == {"row_index": None, "metric_errors": {"m": "late"}, **further}
    assert (first.metrics["m"][0].status, second.metrics["m"][0].status) == ("scored", "error")
    download = nemo.Client(store.root).evaluation.metric_jobs.results.row_scores.download(job="job")
    assert [row.metric_errors for row in download] == [{"m": "late"}, {"m": "no answer"}, {}]
    assert len(download) == len(download.wide()) == 3


def test_a_download_tells_scores_as_the_original_does(store):
    with store.job("job") as job:
        job.log(item={"q": 1}, scores={"b": True, "q": {"value": 2.0, "label": "good"}, "l": "fair", "n": math.nan})
    client = nemo.Client(store.root)
    [row] = client.evaluation.metric_jobs.results.row_scores.download(job="job")
    told = {metric: [(one.name, one.value) for one in scores] for metric, scores in row.metrics.items()}
    assert repr(told.pop("n")) == "[('n', nan)]"
    assert told == {"b": [("b", 1.0)], "q": [("q", 2.0), ("q.label", "good")], "l": [("l.label", "fair")]}
    assert type(told["b"][0][1]) is float


def test_rows_that_lack_parts_are_not_written(store, tmp_path):
    with store.job("job") as job:
        job.log(item={"q": 1}, scores={"m": 1.0})
    file = tmp_path / "rows.jsonl"
    file.write_text("precious")
    with pytest.raises(errors.UsageError, match="without sample, requests, metadata, error cannot be written"):
        store.row_scores("job", columns=["item"]).write_jsonl(file)
    assert file.read_text() == "precious"
    parts = ["item", "sample", "requests", "metadata", "error"]
    assert store.row_scores("job", columns=parts).write_jsonl(file) == 1


# Wide


def test_a_frame_of_rows_loses_no_score(store):
    mixed = [0.9, True, 1, "good", None]
    with store.job("job") as job:
        for number, score in enumerate(mixed):
            job.log(
                item={"q": number},
                scores={
                    "m": score, "rubric": {"value": number, "label": f"l{number}"}, "style": "s",
                    "a:b": [{"name": "c", "value": 1}], "a": [{"name": "b:c", "value": 2}],
                    "d": [{"name": "x", "value": 3}, {"name": "x", "value": 4}, {"name": "x#1", "value": 5},
                          {"name": "x.label", "value": 6}, {"name": 'x"y', "value": 7}],
                },
            )  # fmt: skip
    wide = store.row_scores("job").wide()
    assert wide["m:m"].to_list() == [0.9, 1.0, 1.0, None, None]
    assert wide["m:m.label"].to_list() == [None, None, None, "good", None]
    assert wide["rubric:rubric"].to_list() == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert wide["rubric:rubric.label"].to_list() == [f"l{number}" for number in range(5)]
    assert wide["style:style"].to_list() == ["s"] * 5
    singles = {'"a:b":c': 1, 'a:"b:c"': 2, "d:x": 3, "d:x#1": 4, 'd:"x#1"': 5, 'd:"x.label"': 6, 'd:"x""y"': 7}
    assert {column: wide[column][0] for column in singles} == singles
    assert sum(":" in column for column in wide.columns) == 5 + len(singles)


# What is broken


@pytest.mark.parametrize(
    ("bad", "field", "message"),
    [
        (line({"m": [entry("m", 1)]}, row_index=-1), "row_index", "whole number from 0 up, not -1"),
        (line({"m": [entry("m", 1)]}, row_index=2**63), "row_index", "whole number from 0 up"),
        (line({"m": [entry("m", 10**400)]}), "metrics.m", "does not fit a double"),
        (line({"": [entry("m", 1)]}), "metrics", "a metric has no name"),
        (line({"m": [entry("", 1)]}), "metrics.m", "must be a list of {name, value}"),
        (line({"m": [entry("m", 1)]}, metric_errors={"": "x"}), "metric_errors", "a metric has no name"),
        (json.dumps(line({})).replace('{"q": 1}', '{"q": ' + "[" * 300 + "]" * 300 + "}"), None, "nested too deeply"),
    ],
)
def test_what_cannot_be_logged_is_named_by_file_line_and_field(store, tmp_path, bad, field, message):
    file = put(tmp_path, line({"m": [entry("m", 1)]}), bad)
    with pytest.raises(errors.BrokenInput, match=message) as caught:
        store.import_from("nemo", file)
    assert (caught.value.file, caught.value.line, caught.value.field) == (file, 2, field)
    assert caught.value.exit_code == 4
    assert not store.has_job("job")


def test_a_label_without_a_number_declares_none(store, tmp_path):
    rubric = [line({"q": [entry("q", value), entry("q.label", label)]}, row_index=n)
              for n, (value, label) in enumerate([("NaN", "good"), (2.0, "good"), (0.0, "poor")])]  # fmt: skip
    store.import_from("nemo", put(tmp_path, *rubric))
    [score] = store.aggregate_scores("job").scores
    assert [(step.label, step.value, step.count) for step in score.rubric_distribution] == [
        ("poor", 0.0, 1), ("good", 2.0, 1),
    ]  # fmt: skip
    store.import_from("nemo", put(tmp_path / "never", rubric[0], rubric[2]), job="never")
    [score] = store.aggregate_scores("never").scores
    assert (score.score_type, score.count, score.nan_count) == ("rubric", 1, 1)


def test_a_rubric_that_is_none_is_refused_with_its_file(store, tmp_path):
    steps = [{"label": "good", "value": 1, "count": 1}, {"label": "good", "value": 2, "count": 0}]
    told = [{"name": "q", "count": 1, "nan_count": 0, "score_type": "rubric", "rubric_distribution": steps}]
    put(tmp_path, line({"m": [entry("q", 1), entry("q.label", "good")]}), told=told)
    with pytest.raises(errors.BrokenInput, match="one step per label") as caught:
        store.import_from("nemo", tmp_path)
    assert caught.value.file == tmp_path / "job.aggregate-scores.json"
