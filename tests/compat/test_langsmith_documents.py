"""Every code block of two pages of LangSmith's documentation runs here; the only edit is what is imported from.

Functions that the pages leave to the reader (`my_function`, `target`) and their datasets are supplied below.
"""

import ast
import functools
import os
import re
import runpy
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import pytest

import evalstore
from evalstore.compat.langsmith import Client, aevaluate, evaluate, schemas
from evalstore.compat.langsmith import evaluation as langsmith_evaluation
from evalstore.evaluation import EvaluationResult, comparison_evaluator
from tests.compat.documents import SEEDS, bare_blocks, fenced_blocks, for_us
from tests.evaluation.objects import a_run, an_example

LOCAL_RESULTS = SEEDS / "000_c5d9f22ec1f2d0d5.txt"
EVALUATORS = SEEDS / "001_6038f4dd2f3fe3b8.txt"

pytestmark = pytest.mark.skipif(not SEEDS.exists(), reason="the documents are not there")


@functools.cache
def blocks_of(document):
    if not document.exists():
        return []
    text = document.read_text(encoding="utf-8")
    return [for_us(block) for block in (fenced_blocks(text) or bare_blocks(text))]


def block_with(document, text):
    [found] = [block for block in blocks_of(document) if text in block]
    return found


@pytest.fixture
def store(tmp_path, monkeypatch):
    """The store that a script finds when it names none, with the datasets of the documents."""
    monkeypatch.setenv("EVALSTORE", str(tmp_path / "evals"))
    with evalstore.open() as store:
        store.datasets.add(
            "MY_DATASET_NAME", [{"inputs": {"input": "MY INPUT"}, "outputs": {"output": "MY OUTPUT"}}] * 3
        )
        questions = {"2 + 2": "4", "3 + 3": "6"}
        store.datasets.add(
            "dataset",
            [{"inputs": {"question": asked}, "outputs": {"answer": answer}} for asked, answer in questions.items()],
        )
        yield store


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs a block as a script of its own and returns its names; `given` are those that it finds there."""
    monkeypatch.setitem(sys.modules, "langchain_openai", langchain_openai())
    count = iter(range(100))

    def run(block: str, **given: Any) -> dict[str, Any]:
        script = tmp_path / f"block_{next(count)}.py"
        script.write_text(block, encoding="utf-8")
        return runpy.run_path(str(script), given)

    return run


def langchain_openai() -> Any:
    """A module in the place of the real one: a model that knows sums, and embeddings that know letters."""
    module: Any = types.ModuleType("langchain_openai")

    class ChatOpenAI:
        def __init__(self, model):
            assert model == "gpt-4"

        def invoke(self, prompt):
            asked, actual = re.findall(r"(?:Question|Actual Answer): (.*)", prompt)
            is_correct = eval(asked) == int(actual)
            return types.SimpleNamespace(content="Yes" if is_correct else " no\n")

    class OpenAIEmbeddings:
        def embed_query(self, text):
            return [text.count(digit) + 0.0 for digit in "0123456789"]

    module.ChatOpenAI, module.OpenAIEmbeddings = ChatOpenAI, OpenAIEmbeddings
    return module


def adds(inputs):
    """Adds rightly, but for threes."""
    first, _, second = inputs["question"].split()
    return {"answer": str(int(first) + int(second) + (first == "3"))}


def scores(store, metric):
    return store.sql(
        "SELECT value, comment FROM row_scores WHERE metric = $metric ORDER BY row_index", metric=metric
    ).rows()


# How to read experiment results locally


def test_the_first_document_has_three_blocks():
    assert len(blocks_of(LOCAL_RESULTS)) == 3


def test_streamed_results_print_as_the_document_shows(store, run, capsys):
    run(block_with(LOCAL_RESULTS, "streamed_results"))
    printed = capsys.readouterr().out
    promised = re.search(r"This produces output like:\n\n```\n(.*?)```", LOCAL_RESULTS.read_text(), re.DOTALL)
    assert promised is not None
    # The page is older than the field `metadata`.
    shown = re.escape(promised[1]).replace(r"value=None,\ ", r"value=None,\ metadata=None,\ ")
    shown = re.sub(r"score=1", "score=[01]", shown)
    shown = re.sub(r"UUID\\\('[^']*'\\\)", r"UUID\\('[0-9a-f-]{36}'\\)", shown)
    assert re.fullmatch(f"(?:{shown}){{3}}", printed), printed


def test_batch_processing_runs_on_what_the_first_block_has_left(store, run, capsys):
    first = run(block_with(LOCAL_RESULTS, "streamed_results"))
    capsys.readouterr()
    left = {name: first[name] for name in ("client", "target", "evaluator")}
    run(block_with(LOCAL_RESULTS, "blocking=True"), dataset="MY_DATASET_NAME", **left)
    lines = capsys.readouterr().out.splitlines()
    assert lines[::3] == ["Input: {'input': 'MY INPUT'}"] * 3
    assert lines[1::3] == ["Output: {'output': 'MY OUTPUT'}"] * 3
    assert all(re.fullmatch(r"  randomness: [01]", line) for line in lines[2::3])
    assert len(lines) == 9


def quality_gate(tmp_path, store, wanted):
    """The quality-gate script as a process of its own, on examples of which these answers are expected."""
    expected = [{} if one is None else {"expected": one} for one in wanted]
    store.datasets.add(
        "my_test_dataset", [{"inputs": {"question": at}, "outputs": one} for at, one in enumerate(expected)]
    )
    return as_process(tmp_path, block_with(LOCAL_RESULTS, "average_accuracy"))


def as_process(tmp_path, code):
    """Code as a script in a process of its own."""
    script = tmp_path / "script.py"
    script.write_text(code, encoding="utf-8")
    path = os.pathsep.join([str(Path(evalstore.__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.run(
        [sys.executable, str(script)],
        env={**os.environ, "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def test_the_quality_gate_passes(tmp_path, store):
    done = quality_gate(tmp_path, store, ["..."] * 9 + ["other"])
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["Average accuracy: 90.00%", "✅ Evaluation passed!"]


def test_the_quality_gate_fails(tmp_path, store):
    done = quality_gate(tmp_path, store, ["..."] * 4 + ["other"])
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "Average accuracy: 80.00%",
        "❌ Evaluation failed! Accuracy below 85% threshold.",
    ]


def test_a_row_without_a_score_stops_the_quality_gate(tmp_path, store):
    done = quality_gate(tmp_path, store, ["..."] * 9 + [None])
    assert done.returncode == 1
    assert "TypeError: unsupported operand type(s) for +=: 'int' and 'NoneType'" in done.stderr
    assert "passed" not in done.stdout
    [(status, error)] = store.sql("SELECT status, error FROM row_scores WHERE value IS NULL").rows()
    assert (status, "KeyError" in error) == ("error", True)


NO_NETWORK = """
import sys

def refuse(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "socket.bind"):
        raise PermissionError(f"{event} {arguments}")

sys.addaudithook(refuse)
"""
EVERYWHERE = """
import asyncio
from evalstore.compat.langsmith import Client, aevaluate, evaluate

async def answer(inputs):
    return {"answer": inputs["question"]}

async def judge(outputs):
    return 1.0

def several(runs, examples):
    return len(runs)

given = dict(data="dataset", evaluators=[judge], summary_evaluators=[several], upload_results=True, max_concurrency=2)
assert len(evaluate(answer, **given)) == 2
assert len(asyncio.run(aevaluate(answer, **given))) == 2
assert len(Client("https://example.invalid", api_key="key").evaluate(lambda inputs: inputs, **given)) == 2
"""


@pytest.mark.parametrize("script", ["the gate", "every call"])
def test_nothing_reaches_for_the_network(tmp_path, store, script):
    store.datasets.add("my_test_dataset", [{"inputs": {}, "outputs": {"expected": "..."}}])
    code = block_with(LOCAL_RESULTS, "average_accuracy") if script == "the gate" else EVERYWHERE
    done = as_process(tmp_path, NO_NETWORK + code)
    assert done.returncode == 0, done.stderr
    assert "PermissionError" not in done.stderr


def test_the_network_would_be_noticed(tmp_path, store):
    done = as_process(tmp_path, NO_NETWORK + "import socket; socket.create_connection(('127.0.0.1', 9))")
    assert "PermissionError: socket." in done.stderr


# The reference page on evaluators


def test_the_second_document_has_eighteen_blocks_and_all_run(store, run):
    blocks = blocks_of(EVALUATORS)
    assert len(blocks) == 18
    names: dict[str, Any] = {"my_function": adds, "target": adds, "run_a": a_run(), "run_b": a_run()}
    for block in blocks:
        names |= run(block, **{name: value for name, value in names.items() if not name.startswith("__")})
    made = {name for name, value in names.items() if getattr(value, "__module__", "") == "<run_path>"}
    assert {"MyEvaluator", "multi_metric_evaluator", "llm_judge", "summary_stats", "preference_evaluator"} <= made


def test_an_evaluator_class_of_two_arguments_scores_every_row(store, run):
    evaluator = run(block_with(EVALUATORS, "class MyEvaluator"))["MyEvaluator"]()
    evaluate(adds, data="dataset", evaluators=[evaluator])
    assert scores(store, "accuracy") == [
        (1.0, "Prediction: 4, Reference: 4"),
        (0.0, "Prediction: 7, Reference: 6"),
    ]


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("score=0.85", {"key": "accuracy", "score": 0.85}),
        ('value="good"', {"key": "category", "value": "good"}),
        ("Highly relevant", {"key": "relevance", "score": 0.9, "comment": "Highly relevant, minor detail missing"}),
        ("evaluator_version", {"metadata": {"evaluator_version": "2.0", "confidence": 0.99}}),
        ("correct_answer", {"correction": {"correct_answer": "42"}, "score": 0.0}),
        ("ExactMatchEvaluator", {"evaluator_info": {"name": "ExactMatchEvaluator", "version": "1.0"}}),
        ("feedback_config", {"key": "rating", "score": 4}),
    ],
    ids=range(7),
)
def test_each_field_of_a_result_is_kept(text, fields):
    expression = ast.parse(block_with(EVALUATORS, text), mode="eval")
    result = eval(compile(expression, "block", "eval"), {"EvaluationResult": langsmith_evaluation.EvaluationResult})
    assert isinstance(result, EvaluationResult)
    assert {name: getattr(result, name) for name in fields} == fields


def test_a_rating_with_categories_becomes_a_metric_with_a_rubric(store):
    rating = eval(block_with(EVALUATORS, "feedback_config"), {"EvaluationResult": EvaluationResult})
    results = evaluate(adds, data="dataset", evaluators=[lambda run: rating])
    assert scores(store, "rating") == [(4.0, None)] * 2
    [suite] = store.show(results.experiment_name)["suites"]
    assert [metric["metric"] for metric in suite["metrics"]] == ["rating"]


def test_several_metrics_of_one_evaluator_are_stored_each(store, run):
    evaluator = run(block_with(EVALUATORS, "def multi_metric_evaluator"))["multi_metric_evaluator"]
    evaluate(adds, data="dataset", evaluators=[evaluator])
    for metric, value in {"accuracy": 0.9, "latency": 1.2, "cost": 0.001}.items():
        assert scores(store, metric) == [(value, None)] * 2


def test_a_decorated_evaluator_is_used_in_evaluate(store, run):
    run(block_with(EVALUATORS, "my_function"), my_function=adds)
    assert [value for value, _ in scores(store, "accuracy")] == [1.0, 0.0]


def test_the_options_of_signatures(store, run):
    decorator = {"run_evaluator": langsmith_evaluation.run_evaluator, "EvaluationResult": EvaluationResult}
    names = run(block_with(EVALUATORS, "def eval_detailed"), **decorator)
    evaluators = [names[name] for name in ("eval_run", "eval_with_example", "eval_detailed")]
    evaluate(adds, data="dataset", evaluators=evaluators)
    for metric, value in {"score": 1.0, "accuracy": 0.9, "match": 1.0}.items():
        assert scores(store, metric) == [(value, None)] * 2


def test_a_comparison_gives_a_score_to_each_run(run):
    names = run(block_with(EVALUATORS, "def preference_evaluator"))
    runs = [a_run(), a_run()]
    compared = comparison_evaluator(names["preference_evaluator"]).compare_runs(runs, an_example())
    assert compared.scores == {runs[0].id: 1.0, runs[1].id: 0.0}
    assert compared.comment == "Run A is more concise"
    expression = ast.parse(block_with(EVALUATORS, "Better formatting"), mode="eval")
    given = {**names, "run_a": runs[0], "run_b": runs[1]}
    commented = eval(compile(expression, "block", "eval"), given)
    assert commented.comment == {runs[0].id: "Better formatting", runs[1].id: "Too verbose"}


def test_a_model_judges(store, run):
    evaluator = run(block_with(EVALUATORS, "def llm_judge"))["llm_judge"]
    evaluate(adds, data="dataset", evaluators=[evaluator])
    assert scores(store, "llm_correctness") == [(1.0, "LLM judge: Yes"), (0.0, "LLM judge:  no\n")]


def test_times_of_the_run_can_be_scored(store, run):
    evaluator = run(block_with(EVALUATORS, "def comprehensive_evaluator"))["comprehensive_evaluator"]
    evaluate(adds, data="dataset", evaluators=[evaluator])
    assert [value for value, _ in scores(store, "exact_match")] == [1.0, 0.0]
    assert scores(store, "length_diff") == [(0.0, None)] * 2
    assert all(0 <= value < 10 for value, _ in scores(store, "latency_seconds"))


def test_embeddings_are_compared(store, run):
    evaluator = run(block_with(EVALUATORS, "def embedding_similarity"))["embedding_similarity"]
    evaluate(adds, data="dataset", evaluators=[evaluator])
    assert [round(value, 9) for value, _ in scores(store, "embedding_similarity")] == [1.0, 0.0]


def test_a_summary_evaluator_that_returns_a_list_of_results_is_stored(store, run):
    run(block_with(EVALUATORS, "def summary_stats"), target=adds, evaluate=evaluate)
    found = dict(store.sql("SELECT metric, value FROM job_scores").rows())
    assert found["success_rate"] == 1.0
    assert 0 <= found["avg_latency"] < 10


# The import paths


def test_the_paths_lead_to_the_same_objects():
    assert evaluate is evalstore.evaluation.evaluate
    assert aevaluate is evalstore.evaluation.aevaluate
    assert schemas.Run is evalstore.evaluation.Run
    assert schemas.Example is evalstore.evaluation.Example
    for name in langsmith_evaluation.__all__:
        if name != "evaluator":
            assert getattr(langsmith_evaluation, name) is getattr(evalstore.evaluation, name)
    for name in langsmith_evaluation.evaluator.__all__:
        assert getattr(langsmith_evaluation.evaluator, name) is getattr(evalstore.evaluation, name)


def test_a_client_takes_what_a_connection_needs_and_may_name_a_store(tmp_path):
    with evalstore.open(tmp_path / "mine") as store:
        client = Client("https://example.invalid", api_key="secret", store=store)
        results = client.evaluate(adds, data=[{"inputs": {"question": "1 + 1"}}], evaluators=[lambda run: 1.0])
        assert store.has_job(results.experiment_name)


def test_what_a_client_cannot_do_without_a_server_is_said():
    with pytest.raises(AttributeError, match=r"there is no server behind it.*store\.datasets\.add"):
        Client().create_dataset("name")
