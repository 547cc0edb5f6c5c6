"""What is declared of a metric: when it counts, which declaration goes first, and what is refused."""

import json
from math import inf, nan
from typing import Any

import pytest

import evalstore
from evalstore import meta
from evalstore.errors import UsageError
from tests.processes import Process, ask_elsewhere

QUALITY: dict[str, Any] = {"minimum": 1, "maximum": 5}


def record(store, name, values, metric="quality", **context):
    """A job with one row per value; its model is its name."""
    with store.job(name, dataset="d", model=name, **context) as job:
        for i, value in enumerate(values):
            job.log(item={"q": i}, scores={metric: value}, row_key=str(i))


def scores_of(store, job, metric="quality"):
    return {score.name: score for score in store.aggregate_scores(job, metric=metric).scores}


def ranking(store, metric="quality", **options):
    return store.leaderboard(metric, **options).sort("rank")["job"].to_list()


def declared(store):
    """What plain SQL says is declared for the whole store."""
    return store.sql("SELECT metric, name, higher_is_better FROM metric ORDER BY ALL").rows()


# With a job


def test_a_declared_range_counts_what_lies_outside_it_and_keeps_it(store):
    record(store, "one", [0, 1, 3, 5, 6, None, nan], metrics={"quality": QUALITY})
    [score] = scores_of(store, "one").values()
    assert (score.score_type, score.rows_total, score.nan_count, score.out_of_range) == ("range", 7, 1, 2)
    assert (score.min, score.max) == (0, 6)
    assert [row.metrics["quality"][0].value for row in store.row_scores("one")][:5] == [0, 1, 3, 5, 6]


def test_a_declared_rubric_keeps_its_order_and_counts_every_label(store):
    steps = [
        {"label": "bad", "value": 0, "description": "no"},
        {"label": "good", "value": 1},
        {"label": "best", "value": 2},
    ]
    record(store, "one", ["good", "bad", "good", None], metrics={"quality": {"rubric": steps}})
    [score] = scores_of(store, "one").values()
    assert score.score_type == "rubric"
    assert [(step.label, step.value, step.count) for step in score.rubric_distribution] == [
        ("bad", 0, 1),
        ("good", 1, 2),
        ("best", 2, 0),
    ]
    assert score.rubric_distribution[0].description == "no"
    assert score.mode_category == "good"
    assert score.mean == pytest.approx(2 / 3)


def test_a_threshold_decides_what_passes_in_the_direction_of_the_metric(store):
    values = [0.2, 0.5, 0.8, None]
    record(store, "up", values, metrics={"quality": {"threshold": 0.5}})
    record(store, "down", values, metrics={"quality": {"threshold": 0.5, "higher_is_better": False}})
    for name, passed in (("up", [False, True, True]), ("down", [True, True, False])):
        [score] = scores_of(store, name).values()
        assert (score.passed, score.evaluated) == (2, 3)
        assert [row.metrics["quality"][0].passed for row in store.row_scores(name)][:3] == passed
        assert store.show(name)["pass_rate"] == pytest.approx(2 / 3)


def test_without_a_declaration_nothing_passes_and_higher_is_better(store):
    record(store, "one", [0.2, 0.9])
    [score] = scores_of(store, "one").values()
    assert (score.passed, score.evaluated, score.out_of_range) == (None, None, 0)
    assert store.leaderboard("quality")["higher_is_better"].to_list() == [True]


def test_a_declared_range_scales_the_worst_rows(store):
    record(store, "one", [5, 1, 3], metrics={"quality": {**QUALITY, "higher_is_better": False}})
    assert [row.row_key for row in store.row_scores("one", order="worst")] == ["0", "2", "1"]
    assert [row.row_key for row in store.row_scores("one", order="best")] == ["1", "2", "0"]


def test_declarations_of_a_job_are_its_own(store):
    record(store, "low", [1.0], metrics={"quality": {"higher_is_better": False}})
    assert store.leaderboard("quality")["higher_is_better"].to_list() == [False]
    record(store, "plain", [2.0], metric="other")
    assert store.leaderboard("other")["higher_is_better"].to_list() == [True]
    assert declared(store) == []


def test_bulk_recording_takes_declarations_too(store):
    rows = [{"q": i, "quality": i} for i in range(8)]
    answer = store.record("one", rows, scores=["quality"], item=["q"], metrics={"quality": QUALITY})
    assert answer.scores[0].out_of_range == 3
    store.metrics.declare("quality", minimum=1, maximum=3)
    assert store.record("two", rows, scores=["quality"], item=["q"]).scores[0].out_of_range == 5


# For the whole store


def test_a_declaration_counts_for_the_aggregates_of_jobs_committed_later(store):
    record(store, "before", [0, 3, 9])
    declaration = store.metrics.declare("quality", **QUALITY, threshold=3)
    assert (declaration.metric, declaration.minimum, declaration.maximum) == ("quality", 1, 5)
    record(store, "after", [0, 3, 9])
    assert scores_of(store, "before")["quality"].out_of_range == 0
    assert scores_of(store, "before")["quality"].passed is None
    assert scores_of(store, "after")["quality"].out_of_range == 2
    assert scores_of(store, "after")["quality"].passed == 2


def test_a_declaration_turns_the_leaderboard_of_jobs_recorded_before_and_after(store):
    for name, values in (("low", [1.0, 1.0]), ("middle", [2.0, 2.0]), ("high", [3.0, 3.0])):
        record(store, name, values)
    assert ranking(store) == ["high", "middle", "low"]
    store.metrics.declare("quality", higher_is_better=False)
    assert ranking(store) == ["low", "middle", "high"]
    assert ranking(evalstore.open(store.root)) == ["low", "middle", "high"]
    assert ranking(store, errors="zero") == ["low", "middle", "high"]
    record(store, "lowest", [0.0, 0.0])
    assert ranking(store) == ["lowest", "low", "middle", "high"]
    assert set(store.leaderboard("quality")["higher_is_better"]) == {False}
    assert ask_elsewhere(store.root, "SELECT job FROM leaderboard ORDER BY rank") == [
        ["lowest"],
        ["low"],
        ["middle"],
        ["high"],
    ]


def test_the_last_declaration_of_a_metric_replaces_the_one_before(store):
    record(store, "low", [1.0])
    record(store, "high", [2.0])
    for better in (False, True, False):
        store.metrics.declare("quality", higher_is_better=better)
        assert declared(store) == [("quality", None, better)]
    assert ranking(store) == ["low", "high"]
    store.metrics.declare("quality", maximum=5)  # as a whole: the direction goes with the old one
    assert declared(store) == [("quality", None, None)]
    [last] = store.metrics.in_force()
    assert (last["maximum"], last["higher_is_better"]) == (5, None)


def test_a_direction_inherited_from_an_older_declaration_gives_way_to_a_newer_one(store):
    store.metrics.declare("quality", higher_is_better=False)
    record(store, "low", [1.0])
    record(store, "high", [2.0])
    store.metrics.declare("quality", higher_is_better=True)
    assert ranking(store) == ["high", "low"]


def test_the_declaration_of_the_job_goes_before_that_of_the_store(store):
    store.metrics.declare("quality", minimum=0, maximum=1, threshold=1)
    record(store, "own", [0, 3, 9], metrics={"quality": {**QUALITY, "threshold": 9}})
    record(store, "inherited", [0, 3, 9])
    assert (scores_of(store, "own")["quality"].out_of_range, scores_of(store, "own")["quality"].passed) == (2, 1)
    assert (scores_of(store, "inherited")["quality"].out_of_range, scores_of(store, "inherited")["quality"].passed) == (
        2,
        2,
    )


@pytest.mark.parametrize("bulk", [False, True])
def test_the_declaration_of_the_job_goes_first_however_many_rows_and_metrics_there_are(store, bulk):
    metrics = [f"m{n}" for n in range(40)]
    for metric in metrics:
        meta_entry = {"workspace": "default", "metric": metric, "name": None, "minimum": 0.0, "maximum": 1.0}
        if store.root.exists():
            meta.append(store.root, "metrics.jsonl", meta_entry)
        else:
            store.metrics.declare(metric, minimum=0, maximum=1)
    own = {metric: {"minimum": 0, "maximum": 100} for metric in metrics}
    if bulk:
        store.record("one", [dict.fromkeys(metrics, 50)], scores=metrics, item=[], metrics=own)
    else:
        with store.job("one", metrics=own) as job:
            job.log(item=1, scores=dict.fromkeys(metrics, 50))
    assert {score.out_of_range for score in store.aggregate_scores("one").scores} == {0}


def test_one_direction_holds_for_a_whole_ranking(store):
    record(store, "low", [1.0], metrics={"quality": {"higher_is_better": True}})
    record(store, "high", [2.0])
    record(store, "middle", [1.5], metrics={"quality": {"higher_is_better": False}})
    assert set(store.leaderboard("quality")["higher_is_better"]) == {False}  # as the newest job says that says anything
    assert ranking(store) == ["low", "middle", "high"]
    store.metrics.declare("quality", higher_is_better=True)  # for the store as a whole: goes before that of jobs
    assert set(store.leaderboard("quality")["higher_is_better"]) == {True}
    assert ranking(store) == ["high", "middle", "low"]


def log_names(store, name, **context):
    """A job with three names under one metric, the value 3 for each."""
    given = [{"name": "easy", "score": 3}, {"name": "hard", "score": 3}, {"name": "other", "score": 3}]
    with store.job(name, dataset="d", model=name, **context) as job:
        job.log(item=1, scores={"quality": given}, row_key="1")


@pytest.mark.parametrize("order", [1, -1])
def test_a_declaration_of_one_name_goes_before_that_of_the_whole_metric(store, order):
    wide: dict[str, Any] = {"minimum": 0, "maximum": 1, "threshold": 1}
    narrow: dict[str, Any] = {"name": "easy", "minimum": 0, "maximum": 9, "threshold": 4}
    log_names(store, "own", metrics={"quality": [wide, narrow][::order]})
    for fields in [wide, narrow][::order]:
        store.metrics.declare("quality", **fields)
    log_names(store, "inherited")
    for job in ("own", "inherited"):
        found = {name: (score.out_of_range, score.passed) for name, score in scores_of(store, job).items()}
        assert found == {"easy": (0, 0), "hard": (1, 1), "other": (1, 1)}


def test_the_direction_of_one_name_goes_before_that_of_the_whole_metric(store):
    log_names(store, "one")
    store.metrics.declare("quality", name="easy", higher_is_better=True)
    store.metrics.declare("quality", higher_is_better=False)
    store.metrics.declare("quality", name="hard", higher_is_better=True)
    found = dict(store.leaderboard("quality").select("name", "higher_is_better").rows())
    assert found == {"easy": True, "hard": True, "other": False}
    assert declared(store) == [("quality", "easy", True), ("quality", "hard", True), ("quality", None, False)]


def test_a_declaration_counts_in_its_workspace_only(store):
    lab = evalstore.open(store.root, workspace="lab")
    lab.metrics.declare("quality", **QUALITY, higher_is_better=False)
    for one in (store, lab):
        record(one, "low", [0])
        record(one, "high", [9])
    assert ranking(store) == ["high", "low"]
    assert ranking(lab) == ["low", "high"]
    assert scores_of(store, "high")["quality"].out_of_range == 0
    assert scores_of(lab, "high")["quality"].out_of_range == 1
    assert store.metrics.in_force() == []


def test_a_declaration_may_come_before_the_first_job(store):
    store.metrics.declare("quality", class_="critical", **QUALITY)
    [found] = store.metrics.in_force()
    assert (found["class"], found["minimum"]) == ("critical", 1)
    assert store.jobs().is_empty()
    assert declared(store) == [("quality", None, None)]
    record(store, "one", [0])
    assert scores_of(store, "one")["quality"].out_of_range == 1


def test_any_text_may_name_a_metric_or_a_label(store):
    record(store, "before", [1.0])
    names = ["'; DROP TABLE metric; --", "a\u2028b", "a\x85b", "a\nb", "\0", "é", '"', "\\", "x" * 5000, " "]
    for name in names:
        store.metrics.declare(name, rubric=[{"label": name, "value": 1, "description": name}])
    assert {one["metric"] for one in store.metrics.in_force()} == set(names)
    assert set(store.sql("SELECT metric FROM metric").to_series()) == set(names)
    with store.job("one") as job:
        job.log(item=1, scores={name: name for name in names})
    assert {score.metric: score.mean for score in store.aggregate_scores("one").scores} == dict.fromkeys(names, 1.0)


# What is refused

BAD: dict[str, dict[str, Any]] = {
    "minimum is not below maximum": {"minimum": 5, "maximum": 1},
    "minimum equals maximum": {"minimum": 1, "maximum": 1},
    "minimum": {"minimum": "low"},
    "maximum": {"maximum": nan},
    "maximum is infinite": {"maximum": inf},
    "threshold": {"threshold": "high"},
    "higher_is_better": {"higher_is_better": "perhaps"},
    "class": {"class": "important"},
    "score_type": {"score_type": "numbers"},
    "rubric without steps": {"rubric": []},
    "rubric with a label twice": {"rubric": [{"label": "a"}, {"label": "a"}]},
    "rubric.0.label": {"rubric": [{"value": 1}]},
    "rubric.0.label is empty": {"rubric": [{"label": ""}]},
    "rubric.1.value": {"rubric": [{"label": "a", "value": 1}, {"label": "b", "value": "two"}]},
    "rubric.0.colour": {"rubric": [{"label": "a", "colour": "red"}]},
    "rubric and range": {"rubric": [{"label": "a"}], "maximum": 1},
    "rubric type without rubric": {"score_type": "rubric"},
    "lower_is_better": {"lower_is_better": True},
    "name": {"name": 5},
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_declaration_is_refused_naming_metric_and_field_and_leaves_nothing(tmp_path, case):
    store = evalstore.open(tmp_path / "evals")
    field = case.partition(" ")[0]
    for declare in (
        lambda: store.metrics.declare("quality", **BAD[case]),
        lambda: store.job("one", metrics={"fine": {"minimum": 0}, "quality": BAD[case]}),
        lambda: store.job("one", metrics={"quality": [{"minimum": 0}, BAD[case]]}),
        lambda: store.record("one", [{"q": 1, "s": 1}], scores=["s"], metrics={"quality": BAD[case]}),
    ):
        with pytest.raises(UsageError, match="'quality'") as caught:
            declare()
        assert field in str(caught.value)
        assert "higher_is_better" in str(caught.value)  # the fields that there are
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "metrics", [["quality"], "quality", {"quality": 5}, {"quality": "best"}, {"quality": [5]}, {"": {}}, {5: {}}]
)
def test_what_is_no_declaration_is_refused(tmp_path, metrics):
    with pytest.raises(UsageError):
        evalstore.open(tmp_path / "evals").job("one", metrics=metrics)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("metric", ["", 5, None])
def test_a_metric_without_a_name_is_refused(tmp_path, metric):
    with pytest.raises(UsageError):
        evalstore.open(tmp_path / "evals").metrics.declare(metric, minimum=0)
    assert list(tmp_path.iterdir()) == []


# The file behind it


def test_a_torn_last_line_is_no_declaration_and_swallows_none(store):
    store.metrics.declare("quality", higher_is_better=False)
    file = store.root / "meta/metrics.jsonl"
    whole = file.read_bytes()
    for torn in (whole[: len(whole) // 2], '{"metric": "\u00e9'.encode()[:-1], b"{", b"\0\0\0"):
        file.write_bytes(whole + torn)
        other = evalstore.open(store.root)
        assert [one["metric"] for one in other.metrics.in_force()] == ["quality"]
        record(other, f"job-{len(torn)}", [1.0])
        assert declared(other) == [("quality", None, False)]
        other.metrics.declare("second", minimum=0)
        assert [one["metric"] for one in other.metrics.in_force()] == ["quality", "second"]
        assert declared(other) == [("quality", None, False), ("second", None, None)]


def test_the_snapshot_can_be_made_again_from_the_file(store):
    record(store, "low", [1.0])
    record(store, "high", [2.0])
    store.metrics.declare("quality", higher_is_better=False)
    (store.root / "catalog.duckdb").unlink()
    assert ranking(evalstore.open(store.root)) == ["low", "high"]
    assert declared(store) == [("quality", None, False)]


def test_every_declaration_is_one_line_of_json(store):
    store.metrics.declare("quality", **QUALITY)
    store.metrics.declare("quality", name="easy", threshold=3)
    lines = (store.root / "meta/metrics.jsonl").read_bytes().splitlines()
    entries = [json.loads(line) for line in lines]
    assert [(one["workspace"], one["metric"], one["name"]) for one in entries] == [
        ("default", "quality", None),
        ("default", "quality", "easy"),
    ]


DECLARES = """
store = evalstore.open(root)
for number in range(5):
    store.metrics.declare(f"{sys.argv[2]}-{number}", minimum=number)
"""


def test_declarations_of_several_processes_are_all_kept(store):
    with Process(DECLARES, store.root, "a") as one, Process(DECLARES, store.root, "b") as other:
        one.end()
        other.end()
    names = sorted(f"{letter}-{number}" for letter in "ab" for number in range(5))
    assert sorted(one["metric"] for one in store.metrics.in_force()) == names
    assert [metric for metric, _, _ in declared(store)] == names
    assert list((store.root / "pending").iterdir()) == []
