"""The jobs that conditions find, as the same frame that a plain list of jobs is."""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, Any

from evalstore.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from evalstore.result_pages import Result
    from evalstore.store import Store

__all__ = ["found_jobs"]

_LARGEST_PAGE = 1000
_COLUMNS = (
    "name", "workspace", "status", "dataset", "model", "rows_total", "rows_scored", "rows_error", "overall_score",
    "pass_rate", "cost", "duration", "created_at", "group", "tags", "kind", "git_commit", "job_id",
)  # fmt: skip


def found_jobs(
    store: Store,
    narrow: dict[str, str | None],
    where: Sequence[str],
    tree: str | None,
    sort: str | None,
    *,
    limit: int,
    workspace: str | None,
) -> pl.DataFrame:
    """The jobs that meet all of it; `limit` 0 is for all. Raises: UsageError, UnknownField, InvalidCondition."""
    import polars as pl

    parts = [{"tags" if field == "tag" else field: value} for field, value in narrow.items() if value is not None]
    if tree is not None:
        parts.append(_document(tree))
    page = store.results.list(
        {"$and": parts} if parts else None,
        sort="-created_at" if sort is None else sort,
        aggregate_fields=[],
        page_size=min(limit or _LARGEST_PAGE, _LARGEST_PAGE),
        workspace=workspace,
        status=None,
        where=where,
    )
    schema = page.to_polars().rename({"id": "job_id"}).select(_COLUMNS).schema
    found = islice(page, limit or None)  # a walk: nothing comes twice or is left out while others write and delete
    return pl.DataFrame([_line(result) for result in found], schema=schema, orient="row")


def _line(result: Result) -> tuple[Any, ...]:
    return tuple(getattr(result, "id" if column == "job_id" else column) for column in _COLUMNS)


def _document(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_each_once)
    except json.JSONDecodeError as error:
        raise UsageError(f"--filter: {text!r} is not JSON: {error}") from error
    except RecursionError as error:
        raise UsageError("--filter: is nested too deeply") from error


def _each_once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) < len(members):
        names = [name for name, _ in members]
        twice = next(name for name in names if names.count(name) > 1)
        raise UsageError(f'--filter: {twice!r} stands twice in one dict: write {{"$and": [{{...}}, {{...}}]}}')
    return found
