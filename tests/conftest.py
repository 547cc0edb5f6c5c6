"""What all tests share: a store of their own and nobody else's, and how long hypothesis searches."""

import os

import pytest
from hypothesis import settings

import evalstore

settings.register_profile("dev", max_examples=50, deadline=None)
settings.register_profile("ci", max_examples=200, deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "dev")


@pytest.fixture(autouse=True)
def _no_store_of_the_user(monkeypatch):
    monkeypatch.delenv("EVALSTORE", raising=False)


@pytest.fixture
def store(tmp_path):
    """A store that does not exist yet: the first write creates it."""
    with evalstore.open(tmp_path / "evals") as store:
        yield store
