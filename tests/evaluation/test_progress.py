"""Progress on stderr: where that is a terminal, and nowhere else."""

import io
import os
import pty
import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalstore.evaluation import evaluate
from evalstore.evaluation.progress import Progress
from evalstore.running_means import RunningMeans, progress_line, time_left

DATA = [{"inputs": {"q": number}} for number in range(3)]


def test_nothing_is_shown_where_stderr_is_no_terminal(store, capsys):
    evaluate(lambda inputs: inputs, DATA, [lambda outputs: 1], store=store)
    assert capsys.readouterr() == ("", "")


def test_it_is_shown_when_it_is_asked_for(store, capsys):
    def wrong(outputs):
        raise ValueError

    evaluate(
        lambda inputs: {"a": 1 / inputs["q"]}, DATA, [lambda run: 0.25, wrong], store=store, name="run", progress=True
    )
    last = capsys.readouterr().err.split("\r\x1b[K")[-1]
    assert last.startswith("run  3/3 rows  1 failed  3 evaluator errors  ")
    assert "<lambda> 0.25" in last
    assert last.endswith("\n")


def test_a_terminal_sees_the_line_change(tmp_path):
    code = """
import sys, time
from evalstore.evaluation import evaluate
evaluate(lambda inputs: time.sleep(0.3), [{"inputs": {"q": q}} for q in range(4)], [], store=sys.argv[1], name="run")
"""
    here, there = pty.openpty()
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "evals")], stderr=there, stdout=there) as process:
        os.close(there)
        shown = b""
        try:
            while part := os.read(here, 4096):
                shown += part
        except OSError:  # Linux: the other side is closed
            pass
        assert process.wait() == 0
    os.close(here)
    lines = shown.decode().split("\r\x1b[K")
    assert len(lines) > 3
    assert "run  2/4 rows" in shown.decode()
    assert "left" in shown.decode()


def test_a_stream_that_is_gone_stops_nobody():
    stream = io.StringIO()
    progress = Progress("run", 2, is_shown=True, stream=stream)
    stream.close()
    time.sleep(0.21)
    progress.row(failed=False)
    progress.end()
    assert progress.done == 1


scores = st.lists(
    st.fixed_dictionaries(
        {"metric": st.sampled_from("ab")},
        optional={"value": st.floats(-9, 9) | st.just("nan"), "error": st.just("e"), "name": st.sampled_from("ab")},
    ),
    max_size=8,
)


@given(scores, scores)
def test_what_is_taken_out_again_was_never_there(first, second):
    means, only = RunningMeans(), RunningMeans()
    means.add(first)
    means.add(second)
    means.take_out(second)
    only.add(first)
    assert {key: mean and pytest.approx(mean, abs=1e-9) for key, mean in only.means().items()} == {
        key: mean for key, mean in means.means().items() if key in only.counts
    }


def test_a_line_fits_its_terminal():
    means = RunningMeans()
    means.add([{"metric": f"metric-{number}", "value": 1} for number in range(50)])
    line = progress_line("run", 1, 10, failed=0, rate=0.5, means=means, width=60)
    assert len(line) == 59
    assert line.startswith("run  1/10 rows  0.5/s  18 s left")


@pytest.mark.parametrize(("seconds", "text"), [(59.4, "59 s"), (185, "3:05 min"), (7800, "2:10 h")])
def test_times_are_said_as_people_say_them(seconds, text):
    assert time_left(seconds) == text
