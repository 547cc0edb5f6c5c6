"""Completion in the shell: the script for it, and the names that a store knows. It never fails and never prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from evalstore.cli.program import Command

if TYPE_CHECKING:
    from collections.abc import Callable

    from evalstore.queries import Kind
    from evalstore.store import Store

    Completer = Callable[[click.Context, click.Parameter, str], list[str]]

__all__ = [
    "baselines",
    "completion",
    "datasets",
    "deleted_jobs",
    "groups",
    "interrupted_jobs",
    "jobs",
    "metrics",
    "models",
    "slices",
    "suites",
    "tags",
]


def _from_store(names: Callable[[Store], list[str]], *always: str) -> Completer:
    """Completes from names that the store knows, and from some words that always hold."""

    def complete(context: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
        """The names that begin with what is typed so far."""
        given = context.find_root().params
        try:
            from evalstore.store import Store

            known = names(Store(given.get("store") or None, workspace=given.get("workspace") or "default"))
        except Exception:  # noqa: BLE001  # a broken store must not break the shell's line
            known = []
        return [name for name in [*known, *always] if name.startswith(incomplete)]

    return complete


def _names(kind: Kind, *always: str) -> Completer:
    return _from_store(lambda store: store.known(kind), *always)


def _deleted(store: Store) -> list[str]:
    """The names in the trash, the last one deleted first."""
    lines = store.trash().iter_rows(named=True)
    return list(dict.fromkeys(line["job"] for line in lines if line["workspace"] == store.workspace))


def _baselines(store: Store) -> list[str]:
    """The names of the baselines, the last one set first."""
    return [str(name) for name in store.baselines.table().column("baseline").to_pylist()]


def _jobs(store: Store) -> list[str]:
    """The names of jobs, the newest first, and baselines as they stand for a job."""
    return [*store.known("job"), *(f"@{name}" for name in _baselines(store))]


baselines = _from_store(_baselines, "last:5")
datasets = _names("dataset")
deleted_jobs = _from_store(_deleted)
groups = _names("group")
interrupted_jobs = _names("interrupted")
jobs = _from_store(_jobs, "@last")
metrics = _names("metric")
models = _names("model")
suites = _names("suite")
tags = _names("tag")


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
