"""One query with every difficult value, in every format. `UPDATE_GOLDEN=1 pytest tests/cli/test_formats.py` rewrites
what is expected; read the difference before you keep it."""

import csv
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from rich.cells import cell_len

import evalstore
from evalstore.cli.values import one_line

GOLDEN = Path(__file__).parent / "golden"
QUERY = (GOLDEN / "query.sql").read_text()


def golden(name, text):
    path = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text, newline="")
    assert text == path.read_bytes().decode()


@pytest.fixture
def ask(run):
    def asked(*arguments, **env):
        done = run("sql", "-", *arguments, stdin=QUERY, env=env)
        assert (done.code, done.stderr) == (0, "")
        return done.stdout

    return asked


@pytest.mark.parametrize(
    ("name", "format", "env"),
    [
        ("answer.json", "json", {}),
        ("answer.csv", "csv", {}),
        ("answer.md", "markdown", {}),
        ("answer.txt", "table", {"COLUMNS": "220"}),
        ("answer-wrapped.txt", "table", {"COLUMNS": "160"}),
        ("answer-records.txt", "table", {}),
    ],
)
def test_every_value_looks_as_it_should(name, format, env, ask):
    golden(name, ask("--format", format, **env))


def test_json_is_valid_and_keeps_what_is_nested(ask):
    answer = json.loads(ask("--format", "json"), parse_constant=pytest.fail)
    assert answer[0]["nested"] == {"x": 1.5, "y": "NaN", "z": {"deep": True}}
    assert [line["number"] for line in answer] == ["NaN", "Infinity", "-Infinity", 1e-7, 0.1]
    assert answer[0]["big"] == 2**53 + 1
    assert answer[1]["text"] is None
    assert answer[2]["text"] == ""
    assert answer[0]["moment"] == "2026-11-21T08:25:05.97915+00:00"


def test_parquet_keeps_the_types(ask, filled, tmp_path):
    ask("--format", "parquet", "-o", tmp_path / "answer.parquet")
    assert_frame_equal(pl.read_parquet(tmp_path / "answer.parquet"), evalstore.open(filled).sql(QUERY))


def texts_of_json(text):
    lines = json.loads(text)
    return [list(lines[0])] + [[as_text(value) for value in line.values()] for line in lines]


def as_text(value):
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def same_number(left, right):
    """1e-7 and 1e-07 are two ways to write one number."""
    return left == right or json.loads(left) == json.loads(right)


def test_json_csv_and_table_agree_cell_for_cell(ask):
    from_json = texts_of_json(ask("--format", "json"))
    from_csv = list(csv.reader(io.StringIO(ask("--format", "csv"), newline="")))
    from_table = cells_of_table(ask(COLUMNS="300"))
    assert len(from_json) == len(from_csv) == len(from_table) == 6
    for json_line, csv_line, table_line in zip(from_json, from_csv, from_table, strict=True):
        for json_cell, csv_cell, table_cell in zip(json_line, csv_line, table_line, strict=True):
            assert same_number(csv_cell, json_cell or "")
            assert table_cell == ("-" if json_cell is None else one_line(csv_cell).strip())


def cells_of_table(text):
    """The cells of a table: between its columns stand two spaces or more, one below the other."""
    header, _, *lines = [re.sub(".", by_width, line) for line in text.splitlines()]
    width = max(map(len, [header, *lines]))
    padded = [line.ljust(width) for line in [header, *lines]]
    gaps = re.finditer(r" {2,}", "".join(" " if set(column) == {" "} else "x" for column in zip(*padded, strict=True)))
    edges = [0, *(edge for gap in gaps for edge in gap.span()), width]
    pairs = list(zip(edges[::2], edges[1::2], strict=True))
    return [[line[start:end].replace("\0", "").strip() for start, end in pairs] for line in padded]


def by_width(match):
    return match[0] + "\0" * (cell_len(match[0]) - 1)


def test_no_lines_are_said_to_be_none(run):
    nothing = ("sql", "SELECT name, rows_total FROM jobs WHERE false")
    assert run(*nothing).stdout == "name  rows_total\n────────────────\n(none)\n"
    assert run(*nothing, "--format", "json").stdout == "[]\n"
    assert run(*nothing, "--format", "csv").stdout == "name,rows_total\n"
    assert run(*nothing, "--format", "markdown").stdout == "| name | rows_total |\n| --- | ---: |\n\n(none)\n"


def test_text_cannot_command_the_terminal(run):
    shown = run("sql", "SELECT E'\\x1b[31mred\\x07' || chr(8238) || 'x' AS \"a\x1b[1mb\"").stdout
    assert shown.splitlines()[2] == r"\x1b[31mred\x07\u202ex"
    assert "\x1b" not in shown


def test_words_that_look_like_markup_stay(run):
    assert (
        run("sql", "SELECT '[bold]a[/bold] :smile: [link=x]y[/]' AS t").lines[2]
        == "[bold]a[/bold] :smile: [link=x]y[/]"
    )


def test_markdown_is_read_as_it_was_meant(run):
    query = "SELECT '<b> *a* _b_ c_d [e](f) ~g~ `h` &amp; | \\ ' || chr(10) || 'next' AS t"
    cell = run("sql", query, "--format", "markdown").lines[2]
    assert cell == r"| \<b> \*a\* \_b\_ c_d \[e\](f) \~g\~ \`h\` &amp;amp; \| \\ <br>next |"


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("0.1", 0.1),
        ("12345678901234567890123::HUGEINT", 12345678901234567890123),
        ("'0.12345678901234567890123'::DECIMAL(38, 23)", "0.12345678901234567890123"),
        ("TIME '10:00:00.5'", "10:00:00.5"),
        ("TIMESTAMP '2026-01-01 00:00:00'", "2026-01-01T00:00:00"),
        ("TIMESTAMP_NS '2026-01-01 00:00:00.123456789'", "2026-01-01T00:00:00.123456789"),
        ("TIMESTAMPTZ '0044-03-15 (BC) 12:00:00+00'", "-0043-03-15T12:00:00+00:00"),
        ("[TIMESTAMPTZ '2026-01-01 00:00:00+00']", ["2026-01-01T00:00:00+00:00"]),
        ("'caf\\xC3\\xA9\\xFF'::BLOB", "café\\xff"),
        ("MAP {'a': [1, NULL]}", {"a": [1, None]}),
        ("'b'::ENUM('a', 'b')", "b"),
        ("NULL", None),
        ("-0.0::DOUBLE", -0.0),
        ("1.5::FLOAT", 1.5),
    ],
)
def test_values_of_other_types(expression, value, run):
    query = f"SELECT {expression} AS v"
    assert run("sql", query, "--format", "json").objects == [{"v": value}]
    _, *cells = csv.reader(io.StringIO(run("sql", query, "--format", "csv").stdout))
    assert cells == [[as_text(value)] if value is not None else []]
    assert run("sql", query).lines[2].strip() == (as_text(value) or "-")


def test_many_lines_are_one_array_and_one_table(run):
    query = "SELECT i, 'row ' || i AS t FROM range(12345) r(i)"
    assert run("sql", query, "--format", "json").objects[-1] == {"i": 12344, "t": "row 12344"}
    assert len(run("sql", query, "--format", "csv").lines) == 12346
    table = run("sql", "SELECT i, 'row ' || i AS t FROM range(1234) r(i)").lines
    assert (len(table), table[-1]) == (1236, "1233  row 1233")


def test_output_goes_to_a_file_as_well(run, tmp_path):
    for format in ("table", "json", "csv", "markdown"):
        done = run("jobs", "--format", format, "-o", tmp_path / "jobs")
        assert done.stdout == ""
        assert (tmp_path / "jobs").read_text() == run("jobs", "--format", format).stdout


def test_parquet_goes_to_a_pipe_but_not_to_a_terminal(process, terminal, filled):
    command = [sys.executable, "-m", "evalstore", "--store", str(filled), "jobs", "--format", "parquet"]
    data = subprocess.run(command, capture_output=True, check=True).stdout
    assert pl.read_parquet(io.BytesIO(data))["name"][0] == "crashed"
    done = terminal("--store", filled, "jobs", "--format", "parquet")
    assert (done.code, "name a file (-o FILE)" in done.stdout) == (2, True)


def test_colours_are_for_terminals(process, terminal, filled):
    assert "\x1b[" in terminal("--store", filled, "jobs").stdout
    assert "\x1b" not in process("--store", filled, "jobs").stdout


@pytest.mark.parametrize("width", [80, 100, 120])
@pytest.mark.parametrize(
    "command", ["jobs", "show essay", "leaderboard", "trend --metric correct", "rows essay --worst 2"]
)
def test_pages_keep_to_the_width(command, width, run):
    assert max(map(cell_len, run(*command.split(), env={"COLUMNS": str(width)}).lines)) <= width


def test_a_terminal_tells_its_own_width(terminal, filled):
    shown = terminal("--store", filled, "sql", "SELECT repeat('word ', 100) AS t", width=61).stdout
    lines = re.sub(r"\x1b\[[0-9;]*m", "", shown).splitlines()
    assert 55 < max(map(len, lines)) <= 61


def test_what_is_printed_is_utf_8_whatever_the_locale(process, filled):
    done = process(
        "--store", filled, "sql", "SELECT '🎉' AS t", "--format", "csv", LC_ALL="C", PYTHONIOENCODING="ascii"
    )
    assert done.stdout == "t\n🎉\n"
