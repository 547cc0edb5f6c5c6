"""Files that are kept with a job as they are: put aside while it is written, then beside its Parquet files."""

from __future__ import annotations

import hashlib
import shutil
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["attach", "bring", "carry_over"]

_ASIDE = "attached"


def attach(staged: Path, file: Path, name: str) -> None:
    """Copies a file into the folder of a job that is being written. Raises: OSError."""
    (staged / _ASIDE).mkdir(exist_ok=True)
    shutil.copyfile(file, staged / _ASIDE / name)


def bring(staged: Path, folder: Path, job_id: str) -> list[dict[str, Any]]:
    """Gives what was put aside its place among the finished files of a job; what its document says of each.

    The names carry the id of the job, as those of its other files.
    """
    if not (staged / _ASIDE).exists():
        return []
    found = []
    for file in sorted((staged / _ASIDE).iterdir()):
        data = file.read_bytes()
        name = f"{file.stem}-{job_id}{file.suffix}"
        (folder / name).write_bytes(data)
        found.append({"name": name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()})
    return found


def carry_over(job: Path, document: dict[str, Any], staged: Path) -> None:
    """Puts the attachments of a finished job aside for the attempt that goes on with it. Raises: OSError."""
    for entry in document.get("attachments") or ():
        attach(staged, job / entry["name"], entry["name"].replace(f"-{document['job']['job_id']}", ""))
