"""Compares two jobs: what may be compared at all, what SQL says of the pairs, and what statistics make of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from evalstore import queries
from evalstore.analysis import significance
from evalstore.analysis.asked import field_source, jobs_said
from evalstore.analysis.metric_lines import adjust, judged, pairs_of
from evalstore.analysis.pairing import (
    FEW,
    check_clusters,
    check_rows,
    check_whole,
    is_simple,
    newly_unscored,
    pairing,
    rows_of,
    with_all_clusters,
)
from evalstore.analysis.worst_values import warnings_of, worst_values
from evalstore.errors import NotComparable

if TYPE_CHECKING:
    from evalstore.analysis.asked import Question
    from evalstore.analysis.statistics import Pairs
    from evalstore.session import Session

__all__ = ["FLIPS", "Found", "compare"]

FLIPS = ("improved", "regressed", "newly in error", "recovered")
_BOTH_WAYS = (("baseline", "candidate"), ("candidate", "baseline"))
_SIDES = {"baseline": "the baseline", "candidate": "the candidate", "both": "both"}


@dataclass(frozen=True)
class Found:
    """What came of a question: a line per metric (with its numbers), per slice, and per suite its rows.

    `asked` is how the pairs were asked for.
    """

    metrics: list[dict[str, Any]]
    pairs: list[Pairs | None]
    slices: list[dict[str, Any]]
    rows: list[dict[str, Any]]
    not_compared: list[dict[str, Any]]
    warnings: list[str]
    asked: dict[str, Any]


def compare(session: Session, asked: Question, measured: list[dict[str, Any]] | None = None) -> Found:
    """What became of the metrics. What both sides `measured` (see compare_jobs) is asked for where it is not given.

    Raises: NotComparable where there is nothing to compare, or too little of it is the same.
    """
    warnings = check_whole(asked)
    measured = measured or queries.compare_jobs(session, **asked.jobs, **asked.narrow).to_pylist()
    shared = [line for line in measured if line["in_both"]]
    not_compared = _not_compared(measured)
    warnings += _told(not_compared, {_key(line) for line in shared})
    if not shared:
        whole = [line for line in measured if not line["is_told"]]
        problem = f"{_measured(whole, 'baseline')}; {_measured(whole, 'candidate')}"
        raise NotComparable("; ".join([f"{jobs_said(asked)} measured nothing in common: {problem}", *warnings]))
    shapes = queries.compare_shape(session, **asked.jobs, suite=asked.suite).to_pylist()
    shared = [_with_failures(line, shapes) for line in shared]
    rows = rows_of(session, asked, shared, shapes)
    warnings += check_rows(asked, rows)
    paired_by = pairing(asked, shared) | {
        "is_plain": all(one["is_plain"] for one in shapes),
        "check_content": any(line["changed"] for line in rows),
    }
    known = {line["number"]: line for line in shared}
    lines = _asked_metrics(session, asked, paired_by)
    with_all = with_all_clusters(asked, paired_by, lines, known)
    if with_all != paired_by:
        paired_by, lines = with_all, _asked_metrics(session, asked, with_all)
    lines = [line | _names(known[line["number"]]) for line in lines]
    warnings += check_clusters(asked, lines)
    pairs = [pairs_of(line, known[line["number"]]) for line in lines]
    metrics = [judged(line, one, known[line["number"]], asked) for line, one in zip(lines, pairs, strict=True)]
    if asked.test == "permutation":
        _permute(session, asked, paired_by, metrics)
    adjust(metrics, asked)
    labels = _tell_labels(session, asked, metrics, known)
    warnings += _one_sided_scores(metrics, newly_unscored(session, asked, paired_by, lines, rows))
    if asked.errors == "worst":
        warnings += warnings_of(worst_values(session, **asked.jobs), shared)
    warnings += [*_unpaired(metrics), *_scored_failures(asked, metrics, rows)]
    warnings += _summary(asked)
    slices = _sliced(session, asked, paired_by, known, labels)
    if slices and all(line["slice"] is None for line in slices):
        warnings.append(f"no row of {asked.candidate['name']!r} has {asked.by}: all of them are one slice")
    warnings += [
        f"{_name(line)}: the jobs were recorded with different directions; {_direction(line)} is better is what counts"
        for line in shared
        if line["directions_differ"]
    ]
    return Found(metrics, pairs, slices, rows, not_compared, warnings, paired_by)


def _with_failures(line: dict[str, Any], shapes: list[dict[str, Any]]) -> dict[str, Any]:
    """A metric of a suite of which a side has no score at all: its rows that failed are those in error."""
    [shape] = [one for one in shapes if one["suite"] == line["suite"]]
    for side in ("baseline", "candidate"):
        if line[f"{side}_scored"] is None:
            line = line | {f"{side}_scored": 0, f"{side}_errors": shape[f"{side}_errors"]}
    return line


def _unpaired(metrics: list[dict[str, Any]]) -> list[str]:
    """Warnings about metrics that one side has lost whole."""
    sides = (("newly_in_error", "newly in error"), ("recovered", "in error in the baseline alone"))
    return [
        f"{_name(line)}: no row is scored on both sides, {line[field]:,} are {words}"
        for line in metrics
        for field, words in sides
        if not line["paired"] and line[field]
    ]


def _summary(asked: Question) -> list[str]:
    """A warning about scores of whole jobs, which no rows stand behind."""
    if asked.metric is not None or asked.suite is not None:
        return []
    jobs = (*asked.baselines, asked.candidate)
    names = sorted({one["metric"] for job in jobs for one in job["summary_scores"] or ()})
    return [f"scores of whole jobs are not compared: {', '.join(names)}"] if names else []


def _scored_failures(asked: Question, metrics: list[dict[str, Any]], rows: list[dict[str, Any]]) -> list[str]:
    """Warnings about rows that failed and are in no metric in error, since an evaluator scored them."""
    warnings = []
    for line in rows:
        in_error = [one["newly_in_error"] + one["both_in_error"] for one in metrics if one["suite"] == line["suite"]]
        scored = line["candidate_failed"] - min(in_error, default=0)
        if scored > max(0, FEW * line["candidate_rows"]):
            where = "" if line["suite"] == "default" else f" in suite {line['suite']!r}"
            warnings.append(
                f"{scored:,} of {line['candidate_rows']:,} rows of {asked.candidate['name']!r}{where} failed, or a "
                "repetition of them did, and are scored nevertheless: such rows are not in error"
            )
    return warnings


def _one_sided_scores(metrics: list[dict[str, Any]], counts: list[dict[str, int]]) -> list[str]:
    """Notes of each metric how many rows are scored on one side alone; warnings about those of which many are."""
    warnings = []
    for line, found in zip(metrics, counts, strict=True):
        line.update(found)
        for (one, other), count in zip(_BOTH_WAYS, found.values(), strict=True):
            if count > FEW * (line["paired"] + count):
                warnings.append(
                    f"{_name(line)}: {count:,} of {line['paired'] + count:,} rows that are scored in the {one} have no "
                    f"score in the {other}, and are left out"
                )
    return warnings


def _sliced(
    session: Session,
    asked: Question,
    paired_by: dict[str, Any],
    known: dict[int, dict[str, Any]],
    labels: set[tuple[str, ...]],
) -> list[dict[str, Any]]:
    """What became of the metrics in each slice; none where none are asked for."""
    if asked.by is None:
        return []
    source, path = field_source(asked.by, "sliced")
    sliced = queries.compare_metrics(session, **paired_by, **asked.narrow, slice_source=source, slice_path=path)
    slices = [
        {"slice": line["slice"]} | judged(line | _names(one), pairs_of(line, one), one, asked)
        for line in sliced.to_pylist()
        for one in [known[line["number"]]]
    ]
    if asked.test == "permutation":
        _permute(session, asked, paired_by | {"slice_source": source, "slice_path": path}, slices)
    adjust(slices, asked)
    for line in slices:
        line["change"] = "labels, no numbers" if _key(line) in labels and not line["paired"] else line["change"]
    return slices


def _names(known: dict[str, Any]) -> dict[str, Any]:
    return {field: known[field] for field in ("suite", "metric", "name", "higher_is_better")}


def _asked_metrics(session: Session, asked: Question, paired_by: dict[str, Any]) -> list[dict[str, Any]]:
    if is_simple(paired_by) and paired_by["cluster_source"] is None:
        return list(queries.compare_plain_metrics(session, **asked.jobs, **asked.narrow).to_pylist())
    return list(queries.compare_metrics(session, **paired_by, **asked.narrow).to_pylist())


def _permute(session: Session, asked: Question, paired_by: dict[str, Any], metrics: list[dict[str, Any]]) -> None:
    units: dict[tuple[Any, ...], tuple[list[float], list[int]]] = {}
    for line in queries.compare_units(session, **paired_by, **asked.narrow).to_pylist():
        sizes, counts = units.setdefault((*_key(line), line["slice"]), ([], []))
        sizes.append(line["size"])
        counts.append(line["units"])
    for line in metrics:
        if line["paired"]:
            sizes, counts = units.get((*_key(line), line.get("slice")), ([], []))
            line["p_value"] = significance.p_permutation(sizes, counts, line["difference"] * line["paired"])
            line["test"] = "sign-flip permutation"


def _not_compared(measured: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What one side alone measured (`only_in`), and of what counts were told (`told_in`: baseline, candidate, both)."""
    told = {_key(line) for line in measured if line["is_told"]}
    found = []
    for line in measured:
        side = ("both" if line["in_candidate"] else "baseline") if line["in_baseline"] else "candidate"
        if line["is_told"] or not (line["in_both"] or _key(line) in told):
            only_in, told_in = (None, side) if line["is_told"] else (side, None)
            place = {field: line[field] for field in ("suite", "metric", "name")}
            found.append({**place, "only_in": only_in, "told_in": told_in})
    return found


def _told(not_compared: list[dict[str, Any]], shared: set[tuple[str, ...]]) -> list[str]:
    """Warnings about metrics of which only some rows are there, or none: too few to stand for the counts."""
    return [
        f"{_name(line)}: only its counts were told in {_SIDES[line['told_in']]}, without all of its rows: "
        + ("such jobs are left out" if _key(line) in shared else "it is not compared")
        for line in not_compared
        if line["told_in"]
    ]


def _tell_labels(
    session: Session, asked: Question, metrics: list[dict[str, Any]], known: dict[int, dict[str, Any]]
) -> set[tuple[str, ...]]:
    """The metrics of labels without numbers, which have no means: their `change` says how many labels changed."""
    of_labels = {_key(line) for line in known.values() if line["score_type"] == "rubric"}
    if not any(_key(line) in of_labels and not line["paired"] for line in metrics):
        return set()
    found = {_key(line): line for line in queries.compare_labels(session, **asked.jobs, **asked.narrow).to_pylist()}
    for line in metrics:
        if not line["paired"] and (labels := found.get(_key(line))):
            line["change"] = f"{labels['changed']:,} of {labels['labelled']:,} labels changed"
    return set(found)


def _measured(measured: list[dict[str, Any]], side: str) -> str:
    names = [_name(line) for line in measured if line[f"in_{side}"]]
    return f"{side} {', '.join(names[:5]) or 'nothing'}" + (", ..." if names[5:] else "")


def _key(line: dict[str, Any]) -> tuple[str, ...]:
    return line["suite"], line["metric"], line["name"]


def _name(line: dict[str, Any]) -> str:
    name = line["metric"] if line["name"] == line["metric"] else f"{line['metric']}:{line['name']}"
    return name if line["suite"] == "default" else f"{line['suite']}/{name}"


def _direction(line: dict[str, Any]) -> str:
    return "higher" if line["higher_is_better"] else "lower"
