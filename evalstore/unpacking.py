"""Taking jobs out of an archive. Nothing that it names is trusted: not a path, not a size, not a checksum."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tarfile
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from evalstore import json_text, names, said, store_folder
from evalstore.archives import FORMAT, MANIFEST, VERSION
from evalstore.committed import committed_jobs, job_id_of
from evalstore.copying import put_in_place
from evalstore.errors import BrokenInput, InvalidName, JobExists
from evalstore.job_document import document_problem, job_document
from evalstore.repeats import is_same_job
from evalstore.staging import is_interrupted, locked_folder
from evalstore.trash import is_deleted, tombstones

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["Unpacked", "unpack_archive"]

_LARGEST_MANIFEST = 256 << 20  # bytes
_CHUNK = 1 << 20
_JOB_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,250}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Unpacked:
    """The jobs that came in, those that were here already (both as `workspace/name`), and the rows of the former."""

    jobs: list[str]
    unchanged: list[str]
    rows: int


def unpack_archive(root: Path, file: Path, *, progress: Callable[[int], None] | None = None) -> Unpacked:
    """Brings the jobs of an archive into a store; none where one of them cannot be. The catalog is not published.

    What is here already, with the same job_id or the same content, is left as it is.

    Raises: BrokenInput for what is no whole archive; JobExists where a name or a job_id is taken; JobBusy.
    """
    store_folder.create(root)
    aside = root / "staging" / ".new" / f"archive-{uuid.uuid4().hex}"
    lock = locked_folder(aside)
    try:
        jobs = _unpack(file, aside, progress)
        for job in jobs:
            _check(aside, job, file)
        new = [job for job in jobs if not _is_here(root, aside, job)]
        for job in new:
            _check_place(root, job)
        rows = sum(_bring(root, aside, job) for job in new)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
        os.close(lock)
    here = [_path(job) for job in jobs if job not in new]
    return Unpacked([_path(job) for job in new], here, rows)


def _unpack(file: Path, aside: Path, progress: Callable[[int], None] | None) -> list[dict[str, Any]]:
    """Writes exactly the files that the manifest names; what it says of the jobs."""
    with _members(file) as members:
        jobs = _manifest(members, file)
        wanted = {entry["path"]: entry for job in jobs for entry in job["files"]}
        if len(wanted) != sum(len(job["files"]) for job in jobs):
            raise BrokenInput("names a file twice", file=file, field=MANIFEST)
        for number, (member, content) in enumerate(members, 1):
            entry = wanted.pop(member.name, None)
            if entry is None:
                raise BrokenInput(f"holds {member.name!r:.80}, which its manifest does not name", file=file)
            _write(aside, entry, member, content, file)
            if progress:
                progress(number)
    if wanted:
        raise BrokenInput(f"lacks {min(wanted)}: it was cut off, or changed", file=file)
    return jobs


@contextmanager
def _members(file: Path) -> Iterator[Iterator[tuple[tarfile.TarInfo, IO[bytes]]]]:
    """The plain files in an archive, one after the other. Raises: BrokenInput for anything else in it."""
    import zstandard

    def plain(tar: tarfile.TarFile) -> Iterator[tuple[tarfile.TarInfo, IO[bytes]]]:
        for member in tar:
            content = tar.extractfile(member) if member.isreg() and not member.issparse() else None
            if content is None:
                raise BrokenInput(f"holds {member.name!r:.80}, which is no plain file", file=file)
            yield member, content

    try:
        with (
            file.open("rb") as raw,
            zstandard.ZstdDecompressor().stream_reader(raw) as packed,
            tarfile.open(fileobj=packed, mode="r|") as tar,
        ):
            yield plain(tar)
    except FileNotFoundError as error:
        raise BrokenInput("there is no such file", file=file) from error
    except IsADirectoryError as error:
        raise BrokenInput("is a folder, not an archive", file=file) from error
    except (tarfile.TarError, zstandard.ZstdError, EOFError) as error:
        raise BrokenInput(f"is no whole archive of evalstore: {error}", file=file) from error


def _manifest(members: Iterator[tuple[tarfile.TarInfo, IO[bytes]]], file: Path) -> list[dict[str, Any]]:
    member, content = next(members, (None, None))
    if member is None or content is None or member.name != MANIFEST or member.size > _LARGEST_MANIFEST:
        raise BrokenInput(f"is no archive of evalstore: it does not begin with {MANIFEST}", file=file)
    try:
        manifest = json_text.loads(content.read())
    except (ValueError, RecursionError) as error:
        raise BrokenInput("is not JSON", file=file, field=MANIFEST) from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise BrokenInput("is no archive of evalstore", file=file, field=MANIFEST)
    if manifest.get("version") != VERSION:
        problem = f"has version {manifest.get('version')!r:.20}; this evalstore reads version {VERSION}"
        raise BrokenInput(problem, file=file, field=MANIFEST)
    jobs = manifest.get("jobs")
    if not isinstance(jobs, list) or not all(_is_job(job) for job in jobs):
        raise BrokenInput("names a job or file as no evalstore does", file=file, field=MANIFEST)
    if len({_path(job) for job in jobs}) < len(jobs) or len({job["job_id"] for job in jobs}) < len(jobs):
        raise BrokenInput("names a job twice", file=file, field=MANIFEST)
    return jobs


def _is_job(job: Any) -> bool:
    if not isinstance(job, dict) or not _JOB_ID.fullmatch(str(job.get("job_id"))):
        return False
    try:
        names.check_name(job["workspace"], "workspace")
        names.check_name(job["name"])
    except (KeyError, InvalidName):
        return False
    files, later = job.get("files"), job.get("said")
    has_files = isinstance(files, list) and all(_is_file(entry, _path(job)) for entry in files)
    return has_files and (later is None or said.is_sound(later))


def _is_file(entry: Any, path: str) -> bool:
    if not isinstance(entry, dict) or not isinstance(entry.get("path"), str):
        return False
    folder, _, name = entry["path"].rpartition("/")
    is_named = folder == f"jobs/{path}" and bool(_FILE.fullmatch(name))
    size = entry.get("bytes")
    return is_named and type(size) is int and size >= 0 and bool(_DIGEST.fullmatch(str(entry.get("sha256"))))


def _write(aside: Path, entry: dict[str, Any], member: tarfile.TarInfo, content: IO[bytes], file: Path) -> None:
    if member.size != entry["bytes"]:
        raise BrokenInput(f"{entry['path']} has {member.size} bytes, and {entry['bytes']} are told", file=file)
    target, digest = aside / entry["path"], hashlib.sha256()
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("xb") as written:
        while data := content.read(_CHUNK):
            digest.update(data)
            written.write(data)
    if digest.hexdigest() != entry["sha256"]:
        raise BrokenInput(f"{entry['path']} is damaged: its checksum is another one", file=file)


def _check(aside: Path, job: dict[str, Any], file: Path) -> None:
    """Whether what was unpacked is that job, whole."""
    path = _path(job)
    if problem := document_problem(aside, path):
        raise BrokenInput(f"job {path}: {problem}", file=file)
    document = job_document(aside, path) or {}
    there = {entry["path"].rpartition("/")[2]: entry for entry in job["files"]}
    for entry in document["files"].values():
        found = there.get(entry["name"], {})
        if (found.get("sha256"), found.get("bytes")) != (entry["sha256"], entry["bytes"]):
            raise BrokenInput(f"job {path}: {entry['name']} is not the file that its document tells of", file=file)
    if document["job"]["job_id"] != job["job_id"]:
        raise BrokenInput(f"job {path}: its document is that of another job", file=file)


def _is_here(root: Path, aside: Path, job: dict[str, Any]) -> bool:
    """Whether the job, or one of the same content under its name, is here and not deleted."""
    holder = job_id_of(root, _path(job))
    if holder is None or is_deleted(root, holder):
        return False
    return holder == job["job_id"] or is_same_job(root, aside, _path(job))


def _check_place(root: Path, job: dict[str, Any]) -> None:
    """Raises: JobExists where another job has the name, or another name the job."""
    path, job_id = _path(job), job["job_id"]
    if any(stone.job_id == job_id for stone in tombstones(root)):
        raise JobExists(f"job {path} is in the trash: `evalstore restore {job_id}` brings it back")
    holder = job_id_of(root, path)
    if holder is not None and not is_deleted(root, holder):
        raise JobExists(f"there is another job {path}: delete that one, or import into another store")
    if is_interrupted(root, job["workspace"], job["name"]):
        raise JobExists(f"an interrupted job has the name {path}: `evalstore finish {path}` stores it, then delete it")
    for other in committed_jobs(root):
        if job_id_of(root, other) == job_id and other != path:
            raise JobExists(f"job {path} is here already, as {other}")


def _bring(root: Path, aside: Path, job: dict[str, Any]) -> int:
    """Gives a job its place; the number of its rows."""
    document = job_document(aside, _path(job)) or {}

    def fill(folder: Path) -> None:
        for entry in job["files"]:
            os.link(aside / entry["path"], folder / entry["path"].rpartition("/")[2])

    if later := job.get("said"):
        said.repeat(root, job["job_id"], later)
    holder = job_id_of(root, _path(job))  # a deleted one, if any
    put_in_place(root, document["job"], fill, replaces=holder)
    return int(document["files"]["rows"]["rows"])


def _path(job: dict[str, Any]) -> str:
    return f"{job['workspace']}/{job['name']}"
