"""The store that results are brought into, as an importer sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from evalstore.job_batch import JobBatches
    from evalstore.recorder import Job

    OpenJob = Callable[..., Job]

__all__ = ["Target"]


@dataclass(frozen=True)
class Target:
    """What an importer may do with the store.

    `open_job` takes a name, the source (tool, path, content_hash), and what `store.job()` takes; one with `batches`,
    which `open_batches` gives, is committed with others. `is_repeat(job, write)` is whether what a function writes,
    given a way to open jobs, is what the job of this name is already; `says_same` whether what `open_job` would be told
    is what was said of it. `imported` gives the names of the jobs of the workspace that were imported, by the content
    hash of what they were imported from.
    """

    open_job: OpenJob
    open_batches: Callable[[], JobBatches]
    is_repeat: Callable[[str, Callable[[OpenJob], object]], bool]
    says_same: Callable[..., bool]
    imported: Callable[[], dict[str, list[str]]]

    def may_have(self, job: str, content_hash: str | None, options: dict[str, Any]) -> bool:
        """Whether a job that is to be overwritten is of this content, and may say the same: looked at before."""
        is_to_look = options.get("overwrite") and content_hash is not None and options.get("created_at") is None
        return bool(is_to_look) and job in self.imported().get(str(content_hash), ())
