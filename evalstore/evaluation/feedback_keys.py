"""Under which keys a function scores, as far as its source says: an error is stored under the keys of the scores."""

from __future__ import annotations

import ast
import functools
import inspect
import textwrap
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["keys_in_source"]

_ONE = {"dict", "EvaluationResult"}  # calls that make one score, by the last part of their names
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def keys_in_source(function: Any) -> list[str]:
    """The keys written literally in what a function returns, in order; none where that cannot be seen."""
    while isinstance(function, functools.partial):
        function = function.func
    if not inspect.isroutine(function):
        function = inspect.getattr_static(function, "__call__", function)
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(function))))
    except (OSError, TypeError, SyntaxError, ValueError):
        return []  # no file, a builtin, or a lambda in the middle of an expression
    functions = [node for node in ast.walk(tree) if isinstance(node, _FUNCTIONS)]
    if not functions or (isinstance(functions[0], ast.Lambda) and len(functions) > 1):
        return []
    nodes = list(_own_nodes(functions[0]))
    assigned: dict[str, list[ast.expr]] = {}
    for node in nodes:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    assigned.setdefault(target.id, []).append(node.value)
    returned = [node.value for node in nodes if isinstance(node, ast.Return) and node.value is not None]
    if isinstance(functions[0], ast.Lambda):
        returned = [functions[0].body]
    return list(dict.fromkeys(key for value in returned for key in _keys(value, assigned)))


def _own_nodes(function: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function in order, but not those of functions inside it."""
    for node in ast.iter_child_nodes(function):
        yield node
        if not isinstance(node, _FUNCTIONS):
            yield from _own_nodes(node)


def _keys(value: ast.expr, assigned: dict[str, list[ast.expr]]) -> Iterator[str]:
    if isinstance(value, (ast.List, ast.Tuple)):
        for one in value.elts:
            yield from _keys(one, assigned)
    elif isinstance(value, ast.IfExp):
        yield from _keys(value.body, assigned)
        yield from _keys(value.orelse, assigned)
    elif isinstance(value, ast.Name):
        for one in assigned.get(value.id, ()):
            yield from _keys(one, {})  # one step, so that no name leads round in a circle
    else:
        fields = _fields(value)
        if "results" in fields:
            yield from _keys(fields["results"], assigned)
        key = fields.get("key")
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            yield key.value


def _fields(value: ast.expr) -> dict[str, ast.expr]:
    """The literal fields of a dict, or of a call that makes a score or several."""
    if isinstance(value, ast.Dict):
        pairs = zip(value.keys, value.values, strict=True)
        return {key.value: one for key, one in pairs if isinstance(key, ast.Constant) and isinstance(key.value, str)}
    if isinstance(value, ast.Call):
        name = getattr(value.func, "attr", getattr(value.func, "id", ""))
        if name in _ONE or name == "EvaluationResults":
            return {one.arg: one.value for one in value.keywords if one.arg is not None}
    return {}
