"""The program: its global options, and what an error prints and exits with."""

from __future__ import annotations

import os
import sys
import traceback
from typing import TYPE_CHECKING, Any

import click

from evalstore import __version__
from evalstore.cli.completion import completion
from evalstore.cli.options import Place
from evalstore.cli.reading import jobs, leaderboard, rows, show, sql, trend
from evalstore.cli.writing import demo, import_
from evalstore.errors import EvalStoreError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

__all__ = ["evalstore"]

BROKEN = 4
INTERRUPTED = 130
GLOBAL_OPTIONS = {"--store": "PATH", "--workspace": "NAME"}


class App(click.Group):
    """A group that lists its commands in the order of use, and ends with one message and the right exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """The names of the commands as they were added."""
        return list(self.commands)

    def main(self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any) -> NoReturn:
        """Runs a command line and exits. Unlike Click's own, it ends as the exit codes of evalstore have it."""
        prog_name = prog_name or "evalstore"
        self._main_shell_completion(extra, prog_name)
        try:
            with self.make_context(prog_name, list(sys.argv[1:] if args is None else args)) as context:
                self.invoke(context)
            sys.stdout.flush()
            code = 0
        except click.exceptions.Exit as end:
            code = end.exit_code
        except BrokenPipeError:  # who reads has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what is still buffered
            code = 0
        except BaseException as error:  # noqa: BLE001
            code = _report(error)
        sys.exit(code)


@click.group(
    cls=App, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Help for a command: evalstore COMMAND --help",
)  # fmt: skip
@click.option(
    "--store", metavar="PATH", envvar="EVALSTORE", show_envvar=True, type=click.Path(file_okay=True),
    help="The folder of the store.  [default: evals]",
)  # fmt: skip
@click.option("--workspace", metavar="NAME", default="default", show_default=True, help="The workspace in it.")
@click.version_option(__version__, message="evalstore %(version)s")
@click.pass_context
def evalstore(context: click.Context, store: str | None, workspace: str) -> None:
    """The local warehouse for evaluation results.

    Whatever ran an evaluation, bring its rows in, then ask: which model is best, what went wrong, how a metric moved.
    Answers go to stdout, everything else to stderr.

    \b
    Example:
      evalstore demo
      evalstore leaderboard --metric correct
    """
    context.obj = Place(store, workspace)
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


for command in (import_, jobs, show, rows, leaderboard, trend, sql, demo, completion):
    evalstore.add_command(command)


def _report(error: BaseException) -> int:
    """Says what went wrong, in one message, and gives the exit code."""
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else BROKEN
    if isinstance(error, (KeyboardInterrupt, click.Abort)):
        _complain("interrupted")
        return INTERRUPTED
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message())
        return 0
    if isinstance(error, click.ClickException):
        _complain(_usage(error))
        return error.exit_code
    if os.environ.get("EVALSTORE_TRACEBACK"):
        traceback.print_exception(error)
    if isinstance(error, EvalStoreError):
        _complain(str(error))
        return error.exit_code
    if isinstance(error, OSError) and error.strerror:
        _complain(f"{error.strerror}: {error.filename}" if error.filename else error.strerror)
        return BROKEN
    first_line = (str(error).splitlines() or [""])[0]
    _complain(f"internal error: {type(error).__name__}: {first_line}; set EVALSTORE_TRACEBACK=1 for the traceback")
    return BROKEN


def _usage(error: click.ClickException) -> str:
    """What is wrong with the command line, and where to read on."""
    message = error.format_message()
    if isinstance(error, click.NoSuchOption) and error.option_name in GLOBAL_OPTIONS:
        message = f"{error.option_name} goes before the command: evalstore {error.option_name} " + (
            f"{GLOBAL_OPTIONS[error.option_name]} COMMAND"
        )
    context = getattr(error, "ctx", None)
    return f"{message}\nTry: {context.command_path} --help" if context else message


def _complain(message: str) -> None:
    click.echo(f"evalstore: {message}", err=True)
