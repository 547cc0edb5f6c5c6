"""Runs and examples as the tests hand them round."""

import uuid
from datetime import UTC, datetime, timedelta

from evalstore.evaluation import Example, Run

START = datetime(2026, 1, 1, 12, tzinfo=UTC)


def a_run(**fields):
    return Run(
        **{
            "id": uuid.uuid4(),
            "name": "target",
            "start_time": START,
            "end_time": START + timedelta(seconds=2),
            "inputs": {"question": "2 + 2"},
            "outputs": {"answer": "4"},
            **fields,
        }
    )


def an_example(**fields):
    return Example(
        **{"id": uuid.uuid4(), "inputs": {"question": "2 + 2"}, "outputs": {"answer": "4"}, **fields},
    )
