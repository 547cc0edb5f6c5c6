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


RATE_ROWS = 500
KINDS = {"plain": 0.03, "clustered": 0.05, "repeated": 0.02, "clustered and repeated": 0.04}
"""Kinds of runs, and a margin that is below what 500 rows detect."""


def test_how_often_a_gate_errs(tmp_path):
    each = ceil(PAIRS / len(KINDS))
    found = alone.run(gate_many, tmp_path / "evals", each)
    value, count = found.value, each * len(KINDS)
    # Three standard errors of a share of so many runs.
    slack, slack_of_ten = (3 * (0.05 * 0.95 / runs) ** 0.5 for runs in (count, value["runs_of_ten"]))
    figures.note(
        "gate_false_alarms",
        f"{value['false_alarms']:.1%} of runs, with Holm over 10 metrics {value['false_alarms_of_ten']:.1%}; of drops "
        f"by the margin {value['false_passes']:.1%} pass",
        missed=value["false_alarms"] > 0.05 + slack
        or value["false_alarms_of_ten"] > 0.05 + slack_of_ten
        or value["false_passes"] > 0.025 + slack,
        peak_mb=found.peak_mb,
        **value,
    )
    power = 3 * (0.8 * 0.2 / count) ** 0.5
    figures.note(
        "gate_power",
        f"{value['found']:.1%} of detectable drops; {value['passed']:.1%} of equal runs of the rows that it asks for",
        missed=abs(value["found"] - 0.8) > power + 0.02 or value["passed"] < 0.8 - power - 0.02,
        peak_mb=found.peak_mb,
    )
    shutil.rmtree(tmp_path / "evals")


def gate_many(root: str, each: int) -> dict[str, Any]:
    """Records simulated pairs of runs, some in clusters and repeated, and holds them against a policy.

    Two jobs are many pairs: each of their metrics is a run of its own, of which no row knows the others. Without a
    correction the verdict on one is that of a gate of this metric alone.
    """
    import evalstore

    told: dict[str, Any] = {"false_alarms": 0, "false_passes": 0, "found": 0, "passed": 0}
    of_ten: list[bool] = []
    with evalstore.open(root) as store:
        for place, (kind, margin) in enumerate(KINDS.items()):
            pairs = Pairs(store, kind, each, seed=place)
            outcomes, equal = pairs.outcomes("equal", RATE_ROWS, 0.0)
            told["false_alarms"] += outcomes.count("fail")
            rules = {"max_drop": margin}
            for start in range(0, each, 10):
                policy = {"metrics": {f"m{n}": rules for n in range(start, min(start + 10, each))}}
                of_ten.append(store.gate(equal[1], baseline=equal[0], policy=policy).outcome == "fail")
            told["false_passes"] += pairs.outcomes("margin", RATE_ROWS, margin)[0].count("pass")
            drop = statistics.mean(store.compare(*equal).metrics["mde"].to_list())
            found = pairs.outcomes("drop", RATE_ROWS, drop)[0].count("fail")
            needed = pairs.rows_needed(*equal)
            passed = pairs.outcomes("enough", needed, 0.0)[0].count("pass")
            told["found"] += found
            told["passed"] += passed
            told[kind] = f"{found / each:.1%} of drops by {drop:.3f}, {passed / each:.1%} of {needed} rows"
    shares = {name: value / (each * len(KINDS)) if isinstance(value, int) else value for name, value in told.items()}
    return shares | {"false_alarms_of_ten": sum(of_ten) / len(of_ten), "runs_of_ten": len(of_ten), "rows": RATE_ROWS}


class Pairs:
    """Pairs of runs of one kind in a store, recorded and judged."""

    def __init__(self, store: Any, kind: str, count: int, *, seed: int) -> None:
        import numpy as np

        self._store, self._kind, self._count = store, kind, count
        self._random = np.random.default_rng(seed)
        self._is_clustered, self._repetitions = "clustered" in kind, 3 if "repeated" in kind else 1

    def outcomes(self, name: str, rows: int, drop: float) -> tuple[list[str], tuple[str, str]]:
        """What a gate says of so many pairs with a true drop, and the names of the jobs that hold them."""
        import numpy as np

        names = tuple(f"{self._kind.replace(' ', '-')}-{name}-{side}" for side in ("before", "after"))
        runs = [self._pair(rows, drop) for _ in range(self._count)]
        keys = np.repeat(np.arange(rows), self._repetitions)
        for side, job in enumerate(names):
            columns = {"id": keys, "repetition": np.tile(np.arange(self._repetitions), rows)}
            columns |= {f"m{n}": run[side].reshape(-1) for n, run in enumerate(runs)}
            self._record(job, columns)
        rules = self._judged(*names)
        assert [rule.metric for rule in rules] == sorted(f"m{n}" for n in range(self._count))
        return [rule.outcome for rule in rules], (names[0], names[1])

    def rows_needed(self, before: str, after: str) -> int:
        """How many rows a gate that cannot tell asks for, on average."""
        asked = [rule.rows_needed for rule in self._judged(before, after) if rule.rows_needed]
        mean: float = statistics.mean(asked)
        return ceil(mean)

    def _judged(self, before: str, after: str) -> list[Any]:
        policy = {"correction": "none", "all": {"max_drop": KINDS[self._kind]}}
        return [rule for rule in self._store.gate(after, baseline=before, policy=policy).rules if rule.metric]

    def _record(self, job: str, columns: dict[str, Any]) -> None:
        import polars as pl

        frame = pl.DataFrame(columns)
        named = {"row_key": "id", "repetition": "repetition"}
        if self._is_clustered:
            frame = frame.with_columns(pl.format("p{}", pl.col("id") // 5).alias("passage"))
            named["cluster"] = "passage"
        scores = [name for name in columns if name.startswith("m")]
        self._store.record(job, frame, scores=scores, item=["id"], columns=named, dataset=job)

    def _pair(self, rows: int, drop: float) -> tuple[Any, Any]:
        """Two runs, rows x repetitions of right and wrong; the second one is right less often by `drop`.

        Rows differ in how hard they are. In clusters of five a run errs on several rows of one passage together, and
        elsewhere than the other run.
        """
        random = self._random
        ease = random.uniform(0.8, 1.0, (rows, 1))
        runs = []
        for less in (0.0, drop):
            shift = random.choice([-0.15, 0.15], -(-rows // 5)).repeat(5)[:rows, None] if self._is_clustered else 0.0
            chance = (ease - 0.1 if self._is_clustered else ease) - 0.05 + shift * 0.99 - less
            runs.append(random.random((rows, self._repetitions)) < chance.clip(0, 1))
        return runs[0], runs[1]
