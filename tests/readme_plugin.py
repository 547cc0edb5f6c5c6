"""Runs the fenced blocks of README.md as tests, in document order, in one temporary folder.

- ```python: run in one namespace, shared by the whole document.
- ```sql: run as `store.sql(block)`, with the `store` of that namespace.
- ```console or ```shell: a line that begins with `$ ` is a command for bash; a backslash at its end continues it.
  The lines after it are its standard output: `...` stands for anything within a line, or alone for any number of
  lines. No such lines: only the exit code is looked at, which is 0 or what a trailing `# exit 3` says.

`<!-- not run: REASON -->` before a block skips it. `<!-- needs gsm8k -->` puts the example solutions of GSM8K beside
it, or skips it where they are not to be had.
"""

import contextlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import indent
from typing import Any

import pytest
from sybil import Document, Example, Region, Sybil
from sybil.evaluators.python import PythonEvaluator
from sybil.integration.pytest import SybilFile
from sybil.parsers.markdown.lexers import FencedCodeBlockLexer

GSM8K_ANSWERS = "../shared/data/gsm8k/example_model_solutions.jsonl"  # from the project's folder
DIRECTIVE = re.compile(r"<!--\s*(?:not run: *(?P<reason>[^>]+?)|needs (?P<data>\w+))\s*-->\s*\Z")
EXIT_CODE = re.compile(r"\s#\s*exit (\d+)\s*\Z")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> SybilFile | None:
    if file_path != parent.config.rootpath / "README.md":
        return None
    return readme_file(file_path, parent)


def readme_file(path: Path, parent: pytest.Collector) -> SybilFile:
    """The README as a collection of tests, with a temporary folder as the current one while they run."""
    cleanup = contextlib.ExitStack()

    def enter_folder(_namespace: dict[str, Any]) -> None:
        folder = cleanup.enter_context(TemporaryDirectory(prefix="readme-"))
        patch = cleanup.enter_context(pytest.MonkeyPatch.context())
        patch.chdir(folder)
        patch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
        for name in ("EVALSTORE", "COLUMNS", "FORCE_COLOR"):
            patch.delenv(name, raising=False)

    def leave_folder(namespace: dict[str, Any]) -> None:
        namespace.clear()
        cleanup.close()

    sybil = Sybil([blocks_to_run], path=str(path.parent), setup=enter_folder, teardown=leave_folder)
    return SybilFile.from_parent(parent, path=path, sybils=[sybil])


def blocks_to_run(document: Document) -> Iterator[Region]:
    for region in FencedCodeBlockLexer(language=r"[^\n]+")(document):
        run = RUNNERS.get(region.lexemes["language"].split()[0])
        if run is not None:
            region.parsed = region.lexemes["source"]
            region.evaluator = as_told(DIRECTIVE.search(document.text, 0, region.start), run)
            yield region


def as_told(directive: re.Match[str] | None, run: Callable[[Example], str | None]) -> Callable[[Example], str | None]:
    """`run`, unless the directive before the block says otherwise; what it raises names the block."""

    def evaluate(example: Example) -> str | None:
        if directive and directive["reason"]:
            pytest.skip(f"{place(example)} is not run: {directive['reason']}")
        if directive and directive["data"]:
            fetch_data(directive["data"], example)
        try:
            return run(example)
        except Exception as error:
            error.add_note(f"in the block at {place(example)}")
            raise

    return evaluate


def place(example: Example, lines_down: int = 0) -> str:
    return f"{Path(example.path).name}:{example.line + lines_down}"


def fetch_data(name: str, example: Example) -> None:
    if name != "gsm8k":
        pytest.fail(f"{place(example)} needs {name}, which nobody knows; known: gsm8k")
    answers = Path(example.path).parent / GSM8K_ANSWERS
    if not answers.exists():
        pytest.skip(f"{place(example)} is not run: it needs {answers.name} of GSM8K")
    shutil.copy(answers, answers.name)


def run_sql(example: Example) -> str | None:
    if "store" not in example.namespace:
        return f"{place(example)}: a Python block before this one must open `store`"
    example.namespace["store"].sql(example.parsed)
    return None


@dataclass
class Command:
    """One `$ ` line of a console block and the output that it promises."""

    text: str
    place: str
    output: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        told = EXIT_CODE.search(self.text)
        return int(told[1]) if told else 0

    def run(self) -> str | None:
        """Nothing if all is as promised, else what is not."""
        done = subprocess.run(
            ["bash", "-c", self.text],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            check=False,
            env=dict(os.environ),  # without it a child gets what readline has put beside it: the width of a terminal
        )
        facts = {"got": stripped(done.stdout), "stderr": stripped(done.stderr)}
        if done.returncode != self.exit_code:
            return self.complaint(f"exit code {done.returncode}, expected {self.exit_code}", facts)
        expected = stripped("\n".join(self.output))
        if expected and not output_pattern(expected).fullmatch(facts["got"] + "\n"):
            return self.complaint("another output than expected", {"expected": expected} | facts)
        return None

    def complaint(self, sentence: str, facts: dict[str, str]) -> str:
        shown = [f"{name}:\n{indent(text or '(nothing)', '    ')}" for name, text in facts.items()]
        return "\n".join([f"{self.place}: $ {self.text}", sentence, *shown])


def run_console(example: Example) -> str | None:
    for command in commands_of(example):
        if complaint := command.run():
            return complaint
    return None


def commands_of(example: Example) -> list[Command]:
    commands: list[Command] = []
    continues = False
    for number, line in enumerate(example.parsed.rstrip().split("\n"), start=1):
        if continues:
            commands[-1].text += f"\n{line}"
            continues = line.endswith("\\")
        elif line.startswith("$ "):
            commands.append(Command(line.removeprefix("$ "), place(example, number)))
            continues = line.endswith("\\")
        elif commands:
            commands[-1].output.append(line)
        else:
            pytest.fail(f"{place(example, number)}: a console block begins with a command, marked by `$ `")
    return commands


def stripped(text: str) -> str:
    """`text` without white space at the ends of its lines and empty lines at its own end."""
    return re.sub(r"[^\S\n]+$", "", text, flags=re.MULTILINE).rstrip()


def output_pattern(expected: str) -> re.Pattern[str]:
    """A line `...` stands for any number of lines, `...` within a line for any part of it."""
    pattern = "".join(
        r"(?:.*\n)*" if line == "..." else ".*".join(map(re.escape, line.split("..."))) + r"\n"
        for line in expected.split("\n")
    )
    return re.compile(pattern)


RUNNERS: dict[str, Callable[[Example], str | None]] = {
    "python": PythonEvaluator(),
    "sql": run_sql,
    "console": run_console,
    "shell": run_console,
}
