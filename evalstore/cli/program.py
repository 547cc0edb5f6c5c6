"""What is common to all commands: help that ends with an example, one message for an error, the right exit code."""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from evalstore.errors import EvalStoreError, near

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import NoReturn

__all__ = ["Command", "Group", "Program"]

BROKEN = 4
INTERRUPTED = 130
TERMINATED = 143
GLOBAL_OPTIONS = {"--store": "PATH", "--workspace": "NAME"}


class _WithExample(click.Command):
    """Its help ends with an example, as it is typed."""

    def __init__(self, *args: Any, example: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.example = example

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the example below the options."""
        super().format_epilog(ctx, formatter)
        with formatter.section("Example"):
            for line in self.example.splitlines():
                formatter.write(f"{'':{formatter.current_indent}}{line}\n")


class Command(_WithExample):
    """A command."""


class Group(_WithExample, click.Group):
    """A group of commands, which it lists in the order of use. Alone, it prints its help."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Takes the command's name and what follows."""
        return super().parse_args(ctx, args or ["--help"])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is named; an unknown one is answered with those near it."""
        if args[0] not in self.commands and not args[0].startswith("-") and not ctx.resilient_parsing:
            raise click.UsageError(f"there is no command {args[0]!r}; {near(args[0], self.commands)}", ctx)
        return super().resolve_command(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # as Click calls it
        """The names of the commands as they were added."""
        return list(self.commands)


class Program(Group):
    """The whole command line. It ends as the exit codes of evalstore have it, not as those of Click."""

    def main(self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any) -> NoReturn:  # type: ignore[override]
        """Runs a command line and exits."""
        prog_name = prog_name or "evalstore"
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(encoding="utf-8", errors="backslashreplace")
        self._main_shell_completion(extra, prog_name)
        try:
            arguments = list(sys.argv[1:] if args is None else args)
            with _stopped_by_sigterm(), self.make_context(prog_name, arguments) as context:
                self.invoke(context)
            sys.stdout.flush()
            code = 0
        except click.exceptions.Exit as end:
            code = end.exit_code
        except BrokenPipeError:  # who reads has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what is still buffered
            code = 0
        except (KeyboardInterrupt, click.Abort):
            code = _complain("interrupted", INTERRUPTED)
        except SystemExit:
            code = _complain("terminated", TERMINATED)
        except click.ClickException as error:
            code = _complain(_usage(error), error.exit_code)
        except EvalStoreError as error:
            code = _complain("\n".join([str(error), *getattr(error, "__notes__", ())]), error.exit_code, cause=error)
        except BaseException as error:  # noqa: BLE001  # whatever it is, people get a sentence and an exit code
            code = _complain(_unexpected(error), BROKEN, cause=error)
        sys.exit(code)


@contextmanager
def _stopped_by_sigterm() -> Iterator[None]:
    """Lets SIGTERM stop a command as Ctrl-C does, so that it can clean up."""

    def stop(*_: object) -> NoReturn:
        raise SystemExit

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _complain(message: str, code: int, cause: BaseException | None = None) -> int:
    if cause and os.environ.get("EVALSTORE_TRACEBACK"):
        traceback.print_exception(cause)
    click.echo(f"evalstore: {message}", err=True)
    return code


def _usage(error: click.ClickException) -> str:
    """What is wrong with the command line, and where to read on."""
    message = error.format_message()
    if isinstance(error, click.NoSuchOption) and (value := GLOBAL_OPTIONS.get(error.option_name)):
        message = f"{error.option_name} goes before the command: evalstore {error.option_name} {value} COMMAND ..."
    context = getattr(error, "ctx", None)
    return f"{message}\nTry: {context.command_path} --help" if context else message


def _unexpected(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    first_line = (str(error).splitlines() or [""])[0]
    return f"internal error: {type(error).__name__}: {first_line}; set EVALSTORE_TRACEBACK=1 for the traceback"
