"""Store: the one object a user meets. It only delegates.

What writes is imported when something is written: questions, and gates in particular, need not wait for it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
import weakref
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalstore import frames, names, queries, store_folder
from evalstore.analysis.judging import Judging
from evalstore.catalog import Catalog
from evalstore.errors import JobExists, JobNotFound, UsageError
from evalstore.job_files import JobFiles
from evalstore.session import SessionWithTrash
from evalstore.staging import is_interrupted
from evalstore.upkeep import Upkeep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Self, Unpack

    from evalstore import recorder
    from evalstore.aggregates import AggregateScores
    from evalstore.bulk import Columns
    from evalstore.datasets import Datasets
    from evalstore.exporters import Exported
    from evalstore.importers import ImportReport
    from evalstore.importers.target import Target
    from evalstore.job_batch import JobBatches
    from evalstore.job_context import JobContext
    from evalstore.metrics import Metrics
    from evalstore.results import Results
    from evalstore.session import Session
    from evalstore.watching import JobProgress, Watcher

__all__ = ["Store", "open"]


def open(path: str | os.PathLike[str] | None = None, *, workspace: str = names.DEFAULT_WORKSPACE) -> Store:
    """Opens the store in a folder: `$EVALSTORE`, else `./evals`, when none is named.

    Nothing is created before the first write; reading where there is no store raises StoreNotFound.
    """
    return Store(path, workspace=workspace)


_stores: weakref.WeakSet[Store] = weakref.WeakSet()


class Store(Judging, Upkeep):
    """A folder of evaluation jobs, as something to write jobs into and to ask questions of. Also a context manager."""

    def __init__(self, path: str | os.PathLike[str] | None = None, *, workspace: str = names.DEFAULT_WORKSPACE) -> None:
        """Raises: InvalidName for the workspace."""
        opened_as = Path(path if path is not None else os.environ.get("EVALSTORE") or "evals").absolute()
        self.root = _real(opened_as)
        self.workspace = names.check_name(workspace, "workspace")
        self._opened_as = opened_as
        self._catalog = Catalog(self.root, opened_as=opened_as)
        _stores.add(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"evalstore.open({str(self.root)!r}, workspace={self.workspace!r})"

    def close(self) -> None:
        """Lets go of the memory that questions use. The store can be used again."""
        if "_session" in self.__dict__:
            self._session.close()
            del self._session

    # Writing

    def job(
        self,
        name: str | None = None,
        *,
        prefix: str | None = None,
        metadata: Any = None,
        resume: bool = False,
        overwrite: bool = False,
        **context: Unpack[JobContext],
    ) -> recorder.Job:
        """Opens a job to log rows into; its name is claimed before this returns. Use it in a `with` block.

        Give a `name`, or a `prefix` to which the time and four hex digits are appended. Git commit, branch and dirty
        flag are taken from the current folder.

        `resume=True` goes on with the job of this name, if there is one, be it interrupted or finished: it starts with
        the old rows (ask `job.has(row_key)`), a row in error may be logged again, and what was said about the job is
        kept. `overwrite=True` starts anew; an interrupted job of this name is finished first, with all its rows.
        Either way the old job stays as it is until the new one is committed, takes its place in one step, and sends it
        into the trash.

        Raises: InvalidName, JobExists, JobBusy; UsageError, also when a resumed job had another model, dataset, config
        or other declarations, or was imported with more than its rows (counts, costs, times).
        """
        if (name is None) == (prefix is None):
            raise UsageError(
                "a job has either a name or a prefix: store.job('gsm8k-175b') or store.job(prefix='nightly')"
            )
        if name is None:
            from evalstore.job_context import prefixed_name

            name = prefixed_name(names.check_name(str(prefix)))
        return self._open_job(name, metadata=metadata, resume=resume, overwrite=overwrite, **context)

    def record(
        self,
        name: str,
        rows: Any,
        *,
        scores: Columns,
        item: Columns | None = None,
        sample: Columns = (),
        reference: Columns = (),
        metadata: Columns = (),
        suite: str = "default",
        columns: Mapping[str, str] | None = None,
        job_metadata: Any = None,
        overwrite: bool = False,
        **context: Unpack[JobContext],
    ) -> AggregateScores:
        """Records a whole job at once from a Polars, Arrow or pandas frame, or a list of dicts.

        Args:
            name: of the job.
            rows: one line per row.
            scores: the columns that hold scores; a dict names them otherwise: {"accuracy": "is_correct"}.
            item: the columns that make up the item; by default all that nothing else uses.
            sample: those of the sample.
            reference: those of the reference.
            metadata: those of the metadata.
            suite: the suite of all rows.
            job_metadata: any JSON about the job.
            overwrite: replace the job of this name, if there is one; it goes into the trash.
            columns: other fields of a row by column: {"row_key": "id", "latency": "seconds", "cost": "usd", ...}.
            context: as for `job()`.

        The same content once more under the same name is no error, and changes nothing.

        Raises: as `job()`, and UnknownField for a column that is not there. On any error no job is left behind.
        """
        from evalstore import bulk

        mapping = bulk.ColumnMapping(scores, item, sample, reference, metadata, suite, columns or {})
        frame = frames.as_polars(rows)

        def write(open_job: Callable[..., recorder.Job]) -> None:
            job = open_job(name, metadata=job_metadata, overwrite=overwrite, **context)
            bulk.write(job, rows if frame is None else frame, mapping)

        try:
            write(self._open_job)
        except JobExists:
            if not self._is_repeat(name, write):
                raise
        return self.aggregate_scores(name)

    def import_from(
        self,
        format: str,
        source: Any,
        *,
        progress: Callable[[int], None] | None = None,
        **options: Any,
    ) -> ImportReport:
        """Brings results of another tool into the store: the path of a file, or what the tool returned.

        Formats: `rows` (any file of records), `nemo`, `langsmith` (what its own evaluate() or aevaluate() returned),
        `trainloop`, or `archive` (what `archive()` wrote: its jobs come back under their names, and what is here
        already stays).

        For `langsmith`: job=NAME, without which it is that of the experiment; suite; and what `job()` takes.
        For `rows`: job=NAME; item, reference, sample, scores, metadata: {name: dotted path}; row_key, cluster, latency,
        cost, prompt_tokens, completion_tokens, error, repetition: a dotted path; suite; skip_bad_rows; and what `job()`
        takes. For `nemo` the path is a folder of row-scores and aggregate-scores files, or one of those, or a list of
        such paths; job=NAME where it is one job; and what `job()` takes. For `trainloop` it is what TrainLoop wrote,
        or documents: a project, its data folder or a part of it; timezone; prefix or job=NAME; skip_bad_rows;
        overwrite; and what `job()` takes. `progress` is called with the number of rows so far.

        What is there already, with the same content, stays as it is. `overwrite=True` replaces jobs of other content,
        or of which something else is said now (tags, model, ...); of `langsmith`, which is no file, in any case.

        Raises: BrokenInput, which names file, line and field; then no job is left behind.
        """
        from evalstore import importers

        if format == "archive":
            return self._import_archive(Path(source), progress, **options)
        return importers.run(format, source, self._as_target(), progress=progress, **options)

    def export(self, jobs: Sequence[str], format: str, *, to: str | os.PathLike[str]) -> Exported:
        """Writes jobs into a folder in the form of another tool; the files written, and `.flags`.

        Formats: `nemo` writes JOB.row-scores.jsonl and JOB.aggregate-scores.json. `trainloop` writes the JSON files
        that TrainLoop's documentation describes: one per evaluation, one per group of benchmark jobs, and
        evaluation_summary.json over the evaluations.

        Raises: JobNotFound, UsageError for an unknown format or two jobs of one name: nothing is written; OSError.
        """
        from evalstore import exporters

        if isinstance(jobs, str):
            raise UsageError(f"jobs is a list of names: write [{jobs!r}]")
        exporting = exporters.Exporting(
            self.show, self.row_scores, self.aggregate_scores, self._row_details, self._summary_of, self._comparison_of
        )
        return exporters.run(format, list(jobs), exporting, Path(to))

    def finish(self, job: str) -> int:
        """Commits a job that was interrupted (SIGKILL, power loss) with all its rows, as `interrupted`; their number.

        Raises: JobNotFound, and JobBusy when its writer is alive.
        """
        from evalstore import recovery

        store_folder.require(self.root)
        address = names.parse_address(job, self.workspace)
        return recovery.finish_interrupted(
            self.root, address.workspace, address.name or job, self._job_files, self._catalog
        )

    def watch(self, job: str, *, every: float = 1.0) -> Iterator[JobProgress]:
        """How far a job is, looked at every so many seconds until it has ended; also one of another process.

        The last one tells how it ended. A job that has ended already gives one.

        Raises: JobNotFound.
        """
        from evalstore.watching import Watcher

        store_folder.require(self.root)
        address = names.parse_address(job, self.workspace)
        return self._looks(job, Watcher(self.root, address.workspace, address.name or ""), every)

    def _looks(self, job: str, watcher: Watcher, every: float) -> Iterator[JobProgress]:
        from evalstore.watching import JobProgress

        while (now := watcher.look()) is not None:
            yield now
            if now.status != "active":
                return
            time.sleep(every)
        shown = self.show(job)
        scores = self.aggregate_scores(job).scores
        keys = [one.metric if one.name == one.metric else f"{one.metric}/{one.name}" for one in scores]
        yield JobProgress(
            shown["name"],
            shown["status"],
            shown["rows_total"],
            shown["rows_total"],
            queries.failed_rows(self._asking, job_id=shown["job_id"]).column(0)[0].as_py(),
            {key: one.mean for key, one in zip(keys, scores, strict=True)},
            {key: one.rows_error for key, one in zip(keys, scores, strict=True) if one.rows_error},
            shown["duration"],
            None,
            None,
        )

    @cached_property
    def metrics(self) -> Metrics:
        """Declarations of metrics: `store.metrics.declare("quality", minimum=1, maximum=5)`."""
        from evalstore.metrics import Metrics

        return Metrics(self.root, self.workspace, self._catalog)

    @cached_property
    def results(self) -> Results:
        """The results of completed jobs: `store.results.list(filter={"model": "openai/175b"}, sort="-cost")`."""
        from evalstore.results import Jobs, Results

        jobs = Jobs(self._job, self.delete, self.restore)
        return Results(workspace=self.workspace, session=self._result_session, jobs=jobs)

    @cached_property
    def datasets(self) -> Datasets:
        """Datasets kept in the store: `store.datasets.add("capitals", rows)`."""
        from evalstore.datasets import Datasets

        return Datasets(self.root, self.workspace)

    # Inside

    def _result_session(self, include_deleted: bool) -> Session:  # noqa: FBT001
        return SessionWithTrash(self.root, self._catalog) if include_deleted else self._asking

    def _start_over(self) -> None:
        """In a forked child: what the parent works with is left to it."""
        self.__dict__.pop("_session", None)
        self.__dict__.pop("_job_files", None)
        self.__dict__.pop("metrics", None)
        self.__dict__.pop("results", None)
        self._catalog = Catalog(self.root, opened_as=self._opened_as)

    @cached_property
    def _job_files(self) -> JobFiles:
        return JobFiles(self.root)

    def _as_target(self) -> Target:
        from evalstore.importers.target import Target

        return Target(
            open_job=self._open_job,
            open_batches=self._open_batches,
            is_repeat=self._is_repeat,
            says_same=self._says_same,
            imported=self._imported,
        )

    def _open_batches(self) -> JobBatches:
        from evalstore.job_batch import JobBatches

        return JobBatches(self.root, lambda: self._job_files, self._catalog)

    def _imported(self) -> dict[str, list[str]]:
        """The jobs that were imported, by the content hash of what they were imported from."""
        if not store_folder.exists(self.root):
            return {}
        lines = queries.imported_jobs(self._asking, workspace=self.workspace).to_pylist()
        return {line["content_hash"]: line["names"] for line in lines}

    def _is_repeat(self, name: str, write: Callable[[Callable[..., recorder.Job]], object]) -> bool:
        """Whether what is to be written is what the job of this name is. It is written elsewhere to find out."""
        from evalstore.repeats import is_same_job

        if not (self.root / "jobs" / self.workspace / name).exists():
            return False
        with (
            tempfile.TemporaryDirectory(prefix="evalstore-") as folder,
            Store(folder, workspace=self.workspace) as other,
        ):
            if (declared := self.root / "meta" / "metrics.jsonl").exists():
                (other.root / "meta").mkdir()
                shutil.copy(declared, other.root / "meta")
            write(other._open_job)
            return is_same_job(self.root, other.root, f"{self.workspace}/{name}")

    def _says_same(self, name: str, *, source: Any = None, metadata: Any = None, **context: Unpack[JobContext]) -> bool:
        """Whether this would be said of the job of this name, if it were opened anew."""
        from evalstore import attempts, job_context
        from evalstore.repeats import says_same

        head = job_context.job_head(name, workspace=self.workspace, source=source, metadata=metadata, **context)
        head["metrics"] = attempts.declared(self.metrics.in_force(), head["metrics"])
        return says_same(self.root, head)

    def _import_archive(self, path: Path, progress: Callable[[int], None] | None) -> ImportReport:
        from evalstore.importers.report import ImportReport, unchanged
        from evalstore.unpacking import unpack_archive

        found = unpack_archive(self.root, path, progress=progress)
        if found.jobs:
            self._catalog.publish_if_possible()
        jobs = [path.removeprefix(f"{self.workspace}/") for path in (*found.jobs, *found.unchanged)]
        flags = [unchanged(job) for job in jobs[len(found.jobs) :]]
        return ImportReport("archive", [str(path)], jobs, found.rows, flags=flags)

    def _open_job(
        self,
        name: str,
        *,
        source: dict[str, Any] | None = None,
        told: dict[str, Any] | None = None,
        metadata: Any = None,
        resume: bool = False,
        overwrite: bool = False,
        batches: JobBatches | None = None,
        **context: Unpack[JobContext],
    ) -> recorder.Job:
        from evalstore import attempts, job_context, recorder

        if resume and overwrite:
            raise UsageError("resume=True keeps the old rows and overwrite=True drops them: choose one")
        head = job_context.job_head(name, workspace=self.workspace, source=source, metadata=metadata, **context)
        if told:
            head["told"] = told
        store_folder.create(self.root)
        general = self.metrics.in_force()
        if resume:
            head["kind"] = context.get("kind")  # what was not said stays as it was
            staged, rows = attempts.resume_attempt(self.root, head, self._catalog, general=general)
            return recorder.Job(staged, lambda: self._job_files, self._catalog, rows=rows)
        head["metrics"] = attempts.declared(general, head["metrics"])
        if overwrite and is_interrupted(self.root, self.workspace, name):
            with suppress(JobNotFound):  # somebody else was faster
                self.finish(f"{self.workspace}/{name}")
        if batches is not None:
            return batches.open(head, overwrite=overwrite)
        staged = attempts.open_attempt(self.root, head, self._catalog, overwrite=overwrite)
        return recorder.Job(staged, lambda: self._job_files, self._catalog)


def _start_over_in_child() -> None:
    for store in list(_stores):
        store._start_over()  # noqa: SLF001


os.register_at_fork(after_in_child=_start_over_in_child)


def _real(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, ValueError):  # no such path can be; whoever writes there will say so
        return path
