"""What comparing two jobs gives: metrics, flips and slices as frames, and all of it as one document or page."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalstore import frames, json_text, queries
from evalstore.analysis.asked import field_source, name_beside
from evalstore.analysis.comparing import FLIPS
from evalstore.analysis.pairing import is_simple
from evalstore.errors import JobNotFound, UnknownField, UsageError, near

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    import polars as pl
    import pyarrow as pa

    from evalstore.analysis.asked import Question
    from evalstore.analysis.comparing import Found
    from evalstore.session import Session

__all__ = ["ALL_FLIPS", "Comparison"]

_PLACES = ("row_index", "last_row_index")
_MOST_KEPT = 10_000  # rows of each flip; more of them are sorted instead
_WANTED = ("suite", "row_key", "metric", "name", "baseline_value", "candidate_value")

ALL_FLIPS = (*FLIPS, "both right", "both wrong", "unchanged", "both in error")


class Comparison:
    """Two jobs, compared over the rows that they share. Differences are candidate - baseline.

    `.metrics` has a line per metric, `.slices` one per slice and metric where `by` was given, `.rows` one per suite
    with how many rows are paired, changed and on one side only. `.flips` has the rows that changed sides.
    """

    def __init__(self, asked: Question, found: Found, session: Callable[[], Session]) -> None:
        self.found = found
        self._asked, self._found, self._session = asked, found, session
        self.baseline: str = ", ".join(name_beside(one, asked.candidate) for one in asked.baselines)
        self.candidate: str = name_beside(asked.candidate, asked.baselines[0])
        self.warnings: list[str] = found.warnings
        self.not_compared: list[dict[str, Any]] = found.not_compared

    @cached_property
    def metrics(self) -> pl.DataFrame:
        """One line per metric: means, difference with interval, p value, effect size, what flipped."""
        return _frame(self._found.metrics)

    @cached_property
    def slices(self) -> pl.DataFrame:
        """The same per slice of the rows; no lines without `by`."""
        return _frame(self._found.slices or self._found.metrics).head(len(self._found.slices))

    @cached_property
    def rows(self) -> pl.DataFrame:
        """One line per suite: rows in both jobs, with other content, on one side only, in error."""
        return _frame(self._found.rows)

    @cached_property
    def flips(self) -> pl.DataFrame:
        """The rows that improved, regressed, are newly in error or recovered, with both outputs. Asked when first used.

        One line per row and metric: suite, metric, name, flip, row_key, both values, their difference, item, reference,
        both samples, comments and errors (JSON text).
        """
        return self.flipped()

    def flipped(
        self, *flips: str, metric: str | None = None, suite: str | None = None, limit: int | None = None
    ) -> pl.DataFrame:
        """The rows that flipped in these ways (all that changed by default), so many of each and each metric at most.

        The greatest differences come first. Raises: UsageError, UnknownField; JobNotFound where a job that was compared
        is gone meanwhile.
        """
        return frames.to_polars(self.flip_table(*flips, metric=metric, suite=suite, limit=limit))

    def flip_table(
        self, *flips: str, metric: str | None = None, suite: str | None = None, limit: int | None = None
    ) -> pa.Table:
        """The same as an Arrow table."""
        for flip in flips:
            if flip not in ALL_FLIPS:
                raise UsageError(f"a row cannot flip as {flip!r}; there are: {', '.join(ALL_FLIPS)}")
        if limit is not None and (not isinstance(limit, int) or isinstance(limit, bool) or limit < 1):
            raise UsageError(f"limit is a number of rows, 1 or more, or None for all, not {limit!r}")
        asked = self._asked
        for field, given in (("metric", metric), ("suite", suite)):
            compared = {line[field] for line in self._found.metrics}
            if given is not None and given not in compared:
                raise UnknownField(f"no {field} {given!r} was compared; {near(str(given), compared)}")
        session = self._session()

        def ask() -> pa.Table:
            self._check_jobs(session)
            found = self._flipped_rows(
                session, list(flips or FLIPS), metric or asked.metric, suite or asked.suite, limit
            )
            keys = found.select([*_WANTED, "difference"]).to_pylist()
            wanted = [
                {"place": place, "towards": (change > 0) - (change < 0) if change else None, **key}
                for place, key in enumerate(keys)
                for change in [key.pop("difference")]
            ]
            # Of plain jobs it is known where in the files the rows lie: the others need not be read.
            places = [place for field in _PLACES for place in found.column(field).to_pylist()]
            is_known = self._found.asked["is_plain"] and None not in places
            texts = queries.compare_texts(
                session, **asked.jobs, rows=wanted, row_keys=list({key["row_key"] for key in keys}),
                first_index=min(places, default=0) if is_known else None,
                last_index=max(places, default=0) if is_known else None,
            )  # fmt: skip
            found = found.drop_columns(list(_PLACES))
            for field in texts.schema:
                found = found.append_column(field, texts.column(field.name))
            return found if asked.by is not None else found.drop_columns(["slice"])

        return session.consistently(ask)

    def _flipped_rows(
        self, session: Session, flips: list[str], metric: str | None, suite: str | None, limit: int | None
    ) -> pa.Table:
        """Which rows flipped, their values, and where in the files they lie."""
        by, paired_by = self._asked.by, self._found.asked
        if limit is not None and limit <= _MOST_KEPT and by is None and is_simple(paired_by):
            return queries.compare_plain_flips(
                session, **self._asked.jobs, flips=flips, metric=metric, suite=suite, limit=limit
            )
        source, path = (None, None) if by is None else field_source(by, "sliced")
        pairing = {key: value for key, value in paired_by.items() if not key.startswith("cluster_")}
        return queries.compare_flips(
            session, **pairing, flips=flips, slice_source=source, slice_path=path, metric=metric, suite=suite,
            limit=limit,
        )  # fmt: skip

    def _check_jobs(self, session: Session) -> None:
        """Of a job that is gone no row would be found, as if none had flipped."""
        jobs = (*self._asked.baselines, self._asked.candidate)
        found = queries.jobs_left(session, job_ids=[one["job_id"] for one in jobs])
        left = set(found.column("job_id").to_pylist())
        for job in jobs:
            if job["job_id"] not in left:
                raise JobNotFound(
                    f"job {job['name']!r}, which was compared, is no more in the store as it was: it was deleted or "
                    "replaced, or its rows were dropped, so its rows cannot be shown"
                )

    def to_dict(self) -> dict[str, Any]:
        """All of it but the flips, as plain data."""
        asked = self._asked
        return {
            "baseline": _side(asked.baselines[-1]) | {"job": self.baseline},
            "baselines": [_side(one) for one in asked.baselines],
            "candidate": _side(asked.candidate) | {"job": self.candidate},
            "errors": asked.errors,
            "confidence": asked.confidence,
            "correction": asked.correction,
            "cluster": self._found.asked["cluster_source"] and (asked.cluster or "cluster"),
            "by": asked.by,
            "warnings": self.warnings,
            "rows": self._found.rows,
            "metrics": self._found.metrics,
            "slices": self._found.slices,
            "not_compared": self.not_compared,
        }

    def to_json(self) -> str:
        """The same as JSON."""
        return json_text.dumps(self.to_dict())[0]

    def to_html(self, *, limit: int = 500) -> str:
        """One page that stands alone: summary, intervals, slices, and `limit` flips of each kind and metric."""
        from evalstore.analysis.report import page

        return page(self.to_dict(), self.flip_table(limit=limit).to_pylist(), limit)

    def write_html(self, path: str | os.PathLike[str], *, limit: int = 500) -> None:
        """Writes that page. Raises: OSError."""
        Path(path).write_text(self.to_html(limit=limit), encoding="utf-8")

    def __repr__(self) -> str:
        return f"<Comparison {self.baseline} -> {self.candidate}: {len(self._found.metrics)} metrics>"

    def _repr_html_(self) -> str:
        shown = [
            "suite",
            "metric",
            "name",
            "baseline_mean",
            "candidate_mean",
            "difference",
            "low",
            "high",
            "p_adjusted",
        ]
        return str(self.metrics.select(*shown, "change", "paired")._repr_html_())


def _side(job: dict[str, Any]) -> dict[str, Any]:
    known = {"job": job["name"]} | {
        field: job[field] for field in ("workspace", "job_id", "status", "dataset", "model")
    }
    return known | {"created_at": job["created_at"].isoformat(), "git_commit": job["git_commit"]}


def _frame(lines: list[dict[str, Any]]) -> pl.DataFrame:
    """Lines as a frame; a column without a value is that of its name elsewhere."""
    import polars as pl

    kinds = {name: pl.Float64 if any(isinstance(line[name], float) for line in lines) else None for name in lines[0]}
    frame = pl.DataFrame(lines, schema_overrides={name: kind for name, kind in kinds.items() if kind}, orient="row")
    return frame.with_columns(pl.col(pl.Null).cast(pl.Float64))
