"""The jobs that conditions find, as the same frame that a plain list of jobs is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from evalstore.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

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
    asked: dict[str, Any] = {"sort": sort or "-created_at", "where": where, "status": None, "workspace": workspace}
    size = min(limit or _LARGEST_PAGE, _LARGEST_PAGE)
    frames: list[pl.DataFrame] = []
    while True:
        page = store.results.list(
            {"$and": parts} if parts else None, page=len(frames) + 1, page_size=size, aggregate_fields=[], **asked
        )
        frames.append(page.to_polars().rename({"id": "job_id"}).select(_COLUMNS))
        if not page.has_next_page() or (limit and len(frames) * size >= limit):
            return pl.concat(frames).head(limit) if limit else pl.concat(frames)


def _document(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise UsageError(f"--filter: {text!r} is not JSON: {error}") from error
