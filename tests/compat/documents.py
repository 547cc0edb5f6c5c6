"""The code blocks of a document, as they stand there."""

import ast
import re
from pathlib import Path

SEEDS = Path(__file__).parents[3] / "shared/seeds"
_FENCED = re.compile(r"^```python[^\n]*\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def fenced_blocks(text):
    return _FENCED.findall(text)


def bare_blocks(text):
    """Code in a page that was saved without its marks: the longest runs of lines that are statements of Python.

    Words that stand alone on a line are Python too, so a block holds imports, definitions, assignments and calls only.
    """
    lines = text.splitlines()
    blocks, at = [], 0
    while at < len(lines):
        ends = (end for end in range(len(lines), at, -1) if _is_code(lines[at:end]))
        end = next(ends, None) if _may_begin(lines[at]) else None
        if end is not None:
            blocks.append("\n".join(lines[at:end]).rstrip() + "\n")
        at = end or at + 1
    return blocks


def _may_begin(line):
    return re.match(r"[A-Za-z_@#]", line) is not None


def _is_code(lines):
    if not lines[-1].strip():
        return False
    try:
        statements = ast.parse("\n".join(lines)).body
    except SyntaxError:
        return False
    return bool(statements) and all(
        not isinstance(one, ast.Expr) or isinstance(one.value, ast.Call) for one in statements
    )


def for_us(block):
    """The one edit: what is imported from."""
    return re.sub(r"^(\s*(?:from|import) )langsmith\b", r"\1evalstore.compat.langsmith", block, flags=re.MULTILINE)
