"""Names that become folders, paths that become SQL, and the ways to name a job."""

import ast
import re
from datetime import UTC, datetime, timedelta

import duckdb
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import evalstore
from evalstore.errors import InvalidName, JobExists, JobNotFound, NotFound, StoreNotFound, UsageError
from evalstore.names import check_name, parse_address, reference

ALLOWED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,199}")


def record(store, name, rows=3, **context):
    with store.job(name, **{"dataset": "d", "model": "m", **context}) as job:
        for i in range(rows):
            job.log(item={"q": i}, scores={"right": i == 0}, row_key=str(i), metadata={"kind": i % 2})


def names_of(store, **filters):
    return store.jobs(**filters)["name"].to_list()


def everything_under(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


# Names

BAD_NAMES = {
    "a/b": "a-b",
    "../evil": "evil",
    "/etc/passwd": "etc-passwd",
    "..": "unnamed",
    ".": "unnamed",
    ".hidden": "hidden",
    "-rf": "rf",
    "@last": "last",
    "": "unnamed",
    " ": "unnamed",
    "a b": "a-b",
    "a\0b": "a-b",
    "a\nb": "a-b",
    "a\\b": "a-b",
    "naïve": "na-ve",
    "日本": "unnamed",
    "١٢": "unnamed",
    "x" * 300: "x" * 200,
    "x'; DROP TABLE job; --": "x-DROP-TABLE-job",
    "a*": "a",
    "a\ud800b": "a-b",
}


@pytest.mark.parametrize("name", BAD_NAMES, ids=ascii)
def test_a_name_that_cannot_be_a_folder_is_refused_with_the_nearest_allowed_one(tmp_path, name):
    store = evalstore.open(tmp_path / "evals")
    with pytest.raises(InvalidName) as caught:
        store.job(name)
    message = str(caught.value)
    assert message.endswith(f"nearest allowed: {BAD_NAMES[name]!r}")
    assert len(message) < 500
    assert message.isprintable()
    with pytest.raises(InvalidName, match="cannot name a workspace"):
        evalstore.open(tmp_path / "evals", workspace=name)
    with pytest.raises(InvalidName):
        store.job(prefix=name)
    with pytest.raises(InvalidName):
        store.record(name, [{"q": 1, "right": True}], scores=["right"])
    assert everything_under(tmp_path) == []


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(st.characters(), max_size=250))
def test_the_nearest_allowed_name_is_allowed(name):
    try:
        assert check_name(name) == name
    except InvalidName as error:
        nearest = ast.literal_eval(str(error).rpartition("nearest allowed: ")[2])
        assert check_name(nearest) == nearest
        assert not ALLOWED.fullmatch(name)
    else:
        assert ALLOWED.fullmatch(name)


@pytest.mark.parametrize("name", [None, 5, b"bytes", ["a"], 1.5])
def test_a_name_that_is_no_text_is_refused(tmp_path, name):
    with pytest.raises(UsageError):
        evalstore.open(tmp_path / "evals").job(name)
    assert everything_under(tmp_path) == []


def test_odd_names_that_are_allowed_work(store):
    names = ["7", "x" * 200, "A.b_c@d+e-f", "a..b", "job.json", "NULL", "a.", "Case", "case"]
    for rows, name in enumerate(names):
        record(store, name, rows=rows)
    assert sorted(names_of(store)) == sorted(names)
    for rows, name in enumerate(names):
        assert store.show(name)["rows_total"] == len(store.row_scores(name)) == rows
        assert (store.root / "jobs/default" / name / "job.json").is_file()
        with pytest.raises(JobExists):
            store.job(name)


def test_a_prefix_makes_fresh_names(store):
    names = []
    for _ in range(3):
        with store.job(prefix="nightly") as job:
            names.append(job.name)
    assert len(set(names)) == 3
    assert all(re.fullmatch(r"nightly-\d{8}T\d{6}Z-[0-9a-f]{4}", name) for name in names)
    with pytest.raises(UsageError, match="either a name or a prefix"):
        store.job("a", prefix="b")
    with pytest.raises(UsageError, match="either a name or a prefix"):
        store.job()


def test_a_prefix_that_leaves_no_room_for_the_time_is_refused(tmp_path):
    with pytest.raises(InvalidName):
        evalstore.open(tmp_path / "evals").job(prefix="x" * 199)
    assert everything_under(tmp_path) == []


def test_the_same_name_in_two_workspaces_is_two_jobs(store):
    lab = evalstore.open(store.root, workspace="lab")
    record(store, "one", rows=1)
    record(lab, "one", rows=2)
    assert store.show("one")["rows_total"] == 1
    assert lab.show("one")["rows_total"] == 2
    assert lab.show("default/one")["rows_total"] == 1
    assert names_of(store) == names_of(lab) == ["one"]
    assert store.jobs(workspace="-").height == 2
    assert store.leaderboard("right")["rows_total"].to_list() == [1]


# Ways to name a job


@pytest.fixture(scope="module")
def series(tmp_path_factory):
    """Three completed jobs, the newest of them not recorded last, and a newer one in error."""
    store = evalstore.open(tmp_path_factory.mktemp("series") / "evals")
    now = datetime(2026, 1, 1, tzinfo=UTC)
    for name, day in (("old", 1), ("newest", 3), ("middle", 2)):
        record(store, name, created_at=now + timedelta(days=day))
    with pytest.raises(ZeroDivisionError), store.job("failed", created_at=now + timedelta(days=9)):
        1 / 0  # noqa: B018
    return store


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("@last", "newest"),
        ("@last~0", "newest"),
        ("@last~1", "middle"),
        ("@last~2", "old"),
        ("old", "old"),
        ("default/old", "old"),
        ("failed", "failed"),
    ],
)
def test_a_job_is_named_in_these_ways(series, text, name):
    assert series.show(text)["name"] == name
    assert series.aggregate_scores(text).to_polars().height == (0 if name == "failed" else 1)
    assert {row.job for row in series.row_scores(text)} <= {name}
    assert all(f"/{name}/" in file for file in series.score_files([text]))


@pytest.mark.parametrize("text", ["@last~3", "@last~99999999999999999999", "lab/old", "olt", "default/olt"])
def test_a_job_that_is_not_there_is_not_found(series, text):
    for ask in (series.show, series.row_scores, series.aggregate_scores, lambda job: series.score_files([job])):
        with pytest.raises(JobNotFound):
            ask(text)


def test_the_error_for_a_job_that_is_not_there_names_near_ones(series):
    with pytest.raises(JobNotFound, match=r"no job 'newst' in workspace 'default'.*did you mean newest\?"):
        series.show("newst")


@pytest.mark.parametrize(
    "text", ["@", "@last~", "@last~-1", "@last~x", "/old", "old/", "a/b/c", "../old", "", "default/../old"]
)
def test_a_text_that_names_no_job_is_refused(series, text):
    for ask in (series.show, series.row_scores, series.aggregate_scores):
        with pytest.raises(InvalidName):
            ask(text)


def test_has_job_takes_the_ways_to_name_a_job(series):
    assert series.has_job("old")
    assert series.has_job("default/old")
    assert not series.has_job("lab/old")
    assert not series.has_job("olt")


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(st.characters(), max_size=30))
def test_any_text_names_a_job_or_is_refused(text):
    try:
        address = parse_address(text, "default")
    except InvalidName:
        return
    assert address.last is not None or ALLOWED.fullmatch(address.name or "")


REFERENCES = {
    "gsm8k": "default/gsm8k",
    "openai/gsm8k": "openai/gsm8k",
    "hub/meta-llama/Llama-3.1-8B": "hub/meta-llama/Llama-3.1-8B",
    "hub/a b (c) 'd' 日本 %": "hub/a b (c) 'd' 日本 %",
    "a//b": "a//b",
    None: None,
}


def test_references_are_workspace_and_name(store):
    for number, text in enumerate(REFERENCES):
        record(store, f"job-{number}", dataset=text, model=text, metric_ref=text)
    for number, (text, whole) in enumerate(REFERENCES.items()):
        name = f"job-{number}"
        shown = store.show(name)
        assert (shown["dataset"], shown["model"], shown["metric_ref"]) == (whole, whole, whole)
        if text is not None:
            assert names_of(store, dataset=text) == names_of(store, model=whole) == [name]
            assert store.trend("right", dataset=text, model=text)["job"].to_list() == [name]
            assert store.leaderboard("right", dataset=text)["job"].to_list() == [name]
            assert names_of(store, dataset=text + "x") == []


@pytest.mark.parametrize("text", ["", "/", "/b", "a/", "a\0b", "a\nb", "a/\x7f", 5, b"a"])
def test_what_is_no_reference_is_refused(tmp_path, text):
    store = evalstore.open(tmp_path / "evals")
    with pytest.raises(InvalidName):
        reference(text)
    for field in ("dataset", "model", "metric_ref"):
        with pytest.raises(InvalidName):
            store.job("job", **{field: text})
    assert everything_under(tmp_path) == []


# Paths

ODD_PATHS = [
    'it\'s a "quoted" folder, with spaces, naïve 日本 \U0001f600',
    "st*r [a-z] {x,y} ~ # % & ; = : !",
    "'); DROP TABLE job; --",
    "$name @ROOT@ '@ROOT@ '@ROOT_GLOB@",
    "lr=0.1/suite=x/job_id=1/scores=1",
    "x" * 200,
]


@pytest.mark.parametrize("name", ODD_PATHS, ids=range(len(ODD_PATHS)))
def test_a_store_works_in_any_folder(tmp_path, name):
    root = tmp_path / name / "evals"
    root.parent.mkdir(parents=True)
    (root.parent / "decoy").mkdir()
    store = evalstore.open(root)
    record(store, "one")
    record(store, "two", model="n")
    store.metrics.declare("right", higher_is_better=True)
    assert set(names_of(store)) == {"one", "two"}
    assert store.show("one")["rows_total"] == 3
    assert set(store.leaderboard("right")["job"]) == {"one", "two"}
    assert store.leaderboard("right", errors="zero")["mean"].to_list() == pytest.approx([1 / 3] * 2)
    assert [score.mean for score in store.aggregate_scores("one").scores] == pytest.approx([1 / 3])
    assert [score.slice for score in store.aggregate_scores("one", by="metadata.kind").scores] == ["0", "1"]
    assert [row.row_key for row in store.row_scores("one", where="right = 0", order="worst")] == ["1", "2"]
    assert store.trend("right")["job"].to_list() == ["one", "two"]
    assert store.trend().height == 2
    for view in ("jobs", "results", "suites", "suite_metrics", "model_costs", "aggregate_scores"):
        assert store.sql(f"FROM {view}").height == 2
    assert store.sql("FROM failures").height == store.sql("FROM interrupted_jobs").height == 0
    for view in ("row_scores", "rows"):
        assert store.sql(f"SELECT job, suite, count(*) FROM {view} GROUP BY ALL ORDER BY ALL").rows() == [
            ("one", "default", 3),
            ("two", "default", 3),
        ]
    files = store.score_files()
    assert pl.scan_parquet(files, glob=False, hive_partitioning=False).collect().height == 6
    with duckdb.connect(str(root / "catalog.duckdb"), read_only=True) as plain:
        counted = "SELECT job, suite, count(*) FROM row_scores GROUP BY ALL ORDER BY ALL"
        assert plain.sql(counted).fetchall() == [("one", "default", 3), ("two", "default", 3)]
        assert plain.sql("SELECT count(*) FROM rows").fetchall() == [(6,)]
    assert sorted(path.name for path in root.parent.iterdir()) == ["decoy", "evals"]
    assert list((root.parent / "decoy").iterdir()) == []


def test_a_store_whose_path_looks_like_a_pattern_never_reads_its_siblings(tmp_path):
    names = ["st*r", "star", "br[ab]c", "bra", "brac"]
    for rows, name in enumerate(names, 1):
        record(evalstore.open(tmp_path / name), "one", rows=rows)
    for rows, name in enumerate(names, 1):
        store = evalstore.open(tmp_path / name)
        assert store.jobs().select("name", "rows_total").rows() == [("one", rows)]
        for view in ("row_scores", "rows"):
            assert store.sql(f"SELECT job, count(*) FROM {view} GROUP BY ALL").rows() == [("one", rows)]
        assert len(store.row_scores("one")) == rows
        with duckdb.connect(str(tmp_path / name / "catalog.duckdb"), read_only=True) as plain:
            assert plain.sql("SELECT job, count(*) FROM row_scores GROUP BY ALL").fetchall() == [("one", rows)]


@pytest.mark.parametrize("name", ["what?", "back\\slash", "new\nline", "tab\there", "del\x7f", "bad-\udcff"], ids=ascii)
def test_a_path_that_duckdb_cannot_name_is_refused(tmp_path, name):
    store = evalstore.open(tmp_path / name / "evals")
    with pytest.raises(UsageError, match="a store cannot live at") as caught:
        record(store, "one")
    assert str(caught.value).isprintable()
    assert everything_under(tmp_path) == []


@pytest.mark.parametrize("name", ["nul\0", "x" * 300], ids=ascii)
def test_a_path_that_no_file_system_takes_is_an_error_without_traces(tmp_path, name):
    store = evalstore.open(tmp_path / name)
    with pytest.raises((UsageError, OSError)):
        record(store, "one")
    with pytest.raises((StoreNotFound, UsageError, OSError)):
        store.jobs()
    assert everything_under(tmp_path) == []


def test_a_store_reached_through_a_symbolic_link_is_the_same_store(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "evals")
    (tmp_path / "evals").mkdir()
    record(evalstore.open(tmp_path / "link"), "one")
    record(evalstore.open(tmp_path / "evals"), "two")
    record(evalstore.open(tmp_path / "link"), "three")
    for path in ("evals", "link"):
        store = evalstore.open(tmp_path / path)
        assert store.sql("SELECT job, count(*) FROM row_scores GROUP BY ALL").height == 3
        with duckdb.connect(str(tmp_path / path / "catalog.duckdb"), read_only=True) as plain:
            assert plain.sql("SELECT count(DISTINCT job) FROM row_scores").fetchall() == [(3,)]


def test_a_relative_path_stays_where_it_was_when_the_current_folder_changes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store = evalstore.open("evals")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    record(store, "one")
    assert names_of(store) == ["one"]
    assert everything_under(tmp_path / "elsewhere") == []


def test_without_a_path_the_environment_names_the_store(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert evalstore.open().root == tmp_path / "evals"
    monkeypatch.setenv("EVALSTORE", str(tmp_path / "named"))
    assert evalstore.open().root == tmp_path / "named"
    assert evalstore.open("given").root == tmp_path / "given"
    assert everything_under(tmp_path) == []


# Where there is no store

QUESTIONS = {
    "jobs": lambda store: store.jobs(),
    "show": lambda store: store.show("one"),
    "sql": lambda store: store.sql("SELECT 1"),
    "leaderboard": lambda store: store.leaderboard(),
    "aggregate_scores": lambda store: store.aggregate_scores("one"),
    "row_scores": lambda store: store.row_scores("@last"),
    "trend": lambda store: store.trend(),
    "score_files": lambda store: store.score_files(),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_asking_where_there_is_no_store_says_so_and_creates_nothing(tmp_path, question):
    (tmp_path / "file").write_text("a file")
    (tmp_path / "empty").mkdir()
    (tmp_path / "full").mkdir()
    (tmp_path / "full/notes.txt").write_text("notes")
    before = everything_under(tmp_path)
    for name in ("nothing", "deep/nothing", "file", "file/below", "empty", "full"):
        store = evalstore.open(tmp_path / name)
        with pytest.raises(StoreNotFound, match="there is no store at") as caught:
            QUESTIONS[question](store)
        assert isinstance(caught.value, NotFound)
        assert not store.has_job("one")
    assert everything_under(tmp_path) == before


@pytest.mark.parametrize("content", ["notes.txt", ".hidden", "catalog.duckdb", "src/main.py"])
def test_a_folder_with_other_things_in_it_is_refused_and_left_alone(tmp_path, content):
    path = tmp_path / "mine" / content
    path.parent.mkdir(parents=True)
    path.write_text("precious")
    store = evalstore.open(tmp_path / "mine")
    for write in (lambda: store.job("one"), lambda: store.metrics.declare("right", minimum=0)):
        with pytest.raises(UsageError, match="holds other things"):
            write()
    assert path.read_text() == "precious"
    assert everything_under(tmp_path / "mine") == sorted({content, *(["src"] if "/" in content else [])})


def test_a_file_is_no_place_for_a_store(tmp_path):
    (tmp_path / "file").write_text("precious")
    for path in ("file", "file/below"):
        with pytest.raises((UsageError, OSError)):
            record(evalstore.open(tmp_path / path), "one")
    assert (tmp_path / "file").read_text() == "precious"


def test_an_empty_folder_and_one_that_a_crash_left_half_made_become_stores(tmp_path):
    (tmp_path / "empty").mkdir()
    record(evalstore.open(tmp_path / "empty"), "one")
    for folder in ("half/jobs", "half/staging/.new/0123"):
        (tmp_path / folder).mkdir(parents=True)
    record(evalstore.open(tmp_path / "half"), "one")
    assert names_of(evalstore.open(tmp_path / "half")) == ["one"]
