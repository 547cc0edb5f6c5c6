"""What an importer did."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evalstore.importers.trainloop_jobs import FoundJob

__all__ = ["ImportReport", "unchanged"]


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

    def merge(self, other: ImportReport) -> None:
        """Takes in what another part of the same import did."""
        for one in fields(self):
            if one.name != "format":
                setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))

    def to_dict(self) -> dict[str, Any]:
        """The report as a plain dict, for JSON."""
        return asdict(self)
