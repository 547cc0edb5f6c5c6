"""README blocks are run, and a README that promises what does not happen fails and says where."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.readme_plugin import output_pattern

PROJECT = Path(__file__).parents[1]


@pytest.fixture
def run_readme(tmp_path):
    """Runs pytest over a throw-away README.md and returns what it printed."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "pytest.ini").write_text("[pytest]\n")

    def run(text):
        (folder / "README.md").write_text(text)
        command = [sys.executable, "-m", "pytest", "-p", "tests.readme_plugin", "-p", "no:cacheprovider", "-rs"]
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
        environment = inherited | {"PYTHONPATH": str(PROJECT), "EVALSTORE": "a-store-of-the-user"}
        return subprocess.run(
            [*command, "README.md"], cwd=folder, env=environment, capture_output=True, text=True, check=False
        ).stdout

    return run


def outcome(output):
    """The counts of pytest's last line: `{"passed": 2, "failed": 1}`."""
    return {what: int(count) for count, what in re.findall(r"(\d+) (\w+)", output.splitlines()[-1].split(" in ")[0])}


def test_blocks_share_a_namespace_and_a_folder_in_document_order(run_readme):
    output = run_readme("""\
```python
from pathlib import Path
Path("numbers.txt").write_text("one 1\\ntwo 2\\n\\nthree 3\\n")
```
```console
$ cat numbers.txt   # all of it
one ...
...
three 3
$ echo four >> \\
numbers.txt
$ echo "${EVALSTORE-unset}"; command -v python
unset
.../bin/python
$ sh -c 'echo gone; exit 3'  # exit 3
gone
```
```python
assert Path("numbers.txt").read_text().endswith("four\\n")
```
```text
not run
```
""")
    assert outcome(output) == {"passed": 3}


def test_a_wrong_output_fails_and_names_its_line(run_readme):
    output = run_readme("""\
# Heading

```console
$ echo right
right
$ echo this; echo that
this
other
```
""")
    assert outcome(output) == {"failed": 1}
    assert "README.md:6: $ echo this; echo that\n" in output
    assert "expected:\n    this\n    other\ngot:\n    this\n    that\n" in output


@pytest.mark.parametrize("promise", ["a b c\nb d", "a...\nb d", "...", "...\nb ...", "a b c\n...\nb d\n..."])
def test_a_wildcard_stands_for_parts_of_a_line_or_for_lines(promise):
    assert output_pattern(promise).fullmatch("a b c\nb d\n")


@pytest.mark.parametrize("promise", ["a...d", "...\nb", "a", "a b c\n\nb d", "a b c\nb d\n....", "a.b.c\n..."])
def test_a_wildcard_does_not_stand_for_everything(promise):
    assert not output_pattern(promise).fullmatch("a b c\nb d\n")


def test_a_wrong_exit_code_fails_and_shows_stderr(run_readme):
    output = run_readme("```shell\n$ true\n$ ls no-such-file  # exit 0\n```\n")
    assert outcome(output) == {"failed": 1}
    assert "README.md:3: $ ls no-such-file  # exit 0\nexit code 2, expected 0" in output
    assert "No such file" in output


def test_an_error_in_python_names_its_line(run_readme):
    output = run_readme("```python\nzero = 0\n1 / zero\n```\n")
    assert outcome(output) == {"failed": 1}
    assert "README.md:3: ZeroDivisionError" in output


def test_sql_goes_to_the_store_of_the_python_blocks(run_readme):
    output = run_readme("""\
```sql
SELECT 1
```
```python
from types import SimpleNamespace
asked = []
store = SimpleNamespace(sql=asked.append)
```
```sql
SELECT 2
```
```python
assert asked == ["SELECT 2\\n"]
```
""")
    assert outcome(output) == {"failed": 1, "passed": 3}
    assert "README.md:1: a Python block before this one must open `store`" in output


def test_a_block_that_is_not_run_is_seen_to_be_skipped(run_readme):
    output = run_readme("<!-- not run: it costs money -->\n```console\n$ false\n```\n\n```console\n$ true\n```\n")
    assert outcome(output) == {"passed": 1, "skipped": 1}
    assert "README.md:2 is not run: it costs money" in output


def test_data_is_put_beside_the_block_that_needs_it(run_readme, tmp_path):
    readme = "<!-- needs gsm8k -->\n\n```console\n$ cat example_model_solutions.jsonl\nan answer\n```\n"
    assert outcome(run_readme(readme)) == {"skipped": 1}

    answers = tmp_path / "shared/data/gsm8k/example_model_solutions.jsonl"
    answers.parent.mkdir(parents=True)
    answers.write_text("an answer\n")
    assert outcome(run_readme(readme)) == {"passed": 1}
