"""Writing a job: one row at a time through a journal, durable as soon as `log()` returns, whole when it finishes."""

from __future__ import annotations

import hashlib
import itertools
import math
import os
import signal
import threading
import time
import traceback as tracebacks
from asyncio import CancelledError
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson

from evalstore import json_text, score_values
from evalstore.errors import UsageError
from evalstore.job_folder import StagedJob
from evalstore.recovery import commit_staged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path
    from types import FrameType, TracebackType
    from typing import Self

    from evalstore.catalog import Catalog
    from evalstore.job_files import FrameRows, JobFiles
    from evalstore.journal import Journal

__all__ = ["Job", "Terminated"]

_LIMITS = {"repetition": 2**31}
_INTERRUPTIONS = (KeyboardInterrupt, SystemExit, GeneratorExit, CancelledError)  # asyncio turns Ctrl-C into the last


class Terminated(SystemExit):
    """SIGTERM arrived inside a job: the job is committed as interrupted, and the process exits with 143."""

    def __init__(self) -> None:
        super().__init__(128 + signal.SIGTERM)


class Job:
    """A job that is being written. Leave the `with` block, or call `finish()`, to commit and publish it.

    The block left normally -> status `completed`; an exception -> `error`, with type, message and traceback; Ctrl-C or
    SIGTERM -> `interrupted`. All rows logged are kept in each case. `log()` may be called from several threads.
    """

    def __init__(self, root: Path, head: dict[str, Any], files: Callable[[], JobFiles], catalog: Catalog) -> None:
        """Claims the name. Raises: JobExists, JobBusy."""
        self.name: str = head["name"]
        self.workspace: str = head["workspace"]
        self.job_id: str = head["job_id"]
        self.status = "active"
        self._process = os.getpid()
        self.replaced_characters = 0
        self._files, self._catalog = files, catalog
        self._staged = StagedJob.claim(root, head)
        self._began = time.monotonic()
        self._position = itertools.count()
        self._numbered: dict[tuple[str, str, int], bool] = {}
        self._lock = threading.Lock()
        self._old_handler: Any = None

    def log(
        self,
        *,
        item: Any,
        sample: Any = None,
        reference: Any = None,
        scores: dict[str, Any] | None = None,
        suite: str = "default",
        row_key: str | int | None = None,
        repetition: int | None = None,
        row_index: int | None = None,
        cluster: str | None = None,
        error: str | BaseException | None = None,
        requests: Any = None,
        metadata: Any = None,
        tags: Iterable[str] = (),
        started_at: datetime | None = None,
        finished_at: datetime | None = None,
        latency: float | None = None,
        prompt_tokens: int | None = None,
        completion_tokens: int | None = None,
        total_tokens: int | None = None,
        cost: float | None = None,
    ) -> None:
        """Logs one row; when this returns, the row survives the death of the process.

        Args:
            item: what was asked: a dict (any other value becomes {"value": ...}), as are `sample` and `reference`.
            sample: what came back.
            reference: what was wanted.
            scores: metric -> number, bool, text label, None, dict (value, label, comment, ...), or a list of those.
            suite: the group of metrics that this row belongs to.
            row_key: the identity of the item, for pairing; without one, a hash of the item.
            repetition: 0, 1, ...; without one, the next free number of the key.
            row_index: the place of the item in its dataset; without one, the order of logging in the suite.
            cluster: what rows that are not independent have in common (a passage, a user).
            error: why there is no sample; the row then counts in the totals of every metric of its suite.
            requests: the raw calls made, any JSON.
            metadata: anything to slice by, any JSON object.
            tags: texts.
            started_at: with time zone.
            finished_at: with time zone.
            latency: seconds.
            prompt_tokens: a count.
            completion_tokens: a count.
            total_tokens: a count; without one, the sum of the other two.
            cost: USD.

        Raises: UsageError (InvalidScore), OSError; then the row was not logged.
        """
        if self.status != "active":
            raise UsageError(f"job {self.name!r} is finished ({self.status}): open another one")
        if os.getpid() != self._process:
            raise UsageError(f"job {self.name!r} was opened by another process: log there, or open a job of your own")
        line: dict[str, Any] = {"position": next(self._position), "suite": _text("suite", suite)}
        replaced = _put_documents(line, item=item, sample=sample, reference=reference, metadata=metadata)
        if requests is not None:
            line["requests"], count = json_text.dumps(requests)
            replaced += count
        canonical_item = json_text.canonical(item)
        canonical_reference = "" if reference is None else json_text.canonical(reference)
        line["row_hash"] = _digest(f"{canonical_item}\n{canonical_reference}")
        line["row_key"] = key = _digest(canonical_item) if row_key is None else _row_key(row_key)
        line["scores"], count = score_values.normalise(scores)
        replaced += count
        if error is not None:
            _put_error(line, error)
        _put_numbers(line, latency=latency, cost=cost)
        _put_counts(
            line,
            prompt_tokens=prompt_tokens,
            completion_tokens=completion_tokens,
            total_tokens=total_tokens,
            row_index=row_index,
            repetition=repetition,
        )
        _put_moments(line, started_at=started_at, finished_at=finished_at)
        if cluster is not None:
            line["cluster"] = _text("cluster", str(cluster))
        if tags:
            line["tags"] = [tags] if isinstance(tags, str) else [str(tag) for tag in tags]
        data, count = _encode(line)
        if repetition is None:
            self._staged.journal.append(data)
        else:
            self._append_numbered(data, (suite, key, repetition), failed=error is not None)
        if replaced + count:
            with self._lock:
                self.replaced_characters += replaced + count

    def finish(self, status: str = "completed", error: BaseException | None = None) -> None:
        """Commits the job and publishes it. When this returns, every question from any process sees it.

        Raises: OSError, BrokenStore; the rows are then still safe in the journal.
        """
        if self.status == "failed":
            raise UsageError(f"finishing {self.name!r} failed; its rows are safe: run `evalstore finish {self.name}`")
        if self.status != "active" or os.getpid() != self._process:
            return
        self._commit(self._staged.journal, status, error)

    def log_frame(self, rows: FrameRows) -> None:
        """Takes all rows of the job as one frame, past the journal, and finishes the job."""
        self._commit(rows, "completed", None)

    def abandon(self) -> None:
        """Gives the name back and drops what was logged: for input that turned out to be broken."""
        if self.status in ("active", "failed"):
            self.status = "cancelled"
            self._staged.abandon()

    def _commit(self, rows: Journal | FrameRows, status: str, error: BaseException | None) -> None:
        """On an error the name is let go of, with the rows in the journal: the job is then an interrupted one."""
        finished = datetime.fromisoformat(self._staged.head["started_at"]) + timedelta(
            seconds=time.monotonic() - self._began
        )
        self.status = "failed"
        try:
            self._staged.journal.close()
            commit_staged(
                self._staged,
                rows,
                self._files(),
                status=status,
                finished_at=finished,
                error=None if error is None else _error_document(error),
                replaced_characters=self.replaced_characters,
            )
            self.status = status
        finally:
            self._staged.release()
        self._catalog.publish_if_possible()

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            self._old_handler = signal.signal(signal.SIGTERM, _terminate)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self.finish()
            elif isinstance(error, _INTERRUPTIONS):
                self.finish("interrupted", error)
            else:
                self.finish("error", error)
        finally:
            if self._old_handler is not None:
                signal.signal(signal.SIGTERM, self._old_handler)
                self._old_handler = None

    def _append_numbered(self, data: bytes, place: tuple[str, str, int], *, failed: bool) -> None:
        """Logs an explicitly numbered row, and refuses one that is there and not in error."""
        suite, key, repetition = place
        with self._lock:
            if self._numbered.get(place) is False:
                raise UsageError(
                    f"row {key!r}, repetition {repetition}, of suite {suite!r} is logged already; only a row in error "
                    "may be logged again. Leave `repetition` out to add one."
                )
            self._staged.journal.append(data)
            self._numbered[place] = failed


def _put_documents(line: dict[str, Any], **documents: Any) -> int:
    """Puts values as JSON objects, and tells how many lone surrogates were replaced in them."""
    replaced = 0
    for field, value in documents.items():
        if value is not None:
            line[field], count = _object_text(value)
            replaced += count
    return replaced


def _put_error(line: dict[str, Any], error: str | BaseException) -> None:
    line["error"] = score_values.error_text(error)
    if isinstance(error, BaseException):
        line["error_details"] = json_text.dumps(_error_details(error))[0]


def _put_numbers(line: dict[str, Any], **numbers: Any) -> None:
    for field, value in numbers.items():
        if value is not None:
            number = _float(field, value)
            line[field] = number if math.isfinite(number) else str(number)  # JSON has no infinity


def _put_counts(line: dict[str, Any], **counts: Any) -> None:
    for field, value in counts.items():
        if value is not None:
            number = _float(field, value)
            if not (number.is_integer() and 0 <= number < _LIMITS.get(field, 2**63)):
                raise UsageError(f"{field} is a whole number from 0 up, not {value!r}")
            line[field] = int(value)


def _put_moments(line: dict[str, Any], **moments: datetime | None) -> None:
    for field, moment in moments.items():
        if moment is not None:
            if moment.tzinfo is None:
                raise UsageError(f"{field} {moment.isoformat()} has no time zone: write datetime(..., tzinfo=UTC)")
            line[field] = moment.astimezone(UTC).isoformat()


def _float(field: str, value: Any) -> float:
    if isinstance(value, (bool, str)) or not hasattr(value, "__float__"):
        raise UsageError(f"{field} is a number, not {value!r}")
    try:
        return float(value)
    except OverflowError as error:
        raise UsageError(f"{field} does not fit a double: {value!r}") from error


def _encode(line: dict[str, Any]) -> tuple[bytes, int]:
    try:
        return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE), 0
    except (TypeError, ValueError):  # a lone surrogate in a key, a tag, an error
        text, replaced = json_text.dumps(line)
        return text.encode() + b"\n", replaced


def _object_text(value: Any) -> tuple[str, int]:
    """The JSON object of a value, `{"value": ...}` round what is none; and how many lone surrogates were replaced."""
    text, replaced = json_text.dumps(value)
    return (text if text.startswith("{") else f'{{"value":{text}}}'), replaced


def _error_details(error: BaseException) -> dict[str, str]:
    """Type, message and traceback of an exception."""
    trace = "".join(tracebacks.format_exception(error))
    return {"type": type(error).__name__, "message": str(error), "traceback": trace}


def _error_document(error: BaseException) -> dict[str, Any]:
    details = _error_details(error)
    return {"type": details.pop("type"), "message": details.pop("message"), "details": details}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _row_key(key: Any) -> str:
    if isinstance(key, bool) or not isinstance(key, (str, int)) or key == "":
        raise UsageError(f"row_key is text or a whole number, not {key!r}")
    return str(key)


def _text(field: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise UsageError(f"{field} is a text that is not empty, not {value!r}")
    return value


def _terminate(_number: int, _frame: FrameType | None) -> None:
    raise Terminated
