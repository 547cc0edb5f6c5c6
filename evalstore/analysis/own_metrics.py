"""The metrics of one job as a gate wants them: under its policy for errors, and by the clusters that it names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evalstore import queries
from evalstore.analysis.asked import field_source
from evalstore.analysis.pairing import FEW
from evalstore.errors import UnknownField

if TYPE_CHECKING:
    from evalstore.analysis.policy import Policy
    from evalstore.session import Session

__all__ = ["own_metrics", "unclustered_rows"]

_PLACE = ("suite", "metric", "name")


def own_metrics(session: Session, job: dict[str, Any], policy: Policy) -> list[dict[str, Any]]:
    """The metrics of the job; with errors that count, or clusters that the policy names, they are computed anew."""
    job_id = job["job_id"]
    lines = queries.gate_metrics(session, job_id=job_id).to_pylist()
    is_counted = policy.errors != "exclude"
    for line in lines:
        line["rows_counted"] = line["rows_scored"] + line["rows_error"] * is_counted
    if not is_counted and policy.cluster is None:
        return list(lines)
    source, path = (None, None) if policy.cluster is None else field_source(policy.cluster, "clustered")
    anew = queries.sliced_scores(
        session, job_id=job_id, cluster_source=source, cluster_path=path, errors=policy.errors
    ).select([*_PLACE, "mean", "variance", "std_error", "min", "max", "items_scored", "clusters"])
    found = {tuple(one[field] for field in _PLACE): one for one in anew.to_pylist()}
    return [
        line
        if line["is_told"]
        else line
        | (one := found[line["suite"], line["metric"], line["name"]])
        | {"lowest": one["min"], "highest": one["max"]}
        for line in lines
    ]


def unclustered_rows(session: Session, job: dict[str, Any], policy: Policy, lines: list[dict[str, Any]]) -> list[str]:
    """Warnings about rows in no cluster. Raises: UnknownField where no row has what the policy clusters by."""
    if job["rows_dropped_at"] or (policy.cluster is None and not any(line["clusters"] for line in lines)):
        return []
    source, path = (None, None) if policy.cluster is None else field_source(policy.cluster, "clustered")
    found = queries.clustered_rows(session, job_id=job["job_id"], cluster_source=source, cluster_path=path).to_pylist()
    if not any(line["rows_clustered"] for line in found):
        raise UnknownField(f"no row of {job['name']!r} has {policy.cluster}, so none can be clustered by it")
    clustered = {line["suite"] for line in lines if line["clusters"] or policy.cluster is not None}
    warnings = []
    for line in found:
        missing = line["rows_total"] - line["rows_clustered"]
        if line["suite"] in clustered and missing > FEW * line["rows_total"]:
            where = "" if line["suite"] == "default" else f" of suite {line['suite']!r}"
            warnings.append(
                f"{missing:,} of {line['rows_total']:,} rows{where} name no cluster, and are taken each for itself"
            )
    return warnings
