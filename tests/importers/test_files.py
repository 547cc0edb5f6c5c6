"""Files of records: every format, packed and plain, and every way in which one can be broken."""

import contextlib
import csv
import datetime as dt
import gzip
import json
import math
import os
import random
import threading
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evalstore.errors import BrokenInput
from evalstore.importers.files import TEXT_KEPT, read_records

ROWS = [{"id": 1, "text": "a"}, {"id": 2, "text": "b"}, {"id": 3, "text": None}]
PACKERS: dict[str, Callable[[bytes], bytes]] = {"": bytes, ".gz": gzip.compress, ".zst": zstandard.compress}
BOM = b"\xef\xbb\xbf"


def as_jsonl(rows):
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def as_parquet(table):
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    return sink.getvalue().to_pybytes()


CONTENTS = {
    ".jsonl": as_jsonl(ROWS),
    ".ndjson": as_jsonl(ROWS),
    ".json": json.dumps(ROWS, indent=2).encode(),
    ".csv": b"id,text\n1,a\n2,b\n3,\n",
    ".tsv": b"id\ttext\n1\ta\n2\tb\n3\t\n",
    ".parquet": as_parquet(pa.Table.from_pylist(ROWS)),
}


@pytest.fixture
def write(tmp_path):
    def write(name, content):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def values(path):
    records = list(read_records(path))
    assert [record.problem for record in records if record.problem is not None] == []
    return [record.value for record in records]


def problems(path):
    return [(record.line, str(record.problem)) for record in read_records(path) if record.problem is not None]


def refusal(path):
    with pytest.raises(BrokenInput) as caught:
        list(read_records(path))
    assert caught.value.file == path
    return str(caught.value)


# What is read


@pytest.mark.parametrize("packed", PACKERS)
@pytest.mark.parametrize("suffix", CONTENTS)
def test_every_format_is_read_plain_and_packed(write, suffix, packed):
    path = write(f"my.rows{suffix}{packed}", PACKERS[packed](CONTENTS[suffix]))
    assert values(path) == ROWS
    assert values(str(path)) == ROWS


@pytest.mark.parametrize("packed", PACKERS)
@pytest.mark.parametrize("suffix", CONTENTS)
def test_without_a_suffix_the_content_tells_the_format(write, suffix, packed):
    assert values(write("rows", PACKERS[packed](CONTENTS[suffix]))) == ROWS
    assert values(write("rows.txt", PACKERS[packed](CONTENTS[suffix]))) == ROWS


@pytest.mark.parametrize("content", [".jsonl", ".json", ".parquet"])
@pytest.mark.parametrize("name", ["rows.csv", "rows.json", "rows.jsonl", "rows.tsv.gz", "ROWS.JSONL.ZST"])
def test_json_and_parquet_are_read_under_any_name_of_text(write, name, content):
    assert values(write(name, CONTENTS[content])) == ROWS


def test_packed_data_is_read_under_a_name_that_does_not_say_so(write):
    assert values(write("rows.jsonl", gzip.compress(CONTENTS[".jsonl"]))) == ROWS


@pytest.mark.parametrize("suffix", [".jsonl", ".json", ".csv", ".tsv"])
def test_a_byte_order_mark_is_accepted(write, suffix):
    assert values(write("rows" + suffix, BOM + CONTENTS[suffix])) == ROWS


@pytest.mark.parametrize("suffix", [".jsonl", ".json", ".csv", ".tsv"])
def test_line_ends_of_windows_are_accepted(write, suffix):
    assert values(write("rows" + suffix, CONTENTS[suffix].replace(b"\n", b"\r\n"))) == ROWS


def test_the_line_is_where_the_record_starts_and_blank_lines_count(write):
    assert [r.line for r in read_records(write("a.jsonl", '\n{"a":1}\n\n  \n{"a":2}'))] == [2, 5]
    assert [r.line for r in read_records(write("a.json", '\n[\n{"a":1},\n\n{"a":\n2}\n,{"a":3}]\n'))] == [3, 5, 7]
    assert [r.line for r in read_records(write("a.csv", 'a,b\n"x\ny",2\n\n3,"z\n\n"\n5,6\n'))] == [2, 5, 8]
    assert [r.line for r in read_records(write("a.parquet", CONTENTS[".parquet"]))] == [1, 2, 3]


def test_packed_files_of_several_members_are_read_to_the_end(write):
    two = [CONTENTS[".jsonl"]] * 2
    assert values(write("a.jsonl.gz", b"".join(map(gzip.compress, two)))) == ROWS * 2
    skipped = b"\x50\x2a\x4d\x18\x04\x00\x00\x00skip"
    assert values(write("a.jsonl.zst", skipped + b"".join(map(zstandard.compress, two)) + skipped)) == ROWS * 2


def test_a_pipe_is_read_like_a_file(tmp_path):
    path = tmp_path / "pipe.parquet"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(CONTENTS[".parquet"],))
    writer.start()
    assert values(path) == ROWS
    writer.join()


def test_an_array_or_a_csv_or_a_table_without_records_yields_nothing(write):
    assert values(write("a.json", "[]")) == []
    assert values(write("b.json", "\n[ \n]\n")) == []
    assert values(write("a.csv", "a,b\n")) == []
    assert values(write("a.parquet", as_parquet(pa.table({"a": pa.array([], pa.int64())})))) == []


# Values of JSON


@pytest.mark.parametrize("name", ["a.jsonl", "a.json"])
def test_nan_and_infinity_as_python_writes_them_are_floats(write, name):
    row = {"nan": math.nan, "up": math.inf, "down": -math.inf}
    text = json.dumps(row)
    [value] = values(write(name, text if name == "a.jsonl" else f"[{text}]"))
    assert math.isnan(value["nan"])
    assert (value["up"], value["down"]) == (math.inf, -math.inf)


@pytest.mark.parametrize("number", [2**53 + 1, 2**63, -(2**63) - 1, 2**64 - 1, 2**64, 10**40 + 1])
def test_integers_are_exact_at_any_size(write, number):
    assert values(write("a.jsonl", as_jsonl([{"deep": [{"n": number}]}]))) == [{"deep": [{"n": number}]}]
    assert values(write("a.json", json.dumps([{"n": number}]))) == [{"n": number}]


def test_lone_surrogates_are_read(write):
    assert values(write("a.jsonl", '{"a": "\\ud800"}')) == [{"a": "\ud800"}]


@pytest.mark.parametrize("packed", PACKERS)
@pytest.mark.parametrize("suffix", CONTENTS)
def test_a_text_of_ten_megabytes_is_read(write, suffix, packed):
    rows = [{"id": 1, "text": "x" * 10_000_000}, {"id": 2, "text": "short"}]
    contents = {
        ".json": json.dumps(rows).encode(),
        ".csv": f"id,text\n1,{rows[0]['text']}\n2,short\n".encode(),
        ".tsv": f"id\ttext\n1\t{rows[0]['text']}\n2\tshort\n".encode(),
        ".parquet": as_parquet(pa.Table.from_pylist(rows)),
    }
    path = write("a" + suffix + packed, PACKERS[packed](contents.get(suffix, as_jsonl(rows))))
    assert values(path) == rows


@pytest.mark.parametrize(
    "text",
    [
        '{"a": "x\\":", "b": "\\"c\\": 1, \\"c\\": 2"}',
        '{"a" : ": \\"a\\" :", "b": {"a": 1}, "c": [{"a": 1}, {"a": 2}]}',
        '{"a\\\\": ":)", "": "\\\\"}',
    ],
)
def test_texts_that_look_like_keys_are_not_taken_for_repeated_keys(write, text):
    assert values(write("a.jsonl", text)) == [json.loads(text)]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('{"a": 1, "a": 1}', "a"),
        ('{"a":1,"\\u0061":2}', "a"),
        ('{"x": [{"y": {"deep" :1, "b": 2, "deep"\t: 3}}]}', "deep"),
        ('{"a\\\\": 1, "a\\\\": 2}', "a\\"),
        ('{"a": ":\\"", "a": ":"}', "a"),
        ('{"": 1, "": 2}', ""),
        # Escapes that hide what looks like a key make up for the one that got lost.
        ('{"a":1,"a":2,"b":"x\\u0022:"}', "a"),
        ('{"a":1,"a":2,"b":"x\\"\\u003a"}', "a"),
        ('{"a":1,"a":2,"b":"x\\"\\u003A"}', "a"),
        ('{"a":1,"a":2,"b" :3}', "a"),
        ('{"a":1,"a":2,"b":"x\\" :"}', "a"),
    ],
)
def test_a_key_twice_in_one_object_is_a_problem_that_names_the_key(write, text, key):
    for path, line in ((write("a.jsonl", '{"ok": 1}\n' + text), 2), (write("a.json", '[{"ok": 1},\n' + text + "]"), 2)):
        good, bad = read_records(path)
        assert good.value == {"ok": 1}
        assert (bad.line, bad.value, bad.text) == (line, None, text)
        assert bad.problem is not None
        assert (bad.problem.file, bad.problem.line, bad.problem.field) == (path, line, key)
        assert str(bad.problem).endswith(f"the key {key!r} occurs more than once in one object")


@given(st.text(st.sampled_from('{}[]":,\\ ab1'), max_size=12))
def test_the_fast_parser_and_the_careful_one_agree_on_any_text(tmp_path_factory, text):
    line = json.dumps({"a": text, text: [text, {"b": text}]})
    path = tmp_path_factory.mktemp("agree") / "a.jsonl"
    path.write_text(line)
    assert values(path) == [json.loads(line)]


# Broken records of JSON


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b'{"a": 1', "is cut off: expecting ',' delimiter at column 8"),
        (b'{"a": "x', "is cut off: unterminated string starting at column 7"),
        (b'{"a" 1}', "is not JSON: expecting ':' delimiter at column 6"),
        (b"hello", "is not JSON: expecting value at column 1"),
        (b'{"a": 1} {"a": 2}', "is not JSON: extra data at column 10"),
        (b"[1, 2]", "the record is an array, not an object"),
        (b'"text"', "the record is text, not an object"),
        (b"12", "the record is a number, not an object"),
        (b"true", "the record is a boolean, not an object"),
        (b"null", "the record is null, not an object"),
        (b'{"a": "\xe9"}', "is not UTF-8: 0xe9 at byte column 8"),
        (b'{"a": "\xc3\xa9\xff"}', "is not UTF-8: 0xff at byte column 10"),
        (
            b'{"a": ' + b"9" * 5000 + b"}",
            "cannot be read: Exceeds the limit (4300 digits) for integer string conversion",
        ),
        (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "is nested too deeply"),
        (b'{"a": "\x00"}', "is not JSON: invalid control character at column 8"),
    ],
)
def test_a_broken_line_is_a_problem_and_the_lines_around_it_are_read(write, line, message):
    path = write("a.jsonl", b'{"n": 1}\n' + line + b'\n{"n": 3}\n')
    first, broken, last = read_records(path)
    assert (first.value, last.value) == ({"n": 1}, {"n": 3})
    assert (first.text, last.text) == (None, None)
    assert (broken.line, broken.value) == (2, None)
    assert str(broken.problem) == f"{path}:2: {message}"
    assert broken.text == line.decode(errors="replace")[:TEXT_KEPT]


def test_broken_first_lines_of_jsonl_are_problems_of_lines_too(write):
    path = write("a.jsonl", '[1]\n{"n": 2}\n')
    assert problems(path) == [(1, f"{path}:1: the record is an array, not an object")]
    for name in ("a.jsonl", "a.json", "a"):
        [(line, message)] = problems(write(name, '{"n": \n{"n": 2}\n'))
        assert (line, "is cut off" in message) == (1, True)


def test_an_item_of_an_array_that_is_not_an_object_is_a_problem_of_its_line(write):
    path = write("a.json", '[{"a": 1},\n2,\n[3],\n{"a": 4}]')
    assert [record.value for record in read_records(path)] == [{"a": 1}, None, None, {"a": 4}]
    assert problems(path) == [
        (2, f"{path}:2: the record is a number, not an object"),
        (3, f"{path}:3: the record is an array, not an object"),
    ]


# Broken files


def test_a_missing_file_a_folder_and_an_impossible_name_are_refused(tmp_path):
    assert refusal(tmp_path / "none.jsonl").endswith("none.jsonl: there is no such file")
    assert refusal(tmp_path).endswith("is a folder: name one file")
    assert "is not a file name" in refusal(tmp_path / "a\0b")


@pytest.mark.parametrize("packed", PACKERS)
@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.csv", "a.parquet", "a"])
@pytest.mark.parametrize("content", [b"", b"\n \n", BOM])
def test_an_empty_file_is_refused(write, name, packed, content):
    assert refusal(write(name + packed, PACKERS[packed](content))).endswith("is empty")


@pytest.mark.parametrize("packed", [".gz", ".zst"])
@pytest.mark.parametrize("suffix", CONTENTS)
def test_packed_data_that_is_cut_off_is_refused(write, suffix, packed):
    whole = PACKERS[packed](CONTENTS[suffix])
    for end in (len(whole) - 1, len(whole) // 2, 12):
        assert "the compressed data is cut off" in refusal(write("a" + suffix + packed, whole[:end]))


@pytest.mark.parametrize("packed", [".gz", ".zst"])
def test_packed_data_that_is_cut_off_says_after_which_line(write, packed):
    rows = [{"n": n, "text": random.Random(n).randbytes(500).hex()} for n in range(1000)]
    path = write("a.jsonl" + packed, PACKERS[packed](as_jsonl(rows))[:-1000])
    records = read_records(path)
    read: list[object] = []
    with pytest.raises(BrokenInput, match=r"the compressed data is cut off after line \d+$") as caught:
        read.extend(record.value for record in records)
    assert read == rows[: len(read)]
    assert str(caught.value).endswith(f"line {len(read)}")
    assert len(read) > 500


@pytest.mark.parametrize(
    ("packed", "pack"), [(".gz", gzip.compress), (".zst", zstandard.ZstdCompressor(write_checksum=True).compress)]
)
def test_packed_data_that_is_damaged_is_refused(write, packed, pack):
    noise = random.Random(1)
    damaged = bytearray(pack(as_jsonl([{"n": n, "text": noise.randbytes(50).hex()} for n in range(1000)])))
    damaged[len(damaged) // 2 : len(damaged) // 2 + 200] = bytes(200)
    assert "cannot be read" in refusal(write("a.jsonl" + packed, bytes(damaged)))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('[{"a": 1},\n{"a": 2}', ":2: the array is cut off: it has no ]"),
        ('[{"a": 1},\n', ":2: the array is cut off: expecting value at column 1"),
        ("[", ":1: the array is cut off: expecting value at column 2"),
        ('[{"a": 1},\n{"a": "x', ":2: the array is cut off: unterminated string starting at column 7"),
        ('[{"a": 1}\n{"a": 2}]', ":2: the array is not JSON: expecting a comma or ]"),
        ('[{"a": 1},\n]', ":2: the array is not JSON: expecting value at column 1"),
        ('[\n{"a": 1}]\n\nmore', ":4: the array is followed by something else"),
        (b'[\n{"a": "\xc3\xa9\xff"}]', ":2: is not UTF-8: 0xff at byte column 10"),
        ("[" * 100_000 + "]" * 100_000, ":1: the array is nested too deeply"),
    ],
)
def test_a_broken_array_is_refused_with_its_line(write, content, message):
    path = write("a.json", content)
    assert refusal(path) == f"{path}{message}"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", '{"rows": [{"a": 1}]}'),
        ("a.json", '{\n "a": 1\n}'),
        ("a", '{\n "a": 1\n}'),
        ("a.jsonl", '{\n "a": 1\n}'),
    ],
)
def test_a_file_that_is_one_json_object_is_refused(write, name, content):
    assert "holds one JSON object: write an array of records, or one record a line" in refusal(write(name, content))


def test_one_object_on_one_line_is_a_record_unless_the_name_says_document(write):
    assert values(write("a.jsonl", '{"a": 1}')) == [{"a": 1}]
    assert values(write("a", '{"a": 1}')) == [{"a": 1}]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.parquet", b'{"a": 1}\n', "is not Parquet, as its name says"),
        ("a.jsonl", b"PK\x03\x04rest", "holds a zip archive"),
        ("a.csv", '{"a": 1}'.encode("utf-16"), "holds UTF-16 text"),
        ("a.bin", b"\x00\x01\x02,", "it holds binary data"),
        ("a.txt", b"just words\n", "its format cannot be told: name it .jsonl"),
        ("a.csv", b"a,\xffb\n1,2\n", ":1: the header is not UTF-8: 0xff at byte column 3"),
        ("a.csv", b'a,"b\n1,2\n', ":1: the header is not CSV: unexpected end of data"),
        ("a.csv", b"1,2\n3,4\n", ":1: has no header: its first line holds values, not names"),
        ("a.csv", b"\n,\n3,4\n", ":2: has no header"),
        ("a.csv", b"a,,c\n1,2,3\n", ":1: column 2 of the header has no name"),
        ("a.csv", b"a,b,a\n1,2,3\n", ":1: field 'a': the header has the name 'a' 2 times"),
        ("a.parquet", b"PAR1 and nothing", "is Parquet that cannot be read"),
        ("a.parquet", CONTENTS[".parquet"][:-10], "is Parquet that cannot be read"),
    ],
)
def test_a_file_that_is_none_of_the_formats_or_has_no_good_header_is_refused(write, name, content, message):
    assert message in refusal(write(name, content))


def test_parquet_with_a_column_twice_is_refused(write):
    table = pa.table([pa.array([1]), pa.array([2])], names=["a", "a"])
    assert "field 'a': has the column 'a' more than once" in refusal(write("a.parquet", as_parquet(table)))


def test_parquet_that_is_damaged_inside_is_refused(write):
    noise = random.Random(1)
    content = bytearray(as_parquet(pa.table({"a": [noise.randbytes(20).hex() for _ in range(1000)]})))
    content[100:5000] = noise.randbytes(4900)
    assert "is Parquet that cannot be read" in refusal(write("a.parquet", bytes(content)))


# CSV


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("", None),
        ("0", 0),
        ("-12", -12),
        ("12345678901234567890123", 12345678901234567890123),
        ("1.5", 1.5),
        (".5", 0.5),
        ("-0.25", -0.25),
        ("1e3", 1000.0),
        ("2.5E-1", 0.25),
        ("inf", math.inf),
        ("-Infinity", -math.inf),
        ("true", True),
        ("FALSE", False),
        ("tRuE", True),
        ("007", "007"),
        ("00.5", "00.5"),
        ("+1", "+1"),
        ("1.", "1."),
        (" 1", " 1"),
        ("1_000", "1_000"),
        ("1 000", "1 000"),
        ("-", "-"),
        (".", "."),
        ("٣", "٣"),
        ("null", "null"),
        ("yes", "yes"),
    ],
)
def test_a_cell_of_csv_is_typed_by_its_looks(write, cell, value):
    [record] = values(write("a.csv", f"key,cell\nx,{cell}\n"))
    assert record == {"key": "x", "cell": value}
    assert type(record["cell"]) is type(value)


def test_nan_in_csv_is_a_float(write):
    assert all(math.isnan(value) for row in values(write("a.csv", "a,b\nnan,NaN\n")) for value in row.values())


def test_cells_in_quotes_may_hold_lines_commas_and_quotes(write):
    path = write("a.csv", 'a,b\n"x\n\ny, ""z""",1\nplain,2\n')
    assert values(path) == [{"a": 'x\n\ny, "z"', "b": 1}, {"a": "plain", "b": 2}]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (b"1", "has 1 cells where the header has 2"),
        (b"1,2,3", "has 3 cells where the header has 2"),
        (b'"x\ny",2,3', "has 3 cells where the header has 2"),
        (b"1,\xff", "is not UTF-8: 0xff at byte column 3"),
        (b'"x\n\xffy",2', "is not UTF-8: 0xff at byte column 1"),
        (b'"x"y,2', "is not CSV: ',' expected after '\"'"),
    ],
)
def test_a_broken_row_of_csv_is_a_problem_of_the_line_where_it_starts(write, row, message):
    path = write("a.csv", b"a,b\n1,2\n" + row + b"\n5,6\n")
    first, broken, last = read_records(path)
    assert (first.value, last.value) == ({"a": 1, "b": 2}, {"a": 5, "b": 6})
    assert (broken.line, broken.value) == (3, None)
    assert str(broken.problem) == f"{path}:3: {message}"
    assert broken.text == row.decode(errors="replace")


def test_a_quote_that_is_never_closed_is_a_problem_of_the_line_where_it_opens(write):
    path = write("a.csv", 'a,b\n1,2\n3,"4\n5,6\n')
    assert problems(path) == [(3, f"{path}:3: is not CSV: unexpected end of data")]


# Parquet


def test_values_of_parquet_come_as_json_would_hold_them(write):
    table = pa.table(
        {
            "when": pa.array([dt.datetime(2024, 5, 1, 12, tzinfo=dt.UTC)], pa.timestamp("ns", "UTC")),
            "nano": pa.array([1_001], pa.timestamp("ns")),
            "day": [dt.date(2024, 5, 1)],
            "price": [Decimal("1.50")],
            "big": pa.array([Decimal(10**30)], pa.decimal128(38, 0)),
            "raw": [b"text"],
            "bytes": [b"\xff\x00"],
            "took": [dt.timedelta(milliseconds=1500)],
            "map": pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int64())),
            "none": pa.array([[]], pa.map_(pa.string(), pa.int64())),
            "label": pa.array(["x"]).dictionary_encode(),
            "half": pa.array([0.5], pa.float16()),
            "nested": [{"list": [1, None], "times": [{"at": dt.datetime(2024, 5, 1)}]}],  # noqa: DTZ001
            "deep": pa.array([[1_001]], pa.list_(pa.timestamp("ns"))),
            "void": pa.nulls(1),
        }
    )
    assert values(write("a.parquet", as_parquet(table))) == [
        {
            "when": "2024-05-01T12:00:00+00:00",
            "nano": "1970-01-01T00:00:00.000001",
            "day": "2024-05-01",
            "price": 1.5,
            "big": 10**30,
            "raw": "text",
            "bytes": "/wA=",
            "took": 1.5,
            "map": {"a": 1},
            "none": {},
            "label": "x",
            "half": 0.5,
            "nested": {"list": [1, None], "times": [{"at": "2024-05-01T00:00:00"}]},
            "deep": ["1970-01-01T00:00:00.000001"],
            "void": None,
        }
    ]


def test_parquet_of_many_row_groups_is_read_in_order(tmp_path):
    pq.write_table(pa.table({"n": range(10_000)}), tmp_path / "a.parquet", row_group_size=700)
    assert values(tmp_path / "a.parquet") == [{"n": n} for n in range(10_000)]
    assert [record.line for record in read_records(tmp_path / "a.parquet")] == list(range(1, 10_001))


# What is written is read back


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
SCALAR = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT
JSON_VALUE = st.recursive(SCALAR, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3))
JSON_ROWS = st.lists(st.dictionaries(TEXT, JSON_VALUE, max_size=4), min_size=1, max_size=5)
TYPED_ROW = st.fixed_dictionaries(
    {
        "int": st.none() | st.integers(-(2**63), 2**63 - 1),
        "float": st.none() | st.floats(allow_nan=False),
        "bool": st.none() | st.booleans(),
        "text": st.none() | TEXT,
        "list": st.none() | st.lists(st.none() | TEXT, max_size=3),
        "object": st.fixed_dictionaries({"a": st.none() | st.integers(0, 9), "b": st.lists(st.booleans(), max_size=2)}),
    }
)
TYPES = pa.schema(
    {
        "int": pa.int64(),
        "float": pa.float64(),
        "bool": pa.bool_(),
        "text": pa.string(),
        "list": pa.list_(pa.string()),
        "object": pa.struct({"a": pa.int64(), "b": pa.list_(pa.bool_())}),
    }
)
in_one_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@in_one_folder
@given(JSON_ROWS, st.sampled_from(list(PACKERS)), st.booleans(), st.sampled_from([None, 1]))
def test_records_written_as_json_are_read_back_equal(tmp_path, rows, packed, ascii_only, indent):
    lines = "".join(json.dumps(row, ensure_ascii=ascii_only) + "\n" for row in rows)
    array = json.dumps(rows, ensure_ascii=ascii_only, indent=indent)
    for name, text in (("rows.jsonl", lines), ("rows.json", array)):
        path = tmp_path / (name + packed)
        path.write_bytes(PACKERS[packed](text.encode()))
        assert values(path) == rows


@in_one_folder
@given(st.lists(TYPED_ROW, min_size=1, max_size=5), st.sampled_from(list(PACKERS)))
def test_records_written_as_parquet_are_read_back_equal(tmp_path, rows, packed):
    path = tmp_path / f"rows.parquet{packed}"
    path.write_bytes(PACKERS[packed](as_parquet(pa.Table.from_pylist(rows, schema=TYPES))))
    assert values(path) == rows


@in_one_folder
@given(st.lists(st.fixed_dictionaries({"a": st.integers(), "b": st.booleans(), "c": TEXT}), min_size=1, max_size=5))
def test_records_written_as_csv_are_read_back_equal_where_their_text_is_not_typed(tmp_path, rows):
    rows = [{**row, "c": "text " + row["c"].replace("\r", "")} for row in rows]
    path = tmp_path / "rows.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["a", "b", "c"])
        writer.writeheader()
        writer.writerows(rows)
    assert values(path) == rows


@in_one_folder
@given(st.binary(max_size=200), st.sampled_from(["a.jsonl", "a.json", "a.csv", "a.tsv.gz", "a.parquet", "a"]))
def test_any_bytes_give_records_or_broken_input_and_nothing_else(tmp_path, content, name):
    path = tmp_path / name
    path.write_bytes(content)
    with contextlib.suppress(BrokenInput):
        assert all((record.value is None) != (record.problem is None) for record in read_records(path))


TOKENS = ["a", '\\"', ":", " ", "\\u0022", "\\u003a", "\\u003A", "\\\\", "\\u0061", "{", ","]
SPACES = st.sampled_from(["", " ", "\t", "  "])


@st.composite
def json_texts(draw):
    """JSON as a stranger may write it: keys that come twice, escapes without need, spaces anywhere, long numbers."""

    def text():
        return '"' + "".join(draw(st.lists(st.sampled_from(TOKENS), max_size=4))) + '"'

    def value(depth):
        kind = draw(st.sampled_from(["text", "number", "object", "list"] if depth else ["text", "number"]))
        if kind == "text":
            return text()
        if kind == "number":
            return draw(st.sampled_from(["1", "-0.5", "1e30", "18446744073709551616", "-9223372036854775809", "null"]))
        if kind == "list":
            return "[" + ",".join(value(depth - 1) for _ in range(draw(st.integers(0, 2)))) + "]"
        return an_object(depth - 1)

    def an_object(depth):
        pairs = [text() + draw(SPACES) + ":" + draw(SPACES) + value(depth) for _ in range(draw(st.integers(0, 3)))]
        return "{" + ",".join(pairs) + "}"

    return an_object(2)


@given(json_texts())
def test_what_is_read_fast_is_what_is_read_with_care(text):
    repeated: list[tuple[str, object]] = []

    def as_dict(pairs):
        repeated.extend(pairs if len(dict(pairs)) < len(pairs) else ())
        return dict(pairs)

    expected = json.loads(text, object_pairs_hook=as_dict)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "a.jsonl"
        file.write_text(text)
        [record] = read_records(file)
    assert (record.value is None) == bool(repeated)
    assert repeated or repr(record.value) == repr(expected)
