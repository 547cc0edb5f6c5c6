"""Which event a detail speaks of, and what several metrics tell of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evalstore.json_text import canonical

if TYPE_CHECKING:
    from evalstore.importers.trainloop_documents import Detail

__all__ = ["event_key", "named", "take_texts"]

_NO_INPUT = {"input": None}


def event_key(detail: Detail, number: int) -> tuple[str, str]:
    """What tells the event of a detail from others: its id, or else its texts; without any, its place."""
    if detail.event_id not in (None, ""):
        return "id", str(detail.event_id)
    if detail.input is None and detail.output is None:
        return "place", str(number)
    return "texts", canonical([detail.input, detail.output])


def take_texts(row: dict[str, Any], told: dict[str, Any]) -> dict[str, Any]:
    """Gives a row what it lacks of what another metric tells of its event; what that tells otherwise."""
    other = {}
    for field in ("item", "sample", "reference", "cluster"):
        if told[field] in (None, _NO_INPUT):
            continue
        if row[field] in (None, _NO_INPUT):
            row[field] = told[field]
        elif canonical(row[field]) != canonical(told[field]):
            other[field] = told[field]
    return other


def named(events: list[str]) -> str:
    """Some events: the one, or how many with the first of them."""
    return events[0] if len(events) == 1 else f"{len(events):,} events, such as {events[0]}"
