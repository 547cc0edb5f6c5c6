"""Documents that contradict themselves, or say too little, come in without a word of theirs being lost or moved."""

import json

import pytest

import evalstore
from evalstore.errors import BrokenInput
from tests.trainloop.files import detail, evaluation, write_json


def imported(store, folder, document, **options):
    return store.import_from("trainloop", write_json(folder / "e.json", document), **options)


# Which event a detail speaks of


def test_details_without_an_id_pair_by_their_texts(store, tmp_path):
    def of(text, passed):
        return {"passed": passed, "input": text, "output": f"out {text}"}

    first, second = [of("A", True), of("B", False), of("A", True)], [of("B", False), of("A", True), of("A", False)]
    imported(store, tmp_path, evaluation(s={"a": (2, 3, first), "b": (1, 3, second)}))
    lines = [
        (row.item["input"], row.repetition, *(row.metrics[metric][0].passed for metric in "ab"))
        for row in store.row_scores("e")
    ]
    assert sorted(lines) == [("A", 0, True, True), ("A", 1, True, False), ("B", 0, False, False)]


def test_details_without_id_and_text_pair_by_their_place(store, tmp_path):
    ones = [{"passed": True}, {"passed": False, "event_id": ""}]
    report = imported(store, tmp_path, evaluation(s={"a": (1, 2, ones), "b": (1, 2, ones)}))
    rows = list(store.row_scores("e"))
    assert [[row.metrics[metric][0].passed for metric in "ab"] for row in rows] == [[True, True], [False, False]]
    assert report.duplicates == 0


def test_an_event_of_which_metrics_tell_other_texts_is_flagged_and_keeps_both(store, tmp_path):
    other = [detail(1, True, input="another"), {"event_id": "evt_2", "passed": True}]
    document = evaluation(s={"a": (2, 2, [detail(1, True), {"event_id": "evt_2", "passed": True}]),
                             "b": (2, 2, other), "c": (2, 2, [detail(1, True), detail(2, True)])})  # fmt: skip
    report = imported(store, tmp_path, document)
    assert report.flags == ["e.json: suites.s.metrics.b: metrics before it tell other texts of evt_1; both kept"]
    first, second = store.row_scores("e")
    assert (first.item, second.item, second.sample) == ({"input": "in 1"}, {"input": "in 2"}, {"output": "out 2"})
    [extra] = store.sql("SELECT extra FROM row_scores WHERE metric = 'b' AND extra IS NOT NULL")["extra"]
    assert json.loads(extra) == {"item": {"input": "another"}}


# How many there were


def test_events_that_were_processed_and_not_judged_are_counted(store, tmp_path):
    document = evaluation(s={"m": (1, 2, [detail(1, True), detail(2, False)])}) | {"total_events": 10}
    document["suites"]["s"]["events_processed"] = 10
    assert imported(store, tmp_path, document).flags == []
    assert store.sql("SELECT events_processed FROM suites")["events_processed"].to_list() == [10]
    job = store.show("e")
    assert (job["total_events"], job["rows_total"], job["total_evaluated"]) == (10, 2, 2)
    query = "SELECT events_processed FROM trainloop_results($files)"
    assert store.sql(query, files=str(tmp_path / "e.json"), allow_external=True)["events_processed"].to_list() == [10]


def test_rows_count_where_more_of_them_are_told_than_were_processed(store, tmp_path):
    document = evaluation(s={"m": (1, 2, [detail(1, True), detail(2, False)])}) | {"total_events": 1}
    document["suites"]["s"]["events_processed"] = 1
    assert imported(store, tmp_path, document).flags == ["e.json: suites.s: states 1 events, and details tell of 2"]
    assert store.show("e")["total_events"] == 2


# Two under one name


@pytest.mark.parametrize(
    ("suites", "message"),
    [
        ({"": {}, "default": {}}, r"field 'suites.default': is there twice: a suite without a name is called default"),
        ({"s": {"metrics": {"x": {"metric": "a"}, "a": {}}}}, r"field 'suites.s.metrics.a': .* of metrics.x once more"),
        ({"s": {"metrics": {"a": {"name": "a"}, "b": {"metric": "a"}}}}, r"metrics.b': is metric a of metrics.a once"),
    ],
)
def test_two_under_one_name_are_refused(store, tmp_path, suites, message):
    with pytest.raises(BrokenInput, match=message):
        imported(store, tmp_path, {"timestamp": "2026-03-01T10:00:00Z", "suites": suites})


# What scores are made of


def test_our_own_export_does_not_contradict_itself(store, tmp_path):
    with store.job("mixed", metrics={"num": {"minimum": 0, "maximum": 1}}) as job:
        for number in range(5):
            job.log(item=number, scores={"ok": number < 3, "num": number / 6})
    store.export(["mixed"], "trainloop", to=tmp_path / "out")
    with evalstore.open(tmp_path / "copy") as copy:
        flags = copy.import_from("trainloop", tmp_path / "out").flags
        assert [flag for flag in flags if "states" in flag] == []
        assert copy.show("@last")["overall_score"] == store.show("mixed")["overall_score"]


def test_a_score_without_counts_does_not_contradict_the_best(store, tmp_path):
    def told(passed, mean):
        metrics = {"m": {"passed": passed, "total": 4}, "n": {"passed": None, "total": None, "score": mean}}
        return {"metrics": metrics, "cost_analysis": {"total_cost": 1}}

    document = {"timestamp": "2026-03-01T10:00:00Z", "type": "benchmark", "comparison": {"best_overall": "a/c"},
                "results": {"a/b": told(3, 0.1), "a/c": told(2, 0.9)}}  # fmt: skip
    assert not [flag for flag in imported(store, tmp_path, document).flags if "best_overall" in flag]
