"""What evaluate() gives back: the rows, while they come and afterwards, and the scores of the whole experiment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, TypedDict

from evalstore.errors import JobBusy, UsageError
from evalstore.evaluation.flat import flat_rows

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncIterator, Generator, Iterator, Mapping

    import pandas as pd
    import polars as pl

    from evalstore.aggregates import AggregateScores
    from evalstore.analysis.verdict import Verdict
    from evalstore.evaluation.experiment import Experiment
    from evalstore.evaluation.results import EvaluationResult, EvaluationResults
    from evalstore.evaluation.schemas import Example, Run

__all__ = ["AsyncExperimentResults", "ExperimentResultRow", "ExperimentResults"]


class ExperimentResultRow(TypedDict):
    """One row: the run of the target, the example that it ran on, and what the evaluators gave."""

    run: Run
    example: Example
    evaluation_results: EvaluationResults


class _Results:
    """What both kinds of results have. Rows stand in the order in which they were completed."""

    def __init__(self, experiment: Experiment) -> None:
        self._experiment = experiment

    @property
    def experiment_name(self) -> str:
        """The name of the experiment: that of the job in the store."""
        return self._experiment.job.name

    @property
    def job_id(self) -> str:
        """The id of the job in the store."""
        return self._experiment.job.job_id

    @property
    def summary(self) -> list[EvaluationResult]:
        """What the summary evaluators gave, their errors among it; of a run that goes on, so far."""
        return list(self._experiment.summary)

    @property
    def _summary_results(self) -> EvaluationResults:
        return {"results": self.summary}

    @property
    def aggregate_scores(self) -> AggregateScores:
        """The statistics of each metric, as `store.aggregate_scores(name)` gives them, of a run that has ended."""
        return self._experiment.aggregate_scores()

    def gate(
        self,
        *,
        baseline: str | None = None,
        policy: str | os.PathLike[str] | dict[str, Any] | None = None,
        min: Mapping[str, float] | None = None,
    ) -> Verdict:
        """Whether the experiment may ship, as `store.gate` says it; of a run that has ended. Raises: JobBusy."""
        job = self._experiment.job
        if self._experiment.status == "active":
            raise JobBusy(f"job {job.name!r} is still running: wait for its end before it is judged")
        return self._experiment.store.gate(f"{job.workspace}/{job.name}", baseline=baseline, policy=policy, min=min)

    def __len__(self) -> int:
        """The number of rows so far."""
        return len(self._experiment.rows)

    def to_polars(self) -> pl.DataFrame:
        """The rows so far, one a line: inputs.*, outputs.*, error, reference.*, feedback.*, execution_time (s), ids.

        A column whose values are of several kinds is text.
        """
        return flat_rows(self._so_far())

    def to_pandas(self, start: int | None = 0, end: int | None = None) -> pd.DataFrame:
        """The same rows, or some of them, as a pandas frame. Needs the extra `evalstore[pandas]`."""
        import pandas as pd

        from evalstore.evaluation.flat import flat_row

        rows = list(self._so_far())[slice(start, end)]
        return pd.DataFrame([flat_row(row) for row in rows])

    def _so_far(self) -> Iterator[ExperimentResultRow]:
        rows = self._experiment.rows
        for index in range(len(rows)):
            yield rows.row(index)

    def _repr_html_(self) -> str:
        return str(self.to_polars()._repr_html_())

    def __repr__(self) -> str:
        state = self._experiment.status
        return f"<{type(self).__name__} {self.experiment_name}: {len(self):,} rows, {state}>"


class ExperimentResults(_Results):
    """The rows of an experiment. Iterating waits for rows that are to come; any number of times, from the first row.

    At the end it raises what has stopped the run, if something did. The rows so far are in the store in any case.
    """

    def __iter__(self) -> Iterator[ExperimentResultRow]:
        index, rows = 0, self._experiment.rows
        with self._experiment.interruptible():
            while rows.wait_for(index):
                yield rows.row(index)
                index += 1

    def __getitem__(self, index: int) -> ExperimentResultRow:
        """The row at a place from 0 up; waits for one that is to come. A negative one counts from the end of all."""
        if isinstance(index, slice):
            raise UsageError("rows are asked for one by one: write list(results)[2:5], or results.to_polars()[2:5]")
        if index < 0:
            self.wait()
            index += len(self)
        with self._experiment.interruptible():
            if index < 0 or not self._experiment.rows.wait_for(index):
                raise IndexError(f"there are {len(self)} rows")
        row: ExperimentResultRow = self._experiment.rows.row(index)
        return row

    def wait(self) -> None:
        """Waits until the experiment is committed. Raises: what has stopped the run."""
        with self._experiment.interruptible():
            self._experiment.wait()

    @property
    def summary(self) -> list[EvaluationResult]:
        """What the summary evaluators gave, their errors among it; waits for the end of the run."""
        self.wait()
        return list(self._experiment.summary)

    @property
    def aggregate_scores(self) -> AggregateScores:
        """The statistics of each metric, as `store.aggregate_scores(name)` gives them; waits for the end of the run."""
        self.wait()
        return self._experiment.aggregate_scores()

    def gate(
        self,
        *,
        baseline: str | None = None,
        policy: str | os.PathLike[str] | dict[str, Any] | None = None,
        min: Mapping[str, float] | None = None,
    ) -> Verdict:
        """Whether the experiment may ship, as `store.gate` says it; waits for the end of the run."""
        self.wait()
        return super().gate(baseline=baseline, policy=policy, min=min)


class AsyncExperimentResults(_Results):
    """The rows of an experiment, for `async for`: any number of times, from the first row, by several at once.

    At the end it raises what has stopped the run, if something did. The rows so far are in the store in any case.
    """

    def __iter__(self) -> NoReturn:
        """Raises: TypeError. Without it a plain loop would take the rows so far for all of them."""
        raise TypeError("rows of aevaluate() come by `async for row in results`")

    async def __aiter__(self) -> AsyncIterator[ExperimentResultRow]:
        """The rows, those that are to come too."""
        index, rows = 0, self._experiment.rows
        while await rows.await_for(index):
            yield rows.row(index)
            index += 1

    def __getitem__(self, index: int) -> ExperimentResultRow:
        """The row at a place, of those that are there."""
        rows = self._experiment.rows
        place = index + len(rows) if index < 0 else index
        if not 0 <= place < len(rows):
            raise IndexError(f"there are {len(rows)} rows so far")
        row: ExperimentResultRow = rows.row(place)
        return row

    async def wait(self) -> None:
        """Waits until the experiment is committed. Raises: what has stopped the run."""
        await self._experiment.await_end()

    def __await__(self) -> Generator[Any, Any, AsyncExperimentResults]:
        async def whole() -> AsyncExperimentResults:
            await self.wait()
            return self

        return whole().__await__()
