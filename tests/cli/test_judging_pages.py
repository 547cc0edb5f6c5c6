"""What `compare` and `gate` print, to the letter. `UPDATE_GOLDEN=1` writes the files anew; look at what changes."""

import os
from pathlib import Path

import pytest

import evalstore

GOLDEN = Path(__file__).parent / "golden"

POLICY = """\
[required]
suites = ["default", "long"]
metrics = ["right"]

[all]
max_drop = 0.05
max_error_rate = 0.05
min_rows = 20

[metrics.right]
min = 0.6
max_flips = 4

[metrics.seconds]
max = 9.5
max_drop = 0.5
class = "performance"

[suites.long.metrics.right]
min = 0.5
on = "bound"
"""


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """A run and a worse one: with errors, labels, clusters, a row of other content, and a metric on one side only."""
    root = tmp_path_factory.mktemp("pages") / "evals"
    with evalstore.open(root) as store:
        store.metrics.declare("seconds", higher_is_better=False)
        for name, wrong, is_new in (("release-1", 8, False), ("release-2", 14, True)):
            with store.job(name, dataset="sums", model="solver") as job:
                for n in range(40):
                    job.log(**sum_row(n, wrong, is_new))
                for n in range(30):
                    job.log(
                        item=f"text {n}",
                        sample=f"{name} | on {n}\nand on",
                        scores={"right": (n + is_new) % 6 > 0} | ({"extra": 1.0} if is_new else {}),
                        row_key=f"text-{n:02}",
                        suite="long",
                        cluster=f"passage-{n // 5}",
                        metadata={"kind": "even"},
                    )
        store.baselines.set("main", "release-1", note="as released")
    return root


def sum_row(n, wrong, is_new):
    scores = {
        "right": {"value": n >= wrong, "comment": None if n >= wrong else f"off by {n}"},
        "seconds": 2 + n % 5 / 10 + is_new / 4,
        "tone": "rude" if n % 9 == is_new else "fine",
    }
    return {
        "item": {"question": f"{n} + {n + 7 * (is_new and n == 39)}"},
        "sample": {"answer": 2 * n if n >= wrong else n},
        "reference": {"answer": 2 * n},
        "row_key": f"sum-{n:02}",
        "metadata": {"kind": "even" if n % 2 == 0 else "odd"},
        **({"error": "TimeoutError: no answer"} if is_new and n < 2 else {"scores": scores}),
    }


def golden(name, text):
    path = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8", newline="")
    assert text == path.read_text(encoding="utf-8")


COMPARE = ("compare", "release-1", "release-2", "--margin", "0.1", "--by", "metadata.kind")
FLIPS = ("compare", "@main", "release-2", "--metric", "right", "--flips", "changed", "--limit", "3")
GATE = ("gate", "release-2", "--baseline", "main")


@pytest.mark.parametrize(
    "case",
    [
        ("compare.txt", COMPARE, 0),
        ("compare-narrow.txt", COMPARE, 0),
        ("compare.md", (*COMPARE, "--format", "markdown"), 0),
        ("compare-flips.txt", FLIPS, 0),
        ("compare-flips.md", (*FLIPS, "--format", "markdown"), 0),
        ("gate.txt", GATE, 1),
        ("gate-narrow.txt", GATE, 1),
        ("gate.md", (*GATE, "--format", "markdown"), 1),
        ("gate.xml", (*GATE, "--format", "junit"), 1),
        ("gate.github", (*GATE, "--format", "github"), 1),
    ],
    ids=lambda case: case[0],
)
def test_a_page_reads_as_it_should(judged, run, tmp_path, case):
    name, arguments, code = case
    (tmp_path / "gate.toml").write_text(POLICY, encoding="utf-8")
    policy = ("--policy", tmp_path / "gate.toml") if arguments[0] == "gate" else ()
    done = run(*arguments, *policy, store=judged, env={"COLUMNS": "72" if "narrow" in name else "150"})
    assert done.code == code
    golden(name, done.stdout)
