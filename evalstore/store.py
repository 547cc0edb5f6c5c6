"""Store: the one object a user meets. It only delegates."""

from __future__ import annotations

import os
import weakref
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from evalstore import (
    attempts,
    conditions,
    frames,
    job_context,
    json_text,
    names,
    queries,
    recorder,
    recovery,
    store_folder,
)
from evalstore.aggregates import AggregateScores
from evalstore.catalog import Catalog
from evalstore.errors import JobNotFound, UnknownField, UsageError, near
from evalstore.job_files import JobFiles
from evalstore.job_folder import is_interrupted
from evalstore.metrics import Metrics
from evalstore.rows import RowScores
from evalstore.session import Session
from evalstore.upkeep import Upkeep

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self, Unpack

    import polars as pl
    import pyarrow as pa

    from evalstore.bulk import Columns
    from evalstore.importers import ImportReport
    from evalstore.job_context import JobContext

__all__ = ["Store", "open"]


def open(path: str | os.PathLike[str] | None = None, *, workspace: str = names.DEFAULT_WORKSPACE) -> Store:
    """Opens the store in a folder: `$EVALSTORE`, else `./evals`, when none is named.

    Nothing is created before the first write; reading where there is no store raises StoreNotFound.
    """
    return Store(path, workspace=workspace)


_stores: weakref.WeakSet[Store] = weakref.WeakSet()


class Store(Upkeep):
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
        or other declarations.
        """
        if (name is None) == (prefix is None):
            raise UsageError(
                "a job has either a name or a prefix: store.job('gsm8k-175b') or store.job(prefix='nightly')"
            )
        if name is None:
            name = job_context.prefixed_name(names.check_name(str(prefix)))
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

        Raises: as `job()`, and UnknownField for a column that is not there. On any error no job is left behind.
        """
        from evalstore import bulk

        mapping = bulk.ColumnMapping(scores, item, sample, reference, metadata, suite, columns or {})
        frame = frames.as_polars(rows)
        job = self._open_job(name, metadata=job_metadata, overwrite=overwrite, **context)
        try:
            mapping.check()
            if frame is not None and bulk.is_simple(frame, mapping.resolved(frame.columns)):
                job.log_frame(*bulk.frame_rows(frame, mapping))
            else:
                for row in bulk.logged_rows(rows if frame is None else frame, mapping):
                    job.log(**row)
                job.finish()
        except BaseException:
            job.abandon()
            raise
        return self.aggregate_scores(name)

    def import_from(
        self,
        format: str,
        path: str | os.PathLike[str],
        *,
        progress: Callable[[int], None] | None = None,
        **options: Any,
    ) -> ImportReport:
        """Brings results of another tool into the store. Formats: `rows` (any file of records).

        For `rows`: job=NAME; item, reference, sample, scores, metadata: {name: dotted path}; row_key, cluster, latency,
        cost, prompt_tokens, completion_tokens, error, repetition: a dotted path; suite; skip_bad_rows; and what `job()`
        takes. `progress` is called with the number of rows so far.

        Raises: BrokenInput, which names file, line and field; then no job is left behind.
        """
        from evalstore import importers

        return importers.run(format, Path(path), self._open_job, progress=progress, **options)

    def finish(self, job: str) -> int:
        """Commits a job that was interrupted (SIGKILL, power loss) with all its rows, as `interrupted`; their number.

        Raises: JobNotFound, and JobBusy when its writer is alive.
        """
        store_folder.require(self.root)
        address = names.parse_address(job, self.workspace)
        return recovery.finish_interrupted(
            self.root, address.workspace, address.name or job, self._job_files, self._catalog
        )

    @cached_property
    def metrics(self) -> Metrics:
        """Declarations of metrics: `store.metrics.declare("quality", minimum=1, maximum=5)`."""
        return Metrics(self.root, self.workspace, self._catalog)

    # Asking

    def sql(
        self,
        query: str,
        params: Sequence[Any] | Mapping[str, Any] | None = None,
        /,
        *,
        allow_external: bool = False,
        **named: Any,
    ) -> pl.DataFrame:
        """The answer to one reading SQL statement over the views, as a frame.

        Parameters are bound: `$job` by name, `?` by a list. The query reaches no file outside the store and no Python
        variable, unless `allow_external` is True.

        Raises: QueryError where the SQL fails, UsageError where it does more than read or parameters do not fit.
        """
        parameters = dict(params) if isinstance(params, Mapping) else {str(i): v for i, v in enumerate(params or (), 1)}
        return frames.to_polars(self._asking.ask(query, {**parameters, **named}, allow_external=allow_external))

    def jobs(
        self,
        *,
        status: str | None = None,
        dataset: str | None = None,
        model: str | None = None,
        group: str | None = None,
        tag: str | None = None,
        limit: int | None = None,
        workspace: str | None = None,
    ) -> pl.DataFrame:
        """The jobs of the workspace, newest first; `workspace="-"` means all."""
        table = queries.jobs(
            self._asking,
            workspace=None if workspace == "-" else workspace or self.workspace,
            status=status,
            dataset=names.reference(dataset, "dataset"),
            model=names.reference(model, "model"),
            group=group,
            tag=tag,
            limit=limit,
        )
        return frames.to_polars(table)

    def has_job(self, name: str) -> bool:
        """Whether there is a finished job of this name: NAME, workspace/NAME, @last or @last~1."""
        if not store_folder.exists(self.root):
            return False
        try:
            self._job(name)
        except JobNotFound:
            return False
        return True

    def known(self, kind: queries.Kind) -> list[str]:
        """The names of jobs, datasets, models, groups, tags, suites or metrics in the workspace, newest first."""
        if kind not in get_args(queries.Kind):
            raise UsageError(f"kind is one of {', '.join(get_args(queries.Kind))}, not {kind!r}")
        return list(queries.known_names(self._asking, workspace=self.workspace, kind=kind).column(0).to_pylist())

    def show(self, job: str) -> dict[str, Any]:
        """Everything that is known of one job: its names, totals, suites, config, git state, error.

        Raises: JobNotFound, InvalidName.
        """
        [line] = self._job(job).to_pylist()
        documents = {field: json_text.loads(line[field]) for field in ("config", "metadata") if line[field] is not None}
        return {**line, **documents, "labels": dict(line["labels"] or {})}

    def leaderboard(
        self,
        metric: str | None = None,
        *,
        name: str | None = None,
        suite: str | None = None,
        dataset: str | None = None,
        errors: queries.Errors = "exclude",
    ) -> pl.DataFrame:
        """Which model is best: the latest completed job per model and dataset, ranked by the mean over the same rows.

        `errors`: "exclude" leaves rows in error out of the mean, "zero" counts them as 0, "worst" as the worst value of
        the metric. Every mean stands beside rows_scored, rows_unscored, rows_error and rows_total.
        """
        table = queries.leaderboard(
            self._asking,
            workspace=self.workspace,
            metric=metric,
            name=name,
            suite=suite,
            dataset=names.reference(dataset, "dataset"),
            errors=_policy(errors),
        )
        return frames.to_polars(table)

    def aggregate_scores(
        self,
        job: str,
        *,
        by: str | None = None,
        metric: str | None = None,
        suite: str | None = None,
        errors: queries.Errors = "exclude",
    ) -> AggregateScores:
        """The aggregate scores of a job, or of each slice of its rows.

        `by` names what to slice by: a row field (`cluster`, `tags`, ...) or a path in a document (`metadata.category`).

        Raises: JobNotFound, UnknownField.
        """
        return self._asking.consistently(lambda: self._aggregate_scores(job, by, metric, suite, errors))

    def _aggregate_scores(
        self, job: str, by: str | None, metric: str | None, suite: str | None, errors: queries.Errors
    ) -> AggregateScores:
        [line] = self._job(job).to_pylist()
        if by is None and _policy(errors) == "exclude":
            return AggregateScores(
                queries.aggregate_scores(self._asking, job_id=line["job_id"], metric=metric, suite=suite)
            )
        source, path = _slice(by)
        table = queries.sliced_scores(
            self._asking,
            job_id=line["job_id"],
            slice_source=source,
            slice_path=path,
            errors=errors,
            metric=metric,
            suite=suite,
        )
        return AggregateScores(table)

    def row_scores(
        self,
        job: str,
        *,
        metric: str | None = None,
        suite: str | None = None,
        where: str | list[str] | None = None,
        order: queries.Order | None = None,
        limit: int | None = None,
    ) -> RowScores:
        """The rows of a job with their scores.

        Args:
            job: NAME, workspace/NAME, @last or @last~1.
            metric: only its scores; also what `order` goes by.
            suite: only its rows.
            where: conditions `FIELD OP VALUE`, all of which must hold: "is_correct = 0", "metadata.category = rates".
            order: "worst" or "best" first; rows in error come before them and are limited apart from them.
            limit: this many rows at most.

        Raises: JobNotFound, InvalidCondition, UnknownField.
        """
        return self._asking.consistently(
            lambda: self._row_scores(job, metric=metric, suite=suite, where=where, order=order, limit=limit)
        )

    def _row_scores(
        self,
        job: str,
        *,
        metric: str | None,
        suite: str | None,
        where: str | list[str] | None,
        order: queries.Order | None,
        limit: int | None,
    ) -> RowScores:
        [line] = self._job(job).to_pylist()
        metrics = {score["metric"] for one in line["suites"] or () for score in one["metrics"]}
        if metric is not None and metric not in metrics:
            raise UnknownField(f"job {line['name']!r} has no metric {metric!r}; {near(metric, metrics)}")
        rows = queries.select_rows(
            self._asking,
            job_id=line["job_id"],
            conditions=conditions.conditions(where, metrics),
            order=order,
            metric=metric,
            suite=suite,
            limit=limit,
        )
        scores = queries.row_scores(self._asking, job_id=line["job_id"], metric=metric, suite=suite)
        return RowScores(line["name"], rows, scores)

    def trend(
        self,
        metric: str | None = None,
        *,
        name: str | None = None,
        suite: str | None = None,
        dataset: str | None = None,
        model: str | None = None,
    ) -> pl.DataFrame:
        """How a metric, or without one the overall score of suites, went from job to job: one line per point.

        Series (workspace, dataset, model, group) are never mixed: `previous`, `delta`, `moving_mean` and
        `moving_std_dev` (over the last five points) stay within one.
        """
        if metric is None and name is not None:
            raise UsageError("trend: `name` narrows a metric; give the metric too")
        dataset, model = names.reference(dataset, "dataset"), names.reference(model, "model")
        if metric is None:
            table = queries.suite_trend(
                self._asking, workspace=self.workspace, suite=suite, dataset=dataset, model=model
            )
        else:
            table = queries.metric_trend(
                self._asking,
                workspace=self.workspace,
                metric=metric,
                name=name,
                suite=suite,
                dataset=dataset,
                model=model,
            )
        return frames.to_polars(table)

    def score_files(self, jobs: list[str] | None = None) -> list[str]:
        """The paths of the score files of some jobs, or of all, for `pl.scan_parquet`."""

        def ask() -> pa.Table:
            job_ids = None if jobs is None else [self._job(job).to_pylist()[0]["job_id"] for job in jobs]
            return queries.score_files(self._asking, job_ids=job_ids)

        [listed] = self._asking.consistently(ask).to_pylist()
        return [str(self.root / path) for path in listed["score_files"] or ()]

    # Inside

    def _start_over(self) -> None:
        """In a forked child: what the parent works with is left to it."""
        self.__dict__.pop("_session", None)
        self.__dict__.pop("_job_files", None)
        self.__dict__.pop("metrics", None)
        self._catalog = Catalog(self.root, opened_as=self._opened_as)

    @property
    def _asking(self) -> Session:
        store_folder.require(self.root)
        return self._session

    @cached_property
    def _session(self) -> Session:
        return Session(self.root, self._catalog)

    @cached_property
    def _job_files(self) -> JobFiles:
        return JobFiles(self.root)

    def _open_job(
        self,
        name: str,
        *,
        source: dict[str, Any] | None = None,
        metadata: Any = None,
        resume: bool = False,
        overwrite: bool = False,
        **context: Unpack[JobContext],
    ) -> recorder.Job:
        if resume and overwrite:
            raise UsageError("resume=True keeps the old rows and overwrite=True drops them: choose one")
        head = job_context.job_head(name, workspace=self.workspace, source=source, metadata=metadata, **context)
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
        staged = attempts.open_attempt(self.root, head, self._catalog, overwrite=overwrite)
        return recorder.Job(staged, lambda: self._job_files, self._catalog)

    def _job(self, text: str) -> pa.Table:
        """The line of the job that a text names."""
        return self._asking.consistently(lambda: self._found_job(text))

    def _found_job(self, text: str) -> pa.Table:
        address = names.parse_address(text, self.workspace)
        name = address.name
        if name is None:
            found = queries.last_job(self._asking, workspace=address.workspace, last=address.last or 0).to_pylist()
            if not found:
                raise JobNotFound(f"{text}: there are not that many completed jobs in workspace {address.workspace!r}")
            name = found[0]["name"]
        line = queries.job(self._asking, workspace=address.workspace, name=name)
        if line.num_rows == 0:
            if is_interrupted(self.root, address.workspace, name):
                raise JobNotFound(
                    f"job {name!r} was interrupted; its rows are safe: `evalstore finish {name}` stores them"
                )
            known = queries.known_names(self._asking, workspace=address.workspace, kind="job").column(0).to_pylist()
            raise JobNotFound(f"there is no job {name!r} in workspace {address.workspace!r}; {near(name, known)}")
        return line


def _start_over_in_child() -> None:
    for store in list(_stores):
        store._start_over()  # noqa: SLF001


os.register_at_fork(after_in_child=_start_over_in_child)


def _real(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, ValueError):  # no such path can be; whoever writes there will say so
        return path


def _policy(errors: queries.Errors) -> queries.Errors:
    if errors not in get_args(queries.Errors):
        raise UsageError(f"errors is one of {', '.join(get_args(queries.Errors))}, not {errors!r}")
    return errors


def _slice(by: str | None) -> tuple[str | None, str | None]:
    if by is None:
        return None, None
    source = conditions.row_source(by)
    if source is None:
        valid = [*conditions.ROW_FIELDS, "metadata.<path>", "item.<path>", "sample.<path>", "reference.<path>"]
        raise UnknownField(f"rows cannot be sliced by {by!r}; {near(by, valid, most=20)}")
    return source
