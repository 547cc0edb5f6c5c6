"""Datasets that the store keeps: what goes in comes out, and content is what a version is."""

import hashlib

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import evalstore
from evalstore.errors import BrokenInput, DatasetNotFound, UsageError
from evalstore.evaluation import Example
from tests.processes import run

ROWS = [
    {"inputs": {"country": "France"}, "outputs": {"capital": "Paris"}, "id": "fr"},
    {"inputs": {"country": "Peru"}, "outputs": {"capital": "Lima"}, "metadata": {"continent": "America"}},
]


def test_what_goes_in_comes_out_in_its_order(store):
    kept = store.datasets.add("capitals", ROWS, description="two of them")
    assert (kept.name, len(kept), kept.description) == ("capitals", 2, "two of them")
    assert list(kept) == ROWS
    assert list(kept) == ROWS
    assert list(evalstore.open(store.root).datasets.get("capitals")) == ROWS


def test_the_same_content_is_the_same_version_and_new_content_the_next(store):
    first = store.datasets.add("capitals", ROWS)
    assert store.datasets.add("capitals", ROWS) == first
    second = store.datasets.add("capitals", ROWS[:1])
    assert second.version != first.version
    assert store.datasets.get("capitals") == second
    assert list(store.datasets.get("capitals", first.version[:8])) == ROWS
    third = store.datasets.add("capitals", ROWS)
    assert store.datasets.get("capitals") == third
    assert third.version == first.version
    assert store.datasets.list()["version"].to_list() == [first.version, second.version, first.version]


def test_a_version_is_the_hash_of_its_file(store):
    kept = store.datasets.add("capitals", ROWS)
    [file] = (store.root / "datasets").iterdir()
    assert hashlib.sha256(file.read_bytes()).hexdigest() == kept.version == file.stem


def test_an_unknown_name_lists_the_near_ones(store):
    store.datasets.add("capitals", ROWS)
    with pytest.raises(DatasetNotFound, match="did you mean capitals"):
        store.datasets.get("capital")
    with pytest.raises(DatasetNotFound, match="no version 'abcdef'"):
        store.datasets.get("capitals", "abcdef")


def test_workspaces_do_not_see_each_others_datasets(store):
    store.datasets.add("capitals", ROWS)
    other = evalstore.open(store.root, workspace="other")
    assert other.datasets.list().is_empty()
    with pytest.raises(DatasetNotFound):
        other.datasets.get("capitals")


@pytest.mark.parametrize("name", ["MY_DATASET_NAME", "Evaluator demo dataset", "team/sums", "../x", "a'b", "ümlaut"])
def test_names_are_text_and_never_paths(store, name):
    assert list(store.datasets.add(name, ROWS)) == ROWS
    assert {file.name for file in store.root.parent.iterdir()} == {"evals"}


def as_frame(_folder):
    return pl.DataFrame([{"id": "fr", "inputs": {"country": "France"}, "outputs": {"capital": "Paris"}}])


def as_csv(folder):
    path = folder / "capitals.csv"
    path.write_text("id,inputs.country,outputs.capital\nfr,France,Paris\n", encoding="utf-8")
    return path


def as_parquet(folder):
    as_frame(folder).write_parquet(folder / "capitals.parquet")
    return str(folder / "capitals.parquet")


def as_examples(_folder):
    return (Example(id="fr", inputs={"country": "France"}, outputs={"capital": "Paris"}) for _ in range(1))


@pytest.mark.parametrize("given", [as_frame, as_csv, as_parquet, as_examples, lambda _: ROWS[:1]])
def test_rows_may_come_from_frames_files_and_iterables(store, tmp_path, given):
    assert list(store.datasets.add("capitals", given(tmp_path))) == ROWS[:1]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "would have no examples"),
        ([{"question": "?"}], "'question' is no field of an example"),
        ([{"outputs": {}}], "an example has `inputs`"),
        ([{"inputs": 3}], "an example has `inputs`, a dict; got 3"),
        ([{"inputs": {}, "inputs.a": 1, "inputs": {"a": 2}}], "given twice"),  # noqa: F601
        ([{"inputs": {}, "outputs": [1]}], "`outputs` of an example is a dict, not list"),
        ([{"inputs": {}, "attachments": {"a": b"x"}}], "attachments"),
        ({"inputs": {}}, "not dict"),
        (5, "not int"),
    ],
)
def test_what_is_no_dataset_is_refused_and_nothing_is_kept(store, rows, message):
    with pytest.raises(UsageError, match=message):
        store.datasets.add("capitals", rows)
    assert not store.datasets.has("capitals")
    assert list((store.root / "datasets").glob("*")) == [] if (store.root / "datasets").exists() else True


def test_a_broken_file_is_named_with_its_line(store, tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"inputs": {"a": 1}}\n{"question": 1}\n', encoding="utf-8")
    with pytest.raises(BrokenInput, match=r"rows.jsonl:2: 'question' is no field"):
        store.datasets.add("broken", path)


def test_verify_says_when_a_dataset_is_damaged_or_gone(store):
    kept = store.datasets.add("capitals", ROWS)
    assert store.verify()
    assert store.verify().findings == []
    file = store.root / "datasets" / f"{kept.version}.jsonl"
    file.write_bytes(file.read_bytes() + b"x")
    assert [finding.message for finding in store.verify().errors] == ["is not what was added: put it back from a copy"]
    file.unlink()
    assert not store.verify()


def test_a_dataset_of_another_process_is_seen_at_once(store):
    store.datasets.add("capitals", ROWS)
    run("evalstore.open(root).datasets.add('more', [{'inputs': {'a': 1}}])", store.root)
    assert store.datasets.list()["name"].to_list() == ["more", "capitals"]


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.lists(st.dictionaries(st.text(), plain, max_size=3), min_size=1, max_size=4))
@settings(max_examples=25)
def test_any_plain_content_survives(tmp_path_factory, inputs):
    with evalstore.open(tmp_path_factory.mktemp("datasets") / "evals") as store:
        kept = store.datasets.add("any", [{"inputs": one} for one in inputs])
        assert [row["inputs"] for row in kept] == inputs
        assert store.datasets.add("any", [{"inputs": one} for one in inputs]).version == kept.version
