"""The questions of a store: jobs, aggregates, rows, leaderboards, trends, SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, get_args

from evalstore import conditions, frames, json_text, names, queries, row_questions, store_folder, trends
from evalstore.arrow_lines import as_dicts
from evalstore.benchmarks import MAX_ERROR_RATE, Benchmark, benchmark, comparison
from evalstore.errors import JobNotFound, NotComparable, RowsDropped, UnknownField, UsageError, near
from evalstore.evaluation_summary import EvaluationSummary
from evalstore.job_document import document_problem
from evalstore.session import Session
from evalstore.staging import is_interrupted, is_running

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl
    import pyarrow as pa

    from evalstore.aggregates import AggregateScores
    from evalstore.catalog import Catalog
    from evalstore.rows import RowScores

__all__ = ["Asking"]

_BASELINES: dict[str, queries.Baseline] = {
    "previous": "previous", "first_in_window": "first_in_window", "window_mean": "window_mean",
}  # fmt: skip
"""What a score change can be counted from, beside a job."""


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
        [line] = as_dicts(self._job(job))
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
        any_status: bool = False,
    ) -> pl.DataFrame:
        """Which model is best: the latest completed job per model and dataset, ranked by the mean over the same rows.

        `errors`: "exclude" leaves rows in error out of the mean, "zero" counts them as 0, "worst" as the worst value of
        the metric. Every mean stands beside rows_scored, rows_unscored, rows_error and rows_total.
        `any_status`: the latest job of a model counts, also one that did not complete; `status` tells.
        """
        policy, dataset = _policy(errors), names.reference(dataset, "dataset")
        ask = queries.leaderboard if policy == "exclude" else partial(queries.leaderboard_by, errors=policy)
        return frames.to_polars(
            ask(
                self._asking,
                workspace=self.workspace,
                metric=metric,
                name=name,
                suite=suite,
                dataset=dataset,
                any_status=any_status,
            )
        )

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

        Raises: JobNotFound, UnknownField; UsageError for slices and other `errors` where only counts were told.
        """
        return self._asking.consistently(lambda: self._aggregate_scores(job, by, metric, suite, errors))

    def _aggregate_scores(
        self, job: str, by: str | None, metric: str | None, suite: str | None, errors: queries.Errors
    ) -> AggregateScores:
        from evalstore.aggregates import AggregateScores

        [line] = as_dicts(self._job(job))
        if metric is not None or suite is not None:
            every = queries.aggregate_scores(self._asking, job_id=line["job_id"]).select(["suite", "metric"])
            row_questions.check_names(line, metric, suite, [(one["suite"], one["metric"]) for one in every.to_pylist()])
        stored = queries.aggregate_scores(self._asking, job_id=line["job_id"], metric=metric, suite=suite)
        policy = _policy(errors)
        if by is None and policy == "exclude":
            return AggregateScores(stored)
        _check_has_rows(line)
        source, path = _slice(by)
        row_questions.check_not_told(line["name"], stored.select(["metric", "is_told"]).to_pylist(), by, policy)
        table = queries.sliced_scores(
            self._asking,
            job_id=line["job_id"],
            slice_source=source,
            slice_path=path,
            errors=policy,
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

        Raises: JobNotFound, InvalidCondition, UnknownField, UsageError.
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
        from evalstore.rows import RowScores

        wanted, limit = row_questions.checked_columns(columns), row_questions.checked_limit(limit)
        row_questions.check_order(order)
        [line] = as_dicts(self._job(job))
        _check_has_rows(line)
        metrics = row_questions.check_names(line, metric, suite)
        rows = queries.select_rows(
            self._asking,
            job_id=line["job_id"],
            conditions=conditions.conditions(where, metrics),
            order=order,
            metric=metric,
            suite=suite,
            limit=limit,
            columns=wanted,
        )
        scores = queries.row_scores(self._asking, job_id=line["job_id"], metric=metric, suite=suite)
        return RowScores(line["name"], rows, scores, None if columns is None else wanted)

    def trend(
        self,
        metric: str | None = None,
        *,
        name: str | None = None,
        suite: str | None = None,
        dataset: str | None = None,
        model: str | None = None,
        group: str | None = None,
        x: trends.Axis = "time",
        window: str | int = "7d",
        errors: queries.Errors = "exclude",
        any_status: bool = False,
    ) -> pl.DataFrame:
        """How a metric, or without one the overall score of suites, went from job to job: one line per point.

        Args:
            metric: whose mean; without it the overall score of suites.
            name: only this name of the metric.
            suite: only this suite.
            dataset: only jobs on it.
            model: only its jobs.
            group: only jobs of this group.
            x: "time" makes each job a point, at its time; "day" the last complete one of each UTC day; "run" each job,
                by its number in the series. Days without a job are absent.
            window: what `moving_mean`, `moving_std_dev` (of a sample) and `moving_count` are made of: this many points,
                or those of the last UTC days ("7d", "2w"), the point itself among them.
            errors: rows in error are left out of the mean ("exclude"), or count as 0 ("zero") or as the worst value of
                the metric ("worst"). For a job whose rows were dropped the latter cannot be known: its value is null.
            any_status: jobs that did not complete are points too; `status` tells them.

        Series (workspace, dataset, model, group, suite) are never mixed: `previous`, `delta` and the window stay within
        one. `low` and `high` are a 95 % interval; `rows_changed` says that the rows are others than before.

        Raises: UsageError, InvalidName.
        """
        return trends.trend(
            self._asking,
            workspace=self.workspace,
            metric=names.text(metric, "metric"),
            name=names.text(name, "name"),
            suite=names.text(suite, "suite"),
            dataset=names.reference(dataset, "dataset"),
            model=names.reference(model, "model"),
            group=names.text(group, "group"),
            x=x,
            window=window,
            errors=_policy(errors),
            any_status=any_status,
        )

    def benchmark(self, group: str, *, dataset: str | None = None, max_error_rate: float = MAX_ERROR_RATE) -> Benchmark:
        """The models of a group of jobs beside each other: what they scored and cost, and which is best.

        Each model stands with its latest completed job. `best_overall` has the highest overall score; `best_value` the
        least cost per passed evaluation, among models of known cost that passed any; both among those that answered the
        same rows, and no more of them in error than `max_error_rate`. `cost_savings` is
        1 - cost(best_value) / cost(best_overall); None where a cost is not known, or the latter is zero.

        Raises: UsageError; UnknownField for a group that is not there; NotComparable when no job of it has completed.
        """
        if not isinstance(group, str):
            raise UsageError(f"group is text, not {group!r}")
        return self._asking.consistently(
            lambda: benchmark(
                self._asking,
                group,
                workspace=self.workspace,
                dataset=names.reference(dataset, "dataset"),
                max_error_rate=max_error_rate,
            )
        )

    def summary(
        self,
        *,
        dataset: str | None = None,
        model: str | None = None,
        group: str | None = None,
        baseline: str = "previous",
        epsilon: float = 0.01,
        days: int = 7,
    ) -> EvaluationSummary:
        """The latest completed evaluation, how its score changed, and the scores of the days up to it.

        The score of a day is that of its last run (UTC), a day without a run is absent. Only runs of the series of the
        latest one (dataset, model, group) are compared.

        Args:
            dataset: only evaluations on it; so with `model` and `group`.
            model: that was evaluated.
            group: of jobs.
            baseline: what the score change is counted from: "previous" (the run before), "first_in_window" (the first
                day of the window), "window_mean" (the mean over its days; both leave the latest run out), or a job.
            epsilon: a change of more than this is improving or declining, else stable; without a baseline the trend is
                insufficient_data.
            days: of the window, which ends on the day of the latest run.

        Raises: NotComparable where there is no completed evaluation; JobNotFound, UsageError.
        """
        if days < 1 or not epsilon >= 0:
            raise UsageError("summary: days is 1 or more, epsilon 0 or more")
        counted_from, pinned = _BASELINES.get(baseline, "job"), None
        if counted_from == "job":
            [pinned] = self._job(baseline).column("job_id").to_pylist()
        table = queries.evaluation_summary(
            self._asking,
            workspace=self.workspace,
            dataset=names.reference(dataset, "dataset"),
            model=names.reference(model, "model"),
            group=group,
            baseline=counted_from,
            baseline_job_id=pinned,
            epsilon=epsilon,
            days=days,
        )
        if not table.num_rows:
            raise NotComparable("there is no completed evaluation to sum up; `evalstore jobs` shows what there is")
        return EvaluationSummary(table)

    def score_files(self, jobs: list[str] | None = None) -> list[str]:
        """The paths of the score files of some jobs, or of all, for `pl.scan_parquet`."""

        def ask() -> pa.Table:
            job_ids = None if jobs is None else [as_dicts(self._job(job))[0]["job_id"] for job in jobs]
            return queries.score_files(self._asking, job_ids=job_ids)

        [listed] = self._asking.consistently(ask).to_pylist()
        return [str(self.root / path) for path in listed["score_files"] or ()]

    def _row_details(self, job_id: str) -> pa.Table:
        return self._asking.consistently(lambda: queries.row_details(self._asking, job_id=job_id))

    def _summary_of(self, job_ids: list[str]) -> EvaluationSummary | None:
        """The summary of some evaluations; None where none of them is a completed one."""
        table = queries.evaluation_summary(self._asking, workspace=None, job_ids=job_ids)
        return EvaluationSummary(table) if table.num_rows else None

    def _comparison_of(self, job_ids: list[str]) -> dict[str, Any]:
        return self._asking.consistently(lambda: comparison(self._asking, job_ids))

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
            if is_running(self.root, address.workspace, name):
                raise JobNotFound(f"job {name!r} is still running: it is there when it has ended")
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


def _check_has_rows(line: dict[str, Any]) -> None:
    if dropped_at := line["rows_dropped_at"]:
        raise RowsDropped(
            f"the rows of job {line['name']!r} were dropped on {dropped_at:%Y-%m-%d}; its aggregate scores are there "
            f"(`evalstore show {line['name']}`), and the old job may still be in the trash (`evalstore trash`)"
        )


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
