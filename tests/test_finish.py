"""Finishing a job whose writer died: every row that was logged is there, and nobody takes a living job."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from textwrap import dedent

import pytest

import evalstore
from evalstore.errors import JobBusy, JobExists, JobNotFound

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
