"""Two large jobs compared, against the same SQL by hand; a gate from the shell; and how often a gate errs."""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import time
from math import ceil
from pathlib import Path
from typing import Any

from tests.benchmarks import alone, figures

ROWS = figures.scaled(1_000_000)
JOBS = figures.scaled(1_000)
PAIRS = figures.scaled(1_000)
TIMES = 5

BY_HAND = """
WITH pair AS (
    SELECT b.value - a.value AS difference, a.value AS before, b.value AS after, r.cluster
    FROM read_parquet($before_scores) AS a
    INNER JOIN read_parquet($after_scores) AS b USING (suite, metric, name, row_key, repetition)
    INNER JOIN read_parquet($before_rows) AS r USING (suite, row_key, repetition)
    INNER JOIN read_parquet($after_rows) AS s USING (suite, row_key, repetition)
    WHERE r.row_hash = s.row_hash
),
total AS (
    SELECT avg(difference) AS mean, count(*) AS n, avg(before) AS before, avg(after) AS after FROM pair
),
per_cluster AS (
    SELECT sum(pair.difference - total.mean) AS residual FROM pair, total GROUP BY pair.cluster
)
SELECT
    any_value(total.before), any_value(total.after), any_value(total.mean),
    sqrt(sum(residual * residual) * count(*) / (count(*) - 1)) / any_value(total.n)
FROM per_cluster, total
"""


def test_comparing_two_large_jobs(tmp_path):
    from tests.benchmarks import big_stores  # here, so that the processes that are timed import it not

    root = tmp_path / "evals"
    big_stores.many_jobs(root, JOBS)
    record_two(root)
    ours, hand = alone.run(compare_two, root), alone.run(by_hand, root)
    assert [round(x, 12) for x in ours.value["figures"]] == [round(x, 12) for x in hand.value["figures"]]
    ratio = ours.value["seconds"] / hand.value["seconds"]
    figures.note(
        "compare",
        f"{ratio:.2f} x ({ours.value['seconds']:.2f} s)",
        missed=ratio > 1.3 or ours.value["seconds"] > 2,
        peak_mb=ours.peak_mb,
        ratio=ratio,
        seconds=ours.value["seconds"],
        bare_seconds=hand.value["seconds"],
    )
    flips = ours.value["flips_seconds"]
    figures.note("flips", f"{flips:.2f} s", missed=flips > 0.5, peak_mb=ours.peak_mb, seconds=flips)
    shutil.rmtree(root)


def record_two(root: Path) -> None:
    """Two jobs over the same rows in clusters of twenty, of which four in ten differ."""
    import numpy as np
    import polars as pl

    import evalstore

    random = np.random.default_rng(0)
    with evalstore.open(root) as store:
        for name, shift in (("before", 0.0), ("after", 0.004)):
            right = random.random(ROWS) < 0.6 - shift
            frame = pl.DataFrame({"id": np.arange(ROWS), "right": right}).with_columns(
                pl.format("q{}", "id").alias("key"),
                pl.format("What is {} + {}?", "id", "id").alias("question"),
                pl.format("It is {}, says {}.", pl.col("id") * 2, pl.lit(name)).alias("answer"),
                pl.format("p{}", pl.col("id") // 20).alias("passage"),
            )
            store.record(
                name,
                frame,
                scores=["right"],
                item=["question"],
                sample=["answer"],
                columns={"row_key": "key", "cluster": "passage"},
                dataset="large",
            )


def compare_two(root: str) -> dict[str, Any]:
    import evalstore

    store = evalstore.open(root)
    comparison = store.compare("before", "after")  # fills the caches
    took, flips = [], []
    for _ in range(TIMES):
        started = time.perf_counter()
        comparison = store.compare("before", "after")
        took.append(time.perf_counter() - started)
        started = time.perf_counter()
        assert comparison.flip_table("regressed", limit=20).num_rows == 20
        flips.append(time.perf_counter() - started)
    [line] = comparison.to_dict()["metrics"]
    found = [line[field] for field in ("baseline_mean", "candidate_mean", "difference", "std_error")]
    return {"seconds": statistics.median(took), "flips_seconds": statistics.median(flips), "figures": found}


def by_hand(root: str) -> dict[str, Any]:
    import duckdb

    files = {
        f"{job}_{kind}": str(next(Path(root, "jobs/default", job).glob(f"{kind}-*.parquet")))
        for job in ("before", "after")
        for kind in ("scores", "rows")
    }
    wanted = {name: path for name, path in files.items() if f"${name}" in BY_HAND}
    took: list[float] = []
    found: tuple[Any, ...] = ()
    with duckdb.connect() as connection:
        for _ in range(TIMES):
            started = time.perf_counter()
            found = connection.sql(BY_HAND, params=wanted).fetchall()[0]
            took.append(time.perf_counter() - started)
    return {"seconds": statistics.median(took), "figures": list(found)}


def test_a_gate_from_the_shell(tmp_path):
    import evalstore

    root, policy = tmp_path / "evals", tmp_path / "gate.toml"
    policy.write_text("[all]\nmax_drop = 0.05\nmin_rows = 10\n", encoding="utf-8")
    with evalstore.open(root) as store:
        for name in ("before", "after"):
            rows = [{"id": n, "q": n, "right": n % 3 > 0} for n in range(1_000)]
            store.record(name, rows, scores=["right"], item=["q"], columns={"row_key": "id"})
        store.baselines.set("main", "before")
    command = [
        sys.executable, "-m", "evalstore", "--store", str(root), "gate", "after", "--baseline", "main",
        "--policy", str(policy),
    ]  # fmt: skip
    took = []
    for _ in range(2 * TIMES):
        started = time.perf_counter()
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        took.append(time.perf_counter() - started)
        assert done.stdout.startswith("PASS")
    seconds = statistics.median(took)
    figures.note(
        "gate_shell", f"{seconds:.2f} s", missed=seconds > 1, peak_mb=0, seconds=seconds, least_seconds=min(took)
    )


def test_how_often_a_gate_errs():
    found = alone.run(gate_many, PAIRS)
    value = found.value
    # Three standard errors of a share of so many runs.
    slack = 3 * (0.05 * 0.95 / PAIRS) ** 0.5
    figures.note(
        "gate_false_alarms",
        f"{value['false_alarms']:.1%} of runs, with Holm over 10 metrics {value['false_alarms_of_ten']:.1%}",
        missed=value["false_alarms"] > 0.05 + slack or value["false_alarms_of_ten"] > 0.05 + slack,
        peak_mb=found.peak_mb,
        **value,
    )
    power = 3 * (0.8 * 0.2 / PAIRS) ** 0.5
    figures.note(
        "gate_power",
        f"{value['found']:.1%} of detectable drops; {value['passed']:.1%} of equal runs of the rows that it asks for",
        missed=abs(value["found"] - 0.8) > power + 0.02 or value["passed"] < 0.8 - power - 0.02,
        peak_mb=found.peak_mb,
    )


def gate_many(pairs: int) -> dict[str, float]:
    """Judges simulated pairs of runs by what the gate does with the numbers that SQL gives it."""
    import numpy as np

    from evalstore.analysis import drops, power, significance
    from evalstore.analysis import statistics as tests
    from evalstore.analysis.policy import Policy

    random = np.random.default_rng(1)
    n, share, flipped, margin = 500, 0.8, 0.064, 0.01
    policy = Policy.model_validate({"all": {"max_drop": margin}})
    line = {"suite": "s", "metric": "m", "name": "m", "higher_is_better": True, "class": None}

    def pair(rows: int, drop: float) -> tuple[Any, float]:
        """Runs that differ in 64 of 1,000 rows, as a model does from itself; with a drop, more often for the worse."""
        worse = random.random(rows) < (1 + drop / flipped) / 2
        change = np.where(random.random(rows) < flipped, np.where(worse, -1.0, 1.0), 0.0)
        first = np.where(change == 0, random.random(rows) < share, change < 0)
        found = tests.Pairs(
            rows, float(change.mean()), float(change.std(ddof=1)), rows, float(((change - change.mean()) ** 2).sum()),
            int((change > 0).sum()), int((change < 0).sum()), int(first.sum()), 1.0,
        )  # fmt: skip
        return found, significance.p_value(found)[0] or 0.0

    def outcome(found: Any, p: float) -> str:
        interval = tests.interval(found, 0.95)
        assert interval is not None
        told = {
            "paired": found.n, "newly_in_error": 0, "recovered": 0, "newly_unscored": 0, "newly_scored": 0,
            "baseline_mean": 0.0, "candidate_mean": found.difference, "difference": found.difference,
            "low": interval.low, "high": interval.high,
        }  # fmt: skip
        compared = drops.Compared(told, found, {"paired": found.n})
        return drops.drop_verdict(policy, ("s", "m", "m"), line, compared, p).outcome

    equal = [pair(n, 0.0) for _ in range(pairs)]
    false_alarms = sum(outcome(*one) == "fail" for one in equal) / pairs
    of_ten = 0
    for _ in range(pairs):
        ten = [pair(n, 0.0) for _ in range(10)]
        adjusted = significance.adjusted([p for _, p in ten], "holm")
        of_ten += any(outcome(one, p or 0.0) == "fail" for (one, _), p in zip(ten, adjusted, strict=True))
    typical = equal[0][0]
    detectable = statistics.mean(power.minimal_detectable_effect(one, 0.95) or 0.0 for one, _ in equal[:50])
    found = sum(outcome(*pair(n, detectable)) == "fail" for _ in range(pairs)) / pairs
    needed = ceil(statistics.mean(power.rows_needed(one, margin, 0.95) or 0 for one, _ in equal[:50]))
    passed = sum(outcome(*pair(needed, 0.0)) == "pass" for _ in range(pairs)) / pairs
    return {
        "false_alarms": false_alarms, "false_alarms_of_ten": of_ten / pairs, "found": found, "passed": passed,
        "rows": typical.n, "rows_needed": needed, "drop": detectable,
    }  # fmt: skip
