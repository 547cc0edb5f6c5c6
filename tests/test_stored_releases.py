"""What earlier releases have stored answers for ever: every view, as on the day it was written, and everything goes on.

`data/store-N/` is a store as a release wrote it, at the path /evals: jobs that ended in every way, scores and documents
of every kind, declarations, and a job in staging whose writer died within a line. `data/store-N.json` is what its views
answered then. Neither is ever changed; a release that changes what is written adds the next one.
"""

import json
import math
import os
import shutil
import tempfile
from datetime import datetime
from pathlib import Path

import duckdb
import pytest

import evalstore
from evalstore import catalog_tables, sql_files
from evalstore.database import Database
from evalstore.errors import JobExists
from tests.processes import run

DATA = Path(__file__).parent / "data"
STORES = sorted(path.name for path in DATA.glob("store-*") if path.is_dir())

# A question about the place of a catalog, not about what is in it.
GUARD = "catalog_place"


def views():
    """The views of this release."""
    texts = [sql_files.read(name) for name in sql_files.names("views")]
    return [text.partition("CREATE OR REPLACE VIEW ")[2].split()[0] for text in texts]


def answers(ask, wanted):
    """What each of these views answers: all rows, as JSON has them."""
    return {view: [as_json(row) for row in ask(f'FROM "{view}"')] for view in wanted}


def as_json(value):
    """A value as the golden file holds it: times and non-finite numbers as text, sums to twelve digits."""
    if isinstance(value, dict):
        return {key: as_json(held) for key, held in value.items()}
    if isinstance(value, list):
        return [as_json(held) for held in value]
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, float):
        return float(f"{value:.12g}") if math.isfinite(value) else str(value)
    return value


def shape(values):
    """Which fields the dicts among these values have, however deep."""
    if any(isinstance(value, list) for value in values):
        return [shape([held for value in values for held in value or ()])]
    if any(isinstance(value, dict) for value in values):
        keys = {key: None for value in values for key in value or ()}
        return {key: shape([value[key] for value in values if key in (value or ())]) for key in keys}
    return None


def reduced(value, wanted):
    """A value without fields that are not wanted: those that came later."""
    if value is None or wanted is None:
        return value
    if isinstance(wanted, list):
        return [reduced(held, wanted[0]) for held in value]
    return {key: reduced(value[key], held) for key, held in wanted.items() if key in value}


def in_order(rows):
    return sorted(rows, key=lambda row: json.dumps(row, sort_keys=True))


def assert_answers_as_ever(store, golden):
    def ask(query):
        return store.sql(query).to_dicts()

    for view, now in answers(ask, golden).items():
        then = golden[view]
        fields = shape(then)
        assert in_order(reduced(row, fields) for row in now) == in_order(then), view
    for view in set(views()) - {GUARD}:
        store.sql(f'FROM "{view}"')


def record(store, name, rows=4):
    with store.job(name, dataset="new", model="new", tags=["new"]) as job:
        for i in range(rows):
            job.log(item={"q": i}, scores={"right": i == 0}, row_key=str(i))


def place(name, folder):
    """A copy of a stored release in a folder."""
    root = Path(shutil.copytree(DATA / name, folder / "evals"))
    (root / "pending").mkdir(exist_ok=True)  # git keeps no empty folders
    (root / "catalog.duckdb").chmod(0o444)
    return root


@pytest.fixture(params=STORES)
def release(request):
    return request.param


@pytest.fixture
def golden(release):
    return json.loads((DATA / f"{release}.json").read_text(encoding="utf-8"))


@pytest.fixture(params=["as it was published", "without its catalog"])
def root(request, release, tmp_path):
    root = place(release, tmp_path)
    if request.param == "without its catalog":
        (root / "catalog.duckdb").unlink()
    return root


def test_there_is_a_stored_release():
    assert "store-1" in STORES


def test_every_view_of_a_stored_release_answers_as_on_the_day_it_was_written(root, golden):
    assert_answers_as_ever(evalstore.open(root), golden)


def test_questions_in_python_about_a_stored_release_are_answered(release, golden, tmp_path):
    root = place(release, tmp_path)
    for workspace in {job["workspace"] for job in golden["jobs"]}:
        store = evalstore.open(root, workspace=workspace)
        jobs = [job for job in golden["jobs"] if job["workspace"] == workspace]
        assert set(store.jobs()["name"]) == {job["name"] for job in jobs}
        for job in jobs[:3]:
            answer = store.row_scores(job["name"], order="worst")
            assert len(answer) == len(list(answer)) == store.show(job["name"])["rows_total"] == job["rows_total"]
            assert answer.wide().height == job["rows_total"]
            for errors in ("exclude", "worst"):
                assert len(store.aggregate_scores(job["name"], errors=errors)) == sum(
                    line["job_id"] == job["job_id"] for line in golden["aggregate_scores"]
                )
            slices = store.aggregate_scores(job["name"], by="row_key").to_polars()
            assert set(slices["slice"]) <= {row["row_key"] for row in golden["rows"]}
        assert store.leaderboard().height == sum(line["workspace"] == workspace for line in golden["leaderboard"])
        assert store.trend().height == sum(line["workspace"] == workspace for line in golden["suite_trend"])


def test_an_interrupted_job_of_a_stored_release_is_listed_and_can_be_finished_with_its_whole_rows(root, golden):
    [waiting] = golden["interrupted_jobs"]
    store = evalstore.open(root, workspace=waiting["workspace"])
    journal = root / "staging" / waiting["workspace"] / waiting["job"] / "journal.jsonl"
    assert not journal.read_bytes().endswith(b"\n")
    assert store.sql("SELECT job, rows_logged FROM interrupted_jobs").rows() == [
        (waiting["job"], waiting["rows_logged"])
    ]
    with pytest.raises(JobExists, match="rows are safe"):
        store.job(waiting["job"])
    assert store.finish(waiting["job"]) == waiting["rows_logged"]
    assert store.sql("FROM interrupted_jobs").is_empty()
    shown = store.show(waiting["job"])
    assert (shown["status"], shown["rows_total"]) == ("interrupted", waiting["rows_logged"])
    assert (shown["job_id"], shown["dataset"]) == (waiting["job_id"], waiting["dataset"])
    assert [row.row_index for row in store.row_scores(waiting["job"])] == list(range(waiting["rows_logged"]))
    assert_others_answer_as_ever(store, golden, waiting["job_id"])


def assert_others_answer_as_ever(store, golden, *new):
    """The views about single jobs answer for the jobs of the release what they answered then."""
    for view in ("jobs", "aggregate_scores", "suites", "suite_metrics", "row_scores", "rows", "failures"):
        then = golden[view]
        fields = shape(then)
        now = answers(lambda query: store.sql(query).to_dicts(), [view])[view]
        old = [reduced(row, fields) for row in now if row["job_id"] not in new]
        assert in_order(old) == in_order(then), view


def test_a_job_can_be_recorded_beside_those_of_a_stored_release(root, golden):
    store = evalstore.open(root)
    record(store, "new")
    assert (store.show("new")["rows_total"], store.leaderboard("right")["mean"].to_list()) == (4, [0.25])
    assert_others_answer_as_ever(store, golden, store.show("new")["job_id"])
    assert store.jobs(workspace="-").height == len(golden["jobs"]) + 1
    with duckdb.connect(str(root / "catalog.duckdb"), read_only=True) as plain:  # now at home at its new place
        assert plain.sql("SELECT count(*) FROM row_scores").fetchall() == [(len(golden["row_scores"]) + 4,)]
    (root / "catalog.duckdb").unlink()
    assert_others_answer_as_ever(store, golden, store.show("new")["job_id"])


def test_a_metric_can_be_declared_in_a_stored_release(release, golden, tmp_path):
    root = place(release, tmp_path)
    store = evalstore.open(root)
    store.metrics.declare("correct", higher_is_better=False, threshold=0.5)
    assert set(store.leaderboard("correct")["higher_is_better"]) == {False}
    declared = store.sql("SELECT metric, higher_is_better, threshold FROM metric WHERE workspace = 'default'").rows()
    assert ("correct", False, 0.5) in declared
    assert len(declared) > 1
    assert_others_answer_as_ever(store, golden)


# Where nothing can be written

ASKS_AS_NOBODY = """
def asked(root):
    store = evalstore.open(root)
    for view in json.loads(sys.argv[3]):
        say(json.dumps([view, store.sql(f'FROM "{view}"').to_dicts()], default=lambda moment: moment.isoformat()))
    try:
        store.job("new")
    except (OSError, EvalStoreError) as error:
        say(type(error).__name__, error)

_, protected, warm, _ = [None, *sys.argv[1:]]
asked(warm)  # loads everything that another user might not be allowed to load
say("protected")
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
assert not os.access(protected, os.W_OK)
asked(protected)
"""


@pytest.fixture
def readable_folder():
    """A folder that any user may enter, unlike those of pytest."""
    with tempfile.TemporaryDirectory(prefix="evalstore-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
        for path in folder.rglob("*"):
            if path.is_dir():
                path.chmod(0o755)


@pytest.mark.parametrize("has_catalog", [True, False], ids=["as it was published", "without its catalog"])
def test_every_view_answers_in_a_stored_release_that_may_not_be_written(release, golden, readable_folder, has_catalog):
    roots = []
    for name in ("protected", "warm"):
        (readable_folder / name).mkdir()
        roots.append(place(release, readable_folder / name))
    if not has_catalog:  # then each question makes one in memory
        (roots[0] / "catalog.duckdb").unlink()
        golden = {view: golden[view] for view in ("jobs", "aggregate_scores", "row_scores", "interrupted_jobs")}
    before = sorted(roots[0].rglob("*"))
    for path in [roots[0], *before]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    said = run(ASKS_AS_NOBODY, *roots, json.dumps(list(golden)))
    *said, refusal = said[said.index("protected") + 1 :]
    assert refusal.startswith("PermissionError")
    assert len(said) == len(golden)
    for view, rows in map(json.loads, said):
        then = golden[view]
        fields = shape(then)
        assert in_order(reduced(as_json(row), fields) for row in rows) == in_order(then), view
    assert sorted(roots[0].rglob("*")) == before


# Migrations

TABLES = sql_files.names("tables")
SHAPE = """
SELECT table_name, column_name, column_index, data_type, column_default, is_nullable, comment
FROM duckdb_columns() WHERE database_name = 'catalog' ORDER BY ALL
"""
RULES = """
SELECT table_name, constraint_type, constraint_text, constraint_column_names
FROM duckdb_constraints() WHERE database_name = 'catalog' ORDER BY ALL
"""
INDEXES = "SELECT table_name, index_name, sql FROM duckdb_indexes() WHERE database_name = 'catalog' ORDER BY ALL"
# The tables alone: views and macros are made anew by every release.
OF_TABLES = "WHERE table_name IN (SELECT table_name FROM duckdb_tables() WHERE database_name = 'catalog')"


def version(name):
    return int(Path(name).name[:3])


def migrated(file, prefix=()):
    """The shape of a catalog file that had seen these files of `sql/tables/`, brought to this release."""
    database = Database()
    database.attach(file, read_only=False)
    for name in prefix:
        database.run_file(name)
        database.run_file("publish/set_version.sql", version=version(name))
    catalog_tables._migrate(database)
    found = shape_of(database)
    database.run("CHECKPOINT")
    database.detach()
    database.attach(file, read_only=True)
    assert shape_of(database) == found
    database.close()
    return found


def shape_of(database):
    tables = [database.ask(f"FROM ({query}) {OF_TABLES}").to_pylist() for query in (SHAPE, RULES, INDEXES)]
    versions = database.ask("SELECT version FROM schema_version ORDER BY version").column(0).to_pylist()
    assert versions == [version(name) for name in TABLES]
    assert database.ask("SELECT count(*) FROM schema_version WHERE applied_at IS NULL").column(0).to_pylist() == [0]
    return tables


def test_the_files_of_the_schema_are_numbered_without_a_gap():
    assert [version(name) for name in TABLES] == list(range(1, len(TABLES) + 1))


@pytest.mark.parametrize("seen", range(len(TABLES) + 1))
def test_a_migrated_schema_equals_a_fresh_one(tmp_path, seen):
    fresh = migrated(tmp_path / "fresh.duckdb")
    assert fresh[0]
    assert migrated(tmp_path / "old.duckdb", TABLES[:seen]) == fresh


def test_the_schema_of_a_stored_release_is_migrated_to_a_fresh_one_with_its_lines(release, golden, tmp_path):
    root = place(release, tmp_path)
    (root / "catalog.duckdb").chmod(0o644)
    fresh = migrated(tmp_path / "fresh.duckdb")
    assert migrated(root / "catalog.duckdb") == fresh
    with duckdb.connect(str(root / "catalog.duckdb"), read_only=True) as plain:
        assert plain.sql("SELECT count(*) FROM job").fetchall() == [(len(golden["jobs"]),)]


def test_publishing_in_a_stored_release_migrates_its_catalog(release, tmp_path):
    root = place(release, tmp_path)
    record(evalstore.open(root), "new")
    fresh = migrated(tmp_path / "fresh.duckdb")
    (root / "catalog.duckdb").chmod(0o644)
    assert migrated(root / "catalog.duckdb") == fresh
    assert not os.access(root / "next.duckdb", os.F_OK)
