"""Named baselines: versioned pointers to accepted jobs."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from evalstore import frames, judgements, names, queries
from evalstore.arrow_lines import as_dicts
from evalstore.errors import NotFound, UsageError, near
from evalstore.markers import Marker, place_marker

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import polars as pl
    import pyarrow as pa

    from evalstore.catalog import Catalog
    from evalstore.session import Session

__all__ = ["Baselines"]


class Baselines:
    """The baselines of a workspace: `store.baselines.set("main", "gsm8k-175b")`, then `@main` names that job."""

    def __init__(
        self,
        root: Path,
        workspace: str,
        catalog: Catalog,
        session: Callable[[], Session],
        job: Callable[[str], pa.Table],
    ) -> None:
        self._root, self._workspace, self._catalog = root, workspace, catalog
        self._session, self._job = session, job

    def set(self, baseline: str, job: str, *, note: str | None = None) -> str:
        """Makes a completed job the baseline of this name from now on; what it was before stays in its history.

        Gives the name of the job. Raises: InvalidName, JobNotFound; UsageError for a job that is not completed.
        """
        _check(baseline, note)
        [line] = as_dicts(self._job(job))
        if line["workspace"] != self._workspace:
            raise UsageError(
                f"a baseline of workspace {self._workspace!r} is one of its jobs, not of {line['workspace']!r}"
            )
        if line["status"] != "completed":
            raise UsageError(f"job {line['name']!r} is {line['status']}: a baseline is a completed job")
        self._say(baseline, line, note)
        return str(line["name"])

    def remove(self, baseline: str, *, note: str | None = None) -> str:
        """Takes a baseline away; its history stays. Gives the name of the job that it was. Raises: NotFound."""
        _check(baseline, note)
        lines = as_dicts(self.table())
        found = [line for line in lines if line["baseline"] == baseline]
        if not found:
            raise NotFound(f"there is no baseline {baseline!r}; {near(baseline, [one['baseline'] for one in lines])}")
        self._say(baseline, None, note)
        return str(found[0]["job"])

    def list(self) -> pl.DataFrame:
        """The current job of each baseline, the last one set first: baseline, version, job, git_commit, note, set_at.

        `status` is null where the job is not there any more.
        """
        return frames.to_polars(self.table())

    def history(self, baseline: str | None = None) -> pl.DataFrame:
        """All versions of a baseline, or of all, the newest first; without a job where it was taken away.

        Raises: NotFound.
        """
        return frames.to_polars(self.table(baseline, with_history=True))

    def table(self, baseline: str | None = None, *, with_history: bool = False) -> pa.Table:
        """The same as an Arrow table. Raises: NotFound."""
        found = queries.baselines(
            self._session(), workspace=self._workspace, baseline=baseline, with_history=with_history
        )
        if baseline is not None and not found.num_rows:
            known = queries.baselines(self._session(), workspace=self._workspace, with_history=True)
            raise NotFound(f"there is no baseline {baseline!r}; {near(baseline, known.column('baseline').to_pylist())}")
        return found.drop_columns(["job_now", "workspace"])

    def _say(self, baseline: str, job: dict[str, Any] | None, note: str | None) -> None:
        judgements.set_baseline(self._root, self._workspace, baseline, job, note)
        place_marker(self._root, Marker("meta", str(uuid.uuid4()), judgements.BASELINES))
        self._catalog.publish_if_possible()


def _check(baseline: str, note: str | None) -> None:
    names.check_name(baseline, "baseline")
    if baseline.startswith("last"):
        raise UsageError(f"a baseline cannot be named {baseline!r}: @last and last:5 mean the newest jobs")
    if not isinstance(note, str | None):
        raise UsageError(f"note is a text, not {type(note).__name__}")
