"""A model as a judge. The model is the user's callable: nothing here knows of any provider."""

from __future__ import annotations

import asyncio
import inspect
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from evalstore import score_values
from evalstore.errors import InvalidScore, JudgeFailed, UsageError
from evalstore.evaluation import coercion, judge_texts, signatures
from evalstore.evaluation.awaiting import completed
from evalstore.evaluation.evaluators import RunEvaluator

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping
    from uuid import UUID

    from evalstore.evaluation.results import EvaluationResult, EvaluationResults, FeedbackConfig

__all__ = ["llm_judge"]

_SHOWN = 200  # characters of a reply that an error repeats


def llm_judge(
    *,
    model: Callable[[Any], Any],
    rubric: str,
    choices: Mapping[str, float | None] | None = None,
    scale: tuple[float, float] = (0.0, 1.0),
    prompt: str | Callable[..., Any] = judge_texts.PROMPT,
    parse: Callable[[str], Any] | None = None,
    retries: int = 2,
    wait: float = 1.0,
    key: str = "judge",
) -> RunEvaluator:
    """An evaluator that asks a model; prompt and reply of every call are kept in the `requests` of the row.

    Args:
        model: takes the prompt, returns the reply: a text, or an object whose `content` is one. Asynchronous or not.
        rubric: what is to be judged, and how.
        choices: the labels that the model may give, each with the number that it stands for, if any; the label is kept
            beside the number. Without them, a number within `scale`.
        scale: the least and the greatest score.
        prompt: a text in which {rubric}, {inputs}, {outputs}, {reference_outputs} and {last_line} are filled in; or a
            function of any of inputs, outputs, reference_outputs, run, example, attachments that returns what `model`
            takes. Without one: the rubric, the three documents, and the wish for a last line `Score: NUMBER` or
            `Verdict: LABEL`.
        parse: takes the text of the reply, returns what an evaluator may return, or None (or raises) where it finds no
            score. Without one: reads that last line, or a reply that is nothing but the score.
        retries: how often the model is asked again when it raises or when its reply holds no score.
        wait: seconds before the first retry, doubled before each further one.
        key: of the score.

    Raises:
        UsageError: here, for what does not fit. From the evaluator: JudgeFailed, once all retries are used up. It is
            stored as an error of the row, with the requests, and never as a score.
    """
    if not callable(model):
        raise UsageError(f"model is a function that takes a prompt and returns a reply, not {model!r}")
    if retries < 0 or wait < 0:
        raise UsageError(f"retries and wait are numbers from 0 up, not {retries!r} and {wait!r}")
    reader = judge_texts.Reader(dict(choices or {}), *scale)
    ask = signatures.bind_evaluator(
        prompt if callable(prompt) else judge_texts.filled(prompt, rubric, reader.last_line)
    )
    return _Judge(
        key,
        model=model,
        ask=ask,
        parse=parse or reader.read,
        feedback_config=None if parse else reader.feedback_config,
        retries=retries,
        wait=wait,
    )


class _Ask(NamedTuple):
    """To be put to the model."""

    prompt: Any


class _Wait(NamedTuple):
    """To be waited for."""

    seconds: float


class _Judge(RunEvaluator):
    """Asks, and asks again. The order of it stands once, in `_dialogue`; who does the steps may wait or be awaited."""

    def __init__(
        self,
        key: str,
        *,
        model: Callable[[Any], Any],
        ask: Callable[[Any, Any], Any],
        parse: Callable[[str], Any],
        feedback_config: FeedbackConfig | None,
        retries: int,
        wait: float,
    ) -> None:
        self.name, self.is_async = key, signatures.is_async(model)
        self._model, self._ask, self._parse = model, ask, parse
        self._feedback_config, self._retries, self._wait = feedback_config, retries, wait

    @property
    def feedback_keys(self) -> list[str]:
        """The key of the score."""
        return [self.name]

    def evaluate_run(self, run: Any, example: Any = None, evaluator_run_id: UUID | None = None) -> EvaluationResults:
        """The judgement. Raises: JudgeFailed."""
        dialogue = self._dialogue(run, example, evaluator_run_id)
        step = next(dialogue)
        while True:
            reply, failure = None, None
            if isinstance(step, _Wait):
                time.sleep(step.seconds)
            else:
                try:
                    reply = self._model(step.prompt)
                    reply = completed(reply) if inspect.isawaitable(reply) else reply
                except Exception as error:  # noqa: BLE001  # the dialogue says what becomes of it
                    failure = error
            try:
                step = dialogue.send((reply, failure))
            except StopIteration as end:
                return {"results": end.value}

    async def aevaluate_run(
        self, run: Any, example: Any = None, evaluator_run_id: UUID | None = None
    ) -> EvaluationResult | EvaluationResults:
        """The same, asynchronously; a model that is not asynchronous runs in a thread."""
        if not self.is_async:
            return await super().aevaluate_run(run, example, evaluator_run_id)
        dialogue = self._dialogue(run, example, evaluator_run_id)
        step = next(dialogue)
        while True:
            reply, failure = None, None
            if isinstance(step, _Wait):
                await asyncio.sleep(step.seconds)
            else:
                try:
                    reply = await self._model(step.prompt)
                except Exception as error:  # noqa: BLE001  # the dialogue says what becomes of it
                    failure = error
            try:
                step = dialogue.send((reply, failure))
            except StopIteration as end:
                return {"results": end.value}

    def _dialogue(
        self, run: Any, example: Any, source_run_id: UUID | None
    ) -> Generator[_Ask | _Wait, tuple[Any, Exception | None], list[EvaluationResult]]:
        if isinstance(getattr(run, "error", None), str):
            raise UsageError("the target failed: there is nothing to judge")
        prompt = self._ask(run, example)
        requests: list[dict[str, Any]] = []
        failure: Exception | None = None
        for attempt in range(self._retries + 1):
            if attempt:
                yield _Wait(self._wait * 2 ** (attempt - 1))
            began = time.perf_counter()
            reply, failure = yield _Ask(prompt)
            request = {"evaluator": self.name, "prompt": prompt, "reply": None, "latency": time.perf_counter() - began}
            requests.append(request)
            if failure is None:
                try:
                    request["reply"] = text = judge_texts.reply_text(reply)
                    return self._results(text, source_run_id, requests)
                except Exception as error:  # noqa: BLE001  # the user's parse may raise anything
                    failure = error
            request["error"] = score_values.error_text(failure)
        asked = "once" if not self._retries else f"{self._retries + 1} times"
        failed = JudgeFailed(f"asked {asked}; the last time: {score_values.error_text(failure or '')}", requests)
        raise failed from failure

    def _results(self, text: str, source_run_id: UUID | None, requests: list[Any]) -> list[EvaluationResult]:
        """What a reply says, with the requests in the first result. Raises: InvalidScore, and what `parse` raises."""
        found = self._parse(text)
        if found is None:
            raise InvalidScore(f"no score in the reply {text[-_SHOWN:]!r}")
        results = coercion.as_results(found, self.name, source_run_id)
        if not results:
            raise InvalidScore(f"no score in the reply {text[-_SHOWN:]!r}")
        handed = {"extra": {**(results[0].extra or {}), "requests": requests}}
        results[0] = results[0].model_copy(update=handed)
        if self._feedback_config is None:
            return results
        return [one.model_copy(update={"feedback_config": self._feedback_config}) for one in results]
