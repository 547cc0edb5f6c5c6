"""Benchmarks: the models of a group beside each other, and the numbers of TrainLoop's documentation."""

from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

import evalstore
from evalstore.cli.app import evalstore as program
from evalstore.errors import NotComparable, UnknownField, UsageError

DAY = datetime(2026, 5, 1, tzinfo=UTC)
COMPARISON = {"best_overall": "openai/gpt-4o", "best_value": "openai/gpt-4o-mini", "cost_savings": 0.93}
PROVIDERS = ["openai/gpt-4o", "openai/gpt-4o-mini", "anthropic/claude-3-sonnet"]


def put(store, model, passed, *, cost=None, total=20, failed=0, group="g", tokens=None, latency=None, day=0, **context):
    """A job over `total` items, of which the first have passed and the last have failed; cost and tokens are of all."""
    name = f"{group}-{model.replace('/', '-')}-{day}"
    with store.job(name, model=model, group=group, created_at=DAY + timedelta(days=day), **context) as job:
        for n in range(total):
            told = {"cost": None if cost is None else cost / total, "total_tokens": tokens and tokens // total}
            if n >= total - failed:
                job.log(item={"q": n}, row_key=n, error="400", **told)
            else:
                job.log(
                    item={"q": n},
                    row_key=n,
                    scores={"helpful": n < passed},
                    latency=latency and latency * (1 + n),
                    **told,
                )


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with evalstore.open(tmp_path_factory.mktemp("benchmarks") / "evals") as store:
        document(store)
        put(store, "good", 18, cost=2.0, tokens=2000, latency=0.1)
        put(store, "cheap", 15, cost=0.5, tokens=1000)
        put(store, "free-but-wrong", 0, cost=0.0)
        put(store, "failing", 6, cost=0.001, failed=14)
        put(store, "unpriced", 17)
        put(store, "other-rows", 10, cost=0.01, total=10)
        put(store, "good", 1, cost=9.0, day=-1)
        for model, group in (("crashed", "g"), ("m", "lost")):
            store.job(model, model=model, group=group).finish("error", ZeroDivisionError())
        put(store, "a", 5, group="tie", cost=2.0)
        put(store, "b", 5, group="tie", cost=1.0)
        put(store, "c", 5, group="tie", cost=1.0)
        put(store, "a", 20, group="zero", cost=0.0)
        put(store, "b", 10, group="zero", cost=0.0)
        yield store


def document(store):
    """The benchmark of TrainLoop's documentation, with the rows that it does not show."""
    for provider, passed, cost, per_token, per_score in (
        ("openai/gpt-4o", 85, 4.5, 0.015, 0.053), ("openai/gpt-4o-mini", 82, 0.3, 0.001, 0.004),
    ):  # fmt: skip
        stated = {
            "overall_score": passed / 100,
            "cost_analysis": {"total_cost": cost, "cost_per_token": per_token, "cost_per_score": per_score},
        }
        told = {"document": stated, "benchmark": {"providers": PROVIDERS, "comparison": COMPARISON}}
        put(store, provider, passed, cost=cost, total=100, group="documented", tokens=15000, metadata=told)


def test_the_numbers_of_the_documentation_come_out(store):
    found = store.benchmark("documented")
    assert (found.best_overall, found.best_value) == ("openai/gpt-4o", "openai/gpt-4o-mini")
    assert found.cost_savings == pytest.approx(1 - 0.30 / 4.50)
    assert round(found.cost_savings, 2) == 0.93
    lines = found.models.select("model", "overall_score", "passed", "evaluated", "cost", "total_tokens").rows()
    assert lines == [
        ("openai/gpt-4o", 0.85, 85, 100, pytest.approx(4.5), 15000),
        ("openai/gpt-4o-mini", 0.82, 82, 100, pytest.approx(0.3), 15000),
    ]
    assert [round(cost, 3) for cost in found.models["cost_per_passed"]] == [0.053, 0.004]
    assert found.models["cost_per_1k_tokens"].to_list() == pytest.approx([0.3, 0.02])
    assert found.missing == [
        {"model": PROVIDERS[2], "job": None, "status": "missing", "error": "declared, and without results"}
    ]
    metrics = found.metrics.select("model", "metric", "passed", "evaluated", "pass_rate", "rows_error").rows()
    assert metrics == [(PROVIDERS[0], "helpful", 85, 100, 0.85, 0), (PROVIDERS[1], "helpful", 82, 100, 0.82, 0)]


def test_where_the_documentation_contradicts_itself_the_report_says_so(store):
    flags = store.benchmark("documented").flags
    assert len(flags) == 2
    assert flags[0] == (
        "openai/gpt-4o states 0.015 USD a token: its 15,000 tokens would have cost 225.00 USD, and 4.50 is stated. "
        "As USD per 1,000 tokens it would speak of 300,000 tokens"
    )
    assert flags[1].startswith("openai/gpt-4o-mini states 0.001 USD a token: ")


def test_stated_numbers_that_the_counts_do_not_bear_out_are_flagged(tmp_path):
    store = evalstore.open(tmp_path / "evals")
    wrong = {"document": {"overall_score": 0.9, "cost_analysis": {"total_cost": 3, "cost_per_score": 0.5}},
             "benchmark": {"comparison": {"best_overall": "b", "best_value": "b", "cost_savings": 0.1}}}  # fmt: skip
    put(store, "a", 10, cost=2.0, metadata=wrong)
    put(store, "b", 5, cost=2.0)
    assert store.benchmark("g").flags == [
        "default/a states overall_score 0.9; its counts say 0.5",
        "default/a states cost 3; its counts say 2",
        "default/a states cost_per_passed 0.5; its counts say 0.2",
        "the file states best_overall b; the counts say default/a",
        "the file states best_value b; the counts say default/a",
        "the file states cost_savings 0.1; by the costs it is 0",
    ]


def test_the_best_are_among_those_that_can_be_compared(store):
    found = store.benchmark("g")
    assert found.models["model"].to_list() == [
        f"default/{name}" for name in ("failing", "good", "unpriced", "cheap", "free-but-wrong", "other-rows")
    ]
    assert (found.best_overall, found.best_value) == ("default/good", "default/cheap")
    assert found.cost_savings == pytest.approx(0.75)
    assert [(line["model"], line["status"]) for line in found.missing] == [("default/crashed", "error")]
    assert found.flags == [
        "default/failing failed on 14 of 20 rows, and cannot be the best (limit 0.1)",
        "what default/unpriced cost is not known: it cannot be the best value",
        "default/other-rows answered other rows than the others, and is not compared with them",
    ]
    good = found.models.filter(model="default/good").row(0, named=True)
    assert (good["job"], good["jobs"], good["passed"]) == ("g-good-0", 2, 18)  # the latest of two
    assert (good["latency_p50"], good["latency_mean"]) == pytest.approx((1.05, 1.05))
    assert good["latency_p95"] == pytest.approx(1.905)
    failing = found.models.filter(model="default/failing").row(0, named=True)
    assert (failing["pass_rate"], failing["rows_error"], failing["error_rate"]) == (1.0, 14, 0.7)
    anyhow = store.benchmark("g", max_error_rate=1)
    assert (anyhow.best_overall, anyhow.best_value) == ("default/failing", "default/failing")


def test_the_page_shows_latency_as_mean_median_and_p95(store, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    page = CliRunner().invoke(program, ["--store", str(store.root), "benchmark", "g"]).stdout.splitlines()
    [titles] = [line for line in page if line.startswith("model") and "latency" in line]
    assert titles.split()[-4:] == ["latency", "p50", "p95", "rows"]
    good = next(line for line in page if line.startswith("default/good"))
    assert good.split()[-7:] == ["1.05", "s", "1.05", "s", "1.91", "s", "-"]


def test_what_is_equal_is_decided_by_cost_then_by_name(store):
    found = store.benchmark("tie")
    assert (found.best_overall, found.best_value, found.cost_savings) == ("default/b", "default/b", 0)


def test_nothing_is_saved_on_what_costs_nothing(store):
    found = store.benchmark("zero")
    assert (found.best_overall, found.best_value, found.cost_savings) == ("default/a", "default/a", None)


def rows_of(store, model, *rows, metrics=None):
    with store.job(model.replace("/", "-"), model=model, group="g", metrics=metrics or {}) as job:
        for number, row in enumerate(rows):
            job.log(item=number, row_key=number, **row)


def test_a_metric_in_error_counts_as_errors_of_its_model(tmp_path):
    store = evalstore.open(tmp_path / "evals")
    outage = {"ok": ValueError("quota"), "m2": True}
    rows_of(store, "x/a", *[{"scores": outage, "cost": 0.001}] * 10)
    rows_of(store, "x/b", *[{"scores": {"ok": n < 8, "m2": True}, "cost": 0.1} for n in range(10)])
    found = store.benchmark("g")
    assert (found.best_overall, found.best_value) == ("x/b", "x/b")
    assert found.models.filter(model="x/a")["error_rate"].item() == 1.0
    assert found.flags == ["x/a has ok in error on 10 of 10 rows, and cannot be the best (limit 0.1)"]
    assert store.benchmark("g", max_error_rate=1).best_overall is not None


def test_models_that_are_scored_in_other_metrics_are_not_compared(tmp_path):
    store = evalstore.open(tmp_path / "evals")
    for model in ("x/a", "x/b"):
        rows_of(store, model, *[{"scores": {"ok": n < 8, "m2": True}, "cost": 0.1} for n in range(10)])
    rows_of(store, "x/c", *[{"scores": {"m2": True}, "cost": 0.1}] * 10)
    found = store.benchmark("g")
    assert (found.best_overall, found.best_value) == ("x/a", "x/a")
    assert found.flags == ["x/c is scored in other metrics than the others (m2), and is not compared with them"]


def test_a_cost_of_some_rows_is_no_total(tmp_path):
    store = evalstore.open(tmp_path / "evals")
    rows_of(store, "x/a", *[{"scores": {"ok": True}, **({} if n else {"cost": 0.01})} for n in range(10)])
    rows_of(store, "x/b", *[{"scores": {"ok": True}, "cost": 0.05, "total_tokens": 50}] * 10)
    costly = [{"scores": {"ok": True}, "cost": 1, **({} if n else {"total_tokens": 5})} for n in range(9)]
    rows_of(store, "x/c", *costly, {"error": "timeout"})
    found = store.benchmark("g")
    assert found.best_value == "x/b"
    costs = found.models.sort("model").select("cost", "cost_per_passed", "cost_per_1k_tokens").rows()
    assert costs == [(None, None, None), (pytest.approx(0.5), pytest.approx(0.05), pytest.approx(1.0)), (None,) * 3]
    assert sorted(found.flags) == [
        "what x/a cost is not known: it cannot be the best value",
        "what x/c cost is not known: it cannot be the best value",
        "x/a tells the cost of 1 of 10 rows: that is no total",
        "x/c tells the cost of 9 of 10 rows: that is no total",
        "x/c tells the tokens of 1 of 10 rows: that is no total",
    ]
    told = "SELECT model, cost, total_tokens FROM model_costs ORDER BY model"
    # a row that failed need not tell its own for the job to have a total
    assert store.sql(told).rows() == [("x/a", None, None), ("x/b", pytest.approx(0.5), 500), ("x/c", 9.0, None)]
    assert store.show("x-a")["cost"] is None


def test_where_no_model_has_an_overall_score_that_is_said(tmp_path):
    store = evalstore.open(tmp_path / "evals")
    rows_of(store, "x/a", {"scores": {"stars": 4}, "cost": 1})
    found = store.benchmark("g")
    assert (found.best_overall, found.best_value) == (None, None)
    assert found.flags == [
        "no model has an overall score: no metric has pass/fail or a declared range 0..1, so none is best"
    ]


@pytest.mark.parametrize(
    ("group", "more", "error", "message"),
    [
        ("gg", {}, UnknownField, "there is no group 'gg' in workspace 'default'; did you mean g?"),
        ("lost", {}, NotComparable, "no job of group 'lost' has completed"),
        ("g", {"dataset": "x"}, NotComparable, "no job of group 'g' on default/x has completed"),
        ("g", {"max_error_rate": 2}, UsageError, "max_error_rate is a share between 0 and 1, not 2"),
        ("g", {"max_error_rate": True}, UsageError, "max_error_rate is a share between 0 and 1, not True"),
    ],
)
def test_what_cannot_be_answered_is_said(store, group, more, error, message):
    with pytest.raises(error, match=message.replace("?", r"\?")):
        store.benchmark(group, **more)


def test_model_costs_tell_the_latest_score_and_latency(store):
    asked = "SELECT overall_score, error_rate, latency_p50, latency_p95, jobs FROM model_costs WHERE model = $model"
    [line] = store.sql(asked, model="default/good").rows()
    assert line == (0.9, 0.0, pytest.approx(1.05), pytest.approx(1.905), 2)
