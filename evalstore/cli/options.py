"""What several commands take, and how texts such as NAME=PATH become what the store takes."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from evalstore.cli import completion
from evalstore.cli.output import FORMATS
from evalstore.errors import BrokenInput, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from evalstore.store import Store

__all__ = [
    "Place",
    "document_file",
    "format_option",
    "keys_and_values",
    "names_and_paths",
    "output_option",
    "parameters",
    "policy_option",
    "time_span",
    "which",
]

F = TypeVar("F", bound="Callable[..., Any]")


@dataclass(frozen=True)
class Place:
    """Which store and workspace a command speaks of."""

    path: str | None
    workspace: str

    def open(self) -> Store:
        """The store."""
        from evalstore.store import Store

        return Store(self.path or None, workspace=self.workspace)

    def name_of(self, path: str) -> str:
        """How a job at `workspace/name` is named here: without the workspace where it is this one."""
        return path.removeprefix(f"{self.workspace}/")


def format_option(*allowed: str) -> Callable[[F], F]:
    """`--format`, of all formats or of those named."""
    return click.option(
        "--format", metavar="FORMAT", type=click.Choice(allowed or FORMATS), default="table", show_default=True,
        help=", ".join(allowed or FORMATS) + ".",
    )  # fmt: skip


output_option = click.option(
    "-o", "--output", metavar="FILE", type=click.Path(dir_okay=False), help="Write to this file instead of stdout."
)

policy_option = click.option(
    "--errors", type=click.Choice(["exclude", "zero", "worst"]), default="exclude", show_default=True,
    help="Rows in error: left out of the mean, or counted as 0 or as the worst value.",
)  # fmt: skip


def which(*fields: str) -> Callable[[F], F]:
    """The options that narrow a question: metric, name, suite, dataset, model, group."""
    known = {
        "metric": ("METRIC", "Only this metric.", completion.metrics),
        "name": ("NAME", "Only this name of the metric.", None),
        "suite": ("SUITE", "Only this suite.", completion.suites),
        "dataset": ("DATASET", "Only this dataset.", completion.datasets),
        "model": ("MODEL", "Only this model.", completion.models),
        "group": ("GROUP", "Only jobs of this group.", completion.groups),
    }

    def add(command: F) -> F:
        for field in reversed(fields):
            metavar, text, complete = known[field]
            command = click.option(f"--{field}", metavar=metavar, shell_complete=complete, help=text)(command)
        return command

    return add


def names_and_paths(option: str, given: Iterable[str]) -> dict[str, str]:
    """Reads NAME=PATH of a repeated option; of a bare PATH the name is its last key. Raises: UsageError."""
    from evalstore.importers.paths import parse_mapping

    found: dict[str, str] = {}
    for one in given:
        try:
            name, path = parse_mapping(one)
        except UsageError as error:
            raise UsageError(f"{option}: {error}") from None
        if name in found:
            raise UsageError(f"{option}: the name {name!r} is given to {found[name]!r} and to {path.text!r}")
        found[name] = path.text
    return found


def keys_and_values(option: str, given: Iterable[str]) -> dict[str, str]:
    """Reads KEY=VALUE of a repeated option. Raises: UsageError."""
    found: dict[str, str] = {}
    for one in given:
        key, equals, value = one.partition("=")
        if not equals or not key:
            raise UsageError(f"{option}: {one!r} is not of the form NAME=VALUE")
        if key in found:
            raise UsageError(f"{option}: {key!r} is given twice")
        found[key] = value
    return found


def parameters(given: Iterable[str]) -> dict[str, Any]:
    """Reads NAME=VALUE of `-p`: what is JSON is that value, all else is text. Raises: UsageError."""
    found: dict[str, Any] = {}
    for name, value in keys_and_values("-p", given).items():
        try:
            found[name] = json.loads(value)
        except ValueError:
            found[name] = value
    return found


def time_span(option: str, given: str | None) -> timedelta | None:
    """Reads 12h, 30d or 2w. Not 6m, which somebody may mean as months. Raises: UsageError."""
    if given is None:
        return None
    found = re.fullmatch(r"([0-9]{1,6})([hdw])", given)
    if not found:
        raise UsageError(f"{option}: {given!r} is no time span: write a number and h, d or w, as in 12h, 30d, 2w")
    return timedelta(hours=int(found[1]) * {"h": 1, "d": 24, "w": 7 * 24}[found[2]])


def document_file(path: str | None) -> Any:
    """What is in a JSON or TOML file; None without one. Raises: BrokenInput."""
    if path is None:
        return None
    try:
        text = Path(path).read_text("utf-8")
        return tomllib.loads(text) if path.endswith(".toml") else json.loads(text)
    except OSError as error:
        raise BrokenInput(error.strerror or str(error), file=path) from error
    except json.JSONDecodeError as error:
        raise BrokenInput(f"is not JSON: {error.msg} at column {error.colno}", file=path, line=error.lineno) from error
    except ValueError as error:  # not TOML, or not UTF-8
        raise BrokenInput(f"cannot be read: {error}", file=path) from error
