"""The real run: the answers of four models to 1,319 problems, from the file to the answers, as one types it."""

import json
import subprocess
import sys

import pytest

MODELS = ("6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("gsm8k")


@pytest.fixture
def type_in(gsm8k, folder, run, monkeypatch):
    """Types commands into a folder that holds the file and, after the first time, the store."""

    def typed(*arguments):
        done = run(*arguments, store="evals")
        assert done.code == 0, done.stderr
        return done

    monkeypatch.chdir(folder)
    if not (folder / "evals").exists():
        (folder / "example_model_solutions.jsonl").symlink_to(gsm8k)
        for model in MODELS:
            typed(
                "import", "rows", "example_model_solutions.jsonl", "--job", f"gsm8k-{model}", "--model",
                f"openai/{model}",
                "--dataset", "openai/gsm8k", "--item", "question=question", "--reference", "answer=ground_truth",
                "--sample", f"solution={model}.solution", "--score", f"is_correct={model}.is_correct", "--tag", "paper",
            )  # fmt: skip
    return typed


def test_the_leaderboard(type_in):
    done = type_in("leaderboard", "--metric", "is_correct")
    assert [line.split()[1:4] for line in done.lines[4:]] == [
        ["openai/175b_verification", "0.5625", "0.0137"],
        ["openai/6b_verification", "0.3904", "0.0134"],
        ["openai/175b_finetuning", "0.3472", "0.0131"],
        ["openai/6b_finetuning", "0.2168", "0.0114"],
    ]
    assert done.stdout.count("scored 1319 of 1319") == 4
    assert done.stderr == ""


def test_jobs_and_show(type_in):
    assert [line.split()[0] for line in type_in("jobs").lines[2:]] == [f"gsm8k-{model}" for model in MODELS[::-1]]
    shown = type_in("show", "gsm8k-175b_verification")
    assert "pass rate  0.5625, passed 742 of 1319" in shown.lines
    assert "scored 1319 of 1319" in shown.lines[-1]


def test_rows(type_in):
    some = type_in("rows", "gsm8k-6b_finetuning", "--where", "is_correct = 0", "--limit", "5")
    assert some.stdout.count("is_correct false") == 5
    worst = type_in("rows", "gsm8k-6b_finetuning", "--worst", "5")
    assert worst.lines[0] == "Worst first"
    assert worst.stdout.count("is_correct false") == 5


def test_sql_here_and_in_plain_duckdb(type_in, folder):
    query = "SELECT job, avg(value) FROM row_scores GROUP BY ALL ORDER BY 2"
    lines = type_in("sql", query, "--format", "csv").lines
    assert lines[0].startswith("job,")
    assert [line.split(",")[0] for line in lines[1:]] == [
        "gsm8k-6b_finetuning", "gsm8k-175b_finetuning", "gsm8k-6b_verification", "gsm8k-175b_verification",
    ]  # fmt: skip
    script = (
        "import duckdb, json; con = duckdb.connect('evals/catalog.duckdb', read_only=True); "
        f"print(json.dumps(con.sql('{query}').fetchall()))"
    )
    plain = subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True, check=True).stdout
    assert [f"{job},{mean!r}" for job, mean in json.loads(plain)] == lines[1:]
