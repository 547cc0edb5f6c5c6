"""What lies in `staging/`: whose job a folder is, whether its writer lives, and how it goes away."""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from evalstore.committed import folders, job_id_in, job_id_of
from evalstore.durable_files import fault_point, read_document

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "drop_staging",
    "host",
    "interrupted_jobs",
    "is_committed",
    "is_copy",
    "is_dead",
    "is_interrupted",
    "is_running",
    "locked_folder",
    "remove",
    "staged_folder",
    "writer",
]


def staged_folder(root: Path, workspace: str, name: str) -> Path:
    """Where the job of a name is written."""
    return root / "staging" / workspace / name


def locked_folder(folder: Path) -> int:
    """A new folder with a lock that is held, so that nobody sweeps it away; the lock's descriptor."""
    folder.mkdir(parents=True)
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


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


def is_copy(head: dict[str, Any]) -> bool:
    """Whether all of the job lies elsewhere too: when its writer died, there is nothing to be finished."""
    return bool(head.get("is_copy"))


def is_committed(root: Path, head: dict[str, Any]) -> bool:
    """Whether the job of a head in staging has reached `jobs/`."""
    return job_id_of(root, f"{head['workspace']}/{head['name']}") == str(head["job_id"])


def is_interrupted(root: Path, workspace: str, name: str) -> bool:
    """Whether a job of this name is in staging, its writer gone, and was not committed."""
    folder = staged_folder(root, workspace, name)
    head = read_document(folder / "head.json")
    return head is not None and not is_copy(head) and is_dead(folder) and not is_committed(root, head)


def is_running(root: Path, workspace: str, name: str) -> bool:
    """Whether a job of this name is in staging, and its writer lives."""
    folder = staged_folder(root, workspace, name)
    return read_document(folder / "head.json") is not None and not is_dead(folder)


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


def drop_staging(root: Path, path: str, job_id: str) -> None:
    """Removes what a published job has left in staging, unless the folder is another job's by now."""
    folder = root / "staging" / path
    is_ours = (read_document(folder / "head.json") or {}).get("job_id") == job_id
    if is_ours and job_id_in(folder / "commit") in (None, job_id):  # else the job that it has replaced is still there
        remove(root, folder, job_id)


def remove(root: Path, folder: Path, job_id: str) -> None:
    """Renames a folder in staging away, so that nobody can meet half of it under the name, then removes it."""
    gone = root / "staging" / ".new" / f"{job_id}-{uuid.uuid4().hex}"
    with suppress(OSError):
        folder.rename(gone)
    fault_point("removing")
    shutil.rmtree(gone, ignore_errors=True)


def writer(head: dict[str, Any]) -> str:
    """Who writes, or wrote, the job of a head, for messages."""
    return f"process {head.get('pid')} on {head.get('host')}"


def host() -> str:
    """The name of this machine, for messages about who writes a job."""
    return socket.gethostname()
