"""The words that questions take."""

from __future__ import annotations

from typing import Literal

__all__ = ["Baseline", "Errors", "Kind", "Order"]

Baseline = Literal["previous", "first_in_window", "window_mean", "job"]
Errors = Literal["exclude", "zero", "worst"]
Order = Literal["worst", "best"]
Kind = Literal["job", "dataset", "model", "group", "tag", "suite", "metric", "name", "interrupted"]
