"""An import that dies at any step: what is there is whole, and importing again brings in the rest."""

import pytest

import evalstore
from tests.crashes import deaths, deaths_at
from tests.trainloop.files import line, sample, write_run

RUNS = [f"2026-03-0{day}_10-00-00" for day in range(1, 6)]
OPERATION = """
from evalstore.importers import trainloop
trainloop._TOGETHER = 2
def operation(store):
    store.import_from("trainloop", {data!r})
"""


@pytest.fixture
def data(tmp_path):
    data = tmp_path / "data"
    for number, run in enumerate(RUNS):
        suite = [line(metric, sample(n), (n + number) % 2) for n in range(4) for metric in ("a", "b")]
        write_run(data, run, one=suite, two=suite[:2])
    traces = data / "judge_traces" / f"{RUNS[2]}.jsonl"
    traces.parent.mkdir()
    traces.write_text('{"trace": 1}\n')
    return data


@pytest.fixture
def root(tmp_path, data):
    with evalstore.open(tmp_path / "evals") as store:
        store.import_from("trainloop", data / "results" / RUNS[0])
    return store.root


def check(copy, data):
    with evalstore.open(copy) as store:
        there = store.jobs()["name"].sort().to_list()
        assert there == RUNS[: len(there)], "what is there came before what is not"
        assert set(store.sql("SELECT rows_total FROM jobs")["rows_total"]) == {5}
        assert store.sql("SELECT * FROM interrupted_jobs").is_empty()
        report = store.import_from("trainloop", data)
        assert report.jobs == RUNS
        assert report.rows == 5 * (5 - len(there))
        assert store.sql("SELECT count(*) AS n FROM row_scores")["n"].to_list() == [50]
        [attached] = store.sql("SELECT unnest(attachments) AS a FROM jobs")["a"].to_list()
        assert attached["bytes"] == 13
        assert store.verify(), store.verify().errors
        assert list((store.root / "pending").glob("[!.]*")) == []  # drafts of markers are swept away later
        assert list((store.root / "staging" / "default").iterdir()) == []


def test_an_import_that_dies_between_its_steps(root, data):
    points = ["after-claim", "before-rename", "after-rename", "after-publish"]
    for _, copy in deaths_at(root, OPERATION.format(data=str(data)), points):
        check(copy, data)


@pytest.mark.slow
def test_an_import_that_dies_before_any_change_of_the_disk(root, data):
    last = 0
    for step, copy in deaths(root, OPERATION.format(data=str(data)), every=3):
        check(copy, data)
        last = step
    assert last > 100
