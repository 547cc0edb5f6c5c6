"""What cannot be read is told by one message that names its place, and takes nothing else down with it."""

import gzip
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from evalstore.errors import BrokenInput, EvalStoreError, QueryError, UsageError
from tests.trainloop.files import RUN, answer, evaluation, line, sample, write_json, write_lines, write_run

# Documents in a folder


def test_a_broken_document_takes_nothing_down_but_itself(store, tmp_path):
    write_run(tmp_path / "data", s=[line("m", sample(1))])
    results = tmp_path / "data" / "results"
    (results / "evaluation_b.json").write_text('{"timestamp":')
    write_json(results / "evaluation_a.json", evaluation(s={"m": (1, 2, [])}))
    write_json(results / "evaluation_c.json", evaluation("2026-03-02T10:00:00Z", s={"m": (1, 2, [])}))
    wrong = evaluation("2026-03-03T10:00:00Z", s={"m": (1, 2, [])})
    wrong["suites"]["s"]["metrics"]["m"]["passed"] = 3
    write_json(results / "evaluation_d.json", wrong)
    with pytest.raises(BrokenInput, match=r"evaluation_b.json:1: is not JSON") as caught:
        store.import_from("trainloop", tmp_path)
    assert caught.value.__notes__ == [
        "skip_bad_rows=True (--skip-bad-rows) leaves out documents that cannot be read",
        "what came before it is stored (jobs: 2), what comes after it is not",
    ]
    assert sorted(store.jobs()["name"]) == [RUN, "evaluation_a"]
    report = store.import_from("trainloop", tmp_path, skip_bad_rows=True)
    assert sorted(report.jobs) == [RUN, "evaluation_a", "evaluation_c"]
    assert [flag.partition(str(results))[::2] for flag in report.flags if flag.startswith("left out")] == [
        ("left out: ", "/evaluation_b.json:1: is not JSON: Expecting value at column 14"),
        ("left out: ", "/evaluation_d.json: field 'suites.s.metrics.m': states 3 passed of 2"),
    ]


def test_broken_documents_alone_are_an_error(store, tmp_path):
    (tmp_path / "evaluation_b.json").write_text('{"timestamp":')
    for skip in (False, True):
        with pytest.raises(BrokenInput, match=r"evaluation_b.json:1: is not JSON"):
            store.import_from("trainloop", tmp_path, skip_bad_rows=skip)
    assert not store.root.exists()


# Run folders


@pytest.mark.parametrize("beside", [True, False])
def test_packed_files_are_read(store, tmp_path, beside):
    folder = write_run(tmp_path, **({"other": [line("m", sample(1))]} if beside else {}))
    packed = "".join(f"{json.dumps(line('m', sample(number)))}\n" for number in range(3))
    (folder / "shapes.jsonl.gz").write_bytes(gzip.compress(packed.encode()))
    store.import_from("trainloop", tmp_path)
    assert len(store.row_scores(RUN, suite="shapes")) == 3
    assert store.sql("SELECT DISTINCT suite FROM rows").height == 1 + beside


def test_a_packed_file_of_a_benchmark_is_read(store, tmp_path):
    folder = tmp_path / "benchmarks" / RUN
    folder.mkdir(parents=True)
    (folder / "m.jsonl.gz").write_bytes(gzip.compress(json.dumps(answer("m", sample(1), "a/b")).encode()))
    store.import_from("trainloop", tmp_path)
    assert store.sql("SELECT suite, metric FROM row_scores").rows() == [("m", "m")]


def test_a_suite_that_is_there_twice_is_refused(store, tmp_path):
    folder = write_run(tmp_path, s=[line("m", sample(1))])
    (folder / "s.jsonl.gz").write_bytes(gzip.compress((folder / "s.jsonl").read_bytes()))
    with pytest.raises(BrokenInput, match=r"s.jsonl.gz: is the suite of s.jsonl once more: keep one of them"):
        store.import_from("trainloop", tmp_path)


def test_what_else_lies_in_a_run_folder_is_named(store, tmp_path):
    folder = write_run(tmp_path, s=[line("m", sample(1))])
    for name in ("notes.txt", "s.json", ".DS_Store"):
        (folder / name).write_text("{}")
    assert store.import_from("trainloop", tmp_path).flags == [f"{RUN}: left alone: notes.txt, s.json"]


AS_ANOTHER_USER = """
import os, sys
import evalstore
warm, broken = sys.argv[1:]
with evalstore.open("warm-evals") as store:
    store.import_from("trainloop", warm)  # loads everything that another user might not be allowed to load
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
try:
    with evalstore.open("evals") as store:
        store.import_from("trainloop", broken)
except evalstore.errors.BrokenInput as error:
    print(error)
"""


def test_a_run_folder_that_may_not_be_read_is_an_error():
    with tempfile.TemporaryDirectory(prefix="evalstore-") as name:  # any user may enter it, unlike those of pytest
        home = Path(name)
        home.chmod(0o777)
        write_run(home / "warm", s=[line("m", sample(1))])
        folder = write_run(home / "broken", s=[line("m", sample(1))])
        folder.chmod(0)
        words = [sys.executable, "-c", AS_ANOTHER_USER, str(home / "warm"), str(home / "broken")]
        done = subprocess.run(words, cwd=home, capture_output=True, text=True, check=False, timeout=60)
        folder.chmod(0o755)
    assert (done.stdout, done.stderr) == (f"{folder}: cannot be read: Permission denied\n", "")


@pytest.mark.parametrize("blank", [b"", b"\n \n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n", gzip.compress(b"\n", mtime=0)])
def test_a_file_without_results_is_no_broken_one(store, tmp_path, blank):
    folder = write_run(tmp_path, s=[line("m", sample(1))])
    (folder / "blank.jsonl").write_bytes(blank)
    assert store.import_from("trainloop", tmp_path).flags == [f"{RUN}: suite blank holds no results"]
    assert not store.show(RUN)["rows_error"]


def test_lines_of_a_benchmark_that_say_the_same_are_counted(store, tmp_path):
    again = [answer("m", sample(1), "a/b"), answer("m", sample(1), "a/b"), answer("m", sample(1), "a/c")]
    write_lines(tmp_path / "benchmarks" / RUN / "m.jsonl", again)
    report = store.import_from("trainloop", tmp_path)
    assert (report.rows, report.duplicates) == (3, 1)


def test_a_file_of_inputs_is_no_part_of_a_run(store, tmp_path):
    file = write_lines(tmp_path / "data" / "events" / f"{RUN}.jsonl", [{"tag": "t"}])
    said = r"lies in no folder named after the time of a run, such as results/2026-03-01_10-00-00: is it a result\?"
    with pytest.raises(BrokenInput, match=said):
        store.import_from("trainloop", file)


# Numbers and kinds that cannot be

HUGE = 10**400


def refused(store, path, message, **options):
    with pytest.raises(EvalStoreError, match=message) as caught:
        store.import_from("trainloop", path, **options)
    assert not isinstance(caught.value, QueryError)
    assert not store.root.exists() or not store.jobs().height


def test_a_verdict_of_hundreds_of_digits_is_refused(store, tmp_path):
    write_run(tmp_path, s=[line("m", sample(1), HUGE)])
    refused(store, tmp_path, r"s.jsonl:1: field 'passed': must be true, false or a number that fits a double, not 1000")


def test_numbers_of_lines_that_are_none_are_kept_beside_them_and_flagged(store, tmp_path):
    odd = sample(1, duration_ms=HUGE, start_time_ms="noon")
    lines = [line("m", odd), line("m", sample(2, duration_ms=-5)), line("m", sample(3))]
    write_run(tmp_path, s=lines)
    assert store.import_from("trainloop", tmp_path).flags == [
        f"{RUN}: rows with a negative latency or cost, kept as it is: 1",
        f"{RUN}: rows with a time, latency or cost that is no number, kept in metadata: 1",
    ]
    first, second, third = store.row_scores(RUN)
    assert (first.latency, second.latency, third.latency) == (None, -0.005, 0.053)
    assert first.metadata["unread"] == {"duration_ms": HUGE, "start_time_ms": "noon"}
    assert "unread" not in third.metadata


def test_numbers_of_answers_that_are_none_are_kept_beside_them_and_flagged(store, tmp_path):
    lines = [
        answer("m", sample(1), "a/b", cost=HUGE),
        answer("m", sample(2), "a/b", cost=float("inf"), latency_ms="1s"),
    ]
    write_lines(tmp_path / "benchmarks" / RUN / "m.jsonl", lines)
    report = store.import_from("trainloop", tmp_path)
    assert f"{report.jobs[0]}: rows with a time, latency or cost that is no number, kept in metadata: 2" in report.flags
    unread = [row.metadata["unread"] for row in store.row_scores(report.jobs[0])]
    assert unread[0] == {"cost": HUGE}
    assert unread[1]["latency_ms"] == "1s"


def of_benchmark(**data):
    return {"type": "summary", "data": data}


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (of_benchmark(providers=5), "field 'data.providers': must be a list, not 5"),
        (of_benchmark(providers="ab"), "field 'data.providers': must be a list, not 'ab'"),
        (of_benchmark(provider_summaries=[1]), r"field 'data.provider_summaries': must be an object, not \[1\]"),
        ({**answer("m", sample(1), "a/b"), "provider_result": {"metric_results": [1]}}, "must have metric_results by"),
        ({**answer("m", sample(1), "a/b"), "provider_result": {"metric_results": {"m": True}}}, "metric_results by"),
    ],
)
def test_a_benchmark_whose_parts_are_of_another_kind(store, tmp_path, broken, message):
    write_lines(tmp_path / "benchmarks" / RUN / "m.jsonl", [answer("m", sample(1), "a/b"), broken])
    refused(store, tmp_path, f"m.jsonl:2: .*{message}")
    report = store.import_from("trainloop", tmp_path, skip_bad_rows=True)
    assert report.rows == 1
    assert any("left out" in flag and "m.jsonl:2" in flag for flag in report.flags)


def of_evaluation(**fields):
    return {**evaluation(s={"m": (1, 2, [])}), **fields}


def counts(**fields):
    return {"s": {"metrics": {"m": {"passed": 1, "total": 2, **fields}}}}


def compared(**fields):
    told = {"metrics": {"m": {"passed": 1, "total": 2}}, **fields}
    return {"timestamp": "2026-03-01T10:00:00Z", "type": "benchmark", "results": {"a/b": told}}


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (of_evaluation(duration=float("nan")), "field 'duration': Input should be"),
        (of_evaluation(duration=1e300), "field 'duration': Input should be less"),
        (of_evaluation(usage={"total_tokens": float("nan")}), "field 'usage.total_tokens': Input should be"),
        (of_evaluation(usage={"cost": float("inf")}), "field 'usage.cost': Input should be"),
        (of_evaluation(timestamp="0001-01-01T00:00:00+14:00"), "field 'timestamp': .* is outside the years 1 to 9999"),
        (of_evaluation(timestamp="9999-12-31T23:59:59-10:00"), "field 'timestamp': .* is outside the years 1 to 9999"),
        (of_evaluation(suites=counts(passed=9 * 10**18, total=9 * 10**18)), "passed.: Input should be less"),
        (of_evaluation(suites=counts(passed=10**30, total=10**30)), "passed.: Input should be less"),
        (of_evaluation(suites=counts(passed=HUGE, total=HUGE)), "passed.: Input should be"),
        (of_evaluation(total_events=10**30), "field 'total_events': Input should be less"),
        (of_evaluation(summary=[1]), "field 'summary': Input should be a valid dictionary"),
        (of_evaluation(suites=counts(details=[{"passed": HUGE}])), "details.0.passed"),
        (compared(performance={"total_tokens": float("nan")}), "performance.total_tokens.: Input should be"),
        (compared(performance={"avg_response_time": 1e300}), "performance.avg_response_time.: Input should be"),
        (compared(cost_analysis={"total_cost": float("inf")}), "cost_analysis.total_cost.: Input should be"),
    ],
)
def test_numbers_of_documents_that_cannot_be(store, tmp_path, document, message):
    refused(store, write_json(tmp_path / "e.json", document), f"e.json: .*{message}")


def test_an_integer_that_python_does_not_read(store, tmp_path):
    (tmp_path / "e.json").write_text(f'{{"suites": {{}}, "timestamp": {"1" * 5000}}}')
    refused(store, tmp_path / "e.json", "e.json: cannot be read: Exceeds the limit")


def test_a_run_before_the_first_year_of_utc(store, tmp_path):
    write_run(tmp_path, "0001-01-01_00-00-00", s=[line("m", sample(1))])
    refused(store, tmp_path, "outside the years 1 to 9999", timezone="Asia/Tokyo")


def test_the_last_second_there_is(store, tmp_path):
    write_run(tmp_path, "9999-12-31_23-59-59", s=[line("m", sample(1))])
    write_json(tmp_path / "evaluation_e.json", of_evaluation(timestamp="9999-12-31T23:59:59Z"))
    store.import_from("trainloop", tmp_path)
    assert (store.show("evaluation_e")["duration"], store.show("evaluation_e")["finished_at"]) == (2.5, None)


def test_numbers_below_zero_are_flagged(store, tmp_path):
    document = of_evaluation(duration=-2, usage={"cost": -1, "latency_mean": -0.5})
    document["suites"]["s"]["duration"] = -1
    assert store.import_from("trainloop", write_json(tmp_path / "e.json", document)).flags == [
        "e.json: suites.s: duration is negative: -1, kept as it is",
        "e.json: duration is negative: -2, kept as it is",
        "e.json: cost is negative: -1, kept as it is",
        "e.json: latency_mean is negative: -0.5, kept as it is",
    ]


@pytest.mark.parametrize(("said", "shown"), [("89.7%", "'89.7%'"), ([1], r"[1]"), (HUGE, "1" + "0" * 59)])
def test_numbers_that_are_stated_as_something_else_are_flagged(store, tmp_path, said, shown):
    document = of_evaluation(summary={"overall_score": said})
    report = store.import_from("trainloop", write_json(tmp_path / "e.json", document))
    assert report.flags == [f"e: summary.overall_score states {shown}, its suites say 0.5"]
    both = compared(cost_analysis={"total_cost": 1})
    both["results"]["a/c"] = {**both["results"]["a/b"], "cost_analysis": {"total_cost": 2}}
    both["comparison"] = {"cost_savings": said, "best_overall": said}
    report = store.import_from("trainloop", write_json(tmp_path / "benchmark.json", both))
    assert any(
        flag.startswith(f"benchmark.json: comparison.cost_savings states {shown}, costs") for flag in report.flags
    )


def test_what_is_no_text_is_wrong_usage(store, tmp_path):
    write_run(tmp_path, s=[line("m", sample(1))])
    refused(store, tmp_path, "timezone is text such as 'UTC' or 'Europe/Berlin', not None", timezone=None)
    store.import_from("trainloop", tmp_path)
    calls = [lambda: store.benchmark(5), lambda: store.trend(5), lambda: store.trend(suite=5),
             lambda: store.trend("m", name=5), lambda: store.trend(group=5)]  # fmt: skip
    for call in calls:
        with pytest.raises(UsageError, match="is text, not 5"):
            call()
