"""Lists of results: pages, fields, what a deletion does, and what is refused."""

import uuid
from datetime import UTC, datetime, timedelta, timezone

import polars as pl
import pytest

import evalstore
from evalstore import errors


def record(store, name, *, scores=(1.0, 0.0), **context):
    with store.job(name, **context) as job:
        for n, score in enumerate(scores):
            job.log(item={"q": n}, scores={} if score is None else {"accuracy": score}, row_key=n)


def names(page):
    return [result.name for result in page]


@pytest.fixture(scope="module")
def llamas(tmp_path_factory):
    """For tests that change nothing."""
    with evalstore.open(tmp_path_factory.mktemp("llamas") / "evals") as store:
        yield record_llamas(store)


def record_llamas(store):
    when = datetime(2026, 1, 1, tzinfo=UTC)
    for n, model in enumerate(["meta/llama-3", "meta/Llama-4", "openai/175b"]):
        labels, config = {"team": "red" if n else "blue"}, {"sampling": {"temperature": n / 2}}
        more = {"dataset": "gsm8k", "metric_ref": "ws/exact", "tags": ["nightly"] * (n % 2), "labels": labels}
        created = when + timedelta(days=n)
        record(store, f"run-{n}", scores=[1.0] * n + [0.0], model=model, created_at=created, config=config, **more)
    return store


# What a list gives


def test_a_result_carries_references_scores_and_counts(llamas):
    [result] = llamas.results.list({"name": "run-2"})
    assert (result.name, result.workspace, result.metric) == ("run-2", "default", "ws/exact")
    assert (result.dataset, result.model, result.labels) == ("default/gsm8k", "openai/175b", {"team": "red"})
    assert (result.status, result.rows_total, result.rows_scored, result.rows_error) == ("completed", 3, 3, 0)
    assert result.created_at == datetime(2026, 1, 3, tzinfo=UTC)
    assert str(uuid.UUID(result.id)) == result.id
    [score] = result.scores
    assert (score.name, score.mean, score.count, score.score_type) == ("accuracy", 2 / 3, 3, "range")
    assert result.to_dict()["scores"] == [score.to_dict()]
    assert [one.mean for one in llamas.aggregate_scores("run-2").scores] == [score.mean]


def test_pages_count_from_one_and_say_where_they_stand(llamas):
    page = llamas.results.list(sort="name", page=2, page_size=2)
    at = page.pagination
    assert (at.page, at.page_size, at.current_page_size, at.total_pages, at.total_results) == (2, 2, 1, 2, 3)
    assert [one.name for one in page.data] == ["run-2"]
    assert not page.has_next_page()
    assert llamas.results.list(page_size=2).has_next_page()
    assert len(llamas.results.list(page_size=2)) == 2
    past_the_end = llamas.results.list(page=9, page_size=2)
    assert (past_the_end.data, past_the_end.pagination.total_results) == ([], 3)
    nothing = llamas.results.list({"name": "none"}).pagination
    assert (nothing.total_pages, nothing.total_results) == (0, 0)


def test_a_page_as_a_frame_has_one_line_per_result(llamas):
    frame = llamas.results.list(sort="name").to_polars()
    assert frame["name"].to_list() == ["run-0", "run-1", "run-2"]
    assert frame["scores"].list.eval(pl.element().struct.field("mean")).to_list() == [[0.0], [0.5], [2 / 3]]
    assert llamas.results.list({"name": "none"}).to_polars().height == 0


def test_aggregate_fields_choose_what_scores_say(llamas):
    [score] = llamas.results.list({"name": "run-1"}, aggregate_fields=["mean"]).data[0].scores
    assert score.to_dict() == {
        "suite": "default", "metric": "accuracy", "name": "accuracy", "slice": None, "count": 2, "mean": 0.5,
        "is_told": False,
    }  # fmt: skip
    with pytest.raises(AttributeError):
        _ = score.std_dev
    [score] = llamas.results.retrieve("run-1", aggregate_fields=["histogram", "percentiles"]).scores
    assert sum(one.count for one in score.histogram.bins) == 2
    assert score.percentiles["p50"] == 0.5
    frame = llamas.results.list(aggregate_fields=["median"]).to_polars()
    shown = [field.name for field in frame.schema["scores"].inner.fields]
    assert shown == ["suite", "metric", "name", "count", "median", "is_told"]
    with pytest.raises(errors.UnknownField, match="did you mean median"):
        llamas.results.list(aggregate_fields=["medain"])
    with pytest.raises(errors.UsageError, match=r"\['mean'"):
        llamas.results.list(aggregate_fields="mean")


def test_a_rubric_can_be_chosen_field_by_field(store):
    with store.job("essays") as job:
        for label in ("good", "good", "poor"):
            job.log(item={"q": label}, scores={"style": label})
    [score] = store.results.list(aggregate_fields=["mode_category", "rubric_distribution"]).data[0].scores
    assert (score.mode_category, [one.count for one in score.rubric_distribution]) == ("good", [2, 1])


def test_workspaces_are_apart_and_a_dash_means_all(store):
    llamas = record_llamas(store)
    other = evalstore.open(llamas.root, workspace="other")
    record(other, "run-0")
    assert names(other.results.list()) == ["run-0"]
    assert len(llamas.results.list()) == 3
    assert len(llamas.results.list(workspace="-")) == 4
    assert names(llamas.results.list({"workspace": "other"}, workspace="-")) == ["run-0"]


# Both dialects


def test_a_search_finds_parts_and_a_filter_the_whole(llamas):
    assert names(llamas.results.list(search={"model": "LLAMA"}, sort="name")) == ["run-0", "run-1"]
    assert names(llamas.results.list({"model": "meta/llama-3"})) == ["run-0"]
    assert names(llamas.results.list({"model": "LLAMA"})) == []
    assert names(llamas.results.list({"dataset": "gsm8k", "name": "run-1"})) == ["run-1"]


@pytest.mark.parametrize(("text", "found"), [("a_b", ["a_b"]), ("%", ["50%"]), ("_", ["a_b"]), ("A_B", ["a_b"])])
def test_like_takes_wildcards_for_what_they_are(store, text, found):
    for group in ("a_b", "axb", "50%"):
        record(store, f"of-{group.replace('%', '-')}", group=group)
    assert [one.group for one in store.results.list(search={"group": text})] == found


def test_a_time_is_an_instant_in_whatever_zone_it_is_written(llamas):
    [result] = llamas.results.list({"name": "run-1"})
    elsewhere = result.created_at.astimezone(timezone(timedelta(hours=5)))
    for written in (result.created_at, result.created_at.isoformat(), elsewhere, elsewhere.isoformat(), "2026-01-02"):
        assert names(llamas.results.list({"created_at": written})) == ["run-1"]
    assert names(llamas.results.list({"created_at": {"$gt": "2026-01-02T04:59:00+05:00"}}, sort="name")) == [
        "run-1", "run-2",
    ]  # fmt: skip
    assert names(llamas.results.list(search={"created_at": "2026-01-03"})) == ["run-2"]


def test_a_missing_reference_follows_one_rule(store):
    record(store, "with", model="a")
    record(store, "without")

    def found(value):
        return names(store.results.list({"model": value}))

    assert found(None) == found({"$exists": False}) == found({"$in": [None]}) == ["without"]
    assert found({"$ne": "a"}) == found({"$nin": ["a"]}) == found({"$not": "a"}) == ["without"]
    assert found({"$gt": "default/"}) == found({"$lt": "z"}) == found({"$like": ""}) == ["with"]


def test_scores_are_found_and_sorted_by(llamas):
    found = llamas.results.list({"scores.accuracy.mean": {"$gte": 0.5}}, sort="-scores.accuracy.mean")
    assert names(found) == ["run-2", "run-1"]
    assert names(llamas.results.list({"suites.default.accuracy.score": {"$lt": 0.5}})) == ["run-0"]
    assert names(llamas.results.list(where=["scores.accuracy.mean > 0.5", "config.sampling.temperature = 1"])) == [
        "run-2"
    ]
    with pytest.raises(errors.UnknownField, match="did you mean accuracy"):
        llamas.results.list({"scores.acuracy.mean": 1})
    with pytest.raises(errors.UnknownField, match="mean, median"):
        llamas.results.list(sort="scores.accuracy.maen")


def test_a_score_is_named_by_its_metric_too_and_by_its_suite(store):
    with store.job("one") as job:
        job.log(
            item={"q": 1},
            suite="a.b",
            scores={"rouge": [{"name": "f", "value": 0.1}], "bleu": [{"name": "f", "value": 0.9}]},
        )
    for field in ("scores.f.mean", "scores.rouge:f.mean", 'suites."a.b".rouge.mean', 'suites."a.b".rouge:f.score'):
        assert names(store.results.list({field: {"$lt": 0.2}})) == ["one"], field
    assert names(store.results.list({"scores.bleu:f.mean": {"$lt": 0.2}})) == []


# What is refused

REFUSED = {
    "unknown field": ({"modle": "x"}, "did you mean model"),
    "labels alone": ({"labels": "x"}, "labels.<key>"),
    "scores alone": ({"scores": 1}, "scores.<name>.<statistic>"),
    "unknown operator": ({"name": {"$regex": "x"}}, "is no operator.*\\$eq"),
    "no operator": ({"name": {"x": 1}}, "is no operator"),
    "operator without a field": ({"$eq": 1}, "stands under a field"),
    "empty": ({}, "says nothing"),
    "empty under a field": ({"name": {}}, "says nothing"),
    "empty or": ({"$or": []}, "at least one"),
    "empty and": ({"$and": []}, "at least one"),
    "empty or under a field": ({"name": {"$or": []}}, "at least one"),
    "or of a dict": ({"$or": {"name": "x"}}, "takes a list"),
    "logical beside siblings": ({"$or": [{"name": "x"}], "name": "y"}, "stands alone"),
    "logical beside an operator": ({"name": {"$not": "x", "$eq": "y"}}, "stands alone"),
    "no dict": (["name"], "a filter is a dict"),
    "text": ("name=x", "a filter is a dict"),
    "no time": ({"created_at": {"$gt": "yesterday"}}, "is no time"),
    "a number as a time": ({"created_at": 5}, "takes a time"),
    "scalar for in": ({"name": {"$in": "a,b"}}, "takes a list"),
    "list for eq": ({"name": ["a"]}, "takes a text"),
    "list for eq, with the operator": ({"name": {"$eq": ["a"]}}, "takes a text"),
    "number as a text": ({"name": 5}, "takes a text"),
    "text as a number": ({"cost": {"$gt": "5"}}, "takes a number"),
    "boolean as a number": ({"cost": True}, "takes a number"),
    "nan": ({"cost": float("nan")}, "NaN"),
    "too large": ({"cost": 10**400}, "too large"),
    "null in a range": ({"cost": {"$lt": None}}, "null is compared with"),
    "true in a range": ({"config.x": {"$lt": True}}, "true and false are compared"),
    "exists of a text": ({"cost": {"$exists": "yes"}}, "true or false"),
    "like of a number": ({"cost": {"$like": "5"}}, "looks for a text"),
    "lone surrogate": ({"name": "\ud800"}, "UTF-8"),
    "a reference that is none": ({"model": ""}, "no model"),
    "end of the calendar": ({"created_at": "0001-01-01T00:00:00+05:00"}, "calendar"),
    "key that is no text": ({5: "x"}, "named by text"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_makes_no_sense_is_refused_with_a_sentence(llamas, case):
    given, message = REFUSED[case]
    with pytest.raises(errors.UsageError, match=message):
        llamas.results.list(given)
    if isinstance(given, dict):
        with pytest.raises(errors.UsageError):
            llamas.results.list({"$not": given})


def test_a_filter_that_is_nested_without_end_is_refused(llamas):
    tree: dict = {"name": "run-1"}
    for _ in range(5000):
        tree = {"$not": tree}
    with pytest.raises(errors.InvalidCondition, match="levels deep"):
        llamas.results.list(tree)
    under: object = "run-1"
    for _ in range(5000):
        under = {"$not": under}
    with pytest.raises(errors.InvalidCondition, match="levels deep"):
        llamas.results.list({"name": under})


@pytest.mark.parametrize(
    "wrong",
    [{"page": 0}, {"page": True}, {"page_size": 0}, {"page_size": 1001}, {"page_size": "9"}, {"status": "done"},
     {"sort": ""}, {"sort": []}, {"sort": "tags"}, {"sort": "modle"}, {"sort": [None]}, {"workspace": "../x"},
     {"where": "name = x"}, {"where": ["name"]}, {"search": {"cost": "5"}}],
    ids=str,
)  # fmt: skip
def test_wrong_arguments_are_refused(llamas, wrong):
    with pytest.raises(errors.UsageError):
        llamas.results.list(**wrong)


def test_nothing_of_a_filter_becomes_sql(llamas):
    for text in ("'; DROP TABLE job; --", '" OR 1=1', "$1", "\0", "run-1' OR 'a'='a"):
        assert (
            names(llamas.results.list({"$or": [{"name": text}, {f"labels.{text}": text}, {"group": {"$like": text}}]}))
            == []
        )
        key = text.replace('"', "")
        assert names(llamas.results.list({f'config."{key}"': text})) == []
    assert len(llamas.results.list()) == 3


def test_an_empty_in_finds_nothing_and_its_opposite_everything(llamas):
    assert len(llamas.results.list({"name": {"$in": []}})) == 0
    assert len(llamas.results.list({"name": {"$nin": []}})) == 3


# Status


def test_only_completed_jobs_have_results_and_the_others_can_be_listed(store):
    record(store, "done")
    job = store.job("broke")
    job.log(item={"q": 1}, scores={"accuracy": 1})
    job.finish("error", RuntimeError("no"))
    assert names(store.results.list()) == ["done"]
    assert names(store.results.list(status="error")) == ["broke"]
    assert names(store.results.list(status=None, sort="name")) == ["broke", "done"]
    with pytest.raises(errors.JobNotFound, match="status is error"):
        store.results.retrieve("broke")


def test_a_job_that_scored_nothing_is_listed_as_such_and_is_no_success(store):
    record(store, "nothing", scores=[float("nan"), None])
    record(store, "something")
    result = store.results.retrieve("nothing")
    assert (result.rows_scored, result.rows_total, result.succeeded) == (0, 2, False)
    assert [score.mean for score in result.scores] == [None]
    assert names(store.results.list({"rows_scored": 0})) == ["nothing"]
    assert store.results.retrieve("something").succeeded


# Looking at one, deleting, bringing back


def test_a_result_is_retrieved_by_every_way_to_name_its_job(llamas):
    for name in ("run-2", "default/run-2"):
        assert llamas.results.retrieve(name).name == "run-2"
    assert llamas.results.retrieve("@last").name == "run-2"
    with pytest.raises(errors.JobNotFound, match="did you mean run-"):
        llamas.results.retrieve("run-O")


def test_a_deleted_result_is_gone_from_everywhere_and_its_name_is_free(store):
    llamas = record_llamas(store)
    assert llamas.results.delete("run-2") == "default/run-2"
    for view in ("jobs", "results", "aggregate_scores", "suites", "row_scores", "rows", "leaderboard", "metric_trend"):
        column = "name" if view in ("jobs", "results") else "job"
        assert "run-2" not in llamas.sql(f"SELECT {column} AS name FROM {view}")["name"].to_list(), view
    assert "run-2" not in names(llamas.results.list())
    assert "run-2" not in llamas.leaderboard("accuracy")["job"].to_list()
    for forget in (llamas.results.retrieve, llamas.results.delete):
        with pytest.raises(errors.NotFound, match="did you mean run-"):
            forget("run-2")
    record(llamas, "run-2", model="openai/176b")
    assert llamas.results.retrieve("run-2").model == "openai/176b"
    with pytest.raises(errors.JobExists):
        llamas.results.restore("run-2")


def test_what_was_deleted_comes_back(store):
    llamas = record_llamas(store)
    before = llamas.results.retrieve("run-1").to_dict()
    llamas.results.delete("run-1")
    assert llamas.results.restore("run-1") == "default/run-1"
    assert llamas.results.retrieve("run-1").to_dict() == before


def test_deleted_results_are_listed_when_asked_for(store):
    llamas = record_llamas(store)
    llamas.results.delete("run-1")
    listed = llamas.results.list({"tags": "nightly"}, include_deleted=True)
    [result] = listed.data
    assert result.name == "run-1"
    assert result.deleted_at > result.created_at
    assert result.scores[0].mean == 0.5
    assert names(llamas.results.list({"deleted_at": None}, include_deleted=True, sort="name", page_size=1)) == [
        "run-0",
        "run-2",
    ]
    assert len(llamas.results.list(include_deleted=True)) == 3
    assert len(llamas.results.list()) == 2
