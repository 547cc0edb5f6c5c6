"""SQL lives in sql/ and nowhere else; its files, their names, comments and parameters keep what the rest relies on."""

import ast
import inspect
import json
import re
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

import evalstore
from evalstore import catalog_tables, queries, sql_files
from evalstore.database import Database

PROJECT = Path(__file__).parents[1]
FOLDERS = sorted(folder.name for folder in (PROJECT / "sql").iterdir())
FILES = sql_files.names(*FOLDERS)
QUERIES = sql_files.names("queries")
FUNCTIONS = {
    name: function
    for name, function in inspect.getmembers(queries, inspect.isfunction)
    if function.__module__.startswith(f"{queries.__name__}.") and not name.startswith("_")
}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with evalstore.open(tmp_path_factory.mktemp("contract") / "evals") as store:
        with store.job("one") as job:
            job.log(item={"q": 1}, suite="s", scores={"m": 1})
        yield store


def stem(file):
    """`views/010_row_scores.sql` -> `row_scores`."""
    return re.sub(r"^\d+_", "", Path(file).stem)


def leading_comment(file):
    lines = []
    for line in sql_files.read(file).splitlines():
        if not line.startswith("--"):
            break
        lines.append(line.removeprefix("--").strip())
    return " ".join(lines)


def parameters(file):
    """The named parameters of the one statement in a file."""
    with duckdb.connect() as connection:
        [statement] = connection.extract_statements(sql_files.read(file))
        return set(statement.named_parameters)


# Files


def test_every_sql_file_on_disk_is_found():
    assert {PROJECT / "sql" / file for file in FILES} == set((PROJECT / "sql").rglob("*.sql"))
    assert {path.suffix for path in (PROJECT / "sql").rglob("*") if path.is_file()} == {".sql"}


@pytest.mark.parametrize("file", FILES)
def test_every_sql_file_begins_with_a_sentence(file):
    comment = leading_comment(file)
    assert re.match(r"[A-Z`]|rows-|scores-", comment)
    assert comment.endswith(".")


@pytest.mark.parametrize("folder", ["tables", "views", "macros", "commit"])
def test_numbers_within_a_folder_are_unique(folder):
    numbers = [re.fullmatch(r"(\d{3})_[a-z0-9_]+\.sql", name.partition("/")[2]) for name in sql_files.names(folder)]
    assert all(numbers)
    found = [number[1] for number in numbers if number]
    assert len(set(found)) == len(found)


def test_sql_files_are_read_in_the_order_of_their_numbers():
    names = [file.partition("/")[2] for file in sql_files.names("macros", "views")]
    assert names == sorted(names)


# Queries


def test_every_query_has_exactly_one_function_and_every_function_a_query():
    assert FUNCTIONS.keys() == {Path(file).stem for file in QUERIES}
    assert set(queries.__all__) >= FUNCTIONS.keys()


@pytest.mark.parametrize("file", QUERIES)
def test_the_comment_of_a_query_is_the_docstring_of_its_function(file):
    assert " ".join((FUNCTIONS[Path(file).stem].__doc__ or "").split()) == leading_comment(file)


@pytest.mark.parametrize("file", QUERIES)
def test_a_query_is_not_longer_than_can_be_read_at_once(file):
    assert len(sql_files.read(file).splitlines()) <= 120  # what has parts of its own meaning has macros


@pytest.mark.parametrize("file", QUERIES)
def test_the_parameters_of_a_query_are_the_keywords_of_its_function(file):
    session, *keywords = inspect.signature(FUNCTIONS[Path(file).stem]).parameters.values()
    assert session.name == "session"
    assert all(keyword.kind is inspect.Parameter.KEYWORD_ONLY for keyword in keywords)
    assert {keyword.name for keyword in keywords} == parameters(file)


@pytest.mark.parametrize("file", QUERIES)
def test_a_parameter_that_is_optional_in_sql_is_optional_in_python(file):
    optional = set(re.findall(r"\(\$(\w+)::\w+(?:\[\])? IS NULL OR", sql_files.read(file)))
    signature = inspect.signature(FUNCTIONS[Path(file).stem])
    for name in optional:
        assert "None" in str(signature.parameters[name].annotation), name


# Views and macros


def test_a_view_file_creates_the_view_of_its_name(store):
    found = store.sql("SELECT view_name FROM duckdb_views() WHERE NOT internal")["view_name"].to_list()
    assert sorted(found) == sorted(map(stem, sql_files.names("views")))


@pytest.mark.parametrize("file", sql_files.names("views"))
def test_a_view_file_creates_one_view_and_comments_it(file):
    text = sql_files.read(file)
    assert re.findall(r"^CREATE (\w+ \w+ \w+) (\w+)", text, re.MULTILINE) == [("OR REPLACE VIEW", stem(file))]
    assert re.findall(r"^COMMENT ON VIEW (\w+) IS\s+'[^']{20,}';$", text, re.MULTILINE) == [stem(file)]


def test_macro_files_create_macros_and_one_that_creates_a_single_one_has_its_name(store):
    query = (
        "SELECT DISTINCT function_name AS name FROM duckdb_functions() WHERE database_name = 'catalog' AND NOT internal"
    )
    created = []
    for file in sql_files.names("macros"):
        text = sql_files.read(file)
        macros = re.findall(r"^CREATE OR REPLACE MACRO (\w+)\(", text, re.MULTILINE)
        assert len(macros) == len(re.findall(r"^CREATE", text, re.MULTILINE)) > 0
        assert len(macros) > 1 or macros == [stem(file)]
        created += macros
    assert sorted(store.sql(query)["name"].to_list()) == sorted(created)


# Migrations


def test_migrations_are_numbered_from_one_without_a_gap():
    numbers = [int(re.fullmatch(r"tables/(\d{3})_[a-z_]+\.sql", file)[1]) for file in sql_files.names("tables")]  # type: ignore[index]
    assert numbers == list(range(1, len(numbers) + 1))


def schema(file, applied):
    """The schema of a new catalog of which the first migrations are applied one by one and the others by evalstore."""
    database = Database()
    database.attach(file, read_only=False)
    for version, name in enumerate(sql_files.names("tables")[:applied], 1):
        database.run_file(name)
        database.run_file("publish/set_version.sql", version=version)
    catalog_tables._migrate(database)
    columns = database.ask("""
        SELECT table_name, column_name, data_type, is_nullable, column_default
        FROM duckdb_columns() WHERE database_name = 'catalog' AND NOT internal ORDER BY table_name, column_index
    """).to_pylist()
    constraints = database.ask("""
        SELECT table_name, constraint_type, constraint_text
        FROM duckdb_constraints() WHERE database_name = 'catalog' ORDER BY ALL
    """).to_pylist()
    versions = database.ask("SELECT version FROM schema_version ORDER BY version").column(0).to_pylist()
    database.detach()
    database.close()
    return columns, constraints, versions


@pytest.mark.parametrize("applied", range(1, len(sql_files.names("tables")) + 1))
def test_a_fresh_schema_equals_a_migrated_one(tmp_path, applied):
    fresh, migrated = schema(tmp_path / "fresh.duckdb", 0), schema(tmp_path / "migrated.duckdb", applied)
    assert fresh == migrated
    assert {column["table_name"] for column in fresh[0]} >= {"job", "aggregate_score", "score_file", "metric"}
    assert fresh[2] == list(range(1, len(sql_files.names("tables")) + 1))


def test_the_published_schema_is_that_of_the_migrations(store, tmp_path):
    query = """
        SELECT table_name, column_name, data_type FROM duckdb_columns()
        WHERE database_name = 'catalog' AND table_name IN (SELECT table_name FROM duckdb_tables())
        ORDER BY table_name, column_index
    """
    columns, _, _ = schema(tmp_path / "fresh.duckdb", 0)
    found = store.sql(query).rows()
    assert found == [(column["table_name"], column["column_name"], column["data_type"]) for column in columns]


# Plans


def scan(store, query):
    """(projected columns, pushed filters) of the one Parquet scan in the plan of a query."""
    [plan] = store.sql(f"EXPLAIN (FORMAT json) {query}")["explain_value"].to_list()
    scans = [node["extra_info"] for node in nodes(json.loads(plan)) if "PARQUET" in node["name"]]
    assert len(scans) == 1
    return as_list(scans[0].get("Projections", [])), as_list(scans[0].get("Filters", []))


def nodes(children):
    for node in children:
        yield node
        yield from nodes(node["children"])


def as_list(info):
    return [info] if isinstance(info, str) else info


@pytest.mark.parametrize("field", ["suite", "metric"])
def test_a_filter_on_row_scores_and_its_columns_reach_the_parquet_scan(store, field):
    projections, filters = scan(store, f"SELECT avg(value) FROM row_scores WHERE {field} = 's'")
    assert set(projections) <= {"job_id", "value", field}
    assert any(re.search(rf"\b{field} ?= ?'s'", one) for one in filters)


def test_filters_and_columns_of_rows_reach_the_parquet_scan(store):
    projections, filters = scan(store, """SELECT avg(latency) FROM rows WHERE suite = 's' AND "cluster" = 'c'""")
    assert set(projections) <= {"job_id", "latency", "suite", "cluster"}
    assert any("suite" in one for one in filters)
    assert any("cluster" in one for one in filters)


def test_what_asks_for_no_rows_reads_no_parquet(store):
    for view in (
        "jobs",
        "results",
        "aggregate_scores",
        "suites",
        "suite_metrics",
        "suite_trend",
        "metric_trend",
        "model_costs",
    ):
        [plan] = store.sql(f"EXPLAIN SELECT * FROM {view}")["explain_value"].to_list()
        assert "PARQUET" not in plan.upper()


# Python

STATEMENT = re.compile(
    r"\s*(SELECT|INSERT|UPDATE|DELETE|CREATE|DROP|ALTER|COPY|ATTACH|DETACH|SET|USE|FROM|WITH|WHERE|GROUP BY|ORDER BY"
    r"|JOIN|UNION|LIMIT|VALUES|PRAGMA|EXPLAIN|DESCRIBE|PIVOT|INSTALL|LOAD|CALL|COMMENT ON|BEGIN|COMMIT|ROLLBACK)\b\s*\S"
)
MAY_HOLD_SQL = {
    "evalstore/database.py",
    "evalstore/catalog.py",
    "evalstore/catalog_tables.py",
    "evalstore/cli/demo.py",  # a question that is printed for the reader to type
}


def literals(path):
    """The text literals of a module that are no docstrings, with their lines."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.lineno, node.value


MODULES = [path.relative_to(PROJECT).as_posix() for path in sorted((PROJECT / "evalstore").rglob("*.py"))]


@pytest.mark.parametrize("module", [module for module in MODULES if module not in MAY_HOLD_SQL])
def test_no_module_but_those_at_the_door_holds_sql(module):
    assert [(line, text) for line, text in literals(PROJECT / module) if STATEMENT.match(text)] == []


HEAVY = {"duckdb", "polars", "pyarrow", "pydantic", "numpy", "scipy"}


def test_importing_evalstore_loads_nothing_heavy():
    code = "import sys, evalstore; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert HEAVY & set(done.stdout.split()) == set()
