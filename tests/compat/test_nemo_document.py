"""Every code block of the document on NeMo Evaluator's metric results runs here as it stands there.

The document leaves the construction of the client to its reader: ours is the one edit.
"""

import math
from typing import Any

import pytest

import evalstore
from evalstore.compat.nemo import Client
from tests.compat.documents import SEEDS, bare_blocks

DOCUMENT = SEEDS / "002_3e2160fed8cb4ea1.txt"
BLOCKS = bare_blocks(DOCUMENT.read_text(encoding="utf-8")) if DOCUMENT.exists() else []

pytestmark = pytest.mark.skipif(not DOCUMENT.exists(), reason="the document is not there")

# What rows are scored with, how many of them have a score below 0.7, and what the document prints of the first score.
SCORED: dict[str, tuple[list[dict[str, Any]], int, str]] = {
    "numbers": ([{"m": 0.9}, {"m": 0.5}, {"m": math.nan}, {"m": None}], 1, "m:m=0.9"),
    "booleans": ([{"correct": True}, {"correct": False}], 1, "correct:correct=1.0"),
    "booleans_and_nan": ([{"a": False, "b": math.nan}, {"a": None, "b": 0.9}, {"a": True, "b": None}], 1, "a:a=0.0"),
    "labels_beside_numbers": ([{"m": 0.9}, {"m": True}, {"m": "good"}, {"m": 0.1}], 1, "m:m=0.9"),
    "a_rubric": (
        [{"quality": {"value": 0.0, "label": "poor"}}, {"quality": {"value": 1.0, "label": "good"}}],
        1,
        "quality:quality=0.0\nquality:quality.label=poor",
    ),
}


@pytest.fixture(params=SCORED)
def scored(request, tmp_path):
    """A store with the jobs that the document speaks of, and what is to come of its rows."""
    rows, low, first = SCORED[request.param]
    with evalstore.open(tmp_path / "evals") as store:
        for name, metric in (("my-job-name", "my-workspace/my-metric"), ("llama-job", "my-workspace/other")):
            with store.job(name, metric_ref=metric, model="m", dataset="d") as job:
                for number, scores in enumerate(rows):
                    item, sample = {"question": f"number {number}"}, {"output_text": "4"}
                    job.log(item=item, sample=sample, requests=[{"request": {}, "response": {}}], scores=scores)
        yield store, low, first


@pytest.fixture
def names(scored):
    """The names that blocks find, and to which they add theirs."""
    return {"client": Client(scored[0].root)}


@pytest.fixture
def run(names, capsys):
    """Runs a block, and gives what it prints."""

    def run(block):
        exec(compile(block, str(DOCUMENT), "exec"), names)
        return capsys.readouterr().out

    return run


def block_with(text):
    [block] = [one for one in BLOCKS if text in one]
    return block


def test_the_document_has_these_blocks():
    assert len(BLOCKS) == 14
    assert sum("client." in block for block in BLOCKS) == 13


def test_results_are_listed_looked_at_and_deleted(scored, run, names):
    store, _, first = scored
    assert run(BLOCKS[0]).startswith(f"{first.partition(':')[0]}: mean=")
    assert run(BLOCKS[1]).startswith(first)
    scores = [score.name for score in store.aggregate_scores("llama-job").scores]
    assert run(BLOCKS[2]).splitlines() == [f"llama-job: {scores}", f"my-job-name: {scores}"]
    run(block_with('"my-workspace/my-metric"'))
    assert [result.name for result in names["results"]] == ["my-job-name"]
    run(block_with("aggregate_fields"))
    assert all(hasattr(score, "mean") and not hasattr(score, "sum") for score in names["results"].data[0].scores)
    run(block_with("-created_at"))
    assert [result.name for result in names["results"]] == ["llama-job", "my-job-name"]
    search = block_with("Substring match")
    for statement in search.split("\n\n"):
        run(statement)
        wanted = ["llama-job", "my-job-name"] if "created_at" in statement else ["llama-job"]
        assert [result.name for result in names["results"]] == wanted
    assert run(block_with("in client.evaluation.metric_job_results.list()")) == "llama-job\nmy-job-name\n"
    page = run(block_with("page_size=25"))
    assert page.splitlines() == ["Page 1 of 1", "2 total results", "llama-job", "my-job-name"]
    run(block_with("retrieve"))
    assert names["result"].metric == "my-workspace/my-metric"
    run(block_with("delete"))
    assert [result.name for result in store.results.list()] == ["llama-job"]


def test_the_recipes_for_pandas(scored, run):
    pytest.importorskip("pandas")
    _, low, _ = scored
    first, *rest = (block for block in BLOCKS if "pd." in block or "df_rows" in block)
    assert "score_type" in run(first)
    assert "question" in run(rest[0])
    assert run(rest[1]) == f"Found {low} rows needing review\n"
