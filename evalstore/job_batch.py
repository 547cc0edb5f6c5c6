"""Many jobs whose content lies elsewhere too, written one after the other and committed together: for importers.

They share one journal, the folder of a process that dies over them leaves nothing to be finished, and the disk is
waited for once: each of many small jobs then costs a small part of what it costs by itself.
"""

from __future__ import annotations

import os
import shutil
import time
import uuid
from typing import TYPE_CHECKING, Any

from evalstore.attempts import open_attempt
from evalstore.committed import commit_together
from evalstore.job_folder import is_committed, locked_folder
from evalstore.journal import Journal
from evalstore.recorder import Job

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from evalstore.catalog import Catalog
    from evalstore.job_files import JobFiles
    from evalstore.recovery import Ending

__all__ = ["BatchedJob", "JobBatch"]


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


class JobBatch:
    """The jobs of one store that are open together. Whoever leaves the `with` block drops those not committed yet."""

    def __init__(self, root: Path, files: Callable[[], JobFiles], catalog: Catalog) -> None:
        self._root, self._files, self._catalog = root, files, catalog
        self._jobs: list[BatchedJob] = []
        self._folder: Path | None = None
        self._lock, self._process = -1, os.getpid()
        self._journal: Journal

    def __len__(self) -> int:
        return len(self._jobs)

    def open(self, head: dict[str, Any], *, overwrite: bool = False) -> BatchedJob:
        """Claims the name of a job. Raises: JobExists, JobBusy."""
        if self._folder is None:
            folder = self._root / "staging" / ".new" / f"batch-{uuid.uuid4().hex}"
            self._lock, self._folder = locked_folder(folder), folder
            self._journal = Journal(folder / "journal.jsonl", is_shared=True)
        staged = open_attempt(self._root, head, self._catalog, overwrite=overwrite, shared=self._journal)
        job = BatchedJob(staged, self._files, self._catalog)
        self._jobs.append(job)
        return job

    def abandon_last(self) -> None:
        """Gives up the job that was opened last."""
        self._jobs.pop().abandon()

    def commit(self) -> None:
        """Commits all jobs and publishes them; then the batch is empty.

        Raises: OSError, QueryError; then none is committed. JobExists where somebody has taken a place meanwhile; then
        others may be.
        """
        if not self._jobs:
            return
        try:
            endings = [job.end() for job in self._jobs]
            self._files().finish([ending.draft() for ending in endings])
            commit_together(self._root, [ending.staged.finished() for ending in endings])
        except BaseException:
            for job in self._jobs:
                job.close(failed=True)
            raise
        else:
            for job in self._jobs:
                job.close()
        finally:
            self._jobs = []
            self.close()
        self._catalog.publish_if_possible()

    def close(self) -> None:
        """Drops what is not committed."""
        if os.getpid() != self._process:
            return
        while self._jobs:
            self.abandon_last()
        if self._folder is not None:
            self._journal.close()
            shutil.rmtree(self._folder, ignore_errors=True)
            os.close(self._lock)
            self._folder = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
