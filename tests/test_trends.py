"""Trends: what a point is, what its window holds, what an error is worth, and how far a mean can be trusted."""

import statistics
from datetime import UTC, datetime, timedelta

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import evalstore
from evalstore.database import Database
from evalstore.errors import UsageError

DAY = datetime(2026, 5, 1, tzinfo=UTC)
# (days, hours) after the first day, how many of four are right, which of the others fail
RUNS = [(0, 1, 1, 0), (0, 9, 2, 1), (1, 2, 2, 0), (4, 3, 3, 1), (4, 23, 4, 0), (11, 5, 1, 3)]


def put(store, name, at, right, failed=0, *, items=4, stop=None, **context):
    """A job over some items: the first are right, the last failed."""
    try:
        with store.job(name, created_at=at, dataset="d", **context) as job:
            for number in range(items):
                if number >= items - failed:
                    job.log(item={"q": number}, row_key=number, error="timeout")
                else:
                    scores = {"ok": number < right, "seconds": 1.0 + number}
                    job.log(item={"q": number}, row_key=number, scores=scores)
            if stop:
                raise stop
    except RuntimeError:
        assert stop


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with evalstore.open(tmp_path_factory.mktemp("trends") / "evals") as store:
        for number, (days, hours, right, failed) in enumerate(RUNS, 1):
            put(store, f"run-{number}", DAY + timedelta(days=days, hours=hours), right, failed, model="m")
        put(store, "broken", DAY + timedelta(days=4, hours=23, minutes=30), 2, model="m", stop=RuntimeError("disk"))
        put(store, "other-rows", DAY + timedelta(days=12), 4, items=6, model="m", group="more")
        put(store, "grouped", DAY, 4, model="m", group="more")
        lower = {"seconds": {"minimum": 0, "maximum": 1, "higher_is_better": False}, "share": {"threshold": 0.5}}
        with store.job("scaled", dataset="d2", model="m", metrics=lower, created_at=DAY) as job:
            for number in range(4):
                scores = {"seconds": number / 10, "share": number / 4}
                job.log(item={"q": number}, row_key=number, scores=scores if number else None)
            job.log(item={"q": 9}, row_key=9, error="timeout")
        yield store


def trend(store, metric="ok", **narrow):
    return store.trend(metric, dataset="d", **narrow).filter(pl.col("group").is_null())


# What is a point


def test_each_completed_job_is_a_point_at_its_time(store):
    frame = trend(store)
    assert frame["job"].to_list() == [f"run-{number}" for number in range(1, 7)]
    assert frame["x"].to_list() == frame["created_at"].to_list()
    assert frame["position"].to_list() == [1, 2, 3, 4, 5, 6]
    assert frame["runs_that_day"].to_list() == [2, 2, 1, 2, 2, 1]
    assert trend(store, x="run")["x"].to_list() == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("metric", ["ok", None])
def test_the_last_complete_job_of_a_day_is_its_point_and_other_days_are_absent(store, metric):
    frame = trend(store, metric, x="day")
    assert frame["job"].to_list() == ["run-2", "run-3", "run-5", "run-6"]
    assert [day.day for day in frame["x"]] == [1, 2, 5, 12]
    assert frame["runs_that_day"].to_list() == [2, 1, 2, 1]


@pytest.mark.parametrize("metric", ["ok", None])
def test_a_job_that_did_not_complete_is_a_point_only_when_asked_for(store, metric):
    assert set(trend(store, metric)["status"]) == {"completed"}
    frame = trend(store, metric, any_status=True)
    assert frame.filter(status="error")["job"].to_list() == ["broken"]
    daily = trend(store, metric, any_status=True, x="day")
    assert daily["job"].to_list() == ["run-2", "run-3", "run-5", "run-6"]  # a complete one goes before it
    assert daily["runs_that_day"].to_list() == [2, 1, 3, 1]


@pytest.mark.parametrize("metric", ["ok", None])
def test_a_trend_says_where_the_rows_are_others_and_can_be_of_one_group(store, metric):
    frame = store.trend(metric, group="more")
    assert frame["job"].to_list() == ["grouped", "other-rows"]
    assert frame["rows_changed"].to_list() == [None, True]
    assert trend(store)["rows_changed"].to_list() == [None, *[False] * 5]


# Windows

MOMENTS = st.integers(0, 20 * 24 * 4).map(lambda quarters: DAY + timedelta(minutes=15 * quarters))
VALUES = st.one_of(st.none(), st.integers(-20, 20).map(lambda n: n / 4))


@pytest.fixture(scope="module")
def trend_of():
    """The macro alone, asked of points in memory."""
    database = Database()
    database.run_file("macros/154_trend_of.sql")

    def ask(given_points, **parameters):
        kinds = pa.schema(
            [*((part, pa.string()) for part in ("workspace", "dataset", "group", "suite", "metric", "name", "model")),
             ("value", pa.float64()), ("status", pa.string()), ("created_at", pa.timestamp("us", "UTC")),
             ("job_id", pa.string()), ("rows_digest", pa.string())]
        )  # fmt: skip
        database.register("points", pa.Table.from_pylist(given_points, kinds))
        sql = "FROM trend_of('points', last_points := $points, last_days := $days, per := $per) ORDER BY ALL"
        return database.ask(sql, parameters).to_pylist()

    yield ask
    database.close()


@settings(max_examples=25)
@given(
    points=st.lists(st.tuples(st.sampled_from("ab"), VALUES, MOMENTS), max_size=25),
    last=st.integers(1, 6),
    days=st.integers(1, 9),
)
def test_windows_are_what_they_say_whatever_the_times(trend_of, points, last, days):
    given_points = [
        {"model": series, "value": value, "status": "completed", "created_at": at, "job_id": f"{n:03}",
         "rows_digest": "r"}
        for n, (series, value, at) in enumerate(points)
    ]  # fmt: skip
    found = trend_of(given_points, points=last, days=days, per="run")
    assert len(found) == len(points)
    for series in "ab":
        line = sorted((p for p in given_points if p["model"] == series), key=lambda p: (p["created_at"], p["job_id"]))
        shown = sorted((p for p in found if p["model"] == series), key=lambda p: p["position"])
        assert [point["job_id"] for point in shown] == [point["job_id"] for point in line]
        for place, point in enumerate(shown):
            before = line[place - 1]["value"] if place else None
            assert point["previous"] == before
            first_day = point["created_at"].date() - timedelta(days=days - 1)
            of_late = [one for one in line[: place + 1] if one["created_at"].date() >= first_day]
            check(point, "moving", line[max(0, place + 1 - last) : place + 1])
            check(point, "days", of_late)


def check(point, window, members):
    values = [one["value"] for one in members if one["value"] is not None]
    assert point[f"{window}_count"] == len(values)
    assert point[f"{window}_mean"] == (pytest.approx(statistics.fmean(values)) if values else None)
    spread = statistics.stdev(values) if len(values) > 1 else None
    assert point[f"{window}_std_dev"] == (None if spread is None else pytest.approx(spread, abs=1e-9))


@settings(max_examples=25)
@given(points=st.lists(st.tuples(st.booleans(), MOMENTS), max_size=25))
def test_a_day_has_one_point_the_last_complete_one(trend_of, points):
    given_points = [
        {"value": float(n), "status": "completed" if is_complete else "error", "created_at": at,
         "job_id": f"{n:03}", "rows_digest": None}
        for n, (is_complete, at) in enumerate(points)
    ]  # fmt: skip
    found = {point["day"]: point for point in trend_of(given_points, points=3, days=7, per="day")}
    assert found.keys() == {at.date() for _, at in points}
    for day, shown in found.items():
        that_day = [point for point in given_points if point["created_at"].date() == day]
        best = max(that_day, key=lambda p: (p["status"] == "completed", p["created_at"], p["job_id"]))
        assert (shown["job_id"], shown["runs_that_day"]) == (best["job_id"], len(that_day))


def test_one_window_is_asked_for_in_points_or_in_days(store):
    assert trend(store, window=2)["moving_count"].to_list() == [1, 2, 2, 2, 2, 2]
    assert trend(store, window="2d")["moving_count"].to_list() == [1, 2, 3, 1, 2, 1]
    assert trend(store, window="2w")["moving_count"].to_list() == trend(store, window=14)["moving_count"].to_list()
    assert trend(store)["moving_count"].to_list() == trend(store, window="7d")["moving_count"].to_list()


@pytest.mark.parametrize("window", [0, -1, True, 1.5, "7", "0d", "d", "7h", "-7d", "999999d", None, 10**9])
def test_a_window_that_is_none_is_refused(store, window):
    with pytest.raises(UsageError, match="window is a number of points such as 5, or of days such as '7d'"):
        store.trend("ok", window=window)


@pytest.mark.parametrize(("wrong", "message"), [({"x": "commit"}, "x is one of time, day, run"),
                                                ({"errors": "none"}, "errors is one of")])  # fmt: skip
def test_other_words_are_refused(store, wrong, message):
    with pytest.raises(UsageError, match=message):
        store.trend("ok", **wrong)


# Errors


def test_errors_are_left_out_or_worth_nothing_or_the_worst(store):
    assert trend(store)["mean"].to_list()[:5] == [0.25, 2 / 3, 0.5, 1.0, 1.0]
    zero = trend(store, errors="zero")
    assert zero["mean"].to_list() == [0.25, 0.5, 0.5, 0.75, 1.0, 0.25]
    assert zero["rows_error"].to_list() == [0, 1, 0, 1, 0, 3]
    assert trend(store, "seconds", errors="worst")["mean"].to_list()[1] == pytest.approx((1 + 2 + 3 + 1) / 4)
    suite = store.trend(dataset="d", errors="zero").filter(pl.col("group").is_null())
    assert suite["overall_score"].to_list()[:5] == [0.25, 0.5, 0.5, 0.75, 1.0]
    assert suite["pass_rate"].to_list()[:5] == [0.25, 0.5, 0.5, 0.75, 1.0]


def test_the_overall_score_under_a_policy_is_made_as_the_one_that_is_stored(store):
    stored = store.trend(dataset="d2")["overall_score"].item()
    assert stored == pytest.approx(statistics.fmean([1 - 0.2, 2 / 3]))
    counted = store.trend(dataset="d2", errors="worst")["overall_score"].item()
    assert counted == pytest.approx(statistics.fmean([1 - (0.1 + 0.2 + 0.3 + 1) / 4, 2 / 4]))


def test_a_metric_of_which_nothing_scored_is_not_left_out_under_a_policy(tmp_path):
    declared = {"num": {"minimum": 0, "maximum": 1, "higher_is_better": False}, "late": {"threshold": 0.5}}
    with evalstore.open(tmp_path / "evals") as store:
        for day, is_out in enumerate([False, True]):
            broken = RuntimeError("out of quota")
            found = {"ok": True, "num": 0.2, "late": 0.9, "stars": 4, "judged": {"value": 3, "passed": True}}
            scores = dict.fromkeys(found, broken) if is_out else found
            with store.job(f"r{day}", metrics=declared, model="m", created_at=DAY + timedelta(days=day)) as job:
                for row in range(4):
                    job.log(item=row, scores={**scores, "fine": True})
        overall = {errors: store.trend(errors=errors)["overall_score"].to_list() for errors in ("zero", "worst")}
        # ok, late, judged and fine pass or fail, num is the better the lower, stars are no part of a score
        assert overall["zero"] == pytest.approx([(4 + 0.8) / 5, (1 + 1) / 5])
        assert overall["worst"] == pytest.approx([(4 + 0.8) / 5, 1 / 5])
        assert store.trend(errors="exclude")["overall_score"].to_list() == pytest.approx([(4 + 0.8) / 5, 1])
        for metric, worst in (("ok", 0), ("num", 1), ("stars", 4), ("judged", 3)):
            assert store.trend(metric, errors="worst")["mean"].to_list()[1] == worst
            assert store.trend(metric, errors="zero")["mean"].to_list()[1] == 0
        last = store.trend("judged", errors="worst").row(1, named=True)
        assert (last["passed"], last["evaluated"]) == (0, 4)


@pytest.mark.parametrize("errors", ["zero", "worst"])
def test_where_nobody_knows_what_a_metric_is_that_has_only_errors_the_score_is_not_known(tmp_path, errors):
    with evalstore.open(tmp_path / "evals") as store, store.job("a", created_at=DAY) as job:
        job.log(item=1, scores={"ok": ValueError("no"), "fine": True})
    assert store.trend(errors=errors)["overall_score"].to_list() == [None]
    assert store.trend()["overall_score"].to_list() == [1.0]


# Intervals


def wilson(rate, n):
    z = 1.96
    centre, half = rate + z * z / (2 * n), z * (rate * (1 - rate) / n + z * z / (4 * n * n)) ** 0.5
    return [(centre - half) / (1 + z * z / n), (centre + half) / (1 + z * z / n)]


def test_a_rate_has_wilsons_interval_also_where_all_passed(store):
    last = trend(store).filter(job="run-5").row(0, named=True)
    assert [last["low"], last["high"]] == pytest.approx(wilson(1.0, 4))
    first = trend(store).filter(job="run-1").row(0, named=True)
    assert [first["low"], first["high"]] == pytest.approx(wilson(0.25, 4))
    suite = store.trend(dataset="d").filter(job="run-5").row(0, named=True)
    assert [suite["low"], suite["high"]] == pytest.approx(wilson(1.0, 4))


def test_no_rate_is_surely_less_than_nothing_or_more_than_all(tmp_path):
    with evalstore.open(tmp_path / "evals") as store:
        for items in (2, 3, 7):
            put(store, f"none-{items}", DAY, 0, items=items, model=f"m-{items}")
            put(store, f"all-{items}", DAY + timedelta(days=1), items, items=items, model=f"m-{items}")
        ends = store.trend("ok").select("mean", "low", "high")
    assert [low for mean, low, _ in ends.rows() if mean == 0] == [0.0] * 3
    assert [high for mean, _, high in ends.rows() if mean == 1] == [1.0] * 3


def test_rows_of_a_cluster_count_less(tmp_path):
    with evalstore.open(tmp_path / "evals") as store, store.job("a", created_at=DAY) as job:
        for number in range(12):
            job.log(item={"q": number}, scores={"ok": number < 6}, cluster=f"c{number // 3}")
    line = store.trend("ok").row(0, named=True)
    assert [line["low"], line["high"]] == pytest.approx(wilson(0.5, 1 + 0.25 / line["std_error"] ** 2))
    assert line["high"] - line["low"] > wilson(0.5, 12)[1] - wilson(0.5, 12)[0]


def test_a_mean_has_an_interval_of_its_standard_error(store):
    line = trend(store, "seconds").row(0, named=True)
    half = 1.96 * line["std_error"]
    assert [line["low"], line["high"]] == pytest.approx([line["mean"] - half, line["mean"] + half])


def test_the_interval_of_an_overall_score_is_the_mean_of_those_of_its_metrics(store):
    line = store.trend(dataset="d2").row(0, named=True)
    seconds = store.trend("seconds", dataset="d2").row(0, named=True)
    share = wilson(2 / 3, 3)
    assert line["low"] == pytest.approx(statistics.fmean([1 - seconds["high"], share[0]]))
    assert line["high"] == pytest.approx(statistics.fmean([1 - seconds["low"], share[1]]))
    assert line["low"] < line["overall_score"] < line["high"]


# In SQL


def test_views_have_both_windows_and_the_macro_any(store):
    names = set(store.sql("SELECT * FROM metric_trend LIMIT 0").columns)
    assert {"moving_mean", "moving_std_dev", "days_mean", "days_std_dev", "low", "high", "rows_changed"} <= names
    asked = "FROM suite_trend_by(last_points := 2, last_days := 1, per := 'day') WHERE dataset = 'default/d'"
    assert store.sql(f'{asked} AND "group" IS NULL').height == 4
    assert trend(store).height == len(RUNS)


@pytest.mark.parametrize("errors", ["exclude", "zero"])
def test_a_job_that_did_not_complete_is_on_a_leaderboard_only_when_asked_for(tmp_path, errors):
    with evalstore.open(tmp_path / "evals") as store:
        put(store, "good", DAY, 3, model="m")
        put(store, "newer", DAY + timedelta(days=1), 4, model="m", stop=RuntimeError("disk"))
        put(store, "only", DAY, 1, model="n", stop=RuntimeError("disk"))
        columns = ("job", "status", "rank")
        board = store.leaderboard("ok", errors=errors)
        assert board.select(columns).rows() == [("good", "completed", 1)]
        board = store.leaderboard("ok", errors=errors, any_status=True)
        assert board.select(columns).rows() == [("newer", "error", 1), ("only", "error", 2)]
        assert store.sql("SELECT job FROM leaderboard WHERE metric = 'ok'")["job"].to_list() == ["good"]


def test_leaderboards_keep_a_model_whose_errors_cannot_be_counted(tmp_path):
    with evalstore.open(tmp_path / "evals") as store:
        put(store, "a", DAY, 2, 1, model="a")
        put(store, "b", DAY, 2, 0, model="b")
        assert store.leaderboard("ok", errors="zero")["mean"].to_list() == [0.5, 0.5]
        store.prune(older_than=timedelta(0), rows_only=True)
        lines = (
            store.leaderboard("ok", errors="zero").sort("model").select("model", "mean", "rank", "rows_error").rows()
        )
        assert lines == [("default/a", None, None, 1), ("default/b", 0.5, 1, 0)]
        assert store.trend("ok", errors="zero").sort("model")["mean"].to_list() == [None, 0.5]
        assert store.trend("ok").sort("model")["mean"].to_list() == [pytest.approx(2 / 3), 0.5]
        assert store.trend(errors="zero").sort("model")["overall_score"].to_list() == [None, 0.5]
