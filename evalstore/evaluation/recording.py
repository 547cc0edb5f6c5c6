"""Between what an experiment has in its hands (run, example, results) and what a row of the store holds."""

from __future__ import annotations

import traceback
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from evalstore import json_text, logged_line, score_values
from evalstore.errors import UsageError
from evalstore.evaluation.results import EvaluationResult
from evalstore.evaluation.schemas import Example, Run

if TYPE_CHECKING:
    from collections.abc import Iterable

    from evalstore.evaluation.data import Task
    from evalstore.evaluation.reporting import Report

__all__ = [
    "Source",
    "as_result",
    "as_scores",
    "check_scores",
    "error_scores",
    "failed_run_text",
    "readable",
    "row_line",
    "row_of",
    "run_of_line",
]

_GIVEN = ("comment", "correction", "metadata", "feedback_config", "source_run_id")
_KINDS: dict[type, str] = {bool: "bool", int: "int", float: "float"}
_EXACT = 2**53  # integers up to here are exact as doubles; neither NaN nor infinity is within
_NOTHING = "the evaluator gave no score"


def row_line(
    task: Task,
    run: Run,
    report: Report,
    error: BaseException | None,
    *,
    suite: str,
    latency: float | None,
    moments: tuple[datetime | None, datetime | None],
    repetition: int | None,
) -> tuple[dict[str, Any], BaseException | None]:
    """The line of the journal for a run without its scores, and its error.

    Outputs that cannot be stored are an error of the row. `repetition` is None where the store numbers the rows.

    Raises: UsageError for an example that cannot be stored.
    """
    example = task.example
    documents = {
        "item": example.inputs or {},
        "sample": run.outputs,
        "reference": getattr(example, "outputs", None),
        "metadata": getattr(example, "metadata", None),
    }
    for last_try in (False, True):
        try:
            line, _ = logged_line.logged_line(
                0,
                suite=suite,
                row_key=task.row_key,
                scores=None,
                error=error,
                documents=documents,
                requests=report.requests or None,
                numbers={"latency": latency, "cost": report.cost},
                counts={**(report.counts or {}), "row_index": task.row_index, "repetition": repetition},
                moments={"started_at": moments[0], "finished_at": moments[1]},
                cluster=None,
                tags=(),
            )
        except UsageError as refusal:
            if last_try:
                raise
            error, documents["sample"] = error or refusal, None
            report.requests = None
        else:
            return line, error
    raise AssertionError


def readable(error: Exception) -> Exception:
    """An error whose text can be had: the same one, but for those that raise when they are asked for it."""
    try:
        str(error), repr(error)
    except Exception:  # noqa: BLE001  # it is user code
        return RuntimeError(f"{type(error).__name__}, whose own text cannot be had").with_traceback(error.__traceback__)
    return error


def failed_run_text(error: BaseException) -> str:
    """What stands in `run.error`: the exception, an empty line, the traceback."""
    return f"{error!r}\n\n{''.join(traceback.format_exception(error))}"


def as_scores(results: Iterable[EvaluationResult], evaluator: str, run_id: Any) -> dict[str, list[dict[str, Any]]]:
    """What an evaluator gave, as `Job.log` takes it; an evaluator that gave nothing leaves a score that says so.

    A score without a target_run_id is one of the whole run, `run_id`.
    """
    scores: dict[str, list[dict[str, Any]]] = {}
    for result in results:
        score: dict[str, Any] = {"score": result.score, "value": result.value}
        for field in _GIVEN:
            if (value := getattr(result, field)) is not None:
                score[field] = value
        score["evaluator_info"] = {**result.evaluator_info, "evaluator": evaluator}
        score["target_run_id"] = result.target_run_id or run_id
        if result.extra:
            score["extra"] = result.extra
            if result.extra.get("error") is True and result.score is None:
                score["error"] = result.comment or "error"
        scores.setdefault(result.key, []).append(score)
    if not scores:
        info = {"evaluator": evaluator}
        return {
            evaluator: [{"status": "skipped", "comment": _NOTHING, "evaluator_info": info, "extra": {"none": True}}]
        }
    return scores


def written_scores(results: list[EvaluationResult], source: Source, run_id: str) -> tuple[list[dict[str, Any]], int]:
    """The same as a row holds it, and how many lone surrogates were replaced: the plain cases first.

    Raises: InvalidScore.
    """
    if len(results) == 1 and (score := _plain(results[0], source, run_id)) is not None:
        return [score], 0
    return score_values.normalise(as_scores(results, source.name, run_id))


def _plain(result: EvaluationResult, source: Source, run_id: str) -> dict[str, Any] | None:
    """One result that is a plain number, with a comment or a label at most."""
    value, label, kind = result.score, result.value, _KINDS.get(type(result.score))
    if (
        kind is None
        or not -_EXACT <= value <= _EXACT  # type: ignore[operator]
        or not (label is None or (type(label) is str and label))
        or result.evaluator_info
        or result.feedback_config is not None
        or result.correction is not None
        or result.extra
        or not result.key
    ):
        return None
    score = {"metric": result.key, "score_index": 0, "value": value, "value_type": kind, "evaluator_info": source.info}
    if kind == "bool":
        score["value"] = int(value)  # type: ignore[arg-type]
    if label is not None:
        score["label"] = label
    if result.comment is not None:
        score["comment"] = result.comment
    if result.metadata is not None:
        score["metadata"], replaced = json_text.given("metadata", result.metadata)
        if replaced:
            return None
    if result.source_run_id is not None:
        score["source_run_id"] = str(result.source_run_id)
    score["target_run_id"] = str(result.target_run_id) if result.target_run_id else run_id
    return score


class Source:
    """The evaluator that scores come from, as it stands in each of them."""

    __slots__ = ("info", "name")

    def __init__(self, name: str) -> None:
        self.name, self.info = name, json_text.dumps({"evaluator": name})[0]


def error_scores(results: Iterable[EvaluationResult], error: BaseException, evaluator: str, run_id: Any) -> Any:
    """The same for an evaluator that raised: `results` stand in the place of its scores."""
    scores = as_scores(results, evaluator, run_id)
    trace = "".join(traceback.format_exception(error))
    for given in scores.values():
        for score in given:
            score |= {"error": score_values.error_text(error), "extra": {"error": True, "traceback": trace}}
    return scores


def check_scores(scores: dict[str, Any]) -> None:
    """Raises InvalidScore for what cannot be stored."""
    score_values.normalise(scores)


def as_result(score: dict[str, Any], run_id: Any = None) -> EvaluationResult | None:
    """A written score as the result that it was; None for one that only says that an evaluator gave nothing."""
    texts = ("correction", "metadata", "evaluator_info", "feedback_config", "extra")
    found = {field: json_text.loads(score[field]) for field in texts if score.get(field) is not None}
    extra = found.get("extra")
    if isinstance(extra, dict):
        if extra.get("none") is True:
            return None
        extra = {name: value for name, value in extra.items() if name not in ("traceback", "exact_value")}
    info = {name: value for name, value in (found.get("evaluator_info") or {}).items() if name != "evaluator"}
    target = _run_id(score.get("target_run_id"))
    label = score.get("label")
    return EvaluationResult(
        key=score["metric"],
        score=_number(score, found.get("extra")),
        value=json_text.loads(label) if label is not None and score.get("value_type") == "json" else label,
        comment=score.get("comment") or score.get("error"),
        correction=_dict(found.get("correction")),
        metadata=_dict(found.get("metadata")),
        evaluator_info=info,
        feedback_config=_dict(found.get("feedback_config")),
        source_run_id=_run_id(score.get("source_run_id")),
        target_run_id=None if target == run_id else target,
        extra=_dict(extra) or None,
    )


def row_of(line: dict[str, Any], *, run_id: UUID, name: str, extra: dict[str, Any]) -> dict[str, Any]:
    """A whole line of the journal as a row of results: run, example, evaluation_results."""
    run, example = run_of_line(line, run_id=run_id, name=name, extra=extra)
    results = [result for score in line["scores"] if (result := as_result(score, run_id)) is not None]
    return {"run": run, "example": example, "evaluation_results": {"results": results}}


def run_of_line(line: dict[str, Any], *, run_id: UUID, name: str, extra: dict[str, Any]) -> tuple[Run, Example]:
    """The run and the example of a line of the journal. All that they hold is plain JSON then."""
    item, sample, reference, metadata, details = (
        json_text.loads(line[field]) if line.get(field) is not None else None
        for field in ("item", "sample", "reference", "metadata", "error_details")
    )
    error = line.get("error")
    if isinstance(details, dict) and "traceback" in details:
        error = f"{error}\n\n{details['traceback']}"
    example = Example(id=line["row_key"], inputs=item, outputs=reference, metadata=metadata)
    run = Run(
        id=run_id,
        name=name,
        start_time=_moment(line.get("started_at")) or datetime.fromtimestamp(0, UTC),
        end_time=_moment(line.get("finished_at")),
        inputs=item,
        outputs=sample,
        error=error,
        reference_example_id=example.id,
        extra=extra,
    )
    return run, example


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _number(score: dict[str, Any], extra: Any) -> bool | int | float | None:
    value, kind = score.get("value"), score.get("value_type")
    if value is None:
        return None
    if kind == "bool":
        return bool(value)
    if kind == "int":
        return int(extra["exact_value"] if isinstance(extra, dict) and "exact_value" in extra else value)
    return float(value)


def _run_id(text: str | None) -> UUID | str | None:
    try:
        return None if text is None else UUID(text)
    except ValueError:
        return text


def _dict(value: Any) -> dict[str, Any] | None:
    return value if isinstance(value, dict) else None
