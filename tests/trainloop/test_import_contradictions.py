"""Documents that contradict themselves, or say too little, come in without a word of theirs being lost or moved."""

import json

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
