"""Jobs for tests of a store's life: made quickly, and looked at closely enough to see half a job or a wrong number."""

import hashlib
import json
import uuid

import pyarrow as pa
import pyarrow.parquet as pq

# One answer about all jobs: how many there are, how many scores, and which of them are not whole.
WHOLE = """
WITH scores AS (
    SELECT job_id, metric, count(*) AS scores_there, sum(value) AS total FROM row_scores GROUP BY ALL
),
compared AS (
    SELECT
        told.job_id,
        bool_and(coalesce(scores_there, 0) = told.rows_total AND total IS NOT DISTINCT FROM told.sum) AS is_whole
    FROM aggregate_scores AS told LEFT JOIN scores USING (job_id, metric)
    GROUP BY ALL
),
of_rows AS (SELECT job_id, count(*) AS rows_there FROM rows GROUP BY ALL)
SELECT
    count(*) AS jobs,
    coalesce(sum(rows_total), 0)::BIGINT AS rows_in_all,
    coalesce(list(name ORDER BY name) FILTER (
        coalesce(rows_there, 0) <> rows_total OR NOT coalesce(is_whole, rows_total = 0)
    ), []) AS torn
FROM jobs LEFT JOIN of_rows USING (job_id) LEFT JOIN compared USING (job_id)
"""


def record(store, name, rows=3, *, base=0, **context):
    """A job with a score a row; `base` goes into the scores, so that two jobs of one name can be told apart."""
    with store.job(name, dataset="d", model="m", **context) as job:
        for i in range(rows):
            job.log(item={"q": i}, scores={"right": base + i % 2}, row_key=str(i))
    return job.job_id


def copies(store, name, count):
    """Puts copies of a job beside it, each with an id of its own, and makes the catalog anew; their names."""
    original = store.root / "jobs/default" / name
    document = json.loads((original / "job.json").read_text())
    old_id = document["job"]["job_id"]
    tables = {kind: pq.read_table(original / document["files"][kind]["name"]) for kind in ("scores", "rows")}
    names = [f"{name}-{number:04}" for number in range(count)]
    for copy in names:
        new_id = str(uuid.uuid4())
        told = json.loads(json.dumps(document).replace(old_id, new_id))
        told["job"]["name"] = copy
        folder = original.with_name(copy)
        folder.mkdir()
        for kind, table in tables.items():
            file = folder / told["files"][kind]["name"]
            place = table.schema.get_field_index("job_id")
            ids = pa.array([new_id] * table.num_rows, table.schema.field(place).type)
            pq.write_table(table.set_column(place, table.schema.field(place), ids), file)
            told["files"][kind] |= {
                "bytes": file.stat().st_size,
                "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
            }
        (folder / "job.json").write_text(json.dumps(told))
    store.rebuild()
    return names


def assert_all_whole(store, names=None):
    """No question sees half a job; and these are all, where named."""
    [(jobs, _, torn)] = store.sql(WHOLE).rows()
    assert torn == []
    if names is not None:
        assert sorted(store.jobs(workspace="-")["name"]) == sorted(names)
        assert jobs == len(names)


def assert_clean(store):
    verification = store.verify()
    assert verification, verification.errors


def deleted(store):
    """The ids of what lies in the trash."""
    return set(store.trash()["job_id"])
