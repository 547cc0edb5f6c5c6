"""The commands that ask: what a person sees, and what a program gets."""

import re

import pytest

import evalstore

SPARED = re.compile(r"\(no room for .*; --format json has everything\)\n")


def cells(line):
    return re.split(r" {2,}", line.strip())


def test_jobs_newest_first(run):
    done = run("jobs")
    assert cells(done.lines[0])[:4] == ["job", "status", "model", "dataset"]
    names = [cells(line)[0] for line in done.lines[2:]]
    assert names == ["crashed", "essay", "other-rows", "large-1", "small-2", "small-1"]
    assert cells(done.lines[-1]) == [
        "small-1", "completed", "acme/small", "math/sums", "0.2500", "4 of 4", "0", "1", "2026-05-01 09:30",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("options", "names"),
    [
        (["--status", "error"], ["crashed"]),
        (["--dataset", "texts/essays"], ["essay"]),
        (["--model", "acme/small"], ["small-2", "small-1"]),
        (["--group", "weekly"], ["small-2"]),
        (["--tag", "nightly", "--limit", 1], ["small-2"]),
        (["--tag", "none"], []),
        (["--limit", 0, "--status", "completed"], ["essay", "other-rows", "large-1", "small-2", "small-1"]),
    ],
)
def test_jobs_are_filtered(options, names, run):
    assert [job["name"] for job in run("jobs", *options, "--format", "json").objects] == names


def test_jobs_of_all_workspaces(run):
    jobs = run("jobs", "--all-workspaces", "--format", "json").objects
    assert ("elsewhere", "far") in {(job["workspace"], job["name"]) for job in jobs}
    assert cells(run("jobs", "--all-workspaces").lines[0])[0] == "workspace"
    assert [job["name"] for job in run("--workspace", "elsewhere", "jobs", "--format", "json").objects] == ["far"]


def test_a_list_that_stops_at_its_limit_says_so(run):
    assert run("jobs", "--limit", 2).stderr == "(2 jobs shown; --limit N shows more, --limit 0 all)\n"
    assert run("rows", "small-1", "--limit", 2, "--format", "csv").stderr.startswith("(2 rows shown;")
    assert run("jobs").stderr == ""


def test_show_tells_all_of_a_job(run):
    done = run("show", "small-2")
    assert done.lines[0] == "small-2  completed"
    facts = dict(cells(line) for line in done.lines[2 : done.lines.index("", 2)])
    git = facts.pop("git", "")
    assert re.fullmatch(r"([0-9a-f]{12}( on \S+)?( \(dirty\))?)?", git)
    assert re.fullmatch(r"2026-05-02 09:30:00 UTC, took \S+ m?s", facts.pop("created"))
    assert facts == {
        "model": "acme/small",
        "dataset": "math/sums",
        "group": "weekly",
        "rows": "scored 4 of 4",
        "score": "0.7500",
        "pass rate": "0.7500, passed 3 of 4",
        "cost": "1 USD",
        "tokens": "36 (28 prompt, 8 completion)",
        "latency": "mean 500 ms, median 500 ms, 95 % within 500 ms",
        "tags": "nightly",
    }
    assert cells(done.lines[-1]) == ["correct", "0.7500", "0.2500", "1", "0", "1", "3 of 4", "scored 4 of 4"]


def test_show_of_labels_errors_and_strange_values(run):
    lines = run("show", "essay").lines
    assert "rows     scored 4 of 6, 1 in error, 1 unscored" in lines
    table = [cells(line) for line in lines]
    assert [
        "suite",
        "metric",
        "mean",
        "std error",
        "median",
        "min",
        "max",
        "rows",
        "errors",
        "out of range",
        "NaN",
    ] in table
    assert ["long", "length", "8.0000", "4.0000", "8", "4", "12", "scored 2 of 5", "1", "1", "1"] in table
    assert ["short", "rouge:rouge_1", "0.5000", "-", "0.5", "0.5", "0.5", "scored 1 of 1", "0", "0", "0"] in table
    assert ["suite", "metric", "mode", "labels", "mean", "std error", "rows", "errors"] in table
    assert ["long", "quality", "good", "poor 0, fair 1, good 2", "2.6667", "0.3333", "scored 3 of 5", "1"] in table


def test_show_of_a_job_that_ended_in_error(run):
    lines = run("show", "crashed").lines
    assert lines[0] == "crashed  error"
    assert lines[2] == "error      ZeroDivisionError: division by zero"


def test_show_by_slices(run):
    table = [cells(line) for line in run("show", "small-2", "--by", "metadata.kind").lines]
    assert ["metric", "metadata.kind", "mean", "std error", "median", "min", "max", "passed", "rows"] in table
    assert table[-2:] == [
        ["correct", "even", "1.0000", "0.0000", "1", "1", "1", "2 of 2", "scored 2 of 2"],
        ["correct", "odd", "0.5000", "0.5000", "0.5", "0", "1", "1 of 2", "scored 2 of 2"],
    ]


def test_show_with_errors_counted(run):
    done = run("show", "essay", "--metric", "length", "--errors", "zero")
    assert "Rows in error count as 0 in these means." in done.lines
    assert cells(done.lines[-1])[:3] == ["long", "length", "5.3333"]
    assert "worst value" in run("show", "essay", "--errors", "worst").stdout


def test_show_in_the_other_formats(run, filled):
    answer = run("show", "large-1", "--format", "json").objects
    assert answer["job"]["labels"] == {"stage": "beta"}
    assert answer["job"]["suites"][0]["metrics"][0]["metric"] == "correct"
    assert answer["aggregate_scores"][0]["rows_scored"] == 4
    assert run("show", "small-1", "--format", "json").objects["job"]["config"] == {"temperature": 0}
    frame = evalstore.open(filled).aggregate_scores("large-1").to_polars()
    assert run("show", "large-1", "--format", "csv").lines[0].split(",") == frame.columns
    markdown = run("show", "large-1", "--format", "markdown").lines
    assert markdown[0] == "## large-1  completed"
    assert "| correct | 1.0000 | 0.0000 | 1 | 1 | 1 | 4 of 4 | scored 4 of 4 |" in markdown


def test_jobs_are_named_in_every_way(run):
    assert run("show", "elsewhere/far").lines[0] == "far  completed"
    assert run("show", "@last").lines[0] == "essay  completed"


def test_rows_are_readable(run):
    done = run("rows", "small-1", "--where", "correct = 0", "--where", "metadata.kind = odd", "--limit", 1)
    assert done.stdout == (
        "sum-1  correct false\n"
        "  comment           correct: off by a lot\n"
        "  item.question     What is 1 + 1?\n"
        "  sample.answer     -1\n"
        "  reference.answer  2\n"
    )


def test_the_worst_rows_and_those_in_error_apart(run):
    lines = run("rows", "essay", "--worst", 2, "--metric", "length").lines
    assert lines[:5] == [
        "In error",
        "",
        "d · long",
        r"  error       TimeoutError: no answer\nin time",
        "  item.value  essay d",
    ]
    assert lines[6:9] == ["Worst first", "", "b · long  length 12"]
    assert lines[-3] == "a · long  length 4"
    best = run("rows", "essay", "--best", 1, "--metric", "quality").lines
    assert [best[6], best[8]] == ["Best first", "a · long  quality good (3)"]


def test_long_texts_are_cut_to_one_line(run, filled):
    store = evalstore.open(filled, workspace="long-texts")
    store.record("long", [{"text": "word " * 500, "right": True}], scores=["right"])
    for width in (60, 100):
        shown = run("--workspace", "long-texts", "rows", "long", env={"COLUMNS": str(width)}).lines
        assert shown[1].startswith("  item.text  word word")
        assert shown[1].endswith("…")
        assert width - 5 <= len(shown[1]) <= width


def test_rows_in_the_other_formats(run):
    first, *_, failed, unscored, rouge = run("rows", "essay", "--format", "json").objects
    assert first["item"] == {"value": "essay a"}
    assert first["metrics"]["quality"][0] == {
        "name": "quality", "value": 3.0, "label": "good", "passed": None, "status": "scored", "comment": None,
        "error": None,
    }  # fmt: skip
    assert failed["error"] == "TimeoutError: no answer\nin time"
    assert unscored["metrics"]["quality"][0]["value"] is None
    assert rouge["metrics"]["rouge"][0]["name"] == "rouge_1"
    long = run("rows", "essay", "--format", "csv").lines[0].split(",")
    assert {"metric", "name", "value", "label", "row_key"} <= set(long)
    wide = run("rows", "essay", "--format", "csv", "--wide").lines[0].split(",")
    assert {"row_key", "item", "length:length", "rouge:rouge_1"} <= set(wide)
    assert run("rows", "essay", "--wide", "--format", "json").objects[2]["length:length"] == "NaN"


def test_wide_rows_are_a_table(run):
    lines = run("rows", "essay", "--wide").lines
    assert cells(lines[0]) == ["suite", "row_key", "length", "quality", "quality.label", "rouge:rouge_1", "error"]
    assert cells(lines[5]) == ["long", "d", "-", "-", "-", "-", r"TimeoutError: no answer\nin time"]
    assert run("rows", "essay", "--format", "markdown").lines[2].startswith("| long | a | 4 | 3 | good | - |")


def test_leaderboard_ranks_what_is_comparable(run):
    lines = run("leaderboard", "--metric", "correct").lines
    assert lines[0] == "correct  math/sums"
    assert cells(lines[2]) == ["#", "model", "mean", "std error", "rows", "job"]
    assert cells(lines[4]) == ["1", "acme/large", "1.0000", "0.0000", "scored 4 of 4", "large-1"]
    assert cells(lines[5]) == ["2", "acme/small", "0.7500", "0.2500", "scored 4 of 4", "small-2"]
    assert lines[7] == "Not comparable, so not ranked: measured on other rows than the jobs above."
    assert cells(lines[11])[:2] == ["-", "acme/tiny"]


def test_leaderboard_narrowed(run):
    heading = "length  texts/essays · long · lower is better"
    assert run("leaderboard", "--suite", "long", "--dataset", "texts/essays").lines[0] == heading
    assert cells(run("leaderboard", "--metric", "length", "--errors", "worst").lines[-1])[2] != "8.0000"
    named = run("leaderboard", "--name", "rouge_1", "--format", "json").objects
    assert [(line["metric"], line["name"]) for line in named] == [("rouge", "rouge_1")]


def test_trend_has_a_table_and_a_line_per_series(run, tmp_path):
    store = evalstore.open(tmp_path / "evals")
    for number, right in enumerate([2, 1, 4, 3]):
        rows = [{"n": n, "right": n < right} for n in range(4)]
        store.record(f"run-{number}", rows, scores=["right"], model="m", dataset="d")
    shown = run("trend", "--metric", "right", store=tmp_path / "evals", env={"COLUMNS": "120"}).lines
    assert shown[0] == "default/m · default/d · right  ▃▁█▆"
    assert cells(shown[2])[1:] == ["job", "mean", "95 %", "previous", "delta", "moving mean", "rows"]
    assert cells(shown[4])[1:] == ["run-0", "0.5000", "0.1500 to 0.8500", "-", "-", "0.5000", "scored 4 of 4"]
    assert cells(shown[5])[1:3] + cells(shown[5])[4:] == [
        "run-1", "0.2500", "0.5000", "-0.2500", "0.3750 ± 0.1768", "scored 4 of 4",
    ]  # fmt: skip
    assert cells(shown[6])[5] == "+0.7500"


def test_trend_of_the_overall_score(run):
    shown = run("trend", "--model", "acme/large", "--dataset", "math/sums").lines
    assert shown[0] == "acme/large · math/sums · overall score"
    assert cells(shown[4]) == ["2026-05-03 09:30", "large-1", "1.0000", "0.5101 to 1.0000", "-", "-", "1.0000", "4"]
    assert {line["suite"] for line in run("trend", "--format", "json").objects} == {"default", "long", "short"}


def test_a_question_that_fits_nothing_is_answered_with_none(run):
    done = run("leaderboard", "--metric", "correct", "--dataset", "texts/essays")
    assert (done.code, done.lines[-1]) == (0, "(none)")
    assert (
        run("trend", "--metric", "correct", "--model", "acme/tiny", "--dataset", "texts/essays").lines[-1] == "(none)"
    )


def test_sql_takes_its_query_from_stdin_and_its_values_bound(run):
    query = "SELECT name FROM jobs WHERE name = $name AND rows_total > $rows AND $flag"
    done = run("sql", "-", "-p", "name=small-1", "-p", "rows=3", "-p", "flag=true", "--format", "csv", stdin=query)
    assert done.stdout == "name\nsmall-1\n"
    hostile = run("sql", "SELECT $x AS x", "-p", "x='; DROP TABLE job; --", "--format", "json")
    assert hostile.objects == [{"x": "'; DROP TABLE job; --"}]


@pytest.mark.parametrize(
    ("given", "value"),
    [("7", 7), ("7.5", 7.5), ("true", True), ("null", None), ('"7"', "7"), ("007", "007"), ("a=b", "a=b"), ("", "")],
)
def test_a_value_is_json_or_else_text(given, value, run):
    assert run("sql", "SELECT $x AS x", "-p", f"x={given}", "--format", "json").objects == [{"x": value}]


def test_sql_reads_other_files_only_when_allowed(run, tmp_path):
    (tmp_path / "other.csv").write_text("a\n1\n")
    query = f"SELECT * FROM '{tmp_path}/other.csv'"
    assert run("sql", query).code == 2
    assert run("sql", query, "--allow-external", "--format", "json").objects == [{"a": 1}]


def test_the_store_comes_from_the_environment(run, filled, tmp_path, monkeypatch):
    assert len(run("jobs", "--format", "json", store=None, env={"EVALSTORE": str(filled)}).objects) == 6
    monkeypatch.chdir(filled.parent)
    assert len(run("jobs", "--format", "json", store=None).objects) == 6


def test_columns_for_which_there_is_no_room_are_named(run):
    done = run("jobs", env={"COLUMNS": "80"})
    assert SPARED.fullmatch(done.stderr)
    assert max(map(len, done.lines)) <= 80
