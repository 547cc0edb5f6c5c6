"""What is stored a second time under the same name; and what is said of a job after it was committed."""

import json

import polars as pl
import pytest

import evalstore
from evalstore import errors

ROWS = [{"id": n, "q": f"{n} + {n}", "right": n % 2 == 0, "near": None if n == 1 else n / 3} for n in range(4)]


def record(store, rows=ROWS, **changed):
    given = {"scores": ["right", "near"], "item": ["q"], "columns": {"row_key": "id"}, "model": "m", "tags": ["a"]}
    return store.record("one", rows, **{**given, **changed})


# The same again


@pytest.mark.parametrize("form", [list, pl.DataFrame])
def test_the_same_content_again_changes_nothing(store, form):
    before = record(store, form(ROWS)).to_polars()
    job_id = store.show("one")["job_id"]
    assert record(store, form(ROWS)).to_polars().equals(before)
    assert store.show("one")["job_id"] == job_id
    assert store.trash().is_empty()


@pytest.mark.parametrize(
    "change",
    [{"rows": ROWS[:3]}, {"rows": [*ROWS[:3], {**ROWS[3], "near": 0.5}]}, {"model": "other"}, {"tags": []},
     {"config": {"temperature": 1}}, {"metrics": {"near": {"minimum": 0, "maximum": 2}}}, {"item": ["q", "id"]}],
    ids=["fewer rows", "another score", "model", "tags", "config", "declaration", "item"],
)  # fmt: skip
def test_other_content_under_a_taken_name_is_refused_unless_it_overwrites(store, change):
    record(store)
    job_id = store.show("one")["job_id"]
    with pytest.raises(errors.JobExists):
        record(store, **change)
    assert store.show("one")["job_id"] == job_id
    record(store, **change, overwrite=True)
    assert store.show("one")["job_id"] != job_id


def test_what_is_declared_in_the_store_does_not_make_the_same_content_another(store):
    store.metrics.declare("near", minimum=0, maximum=2)
    record(store)
    record(store)


def test_a_file_imported_twice_is_there_once(store, tmp_path):
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(f"{json.dumps(row)}\n" for row in ROWS))
    first = store.import_from("rows", file, job="one", scores=["right"])
    assert first.flags == []
    again = store.import_from("rows", file, job="one", scores=["right"])
    assert (again.jobs, again.rows, again.flags) == (["one"], 4, ["job one was there already, with the same content"])
    with pytest.raises(errors.JobExists):
        store.import_from("rows", file, job="one", scores=["near"])
    file.write_text(file.read_text() * 2)
    with pytest.raises(errors.JobExists):
        store.import_from("rows", file, job="one", scores=["right"])


def test_artifacts_imported_again_are_left_as_they_are_and_new_ones_come_in(store, tmp_path):
    line = {"row_index": 0, "item": {"q": 1}, "sample": {}, "metrics": {"m": [{"name": "m", "value": 1}]}}
    for name in ("a", "b"):
        (tmp_path / f"{name}.row-scores.jsonl").write_text(json.dumps(line))
    store.import_from("nemo", tmp_path)
    (tmp_path / "c.row-scores.jsonl").write_text(json.dumps(line))
    report = store.import_from("nemo", tmp_path)
    assert (sorted(report.jobs), len(report.flags)) == (["a", "b", "c"], 2)
    assert sorted(store.jobs()["name"]) == ["a", "b", "c"]


# Tags and notes


def said(store, job="one"):
    [result] = store.results.list({"name": job})
    return result.tags, [note["note"] for note in result.notes]


def test_tags_and_notes_are_said_after_the_fact(store):
    record(store)
    assert store.tag("one", add=["b", "é"], note="looks fine") == ["a", "b", "é"]
    assert store.tag("one", remove=["a", "none"], note="again") == ["b", "é"]
    assert said(store) == (["b", "é"], ["looks fine", "again"])
    assert store.jobs(tag="b")["name"].to_list() == ["one"]
    assert store.known("tag") == ["b", "é"]
    assert [one.name for one in store.results.list(where=["tags = b"])] == ["one"]
    assert store.verify(), store.verify().errors


def test_what_was_said_stays_said(store):
    record(store)
    store.tag("one", add=["b"], remove=["a"], note="kept")
    store.rebuild()
    assert said(store) == (["b"], ["kept"])
    store.results.delete("one")
    [deleted] = store.results.list(include_deleted=True)
    assert deleted.tags == ["b"]
    store.results.restore("one")
    assert said(store) == (["b"], ["kept"])
    with store.job("one", model="m", resume=True) as job:
        job.log(item={"q": "more"}, scores={"right": True}, row_key=99)
    assert said(store) == (["b"], ["kept"])
    with evalstore.open(store.root) as other:
        assert said(other) == (["b"], ["kept"])


def test_a_torn_or_foreign_line_stops_nobody(store):
    record(store)
    store.tag("one", add=["b"])
    with (store.root / "meta/tags.jsonl").open("a") as file:
        file.write('{"job_id": 5}\n{"job_id": "x", "add": "b", "remove": [], "notes": []}\n[]\n{"job_i')
    store.tag("one", add=["c"])
    assert said(store) == (["a", "b", "c"], [])


@pytest.mark.parametrize(
    "wrong",
    [{}, {"add": "b"}, {"add": [1]}, {"add": ["b"], "remove": ["b"]}, {"note": 5},
     {"add": None}, {"add": 5}, {"add": {"b": 1}}, {"add": ["b", ""]}, {"add": [" "]}, {"note": " "}],
    ids=str,
)  # fmt: skip
def test_what_is_no_tag_is_refused(store, wrong):
    record(store)
    with pytest.raises(errors.UsageError):
        store.tag("one", **wrong)
    assert said(store) == (["a"], [])
    with pytest.raises(errors.JobNotFound):
        store.tag("two", add=["b"])


# Imports that replace


@pytest.fixture(params=["rows", "nemo", "trainloop"])
def source(request, tmp_path):
    """Imports two rows, or those that are given, each time from the same path, as the job `one`; what came of it."""

    def bring_in(store, rows=ROWS[:2], **options):
        if request.param == "rows":
            path = tmp_path / "one.jsonl"
            path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
            options = {"job": "one", "scores": ["right"], **options}
        elif request.param == "nemo":
            options["metadata"] = options.pop("job_metadata", None)
            path = tmp_path / "one.row-scores.jsonl"
            lines = [{"row_index": n, "item": row, "sample": {}, "metrics": {"m": [{"name": "m", "value": 1.0}]}}
                     for n, row in enumerate(rows)]  # fmt: skip
            path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
        else:
            details = [{"event_id": n, "passed": True, "input": row} for n, row in enumerate(rows)]
            metrics = {"m": {"passed": len(rows), "total": len(rows), "details": details}}
            path = tmp_path / "evaluation_one.json"
            document = {"timestamp": "2026-03-01T10:00:00", "suites": {"s": {"metrics": metrics}}}
            path.write_text(json.dumps(document))
            options = {"job": "one", **options}
        return store.import_from(request.param, path, **options)

    return bring_in


def test_overwriting_leaves_what_is_the_same(store, source):
    source(store, tags=["a"], model="m", job_metadata={"k": 1})
    before = store.show("one")["job_id"]
    store.tag("one", add=["later"])  # what is said afterwards is not said by the import
    report = source(store, tags=["a"], model="m", job_metadata={"k": 1}, overwrite=True)
    assert (report.jobs, report.flags) == (["one"], ["job one was there already, with the same content"])
    assert store.show("one")["job_id"] == before
    assert store.trash().is_empty()


@pytest.mark.parametrize(
    "change",
    [{"rows": ROWS}, {"tags": ["b"]}, {"model": "other"}, {"labels": {"k": "v"}}, {"job_metadata": {"k": 1}},
     {"metrics": {"m": {"class": "critical"}}}],
    ids=["rows", "tags", "model", "labels", "metadata", "declaration"],
)  # fmt: skip
def test_overwriting_replaces_what_is_not(store, source, change):
    source(store)
    before = store.show("one")["job_id"]
    report = source(store, **change, overwrite=True)
    assert (report.jobs, report.flags) == (["one"], [])
    assert store.show("one")["job_id"] != before
    assert store.trash()["job"].to_list() == ["one"]


def test_another_time_zone_replaces(store, tmp_path):
    metrics = {"m": {"passed": 1, "total": 2}}
    file = tmp_path / "evaluation_one.json"
    file.write_text(json.dumps({"timestamp": "2026-03-01T10:00:00", "suites": {"s": {"metrics": metrics}}}))
    for zone, count in (("UTC", 0), ("UTC", 0), ("Europe/Berlin", 1), ("Europe/Berlin", 1)):
        store.import_from("trainloop", file, timezone=zone, overwrite=True)
        assert len(store.trash()) == count
    assert store.show("evaluation_one")["created_at"].hour == 9
