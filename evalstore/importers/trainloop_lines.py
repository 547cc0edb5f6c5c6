"""The lines that TrainLoop writes, one per metric and sample, brought together into rows with their scores."""

from __future__ import annotations

import zlib
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import zstandard

from evalstore.errors import BrokenInput
from evalstore.importers.files import read_records
from evalstore.importers.sources import opened
from evalstore.importers.trainloop_jobs import as_number, verdict
from evalstore.json_text import canonical
from evalstore.logged_line import digest, item_key

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from evalstore.importers.trainloop_jobs import FoundJob

__all__ = ["RESULTS", "UNREAD", "add_suite", "benchmark_row", "last_moment", "lines", "row_of_sample", "suite_name"]

RESULTS = (".jsonl", ".jsonl.gz", ".jsonl.zst")
"""How the names of files of results end: the last two are packed."""

UNREAD = "unread"
"""Where in the metadata of a row stands what is no number, and should be."""
_FAILED = "failed"  # what TrainLoop writes where a metric returned 0; any other reason is the last line of an exception
_KNOWN = {"metric", "sample", "passed", "reason", "type", "score", "provider_result"}
_ELSEWHERE = {"input", "output", "duration_ms", "start_time_ms"}


def lines(file: Path, job: FoundJob | None = None) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects in a file with the number of their line. With a `job`, what cannot be read becomes a row in error.

    Raises: BrokenInput, which names file and line.
    """
    if _is_blank(file):
        return
    for record in read_records(file):
        if record.value is not None:
            yield record.line, record.value
        elif job is None:
            raise record.problem or BrokenInput("cannot be read", file=file, line=record.line)
        else:
            _keep_bad(job, file, record.problem, record.line, text=record.text)


def suite_name(file: Path) -> str:
    """The suite, or in a benchmark the metric, that a file of results is named after."""
    return next((file.name.removesuffix(end) for end in RESULTS if file.name.endswith(end)), file.stem)


def _is_blank(file: Path) -> bool:
    """Whether there is no line in a file, packed or not: a suite without results."""
    try:
        with opened(file) as source:
            return not source.look()
    except (EOFError, OSError, zlib.error, zstandard.ZstdError):
        return False  # what is wrong with it is told by whoever reads it


def add_suite(job: FoundJob, file: Path, *, skip_bad_rows: bool = False) -> None:
    """Adds what a file of results holds: a row per sample, which each metric scores.

    A sample that a metric scores once more is another repetition of the row: lines that say the same are all kept.

    Raises: BrokenInput (file, line, field).
    """
    rows: dict[tuple[str, int], dict[str, Any]] = {}
    seen: Counter[tuple[str, str]] = Counter()
    suite = suite_name(file)
    keys: dict[str, str] = {}  # of samples, which stand in a line per metric
    for number, line in lines(file, job if skip_bad_rows else None):
        try:
            metric, sample, score = _metric(file, number, line), _sample(file, number, line), _score(file, number, line)
        except BrokenInput as problem:
            if not skip_bad_rows:
                raise
            _keep_bad(job, file, problem, number, line=line)
            continue
        text = canonical(sample)
        key = keys.get(text) or keys.setdefault(text, digest(text))
        again = seen[key, metric]
        seen[key, metric] += 1
        row = rows.get((key, again))
        if row is None:
            row = rows[key, again] = {"suite": suite, "row_key": key, "scores": {}, **row_of_sample(sample)}
        row["scores"][metric] = score
        job.duplicates += again > 0
        job.errors += "error" in score
    # A key without a repetition takes the next one: so they come in their order.
    job.rows += [row for _, row in sorted(rows.items(), key=lambda one: one[0][1])]


def benchmark_row(file: Path, number: int, line: dict[str, Any], suite: str) -> dict[str, Any]:
    """The row of a line of a benchmark: one answer of one provider, scored by one metric.

    The row's key leaves out model and answer, so that the rows of providers pair. Raises: BrokenInput.
    """
    metric, sample = _metric(file, number, line), _sample(file, number, line)
    result = line.get("provider_result")
    result = result if isinstance(result, dict) else {}
    failure = result.get("error")
    asked = {key: value for key, value in sample.items() if key not in ("model", "output")}
    of_metrics = result.get("metric_results") or {}
    of_metric = (of_metrics.get(metric) or {}) if isinstance(of_metrics, dict) else None
    if not isinstance(of_metric, dict):
        raise _problem(file, number, "provider_result", "must have metric_results by name, each an object", line)
    if failure is not None:
        score: dict[str, Any] = {"error": str(failure)}
    elif of_metric.get("error") is not None:
        score = {"error": str(of_metric["error"])}
    else:
        score = _plain_score(file, number, line)
        score |= {"comment": line["reason"]} if line.get("reason") else {}
    row = row_of_sample(sample)
    row["metadata"]["model_params"] = result.get("model_params", sample.get("model_params"))
    cost, latency = _number(result.get("cost")), _seconds(result.get("latency_ms"))
    _keep_unread(row["metadata"], {"cost": cost, "latency_ms": latency}, result)
    answer = {"sample": {"content": result["response"]}} if result.get("response") is not None else {"sample": None}
    return {
        **row,
        **answer,
        "suite": suite,
        "row_key": item_key(asked),
        "scores": {metric: score},
        "error": None if failure is None else str(failure),
        # When the provider was asked is not told; the time is that of the call that the sample was taken from.
        "started_at": None,
        "latency": latency,
        "cost": cost,
    }


def row_of_sample(sample: dict[str, Any]) -> dict[str, Any]:
    """What `log()` takes of a sample: the call that was judged.

    Only when the call began is a time of the row: from first to last call is not how long a suite took.
    """
    output, tag = sample.get("output"), sample.get("tag")
    latency, began = _seconds(sample.get("duration_ms")), _moment(sample.get("start_time_ms"))
    metadata = {key: value for key, value in sample.items() if key not in _ELSEWHERE}
    if latency is None or began is None:
        _keep_unread(metadata, {"duration_ms": latency, "start_time_ms": began}, sample)
    return {
        "item": {"input": sample.get("input")},
        "sample": output,
        "metadata": metadata,
        "tags": [tag] if isinstance(tag, str) and tag else [],
        "latency": latency,
        "started_at": began,
    }


def _keep_unread(metadata: dict[str, Any], read: dict[str, Any], given: dict[str, Any]) -> None:
    """Puts what could not be read as a number into the metadata, so that it is not lost."""
    unread = {field: given[field] for field, value in read.items() if value is None and given.get(field) is not None}
    if unread:
        metadata[UNREAD] = {**metadata.get(UNREAD, {}), **unread}


def last_moment(rows: list[dict[str, Any]]) -> datetime | None:
    """When the last of the calls began."""
    return max((row["started_at"] for row in rows if row.get("started_at")), default=None)


def _metric(file: Path, number: int, line: dict[str, Any]) -> str:
    metric = line.get("metric")
    if isinstance(metric, str) and metric:
        return metric
    raise _problem(file, number, "metric", "must be the name of a metric", line)


def _sample(file: Path, number: int, line: dict[str, Any]) -> dict[str, Any]:
    sample = line.get("sample")
    if isinstance(sample, dict) and sample:
        return sample
    raise _problem(file, number, "sample", "must be an object that tells the call", line)


def _score(file: Path, number: int, line: dict[str, Any]) -> dict[str, Any]:
    """The score of a line. A reason other than "failed" beside no pass is an exception, not a judgement."""
    score, reason = _plain_score(file, number, line), line.get("reason")
    if reason is not None and not isinstance(reason, str):
        raise _problem(file, number, "reason", "must be text or null", line)
    more = {key: value for key, value in line.items() if key not in _KNOWN}
    extra = {"extra": more} if more else {}
    if reason is not None and reason != _FAILED and score["value"] in (0, None):
        return {"error": reason, **extra}
    return {**score, **({} if reason is None else {"comment": reason}), **extra}


def _plain_score(file: Path, number: int, line: dict[str, Any]) -> dict[str, Any]:
    if "passed" not in line:
        raise _problem(file, number, "passed", "is missing", line)
    passed = line["passed"]
    if passed is None or isinstance(passed, bool) or _number(passed) is not None:
        return verdict(passed)
    raise _problem(file, number, "passed", "must be true, false or a number that fits a double", line)


def _problem(file: Path, number: int, field: str, what: str, line: dict[str, Any]) -> BrokenInput:
    given = f", not {line[field]!r:.60}" if field in line else ""
    return BrokenInput(what + given, file=file, line=number, field=field)


def _keep_bad(
    job: FoundJob, file: Path, problem: BrokenInput | None, number: int, *, text: str | None = None, line: Any = None
) -> None:
    """Puts a line that cannot be read into the job as a row in error."""
    item = {"line": number, "text": text, "record": line}
    job.rows.append({
        "suite": suite_name(file),
        "item": {key: value for key, value in item.items() if value is not None},
        "row_key": f"line {number}",
        "error": f"BrokenInput: {problem}",
        "metadata": None,
    })  # fmt: skip
    job.bad_rows += 1


def _number(value: Any) -> float | None:
    return None if isinstance(value, bool) else as_number(value)


def _seconds(milliseconds: Any) -> float | None:
    number = _number(milliseconds)
    return None if number is None else number / 1000


def _moment(milliseconds: Any) -> datetime | None:
    number = _number(milliseconds)
    try:
        return None if number is None else datetime.fromtimestamp(number / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return None
