"""Files that are kept with a job: as they came, with a checksum, through deletion, resumption and a rebuild."""

import pytest


@pytest.fixture
def trace(tmp_path):
    file = tmp_path / "trace.jsonl"
    file.write_bytes(b'{"odd": bytes \xff}\n')
    return file


def kept(store, job):
    [entry] = store.show(job)["attachments"]
    return store.root / "jobs/default" / job / entry["name"]


def test_an_attachment_stays_with_its_job(store, trace):
    with store.job("one") as job:
        job.log(item={"q": 1}, row_key=1, scores={"m": True})
        job.attach(trace)
    assert kept(store, "one").name == f"trace-{job.job_id}.jsonl"
    assert kept(store, "one").read_bytes() == trace.read_bytes()
    with store.job("one", resume=True) as job:
        job.log(item={"q": 2}, row_key=2, scores={"m": True})
    assert kept(store, "one").name == f"trace-{job.job_id}.jsonl"
    store.delete("one")
    store.restore("one")
    store.rebuild()
    assert kept(store, "one").read_bytes() == trace.read_bytes()
    assert store.verify(), store.verify().errors
    kept(store, "one").unlink()
    assert "cannot be read" in store.verify().errors[0].message


def test_most_jobs_have_none(store):
    store.record("one", [{"q": 1, "m": True}], scores=["m"])
    assert store.show("one")["attachments"] is None
