"""Scores that another tool has told, without the rows: what it says is kept, what it does not is not made up."""

import json
import math

import pytest
from click.testing import CliRunner

import evalstore
from evalstore import errors
from evalstore.cli.app import evalstore as program

TOLD = {"name": "pass@1", "count": 100, "nan_count": 5, "mean": 0.7, "score_type": "range"}


def put(folder, job, *scores):
    folder.mkdir(exist_ok=True)
    file = folder / f"{job}.aggregate-scores.json"
    file.write_text(json.dumps({"scores": scores}))
    return file


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Jobs that were told with and without counts, one that was told to have scored nothing, one that scored none."""
    folder = tmp_path_factory.mktemp("told")
    untold = {"name": "pass@1", "mean": 0.7, "score_type": "range"}
    put(folder / "in", "counted", TOLD, {**TOLD, "name": "other", "count": 90})
    put(folder / "in", "untold", untold, {**untold, "name": "null", "count": None, "nan_count": None})
    put(folder / "in", "half", {**untold, "count": 100})
    put(folder / "in", "nothing", {**TOLD, "count": 0, "nan_count": 3, "mean": None})
    odd = {"sum": math.inf, "mean": math.nan, "variance": -1, "max": math.inf, "percentiles": {"p10": math.nan}}
    put(folder / "in", "odd", {**TOLD, **odd})
    with evalstore.open(folder / "evals") as store:
        store.import_from("nemo", folder / "in")
        with store.job("allnan") as job:
            job.log(item={"q": 1}, scores={"m": math.nan})
        yield store


def ask(store, *words):
    done = CliRunner().invoke(program, ["--store", str(store.root), *words])
    assert done.exit_code == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", ["counted", "half", "odd"])
def test_a_job_without_rows_is_not_compared_and_says_so(store, name):
    for sides in ((name, "allnan"), ("allnan", name)):
        with pytest.raises(errors.NotComparable, match=f"job '{name}' was imported by its counts, without rows"):
            store.compare(*sides)


def test_a_job_counts_the_rows_that_are_told(store):
    shown = {result.name: result for result in store.results.list(status=None)}
    totals = {
        name: (one.rows_total, one.rows_scored, one.rows_unscored, one.rows_error, one.succeeded)
        for name, one in shown.items()
    }
    assert totals == {
        "counted": (105, 100, 5, 0, True),
        "untold": (None, None, None, 0, True),
        "half": (None, 100, None, 0, True),
        "nothing": (3, 0, 3, 0, False),
        "odd": (105, 100, 5, 0, True),
        "allnan": (1, 0, 1, 0, False),
    }
    assert {result.name for result in store.results.list({"rows_scored": 0})} == {"nothing", "allnan"}
    assert store.verify(), store.verify().errors


def test_a_count_that_is_not_told_is_not_zero(store):
    for name in ("pass@1", "null"):
        [score] = store.aggregate_scores("untold", metric=name).scores
        assert (score.count, score.nan_count, score.rows_total, score.mean) == (None, None, None, 0.7)
    [score] = store.aggregate_scores("half").scores
    assert (score.count, score.nan_count, score.rows_scored, score.rows_total) == (100, None, 100, None)
    assert {result.name for result in store.results.list({"scores.pass@1.count": None})} >= {"untold"}
    store.rebuild()
    assert store.show("untold")["rows_scored"] is None


def test_what_is_told_goes_out_as_it_came(store, tmp_path):
    [_, untold, _, odd] = store.export(["untold", "odd"], "nemo", to=tmp_path)
    told = {score["name"]: score for score in json.loads(untold.read_text())["scores"]}
    assert [(told[name]["count"], told[name]["nan_count"], told[name]["mean"]) for name in ("pass@1", "null")] == [
        (None, None, 0.7), (None, None, 0.7),
    ]  # fmt: skip
    [score] = json.loads(odd.read_text())["scores"]
    nulls = ("sum", "mean", "max")
    assert {field: score[field] for field in nulls} == dict.fromkeys(nulls)
    assert set(score["percentiles"].values()) == {None}
    with evalstore.open(tmp_path / "again") as again:
        again.import_from("nemo", tmp_path)
        assert [one.count for one in again.aggregate_scores("untold").scores] == [None, None]


def test_pages_say_what_is_told(store):
    lines = {line.split()[0]: line for line in ask(store, "jobs").splitlines() if line.strip()}
    assert "completed" in lines["counted"]
    assert "100 of 105" in lines["counted"]
    for name in ("nothing", "allnan"):
        assert "scored nothing" in lines[name]
        assert "scored nothing" in ask(store, "show", name)
    page = ask(store, "show", "untold", "--metric", "pass@1")
    assert "completed" in page.splitlines()[0]
    assert "not told" in page
    assert "scored 100" in ask(store, "show", "half")
    assert "pass@1" in ask(store, "leaderboard", "--metric", "pass@1")


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"count": -1}, "count"),
        ({"count": 10**30}, "count"),
        ({"count": "many"}, "count"),
        ({"nan_count": -1}, "nan_count"),
        ({"mean": 10**400}, "mean"),
        ({"histogram": {"bins": [{"count": -1}]}}, "histogram.bins.0.count"),
    ],
)
def test_a_number_that_cannot_be_is_named(store, tmp_path, wrong, field):
    file = put(tmp_path, "wrong", {**TOLD, **wrong})
    with pytest.raises(errors.BrokenInput) as caught:
        store.import_from("nemo", file)
    assert (caught.value.file, caught.value.field) == (file, f"scores.{field}")
    assert not store.has_job("wrong")
