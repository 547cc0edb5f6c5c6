"""What a list of results answers with: results, one page of them, and the walk over all pages."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any

from evalstore import aggregates
from evalstore.arrow_lines import as_dicts, whole_numbers
from evalstore.frames import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    import pyarrow as pa

    from evalstore.aggregates import Score

__all__ = ["Lines", "Pagination", "Result", "ResultPage"]


@dataclass(frozen=True)
class Result:
    """What a finished job yielded. `cost` is in USD, `duration` in seconds, times have a zone.

    `metric`, `dataset` and `model` are references `workspace/name`, None where the job named none. Where another tool
    has told the scores, without the rows, `rows_total` and the like are what it tells, None where it does not.
    """

    name: str
    workspace: str
    metric: str | None
    dataset: str | None
    model: str | None
    labels: dict[str, str]
    id: str
    created_at: datetime
    updated_at: datetime
    finished_at: datetime | None
    deleted_at: datetime | None
    status: str
    kind: str
    group: str | None
    tags: list[str]
    notes: list[dict[str, Any]]
    rows_total: int | None
    rows_scored: int | None
    rows_unscored: int | None
    rows_error: int | None
    overall_score: float | None
    pass_rate: float | None
    cost: float | None
    duration: float | None
    git_commit: str | None
    _scores: Callable[[], list[Score]] = field(compare=False)

    # Two results are equal when they say the same of the same job, whatever was asked for of its scores.
    def __hash__(self) -> int:
        return hash(self.id)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "scores": self.scores, "_scores": list}  # read: tables are not taken along

    def __repr__(self) -> str:
        return f"Result({self.workspace}/{self.name}, {self.status}, rows_scored={self.rows_scored})"

    @property
    def succeeded(self) -> bool:
        """Whether the job came to its end and scored something."""
        return self.status == "completed" and self.rows_scored != 0

    @cached_property
    def scores(self) -> list[Score]:
        """The aggregate scores, by suite, metric and name."""
        return self._scores()

    def to_dict(self) -> dict[str, Any]:
        """All fields as a plain nested dict, scores included."""
        plain = {one.name: getattr(self, one.name) for one in fields(self) if not one.name.startswith("_")}
        return {**plain, "scores": [score.to_dict() for score in self.scores]}


@dataclass(frozen=True, slots=True)
class Pagination:
    """Where a page stands: pages count from 1, and there are 0 of them where nothing was found."""

    page: int
    page_size: int
    current_page_size: int
    total_pages: int
    total_results: int


@dataclass(frozen=True)
class Lines:
    """Results as tables: one line per result in their order, and one line per score in that of their jobs."""

    results: pa.Table
    scores: pa.Table
    fields: tuple[str, ...] | None = None
    """The fields of scores that were asked for; None for all."""

    @cached_property
    def spans(self) -> dict[int, tuple[int, int]]:
        """Which lines of `scores` belong to a job: number -> first line, number of lines."""
        found: dict[int, tuple[int, int]] = {}
        for line, number in enumerate(self.scores.column("job_number").to_pylist()):
            start, count = found.get(number, (line, 0))
            found[number] = start, count + 1
        return found

    def data(self) -> list[Result]:
        """The results."""
        return [self._result(line) for line in as_dicts(self.results)]

    def _result(self, line: dict[str, Any]) -> Result:
        number = line.pop("job_number")
        return Result(
            **{
                **line,
                "labels": dict(line["labels"] or {}),
                "tags": line["tags"] or [],
                "notes": line["notes"] or [],
                "_scores": lambda: self._scores(number),
            }
        )

    def _scores(self, number: int) -> list[Score]:
        start, count = self.spans.get(number, (0, 0))
        return [aggregates.score_of(line, self.fields) for line in self.scores.slice(start, count).to_pylist()]


class ResultPage(Answer):
    """One page of results. Iterating walks this page and all that follow.

    The walk goes on behind the last result that it has seen, so that none is seen twice and none is left out while
    others write or delete. `.to_polars()` has one line per result of this page, with its scores nested.
    """

    def __init__(
        self, lines: Lines, pagination: Pagination, go_on: Callable[[], Iterator[Result]] = lambda: iter(())
    ) -> None:
        self._lines, self.pagination, self._go_on = lines, pagination, go_on

    @cached_property
    def data(self) -> list[Result]:
        """The results of this page."""
        return self._lines.data()

    def has_next_page(self) -> bool:
        """Whether there are results behind this page."""
        return self.pagination.page < self.pagination.total_pages

    def __len__(self) -> int:
        return int(self._lines.results.num_rows)

    def __iter__(self) -> Iterator[Result]:
        yield from self.data
        yield from self._go_on()

    def __repr__(self) -> str:
        at = self.pagination
        return f"ResultPage({at.current_page_size} of {at.total_results} results, page {at.page} of {at.total_pages})"

    @cached_property
    def _table(self) -> pa.Table:
        """One line per result with its scores as a list of structs."""
        import pyarrow as pa

        results, scores = self._lines.results, self._lines.scores
        spans = [self._lines.spans.get(number, (0, 0)) for number in results.column("job_number").to_pylist()]
        places = [place for start, count in spans for place in range(start, start + count)]
        shown = [name for name in scores.column_names if name in (self._lines.fields or scores.column_names)]
        taken = scores.select([name for name in shown if name != "job_number"]).take(whole_numbers(places))
        offsets = [0]
        for _, count in spans:
            offsets.append(offsets[-1] + count)
        nested = pa.LargeListArray.from_arrays(whole_numbers(offsets), taken.to_struct_array().combine_chunks())
        return results.drop_columns(["job_number"]).append_column("scores", pa.chunked_array([nested]))
