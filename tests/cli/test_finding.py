"""Jobs are found by conditions, tagged, imported and exported on the command line."""

import json

import pytest

import evalstore
from tests.cli.conftest import UNSET


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "evals"
    with evalstore.open(root) as store:
        for n in range(3):
            with store.job(f"run-{n}", model=f"m{n}", labels={"team": "red"}, tags=["even"] * (n % 2 == 0)) as job:
                for row in range(2):
                    job.log(item={"q": row}, scores={"accuracy": row < n})
        with store.job("empty") as job:
            job.log(item={"q": 0}, scores={"accuracy": None})
    with evalstore.open(root, workspace="other") as store, store.job("run-0") as job:
        job.log(item={"q": 0}, scores={"accuracy": 1})
    return root


@pytest.fixture
def ask(root, monkeypatch):
    from click.testing import CliRunner

    from evalstore.cli.app import evalstore as program

    for name in UNSET:
        monkeypatch.delenv(name, raising=False)
    return lambda *words: CliRunner().invoke(program, ["--store", str(root), *map(str, words)])


def names(done):
    assert done.exit_code == 0, done.stderr
    return [job["name"] for job in json.loads(done.stdout)]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["--where", "scores.accuracy.mean >= 0.5"], ["run-2", "run-1"]),
        (["--where", "labels.team = red", "--where", "model != m1"], ["run-2", "run-0"]),
        (["--where", "name ~ RUN", "--sort", "name"], ["run-0", "run-1", "run-2"]),
        (["--sort", "-scores.accuracy.mean"], ["run-2", "run-1", "run-0", "empty"]),
        (["--filter", '{"$or": [{"name": "run-0"}, {"tags": {"$in": ["even"]}}]}'], ["run-2", "run-0"]),
        (["--where", "tags = null", "--tag", "even"], []),
        (["--where", "rows_scored = 0", "--limit", "0"], ["empty"]),
        (["--sort", "name", "--limit", "2"], ["empty", "run-0"]),
        (["--where", "status = error"], []),
        (["--where", "workspace = other"], ["run-0"]),
        (["--filter", '{"name": "run-0"}', "--all-workspaces", "--sort", "workspace"], ["run-0", "run-0"]),
    ],
)
def test_jobs_are_found(ask, words, found):
    assert names(ask("jobs", *words, "--format", "json")) == found


def test_found_jobs_have_the_columns_of_all_jobs(ask):
    plain, found = (
        json.loads(ask("jobs", *words, "--format", "json").stdout) for words in ([], ["--sort", "-created_at"])
    )
    assert found == plain


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--where", "modle = x"], "did you mean model"),
        (["--where", "model"], "FIELD OP VALUE"),
        (["--where", "cost > x"], "takes a number"),
        (["--filter", "{"], "is not JSON"),
        (["--filter", "[]"], "a filter is a dict"),
        (["--sort", "speed"], "no field 'speed'"),
        (["--sort", ""], "no field ''"),
        (["--where", "status = done"], "no status 'done'; there are: cancelled, completed, error, interrupted"),
        (["--where", "kind = foo"], "no kind 'foo'"),
        (["--where", "created_at ~ yesterday"], "no beginning of one"),
        (["--where", "config.a..b = 1"], "is no path"),
        (["--filter", '{"name": "a", "name": "b"}'], "'name' stands twice"),
        (["--filter", '{"$or": [{"name": {"$like": "a", "$like": "b"}}]}'], "'$like' stands twice"),
        (["--filter", "[" * 100_000], "nested too deeply"),
    ],
)
def test_what_cannot_be_read_is_wrong_usage(ask, words, message):
    done = ask("jobs", *words)
    assert (done.exit_code, done.stdout) == (2, "")
    assert message in done.stderr


def test_jobs_are_found_by_the_time_that_the_table_prints(ask):
    [line] = [line for line in ask("jobs").stdout.splitlines() if line.startswith("run-1")]
    shown = " ".join(line.split()[-2:])
    assert "run-1" in names(ask("jobs", "--where", f"created_at ~ {shown}", "--format", "json"))


def test_jobs_of_another_workspace_stand_beside_its_name(ask):
    assert "workspace" not in ask("jobs", "--sort", "name").stdout
    header, _, line = ask("jobs", "--where", "workspace = other").stdout.splitlines()
    assert (header.split()[0], line.split()[:2]) == ("workspace", ["other", "run-0"])


def test_jobs_are_found_once_each_while_others_write_and_delete(root, monkeypatch):
    from evalstore.cli import found_jobs

    line_of = found_jobs._line
    seen = []

    def line(result):
        seen.append(result.name)
        if len(seen) == 2:
            with store.job("newer") as job:
                job.log(item={"q": 0}, scores={"accuracy": 1})
            store.delete(seen[0])
        return line_of(result)

    monkeypatch.setattr(found_jobs, "_LARGEST_PAGE", 1)
    monkeypatch.setattr(found_jobs, "_line", line)
    with evalstore.open(root) as store:
        frame = found_jobs.found_jobs(store, {}, ["name ~ r"], None, None, limit=0, workspace=None)
    assert frame["name"].to_list() == seen == ["run-2", "run-1", "run-0"]


def test_a_job_that_scored_nothing_says_so(ask):
    [line] = [line for line in ask("jobs").stdout.splitlines() if line.startswith("empty")]
    assert "scored nothing" in line
    assert "completed" not in line


def test_a_job_is_tagged(ask):
    done = ask("tag", "run-0", "--add", "paper", "--remove", "even", "--note", "for the record")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "run-0 has the tags paper\n")
    assert names(ask("jobs", "--tag", "paper", "--format", "json")) == ["run-0"]
    assert ask("tag", "run-0").exit_code == 2
    assert ask("tag", "run-9", "--add", "x").exit_code == 2


def test_artifacts_go_out_and_come_in(ask, tmp_path):
    done = ask("export", "nemo", "run-1", "run-2", "--to", tmp_path / "out")
    files = [tmp_path / f"out/run-{n}.{kind}" for n in (1, 2) for kind in ("row-scores.jsonl", "aggregate-scores.json")]
    assert (done.exit_code, done.stdout.splitlines()) == (0, list(map(str, files)))
    assert ask("delete", "run-1", "run-2").exit_code == 0
    done = ask("import", "nemo", tmp_path / "out", "--tag", "back", "--model", "m", "--format", "json")
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["jobs"] == ["run-1", "run-2"]
    assert names(ask("jobs", "--where", "tags = back", "--sort", "name", "--format", "json")) == ["run-1", "run-2"]
    assert ask("import", "nemo", files[0], "--job", "again").exit_code == 0
    assert ask("import", "nemo", files[0], files[2], "--job", "again").exit_code == 2
    assert ask("import", "nemo", tmp_path / "nothing").exit_code == 4
