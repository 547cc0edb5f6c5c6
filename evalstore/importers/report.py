"""What an importer did."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from evalstore.recorder import Job

    # How an importer opens a job: by its name, its source (tool, path, content_hash), and what `store.job()` takes.
    OpenJob = Callable[..., Job]
    # Whether what a function writes, given a way to open jobs, is what the job of this name is already.
    IsRepeat = Callable[[str, Callable[[OpenJob], object]], bool]

__all__ = ["ImportReport", "unchanged"]


def unchanged(job: str) -> str:
    """The flag of a job that was left as it is."""
    return f"job {job} was there already, with the same content"


@dataclass(frozen=True)
class ImportReport:
    """Files read, jobs made, rows logged, and how many of those were bad and stand as rows in error."""

    format: str
    files: list[str]
    jobs: list[str]
    rows: int
    bad_rows: int = 0
    flags: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """The report as a plain dict, for JSON."""
        return asdict(self)
