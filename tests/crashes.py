"""Death at every step: something is done to a copy of a store, and its process dies before the n-th change."""

from tests.processes import Process

DIES = """
import importlib, itertools, pathlib, shutil, traceback
import duckdb, polars, pyarrow.parquet
from evalstore import catalog, committed, compaction, durable_files, trash
import evalstore.bulk

first, every, grace = int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
trash.GRACE = catalog.GRACE = grace
steps, dies_at = 0, 0

def counted(function, changes=lambda *_, **__: True):
    def step(*arguments, **named):
        global steps
        if changes(*arguments, **named):
            steps += 1
            if steps == dies_at:
                os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **named)
    return step

def count_steps():
    for name in ("rename", "unlink", "mkdir", "rmdir", "link", "ftruncate", "chmod"):
        setattr(os, name, counted(getattr(os, name)))
    os.open = counted(os.open, lambda _, flags, *__, **___: flags & (os.O_WRONLY | os.O_RDWR))
    committed.exchange = counted(committed.exchange)

def run_at(operation, *fault_points):
    for point in fault_points:
        copy = f"{root}-{point}"
        shutil.copytree(root, copy)
        child = os.fork()
        if child == 0:
            try:
                os.environ["EVALSTORE_FAULT"] = point
                operation(evalstore.open(copy))
            finally:
                os._exit(1)
        assert os.waitpid(child, 0)[1] == signal.SIGKILL, point
        say(point, copy)

def run_with_deaths(operation):
    global dies_at
    for dies_at in itertools.count(first, every):
        copy = f"{root}-{dies_at}"
        shutil.copytree(root, copy)
        child = os.fork()
        if child == 0:
            try:
                count_steps()
                operation(evalstore.open(copy))
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        say({0: "done", -9: "died"}.get(code, "failed"), dies_at, copy)
        if code != -9:
            break
"""


def deaths(root, operation, *, first=1, every=1, grace=10.0):
    """The folders of copies of a store in which `operation(store)`, a snippet, has died: one before each step.

    The last one is that of the copy in which it has come to its end.
    """
    with Process(DIES + operation + "\nrun_with_deaths(operation)", root, first, every, grace) as process:
        while True:
            word, number, copy = process.wait_for("").split(maxsplit=2)
            assert word != "failed", process.errors()
            yield int(number), copy
            if word == "done":
                assert int(number) > 1
                return


def deaths_at(root, operation, fault_points):
    """The folders of copies of a store in which `operation(store)`, a snippet, has died at these points."""
    code = f"{DIES}{operation}\nrun_at(operation, *{list(fault_points)!r})"
    with Process(code, root, 1, 1, 10.0) as process:
        for _ in fault_points:
            yield process.wait_for("").split(maxsplit=1)
