"""Writing a job: one row at a time through a journal, durable as soon as `log()` returns, whole when it finishes."""

from __future__ import annotations

import itertools
import os
import signal
import threading
import time
from asyncio import CancelledError
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from evalstore import attachments, logged_line
from evalstore.attempts import declared
from evalstore.durable_files import write_document
from evalstore.errors import UsageError
from evalstore.models import declarations
from evalstore.recovery import Ending, commit_staged
from evalstore.row_index import RowIndex
from evalstore.row_parts import RowParts
from evalstore.summary_scores import SummaryScores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime
    from pathlib import Path
    from types import FrameType, TracebackType
    from typing import Self

    from evalstore.catalog import Catalog
    from evalstore.job_files import JobFiles
    from evalstore.journal import Journal
    from evalstore.row_parts import OpenRow
    from evalstore.staged_job import StagedJob
    from evalstore.workbench import FrameRows

__all__ = ["Job", "Terminated"]

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

    def __init__(
        self, staged: StagedJob, files: Callable[[], JobFiles], catalog: Catalog, *, rows: RowIndex | None = None
    ) -> None:
        """`rows` are those that a resumed job starts with."""
        self.name: str = staged.name
        self.workspace: str = staged.workspace
        self.job_id: str = staged.job_id
        self.status = "active"
        self._process = os.getpid()
        self.replaced_characters = 0
        self._files, self._catalog = files, catalog
        self._staged = staged
        self._began = time.monotonic()
        self._rows_before = staged.journal.lines
        self._is_resumed = rows is not None
        self._index = RowIndex() if rows is None else rows
        self._position = itertools.count(self._index.last_position + 1)
        self._knows_all_rows = self._is_resumed
        self._lock = threading.Lock()
        self._parts: RowParts | None = None
        self._summary = SummaryScores(staged.folder)
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
        self._check_is_writable()
        line, replaced = logged_line.logged_line(
            next(self._position),
            suite=suite,
            row_key=row_key,
            scores=scores,
            error=error,
            documents={"item": item, "sample": sample, "reference": reference, "metadata": metadata},
            requests=requests,
            numbers={"latency": latency, "cost": cost},
            counts={
                "prompt_tokens": prompt_tokens,
                "completion_tokens": completion_tokens,
                "total_tokens": total_tokens,
                "row_index": row_index,
                "repetition": repetition,
            },
            moments={"started_at": started_at, "finished_at": finished_at},
            cluster=cluster,
            tags=tags,
        )
        if repetition is None and not self._knows_all_rows:
            replaced += self._append(line)
        else:
            with self._lock:
                self._number(line)
                replaced += self._append(line)
                self._index.note_line(line)
        self._note_replaced(replaced)

    def log_summary(self, scores: dict[str, Any]) -> None:
        """Logs scores of the whole job, as `log()` takes those of a row; durable when this returns.

        They stand in the view `job_scores`. In a resumed job a metric that is scored again takes the place of what the
        attempt before has said of it.

        Raises: InvalidScore, OSError; then nothing was logged.
        """
        self._check_is_writable()
        with self._lock:
            self.replaced_characters += self._summary.log(scores)

    def summary_scores(self) -> list[dict[str, Any]]:
        """The scores of the whole job that stand so far, as they are written."""
        with self._lock:
            return self._summary.all()

    @property
    def created_at(self) -> str:
        """When the job was made, in ISO format; a resumed job keeps it."""
        return str(self._staged.head["created_at"])

    def declare(self, metric: str, **fields: Any) -> None:
        """Declares a metric of this job while it runs, unless it is declared already.

        Raises: UsageError.
        """
        self._check_is_writable()
        [declaration] = declarations({metric: fields})
        with self._lock:
            staged = self._staged
            if all(one["metric"] != metric for one in staged.head["metrics"]):
                head = {**staged.head, "metrics": declared(staged.head["metrics"], [declaration.document()])}
                write_document(staged.folder / "head.json", head)
                staged.head = head

    # Rows in parts

    def begin_parts(self, *, total: int | None, evaluators: list[dict[str, Any]]) -> None:
        """Says how many rows are to come and which evaluators (`evaluator`, `metrics`) score each: see `open_row`."""
        self._check_is_writable()
        self._parts = self._parts or RowParts(self._staged.folder)
        self._parts.begin(total=total, evaluators=evaluators)

    def open_row(self, line: dict[str, Any], *, is_alone: bool = False) -> OpenRow:
        """Makes a row durable whose scores are to come; `close_row` completes it.

        `line` is that of the journal, as `logged_line` makes it. The rows that are open when the job ends are kept,
        with scores that say which evaluator is missing.

        Raises: UsageError, OSError; then the row was not logged.
        """
        self._check_is_writable()
        if self._parts is None:
            raise UsageError("begin_parts() comes before open_row()")
        line["position"] = next(self._position)
        kept = line.pop("scores", [])
        data, replaced = logged_line.encoded(line)
        self._note_replaced(replaced)
        return self._parts.open({**line, "scores": kept}, data, is_alone=is_alone)

    def close_row(self, row: OpenRow) -> int:
        """Logs a row with the scores that it has got as one whole row; where its line begins in the journal.

        Raises: UsageError, OSError; then the row stays open.
        """
        data = row.whole([])
        with self._lock:  # whoever finishes the job meanwhile takes the rows that are open
            self._check_is_writable()
            offset = self._staged.journal.append(data)
            if self._knows_all_rows:
                self._index.note_line(row.line)
            if self._parts is not None:
                self._parts.forget(row)
            self.replaced_characters += row.replaced
        return offset

    def attach(self, file: Path, name: str | None = None) -> None:
        """Keeps a copy of a file with the job, as it is, under another name if one is given. Raises: OSError."""
        self._check_is_writable()
        attachments.attach(self._staged.folder, file, name or file.name)

    def prepare(self) -> None:
        """Makes ready in the background what `finish()` needs, which then takes less time."""

        def prepare() -> None:
            with suppress(Exception):  # finish() meets it again, and raises it
                self._files()

        threading.Thread(target=prepare, name="evalstore-prepare", daemon=True).start()

    def journal_file(self) -> Path:
        """Where the journal is while the job is active."""
        return self._staged.journal.path

    def _note_replaced(self, replaced: int) -> None:
        if replaced:
            with self._lock:
                self.replaced_characters += replaced

    def has(self, row_key: str | int, repetition: int = 0, *, suite: str = "default") -> bool:
        """Whether a row is logged already; False for one in error, which may be logged again.

        With `resume=True` that includes the rows that the job started with. From the first call on, the job keeps the
        keys of its rows in memory.
        """
        self._check_is_writable()
        with self._lock:
            if not self._knows_all_rows:
                self._knows_all_rows = True
                self._index = RowIndex.of_journal(self._staged.journal.path)
            return self._index.has(suite, logged_line.row_key_text(row_key), repetition)

    def finish(self, status: str = "completed", error: BaseException | None = None) -> None:
        """Commits the job and publishes it. When this returns, every question from any process sees it.

        Raises: OSError, BrokenStore; the rows are then still safe in the journal.
        """
        if self.status == "failed":
            raise UsageError(f"finishing {self.name!r} failed; its rows are safe: run `evalstore finish {self.name}`")
        if self.status != "active" or os.getpid() != self._process:
            return
        if self._staged.head.get("resumes") == "completed" and not (self.has_new_rows or self._summary.has_new):
            self._staged.abandon()  # the job was complete, and nothing has come to it: it stays as it is
            self.status = status
            return
        self._commit(self._staged.journal, status, error)

    def log_frame(self, rows: FrameRows, replaced_characters: int = 0) -> None:
        """Takes all rows of the job as one frame, past the journal, and finishes the job. Raises: as `finish()`."""
        self._check_is_writable()
        self.replaced_characters += replaced_characters
        self._commit(rows, "completed", None)

    def abandon(self) -> None:
        """Gives the name back and drops what was logged: for input that turned out to be broken.

        In a forked child the job of the parent stays as it is.
        """
        if self.status in ("active", "failed") and os.getpid() == self._process:
            self.status = "cancelled"
            self._staged.abandon()

    @property
    def has_new_rows(self) -> bool:
        """Whether rows have been logged since the job was opened."""
        return self._staged.journal.lines > self._rows_before

    def _commit(self, rows: Journal | FrameRows, status: str, error: BaseException | None) -> None:
        """On an error the name is let go of, with the rows in the journal: the job is then an interrupted one."""
        seconds = time.monotonic() - self._began
        self._let_go()
        try:
            commit_staged(self._ending(rows, status, seconds, error), self._files())
            self.status = status
        finally:
            self._staged.release()
        self._catalog.publish_if_possible()

    def _let_go(self) -> None:
        with self._lock:
            self.status = "failed"

    def _ending(
        self, rows: Journal | FrameRows, status: str, seconds: float, error: BaseException | None = None
    ) -> Ending:
        """What is to be committed, with nothing left to be written."""
        if self._parts is not None:
            for line in self._parts.incomplete():
                self._staged.journal.append(line)
            self._parts.close()
        self._summary.close()
        if not self._staged.journal.is_shared:
            self._staged.journal.close()
        told = None if error is None else logged_line.error_document(error)
        return Ending(self._staged, rows, self._summary.all(), status, seconds, told, self.replaced_characters)

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

    def _check_is_writable(self) -> None:
        if self.status != "active":
            raise UsageError(f"job {self.name!r} is finished ({self.status}): open another one")
        if os.getpid() != self._process:
            raise UsageError(f"job {self.name!r} was opened by another process: log there, or open a job of your own")

    def _number(self, line: dict[str, Any]) -> None:
        """Gives a row its number: in a resumed job every row, else those whose number was given.

        Raises: UsageError for a row that is there and not in error.
        """
        suite, key, repetition = line["suite"], line["row_key"], line.get("repetition")
        if repetition is None and not self._is_resumed:
            return
        line["repetition"], row_index = self._index.place(suite, key, repetition)
        if self._is_resumed and "row_index" not in line:
            line["row_index"] = self._index.count(suite) if row_index is None else row_index

    def _append(self, line: dict[str, Any]) -> int:
        """Appends a row to the journal, and tells how many lone surrogates were replaced in it."""
        if self._staged.journal.is_shared:
            line["job_id"] = self.job_id
        data, replaced = logged_line.encoded(line)
        self._staged.journal.append(data)
        return replaced


def _terminate(_number: int, _frame: FrameType | None) -> None:
    raise Terminated
