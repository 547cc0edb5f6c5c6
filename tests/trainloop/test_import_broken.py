"""What cannot be read is told by one message that names its place, and takes nothing else down with it."""

import gzip
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from evalstore.errors import BrokenInput
from tests.trainloop.files import RUN, answer, evaluation, line, sample, write_json, write_lines, write_run

# Documents in a folder


def test_a_broken_document_takes_nothing_down_but_itself(store, tmp_path):
    write_run(tmp_path / "data", s=[line("m", sample(1))])
    results = tmp_path / "data" / "results"
    (results / "evaluation_b.json").write_text('{"timestamp":')
    write_json(results / "evaluation_a.json", evaluation(s={"m": (1, 2, [])}))
    write_json(results / "evaluation_c.json", evaluation("2026-03-02T10:00:00Z", s={"m": (1, 2, [])}))
    wrong = evaluation("2026-03-03T10:00:00Z", s={"m": (1, 2, [])})
    wrong["suites"]["s"]["metrics"]["m"]["passed"] = 3
    write_json(results / "evaluation_d.json", wrong)
    with pytest.raises(BrokenInput, match=r"evaluation_b.json:1: is not JSON") as caught:
        store.import_from("trainloop", tmp_path)
    assert caught.value.__notes__ == [
        "skip_bad_rows=True (--skip-bad-rows) leaves out documents that cannot be read",
        "what came before it is stored (jobs: 2), what comes after it is not",
    ]
    assert sorted(store.jobs()["name"]) == [RUN, "evaluation_a"]
    report = store.import_from("trainloop", tmp_path, skip_bad_rows=True)
    assert sorted(report.jobs) == [RUN, "evaluation_a", "evaluation_c"]
    assert [flag.partition(str(results))[::2] for flag in report.flags if flag.startswith("left out")] == [
        ("left out: ", "/evaluation_b.json:1: is not JSON: Expecting value at column 14"),
        ("left out: ", "/evaluation_d.json: field 'suites.s.metrics.m': states 3 passed of 2"),
    ]


def test_broken_documents_alone_are_an_error(store, tmp_path):
    (tmp_path / "evaluation_b.json").write_text('{"timestamp":')
    for skip in (False, True):
        with pytest.raises(BrokenInput, match=r"evaluation_b.json:1: is not JSON"):
            store.import_from("trainloop", tmp_path, skip_bad_rows=skip)
    assert not store.root.exists()


# Run folders


@pytest.mark.parametrize("beside", [True, False])
def test_packed_files_are_read(store, tmp_path, beside):
    folder = write_run(tmp_path, **({"other": [line("m", sample(1))]} if beside else {}))
    packed = "".join(f"{json.dumps(line('m', sample(number)))}\n" for number in range(3))
    (folder / "shapes.jsonl.gz").write_bytes(gzip.compress(packed.encode()))
    store.import_from("trainloop", tmp_path)
    assert len(store.row_scores(RUN, suite="shapes")) == 3
    assert store.sql("SELECT DISTINCT suite FROM rows").height == 1 + beside


def test_a_packed_file_of_a_benchmark_is_read(store, tmp_path):
    folder = tmp_path / "benchmarks" / RUN
    folder.mkdir(parents=True)
    (folder / "m.jsonl.gz").write_bytes(gzip.compress(json.dumps(answer("m", sample(1), "a/b")).encode()))
    store.import_from("trainloop", tmp_path)
    assert store.sql("SELECT suite, metric FROM row_scores").rows() == [("m", "m")]


def test_a_suite_that_is_there_twice_is_refused(store, tmp_path):
    folder = write_run(tmp_path, s=[line("m", sample(1))])
    (folder / "s.jsonl.gz").write_bytes(gzip.compress((folder / "s.jsonl").read_bytes()))
    with pytest.raises(BrokenInput, match=r"s.jsonl.gz: is the suite of s.jsonl once more: keep one of them"):
        store.import_from("trainloop", tmp_path)


def test_what_else_lies_in_a_run_folder_is_named(store, tmp_path):
    folder = write_run(tmp_path, s=[line("m", sample(1))])
    for name in ("notes.txt", "s.json", ".DS_Store"):
        (folder / name).write_text("{}")
    assert store.import_from("trainloop", tmp_path).flags == [f"{RUN}: left alone: notes.txt, s.json"]


AS_ANOTHER_USER = """
import os, sys
import evalstore
warm, broken = sys.argv[1:]
with evalstore.open("warm") as store:
    store.import_from("trainloop", warm)  # loads everything that another user might not be allowed to load
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
try:
    with evalstore.open("evals") as store:
        store.import_from("trainloop", broken)
except evalstore.errors.BrokenInput as error:
    print(error)
"""


def test_a_run_folder_that_may_not_be_read_is_an_error():
    with tempfile.TemporaryDirectory(prefix="evalstore-") as name:  # any user may enter it, unlike those of pytest
        home = Path(name)
        home.chmod(0o755)
        write_run(home / "warm", s=[line("m", sample(1))])
        folder = write_run(home / "broken", s=[line("m", sample(1))])
        folder.chmod(0)
        words = [sys.executable, "-c", AS_ANOTHER_USER, home / "warm", home / "broken"]
        done = subprocess.run(words, cwd=home, capture_output=True, text=True, check=False, timeout=60)
        folder.chmod(0o755)
    assert (done.stdout, done.stderr) == (f"{folder}: cannot be read: Permission denied\n", "")


@pytest.mark.parametrize("blank", [b"", b"\n \n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n", gzip.compress(b"\n")])
def test_a_file_without_results_is_no_broken_one(store, tmp_path, blank):
    folder = write_run(tmp_path, s=[line("m", sample(1))])
    (folder / "blank.jsonl").write_bytes(blank)
    assert store.import_from("trainloop", tmp_path).flags == [f"{RUN}: suite blank holds no results"]
    assert not store.show(RUN)["rows_error"]


def test_lines_of_a_benchmark_that_say_the_same_are_counted(store, tmp_path):
    again = [answer("m", sample(1), "a/b"), answer("m", sample(1), "a/b"), answer("m", sample(1), "a/c")]
    write_lines(tmp_path / "benchmarks" / RUN / "m.jsonl", again)
    report = store.import_from("trainloop", tmp_path)
    assert (report.rows, report.duplicates) == (3, 1)


def test_a_file_of_inputs_is_no_part_of_a_run(store, tmp_path):
    file = write_lines(tmp_path / "data" / "events" / f"{RUN}.jsonl", [{"tag": "t"}])
    said = r"lies in no folder named after the time of a run, such as results/2026-03-01_10-00-00: is it a result\?"
    with pytest.raises(BrokenInput, match=said):
        store.import_from("trainloop", file)
