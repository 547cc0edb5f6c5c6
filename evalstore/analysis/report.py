"""A comparison as one HTML page that stands alone: it loads nothing from anywhere."""

from __future__ import annotations

import html
from importlib.resources import files
from typing import Any

from evalstore import json_text

__all__ = ["page"]

# What would end the script that holds the data, or begin a comment in it.
_ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def page(document: dict[str, Any], flips: list[dict[str, Any]], limit: int) -> str:
    """The text of the page: what `Comparison.to_dict` gives, and at most `limit` flips of each kind and metric."""
    counts: dict[tuple[str, ...], int] = {}
    for flip in flips:
        key = (flip["suite"], flip["metric"], flip["name"], flip["flip"])
        counts[key] = counts.get(key, 0) + 1
    is_cut = any(count >= limit for count in counts.values())
    text = json_text.dumps({**document, "flips": flips, "limit": limit, "is_cut": is_cut})[0]
    for character, escape in _ESCAPES.items():
        text = text.replace(character, escape)
    title = f"{document['baseline']['job']} and {document['candidate']['job']} compared"
    template = (files("evalstore.analysis") / "report.html").read_text(encoding="utf-8")
    before, _, after = template.partition("@DATA@")  # a job may be named @DATA@
    return before.replace("@TITLE@", html.escape(title)) + text + after
