"""Runs one function in a process of its own, so that its time and its peak memory are its own.

`python -m tests.benchmarks.alone MODULE FUNCTION JSON` is what the child runs.
"""

from __future__ import annotations

import importlib
import json
import resource
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ROOT", "Run", "peak_mb", "ready", "run", "start"]

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Run:
    """What a function returned, and the most memory that its process held, in MB."""

    value: Any
    peak_mb: float


class Started:
    """A function that runs in another process."""

    def __init__(self, function: Callable[..., Any], *arguments: Any, python: str | Path = sys.executable) -> None:
        texts = [function.__module__, function.__name__, json.dumps(arguments, default=str)]
        self._process = subprocess.Popen(
            [str(python), "-m", "tests.benchmarks.alone", *texts],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def wait_until_ready(self) -> None:
        """Waits until the function has called `ready()`."""
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"

    def go(self) -> None:
        """Lets a function that is ready go on."""
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()

    def end(self) -> Run:
        """What the function returned."""
        written, _ = self._process.communicate()
        assert self._process.returncode == 0, "the process of a benchmark failed"
        return Run(**json.loads(written.splitlines()[-1]))


def start(function: Callable[..., Any], *arguments: Any) -> Started:
    """Starts a function of a module in another process; its arguments and what it returns travel as JSON."""
    return Started(function, *arguments)


def run(function: Callable[..., Any], *arguments: Any, python: str | Path = sys.executable) -> Run:
    """Runs a function of a module in another process, perhaps of another environment, to its end."""
    return Started(function, *arguments, python=python).end()


def ready() -> None:
    """For a function that runs alone: says that it is set up, and waits until all others are too."""
    print("ready", flush=True)
    sys.stdin.readline()


def peak_mb() -> float:
    """The most memory that this process has held so far.

    Linux hands the peak of a parent on to its children in `ru_maxrss`; /proc counts from the start of the program.
    """
    status = Path("/proc/self/status")
    if status.exists():
        [line] = [line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM:")]
        return int(line.split()[1]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    module, function, arguments = sys.argv[1:]
    value = getattr(importlib.import_module(module), function)(*json.loads(arguments))
    print(json.dumps({"value": value, "peak_mb": peak_mb()}))
