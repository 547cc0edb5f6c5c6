"""Archives: the folders of some jobs in one .tar.zst file, with a list of all files and their checksums first.

manifest.json                        what is in it: per job its names, its files, and what was said of it later
jobs/<workspace>/<name>/<file>       the files, as they lie in a store
"""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
import uuid
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import IO, TYPE_CHECKING, Any

from evalstore import json_text, said
from evalstore.durable_files import sync_folder
from evalstore.errors import BrokenStore, JobNotFound
from evalstore.job_document import document_problem, job_document

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

__all__ = ["FORMAT", "MANIFEST", "VERSION", "ArchiveReport", "write_archive"]

FORMAT, VERSION, MANIFEST = "evalstore-archive", 1, "manifest.json"


@dataclass(frozen=True)
class ArchiveReport:
    """An archive that was written: where, the jobs in it (`workspace/name`), how many files, and their bytes."""

    path: str
    jobs: list[str]
    files: int
    bytes: int
    archive_bytes: int

    def to_dict(self) -> dict[str, Any]:
        """The report as a plain dict, for JSON."""
        return asdict(self)


def write_archive(
    root: Path, jobs: Sequence[tuple[str, str]], to: Path, *, progress: Callable[[int], None] | None = None
) -> ArchiveReport:
    """Writes jobs, given as (job_id, `workspace/name`), as one archive: all of it or nothing.

    Each file is checked against what its job says of it. `progress` is called with the number of files written.

    Raises: BrokenStore for a job that is not whole; JobNotFound; OSError.
    """
    import zstandard

    entries = [_entry(root, job_id, path) for job_id, path in jobs]
    manifest = {"format": FORMAT, "version": VERSION, "jobs": entries}
    draft = to.with_name(f".{to.name}.{uuid.uuid4().hex}")
    files = [file for entry in entries for file in entry["files"]]
    try:
        with draft.open("xb") as raw:
            compressor = zstandard.ZstdCompressor(level=6, write_checksum=True)
            with (
                compressor.stream_writer(raw, closefd=False) as packed,
                tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as tar,
            ):
                text = json_text.dumps(manifest)[0].encode()
                tar.addfile(_member(MANIFEST, len(text)), io.BytesIO(text))
                for number, file in enumerate(files, 1):
                    _add(tar, root, file)
                    if progress:
                        progress(number)
            raw.flush()
            os.fsync(raw.fileno())
        draft.rename(to)
    except BaseException as error:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename == str(draft):
            error.filename = str(to)  # the name of a draft tells nobody anything
        raise
    sync_folder(to.parent)
    size = sum(file["bytes"] for file in files)
    return ArchiveReport(str(to), [path for _, path in jobs], len(files), size, to.stat().st_size)


def _entry(root: Path, job_id: str, path: str) -> dict[str, Any]:
    """What the manifest says of a job. Raises: BrokenStore, JobNotFound."""
    document = job_document(root, path)
    if document is None:
        problem = document_problem(root, path) or "job.json cannot be used"
        raise BrokenStore(f"job {path} is not archived: {problem}; `evalstore verify` says what to do")
    if document["job"]["job_id"] != job_id:
        raise JobNotFound(f"there is another job {path} than a moment ago: try again")
    told = {entry["name"]: entry for entry in document["files"].values()}
    folder = root / "jobs" / path
    names = sorted(file.name for file in folder.iterdir() if file.is_file() and not file.is_symlink())
    # Second names of the files of a job that this one has replaced are not its own.
    own = [name for name in names if name in told or not name.endswith(".parquet")]
    if missing := told.keys() - set(own):
        raise BrokenStore(f"job {path} is not archived: {min(missing)} is not there; see `evalstore verify`")
    files = []
    for name in own:
        digest, size = _digest(folder / name)
        if name in told and (told[name]["sha256"], told[name]["bytes"]) != (digest, size):
            raise BrokenStore(
                f"job {path} is not archived: {name} has another content than when the job was committed; "
                "see `evalstore verify`"
            )
        files.append({"path": f"jobs/{path}/{name}", "bytes": size, "sha256": digest})
    workspace, _, name = path.partition("/")
    later = said.said(root).get(job_id)
    return {"workspace": workspace, "name": name, "job_id": job_id, "files": files, "said": later}


def _digest(file: Path) -> tuple[str, int]:
    with file.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
        return digest, opened.tell()


def _add(tar: tarfile.TarFile, root: Path, file: dict[str, Any]) -> None:
    with (root / file["path"]).open("rb") as opened:
        checked = _Checked(opened)
        tar.addfile(_member(file["path"], file["bytes"]), checked)
    if checked.digest.hexdigest() != file["sha256"]:
        raise BrokenStore(f"{file['path']} has changed while it was archived: try again")


class _Checked(io.RawIOBase):
    """A file that is read on, and of which a digest is made."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.digest = file, hashlib.sha256()

    def readable(self) -> bool:
        """It is."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes."""
        data = self._file.read(size)
        self.digest.update(data)
        return data


def _member(name: str, size: int) -> tarfile.TarInfo:
    """A plain file: of nobody, and as old as all others, so that equal jobs make equal archives."""
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o644
    return member
