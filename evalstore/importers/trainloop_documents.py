"""The JSON files that TrainLoop's documentation describes: evaluations, benchmarks, errors and the summary."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from evalstore.errors import BrokenInput

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["FAILED", "Benchmark", "Detail", "Document", "Evaluation", "Metric", "Suite", "Summary", "Told", "read"]


FAILED = ("error", "interrupted", "cancelled")
"""The statuses of an evaluation that did not come to its end; the documentation knows the first."""


_MOST = 2**53  # what a double counts exactly, and JSON says to any reader
_Count = Annotated[int, Field(ge=0, le=_MOST)]
_Amount = Annotated[float, Field(ge=-_MOST, le=_MOST, allow_inf_nan=False)]
"""Seconds, USD or tokens. Negative ones are flagged."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="allow")

    def more(self) -> dict[str, Any]:
        """The fields that the documentation does not know."""
        return dict(self.model_extra or {})


class Detail(_Part):
    """One event under one metric. What comes after `metadata` is what evalstore's own export adds."""

    event_id: str | int | None = None
    passed: bool | float | None = None
    input: Any = None
    output: Any = None
    verdict: str | None = None
    metadata: dict[str, Any] | None = None
    score: float | str | None = None
    error: str | None = None
    row_error: str | None = None
    status: str | None = None
    repetition: Annotated[int, Field(ge=0, lt=2**31)] | None = None
    reference: Any = None
    cluster: str | None = None


class Metric(_Part):
    """The counts of one metric, and the events that they are of: all, some or none."""

    passed: _Count | None = None
    total: _Count | None = None
    score: float | None = None
    errors: _Count | None = None
    details: list[Detail] = []
    metric: str | None = None
    name: str | None = None


class Suite(_Part):
    """One suite: its metrics by name."""

    events_processed: _Count | None = None
    metrics: dict[str, Metric] = {}
    overall_score: float | None = None
    tags: list[str] | None = None
    duration: _Amount | None = None
    status: str | None = None
    ended_as: str | None = None
    error: Any = None


class Told(_Part):
    """A job: what evalstore's own export adds to what is documented of it."""

    duration: _Amount | None = None
    configuration: Any = None
    status: str | None = None
    error: Any = None
    usage: dict[str, _Amount] = {}
    metric_declarations: list[dict[str, Any]] = []
    job_scores: list[dict[str, Any]] = []
    dataset: str | None = None
    model: str | None = None
    group: str | None = None
    tags: list[str] = []
    labels: dict[str, str] | None = None


class Evaluation(Told):
    """The results of an evaluation, or of one that failed, with the suites that it came to."""

    timestamp: str
    total_events: _Count | None = None
    suites: dict[str, Suite] = {}
    summary: dict[str, Any] | None = None
    partial_results: dict[str, Any] | None = None


class _Provider(Told):
    timestamp: str | None = None
    metrics: dict[str, Metric] = {}
    suites: dict[str, Suite] = {}
    overall_score: float | None = None
    cost_analysis: dict[str, _Amount | None] = {}
    performance: dict[str, _Amount | None] = {}


class Benchmark(_Part):
    """The results of several providers on the same samples."""

    timestamp: str
    providers: list[str] = []
    total_samples: _Count | None = None
    results: dict[str, _Provider]
    comparison: dict[str, Any] | None = None


class _Classes(_Part):
    total_metrics: int | None = None
    critical_metrics: list[str] = []
    performance_metrics: list[str] = []


class Summary(_Part):
    """The rolling summary of a folder of evaluations."""

    latest_evaluation: str
    total_suites: int | None = None
    overall_score: float | None = None
    trending: dict[str, Any] | None = None
    metrics_summary: _Classes = _Classes()


Document = Evaluation | Benchmark | Summary


def read(file: Path) -> Document | None:
    """The document in a file, told by its fields; None when it is JSON, and none of TrainLoop's.

    Raises: BrokenInput, which names file, and line or field.
    """
    given = _json(file)
    if not isinstance(given, dict):
        return None
    kind: type[Evaluation | Benchmark | Summary]
    if given.get("type") == "benchmark":
        kind = Benchmark
    elif "latest_evaluation" in given:
        kind = Summary
    elif (
        isinstance(given.get("suites"), dict)
        or given.get("status") in FAILED
        or {"timestamp", "suites"} <= given.keys()
    ):
        kind = Evaluation
        partial = given.get("partial_results")
        if "suites" not in given and isinstance(partial, dict):
            given = {**given, "suites": partial.get("suites") or {}}
            given["partial_results"] = {key: value for key, value in partial.items() if key != "suites"} or None
    else:
        return None
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        problem = "is missing" if first["type"] == "missing" else f"{first['msg']}, not {first['input']!r:.60}"
        raise BrokenInput(problem, file=file, field=place) from error


def _json(file: Path) -> Any:
    def as_dict(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in keys if keys.count(key) > 1)
            raise BrokenInput("the key occurs more than once in one object", file=file, field=twice)
        return found

    try:
        return json.loads(file.read_text(encoding="utf-8-sig"), object_pairs_hook=as_dict)
    except json.JSONDecodeError as error:
        raise BrokenInput(f"is not JSON: {error.msg} at column {error.colno}", file=file, line=error.lineno) from error
    except (ValueError, RecursionError) as error:  # no text of this encoding, an integer of thousands of digits
        raise BrokenInput(f"cannot be read: {error}", file=file) from error
    except OSError as error:
        raise BrokenInput(f"cannot be read: {error.strerror}", file=file) from error
