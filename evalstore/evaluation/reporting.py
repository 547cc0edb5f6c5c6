"""What user code may tell of itself while it runs: tokens, cost, and the raw calls that it made."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from evalstore.errors import UsageError

__all__ = ["Report", "listening", "report"]

_COUNTS = ("prompt_tokens", "completion_tokens", "total_tokens")


class Report:
    """What was told of one row: sums of tokens and cost (USD), and `requests`; None where nothing was told."""

    __slots__ = ("cost", "counts", "requests", "speaker")

    def __init__(self) -> None:
        self.counts: dict[str, int] | None = None
        self.cost: float | None = None
        self.requests: list[Any] | None = None
        self.speaker: str | None = None

    def take(self, cost: float | None, requests: Any, **counts: int | None) -> None:
        """Adds what was told; of an evaluator, that its own calls cost something stands beside those calls."""
        told = {name: count for name, count in counts.items() if count is not None}
        self.requests = [] if self.requests is None else self.requests
        self.counts = {} if self.counts is None else self.counts
        if self.speaker is not None:
            entry = {"evaluator": self.speaker, **told}
            entry |= {} if cost is None else {"cost": cost}
            entry |= {} if requests is None else {"requests": requests}
            self.requests.append(entry)
            return
        for name, count in told.items():
            self.counts[name] = self.counts.get(name, 0) + count
        if cost is not None:
            self.cost = (self.cost or 0.0) + cost
        if requests is not None:
            self.requests += requests if isinstance(requests, list) else [requests]

    def add_requests(self, requests: list[Any]) -> None:
        """Adds raw calls that were handed over in another way."""
        if requests:
            self.requests = [*(self.requests or ()), *requests]

    def take_usage(self, outputs: Any) -> None:
        """Takes `usage_metadata` out of outputs that carry it, unless tokens were told otherwise."""
        usage = outputs.get("usage_metadata") if isinstance(outputs, dict) else None
        if not isinstance(usage, dict) or self.counts:
            return
        self.counts = {}
        for name, ours in (("input_tokens", _COUNTS[0]), ("output_tokens", _COUNTS[1]), ("total_tokens", _COUNTS[2])):
            if isinstance(count := usage.get(name), int) and count >= 0:
                self.counts[ours] = count
        cost = usage.get("total_cost")
        if self.cost is None and isinstance(cost, (int, float)):
            self.cost = float(cost)


_listener: ContextVar[Report | None] = ContextVar("evalstore_report", default=None)


class listening:  # noqa: N801  # reads as what it does, and is made three times a row: a generator would cost more
    """Lets `report` in this context speak of one row; `speaker` is the evaluator that runs, None for the target."""

    __slots__ = ("_to", "_token")

    def __init__(self, to: Report, speaker: str | None = None) -> None:
        to.speaker = speaker
        self._to = to

    def __enter__(self) -> None:
        self._token = _listener.set(self._to)

    def __exit__(self, *_: object) -> None:
        _listener.reset(self._token)


def report(
    *,
    prompt_tokens: int | None = None,
    completion_tokens: int | None = None,
    total_tokens: int | None = None,
    cost: float | None = None,
    requests: Any = None,
) -> None:
    """Tells what a target, or an evaluator, used: to be called from inside it, any number of times; it adds up.

    `cost` is in USD; `requests` are the raw calls made, any JSON, kept with the row. What an evaluator tells is kept
    among the requests of the row, since it is not the target's. Outside of a running row nothing happens, so that
    the same function can be called alone.

    Raises: UsageError for what is no number.
    """
    counts = {"prompt_tokens": prompt_tokens, "completion_tokens": completion_tokens, "total_tokens": total_tokens}
    for name, count in counts.items():
        if count is not None and (isinstance(count, bool) or not isinstance(count, int) or count < 0):
            raise UsageError(f"{name} is a whole number from 0 up, not {count!r}")
    if cost is not None and (isinstance(cost, (bool, str)) or not hasattr(cost, "__float__")):
        raise UsageError(f"cost is a number, in USD, not {cost!r}")
    listener = _listener.get()
    if listener is not None:
        listener.take(None if cost is None else float(cost), requests, **counts)
