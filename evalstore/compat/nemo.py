"""NeMo Evaluator's calls about results, answered by a store: only the construction of the client differs.

client = evalstore.compat.nemo.Client("evals")
client.evaluation.metric_job_results.list(filter={"metric": "my-workspace/my-metric"})
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from evalstore import nemo_form
from evalstore.store import Store

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping, Sequence

    from evalstore.aggregates import AggregateScores
    from evalstore.models import RowScore
    from evalstore.result_pages import Result, ResultPage
    from evalstore.rows import RowScores

__all__ = ["Client"]


class Client:
    """A client of the store in a folder, for results only."""

    def __init__(self, path: str | os.PathLike[str] | None = None, *, workspace: str = "default") -> None:
        """Raises: InvalidName for the workspace."""
        store = Store(path, workspace=workspace)
        self.evaluation = Evaluation(MetricJobResults(store), MetricJobs(Downloads.of(store)))


@dataclass(frozen=True)
class MetricJobResults:
    """The results of metric jobs."""

    store: Store

    def list(
        self,
        *,
        filter: Mapping[str, Any] | None = None,
        search: Mapping[str, Any] | None = None,
        sort: str = "-created_at",
        aggregate_fields: Sequence[str] | None = None,
        page: int = 1,
        page_size: int = 100,
        workspace: str | None = None,
    ) -> ResultPage:
        """One page of results; iterating it walks all pages. As `store.results.list()`."""
        return self.store.results.list(
            filter, search, sort=sort, aggregate_fields=aggregate_fields, page=page, page_size=page_size,
            workspace=workspace,
        )  # fmt: skip

    def retrieve(
        self, name: str, *, workspace: str | None = None, aggregate_fields: Sequence[str] | None = None
    ) -> Result:
        """The result of one job. Raises: JobNotFound."""
        return self.store.results.retrieve(_named(name, workspace), aggregate_fields)

    def delete(self, name: str, *, workspace: str | None = None) -> dict[str, str]:
        """Deletes a job with its result; `evalstore restore` brings it back. Raises: JobNotFound."""
        return {"message": "Resource deleted successfully", "id": self.store.results.delete(_named(name, workspace))}


@dataclass(frozen=True)
class AggregateScoresDownload:
    """The aggregate scores of a job."""

    store: Store

    def download(self, job: str, *, workspace: str | None = None) -> AggregateScores:
        """The aggregate scores: `.scores`, each with `.to_dict()`. Raises: JobNotFound."""
        return self.store.aggregate_scores(_named(job, workspace))


class Rows:
    """The rows of a job as the original tells them: true is 1.0, and a label is a score of its own, `quality.label`.

    Iterable any number of times; all else is that of `store.row_scores()`: `len()`, `.to_polars()`, `.wide()`, ...
    """

    def __init__(self, rows: RowScores) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[RowScore]:
        for row in self._rows:
            metrics = {metric: nemo_form.entries(scores) for metric, scores in row.metrics.items()}
            yield row.model_copy(update={"metrics": metrics, "metric_errors": nemo_form.metric_errors(row)})

    def __getattr__(self, name: str) -> Any:
        return getattr(self._rows, name)


@dataclass(frozen=True)
class RowScoresDownload:
    """The rows of a job with their scores."""

    store: Store

    def download(self, job: str, *, workspace: str | None = None, limit: int | None = None) -> Rows:
        """The rows, to walk any number of times; NaN is a number, not a text. Raises: JobNotFound."""
        return Rows(self.store.row_scores(_named(job, workspace), limit=limit))


@dataclass(frozen=True)
class Downloads:
    """What can be downloaded of a job."""

    aggregate_scores: AggregateScoresDownload
    row_scores: RowScoresDownload

    @classmethod
    def of(cls, store: Store) -> Downloads:
        """Those of a store."""
        return cls(AggregateScoresDownload(store), RowScoresDownload(store))


@dataclass(frozen=True)
class MetricJobs:
    """Metric jobs: `client.evaluation.metric_jobs.results`."""

    results: Downloads


@dataclass(frozen=True)
class Evaluation:
    """`client.evaluation`."""

    metric_job_results: MetricJobResults
    metric_jobs: MetricJobs


def _named(name: str, workspace: str | None) -> str:
    return name if workspace is None else f"{workspace}/{name}"
