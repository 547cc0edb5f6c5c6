"""Help, starting up, and completion in the shell."""

import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete

import evalstore
from evalstore.cli.app import evalstore as program

HEAVY = ["duckdb", "polars", "pyarrow", "pydantic", "rich", "orjson", "scipy", "numpy", "zstandard", "evalstore.store"]


def commands(group=program, path=()):
    for name, command in group.commands.items():
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


EVERY_COMMAND = [pytest.param(path, command, id="-".join(path)) for path, command in [((), program), *commands()]]


@pytest.mark.parametrize(
    "arguments", [["--help"], [], ["import"], ["rows", "--help"], ["--version"], ["completion", "zsh"]]
)
def test_nothing_heavy_is_imported_before_a_command_runs(arguments):
    script = f"""if True:
        import sys
        from evalstore.cli import main
        try:
            main({arguments!r})
        finally:
            print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)
    """
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, encoding="utf-8", check=True)
    assert done.stderr == "[]\n"
    assert done.stdout


@pytest.mark.parametrize(("path", "command"), EVERY_COMMAND)
def test_every_command_has_help_with_an_example(path, command, run):
    done = run(*path, "--help", store=None)
    assert (done.code, done.stderr) == (0, "")
    assert done.stdout.startswith(f"Usage: evalstore {' '.join(path)}".rstrip())
    assert done.stdout.endswith("\nExample:\n" + "".join(f"  {line}\n" for line in command.example.splitlines()))
    assert max(map(len, done.stdout.splitlines())) <= 110


@pytest.mark.parametrize(("path", "command"), EVERY_COMMAND)
def test_every_option_says_what_it_is_for(path, command):
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help
            assert parameter.is_flag or parameter.metavar or isinstance(parameter.type, click.Choice)


@pytest.mark.parametrize(("path", "command"), EVERY_COMMAND)
def test_every_example_can_be_typed_as_it_stands(path, command, run):
    lines = command.example.replace("\\\n", "").splitlines()
    for words in [shlex.split(line, comments=True) for line in lines if line.startswith("evalstore ")]:
        end = next((place for place, word in enumerate(words) if word in ("|", ">")), len(words))
        done = run(*words[1:end], "--help", store=None)
        assert (done.code, done.stderr) == (0, "")
        assert not path or done.stdout.startswith(f"Usage: evalstore {' '.join(path)} ")


def test_without_arguments_it_prints_its_help(run):
    assert run(store=None).stdout == run("--help", store=None).stdout
    assert run("import", store=None).stdout == run("import", "--help", store=None).stdout


def test_the_commands_stand_in_the_order_of_use(run):
    listed = run("--help", store=None).stdout.partition("Commands:\n")[2].partition("\n\n")[0]
    assert [line.split()[0] for line in listed.splitlines()] == list(program.commands)


def test_version(process):
    assert process("--version").stdout == f"evalstore {evalstore.__version__}\n"


def test_the_installed_program_is_the_same(tmp_path):
    installed = Path(sys.prefix) / "bin" / "evalstore"
    done = subprocess.run(
        [str(installed), "--version"], capture_output=True, encoding="utf-8", check=True, cwd=tmp_path
    )
    assert done.stdout == f"evalstore {evalstore.__version__}\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(shell, run):
    done = run("completion", shell, store=None)
    assert done.code == 0
    assert "_EVALSTORE_COMPLETE" in done.stdout


def test_bash_takes_the_script():
    script = f'eval "$({sys.executable} -m evalstore completion bash)" && complete -p evalstore'
    done = subprocess.run(["bash", "-c", script], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.strip().endswith("evalstore")


def test_a_shell_that_asks_is_answered(process, filled):
    typed = f"evalstore --store {filled} show small"
    done = process(_EVALSTORE_COMPLETE="bash_complete", COMP_WORDS=typed, COMP_CWORD="4")
    assert (done.code, done.stdout, done.stderr) == (0, "plain,small-2\nplain,small-1\n", "")


@pytest.fixture
def complete(filled, capfd):
    """The words that a shell offers after what was typed."""

    def offered(*words, store=filled):
        *before, incomplete = words
        offers = ShellComplete(program, {}, "evalstore", "").get_completions(
            ["--store", str(store), *before], incomplete
        )
        assert capfd.readouterr() == ("", "")
        return [offer.value for offer in offers]

    return offered


def test_commands_options_and_choices_are_completed(complete):
    assert complete("le") == ["leaderboard"]
    assert complete("import", "") == ["rows", "nemo", "trainloop", "archive"]
    assert complete("rows", "--wo") == ["--worst"]
    assert complete("jobs", "--format", "p") == ["parquet"]


def test_names_are_completed_from_the_store(complete):
    assert complete("show", "small") == ["small-2", "small-1"]
    assert complete("rows", "@") == ["@last"]
    assert complete("leaderboard", "--metric", "") == ["correct", "length", "quality", "rouge"]
    assert complete("leaderboard", "--dataset", "m") == ["math/sums"]
    assert complete("trend", "--model", "acme/l") == ["acme/large"]
    assert complete("trend", "--suite", "s") == ["short"]
    assert complete("jobs", "--tag", "n") == ["nightly"]
    assert complete("jobs", "--group", "") == ["weekly"]
    assert complete("show", "small-1", "--by", "metadata") == ["metadata."]


def test_completion_without_a_store_offers_what_always_holds(complete, tmp_path):
    assert complete("show", "", store=tmp_path / "none") == ["@last"]
    assert complete("leaderboard", "--metric", "", store=tmp_path / "none") == []
