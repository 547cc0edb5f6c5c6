"""The questions of a store: jobs, aggregates, rows, leaderboards, trends, SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, get_args

from evalstore import conditions, frames, json_text, names, queries, store_folder
from evalstore.aggregates import AggregateScores
from evalstore.errors import JobNotFound, UnknownField, UsageError, near
from evalstore.job_document import document_problem
from evalstore.job_folder import is_interrupted
from evalstore.rows import COLUMNS, RowScores
from evalstore.session import Session

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl
    import pyarrow as pa

    from evalstore.catalog import Catalog

__all__ = ["Asking"]


class Asking:
    """The part of a store that answers, and changes nothing."""

    root: Path
    workspace: str
    _catalog: Catalog

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
        columns: Sequence[str] | None = None,
    ) -> RowScores:
        """The rows of a job with their scores.

        Args:
            job: NAME, workspace/NAME, @last or @last~1.
            metric: only its scores; also what `order` goes by.
            suite: only its rows.
            where: conditions `FIELD OP VALUE`, all of which must hold: "is_correct = 0", "metadata.category = rates".
            order: "worst" or "best" first; rows in error come before them and are limited apart from them.
            limit: this many rows at most.
            columns: the parts of a row to give (item, sample, requests, latency, ...), beside its keys and scores; all
                by default. A part that was not asked for is not there: reading it is an AttributeError.

        Raises: JobNotFound, InvalidCondition, UnknownField.
        """
        return self._asking.consistently(
            lambda: self._row_scores(
                job, metric=metric, suite=suite, where=where, order=order, limit=limit, columns=columns
            )
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
        columns: Sequence[str] | None,
    ) -> RowScores:
        if columns is not None and (unknown := [one for one in columns if one not in COLUMNS]):
            raise UnknownField(f"a row has no part {unknown[0]!r}; {near(str(unknown[0]), COLUMNS, most=20)}")
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
            columns=list(COLUMNS if columns is None else columns),
        )
        scores = queries.row_scores(self._asking, job_id=line["job_id"], metric=metric, suite=suite)
        return RowScores(line["name"], rows, scores, columns)

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

    @property
    def _asking(self) -> Session:
        store_folder.require(self.root)
        return self._session

    @cached_property
    def _session(self) -> Session:
        return Session(self.root, self._catalog)

    def _job(self, text: str) -> pa.Table:
        """The line of the job that a text names."""
        return self._asking.consistently(lambda: self._found_job(text))

    def _found_job(self, text: str) -> pa.Table:
        address = names.parse_address(text, self.workspace)
        name = address.name
        if address.baseline is not None:
            return self._job_of_baseline(address.workspace, address.baseline)
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
            path = f"{address.workspace}/{name}"
            if (self.root / "jobs" / path).exists() and (problem := document_problem(self.root, path)):
                raise JobNotFound(f"job {name!r} is not shown: {problem}; `evalstore verify` says what to do")
            known = queries.known_names(self._asking, workspace=address.workspace, kind="job").column(0).to_pylist()
            raise JobNotFound(f"there is no job {name!r} in workspace {address.workspace!r}; {near(name, known)}")
        return line

    def _job_of_baseline(self, workspace: str, baseline: str) -> pa.Table:
        table = queries.baselines(self._asking, workspace=workspace, baseline=baseline, with_history=False)
        found = table.select(["job", "job_now"]).to_pylist()
        if not found:
            known = (
                queries.baselines(self._asking, workspace=workspace, with_history=False).column("baseline").to_pylist()
            )
            raise JobNotFound(
                f"there is no baseline {baseline!r} in workspace {workspace!r} (`evalstore baseline set "
                f"{baseline} JOB` makes it); {near(baseline, known)}"
            )
        if found[0]["job_now"] is None:
            raise JobNotFound(
                f"baseline {baseline!r} is job {found[0]['job']!r}, which was deleted or replaced: restore it, or set "
                "the baseline to another job"
            )
        return queries.job(self._asking, workspace=workspace, name=found[0]["job_now"])


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
