"""The commands that compare and judge: what they print, and what they exit with."""

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest

import evalstore


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """Two jobs over 300 rows, the second one worse, the first one a baseline."""
    root = tmp_path_factory.mktemp("judged") / "evals"
    with evalstore.open(root) as store:
        for name, wrong in (("steady", 10), ("worse", 50)):
            rows = [
                {"id": n, "question": f"q{n}", "answer": f"{name} {n}", "right": n >= wrong, "kind": "ab"[n % 2]}
                for n in range(300)
            ]
            store.record(
                name, rows, scores=["right"], item=["question"], sample=["answer"], metadata=["kind"],
                columns={"row_key": "id"}, dataset="d", model="m",
            )  # fmt: skip
        store.baselines.set("main", "steady", note="as released")
    return root


@pytest.fixture
def policy(tmp_path):
    def write(text):
        (tmp_path / "gate.toml").write_text(text)
        return tmp_path / "gate.toml"

    return write


def test_compare_shows_what_changed(judged, run):
    done = run("compare", "steady", "worse", store=judged)
    assert done.code == 0
    assert done.lines[:4] == [
        "steady -> worse  differences with 95% intervals", "",
        "rows  300 paired, 0 only in the baseline, 0 only in the candidate", "",
    ]  # fmt: skip
    shown = dict(zip(*(re.split(r"  +", done.lines[place]) for place in (4, 6)), strict=True))
    assert shown == {
        "metric": "right", "baseline": "0.9667", "candidate": "0.8333", "difference": "-0.1333",
        "interval": "[-0.1761, -0.0964]", "p (Holm)": "<0.0001", "change": "regressed", "flips": "+0 -40",
        "test": "exact McNemar", "scored": "300 of 300",
    }  # fmt: skip
    assert done.stderr == "(no room for effect, detectable; --format json has everything)\n"


def test_compare_shows_flips_side_by_side(judged, run):
    done = run("compare", "@main", "worse", "--flips", "regressed", "--limit", "1", store=judged)
    assert done.lines == [
        "Regressed: right", "", "10  1 -> 0", "  item.question     q10", "  baseline.answer   steady 10",
        "  candidate.answer  worse 10",
    ]  # fmt: skip
    assert run("compare", "@main", "worse", "--flips", "recovered", store=judged).lines == ["(no rows flipped so)"]
    table = run("compare", "@main", "worse", "--flips", "changed", "--limit", "2", "--format", "markdown", store=judged)
    assert table.lines == [
        "| flip | metric | row | baseline | candidate | item.question | baseline.answer | candidate.answer |",
        "| --- | --- | --- | ---: | ---: | --- | --- | --- |",
        "| regressed | right | 10 | 1 | 0 | q10 | steady 10 | worse 10 |",
        "| regressed | right | 11 | 1 | 0 | q11 | steady 11 | worse 11 |",
    ]
    csv = run("compare", "@main", "worse", "--flips", "regressed", "--format", "csv", store=judged)
    assert len(csv.lines) == 1 + 20


def test_compare_in_every_format(judged, run, tmp_path):
    document = run("compare", "steady", "worse", "--by", "metadata.kind", "--format", "json", store=judged).objects
    assert [one["slice"] for one in document["slices"]] == ["a", "b"]
    assert document["metrics"][0]["regressed"] == 40
    assert document["baseline"]["job"] == "steady"
    lines = run("compare", "steady", "worse", "--format", "csv", store=judged).lines
    assert lines[0].startswith("suite,metric,name,higher_is_better")
    assert len(lines) == 2
    page = run("compare", "steady", "worse", "--by", "metadata.kind", "--html", tmp_path / "r.html", store=judged)
    assert page.stderr.startswith(f"wrote {tmp_path / 'r.html'}\n")
    assert "right  by metadata.kind" in page.lines
    assert (tmp_path / "r.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_what_cannot_be_compared_exits_with_3(judged, run):
    with evalstore.open(judged) as store, store.job("few") as job:
        job.log(item="q0", row_key="x", scores={"right": True})
    done = run("compare", "steady", "few", store=judged)
    assert (done.code, done.stdout) == (3, "")
    assert "not comparable" in done.stderr
    assert run("compare", "steady", "none", store=judged).code == 2
    assert run("compare", "steady", "worse", "--confidence", "95", store=judged).code == 2


@pytest.mark.parametrize(
    "case",
    [
        ("steady", "[metrics.right]\nmin = 0.9\n", 0),
        ("worse", "[metrics.right]\nmin = 0.9\n", 1),
        ("worse", "[all]\nmax_drop = 0.02\n", 1),
        ("worse", "[all]\nmax_drop = 0.15\n", 3),
        ("worse", "[metrics.wrong]\nmin = 0.9\n", 3),
        ("worse", "confidence = 0.9\n", 2),
        ("worse", "[all]\nmin = \n", 4),
        ("nobody", "[all]\nmin = 0.1\n", 2),
    ],
)
def test_exit_codes_of_the_gate(judged, run, policy, case):
    job, text, code = case
    done = run("gate", job, "--baseline", "main", "--policy", policy(text), store=judged)
    assert done.code == code
    assert (done.stdout == "") == (code in (2, 4))


def test_an_inconclusive_gate_is_what_the_user_says(judged, run, policy):
    asked = ("gate", "worse", "--baseline", "main", "--policy", policy("[all]\nmax_drop = 0.15\n"))
    assert run(*asked, store=judged).code == 3
    for word, code in (("pass", 0), ("fail", 1)):
        done = run(*asked, "--inconclusive", word, store=judged)
        assert done.code == code
        assert f"inconclusive, {word}ed by --inconclusive {word}\n" in done.stderr
    # No other verdict is softened.
    unjudged = ("gate", "worse", "--policy", policy("[metrics.wrong]\nmin = 1\n"), "--inconclusive", "pass")
    assert run(*unjudged, store=judged).code == 3


@pytest.mark.parametrize("word", ["pass", "fail"])
def test_all_outputs_of_an_inconclusive_gate_tell_the_same(judged, run, policy, tmp_path, word):
    text = "[all]\nmax_drop = 0.15\nmin_rows = 9\n"
    words = ("gate", "worse", "--baseline", "main", "--policy", policy(text), "--inconclusive", word)
    files = ("--junit", tmp_path / "gate.xml", "--markdown", tmp_path / "gate.md")
    said = f"inconclusive, {word}ed by --inconclusive {word}"
    done = run(*words, *files, store=judged)
    heading = f"INCONCLUSIVE{said.removeprefix('inconclusive')}  worse"
    assert (done.code, done.lines[0]) == (int(word == "fail"), f"{heading}  against main (steady)")
    assert heading in (tmp_path / "gate.md").read_text()
    suite = ET.parse(tmp_path / "gate.xml").getroot()
    assert suite.attrib["skipped" if word == "pass" else "failures"] == "1"
    assert suite.attrib["failures" if word == "pass" else "skipped"] == suite.attrib["errors"] == "0"
    skipped = [one.attrib["message"] for one in suite.iter("skipped")]
    assert [message.partition(": ")[0] for message in skipped] == ([said] if word == "pass" else [])
    assert len(list(suite.iter("failure"))) == 1 - len(skipped)
    rule, verdict = run(*words, "--format", "github", store=judged).lines
    assert rule.startswith("::warning" if word == "pass" else "::error")
    kind = "notice" if word == "pass" else "error"
    assert verdict.startswith(f"::{kind} title=gate {said.replace(',', '%2C')}%3A worse::")
    document = run(*words, "--format", "json", store=judged).objects
    assert (document["outcome"], document["inconclusive_as"]) == ("inconclusive", word)
    # What is kept is what was found, and lets nothing pass as accepted.
    with evalstore.open(judged) as store:
        kept = store.sql("SELECT outcome FROM gate_verdicts WHERE job = 'worse' ORDER BY judged_at DESC LIMIT 1")
        assert kept.item() == "inconclusive"


def test_the_gate_for_people(judged, run, policy):
    done = run(
        "gate",
        "worse",
        "--baseline",
        "main",
        "--policy",
        policy("[all]\nmax_drop = 0.02\nmin_rows = 9\n"),
        store=judged,
    )
    loss = "right: 0.9667 -> 0.8333, a loss of 0.1333 [0.0964, 0.1761]: more than 0.02, and real (p 1.8e-12)"
    assert done.lines[:5] == ["FAIL  worse  against main (steady)", "", loss, "", "verdict  rule      what"]
    assert done.lines[6:8] == [f"fail     max_drop  {loss}", "pass     min_rows  right: 300 rows scored, at least 9"]
    assert "The rows that lost most" in done.lines
    assert run("gate", "steady", "--min", "right=0.5", store=judged).lines[0] == "PASS  steady"
    assert run("gate", "steady", "--min", "right=much", store=judged).code == 2
    alone = run("gate", "worse", "--min", "right=0.9", store=judged)
    assert alone.lines[alone.lines.index("The worst rows") :][:6] == [
        "The worst rows", "", "Lowest: right", "", "0  0", "  item.question     q0",
    ]  # fmt: skip
    assert "The rows that lost most" not in alone.lines


def test_the_gate_for_machines(judged, run, policy, tmp_path):
    rules = policy("[all]\nmax_drop = 0.02\nmin_rows = 9\n")
    asked = ("gate", "worse", "--baseline", "main", "--policy", rules)
    files = ("--junit", tmp_path / "gate.xml", "--markdown", tmp_path / "gate.md")
    document = run(*asked, *files, "--format", "json", store=judged).objects
    assert (document["outcome"], document["rules"][1]["rule"]) == ("fail", "max_drop")
    suites = ET.parse(tmp_path / "gate.xml").getroot()
    assert (suites.get("tests"), suites.get("failures"), suites.get("errors")) == ("2", "1", "0")
    assert [(case.get("name"), len(case)) for case in suites.iter("testcase")] == [
        ("min_rows right", 0),
        ("max_drop right", 1),
    ]
    assert (tmp_path / "gate.md").read_text().startswith("## FAIL  worse  against main (steady)\n")
    annotations = run(*asked, "--format", "github", store=judged).lines
    assert annotations[0].startswith("::error title=max_drop%3A fail::right: 0.9667 -> 0.8333")
    assert annotations[-1].startswith("::error title=gate fail%3A worse::")
    advice = policy("[all]\nmax_drop = 0.02\nclass = 'performance'\n")
    asked = ("gate", "worse", "--baseline", "main", "--policy", advice)
    assert (
        run(*asked, "--format", "github", store=judged).lines[0].startswith("::warning title=max_drop%3A fail (advice)")
    )
    suites = ET.fromstring(run(*asked, "--format", "junit", store=judged).stdout)
    assert (suites.get("tests"), suites.get("failures"), suites.get("skipped")) == ("2", "1", "1")
    passed = run("gate", "steady", "--min", "right=0.5", "--format", "junit", store=judged).stdout
    assert ET.fromstring(passed).get("failures") == "0"


def test_baselines_from_the_shell(run, tmp_path):
    root = tmp_path / "evals"
    with evalstore.open(root) as store:
        for name in ("one", "two"):
            store.record(name, [{"q": 1, "ok": True}], scores=["ok"])
    assert run("baseline", "set", "main", "one", "--note", "first", store=root).stderr == "baseline main is job one\n"
    assert run("baseline", "set", "main", "two", store=root).code == 0
    assert [line.split()[:4] for line in run("baseline", "history", "main", store=root).lines[2:]] == [
        ["main", "2", "two", "yes"], ["main", "1", "one", "-"],
    ]  # fmt: skip
    assert json.loads(run("baseline", "list", "--format", "json", store=root).stdout)[0]["job"] == "two"
    assert run("show", "@main", store=root).lines[0].startswith("two")
    removed = run("baseline", "remove", "main", store=root)
    assert removed.stderr == "baseline main is taken away; it was job two\n"
    assert run("baseline", "remove", "main", store=root).code == 2
    unknown = run("baseline", "history", "mian", store=root)
    assert (unknown.code, unknown.stdout) == (2, "")
    assert "there is no baseline 'mian'; did you mean main?" in unknown.stderr
    assert run("show", "@main", store=root).code == 2


def test_the_files_of_a_gate_are_never_those_of_an_earlier_one(judged, run, policy, tmp_path):
    files = ("--junit", tmp_path / "gate.xml", "--markdown", tmp_path / "gate.md")
    assert run("gate", "steady", "--min", "right=0.5", *files, store=judged).code == 0
    for asked, code in ((("nobody", "--min", "right=0.5"), 2), (("steady", "--policy", policy("[all]\nmin = \n")), 4)):
        done = run("gate", *asked, *files, store=judged)
        assert done.code == code
        suites = ET.parse(tmp_path / "gate.xml").getroot()
        assert (suites.get("tests"), suites.get("errors")) == ("1", "1")
        [error] = suites.iter("error")
        assert (error.get("message") or "nothing").split()[-1] in done.stderr
        assert (tmp_path / "gate.md").read_text().startswith(f"## NOT JUDGED  {asked[0]}\n")
    (tmp_path / "gate.xml").write_text("of an earlier run")
    assert (
        run("gate", "nobody", "--min", "x=1", "--format", "junit", "-o", tmp_path / "gate.xml", store=judged).code == 2
    )
    assert ET.parse(tmp_path / "gate.xml").getroot().get("errors") == "1"
    assert run("gate", "steady", "--baseline", "", "--min", "right=0.5", store=judged).code == 2


def test_machines_are_told_what_a_gate_warns_of(judged, run):
    with evalstore.open(judged) as store, store.job("partly") as job:
        for n in range(20):
            job.log(item=f"q{n}", row_key=n, **({"error": "late"} if n % 2 else {"scores": {"right": True}}))
    asked = ("gate", "partly", "--min", "right=0.5")
    warning = "right: 10 of 20 rows are scored, 10 are in error"
    assert run(*asked, "--format", "github", store=judged).lines == [
        f"::warning title=gate::{warning}", "::notice title=gate pass%3A partly::1 of 1 rules passed",
    ]  # fmt: skip
    suites = ET.fromstring(run(*asked, "--format", "junit", store=judged).stdout)
    assert [one.text for one in suites.iter("system-out")] == [f"warning: {warning}"]


def test_a_gate_whose_reader_leaves_does_not_pass(judged):
    asked = [sys.executable, "-m", "evalstore", "--store", str(judged), "gate", "worse", "--min", "right=0.9"]
    with subprocess.Popen(asked, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as gate:
        assert gate.stdout is not None
        gate.stdout.close()
        assert gate.wait(timeout=60) == 1


def test_a_warning_is_told_once(run, tmp_path):
    """On the page where that is what goes to stdout, else on stderr."""
    root = tmp_path / "evals"
    with evalstore.open(root) as store:
        for name in ("first", "second"):
            with store.job(name) as job:
                for n in range(30):
                    late = name == "second" and n < 3
                    job.log(item={"q": n}, row_key=str(n), scores={"ok": float("nan") if late else float(n % 2)})
    said = "3 of 30 rows that are scored in the baseline have no score in the candidate"
    for asked in (("compare", "first", "second"), ("gate", "second", "--min", "ok=0.1")):
        told = said if asked[0] == "compare" else "ok: 27 of 30 rows are scored, 0 are in error"
        for format, on_page in (("table", 1), ("markdown", 1), ("json", 1), ("csv", 0)):
            done = run(*asked, "--format", format, store=root)
            assert " ".join(done.stdout.split()).count(told) == on_page, (asked, format)
            assert done.stderr.count(told) == (format in ("json", "csv")), (asked, format)
        assert run(*asked, "--output", tmp_path / "page.txt", store=root).stderr.count(told) == 1
    assert run("compare", "first", "second", "--flips", "improved", store=root).stderr.count(said) == 1


def test_baselines_are_completed_as_jobs(judged):
    from click.shell_completion import ShellComplete

    from evalstore.cli.app import evalstore as program

    offers = ShellComplete(program, {}, "evalstore", "").get_completions(["--store", str(judged), "compare"], "@")
    assert [offer.value for offer in offers] == ["@main", "@last"]
