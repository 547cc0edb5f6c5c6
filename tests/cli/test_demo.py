"""`evalstore demo`, twice."""

import re
import shlex

import pytest

import evalstore


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("demo") / "demo store"


@pytest.fixture
def shown(run, root):
    done = run("demo", store=root)
    assert (done.code, done.stderr) == (0, "")
    return done.stdout


def test_it_shows_what_can_be_asked(shown, root):
    headings = re.findall(r"^(\S.*?) ─+$", shown, re.MULTILINE)
    assert headings == [
        "Which model is best?",
        "How did the best one do?",
        "Where did it fail?",
        "How did it get there?",
        "Is the last step more than noise?",
        "What next?",
    ]
    assert shown.count("scored ") > 10
    assert f"The store is the folder {root}." in shown


def test_a_second_run_records_nothing_and_shows_the_same(shown, run, root):
    before = evalstore.open(root).jobs()
    assert run("demo", store=root).stdout == shown
    assert evalstore.open(root).jobs().equals(before)


def test_the_commands_that_it_names_work_as_they_stand(shown, run):
    commands = re.findall(r"^\$ evalstore (.*)$", shown, re.MULTILINE)
    assert len(commands) == 8
    for command in commands:
        done = run(*shlex.split(command), store=None)
        assert (done.code, bool(done.stdout)) == (0, True)


def test_progress_is_shown_on_a_terminal(terminal, root):
    assert "recording the demo" in terminal("--store", root, "demo").stdout
