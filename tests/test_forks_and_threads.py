"""One store in many hands of a process: inherited through fork, sent to spawned workers, shared by threads."""

import json
import multiprocessing
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

import evalstore
from evalstore.errors import EvalStoreError, UsageError
from tests.processes import Process, run

ROWS = 5


def record(store, name, rows=ROWS, **context):
    with store.job(name, dataset="d", model=name, **context) as job:
        for i in range(rows):
            job.log(item={"q": i}, scores={"right": i % 5 == 0}, row_key=str(i))


def rows_of_jobs(store):
    """Every question agrees how many rows each job has."""
    rows = dict(store.jobs().select("name", "rows_total").rows())
    assert dict(store.sql("SELECT job, count(*) FROM rows GROUP BY ALL").rows()) == rows
    assert dict(store.sql("SELECT job, count(*) FROM row_scores GROUP BY ALL").rows()) == rows
    return rows


# Forks

FORKS = """
import faulthandler, threading, traceback, warnings

PATIENCE = 10  # seconds after which a child that hangs says where

def record(store, name, rows=5):
    with store.job(name, dataset="d", model=name) as job:
        for i in range(rows):
            job.log(item={"q": i}, scores={"right": i % 5 == 0}, row_key=str(i))

def fork(work):
    child = os.fork()
    if child:
        return child
    os.dup2(2, 1)  # what is said is the parent's
    faulthandler.dump_traceback_later(PATIENCE, exit=True)
    try:
        work()
    except SystemExit:
        raise
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)

def refused(call, said="another process"):
    try:
        call()
    except UsageError as error:
        assert said in str(error), error
    else:
        raise AssertionError("it was not refused")
"""

# What children of a process do with the store that it has written to and asked, and with the job that it writes.
INHERITS = '''
store = evalstore.open(root)
record(store, "before")
assert store.jobs().height == 1
assert store.sql("SELECT count(*) FROM row_scores").item() == 5
assert len(store.row_scores("before")) == 5
store.metrics.declare("right", higher_is_better=True)
job = store.job("open", dataset="d", model="open")
job.log(item={"q": 0}, scores={"right": True}, row_key="0")
KINDS = """
    SELECT range AS i, [range, NULL] AS l, {'a': [{'b': 'x'}]} AS s, MAP {'k': 1} AS m, [1, 2]::INT[2] AS a, NULL AS n,
        TIMESTAMPTZ '2020-01-01 00:00:00+00' AS tz, DATE '2020-01-01' AS d, TIME '10:00' AS t, INTERVAL 1 DAY AS h,
        1.5::DECIMAL(10, 2) AS dec, 'a'::BLOB AS blob, uuid '00000000-0000-0000-0000-000000000001' AS u
    FROM range(5000)
"""
kinds = {kind: store.sql(kind) for kind in (KINDS, KINDS + "WHERE false")}
frame = store.sql("SELECT range AS q, true AS right FROM range(5)")

def asks_for_answers():
    assert store.has_job("before") and not store.has_job("after")
    assert store.show("before")["rows_total"] == 5
    assert [score.mean for score in store.aggregate_scores("before").scores] == [0.2]
    assert [score.mean for score in store.aggregate_scores("before", errors="zero").scores] == [0.2]

def asks_for_frames():
    assert "before" in store.jobs()["name"].to_list()
    assert store.sql("SELECT count(*) FROM row_scores WHERE job = 'before'").item() == 5
    assert "before" in [line["job"] for line in store.leaderboard("right").to_dicts()]
    assert store.sql("FROM rows WHERE false").is_empty()

def asks_for_frames_of_every_kind():
    for kind, wanted in kinds.items():
        frame = store.sql(kind)
        assert (frame.schema, frame.rows()) == (wanted.schema, wanted.rows()), frame

def is_told_not_to_compute():
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        store.jobs()
    assert "hang" in str(told[0].message)
    refused(lambda: store.record("frame", frame, scores=["right"]), "was forked")

def asks_for_rows():
    rows = store.row_scores("before")
    assert [row.row_key for row in rows] == ["0", "1", "2", "3", "4"]
    assert rows.rows()["row_key"].to_list() == ["0", "1", "2", "3", "4"]
    assert rows.errors.is_empty()
    for computed in (rows.wide, rows.to_polars, rows.to_arrow, rows.to_pandas):
        refused(computed, "was forked")

def opens_the_store_again():
    again = evalstore.open(root)
    record(again, "opened-again")
    assert again.show("opened-again")["rows_total"] == 5

def writes_a_job():
    record(store, "written")
    assert store.show("written")["rows_total"] == 5

def records_dicts():
    store.record("recorded", [{"q": i, "right": i == 0} for i in range(5)], scores=["right"], dataset="d", model="r")
    assert store.show("recorded")["rows_total"] == 5

def declares_a_metric():
    store.metrics.declare("right", threshold=0.5)

def logs_into_the_job():
    refused(lambda: job.log(item={"q": 1}, row_key="of the child"))
    refused(lambda: job.log(item={"q": 1}, row_key="of the child", repetition=0))

def finishes_the_job():
    try:
        job.finish()
    except UsageError:
        pass
    assert not store.has_job("open")

def leaves_the_block():
    with job:
        pass
    assert not store.has_job("open")

def closes_the_store():
    store.close()
    assert store.show("before")["rows_total"] == 5

def ends():
    sys.exit(0)

def logs_into_a_job_of_its_own_beside():
    own = store.job("own", dataset="d", model="own")
    own.log(item=1, row_key="0", scores={"right": True})
    own.abandon()
    assert os.path.isdir(os.path.join(root, "staging/default/open"))

scenes = [asks_for_answers, asks_for_frames, asks_for_frames_of_every_kind, is_told_not_to_compute, asks_for_rows,
          opens_the_store_again, writes_a_job, records_dicts,
          declares_a_metric, logs_into_the_job, finishes_the_job, leaves_the_block, closes_the_store, ends,
          logs_into_a_job_of_its_own_beside]
children = {scene.__name__: fork(scene) for scene in scenes}
for i in range(1, 5):
    job.log(item={"q": i}, scores={"right": False}, row_key=str(i))
codes = {name: os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for name, child in children.items()}
job.finish()
record(store, "after")
say(json.dumps([codes, sorted(store.jobs()["name"])]))
'''


@pytest.fixture(scope="module")
def inherited(tmp_path_factory):
    """The exit code of each child by what it did, the jobs at the end, the store, and what was said."""
    root = tmp_path_factory.mktemp("forks") / "evals"
    with Process(FORKS + INHERITS, root) as process:
        codes, names = json.loads(process.wait_for("["))
        process.end()
        yield codes, names, evalstore.open(root), process.errors()


@pytest.mark.parametrize(
    "scene",
    [
        "asks_for_answers",
        "asks_for_frames",
        "asks_for_frames_of_every_kind",
        "is_told_not_to_compute",
        "asks_for_rows",
        "opens_the_store_again",
        "writes_a_job",
        "records_dicts",
        "declares_a_metric",
        "logs_into_the_job",
        "finishes_the_job",
        "leaves_the_block",
        "closes_the_store",
        "ends",
        "logs_into_a_job_of_its_own_beside",
    ],
)
def test_a_forked_child_uses_what_it_inherited(inherited, scene):
    codes, _, _, said = inherited
    assert codes[scene] == 0, said


def test_what_children_do_with_an_inherited_store_leaves_the_parent_unharmed(inherited):
    codes, names, store, _ = inherited
    assert {"before", "open", "after"} <= set(names)
    rows = rows_of_jobs(store)
    assert rows == dict.fromkeys(rows, ROWS)
    assert [row.row_key for row in store.row_scores("open")] == [str(i) for i in range(ROWS)]
    assert store.show("open")["status"] == "completed"
    done = {"opens_the_store_again": "opened-again", "writes_a_job": "written", "records_dicts": "recorded"}
    assert set(rows) >= {name for scene, name in done.items() if codes[scene] == 0}


ABANDONS = """
job = evalstore.open(root).job("open")
job.log(item=0, row_key="0")
def abandons():
    try:
        job.abandon()
    except UsageError:
        pass
assert os.waitstatus_to_exitcode(os.waitpid(fork(abandons), 0)[1]) == 0
job.log(item=1, row_key="1")
job.finish()
say(answer("SELECT row_key FROM rows ORDER BY row_key"))
"""


def test_a_forked_child_that_abandons_the_job_of_its_parent_removes_nothing(store):
    assert run(FORKS + ABANDONS, store.root) == ["[('0',), ('1',)]"]


# Another thread of the parent is in the middle of a question, and holds what nobody will ever release in the child.
FORKS_WHILE_ASKING = """
store = evalstore.open(root)
record(store, "before")
store.show("before")
asking = store._session._database(allow_external=False).lock
def holds():
    with asking:
        held.set()
        released.wait()
held, released = threading.Event(), threading.Event()
thread = threading.Thread(target=holds)
thread.start()
held.wait()
child = fork(lambda: store.has_job("before"))
code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
released.set()
thread.join()
say(code, store.has_job("before"))
"""


def test_a_child_forked_while_another_thread_asks_can_ask(store):
    assert run(FORKS.replace("PATIENCE = 10", "PATIENCE = 3") + FORKS_WHILE_ASKING, store.root) == ["0 True"]


# A child that is forked while the lock is held has its file open for as long as it lives.
FORKS_WHILE_PUBLISHING = """
from pathlib import Path
from evalstore.store_lock import writer_lock
record(evalstore.open(root), "before")
with writer_lock(Path(root), until=0):
    child = fork(wait)
with writer_lock(Path(root), until=0) as held:
    say(held)
os.kill(child, 9)
os.waitpid(child, 0)
"""


def test_a_child_forked_while_another_thread_publishes_keeps_nobody_from_publishing(store):
    assert run(FORKS + FORKS_WHILE_PUBLISHING, store.root) == ["True"]


FORKED_WORKERS = """
import multiprocessing
store = evalstore.open(root)
if sys.argv[2] == "used":
    record(store, "before")
    assert store.has_job("before")

def work(numbers):
    for number in numbers:
        record(store, f"job-{number}")
        assert store.show(f"job-{number}")["rows_total"] == 5

workers = [multiprocessing.get_context("fork").Process(target=work, args=(pair,)) for pair in ([0, 1], [2, 3], [4, 5])]
for worker in workers:
    worker.start()
until = time.monotonic() + float(sys.argv[3])
for worker in workers:
    worker.join(max(0, until - time.monotonic()))
    if worker.is_alive():
        worker.kill()
        worker.join()
say([worker.exitcode for worker in workers])
"""


@pytest.mark.parametrize(
    "state",
    ["fresh", "used"],
)
def test_forked_workers_write_and_ask_through_the_store_of_their_parent(store, state):
    assert run(FORKS + FORKED_WORKERS, store.root, state, 60) == ["[0, 0, 0]"]
    rows = rows_of_jobs(store)
    assert rows == dict.fromkeys([f"job-{n}" for n in range(6)] + ["before"] * (state == "used"), ROWS)


# Spawned workers


def write_a_job(root, number):
    """What a spawned worker does: it finds nothing but the arguments."""
    with evalstore.open(root) as store:
        record(store, f"job-{number}")
        return store.show(f"job-{number}")["rows_total"]


@pytest.mark.parametrize("jobs", [6, pytest.param(20, marks=pytest.mark.slow)])
def test_spawned_workers_write_jobs_side_by_side(store, jobs):
    record(store, "before")
    assert rows_of_jobs(store) == {"before": ROWS}
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        done = pool.starmap_async(write_a_job, [(store.root, number) for number in range(jobs)], chunksize=1)
        assert done.get(timeout=120) == [ROWS] * jobs
    assert rows_of_jobs(store) == dict.fromkeys([f"job-{n}" for n in range(jobs)] + ["before"], ROWS)


# Threads

THREADS = 8


def in_threads(*work):
    """Runs all of these at once, and gives what they return."""
    start = threading.Barrier(len(work))

    def run_one(one):
        start.wait()
        return one()

    with ThreadPoolExecutor(len(work)) as pool:
        return list(pool.map(run_one, work))


@pytest.mark.parametrize("questions", [1, pytest.param(8, marks=pytest.mark.slow)])
def test_threads_that_ask_one_store_get_the_answers_to_their_own_questions(store, questions):
    for number in range(THREADS):
        record(store, f"job-{number}", rows=number + 1)

    def ask(number):
        name = f"job-{number}"
        for _ in range(questions):
            assert store.show(name)["rows_total"] == number + 1
            assert [row.row_key for row in store.row_scores(name)] == [str(i) for i in range(number + 1)]
            counted = store.sql("SELECT count(*), $said FROM row_scores WHERE job = $job", job=name, said=number)
            assert counted.row(0) == (number + 1, number)
            assert store.sql("SELECT $said + 1", said=number, allow_external=True).item() == number + 1
            assert store.jobs().height == THREADS
            with pytest.raises(EvalStoreError):
                store.sql("SELECT nothing")
        return number

    assert in_threads(*(lambda n=n: ask(n) for n in range(THREADS))) == list(range(THREADS))


@pytest.mark.parametrize("jobs", [1, pytest.param(8, marks=pytest.mark.slow)])
def test_threads_that_write_jobs_of_their_own_through_one_store_lose_nothing(store, jobs):
    def write(number):
        for job in range(jobs):
            record(store, f"job-{number}-{job}", rows=number + 1)

    in_threads(*(lambda n=n: write(n) for n in range(THREADS)))
    wanted = {f"job-{number}-{job}": number + 1 for number in range(THREADS) for job in range(jobs)}
    assert rows_of_jobs(store) == rows_of_jobs(evalstore.open(store.root)) == wanted
    assert list((store.root / "staging").glob("*/*")) == list((store.root / "pending").iterdir()) == []
    for name, rows in wanted.items():
        assert [row.row_key for row in store.row_scores(name)] == [str(i) for i in range(rows)]


@pytest.mark.parametrize("jobs", [2, pytest.param(12, marks=pytest.mark.slow)])
def test_threads_that_ask_see_the_jobs_that_other_threads_write_and_only_whole_ones(store, jobs):
    record(store, "first")
    writers = 3
    wanted = writers * jobs + 1

    def write(number):
        for job in range(jobs):
            record(store, f"job-{number}-{job}")
            assert store.show(f"job-{number}-{job}")["rows_total"] == ROWS
        return 0

    def record_frames(number):
        for job in range(jobs):
            rows = [{"q": i, "right": i == 0} for i in range(ROWS)]
            assert store.record(f"job-{number}-{job}", rows, scores=["right"]).scores[0].rows_total == ROWS
        return 0

    def watch():
        most = 0
        while most < wanted:
            seen = rows_of_both_kinds(store)
            assert {line[1:] for line in seen} == {(ROWS, ROWS, ROWS)}
            assert len(seen) >= most
            most = len(seen)
        return most

    work = [lambda n=n: write(n) for n in range(writers - 1)] + [lambda: record_frames(writers - 1)]
    assert in_threads(*work, *[watch] * 3) == [0] * writers + [wanted] * 3
    assert len(rows_of_jobs(store)) == wanted


def rows_of_both_kinds(store):
    return store.sql(
        """
        SELECT name, rows_total, rows_of_job, scores_of_job
        FROM jobs
        LEFT JOIN (SELECT job_id, count(*) AS rows_of_job FROM rows GROUP BY ALL) USING (job_id)
        LEFT JOIN (SELECT job_id, count(*) AS scores_of_job FROM row_scores GROUP BY ALL) USING (job_id)
        """
    ).rows()


def test_of_threads_that_want_one_name_one_gets_it(store):
    def want():
        try:
            record(store, "the-one")
        except EvalStoreError as error:
            return type(error).__name__
        return "stored"

    for _ in range(3):
        outcomes = in_threads(*[want] * THREADS)
        assert set(outcomes) <= {"stored", "JobExists", "JobBusy"}
    assert rows_of_jobs(store) == {"the-one": ROWS}


def test_a_store_closed_by_one_thread_can_be_asked_by_others(store):
    record(store, "first")

    def ask():
        for _ in range(10):
            assert store.show("first")["rows_total"] == ROWS

    def close():
        for _ in range(10):
            store.close()

    in_threads(ask, ask, ask, close)


# Several stores, and one store several times


def test_two_stores_in_one_process_never_mix(store, tmp_path):
    other = evalstore.open(tmp_path / "other")
    stores = {"one": store, "two": other}
    jobs = {name: one.job("open", dataset="d", model=name) for name, one in stores.items()}
    for i in range(ROWS):
        for name, one in stores.items():
            jobs[name].log(item={"of": name, "q": i}, scores={name: i}, row_key=f"{name}-{i}")
            if i == 2:
                record(one, f"beside-{name}", rows=3)
            if i > 2:
                assert one.jobs()["name"].to_list() == [f"beside-{name}"]
                assert len(one.row_scores(f"beside-{name}")) == 3
    store.metrics.declare("one", higher_is_better=False)
    for job in jobs.values():
        job.finish()
    for name, one in stores.items():
        assert rows_of_jobs(one) == {"open": ROWS, f"beside-{name}": 3}
        assert [row.row_key for row in one.row_scores("open")] == [f"{name}-{i}" for i in range(ROWS)]
        assert set(one.aggregate_scores("open").to_polars()["metric"]) == {name}
    assert store.leaderboard("one")["higher_is_better"].to_list() == [False]
    assert other.sql("FROM metric").is_empty()
    with ThreadPoolExecutor(2) as pool:
        answers = pool.map(lambda one: [len(one.row_scores("open")) for _ in range(5)], stores.values())
        assert list(answers) == [[ROWS] * 5] * 2


def test_the_same_store_opened_twice_in_one_process_is_one_store(store):
    again = evalstore.open(store.root)
    for number, (one, other) in enumerate([(store, again), (again, store)] * 2):
        record(one, f"job-{number}")
        assert other.show(f"job-{number}")["rows_total"] == ROWS
        assert rows_of_jobs(one) == rows_of_jobs(other)
        with pytest.raises(EvalStoreError, match="exists"):
            other.job(f"job-{number}")
    job = store.job("open")
    with pytest.raises(EvalStoreError, match="is being written"):
        again.job("open")
    with pytest.raises(EvalStoreError, match="is being written"):
        again.finish("open")
    job.log(item=1, scores={"right": True})
    again.close()
    job.finish()
    assert again.show("open")["rows_total"] == 1
    with pytest.raises(UsageError, match="finished"):
        job.log(item=2)
