"""`trend` with windows, axes, policies and plots; `benchmark`; `prune` by series; `archive` and `import archive`."""

import json
import shutil
from xml.etree import ElementTree as ET

import pytest
from click.shell_completion import ShellComplete

import evalstore
from evalstore.cli.app import evalstore as program
from tests.cli.conftest import record


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Four runs of a model, one of another, all of one group."""
    root = tmp_path_factory.mktemp("made") / "evals"
    with evalstore.open(root) as store:
        for day, right in enumerate((1, 3, 2, 4)):
            record(store, f"run-{day}", model="acme/small", day=day, right=right, group="weekly")
        record(store, "large", model="acme/large", day=1, right=4, group="weekly")
    return root


@pytest.fixture
def root(made, tmp_path):
    shutil.copytree(made, tmp_path / "evals")
    return tmp_path / "evals"


@pytest.fixture
def here(run, root):
    """Runs a command line on that store, on a wide page."""
    return lambda *arguments: run(*arguments, store=root, env={"COLUMNS": "140"})


def test_a_trend_shows_its_interval_and_its_window(here):
    done = here("trend", "--metric", "correct", "--model", "acme/small", "--window", "2")
    assert done.code == 0
    assert done.lines[0] == "acme/small · math/sums · weekly · correct  ▁▆▃█"
    assert done.lines[2].split("  ")[0] == "created (UTC)"
    assert "95 %" in done.lines[2]
    assert "0.2500  0.0456 to 0.6994" in done.lines[4]
    assert "0.5000 ± 0.3536" in done.lines[5]


def test_days_and_every_status_have_columns_of_their_own(here, root):
    with evalstore.open(root) as store:
        store.job("broken", model="acme/small", dataset="math/sums", group="weekly").finish("error", OSError("disk"))
    done = here("trend", "--x", "day", "--group", "weekly", "--any-status")
    assert "day (UTC)   jobs  job" in done.stdout
    shown = here("trend", "--metric", "correct", "--any-status", "--errors", "zero", "--format", "json").objects
    assert {line["job"] for line in shown} == {"run-0", "run-1", "run-2", "run-3", "large"}
    assert [line["x"] for line in here("trend", "--x", "run", "--model", "acme/small", "--format", "json").objects] == [
        1, 2, 3, 4,
    ]  # fmt: skip


@pytest.mark.parametrize("command", [("trend",), ("trend", "--metric", "m"), ("leaderboard",)])
def test_what_only_failed_jobs_scored_is_there_when_asked_for(run, tmp_path, command):
    with evalstore.open(tmp_path / "evals") as store:
        job = store.job("broken")
        job.log(item={}, scores={"m": True})
        job.finish("error", OSError("disk"))
    done = run(*command, store=tmp_path / "evals")
    assert "--any-status takes in those that did not complete" in done.stderr
    done = run(*command, "--any-status", store=tmp_path / "evals")
    assert ("1.0000" in done.stdout, "error" in done.stdout, done.stderr) == (True, True, "")


@pytest.mark.parametrize("name", ["trend.svg", "trend.html"])
def test_a_plot_is_drawn_beside_the_table(here, tmp_path, name):
    done = here("trend", "--metric", "correct", "--plot", tmp_path / name)
    assert (done.code, done.stderr) == (0, f"drew {tmp_path / name}\n")
    assert done.lines[0].startswith("acme/large")
    text = (tmp_path / name).read_text("utf-8")
    root = ET.fromstring(text[text.index("<svg") : text.index("</svg>") + 6])
    assert len(list(root.iter("{http://www.w3.org/2000/svg}polyline"))) == 2


@pytest.mark.parametrize(
    ("name", "wrong", "message"),
    [
        ("a.png", [], "a plot is written as .svg or .html"),
        ("a.svg", ["--window", "7x"], "window is a number of points"),
        ("a.svg", ["--window", "0"], "window is a number of points"),
        ("a.svg", ["--x", "week"], "Invalid value for '--x'"),
        ("a.svg", ["--group", "week"], "did you mean weekly?"),
    ],
)
def test_what_makes_no_sense_draws_nothing(here, tmp_path, name, wrong, message):
    done = here("trend", "--metric", "correct", "--plot", tmp_path / name, *wrong)
    assert (done.code, done.stdout) == (2, "")
    assert message in done.stderr
    assert not (tmp_path / name).exists()


def test_a_benchmark_names_the_best(here):
    done = here("benchmark", "weekly")
    assert (done.code, done.stderr) == (0, "")
    assert done.lines[2:5] == ["best overall  acme/large", "best value    acme/large", "cost savings  0.0%"]
    assert "acme/small  1.0000  4 of 4" in done.stdout
    found = here("benchmark", "weekly", "--format", "json").objects
    assert found["comparison"] == {"best_overall": "acme/large", "best_value": "acme/large", "cost_savings": 0.0}
    assert [line["model"] for line in found["models"]] == ["acme/large", "acme/small"]
    assert here("benchmark", "weekly", "--format", "csv").lines[0].startswith("model,dataset,job")
    wrong = here("benchmark", "weakly")
    assert (wrong.code, wrong.stderr) == (
        2, "evalstore: there is no group 'weakly' in workspace 'default'; did you mean weekly?\n",
    )  # fmt: skip


def test_a_benchmark_without_a_completed_job_has_nothing_to_judge(here, root):
    with evalstore.open(root) as store:
        store.job("lost", group="lost").finish("error", OSError("disk"))
    done = here("benchmark", "lost")
    assert (done.code, done.stdout) == (3, "")


def test_pruning_says_what_goes_and_what_stays(here, root):
    here("tag", "run-1", "--add", "pinned")
    would = here("prune", "--keep-last", "1", "--dry-run")
    assert [line.split()[0] for line in would.lines[2:4]] == ["run-0", "run-2"]
    assert would.lines[-1].split() == ["run-1", "tagged", "pinned"]
    assert would.stderr.startswith("would delete 2 jobs (")
    assert would.stderr.endswith("; 1 other that fit stay\n")
    dropped = here("prune", "--keep-last", "1", "--rows-only", "--format", "json")
    assert (dropped.objects["action"], len(dropped.objects["jobs"])) == ("drop rows", 2)
    assert "`evalstore prune --trash` frees the space" in dropped.stderr
    assert "dropped 20" in here("show", "run-0").stdout
    refused = here("rows", "run-0")
    assert (refused.code, refused.stdout) == (2, "")
    assert "the rows of job 'run-0' were dropped on " in refused.stderr
    assert len(here("trend", "--metric", "correct", "--model", "acme/small", "--format", "json").objects) == 4
    done = here("prune", "--keep-last", "1")
    assert done.stderr.startswith("deleted 2 jobs (")
    assert {job["name"] for job in here("jobs", "--format", "json").objects} == {"run-1", "run-3", "large"}
    assert here("verify").code == 0


def test_an_archive_comes_back_elsewhere(here, run, root, tmp_path):
    file = tmp_path / "two.tar.zst"
    done = here("archive", "run-0", "large", "--to", file)
    assert (done.code, done.stdout) == (0, f"{file}\n")
    assert done.stderr.startswith("archived 2 jobs: ")
    again = here("archive", "run-0", "--to", file)
    assert (again.code, again.stderr) == (2, f"evalstore: {file} exists: choose another name, or remove it\n")
    other = tmp_path / "other"
    came = run("import", "archive", file, store=other)
    assert [line.split() for line in came.lines[2:]] == [["run-0", "brought", "in"], ["large", "brought", "in"]]
    twice = run("import", "archive", file, "--format", "json", store=other)
    assert (twice.objects["rows"], len(twice.objects["flags"])) == (0, 2)
    file.write_bytes(file.read_bytes()[:-9])
    broken = run("import", "archive", file, store=other)
    assert (broken.code, broken.stdout) == (4, "")
    assert broken.stderr.startswith(f"evalstore: {file}: is no whole archive of evalstore: ")
    assert json.loads(run("verify", "--format", "json", store=other).stdout)["jobs"] == 2


def test_groups_and_options_are_completed(root):
    complete = ShellComplete(program, {}, "evalstore", "")

    def offered(*words):
        return [one.value for one in complete.get_completions(["--store", str(root), *words[:-1]], words[-1])]

    assert offered("benchmark", "w") == offered("trend", "--group", "w") == ["weekly"]
    assert offered("trend", "--x", "") == ["time", "day", "run"]
    assert offered("prune", "--status", "e") == ["error"]
    assert offered("archive", "run-0", "l") == ["large"]
