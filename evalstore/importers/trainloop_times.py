"""What is odd about the times of runs, said once of all of them: they name no zone, and the one given may be wrong."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from evalstore.importers.trainloop_jobs import local_time

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

    from evalstore.importers.trainloop_jobs import FoundJob

__all__ = ["OddTimes"]


class OddTimes:
    """The runs of one import whose times are odd: how many, and the first of each kind."""

    def __init__(self) -> None:
        self._late: list[str] = []
        self._skipped: list[str] = []
        self._twice: list[str] = []

    def look(self, time: str, timezone: tzinfo, jobs: list[FoundJob]) -> None:
        """Looks at the jobs of one run, or of a document, and at its time as it is written there."""
        for job in jobs:
            if (called := job.judges_later_call) is not None:
                at = job.context["created_at"].isoformat(timespec="seconds")
                call = called.isoformat(timespec="seconds")
                self._late.append(f"{job.name}: a call of {call} was judged before that, at {at}")
        given = local_time(time)
        if given.tzinfo is not None:
            return
        early, late = (given.replace(tzinfo=timezone, fold=fold) for fold in (0, 1))
        if early.utcoffset() != late.utcoffset():
            exists = early.astimezone(UTC).astimezone(timezone).replace(tzinfo=None) == given
            self._say_clock_change(jobs[0].name, early, exists=exists)

    def flags(self) -> list[str]:
        """One sentence for each kind of odd times that were seen."""
        zone = "the times of runs name no zone, say which with timezone"
        return [
            *_said(self._late, f": {zone}", "runs were judged before a call that they judge"),
            *_said(self._twice, "", "runs have times that come twice in this zone"),
            *_said(self._skipped, "", "runs have times that there are not in this zone"),
        ]

    def _say_clock_change(self, name: str, taken: datetime, *, exists: bool) -> None:
        zone, at = taken.tzinfo, taken.astimezone(UTC).isoformat(timespec="seconds")
        if exists:
            self._twice.append(f"{name}: its time comes twice in {zone}, where clocks are set back; {at} is taken")
        else:
            self._skipped.append(f"{name}: its time is not there in {zone}, where clocks skip it; {at} is taken")


def _said(found: list[str], why: str, what: str) -> list[str]:
    """Nothing, the one that was found, or how many with the first of them."""
    if len(found) < 2:  # noqa: PLR2004
        return [f"{one}{why}" for one in found]
    return [f"{len(found):,} {what}, such as {found[0]}{why}"]
