"""What single conditions mean: times, texts, numbers, paths, and which of them are refused."""

import copy
import pickle
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import get_args

import numpy as np
import pytest

import evalstore
from evalstore import errors, job_context, result_fields, results
from evalstore.conditions import json_path

CREATED = datetime(2026, 11, 21, 18, 0, 5, 250_000, tzinfo=UTC)
CONFIG = {"o": {"a": 1, "": {"a": 2}, "x.y": 3, "list": [7]}, "seed": 2**53, "on": True}


def record(store, name, *, scores=(1.0, 0.0), suite="default", metric="accuracy", **context):
    with store.job(name, **context) as job:
        for n, score in enumerate(scores):
            job.log(item={"q": n}, scores={metric: score}, row_key=n, suite=suite)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """For tests that change nothing."""
    root = tmp_path_factory.mktemp("filters") / "evals"
    with evalstore.open(root) as store, evalstore.open(root, workspace="other") as other:
        record(store, "first", created_at=CREATED, config=CONFIG, group="ΣΑΣ Straße", metadata={"run": {"n": 5}})
        record(store, "second", created_at=CREATED + timedelta(days=1), config={"seed": 2**53 + 1}, scores=[0.0, 0.0])
        record(store, "hard", created_at=CREATED + timedelta(days=2), suite="hard", metric="rouge", config=[{"a": 1}])
        record(other, "elsewhere", created_at=CREATED)
        broke = store.job("broke", created_at=CREATED + timedelta(days=3))
        broke.log(item={"q": 1}, scores={"accuracy": 1})
        broke.finish("error", RuntimeError("no"))
        record(store, "gone")
        store.delete("gone")
        yield store


def found(store, filter=None, **asked):
    return [result.name for result in store.results.list(filter, **{"sort": "created_at", **asked})]


# Parts of a time

ELSEWHERE = timezone(timedelta(hours=5, minutes=30))


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (CREATED.isoformat(), ["first"]),
        (str(CREATED), ["first"]),
        (CREATED.astimezone(ELSEWHERE).isoformat(), ["first"]),
        (str(CREATED.astimezone(ELSEWHERE)), ["first"]),
        (CREATED.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), ["first"]),
        ("2026-11-21 18:00", ["first"]),  # as a table prints it
        ("2026-11-21 18", ["first"]),
        ("2026-11-21 23:30+05:30", ["first"]),
        ("2026-11-21 18+05:00", []),
        ("2026-11-21t18:00:05.2", ["first"]),
        ("2026-11-21T18:00:05.250000999", ["first"]),
        ("2026-11-21T18:00:05.3", []),
        ("2026-11-21 18:00 UTC", ["first"]),
        ("2026-11-21", ["first"]),
        ("2026-11-", ["first", "second", "hard"]),
        ("2026", ["first", "second", "hard"]),
        ("2026-12", []),
        ("9999", []),
    ],
)
def test_a_time_is_found_by_its_beginning_in_whatever_form_it_is_shown(store, written, expected):
    assert found(store, search={"created_at": written}) == expected
    assert found(store, {"created_at": {"$like": written}}) == expected
    assert found(store, where=[f"created_at ~ {written}"]) == expected


@pytest.mark.parametrize("wrong", ["yesterday", "", "18:00", "2026-1", "2026-13", "2026-02-30", "20261121", "2026 UTC"])
def test_what_is_no_beginning_of_a_time_is_refused(store, wrong):
    with pytest.raises(errors.InvalidCondition, match="no beginning of one: write"):
        store.results.list(search={"created_at": wrong})


def test_what_has_no_time_is_like_none(store):
    assert found(store, {"finished_at": {"$not": {"$like": "2020"}}}) == ["first", "second", "hard"]
    assert (
        found(store, {"deleted_at": {"$like": "2026"}}) == found(store, {"deleted_at": {"$exists": True}}) == ["gone"]
    )


# Parts of a text


@pytest.mark.parametrize("written", ["σας", "ΣΑΣ", "σαΣ", "STRAẞE", "straße"])
def test_upper_and_lower_case_are_the_same_in_every_script(store, written):
    assert found(store, search={"group": written}) == ["first"]
    assert found(store, {"group": written}) == []


# Numbers


def test_integers_that_no_double_holds_are_told_apart(store):
    assert found(store, {"config.seed": 2**53}) == found(store, where=[f"config.seed = {2**53}"]) == ["first"]
    assert found(store, {"config.seed": 2**53 + 1}) == found(store, where=[f"config.seed = {2**53 + 1}"]) == ["second"]
    assert found(store, {"config.seed": {"$gt": 2**53}}) == ["second"]
    assert found(store, {"config.seed": {"$lt": 2**53 + 1}}) == ["first"]
    assert found(store, sort="-config.seed")[:2] == ["second", "first"]


@pytest.mark.parametrize(
    "one", [np.int64(1), np.float32(1), np.float64(1), np.uint8(1), Decimal(1), Decimal("1.0"), np.array(1)[()]]
)
def test_numbers_of_other_libraries_are_numbers(store, one):
    assert found(store, {"scores.accuracy.max": one}) == ["first"]
    assert found(store, {"config.o.a": {"$in": [one, None]}, "name": "first"}) == ["first"]
    assert found(store, {"rows_total": {"$gt": one}}) == ["first", "second", "hard"]


def test_values_of_other_libraries_are_what_they_stand_for(store):
    assert found(store, {"config.on": np.True_}) == ["first"]
    assert found(store, {"group": {"$exists": np.True_}}) == ["first"]
    assert found(store, {"created_at": np.datetime64("2026-11-21T18:00:05.250000")}) == ["first"]
    assert found(store, {"config.seed": Decimal(2**53 + 1)}) == ["second"]
    for wrong, message in (
        (Decimal("NaN"), "NaN compares"), (Decimal("sNaN"), "NaN compares"), (Decimal("1e9999999"), "too large"),
        (np.True_, "takes a number"), (np.array([1]), "takes a number"), ("1", "takes a number"),
    ):  # fmt: skip
        with pytest.raises(errors.InvalidCondition, match=message):
            store.results.list({"cost": wrong})


# Paths


def test_places_in_documents_are_found(store):
    for path in ("o.a", 'o."a"', '"o".a'):
        assert found(store, {f"config.{path}": 1}) == ["first"]
    assert found(store, {'config.o."".a': 2}) == found(store, {'config.o."x.y"': 3}) == ["first"]
    assert found(store, {"config.o.list[0]": 7}) == ["first"]
    assert found(store, {"config.[0].a": 1}) == ["hard"]
    assert found(store, {"metadata.run.n": 5}) == found(store, where=["metadata.run.n >= 5"]) == ["first"]
    assert found(store, search={"metadata.run.n": "5"}) == []


@pytest.mark.parametrize(
    "path", ['"', "[", ".", "o..a", ".o", "o.", 'o."a', 'o"a"', "o[a]", "o[]", "o[0", "o]", "o[0]a"]
)
def test_what_is_no_path_is_refused_and_never_means_the_whole(store, path):
    for asked in ({"filter": {f"config.{path}": 1}}, {"filter": {f"metadata.{path}": {"$exists": True}}},
                  {"sort": f"config.{path}"}):  # fmt: skip
        with pytest.raises(errors.UnknownField, match="is no path: write"):
            store.results.list(**asked)
    for ask in (lambda: store.row_scores("first", where=f"item.{path} = 1"),
                lambda: store.aggregate_scores("first", by=f"item.{path}")):  # fmt: skip
        with pytest.raises(errors.UsageError):
            ask()


def test_a_path_is_a_json_pointer():
    assert json_path('a.b[0]."c.d/e~[1]"') == "/a/b/0/c.d~1e~0[1]"


@pytest.mark.parametrize("field", ["suites.a..b.score", 'suites."a.b.score', "suites.a.b.", 'suites."a"b.c.score'])
def test_a_suite_that_is_half_quoted_is_refused(store, field):
    with pytest.raises(errors.UnknownField, match=r"suites.<suite>"):
        store.results.list({field: 1})


# What is asked of all, not of the default


def test_a_filter_that_names_a_status_is_asked_of_all_jobs(store):
    assert found(store, {"status": "error"}) == found(store, search={"status": "ERR"}) == ["broke"]
    assert found(store, where=["status != completed"]) == ["broke"]
    assert found(store, {"$or": [{"status": "error"}, {"name": "first"}]}) == ["first", "broke"]
    assert found(store, {"status": "error"}, status="interrupted") == []


def test_a_filter_that_names_a_workspace_is_asked_of_all_workspaces(store):
    assert found(store, {"workspace": "other"}) == ["elsewhere"]
    assert sorted(found(store, {"workspace": {"$in": ["default", "other"]}})) == [
        "elsewhere",
        "first",
        "hard",
        "second",
    ]
    assert found(store, {"workspace": "other"}, workspace="default") == []


def test_a_filter_that_names_the_deletion_is_asked_of_the_trash_too(store):
    assert found(store, {"deleted_at": {"$exists": True}}) == ["gone"]
    assert found(store, {"deleted_at": None}) == ["first", "second", "hard"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"status": "done"}, "no status 'done'; there are: cancelled, completed, error, interrupted"),
        ({"status": {"$in": ["error", "complete"]}}, "did you mean completed"),
        ({"kind": {"$ne": "foo"}}, "no kind 'foo'; there are: benchmark, comparison, evaluation"),
    ],
)
def test_a_status_or_kind_that_there_is_not_is_refused(store, given, message):
    with pytest.raises(errors.InvalidCondition, match=message):
        store.results.list(given)


def test_the_words_of_a_filter_are_those_of_the_store():
    assert set(result_fields.CHOICES["status"]) == set(get_args(results.Status))
    assert result_fields.CHOICES["kind"] == job_context.KINDS


# Names that are nowhere


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("suites.nope.a.score", "has a suite 'nope'; there are: default, hard"),
        ("suites.hrad.rouge.score", "has a suite 'hrad'; did you mean hard"),
        ("suites.hard.accuracy.score", "has a metric 'accuracy' in a suite 'hard'; there are: rouge"),
        ("scores.ACURACY.mean", "no job has a score 'ACURACY'; did you mean accuracy"),
    ],
)
def test_a_score_that_there_is_not_is_refused_with_those_that_there_are(store, field, message):
    for asked in ({"filter": {field: 1}}, {"sort": field}):
        with pytest.raises(errors.UnknownField, match=message):
            store.results.list(**asked)


@pytest.mark.parametrize(("written", "meant"), [("FIRST", "first"), ("Secnod", "second")])
def test_near_names_are_near_in_any_case(store, written, meant):
    with pytest.raises(errors.JobNotFound, match=f"did you mean {meant}"):
        store.results.retrieve(written)


# The call


def test_arguments_may_be_given_in_their_order(store):
    page = store.results.list(None, {"name": "s"}, "-created_at", ["mean"], 1, 1, "default", "completed", False)
    assert [result.name for result in page] == ["second", "first"]
    assert page.data[0].scores[0].mean == 0
    assert found(store, where=None) == ["first", "second", "hard"]


def test_a_page_far_behind_the_last_is_empty(store):
    page = store.results.list(page=10**18, page_size=1000)
    assert (page.data, page.pagination.total_results) == ([], 3)


@pytest.mark.parametrize(
    "wrong",
    [{"aggregate_fields": [["mean"]]}, {"aggregate_fields": [None]}, {"where": 5}, {"where": {"name": "x"}}],
    ids=str,
)
def test_what_is_no_argument_is_refused(store, wrong):
    with pytest.raises(errors.UsageError):
        store.results.list(**wrong)


def test_a_job_is_found_by_its_commit(tmp_path, monkeypatch):
    import subprocess

    git = ["git", "-C", str(tmp_path), "-c", "user.name=n", "-c", "user.email=e@x", "-c", "commit.gpgsign=false"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "one"], check=True)
    commit = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    monkeypatch.chdir(tmp_path)
    with evalstore.open(tmp_path / "evals") as store:
        record(store, "here")
        assert (
            found(store, {"git_commit": commit}) == found(store, search={"git_commit": commit[:7].upper()}) == ["here"]
        )
        assert found(store, {"git_commit": None}) == found(store, {"git_commit": commit[:7]}) == []


# Results as values


def test_a_result_is_a_value(store):
    one, same, other = (store.results.retrieve(name) for name in ("first", "first", "second"))
    assert one == same
    assert one != other
    assert {one, same, other} == {one, other}
    for again in (pickle.loads(pickle.dumps(one)), copy.deepcopy(one)):
        assert again == one
        assert again.to_dict() == one.to_dict()
    narrow = store.results.retrieve("first", aggregate_fields=["mean"])
    assert narrow == one
    assert pickle.loads(pickle.dumps(narrow)).scores[0].to_dict() == narrow.scores[0].to_dict()


def test_comparisons_are_each_met_by_one_of_several_suites(tmp_path):
    with evalstore.open(tmp_path / "evals") as store, store.job("both") as job:
        for suite, score in (("a", 0.2), ("b", 0.9)):
            job.log(item={"q": 1}, scores={"accuracy": score}, suite=suite)
    assert found(store, {"scores.accuracy.mean": {"$gt": 0.3, "$lt": 0.5}}) == ["both"]
    assert found(store, {"suites.a.accuracy.mean": {"$gt": 0.3, "$lt": 0.5}}) == []
