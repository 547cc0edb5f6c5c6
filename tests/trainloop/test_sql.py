"""The documentation's own questions, of the store and of a folder of files, without the traps of the originals."""

import json

import duckdb
import pytest
from click.testing import CliRunner

import evalstore
from evalstore import queries, sql_files
from evalstore.cli.app import evalstore as program
from evalstore.errors import QueryError
from tests.trainloop.files import detail, evaluation, line, sample, write_json, write_run


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """A folder of documents: 40 evaluations of which the last has a suite that no other has, an error, a summary."""
    folder = tmp_path_factory.mktemp("files") / "results"
    for number in range(40):
        suites = {"b": {"m": (number % 5, 5, [])}, "a": {"m": (1, 2, [detail(1, True)])}}
        if number == 39:
            suites = {"late": {"n": (1, 4, [])}, **suites}
        document = evaluation(f"2026-03-01T10:{number:02d}:00Z", **suites)
        document["summary"] = {"overall_score": 0.5, "pass_rate": 0.25}
        write_json(folder / f"evaluation_results_2026-03-01_10-{number:02d}-00.json", document)
    partial = {"suites": {"a": {"events_processed": 3, "status": "failed", "error": "gone"}}}
    failed = {"timestamp": "2026-03-01T09:00:00Z", "status": "error", "error": {}, "partial_results": partial}
    write_json(folder / "evaluation_error_2026-03-01_09-00-00.json", failed)
    write_json(folder / "evaluation_summary.json", {"latest_evaluation": "2026-03-01T10:39:00Z", "overall_score": 0.5})
    return folder


@pytest.fixture(scope="module")
def connection():
    """Plain DuckDB with the macro."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(sql_files.read("macros/170_trainloop_results.sql"))
        yield connection


def asked(connection, query, results, pattern="evaluation_*.json"):
    table = connection.sql(query, params={"files": f"{results}/{pattern}"}).to_arrow_table()
    return [tuple(line.values()) for line in table.to_pylist()]


def test_late_suites_are_there_and_none_is_made_up(connection, results):
    found = asked(connection, "SELECT file, list(suite) AS s FROM trainloop_results($files) GROUP BY file", results)
    suites = dict(found)
    assert len(suites) == 41  # the summary is no evaluation
    assert suites["evaluation_results_2026-03-01_10-39-00.json"] == ["late", "b", "a"]  # in the order of the file
    assert suites["evaluation_results_2026-03-01_10-05-00.json"] == ["b", "a"]
    assert suites["evaluation_error_2026-03-01_09-00-00.json"] == ["a"]


def test_a_list_is_no_suites(connection, tmp_path):
    write_json(tmp_path / "evaluation_1.json", {"timestamp": "2026-03-01T10:00:00Z", "suites": [{"name": "a"}]})
    write_json(tmp_path / "evaluation_2.json", evaluation(a={"m": (1, 2, [])}))
    assert asked(connection, "SELECT suite FROM trainloop_results($files)", tmp_path) == [("a",)]


def test_what_is_no_document_is_left_alone_as_by_the_importer(connection, tmp_path):
    write_json(tmp_path / "evaluation_1.json", [{"name": "a"}])
    write_json(tmp_path / "evaluation_2.json", {"timestamp": "noon", "duration": "long", "total_events": 1.5})
    write_json(tmp_path / "evaluation_3.json", evaluation(a={"m": (1, 2, [])}) | {"summary": {"pass_rate": "50%"}})
    query = "SELECT file, suite, pass_rate FROM trainloop_results($files)"
    assert asked(connection, query, tmp_path) == [("evaluation_3.json", "a", None)]


@pytest.mark.parametrize("number", [1.6, "1.7", 10**30])
def test_a_count_that_is_none_is_refused_as_by_the_importer(connection, tmp_path, number):
    document = evaluation(a={"m": (2, 2, [])})
    document["suites"]["a"]["metrics"]["m"]["passed"] = number
    write_json(tmp_path / "evaluation_1.json", document)
    with pytest.raises(duckdb.Error, match=r"evaluation_1.json: suite a, metric m: passed is a whole number, not 1"):
        asked(connection, "FROM trainloop_results($files)", tmp_path)


def test_every_column_has_its_type_even_where_nothing_fills_it(connection, results):
    types = {name: kind for name, kind, *_ in connection.sql(
        "DESCRIBE FROM trainloop_results($files)", params={"files": f"{results}/evaluation_error*.json"}
    ).fetchall()}  # fmt: skip
    assert (types["passed"], types["tags"], types["timestamp"]) == ("BIGINT", "VARCHAR[]", "TIMESTAMP WITH TIME ZONE")


def test_the_newest_first_with_counts_and_errors(connection, results):
    query = """SELECT suite, metric, passed, total, score, stated_score, overall_score, status, suite_error
               FROM trainloop_results($files)"""
    lines = asked(connection, query, results)
    assert lines[0] == ("late", "n", 1, 4, 0.25, 0.25, 0.5, "completed", None)
    assert lines[-1] == ("a", None, None, None, None, None, None, "error", "gone")
    query = "SELECT details ->> '$[0].verdict' AS v FROM trainloop_results($files) WHERE suite = 'a'"
    verdicts = asked(connection, query, results, "evaluation_results_2026-03-01_10-00-00.json")
    assert verdicts == [("right",)]


def test_a_session_asks_files_only_when_it_is_allowed_to(store, results):
    store.record("one", [{"q": 1, "m": True}], scores=["m"])
    query = "SELECT count(*) AS n FROM trainloop_results($files)"
    with pytest.raises(QueryError, match="Permission Error"):
        store.sql(query, files=f"{results}/*.json")
    assert store.sql(query, files=f"{results}/*.json", allow_external=True)["n"].to_list() == [82]


# The same questions, of what was imported


@pytest.fixture(scope="module")
def imported(tmp_path_factory, results):
    folder = tmp_path_factory.mktemp("imported")
    write_run(folder, "2026-03-02_10-00-00", a=[line("m", sample(1), 0, "failed"), line("m", sample(2)),
                                                line("m", sample(3), 0, "KeyError: 'x'")])  # fmt: skip
    with evalstore.open(folder / "evals") as store:
        for number in (0, 39):
            store.import_from("trainloop", results / f"evaluation_results_2026-03-01_10-{number:02d}-00.json")
        store.import_from("trainloop", results / "evaluation_error_2026-03-01_09-00-00.json")
        store.import_from("trainloop", folder)
        yield store


def test_latest_runs(imported):
    found = queries.latest_runs(imported._asking, workspace="default", limit=2).to_pylist()
    assert [line["job"] for line in found] == ["2026-03-02_10-00-00", "evaluation_results_2026-03-01_10-39-00"]
    assert (found[0]["total_passed"], found[0]["total_evaluated"], found[0]["rows_error"]) == (1, 2, 1)
    everything = queries.latest_runs(imported._asking, workspace="default", with_failed=True).to_pylist()
    assert [line["status"] for line in everything] == ["completed"] * 3 + ["error"]


def test_suites_over_time(imported):
    found = queries.suite_scores(imported._asking, workspace="default", suite="a").to_pylist()
    assert [(line["overall_score"], line["events_processed"]) for line in found] == [(0.5, 3), (0.5, 2), (0.5, 2)]
    [late] = queries.suite_scores(imported._asking, workspace="default", suite="late").to_pylist()
    assert (late["job"], late["overall_score"]) == ("evaluation_results_2026-03-01_10-39-00", 0.25)


def test_metrics_in_detail(imported):
    found = queries.metric_details(imported._asking, workspace="default", job="2026-03-02_10-00-00").to_pylist()
    assert [(one["passed"], one["evaluated"], one["rows_error"], one["total"]) for one in found] == [(1, 2, 1, 3)]


def test_failed_rows_with_their_verdicts(imported):
    job_id = imported.show("2026-03-02_10-00-00")["job_id"]
    [failed] = queries.failed_verdicts(imported._asking, job_id=job_id).to_pylist()
    assert (failed["suite"], failed["metric"], failed["verdict"]) == ("a", "m", "failed")
    assert json.loads(failed["sample"]) == {"content": "answer 1"}
    assert queries.failed_verdicts(imported._asking, job_id=job_id, metric="other").num_rows == 0


# The command line


def test_import_and_export_on_the_command_line(tmp_path):
    def run(*arguments):
        return CliRunner().invoke(program, ["--store", str(tmp_path / "evals"), *map(str, arguments)])

    write_run(tmp_path, a=[line("m", sample(1)), line("m", sample(1)), line("m", sample(2), 0, "E: x")], empty=[])
    done = run("import", "trainloop", tmp_path, "--label", "k=v")
    assert done.exit_code == 0
    assert done.stdout == (
        "job                  rows  duplicates  errors\n"
        "─────────────────────────────────────────────\n"
        "2026-03-01_10-00-00     3           1       1\n"
    )
    assert done.stderr == ("stored job 2026-03-01_10-00-00\nnote: 2026-03-01_10-00-00: suite empty holds no results\n")
    again = json.loads(run("import", "trainloop", tmp_path, "--format", "json").stdout)
    assert again["flags"] == ["job 2026-03-01_10-00-00 was there already, with the same content"]
    exported = run("export", "trainloop", "@last", "--to", tmp_path / "out")
    assert [file.rpartition("/")[2] for file in exported.stdout.split()] == [
        "evaluation_results_2026-03-01_10-00-00.json", "evaluation_summary.json",
    ]  # fmt: skip
    write_run(tmp_path, "2026-03-02_10-00-00", a=['{"metric": '])
    broken = run("import", "trainloop", tmp_path)
    assert (broken.exit_code, broken.stdout) == (4, "")
    assert "a.jsonl:1: is cut off" in broken.stderr
