"""SQL of users only reads, and only the store; values stay values; answers stay right under threads."""

import json
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import cycle
from math import inf, isnan, nan
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import evalstore
from evalstore.errors import EvalStoreError, InvalidCondition, QueryError, UnknownField, UsageError
from tests.processes import run

VALUES = [None, True, False, -3, 0, 1, 7, 9, 10, 0.5, -1.5, 2.0, "", "a", "ab", "B", "é", "10", "9", "x y", "it's",
          '"q"', "null", "true", "%", "_", "a_b", "-"]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a store, and with things beside it that SQL of users must not reach."""
    folder = tmp_path_factory.mktemp("safety")
    (folder / "evals-secret").mkdir()
    for path in ("secret.csv", "evals-secret/secret.csv"):
        (folder / path).write_text("secret\n1\n")
    return folder


@pytest.fixture(scope="module")
def asked(folder):
    """A store with a few rows, only to be asked."""
    store = evalstore.open(folder / "evals")
    with store.job("one", dataset="d", model="m") as job:
        for number, value in enumerate(VALUES):
            scores = {"right": number % 2 == 0, "rouge": number / 10, "v": value}
            job.log(item={"q": number}, scores=scores, row_key=str(number), metadata={"v": value, "n": number})
    with store.job("two", dataset="d", model="n") as job:
        job.log(item={"q": 0}, scores={"right": True}, row_key="0", started_at=datetime.now(UTC))
    (store.root / "inside.csv").write_text("inside\n1\n")
    (store.root / "link.csv").symlink_to(folder / "secret.csv")
    return store


def everything_under(folder):
    return sorted((str(path.relative_to(folder)), path.stat().st_size) for path in folder.rglob("*"))


@pytest.fixture
def attacked(folder, asked):
    """A session of its own on that store; holds a test to leave files and later answers as they were."""
    before = everything_under(folder)
    with evalstore.open(asked.root) as store:
        yield store
        for allow_external in (False, True):
            names = store.sql("SELECT name FROM jobs ORDER BY name", allow_external=allow_external).rows()
            assert names == [("one",), ("two",)]
            assert "t" not in store.sql("SHOW ALL TABLES", allow_external=allow_external)["name"].to_list()
    assert everything_under(folder) == before


def assert_refused(store, sql, error, **options):
    """Where a test tries many texts: names the one that got through."""
    try:
        found = store.sql(sql, **options)
    except error:
        return
    raise AssertionError(f"{sql!r} was answered: {found}")


# Only reading

WRITING = [
    "COPY job TO '@/out.csv'",
    "COPY (SELECT 1) TO '@/evals/out.csv'",
    "EXPORT DATABASE '@/evals/export'",
    "INSERT INTO job SELECT * FROM job",
    "UPDATE job SET name = 'x'",
    "DELETE FROM job",
    "TRUNCATE job",
    "MERGE INTO job USING job AS j ON true WHEN MATCHED THEN DELETE",
    "CREATE TABLE t AS SELECT 1",
    "CREATE TEMP VIEW jobs AS SELECT 'fake' AS name",
    "CREATE MACRO finite(x) AS 1",
    "CREATE TABLE memory.main.t AS SELECT 1",
    "DROP VIEW jobs",
    "ALTER TABLE job ADD COLUMN x INTEGER",
    "COMMENT ON TABLE job IS 'x'",
    "ATTACH ':memory:' AS other",
    "ATTACH '@/other.db' AS other",
    "DETACH catalog",
    "USE memory",
    "SET threads = 1",
    "SET VARIABLE score_files = ['x']",
    "RESET threads",
    "PRAGMA threads = 1",
    "INSTALL httpfs",
    "LOAD httpfs",
    "BEGIN",
    "COMMIT",
    "VACUUM",
    "PREPARE p AS SELECT 1",
    "EXECUTE p",
    "CREATE SECRET s (TYPE s3)",
    "CHECKPOINT",
]


@pytest.mark.parametrize("allow_external", [False, True])
def test_what_writes_is_refused(attacked, folder, allow_external):
    for sql in WRITING:
        with pytest.raises(UsageError, match=r"sql only reads: \w+ is refused"):
            attacked.sql(sql.replace("@", str(folder)), allow_external=allow_external)


def test_only_one_statement_is_taken(attacked):
    for sql in ("", ";", "-- nothing", "SELECT 1; SELECT 2", "SELECT 1; DROP VIEW jobs", "DROP VIEW jobs; SELECT 1"):
        with pytest.raises(UsageError, match="exactly one statement"):
            attacked.sql(sql)


@pytest.mark.parametrize("allow_external", [False, True])
@pytest.mark.parametrize(
    "sql",
    [
        "EXPLAIN ANALYZE COPY (SELECT 1 AS a) TO '@/evals/out.csv'",
        "EXPLAIN ANALYZE COPY (SELECT 1 AS a) TO '@/out.csv'",
        "EXPLAIN ANALYZE CREATE TABLE memory.main.t AS SELECT 1",
        "EXPLAIN ANALYZE CREATE TEMP TABLE jobs AS SELECT 'fake' AS name",
        "EXPLAIN ANALYZE DELETE FROM job",
        "IMPORT DATABASE '@'",
        "/* EXPLAIN */ EXPLAIN (ANALYZE, FORMAT json) COPY (SELECT 1 AS a) TO '@/evals/out.csv'",
        "WITH gone AS (DELETE FROM job RETURNING *) SELECT * FROM gone",
    ],
)
def test_what_writes_is_refused_inside_other_statements(attacked, folder, sql, allow_external):
    with pytest.raises((UsageError, QueryError)):
        attacked.sql(sql.replace("@", str(folder)), allow_external=allow_external)


@pytest.mark.parametrize("allow_external", [False, True])
@pytest.mark.parametrize(
    "sql",
    [
        "COPY (PIVOT job ON name) TO '@/evals/out.csv'",
        "COPY (PIVOT job ON name) TO '@/out.csv'",
        "EXPLAIN ANALYZE COPY (PIVOT job ON name) TO '@/evals/out.csv'",
        "CREATE OR REPLACE TEMP TABLE jobs AS PIVOT (SELECT 'fake' AS name) ON name GROUP BY name",
        "CREATE OR REPLACE TEMP VIEW jobs AS SELECT 'pivot' AS name; SELECT 1",
        "CREATE OR REPLACE TABLE memory.main.t AS SELECT 'pivot'; SELECT 1",
        "CREATE TYPE t AS ENUM ('pivot'); SELECT 1",
        "CREATE OR REPLACE TEMP MACRO finite(x) AS 'pivot'; SELECT 1",
    ],
)
def test_the_word_pivot_is_no_key_to_writing(attacked, folder, sql, allow_external):
    with pytest.raises((UsageError, QueryError)):
        attacked.sql(sql.replace("@", str(folder)), allow_external=allow_external)


LOGGING = """
store = evalstore.open(root)
for allow_external in (False, True):
    for call in ("CALL", "FROM"):
        for place in (root, os.path.dirname(root)):
            config = f"storage = 'file', storage_config = {{'path': '{place}/logs'}}"
            try:
                store.sql(f"{call} enable_logging('QueryLog', {config})", allow_external=allow_external)
                store.sql("SELECT 1", allow_external=allow_external)
            except (UsageError, QueryError):
                continue
            say(call, place, allow_external)
os._exit(0)  # an instance that cannot write its log ends its process when it is closed
"""


def test_nobody_turns_on_a_log_that_writes_files(asked):
    assert run(LOGGING, asked.root) == []


READING = [
    "SELECT 1 AS a",
    "SELECT 1 AS a;",
    "  -- a comment; with a semicolon\n SELECT 1 AS a /* and; another */ ; -- end",
    "FROM jobs",
    "FROM jobs SELECT name",
    "TABLE jobs",
    "VALUES (1, 2)",
    "WITH a AS (SELECT 1 AS x) FROM a",
    "DESCRIBE jobs",
    "DESCRIBE SELECT 1 AS a",
    "SHOW TABLES",
    "SUMMARIZE row_scores",
    "EXPLAIN SELECT * FROM row_scores",
    "EXPLAIN ANALYZE SELECT * FROM row_scores",
    "PIVOT row_scores ON metric USING count(*) GROUP BY job",
    "-- a comment\n/* and\nanother */ PIVOT row_scores ON metric USING count(*) GROUP BY job;",
    "WITH s AS (FROM row_scores) PIVOT s ON metric USING count(*) GROUP BY job",
    "FROM (PIVOT row_scores ON metric USING count(*) GROUP BY job)",
    "UNPIVOT (SELECT 1 AS a, 2 AS b) ON a, b",
    "SELECT 'COPY x TO y; DROP TABLE job' AS text",
    "SELECT name FROM jobs WHERE name = 'no such'",
]


@pytest.mark.parametrize("allow_external", [False, True])
def test_what_only_reads_is_answered(attacked, allow_external):
    for sql in READING:
        assert attacked.sql(sql, allow_external=allow_external).width >= 1, sql


def test_pivot_describe_show_and_summarize_answer_rightly(asked):
    pivoted = asked.sql("PIVOT row_scores ON metric USING count(*) GROUP BY job ORDER BY job")
    assert pivoted.rows() == [("one", len(VALUES), len(VALUES), len(VALUES)), ("two", 1, 0, 0)]
    assert asked.sql("DESCRIBE SELECT 1::INTEGER AS a")["column_name"].to_list() == ["a"]
    shown = set(asked.sql("SHOW TABLES")["name"])
    assert shown >= {"jobs", "results", "row_scores", "rows", "leaderboard", "interrupted_jobs"}
    assert "row_key" in asked.sql("SUMMARIZE rows")["column_name"].to_list()


# Only the store

OUTSIDE = [
    "SELECT * FROM read_text('@/secret.csv')",
    "SELECT * FROM read_blob('@/secret.csv')",
    "SELECT * FROM read_csv('@/secret.csv')",
    "SELECT * FROM read_json('@/secret.csv')",
    "SELECT * FROM read_parquet('@/secret.parquet')",
    "SELECT * FROM sniff_csv('@/secret.csv')",
    "SELECT * FROM '@/secret.csv'",
    "FROM '@/secret.csv'",
    "SELECT * FROM glob('@/*')",
    "SELECT * FROM glob('/*')",
    "SELECT * FROM read_text('@/*.csv')",
    "SELECT * FROM read_text(['@/evals/inside.csv', '@/secret.csv'])",
    "SELECT * FROM read_text('@/evals/../secret.csv')",
    "SELECT * FROM read_text('@/evals/jobs/../../secret.csv')",
    "SELECT * FROM read_text('@/evals-secret/secret.csv')",
    "SELECT * FROM read_text('@/evals/link.csv')",  # a symbolic link out of the store leads nowhere
    "SELECT * FROM read_text('secret.csv')",
    "SELECT * FROM read_text('file://@/secret.csv')",
    "SELECT * FROM read_csv('https://localhost:1/secret.csv')",
    "SELECT * FROM read_parquet('s3://bucket/secret.parquet')",
    "SELECT * FROM sqlite_scan('@/secret.db', 't')",
    "SELECT * FROM query_table('@/secret.csv')",
    "SELECT * FROM query('SELECT * FROM read_text(''@/secret.csv'')')",
]


def test_sql_reaches_no_file_outside_the_store(attacked, folder, monkeypatch):
    monkeypatch.chdir(folder)
    for sql in OUTSIDE:
        assert_refused(attacked, sql.replace("@", str(folder)), QueryError)


def test_sql_reaches_files_inside_the_store(asked):
    assert asked.sql("SELECT content FROM read_text($file)", file=f"{asked.root}/inside.csv").rows() == [
        ("inside\n1\n",)
    ]
    [scores, _] = asked.score_files()
    count = asked.sql("SELECT count(*) FROM read_parquet($file)", file=scores).item()
    assert count in (1, 3 * len(VALUES))
    assert asked.sql("SELECT * FROM glob($pattern)", pattern=f"{asked.root}/jobs/*/*/job.json").height == 2


def test_a_store_whose_path_looks_like_a_pattern_lets_nobody_read_its_sibling(tmp_path):
    store = evalstore.open(tmp_path / "st*r")
    with store.job("one") as job:
        job.log(item=1, scores={"right": True})
    (tmp_path / "star").mkdir()
    (tmp_path / "star/secret.csv").write_text("secret\n1\n")
    for sql in ("SELECT * FROM read_text('@/secret.csv')", "SELECT * FROM read_csv('@/*.csv')"):
        assert_refused(store, sql.replace("@", str(store.root)), QueryError)


def test_variables_of_the_caller_are_invisible(asked):
    jobs = secret = pl.DataFrame({"name": ["fake"]})
    assert jobs is secret
    with pytest.raises(QueryError, match="secret does not exist"):
        asked.sql("FROM secret")
    assert "fake" not in asked.sql("SELECT name FROM jobs")["name"].to_list()
    for name in ("sql", "parameters", "database", "self", "pa", "duckdb"):
        with pytest.raises(QueryError):
            asked.sql(f"FROM {name}")


def test_with_allow_external_files_are_reached(asked, folder):
    assert asked.sql(f"FROM '{folder}/secret.csv'", allow_external=True).rows() == [(1,)]
    assert asked.sql("SELECT * FROM glob($pattern)", pattern=f"{folder}/secr*.csv", allow_external=True).height == 1
    with pytest.raises(QueryError):
        asked.sql(f"FROM '{folder}/secret.csv'")


def test_with_allow_external_variables_of_the_caller_are_reached(asked):
    wanted = pl.DataFrame({"name": ["two"]})
    assert wanted.height == 1
    found = asked.sql("SELECT name FROM jobs SEMI JOIN wanted USING (name)", allow_external=True)
    assert found.rows() == [("two",)]


def test_allow_external_stays_with_its_question(asked):
    own = evalstore.open(asked.root)
    own.sql("SELECT 1", allow_external=True)
    with pytest.raises(QueryError):
        own.sql("SELECT * FROM glob('/*')")


# Parameters

NOW = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [None, True, 0, -1, 2**62, 2**70, 0.1, inf, "text", "", "a\0b", "'; DROP TABLE job; --", b"bytes\0", NOW,
     date(2026, 1, 2), timedelta(days=1, microseconds=1), Decimal("1.50"), [1, 2], ["a", None], [], {"a": 1}, (1, 2)],
    ids=repr,
)  # fmt: skip
def test_a_parameter_comes_back_as_it_was_given(asked, value):
    for found in (
        asked.sql("SELECT $value AS value", value=value),
        asked.sql("SELECT $value AS value", {"value": value}),
        asked.sql("SELECT ? AS value", [value]),
        asked.sql("SELECT $1 AS value", [value]),
    ):
        assert found.shape == (1, 1)
        item = found["value"].to_list()[0]
        assert item == (list(value) if isinstance(value, tuple) else value)


def test_nan_comes_back_as_nan(asked):
    assert isnan(asked.sql("SELECT $value AS value", value=nan).item())


def test_parameters_are_bound_by_name_and_by_position(asked):
    assert (
        asked.sql("SELECT name FROM jobs WHERE name = $name AND model = $model", name="one", model="default/m").height
        == 1
    )
    assert asked.sql("SELECT name FROM jobs WHERE name = $name", {"name": "two"}).rows() == [("two",)]
    assert asked.sql("SELECT ? AS a, ? AS b", ["x", "y"]).rows() == [("x", "y")]
    assert asked.sql("SELECT $b AS b, $a AS a, $b AS again", {"a": 1}, b=2).rows() == [(2, 1, 2)]


@pytest.mark.parametrize(
    ("sql", "given", "named", "message"),
    [
        ("SELECT $a", None, {}, r"give a value for \$a$"),
        ("SELECT $a, $b", None, {"b": 1}, r"give a value for \$a$"),
        ("SELECT 1", None, {"a": 1}, r"the query has no \$a$"),
        ("SELECT $a", None, {"a": 1, "b": 1, "c": 1}, r"the query has no \$b, \$c$"),
        ("SELECT $a", None, {"b": 1}, r"give a value for \$a; the query has no \$b$"),
        ("SELECT ?, ?", [1], {}, r"give a value for \$2$"),
        ("SELECT ?", [1, 2], {}, r"the query has no \$2$"),
        ("SELECT 1", [1], {}, r"the query has no \$1$"),
        ("PIVOT row_scores ON metric USING sum(value + $a)", None, {}, r"give a value for \$a$"),
    ],
)
def test_missing_and_surplus_parameters_are_named(asked, sql, given, named, message):
    with pytest.raises(UsageError, match=message):
        asked.sql(sql, given, **named)


@pytest.mark.parametrize("value", [object(), {1, 2}, "\ud800", pl.Series([1]), ...], ids=range(5))
def test_a_parameter_that_duckdb_does_not_take_is_an_error_of_ours(asked, value):
    with pytest.raises((QueryError, UsageError)):
        asked.sql("SELECT $value", value=value)


# Errors and answers


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELEC 1", "syntax error"),
        ("SELECT * FROM nowhere", "nowhere does not exist"),
        ("SELECT nothing FROM jobs", "nothing"),
        ("SELECT error('out of the data')", "out of the data"),
        ("SELECT label::INTEGER FROM row_scores WHERE label = 'ab'", "ab"),
        ("SELECT no_such_function(1)", "no_such_function"),
    ],
)
def test_sql_that_fails_is_a_query_error_with_the_message_of_duckdb(asked, sql, message):
    with pytest.raises(QueryError, match=message) as caught:
        asked.sql(sql)
    assert caught.value.sql == sql
    assert caught.value.exit_code == 2
    assert asked.sql("SELECT count(*) FROM jobs").item() == 2  # the session goes on


TYPES = [
    "1::TINYINT",
    "1::HUGEINT",
    "1::UHUGEINT",
    "1.5::DECIMAL(38, 10)",
    "'a'::BLOB",
    "uuid()",
    "current_date",
    "current_time",
    "'10:00:00+01'::TIMETZ",
    "now()",
    "now()::TIMESTAMP_NS",
    "now()::TIMESTAMP_S",
    "INTERVAL 1 MONTH",
    "INTERVAL 1 DAY",
    "'a'::ENUM ('a', 'b')",
    "[1, NULL]",
    "[1, 2]::INTEGER[2]",
    "{'a': {'b': 1}}",
    "MAP {'a': 1}",
    "MAP {1: [2]}",
    "'101'::BIT",
    "union_value(a := 1)",
    "'{}'::JSON",
    "NULL",
    "[]",
    "'nan'::DOUBLE",
    "'infinity'::DATE",
    "'infinity'::TIMESTAMP",
    "1::BIGNUM",
    "{'a': INTERVAL 1 DAY}",
    "[INTERVAL 1 DAY]",
]


@pytest.mark.parametrize("value", TYPES)
def test_a_value_of_any_type_is_answered_or_refused_with_an_error_of_ours(asked, value):
    with suppress(EvalStoreError):
        assert asked.sql(f"SELECT {value} AS value").shape == (1, 1)


def test_the_time_between_two_moments_is_answered(asked):
    took = asked.sql("SELECT finished_at - started_at AS took FROM jobs WHERE name = 'one'").item()
    assert isinstance(took, timedelta)
    assert timedelta(0) < took < timedelta(minutes=5)


def test_columns_of_the_same_name_are_answered_or_refused_with_an_error_of_ours(asked):
    with suppress(EvalStoreError):
        assert asked.sql("SELECT 1 AS a, 2 AS a").row(0) == (1, 2)


# fmt: off
WORDS = [
    "SELECT", "EXPLAIN", "ANALYZE", "COPY", "(SELECT 1 AS a)", "TO", "'@/evals/out.csv'", "PIVOT", "job", "jobs",
    "FROM", ";", "--", "'", '"', "$x", "?", "CREATE TABLE t AS", "CREATE TEMP VIEW jobs AS", "CALL", "DELETE FROM",
    "*", "1", "(", ")", "WITH", "AS", "ON", "USING", "count(*)", "row_scores", "metric", "DROP VIEW", "/*", "*/",
    "\0", "\ud800",
]
# fmt: on
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=60)


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory):
    store = evalstore.open(tmp_path_factory.mktemp("fuzzed") / "evals")
    with store.job("one") as job:
        job.log(item=1, scores={"right": True})
    return store


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(ANY_TEXT | st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join))
@example("EXPLAIN ANALYZE COPY (SELECT 1 AS a) TO '@/evals/out.csv'")
@example("CREATE TEMP VIEW jobs AS SELECT 1 AS pivot ; SELECT 1")
@example("SELECT '\ud800'")
@example("SELECT '\0'")
def test_any_text_as_sql_is_answered_or_refused_and_changes_nothing(fuzzed, sql):
    before = everything_under(fuzzed.root)
    with suppress(EvalStoreError):
        fuzzed.sql(sql.replace("@", str(fuzzed.root.parent)))
    assert everything_under(fuzzed.root) == before
    assert fuzzed.sql("SELECT name FROM jobs").rows() == [("one",)]


# Values stay values

# fmt: off
NASTY = [
    "'; DROP TABLE job; --", '"', "\\", "%", "_", "$x", "?", "{}", "[]", "\0", "null", "NaN", "true", "\u2028", "a\nb",
    "é", "@last", "*", "[a]", "''", "' OR 1=1 --", " ", "\ufeff", "\U0001f600", "e\u0301", "1e5", "007", "-0",
]
# fmt: on
TEXTS = st.lists(st.sampled_from(NASTY) | st.text(min_size=1, max_size=15), min_size=1, max_size=12, unique=True)


@settings(max_examples=4, suppress_health_check=[HealthCheck.too_slow])
@given(TEXTS)
@example(NASTY)
def test_any_text_comes_back_equal_and_never_changes_the_shape_of_an_answer(folder, texts):
    store = evalstore.open(folder / "texts")
    with store.job(prefix="texts", tags=texts, config=texts, labels={text: text for text in texts}) as job:
        for text in texts:
            job.log(
                item={"text": text, text: 1},
                scores={"label": text, "m" + text: 1},
                row_key=text,
                suite=text,
                cluster=text,
                metadata={"text": text},
                tags=[text],
            )
    shown = store.show(job.name)
    assert shown["tags"] == sorted(texts)
    assert shown["config"] == texts
    assert dict(shown["labels"]) == {text: text for text in texts}
    rows = {row.row_key: row for row in store.row_scores(job.name)}
    assert rows.keys() == set(texts)
    for text in texts:
        row = rows[text]
        assert (row.suite, row.cluster, row.tags) == (text, text, [text])
        assert (row.item, row.metadata) == ({"text": text, text: 1}, {"text": text})
        assert row.metrics["label"][0].value == text
        assert row.metrics["m" + text][0].value == 1


@settings(max_examples=2, suppress_health_check=[HealthCheck.too_slow])
@given(TEXTS)
@example(NASTY)
def test_any_text_filters_exactly_what_equals_it(folder, texts):
    store = evalstore.open(folder / "texts")
    with store.job(prefix="filtered", tags=texts) as job:
        for text in texts:
            job.log(item={"text": text}, scores={"label": text, "m" + text: 1}, row_key=text, metadata={"text": text})
    columns = store.jobs().columns
    for text, field in zip(texts, cycle(["row_key", "metadata.text", "item.text", "label"])):
        jobs = store.jobs(tag=text)
        assert job.name in jobs["name"].to_list()
        assert jobs.columns == columns
        assert [row.row_key for row in store.row_scores(job.name, where=f"{field} = '{text}'")] == [text], field
        sql = "SELECT row_key, $text AS text FROM rows WHERE job = $job AND row_key = $text"
        assert store.sql(sql, job=job.name, text=text).rows() == [(text, text)]
        [score] = store.aggregate_scores(job.name, metric="m" + text).scores
        assert (score.metric, score.count) == ("m" + text, 1)


# Conditions on rows


def matching(store, *conditions):
    return [row.row_key for row in store.row_scores("one", where=list(conditions))]


def text_of(value, kind):
    if isinstance(value, str) or value is None:
        return value
    return json.dumps(value) if kind == "metadata" else str(float(value))


def number_of(value, kind):
    if isinstance(value, bool) and kind == "metadata":
        return None
    try:
        return None if value is None else float(value)
    except ValueError:
        return None


OPERATORS = {
    "=": lambda a, b: a == b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<>": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def holds(value, kind, op, wanted, *, is_quoted):
    """What the condition means, in Python: both sides as numbers when both are, else as text; null meets none.

    A text is neither less nor greater than a number; what a document holds is text, beside the number that it reads as.
    """
    text = wanted if isinstance(wanted, str) else json.dumps(wanted)
    if value is None:
        return False
    if op == "~":
        return text.lower() in text_of(value, kind).lower()
    number = None if is_quoted else float(wanted) if not isinstance(wanted, str) else None
    actual = number_of(value, kind)
    if number is not None and actual is not None:
        return OPERATORS[op](actual, number)
    if op in ("<", "<=", ">", ">=") and (number is not None or (kind == "score" and not isinstance(value, str))):
        return False
    return OPERATORS[op](text_of(value, kind), text)


PLAIN_TEXTS = [
    value for value in VALUES if isinstance(value, str) and value.isalpha() and value not in ("null", "true")
]


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(
    kind=st.sampled_from(["metadata", "score"]),
    op=st.sampled_from([*OPERATORS, "~"]),
    wanted=st.sampled_from([value for value in VALUES if value is not None]),
    is_quoted=st.booleans(),
)
def test_a_condition_selects_the_rows_that_the_same_condition_in_python_does(asked, kind, op, wanted, is_quoted):
    if isinstance(wanted, str):
        is_quoted = is_quoted or wanted not in PLAIN_TEXTS
    elif is_quoted and kind == "score":
        return  # how a number is written is its own business
    if op == "~" and not isinstance(wanted, str):
        return
    text = wanted if isinstance(wanted, str) else json.dumps(wanted)
    quote = '"' if "'" in text else "'"
    field = "metadata.v" if kind == "metadata" else "v"
    condition = f"{field} {op} {quote}{text}{quote}" if is_quoted else f"{field}{op}{text}"
    expected = [str(n) for n, value in enumerate(VALUES) if holds(value, kind, op, wanted, is_quoted=is_quoted)]
    if kind == "score" and op == "~":  # numbers are written by DuckDB
        expected = [n for n in expected if isinstance(VALUES[int(n)], str)]
        found = [n for n in matching(asked, condition) if isinstance(VALUES[int(n)], str)]
    else:
        found = matching(asked, condition)
    assert found == expected, condition


@pytest.fixture(scope="module")
def fields(folder):
    """Rows with something in every kind of field."""
    store = evalstore.open(folder / "fields")
    with store.job("one") as job:
        job.log(
            item={"q": 1, "list": [{"a": 1}, 2], "a.b": 5, "x y": 1, "k=v": 1, "é": 1, "*": "star", "$": 3, "b\\s": 4},
            sample={"text": "The Answer"},
            reference={"answer": 18},
            scores={"right": True, "rouge": [{"name": "r1", "score": 0.4}, {"name": "r2", "score": 0.8}], "latency": 3,
                    "exact match": 1, "broken": nan, "maybe": None, "acc>0.5": 1},
            row_key="k0", cluster="c0", tags=["t1", "t2"], latency=0.5, cost=0.25, total_tokens=7,
            metadata={"flag": True, "none": None, "object": {"deep": {"er": 1}}},
        )  # fmt: skip
        job.log(
            item={"q": 2},
            scores={"right": False, "broken": 1.0},
            row_key="k1",
            error="Boom: bad",
            metadata={"flag": False},
        )
        job.log(item={"q": 3}, scores={"right": None}, suite="other", row_key="k2", repetition=3)
    return store


CONDITIONS = {
    # row fields
    "suite = other": ["k2"],
    "suite != other": ["k0", "k1"],
    "row_key = k1": ["k1"],
    "row_key >= k1": ["k1", "k2"],
    "repetition = 3": ["k2"],
    "repetition < 3": ["k0", "k1"],
    "cluster = c0": ["k0"],
    "cluster = null": ["k1", "k2"],
    "tags ~ t2": ["k0"],
    "error != null": ["k1"],
    "error = null": ["k0", "k2"],
    "error ~ BOOM": ["k1"],
    "error = 'Boom: bad'": ["k1"],
    "latency <= 0.5": ["k0"],
    "latency > 0.5": [],
    "cost = 0.25": ["k0"],
    "total_tokens > 6": ["k0"],
    "total_tokens = null": ["k1", "k2"],
    # documents
    "item.q > 1": ["k1", "k2"],
    "item.q>1": ["k1", "k2"],
    "sample.text ~ answer": ["k0"],
    "sample.text = 'The Answer'": ["k0"],
    'sample.text = "The Answer"': ["k0"],
    "sample.text = The Answer": ["k0"],
    "sample.text = null": ["k1", "k2"],
    "reference.answer = 18.0": ["k0"],
    "item.list[1] = 2": ["k0"],
    "item.list[0].a = 1": ["k0"],
    "metadata.object.deep.er = 1": ["k0"],
    "metadata.object != null": ["k0"],
    "metadata.none = null": ["k0", "k1", "k2"],
    "metadata.nothing = null": ["k0", "k1", "k2"],
    "metadata.nothing != 1": [],
    'item."a.b" = 5': ["k0"],
    "item.x y = 1": ["k0"],
    "item.é = 1": ["k0"],
    "item.$ = 3": ["k0"],
    "item.b\\s = 4": ["k0"],
    "metadata.flag = true": ["k0"],
    "metadata.flag = false": ["k1"],
    "metadata.flag != true": ["k1"],
    # scores
    "right = 1": ["k0"],
    "right = 0": ["k1"],
    "right = true": ["k0"],
    "right = False": ["k1"],
    "right != 1": ["k1"],
    "rouge > 0.5": ["k0"],
    "rouge:r1 > 0.5": [],
    "rouge:r2 > 0.5": ["k0"],
    "rouge:r3 > 0.5": [],
    "exact match = 1": ["k0"],
    "score.latency = 3": ["k0"],
    "score.right = 1": ["k0"],
    "broken = 1": ["k1"],
}


@pytest.mark.parametrize(("condition", "rows"), CONDITIONS.items())
def test_a_condition_works_on_every_kind_of_field(fields, condition, rows):
    assert matching(fields, condition) == rows


@pytest.mark.parametrize("word", ["true", "True", "TRUE"])
def test_true_is_true_however_it_is_written(fields, word):
    assert matching(fields, f"metadata.flag = {word}") == ["k0"]


@pytest.mark.parametrize("op", ["<", "<=", ">", ">="])
def test_nan_is_neither_more_nor_less_than_a_number(fields, op):
    assert "k0" not in matching(fields, f"broken {op} 0.5")


def test_a_score_is_null_where_there_is_none_or_no_value(fields):
    assert matching(fields, "right = null") == ["k2"]
    assert matching(fields, "right != null") == ["k0", "k1"]
    assert matching(fields, "maybe = null") == ["k0", "k1", "k2"]
    assert matching(fields, "broken = null") == ["k2"]


@pytest.mark.parametrize(
    ("condition", "rows"),
    [('item."k=v" = 1', ["k0"]), ('item."*" = star', ["k0"]), ("item.* = star", ["k0"]), ('"acc>0.5" = 1', ["k0"])],
)
def test_a_name_with_signs_in_it_can_be_asked_for(fields, condition, rows):
    assert matching(fields, condition) == rows


def test_several_conditions_must_all_hold(fields):
    assert matching(fields, "item.q > 1", "error = null") == ["k2"]
    assert matching(fields, "item.q > 1", "item.q < 2") == []
    assert matching(fields, "rouge > 0.5", "rouge < 0.5") == ["k0"]  # each by a score of its own
    assert [row.row_key for row in fields.row_scores("one", where="right = 1")] == ["k0"]
    assert len(fields.row_scores("one", where=[])) == 3


@pytest.mark.parametrize(
    "condition",
    ["", " ", "right", "right =", "= 1", "right 1", "right > null", "right ~ null", "right < NULL", "item.q", "a b c",
     "right => 1", "right =< 1", "right === 1"],
)  # fmt: skip
def test_what_is_no_condition_is_refused(fields, condition):
    with pytest.raises(InvalidCondition):
        matching(fields, condition)


@pytest.mark.parametrize("condition", [5, None, b"right = 1"])
def test_a_condition_that_is_no_text_is_refused(fields, condition):
    with pytest.raises(UsageError):
        fields.row_scores("one", where=[condition])


@pytest.mark.parametrize(
    ("condition", "near"),
    [
        ("rigth = 1", "did you mean right"),
        ("exact_match = 1", "exact match"),
        ("latenci > 1", "latency"),
        ("metadta.flag = 1", "metadata.<path>"),
        ("metadata = 1", "metadata.<path>"),
        ("zzz = 1", "there are: .*right"),
    ],
)
def test_a_field_that_is_not_there_names_near_ones(fields, condition, near):
    with pytest.raises(UnknownField, match=near):
        matching(fields, condition)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(ANY_TEXT)
def test_any_text_as_a_condition_selects_or_is_refused(fields, text):
    with suppress(UsageError):  # the user's condition is wrong, never our SQL
        assert set(matching(fields, text)) <= {"k0", "k1", "k2"}


# Threads and several stores


def test_one_store_answers_four_threads_rightly(asked):
    store = evalstore.open(asked.root)
    barrier = threading.Barrier(4)

    def ask(thread):
        barrier.wait()
        for number in range(3):
            value = thread * 1000 + number
            assert store.sql("SELECT $value AS value, count(*) AS jobs FROM jobs", value=value).rows() == [(value, 2)]
            assert len(store.row_scores("one")) == len(VALUES)
            assert store.sql("SELECT count(*) FROM row_scores WHERE job = $job", job="two").item() == 1
            with pytest.raises(QueryError):
                store.sql("FROM nowhere")
            assert set(store.leaderboard("right")["job"]) == {"one", "two"}
        return thread

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(ask, range(4))) == [0, 1, 2, 3]


def test_four_threads_write_and_ask_through_one_store(store):
    def work(thread):
        for number in range(2):
            name = f"job-{thread}-{number}"
            with store.job(name, dataset="d", model=name) as job:
                for i in range(5):
                    job.log(item={"q": i}, scores={"right": True}, row_key=str(i))
            assert store.sql("SELECT count(*) FROM row_scores WHERE job = $job", job=name).item() == 5
        return thread

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(work, range(4))) == [0, 1, 2, 3]
    assert store.jobs().height == 8
    assert set(store.sql("SELECT count(*) FROM row_scores GROUP BY job").to_series()) == {5}


def test_several_stores_in_one_process_do_not_mix(tmp_path):
    stores = [evalstore.open(tmp_path / name) for name in ("a", "b", "a")]

    def work(number):
        for round_ in range(2):
            name = f"job-{number}-{round_}"
            with stores[number].job(name) as job:
                job.log(item={"q": number}, scores={"right": True})
            assert name in stores[number].jobs()["name"].to_list()
        return number

    with ThreadPoolExecutor(3) as threads:
        assert list(threads.map(work, range(3))) == [0, 1, 2]
    of_a = {f"job-{number}-{round_}" for number in (0, 2) for round_ in range(2)}
    assert set(stores[0].jobs()["name"]) == set(stores[2].jobs()["name"]) == of_a
    assert set(stores[1].jobs()["name"]) == {f"job-1-{round_}" for round_ in range(2)}
    assert stores[1].sql("SELECT count(*) FROM row_scores").item() == 2


def test_a_store_is_a_context_manager_and_works_again_after_it_was_closed(tmp_path):
    with evalstore.open(tmp_path / "evals") as store:
        with store.job("one") as job:
            job.log(item=1, scores={"right": True})
        assert store.jobs().height == 1
    assert store.jobs().height == 1
    store.close()
    store.close()
    assert len(store.row_scores("one")) == 1
    with pytest.raises(KeyError), evalstore.open(tmp_path / "evals") as store:
        raise KeyError("goes through")
    assert not [fd for fd in Path("/proc/self/fd").iterdir() if os.path.realpath(fd).startswith(str(tmp_path))]
