"""What another tool has told of a job besides its rows, and how many rows it says where none is here.

It is said in the head of a job as `told`: a dict of `suites`, with scores by their counts; `aggregates`, as a document
has them, of names that no row has; and fields of the `job`. All of it goes before what the rows say.
"""

from __future__ import annotations

from typing import Any

__all__ = ["told_of", "told_rows", "was_told"]


def told_of(head: dict[str, Any]) -> dict[str, Any]:
    """What a head says was told of its job; nothing for most."""
    told: dict[str, Any] = head.get("told") or {}
    if aggregates := head.get("told_aggregates"):  # as it was said before: a job of then may still be in staging
        return {**told, "aggregates": aggregates}
    return told


def was_told(document: dict[str, Any]) -> bool:
    """Whether another tool has told more of a committed job than its rows say: TrainLoop when it ended, at least."""
    is_of_trainloop = (document["job"].get("source") or {}).get("tool") == "trainloop"
    return is_of_trainloop or any(aggregate.get("is_told") for aggregate in document["aggregates"])


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
