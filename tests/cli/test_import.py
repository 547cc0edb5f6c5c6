"""`evalstore import rows`: what is stored, and what is refused."""

import gzip
import json
from pathlib import Path

import pytest

RECORDS = [
    {
        "id": 1,
        "q": "1 + 1",
        "gold": {"answer": 2},
        "out": {"text": "2", "ok": True},
        "meta": {"kind": "easy"},
        "s": 0.5,
    },
    {
        "id": 2,
        "q": "2 + 2",
        "gold": {"answer": 4},
        "out": {"text": "5", "ok": False},
        "meta": {"kind": "hard"},
        "s": 1.5,
    },
]


@pytest.fixture
def records(tmp_path):
    path = tmp_path / "records.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in RECORDS))
    return path


@pytest.fixture
def root(tmp_path):
    return tmp_path / "evals"


def test_every_option_reaches_its_field(run, records, root, tmp_path):
    (tmp_path / "config.toml").write_text("temperature = 0.5\n[prompt]\nshots = 8\n")
    (tmp_path / "metrics.json").write_text('{"ok": {"class": "critical"}, "seconds": {"higher_is_better": false}}')
    done = run(
        "import", "rows", records, "--job", "first", "--model", "acme/small", "--dataset", "sums", "--metric-ref",
        "m/ok", "--group", "g", "--item", "question=q", "--reference", "gold.answer", "--sample", "answer=out.text",
        "--score", "out.ok", "--score", "seconds=s", "--metadata", "meta.kind", "--row-key", "id", "--cluster",
        "meta.kind", "--latency", "s", "--cost", "s", "--prompt-tokens", "id", "--completion-tokens", "id",
        "--suite", "arithmetic", "--tag", "a", "--tag", "b", "--label", "stage=beta", "--label", "note=x=y",
        "--config", tmp_path / "config.toml", "--metrics", tmp_path / "metrics.json", store=root,
    )  # fmt: skip
    assert (done.code, done.stderr) == (0, "stored job first\n")
    assert done.lines[-1].split() == ["first", "2", "0"]
    job = run("show", "first", "--format", "json", store=root).objects["job"]
    expected = {
        "model": "acme/small", "dataset": "default/sums", "metric_ref": "m/ok", "group": "g", "tags": ["a", "b"],
        "labels": {"stage": "beta", "note": "x=y"}, "config": {"temperature": 0.5, "prompt": {"shots": 8}},
        "cost": 2.0, "total_tokens": 6, "latency_mean": 1.0,
    }  # fmt: skip
    assert {field: job[field] for field in expected} == expected
    assert {one["metric"]: one["class"] for one in job["metrics"]} == {"ok": "critical", "seconds": None}
    row = run("rows", "first", "--format", "json", store=root).objects[1]
    expected = {
        "suite": "arithmetic", "row_key": "2", "item": {"question": "2 + 2"}, "reference": {"answer": 4},
        "sample": {"answer": "5"}, "metadata": {"kind": "hard"}, "cluster": "hard", "latency": 1.5,
    }  # fmt: skip
    assert {field: row[field] for field in expected} == expected
    assert {metric: score[0]["value"] for metric, score in row["metrics"].items()} == {"ok": False, "seconds": 1.5}


def test_the_report_as_json(run, records, root):
    done = run("import", "rows", records, "--job", "j", "--score", "out.ok", "--format", "json", store=root)
    assert done.objects | {"files": [], "flags": []} == {
        "format": "rows", "files": [], "jobs": ["j"], "rows": 2, "bad_rows": 0, "duplicates": 0,
        "errors": 0, "flags": [],
    }  # fmt: skip


def test_a_packed_file(run, records, root, tmp_path):
    packed = tmp_path / "records.jsonl.gz"
    packed.write_bytes(gzip.compress(records.read_bytes()))
    assert run("import", "rows", packed, "--job", "j", "--score", "out.ok", store=root).code == 0


BROKEN = {
    "cut off": (b'{"ok": true, "q": 1}\n{"ok": true, "q', "records.jsonl:2: is cut off: "),
    "no such field": (b'{"ok": true, "q": 1}\n{"q": 2}\n', "records.jsonl:2: field 'ok': no such field"),
    "mixed types": (b'{"ok": true, "q": 1}\n{"ok": "yes", "q": 1}\n', "records.jsonl:2: field 'ok': mixed types"),
    "a key twice": (b'{"ok": true, "ok": false, "q": 1}\n', "records.jsonl:1: field 'ok': the key 'ok' occurs more"),
    "not UTF-8": (b'{"ok": true, "q": "\xff"}\n', "records.jsonl:1: is not UTF-8: 0xff"),
    "empty": (b"", "records.jsonl: is empty"),
}


@pytest.mark.parametrize("problem", BROKEN)
def test_a_broken_file_is_named_with_line_and_field_and_leaves_no_job(problem, run, records, root):
    data, message = BROKEN[problem]
    run("import", "rows", records, "--job", "good", "--score", "out.ok", store=root)
    records.write_bytes(data)
    done = run("import", "rows", records, "--job", "bad", "--score", "ok", store=root)
    assert (done.code, done.stdout) == (4, "")
    assert done.stderr.startswith(f"evalstore: {records.parent}/{message}")
    assert done.stderr.count("\n") == 1
    assert [job["name"] for job in run("jobs", "--format", "json", store=root).objects] == ["good"]
    assert run("sql", "SELECT count(*) AS n FROM interrupted_jobs", "--format", "json", store=root).objects == [
        {"n": 0}
    ]


def test_bad_rows_are_kept_as_rows_in_error_where_wished(run, records, root):
    records.write_bytes(BROKEN["cut off"][0])
    done = run("import", "rows", records, "--job", "j", "--score", "ok", "--skip-bad-rows", store=root)
    assert (done.code, done.lines[-1].split()) == (0, ["j", "2", "1"])
    assert done.stderr.splitlines() == [
        "stored job j",
        "bad rows stand as rows in error: evalstore rows j --where 'error ~ BrokenInput'",
    ]
    [bad] = run("rows", "j", "--where", "error ~ BrokenInput", "--format", "json", store=root).objects
    assert bad["row_key"] == "line 2"


@pytest.fixture
def wrong_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("broken.json").write_text('{"a":\n}')
    Path("broken.toml").write_text("a = ")
    Path("list.json").write_text("[]")
    Path("odd.json").write_text('{"ok": {"size": 1}}')


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        ([], 2, "name at least one score"),
        (["--score", "=x"], 2, "--score: '=x' gives no name: write NAME=PATH"),
        (["--score", "ok=a..b"], 2, "--score: 'a..b' is no path"),
        (["--score", "ok", "--score", "ok=s"], 2, "--score: the name 'ok' is given to 'ok' and to 's'"),
        (["--score", "out.ok", "--label", "beta"], 2, "--label: 'beta' is not of the form NAME=VALUE"),
        (["--score", "out.ok", "--config", "none.json"], 4, "none.json: No such file or directory"),
        (["--score", "out.ok", "--config", "broken.json"], 4, "broken.json:2: is not JSON: "),
        (["--score", "out.ok", "--config", "broken.toml"], 4, "broken.toml: cannot be read: "),
        (["--score", "out.ok", "--metrics", "list.json"], 4, "list.json: declares no metrics"),
        (["--score", "out.ok", "--metrics", "odd.json"], 2, "metric 'ok', field size: "),
        (["--score", "out.ok", "--job", "a/b"], 2, "'a/b' cannot name a job"),
        (["--score", "out.ok", "--job", ".."], 2, "'..' cannot name a job"),
        (["--score", "out.ok", "--job", "x" * 300], 2, "(300 characters) cannot name a job"),
        (["--score", "out.ok", "--model", "/x"], 2, "'/x' is no model"),
        (["--score", "out.ok", "--format", "csv"], 2, "Invalid value for '--format'"),
    ],
)
@pytest.mark.usefixtures("wrong_files")
def test_wrong_options(options, code, message, *, run, records, root):
    done = run("import", "rows", records, "--job", "j", *options, store=root)
    assert (done.code, done.stdout) == (code, "")
    assert done.stderr.startswith("evalstore: ")
    assert message in done.stderr
    assert not list(root.glob("*/default/*"))


def test_under_a_name_that_is_taken_only_the_same_content_is_welcome(run, records, root):
    first = run("import", "rows", records, "--job", "j", "--score", "out.ok", store=root)
    again = run("import", "rows", records, "--job", "j", "--score", "out.ok", store=root)
    assert (again.code, again.stdout) == (0, first.stdout)
    done = run("import", "rows", records, "--job", "j", "--score", "out.ok", "--tag", "new", store=root)
    assert (done.code, done.stdout) == (2, "")
    assert "'j' exists" in done.stderr


def test_progress_is_shown_on_a_terminal_only(process, terminal, tmp_path):
    path = tmp_path / "many.jsonl"
    path.write_text("".join(f'{{"q": {n}, "ok": true}}\n' for n in range(3000)))
    shown = terminal("--store", tmp_path / "evals", "import", "rows", path, "--job", "j", "--score", "ok").stdout
    assert "importing j" in shown
    done = process("--store", tmp_path / "evals", "import", "rows", path, "--job", "k", "--score", "ok")
    assert done.stderr == "stored job k\n"
