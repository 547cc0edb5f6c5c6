"""Every view on a small store with known content, asked through evalstore and through plain DuckDB."""

import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from textwrap import dedent

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import evalstore
from evalstore.errors import JobExists, UsageError

VIEWS = (
    "jobs",
    "results",
    "aggregate_scores",
    "suites",
    "suite_metrics",
    "row_scores",
    "rows",
    "leaderboard",
    "suite_trend",
    "metric_trend",
    "model_costs",
    "failures",
    "interrupted_jobs",
)


def day(number):
    return datetime(2024, 1, number, tzinfo=UTC)


def put(store, name, on, rows, *, stop=None, **context):
    """Records a job of a day; `stop` is the exception that ends it after its rows."""
    try:
        with store.job(name, created_at=day(on), **context) as job:
            for row in rows:
                job.log(**row)
            if stop is not None:
                raise stop
    except (RuntimeError, KeyboardInterrupt):
        assert stop is not None


def question(number):
    return {"row_key": f"q{number}", "item": {"question": number}, "reference": {"answer": 10 * number}}


LOWER = {"seconds": {"higher_is_better": False}}


def answers(*outcomes, seconds=None):
    """Rows of the questions 1, 2, ...: right, wrong, or an error."""
    for number, outcome in enumerate(outcomes, 1):
        if isinstance(outcome, str):
            yield {**question(number), "error": outcome}
        else:
            yield {**question(number), "scores": {"correct": outcome, **({"seconds": seconds} if seconds else {})}}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    root = tmp_path_factory.mktemp("views") / "evals"
    with evalstore.open(root) as store:
        two_suites(store)
        a_competition(store)
        lines(store, root)
        costs(store)
        yield store


def two_suites(store):
    """One job in every detail."""
    rows = [
        {
            **question(1), "suite": "quality", "sample": {"text": "x"}, "metadata": {"category": "a"}, "tags": ["hard"],
            "cluster": "c1", "latency": 0.5, "prompt_tokens": 10, "completion_tokens": 5, "cost": 0.25,
            "started_at": day(1), "finished_at": day(1) + timedelta(seconds=0.5), "requests": [{"model": "m"}],
            "scores": {"grade": {"value": 1, "comment": "poor", "metadata": {"by": "judge"}}},
        },
        {
            **question(2), "suite": "quality", "latency": 1.5, "prompt_tokens": 20, "completion_tokens": 5, "cost": 0.5,
            "started_at": day(1), "finished_at": day(1) + timedelta(seconds=1.5), "tags": ["hard", "new"],
            "scores": {"grade": 4},
        },
        {**question(1), "suite": "exact", "scores": {"correct": True}},
        {**question(1), "suite": "exact", "scores": {"correct": False}},
        {**question(3), "suite": "exact", "error": "timeout"},
        {**question(4), "suite": "exact", "scores": {"correct": {"error": "no verdict"}}},
    ]  # fmt: skip
    put(
        store, "two-suites", 7, rows, dataset="d/two", model="m/alpha", metric_ref="judge", group="g", kind="benchmark",
        labels={"team": "one"}, tags=["nightly", "b"], config={"temperature": 0}, metadata={"by": "me"},
        metrics={"grade": {"minimum": 0, "maximum": 1}},
    )  # fmt: skip


def a_competition(store):
    """Models on the same questions and on others, without a name, of several days, ended before their time."""
    on = {"dataset": "d/qa", "metrics": LOWER}
    put(store, "alpha-1", 1, answers(False, False, False, False, seconds=4), model="m/alpha", **on)
    put(store, "alpha-2", 2, answers(True, True, False, "timeout", seconds=2), model="m/alpha", **on)
    put(store, "beta-1", 2, answers(True, True, False, True, seconds=1), model="m/beta", **on)
    put(store, "gamma-1", 3, answers(True, False, True, True, seconds=3), model="m/gamma", **on)
    put(store, "delta-1", 4, answers(True, True, True, seconds=0.5), model="m/delta", **on)
    put(store, "nameless-1", 3, answers(True, True, False, False), **on)
    put(store, "nameless-2", 4, answers(False, False, False, True), **on)
    put(store, "alpha-broken", 5, answers(True), model="m/alpha", stop=RuntimeError("disk on fire"), **on)
    put(store, "alpha-stopped", 6, answers(True, "late"), model="m/alpha", stop=KeyboardInterrupt(), **on)


RATES = [0.25, 0.5, 0.75, 1.0, 0.5, 0.25, 0.75]


def lines(store, root):
    """One series of seven points, among points of series that differ from it in one thing each."""
    with evalstore.open(root, workspace="lab") as lab:
        for number, rate in enumerate(RATES, 1):
            rows = list(answers(*(place < rate * 4 for place in range(4))))
            put(store, f"line-{number}", number * 2, rows, dataset="d/line", model="m/alpha")
            if number in (3, 5):
                few = list(answers(number == 5, number == 5))
                put(store, f"model-{number}", number * 2 + 1, few, dataset="d/line", model="m/beta")
                put(store, f"dataset-{number}", number * 2 + 1, few, dataset="d/line2", model="m/alpha")
                put(store, f"group-{number}", number * 2 + 1, few, dataset="d/line", model="m/alpha", group="nightly")
                put(lab, f"lab-{number}", number * 2 + 1, few, dataset="d/line", model="m/alpha")
    broken = list(answers(True, True, True, True))
    put(store, "line-broken", 9, broken, dataset="d/line", model="m/alpha", stop=RuntimeError("late"))


def costs(store):
    used = {"prompt_tokens": 100, "completion_tokens": 50}
    rows = [{**row, **used, "cost": 0.3, "latency": 2.0} for row in answers(True, False)]
    put(store, "cost-1", 1, rows, dataset="d/cost", model="m/alpha")
    rows = [
        {**row, "prompt_tokens": 10, "completion_tokens": 0, "latency": 1.0} for row in answers(True, True, False, True)
    ]
    put(store, "cost-2", 2, rows, dataset="d/cost", model="m/alpha")
    put(store, "cost-3", 3, answers(True, "timeout"), dataset="d/cost", model="m/beta")
    rows = [{**row, "cost": 1.0} for row in answers(False)]
    put(store, "cost-4", 3, rows, dataset="d/cost", model="m/gamma")


def shows(frame, columns, *lines):
    """These columns of a frame are exactly these lines."""
    part = frame.select(columns.split())
    assert_frame_equal(part, pl.DataFrame(list(lines), schema=part.schema, orient="row"))


def is_throughout(frame, **values):
    """These columns hold one value each."""
    for column, value in values.items():
        assert frame[column].unique().to_list() == [value], column


OF_TWO_SUITES = {"workspace": "default", "job": "two-suites", "dataset": "d/two", "model": "m/alpha"}


# Jobs


def test_jobs_has_one_line_per_job_whatever_its_status(store):
    frame = store.sql("FROM jobs WHERE dataset = 'd/qa' ORDER BY name")
    shows(
        frame,
        "name status model rows_total rows_scored rows_unscored rows_error total_passed total_evaluated created_at",
        ("alpha-1", "completed", "m/alpha", 4, 4, 0, 0, 0, 4, day(1)),
        ("alpha-2", "completed", "m/alpha", 4, 3, 0, 1, 2, 3, day(2)),
        ("alpha-broken", "error", "m/alpha", 1, 1, 0, 0, 1, 1, day(5)),
        ("alpha-stopped", "interrupted", "m/alpha", 2, 1, 0, 1, 1, 1, day(6)),
        ("beta-1", "completed", "m/beta", 4, 4, 0, 0, 3, 4, day(2)),
        ("delta-1", "completed", "m/delta", 3, 3, 0, 0, 3, 3, day(4)),
        ("gamma-1", "completed", "m/gamma", 4, 4, 0, 0, 3, 4, day(3)),
        ("nameless-1", "completed", None, 4, 4, 0, 0, 2, 4, day(3)),
        ("nameless-2", "completed", None, 4, 4, 0, 0, 1, 4, day(4)),
    )
    errors = {line["name"]: line["error"] for line in frame.to_dicts()}
    assert errors["alpha-broken"]["type"] == "RuntimeError"
    assert errors["alpha-broken"]["message"] == "disk on fire"
    assert "raise stop" in json.loads(errors["alpha-broken"]["details"])["traceback"]
    assert errors["alpha-stopped"]["type"] == "KeyboardInterrupt"
    assert errors["alpha-1"] is None


def test_a_job_tells_everything_that_was_said_of_it(store):
    [line] = store.sql("FROM jobs WHERE name = 'two-suites'").to_dicts()
    said = {
        "workspace": "default", "kind": "benchmark", "status": "completed", "metric_ref": "default/judge",
        "dataset": "d/two", "model": "m/alpha", "group": "g", "labels": {"team": "one"}, "tags": ["b", "nightly"],
        "config": '{"temperature":0}', "metadata": '{"by":"me"}', "error": None, "source": None,
        "total_events": 6, "total_suites": 2, "total_metrics": 2, "total_passed": 1, "total_evaluated": 2,
        "pass_rate": 0.5, "rows_total": 6, "rows_scored": 4, "rows_unscored": 0, "rows_error": 2, "prompt_tokens": None,
        "completion_tokens": None, "total_tokens": None, "cost": None, "latency_mean": 1.0, "latency_p50": 1.0,
        "created_at": day(7), "started_at": day(7), "replaced_characters": 0, "metrics_unscaled": 0,
    }  # fmt: skip
    assert {field: line[field] for field in said} == said
    assert line["overall_score"] == pytest.approx((2.5 + 0.5) / 2)
    assert line["latency_p95"] == pytest.approx(1.45)
    assert [suite["name"] for suite in line["suites"]] == ["exact", "quality"]
    assert line["finished_at"] >= line["started_at"]
    assert line["duration"] == pytest.approx((line["finished_at"] - line["started_at"]).total_seconds())
    assert line["job_id"]


def test_results_has_exactly_one_line_per_completed_job(store):
    names = store.sql("SELECT name FROM results")["name"].sort().to_list()
    assert names == store.sql("SELECT name FROM jobs WHERE status = 'completed'")["name"].sort().to_list()
    assert len(names) == len(set(names)) == 27
    [line] = store.sql("FROM results WHERE name = 'two-suites'").to_dicts()
    [job] = store.sql("FROM jobs WHERE name = 'two-suites'").to_dicts()
    assert (line["id"], line["metric"], line["dataset"], line["model"]) == (
        job["job_id"],
        "default/judge",
        "d/two",
        "m/alpha",
    )
    assert (line["created_at"], line["updated_at"]) == (job["created_at"], job["finished_at"])
    for field in (
        "workspace",
        "labels",
        "status",
        "kind",
        "group",
        "tags",
        "rows_total",
        "rows_error",
        "overall_score",
        "cost",
    ):
        assert line[field] == job[field], field
    assert (
        line["scores"] == store.sql("FROM aggregate_scores WHERE job = 'two-suites' ORDER BY suite, metric").to_dicts()
    )


def test_a_result_without_scores_has_an_empty_list_of_them(tmp_path):
    with evalstore.open(tmp_path / "evals") as store:
        put(store, "empty", 1, [])
        assert store.sql("SELECT scores FROM results")["scores"].to_list() == [[]]


# Suites and aggregates


def test_suites_unnests_the_suites_of_each_job(store):
    frame = store.sql("FROM suites WHERE job = 'two-suites' ORDER BY suite")
    is_throughout(frame, **OF_TWO_SUITES, job_status="completed", group="g", created_at=day(7), status="completed")
    shows(
        frame,
        "suite events_processed overall_score pass_rate metrics_unscaled tags duration error",
        ("exact", 4, 0.5, 0.5, 0, [], None, "timeout"),
        ("quality", 2, 2.5, None, 0, ["hard", "new"], 1.5, None),
    )
    [broken] = store.sql("FROM suites WHERE job = 'alpha-broken'").to_dicts()
    assert (broken["status"], broken["error"]) == ("error", "disk on fire")


def test_the_digest_of_a_suite_tells_same_rows_from_others(store):
    query = "SELECT job, rows_digest FROM suites WHERE dataset = 'd/qa'"
    digests = dict(store.sql(query).iter_rows())
    assert digests["alpha-1"] == digests["alpha-2"] == digests["beta-1"] == digests["nameless-1"]
    assert digests["delta-1"] != digests["alpha-1"]


def test_suite_metrics_unnests_the_metrics_of_each_suite(store):
    frame = store.sql("FROM suite_metrics WHERE job = 'two-suites' ORDER BY suite")
    is_throughout(frame, **OF_TWO_SUITES, job_status="completed", group="g", created_at=day(7), is_scaled=True)
    shows(
        frame,
        "suite metric name score passed total evaluated rows_scored rows_unscored rows_error",
        ("exact", "correct", "correct", 0.5, 1, 4, 2, 2, 0, 2),
        ("quality", "grade", "grade", 2.5, None, 2, None, 2, 0, 0),
    )


def test_aggregate_scores_has_one_line_per_metric_of_a_suite(store):
    frame = store.sql("FROM aggregate_scores WHERE job = 'two-suites' ORDER BY suite")
    is_throughout(frame, **OF_TWO_SUITES, status="completed", score_type="range", nan_count=0, inf_count=0)
    is_throughout(frame, rubric_distribution=None, mode_category=None)
    shows(
        frame,
        "suite metric name count out_of_range sum mean min max median std_dev variance sample_std_dev sample_variance",
        ("exact", "correct", "correct", 2, 0, 1.0, 0.5, 0.0, 1.0, 0.5, 0.5, 0.25, 0.5**0.5, 0.5),
        ("quality", "grade", "grade", 2, 1, 5.0, 2.5, 1.0, 4.0, 2.5, 1.5, 2.25, 4.5**0.5, 4.5),
    )
    shows(
        frame,
        "std_error passed evaluated rows_scored rows_unscored rows_error rows_total items_scored clusters",
        (None, 1, 2, 2, 0, 2, 4, 1, None),
        (1.5, None, None, 2, 0, 0, 2, 2, 1),
    )
    [exact, grade] = frame.to_dicts()
    assert list(exact["percentiles"]) == [f"p{percent}" for percent in range(10, 101, 10)]
    assert grade["percentiles"]["p50"] == 2.5
    bins = grade["histogram"]["bins"]
    assert [part["count"] for part in bins] == [1, 0, 0, 0, 0, 0, 0, 0, 0, 1]
    assert [part["lower_bound"] for part in bins] == pytest.approx([1 + 0.3 * place for place in range(10)])
    assert bins[-1]["upper_bound"] == 4.0


# Rows


def test_row_scores_has_one_line_per_score(store):
    frame = store.sql("FROM row_scores WHERE job = 'two-suites' ORDER BY suite, row_index")
    is_throughout(frame, workspace="default", job="two-suites", label=None, score_index=0)
    shows(
        frame,
        "suite metric name row_key repetition row_index value value_type passed status comment error metadata",
        ("exact", "correct", "correct", "q1", 0, 0, 1.0, "bool", True, "scored", None, None, None),
        ("exact", "correct", "correct", "q1", 1, 1, 0.0, "bool", False, "scored", None, None, None),
        ("exact", "correct", "correct", "q4", 0, 3, None, "null", None, "error", None, "no verdict", None),
        ("quality", "grade", "grade", "q1", 0, 0, 1.0, "int", None, "scored", "poor", None, '{"by":"judge"}'),
        ("quality", "grade", "grade", "q2", 0, 1, 4.0, "int", None, "scored", None, None, None),
    )
    for column in ("correction", "evaluator_info", "feedback_config", "extra", "source_run_id", "target_run_id"):
        assert frame[column].null_count() == 5


def test_rows_has_one_line_per_row(store):
    frame = store.sql("FROM rows WHERE job = 'two-suites' ORDER BY suite, row_index")
    is_throughout(frame, workspace="default", job="two-suites")
    shows(
        frame,
        "suite row_key repetition row_index item reference error",
        ("exact", "q1", 0, 0, '{"question":1}', '{"answer":10}', None),
        ("exact", "q1", 1, 1, '{"question":1}', '{"answer":10}', None),
        ("exact", "q3", 0, 2, '{"question":3}', '{"answer":30}', "timeout"),
        ("exact", "q4", 0, 3, '{"question":4}', '{"answer":40}', None),
        ("quality", "q1", 0, 0, '{"question":1}', '{"answer":10}', None),
        ("quality", "q2", 0, 1, '{"question":2}', '{"answer":20}', None),
    )
    shows(
        frame,
        "latency prompt_tokens completion_tokens total_tokens cost tags cluster started_at finished_at",
        *[(None,) * 9] * 4,
        (0.5, 10, 5, 15, 0.25, ["hard"], "c1", day(1), day(1) + timedelta(seconds=0.5)),
        (1.5, 20, 5, 25, 0.5, ["hard", "new"], None, day(1), day(1) + timedelta(seconds=1.5)),
    )
    shows(
        frame,
        "sample requests metadata",
        *[(None, None, None)] * 4,
        ('{"text":"x"}', '[{"model":"m"}]', '{"category":"a"}'),
        (None, None, None),
    )
    assert frame["error_details"].null_count() == 6
    hashes = dict(frame.select("row_key", "row_hash").iter_rows())
    assert len(set(hashes.values())) == frame["row_hash"].n_unique() == 4


def test_rows_of_jobs_that_did_not_complete_are_there(store):
    query = (
        "SELECT job, count(*) AS n FROM rows WHERE job IN ('alpha-broken', 'alpha-stopped') GROUP BY ALL ORDER BY ALL"
    )
    shows(store.sql(query), "job n", ("alpha-broken", 1), ("alpha-stopped", 2))
    query = "SELECT job, value FROM row_scores WHERE job IN ('alpha-broken', 'alpha-stopped') ORDER BY ALL"
    shows(store.sql(query), "job value", ("alpha-broken", 1.0), ("alpha-stopped", 1.0))


def test_every_view_that_reads_rows_or_scores_shows_all_of_them(store):
    """Also the views behind the views."""
    counts = store.sql("SELECT (SELECT count(*) FROM rows) AS r, (SELECT count(*) FROM row_scores) AS s").row(0)
    assert counts == (store.sql("SELECT sum(rows_total)::BIGINT AS n FROM jobs")["n"][0], counts[1])
    scored = store.sql("SELECT count(*) AS n FROM row_scores WHERE status = 'scored'")["n"][0]
    assert store.sql("SELECT count(*) AS n FROM row_qualities")["n"][0] == scored
    assert store.sql("SELECT count(*) AS n FROM ROW_SCORES")["n"][0] == counts[1]
    assert store.sql('SELECT count(*) AS n FROM "rows" AS r')["n"][0] == counts[0]
    assert (
        store.sql("SELECT count(*) AS n FROM measure")["n"][0]
        == store.sql("SELECT count(*) AS n FROM aggregate_scores")["n"][0]
    )


# The leaderboard

RANKED = "job model rank mean passed evaluated rows_scored rows_error rows_total comparable"


def test_the_leaderboard_ranks_the_latest_completed_job_of_each_model(store):
    frame = store.sql("FROM leaderboard WHERE dataset = 'd/qa' AND metric = 'correct' ORDER BY rank NULLS LAST, job")
    shows(
        frame,
        RANKED,
        ("beta-1", "m/beta", 1, 0.75, 3, 4, 4, 0, 4, True),
        ("gamma-1", "m/gamma", 1, 0.75, 3, 4, 4, 0, 4, True),
        ("alpha-2", "m/alpha", 3, 2 / 3, 2, 3, 3, 1, 4, True),
        ("nameless-1", None, 4, 0.5, 2, 4, 4, 0, 4, True),
        ("nameless-2", None, 5, 0.25, 1, 4, 4, 0, 4, True),
        ("delta-1", "m/delta", None, 1.0, 3, 3, 3, 0, 3, False),
    )
    assert frame["higher_is_better"].all()
    assert frame["std_error"][0] == pytest.approx(statistics.stdev([1, 1, 0, 1]) / 2)


def test_where_lower_is_better_the_lowest_mean_comes_first(store):
    shows(
        store.sql("FROM leaderboard WHERE dataset = 'd/qa' AND metric = 'seconds' ORDER BY rank NULLS LAST"),
        "job rank mean comparable higher_is_better",
        ("beta-1", 1, 1.0, True, False),
        ("alpha-2", 2, 2.0, True, False),
        ("gamma-1", 3, 3.0, True, False),
        ("delta-1", None, 0.5, False, False),
    )


def test_the_leaderboard_is_printed_best_first_and_errors_may_count(store):
    frame = store.leaderboard(metric="correct", dataset="d/qa")
    assert frame["job"].to_list() == ["beta-1", "gamma-1", "alpha-2", "nameless-1", "nameless-2", "delta-1"]
    zero = store.leaderboard(metric="correct", dataset="d/qa", errors="zero")
    shows(zero.filter(pl.col("model") == "m/alpha"), RANKED, ("alpha-2", "m/alpha", 3, 0.5, 2, 4, 3, 1, 4, True))
    slowest = store.leaderboard(metric="seconds", dataset="d/qa", errors="worst").filter(pl.col("job") == "alpha-2")
    assert slowest["mean"].to_list() == [2.0]


def test_datasets_and_workspaces_have_leaderboards_of_their_own(store):
    query = "SELECT workspace, dataset, job FROM leaderboard WHERE metric = 'correct' AND rank = 1 ORDER BY ALL"
    shows(
        store.sql(query).filter(~pl.col("dataset").is_in(["d/qa", "d/cost"])),
        "workspace dataset job",
        ("default", "d/line", "line-7"),
        ("default", "d/line2", "dataset-5"),
        ("default", "d/two", "two-suites"),
        ("lab", "d/line", "lab-5"),
    )


def test_jobs_over_more_or_newer_rows_make_the_row_set_that_is_ranked(tmp_path):
    with evalstore.open(tmp_path / "evals") as store:
        put(store, "old", 1, answers(True), dataset="d", model="a")
        put(store, "new", 2, answers(True, False), dataset="d", model="b")
        shows(store.leaderboard(), "job rank comparable", ("new", 1, True), ("old", None, False))
        put(store, "old-too", 1, answers(False), dataset="d", model="c")
        frame = store.leaderboard()
        shows(frame, "job rank comparable", ("old", 1, True), ("old-too", 2, True), ("new", None, False))


def test_rows_with_the_same_keys_but_other_content_are_not_compared(tmp_path):
    with evalstore.open(tmp_path / "evals") as store:
        for name, reference in (("a", 1), ("b", 2)):
            rows = [{"row_key": "q", "item": {"q": 1}, "reference": {"answer": reference}, "scores": {"m": 1}}]
            put(store, name, 1, rows, dataset="d", model=name)
        assert store.leaderboard()["rank"].null_count() == 1


def test_a_model_without_a_single_score_is_shown_and_not_ranked(tmp_path):
    with evalstore.open(tmp_path / "evals") as store:
        put(store, "good", 1, [{**question(1), "scores": {"m": 1}}], dataset="d", model="good")
        put(store, "none", 1, [{**question(1), "scores": {"m": None}}], dataset="d", model="none")
        shows(store.leaderboard(), "job rank mean rows_unscored", ("good", 1, 1.0, 0), ("none", None, None, 1))


def test_all_models_of_a_ranking_are_ranked_in_one_direction(tmp_path):
    """Whichever of the jobs it was declared with."""
    with evalstore.open(tmp_path / "evals") as store:
        for name, seconds, metrics in (("slow", 9, None), ("fast", 1, LOWER), ("middle", 5, None)):
            put(
                store,
                name,
                1,
                [{**question(1), "scores": {"seconds": seconds}}],
                dataset="d",
                model=name,
                metrics=metrics,
            )
        shows(
            store.leaderboard(),
            "job rank higher_is_better",
            ("fast", 1, False),
            ("middle", 2, False),
            ("slow", 3, False),
        )


def test_a_direction_declared_later_turns_the_leaderboard_round(tmp_path):
    with evalstore.open(tmp_path / "evals") as store:
        for name, seconds in (("slow", 9), ("fast", 1)):
            put(store, name, 1, [{**question(1), "scores": {"seconds": seconds}}], dataset="d", model=name)
        assert store.leaderboard()["job"].to_list() == ["slow", "fast"]
        store.metrics.declare("seconds", higher_is_better=False)
        assert store.leaderboard()["job"].to_list() == ["fast", "slow"]


# Trends

POINTS = "job previous delta moving_mean moving_std_dev moving_count"


def points(values, names):
    for place, (name, value) in enumerate(zip(names, values, strict=True)):
        five = values[max(0, place - 4) : place + 1]
        previous = values[place - 1] if place else None
        spread = statistics.stdev(five) if len(five) > 1 else None
        yield name, previous, None if previous is None else value - previous, statistics.mean(five), spread, len(five)


@pytest.mark.parametrize(("view", "value"), [("suite_trend", "overall_score"), ("metric_trend", "mean")])
def test_a_trend_has_previous_difference_and_moving_mean_over_five_points(store, view, value):
    on = "workspace = 'default' AND dataset = 'd/line' AND model = 'm/alpha' AND \"group\" IS NULL"
    frame = store.sql(f"FROM {view} WHERE {on} ORDER BY created_at")
    assert frame[value].to_list() == RATES
    assert frame["created_at"].to_list() == [day(number * 2) for number in range(1, 8)]
    shows(frame, POINTS, *points(RATES, [f"line-{number}" for number in range(1, 8)]))


@pytest.mark.parametrize("view", ["suite_trend", "metric_trend"])
@pytest.mark.parametrize("other", ["model", "dataset", "group", "lab"])
def test_series_are_never_mixed(store, view, other):
    frame = store.sql(f"FROM {view} WHERE job LIKE $like ORDER BY created_at", like=f"{other}-_")
    shows(
        frame.filter(pl.col("dataset").str.starts_with("d/line")),
        POINTS,
        (f"{other}-3", None, None, 0.0, None, 1),
        (f"{other}-5", 0.0, 1.0, 0.5, 0.5**0.5, 2),
    )


@pytest.mark.parametrize("view", ["suite_trend", "metric_trend", "results", "leaderboard", "model_costs"])
def test_jobs_that_did_not_complete_are_in_no_summary(store, view):
    text = store.sql(f"FROM {view}").write_json()
    for job in ("alpha-broken", "alpha-stopped", "line-broken"):
        assert job not in text


def test_a_suite_trend_says_when_the_rows_changed(tmp_path):
    with evalstore.open(tmp_path / "evals") as store:
        for number, rows in enumerate([(True,), (False,), (True, True)], 1):
            put(store, f"j{number}", number, answers(*rows), dataset="d", model="m")
        frame = store.trend()
        assert frame["rows_changed"].fill_null(value=False).to_list() == [False, False, True]


def test_names_of_a_metric_are_series_of_their_own(tmp_path):
    with evalstore.open(tmp_path / "evals") as store:
        for number in (1, 2):
            rouge = [{"name": "r1", "value": number}, {"name": "rL", "value": 10 * number}]
            put(store, f"j{number}", number, [{**question(1), "scores": {"rouge": rouge}}], dataset="d", model="m")
        shows(
            store.trend("rouge"),
            "name job mean previous delta",
            ("r1", "j1", 1.0, None, None),
            ("r1", "j2", 2.0, 1.0, 1.0),
            ("rL", "j1", 10.0, None, None),
            ("rL", "j2", 20.0, 10.0, 10.0),
        )
        assert len(store.trend("rouge", name="rL")) == 2
        with pytest.raises(UsageError, match="give the metric too"):
            store.trend(name="rL")


def test_the_trend_of_a_store_is_that_of_its_workspace(store):
    found = store.trend(dataset="d/line", model="m/alpha")["job"].to_list()
    assert sorted(found) == ["group-3", "group-5", *(f"line-{number}" for number in range(1, 8))]


# Costs and failures


def test_model_costs_adds_up_and_leaves_unknown_what_is_not_known(store):
    shows(
        store.sql("FROM model_costs WHERE dataset = 'd/cost' ORDER BY model"),
        "workspace dataset model jobs rows_total rows_error passed evaluated pass_rate prompt_tokens completion_tokens "
        "total_tokens cost jobs_with_cost cost_per_passed cost_per_1k_tokens latency_mean",
        ("default", "d/cost", "m/alpha", 2, 6, 0, 4, 6, 4 / 6, 240, 100, 340, 0.6, 1, 0.6, 2.0, 8 / 6),
        ("default", "d/cost", "m/beta", 1, 2, 1, 1, 1, 1.0, None, None, None, None, 0, None, None, None),
        ("default", "d/cost", "m/gamma", 1, 1, 0, 0, 1, 0.0, None, None, None, 1.0, 1, None, None, None),
    )


def test_failures_lists_jobs_rows_and_scores_that_went_wrong(store):
    shows(
        store.sql("FROM failures WHERE workspace = 'default' ORDER BY level, job, row_key"),
        "level job suite metric row_key repetition error created_at",
        ("job", "alpha-broken", None, None, None, None, "RuntimeError: disk on fire", day(5)),
        ("job", "alpha-stopped", None, None, None, None, "KeyboardInterrupt: ", day(6)),
        ("job", "line-broken", None, None, None, None, "RuntimeError: late", day(9)),
        ("row", "alpha-2", "default", None, "q4", 0, "timeout", day(2)),
        ("row", "alpha-stopped", "default", None, "q2", 0, "late", day(6)),
        ("row", "cost-3", "default", None, "q2", 0, "timeout", day(3)),
        ("row", "two-suites", "exact", None, "q3", 0, "timeout", day(7)),
        ("score", "two-suites", "exact", "correct", "q4", 0, "no verdict", day(7)),
    )


# Jobs whose writer died

WRITER = """
    import sys, time, evalstore
    job = evalstore.open(sys.argv[1], workspace="lab").job("killed", dataset="d/x", model="m/y")
    for number in range(3):
        job.log(item={"q": number}, scores={"m": number})
    print("logged", flush=True)
    time.sleep(60)
"""


def test_a_killed_writer_leaves_an_interrupted_job_and_a_living_one_does_not(tmp_path):
    root = tmp_path / "evals"
    with evalstore.open(root) as store, store.job("alive") as alive:
        put(store, "done", 1, answers(True))
        alive.log(item={"q": 1})
        with subprocess.Popen(
            [sys.executable, "-c", dedent(WRITER), str(root)], stdout=subprocess.PIPE, text=True
        ) as writer:
            try:
                assert writer.stdout is not None
                assert writer.stdout.readline() == "logged\n"
                assert store.sql("FROM interrupted_jobs").is_empty()
            finally:
                os.kill(writer.pid, signal.SIGKILL)
        frame = store.sql("FROM interrupted_jobs")
        shows(
            frame,
            "workspace job dataset model rows_logged pid",
            ("lab", "killed", "d/x", "m/y", 3, writer.pid),
        )
        assert frame["started_at"][0] <= datetime.now(UTC)
        assert store.sql("SELECT name FROM jobs")["name"].to_list() == ["done"]
        with pytest.raises(JobExists, match="killed"):
            evalstore.open(root, workspace="lab").job("killed")
        alive.finish()
        assert store.sql("SELECT name FROM jobs ORDER BY ALL")["name"].to_list() == ["alive", "done"]
        with evalstore.open(root) as another:
            assert another.sql("SELECT job FROM INTERRUPTED_JOBS")["job"].to_list() == ["killed"]


# Plain DuckDB

ASK = """
    import sys, duckdb
    catalog, folder, *questions = sys.argv[1:]
    con = duckdb.connect(catalog, read_only=True)
    con.execute("SET TimeZone = 'UTC'")
    for number, question in enumerate(questions):
        con.sql(question).to_parquet(f"{folder}/{number}.parquet")
"""


def plain(catalog, folder, *questions, **options):
    """The answers of DuckDB alone, in a process of its own; or its error, as CalledProcessError."""
    folder.mkdir(exist_ok=True)
    subprocess.run(
        [sys.executable, "-c", dedent(ASK), str(catalog), str(folder), *questions],
        check=True, capture_output=True, text=True, **options,
    )  # fmt: skip
    return [pl.read_parquet(folder / f"{number}.parquet") for number in range(len(questions))]


ORDERED = [f"FROM {view} ORDER BY ALL" for view in VIEWS]


def test_plain_duckdb_gives_the_same_answers(store, tmp_path):
    answers_there = plain(store.root / "catalog.duckdb", tmp_path / "answers", *ORDERED)
    for question_asked, there in zip(ORDERED, answers_there, strict=True):
        here = store.sql(question_asked)
        assert_frame_equal(here, there, check_exact=True)
        assert "interrupted" in question_asked or not here.is_empty()


def test_plain_duckdb_may_be_given_a_relative_path(store, tmp_path):
    [there] = plain(
        "evals/catalog.duckdb", tmp_path / "answers", "SELECT count(*) AS n FROM row_scores", cwd=store.root.parent
    )
    assert there["n"][0] == store.sql("SELECT count(*) AS n FROM row_scores")["n"][0]


@pytest.mark.parametrize("view", ["row_scores", "rows", "failures"])
def test_a_copied_store_stops_plain_duckdb_and_is_read_rightly_by_evalstore(store, tmp_path, view):
    copy = tmp_path / "copy"
    shutil.copytree(store.root, copy)
    with pytest.raises(subprocess.CalledProcessError) as failed:
        plain(copy / "catalog.duckdb", tmp_path / "answers", f"FROM {view}")
    assert "moved or copied" in failed.value.stderr
    query = f"SELECT * FROM {view} ORDER BY ALL"
    assert_frame_equal(evalstore.open(copy).sql(query), store.sql(query))


def test_a_moved_store_reads_its_own_files_and_is_whole_again_after_the_next_job(tmp_path):
    with evalstore.open(tmp_path / "old") as old:
        put(old, "first", 1, answers(True, False))
    (tmp_path / "old").rename(tmp_path / "new")
    with evalstore.open(tmp_path / "new") as moved:
        assert moved.sql("SELECT value FROM row_scores ORDER BY ALL")["value"].to_list() == [0.0, 1.0]
        assert len(moved.leaderboard(errors="zero")) == 1
        assert [row.row_key for row in moved.row_scores("first")] == ["q1", "q2"]
        put(moved, "second", 2, answers(True))
        [there] = plain(
            moved.root / "catalog.duckdb", tmp_path / "answers", "SELECT job, value FROM row_scores ORDER BY ALL"
        )
        assert there.rows() == [("first", 0.0), ("first", 1.0), ("second", 1.0)]


# A store without jobs


@pytest.fixture(scope="module")
def declared_only(tmp_path_factory):
    """A store that holds a declaration and no job."""
    with evalstore.open(tmp_path_factory.mktemp("declared") / "evals") as store:
        store.metrics.declare("m", minimum=0, maximum=1)
        yield store


def test_every_view_of_a_store_without_jobs_is_empty(declared_only):
    assert {view: len(declared_only.sql(f"FROM {view}")) for view in VIEWS} == dict.fromkeys(VIEWS, 0)


def test_plain_duckdb_finds_every_view_of_a_store_without_jobs_empty(declared_only, tmp_path):
    found = plain(declared_only.root / "catalog.duckdb", tmp_path / "answers", *ORDERED)
    assert [len(frame) for frame in found] == [0] * len(VIEWS)


# Comments


def test_every_view_has_a_comment(store):
    frame = store.sql("SELECT view_name, comment FROM duckdb_views() WHERE NOT internal")
    comments = dict(frame.iter_rows())
    assert comments.keys() >= set(VIEWS)
    assert [name for name, comment in comments.items() if not comment] == []
    assert len(set(comments.values())) == len(comments)
