"""What TrainLoop's files become: a job to be stored, with what is told of it and what is odd about it."""

from __future__ import annotations

import hashlib
import math
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from evalstore.errors import BrokenInput, UsageError, near

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = [
    "FoundJob",
    "as_number",
    "content_hash",
    "is_run_time",
    "local_time",
    "moment",
    "name_part",
    "told_job",
    "verdict",
    "zone",
]

_RUN_TIME = re.compile(r"\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d")
_FORM = "%Y-%m-%d_%H-%M-%S"


@dataclass
class FoundJob:
    """One job out of some files: its rows as `job.log()` takes them, and what `store.job()` is told of it."""

    name: str
    context: dict[str, Any]
    rows: list[dict[str, Any]] = field(default_factory=list)
    metadata: Any = None
    told: dict[str, Any] | None = None
    summary: dict[str, Any] | None = None
    attached: dict[str, Path] = field(default_factory=dict)
    flags: list[str] = field(default_factory=list)
    duplicates: int = 0
    errors: int = 0
    bad_rows: int = 0
    name_before: str = ""  # what its name begins with because of its file, beside the group
    judges_later_call: datetime | None = None  # when it was, of a run that was judged before


def is_run_time(text: str) -> bool:
    """Whether a folder is named as TrainLoop names one after the time of a run."""
    return _RUN_TIME.fullmatch(text) is not None


def zone(name: str) -> tzinfo:
    """The time zone of a name. Raises: UsageError."""
    if not isinstance(name, str):
        raise UsageError(f"timezone is text such as 'UTC' or 'Europe/Berlin', not {name!r}")
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UsageError(f"there is no time zone {name!r}; {near(name, available_timezones())}") from error


def moment(text: str, given: tzinfo, *, file: Path) -> datetime:
    """A time out of the name of a run, or out of a document; the zone is for times that name none.

    Raises: BrokenInput.
    """
    try:
        found = local_time(text)
        return (found if found.tzinfo else found.replace(tzinfo=given)).astimezone(UTC)
    except OverflowError as error:
        raise BrokenInput(f"{text!r} is outside the years 1 to 9999 of UTC", file=file, field="timestamp") from error
    except ValueError as error:
        raise BrokenInput(f"{text!r} is no time", file=file, field="timestamp") from error


def local_time(text: str) -> datetime:
    """A time as it is written, with a zone only where it names one. Raises: ValueError."""
    return datetime.strptime(text, _FORM) if is_run_time(text) else datetime.fromisoformat(text)  # noqa: DTZ007


def told_job(began: datetime, duration: float | None, **fields: Any) -> dict[str, Any]:
    """The fields of a job that its files tell, or of which they tell that nobody knows: here when it ended."""
    try:
        finished = None if duration is None else (began + timedelta(seconds=duration)).isoformat()
    except OverflowError:  # after the year 9999
        finished = None
    return {"duration": duration, "finished_at": finished, **fields}


def verdict(passed: Any) -> dict[str, Any]:
    """The score of a verdict: true, 1 and 1.0 are a pass, false, 0 and 0.0 none; another number is neither."""
    if passed in (0, 1):
        return {"value": bool(passed)}
    return {"value": passed}


def as_number(value: Any) -> float | None:
    """A number as a double, where it fits one and is finite; None for anything else."""
    try:
        number = float(value) if isinstance(value, (int, float)) else math.nan
    except OverflowError:  # an integer of more digits
        return None
    return number if math.isfinite(number) else None


def name_part(text: str) -> str:
    """A text as a part of a job's name."""
    return re.sub(r"[^A-Za-z0-9._@+-]+", "-", text).strip("-._") or "unnamed"


def content_hash(began: datetime, folder: Path, files: Iterable[Path]) -> str:
    """The SHA-256 of when it was and of some files together, by their names and contents. Raises: BrokenInput.

    The time is content: runs that judge the same calls alike differ in nothing else.
    """
    digest = hashlib.sha256(f"{began.isoformat()} ".encode())
    for file in sorted(files):
        try:
            data = file.read_bytes()
        except OSError as error:
            raise BrokenInput(f"cannot be read: {error.strerror}", file=file) from error
        name = file.relative_to(folder).as_posix() if file.is_relative_to(folder) else file.name
        digest.update(f"{len(name.encode())} {name} {len(data)} ".encode() + data)
    return digest.hexdigest()
