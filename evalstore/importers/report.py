"""What an importer did."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from evalstore.recorder import Job

__all__ = ["ImportReport", "OpenJob"]


class OpenJob(Protocol):
    """How an importer opens a job: its name, where it came from, and what `store.job()` takes."""

    def __call__(self, name: str, *, source: dict[str, Any] | None = None, **context: Any) -> Job: ...


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
