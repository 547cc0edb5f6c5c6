"""Job documents that no release of evalstore has written: values of the wrong type, numbers beyond every type."""

from __future__ import annotations

import json
import math

import evalstore
from evalstore import json_text


def with_changed_document(store, change):
    """The store, with one job whose document was changed by hand before the catalog was made anew."""
    with store.job("job", labels={"site": "a"}, config={"seed": 2**70}) as job:
        job.log(item={"q": 1}, scores={"right": 0.5}, row_key="1")
    path = store.root / "jobs/default/job/job.json"
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))
    (store.root / "catalog.duckdb").unlink()
    return evalstore.open(store.root)


def test_values_of_another_type_are_cast_or_null(store):
    def change(document):
        document["job"] |= {"labels": {"site": 7}, "tags": "nightly", "cost": "much", "total_events": "12"}
        document["aggregates"][0] |= {"mean": "0.25", "sum": math.nan, "maximum": math.inf, "histogram": [-1, 2]}

    store = with_changed_document(store, change)
    [job] = store.sql("SELECT labels['site'] AS site, tags, cost, total_events FROM jobs").to_dicts()
    assert job == {"site": "7", "tags": None, "cost": None, "total_events": 12}
    [(mean, total, maximum)] = store.sql("SELECT mean, sum, maximum FROM catalog.aggregate_score").rows()
    assert (mean, maximum) == (0.25, math.inf)
    assert math.isnan(total)
    assert store.show("job")["config"] == {"seed": 2**70}


def test_one_odd_document_changes_nothing_for_the_others(store):
    with store.job("other") as job:
        job.log(item={"q": 1}, scores={"right": 0.5}, row_key="1")
    store = with_changed_document(store, lambda document: document["job"].update(cost="0.5", labels=[]))
    answer = store.sql("SELECT name, cost, labels IS NULL AS odd FROM jobs ORDER BY name").rows()
    assert answer == [("job", 0.5, True), ("other", None, False)]


def test_texts_are_read_as_python_reads_them_but_for_numbers_that_are_not_finite():
    texts = [
        "18446744073709551616",
        "-9223372036854775809",
        "[9223372036854775807, 0.00012345678901234567]",
        "[123456789012345678901.5]",
        "[1e-400, -0.0, 1E5]",
        '"\\ud800"',
        '"1234567890123456789012"',
        '{"a": 1, "a": 2}',
    ]
    for text in texts:
        assert json_text.loads(text) == json_text.loads(text.encode()) == json.loads(text)
    assert json_text.loads("[NaN, Infinity, -Infinity, 1e999]") == ["nan", "inf", "-inf", "inf"]
