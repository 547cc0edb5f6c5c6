"""A store with one of everything, and ways to run the command line: in this process, as a process, on a terminal."""

import json
import os
import pty
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

import evalstore
from evalstore.cli.app import evalstore as program

QUALITY = {"rubric": [{"label": label, "value": value} for value, label in enumerate(["poor", "fair", "good"], 1)]}
FIRST_DAY = datetime(2026, 5, 1, 9, 30, tzinfo=UTC)
UNSET = ("EVALSTORE", "EVALSTORE_TRACEBACK", "COLUMNS", "FORCE_COLOR", "NO_COLOR")


@dataclass
class Done:
    """What a command line did."""

    code: int
    stdout: str
    stderr: str

    @property
    def objects(self):
        return json.loads(self.stdout)

    @property
    def lines(self):
        return self.stdout.splitlines()


def record(store, name, *, model, day=0, right, dataset="math/sums", items=4, **context):
    """A job over `items` sums of which the first `right` are answered well."""
    with store.job(name, model=model, dataset=dataset, created_at=FIRST_DAY + timedelta(days=day), **context) as job:
        for number in range(items):
            is_right = number < right
            job.log(
                item={"question": f"What is {number} + {number}?"},
                sample={"answer": 2 * number if is_right else -1},
                reference={"answer": 2 * number},
                scores={"correct": {"value": is_right, "comment": None if is_right else "off by a lot"}},
                row_key=f"sum-{number}",
                metadata={"kind": "even" if number % 2 == 0 else "odd"},
                latency=0.5,
                cost=0.25,
                prompt_tokens=7,
                completion_tokens=2,
            )


def fill(root):
    store = evalstore.open(root)
    record(store, "small-1", model="acme/small", right=1, tags=["nightly"], config={"temperature": 0})
    record(store, "small-2", model="acme/small", right=3, day=1, tags=["nightly"], group="weekly")
    record(store, "large-1", model="acme/large", right=4, day=2, labels={"stage": "beta"})
    record(store, "other-rows", model="acme/tiny", right=2, day=3, items=3)
    with store.job(
        "essay", model="acme/large", dataset="texts/essays", created_at=FIRST_DAY + timedelta(days=4),
        metrics={"quality": QUALITY, "length": {"minimum": 0, "maximum": 10, "higher_is_better": False}},
    ) as job:  # fmt: skip
        for key, quality, length in (("a", "good", 4), ("b", "good", 12), ("c", "fair", float("nan"))):
            job.log(item=f"essay {key}", sample="text", scores={"quality": quality, "length": length}, row_key=key,
                    suite="long")  # fmt: skip
        job.log(item="essay d", error=TimeoutError("no answer\nin time"), row_key="d", suite="long")
        job.log(item="essay e", sample="text", scores={"quality": None}, row_key="e", suite="long")
        job.log(item="essay f", scores={"rouge": [{"name": "rouge_1", "score": 0.5}]}, row_key="f", suite="short")
    with suppress(ZeroDivisionError), store.job("crashed", created_at=FIRST_DAY + timedelta(days=5)) as job:
        job.log(item={"question": "?"}, scores={"correct": True})
        1 / 0  # noqa: B018
    with evalstore.open(root, workspace="elsewhere").job("far", created_at=FIRST_DAY) as job:
        job.log(item=1, scores={"correct": True})
    store.close()


@pytest.fixture(scope="session")
def filled(tmp_path_factory):
    root = tmp_path_factory.mktemp("filled") / "evals"
    fill(root)
    return root


@pytest.fixture
def run(filled, monkeypatch):
    """Runs a command line in this process, on the filled store where no other is named."""
    for name in UNSET:
        monkeypatch.delenv(name, raising=False)

    def run_here(*arguments, store=filled, stdin=None, env=None):
        given = [] if store is None else ["--store", str(store)]
        done = CliRunner().invoke(program, [*given, *map(str, arguments)], input=stdin, env=env or {})
        assert done.exception is None or isinstance(done.exception, SystemExit)
        return Done(done.exit_code, done.stdout, done.stderr)

    return run_here


def environment(**extra):
    return {key: value for key, value in os.environ.items() if key not in UNSET} | extra


@pytest.fixture
def process():
    """Runs a command line as a process of its own."""

    def run_apart(*arguments, stdin=None, cwd=None, **env):
        command = [sys.executable, "-m", "evalstore", *map(str, arguments)]
        done = subprocess.run(
            command, input=stdin, capture_output=True, encoding="utf-8", check=False, cwd=cwd, env=environment(**env)
        )
        return Done(done.returncode, done.stdout, done.stderr)

    return run_apart


@pytest.fixture
def terminal():
    """Runs a command line on a pseudo-terminal of a certain width; gives all that it shows, and its exit code."""

    def run_on_terminal(*arguments, width=100):
        main, secondary = pty.openpty()
        command = [sys.executable, "-m", "evalstore", *map(str, arguments)]
        env = environment(COLUMNS=str(width), TERM="xterm-256color")
        with subprocess.Popen(command, stdin=secondary, stdout=secondary, stderr=secondary, env=env) as process:
            os.close(secondary)
            shown = b""
            while True:
                try:
                    data = os.read(main, 65536)
                except OSError:  # the other end is closed
                    break
                if not data:
                    break
                shown += data
        os.close(main)
        return Done(process.returncode, shown.decode().replace("\r\n", "\n"), "")

    return run_on_terminal


@pytest.fixture
def gsm8k():
    """The real answers of four models to 1,319 problems, which do not belong to this project."""
    path = Path(__file__).parents[2].parent / "shared/data/gsm8k/example_model_solutions.jsonl"
    if not path.exists():
        pytest.skip(f"needs the example solutions of GSM8K at {path}")
    return path
