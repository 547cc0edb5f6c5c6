"""What a FeedbackConfig says of a metric, as a declaration."""

from __future__ import annotations

import math
from typing import Any

__all__ = ["declaration"]


def declaration(config: Any) -> dict[str, Any] | None:
    """The fields of a metric's declaration; None where the config says nothing that one could hold.

    `continuous` gives minimum and maximum, `categorical` a rubric. Nothing is refused: the config stays with its score.
    """
    if not isinstance(config, dict):
        return None
    if config.get("type") == "continuous":
        return _range(config.get("min"), config.get("max"))
    if config.get("type") == "categorical":
        return _rubric(config.get("categories"))
    return None


def _range(minimum: Any, maximum: Any) -> dict[str, Any] | None:
    bounds = {name: bound for name, bound in (("minimum", minimum), ("maximum", maximum)) if _is_number(bound)}
    if not bounds or (len(bounds) > 1 and minimum >= maximum):
        return None
    return {"score_type": "range", **bounds}


def _rubric(categories: Any) -> dict[str, Any] | None:
    steps = []
    for one in categories if isinstance(categories, (list, tuple)) else ():
        given = one if isinstance(one, dict) else getattr(one, "__dict__", {})
        value, label = given.get("value"), given.get("label")
        if label is None and _is_number(value):
            label = f"{value:g}"
        if not isinstance(label, str) or not label:
            return None
        steps.append({"label": label, "value": value if _is_number(value) else None})
    if not steps or len({step["label"] for step in steps}) < len(steps):
        return None
    return {"score_type": "rubric", "rubric": steps}


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
