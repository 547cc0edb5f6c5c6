"""What an importer did."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from evalstore.importers.trainloop_jobs import FoundJob
    from evalstore.recorder import Job

    # How an importer opens a job: by its name, its source (tool, path, content_hash), and what `store.job()` takes.
    OpenJob = Callable[..., Job]
    # Whether what a function writes, given a way to open jobs, is what the job of this name is already.
    IsRepeat = Callable[[str, Callable[[OpenJob], object]], bool]
    # Whether what `store.job()` would be told of a job of this name is what was said of it.
    SaysSame = Callable[..., bool]
    # The names of the jobs of the workspace that were imported, by the content hash of what they were imported from.
    Imported = Callable[[], dict[str, list[str]]]

__all__ = ["ImportReport", "may_be_there", "unchanged"]


def may_be_there(job: str, content_hash: str | None, imported: Imported, options: dict[str, Any]) -> bool:
    """Whether a job that is to be overwritten is of this content, and may say the same: looked at before, for once."""
    is_to_look = options.get("overwrite") and content_hash is not None and options.get("created_at") is None
    return bool(is_to_look) and job in imported().get(str(content_hash), ())


def unchanged(job: str) -> str:
    """The flag of a job that was left as it is."""
    return f"job {job} was there already, with the same content"


@dataclass
class ImportReport:
    """Files read, jobs made, rows logged, and how many of those were bad and stand as rows in error.

    `duplicates` are scores of what was scored before, word for word, and kept; `errors` scores and rows in error, bad
    ones among them; `flags` what is odd about the input.
    """

    format: str
    files: list[str]
    jobs: list[str]
    rows: int
    bad_rows: int = 0
    duplicates: int = 0
    errors: int = 0
    flags: list[str] = field(default_factory=list)

    def add(self, job: str, found: FoundJob) -> None:
        """Counts a job that was stored."""
        self.jobs.append(job)
        if found.bad_rows:
            self.flags.append(f"{job}: lines that cannot be read: {found.bad_rows}, stored as rows in error")
        self.flags.extend(found.flags)
        self.rows += len(found.rows)
        self.bad_rows += found.bad_rows
        self.duplicates += found.duplicates
        self.errors += found.errors + found.bad_rows

    def to_dict(self) -> dict[str, Any]:
        """The report as a plain dict, for JSON."""
        return asdict(self)
