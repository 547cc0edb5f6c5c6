"""The results of jobs, by where they stand in the catalog."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

    from evalstore.session import Session

__all__ = ["result_lines", "result_places", "result_score_places", "result_scores"]


def result_lines(session: Session, *, places: list[int]) -> pa.Table:
    """Everything but the scores of the results at these places of the table `job`."""
    return session.ask_file("result_lines", places=places)


def result_places(session: Session, *, job_id: str) -> pa.Table:
    """Where in the table `job` a job stands."""
    return session.ask_file("result_places", job_id=job_id)


def result_score_places(session: Session, *, job_numbers: list[int]) -> pa.Table:
    """Where in the table `aggregate_score` the scores of these jobs stand."""
    return session.ask_file("result_score_places", job_numbers=job_numbers)


def result_scores(session: Session, *, places: list[int]) -> pa.Table:
    """The aggregate scores at these places of the table `aggregate_score`, those of a job by suite, metric and name."""
    return session.ask_file("result_scores", places=places)
