"""Completion in the shell: the script for it, and the names that a store knows. It never fails and never prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from evalstore.cli.program import Command

if TYPE_CHECKING:
    from collections.abc import Callable

    Completer = Callable[[click.Context, click.Parameter, str], list[str]]

__all__ = [
    "completion",
    "datasets",
    "groups",
    "interrupted_jobs",
    "jobs",
    "metrics",
    "models",
    "slices",
    "suites",
    "tags",
]


def _names(query: str, *always: str) -> Completer:
    """Completes from the first column of a query over the views, and from some words that always hold."""

    def complete(context: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
        given = context.find_root().params
        try:
            from evalstore.store import Store

            store = Store(given.get("store") or None, workspace=given.get("workspace") or "default")
            known = [str(name) for (name,) in store.sql(query, workspace=store.workspace).rows() if name is not None]
        except Exception:  # noqa: BLE001
            known = []
        return [name for name in [*known, *always] if name.startswith(incomplete)]

    return complete


jobs = _names("SELECT name FROM jobs WHERE workspace = $workspace ORDER BY created_at DESC", "@last")
metrics = _names("SELECT DISTINCT metric FROM aggregate_scores WHERE workspace = $workspace ORDER BY metric")
interrupted_jobs = _names("SELECT job FROM interrupted_jobs WHERE workspace = $workspace ORDER BY started_at DESC")
suites = _names("SELECT DISTINCT suite FROM suites WHERE workspace = $workspace ORDER BY suite")
datasets = _names("SELECT DISTINCT dataset FROM jobs WHERE workspace = $workspace ORDER BY dataset")
models = _names("SELECT DISTINCT model FROM jobs WHERE workspace = $workspace ORDER BY model")
groups = _names('SELECT DISTINCT "group" FROM jobs WHERE workspace = $workspace ORDER BY "group"')
tags = _names("SELECT DISTINCT unnest(tags) AS tag FROM jobs WHERE workspace = $workspace ORDER BY tag")


def slices(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    """Completes what rows can be sliced by."""
    from evalstore.conditions import ROW_FIELDS

    fields = [*ROW_FIELDS, "metadata.", "item.", "sample.", "reference."]
    return [field for field in fields if field.startswith(incomplete)]


@click.command(
    cls=Command,
    short_help="Print the script that completes commands in a shell.",
    example="""\
eval "$(evalstore completion bash)"         # in ~/.bashrc
eval "$(evalstore completion zsh)"          # in ~/.zshrc
evalstore completion fish | source          # in ~/.config/fish/config.fish""",
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the script that completes commands, options, jobs and metrics in SHELL."""
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    root = click.get_current_context().find_root()
    if kind is not None:
        click.echo(kind(root.command, {}, "evalstore", "_EVALSTORE_COMPLETE").source())
