"""The page of `evalstore compare`: what is paired, what changed, and which rows flipped."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from evalstore import json_text
from evalstore.cli import values
from evalstore.cli.blocks import Column, Fields, Heading, Sentence, Table
from evalstore.cli.pages.wording import measure, name_of, number, numbers, phrases, signed, texts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evalstore.cli.blocks import Block

__all__ = ["compare_page", "flips_page", "flips_table", "p_text"]

FIELDS_SHOWN = 8  # of an item
SMALLEST_P = 0.0001
ONE_SIDED = ("lowest", "highest", "in error")  # what a gate shows of one job alone


def compare_page(document: dict[str, Any]) -> Iterator[Block]:
    """How the rows are paired, a line per metric and, where asked for, one per slice."""
    baseline, candidate = document["baseline"], document["candidate"]
    yield Heading(f"{baseline['job']} -> {candidate['job']}", _told(document))
    yield Fields([(_suite(line), paired(line)) for line in document["rows"]])
    for warning in document["warnings"]:
        yield Sentence(f"Warning: {warning}")
    yield _metrics(document["metrics"], document)
    for (suite, _, _), lines in groupby(document["slices"], itemgetter("suite", "metric", "name")):
        measured = list(lines)
        where = document["by"] + ("" if suite == "default" else f" · {suite}")
        yield Heading(name_of(measured[0]), f"by {where}")
        yield _metrics(measured, document)
    one_sided = [line for line in document["not_compared"] if line["only_in"]]  # warnings tell of the others
    if one_sided:
        names = [f"{_full_name(line)} (only in the {line['only_in']})" for line in one_sided]
        yield Sentence("Not compared: " + ", ".join(names))


def paired(line: dict[str, Any]) -> str:
    """How the rows of a suite came together."""
    parts = [
        f"{line['paired']:,} paired", f"{line['only_in_baseline']:,} only in the baseline",
        f"{line['only_in_candidate']:,} only in the candidate",
    ]  # fmt: skip
    parts += [f"{line['changed']:,} with other content left out"] if line["changed"] else []
    parts += [f"{line['either_failed']:,} failed in either"] if line["either_failed"] else []
    return ", ".join(parts)


def _told(document: dict[str, Any]) -> str:
    parts = [f"differences with {document['confidence']:.0%} intervals"]
    parts += [f"errors count as {document['errors']}"] if document["errors"] != "exclude" else []
    parts += [f"clustered by {document['cluster']}"] if document["cluster"] else []
    return " · ".join(parts)


def _suite(line: dict[str, Any]) -> str:
    return "rows" if line["suite"] == "default" else f"rows of {line['suite']}"


def _metrics(lines: list[dict[str, Any]], document: dict[str, Any]) -> Table:
    correction = {"holm": "p (Holm)", "bh": "p (BH)", "none": "p"}[document["correction"]]
    has_margin = any("margin" in line for line in lines)
    columns = [
        texts("slice", lines, lambda line: line["slice"] or "-") if "slice" in (lines or [{}])[0] else None,
        texts("metric", lines, _full_name) if "slice" not in (lines or [{}])[0] else None,
        numbers("baseline", lines, "baseline_mean"),
        numbers("candidate", lines, "candidate_mean"),
        numbers("difference", lines, "difference", say=signed),
        phrases("interval", lines, _interval),
        numbers(correction, lines, "p_adjusted", say=p_text),
        phrases("change", lines, "change"),
        phrases("margin", lines, _margin) if has_margin else None,
        phrases("flips", lines, lambda line: f"+{line['improved']} -{line['regressed']}", spare=1),
        _errors(lines),
        phrases("test", lines, "test", spare=3),
        numbers("effect", lines, "effect_size", spare=5, say=signed),
        numbers("detectable", lines, "mde", spare=4),
        phrases("scored", lines, _scored) if "slice" not in (lines or [{}])[0] else None,
        numbers("rows", lines, "paired", say=str) if "slice" in (lines or [{}])[0] else None,
    ]
    return Table([column for column in columns if column is not None])


def _errors(lines: list[dict[str, Any]]) -> Column | None:
    if not any(line["in_error"] for line in lines):
        return None
    return phrases("errors", lines, lambda line: f"+{line['newly_in_error']} -{line['recovered']}", spare=1)


def _full_name(line: dict[str, Any]) -> str:
    return name_of(line) if line["suite"] == "default" else f"{line['suite']}/{name_of(line)}"


def _interval(line: dict[str, Any]) -> str | None:
    return None if line["low"] is None else f"[{signed(line['low'])}, {signed(line['high'])}]"


def _margin(line: dict[str, Any]) -> str | None:
    if line["noninferior"] is None:
        return None
    return f"within {measure(line['margin'])}" if line["noninferior"] else f"not within {measure(line['margin'])}"


def _scored(line: dict[str, Any]) -> str:
    """How many rows are scored on either side; once where it is the same."""
    sides = [f"{line[f'{side}_scored']} of {line[f'{side}_rows']}" for side in ("baseline", "candidate")]
    return " / ".join(dict.fromkeys(sides))


def p_text(p: float) -> str | None:
    """A p value: four decimals, and no zero."""
    return f"<{SMALLEST_P}" if p < SMALLEST_P else number(p)


def flips_page(flips: list[dict[str, Any]]) -> Iterator[Block]:
    """The rows that flipped, both outputs side by side."""
    if not flips:
        yield Sentence("(no rows flipped so)")
    for (suite, _, _, flip), lines in groupby(flips, itemgetter("suite", "metric", "name", "flip")):
        found = list(lines)
        yield Heading(f"{flip.capitalize()}: {name_of(found[0])}", "" if suite == "default" else suite)
        for line in found:
            has_both = line["flip"] not in ONE_SIDED
            change = (f"{_value(line['baseline_value'])} -> " if has_both else "") + _value(line["candidate_value"])
            yield Heading(str(line["row_key"]), change, level=2)
            yield Fields(list(_pairs(line)) or [("item", "-")], is_cut=True, indent=2)


def flips_table(flips: list[dict[str, Any]]) -> Table:
    """The same, a line per row."""
    lines = [line | dict(_pairs(line)) for line in flips]
    fields = list(dict.fromkeys(name for line in flips for name, _ in _pairs(line)))
    return Table(
        [
            phrases("flip", lines, "flip"),
            texts("metric", lines, _full_name),
            phrases("row", lines, "row_key"),
            numbers("baseline", lines, "baseline_value", say=measure),
            numbers("candidate", lines, "candidate_value", say=measure),
            *(Column(field, [line.get(field) for line in lines]) for field in fields),
        ]
    )


def _value(value: float | None) -> str:
    return measure(value) or "-"


def _pairs(line: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield from _document("item", line["item"])
    yield from _document("reference", line["reference"])
    for side in ("baseline", "candidate"):
        yield from _document(side, line[f"{side}_sample"])
        for part in ("comment", "error"):
            if line[f"{side}_{part}"]:
                yield f"{side} {part}", " ".join(line[f"{side}_{part}"].split())


def _document(part: str, text: str | None) -> Iterator[tuple[str, str]]:
    document = json_text.loads(text) if text else None
    if not isinstance(document, dict):
        document = {} if document is None else {"": document}
    for name, value in list(document.items())[:FIELDS_SHOWN]:
        yield f"{part}.{name}" if name else part, " ".join((values.text(value) or "-").split())
