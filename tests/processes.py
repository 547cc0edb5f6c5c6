"""Real processes for tests: a snippet of Python that says how far it is, waits when told to, and can be killed."""

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from tempfile import TemporaryFile
from textwrap import dedent
from typing import Any, Self

import pytest

PRELUDE = """
import json, os, signal, sys, time
import evalstore
from evalstore.errors import *

signal.signal(signal.SIGINT, signal.default_int_handler)  # it is ignored where the tests run in the background
root = sys.argv[1]

def say(*words):
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())  # one write: a line is there whole or not at all

def wait():
    sys.stdin.readline()

def answer(sql, **parameters):
    return evalstore.open(root).sql(sql, **parameters).rows()
"""


class Process:
    """A Python process that runs a snippet, with what `PRELUDE` defines at hand. Killed when the block ends."""

    def __init__(self, code: str, *arguments: object, **environment: str) -> None:
        self._errors = TemporaryFile("w+")  # noqa: SIM115
        self._popen = subprocess.Popen(
            [sys.executable, "-c", PRELUDE + dedent(code), *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env={**os.environ, **environment},
        )
        assert self._popen.stdin is not None
        assert self._popen.stdout is not None
        self._stdin, self._stdout = self._popen.stdin, self._popen.stdout
        self.pid = self._popen.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._popen.kill()
        self._popen.wait()
        for pipe in (self._stdin, self._stdout, self._errors):
            try:
                pipe.close()
            except BrokenPipeError:
                continue

    def wait_for(self, beginning: str) -> str:
        """The next line that begins so."""
        return self.said_until(beginning)[-1]

    def said_until(self, beginning: str) -> list[str]:
        """All lines up to the next one that begins so."""
        said = []
        for line in self._stdout:
            said.append(line.rstrip("\n"))
            if line.startswith(beginning):
                return said
        raise AssertionError(f"the process ended before it said {beginning!r}; exit {self.wait()}: {self.errors()}")

    def go(self) -> None:
        """Lets the process go on from its `wait()`."""
        self._stdin.write("\n")
        self._stdin.flush()

    def signal(self, number: int) -> None:
        self._popen.send_signal(number)

    def wait(self) -> int:
        """The exit code as a shell shows it, when the process has ended: 137 for SIGKILL."""
        code = self._popen.wait()
        return code if code >= 0 else 128 - code

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        assert self.wait() == 137

    def end(self, exit_code: int = 0) -> list[str]:
        """The lines not read so far, when the process has ended with this exit code."""
        lines = self._stdout.read().splitlines()
        assert self.wait() == exit_code, self.errors()
        return lines

    def errors(self) -> str:
        """What the process wrote to stderr so far."""
        self._errors.seek(0)
        return self._errors.read()


def run(code: str, *arguments: object, exit_code: int = 0, **environment: str) -> list[str]:
    """The lines that a snippet says, run to its end in a process of its own."""
    with Process(code, *arguments, **environment) as process:
        return process.end(exit_code)


def ask_elsewhere(root: object, sql: str) -> Any:
    """The rows of an answer, asked by another process."""
    [line] = run("say(json.dumps(answer(sys.argv[2]), default=str))", root, sql)
    return json.loads(line)


@contextmanager
def small_disk(folder, size="8m"):
    """Mounts a memory file system of this size on a new folder; skips the test where nobody may."""
    folder.mkdir()
    _mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


@contextmanager
def read_only_disk(original, folder):
    """Shows a folder under another one, where nothing can be written; skips the test where nobody may."""
    folder.mkdir()
    _mount("--bind", original, folder)
    try:
        _mount("-o", "remount,ro,bind", folder)
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def _mount(*arguments: object) -> None:
    try:
        done = subprocess.run(["mount", *map(str, arguments)], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount command")
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")


def leave_free(disk, free):
    """Fills a small disk but for so many bytes."""
    (disk / "filler").unlink(missing_ok=True)
    with (disk / "filler").open("wb") as filler:
        status = os.statvfs(disk)
        os.posix_fallocate(filler.fileno(), 0, max(status.f_bavail * status.f_frsize - free, 1))
