"""Finishing a job whose writer died: every row that was logged is there, and nobody takes a living job."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from textwrap import dedent

import pytest

import evalstore
from evalstore.errors import JobBusy, JobExists, JobNotFound, UsageError
from tests.trainloop.files import detail, evaluation, write_json

WRITER = """
    import sys, time, evalstore
    store = evalstore.open(sys.argv[1])
    job = store.job("nightly", dataset="d", model="m", metrics={"s": {"minimum": 0, "maximum": 1}})
    for number in range(25):
        job.log(item={"q": number}, scores={"right": number % 2 == 0, "s": number / 25}, row_key=number)
    print("logged", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def writer(tmp_path):
    command = [sys.executable, "-c", dedent(WRITER), str(tmp_path / "evals")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "logged\n"
        yield process
        process.kill()


def test_a_killed_job_is_finished_with_all_its_rows(tmp_path, writer):
    store = evalstore.open(tmp_path / "evals")
    os.kill(writer.pid, signal.SIGKILL)
    writer.wait()
    journal = tmp_path / "evals/staging/default/nightly/journal.jsonl"
    with journal.open("ab") as file:
        file.write(b'{"position":25,"suite":"default","item":"{')  # torn: its log() never returned
    with pytest.raises(JobExists, match="evalstore finish nightly"):
        store.job("nightly")
    assert store.finish("nightly") == 25
    job = store.show("nightly")
    assert (job["status"], job["rows_total"], job["rows_scored"], job["total_passed"]) == ("interrupted", 25, 25, 13)
    assert str(writer.pid) in job["error"]["message"]
    assert store.sql("FROM interrupted_jobs").is_empty()
    assert store.leaderboard().is_empty()
    assert not journal.exists()
    with pytest.raises(JobNotFound):
        store.finish("nightly")


def test_a_living_job_is_not_taken(tmp_path, writer):
    store = evalstore.open(tmp_path / "evals")
    with pytest.raises(JobBusy, match=str(writer.pid)):
        store.finish("nightly")
    with pytest.raises(JobBusy):
        store.job("nightly")


def test_the_command_line_finishes_it_too(tmp_path, writer):
    os.kill(writer.pid, signal.SIGKILL)
    writer.wait()
    command = [sys.executable, "-m", "evalstore", "--store", str(tmp_path / "evals"), "finish"]
    done = subprocess.run([*command, "nightly"], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "stored job nightly as interrupted, with 25 rows\n")
    missing = subprocess.run([*command, "nightli"], capture_output=True, text=True, check=False)
    assert (missing.returncode, missing.stdout) == (2, "")


IMPORTER = """
    import itertools, os, sys, evalstore
    from evalstore import recorder
    log, rows = recorder.Job.log, itertools.count(1)
    def dies(job, **row):
        if next(rows) == int(sys.argv[4]):
            os.kill(os.getpid(), 9)
        log(job, **row)
    recorder.Job.log = dies
    evalstore.open(sys.argv[1]).import_from(sys.argv[2], sys.argv[3])
"""


def dies_importing(root, format, path, *, at_row=0, fault=""):
    command = [sys.executable, "-c", dedent(IMPORTER), str(root), format, str(path), str(at_row)]
    done = subprocess.run(command, env={**os.environ, "EVALSTORE_FAULT": fault}, check=False)
    assert done.returncode == -signal.SIGKILL


def test_an_import_that_died_over_a_job_that_was_told_leaves_nothing_and_can_be_made_again(tmp_path):
    whole = [detail(n, n % 3 > 0) for n in range(60)]
    told = evaluation(g={"polite": (40, 60, whole), "short": (30, 60, whole[:20])})
    told |= {"usage": {"cost": 2.5}, "status": "error", "error": {"type": "MetricError", "message": "no judge"}}
    file = write_json(tmp_path / "evaluation_a.json", told)
    dies_importing(tmp_path / "evals", "trainloop", file, at_row=30)
    with evalstore.open(tmp_path / "evals") as store:
        assert store.sql("FROM interrupted_jobs").is_empty()
        with pytest.raises(JobNotFound, match="there is no interrupted job 'evaluation_a'"):
            store.finish("evaluation_a")
        assert store.import_from("trainloop", file).rows == 60
        job = store.show("evaluation_a")
        assert (job["status"], job["rows_total"], job["cost"], job["duration"]) == ("error", 60, 2.5, 2.5)
        scores = {one.metric: (one.mean, one.rows_scored) for one in store.aggregate_scores("evaluation_a").scores}
        assert scores == {"polite": (40 / 60, 60), "short": (0.5, 60)}
        assert store.import_from("trainloop", file).rows == 0
        assert store.verify()


def test_half_an_import_is_not_the_same_content(tmp_path):
    lines = [{"item": {"q": n}, "sample": {}, "metrics": {"m": [{"name": "m", "value": 1}]}, "requests": []}
             for n in range(9)]  # fmt: skip
    file = tmp_path / "run.row-scores.jsonl"
    file.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    dies_importing(tmp_path / "evals", "nemo", file, at_row=5)
    with evalstore.open(tmp_path / "evals") as store:
        assert store.finish("run") == 4
        assert (
            f"import {file} again, with overwrite, for what it did not come to" in store.show("run")["error"]["message"]
        )
        with pytest.raises(JobExists):
            store.import_from("nemo", file)
        assert store.import_from("nemo", file, overwrite=True).rows == 9
        assert (store.show("run")["status"], store.show("run")["rows_total"]) == ("completed", 9)


@pytest.mark.parametrize("field", ["told", "told_aggregates"])
def test_aggregates_that_were_told_outlive_an_import_that_died(tmp_path, field):
    told = {"name": "pass@1", "count": 100, "nan_count": 5, "mean": 0.7, "score_type": "range"}
    file = write_json(tmp_path / "run.aggregate-scores.json", {"scores": [told]})
    dies_importing(tmp_path / "evals", "nemo", file, fault="after-claim")
    head = tmp_path / "evals/staging/default/run/head.json"
    if field == "told_aggregates":  # as heads said it once
        document = json.loads(head.read_text())
        head.write_text(json.dumps({**document, "told": None, "told_aggregates": document["told"]["aggregates"]}))
    command = [sys.executable, "-m", "evalstore", "--store", str(tmp_path / "evals"), "finish", "run"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert f"its import did not come to its end: import {file} again, with --overwrite" in done.stderr
    with evalstore.open(tmp_path / "evals") as store:
        [score] = store.aggregate_scores("run").scores
        assert (score.mean, score.count, score.rows_total, score.is_told) == (0.7, 100, 105, True)
        assert "told" not in json.loads((tmp_path / "evals/jobs/default/run/job.json").read_text())["job"]
        assert store.import_from("nemo", file, overwrite=True).jobs == ["run"]
        assert store.show("run")["status"] == "completed"


def test_a_job_of_which_more_was_told_than_its_rows_is_not_resumed(tmp_path):
    told = {"name": "pass@1", "count": 100, "nan_count": 5, "mean": 0.7, "score_type": "range"}
    counts = write_json(tmp_path / "run.aggregate-scores.json", {"scores": [told]})
    rows = [detail(n, True) for n in range(3)]
    document = evaluation(g={"polite": (3, 3, rows)}) | {"usage": {"cost": 2.5}}
    whole = write_json(tmp_path / "evaluation_a.json", document)
    with evalstore.open(tmp_path / "evals") as store:
        store.import_from("nemo", counts)
        store.import_from("trainloop", whole)
        before = store.sql("FROM jobs ORDER BY name")
        for name in ("run", "evaluation_a"):
            with pytest.raises(UsageError, match=f"{name}' cannot be resumed: it was imported, and would lose"):
                store.job(name, resume=True)
        assert store.sql("FROM jobs ORDER BY name").equals(before)
        assert store.verify().findings == []
        # What was imported as rows alone can go on.
        (tmp_path / "rows.jsonl").write_text('{"q": 1, "s": 1}\n')
        store.import_from("rows", tmp_path / "rows.jsonl", job="rows", scores=["s"])
        with store.job("rows", resume=True) as job:
            job.log(item={"q": 2}, scores={"s": 0})
        assert store.show("rows")["rows_total"] == 2
