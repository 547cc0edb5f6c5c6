"""What TrainLoop really writes comes in: nothing is lost, errors stay apart from failures, and twice is once."""

import json
from datetime import UTC, datetime

import pytest

import evalstore
from evalstore.errors import BrokenInput, JobExists, UsageError
from tests.trainloop.files import REAL, RUN, answer, declared, line, sample, write_lines, write_run

needs_real = pytest.mark.skipif(not REAL.exists(), reason="needs the files that TrainLoop 0.9.0 wrote")
FIRST, SECOND = "2026-11-21_05-34-37", "2026-11-21_05-34-47"


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    if not REAL.exists():
        pytest.skip("needs the files that TrainLoop 0.9.0 wrote")
    with evalstore.open(tmp_path_factory.mktemp("real") / "evals") as store:
        yield store, store.import_from("trainloop", REAL)


def metrics(store, job):
    lines = store.sql("SELECT * FROM suite_metrics WHERE job = $job", job=job).to_dicts()
    return {(one["suite"], one["metric"]): (one["passed"], one["evaluated"], one["rows_error"]) for one in lines}


# The files of a real run


def test_each_run_is_a_job_and_a_benchmark_one_per_provider(real):
    store, report = real
    group = "bench_2026-11-21_05-34-53"
    providers = [f"{group}-openai-{model}" for model in ("gpt-4o", "gpt-4o-mini", "gpt-3.5-turbo")]
    assert sorted(report.jobs) == sorted([FIRST, SECOND, *providers])
    assert store.jobs(group=group)["model"].sort().to_list() == [
        "openai/gpt-3.5-turbo", "openai/gpt-4o", "openai/gpt-4o-mini",
    ]  # fmt: skip
    assert (report.rows, report.duplicates, report.errors, report.bad_rows) == (55, 4, 13, 0)
    assert store.verify(), store.verify().errors


def test_every_line_is_a_score(real):
    store, _ = real
    counted = "SELECT job, count(*) AS n FROM row_scores WHERE job IN ($a, $b) GROUP BY job"
    assert store.sql(counted, a=FIRST, b=SECOND)["n"].to_list() == [24, 24]


def test_errors_are_no_failures(real):
    store, _ = real
    first, second = store.show(FIRST), store.show(SECOND)
    assert (first["total_passed"], first["total_evaluated"]) == (19, 22)  # of 24 lines, two are exceptions
    assert (second["total_passed"], second["total_evaluated"]) == (17, 20)  # two more: the judge had no key
    assert metrics(store, SECOND)["active_voice", "is_active_voice"] == (None, None, 1)
    assert metrics(store, FIRST)["error_suite", "returns_true"] == (1, 1, 0)
    found = store.sql("SELECT error FROM failures WHERE job = $job AND metric = 'is_active_voice'", job=SECOND)
    assert found["error"][0].startswith("ValueError: Critical API key error")


def test_runs_pair_by_their_samples(real):
    store, _ = real
    shared = store.sql(
        """SELECT count(*) AS n FROM rows AS one INNER JOIN rows AS other
           ON one.suite = other.suite AND one.row_key = other.row_key AND one.repetition = other.repetition
              AND one.row_hash = other.row_hash
           WHERE one.job = $a AND other.job = $b""",
        a=FIRST, b=SECOND,
    )  # fmt: skip
    assert shared["n"].to_list() == [17]


def test_judge_traces_are_kept_as_they_are(real):
    store, _ = real
    [attached] = store.show(FIRST)["attachments"]
    kept = store.root / "jobs/default" / FIRST / attached["name"]
    assert kept.read_bytes() == (REAL / f"judge_traces/{FIRST}.jsonl").read_bytes()
    kept.write_bytes(kept.read_bytes() + b"\n")
    assert [one.path for one in store.verify().errors] == [f"jobs/default/{FIRST}/{attached['name']}"]
    kept.write_bytes((REAL / f"judge_traces/{FIRST}.jsonl").read_bytes())


def test_what_is_odd_is_told(real):
    _, report = real
    text = "\n".join(report.flags)
    assert "returns_float, openai/gpt-4o: states passed 1, its results say 0" in text  # 0.5 is no pass
    assert "returns_float/returns_float: 1 verdict is neither 0 nor 1" in text
    assert "events: what TrainLoop judges" in text


def test_a_provider_that_only_fails_has_errors_and_no_score(real):
    store, _ = real
    job = store.show("bench_2026-11-21_05-34-53-openai-gpt-3.5-turbo")
    assert (job["rows_error"], job["rows_total"], job["overall_score"], job["cost"]) == (7, 7, None, None)
    better = store.show("bench_2026-11-21_05-34-53-openai-gpt-4o")
    assert better["cost"] == pytest.approx(7 * 0.0001425)
    assert better["latency_mean"] == pytest.approx(0.064)


def test_importing_twice_changes_nothing(real):
    store, first = real
    before = store.jobs()
    again = store.import_from("trainloop", REAL)
    assert store.jobs().equals(before)
    assert (sorted(again.jobs), again.rows) == (sorted(first.jobs), 0)
    assert f"job {FIRST} was there already, with the same content" in again.flags


@needs_real
@pytest.mark.parametrize("place", ["results", f"results/{FIRST}", "."])
def test_parts_of_the_tree_are_found(store, place):
    assert FIRST in store.import_from("trainloop", REAL / place).jobs


# What a line is


def test_a_row_keeps_the_whole_sample(store, tmp_path):
    call = sample(1, tag="greeting", model="gpt-4o", model_params={"temperature": 0.2}, later_field=[1])
    write_run(tmp_path, greeting=[line("polite", call, 0, "failed", judge="m"), line("short", call, True)])
    store.import_from("trainloop", tmp_path)
    [row] = store.row_scores(RUN)
    assert row.item == {"input": call["input"]}
    assert row.sample == {"content": "answer 1"}
    assert (row.suite, row.latency, row.tags) == ("greeting", 0.051, ["greeting"])
    rest = ("tag", "model", "model_params", "end_time_ms", "url", "location", "later_field")
    assert row.metadata == {field: call[field] for field in rest}
    assert [(key, one.value, one.passed, one.comment) for key, [one] in row.metrics.items()] == [
        ("polite", False, False, "failed"), ("short", True, True, None),
    ]  # fmt: skip
    [kept] = store.sql("SELECT started_at FROM rows").to_dicts()
    assert kept["started_at"] == datetime.fromtimestamp(call["start_time_ms"] / 1000, UTC)
    assert json.loads(store.sql("SELECT extra FROM row_scores WHERE metric = 'polite'")["extra"][0]) == {"judge": "m"}


def test_a_verdict_in_any_spelling(store, tmp_path):
    spellings = {"true": (True, True), "1": (True, True), "1.0": (True, True), "0": (False, False),
                 "false": (False, False), "0.5": (0.5, None), "null": (None, None)}  # fmt: skip
    lines = [json.dumps(line(f"says {text}", sample(1), "PASSED")).replace('"PASSED"', text) for text in spellings]
    write_run(tmp_path, s=lines)
    store.import_from("trainloop", tmp_path)
    [row] = store.row_scores(RUN)
    for text, (value, judged) in spellings.items():
        [score] = row.metrics[f"says {text}"]
        assert (score.value, type(score.value), score.passed) == (value, type(value), judged)


def test_the_rule_for_errors(store, tmp_path):
    lines = [line("m", sample(1), 0, "failed"), line("m", sample(2), 0, "KeyError: 'x'"), line("m", sample(3), 0),
             line("m", sample(4), 1, "fine all the same")]  # fmt: skip
    write_run(tmp_path, s=lines)
    report = store.import_from("trainloop", tmp_path)
    assert metrics(store, RUN)["s", "m"] == (1, 3, 1)
    assert report.errors == 1
    statuses = store.sql("SELECT status, comment, error FROM row_scores ORDER BY row_index").rows()
    assert statuses == [("scored", "failed", None), ("error", None, "KeyError: 'x'"), ("scored", None, None),
                        ("scored", "fine all the same", None)]  # fmt: skip


def test_lines_that_say_the_same_are_all_kept(store, tmp_path):
    write_run(tmp_path, s=[line("m", sample(1)), line("m", sample(1)), line("m", sample(2)), line("m", sample(1))])
    report = store.import_from("trainloop", tmp_path)
    assert (report.rows, report.duplicates) == (4, 2)
    assert metrics(store, RUN)["s", "m"] == (4, 4, 0)
    assert sorted(store.sql("SELECT repetition FROM rows")["repetition"]) == [0, 0, 1, 2]


@pytest.mark.parametrize("setting", ["../custom", "'../custom'", '"../custom"  # elsewhere'])
def test_judge_traces_are_found_where_the_settings_put_them(store, tmp_path, setting):
    project = tmp_path / "app" / "trainloop"
    write_run(project / "data", s=[line("m", sample(1))])
    (project / "trainloop.config.yaml").write_text(f"trainloop:\n  # data_folder: no\n  data_folder: {setting}\n")
    write_lines(tmp_path / "app" / "custom" / "judge_traces" / f"{RUN}.jsonl", [{"trace_id": 1}])
    store.import_from("trainloop", project)
    [attached] = store.show(RUN)["attachments"]
    assert attached["name"].startswith("judge_traces")


# Times, names, contents


def test_the_zone_of_times_can_be_said(store, tmp_path):
    write_run(tmp_path, s=[line("m", sample(1))])
    store.import_from("trainloop", tmp_path, timezone="Europe/Berlin", prefix="berlin-")
    store.import_from("trainloop", tmp_path, prefix="utc-")
    assert store.show(f"berlin-{RUN}")["created_at"] == datetime(2026, 3, 1, 9, tzinfo=UTC)
    assert store.show(f"utc-{RUN}")["created_at"] == datetime(2026, 3, 1, 10, tzinfo=UTC)
    assert store.show(f"utc-{RUN}")["duration"] is None  # nobody says how long it took
    with pytest.raises(UsageError, match="no time zone 'Europe/Berlni'; did you mean Europe/Berlin"):
        store.import_from("trainloop", tmp_path, timezone="Europe/Berlni")


def test_samples_from_the_future_are_flagged(store, tmp_path):
    soon = datetime(2026, 3, 1, 9, 59, tzinfo=UTC).timestamp() * 1000
    write_run(tmp_path, s=[line("m", sample(1, start_time_ms=soon))])
    assert store.import_from("trainloop", tmp_path, prefix="utc-").flags == []
    [flag] = store.import_from("trainloop", tmp_path, prefix="tokyo-", timezone="Asia/Tokyo").flags
    assert "say which with timezone" in flag


def test_odd_times_of_many_runs_are_said_once(store, tmp_path):
    for hour in range(3):
        soon = datetime(2026, 3, 1, 10 + hour, 59, tzinfo=UTC).timestamp() * 1000
        write_run(tmp_path, f"2026-03-01_1{hour}-00-00", s=[line("m", sample(1, start_time_ms=soon))])
    write_run(tmp_path, "2026-03-02_10-00-00", s=[line("m", sample(1))])
    [flag] = store.import_from("trainloop", tmp_path, timezone="Asia/Tokyo").flags
    assert flag == (
        "3 runs were judged before a call that they judge, such as 2026-03-01_10-00-00: a call of "
        "2026-03-01T10:59:00+00:00 was judged before that, at 2026-03-01T01:00:00+00:00: the times of runs name no "
        "zone, say which with timezone"
    )


def test_times_that_a_zone_skips_or_has_twice_are_said_once(store, tmp_path):
    for time in ("2026-10-25_02-10-00", "2026-10-25_02-30-00", "2026-10-25_03-00-00", "2026-03-29_02-30-00"):
        write_run(tmp_path, time, s=[line("m", sample(1))])
    assert store.import_from("trainloop", tmp_path, timezone="Europe/Berlin").flags == [
        (
            "2 runs have times that come twice in this zone, such as 2026-10-25_02-10-00: its time comes twice in "
            "Europe/Berlin, where clocks are set back; 2026-10-25T00:10:00+00:00 is taken"
        ),
        (
            "2026-03-29_02-30-00: its time is not there in Europe/Berlin, where clocks skip it; "
            "2026-03-29T01:30:00+00:00 is taken"
        ),
    ]
    assert store.import_from("trainloop", tmp_path, prefix="utc-").flags == []


def test_a_run_that_has_changed_is_not_replaced_unasked(store, tmp_path):
    write_run(tmp_path, s=[line("m", sample(1))])
    store.import_from("trainloop", tmp_path)
    write_run(tmp_path, s=[line("m", sample(1)), line("m", sample(2))])
    with pytest.raises(JobExists, match=r"has other content or another time: overwrite=True"):
        store.import_from("trainloop", tmp_path)
    assert len(store.row_scores(RUN)) == 1
    store.import_from("trainloop", tmp_path, overwrite=True)
    assert len(store.row_scores(RUN)) == 2


def test_a_run_that_judged_alike_is_another_run(store, tmp_path):
    for time in ("2026-03-01_09-00-00", RUN):
        write_run(tmp_path, time, s=[line("m", sample(1))])
        assert store.import_from("trainloop", tmp_path).rows == 1
    assert store.jobs()["name"].to_list() == [RUN, "2026-03-01_09-00-00"]
    again = store.import_from("trainloop", tmp_path)
    assert (again.rows, sorted(again.jobs)) == (0, ["2026-03-01_09-00-00", RUN])
    with pytest.raises(JobExists, match="other content or another time"):
        store.import_from("trainloop", tmp_path, timezone="Europe/Berlin")
    assert store.import_from("trainloop", tmp_path, timezone="Europe/Berlin", overwrite=True).rows == 2


def test_a_suite_is_missed_also_when_the_run_before_is_there_already(store, tmp_path):
    write_run(tmp_path, "2026-03-01_09-00-00", a=[line("m", sample(1))], b=[line("m", sample(1))])
    store.import_from("trainloop", tmp_path)
    write_run(tmp_path, RUN, a=[line("m", sample(1))])
    assert f"{RUN}: suite b is missing, which the run before has" in store.import_from("trainloop", tmp_path).flags


def test_one_name_does_not_do_for_the_jobs_of_a_benchmark(store, tmp_path):
    lines = [answer("m", sample(1), "a/b"), answer("m", sample(1), "a/c")]
    write_lines(tmp_path / "benchmarks" / RUN / "m.jsonl", lines)
    with pytest.raises(UsageError, match="makes 2 jobs, and job names one"):
        store.import_from("trainloop", tmp_path, job="mine")


def test_a_deleted_job_comes_in_again(store, tmp_path):
    write_run(tmp_path, s=[line("m", sample(1))])
    store.import_from("trainloop", tmp_path)
    store.delete(RUN)
    assert store.import_from("trainloop", tmp_path).rows == 1


def test_names_and_context_can_be_given(store, tmp_path):
    folder = write_run(tmp_path, s=[line("m", sample(1))])
    report = store.import_from("trainloop", folder, job="mine", model="openai/gpt-4o", dataset="events", tags=["x"])
    assert report.jobs == ["mine"]
    job = store.show("mine")
    assert (job["model"], job["dataset"], job["tags"]) == ("openai/gpt-4o", "default/events", ["x"])
    write_run(tmp_path, "2026-03-02_10-00-00", s=[line("m", sample(1))])
    with pytest.raises(UsageError, match="holds 2 runs, and job names one"):
        store.import_from("trainloop", tmp_path, job="mine")


def test_empty_runs_and_suites_and_missing_ones_are_told(store, tmp_path):
    write_run(tmp_path, "2026-03-01_09-00-00", a=[line("m", sample(1))], b=[line("m", sample(1))])
    write_run(tmp_path, "2026-03-01_09-30-00")
    write_run(tmp_path, RUN, a=[line("m", sample(1))], empty=[])
    report = store.import_from("trainloop", tmp_path)
    assert len(report.jobs) == 2
    assert sorted(report.flags) == [
        "2026-03-01_09-30-00 is an empty run: nothing was judged, and no job is made of it",
        f"{RUN}: suite b is missing, which the run before has",
        f"{RUN}: suite empty holds no results",
    ]


# What is broken


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ('{"metric": "m", "sample": {"a"', "s.jsonl:2: is cut off"),
        ("[1]", "s.jsonl:2: the record is an array, not an object"),
        (line(None, {"a": 1}), "s.jsonl:2: field 'metric': must be the name of a metric, not None"),
        (line("m", "text"), "s.jsonl:2: field 'sample': must be an object that tells the call, not 'text'"),
        (
            line("m", {"a": 1}, "yes"),
            "s.jsonl:2: field 'passed': must be true, false or a number that fits a double, not 'yes'",
        ),
        ({"metric": "m", "sample": {"a": 1}}, "s.jsonl:2: field 'passed': is missing"),
        (line("m", {"a": 1}, 0, 7), "s.jsonl:2: field 'reason': must be text or null, not 7"),
    ],
)
def test_a_broken_line_names_its_place_and_nothing_of_its_run_is_stored(store, tmp_path, broken, message):
    write_run(tmp_path, "2026-03-01_09-00-00", s=[line("m", sample(1))])
    write_run(tmp_path, RUN, a=[line("m", sample(1))], s=[line("m", sample(1)), broken])
    with pytest.raises(BrokenInput) as caught:
        store.import_from("trainloop", tmp_path)
    assert message in str(caught.value)
    assert store.jobs()["name"].to_list() == ["2026-03-01_09-00-00"]
    skip, rest = caught.value.__notes__
    assert "--skip-bad-rows" in skip
    assert rest == "what came before it is stored (jobs: 1), what comes after it is not"
    report = store.import_from("trainloop", tmp_path, skip_bad_rows=True)
    assert f"{RUN}: lines that cannot be read: 1, stored as rows in error" in report.flags
    assert (report.bad_rows, report.errors) == (1, 1)
    [bad] = store.sql("SELECT suite, row_key, error FROM rows WHERE error IS NOT NULL AND job = $job", job=RUN).rows()
    assert bad[:2] == ("s", "line 2")
    assert message in bad[2]


def test_a_folder_that_no_run_is_named_by_is_told(store, tmp_path):
    write_run(tmp_path, f"{RUN} copy", s=[line("m", sample(1))])
    write_run(tmp_path, RUN, s=[line("m", sample(1))])
    [flag] = store.import_from("trainloop", tmp_path / "results").flags
    assert flag.endswith(f"results/{RUN} copy is not named after the time of a run, and left alone")
    with pytest.raises(BrokenInput, match=f"is a part of a run: name its folder, .*{RUN}"):
        store.import_from("trainloop", tmp_path / "results" / RUN / "s.jsonl")


def test_what_holds_no_results_is_refused(store, tmp_path):
    with pytest.raises(BrokenInput, match="there is no such file or folder"):
        store.import_from("trainloop", tmp_path / "none")
    (tmp_path / "results").mkdir()
    with pytest.raises(BrokenInput, match="holds no results of TrainLoop: neither results/<time>"):
        store.import_from("trainloop", tmp_path)
    assert not store.root.exists()


# Benchmarks


def write_benchmark(data, **files):
    for metric, lines in files.items():
        write_lines(data / "benchmarks" / RUN / f"{metric}.jsonl", lines)


def test_a_benchmark(store, tmp_path):
    one, other, third = "openai/gpt-4o", "openai/gpt-4o-mini", "anthropic/claude"
    cheap = [answer("short", sample(1), other, cost=0.0001), answer("short", sample(2), other, 0, "rate limited")]
    short = [answer("short", sample(1), one), answer("short", sample(2), one, 0), *cheap]
    write_benchmark(
        tmp_path,
        short=[declared("short", one, other, third), *short],
        polite=[declared("polite", one, other, third), answer("polite", sample(1), one, 0.5)],
    )
    report = store.import_from("trainloop", tmp_path)
    group = f"bench_{RUN}"
    assert report.jobs == [f"{group}-openai-gpt-4o", f"{group}-openai-gpt-4o-mini"]
    assert f"{group}: provider {third} is declared and has no results" in report.flags
    first, second = (store.show(job) for job in report.jobs)
    assert (first["kind"], first["group"], first["model"]) == ("benchmark", group, one)
    assert first["metadata"]["benchmark"]["missing_providers"] == [third]
    assert "latencies are each a batch average: how long one call took is not known" in store.benchmark(group).flags
    assert (first["cost"], second["cost"]) == (pytest.approx(0.003), pytest.approx(0.0001))
    assert metrics(store, report.jobs[0]) == {("short", "short"): (1, 2, 0), ("polite", "polite"): (None, None, 0)}
    assert metrics(store, report.jobs[1]) == {("short", "short"): (1, 1, 1)}
    keys = store.sql("SELECT job, list(row_key ORDER BY row_key) AS keys FROM rows WHERE suite = 'short' GROUP BY job")
    assert keys["keys"][0].to_list() == keys["keys"][1].to_list()  # so that providers pair
    assert store.import_from("trainloop", tmp_path).rows == 0
    store.delete(report.jobs[1])
    assert store.import_from("trainloop", tmp_path).rows == 2  # the one that is gone


def test_a_broken_benchmark(store, tmp_path):
    write_benchmark(tmp_path, m=[declared("m", "a/b"), answer("m", sample(1), "a/b"), {"type": "odd"}])
    with pytest.raises(BrokenInput, match=r"m.jsonl:3: field 'type': must be metadata, result or summary"):
        store.import_from("trainloop", tmp_path)
    report = store.import_from("trainloop", tmp_path, skip_bad_rows=True)
    assert report.rows == 1
    assert any("left out" in flag and "m.jsonl:3" in flag for flag in report.flags)
