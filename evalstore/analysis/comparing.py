"""Compares two jobs: what may be compared at all, what SQL says of the pairs, and what statistics make of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from evalstore import conditions, queries
from evalstore.analysis import statistics
from evalstore.analysis.statistics import Correction, Pairs
from evalstore.errors import NotComparable, UnknownField, UsageError, near

if TYPE_CHECKING:
    from evalstore.session import Session

__all__ = ["FLIPS", "Found", "Question", "Test", "compare", "field_source", "question"]

Test = Literal["auto", "permutation"]

FEW_CHANGED = 0.01  # from this share of rows with other content on, a warning
FLIPS = ("improved", "regressed", "newly in error", "recovered")
COUNTS = (
    *(flip.replace(" ", "_") for flip in FLIPS), "both_right", "both_wrong", "unchanged", "both_in_error",
)  # fmt: skip


@dataclass(frozen=True)
class Question:
    """What is asked of a job and one or several baselines, their names read and their values checked."""

    baselines: list[dict[str, Any]]
    candidate: dict[str, Any]
    metric: str | None
    suite: str | None
    errors: queries.Errors
    cluster: str | None
    confidence: float
    margin: float | None
    by: str | None
    max_changed: float
    min_paired: float
    test: Test
    correction: Correction

    @property
    def jobs(self) -> dict[str, Any]:
        """The ids of both sides, as SQL wants them."""
        return {"baselines": [one["job_id"] for one in self.baselines], "candidate": self.candidate["job_id"]}

    @property
    def narrow(self) -> dict[str, Any]:
        """Which metrics are meant."""
        return {"metric": self.metric, "suite": self.suite}


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


def question(
    baselines: list[dict[str, Any]],
    candidate: dict[str, Any],
    *,
    metric: str | None,
    suite: str | None,
    errors: queries.Errors,
    cluster: str | None,
    confidence: float,
    margin: float | None,
    by: str | None,
    max_changed: float,
    min_paired: float,
    test: Test,
    correction: Correction,
) -> Question:
    """Checks what is asked. Raises: UsageError, UnknownField."""
    _check_word("errors", errors, get_args(queries.Errors))
    _check_word("test", test, get_args(Test))
    _check_word("correction", correction, get_args(Correction))
    _check_number("confidence", confidence, 0.5, 1, "such as 0.95")
    _check_number("max_changed", max_changed, 0, 1, "a share of the rows", closed=True)
    _check_number("min_paired", min_paired, 0, 1, "a share of the rows", closed=True)
    if margin is not None:
        _check_number("margin", margin, 0, math.inf, "the loss that does not matter, in units of the metric")
    if any(one["job_id"] == candidate["job_id"] for one in baselines):
        raise UsageError(f"{candidate['name']!r} is compared with itself: name two jobs")
    suites = [each for job in (*baselines, candidate) for each in job["suites"] or ()]
    known = {
        "metric": {one["metric"] for each in suites for one in each["metrics"]},
        "suite": {each["name"] for each in suites},
    }
    for field, given in (("metric", metric), ("suite", suite)):
        if given is not None and given not in known[field]:
            raise UnknownField(f"neither job has a {field} {given!r}; {near(given, known[field])}")
    return Question(
        baselines, candidate, metric, suite, errors, cluster, confidence, margin, by, max_changed, min_paired, test,
        correction,
    )  # fmt: skip


def _check_word(name: str, given: str, valid: tuple[str, ...]) -> None:
    if given not in valid:
        raise UsageError(f"{name} is one of {', '.join(valid)}, not {given!r}")


def _check_number(name: str, given: Any, low: float, high: float, what: str, *, closed: bool = False) -> None:
    is_number = isinstance(given, (int, float)) and not isinstance(given, bool)
    if not is_number or not (low <= given <= high if closed else low < given < high):
        raise UsageError(f"{name} lies between {low} and {high} ({what}), not {given!r}")


def compare(session: Session, asked: Question) -> Found:
    """Raises: NotComparable where there is nothing to compare, or too little of it is the same."""
    _check_has_rows(asked)
    measured = queries.compare_jobs(session, **asked.jobs, **asked.narrow).to_pylist()
    shared = [line for line in measured if line["in_both"]]
    not_compared = [_one_sided(line) for line in measured if not line["in_both"]]
    if not shared:
        raise NotComparable(
            f"{_pair(asked)} measured nothing in common: {_measured(measured, 'baseline')}; "
            f"{_measured(measured, 'candidate')}"
        )
    shapes = queries.compare_shape(session, **asked.jobs, suite=asked.suite).to_pylist()
    rows = _rows(session, asked, shared, shapes)
    warnings = _check_rows(asked, rows)
    pairing = _pairing(asked, shared) | {
        "is_plain": all(one["is_plain"] for one in shapes),
        "check_content": any(line["changed"] for line in rows),
    }
    known = {line["number"]: line for line in shared}
    lines = [line | _names(known[line["number"]]) for line in _asked_metrics(session, asked, pairing)]
    pairs = [_pairs(line, known[line["number"]]) for line in lines]
    metrics = [_judged(line, one, known[line["number"]], asked) for line, one in zip(lines, pairs, strict=True)]
    if asked.test == "permutation":
        _permute(session, asked, pairing, metrics)
    _adjust(metrics, asked)
    slices = []
    if asked.by is not None:
        source, path = field_source(asked.by, "sliced")
        sliced = queries.compare_metrics(session, **pairing, **asked.narrow, slice_source=source, slice_path=path)
        slices = [
            {"slice": line["slice"]} | _judged(line | _names(one), _pairs(line, one), one, asked)
            for line in sliced.to_pylist()
            for one in [known[line["number"]]]
        ]
        _adjust(slices, asked)
    warnings += [
        f"{_name(line)}: the jobs were recorded with different directions; {_direction(line)} is better is what counts"
        for line in shared
        if line["directions_differ"]
    ]
    return Found(metrics, pairs, slices, rows, not_compared, warnings, pairing)


def _check_has_rows(asked: Question) -> None:
    """Pairs are made of rows. Raises: NotComparable for a job of which only the aggregates are here."""
    for job in (*asked.baselines, asked.candidate):
        if dropped_at := job["rows_dropped_at"]:
            why = f"were dropped on {dropped_at:%Y-%m-%d}; the old job may still be in the trash (`evalstore trash`)"
        elif not job["rows_total"] and any(suite["metrics"] for suite in job["suites"] or ()):
            why = "are not here: it was imported by its counts"
        else:
            continue
        raise NotComparable(f"jobs are compared row by row, and the rows of {job['name']!r} {why}")


def _names(known: dict[str, Any]) -> dict[str, Any]:
    return {field: known[field] for field in ("suite", "metric", "name", "higher_is_better")}


def _asked_metrics(session: Session, asked: Question, pairing: dict[str, Any]) -> list[dict[str, Any]]:
    is_short = pairing["is_plain"] and asked.errors == "exclude" and pairing["cluster_source"] is None
    if is_short and not pairing["check_content"]:
        return list(queries.compare_plain_metrics(session, **asked.jobs, **asked.narrow).to_pylist())
    return list(queries.compare_metrics(session, **pairing, **asked.narrow).to_pylist())


def _rows(
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


def _check_rows(asked: Question, rows: list[dict[str, Any]]) -> list[str]:
    warnings = []
    for line in rows:
        where = "" if line["suite"] == "default" else f" in suite {line['suite']!r}"
        smaller = min(line["baseline_rows"], line["candidate_rows"])
        both = line["paired"] + line["changed"]
        if line["changed"] > asked.max_changed * both:
            raise NotComparable(
                f"{_pair(asked)} are not comparable{where}: of {both:,} rows with the same key {line['changed']:,} "
                f"have another item or reference, more than max_changed={asked.max_changed:g} allows"
            )
        if both < asked.min_paired * smaller or line["paired"] == 0:
            raise NotComparable(
                f"{_pair(asked)} are not comparable{where}: only {both:,} rows are in both, of "
                f"{line['baseline_rows']:,} and {line['candidate_rows']:,}; "
                f"min_paired={asked.min_paired:g} wants that share of the smaller side"
            )
        if line["changed"] > FEW_CHANGED * both:
            warnings.append(
                f"{line['changed']:,} of {both:,} rows{where} have another item or reference under the same key; they "
                "are left out"
            )
    return warnings


def _pairing(asked: Question, shared: list[dict[str, Any]]) -> dict[str, Any]:
    """How pairs are asked for. Clusters are those that a job tells of, or what the user names."""
    told_by = asked.jobs["candidate"]
    source: str | None
    if asked.cluster is not None:
        source, path = field_source(asked.cluster, "clustered")
    else:
        in_candidate = any(line["candidate_clusters"] for line in shared)
        in_baseline = any(line["baseline_clusters"] for line in shared)
        source, path = ("cluster" if in_candidate or in_baseline else None), None
        if in_baseline and not in_candidate:
            told_by = asked.baselines[-1]["job_id"]
    return {
        **asked.jobs, "errors": asked.errors, "told_by": told_by, "cluster_source": source, "cluster_path": path,
    }  # fmt: skip


def field_source(field: str, what: str) -> tuple[str, str | None]:
    """(column, JSON path) of a row field. Raises: UnknownField."""
    source = conditions.row_source(field) if isinstance(field, str) else None
    if source is None:
        valid = [*conditions.ROW_FIELDS, "metadata.<path>", "item.<path>", "sample.<path>", "reference.<path>"]
        raise UnknownField(f"rows cannot be {what} by {field!r}; {near(str(field), valid, most=20)}")
    return source


def _judged(line: dict[str, Any], pairs: Pairs | None, known: dict[str, Any], asked: Question) -> dict[str, Any]:
    """What statistics say of one line of numbers."""
    higher = line["higher_is_better"]
    found = statistics.interval(pairs, asked.confidence) if pairs else None
    p, test = statistics.p_value(pairs) if pairs else (None, None)
    effect, kind = _effect(line, pairs)
    sides = _sides(line, pairs, asked.confidence)
    told: dict[str, Any] = {
        "suite": line["suite"],
        "metric": line["metric"],
        "name": line["name"],
        "higher_is_better": higher,
        "class": known["class"],
        "baseline_mean": line["baseline_mean"],
        "candidate_mean": line["candidate_mean"],
        "difference": line["difference"],
        "low": found and found.low,
        "high": found and found.high,
        "interval": found and found.method,
        "std_error": pairs and pairs.std_error,
        "p_value": p,
        "p_adjusted": None,
        "test": test,
        "change": None,
        "paired": line["n"],
        "clusters": line["clusters"],
        **{field: known[field] for field in _SCORED},
        **sides,
        "effect_size": effect,
        "effect": kind,
        "mde": statistics.minimal_detectable_effect(pairs, asked.confidence) if pairs else None,
        **{field: line[field] for field in COUNTS},
        "in_error": line["in_error"],
    }
    if asked.margin is not None:
        p_margin = pairs and statistics.p_noninferior(pairs, asked.margin, higher_is_better=higher)
        worst = None if found is None else found.low if higher else -found.high
        told |= {
            "margin": asked.margin,
            "p_noninferior": p_margin,
            "noninferior": None if worst is None else worst > -asked.margin,
        }
    return told


_SCORED = (
    "baseline_scored", "baseline_rows", "baseline_errors", "candidate_scored", "candidate_rows", "candidate_errors",
)  # fmt: skip


def _pairs(line: dict[str, Any], known: dict[str, Any]) -> Pairs | None:
    if not line["n"]:
        return None
    is_clustered = line["clusters"] is not None
    is_plain = line["is_pass_fail"] and not line["is_repeated"] and not is_clustered
    declared = None
    if known["maximum"] is not None and known["minimum"] is not None:
        declared = known["maximum"] - known["minimum"]
    seen = known["highest"] - known["lowest"] if known["highest"] is not None else None
    return Pairs(
        n=line["n"],
        difference=line["difference"],
        std_dev=line["std_dev"],
        units=line["units"],
        unit_squares=line["unit_squares"],
        up=line["up"],
        down=line["down"],
        baseline_ones=round(line["baseline_mean"] * line["n"]) if is_plain else None,
        scale=1.0 if line["is_pass_fail"] else declared or seen,
        is_clustered=is_clustered,
    )


def _effect(line: dict[str, Any], pairs: Pairs | None) -> tuple[float | None, str | None]:
    """Cohen's h of two proportions, else Cohen's d of paired differences (their mean over their deviation)."""
    if pairs is None:
        return None, None
    if line["is_pass_fail"]:
        before, after = (
            2 * math.asin(math.sqrt(min(max(line[side], 0), 1))) for side in ("baseline_mean", "candidate_mean")
        )
        return after - before, "Cohen h"
    return (pairs.difference / pairs.std_dev if pairs.std_dev else None), "Cohen d"


def _sides(line: dict[str, Any], pairs: Pairs | None, confidence: float) -> dict[str, Any]:
    """Wilson's intervals of both pass rates, where rows are plainly passed or not."""
    found: dict[str, Any] = {}
    for side, change in (("baseline", 0), ("candidate", line["up"] - line["down"])):
        is_plain = pairs is not None and pairs.baseline_ones is not None
        ends = statistics.wilson(pairs.baseline_ones + change, pairs.n, confidence) if pairs and is_plain else None  # type: ignore[operator]
        found[f"{side}_low"], found[f"{side}_high"] = ends or (None, None)
    return found


def _permute(session: Session, asked: Question, pairing: dict[str, Any], metrics: list[dict[str, Any]]) -> None:
    units: dict[tuple[str, ...], tuple[list[float], list[int]]] = {}
    for line in queries.compare_units(session, **pairing, **asked.narrow).to_pylist():
        sizes, counts = units.setdefault(_key(line), ([], []))
        sizes.append(line["size"])
        counts.append(line["units"])
    for line in metrics:
        if line["paired"]:
            sizes, counts = units.get(_key(line), ([], []))
            line["p_value"] = statistics.p_permutation(sizes, counts, line["difference"] * line["paired"])
            line["test"] = "sign-flip permutation"


def _adjust(lines: list[dict[str, Any]], asked: Question) -> None:
    """Adjusts the p values for there being several, and says in a word what they tell."""
    for line, p in zip(lines, statistics.adjusted([one["p_value"] for one in lines], asked.correction), strict=True):
        line["p_adjusted"] = p
        if not line["paired"]:
            line["change"] = "nothing paired"
        elif p is None:
            line["change"] = "too few rows"
        elif p < 1 - asked.confidence and line["difference"]:
            line["change"] = "improved" if (line["difference"] > 0) == line["higher_is_better"] else "regressed"
        else:
            line["change"] = "no difference shown"


def _one_sided(line: dict[str, Any]) -> dict[str, Any]:
    side = "candidate" if line["baseline_rows"] is None else "baseline"
    return {"suite": line["suite"], "metric": line["metric"], "name": line["name"], "only_in": side}


def _measured(measured: list[dict[str, Any]], side: str) -> str:
    names = [_name(line) for line in measured if line[f"{side}_rows"] is not None]
    return f"{side} {', '.join(names[:5]) or 'nothing'}" + (", ..." if names[5:] else "")


def _pair(asked: Question) -> str:
    return f"{', '.join(repr(one['name']) for one in asked.baselines)} and {asked.candidate['name']!r}"


def _key(line: dict[str, Any]) -> tuple[str, ...]:
    return line["suite"], line["metric"], line["name"]


def _name(line: dict[str, Any]) -> str:
    name = line["metric"] if line["name"] == line["metric"] else f"{line['metric']}:{line['name']}"
    return name if line["suite"] == "default" else f"{line['suite']}/{name}"


def _direction(line: dict[str, Any]) -> str:
    return "higher" if line["higher_is_better"] else "lower"
