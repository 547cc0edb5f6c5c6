"""Scores of whole jobs: durable when logged, part of the job's document, kept through whatever happens to the job."""

import math

import pytest

from evalstore.errors import InvalidScore
from tests.processes import Process


def scores_of(store, job="job"):
    lines = store.sql("SELECT * FROM job_scores WHERE job = $job", job=job).to_dicts()
    return {(line["metric"], line["name"], line["score_index"]): line for line in lines}


def record(store, scores, **options):
    with store.job("job", **options) as job:
        if not job.has("a"):
            job.log(item="a", row_key="a", scores={"right": True})
        job.log_summary(scores)
    return job


def test_numbers_labels_errors_and_what_is_no_number_are_kept_apart(store):
    record(
        store, {"f1": 0.5, "grade": "good", "broken": ValueError("no rows"), "odd": math.nan, "none": None, "ok": True}
    )
    found = {metric: line for (metric, _, _), line in scores_of(store).items()}
    assert {metric: line["status"] for metric, line in found.items()} == {
        "f1": "scored", "grade": "scored", "broken": "error", "odd": "unscored", "none": "unscored", "ok": "scored"
    }  # fmt: skip
    assert found["f1"]["value"] == 0.5
    assert found["grade"]["label"] == "good"
    assert (found["broken"]["value"], found["broken"]["error"]) == (None, "ValueError: no rows")
    assert math.isnan(found["odd"]["value"])
    assert (found["ok"]["value"], found["ok"]["passed"], found["ok"]["value_type"]) == (1, True, "bool")


def test_several_scores_of_one_metric_are_kept_apart(store):
    with store.job("job") as job:
        job.log_summary({"rouge": [{"name": "rouge_1", "value": 0.1}, {"name": "rouge_1", "value": 0.2}]})
        job.log_summary({"rouge": [{"name": "rouge_1", "value": 0.3}]})
    assert {key: line["value"] for key, line in scores_of(store).items()} == {
        ("rouge", "rouge_1", 0): 0.1, ("rouge", "rouge_1", 1): 0.2, ("rouge", "rouge_1", 2): 0.3
    }  # fmt: skip


def test_what_is_no_score_is_refused_and_nothing_is_logged(store):
    with store.job("job") as job:
        with pytest.raises(InvalidScore, match="f1"):
            job.log_summary({"f1": object()})
        job.log(item=1)
    assert scores_of(store) == {}


def test_a_catalog_made_anew_has_them_and_verify_finds_nothing_wrong(store):
    record(store, {"f1": 0.5, "odd": math.inf})
    before = scores_of(store)
    assert store.verify()
    store.rebuild()
    assert repr(scores_of(store)) == repr(before)
    assert store.verify()


def test_a_resumed_job_keeps_them_but_for_those_that_it_scores_again(store):
    record(store, {"f1": 0.5, "kept": [1, 2]})
    record(store, {"f1": 0.75}, resume=True)
    assert {key[::2]: line["value"] for key, line in scores_of(store).items()} == {
        ("f1", 0): 0.75, ("kept", 0): 1, ("kept", 1): 2
    }  # fmt: skip
    with store.job("job", resume=True) as job:
        job.log(item="b", row_key="b")
    assert len(scores_of(store)) == 3


def test_an_overwritten_job_starts_without_them(store):
    record(store, {"f1": 0.5})
    record(store, {"mean": 1}, overwrite=True)
    assert [metric for metric, _, _ in scores_of(store)] == ["mean"]


@pytest.mark.parametrize("way", ["finish", "resume"])
def test_they_survive_the_death_of_the_writer(store, way):
    code = """
    job = evalstore.open(root).job("job")
    job.log(item="a", row_key="a")
    job.log_summary({"f1": 0.5})
    say("logged")
    wait()
    """
    with Process(code, store.root) as process:
        process.wait_for("logged")
        process.kill()
    if way == "finish":
        store.finish("job")
    else:
        with store.job("job", resume=True) as job:
            job.log_summary({"mean": 1})
    assert scores_of(store)["f1", "f1", 0]["value"] == 0.5
