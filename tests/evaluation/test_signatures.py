"""How evaluators, summary evaluators, comparison evaluators and targets are called."""

import functools
import inspect

import pytest

from evalstore.errors import InvalidEvaluator, UsageError
from evalstore.evaluation import comparison_evaluator, run_evaluator, signatures
from evalstore.evaluation.evaluators import as_evaluator
from evalstore.evaluation.summary import as_summary_evaluator
from tests.evaluation.objects import a_run, an_example

RUN = a_run(inputs={"q": "of the run"}, outputs={"a": 1})
EXAMPLE = an_example(
    inputs={"q": "of the example"}, outputs={"a": 2}, metadata={"m": 3}, attachments={"file": {"mime_type": "text"}}
)
NAMES = "run, example, inputs, outputs, reference_outputs and attachments"


def called(binding, *subjects):
    """What the function was called with, each object by its name."""
    known = [
        ("RUN", RUN),
        ("EXAMPLE", EXAMPLE),
        ("inputs", EXAMPLE.inputs),
        ("outputs", RUN.outputs),
        ("reference", EXAMPLE.outputs),
        ("files", EXAMPLE.attachments),
        ("metadata", EXAMPLE.metadata),
        ("run.inputs", RUN.inputs),
    ]

    def shown(value):
        if isinstance(value, tuple):
            return tuple(map(shown, value))
        return next((name for name, one in known if value is one or (value and value == one)), value)

    return shown(binding(*subjects))


def function(parameters):
    """`def f(PARAMETERS)`, which returns its arguments in the order of its parameters."""
    names = [name.strip("* ").partition("=")[0] for name in parameters.split(",") if name.strip(" */")]
    return eval(f"lambda {parameters}: ({', '.join(names)}{',' if names else ''})")


@pytest.mark.parametrize(
    ("parameters", "arguments"),
    [
        ("run", ("RUN",)),
        ("example", ("EXAMPLE",)),
        ("inputs", ("inputs",)),
        ("attachments", ("files",)),
        ("run, example", ("RUN", "EXAMPLE")),
        ("example, run", ("EXAMPLE", "RUN")),
        ("outputs, inputs", ("outputs", "inputs")),
        ("inputs, outputs, reference_outputs", ("inputs", "outputs", "reference")),
        ("*, inputs, outputs", ("inputs", "outputs")),
        ("run, *, reference_outputs", ("RUN", "reference")),
        ("inputs, outputs, /", ("inputs", "outputs")),
        ("inputs, outputs=None", ("inputs", "outputs")),
        ("inputs, threshold=0.5", ("inputs", 0.5)),
        ("threshold=0.5, /, run=None", (0.5, "RUN")),
        ("outputs, **rest", ("outputs", {})),
        # By place
        ("foo, bar", ("RUN", "EXAMPLE")),
        ("foo, bar, /", ("RUN", "EXAMPLE")),
        ("foo, bar, baz=3", ("RUN", "EXAMPLE", 3)),
        ("run, foo", ("RUN", "EXAMPLE")),
        ("foo, example", ("RUN", "EXAMPLE")),
        ("foo, *rest", ("RUN", ("EXAMPLE",))),
        ("run, *rest", ("RUN", ("EXAMPLE",))),
        # The original calls these wrongly, or not at all
        ("run, *, example", ("RUN", "EXAMPLE")),
        ("*, run, example", ("RUN", "EXAMPLE")),
        ("inputs, *rest", ("inputs", ())),
        ("foo, bar, *, outputs", ("RUN", "EXAMPLE", "outputs")),
        ("foo, bar, outputs=None", ("RUN", "EXAMPLE", "outputs")),
        ("run, example, outputs, *rest", ("RUN", "EXAMPLE", "outputs", ())),
    ],
)
def test_an_evaluator_is_given_what_it_names(parameters, arguments):
    assert called(signatures.bind_evaluator(function(parameters)), RUN, EXAMPLE) == arguments


@pytest.mark.parametrize(
    "parameters",
    [
        "",
        "foo",
        "*rest",
        "**rest",
        "*rest, **more",
        "foo, bar=3",
        "foo, bar, baz",
        "self_, run, example",
        # The original binds these wrongly and says nothing
        "inputs, foo",
        "foo, inputs",
        "foo, run",
        "example, foo",
        "outputs, expected",
        "foo=1",
        "*, foo, bar",
        "foo, *, bar",
        "foo, *, example",
        "foo, bar=3, *rest",
    ],
)
def test_an_evaluator_that_could_only_be_called_wrongly_is_refused(parameters):
    refused = function(parameters)
    for make in (run_evaluator, as_evaluator):
        with pytest.raises(ValueError, match=r"Invalid evaluator function\. Must have at least one argument") as caught:
            make(refused)
        assert NAMES in str(caught.value)
        assert str(inspect.signature(refused)) in str(caught.value)


@pytest.mark.parametrize("given", ["accuracy", None, 5, {"key": "a"}])
def test_what_is_not_callable_is_no_evaluator(given):
    with pytest.raises(TypeError, match="is not callable"):
        as_evaluator(given)


def test_a_function_without_a_visible_signature_is_refused():
    with pytest.raises(InvalidEvaluator, match="wrap it in a function"):
        run_evaluator(type)


def test_without_an_example_there_are_empty_dicts():
    binding = signatures.bind_evaluator(function("example, inputs, reference_outputs, attachments"))
    assert binding(RUN, None) == (None, {}, {}, {})
    assert signatures.bind_evaluator(function("outputs"))(a_run(outputs=None), None) == ({},)


def test_objects_need_only_the_fields_that_are_asked_for():
    class Plain:
        outputs = {"a": 1}  # noqa: RUF012

    assert signatures.bind_evaluator(function("outputs, reference_outputs"))(Plain(), Plain()) == ({"a": 1}, {"a": 1})
    assert signatures.bind_evaluator(function("inputs, attachments"))(Plain(), Plain()) == ({}, {})


class Accuracy:
    def __call__(self, outputs, reference_outputs):
        return outputs, reference_outputs

    def method(self, foo, bar):
        return foo, bar

    @classmethod
    def of_class(cls, run, example):
        return run, example

    @staticmethod
    def static(inputs):
        return inputs


class Waits:
    async def __call__(self, run, example):
        return run, example


def with_extra(prefix, run, example):
    return prefix, run, example


async def waits(run, example):
    return run, example


def plain(run, example):
    return run, example


@functools.wraps(plain)
def wrapped(*args, **kwargs):
    return plain(*args, **kwargs)


@pytest.mark.parametrize(
    ("callable_", "arguments", "name"),
    [
        (Accuracy(), ("outputs", "reference"), "Accuracy"),
        (Accuracy().method, ("RUN", "EXAMPLE"), "method"),
        (Accuracy.of_class, ("RUN", "EXAMPLE"), "of_class"),
        (Accuracy.static, "inputs", "static"),
        (functools.partial(with_extra, "x"), ("x", "RUN", "EXAMPLE"), "with_extra"),
        (functools.partial(functools.partial(with_extra, "x")), ("x", "RUN", "EXAMPLE"), "with_extra"),
        (functools.partial(with_extra, prefix="x"), ("x", "RUN", "EXAMPLE"), "with_extra"),
        (functools.partial(Accuracy()), ("outputs", "reference"), "Accuracy"),
        (wrapped, ("RUN", "EXAMPLE"), "plain"),
        (lambda run: run, "RUN", "<lambda>"),
    ],
    ids=range(10),
)
def test_anything_callable_is_bound_and_has_a_name(callable_, arguments, name):
    binding = signatures.bind_evaluator(callable_)
    assert called(binding, RUN, EXAMPLE) == arguments
    assert (binding.name, binding.is_async) == (name, False)


@pytest.mark.parametrize(
    "callable_", [waits, functools.partial(waits), Waits(), functools.partial(Waits()), Waits().__call__], ids=range(5)
)
def test_what_is_asynchronous_is_known_to_be(callable_):
    assert signatures.bind_evaluator(callable_).is_async


# Summary evaluators


@pytest.mark.parametrize(
    ("parameters", "arguments"),
    [
        ("runs", ([RUN],)),
        ("runs, examples", ([RUN], [EXAMPLE])),
        ("examples, runs", ([EXAMPLE], [RUN])),
        ("outputs, reference_outputs", ([RUN.outputs], [EXAMPLE.outputs])),
        ("inputs, outputs, reference_outputs", ([EXAMPLE.inputs], [RUN.outputs], [EXAMPLE.outputs])),
        ("*, runs, outputs", ([RUN], [RUN.outputs])),
        ("foo, bar", ([RUN], [EXAMPLE])),
        ("foo, bar, baz=3", ([RUN], [EXAMPLE], 3)),
        # The original gives runs and examples to this one
        ("outputs, reference_outputs, threshold=0.5", ([RUN.outputs], [EXAMPLE.outputs], 0.5)),
    ],
)
def test_a_summary_evaluator_is_given_what_it_names(parameters, arguments):
    assert signatures.bind_summary(function(parameters))([RUN], [EXAMPLE]) == arguments


@pytest.mark.parametrize("parameters", ["", "foo", "run", "a, b, c", "outputs, foo", "foo, runs", "*rest", "foo=1"])
def test_a_summary_evaluator_that_could_only_be_called_wrongly_is_refused(parameters):
    with pytest.raises(ValueError, match=r"Invalid summary evaluator function.*runs, examples, inputs, outputs and"):
        as_summary_evaluator(function(parameters))


# Comparison evaluators


@pytest.mark.parametrize(
    ("parameters", "arguments"),
    [
        ("runs", ([RUN, RUN],)),
        ("runs, example", ([RUN, RUN], EXAMPLE)),
        ("foo, bar", ([RUN, RUN], EXAMPLE)),
        ("inputs, outputs, reference_outputs", (EXAMPLE.inputs, [RUN.outputs] * 2, EXAMPLE.outputs)),
    ],
)
def test_a_comparison_evaluator_is_given_what_it_names(parameters, arguments):
    assert signatures.bind_comparison(function(parameters))([RUN, RUN], EXAMPLE) == arguments


@pytest.mark.parametrize("parameters", ["", "foo", "run", "a, b, c", "outputs, foo"])
def test_a_comparison_evaluator_that_could_only_be_called_wrongly_is_refused(parameters):
    with pytest.raises(ValueError, match="Invalid comparison evaluator function"):
        comparison_evaluator(function(parameters))


# Targets


@pytest.mark.parametrize(
    ("parameters", "arguments"),
    [
        ("inputs", ("inputs",)),
        ("question", ("inputs",)),
        ("question, /", ("inputs",)),
        ("question=None", ("inputs",)),
        ("question, config=3", ("inputs", 3)),
        ("question, *rest", ("inputs", ())),
        ("question, **rest", ("inputs", {})),
        ("metadata", ("metadata",)),
        ("inputs, metadata", ("inputs", "metadata")),
        ("metadata, inputs, attachments", ("metadata", "inputs", "files")),
        ("inputs, attachments=None", ("inputs", "files")),
        # The original refuses these, or calls them with too little
        ("*, inputs", ("inputs",)),
        ("question, *, metadata", ("inputs", "metadata")),
        ("question, metadata=None", ("inputs", "metadata")),
    ],
)
def test_a_target_is_given_what_it_names(parameters, arguments):
    assert called(signatures.bind_target(function(parameters)), EXAMPLE) == arguments


@pytest.mark.parametrize(
    "parameters", ["", "*rest", "**rest", "foo, bar", "inputs, foo", "foo, metadata", "*, foo", "inputs, metadata, foo"]
)
def test_a_target_that_could_only_be_called_wrongly_is_refused(parameters):
    with pytest.raises(UsageError, match=r"Invalid target function.*inputs, attachments and metadata"):
        signatures.bind_target(function(parameters))


def test_a_target_cannot_change_its_example():
    def target(inputs):
        inputs["messages"].append("more")
        inputs["messages"][0]["text"] = "changed"
        inputs.clear()

    example = an_example(inputs={"messages": [{"text": "first"}]})
    signatures.bind_target(target)(example)
    assert example.inputs == {"messages": [{"text": "first"}]}


def test_an_object_with_invoke_is_a_target():
    class Chain:
        def invoke(self, given):
            return {"given": given}

    class Waits:
        async def invoke(self, given):
            return given

    assert signatures.bind_target(Chain())(EXAMPLE) == {"given": EXAMPLE.inputs}
    assert signatures.bind_target(Waits()).is_async
    with pytest.raises(UsageError, match="not callable"):
        signatures.bind_target("my-app")
