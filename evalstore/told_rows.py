"""How many rows a job has had of which none is here: what another tool has told of its scores says it."""

from __future__ import annotations

from typing import Any

__all__ = ["told_rows"]


def told_rows(aggregates: list[dict[str, Any]]) -> dict[str, int | None]:
    """The totals of a job's rows by the aggregates that were told of it; None where they do not say.

    A suite has as many rows as its widest score.
    """
    told = [aggregate for aggregate in aggregates if aggregate.get("is_told")]
    suites = {aggregate["suite"] for aggregate in told}

    def most(field: str) -> int | None:
        found: dict[str, int] = {}
        for aggregate in told:
            if (count := aggregate[field]) is not None:
                found[aggregate["suite"]] = max(count, found.get(aggregate["suite"], 0))
        return sum(found.values()) if found.keys() == suites else None

    total, scored, error = most("rows_total"), most("rows_scored"), most("rows_error")
    is_known = total is not None and scored is not None and error is not None
    unscored = max(0, (total or 0) - (scored or 0) - (error or 0)) if is_known else None
    return {"rows_total": total, "rows_scored": scored, "rows_error": error, "rows_unscored": unscored}
