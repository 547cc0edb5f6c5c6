"""`store.results`: the results of completed jobs, to list, find, sort, page through, look at, delete and bring back."""

from __future__ import annotations

from dataclasses import dataclass
from types import NoneType
from typing import TYPE_CHECKING, Any, Literal, get_args

from evalstore import aggregates, filters, names, queries
from evalstore.arrow_lines import as_dicts, whole_numbers
from evalstore.errors import JobNotFound, UsageError
from evalstore.filters import All
from evalstore.listing import Listing, sort_keys
from evalstore.result_pages import Lines, Pagination, Result, ResultPage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import pyarrow as pa

    from evalstore.filters import Filter
    from evalstore.listing import Cursor
    from evalstore.session import Session

__all__ = ["Results", "Status"]

Status = Literal["completed", "error", "interrupted", "cancelled"]
_DEFAULT_STATUS: Status = "completed"
_LARGEST_PAGE = 1000
_FURTHEST = 2**62  # results to skip: more than there can be


class Results:
    """The results of a store. There is exactly one for each completed job, and it has the job's name."""

    def __init__(self, *, workspace: str, session: Callable[[bool], Session], jobs: Jobs) -> None:
        """`session` gives what to ask, with the jobs in the trash or without; `jobs` finds, deletes and restores."""
        self._workspace, self._session, self._jobs = workspace, session, jobs

    def list(  # noqa: PLR0917
        self,
        filter: Mapping[str, Any] | None = None,
        search: Mapping[str, Any] | None = None,
        sort: str | Sequence[str] = "-created_at",
        aggregate_fields: Sequence[str] | None = None,
        page: int = 1,
        page_size: int = 100,
        workspace: str | None = None,
        status: Status | None = _DEFAULT_STATUS,
        include_deleted: bool = False,  # noqa: FBT001, FBT002
        *,
        where: Sequence[str] | None = None,
    ) -> ResultPage:
        """One page of the results that are found; iterating it walks this page and all that follow.

        Args:
            filter: {FIELD: VALUE}, {FIELD: {OPERATOR: VALUE}}, {"$or": [...]}; a bare text means equal.
            search: the same, but a bare text means a part of the field, in upper or lower case.
            sort: a field, with `-` in front for the greatest first; several with commas between, or a list.
            aggregate_fields: the fields of scores to give, beside suite, metric, name and count; all by default.
            page: from 1.
            page_size: 1 to 1000.
            workspace: that of the store by default; "-" for all.
            status: of the jobs; None for all.
            include_deleted: also those in the trash; they have `deleted_at`.
            where: conditions FIELD OP VALUE, all of which must hold too.

        The defaults of `workspace`, `status` and `include_deleted` give way to a condition that names `workspace`,
        `status` or `deleted_at`: {"status": "error"} finds jobs that ended so.

        Raises: UnknownField, InvalidCondition, UsageError.
        """
        _check_page(page, page_size)
        if status not in (None, *get_args(Status)):
            raise UsageError(f"status is None or one of {', '.join(get_args(Status))}, not {status!r}")
        fields = aggregates.check_fields(aggregate_fields)
        keys, tree = sort_keys(sort), _tree(filter, search, where)
        named = {leaf.field.text for leaf in filters.leaves(tree)}
        chosen = ("-" if "workspace" in named else self._workspace) if workspace is None else workspace
        space = None if chosen == "-" else names.check_name(chosen, "workspace")
        ended = None if "status" in named and status == _DEFAULT_STATUS else status
        question = _Question(
            lambda: self._session(include_deleted or "deleted_at" in named),
            lambda session: Listing(session, tree, keys, workspace=space, status=ended),
            page_size,
            fields,
        )
        total, cursor, lines = question.page(page)
        pagination = Pagination(page, page_size, lines.results.num_rows, -(-total // page_size), total)
        return ResultPage(lines, pagination, lambda: question.walk(cursor))

    def retrieve(self, name: str, aggregate_fields: Sequence[str] | None = None) -> Result:
        """The result of one job: NAME, workspace/NAME, @last or @last~1.

        Raises: JobNotFound, also for a job that did not complete; InvalidName, UnknownField.
        """
        fields = aggregates.check_fields(aggregate_fields)
        session = self._session(False)  # noqa: FBT003

        def ask() -> Result:
            [line] = as_dicts(self._jobs.find(name))
            if line["status"] != "completed":
                raise JobNotFound(
                    f"job {line['name']!r} has no result: its status is {line['status']}. `evalstore show "
                    f"{line['name']}` says more; results.list(status={line['status']!r}) lists it"
                )
            [found] = queries.result_places(session, job_id=line["job_id"]).to_pylist()
            return _lines(session, [found["place"]], fields).data()[0]

        return session.consistently(ask)

    def delete(self, name: str) -> str:
        """Deletes the job of this name with its result: gone from every list, leaderboard and trend at once.

        It lies in the trash until it is pruned, and its name can be used again. Gives its `workspace/name`.

        Raises: JobNotFound, which names what is near; InvalidName.
        """
        [deleted] = self._jobs.delete(name)
        return deleted

    def restore(self, name: str) -> str:
        """Brings back the job of this name that was deleted last. Gives its `workspace/name`.

        Raises: JobNotFound; JobExists when the name has been used again; JobBusy.
        """
        return self._jobs.restore(name)


@dataclass(frozen=True, slots=True)
class Jobs:
    """What a store does with jobs by name."""

    find: Callable[[str], pa.Table]
    delete: Callable[[str], Sequence[str]]
    restore: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class _Question:
    """One list, to be asked page by page. Each page is of one snapshot, and two may be of different ones."""

    session: Callable[[], Session]
    listing: Callable[[Session], Listing]
    page_size: int
    fields: tuple[str, ...] | None

    def page(self, number: int) -> tuple[int, Cursor | None, Lines]:
        """How many results there are in all, the cursor of the last one of a page, and the page."""
        session = self.session()

        def ask() -> tuple[int, Cursor | None, Lines]:
            listing = self.listing(session)
            listing.check()
            skipped = min((number - 1) * self.page_size, _FURTHEST)
            places = listing.places(self.page_size, skip=skipped)
            is_last = places and len(places) < self.page_size
            total = skipped + len(places) if is_last else listing.count()
            return total, self._cursor(places), _lines(session, [place for place, _ in places], self.fields)

        return session.consistently(ask)

    def walk(self, cursor: Cursor | None) -> Iterator[Result]:
        """All results behind a cursor, fetched page by page; nothing where there is none."""
        while cursor is not None:
            cursor, lines = self._behind(cursor)
            yield from lines.data()

    def _behind(self, cursor: Cursor) -> tuple[Cursor | None, Lines]:
        session = self.session()

        def ask() -> tuple[Cursor | None, Lines]:
            places = self.listing(session).places(self.page_size, after=cursor)
            return self._cursor(places), _lines(session, [place for place, _ in places], self.fields)

        return session.consistently(ask)

    def _cursor(self, places: Sequence[tuple[int, Cursor]]) -> Cursor | None:
        """Where to go on; None when nothing can follow."""
        return places[-1][1] if len(places) == self.page_size else None


def _lines(session: Session, places: list[int], fields: tuple[str, ...] | None) -> Lines:
    """The results at these places of the table `job`, in this order, with their scores."""
    lines = queries.result_lines(session, places=places)
    order = {place: number for number, place in enumerate(lines.column("place").to_pylist())}
    lines = lines.drop_columns(["place"]).take(whole_numbers(order[place] for place in places))
    numbers = lines.column("job_number").to_pylist()
    score_places = queries.result_score_places(session, job_numbers=numbers).column("place").to_pylist()
    return Lines(lines, queries.result_scores(session, places=score_places), fields)


def _tree(
    filter: Mapping[str, Any] | None, search: Mapping[str, Any] | None, where: Sequence[str] | None
) -> Filter | None:
    if not isinstance(where, (list, tuple, NoneType)):
        raise UsageError(f"where is a list of conditions: write where=[{where!r}]")
    parts = [filters.parse_where(one) for one in where or ()]
    if filter is not None:
        parts.append(filters.parse(filter))
    if search is not None:
        parts.append(filters.parse(search, bare="$like"))
    return All(tuple(parts)) if parts else None


def _check_page(page: int, page_size: int) -> None:
    if isinstance(page, bool) or not isinstance(page, int) or page < 1:
        raise UsageError(f"page is a number from 1 on, not {page!r}")
    if isinstance(page_size, bool) or not isinstance(page_size, int) or not 1 <= page_size <= _LARGEST_PAGE:
        raise UsageError(f"page_size is a number from 1 to {_LARGEST_PAGE}, not {page_size!r}")
