"""Which rows of two jobs are paired: how many there are, whether they suffice, and how they are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evalstore import queries
from evalstore.analysis.asked import field_source, jobs_said
from evalstore.analysis.rule_words import full_name
from evalstore.errors import NotComparable, UnknownField

if TYPE_CHECKING:
    from evalstore.analysis.asked import Question
    from evalstore.session import Session

__all__ = [
    "FEW", "check_clusters", "check_rows", "check_whole", "is_simple", "newly_unscored", "pairing", "rows_of",
    "with_all_clusters",
]  # fmt: skip

_UNSCORED = ("newly_unscored", "newly_scored")
FEW = 0.01  # from this share of rows that are left out on, a warning


def check_whole(asked: Question) -> list[str]:
    """Warnings about jobs that did not complete. Raises: NotComparable for one whose rows are not here."""
    jobs = (*asked.baselines, asked.candidate)
    for job in jobs:
        if dropped_at := job["rows_dropped_at"]:
            raise NotComparable(
                f"the rows of job {job['name']!r} were dropped on {dropped_at:%Y-%m-%d}, so nothing can be compared "
                "row by row; the old job may still be in the trash (`evalstore trash`)"
            )
        suites = job["suites"] or ()
        if any(suite["metrics"] for suite in suites) if job["rows_total"] == 0 else not suites:
            raise NotComparable(
                f"job {job['name']!r} was imported by its counts, without rows, so nothing can be compared row by row"
            )
    return [
        f"job {job['name']!r} is {job['status']}, not completed: its rows may not be all"
        for job in jobs
        if job["status"] != "completed"
    ]


def newly_unscored(
    session: Session,
    asked: Question,
    paired_by: dict[str, Any],
    lines: list[dict[str, Any]],
    rows: list[dict[str, Any]],
) -> list[dict[str, int]]:
    """How many rows of both sides have a score on one and none, nor an error, on the other, by metric.

    `newly_unscored` have it in the baseline, `newly_scored` in the candidate. Where all rows are in both, the lines say
    so; else rows that one side does not hold must be told apart.
    """
    one_sided = [{line["suite"] for line in rows if line[f"only_in_{side}"]} for side in ("baseline", "candidate")]
    counts = [{"newly_unscored": line["unscored"], "newly_scored": line["scored_anew"]} for line in lines]
    if not any(
        count and line["suite"] in suites
        for line, told in zip(lines, counts, strict=True)
        for count, suites in zip(told.values(), one_sided, strict=True)
    ):
        return counts
    pairs = {field: value for field, value in paired_by.items() if not field.startswith("cluster_")}
    found = {
        (line["suite"], line["metric"], line["name"]): {field: line[field] for field in _UNSCORED}
        for line in queries.compare_unscored(session, **pairs, **asked.narrow).to_pylist()
    }
    return [found.get((line["suite"], line["metric"], line["name"]), dict.fromkeys(_UNSCORED, 0)) for line in lines]


def rows_of(
    session: Session, asked: Question, shared: list[dict[str, Any]], shapes: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """How many rows are paired, by suite. Where both jobs hold the same rows, the catalog knows."""
    suites = {line["suite"]: line for line in shared}
    if all(line["same_rows"] for line in shared):
        counts: list[dict[str, Any]] = [
            {
                "suite": suite,
                **dict.fromkeys(("baseline_rows", "candidate_rows", "paired"), line["different_rows"]),
                **dict.fromkeys(("changed", "only_in_baseline", "only_in_candidate"), 0),
            }
            for suite, line in suites.items()
        ]
    else:
        counts = queries.compare_rows(session, **asked.jobs, suite=asked.suite).to_pylist()
    fields = ("baseline_failed", "candidate_failed", "either_failed")
    failed = {one["suite"]: {field: one[field] for field in fields} for one in shapes}
    return [line | failed[line["suite"]] for line in counts if line["suite"] in suites]


def check_rows(asked: Question, rows: list[dict[str, Any]]) -> list[str]:
    """Warnings about rows of other content. Raises: NotComparable for too many of them, or too few pairs."""
    warnings = []
    for line in rows:
        where = "" if line["suite"] == "default" else f" in suite {line['suite']!r}"
        smaller = min(line["baseline_rows"], line["candidate_rows"])
        both = line["paired"] + line["changed"]
        if line["changed"] > asked.max_changed * both:
            raise NotComparable(
                f"{jobs_said(asked)} are not comparable{where}: of {both:,} rows with the same key {line['changed']:,} "
                f"have another item or reference, more than max_changed={asked.max_changed:g} allows"
            )
        if both < asked.min_paired * smaller or line["paired"] == 0:
            raise NotComparable(
                f"{jobs_said(asked)} are not comparable{where}: only {both:,} rows are in both, of "
                f"{line['baseline_rows']:,} and {line['candidate_rows']:,}; "
                f"min_paired={asked.min_paired:g} wants that share of the smaller side"
            )
        if line["changed"] > FEW * both:
            warnings.append(
                f"{line['changed']:,} of {both:,} rows{where} have another item or reference under the same key; they "
                "are left out"
            )
    return warnings


def pairing(asked: Question, shared: list[dict[str, Any]]) -> dict[str, Any]:
    """How pairs are asked for. Clusters are those that a job tells of, or what the user names."""
    told_by = [asked.jobs["candidate"]]
    source: str | None
    if asked.cluster is not None:
        source, path = field_source(asked.cluster, "clustered")
    else:
        in_candidate = any(line["candidate_clusters"] for line in shared)
        in_baseline = any(line["baseline_clusters"] for line in shared)
        source, path = ("cluster" if in_candidate or in_baseline else None), None
        if in_baseline and not in_candidate:
            told_by += _other_tellers(asked)
    return {
        **asked.jobs, "errors": asked.errors, "told_by": told_by, "cluster_source": source, "cluster_path": path,
    }  # fmt: skip


def is_simple(paired_by: dict[str, Any]) -> bool:
    """Whether pairs are plain scores beside one another, for which there are shorter questions."""
    return paired_by["is_plain"] and paired_by["errors"] == "exclude" and not paired_by["check_content"]


def with_all_clusters(
    asked: Question, paired_by: dict[str, Any], lines: list[dict[str, Any]], known: dict[int, dict[str, Any]]
) -> dict[str, Any]:
    """How pairs are asked for anew where the candidate names no cluster of some rows, and the baseline may.

    Else rows that belong together would be taken each for itself. Mostly one job tells of all, and is all that is read.
    """
    if paired_by["cluster_source"] is None or len(paired_by["told_by"]) > 1:
        return paired_by
    may_be_named = [line for line in lines if asked.cluster is not None or known[line["number"]]["baseline_clusters"]]
    if not any(line["unclustered"] for line in may_be_named):
        return paired_by
    return paired_by | {"told_by": [*paired_by["told_by"], *_other_tellers(asked)]}


def _other_tellers(asked: Question) -> list[str]:
    return [one["job_id"] for one in reversed(asked.baselines)]


def check_clusters(asked: Question, lines: list[dict[str, Any]]) -> list[str]:
    """Warnings about rows in no cluster, which would seem to tell more than they do. Raises: UnknownField for none."""
    paired = [line for line in lines if line["n"]]
    if asked.cluster is not None and paired and all(line["clusters"] is None for line in paired):
        raise UnknownField(f"no row of {asked.candidate['name']!r} has {asked.cluster}, so none can be clustered by it")
    return [
        f"{full_name(line)}: {line['unclustered']:,} of {line['n']:,} paired rows name no cluster, and are taken each "
        "for itself"
        for line in paired
        if line["unclustered"] > FEW * line["n"] and (line["clusters"] is not None or asked.cluster is not None)
    ]
