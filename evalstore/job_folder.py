"""The folders of jobs: claiming a name, staging, and the commit by one rename.

<root>/staging/<workspace>/<name>/   lock, head.json, journal.jsonl, commit/    a job that is being written
<root>/jobs/<workspace>/<name>/      job.json, scores-*.parquet, rows-*.parquet  a committed job
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import socket
import time
import uuid
import weakref
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from evalstore.committed import Finished, commit_files, folders, job_id_in, job_id_of
from evalstore.durable_files import fault_point, read_document, write_document, write_draft
from evalstore.errors import JobBusy, JobExists, JobNotFound, near
from evalstore.journal import Journal
from evalstore.markers import Marker
from evalstore.trash import is_deleted

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = [
    "EMPTY",
    "StagedJob",
    "drop_staging",
    "host",
    "interrupted_jobs",
    "is_committed",
    "is_copy",
    "is_dead",
    "is_interrupted",
    "is_running",
    "locked_folder",
]

# Files without a line, where the globs of the published views find them: a glob without any file is an error. No
# workspace can have this name.
EMPTY = "jobs/_/schema"
_A_LOOK = 0.2  # seconds

_staged: weakref.WeakSet[StagedJob] = weakref.WeakSet()


class StagedJob:
    """A job that this process is writing. Its folder exists, its lock is held, its name is nobody else's."""

    def __init__(self, root: Path, head: dict[str, Any], lock: int) -> None:
        """`lock` is the descriptor of the lock file, held. See `claim` and `take_over`."""
        self.root, self.head = root, head
        self.job_id, self.workspace, self.name = head["job_id"], head["workspace"], head["name"]
        self.path = f"{self.workspace}/{self.name}"
        self.folder = _staging(root, self.workspace, self.name)
        self.target = root / "jobs" / self.workspace / self.name
        self.journal: Journal
        self._lock = lock
        _staged.add(self)

    @classmethod
    def claim(
        cls,
        root: Path,
        head: dict[str, Any],
        *,
        replaces: str | None = None,
        prepare: Callable[[Path], None] | None = None,
        shared: Journal | None = None,
    ) -> StagedJob:
        """Claims the name in `head` before any work is done.

        `replaces` is the id of the job whose place it may take when it commits. A deleted job is in nobody's way.
        `prepare` fills the folder with what the job starts with: it stands under the name with that or not at all.
        `shared` is a journal for the lines of several jobs, for one whose content lies elsewhere too.

        Raises: JobExists, JobBusy.
        """
        path = f"{head['workspace']}/{head['name']}"
        if replaces is None and (found := job_id_of(root, path)) and is_deleted(root, found):
            replaces = found
        head = {**head, "replaces": replaces}
        # A job that is brought in again has the id that it had when somebody died over it.
        fresh = root / "staging" / ".new" / f"{head['job_id']}-{uuid.uuid4().hex}"
        staged = None
        try:
            staged = cls(root, head, locked_folder(fresh))
            if shared is not None:
                write_draft(fresh / "head.json", {**head, "is_copy": True})  # nothing is lost with it
            else:
                write_document(fresh / "head.json", head)
                (fresh / "journal.jsonl").touch()  # whoever dies after the next steps leaves a job that can be finished
            if prepare is not None:
                prepare(fresh)
            staged.folder.parent.mkdir(parents=True, exist_ok=True)
            fault_point("before-claim")
            staged.move_in(fresh)
            fault_point("after-claim")
            staged.journal = shared or Journal.recovered(staged.folder / "journal.jsonl")
        except BaseException:
            shutil.rmtree(fresh, ignore_errors=True)
            if staged is not None:
                staged.abandon()
            raise
        return staged

    @classmethod
    def take_over(cls, root: Path, workspace: str, name: str) -> StagedJob:
        """The job of a writer that is gone, locked, with its journal.

        Raises: JobNotFound, JobBusy.
        """
        folder = _staging(root, workspace, name)
        head = read_document(folder / "head.json")
        if head is None:
            waiting = [job["job"] for job in interrupted_jobs(root) if job["workspace"] == workspace]
            raise JobNotFound(f"there is no interrupted job {name!r} in workspace {workspace!r}; {near(name, waiting)}")
        busy = JobBusy(f"job {name!r} is being written by {_writer(head)}; wait for it")
        try:
            lock = os.open(folder / "lock", os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError as error:  # somebody gives the name back at this moment
            raise busy from error
        staged = cls(root, head, lock)
        try:
            _lock_patiently(lock)
            # The folder may have been renamed away, and another put there, between open and lock.
            if not os.path.samestat(os.fstat(lock), (folder / "lock").stat()):
                raise BlockingIOError
            with suppress(FileExistsError):  # its time tells when the writer died
                (folder / "journal.jsonl").touch(exist_ok=False)
            staged.journal = Journal.recovered(folder / "journal.jsonl")
        except (BlockingIOError, FileNotFoundError) as error:
            staged.release_lock()
            raise busy from error
        except BaseException:
            staged.release_lock()
            raise
        return staged

    def move_in(self, fresh: Path) -> None:
        """Gives a prepared folder the job's name in staging. Raises: JobExists, JobBusy."""
        try:
            fresh.rename(self.folder)
        except OSError as error:
            if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
                raise self._taken() from error
            raise
        # Only now: a committer that was faster has left its folder in jobs/ before it let go of the name in staging/.
        if self.target.exists() and (self.replaces is None or job_id_of(self.root, self.path) != self.replaces):
            if job_id_of(self.root, self.path) is None:
                raise JobExists(
                    f"there is a folder {self.target} whose job.json cannot be read: choose another name, and see "
                    "`evalstore verify`"
                )
            raise JobExists(
                f"job {self.name!r} exists in workspace {self.workspace!r}; choose another name, "
                f"prefix={self.name!r} for one with the time appended, overwrite=True (--overwrite) to replace it "
                "(the old job goes into the trash), or resume=True to go on with it"
            )

    @property
    def replaces(self) -> str | None:
        """The id of the job whose place this one takes."""
        replaced: str | None = self.head.get("replaces")
        return replaced

    def _taken(self) -> Exception:
        head = read_document(self.folder / "head.json") or {}
        if not is_dead(self.folder):
            return JobBusy(f"job {self.name!r} is being written by {_writer(head)}; wait for it or choose another name")
        if head and is_committed(self.root, head):
            return JobExists(f"job {self.name!r} exists in workspace {self.workspace!r}; choose another name")
        return JobExists(
            f"job {self.name!r} was interrupted ({_writer(head)}); its rows are safe: run "
            f"`evalstore finish {self.name}`, go on with resume=True, start anew with overwrite=True, or choose "
            "another name"
        )

    @property
    def began_at(self) -> datetime:
        """When this attempt at the job began: the first one when the job is said to have started."""
        began = datetime.fromisoformat(self.head.get("started_at") or self.head["created_at"])
        if "elapsed" in self.head:  # the clock may be behind what was said, and behind what earlier attempts took
            began += timedelta(seconds=self.seconds_before)
            began = max(began, datetime.fromisoformat(self.head.get("writing_since") or began.isoformat()))
        return began

    @property
    def seconds_written(self) -> float:
        """How long a writer that is gone had been writing, from when it began to the last line of its journal."""
        since = self.head.get("writing_since")
        began = datetime.fromisoformat(since) if since else self.began_at
        return max(0.0, self.journal.path.stat().st_mtime - began.timestamp())

    @property
    def seconds_before(self) -> float:
        """How long earlier attempts at the job took."""
        return float(self.head.get("elapsed") or 0.0)

    def commit_folder(self) -> Path:
        """An empty folder for the finished files."""
        folder: Path = self.folder / "commit"
        Marker("commit", self.job_id, self.path).drop(self.root)  # of an earlier attempt to finish
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        return folder

    def finished(self) -> Finished:
        """The files in `commit/`, which are all of the job now."""
        return Finished(self.folder / "commit", self.job_id, self.path, self.replaces)

    def commit(self) -> None:
        """Makes the files in `commit/` the job: it is there for good when this returns, and not at all before."""
        commit_files(self.root, self.finished())

    def release(self) -> None:
        """Lets go of the lock; what is in staging stays there until the job is published."""
        self._close_journal()
        self.release_lock()

    def _close_journal(self) -> None:
        if hasattr(self, "journal") and not self.journal.is_shared:
            self.journal.close()

    def abandon(self) -> None:
        """Gives the name back and removes all that was staged."""
        self._close_journal()
        # While the lock is held: what stands under the name a moment later may be somebody else's.
        if self._lock >= 0 and (read_document(self.folder / "head.json") or {}).get("job_id") == self.job_id:
            _remove(self.root, self.folder, self.job_id)
        self.release_lock()

    def release_lock(self) -> None:
        """Closes the lock; the next one who asks finds the writer gone."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def _lock_patiently(lock: int) -> None:
    """Takes the lock of a staged job, which whoever looks at it has for a moment. Raises: BlockingIOError."""
    until = time.monotonic() + _A_LOOK
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                raise
            time.sleep(0.005)
        else:
            return


def locked_folder(folder: Path) -> int:
    """A new folder with a lock that is held, so that nobody sweeps it away; the lock's descriptor."""
    folder.mkdir(parents=True)
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


def _close_locks_of_parent() -> None:
    for staged in list(_staged):  # else a child that lives on would make its dead parent's job look alive
        staged.release_lock()


os.register_at_fork(after_in_child=_close_locks_of_parent)


def _staging(root: Path, workspace: str, name: str) -> Path:
    return root / "staging" / workspace / name


def _writer(head: dict[str, Any]) -> str:
    return f"process {head.get('pid')} on {head.get('host')}"


def interrupted_jobs(root: Path) -> list[dict[str, Any]]:
    """The jobs in staging whose writer is gone and that were not committed, with the number of rows in each journal."""
    found = []
    for workspace in folders(root / "staging"):
        for folder in folders(workspace) if workspace.name != ".new" else ():
            head = read_document(folder / "head.json")
            if not head or not head.keys() >= {"job_id", "workspace", "name"}:
                continue
            if is_copy(head) or not is_dead(folder) or is_committed(root, head):
                continue
            line = {
                field: head.get(field)
                for field in ("workspace", "job_id", "dataset", "model", "started_at", "host", "pid")
            }
            with suppress(FileNotFoundError):
                line["rows_logged"] = (folder / "journal.jsonl").read_bytes().count(b"\n")
                found.append({**line, "job": head["name"]})
    return found


def is_interrupted(root: Path, workspace: str, name: str) -> bool:
    """Whether a job of this name is in staging, its writer gone, and was not committed."""
    folder = _staging(root, workspace, name)
    head = read_document(folder / "head.json")
    return head is not None and not is_copy(head) and is_dead(folder) and not is_committed(root, head)


def is_running(root: Path, workspace: str, name: str) -> bool:
    """Whether a job of this name is in staging, and its writer lives."""
    folder = _staging(root, workspace, name)
    return read_document(folder / "head.json") is not None and not is_dead(folder)


def is_copy(head: dict[str, Any]) -> bool:
    """Whether all of the job lies elsewhere too: when its writer died, there is nothing to be finished."""
    return bool(head.get("is_copy"))


def is_committed(root: Path, head: dict[str, Any]) -> bool:
    """Whether the job of a head in staging has reached `jobs/`."""
    return job_id_of(root, f"{head['workspace']}/{head['name']}") == str(head["job_id"])


def is_dead(folder: Path) -> bool:
    """Whether nobody holds the lock of a staged job."""
    try:
        descriptor = os.open(folder / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return not folder.exists()
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared: who looks must not look like a writer
    except BlockingIOError:
        return False
    else:
        return True
    finally:
        os.close(descriptor)


def drop_staging(root: Path, path: str, job_id: str) -> None:
    """Removes what a published job has left in staging, unless the folder is another job's by now."""
    folder = root / "staging" / path
    is_ours = (read_document(folder / "head.json") or {}).get("job_id") == job_id
    if is_ours and job_id_in(folder / "commit") in (None, job_id):  # else the job that it has replaced is still there
        _remove(root, folder, job_id)


def _remove(root: Path, folder: Path, job_id: str) -> None:
    """Renames a folder in staging away, so that nobody can meet half of it under the name, then removes it."""
    gone = root / "staging" / ".new" / f"{job_id}-{uuid.uuid4().hex}"
    with suppress(OSError):
        folder.rename(gone)
    fault_point("removing")
    shutil.rmtree(gone, ignore_errors=True)


def host() -> str:
    """The name of this machine, for messages about who writes a job."""
    return socket.gethostname()
