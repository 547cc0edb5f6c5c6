"""The experiment that both runners are measured with, and LangSmith's: runs in an environment that has it alone."""

from __future__ import annotations

import time
import uuid
from typing import Any

__all__ = ["TIMES", "exact", "judge", "langsmith", "mean", "target"]

TIMES = 3


def target(inputs: dict[str, Any]) -> dict[str, Any]:
    return {"answer": 2 * inputs["question"]}


def exact(outputs: dict[str, Any], reference_outputs: dict[str, Any]) -> bool:
    return bool(outputs["answer"] == reference_outputs["answer"])


def judge(run: Any, example: Any) -> dict[str, Any]:
    return {"key": "judge", "score": 0.5, "comment": f"{example.inputs['question']} is fine"}


def mean(outputs: list[dict[str, Any]], reference_outputs: list[dict[str, Any]]) -> float:
    return sum(map(exact, outputs, reference_outputs)) / len(outputs)


def langsmith(count: int) -> float:
    """Its best time, with a client that does nothing in the background."""
    from langsmith import Client, evaluate  # type: ignore[import-not-found]  # of another environment
    from langsmith.schemas import Example  # type: ignore[import-not-found]

    data = [Example(id=uuid.uuid4(), inputs={"question": n}, outputs={"answer": 2 * n}) for n in range(count)]
    times = []
    for _ in range(TIMES):
        client = Client(api_url="http://127.0.0.1:9", api_key="none", auto_batch_tracing=False)
        began = time.perf_counter()
        results = evaluate(
            target, data=data, evaluators=[exact, judge], summary_evaluators=[mean], upload_results=False, client=client
        )
        times.append(time.perf_counter() - began)
        assert len(results) == count
    return min(times)
