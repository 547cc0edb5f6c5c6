"""A model as a judge: what it is asked, how its replies are read, what becomes of those that cannot be read."""

import asyncio
import math
import re
import time
from types import SimpleNamespace
from typing import Any

import pytest

from evalstore.errors import JudgeFailed, UsageError
from evalstore.evaluation import llm_judge
from evalstore.evaluation.evaluators import as_evaluator, evaluator_keys
from evalstore.evaluation.requests import requests_of_error, without_requests
from tests.evaluation.objects import a_run, an_example

RUN = a_run(outputs={"answer": "4"})
EXAMPLE = an_example(inputs={"question": "2 + 2"}, outputs={"answer": "four"})


class Model:
    """Gives its replies one after the other, raising those that are errors, and keeps what it was asked."""

    def __init__(self, *replies):
        self.replies, self.prompts = list(replies), []

    def __call__(self, prompt):
        self.prompts.append(prompt)
        reply = self.replies.pop(0)
        if isinstance(reply, BaseException):
            raise reply
        return reply


class LaterModel(Model):
    async def __call__(self, prompt):
        await asyncio.sleep(0)
        return super().__call__(prompt)


def judge(*replies, **options):
    return llm_judge(**{"model": Model(*replies), "rubric": "Is it right?", "wait": 0, "retries": 0, **options})


def judged(evaluator, *, is_async=False) -> tuple[Any, list[Any]]:
    """The one result without its requests, and the requests."""
    found = asyncio.run(evaluator.aevaluate_run(RUN, EXAMPLE)) if is_async else evaluator.evaluate_run(RUN, EXAMPLE)
    [result], requests = without_requests(found["results"])
    return result, requests


def test_the_prompt_holds_the_rubric_the_documents_and_the_last_line():
    model = Model("Score: 1")
    judged(judge(model=model))
    [prompt] = model.prompts
    for part in ("Is it right?", '{"question":"2 + 2"}', '{"answer":"4"}', '{"answer":"four"}'):
        assert part in prompt
    assert prompt.endswith("\nScore: a number from 0 to 1")


def test_a_prompt_of_ones_own_keeps_its_braces():
    model = Model("1")
    judged(
        judge(model=model, prompt='{rubric} {"json": {outputs}} {unknown} {last_line}', rubric="{inputs}", scale=(1, 5))
    )
    assert model.prompts == ['{inputs} {"json": {"answer":"4"}} {unknown} Score: a number from 1 to 5']


def test_a_prompt_may_be_made_by_a_function():
    model = Model("1")
    judged(judge(model=model, prompt=lambda outputs, inputs: [{"role": "user", "content": f"{inputs} {outputs}"}]))
    assert model.prompts == [[{"role": "user", "content": "{'question': '2 + 2'} {'answer': '4'}"}]]
    with pytest.raises(ValueError, match="Invalid evaluator function"):
        judge(prompt=lambda answer: answer)


@pytest.mark.parametrize(
    ("reply", "score"),
    [
        ("It is right.\nScore: 1", 1.0),
        ("It is half right.\n\n**Score:** 0.5\n", 0.5),
        ("Score: 0\nOn second thoughts:\nscore = 0.25.", 0.25),
        ("0.75", 0.75),
        (" `1` ", 1.0),
        ("> Score: 0", 0.0),
        (SimpleNamespace(content="Score: 1"), 1.0),
    ],
    ids=range(7),
)
def test_the_last_line_is_the_score_and_the_reply_the_comment(reply, score):
    result, requests = judged(judge(reply))
    text = reply if isinstance(reply, str) else reply.content
    assert (result.key, result.score, result.comment) == ("judge", score, text)
    assert result.feedback_config == {"type": "continuous", "min": 0.0, "max": 1.0}
    assert result.extra is None
    assert [request["reply"] for request in requests] == [text]


def test_negative_scores_are_read():
    assert judged(judge("Score: -2", scale=(-5, 5)))[0].score == -2.0


@pytest.mark.parametrize(
    "reply",
    ["", "It is right.", "Score: high", "Score: 8/10", "Score: 2", "Score: -1", "Score: nan", "Score: inf", "Score:"],
    ids=range(9),
)
def test_a_reply_without_a_score_is_an_error_and_no_0(reply):
    evaluator = judge(reply)
    with pytest.raises(JudgeFailed, match=r"asked once; the last time: InvalidScore: no score in the reply") as caught:
        judged(evaluator)
    [request] = requests_of_error(caught.value)
    assert request["reply"] == reply
    assert "no score" in request["error"]


CHOICES = {"correct": 1.0, "partly correct": 0.5, "wrong": 0.0, "cannot tell": None}


@pytest.mark.parametrize(
    ("reply", "label", "score"),
    [
        ("Because.\nVerdict: correct", "correct", 1.0),
        ("verdict: **Partly Correct**.", "partly correct", 0.5),
        ("WRONG", "wrong", 0.0),
        ("Verdict: cannot tell", "cannot tell", None),
    ],
    ids=range(4),
)
def test_a_choice_is_kept_beside_its_number(reply, label, score):
    result, _ = judged(judge(reply, choices=CHOICES))
    assert (result.score, result.value) == (score, label)
    assert result.feedback_config == {
        "type": "categorical",
        "categories": [{"value": number, "label": label} for label, number in CHOICES.items()],
    }


@pytest.mark.parametrize("reply", ["incorrect", "Verdict: correct or wrong", "1", "not correct"])
def test_a_choice_is_not_guessed(reply):
    with pytest.raises(JudgeFailed):
        judged(judge(reply, choices=CHOICES))


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("model", [Model, LaterModel])
def test_it_is_asked_again_and_every_call_is_kept(model, is_async):
    replies = [TimeoutError("slow"), "no idea", "Score: 1"]
    result, requests = judged(judge(model=model(*replies), retries=2), is_async=is_async)
    assert result.score == 1.0
    assert [(one["reply"], (one.get("error") or "")[:20]) for one in requests] == [
        (None, "TimeoutError: slow"),
        ("no idea", "InvalidScore: no sco"),
        ("Score: 1", ""),
    ]
    assert len({one["prompt"] for one in requests}) == 1
    assert all(one["evaluator"] == "judge" and one["latency"] >= 0 for one in requests)


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("model", [Model, LaterModel])
def test_when_all_is_in_vain_the_last_failure_is_the_cause(model, is_async):
    evaluator = judge(model=model("no idea", ConnectionError("down")), retries=1)
    with pytest.raises(JudgeFailed, match="asked 2 times; the last time: ConnectionError: down") as caught:
        judged(evaluator, is_async=is_async)
    assert isinstance(caught.value.__cause__, ConnectionError)
    assert [one["reply"] for one in requests_of_error(caught.value)] == ["no idea", None]


def test_the_waits_double():
    evaluator = judge("", "", "", "1", retries=3, wait=0.02)
    began = time.perf_counter()
    judged(evaluator)
    assert time.perf_counter() - began >= 0.02 + 0.04 + 0.08


def test_ctrl_c_is_not_a_reply():
    with pytest.raises(KeyboardInterrupt):
        judged(judge(KeyboardInterrupt(), "1", retries=3))


@pytest.mark.parametrize(
    ("parse", "score", "value"),
    [
        (lambda reply: "yes" in reply.lower(), True, None),
        (lambda reply: int(re.search(r"\d+", reply)[0]) / 10, 0.8, None),  # type: ignore[index]
        (lambda reply: {"score": 1, "value": "good"}, 1, "good"),
    ],
    ids=range(3),
)
def test_a_reply_may_be_read_by_ones_own_function(parse, score, value):
    result, requests = judged(judge("Yes: 8 of 10", parse=parse))
    assert (result.score, result.value, result.feedback_config) == (score, value, None)
    assert len(requests) == 1


def test_one_reply_may_hold_several_scores():
    both = {"results": [{"key": "fluent", "score": 1}, {"key": "right", "score": 0}]}
    found: Any = judge("x", parse=lambda _: both).evaluate_run(RUN, EXAMPLE)
    results, requests = without_requests(found["results"])
    assert [(one.key, one.score) for one in results] == [("fluent", 1), ("right", 0)]
    assert len(requests) == 1


@pytest.mark.parametrize(
    "parse", [lambda _: None, lambda _: 1 / 0, lambda _: {"accuracy": 1}, lambda _: {"results": []}], ids=range(4)
)
def test_what_ones_own_function_cannot_read_is_asked_again_and_then_an_error(parse):
    with pytest.raises(JudgeFailed, match="asked 2 times") as caught:
        judged(judge("a", "b", parse=parse, retries=1))
    assert [one["reply"] for one in requests_of_error(caught.value)] == ["a", "b"]


def test_a_model_that_returns_no_text_is_an_error():
    with pytest.raises(JudgeFailed, match="the model returned dict"):
        judged(judge({"content": "1"}))


def test_the_answer_of_a_failed_target_is_not_paid_for():
    model = Model("Score: 1")
    with pytest.raises(UsageError, match="the target failed"):
        judge(model=model).evaluate_run(a_run(error="ValueError('no')", outputs=None), EXAMPLE)
    assert model.prompts == []


def test_it_is_an_evaluator_with_a_key():
    evaluator = as_evaluator(judge("1", key="helpful"))
    assert evaluator_keys(evaluator) == ["helpful"]
    found: Any = evaluator.evaluate_run(RUN, EXAMPLE)
    assert found["results"][0].key == "helpful"
    assert found["results"][0].source_run_id is not None
    assert as_evaluator(judge(model=LaterModel())).is_async  # type: ignore[attr-defined]
    assert not as_evaluator(judge()).is_async  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "options",
    [
        {"model": "gpt"},
        {"retries": -1},
        {"wait": -1},
        {"scale": (1, 1)},
        {"scale": (0, math.nan)},
        {"choices": {"Good": 1, "good.": 0}},
        {"choices": {"*": 1}},
    ],
    ids=range(7),
)
def test_what_does_not_fit_is_refused_before_anything_is_asked(options):
    with pytest.raises(UsageError):
        judge(**options)
