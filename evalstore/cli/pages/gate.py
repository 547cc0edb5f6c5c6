"""What `evalstore gate` shows: to people, to pull requests, to test reporters and to GitHub."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from evalstore.cli.blocks import Heading, Sentence, Table
from evalstore.cli.pages.compare import flips_page, flips_table
from evalstore.cli.pages.wording import phrases, texts
from evalstore.cli.values import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evalstore.analysis.verdict import RuleVerdict, Verdict
    from evalstore.cli.blocks import Block

__all__ = ["gate_page", "github_commands", "junit", "junit_of_error"]


def gate_page(verdict: Verdict, *, is_markdown: bool = False) -> Iterator[Block]:
    """The outcome, every rule, and the rows that lost most."""
    against = f"against {verdict.baseline} ({', '.join(verdict.baseline_jobs)})" if verdict.baseline_jobs else ""
    outcome, _, counts_as = verdict.said.partition(", ")
    yield Heading(f"{outcome.upper()}{', ' if counts_as else ''}{counts_as}  {verdict.job}", against)
    if verdict.outcome != "pass":
        yield Sentence(verdict.message)
    for warning in verdict.warnings:
        yield Sentence(f"Warning: {warning}")
    lines = [_line(rule) for rule in [*verdict.failures, *(r for r in verdict.rules if r not in verdict.failures)]]
    yield Table([phrases("verdict", lines, "outcome"), phrases("rule", lines, "rule"), texts("what", lines, "message")])
    lost = [line for line in verdict.worst_rows if line["difference"] is not None or line["flip"] == "newly in error"]
    worst = [line for line in verdict.worst_rows if line not in lost]
    for heading, rows in (("The rows that lost most", lost), ("The worst rows", worst)):
        if rows:
            yield Heading(heading)
            yield from [flips_table(rows)] if is_markdown else flips_page(rows)


def _line(rule: RuleVerdict) -> dict[str, Any]:
    advice = "" if rule.counts else " (advice)"
    return {"outcome": f"{rule.outcome}{advice}", "rule": rule.rule, "message": rule.message}


def junit(verdict: Verdict) -> str:
    """The rules as test cases of JUnit's XML. Only a pass passes; skipped is advice, and what the user lets pass."""
    cases = verdict.rules
    is_let_pass = verdict.inconclusive_as == "pass"
    failed = [rule for rule in verdict.failures if rule.outcome != "broken" and not is_let_pass]
    broken = [rule for rule in verdict.failures if rule.outcome == "broken"]
    advice = [rule for rule in cases if not rule.counts and rule.outcome != "pass"]
    skipped = [*advice, *verdict.failures] if is_let_pass else advice
    is_unjudged = verdict.outcome != "pass" and not verdict.failures
    counts: dict[str, Any] = {
        "tests": str(len(cases) + is_unjudged), "failures": str(len(failed) + is_unjudged), "errors": str(len(broken)),
        "skipped": str(len(skipped)),
    }  # fmt: skip
    suites = ET.Element("testsuites", name="evalstore gate", **counts)
    suite = ET.SubElement(suites, "testsuite", name=_clean(verdict.job), **counts)
    for rule in cases:
        name = " ".join(filter(None, (rule.rule, rule.metric, rule.name if rule.name != rule.metric else None)))
        place = ".".join(filter(None, ("gate", rule.suite)))
        case = ET.SubElement(suite, "testcase", classname=_clean(place), name=_clean(name))
        if rule in skipped:
            why = verdict.said if rule.counts else "advice"
            ET.SubElement(case, "skipped", message=_clean(f"{why}: {rule.message}"))
        elif rule.outcome != "pass":
            kind = "error" if rule.outcome == "broken" else "failure"
            ET.SubElement(case, kind, type=rule.outcome, message=_clean(rule.message)).text = _clean(rule.message)
    if is_unjudged:
        case = ET.SubElement(suite, "testcase", classname="gate", name="judged")
        ET.SubElement(case, "failure", type=verdict.outcome, message=_clean(verdict.message))
    if verdict.warnings:
        warnings = "\n".join(f"warning: {_clean(warning)}" for warning in verdict.warnings)
        ET.SubElement(suite, "system-out").text = warnings
    return _document(suites)


def junit_of_error(job: str, problem: str) -> str:
    """The same of a gate that could not judge: one test case in error."""
    counts: dict[str, Any] = {"tests": "1", "failures": "0", "errors": "1", "skipped": "0"}
    suites = ET.Element("testsuites", name="evalstore gate", **counts)
    suite = ET.SubElement(suites, "testsuite", name=_clean(job), **counts)
    case = ET.SubElement(suite, "testcase", classname="gate", name="judged")
    ET.SubElement(case, "error", type="broken", message=_clean(problem)).text = _clean(problem)
    return _document(suites)


def _document(suites: ET.Element) -> str:
    ET.indent(suites)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(suites, encoding="unicode") + "\n"


def github_commands(verdict: Verdict) -> str:
    """Workflow commands of GitHub Actions: warnings, an error or a warning per rule without a pass, a notice in all."""
    lines = [f"::warning title=gate::{_data(warning)}" for warning in verdict.warnings]
    for rule in verdict.rules:
        if rule.outcome != "pass":
            is_in_the_way = rule.counts and verdict.inconclusive_as != "pass"
            kind = "error" if is_in_the_way else "warning"
            title = f"{rule.rule}: {rule.outcome}" + ("" if rule.counts else " (advice)")
            lines.append(f"::{kind} title={_property(title)}::{_data(rule.message)}")
    kind = "error" if verdict.exit_code else "notice"
    title = f"gate {verdict.said}: {verdict.job}"
    lines.append(f"::{kind} title={_property(title)}::{_data(verdict.message)}")
    return "".join(f"{line}\n" for line in lines)


def _clean(text: str) -> str:
    """Text without the control characters that XML does not know."""
    return one_line(text)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
