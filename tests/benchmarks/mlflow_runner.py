"""MLflow's search over runs in SQLite: runs in an environment that has it alone."""

from __future__ import annotations

import statistics
import time
from typing import Any

__all__ = ["median", "mlflow_search"]


def mlflow_search(folder: str, runs: int) -> float:
    """The median time of a search by a metric, sorted by it, over runs with ten metrics each."""
    import mlflow  # of another environment
    from mlflow.entities import Metric, Param

    mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    client = mlflow.MlflowClient()
    experiment = client.create_experiment("runs")
    for n in range(runs):
        run = client.create_run(experiment)
        metrics = [Metric(f"metric-{m}", (7 * n + m) % 10 / 9, 0, 0) for m in range(10)]
        client.log_batch(run.info.run_id, metrics=metrics, params=[Param("model", f"model-{n % 50}")])
    return median(
        lambda: client.search_runs(
            [experiment], "metrics.`metric-3` >= 0.25", order_by=["metrics.`metric-3` DESC"], max_results=25
        )
    )


def median(ask: Any) -> float:
    """The median of twenty answers, after one that fills the caches."""
    ask()
    took = []
    for _ in range(20):
        started = time.perf_counter()
        ask()
        took.append(time.perf_counter() - started)
    return statistics.median(took)
