"""The parts of README.md that are generated: `make readme` writes them, a test compares them.

A part stands between `<!-- generated: NAME -->` and `<!-- end of NAME -->`.
"""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import evalstore
from tests.benchmarks.figures import table

README = Path(__file__).resolve().parents[1] / "README.md"
VIEWS = (
    "jobs",
    "results",
    "aggregate_scores",
    "suites",
    "suite_metrics",
    "job_scores",
    "row_scores",
    "rows",
    "leaderboard",
    "suite_trend",
    "metric_trend",
    "model_costs",
    "failures",
    "interrupted_jobs",
    "baselines",
    "gate_verdicts",
)


def views() -> str:
    """Each view with its comment and its columns."""
    with tempfile.TemporaryDirectory() as folder, evalstore.open(Path(folder) / "evals") as store:
        with store.job("one") as job:
            job.log(item={"question": "1 + 1"}, scores={"correct": True})
        parts = []
        for view in VIEWS:
            found = "SELECT comment FROM duckdb_views() WHERE database_name = 'catalog' AND view_name = $view"
            [comment] = store.sql(found, view=view)["comment"]
            columns = ", ".join(f"`{name}`" for name in store.sql(f"SELECT * FROM {view} LIMIT 0").columns)
            parts.append(f"**`{view}`**: {comment}  \n{columns}\n")
    return "\n".join(parts)


def commands() -> str:
    """The help text of the command line, and of each command."""
    names: list[tuple[str, ...]] = [()]
    for name in _listed(_help()):
        names += [(name,), *((name, inner) for inner in _listed(_help(name)))]
    texts = [(command, _help(*command)) for command in names]
    return "\n".join(_folded(" ".join(("evalstore", *names)), text) for names, text in texts)


def _folded(title: str, text: str) -> str:
    return f"<details><summary><code>{title}</code></summary>\n\n```text\n{text}```\n\n</details>\n"


def _listed(text: str) -> list[str]:
    """The commands that a help text lists."""
    return re.findall(r"^  ([a-z][a-z-]*) ", text.partition("Commands:\n")[2].partition("\n\n")[0], re.MULTILINE)


def _help(*command: str) -> str:
    environment = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1"}
    arguments = [sys.executable, "-m", "evalstore", *command, "--help"]
    return subprocess.run(arguments, capture_output=True, text=True, check=True, env=environment).stdout


def figures() -> str:
    """What `make bench` measured last, beside what was aimed at."""
    return table()


GENERATED = {"views": views, "commands": commands, "figures": figures}


def parts(text: str) -> dict[str, str]:
    """The generated parts that a README holds now."""
    found = re.findall(r"<!-- generated: (\w+) -->\n(.*?)\n?<!-- end of \1 -->", text, re.DOTALL)
    return dict(found)


def rewritten(text: str) -> str:
    """A README with all its generated parts made anew."""
    for name, make in GENERATED.items():
        before, _, rest = text.partition(f"<!-- generated: {name} -->\n")
        _, _, after = rest.partition(f"<!-- end of {name} -->")
        text = f"{before}<!-- generated: {name} -->\n{make()}<!-- end of {name} -->{after}"
    return text


def verbs() -> list[tuple[str, str, str]]:
    """(verb, call, return type) of the README's table of verbs."""
    return re.findall(r"^\| `(\w+)` \| `([^`]+)` \| `([^`]+)` \|", README.read_text(encoding="utf-8"), re.MULTILINE)


def returns(call: str) -> str:
    """The annotated return type of a call such as `store.leaderboard("x")`."""
    from evalstore.analysis.baselines import Baselines
    from evalstore.datasets import Datasets
    from evalstore.metrics import Metrics
    from evalstore.results import Results
    from evalstore.store import Store

    rooms: dict[str, object] = {
        "metrics": Metrics,
        "datasets": Datasets,
        "results": Results,
        "baselines": Baselines,
    }
    target: object = Store
    names = call.partition("(")[0].split(".")[1:]
    for name in names:
        target = rooms[name] if name in rooms and target is Store else getattr(target, name)
    return str(inspect.signature(target).return_annotation)  # type: ignore[arg-type]


if __name__ == "__main__":
    README.write_text(rewritten(README.read_text(encoding="utf-8")), encoding="utf-8")
