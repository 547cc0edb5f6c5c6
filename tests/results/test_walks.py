"""A walk over all pages while others write and delete: nothing twice, nothing left out that was there throughout."""

import pytest

from evalstore import errors
from tests.processes import Process
from tests.whole_jobs import copies

WRITER = """
    store = evalstore.open(root)
    say("ready")
    wait()
    number = 0
    while True:
        with store.job(f"{sys.argv[2]}-{number:04}", model="new") as job:
            job.log(item={"q": 1}, scores={"accuracy": number % 3})
        say("wrote", number)
        number += 1
"""
DELETER = """
    store = evalstore.open(root)
    say("ready")
    wait()
    for number in range(0, 60, 6):
        store.results.delete(f"kept-{number:04}")
        say("deleted", number)
    say("done")
"""


@pytest.fixture
def kept(store):
    """Jobs that are equal in all but their names: their order is a matter of the tie-breaker alone."""
    with store.job("kept", model="old") as job:
        job.log(item={"q": 1}, scores={"accuracy": 1})
    copies(store, "kept", 60)
    store.results.delete("kept")
    return {f"kept-{number:04}" for number in range(60) if number % 6}  # all that nobody deletes


@pytest.mark.parametrize("sort", ["-created_at", "-scores.accuracy.mean,model"])
def test_a_walk_beside_two_writers_and_a_deleter(store, kept, sort):
    with (
        Process(WRITER, store.root, "a") as one,
        Process(WRITER, store.root, "z") as other,
        Process(DELETER, store.root) as deleter,
    ):
        busy = (one, other, deleter)
        for process in busy:
            process.wait_for("ready")
            process.go()
        one.wait_for("wrote")
        other.wait_for("wrote")
        for _ in range(3):
            walked = [result.name for result in store.results.list(sort=sort, page_size=7)]
            assert len(set(walked)) == len(walked)
            assert kept <= set(walked)
        deleter.wait_for("done")
    left = [result.name for result in store.results.list({"model": "old"}, page_size=7)]
    assert sorted(left) == sorted(kept)


def test_a_walk_does_not_repeat_what_was_pushed_on_to_the_next_page(store, kept):
    page = store.results.list(page_size=10)
    walk = iter(page)
    first = [next(walk).name for _ in range(10)]
    for number in range(5):
        with store.job(f"newer-{number}") as job:
            job.log(item={"q": 1}, scores={"accuracy": 1})
    store.results.delete(first[0])
    rest = [result.name for result in walk]
    assert len(rest) == 50
    assert set(first).isdisjoint(rest)
    assert kept <= {*first, *rest}


@pytest.mark.parametrize("page_size", [1, 2])
@pytest.mark.parametrize(
    "asked", [{"filter": {"scores.tmp.mean": {"$lt": 0.1}}}, {"sort": "-scores.tmp.mean"}], ids=str
)
def test_a_walk_ends_when_the_last_job_with_its_score_is_deleted(store, page_size, asked):
    for name in ("a", "b", "c"):
        with store.job(name) as job:
            job.log(item={"q": 1}, scores={"tmp": 0, "other": 1})
    with store.job("without") as job:
        job.log(item={"q": 1}, scores={"other": 1})
    walked = []
    for result in store.results.list(**asked, page_size=page_size):
        walked.append(result.name)
        if result.name != "without":
            store.results.delete(result.name)
    assert sorted(walked) == ["a", "b", "c", *(["without"] if "sort" in asked else [])]
    with pytest.raises(errors.UnknownField):
        store.results.list(**asked)
