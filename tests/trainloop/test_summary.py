"""How evaluations stand: the last run of each day, one series, a baseline that is said, a trend by a stated rule."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

import evalstore
from evalstore.cli.app import evalstore as program
from evalstore.errors import JobNotFound, NotComparable, UsageError
from tests.trainloop.files import detail, evaluation, write_json

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
RUNS = [(-9, 0, 0.1), (-6, 0, 0.5), (-4, 0, 0.6), (-4, 3, 0.8), (-1, 0, 0.7), (0, -2, 0.9), (0, 0, 0.7)]
"""Day, hour and score; the window of the last begins on day -6."""


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with evalstore.open(tmp_path_factory.mktemp("summary") / "evals") as store:
        for number, (day, hour, score) in enumerate(RUNS):
            rows = [{"q": n, "m": n < 10 * score} for n in range(10)]
            when = NOON + timedelta(days=day, hours=hour)
            store.record(f"run-{number}", rows, scores=["m"], model="m", created_at=when)
        store.record("other", [{"q": 1, "m": False}], scores=["m"], model="x", created_at=NOON - timedelta(hours=1))
        broken = store.job("broken", model="m", created_at=NOON + timedelta(hours=1))
        broken.log(item={}, scores={"m": False})
        broken.finish("error", RuntimeError("x"))
        yield store


def test_a_day_is_its_last_run_and_days_without_one_are_absent(store):
    summary = store.summary()
    assert summary.latest["job"] == "run-6"
    days = [(str(day["date"]), day["score"], day["runs"], day["rows"]) for day in summary.to_polars().to_dicts()]
    assert days == [("2026-03-04", 0.5, 1, 10), ("2026-03-06", 0.8, 2, 20), ("2026-03-09", 0.7, 1, 10),
                    ("2026-03-10", 0.7, 2, 20)]  # fmt: skip


@pytest.mark.parametrize(
    ("options", "score", "trend"),
    [
        ({}, 0.9, "declining"),
        ({"baseline": "first_in_window"}, 0.5, "improving"),
        ({"baseline": "window_mean"}, (0.5 + 0.8 + 0.7) / 3, "improving"),
        ({"baseline": "window_mean", "epsilon": 0.05}, (0.5 + 0.8 + 0.7) / 3, "stable"),
        ({"baseline": "run-0"}, 0.1, "improving"),
        ({"baseline": "first_in_window", "days": 1}, None, "insufficient_data"),
        ({"model": "x"}, None, "insufficient_data"),
    ],
)
def test_the_change_is_counted_from_a_baseline(store, options, score, trend):
    summary = store.summary(**options)
    assert summary.latest["baseline_score"] == (None if score is None else pytest.approx(score))
    assert summary.latest["trend"] == trend
    if score is not None:
        assert summary.to_dict()["trending"]["score_change"] == pytest.approx(0.7 - score)


def test_a_judge_that_fails_is_named_beside_the_change(tmp_path):
    with evalstore.open(tmp_path / "evals") as store:
        for number, judged in enumerate([True, ValueError("no key")]):
            with store.job(f"run-{number}", created_at=NOON + timedelta(hours=number)) as job:
                job.log(suite="polite", item={}, scores={"judge": judged, "short": True})
                job.log(suite="short", item={}, scores={"short": False})
                job.log(suite="only-judged", item={}, scores={"judge": judged})
        summary = store.summary()
        assert summary.latest["not_scored"] == ["only-judged/judge", "polite/judge"]
        assert summary.to_dict()["trending"]["not_scored"] == ["only-judged/judge", "polite/judge"]
        assert summary.latest["trend"] == "insufficient_data"  # whatever the numbers say: they are of other metrics
        assert summary.latest["score_change"] is not None
        page = " ".join(run(store, "summary").stdout.split())
        assert "also of only-judged/judge, polite/judge: not scored now, so the change is not of quality alone" in page
        for baseline in ("first_in_window", "window_mean"):
            assert not store.summary(baseline=baseline).latest["not_scored"]  # no other day, and no one run
        assert len(store.summary(baseline="run-0").latest["not_scored"]) == 2


def test_what_cannot_be_summed_up(store):
    with pytest.raises(NotComparable, match="no completed evaluation"):
        store.summary(model="nobody")
    with pytest.raises(JobNotFound, match="did you mean run-"):
        store.summary(baseline="run_6")
    with pytest.raises(UsageError, match="days is 1 or more"):
        store.summary(days=0)


def test_the_page_and_the_document(store):
    page = run(store, "summary")
    assert (page.exit_code, page.stdout) == (0, PAGE)
    document = json.loads(run(store, "summary", "--format", "json").stdout)
    assert document == store.summary().to_dict()
    unknown = run(store, "summary", "--model", "n")
    assert (unknown.exit_code, unknown.stdout) == (2, "")
    assert "there is no model 'n' in workspace 'default'; there are: default/m" in unknown.stderr


def run(store, *arguments):
    return CliRunner().invoke(program, ["--store", str(store.root), *arguments])


PAGE = """\
run-6  ▁█▆▆

evaluated (UTC)  2026-03-10 12:00
model            default/m
overall score    0.7000
trend            declining (-0.2000 from 0.9000)
passed           7 of 10
suites           1
metrics          1

day (UTC)    score  runs  rows
──────────────────────────────
2026-03-04  0.5000     1    10
2026-03-06  0.8000     2    20
2026-03-09  0.7000     1    10
2026-03-10  0.7000     2    20
"""


def test_events_of_which_only_counts_were_told_are_counted(tmp_path):
    with evalstore.open(tmp_path / "evals") as store:
        document = evaluation(s={"m": (120, 150, [detail(1, True)])}, t={"n": (1, 2, [])})
        store.import_from("trainloop", write_json(tmp_path / "e.json", document))
        assert store.summary().latest["days"][0]["rows"] == 152
        assert store.show("@last")["rows_total"] == 1
