"""The folders of jobs: claiming a name, staging, the commit by one rename, and the markers of what is to be published.

<root>/staging/<workspace>/<name>/   lock, head.json, journal.jsonl, commit/    a job that is being written
<root>/jobs/<workspace>/<name>/      job.json, scores-*.parquet, rows-*.parquet  a committed job
<root>/pending/<operation>-<id>.json                                            committed, not yet published
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import socket
import uuid
import weakref
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from evalstore import json_text
from evalstore.errors import JobBusy, JobExists
from evalstore.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = [
    "EMPTY",
    "Marker",
    "StagedJob",
    "committed_jobs",
    "drop_staging",
    "fault_point",
    "interrupted_jobs",
    "is_stale",
    "pending_markers",
    "place_marker",
    "read_document",
    "sync_folder",
    "write_document",
]

# Files without a line, where the globs of the published views find them: a glob without any file is an error. No
# workspace can have this name.
EMPTY = "jobs/_/schema"

_staged: weakref.WeakSet[StagedJob] = weakref.WeakSet()


class StagedJob:
    """A job that this process is writing. Its folder exists, its lock is held, its name is nobody else's."""

    def __init__(self, root: Path, head: dict[str, Any]) -> None:
        """Claims the name in `head` before any work is done.

        Raises: JobExists, JobBusy.
        """
        self.root, self.head = root, head
        self.job_id, self.workspace, self.name = head["job_id"], head["workspace"], head["name"]
        self.folder = root / "staging" / self.workspace / self.name
        self.target = root / "jobs" / self.workspace / self.name
        self._lock = -1
        fresh = root / "staging" / ".new" / self.job_id
        try:
            self._lock = _locked_folder(fresh)
            _staged.add(self)
            write_document(fresh / "head.json", head)
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            self._claim(fresh)
            self.journal = Journal(self.folder / "journal.jsonl")
        except BaseException:
            self.release_lock()
            for left_over in (fresh, *([self.folder] if self._is_ours() else [])):
                shutil.rmtree(left_over, ignore_errors=True)
            raise

    def _claim(self, fresh: Path) -> None:
        try:
            fresh.rename(self.folder)
        except OSError as error:
            if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
                raise self._taken() from error
            raise
        # Only now: a committer that was faster has left its folder in jobs/ before it let go of the name in staging/.
        if self.target.exists():
            raise JobExists(
                f"job {self.name!r} exists in workspace {self.workspace!r}; choose another name, or "
                f"prefix={self.name!r} for one with the time appended"
            )

    def _is_ours(self) -> bool:
        return bool((read_document(self.folder / "head.json") or {}).get("job_id") == self.job_id)

    def _taken(self) -> Exception:
        head = read_document(self.folder / "head.json") or {}
        writer = f"process {head.get('pid')} on {head.get('host')}"
        if is_dead(self.folder):
            if head and is_committed(self.root, head):
                return JobExists(f"job {self.name!r} exists in workspace {self.workspace!r}; choose another name")
            return JobExists(
                f"job {self.name!r} was interrupted ({writer}); its rows are safe: run `evalstore finish {self.name}`, "
                "or choose another name"
            )
        return JobBusy(f"job {self.name!r} is being written by {writer}; wait for it or choose another name")

    def commit_folder(self) -> Path:
        """An empty folder for the finished files."""
        folder: Path = self.folder / "commit"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        return folder

    def commit(self) -> None:
        """Makes the files in `commit/` the job: it is there for good when this returns, and not at all before."""
        commit_files(self.root, self.folder / "commit", self.job_id, self.workspace, self.name)

    def release(self) -> None:
        """Lets go of the lock; what is in staging stays there until the job is published."""
        if hasattr(self, "journal"):
            self.journal.close()
        self.release_lock()

    def abandon(self) -> None:
        """Gives the name back and removes all that was staged."""
        self.release()
        shutil.rmtree(self.folder, ignore_errors=True)

    def release_lock(self) -> None:
        """Closes the lock; the next one who asks finds the writer gone."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def _locked_folder(folder: Path) -> int:
    """A new folder with a lock that is held; the lock's descriptor."""
    folder.mkdir(parents=True)
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


def _close_locks_of_parent() -> None:
    for staged in list(_staged):  # else a child that lives on would make its dead parent's job look alive
        staged.release_lock()


os.register_at_fork(after_in_child=_close_locks_of_parent)


def commit_files(root: Path, commit: Path, job_id: str, workspace: str, name: str) -> None:
    """Renames a folder of finished files to the job's place: the commit point.

    Raises: JobExists; then nothing has changed.
    """
    for file in commit.iterdir():
        _sync_file(file)
    sync_folder(commit)
    target = root / "jobs" / workspace / name
    target.parent.mkdir(parents=True, exist_ok=True)
    fault_point("before-marker")
    marker = place_marker(root, "commit", job_id, f"{workspace}/{name}")
    fault_point("before-rename")
    try:
        commit.rename(target)
    except OSError as error:
        marker.drop(root)
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
            raise JobExists(f"job {name!r} exists in workspace {workspace!r}; choose another name") from error
        raise
    fault_point("after-rename")
    sync_folder(target.parent)
    sync_folder(target.parent.parent)
    sync_folder(commit.parent)


@dataclass(frozen=True, slots=True)
class Marker:
    """Something committed that the catalog may not show yet: an operation on a job, or on `meta`."""

    operation: str
    job_id: str
    path: str

    @property
    def file_name(self) -> str:
        """The name of its file in `pending/`."""
        return f"{self.operation}-{self.job_id}.json"

    def drop(self, root: Path) -> None:
        """Removes the marker: what it says is true in the published catalog, or never happened."""
        with suppress(FileNotFoundError):
            (root / "pending" / self.file_name).unlink()


def place_marker(root: Path, operation: str, job_id: str, path: str) -> Marker:
    """Writes a marker durably."""
    marker = Marker(operation, job_id, path)
    write_document(root / "pending" / marker.file_name, {"operation": operation, "job_id": job_id, "path": path})
    sync_folder(root / "pending")
    return marker


def pending_markers(root: Path) -> list[Marker]:
    """All markers that make sense, in no order; what else lies there stops nobody."""
    try:
        names = [entry.name for entry in os.scandir(root / "pending") if entry.name.endswith(".json")]
    except FileNotFoundError:
        return []
    markers = []
    for name in names:
        document = read_document(root / "pending" / name) or {}
        fields = [document.get(field) for field in ("operation", "job_id", "path")]
        if all(isinstance(field, str) and field for field in fields):
            marker = Marker(*fields)  # type: ignore[arg-type]
            if marker.file_name == name and not marker.path.startswith(("/", ".")) and "/." not in marker.path:
                markers.append(marker)
    return markers


def is_stale(root: Path, marker: Marker) -> bool:
    """Whether a marker announces a commit that never happened: its job is neither committed nor being written."""
    if marker.operation != "commit":
        return False
    staged = read_document(root / "staging" / marker.path / "head.json") or {}
    if staged.get("job_id") == marker.job_id:
        return False
    place = root / "jobs" / marker.path
    if not place.exists():
        return True
    document = read_document(place / "job.json")  # one that cannot be read may be the job that was announced
    job = document.get("job") if document else None
    return isinstance(job, dict) and isinstance(job.get("job_id"), str) and job["job_id"] != marker.job_id


def committed_jobs(root: Path) -> Iterator[str]:
    """The paths `workspace/name` of all committed jobs."""
    for workspace in sorted(_folders(root / "jobs")):
        if workspace.name == "_":
            continue
        for job in sorted(_folders(workspace)):
            yield f"{workspace.name}/{job.name}"


def interrupted_jobs(root: Path) -> list[dict[str, Any]]:
    """The jobs in staging whose writer is gone and that were not committed, with the number of rows in each journal."""
    found = []
    for workspace in _folders(root / "staging"):
        for folder in _folders(workspace) if workspace.name != ".new" else ():
            head = read_document(folder / "head.json")
            if not head or not head.keys() >= {"job_id", "workspace", "name"}:
                continue
            if not is_dead(folder) or is_committed(root, head):
                continue
            line = {
                field: head.get(field)
                for field in ("workspace", "job_id", "dataset", "model", "started_at", "host", "pid")
            }
            with suppress(FileNotFoundError):
                line["rows_logged"] = (folder / "journal.jsonl").read_bytes().count(b"\n")
                found.append({**line, "job": head["name"]})
    return found


def is_committed(root: Path, head: dict[str, Any]) -> bool:
    """Whether the job of a head in staging has reached `jobs/`."""
    document = read_document(root / "jobs" / head["workspace"] / head["name"] / "job.json") or {}
    job = document.get("job")
    return isinstance(job, dict) and bool(job.get("job_id") == head["job_id"])


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
    if (read_document(folder / "head.json") or {}).get("job_id") == job_id:
        # Renamed first, so that nobody can meet half a folder under the name.
        gone = root / "staging" / ".new" / f"{job_id}-{uuid.uuid4().hex}"
        with suppress(OSError):
            folder.rename(gone)
        shutil.rmtree(gone, ignore_errors=True)


def read_document(path: Path) -> dict[str, Any] | None:
    """A JSON object from a file, or None when it is not there, cannot be read, or is not whole."""
    try:
        document = json_text.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def write_document(path: Path, document: dict[str, Any]) -> None:
    """Writes a JSON object durably; a crash leaves the old file or the new one."""
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(json_text.dumps(document)[0].encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        draft.rename(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder durable."""
    _sync_file(folder)


def host() -> str:
    """The name of this machine, for messages about who writes a job."""
    return socket.gethostname()


def fault_point(name: str) -> None:
    """Dies here, as by SIGKILL, when the environment asks for it: so tests can crash a writer at every step."""
    if os.environ.get("EVALSTORE_FAULT") == name:
        os.kill(os.getpid(), 9)


def _sync_file(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _folders(folder: Path) -> list[Path]:
    try:
        return [folder / entry.name for entry in os.scandir(folder) if entry.is_dir(follow_symlinks=False)]
    except (FileNotFoundError, NotADirectoryError):
        return []
