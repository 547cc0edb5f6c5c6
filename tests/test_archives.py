"""Archives: jobs travel whole, twice is once, and nothing that an archive says is trusted."""

import hashlib
import io
import json
import tarfile
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import zstandard

import evalstore
from evalstore import catalog, trash
from evalstore.errors import BrokenInput, BrokenStore, JobExists, JobNotFound, UsageError
from tests.crashes import deaths
from tests.whole_jobs import assert_all_whole, assert_clean, record

VIEWS = ("jobs", "aggregate_scores", "suites", "suite_metrics", "row_scores", "rows", "failures")


@pytest.fixture(scope="module")
def origin(tmp_path_factory):
    """A store with jobs of two workspaces, one replaced, one in error, one without rows; and an archive of them."""
    folder = tmp_path_factory.mktemp("archives")
    store = evalstore.open(folder / "evals")
    record(store, "a", rows=5, tags=["nightly"], labels={"k": "v"}, config={"t": 0}, metadata={"m": [1]})
    record(store, "b")
    record(store, "b", rows=4, base=1, overwrite=True)
    failed = store.job("failed")
    failed.log(item=1, scores={"right": 1})
    failed.finish("error", ZeroDivisionError())
    record(store, "bare")
    record(evalstore.open(store.root, workspace="lab"), "a")
    store.tag("a", add=["paper"], remove=["nightly"], note="as published")
    store.archive(["a", "b", "failed", "lab/a"], to=folder / "all.tar.zst")
    yield store
    store.close()


@pytest.fixture
def archive(origin):
    return origin.root.parent / "all.tar.zst"


def answers(store, names=("a", "b", "failed")):
    wanted = "(workspace = 'lab' OR list_contains($names, job))"
    return {
        view: store.sql(
            f"FROM {view} WHERE {wanted.replace('job', 'name') if view == 'jobs' else wanted} ORDER BY ALL",
            names=list(names),
        )
        for view in VIEWS
    }


def members(file):
    """The names and contents in an archive, read by tar and zstd alone."""
    text = zstandard.ZstdDecompressor().decompressobj().decompress(file.read_bytes())
    with tarfile.open(fileobj=io.BytesIO(text)) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]


def packed(file, contents, *, change=lambda _: None):
    """Writes an archive of these contents; `change` may alter the entry of each."""
    text = io.BytesIO()
    with tarfile.open(fileobj=text, mode="w") as tar:
        for name, data in contents:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            change(member)
            tar.addfile(member, io.BytesIO(data))
    file.write_bytes(zstandard.ZstdCompressor().compress(text.getvalue()))
    return file


# There and back


def test_jobs_travel_whole_with_what_was_said_of_them(origin, archive, tmp_path):
    with evalstore.open(tmp_path / "evals") as store:
        report = store.import_from("archive", archive)
        assert (report.jobs, report.flags, report.rows) == (["a", "b", "failed", "lab/a"], [], 13)
        mine = answers(store)
        for view, frame in answers(origin).items():
            assert mine[view].equals(frame), view
        shown = store.show("a")
        assert (shown["tags"], [note["note"] for note in shown["notes"]]) == (["paper"], ["as published"])
        assert_clean(store)
        assert not list((tmp_path / "evals/staging/.new").iterdir())
        store.rebuild()
        assert store.show("a")["tags"] == ["paper"]
        assert answers(store)["jobs"].equals(mine["jobs"])


def test_twice_is_once_also_where_they_come_from(origin, archive, tmp_path):
    for store in (origin, evalstore.open(tmp_path / "evals")):
        store.import_from("archive", archive)
        before, files = answers(store), sorted(store.root.rglob("*"))
        report = store.import_from("archive", archive)
        assert report.flags == [f"job {job} was there already, with the same content" for job in report.jobs]
        assert (len(report.jobs), report.rows) == (4, 0)
        assert all(frame.equals(before[view]) for view, frame in answers(store).items())
        assert sorted(store.root.rglob("*")) == files
    assert len(origin.show("a")["notes"]) == 1


def test_an_archive_is_a_plain_tar_with_checksums(origin, archive, tmp_path):
    found = members(archive)
    [first, *names] = found
    assert first == "manifest.json"
    manifest = json.loads(found[first])
    assert (manifest["format"], manifest["version"]) == ("evalstore-archive", 1)
    told = {file["path"]: file for job in manifest["jobs"] for file in job["files"]}
    assert list(told) == names
    for name, file in told.items():
        assert (len(found[name]), hashlib.sha256(found[name]).hexdigest()) == (file["bytes"], file["sha256"])
    assert sum(name.startswith("jobs/default/b/") for name in names) == 3  # none of the job that it has replaced
    origin.archive(["a", "b", "failed", "lab/a"], to=tmp_path / "again.tar.zst")
    assert (tmp_path / "again.tar.zst").read_bytes() == archive.read_bytes()


def test_attached_files_travel_along(origin, tmp_path):
    store = evalstore.open(tmp_path / "one")
    record(store, "a")
    (store.root / "jobs/default/a/traces.jsonl").write_text('{"x": 1}\n')
    (store.root / "jobs/default/a/link").symlink_to("/etc/hostname")
    report = store.archive(["@last"], to=tmp_path / "a.tar.zst")
    assert (report.jobs, report.files) == (["default/a"], 4)
    other = evalstore.open(tmp_path / "two")
    other.import_from("archive", tmp_path / "a.tar.zst")
    assert (other.root / "jobs/default/a/traces.jsonl").read_text() == '{"x": 1}\n'
    assert not (other.root / "jobs/default/a/link").exists()


def test_a_job_without_its_rows_travels_too(tmp_path):
    store = evalstore.open(tmp_path / "one")
    record(store, "a")
    store.prune(older_than=timedelta(0), rows_only=True)
    store.archive(["a"], to=tmp_path / "a.tar.zst")
    other = evalstore.open(tmp_path / "two")
    other.import_from("archive", tmp_path / "a.tar.zst")
    assert other.show("a")["rows_dropped_at"] == store.show("a")["rows_dropped_at"]
    assert other.trend("right").equals(store.trend("right"))
    assert_clean(other)


# Names that are taken


def test_a_taken_name_is_refused_and_nothing_comes_in(archive, tmp_path):
    store = evalstore.open(tmp_path / "evals")
    record(store, "failed", base=7)
    with pytest.raises(JobExists, match="there is another job default/failed"):
        store.import_from("archive", archive)
    assert store.jobs(workspace="-")["name"].to_list() == ["failed"]
    store.delete("failed")
    assert len(store.import_from("archive", archive).jobs) == 4  # a deleted job is in nobody's way
    assert_clean(store)


def test_the_same_content_under_another_id_is_the_same_job(origin, tmp_path):
    store = evalstore.open(tmp_path / "evals")
    record(store, "bare")
    origin.archive(["bare"], to=tmp_path / "bare.tar.zst")
    mine = store.show("bare")["job_id"]
    assert store.import_from("archive", tmp_path / "bare.tar.zst").flags
    assert store.show("bare")["job_id"] == mine != origin.show("bare")["job_id"]


def test_what_lies_in_the_trash_is_restored_not_imported(archive, tmp_path, monkeypatch):
    store = evalstore.open(tmp_path / "evals")
    store.import_from("archive", archive)
    job_id = store.show("a")["job_id"]
    store.delete("a")
    with pytest.raises(JobExists, match=f"evalstore restore {job_id}"):
        store.import_from("archive", archive)
    for module in (trash, catalog):
        monkeypatch.setattr(module, "GRACE", 0.0)
    store.prune(trash=True)
    assert store.import_from("archive", archive).jobs[0] == "a"
    assert len(store.show("a")["notes"]) == 1
    assert_all_whole(store)
    assert_clean(store)


def test_a_job_that_is_here_under_another_name_is_refused(archive, tmp_path):
    store = evalstore.open(tmp_path / "evals")
    store.import_from("archive", archive)
    (store.root / "jobs/default/a").rename(store.root / "jobs/default/renamed")
    store.rebuild(adopt=True)
    with pytest.raises(JobExists, match="is here already, as default/renamed"):
        store.import_from("archive", archive)


# What is wrong


@pytest.mark.parametrize(
    ("jobs", "to", "problem"),
    [
        (["a", "nowhere"], "x.tar.zst", (JobNotFound, "there is no job 'nowhere'")),
        ([], "x.tar.zst", (UsageError, "one job at least")),
        ("a", "x.tar.zst", (UsageError, r"write \['a'\]")),
        (["a"], "x.zip", (UsageError, "an archive is named NAME.tar.zst, not 'x.zip'")),
        (["a"], "there.tar.zst", (UsageError, "exists: choose another name")),
        (["a"], "no/folder/x.tar.zst", (UsageError, r"no folder /.*/no/folder to write x\.tar\.zst into: make it")),
        (["a"], "there.tar.zst/x.tar.zst", (UsageError, r"there is no folder /.*/there\.tar\.zst to write")),
        (["a"], f"{'x' * 240}.tar.zst", (OSError, r"File name too long: '[^']*/x{240}\.tar\.zst'$")),  # as a draft
    ],
)
def test_what_cannot_be_archived(origin, tmp_path, jobs, to, problem):
    (tmp_path / "there.tar.zst").write_text("mine")
    error, message = problem
    with pytest.raises(error, match=message):
        origin.archive(jobs, to=tmp_path / to)
    assert [path.name for path in tmp_path.iterdir()] == ["there.tar.zst"]
    assert (tmp_path / "there.tar.zst").read_text() == "mine"


@pytest.mark.parametrize("damage", ["bytes", "gone", "document"])
def test_a_damaged_job_is_not_archived(tmp_path, damage):
    store = evalstore.open(tmp_path / "evals")
    record(store, "a")
    [file] = (store.root / "jobs/default/a").glob("rows-*")
    if damage == "gone":
        file.unlink()
    elif damage == "document":
        (file.parent / "job.json").write_text("{")
    else:
        data = bytearray(file.read_bytes())
        data[len(data) // 2] ^= 1
        file.write_bytes(data)
    with pytest.raises(BrokenStore, match=r"job default/a is not archived: .*evalstore verify"):
        store.archive(["a"], to=tmp_path / "a.tar.zst")
    assert [path.name for path in tmp_path.iterdir()] == ["evals"]


def changed(manifest, **fields):
    told = json.loads(manifest)
    told["jobs"][0] |= fields
    return json.dumps(told).encode()


def renamed(manifest, path):
    told = json.loads(manifest)
    told["jobs"][0]["files"][0]["path"] = path
    return json.dumps(told).encode()


def with_path(path, found):
    return [(found[0][0], renamed(found[0][1], path)), *found[1:]]


WRONG: dict[str, tuple[Any, str]] = {
    "text": (lambda _: [("manifest.json", b"{")], "field 'manifest.json': is not JSON"),
    "empty": (lambda _: [], "it does not begin with manifest.json"),
    "other": (lambda found: found[1:], "it does not begin with manifest.json"),
    "format": (lambda _: [("manifest.json", b'{"format": "zip"}')], "is no archive of evalstore"),
    "version": (
        lambda _: [("manifest.json", b'{"format": "evalstore-archive", "version": 2}')],
        "has version 2; this evalstore reads version 1",
    ),
    "lacks": (lambda found: found[:-1], "lacks jobs/"),
    "more": (lambda found: [*found, ("jobs/default/a/evil", b"x")], "'jobs/default/a/evil', which its manifest does"),
    "twice": (lambda found: [*found, found[-1]], "which its manifest does not name"),
    "short": (lambda found: [*found[:-1], (found[-1][0], found[-1][1][:-1])], "bytes, and"),
    "damaged": (lambda found: [*found[:-1], (found[-1][0], b"x" * len(found[-1][1]))], "its checksum is another one"),
    "up": (lambda found: [(found[0][0], changed(found[0][1], name="../up")), *found[1:]], "as no evalstore does"),
    "dot": (lambda found: [(found[0][0], changed(found[0][1], workspace="..")), *found[1:]], "as no evalstore does"),
    "id": (lambda found: [(found[0][0], changed(found[0][1], job_id="../x")), *found[1:]], "as no evalstore does"),
    "said": (lambda found: [(found[0][0], changed(found[0][1], said={"added": 1})), *found[1:]], "as no evalstore"),
    "another": (lambda found: [(found[0][0], changed(found[0][1], job_id="0" * 8 + "-0000" * 3 + "-" + "0" * 12)),
                               *found[1:]], "its document is that of another job"),
    **{
        path: (partial(with_path, path), "as no evalstore does")
        for path in ("/etc/passwd", "jobs/default/a/../../x", "jobs/default/b/job.json", "jobs/default/a/.hidden",
                     "meta/metrics.jsonl", "jobs/default/a/sub/file", "")
    },
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_archive_is_refused_and_leaves_nothing(archive, tmp_path, wrong):
    make, message = WRONG[wrong]
    file = packed(tmp_path / "wrong.tar.zst", make(list(members(archive).items())))
    store = evalstore.open(tmp_path / "evals")
    with pytest.raises(BrokenInput, match=r"wrong\.tar\.zst.*" + message.replace(".", r"\.")):
        store.import_from("archive", file)
    assert store.jobs(workspace="-").is_empty()
    assert {path.name for path in tmp_path.iterdir()} == {"wrong.tar.zst", "evals"}
    assert not list((store.root / "staging/.new").iterdir())
    assert_clean(store)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_links_and_devices_are_refused(archive, tmp_path, kind):
    def change(member):
        if member.name.endswith("job.json"):
            member.type, member.linkname, member.size = kind, "/etc/passwd", 0

    file = packed(tmp_path / "wrong.tar.zst", members(archive).items(), change=change)
    with pytest.raises(BrokenInput, match=r"which is no plain file|which its manifest does not name"):
        evalstore.open(tmp_path / "evals").import_from("archive", file)


@pytest.mark.parametrize("content", [b"", b"text", b"\x28\xb5\x2f\xfd", None])
def test_what_is_no_archive_is_refused(archive, tmp_path, content):
    file = tmp_path / "x.tar.zst"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(BrokenInput, match=r"x\.tar\.zst"):
        evalstore.open(tmp_path / "evals").import_from("archive", file)
    file.write_bytes(archive.read_bytes()[:-40])
    with pytest.raises(BrokenInput, match=r"x\.tar\.zst"):
        evalstore.open(tmp_path / "evals").import_from("archive", file)


# Crashes

BRINGS = "def operation(store): store.import_from('archive', {!r})"


@pytest.mark.parametrize(
    "every",
    [pytest.param(61, id="short"), pytest.param(1, id="long", marks=[pytest.mark.slow, pytest.mark.timeout(1800)])],
)
def test_a_death_at_any_step_leaves_whole_jobs_only_and_the_next_import_brings_the_rest(archive, tmp_path, every):
    store = evalstore.open(tmp_path / "evals")
    record(store, "z")
    for number, copy in deaths(store.root, BRINGS.format(str(archive)), every=every, first=5):
        other = evalstore.open(copy)
        assert "z" in other.jobs()["name"], number
        assert_all_whole(other)
        assert other.sql("FROM interrupted_jobs").is_empty()
        assert_clean(other)
        assert len(other.import_from("archive", archive).jobs) == 4
        assert len(other.show("a")["notes"]) == 1
        assert_all_whole(other, ["a", "a", "b", "failed", "z"])
        assert_clean(other)
