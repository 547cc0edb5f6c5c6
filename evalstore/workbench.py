"""The workbench of a commit: rows as they were logged in, Parquet files and what is measured in them out.

All of it is SQL in `sql/commit/`, the very statistics that readers use in `sql/macros/`.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalstore import json_text, sql_files
from evalstore.database import CopiedFile, Database, for_glob
from evalstore.errors import BrokenStore
from evalstore.journal import Journal

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["FrameRows", "JobDraft", "Measured", "Workbench", "write_empty_files"]

_RULES = ("005_score_rules", "007_row_rules")
_SMALL = 2000  # rows
_LEAST_LINE = 16 * 1024 * 1024  # DuckDB's default limit of one JSON line
_NO_PART = (Path(), CopiedFile(0, {}))
_FIRST_OF_THE_CATALOG = "macros/100"  # macros from there on ask the catalog, which is not here


@dataclass
class FrameRows:
    """The rows of a frame, all of one suite, and line by line beside them the scores of each metric."""

    suite: str
    rows: pa.Table
    scores: dict[str, pa.Table]
    are_distinct: bool = False  # no key comes twice


@dataclass
class JobDraft:
    """A job to be finished: where its files go, what is known of it, and its rows, journaled or as a frame.

    `told` is what another tool has said of it that goes before what its rows say: see `evalstore.told`.
    `attached` are the files that lie beside those two in its folder.
    """

    folder: Path
    job: dict[str, Any]
    declarations: list[dict[str, Any]]
    rows: Journal | FrameRows
    told: dict[str, Any] = field(default_factory=dict)
    attached: list[dict[str, Any]] = field(default_factory=list)
    rows_count: int = 0
    scores_count: int = 0
    has_single_rows: bool = True  # no item is repeated
    has_plain_rows: bool = True  # nor did one fail or belong to a cluster, nor does a metric score one twice

    @property
    def job_id(self) -> str:
        """The id of the job, in the names of its files."""
        return str(self.job["job_id"])

    @property
    def rows_file(self) -> Path:
        """Where its rows are written."""
        return self.folder / f"rows-{self.job_id}.parquet"

    @property
    def scores_file(self) -> Path:
        """Where its scores are written."""
        return self.folder / f"scores-{self.job_id}.parquet"

    def note(self, rows: CopiedFile, scores: CopiedFile) -> None:
        """Takes in what was written of it."""
        self.rows_count, self.scores_count = rows.lines, scores.lines
        self.has_single_rows = rows.highest("repetition") in ("0", None)
        self.has_plain_rows = (
            self.has_single_rows
            and rows.is_empty("error")
            and rows.is_empty("cluster")
            and scores.highest("score_index") in ("0", None)
        )


@dataclass
class Measured:
    """What a job comes to: of the whole, with its suites, and of each score."""

    totals: dict[str, Any]
    aggregates: list[dict[str, Any]]


class Workbench:
    """One in-memory DuckDB that holds the SQL of the commit, for one thread at a time."""

    def __init__(self, no_files: dict[str, list[str]]) -> None:
        """`no_files` are the variables that make the views `rows` and `row_scores` empty: SQL is checked by them."""
        self._reads: str | None = None  # what stands behind the view `logged_row`
        self._has_told = False
        self._database = Database()
        self._database.set_variables(**no_files, declarations="[]", told_suites="[]")
        self._run(*_RULES, "030_declared_metric", "060_staged_files", "076_told_suite")
        self._database.run_file("views/040_measure.sql")
        for name in sql_files.names("macros"):
            if name < _FIRST_OF_THE_CATALOG:
                self._database.run_file(name)

    def close(self) -> None:
        """Lets go of everything."""
        self._database.close()

    def write(self, drafts: list[JobDraft], empty: Path) -> dict[str, Measured]:
        """Writes the Parquet files of some jobs, and measures them: by job_id. In `empty` lie files without a line.

        Raises: QueryError, OSError.
        """
        database = self._database
        with database.lock:
            declared = [{**d, "job_id": draft.job_id} for draft in drafts for d in draft.declarations]
            database.set_variables(declarations=json_text.dumps(declared)[0])
            database.use_threads(1 if all(_is_small(draft) for draft in drafts) else None)
            if isinstance(journal := drafts[0].rows, Journal) and journal.is_shared:
                self._write_together(drafts, journal, empty)
            else:
                for draft in drafts:
                    self._write_parquet(draft)
            database.set_variables(
                score_files=[for_glob(draft.scores_file) for draft in drafts],
                row_files=[for_glob(draft.rows_file) for draft in drafts],
                are_distinct=all(draft.has_single_rows for draft in drafts),
            )
            is_plain = all(draft.has_plain_rows for draft in drafts) and not any(
                d.get(bound) is not None for d in declared for bound in ("minimum", "maximum", "rubric")
            )
            self._run("065_staged_measure", "072_staged_plain_aggregate" if is_plain else "070_staged_aggregate")
            self._take_told(drafts)
            self._run("080_suite_results", "090_job_totals")
            measured = {draft.job_id: Measured({}, []) for draft in drafts}
            for row in database.ask_file("commit/095_job_total_lines.sql").to_pylist():
                measured[row["job_id"]].totals = row
            for row in database.ask_file("commit/075_aggregate_lines.sql").to_pylist():
                measured[row["job_id"]].aggregates.append(row)
        return measured

    def _take_told(self, drafts: list[JobDraft]) -> None:
        """Puts what was told of suites beside what was computed. Most jobs are told nothing."""
        told = [{**suite, "job_id": draft.job_id} for draft in drafts for suite in draft.told.get("suites") or ()]
        if told or self._has_told:
            self._database.set_variables(told_suites=json_text.dumps(told)[0])
            self._run("076_told_suite")
            self._has_told = bool(told)
        if told:
            self._run("078_told_aggregate", "079_told_measure")

    def _write_parquet(self, draft: JobDraft) -> None:
        database = self._database
        database.set_variables(job_id=draft.job_id)
        if isinstance(draft.rows, FrameRows):
            self._write_frame(draft, draft.rows)
            return
        longest = max(_LEAST_LINE, draft.rows.longest_line + 1024)
        database.set_variables(journal=for_glob(draft.rows.path), longest_line=longest)
        self._look_at("010_logged_row", "012_logged_score")
        self._copy(draft, "040_rows_file", "050_scores_file")

    def _write_together(self, drafts: list[JobDraft], journal: Journal, empty: Path) -> None:
        """Writes the files of many jobs by two statements: each by its own takes longer to plan than it runs."""
        self._database.set_variables(
            journal=for_glob(journal.path),
            journal_jobs=[draft.job_id for draft in drafts],
            longest_line=max(_LEAST_LINE, journal.longest_line + 1024),
        )
        self._look_at("011_logged_rows", "012_logged_score")
        rows = self._copy_parts(drafts[0].folder / "rows", "041_rows_files")
        scores = self._copy_parts(drafts[0].folder / "scores", "051_scores_files")
        for draft in drafts:
            for file, parts in ((draft.rows_file, rows), (draft.scores_file, scores)):
                if draft.job_id in parts:
                    parts[draft.job_id][0].rename(file)
                else:
                    shutil.copyfile(empty / f"{file.name.partition('-')[0]}-empty.parquet", file)
            draft.note(rows.get(draft.job_id, _NO_PART)[1], scores.get(draft.job_id, _NO_PART)[1])
        for part in ("rows", "scores"):
            shutil.rmtree(drafts[0].folder / part, ignore_errors=True)

    def _copy_parts(self, folder: Path, name: str) -> dict[str, tuple[Path, CopiedFile]]:
        """The files that one statement writes for jobs, by their ids."""
        copied = self._database.copy_files(f"commit/{name}.sql", path=str(folder))
        parts = {path.parent.name.removeprefix("part="): (path, part) for path, part in copied}
        if len(parts) < len(copied):
            raise BrokenStore(f"{folder}: DuckDB has written several files of one job")
        return parts

    def _look_at(self, *views: str) -> None:
        """Puts these views behind the lines that are written. A view keeps the types that it was made with."""
        is_new = self._reads != views[0]
        if is_new:
            self._run(*views)
        self._run("020_numbered_row")
        if is_new:
            self._run("036_row_line", "046_score_line")
        self._reads = views[0]

    def _write_frame(self, draft: JobDraft, frame: FrameRows) -> None:
        """Most frames name each key once: their lines are in order, and neither numbered, joined nor sorted."""
        database = self._database
        metrics = sorted(frame.scores)  # as SQL orders them: by code point
        database.set_variables(frame_suite=frame.suite, frame_metrics=metrics)
        try:
            database.register("frame_content", frame.rows)
            keys = database.ask_file("commit/014_frame_keys.sql")
            database.register("frame", _with_keys(frame.rows, keys))
            database.register("frame_score", _long(frame, metrics, keys))
            if frame.are_distinct:
                self._run("032_frame_rules", "034_frame_words")
                self._copy(draft, "042_frame_rows_file", "052_frame_scores_file")
            else:
                self._look_at("015_logged_frame", "017_logged_frame_score")
                self._copy(draft, "040_rows_file", "050_scores_file")
        finally:
            for name in ("frame_content", "frame", "frame_score"):
                database.unregister(name)

    def _run(self, *names: str) -> None:
        for name in names:
            self._database.run_file(f"commit/{name}.sql")

    def _copy(self, draft: JobDraft, rows: str, scores: str) -> None:
        copied = self._database.copy_file(f"commit/{rows}.sql", path=str(draft.rows_file))
        draft.note(copied, self._database.copy_file(f"commit/{scores}.sql", path=str(draft.scores_file)))


def _is_small(draft: JobDraft) -> bool:
    """Whether a second thread would cost more than it does."""
    return (len(draft.rows.rows) if isinstance(draft.rows, FrameRows) else draft.rows.lines) < _SMALL


def _with_keys(rows: pa.Table, keys: pa.Table) -> pa.Table:
    """The rows of a frame with the keys that were made for them, without what those were made from."""
    rows = rows.drop_columns(["canonical_item", "canonical_reference", "row_key"])
    for name in keys.column_names:
        rows = rows.append_column(name, keys[name])
    return rows


def _long(frame: FrameRows, metrics: list[str], keys: pa.Table) -> pa.Table:
    """The scores of a frame below each other, metric by metric, with the number of the metric; nothing is copied."""
    import pyarrow as pa

    parts = []
    for number, metric in enumerate(metrics, 1):
        scores = frame.scores[metric]
        shared = {"position": frame.rows["position"], "row_key": keys["row_key"]}
        numbers = pa.repeat(pa.scalar(number, pa.int32()), len(scores))
        parts.append(pa.table({"number": numbers, **shared, **{c: scores[c] for c in scores.column_names}}))
    return pa.concat_tables(parts)


def write_empty_files(rows: Path, scores: Path) -> None:
    """Writes files without a line, with exactly the columns of rows and scores."""
    database = Database()
    journal = rows.with_name("empty.jsonl")
    journal.touch()
    database.set_variables(job_id="", journal=for_glob(journal), longest_line=_LEAST_LINE, declarations="[]")
    views = ("010_logged_row", "012_logged_score", "020_numbered_row", "030_declared_metric")
    for name in (*_RULES, *views, "036_row_line", "046_score_line"):
        database.run_file(f"commit/{name}.sql")
    database.copy_file("commit/040_rows_file.sql", path=str(rows))
    database.copy_file("commit/050_scores_file.sql", path=str(scores))
    database.close()
    journal.unlink()
