"""What keeps a store in order: deleting with a way back, purging, checking, rebuilding, compacting.

Each is imported when it is done: questions need not wait for it.
"""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from evalstore import json_text, names, said, store_folder
from evalstore.arrow_lines import as_dicts
from evalstore.asking import Asking
from evalstore.errors import UsageError
from evalstore.markers import Marker, place_marker
from evalstore.session import Session
from evalstore.trash import tombstones

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Sequence
    from datetime import timedelta

    import polars as pl

    from evalstore import rebuilding, verification
    from evalstore.archives import ArchiveReport
    from evalstore.compaction import Compacted
    from evalstore.pruning import PruneReport
    from evalstore.trash import Tombstone

__all__ = ["Upkeep"]


class Upkeep(Asking):
    """The part of a store that neither writes results nor judges them. It asks which jobs are meant."""

    def delete(self, *jobs: str) -> list[str]:
        """Deletes jobs: gone from every later question, in the trash until `prune`. Gives their `workspace/name`.

        Raises: JobNotFound, InvalidName; then nothing is deleted.
        """
        from evalstore import deletion

        lines = [line for job in jobs for line in as_dicts(self._job(job))]
        found = {line["job_id"]: f"{line['workspace']}/{line['name']}" for line in lines}
        deletion.delete(self.root, self._catalog, found.items())
        return list(found.values())

    def restore(self, job: str) -> str:
        """Brings a deleted job back: the last one of this NAME (workspace/NAME), or the one with this id.

        Gives its `workspace/name`.

        Raises: JobNotFound, JobBusy, JobExists when the name has been used again.
        """
        from evalstore import deletion

        store_folder.require(self.root)
        address = names.parse_address(job, self.workspace)
        return deletion.restore(self.root, self._catalog, address.workspace, address.name or job).path

    def tag(
        self, job: str, *, add: Iterable[str] = (), remove: Iterable[str] = (), note: str | None = None
    ) -> list[str]:
        """Says something of a finished job: adds and removes tags, and leaves a note. Gives the tags that it has now.

        Nothing else of the job changes, and it stays said when the catalog is made anew.

        Raises: JobNotFound, InvalidName; UsageError for what is no text.
        """
        tags = {part: _texts(part, given) for part, given in (("add", add), ("remove", remove))}
        if not all(tag.strip() for tag in tags["add"]):
            raise UsageError(f"a tag has at least one letter: add={sorted(tags['add'])!r} has one without")
        if both := set(tags["add"]) & set(tags["remove"]):
            raise UsageError(f"tag {min(both)!r} is to be added and removed: decide")
        if not (isinstance(note, str | None) and (any(tags.values()) or (note or "").strip())):
            raise UsageError("say something: add=['nightly'], remove=['draft'] or note='a text'")
        [line] = as_dicts(self._job(job))
        written = note and json_text.as_written(note)
        said.say(self.root, line["job_id"], add=tags["add"], remove=tags["remove"], note=written)
        place_marker(self.root, Marker("meta", str(uuid.uuid4()), said.FILE))
        self._catalog.publish_if_possible()
        [line] = as_dicts(self._job(job))
        return list(line["tags"])

    def trash(self) -> pl.DataFrame:
        """The deleted jobs that can be restored, the last one deleted first."""
        store_folder.require(self.root)
        return _frame(tombstones(self.root))

    def prune(
        self,
        *,
        keep_last: int | None = None,
        older_than: timedelta | None = None,
        status: str | Sequence[str] | None = None,
        rows_only: bool = False,
        trash: bool = False,
        dry_run: bool = False,
        progress: Callable[[int], None] | None = None,
    ) -> PruneReport:
        """Deletes jobs of the workspace that are not needed any more; those that fit all that is said.

        Args:
            keep_last: keep the newest so many of each series (dataset, model, group), counted per status.
            older_than: only those created longer ago.
            status: only those that ended so: "completed", "error", "interrupted", "cancelled", or a list of these.
            rows_only: drop rows and scores, and keep the job with its aggregates, so that trends go on. It gets another
                job_id and says `rows_dropped_at`; the old one lies in the trash.
            trash: instead, remove deleted jobs for good, in all workspaces, and what dead processes have left. There is
                no way back. `older_than` is then the time since the deletion; ten seconds at least, since a question
                may be reading them.
            dry_run: only say what would be done.
            progress: called with the number of jobs whose rows are dropped.

        A job that is or was a baseline, or is tagged `pinned`, stays. What is deleted or replaced lies in the trash.

        Raises: UsageError when nothing is said; BrokenStore, StoreBusy.
        """
        from evalstore import pruning

        if trash:
            if rows_only or keep_last is not None or status is not None:
                raise UsageError("prune: the trash is pruned by `older_than` only")
            store_folder.require(self.root)
            return pruning.prune_trash(self.root, self._catalog, older_than=older_than, dry_run=dry_run)
        if keep_last is None and older_than is None and status is None:
            raise UsageError("say what to prune: keep_last, older_than, status, or trash=True")
        return pruning.prune_jobs(
            self.root,
            self._catalog,
            self._asking,
            workspace=self.workspace,
            keep_last=keep_last,
            older_than=older_than,
            status=status,
            rows_only=rows_only,
            dry_run=dry_run,
            progress=progress,
        )

    def archive(
        self, jobs: Sequence[str], *, to: str | os.PathLike[str], progress: Callable[[int], None] | None = None
    ) -> ArchiveReport:
        """Writes jobs as one file NAME.tar.zst, with everything that belongs to them, and checksums.

        `import_from("archive", path)` brings them back, into this store or another one. The jobs stay where they are.
        `progress` is called with the number of files written.

        Raises: JobNotFound, UsageError, OSError; BrokenStore for a job that is not as it was committed. Then there is
        no archive.
        """
        from evalstore import archives

        target = Path(to).absolute()
        if isinstance(jobs, str):
            raise UsageError(f"jobs is a list of names: write [{jobs!r}]")
        if not jobs:
            raise UsageError("an archive holds one job at least")
        if not target.name.endswith(".tar.zst"):
            raise UsageError(f"an archive is named NAME.tar.zst, not {target.name!r}")
        if target.exists():
            raise UsageError(f"{to} exists: choose another name, or remove it")
        if not target.parent.is_dir():
            raise UsageError(f"there is no folder {Path(to).parent} to write {target.name} into: make it first")
        lines = [line for job in jobs for line in as_dicts(self._job(job))]
        found = {line["job_id"]: f"{line['workspace']}/{line['name']}" for line in lines}
        return archives.write_archive(self.root, list(found.items()), target, progress=progress)

    def verify(
        self, *, checksums: bool = True, progress: Callable[[int], None] | None = None
    ) -> verification.Verification:
        """Checks the whole store: documents, Parquet files, catalog against files, segments, what belongs to nobody.

        The result is true when nothing is wrong; `.findings` says what and where, `.bytes` how much space things take.
        Without `checksums` the content of Parquet files is not read. `progress` is called with the number of jobs.
        """
        from evalstore import verification

        store_folder.require(self.root)
        return verification.verify(self.root, self._catalog, checksums=checksums, progress=progress)

    def rebuild(self, *, adopt: bool = False) -> rebuilding.Rebuilt:
        """Makes the catalog anew from the folders of the jobs, `meta/` and `segments/`: they are the truth.

        The folder of a job that was copied in from another store is taken up. One that is not named as its job is left
        out and listed; with `adopt` the job takes the name of the folder. Nothing is overwritten.

        Raises: StoreBusy.
        """
        from evalstore import rebuilding

        store_folder.require(self.root)
        return rebuilding.rebuild(self.root, self._catalog, adopt=adopt)

    def compact(self, *, progress: Callable[[int], None] | None = None) -> Compacted:
        """Rewrites the scores of many small jobs as few large files, which questions across jobs then read.

        The files of the jobs stay as they are, and so do all answers. Worth it from some hundred jobs on; again when as
        many have come to it. `progress` is called with the number of scores written so far. Gives the number of
        segments written, of jobs and of scores in them.

        Raises: StoreBusy when another process is compacting.
        """
        from evalstore import compaction

        store_folder.require(self.root)
        session = Session(self.root, self._catalog)  # of its own: other threads go on asking
        try:
            return compaction.compact(self.root, self._catalog, session, progress=progress)
        finally:
            session.close()


def _texts(part: str, given: Iterable[str]) -> list[str]:
    if not isinstance(given, (list, tuple, set, frozenset)) or not all(isinstance(tag, str) for tag in given):
        raise UsageError(f"{part} is a list of texts such as ['nightly'], not {given!r}")
    return [json_text.as_written(tag) for tag in given]


def _frame(stones: Iterable[Tombstone]) -> pl.DataFrame:
    import polars as pl

    places = [(*stone.path.split("/", 1), stone.job_id, stone.deleted_at, stone.reason) for stone in stones]
    kinds: dict[str, pl.DataType | type[pl.DataType]] = {
        "workspace": pl.String,
        "job": pl.String,
        "job_id": pl.String,
        "deleted_at": pl.Datetime("us", "UTC"),
        "reason": pl.String,
    }
    return pl.DataFrame(places, kinds, orient="row")
