"""Jobs go out as the JSON files that TrainLoop's documentation describes, and come back with equal aggregates."""

import json
import math
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import evalstore
from evalstore.errors import JobNotFound, UsageError
from tests.trainloop.files import DOCUMENTED, REAL, detail, evaluation, write_json

STATISTICS = "* EXCLUDE (workspace, job, job_id, status, dataset, model)"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def fill(store):
    """Jobs with everything that a score can be."""
    declared = {"quality": {"minimum": 1, "maximum": 5}, "wer": {"higher_is_better": False, "threshold": 0.2},
                "grade": {"rubric": [{"label": "bad", "value": 0}, {"label": "good", "value": 1}]}}  # fmt: skip
    with store.job("rich", metrics=declared, model="m", dataset="d", config={"t": 0}, created_at=NOON) as job:
        for n in range(6):
            job.log(
                suite="one", row_key=f"r{n}", item={"q": n}, sample={"output": f"a{n}"}, cost=0.5, latency=1.0 + n,
                prompt_tokens=3, cluster=f"c{n % 2}", reference={"a": n}, metadata={"lang": "de"},
                scores={"exact": n % 2 == 0, "quality": n, "wer": n / 10, "grade": "good" if n else "bad",
                        "rouge": [{"name": "rouge_1", "value": 0.1 * n}, {"name": "rouge_2", "value": math.nan}],
                        "twice": [True, False], "judge": {"value": True, "comment": "because"}},
            )  # fmt: skip
        job.log(suite="one", row_key="r6", item={"q": 6}, error="timeout")
        job.log(suite="one", row_key="r7", item={"q": 7}, scores={"exact": ValueError("no"), "quality": math.inf})
        for _ in range(3):
            job.log(suite="two", item={"q": 0}, scores={"exact": True, "skipped": {"status": "skipped"}})
    broken = store.job("broken", created_at=NOON + timedelta(hours=1))
    broken.log(suite="s", row_key=1, item={}, scores={"m": True})
    broken.finish("error", RuntimeError("the model is gone"))
    for n, (model, cost, passed) in enumerate([("a/big", 3.0, 9), ("a/small", 0.3, 8), ("a/dead", 0.0, 0)]):
        when = NOON + timedelta(hours=2, seconds=n)
        with store.job(f"bench-{n}", kind="benchmark", group="bench", model=model, created_at=when) as job:
            for row in range(10):
                error = "down" if model == "a/dead" else None
                scores = {} if error else {"m": row < passed}
                job.log(item={"q": row}, row_key=row, cost=cost / 10, latency=0.5, total_tokens=100, scores=scores,
                        error=error)  # fmt: skip


@pytest.fixture(scope="module")
def there_and_back(tmp_path_factory):
    """A store, the folder of its export, the export's report, and the store that the export was imported into."""
    folder = tmp_path_factory.mktemp("export")
    with evalstore.open(folder / "here") as here, evalstore.open(folder / "there") as there:
        fill(here)
        exported = here.export(here.jobs()["name"].to_list(), "trainloop", to=folder / "data/results")
        there.import_from("trainloop", folder / "data")
        yield here, exported, folder / "data", there


def aggregates(store, **where):
    condition = " AND ".join(f"{field} = ${field}" for field in where)
    return store.sql(
        f"SELECT {STATISTICS} FROM aggregate_scores WHERE {condition} ORDER BY suite, metric, name", **where
    )


def assert_equal(one, other):
    assert len(one) == len(other) > 0
    for left, right in zip(one.to_dicts(), other.to_dicts(), strict=True):
        assert rounded(left) == rounded(right)


def rounded(value):
    """The same without the last bits of numbers, which depend on the order of sums."""
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    if isinstance(value, list):
        return [rounded(one) for one in value]
    return f"{value:.12g}" if isinstance(value, float) else value


def test_files_are_named_after_what_they_are_and_when_it_was(there_and_back):
    _, exported, data, _ = there_and_back
    assert sorted(file.relative_to(data).as_posix() for file in exported) == [
        "results/benchmark_results_2026-03-01_14-00-02.json",
        "results/evaluation_error_2026-03-01_13-00-00.json",
        "results/evaluation_results_2026-03-01_12-00-00.json",
        "results/evaluation_summary.json",
    ]


def test_what_comes_back_has_equal_aggregates(there_and_back):
    here, _, _, there = there_and_back
    name = "evaluation_results_2026-03-01_12-00-00"
    assert_equal(aggregates(here, job="rich"), aggregates(there, job=name))
    assert_equal(aggregates(here, job="broken"), aggregates(there, job="evaluation_error_2026-03-01_13-00-00"))
    for model in ("a/big", "a/small"):
        assert_equal(aggregates(here, model=model), aggregates(there, model=model))
    before, after = here.show("rich"), there.show(name)
    for field in ("total_events", "overall_score", "pass_rate", "cost", "prompt_tokens", "latency_p95", "duration",
                  "created_at", "config", "model", "dataset", "rows_error", "metrics"):  # fmt: skip
        assert (
            after[field] == pytest.approx(before[field])
            if isinstance(before[field], float)
            else after[field] == before[field]
        )
    assert there.verify(), there.verify().errors


def test_the_document_is_the_documented_one(there_and_back):
    _, _, data, _ = there_and_back
    document = json.loads((data / "results/evaluation_results_2026-03-01_12-00-00.json").read_text())
    assert document["timestamp"] == "2026-03-01T12:00:00.000Z"
    suite = document["suites"]["one"]
    exact = suite["metrics"]["exact"]
    assert (suite["events_processed"], exact["passed"], exact["total"], exact["score"], exact["errors"]) == (
        8,
        3,
        6,
        0.5,
        2,
    )
    assert exact["details"][0] == {"event_id": "r0", "passed": True, "input": '{"q":0}', "output": "a0",
                                   "metadata": {"lang": "de"}, "reference": {"a": 0}, "cluster": "c0"}  # fmt: skip
    assert suite["metrics"]["judge"]["details"][0]["verdict"] == "because"
    assert document["summary"]["total_suites"] == 2
    assert document["configuration"] == {"t": 0}


def test_metrics_without_pass_or_fail_have_their_mean_and_no_counts(there_and_back):
    _, exported, data, _ = there_and_back
    document = json.loads((data / "results/evaluation_results_2026-03-01_12-00-00.json").read_text())
    rouge = document["suites"]["one"]["metrics"]["rouge/rouge_1"]
    assert (rouge["passed"], rouge["total"], rouge["score"]) == (None, None, pytest.approx(0.25))
    assert "rich, one: rouge_1 has no pass or fail: its score is the mean, its counts are null" in exported.flags


def test_an_evaluation_that_failed(there_and_back):
    _, _, data, there = there_and_back
    document = json.loads((data / "results/evaluation_error_2026-03-01_13-00-00.json").read_text())
    assert (document["status"], document["error"]["type"]) == ("error", "RuntimeError")
    assert "suites" not in document
    partial = document["partial_results"]["suites"]["s"]
    assert (partial["status"], partial["error"]) == ("failed", "the model is gone")
    assert partial["metrics"]["m"]["passed"] == 1
    job = there.show("evaluation_error_2026-03-01_13-00-00")
    assert (job["status"], job["error"]["message"]) == ("error", "the model is gone")


def test_a_benchmark_is_one_document(there_and_back):
    _, _, data, _ = there_and_back
    document = json.loads((data / "results/benchmark_results_2026-03-01_14-00-02.json").read_text())
    assert (document["type"], document["total_samples"]) == ("benchmark", 10)
    assert sorted(document["providers"]) == ["a/big", "a/dead", "a/small"]
    small = document["results"]["a/small"]
    assert small["metrics"] == {"m": {"passed": 8, "total": 10, "score": 0.8}}
    assert small["cost_analysis"] == pytest.approx(
        {"total_cost": 0.3, "cost_per_token": 0.0003, "cost_per_score": 0.3 / 8}
    )
    assert small["performance"] == {"avg_response_time": 0.5, "total_tokens": 1000}
    assert document["comparison"] == {
        "best_overall": "a/big",
        "best_value": "a/small",
        "cost_savings": pytest.approx(0.9),
    }


@pytest.mark.parametrize("source", [DOCUMENTED, REAL])
def test_the_examples_come_back_equal(tmp_path, source):
    if not source.exists():
        pytest.skip("needs the examples")
    with evalstore.open(tmp_path / "here") as here, evalstore.open(tmp_path / "there") as there:
        names = here.import_from("trainloop", source).jobs
        here.export(names, "trainloop", to=tmp_path / "out")
        there.import_from("trainloop", tmp_path / "out")
        query = """SELECT a.* EXCLUDE (workspace, job, job_id), job.created_at AS day FROM aggregate_scores AS a
                   INNER JOIN jobs AS job USING (job_id) ORDER BY day, a.model, a.suite, a.metric, a.name"""
        assert_equal(here.sql(query), there.sql(query))


def test_a_file_of_another_job_is_not_overwritten(store, tmp_path):
    for name in ("one", "other"):
        store.record(name, [{"q": 1, "m": name == "one"}], scores=["m"], created_at=NOON)
    store.export(["one"], "trainloop", to=tmp_path)
    store.export(["other"], "trainloop", to=tmp_path)
    store.export(["one"], "trainloop", to=tmp_path)
    assert sorted(file.name for file in tmp_path.glob("evaluation_results*")) == [
        "evaluation_results_2026-03-01_12-00-00.json", "evaluation_results_2026-03-01_12-00-00_2.json",
    ]  # fmt: skip


def test_jobs_of_one_name_in_two_workspaces_are_two_files(store, tmp_path):
    for workspace in ("default", "lab"):
        with evalstore.open(store.root, workspace=workspace) as here:
            here.record("one", [{"q": 1, "m": workspace == "lab"}], scores=["m"], created_at=NOON)
    store.export(["one"], "trainloop", to=tmp_path)
    store.export(["lab/one"], "trainloop", to=tmp_path)
    passed = {json.loads(file.read_text())["summary"]["total_passed"] for file in tmp_path.glob("evaluation_results*")}
    assert passed == {0, 1}


def put_benchmark(store, name, model, passed, *, failed=0, group="g", seconds=0):
    when = NOON + timedelta(seconds=seconds)
    with store.job(name, kind="benchmark", group=group, model=model, created_at=when) as job:
        for n in range(10):
            lost = n >= 10 - failed
            job.log(item={"q": n}, scores={} if lost else {"m": n < passed}, cost=0.1, error="down" if lost else None)


def test_a_model_that_ran_twice_in_a_group_is_in_two_documents(store, tmp_path):
    for number, (model, passed) in enumerate([("a/b", 2), ("a/b", 3), ("a/c", 4)]):
        put_benchmark(store, f"j{number}", model, passed, seconds=number)
    exported = store.export(["j0", "j1", "j2"], "trainloop", to=tmp_path)
    assert exported.flags == ["g has several jobs of one model: there are 2 documents of it"]
    found = [json.loads(file.read_text())["results"] for file in exported]
    counts = [{name: one["metrics"]["m"]["passed"] for name, one in results.items()} for results in found]
    assert counts == [{"a/b": 3, "a/c": 4}, {"a/b": 2}]
    assert store.export(["j0", "j1", "j2"], "trainloop", to=tmp_path) == exported  # and nothing is written twice


def test_the_best_of_a_document_are_those_of_the_benchmark(store, tmp_path):
    put_benchmark(store, "failing", "a/failing", 7, failed=3)
    put_benchmark(store, "sound", "a/sound", 5)
    found = store.benchmark("g")
    [file] = store.export(["failing", "sound"], "trainloop", to=tmp_path)
    assert (found.best_overall, found.best_value) == ("a/sound", "a/sound")  # three of ten in error are too many
    assert json.loads(file.read_text())["comparison"] == found.to_dict()["comparison"]


def test_nothing_is_written_for_a_job_that_is_not_there(store, tmp_path):
    store.record("one", [{"q": 1, "m": True}], scores=["m"])
    with pytest.raises(JobNotFound):
        store.export(["one", "two"], "trainloop", to=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_failed_suite_that_was_only_told_of_leaves_no_rows_behind(store, tmp_path):
    document = {"timestamp": "2026-03-01T10:00:00Z", "status": "error", "error": {"type": "E", "message": "m"},
                "partial_results": {"suites": {"s": {"events_processed": 3, "status": "failed"}}}}  # fmt: skip
    store.import_from("trainloop", write_json(tmp_path / "e.json", document))
    assert store.export(["e"], "trainloop", to=tmp_path / "out").flags == []


def test_a_benchmark_keeps_the_jobs_that_did_not_complete_apart(store, tmp_path):
    put_benchmark(store, "whole", "a/whole", 5)
    for number, (status, error) in enumerate([("error", RuntimeError("out of quota")), ("interrupted", None)]):
        when = NOON + timedelta(seconds=number)
        job = store.job(status, kind="benchmark", group="g", model=f"a/{status}", created_at=when)
        job.log(item={"q": 0}, scores={"m": True}, cost=0.001)
        job.finish(status, error)
    exported = store.export(["whole", "error", "interrupted"], "trainloop", to=tmp_path / "out")
    assert exported.flags == ["error did not complete: error", "interrupted did not complete: interrupted"]
    result = json.loads(exported[0].read_text())["results"]["a/error"]
    assert (result["status"], result["error"]["message"]) == ("error", "out of quota")
    with evalstore.open(tmp_path / "there") as there:
        there.import_from("trainloop", tmp_path / "out")
        found, before = there.benchmark("g"), store.benchmark("g")
        assert found.models["model"].to_list() == ["a/whole"] == before.models["model"].to_list()
        told = [(line["model"], line["status"], line["error"]) for line in found.missing]
        assert told == [("a/error", "error", "out of quota"), ("a/interrupted", "interrupted", None)]
        assert told == [(line["model"], line["status"], line["error"]) for line in before.missing]


def test_counts_and_a_mean_without_rows_come_back(store, tmp_path):
    declared = {"share": {"minimum": 0, "maximum": 1, "higher_is_better": False}}
    with store.job("a", metrics=declared, created_at=NOON) as job:
        for row in range(10):
            job.log(item=row, scores={"share": 0.25, "ok": {"error": "no judge"} if row < 4 else row < 7})
    store.prune(keep_last=0, rows_only=True)
    with evalstore.open(tmp_path / "there") as there:
        store.export(["a"], "trainloop", to=tmp_path / "out")
        there.import_from("trainloop", tmp_path / "out")
        [name] = there.jobs()["name"].to_list()
        assert there.show(name)["overall_score"] == pytest.approx((0.75 + 0.5) / 2)
        query = (
            "SELECT passed, evaluated, rows_error, rows_unscored, rows_total FROM aggregate_scores WHERE metric = 'ok'"
        )
        assert there.sql(query).rows() == [(3, 6, 4, 0, 10)] == store.sql(query).rows()


def test_a_suite_ends_as_it_ended(store, tmp_path):
    job = store.job("a", created_at=NOON)
    job.log(suite="s", item=1, scores={"m": True})
    job.finish("interrupted")
    [file, *_] = store.export(["a"], "trainloop", to=tmp_path / "out")
    suite = json.loads(file.read_text())["partial_results"]["suites"]["s"]
    assert (suite["status"], suite["ended_as"]) == ("failed", "interrupted")
    with evalstore.open(tmp_path / "there") as there:
        there.import_from("trainloop", tmp_path / "out")
        assert there.sql("SELECT status FROM suites").item() == "interrupted"


def test_a_summary_of_others_is_not_overwritten(store, tmp_path):
    store.record("one", [{"q": 1, "m": True}], scores=["m"], created_at=NOON)
    mine = write_json(tmp_path / "evaluation_summary.json", {"mine": 1})
    exported = store.export(["one"], "trainloop", to=tmp_path)
    assert json.loads(mine.read_text()) == {"mine": 1}
    assert exported[-1].name == "evaluation_summary_2.json"
    assert exported.flags == ["evaluation_summary.json is none of evaluations: theirs is evaluation_summary_2.json"]


def test_the_summary_is_of_all_evaluations_that_lie_beside_it(store, tmp_path):
    for day, passed in enumerate((True, False)):
        at = NOON + timedelta(days=day)
        store.record(f"run-{day}", [{"q": 1, "m": passed}], scores=["m"], created_at=at)
    store.export(["run-1"], "trainloop", to=tmp_path)
    *_, file = store.export(["run-0"], "trainloop", to=tmp_path)
    summary = json.loads(file.read_text())
    assert (summary["overall_score"], summary["trending"]["score_change"]) == (0, -1)
    foreign = evaluation("2027-01-01T00:00:00Z", s={"m": (1, 1, [])})
    write_json(tmp_path / "evaluation_results_2027-01-01_00-00-00.json", foreign)
    exported = store.export(["run-0"], "trainloop", to=tmp_path)
    assert json.loads(exported[-1].read_text()) == summary
    assert exported.flags == [
        "evaluation_results_2027-01-01_00-00-00.json is of no job here: the summary is without it"
    ]


def test_to_export_nothing_is_a_mistake_and_twice_is_once(store, tmp_path):
    store.record("one", [{"q": 1, "m": True}], scores=["m"], created_at=NOON)
    with pytest.raises(UsageError, match="name the jobs"):
        store.export([], "trainloop", to=tmp_path / "none")
    assert not (tmp_path / "none").exists()
    assert len(store.export(["one", "one"], "trainloop", to=tmp_path / "out")) == 2  # and the summary


# The documentation's own way to read results


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A folder with `data/results` as the documentation has it, exported."""
    folder = tmp_path_factory.mktemp("project")
    with evalstore.open(folder / "evals") as store:
        for day, passed in enumerate([82, 84, 86, 88, 89, 90, 80]):
            document = evaluation(f"2024-01-{9 + day:02d}T14:30:25.123Z", greeting={"is_polite": (passed, 100, [])})
            store.import_from("trainloop", write_json(folder / "in.json", document), job=f"day-{day}")
        store.metrics.declare("is_polite", **{"class": "critical"})
        store.export([f"day-{day}" for day in range(7)], "trainloop", to=folder / "data/results")
    return folder


def read_results(data_folder):
    """The documentation's function, with its files closed."""
    results_dir = Path(data_folder) / "results"
    summary_file = results_dir / "evaluation_summary.json"
    if summary_file.exists():
        return json.loads(summary_file.read_text())
    result_files = list(results_dir.glob("evaluation_results_*.json"))
    if not result_files:
        return None
    latest_file = max(result_files, key=lambda p: p.stat().st_mtime)
    return json.loads(latest_file.read_text())


def test_the_python_function_of_the_documentation(project, tmp_path):
    results = read_results(project / "data")
    assert f"Overall score: {results['summary']['overall_score']:.1%}" == "Overall score: 80.0%"
    shutil.copytree(project / "data", tmp_path / "data")
    (tmp_path / "data/results/evaluation_summary.json").unlink()
    assert 0.8 <= read_results(tmp_path / "data")["summary"]["overall_score"] <= 0.9
    assert read_results(tmp_path) is None


def test_the_commands_of_the_documentation(project):
    def ran(*command):
        return subprocess.run(command, cwd=project, capture_output=True, text=True, check=True).stdout

    summary = json.loads(ran("cat", "data/results/evaluation_summary.json"))
    assert summary["latest_evaluation"] == "2024-01-15T14:30:25.123Z"
    assert json.loads(ran("cat", "data/results/evaluation_results_2024-01-15_14-30-25.json"))["total_events"] == 100
    if shutil.which("jq") is None:
        pytest.skip("there is no jq here")
    assert ran("jq", ".summary.overall_score", "data/results/evaluation_summary.json") == "0.8\n"


def test_the_summary_of_the_documentation(project):
    summary = json.loads((project / "data/results/evaluation_summary.json").read_text())
    assert list(summary) == [
        "latest_evaluation",
        "total_suites",
        "overall_score",
        "trending",
        "metrics_summary",
        "summary",
    ]
    assert summary["trending"]["score_change"] == pytest.approx(-0.1)
    assert summary["trending"]["trend"] == "declining"
    assert [(day["date"], day["score"]) for day in summary["trending"]["last_7_days"]] == [
        ("2024-01-09", 0.82), ("2024-01-10", 0.84), ("2024-01-11", 0.86), ("2024-01-12", 0.88), ("2024-01-13", 0.89),
        ("2024-01-14", 0.9), ("2024-01-15", 0.8),
    ]  # fmt: skip
    assert summary["metrics_summary"] == {
        "total_metrics": 1,
        "critical_metrics": ["is_polite"],
        "performance_metrics": [],
    }
    assert summary["summary"] == {"total_suites": 1, "overall_score": 0.8, "total_metrics": 1, "total_passed": 80,
                                  "total_evaluated": 100, "pass_rate": 0.8}  # fmt: skip


def test_a_detail_that_is_no_plain_verdict_comes_back(store, tmp_path):
    details = [detail(1, None, score=0.25), detail(2, None, error="gone"), detail(3, None, status="skipped")]
    document = evaluation(s={"m": (1, 1, [*details, detail(4, True)])})
    store.import_from("trainloop", write_json(tmp_path / "e.json", document))
    statuses = store.sql("SELECT row_key, value, status FROM row_scores ORDER BY row_key").rows()
    assert statuses == [("evt_1", 0.25, "scored"), ("evt_2", None, "error"), ("evt_3", None, "skipped"),
                        ("evt_4", 1.0, "scored")]  # fmt: skip
