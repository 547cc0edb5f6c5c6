"""Files as TrainLoop 0.9 writes them, and as its documentation describes them, made here."""

import json
from pathlib import Path

SHARED = Path(__file__).parents[3] / "shared/data/trainloop"
REAL, DOCUMENTED = SHARED / "generated_v0.9.0", SHARED / "doc_examples"
RUN = "2026-03-01_10-00-00"
STARTED = 1769940000000  # a month before RUN


def sample(number, *, tag="my-tag", model="gpt-4o-mini", **more):
    return {
        "duration_ms": 50 + number,
        "tag": tag,
        "input": [{"role": "user", "content": f"question {number}"}],
        "output": {"content": f"answer {number}"},
        "model": model,
        "model_params": {},
        "start_time_ms": STARTED + number * 100,
        "end_time_ms": STARTED + number * 100 + 50 + number,
        "url": "http://127.0.0.1/v1/chat/completions",
        "location": {"file": "/home/dev/app.py", "lineNumber": "8"},
        **more,
    }


def line(metric, sample, passed=1, reason=None, **more):
    return {"metric": metric, "sample": sample, "passed": passed, "reason": reason, **more}


def write_lines(file, lines):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(f"{one if isinstance(one, str) else json.dumps(one)}\n" for one in lines))
    return file


def write_run(data, time=RUN, **suites):
    """A run folder below a data folder: suite -> lines."""
    folder = data / "results" / time
    folder.mkdir(parents=True, exist_ok=True)
    for suite, lines in suites.items():
        write_lines(folder / f"{suite}.jsonl", lines)
    return folder


def answer(metric, sample, provider, verdict=1, error=None, *, cost=0.001, latency_ms=40):
    """A line of a benchmark."""
    result = {
        "response": None if error else f"answer of {provider}",
        "latency_ms": None if error else latency_ms,
        "cost": None if error else cost,
        "error": error,
        "model_params": {"temperature": 0.7},
        "verdict": verdict,
        "metric_results": {} if error else {metric: {"passed": verdict, "error": None}},
    }
    reason = f"Provider error: {error}" if error else None if verdict else f"Failed {metric} evaluation"
    output = {"content": result["response"]}
    asked = {**sample, "model": provider, "output": output}
    return {
        "type": "result",
        **line(metric, asked, verdict, reason),
        "score": float(verdict),
        "provider_result": result,
    }


def declared(metric, *providers):
    """The first line of a file of a benchmark."""
    named = [dict(zip(("provider", "model"), provider.split("/"), strict=True)) for provider in providers]
    return {"type": "metadata", "data": {"benchmark_id": f"bench_{metric}", "suite_name": metric, "providers": named}}


def detail(number, passed, **more):
    return {"event_id": f"evt_{number}", "passed": passed, "input": f"in {number}", "output": f"out {number}",
            "verdict": "right" if passed else "wrong", **more}  # fmt: skip


def evaluation(timestamp="2026-03-01T10:00:00.123Z", **suites):
    """A document of an evaluation: suite -> {metric: (passed, total, details)}."""
    found = {}
    for name, metrics in suites.items():
        told = {
            metric: {"passed": passed, "total": total, "score": round(passed / total, 3), "details": details}
            for metric, (passed, total, details) in metrics.items()
        }
        scores = [one["passed"] / one["total"] for one in told.values()]
        found[name] = {
            "events_processed": max(one["total"] for one in told.values()),
            "metrics": told,
            "overall_score": round(sum(scores) / len(scores), 3),
            "tags": [name],
            "duration": 1.5,
        }
    return {
        "timestamp": timestamp,
        "duration": 2.5,
        "total_events": sum(suite["events_processed"] for suite in found.values()),
        "suites": found,
        "configuration": {"judge_models": ["openai/gpt-4o-mini"]},
    }


def write_json(file, document):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(document, indent=2))
    return file
