"""The importer `trainloop`: the tree of files that TrainLoop writes, and the JSON files that its documents describe.

What a path is:
- the real tree: a project or its data folder, `results/` or `benchmarks/` in it, or one folder of a run in those;
- documented files: a folder with `.json` files, or one of them. What each is, its fields tell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evalstore import names
from evalstore.errors import BrokenInput, JobExists, UsageError
from evalstore.importers.report import ImportReport, unchanged
from evalstore.importers.trainloop_jobs import FoundJob, zone
from evalstore.importers.trainloop_places import Places
from evalstore.importers.trainloop_times import OddTimes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from evalstore.importers.target import Target
    from evalstore.importers.trainloop_places import Source
    from evalstore.job_batch import JobBatches

__all__ = ["import_trainloop"]

_TOGETHER = 500  # jobs
_ROWS_TOGETHER = 50_000


def import_trainloop(
    path: Path,
    target: Target,
    *,
    job: str | None = None,
    prefix: str = "",
    timezone: str = "UTC",
    skip_bad_rows: bool = False,
    overwrite: bool = False,
    progress: Callable[[int], None] | None = None,
    **context: Any,
) -> ImportReport:
    """Imports all results at a path: a job per run and per document, of a benchmark one per provider.

    What is there already with the same content is left as it is; with `overwrite` unless something else is said of it
    now (tags, model, declarations, ...). `timezone` is that of times that name none: the names
    of runs. `prefix` goes before the names of jobs, `job` names the only one.

    Raises: BrokenInput (file, line, field), UsageError, JobExists; of that run nothing is stored, what came before is.
    """
    places = Places(path, zone(timezone), skip_bad_rows=skip_bad_rows)
    if job is not None and len(places.sources) > 1:
        raise UsageError(f"{path} holds {len(places.sources)} runs, and job names one: leave it out, or give a prefix")
    with target.open_batches() as batches:
        importing = _Import(places, target, batches, overwrite=overwrite)
        try:
            for source in places.sources:
                try:
                    importing.take(source, job, prefix, context)
                except BrokenInput as problem:
                    if not (skip_bad_rows and source.is_found):
                        raise
                    importing.leave_out(problem)
                if progress:
                    progress(importing.rows)
            importing.check_any()
        except Exception as error:
            importing.finish()  # what came before is whole
            importing.explain(error)
            raise
        importing.finish()
    importing.report.flags += importing.times.flags()
    return importing.report


class _Import:
    """One import, with what came of it so far."""

    def __init__(self, places: Places, target: Target, batches: JobBatches, *, overwrite: bool) -> None:
        """With `overwrite` it replaces what is there, but for what is the same and says the same."""
        self._places, self._target, self._batches, self._overwrite = places, target, batches, overwrite
        self._imported = target.imported()
        self._new: set[str] = set()
        self._suites: list[str] = []  # of the run before
        self._is_found = False  # what is being taken
        self._left_out: list[BrokenInput] = []
        self._stored = 0
        self.times = OddTimes()
        self.rows = 0
        self.report = _report(places.flags)  # of what is committed
        self._written, self._committing = _report(), _report()
        self._committing_jobs = 0

    def take(self, source: Source, job: str | None, prefix: str, context: dict[str, Any]) -> None:
        """Stores what one source holds, unless it is there."""
        self._is_found = source.is_found
        digest = source.content_hash()
        self._written.files.extend(str(file) for file in source.files)
        there = [name for name in self._imported.get(digest, ()) if (name == job if job else name.startswith(prefix))]
        if there and not source.is_several and not self._overwrite:
            self._note_unchanged(there[0])
            if source.is_run:
                self._suites = source.suites()
            return
        found, stored = source.jobs(), list[str]()
        if job and len(found) > 1:
            raise UsageError(f"{source.place} makes {len(found)} jobs, and job names one: give a prefix instead")
        for one in found:
            name = names.check_name(job or f"{prefix}{one.name}")
            # Of a copy under another name the group is another, and the provider the same.
            provider = one.name.removeprefix(one.name_before or one.context.get("group") or "")
            known = [other for other in there if other == name or (not (job or prefix) and other.endswith(provider))]
            given = self._given(one, context, {"path": str(source.place), "content_hash": digest})
            if same := next((other for other in known if self._stays(other, given)), None):
                self._note_unchanged(same)
            else:
                self._store(name, one, given)
                stored.append(name)
        self._new.update(stored)
        if stored:
            self.times.look(source.time, source.timezone, found)
        self._imported.setdefault(digest, []).extend(stored)
        if source.is_run:
            self._note_suites(found[0], is_new=bool(stored))

    def _stays(self, job: str, given: dict[str, Any]) -> bool:
        """Whether a job of the same content is left as it is: where jobs are replaced, if the same is said of it."""
        return not self._overwrite or job in self._new or self._target.says_same(job, **given)

    def _given(self, found: FoundJob, context: dict[str, Any], source: dict[str, Any]) -> dict[str, Any]:
        """What is said of a job: by its files, and by the user."""
        given = {**context, **{key: value for key, value in found.context.items() if value is not None}}
        given["metadata"] = given.pop("job_metadata", None) or found.metadata
        given["metrics"] = {
            **self._places.classes,
            **(found.context.get("metrics") or {}),
            **(context.get("metrics") or {}),
        }
        given["tags"] = [*found.context.get("tags", ()), *(context.get("tags") or ())]
        return given | {"source": {"tool": "trainloop", **source}}

    def _store(self, name: str, found: FoundJob, given: dict[str, Any]) -> None:
        try:
            opened = self._target.open_job(
                name, **given, told=found.told, overwrite=self._overwrite, batches=self._batches
            )
        except JobExists as error:
            raise JobExists(
                f"job {name!r} is there already, and {given['source']['path']} has other content or another time: "
                "overwrite=True (--overwrite) replaces it, prefix='...' (--prefix) gives the new one another name"
            ) from error
        try:
            for row in found.rows:
                opened.log(**row)
            if found.summary:
                opened.log_summary(found.summary)
            for kept_as, file in found.attached.items():
                opened.attach(file, kept_as)
        except BaseException:
            self._batches.abandon_last()
            raise
        self.rows += len(found.rows)
        self._written.add(name, found)
        if len(self._batches) >= _TOGETHER or self._written.rows >= _ROWS_TOGETHER:
            self._commit_soon()

    def _commit_soon(self) -> None:
        """Begins to commit what is written, once what was written before it is committed."""
        self._settle()
        self._committing, self._committing_jobs = self._written, len(self._batches)
        self._written = _report()
        self._batches.commit_soon()

    def _settle(self) -> None:
        committing, jobs = self._committing, self._committing_jobs
        self._committing, self._committing_jobs = _report(), 0
        self._batches.wait()
        self.report.merge(committing)
        self._stored += jobs

    def finish(self) -> None:
        """Commits what is written, each batch whole or not at all."""
        self._commit_soon()
        self._settle()

    def leave_out(self, problem: BrokenInput) -> None:
        """Does without a document that cannot be read."""
        self._left_out.append(problem)
        self._written.flags.append(f"left out: {problem}")

    def check_any(self) -> None:
        """Raises: BrokenInput, where nothing but documents that cannot be read was there."""
        if self._left_out and not (self._new or self._written.jobs or self.report.jobs):
            raise self._left_out[0]

    def explain(self, error: Exception) -> None:
        """Says beside an error what became of the other runs, and what can be done."""
        if isinstance(error, BrokenInput) and self._is_found:
            if not self._left_out:
                error.add_note("skip_bad_rows=True (--skip-bad-rows) leaves out documents that cannot be read")
        elif isinstance(error, BrokenInput) and error.line is not None:
            error.add_note("skip_bad_rows=True (--skip-bad-rows) stores lines that cannot be read as rows in error")
        if self._stored:
            error.add_note(f"what came before it is stored (jobs: {self._stored}), what comes after it is not")

    def _note_unchanged(self, name: str) -> None:
        self._written.jobs.append(name)
        self._written.flags.append(unchanged(name))

    def _note_suites(self, run: FoundJob, *, is_new: bool) -> None:
        """TrainLoop does not say that a suite raised, or that a run was broken off: the suite is just not there."""
        suites = sorted({row["suite"] for row in run.rows})
        missing = [suite for suite in self._suites if is_new and suite not in suites]
        self._written.flags += [f"{run.name}: suite {suite} is missing, which the run before has" for suite in missing]
        self._suites = suites


def _report(flags: Iterable[str] = ()) -> ImportReport:
    return ImportReport("trainloop", [], [], 0, flags=list(flags))
