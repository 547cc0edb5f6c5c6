"""Documents as TrainLoop's documentation describes them come in: counts are what counts, and what is told is marked."""

import json
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner

import evalstore
from evalstore.cli.app import evalstore as program
from evalstore.errors import BrokenInput, UsageError
from tests.trainloop.files import DOCUMENTED, detail, evaluation, write_json

EVALUATION, ERROR = "evaluation_results_2024-01-15_14-30-25", "evaluation_results_error"
BENCHMARK = "benchmark_results_2024-01-15_16-00-00"


@pytest.fixture(scope="module")
def documented(tmp_path_factory):
    if not DOCUMENTED.exists():
        pytest.skip("needs the examples of TrainLoop's documentation")
    with evalstore.open(tmp_path_factory.mktemp("documented") / "evals") as store:
        yield store, store.import_from("trainloop", DOCUMENTED)


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """One metric with all its events, one with some, one with none."""
    folder = tmp_path_factory.mktemp("mixed")
    whole = [detail(1, True, metadata={"lang": "en"}), detail(2, False, colour="red"), detail(3, True)]
    document = evaluation(
        greeting={"polite": (2, 3, whole), "short": (30, 40, [detail(1, False)])}, facts={"true": (7, 8, [])}
    )
    with evalstore.open(folder / "evals") as store:
        store.import_from("trainloop", write_json(folder / "evaluation_results_2026-03-01_10-00-00.json", document))
        yield store


# The documentation's own examples


def test_the_example_is_counted_anew(documented):
    store, _ = documented
    job = store.show(EVALUATION)
    assert (job["total_events"], job["total_suites"], job["total_metrics"]) == (150, 2, 3)
    assert (job["total_passed"], job["total_evaluated"]) == (175, 195)
    assert job["overall_score"] == pytest.approx((((42 + 38) / 45 / 2) + 95 / 105) / 2)  # the mean over suites
    assert job["pass_rate"] == pytest.approx(175 / 195)  # pooled: both are 0.897
    assert (job["created_at"], job["duration"]) == (datetime(2024, 1, 15, 14, 30, 25, 123000, UTC), 2.3)
    assert job["config"]["parallel_evaluations"] == 10
    suites = store.sql("SELECT suite, events_processed, tags, duration FROM suites WHERE job = $job", job=EVALUATION)
    assert sorted(suites.rows()) == [
        ("accuracy_check", 105, [], 1.1), ("greeting_evaluation", 45, ["greeting-generation"], 1.2),
    ]  # fmt: skip


def test_an_evaluation_that_failed_keeps_its_suites(documented):
    store, _ = documented
    job = store.show(ERROR)
    assert (job["status"], job["error"]["type"]) == ("error", "MetricError")
    assert json.loads(job["error"]["details"])["event_id"] == "evt_456"
    [suite] = store.sql("SELECT * FROM suites WHERE job = $job", job=ERROR).to_dicts()
    assert (suite["events_processed"], suite["status"], suite["error"]) == (23, "failed", "Metric execution failed")
    failed = store.sql("SELECT level, suite, error FROM failures WHERE job = $job ORDER BY level", job=ERROR).rows()
    assert failed == [
        ("job", None, "MetricError: Metric 'is_helpful' failed to execute"),
        ("suite", "quality_check", "Metric execution failed"),
    ]
    assert ERROR not in store.leaderboard()["job"].to_list()
    assert ERROR not in store.sql("SELECT job FROM suite_trend")["job"].to_list()


def test_the_benchmark_of_the_example(documented):
    store, report = documented
    first, second = (store.show(f"{BENCHMARK}-openai-{model}") for model in ("gpt-4o", "gpt-4o-mini"))
    assert (first["group"], first["kind"], first["model"]) == (BENCHMARK, "benchmark", "openai/gpt-4o")
    assert (first["cost"], first["total_tokens"], first["latency_mean"]) == (4.5, 15000, 1.2)
    assert (second["total_passed"], second["total_evaluated"], second["cost"]) == (82, 100, 0.3)
    assert any("anthropic/claude-3-sonnet is declared and has no results" in flag for flag in report.flags)
    contradictions = [flag for flag in report.flags if "cost_per_token" in flag]
    assert len(contradictions) == 2
    assert "0.015 x 15,000 tokens = 225, and total_cost is 4.5 (0.3 per 1K tokens)" in contradictions[0]


def test_the_summary_gives_metrics_their_classes(documented):
    store, report = documented
    assert len(report.jobs) == 4  # it sums up the others, and is no job beside them
    assert "evaluation_summary.json names metrics that are in no results: is_safe" in report.flags
    classes = {one["metric"]: one["class"] for one in store.show(EVALUATION)["metrics"]}
    assert classes == {"is_accurate": "critical", "is_safe": "critical", "has_greeting_word": "performance",
                       "is_personalized": "performance"}  # fmt: skip


def test_a_summary_alone_is_a_job_without_rows(store):
    if not DOCUMENTED.exists():
        pytest.skip("needs the examples of TrainLoop's documentation")
    [job] = store.import_from("trainloop", DOCUMENTED / "evaluation_summary.json").jobs
    scores = store.sql("SELECT metric, name, value FROM job_scores WHERE job = $job", job=job).rows()
    assert ("overall_score", "overall_score", 0.897) in scores
    assert ("last_7_days", "2024-01-09", 0.82) in scores
    assert len(scores) == 8
    assert store.show(job)["metadata"]["document"]["trending"]["score_change"] == 0.05


def test_pages_say_what_is_only_told_and_what_failed(documented):
    store, _ = documented

    def page(*words):
        done = CliRunner().invoke(program, ["--store", str(store.root), *words])
        assert done.exit_code == 0, done.stderr
        return done.stdout

    told = page("show", f"{BENCHMARK}-openai-gpt-4o")
    assert told.splitlines()[0].endswith("  completed")
    assert "none, told by its counts" in told
    assert "latency    mean 1.2 s\n" in told
    [line] = [line for line in page("jobs").splitlines() if line.startswith(f"{BENCHMARK}-openai-gpt-4o ")]
    assert ("completed" in line, "told" in line, "scored nothing" in line) == (True, True, False)
    done = CliRunner().invoke(program, ["--store", str(store.root), "rows", f"{BENCHMARK}-openai-gpt-4o"])
    assert "was imported by its counts, without rows" in done.stderr
    failed = page("show", ERROR)
    assert "quality_check" in failed
    assert "Metric execution failed" in failed


def test_a_folder_with_nothing_but_a_summary_is_that_job(store, tmp_path):
    summary = {"latest_evaluation": "2026-03-01T10:00:00Z", "overall_score": 0.5}
    write_json(tmp_path / "evaluation_summary.json", summary)
    assert store.import_from("trainloop", tmp_path).jobs == ["evaluation_summary"]


def test_the_store_is_sound_and_can_be_rebuilt(documented):
    store, _ = documented
    before = store.sql("SELECT * FROM aggregate_scores ORDER BY ALL")
    assert store.verify(), store.verify().errors
    store.rebuild()
    assert store.sql("SELECT * FROM aggregate_scores ORDER BY ALL").equals(before)


# Rows and counts


def test_what_is_told_in_full_is_rows(mixed):
    [job] = mixed.jobs()["name"].to_list()
    first, second, third = mixed.row_scores(job, suite="greeting")
    assert [row.row_key for row in (first, second, third)] == ["evt_1", "evt_2", "evt_3"]
    assert (first.item, first.sample, first.metadata) == ({"input": "in 1"}, {"output": "out 1"}, {"lang": "en"})
    [polite] = second.metrics["polite"]
    assert (polite.value, polite.passed, polite.comment) == (False, False, "wrong")
    scores = mixed.aggregate_scores(job, metric="polite").scores
    assert [(one.is_told, one.count, one.mean) for one in scores] == [(False, 3, pytest.approx(2 / 3))]


def test_counts_that_are_only_told_are_marked_and_go_before_too_few_rows(mixed):
    [job] = mixed.jobs()["name"].to_list()
    told = {one.metric: one for one in mixed.aggregate_scores(job).scores if one.is_told}
    assert told.keys() == {"short", "true"}
    short = told["short"]
    assert (short.count, short.passed, short.evaluated, short.mean) == (40, 30, 40, 0.75)
    assert (short.variance, short.min, short.max, short.median) == (0.75 * 0.25, 0, 1, 1)
    assert short.std_error == pytest.approx((0.75 * 0.25 / 39) ** 0.5)
    assert [len(row.metrics["short"]) for row in mixed.row_scores(job, suite="greeting") if "short" in row.metrics] == [
        1
    ]
    overall = mixed.show(job)["overall_score"]
    assert overall == pytest.approx(((2 / 3 + 0.75) / 2 + 7 / 8) / 2)


def test_counts_alone_cannot_tell_errors_nor_slices_and_say_so(mixed, store, tmp_path):
    [job] = mixed.jobs()["name"]
    for errors in ("zero", "worst"):
        with pytest.raises(UsageError, match=r"^of true, short of .* only counts were told.* polite there are rows"):
            mixed.aggregate_scores(job, errors=errors)
    with pytest.raises(UsageError, match=r"counts alone cannot tell which rows stand behind each metadata\.lang"):
        mixed.aggregate_scores(job, by="metadata.lang", metric="short")  # of 40 rows one is there
    assert mixed.aggregate_scores(job, metric="polite", errors="zero").scores[0].rows_total == 3
    assert len(mixed.aggregate_scores(job, metric="polite", by="metadata.lang")) == 2
    counts = evaluation(facts={"true": (7, 8, [])})
    store.import_from("trainloop", write_json(tmp_path / "evaluation_results_counts.json", counts))
    words = ("show", "evaluation_results_counts", "--errors", "zero")
    done = CliRunner().invoke(program, ["--store", str(store.root), *words])
    assert (done.exit_code, done.stdout) == (2, "")
    said = "only counts were told, and counts alone cannot tell which errors to count as 0"
    assert f"of true of job 'evaluation_results_counts' {said}\n" in done.stderr
    assert store.aggregate_scores("evaluation_results_counts").scores[0].mean == 7 / 8


def test_told_counts_say_what_their_rows_would(store):
    """The statistics of counts are those of so many ones and zeros."""
    for passed, total in ((0, 3), (2, 4), (3, 7), (5, 5), (1, 1)):
        rows = [{"q": n, "m": n < passed} for n in range(total)]
        store.record(f"rows-{passed}-{total}", rows, scores=["m"])
    for passed, total in ((0, 3), (2, 4), (3, 7), (5, 5), (1, 1)):
        file = write_json(store.root.parent / "e.json", evaluation(default={"m": (passed, total, [])}))
        store.import_from("trainloop", file, job=f"told-{passed}-{total}")
        [counted] = store.aggregate_scores(f"rows-{passed}-{total}").scores
        [told] = store.aggregate_scores(f"told-{passed}-{total}").scores
        for field in set(type(told).model_fields) - {"is_told", "percentiles", "histogram"}:
            assert getattr(told, field) == pytest.approx(getattr(counted, field)), field


def test_stated_scores_that_contradict_their_counts_are_flagged(store, tmp_path):
    document = evaluation(s={"m": (1, 2, [])})
    document["suites"]["s"]["metrics"]["m"]["score"] = 0.6
    document["suites"]["s"]["overall_score"] = 0.7
    document["total_events"] = 9
    document["summary"] = {"overall_score": 0.5004, "total_passed": 2, "pass_rate": 0.5}
    report = store.import_from("trainloop", write_json(tmp_path / "e.json", document))
    assert report.flags == [
        "e.json: suites.s.metrics.m: states score 0.6, 1 of 2 say 0.5",
        "e.json: suites.s: states overall_score 0.7, its counts say 0.5",
        "e: summary.total_passed states 2, its suites say 1",
        "e: total_events states 9, its suites processed 2",
    ]


def test_details_that_contradict_their_counts_are_flagged(store, tmp_path):
    ones = [detail(1, 1), detail(2, 1), detail(3, 0)]
    document = evaluation(s={"right": (2, 3, ones), "wrong": (1, 3, ones), "more": (1, 2, ones)})
    flags = store.import_from("trainloop", write_json(tmp_path / "e.json", document)).flags
    assert flags == ["e.json: suites.s.metrics.wrong: states 1 passed, its details say 2",
                     "e.json: suites.s.metrics.more: states 2 in all, its details tell of 3"]  # fmt: skip


def test_a_copy_under_another_name_is_the_same(store, tmp_path):
    evaluated = evaluation(s={"m": (1, 2, [])})
    counts = {"metrics": {"m": {"passed": 1, "total": 2}}}
    compared = {"timestamp": "2026-03-01T10:00:00Z", "type": "benchmark", "results": {"a/b": counts, "c/d": counts}}
    for name in ("1", "2"):
        write_json(tmp_path / f"evaluation_results_{name}.json", evaluated)
        write_json(tmp_path / f"benchmark_results_{name}.json", compared)
    report = store.import_from("trainloop", tmp_path)
    names = ["benchmark_results_1-a-b", "benchmark_results_1-c-d", "evaluation_results_1"]
    assert (sorted(store.jobs()["name"]), sorted({*report.jobs})) == (names, names)


def test_events_that_come_again_are_repetitions(store, tmp_path):
    document = evaluation(s={"m": (2, 3, [detail(1, True), detail(1, True), detail(2, False)])})
    assert store.import_from("trainloop", write_json(tmp_path / "e.json", document)).duplicates == 1
    assert sorted(store.sql("SELECT row_key, repetition FROM rows").rows()) == [
        ("evt_1", 0),
        ("evt_1", 1),
        ("evt_2", 0),
    ]


def test_what_the_documentation_does_not_know_is_kept(store, tmp_path):
    document = evaluation(s={"m": (1, 2, [])}) | {"tool": "x"}
    document["suites"]["s"]["owner"] = "me"
    store.import_from("trainloop", write_json(tmp_path / "e.json", document), job="e")
    kept = store.show("e")["metadata"]["document"]
    assert (kept["tool"], kept["suites"]) == ("x", {"s": {"owner": "me"}})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{\n"suites": {"a": {"metrics": {"m": {"details": [...]}}}}}', r"e.json:2: is not JSON"),
        ('{"suites": {}}', r"e.json: field 'timestamp': is missing"),
        ('{"suites": {}, "timestamp": "noon"}', r"field 'timestamp': 'noon' is no time"),
        ('{"suites": {"a": {"metrics": {"m": {"passed": 3, "total": 2}}}}, "timestamp": "2026-03-01T10:00:00Z"}',
         r"field 'suites.a.metrics.m': states 3 passed of 2"),
        ('{"suites": {"a": {"metrics": {"m": {"passed": "x"}}}}, "timestamp": "2026-03-01T10:00:00Z"}',
         r"field 'suites.a.metrics.m.passed': Input should be a valid integer"),
        ('{"suites": {"a": {}, "a": {}}, "timestamp": "2026-03-01T10:00:00Z"}', r"field 'a': the key occurs more than"),
        ('{"suites": [], "timestamp": "2026-03-01T10:00:00Z"}', r"field 'suites': Input should be a valid dict"),
        ('{"other": 1}', r"is no evaluation, benchmark, error or summary"),
        ('{"type": "benchmark", "timestamp": "2026-03-01T10:00:00Z", "providers": ["a/b"], "results": {}}',
         r"field 'results': holds no results; e.json: provider a/b is declared and has no results"),
    ],
)  # fmt: skip
def test_a_broken_document_names_its_place(store, tmp_path, text, message):
    (tmp_path / "e.json").write_text(text)
    with pytest.raises(BrokenInput, match=message):
        store.import_from("trainloop", tmp_path / "e.json")
    assert not store.root.exists()


def test_times_without_a_zone_take_the_one_that_is_said(store, tmp_path):
    file = write_json(tmp_path / "e.json", evaluation("2026-03-01T10:00:00", s={"m": (1, 2, [])}))
    store.import_from("trainloop", file, timezone="America/New_York")
    assert store.show("e")["created_at"] == datetime(2026, 3, 1, 15, tzinfo=UTC)
