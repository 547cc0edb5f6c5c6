"""The error tree. Every error that evalstore raises on purpose has one base, and its text says what to do.

EvalStoreError
├── UsageError (ValueError)       the call is wrong: change the call                     exit code 2
│   ├── InvalidName               a job, workspace, metric or reference that is not allowed
│   ├── InvalidScore              a score that is neither number, boolean, label nor a dict of known fields
│   ├── InvalidEvaluator          (TypeError) what is no evaluator, or could only be called wrongly
│   ├── InvalidCondition          a `--where` condition that cannot be read
│   └── UnknownField              a field, column or option that does not exist; names the valid ones
├── NotFound (LookupError)        what was named is not there; names what is near        exit code 2
│   ├── StoreNotFound
│   ├── JobNotFound
│   ├── RowsDropped               the rows of this job were pruned, and only its aggregates kept
│   └── DatasetNotFound
├── JobExists                     the name is taken by another job                       exit code 2
├── JobBusy                       a living process is writing this job                   exit code 2
├── JudgeFailed                   a model that judges raised, or replied without a score exit code 4
├── RowNotWritten (OSError)       a row in parts could not be written: the disk is full  exit code 4
├── StoreBusy                     another process holds the store for longer than usual  exit code 4
├── NotComparable                 nothing to judge, or things that must not be compared  exit code 3
├── BrokenInput                   an input file: file, line and field                    exit code 4
├── BrokenStore                   the store itself: what happened and what to run        exit code 4
└── QueryError                    SQL that failed: its file or text, and why             exit code 2 or 4
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = [
    "BrokenInput",
    "BrokenStore",
    "DatasetNotFound",
    "EvalStoreError",
    "InvalidCondition",
    "InvalidEvaluator",
    "InvalidName",
    "InvalidScore",
    "JobBusy",
    "JobExists",
    "JobNotFound",
    "JudgeFailed",
    "NotComparable",
    "NotFound",
    "QueryError",
    "RowNotWritten",
    "RowsDropped",
    "StoreBusy",
    "StoreNotFound",
    "UnknownField",
    "UsageError",
    "near",
]


class EvalStoreError(Exception):
    """Base of all errors that evalstore raises on purpose."""

    exit_code = 4


class UsageError(EvalStoreError, ValueError):
    """The call is wrong; the message says how to write it."""

    exit_code = 2


class InvalidName(UsageError):
    """A name or reference that is not allowed; the message holds the nearest allowed one."""


class InvalidScore(UsageError):
    """A score that is neither a number, a boolean, a label, None, nor a dict or list of those."""


class InvalidEvaluator(UsageError, TypeError):
    """What is no evaluator, or could only be called wrongly; the message names the arguments that one may have."""


class InvalidCondition(UsageError):
    """A condition that is not of the form FIELD OP VALUE."""


class UnknownField(UsageError):
    """A field that does not exist; the message names the valid ones."""


class NotFound(EvalStoreError, LookupError):
    """What was named is not there."""

    exit_code = 2


class StoreNotFound(NotFound):
    """There is no store at this path."""


class JobNotFound(NotFound):
    """There is no job of this name; the message names near ones."""


class RowsDropped(NotFound):
    """The rows and scores of this job were pruned; its aggregates are there."""


class DatasetNotFound(NotFound):
    """The store keeps no dataset of this name, or none of this version; the message names near ones."""


class JobExists(EvalStoreError):
    """The name is taken; nothing was overwritten."""

    exit_code = 2


class JobBusy(EvalStoreError):
    """Another living process is writing this job."""

    exit_code = 2


class JudgeFailed(EvalStoreError):
    """A model that judges raised, or its replies held no score. `requests` holds what it was asked and replied."""

    def __init__(self, problem: str, requests: list[Any]) -> None:
        self.requests = requests
        super().__init__(problem)


class RowNotWritten(EvalStoreError, OSError):
    """A row, or what an evaluator said of it, could not be written: the disk is full, or worse."""


class StoreBusy(EvalStoreError):
    """Another process holds the store for longer than usual; nothing was changed."""


class NotComparable(EvalStoreError):
    """There is nothing to judge, or what was named must not be compared."""

    exit_code = 3


class BrokenInput(EvalStoreError):
    """An input that cannot be used: the message names the file, the line and the field where there is one."""

    def __init__(
        self, problem: str, *, file: str | Path | None = None, line: int | None = None, field: str | None = None
    ) -> None:
        self.problem, self.file, self.line, self.field = problem, file, line, field
        place = "" if file is None else f"{file}" + ("" if line is None else f":{line}")
        parts = [part for part in (place, "" if field is None else f"field {field!r}", problem) if part]
        super().__init__(": ".join(parts))


class BrokenStore(EvalStoreError):
    """The store cannot be used as it is; the message says what happened and what to run."""


class QueryError(EvalStoreError):
    """SQL that failed. `sql` holds the text, `file` the name under `sql/` when it is one of ours.

    `is_missing_file` tells that a data file was not there, `is_broken_file` that one could not be read.
    """

    def __init__(
        self,
        problem: str,
        *,
        sql: str,
        file: str | None = None,
        is_missing_file: bool = False,
        is_broken_file: bool = False,
    ) -> None:
        self.sql, self.file = sql, file
        self.is_missing_file, self.is_broken_file = is_missing_file, is_broken_file
        self.exit_code = 2 if file is None else 4
        super().__init__(f"{file or 'SQL'}: {problem}")


def near(name: str, valid: Iterable[str], *, most: int = 5) -> str:
    """A clause that names what is near `name`, or all of a few, for the end of an error message."""
    valid = sorted(set(valid))
    if not valid:
        return "there are none yet"
    folded: dict[str, list[str]] = {}  # upper and lower case are no distance
    for one in valid:
        folded.setdefault(one.casefold(), []).append(one)
    keys = difflib.get_close_matches(name.casefold(), folded, n=most, cutoff=0.5)
    if close := [one for key in keys for one in folded[key]][:most]:
        return "did you mean " + ", ".join(close) + "?"
    return "there are: " + ", ".join(valid[:most]) + (", ..." if len(valid) > most else "")
