"""Compares two jobs: what may be compared at all, what SQL says of the pairs, and what statistics make of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from evalstore import queries
from evalstore.analysis import significance
from evalstore.analysis.asked import field_source, jobs_said
from evalstore.analysis.metric_lines import adjust, judged, pairs_of
from evalstore.analysis.pairing import FEW, check_rows, check_whole, newly_unscored, pairing, rows_of
from evalstore.errors import NotComparable, UnknownField

if TYPE_CHECKING:
    from evalstore.analysis.asked import Question
    from evalstore.analysis.statistics import Pairs
    from evalstore.session import Session

__all__ = ["FLIPS", "Found", "compare"]

FLIPS = ("improved", "regressed", "newly in error", "recovered")


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


def compare(session: Session, asked: Question) -> Found:
    """Raises: NotComparable where there is nothing to compare, or too little of it is the same."""
    warnings = check_whole(asked)
    measured = queries.compare_jobs(session, **asked.jobs, **asked.narrow).to_pylist()
    shared = [line for line in measured if line["in_both"]]
    not_compared = [_one_sided(line) for line in measured if not line["in_both"]]
    if not shared:
        raise NotComparable(
            f"{jobs_said(asked)} measured nothing in common: {_measured(measured, 'baseline')}; "
            f"{_measured(measured, 'candidate')}"
        )
    shapes = queries.compare_shape(session, **asked.jobs, suite=asked.suite).to_pylist()
    rows = rows_of(session, asked, shared, shapes)
    warnings += check_rows(asked, rows)
    paired_by = pairing(asked, shared) | {
        "is_plain": all(one["is_plain"] for one in shapes),
        "check_content": any(line["changed"] for line in rows),
    }
    known = {line["number"]: line for line in shared}
    lines = [line | _names(known[line["number"]]) for line in _asked_metrics(session, asked, paired_by)]
    pairs = [pairs_of(line, known[line["number"]]) for line in lines]
    metrics = [judged(line, one, known[line["number"]], asked) for line, one in zip(lines, pairs, strict=True)]
    if asked.test == "permutation":
        _permute(session, asked, paired_by, metrics)
    adjust(metrics, asked)
    labels = _tell_labels(session, asked, metrics, known)
    _check_clusters(asked, metrics)
    for line, count in zip(metrics, newly_unscored(session, asked, paired_by, lines, rows), strict=True):
        line["newly_unscored"] = count
        if count > FEW * (line["paired"] + count):
            warnings.append(
                f"{_name(line)}: {count:,} of {line['paired'] + count:,} rows that are scored in the baseline have no "
                "score in the candidate, and are left out"
            )
    slices = []
    if asked.by is not None:
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
        if all(line["slice"] is None for line in slices):
            warnings.append(f"no row of {asked.candidate['name']!r} has {asked.by}: all of them are one slice")
    warnings += [
        f"{_name(line)}: the jobs were recorded with different directions; {_direction(line)} is better is what counts"
        for line in shared
        if line["directions_differ"]
    ]
    return Found(metrics, pairs, slices, rows, not_compared, warnings, paired_by)


def _check_clusters(asked: Question, metrics: list[dict[str, Any]]) -> None:
    """Rows that were to be clustered, and are not, would seem to tell more than they do."""
    paired = [line for line in metrics if line["paired"]]
    if asked.cluster is not None and paired and all(line["clusters"] is None for line in paired):
        raise UnknownField(f"no row of {asked.candidate['name']!r} has {asked.cluster}, so none can be clustered by it")


def _names(known: dict[str, Any]) -> dict[str, Any]:
    return {field: known[field] for field in ("suite", "metric", "name", "higher_is_better")}


def _asked_metrics(session: Session, asked: Question, paired_by: dict[str, Any]) -> list[dict[str, Any]]:
    is_short = paired_by["is_plain"] and asked.errors == "exclude" and paired_by["cluster_source"] is None
    if is_short and not paired_by["check_content"]:
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


def _one_sided(line: dict[str, Any]) -> dict[str, Any]:
    side = "candidate" if line["baseline_rows"] is None else "baseline"
    return {"suite": line["suite"], "metric": line["metric"], "name": line["name"], "only_in": side}


def _measured(measured: list[dict[str, Any]], side: str) -> str:
    names = [_name(line) for line in measured if line[f"{side}_rows"] is not None]
    return f"{side} {', '.join(names[:5]) or 'nothing'}" + (", ..." if names[5:] else "")


def _key(line: dict[str, Any]) -> tuple[str, ...]:
    return line["suite"], line["metric"], line["name"]


def _name(line: dict[str, Any]) -> str:
    name = line["metric"] if line["name"] == line["metric"] else f"{line['metric']}:{line['name']}"
    return name if line["suite"] == "default" else f"{line['suite']}/{name}"


def _direction(line: dict[str, Any]) -> str:
    return "higher" if line["higher_is_better"] else "lower"
