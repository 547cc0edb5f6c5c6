"""Every error is one message on stderr and the right exit code; stdout stays for data."""

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import evalstore
from evalstore import errors
from evalstore.cli.options import Place


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["shwo"], "there is no command 'shwo'; did you mean show?\nTry: evalstore --help"),
        (["jobs", "--datset"], "No such option '--datset'. (Did you mean one of: '--dataset', '--status'?)\nTry: "),
        (["jobs", "--store", "x"], "--store goes before the command: evalstore --store PATH COMMAND ..."),
        (["jobs", "--workspace=x"], "--workspace goes before the command: evalstore --workspace NAME COMMAND ..."),
        (["jobs", "--limit", "-1"], "Invalid value for '--limit': -1 is not in the range x>=0."),
        (["jobs", "--format", "xml"], "Invalid value for '--format': 'xml' is not one of "),
        (["show"], "Missing argument 'JOB'."),
        (["show", "smal-1"], "there is no job 'smal-1' in workspace 'default'; did you mean small-1, small-2?"),
        (["show", "a b"], "'a b' cannot name a job: "),
        (["show", "small-1", "--metric", "corect"], "job 'small-1' has no metric 'corect'; did you mean correct?"),
        (["show", "small-1", "--suite", "long"], "job 'small-1' has no suite 'long'; there are: default"),
        (["show", "small-1", "--by", "kind"], "rows cannot be sliced by 'kind'; "),
        (["rows", "small-1", "--where", "correct"], "'correct' is no condition: write FIELD OP VALUE"),
        (["rows", "small-1", "--where", "x = 1"], "'x = 1': there is no field 'x'; "),
        (["rows", "small-1", "--metric", "x"], "job 'small-1' has no metric 'x'; there are: correct"),
        (["rows", "small-1", "--worst", "1", "--best", "1"], "give --worst or --best, not both"),
        (["leaderboard", "--metric", "corect"], "there is no metric 'corect' in workspace 'default'; did you mean c"),
        (["leaderboard", "--dataset", "math/s"], "there is no dataset 'math/s' in workspace 'default'; did you mean "),
        (["trend", "--metric", "x"], "there is no metric 'x' in workspace 'default'; there are: correct, "),
        (["trend", "--name", "x"], "trend: `name` narrows a metric; give the metric too"),
        (["sql", "SELECT nme FROM jobs"], 'SQL: Binder Error: Referenced column "nme" not found'),
        (["sql", "DELETE FROM job"], "sql only reads: DELETE is refused"),
        (["sql", "SELECT $a"], "give a value for $a"),
        (["sql", "SELECT 1", "-p", "a"], "-p: 'a' is not of the form NAME=VALUE"),
        (["--workspace", "a/b", "jobs"], "'a/b' cannot name a workspace"),
        (["completion", "tcsh"], "Invalid value for '{bash|zsh|fish}': 'tcsh' is not one of"),
    ],
)  # fmt: skip
def test_wrong_usage_is_exit_code_2(arguments, message, run):
    done = run(*arguments)
    assert (done.code, done.stdout) == (2, "")
    assert done.stderr.startswith(f"evalstore: {message}")
    assert "Traceback" not in done.stderr


def test_no_store_is_exit_code_2_and_makes_none(run, tmp_path):
    done = run("jobs", store=tmp_path / "none")
    assert done.code == 2
    assert done.stderr.startswith(f"evalstore: there is no store at {tmp_path / 'none'}; ")
    assert not list(tmp_path.iterdir())


def test_a_broken_store_is_exit_code_4(run, tmp_path):
    root = tmp_path / "evals"
    store = evalstore.open(root)
    store.record("j", [{"a": 1, "ok": True}], scores=["ok"])
    [scores] = store.score_files()
    Path(scores).write_bytes(b"not a table" * 1000)
    done = run("rows", "j", store=root)
    assert (done.code, done.stdout) == (4, "")
    assert done.stderr.startswith("evalstore: ")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.UsageError("x"), 2),
        (errors.JobBusy("x"), 2),
        (errors.NotComparable("x"), 3),
        (errors.BrokenInput("x"), 4),
        (errors.BrokenStore("x"), 4),
        (errors.EvalStoreError("x"), 4),
    ],
)
def test_an_error_of_evalstore_exits_with_its_own_code(error, code, run, monkeypatch):
    monkeypatch.setattr(Place, "open", raising(error))
    done = run("jobs")
    assert (done.code, done.stdout, done.stderr) == (code, "", "evalstore: x\n")


def raising(error):
    def fail(_):
        raise error

    return fail


def test_an_error_of_the_program_is_one_line_and_its_traceback_is_kept_back(run, monkeypatch):
    monkeypatch.setattr(Place, "open", raising(KeyError("x\ny")))
    line = "evalstore: internal error: KeyError: 'x\\ny'; set EVALSTORE_TRACEBACK=1 for the traceback\n"
    assert (run("jobs").code, run("jobs").stderr) == (4, line)
    shown = run("jobs", env={"EVALSTORE_TRACEBACK": "1"}).stderr
    assert shown.startswith("Traceback")
    assert shown.endswith(line)


def test_what_the_system_refuses_is_said_as_it_says_it(run, process, filled, tmp_path):
    done = run("jobs", "-o", tmp_path / "none" / "jobs")
    assert done.code == 4
    assert done.stderr == f"evalstore: No such file or directory: {tmp_path / 'none' / 'jobs'}\n"
    with open("/dev/full", "w") as full:  # noqa: PTH123
        command = [sys.executable, "-m", "evalstore", "--store", str(filled), "jobs"]
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, encoding="utf-8", check=False)
    assert (ended.returncode, ended.stderr) == (4, "evalstore: No space left on device\n")


@pytest.mark.parametrize("format", ["table", "csv", "json", "parquet", "markdown"])
def test_a_reader_that_leaves_is_no_error(format, filled):
    query = "SELECT i, 'some text that fills the pipe' AS t FROM range(20000) r(i)"
    command = [sys.executable, "-m", "evalstore", "--store", str(filled), "sql", query, "--format", format]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.read(10)
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_help_into_a_closed_pipe_is_no_error():
    script = f"{sys.executable} -m evalstore --help | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, encoding="utf-8", check=True)
    assert (done.stdout, done.stderr) == ("0\n", "")


@pytest.mark.parametrize(
    ("number", "code", "message"), [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")]
)
def test_a_signal_ends_an_import_and_leaves_no_job(number, code, message, tmp_path):
    path, root = tmp_path / "many.jsonl", tmp_path / "evals"
    path.write_text("".join(f'{{"q": {n}, "ok": true}}\n' for n in range(300_000)))
    command = [sys.executable, "-m", "evalstore", "--store", str(root), "import", "rows", str(path), "--job", "j"]
    with subprocess.Popen([*command, "--score", "ok"], stderr=subprocess.PIPE, encoding="utf-8") as process:
        while not (root / "staging/default/j/journal.jsonl").exists():
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(number)
        _, complaint = process.communicate(timeout=60)
    assert (process.returncode, complaint) == (code, f"evalstore: {message}\n")
    assert not list(root.glob("*/default/j"))


def test_nothing_but_data_is_on_stdout(run):
    for arguments in (["jobs", "--limit", "1"], ["rows", "small-1", "--limit", "1"]):
        done = run(*arguments, "--format", "json")
        assert len(done.objects) == 1
        assert re.fullmatch(r"\(1 \w+ shown; .*\)\n", done.stderr)
