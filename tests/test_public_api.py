"""What `import evalstore` offers is what it says it offers, and all of it is explained."""

import importlib
import inspect
import pkgutil

import pytest

import evalstore

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(evalstore.__path__, "evalstore.")
    if not module.name.endswith("__main__")
)


@pytest.mark.parametrize("name", evalstore.__all__)
def test_every_public_name_resolves(name):
    assert getattr(evalstore, name) is not None


def test_the_public_names_are_all_there_is():
    assert len(set(evalstore.__all__)) == len(evalstore.__all__)
    assert sorted(name for name in dir(evalstore) if not name.startswith("_")) == sorted(
        name for name in evalstore.__all__ if not name.startswith("_")
    )


def test_a_name_that_does_not_exist_is_an_attribute_error():
    with pytest.raises(AttributeError, match="nonsense"):
        _ = evalstore.nonsense


def test_the_version_is_that_of_the_distribution():
    assert importlib.metadata.version("evalstore") == evalstore.__version__


def exported(module):
    """(qualified name, object) of what a module's `__all__` names and itself defines."""
    for name in getattr(module, "__all__", []):
        thing = getattr(module, name)
        if getattr(thing, "__module__", None) == module.__name__:
            yield f"{module.__name__}.{name}", thing


def members(name, thing):
    """The class or function itself, then the public methods and properties that it defines."""
    yield name, thing
    if inspect.isclass(thing):
        for member, value in vars(thing).items():
            if not member.startswith("_") and (
                inspect.isroutine(value) or isinstance(value, property | classmethod | staticmethod)
            ):
                yield f"{name}.{member}", value


@pytest.mark.parametrize("module", MODULES)
def test_all_names_of_a_module_resolve(module):
    loaded = importlib.import_module(module)
    assert [name for name in getattr(loaded, "__all__", []) if not hasattr(loaded, name)] == []


@pytest.mark.parametrize("module", MODULES)
def test_every_public_class_function_and_method_has_a_docstring(module):
    loaded = importlib.import_module(module)
    assert loaded.__doc__
    missing = [
        name
        for exported_name, thing in exported(loaded)
        if inspect.isclass(thing) or inspect.isroutine(thing)
        for name, value in members(exported_name, thing)
        if not inspect.getdoc(value)
    ]
    assert missing == []


def test_everything_public_is_defined_by_evalstore_and_explained():
    for name in evalstore.__all__:
        thing = getattr(evalstore, name)
        if not isinstance(thing, str):
            assert thing.__module__.startswith("evalstore.")
            assert inspect.getdoc(thing), name
