"""NeMo Evaluator's artifacts come in, go out again, and its documented calls are answered."""

import json
import math
from pathlib import Path

import polars as pl
import polars.selectors as cs
import pytest

from evalstore import errors
from evalstore.compat import nemo

ARTIFACTS = Path(__file__).parents[3] / "shared/data/nemo/generated-by-nemo-platform-0.1.2"
WHERE_RIGHT = ("count", "nan_count", "sum", "mean", "min", "max", "std_dev", "variance", "score_type", "percentiles")


def row(index, metrics, **more):
    return {"row_index": index, "item": {"q": index}, "sample": {}, "metrics": metrics, "requests": [],
            "metric_errors": None, **more}  # fmt: skip


def judged(quality, label, helpfulness=None):
    scores = [{"name": "quality", "value": quality}, {"name": "quality.label", "value": label}]
    return {"llm-judge": [*scores, *([] if helpfulness is None else [{"name": "helpfulness", "value": helpfulness}])]}


@pytest.fixture
def judge(tmp_path):
    """The artifacts of a job with a rubric, a range, NaN, an unknown label, and requests."""
    rows = [
        row(0, judged(2.0, "excellent", 5.0), requests=[{"request": {"model": "judge"}, "response": {"id": "1"}}]),
        row(1, judged(0.0, "poor", 1.0), sample={"output_text": "I do not know"}),
        row(2, judged("NaN", "", 9)),
        row(3, judged("NaN", "", "NaN"), metric_errors={"llm-judge": "no answer"}),
    ]
    steps = [{"label": label, "value": value, "count": count} for label, value, count in
             [("poor", 0, 1), ("good", 1, 0), ("excellent", 2, 1)]]  # fmt: skip
    aggregates = [{"name": "quality", "count": 2, "nan_count": 2, "score_type": "rubric", "rubric_distribution": steps},
                  {"name": "corpus", "count": 1, "nan_count": 0, "mean": 49.5, "score_type": "range"}]  # fmt: skip
    folder = tmp_path / "artifacts"
    folder.mkdir()
    (folder / "judge.row-scores.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in rows))
    (folder / "judge.aggregate-scores.json").write_text(json.dumps({"scores": aggregates}))
    return folder


# In


def test_rows_come_with_their_numbers_labels_errors_and_requests(store, judge):
    report = store.import_from("nemo", judge)
    assert (report.jobs, report.rows) == (["judge"], 4)
    first, second, unknown, failed = store.row_scores("judge")
    assert first.requests == [{"request": {"model": "judge"}, "response": {"id": "1"}}]
    assert [(one.name, one.value, one.label) for one in first.metrics["llm-judge"]] == [
        ("helpfulness", 5.0, None), ("quality", 2.0, "excellent"),
    ]  # fmt: skip
    assert second.sample == {"output_text": "I do not know"}
    quality = {one.name: one for one in unknown.metrics["llm-judge"]}["quality"]
    assert math.isnan(quality.value)
    assert (quality.label, quality.status) == (None, "unscored")
    assert failed.metric_errors == {"llm-judge": "no answer"}


def test_aggregates_are_computed_from_rows_and_told_ones_are_marked(store, judge):
    store.import_from("nemo", judge, model="judge-1")
    by_name = {score.name: score for score in store.results.retrieve("judge").scores}
    quality = by_name["quality"]
    assert (quality.score_type, quality.count, quality.mean, quality.mode_category) == ("rubric", 2, 1.0, "excellent")
    assert [(step.label, step.count) for step in quality.rubric_distribution] == [
        ("poor", 1),
        ("good", 0),
        ("excellent", 1),
    ]
    assert (quality.rows_scored, quality.rows_unscored, quality.rows_error) == (2, 1, 1)
    assert (by_name["corpus"].is_told, by_name["corpus"].mean, by_name["corpus"].metric) == (True, 49.5, "llm-judge")
    assert not by_name["helpfulness"].is_told
    assert store.verify(), store.verify().errors
    store.rebuild()
    assert {score.name: score.is_told for score in store.results.retrieve("judge").scores} == {
        "corpus": True, "helpfulness": False, "quality": False,
    }  # fmt: skip
    [result] = store.results.list({"scores.corpus.mean": {"$gt": 49}})
    assert result.model == "default/judge-1"


def test_a_rubric_is_learnt_from_rows_where_nothing_declares_it(store, judge):
    (judge / "judge.aggregate-scores.json").unlink()
    store.import_from("nemo", judge / "judge.row-scores.jsonl", job="alone")
    quality = {score.name: score for score in store.results.retrieve("alone").scores}["quality"]
    assert [(step.label, step.value) for step in quality.rubric_distribution] == [("poor", 0.0), ("excellent", 2.0)]
    assert quality.mean == 1.0


def test_aggregates_without_rows_are_stored_as_they_are_told(store, tmp_path):
    (tmp_path / "harness").mkdir()
    told = {"name": "pass@1", "count": 100, "nan_count": 0, "mean": 0.71, "std_dev": 0.4, "variance": 0.16,
            "min": 0, "max": 1, "sum": 71, "score_type": "range", "percentiles": {f"p{n}0": 0.71 for n in range(1, 11)},
            "histogram": {"bins": []}}  # fmt: skip
    (tmp_path / "harness/aggregate-scores.json").write_text(json.dumps({"scores": [told]}))
    store.import_from("nemo", tmp_path / "harness")
    result = store.results.retrieve("harness")
    [score] = result.scores
    assert (score.is_told, score.mean, score.count, score.std_dev) == (True, 0.71, 100, 0.4)
    assert score.sample_variance == pytest.approx(16 / 99)
    assert (result.rows_total, result.rows_scored, result.succeeded) == (100, 100, True)
    assert len(store.row_scores("harness")) == 0
    assert [(one.name, one.histogram) for one in result.scores] == [("pass@1", None)]
    assert store.verify(), store.verify().errors


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"item": {}, "metrics": []}', "field 'metrics': must be an object"),
        ('{"metrics": {}}', "field 'item': must be an object"),
        ('{"item": {}, "metrics": {"m": [{"value": 1}]}}', "field 'metrics.m': must be a list of {name, value}"),
        ('{"item": {}, "metrics": {"m": [{"name": "a", "value": []}]}}', "no number and no text"),
        ('{"item": {}, "metrics": {}, "row_index": "1"}', "field 'row_index': must be int or null"),
        ('{"error": {"type": "x", "line": 2, "message": "bad row"}}', "broke off here: bad row"),
        ("{", "is cut off"),
    ],
)
def test_a_broken_line_is_named_and_leaves_no_job(store, tmp_path, line, message):
    file = tmp_path / "bad.row-scores.jsonl"
    file.write_text(json.dumps(row(0, {"m": [{"name": "m", "value": 1}]})) + f"\n{line}\n")
    with pytest.raises(errors.BrokenInput, match=message) as caught:
        store.import_from("nemo", file)
    assert caught.value.line == 2
    assert not store.has_job("bad")


def test_what_is_no_artifact_is_refused(store, tmp_path):
    with pytest.raises(errors.BrokenInput, match="holds no artifacts"):
        store.import_from("nemo", tmp_path)
    (tmp_path / "x.aggregate-scores.json").write_text('{"scores": [{"count": "many", "name": "a"}]}')
    with pytest.raises(errors.BrokenInput, match=r"scores\.count"):
        store.import_from("nemo", tmp_path)
    (tmp_path / "x.aggregate-scores.json").write_text("[]")
    with pytest.raises(errors.BrokenInput, match="no document of aggregate scores"):
        store.import_from("nemo", tmp_path)


# Real artifacts


def jobs_of(folder):
    return sorted(file.name.removesuffix(".aggregate-scores.json") for file in folder.glob("*.aggregate-scores.json"))


@pytest.mark.skipif(not ARTIFACTS.exists(), reason="needs artifacts of NeMo Evaluator beside the project")
def test_our_aggregates_are_theirs_where_theirs_are_right(store):
    report = store.import_from("nemo", ARTIFACTS)
    assert sorted(report.jobs) == jobs_of(ARTIFACTS)
    compared = 0
    for job in report.jobs:
        theirs = json.loads((ARTIFACTS / f"{job}.aggregate-scores.json").read_text())["scores"]
        ours = {score.name: score.to_dict() for score in store.aggregate_scores(job).scores}
        assert ours.keys() == {one["name"] for one in theirs}
        for told in theirs:
            found = ours[told["name"]]
            for field in WHERE_RIGHT:
                wanted = told.get(field)
                if isinstance(wanted, float | dict):
                    wanted = pytest.approx(wanted, rel=1e-9, abs=1e-9)
                assert found.get(field) == wanted, (job, field)
            compared += 1
            if found["score_type"] == "range" and not found["is_told"]:
                assert sum(one["count"] for one in found["histogram"]["bins"]) == found["count"]
            if found["score_type"] == "rubric":
                theirs_by_label = {step["label"]: step["count"] for step in told["rubric_distribution"]}
                assert {step["label"]: step["count"] for step in found["rubric_distribution"]} == theirs_by_label
                assert found["mode_category"] == (told["mode_category"] if found["count"] else None)
    assert compared == 21
    assert store.verify(), store.verify().errors


@pytest.mark.skipif(not ARTIFACTS.exists(), reason="needs artifacts of NeMo Evaluator beside the project")
def test_real_rows_come_back_as_they_were(store, tmp_path):
    store.import_from("nemo", ARTIFACTS)
    for job in jobs_of(ARTIFACTS):
        [rows, _] = store.export([job], "nemo", to=tmp_path)
        theirs = [json.loads(line) for line in (ARTIFACTS / f"{job}.row-scores.jsonl").read_text().splitlines()]
        ours = [json.loads(line) for line in rows.read_text().splitlines()]
        assert list(map(canonical, ours)) == list(map(canonical, theirs))


def canonical(line):
    """A line with its scores in one order, without labels that say nothing."""
    metrics = {
        metric: sorted((one["name"], one["value"]) for one in scores if one["value"] != "")
        for metric, scores in line["metrics"].items()
    }
    return {**line, "metrics": metrics}


# Out


def test_what_is_exported_comes_in_again_as_it_was(store, judge, tmp_path):
    store.import_from("nemo", judge)
    files = store.export(["judge"], "nemo", to=tmp_path / "out")
    assert [file.name for file in files] == ["judge.row-scores.jsonl", "judge.aggregate-scores.json"]
    lines = [json.loads(line) for line in files[0].read_text().splitlines()]
    assert list(lines[0]) == ["row_index", "item", "sample", "metrics", "requests", "metric_errors"]
    assert lines[2]["metrics"]["llm-judge"] == [
        {"name": "helpfulness", "value": 9.0},
        {"name": "quality", "value": "NaN"},
    ]
    store.import_from("nemo", tmp_path / "out/judge.row-scores.jsonl", job="again")
    before, after = (
        [{**score.to_dict(), "job": None} for score in store.aggregate_scores(job).scores] for job in ("judge", "again")
    )
    assert before == after


def test_rows_of_our_own_are_written_in_their_form(store, tmp_path):
    with store.job("own") as job:
        scores = {"right": True, "style": "good", "closeness": math.inf, "none": None}
        job.log(item={"q": 1}, scores=scores, suite="s", error="too late")
    assert store.row_scores("own").write_jsonl(tmp_path / "rows.jsonl") == 1
    line = json.loads((tmp_path / "rows.jsonl").read_text())
    assert line["metrics"] == {
        "closeness": [{"name": "closeness", "value": "Infinity"}],
        "none": [{"name": "none", "value": None}],
        "right": [{"name": "right", "value": 1.0}],
        "style": [{"name": "style.label", "value": "good"}],
    }
    assert (line["suite"], line["error"]) == ("s", "too late")
    with pytest.raises(errors.UsageError, match="nemo"):
        store.export(["own"], "nemmo", to=tmp_path)
    with pytest.raises(errors.JobNotFound):
        store.export(["onw"], "nemo", to=tmp_path)


# Rows


def test_low_rows_are_one_line_also_beside_nan(store):
    with store.job("low") as job:
        for n, (first, second) in enumerate([(0.9, 0.9), (0.9, 0.1), (math.nan, 0.1), (math.nan, 0.9), (None, 0.5)]):
            job.log(item={"q": n}, scores={"a": first, "b": second, "style": "good"}, latency=0.1)
    wide = store.row_scores("low").wide()
    assert wide["a:a"].dtype == pl.Float64
    assert wide["style:style"].dtype == pl.String
    assert wide["a:a"].is_nan().to_list() == [False, False, True, True, None]
    low = wide.filter(pl.any_horizontal((cs.contains(":") & cs.numeric()) < 0.7))
    assert low["row_index"].to_list() == [1, 2, 4]
    texts = store.row_scores("low", metric="style").wide()
    assert texts.filter(pl.any_horizontal((cs.contains(":") & cs.numeric()) < 0.7)).is_empty()


def test_rows_can_be_walked_again_and_narrowed_to_some_columns(store, judge):
    store.import_from("nemo", judge)
    rows = store.row_scores("judge", columns=["item"])
    assert [one.item for one in rows] == [one.item for one in rows] == [{"q": n} for n in range(4)]
    [first, *_] = rows
    with pytest.raises(AttributeError):
        _ = first.requests
    assert first.metrics["llm-judge"][0].value == 5.0
    assert set(rows.wide().columns) == {
        "suite", "row_key", "repetition", "row_index", "item", "llm-judge:helpfulness", "llm-judge:quality",
        "llm-judge:quality.label",
    }  # fmt: skip
    with pytest.raises(errors.UnknownField, match="did you mean requests"):
        store.row_scores("judge", columns=["request"])


# The documented calls


@pytest.fixture
def client(store, judge):
    store.import_from("nemo", judge, job="my-job-name", metric_ref="my-workspace/my-metric")
    store.import_from("nemo", judge, job="llama-job")
    return nemo.Client(store.root)


def test_a_result_that_was_deleted_is_not_found(client, store):
    result = client.evaluation.metric_job_results.retrieve("my-job-name")
    assert result.metric == "my-workspace/my-metric"
    assert client.evaluation.metric_job_results.delete("my-job-name")["id"] == "default/my-job-name"
    with pytest.raises(errors.NotFound):
        client.evaluation.metric_job_results.retrieve("my-job-name")
    assert [result.name for result in client.evaluation.metric_job_results.list()] == ["llama-job"]
