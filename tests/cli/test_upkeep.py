"""Deleting, restoring, pruning, checking, rebuilding and compacting, as one types it."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from click.shell_completion import ShellComplete

import evalstore
from evalstore.cli.app import evalstore as program

LINES = [{"id": number, "q": f"{number} + 1", "ok": number % 2 == 0} for number in range(4)]
DIES = """
import os, sys, evalstore
job = evalstore.open(sys.argv[1]).job("nightly", dataset="d")
for number in range(3):
    job.log(item=number, scores={"ok": True}, row_key=number)
os.kill(os.getpid(), 9)
"""


@pytest.fixture
def root(tmp_path):
    """A store with three small jobs and one of another workspace."""
    root = tmp_path / "evals"
    with evalstore.open(root) as store:
        for name in ("one", "two", "three"):
            store.record(name, LINES, scores=["ok"], columns={"row_key": "id"}, model=name)
    with evalstore.open(root, workspace="lab") as store:
        store.record("far", LINES, scores=["ok"])
    return root


@pytest.fixture
def here(run, root):
    """Runs a command line on that store."""
    return lambda *arguments: run(*arguments, store=root)


@pytest.fixture
def interrupted(root):
    """That store, with a job whose writer was killed."""
    done = subprocess.run([sys.executable, "-c", DIES, str(root)], check=False, env=os.environ)
    assert done.returncode == -signal.SIGKILL
    return root


def names(root):
    return set(evalstore.open(root).jobs()["name"])


def make_older(root, **age):
    """Makes all deletions of a store look older."""
    for stone in (root / "trash").glob("*.json"):
        document = json.loads(stone.read_text())
        document["deleted_at"] = (datetime.now(UTC) - timedelta(**age)).isoformat()
        stone.write_text(json.dumps(document))


def test_jobs_are_deleted_and_one_comes_back(here, root):
    done = here("delete", "one", "@last", "lab/far")
    assert (done.code, done.stdout) == (0, "")
    assert done.stderr.splitlines() == [
        "deleted one",
        "deleted three",
        "deleted lab/far",
        "`evalstore restore JOB` brings them back; `evalstore prune --trash` removes them for good",
    ]
    assert names(root) == {"two"}
    done = here("restore", "three")
    assert (done.code, done.stdout, done.stderr) == (0, "", "restored three\n")
    assert here("restore", "lab/far").stderr == "restored lab/far\n"
    assert names(root) == {"two", "three"}


def test_deleting_one_job_says_how_it_comes_back(here):
    done = here("delete", "one")
    assert done.stderr.splitlines()[1] == (
        "`evalstore restore one` brings it back; `evalstore prune --trash` removes it for good"
    )


def test_if_one_of_the_jobs_is_not_there_none_is_deleted(here, root):
    done = here("delete", "one", "twoo")
    assert (done.code, done.stdout) == (2, "")
    assert done.stderr == "evalstore: there is no job 'twoo' in workspace 'default'; did you mean two?\n"
    assert names(root) == {"one", "two", "three"}


def test_the_trash_is_listed(here):
    here("delete", "one")
    here("delete", "lab/far")
    done = here("trash")
    assert [line.split()[0] for line in done.lines[2:]] == ["lab/far", "one"]
    found = here("trash", "--format", "json").objects
    assert [(job["workspace"], job["job"], job["reason"]) for job in found] == [
        ("lab", "far", "deleted"),
        ("default", "one", "deleted"),
    ]
    assert here("restore", found[1]["job_id"]).stderr == "restored one\n"


def test_what_is_not_in_the_trash_cannot_be_restored(here, root):
    done = here("restore", "one")
    assert done.code == 2
    assert done.stderr == "evalstore: no job 'one' of workspace 'default' is in the trash; there are none yet\n"
    old = here("jobs", "--format", "json").objects[-1]["job_id"]
    here("delete", "one")
    evalstore.open(root).record("one", LINES, scores=["ok"])
    done = here("restore", "one")
    assert done.code == 2
    assert (
        f"the name has been used again. Delete the job that has it now, then `evalstore restore {old}`" in done.stderr
    )
    here("delete", "one")
    assert here("restore", old).stderr == "restored one\n"
    assert here("show", "one", "--format", "json").objects["job"]["job_id"] == old


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["delete"], "Missing argument 'JOB...'."),
        (["delete", "a b"], "'a b' cannot name a job"),
        (["restore"], "Missing argument 'JOB'."),
        (["prune"], "say what to prune: --keep-last, --older-than, --status, or --trash for deleted jobs\n"),
        (["prune", "--dry-run", "--rows-only"], "say what to prune: "),
        (["prune", "--trash", "--keep-last", "3"], "prune: the trash is pruned by `older_than` only"),
        (["prune", "--keep-last", "-1"], "Invalid value for '--keep-last'"),
        (["prune", "--status", "active"], "Invalid value for '--status'"),
        *[
            (["prune", "--trash", "--older-than", text], f"--older-than: {text!r} is no time span: ")
            for text in ("", "30", "d", "-1d", "1.5d", "6m", "1y", "30 d", "1d12h", "9999999d", "soon")
        ],
        (["verify", "one"], "Got unexpected extra argument (one)"),
        (["rebuild", "--adopt", "one"], "Got unexpected extra argument (one)"),
        (["compact", "--format", "json"], "No such option '--format'"),
    ],
)
def test_wrong_usage(arguments, message, run):
    done = run(*arguments)
    assert (done.code, done.stdout) == (2, "")
    assert done.stderr.startswith(f"evalstore: {message}")


COMMANDS = (["delete", "j"], ["restore", "j"], ["trash"], ["prune", "--trash"], ["verify"], ["rebuild"], ["compact"])


@pytest.mark.parametrize("command", COMMANDS)
def test_without_a_store_there_is_nothing_to_keep_in_order(command, run, tmp_path):
    done = run(*command, store=tmp_path / "none")
    assert (done.code, done.stdout) == (2, "")
    assert done.stderr.startswith("evalstore: there is no store at ")
    assert not list(tmp_path.iterdir())


def test_what_was_deleted_long_ago_is_pruned(here, root):
    here("delete", "one")
    make_older(root, days=31)
    here("delete", "two")
    would = here("prune", "--trash", "--older-than", "30d", "--dry-run", "--format", "json")
    assert [job["job"] for job in would.objects["jobs"]] == ["one"]
    assert re.fullmatch(r"would remove 1 job for good \([\d.]+ kB\); 1 more in the trash, too young\n", would.stderr)
    assert len(here("trash", "--format", "json").objects) == 2
    done = here("prune", "--trash", "--older-than", "4w")
    assert [line.split()[0] for line in done.lines[2:]] == ["one"]
    assert re.fullmatch(r"removed 1 job for good \([\d.]+ kB\); 1 more in the trash, too young\n", done.stderr)
    assert [job["job"] for job in here("trash", "--format", "json").objects] == ["two"]
    assert here("restore", "one").code == 2
    assert not (root / "jobs/default/one").exists()


def test_nothing_to_prune(here):
    done = here("prune", "--trash")
    assert (done.code, done.lines[-1], done.stderr) == (0, "(none)", "removed 0 jobs for good\n")


def test_a_sound_store(here):
    done = here("verify")
    assert (done.code, done.stderr) == (0, "")
    assert done.lines[0] == "checked  4 jobs, 16 rows, 16 scores"
    assert re.fullmatch(r"on disk  jobs [\d.]+ kB, catalog [\d.]+ [kM]B", done.lines[1])
    assert done.lines[-1] == "Nothing is wrong."
    found = here("verify", "--no-checksums", "--format", "json").objects
    assert (found["ok"], found["findings"], found["jobs"], found["rows"], found["scores"]) == (True, [], 4, 16, 16)
    assert found["bytes"]["catalog"] > 0


def test_a_note_is_nothing_wrong(here, interrupted):
    done = here("verify")
    assert (done.code, done.stderr) == (0, "")
    assert done.lines[3:] == [
        "note     staging/default/nightly",
        "         was interrupted, 3 rows logged: `evalstore finish default/nightly`",
    ]
    assert here("finish", "default/nightly").code == 0
    assert here("verify").lines[-1] == "Nothing is wrong."
    assert "nightly" in names(interrupted)


def test_a_broken_store_is_exit_code_4_in_every_format(here, root):
    [scores] = (root / "jobs/default/one").glob("scores-*")
    data = bytearray(scores.read_bytes())
    data[len(data) // 2] ^= 1
    scores.chmod(0o644)
    scores.write_bytes(data)
    (root / "jobs/default/two/job.json").write_text("{")
    complaint = f"evalstore: 2 things in {root} are wrong\n"
    quick = here("verify", "--no-checksums")
    assert (quick.code, quick.stderr) == (4, f"evalstore: 1 thing in {root} is wrong\n")
    done = here("verify")
    assert (done.code, done.stderr) == (4, complaint)
    assert f"error    jobs/default/one/{scores.name}" in done.lines
    found = here("verify", "--format", "json")
    assert (found.code, found.stderr, found.objects["ok"]) == (4, complaint, False)
    assert {(one["severity"], one["path"]) for one in found.objects["findings"]} == {
        ("error", f"jobs/default/one/{scores.name}"),
        ("error", "jobs/default/two"),
    }
    assert here("verify", "--format", "csv").lines[0] == "severity,path,message"
    assert "| severity | path | message |" in here("verify", "--format", "markdown").lines


def test_progress_of_a_check_is_shown_on_a_terminal(terminal, root):
    done = terminal("--store", root, "verify")
    assert done.code == 0
    assert "checking" in done.stdout


def test_rebuild_takes_up_what_was_copied_in(here, root, tmp_path):
    other = evalstore.open(tmp_path / "other")
    other.record("guest", LINES, scores=["ok"])
    other.record("one", LINES, scores=["ok"])
    shutil.copytree(tmp_path / "other/jobs/default/guest", root / "jobs/default/guest")
    shutil.copytree(tmp_path / "other/jobs/default/one", root / "jobs/default/their-one")
    done = here("rebuild")
    assert (done.code, done.stderr.splitlines()) == (
        4,
        ["the catalog holds 5 jobs", f"evalstore: 1 folder in {root / 'jobs'} is left out"],
    )
    assert done.lines[0].split("  ")[0] == "left out"
    assert "jobs/default/their-one" in done.stdout
    assert "evalstore rebuild --adopt" in " ".join(done.stdout.split())
    found = here("rebuild", "--format", "json").objects
    assert found["jobs"] == 5
    assert [one["path"] for one in found["left_out"]] == ["jobs/default/their-one"]
    done = here("rebuild", "--adopt")
    said = "took in jobs/default/their-one under this name\nthe catalog holds 6 jobs\n"
    assert (done.code, done.stdout, done.stderr) == (0, "", said)
    assert names(root) == {"one", "two", "three", "guest", "their-one"}


def test_deleted_jobs_are_left_out_and_that_is_no_error(here):
    here("delete", "one")
    done = here("rebuild", "--format", "json")
    assert (done.code, done.stderr) == (0, "the catalog holds 3 jobs\n")
    assert done.objects["left_out"] == [
        {"path": "jobs/default/one", "reason": "is deleted; `evalstore restore` brings it back"}
    ]
    assert here("restore", "one").code == 0


def test_a_catalog_that_is_gone_or_broken_is_made_anew(here, root):
    asked = "SELECT job, value FROM row_scores ORDER BY ALL"
    before = here("sql", asked).stdout
    (root / "catalog.duckdb").unlink()
    assert here("rebuild").code == 0
    (root / "catalog.duckdb").chmod(0o644)
    (root / "catalog.duckdb").write_bytes(b"nonsense" * 1000)
    assert here("rebuild").code == 0
    assert here("sql", asked).stdout == before


def test_plain_duckdb_in_a_copy_answers_after_a_rebuild(process, root, tmp_path):
    copy = tmp_path / "elsewhere" / "copy"
    shutil.copytree(root, copy)
    question = "SELECT job, count(*), avg(value) FROM row_scores GROUP BY ALL ORDER BY ALL"

    def answer(place):
        with duckdb.connect(place / "catalog.duckdb", read_only=True) as connection:
            return connection.sql(question).fetchall()

    wanted = answer(root)
    with pytest.raises(duckdb.Error, match="this store was moved or copied: run `evalstore rebuild`"):
        answer(copy)
    assert process("--store", copy, "rebuild").code == 0
    shutil.rmtree(root)
    assert answer(copy) == wanted
    assert len(wanted) == 4


def test_compacting_changes_no_answer(here, root):
    asked = "SELECT workspace, job, row_key, value FROM row_scores ORDER BY ALL"
    before = here("sql", asked, "--format", "csv").stdout
    done = here("compact")
    assert (done.code, done.stdout, done.stderr) == (0, "", "wrote 1 segment with 4 jobs and 16 scores\n")
    assert len(list((root / "segments").glob("scores-*.parquet"))) == 1
    assert here("sql", asked, "--format", "csv").stdout == before
    assert here("compact").stderr == "nothing to do: there are no small jobs outside of segments, or only one\n"
    assert here("verify").code == 0


def test_an_interrupted_job_is_named_wherever_it_is_met(here, interrupted, tmp_path):
    wanted = "evalstore: job 'nightly' was interrupted; its rows are safe: `evalstore finish nightly` stores them\n"
    for command in ("show", "rows", "delete"):
        done = here(command, "nightly")
        assert (done.code, done.stderr) == (2, wanted)
    hint = "(nightly was interrupted; `evalstore finish nightly` stores what was logged)\n"
    assert here("jobs").stderr == hint
    assert here("jobs", "--status", "interrupted").stderr == hint
    assert here("jobs", "--model", "one").stderr == ""
    (tmp_path / "lines.jsonl").write_text("".join(json.dumps(line) + "\n" for line in LINES))
    done = here("import", "rows", tmp_path / "lines.jsonl", "--job", "nightly", "--score", "ok")
    assert done.code == 2
    assert "run `evalstore finish nightly`" in done.stderr
    assert here("finish", "nightly").stderr == "stored job nightly as interrupted, with 3 rows\n"
    assert here("jobs").stderr == ""


def test_an_import_replaces_a_job_only_when_told_to(here, root, tmp_path):
    path = tmp_path / "lines.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in LINES[:2]))
    options = ["import", "rows", path, "--job", "one", "--score", "ok"]
    done = here(*options)
    assert done.code == 2
    assert "overwrite=True (--overwrite) to replace it" in done.stderr
    assert here(*options, "--overwrite").code == 0
    assert here("show", "one", "--format", "json").objects["job"]["rows_total"] == 2
    [old] = here("trash", "--format", "json").objects
    assert (old["job"], old["reason"].partition(" by ")[0]) == ("one", "replaced")
    path.write_text("{")
    assert here(*options, "--overwrite").code == 4
    assert here("show", "one", "--format", "json").objects["job"]["rows_total"] == 2
    assert here("import", "rows", path, "--job", "new", "--score", "ok", "--overwrite").code == 4
    assert names(root) == {"one", "two", "three"}


def test_names_are_completed_from_the_store_and_from_the_trash(here, root, capfd):
    here("delete", "two", "lab/far")
    complete = ShellComplete(program, {}, "evalstore", "")

    def offered(*words):
        return [one.value for one in complete.get_completions(["--store", str(root), *words[:-1]], words[-1])]

    assert offered("delete", "") == ["three", "one", "@last"]
    assert offered("delete", "one", "th") == ["three"]
    assert offered("restore", "") == ["two"]
    assert offered("prune", "--t") == ["--trash"]
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("width", [80, 120])
def test_findings_fit_the_terminal(width, terminal, root):
    shutil.rmtree(root / "jobs/default/one")
    Path(root / "strange").touch()
    done = terminal("--store", root, "verify", width=width)
    assert done.code == 4
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", done.stdout.rpartition("\r")[2])
    assert max(map(len, shown.splitlines())) <= max(width, len(f"evalstore: 2 things in {root} are wrong"))
    assert "error    jobs/default/one" in shown
