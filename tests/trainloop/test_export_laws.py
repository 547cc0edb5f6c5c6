"""Whatever a job is, what TrainLoop's exporter writes of it comes back with equal aggregates and totals."""

import math
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import evalstore

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TOTALS = [
    "kind",
    "status",
    "dataset",
    "model",
    "group",
    "tags",
    "config",
    "error",
    "metrics",
    "created_at",
    "total_events",
    "total_suites",
    "total_metrics",
    "total_passed",
    "total_evaluated",
    "pass_rate",
    "overall_score",
    "rows_total",
    "rows_scored",
    "rows_unscored",
    "rows_error",
    "cost",
    "prompt_tokens",
    "total_tokens",
    "latency_mean",
    "latency_p50",
    "latency_p95",
]
PARTS = {
    "aggregates": "SELECT * EXCLUDE (workspace, job, job_id) FROM aggregate_scores WHERE job_id = $job ORDER BY ALL",
    "suites": """SELECT suite, status, error, overall_score, pass_rate, events_processed FROM suites
                 WHERE job_id = $job ORDER BY ALL""",
    "failures": """SELECT level, suite, metric, row_key, repetition, error FROM failures
                   WHERE job_id = $job ORDER BY ALL""",
    "scores of the job": """SELECT * EXCLUDE (workspace, job, job_id, created_at) FROM job_scores
                            WHERE job_id = $job ORDER BY ALL""",
}
DECLARED = {
    "share": {"minimum": 0, "maximum": 1, "higher_is_better": False},
    "judged": {"threshold": 0.5},
    "grade": {"rubric": [{"label": "poor", "value": 0}, {"label": "good", "value": 1}]},
}

errors = st.just({"error": "the judge is down"})
numbers = st.sampled_from([0.0, 0.25, 1.0, math.nan, math.inf])
scores = st.fixed_dictionaries({"ok": st.booleans() | errors}, optional={
    "share": numbers | errors,
    "judged": st.sampled_from([0.25, 0.75]) | errors,
    "grade": st.sampled_from(["good", "poor", "odd"]),
    "told": st.fixed_dictionaries(
        {"value": st.sampled_from([0.5, 3]), "passed": st.booleans(), "comment": st.just("c")}),
    "list": st.tuples(st.just({"name": "one", "value": 0.5}), st.just({"name": "two", "value": True})).map(list),
    "off": st.just({"status": "skipped"}),
})  # fmt: skip
rows = st.fixed_dictionaries(
    {"item": st.sampled_from(["q1", "q2", {"input": "q3"}]), "suite": st.sampled_from(["default", "a b"]),
     "scores": scores},
    optional={"error": st.just("timeout"), "cost": st.just(0.25), "total_tokens": st.just(5), "latency": numbers.filter(
        lambda number: 0 < number < 2), "sample": st.just("a"), "cluster": st.just("c")},
)  # fmt: skip
jobs = st.fixed_dictionaries({
    "kind": st.sampled_from(["evaluation", "benchmark"]),
    "status": st.sampled_from(["completed", "completed", "error", "interrupted"]),
    "rows": st.lists(rows, max_size=4),
    "summary": st.sampled_from([{}, {"f1": 0.5, "matrix": {"value": math.nan, "comment": "c"}, "sure": True}]),
    "context": st.fixed_dictionaries({}, optional={
        "dataset": st.just("d"), "group": st.just("g"), "tags": st.just(["t"]), "config": st.just({"a": 1}),
        "metrics": st.just(DECLARED),
    }),
})  # fmt: skip


def put(store, number, told):
    context = {"created_at": NOON + timedelta(hours=number), "model": f"m/{number}", **told["context"]}
    if told["kind"] == "benchmark":
        context["group"] = "bench"
    job = store.job(f"job-{number}", kind=told["kind"], **context)
    for row in told["rows"]:
        job.log(**row)
    job.log_summary(told["summary"])
    job.finish(told["status"], RuntimeError("out of quota") if told["status"] == "error" else None)


def rounded(value):
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(one) for one in value]
    return f"{value:.12g}" if isinstance(value, float) else value


def by_model(store):
    """All that has to come back of each job."""
    found = {}
    for job in store.jobs().to_dicts():
        whole = store.show(job["name"])
        said = {part: rounded(store.sql(query, job=job["job_id"]).rows()) for part, query in PARTS.items()}
        found[job["model"]] = {**{field: rounded(whole[field]) for field in TOTALS}, **said}
    return found


@settings(max_examples=6, deadline=None, phases=[Phase.generate], derandomize=True)
@given(st.lists(jobs, min_size=1, max_size=5))
def test_what_comes_back_is_what_went_out(told):
    with (
        tempfile.TemporaryDirectory() as folder,
        evalstore.open(Path(folder) / "here") as here,
        evalstore.open(Path(folder) / "there") as there,
    ):
        for number, one in enumerate(told):
            put(here, number, one)
        here.export(here.jobs()["name"].to_list(), "trainloop", to=Path(folder) / "out")
        there.import_from("trainloop", Path(folder) / "out")
        after, before = by_model(there), by_model(here)
        assert after.keys() == before.keys()
        differing = [
            (model, field, after[model][field], said)
            for model, fields in before.items()
            for field, said in fields.items()
            if after[model][field] != said
        ]
        assert differing == []
