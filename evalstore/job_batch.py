"""Many jobs whose content lies elsewhere too, written one after the other and committed together: for importers.

They share one journal, the folder of a process that dies over them leaves nothing to be finished, and the disk is
waited for once: each of many small jobs then costs a small part of what it costs by itself.
"""

from __future__ import annotations

import os
import shutil
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from evalstore.attempts import open_attempt
from evalstore.committed import commit_together
from evalstore.journal import Journal
from evalstore.recorder import Job
from evalstore.staging import is_committed, locked_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from evalstore.catalog import Catalog
    from evalstore.job_files import JobFiles
    from evalstore.recovery import Ending

__all__ = ["BatchedJob", "JobBatches"]


class BatchedJob(Job):
    """A job of a batch: the batch commits it."""

    def end(self) -> Ending:
        """What is to be committed of it; no more is logged."""
        self._let_go()
        return self._ending(self._staged.journal, "completed", time.monotonic() - self._began)

    def close(self, *, failed: bool = False) -> None:
        """Notes what became of it when the batch was committed; the name of one that is not is free again."""
        if failed and not is_committed(self._staged.root, self._staged.head):
            self.abandon()
        else:
            self.status = "completed"
            self._staged.release()


class JobBatches:
    """The jobs of one store that are open together, batch by batch: one is committed while the next is written.

    Whoever leaves the `with` block drops those that he has not had committed.
    """

    def __init__(self, root: Path, files: Callable[[], JobFiles], catalog: Catalog) -> None:
        self._root, self._files, self._catalog = root, files, catalog
        self._process = os.getpid()
        self._batch: _Batch | None = None
        self._committer = ThreadPoolExecutor(1, thread_name_prefix="evalstore-commit")
        self._committing: Future[None] | None = None

    def __len__(self) -> int:
        """The number of jobs in the batch that is being written."""
        return len(self._batch.jobs) if self._batch else 0

    def open(self, head: dict[str, Any], *, overwrite: bool = False) -> BatchedJob:
        """Claims the name of a job. Raises: JobExists, JobBusy."""
        if self._batch is None:
            self._batch = _Batch(self._root)
        staged = open_attempt(self._root, head, self._catalog, overwrite=overwrite, shared=self._batch.journal)
        job = BatchedJob(staged, self._files, self._catalog)
        self._batch.jobs.append(job)
        return job

    def abandon_last(self) -> None:
        """Gives up the job that was opened last."""
        if self._batch:
            self._batch.jobs.pop().abandon()

    def commit_soon(self) -> None:
        """Begins to commit and publish the jobs of the batch, once those of the one before are. Then it is empty.

        Raises: as `wait`, of the batch before.
        """
        self.wait()
        if (batch := self._batch) is not None:
            self._batch = None
            self._committing = self._committer.submit(self._commit, batch)

    def wait(self) -> None:
        """Waits until all that was to be committed is.

        Raises: OSError, QueryError; then none of that batch is committed. JobExists where somebody has taken a place
        meanwhile; then others may be. The batch that is being written is dropped then.
        """
        committing, self._committing = self._committing, None
        if committing is None:
            return
        try:
            committing.result()
        except BaseException:
            self._drop()
            raise

    def _drop(self) -> None:
        batch, self._batch = self._batch, None
        if batch is not None:
            batch.close()

    def _commit(self, batch: _Batch) -> None:
        batch.commit(self._files())
        self._catalog.publish_if_possible()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if os.getpid() == self._process:
            self._committer.shutdown()
            self._drop()


class _Batch:
    """Some jobs, and the journal that they share."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._folder = root / "staging" / ".new" / f"batch-{uuid.uuid4().hex}"
        self._lock = locked_folder(self._folder)
        self.journal = Journal(self._folder / "journal.jsonl", is_shared=True)
        self.jobs: list[BatchedJob] = []

    def commit(self, files: JobFiles) -> None:
        """Commits all jobs. Raises: see `JobBatches.wait`."""
        if not self.jobs:
            self.close()
            return
        try:
            endings = [job.end() for job in self.jobs]
            files.finish([ending.draft() for ending in endings])
            commit_together(self._root, [ending.staged.finished() for ending in endings])
        except BaseException:
            for job in self.jobs:
                job.close(failed=True)
            raise
        else:
            for job in self.jobs:
                job.close()
        finally:
            self.jobs = []
            self.close()

    def close(self) -> None:
        """Drops what is not committed."""
        while self.jobs:
            self.jobs.pop().abandon()
        self.journal.close()
        shutil.rmtree(self._folder, ignore_errors=True)
        os.close(self._lock)
