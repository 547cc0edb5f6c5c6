"""From logged rows to the finished files of a job: two Parquet files and the document that holds everything about it.

All of it is SQL in `sql/commit/`, the very statistics that readers use in `sql/macros/`; this module hands over the
parameters and writes the document.
"""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from evalstore import json_text, sql_files
from evalstore.database import Database, for_glob
from evalstore.durable_files import write_document
from evalstore.errors import BrokenStore
from evalstore.job_folder import EMPTY

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from evalstore.journal import Journal

__all__ = ["DOCUMENT_VERSION", "FrameRows", "JobDraft", "JobFiles", "no_files", "write_schema_files"]

DOCUMENT_VERSION = 1
_RULES = ("005_score_rules", "007_row_rules")
_SMALL = 2000  # rows
_LEAST_LINE = 16 * 1024 * 1024  # DuckDB's default limit of one JSON line


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

    `told` is what another tool has said of it that goes before what its rows say: `suites`, and fields of the `job`.
    `attached` are the files that lie beside those two in its folder.
    """

    folder: Path
    job: dict[str, Any]
    declarations: list[dict[str, Any]]
    rows: Journal | FrameRows
    told: dict[str, Any] = field(default_factory=dict)
    attached: list[dict[str, Any]] = field(default_factory=list)
    document: dict[str, Any] = field(default_factory=dict)
    rows_count: int = 0
    scores_count: int = 0
    has_single_rows: bool = True  # no item is repeated
    has_plain_rows: bool = True  # nor did one fail or belong to a cluster, nor does a metric score one twice

    @property
    def job_id(self) -> str:
        """The id of the job, in the names of its files."""
        return str(self.job["job_id"])


class JobFiles:
    """A workbench: one in-memory DuckDB that holds the SQL of the commit, used by one thread at a time."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._no_files = no_files(root)
        self._reads: str | None = None  # what stands behind the view `logged_row`
        self._database = Database()
        self._database.set_variables(**self._no_files, declarations="[]", told_suites="[]")
        self._run(*_RULES, "030_declared_metric", "060_staged_files", "076_told_suite")
        self._has_told = False
        self._database.run_file("views/040_measure.sql")
        for name in sql_files.names("macros"):
            if "leaderboard" not in name:  # asks the catalog, which is not here
                self._database.run_file(name)

    def finish(self, drafts: list[JobDraft]) -> None:
        """Writes the files of some jobs into their folders and sets their documents. Nothing is durable yet.

        Raises: QueryError, OSError.
        """
        database = self._database
        with database.lock:
            declared = [{**d, "job_id": draft.job_id} for draft in drafts for d in draft.declarations]
            database.set_variables(declarations=json_text.dumps(declared)[0])
            database.use_threads(1 if all(_is_small(draft) for draft in drafts) else None)
            if len(drafts) > 1 and not any(isinstance(draft.rows, FrameRows) for draft in drafts):
                self._write_together(drafts)
            else:
                for draft in drafts:
                    self._write_parquet(draft)
            database.set_variables(
                score_files=[for_glob(_scores(draft)) for draft in drafts],
                row_files=[for_glob(_rows(draft)) for draft in drafts],
                are_distinct=all(draft.has_single_rows for draft in drafts),
            )
            is_plain = all(draft.has_plain_rows for draft in drafts) and not any(
                d.get(bound) is not None for d in declared for bound in ("minimum", "maximum", "rubric")
            )
            self._run("065_staged_measure", "072_staged_plain_aggregate" if is_plain else "070_staged_aggregate")
            self._take_told(drafts)
            self._run("080_suite_results", "090_job_totals")
            totals = {row["job_id"]: row for row in database.ask_file("commit/095_job_total_lines.sql").to_pylist()}
            aggregates: dict[str, list[dict[str, Any]]] = {}
            for row in database.ask_file("commit/075_aggregate_lines.sql").to_pylist():
                aggregates.setdefault(row["job_id"], []).append(row)
            database.set_variables(**self._no_files)
        for draft in drafts:
            draft.document = _document(draft, totals.get(draft.job_id, {}), aggregates.get(draft.job_id, []))
            write_document(draft.folder / "job.json", draft.document)

    def _take_told(self, drafts: list[JobDraft]) -> None:
        """Puts what was told of suites beside what was computed. Most jobs are told nothing."""
        told = [{**suite, "job_id": draft.job_id} for draft in drafts for suite in draft.told.get("suites") or ()]
        if told or self._has_told:
            self._database.set_variables(told_suites=json_text.dumps(told)[0])
            self._run("076_told_suite")
            self._has_told = bool(told)
        if told:
            self._run("078_told_aggregate")

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

    def _write_together(self, drafts: list[JobDraft]) -> None:
        """Writes the files of many journals by two statements: each by its own takes longer to plan than it runs."""
        journals = {draft.job_id: draft.rows for draft in drafts if not isinstance(draft.rows, FrameRows)}
        self._database.set_variables(
            journals=[for_glob(journal.path) for journal in journals.values()],
            journal_files=[str(journal.path) for journal in journals.values()],
            journal_jobs=list(journals),
            longest_line=max(_LEAST_LINE, *(journal.longest_line + 1024 for journal in journals.values())),
        )
        self._look_at("011_logged_rows", "012_logged_score")
        for kind, name in (("rows", "041_rows_files"), ("scores", "051_scores_files")):
            parts = drafts[0].folder / kind
            copied = self._database.copy_files(f"commit/{name}.sql", path=str(parts))
            files = {path.parent.name.removeprefix("part="): (path, lines) for path, lines in copied}
            if len(files) < len(copied):
                raise BrokenStore(f"{parts}: DuckDB has written several files of one job")
            for draft in drafts:
                target = draft.folder / f"{kind}-{draft.job_id}.parquet"
                if draft.job_id in files:
                    path, lines = files[draft.job_id]
                    path.rename(target)
                    setattr(draft, f"{kind}_count", lines)
                else:
                    shutil.copyfile(self._root / EMPTY / f"{kind}-empty.parquet", target)
            shutil.rmtree(parts, ignore_errors=True)
        for draft in drafts:
            draft.has_single_rows = draft.has_plain_rows = False  # not looked for: the longer text is right for all

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
        copied = self._database.copy_file(f"commit/{rows}.sql", path=str(_rows(draft)))
        scored = self._database.copy_file(f"commit/{scores}.sql", path=str(_scores(draft)))
        draft.rows_count, draft.scores_count = copied.lines, scored.lines
        draft.has_single_rows = copied.highest("repetition") in ("0", None)
        draft.has_plain_rows = (
            draft.has_single_rows
            and copied.is_empty("error")
            and copied.is_empty("cluster")
            and scored.highest("score_index") in ("0", None)
        )


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


def _rows(draft: JobDraft) -> Path:
    return draft.folder / f"rows-{draft.job_id}.parquet"


def _scores(draft: JobDraft) -> Path:
    return draft.folder / f"scores-{draft.job_id}.parquet"


def _document(draft: JobDraft, totals: dict[str, Any], aggregates: list[dict[str, Any]]) -> dict[str, Any]:
    job = dict(draft.job)
    status, error = job["status"], job.get("error")
    suites = totals.pop("suites", [])
    for suite in suites:
        # A suite has run through when its job has; what stopped the job stopped the suite that was not done.
        if suite["status"] is None:
            suite["status"] = status
            suite["error"] = suite["error"] or (error or {}).get("message")
        del suite["job_id"], suite["rows_error"]
    none = dict.fromkeys(("rows_total", "rows_scored", "rows_unscored", "rows_error", "total_events", "total_suites",
                          "total_metrics", "metrics_unscaled"), 0)  # fmt: skip
    started, finished = job.get("started_at"), job.get("finished_at")
    if job.get("duration") is None and started and finished:
        job["duration"] = (datetime.fromisoformat(finished) - datetime.fromisoformat(started)).total_seconds()
    for aggregate in aggregates:
        del aggregate["job_id"]
    known = {_named(aggregate) for aggregate in aggregates}
    told = [aggregate for aggregate in job.pop("told_aggregates", None) or () if _named(aggregate) not in known]
    return {
        "schema_version": DOCUMENT_VERSION,
        "job": {**job, **none, **{k: v for k, v in totals.items() if k != "job_id"}, **draft.told.get("job", {})},
        "suites": suites,
        "metrics": draft.declarations,
        "aggregates": aggregates + told,
        "files": {
            "scores": _file(_scores(draft), draft.scores_count),
            "rows": _file(_rows(draft), draft.rows_count),
        },
        **({"attachments": draft.attached} if draft.attached else {}),
    }


def _named(aggregate: dict[str, Any]) -> tuple[str, str, str]:
    return aggregate["suite"], aggregate["metric"], aggregate["name"]


def _file(path: Path, count: int) -> dict[str, Any]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"name": path.name, "rows": count, "bytes": path.stat().st_size, "sha256": digest}


def no_files(root: Path) -> dict[str, list[str]]:
    """The variables that make the views `rows` and `row_scores` empty."""
    return {
        "score_files": [for_glob(root / EMPTY / "scores-empty.parquet")],
        "row_files": [for_glob(root / EMPTY / "rows-empty.parquet")],
    }


def write_schema_files(folder: Path) -> None:
    """Writes files without a line, with exactly the columns of rows and scores: views need one file to look at."""
    database = Database()
    empty = folder / "empty.jsonl"
    empty.touch()
    database.set_variables(job_id="", journal=for_glob(empty), longest_line=_LEAST_LINE, declarations="[]")
    views = ("010_logged_row", "012_logged_score", "020_numbered_row", "030_declared_metric")
    for name in (*_RULES, *views, "036_row_line", "046_score_line"):
        database.run_file(f"commit/{name}.sql")
    database.copy_file("commit/040_rows_file.sql", path=str(folder / "rows-empty.parquet"))
    database.copy_file("commit/050_scores_file.sql", path=str(folder / "scores-empty.parquet"))
    database.close()
    empty.unlink()
