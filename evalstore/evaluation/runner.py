"""From one task to one row: the target, then the evaluators, each part durable when it has returned."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, UUID, uuid5

from evalstore.evaluation import recording
from evalstore.evaluation.reporting import Report, listening
from evalstore.evaluation.resuming import wanting
from evalstore.evaluation.schemas import Run
from evalstore.evaluation.target import as_outputs
from evalstore.feedback import declaration

if TYPE_CHECKING:
    from evalstore.evaluation.calling import Calling
    from evalstore.evaluation.data import Task
    from evalstore.evaluation.progress import Progress
    from evalstore.evaluation.rating import Rater
    from evalstore.evaluation.results import EvaluationResult
    from evalstore.evaluation.resuming import Earlier, Known
    from evalstore.evaluation.row_log import RowLog
    from evalstore.evaluation.target import Target
    from evalstore.recorder import Job
    from evalstore.row_parts import OpenRow

__all__ = ["Runner"]


@dataclass
class Runner:
    """Makes the rows of one experiment. `run_row` may be called from several threads, or tasks of an event loop."""

    job: Job
    rows: RowLog
    progress: Progress
    target: Target
    raters: list[Rater]
    suite: str
    metadata: dict[str, Any]
    repetitions: int = 1
    ignores_errors: bool = False
    earlier: Earlier | None = None
    ignored: int = 0
    _declared: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        of_job = f"{self.job.workspace}/{self.job.name}@{self.job.created_at}/{self.suite}"
        self._first_id = uuid5(NAMESPACE_URL, of_job).int

    async def run_row(self, task: Task, how: Calling) -> None:
        """Runs one task to its end and adds its row to those that can be read.

        Raises: OSError where nothing can be written; UsageError for an example that cannot be stored.
        """
        repetition, known = None, None
        if self.earlier is not None:
            repetition, known = self.earlier.claim(task, self.repetitions)
        elif self.repetitions > 1:
            repetition = task.occurrence * self.repetitions + task.repetition
        if known is None or known.failed:
            await self._run_anew(task, how, repetition)
        else:
            await self._go_on(task, how, known)

    def _new_id(self, task: Task, repetition: int | None) -> UUID:
        """The id of a run; in a resumed experiment that of no run which is there, whatever order the data come in."""
        if self.earlier is None:
            return self._id_at(task.row_index, task.repetition)
        return uuid5(UUID(int=self._first_id), f"{task.row_key}\n{repetition}")

    def _id_at(self, row_index: int, repetition: int) -> UUID:
        return UUID(int=(self._first_id + (row_index << 24) + repetition) % (1 << 128))

    def said_of_run(self, repetition: int) -> dict[str, Any]:
        """What a run carries of its experiment."""
        return {"metadata": {**self.metadata, "repetition": repetition}}

    def stored_row(self, line: dict[str, Any]) -> dict[str, Any]:
        """A row that is read back."""
        extra = self.said_of_run((line.get("repetition") or 0) % self.repetitions)
        return recording.row_of(line, run_id=self.stored_run_id(line), name=self.target.name, extra=extra)

    def stored_run_id(self, line: dict[str, Any]) -> UUID:
        """The id of the run of a row that is read back: what its scores point at, else that of its place."""
        for score in line["scores"]:
            if not score.get("error") and score.get("target_run_id"):
                try:
                    return UUID(score["target_run_id"])
                except ValueError:
                    continue
        return self._id_at(line.get("row_index") or 0, (line.get("repetition") or 0) % self.repetitions)

    async def _run_anew(self, task: Task, how: Calling, repetition: int | None) -> None:
        report = Report()
        run, error, latency = await self._call_target(task, how, report, self._new_id(task, repetition))
        if error is not None and self.ignores_errors:
            self.ignored += 1
            self.progress.row(failed=True)
            self._show(task, run, task.example, [], None)
            return
        line, refusal = recording.row_line(
            task,
            run,
            report,
            error,
            suite=self.suite,
            latency=latency,
            moments=(run.start_time, run.end_time),
            repetition=repetition,
        )
        if refusal is not error and refusal is not None:
            run.outputs, run.error = None, recording.failed_run_text(refusal)
        row = self.job.open_row(line, is_alone=not self.raters)
        results = await self._rate(self.raters, run, task.example, row, how)
        offset = self.job.close_row(row)
        self.progress.row(row.scores, failed=run.error is not None)
        self._show(task, run, task.example, results, offset)

    async def _go_on(self, task: Task, how: Calling, known: Known) -> None:
        """Runs those evaluators on the outputs that are there which have not scored them, or failed."""
        line = self.rows.line(known.offset)
        missing, kept = wanting(line, [rater.name for rater in self.raters])
        if not missing:
            self.progress.row(line["scores"], failed=False, is_new=False)
            self.rows.append(None, known.offset, (task.repetition, task.row_index))
            return
        run, _ = recording.run_of_line(
            line, run_id=self.stored_run_id(line), name=self.target.name, extra=self.said_of_run(task.repetition)
        )
        results = [result for score in kept if (result := recording.as_result(score, run.id)) is not None]
        row = self.job.open_row({**line, "scores": kept})
        todo = [rater for rater in self.raters if rater.name in missing]
        results += await self._rate(todo, run, task.example, row, how)
        offset = self.job.close_row(row)
        self.progress.row(row.scores, failed=False)
        self._show(task, run, task.example, results, offset)

    async def _call_target(
        self, task: Task, how: Calling, report: Report, run_id: UUID
    ) -> tuple[Run, Exception | None, float]:
        """The run, what the target raised, and the seconds that the last call of it took."""
        started_at, began = datetime.now(UTC), time.perf_counter()
        target = self.target

        def called(example: Any) -> Any:
            nonlocal started_at, began
            started_at, began = datetime.now(UTC), time.perf_counter()
            return target(example)

        outputs, error = None, None
        with listening(report):
            try:
                outputs = as_outputs(await how.call(called, task.example, is_async=target.is_async))
            except Exception as failure:  # noqa: BLE001  # whatever user code raises is stored
                error = recording.readable(failure)
        seconds = time.perf_counter() - began
        report.take_usage(outputs)
        run = Run.trusted(
            id=run_id,
            name=target.name,
            start_time=started_at,
            end_time=started_at + timedelta(seconds=seconds),
            inputs=task.example.inputs or {},
            outputs=outputs,
            error=None if error is None else recording.failed_run_text(error),
            reference_example_id=getattr(task.example, "id", None),
            extra=self.said_of_run(task.repetition),
        )
        return run, error, seconds

    async def _rate(
        self, todo: list[Rater], run: Run, example: Any, row: OpenRow, how: Calling
    ) -> list[EvaluationResult]:
        results: list[EvaluationResult] = []
        last = len(todo) - 1
        for number, rater in enumerate(todo):
            found = await rater.rate(run, example, row, how, is_last=number == last)
            for result in found:
                if result.feedback_config is not None:
                    self.declare(result)
            results += found
        return results

    def declare(self, result: EvaluationResult) -> None:
        """Makes a metric declaration of a FeedbackConfig, the first one for each key."""
        if result.feedback_config is not None and result.key not in self._declared:
            fields = declaration(result.feedback_config)
            if fields is not None:
                self._declared.add(result.key)
                self.job.declare(result.key, **fields)

    def _show(self, task: Task, run: Run, example: Any, results: list[EvaluationResult], offset: int | None) -> None:
        row = {"run": run, "example": example, "evaluation_results": {"results": results}}
        self.rows.append(row, offset, (task.repetition, task.row_index))
