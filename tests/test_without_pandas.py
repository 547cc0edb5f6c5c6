"""pandas is never loaded unless it was asked for: where it is installed that would cost each command half a second."""

import subprocess
import sys

import pytest

RECORD = """
import evalstore
store = evalstore.open({root!r})
store.record("frame", [{{"q": 1, "right": 1.0}}], scores=["right"])
with store.job("logged", dataset="sums") as job:
    job.log(item={{"q": 1}}, scores={{"right": True}}, latency=0.1)
with store.job("again", dataset="sums") as job:
    job.log(item={{"q": 1}}, scores={{"right": False}}, latency=0.1)
"""
QUESTIONS = [
    "store.results.list(sort='-created_at,name').data, store.results.list().to_polars()",
    "[result.scores for result in store.results.list(page_size=1)]",
    "store.results.retrieve('logged').scores",
    "store.show('logged'), store.jobs()",
    "list(store.row_scores('frame')), store.row_scores('frame').wide()",
    "list(store.aggregate_scores('@last').scores)",
    "store.leaderboard('right'), store.trend('right')",
    "store.delete('frame'), store.trash(), store.restore('frame'), store.verify()",
    "store.sql('FROM jobs'), store.tag('frame', add=['x'])",
    "store.baselines.set('main', 'logged'), store.gate('logged', baseline='main', min={'right': 0.5})",
    "c = store.compare('logged', 'again'); c.metrics, c.flips, c.to_html()",
    "store.summary(), store.baselines.list(), store.baselines.history('main')",
    "store.prune(keep_last=5, dry_run=True), store.archive(['logged'], to=str(store.root.parent / 'l.tar.zst'))",
]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = str(tmp_path_factory.mktemp("store") / "evals")
    assert loaded(RECORD.format(root=root)) == ""
    return root


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_loads_no_pandas(root, question):
    assert loaded(f"import evalstore\nstore = evalstore.open({root!r})\n{question}") == ""


def test_the_check_can_fail():
    assert loaded("import pandas") == "pandas"


def loaded(code):
    said = "\nimport sys\nprint('pandas' if 'pandas' in sys.modules else '', end='')"
    done = subprocess.run([sys.executable, "-c", code + said], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
