"""Making the catalog anew from the folders of the jobs, `meta/` and `segments/`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from evalstore import names
from evalstore.committed import committed_jobs, job_id_of
from evalstore.durable_files import read_document, write_document
from evalstore.errors import InvalidName
from evalstore.job_document import document_problem, job_document
from evalstore.store_lock import PATIENCE, exclusively, still_busy
from evalstore.trash import is_deleted

if TYPE_CHECKING:
    from pathlib import Path

    from evalstore.catalog import Catalog

__all__ = ["DELETED", "Rebuilt", "rebuild"]

DELETED = "is deleted; `evalstore restore` brings it back"
OVERWRITTEN = "whose job.json another one has overwritten: put it back from a copy, in a folder of its own"


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """How many jobs the new catalog has, which folders were left out (path and reason), and which gave their name."""

    jobs: int
    left_out: list[tuple[str, str]]
    adopted: list[str]


def rebuild(root: Path, catalog: Catalog, *, adopt: bool = False) -> Rebuilt:
    """Makes the catalog anew. Folders of jobs that were copied in are taken up; nothing is overwritten.

    A folder that is not named as the job in it is left out; with `adopt` the job takes the name of its folder.

    Raises: StoreBusy, OSError.
    """
    adopted: list[str] = []
    if adopt:
        with exclusively(root):
            adopted = _adopt(root)
    if not catalog.publish(wait=PATIENCE, anew=True):
        raise still_busy()
    taken, left_out = dict[str, str](), []
    for path in committed_jobs(root):
        job_id = job_id_of(root, path) or ""
        if problem := document_problem(root, path):
            if "is that of job" in problem:
                problem += "; to take it in under the name of its folder: `evalstore rebuild --adopt`"
            left_out.append((path, problem))
        elif is_deleted(root, job_id):
            left_out.append((path, DELETED))
        elif job_id in taken:
            left_out.append((path, f"is a copy of job {taken[job_id]}, with the same job_id"))
        else:
            taken[job_id] = path
            left_out += [
                (path, f"holds files of job {other}, {OVERWRITTEN}") for other in _strangers(root, path, job_id)
            ]
    return Rebuilt(len(taken), left_out, adopted)


def _strangers(root: Path, path: str, job_id: str) -> set[str]:
    """The other jobs whose files lie in the folder of a job, though they are not deleted or replaced."""
    found = {file.stem.partition("-")[2] for file in (root / "jobs" / path).glob("*-*.parquet")} - {job_id}
    return {other for other in found if not is_deleted(root, other) and not (root / "trash" / other).exists()}


def _adopt(root: Path) -> list[str]:
    """Gives the jobs in folders of another name the name of their folder, unless the job is here already; the paths."""
    adopted = []
    known = {job_id_of(root, path) for path in committed_jobs(root) if job_document(root, path)}
    for path in committed_jobs(root):
        file = root / "jobs" / path / "job.json"
        document = read_document(file)
        job = (document or {}).get("job")
        if document is None or not isinstance(job, dict) or job_document(root, path) or job.get("job_id") in known:
            continue
        workspace, _, name = path.partition("/")
        try:
            job |= {"workspace": names.check_name(workspace, "workspace"), "name": names.check_name(name)}
        except InvalidName:
            continue
        write_document(file, document)
        known.add(job.get("job_id"))
        adopted.append(path)
    return adopted
