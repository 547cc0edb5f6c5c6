"""Values at the edge of what can be kept: each comes back as what it was, or is refused and leaves nothing behind."""

import math
from typing import Any

import polars as pl
import pytest

import evalstore
from evalstore import bulk
from evalstore.errors import EvalStoreError, InvalidScore, UnknownField, UsageError

NAN, INF = math.nan, math.inf
BIG = 40_000_000


def log(store, name, rows, *, item=("q",), scores=("ok",), **fields):
    """One by one, through the journal."""
    with store.job(name) as job:
        for row in rows:
            job.log(
                item={field: row[field] for field in item},
                scores={field: row[field] for field in scores},
                **{field: row[column] for field, column in fields.items()},
            )


def record_dicts(store, name, rows, *, item=("q",), scores=("ok",), **fields):
    store.record(name, rows, item=list(item), scores=list(scores), columns=fields)


def record_frame(store, name, rows, *, item=("q",), scores=("ok",), **fields):
    """As whole columns, past the journal."""
    frame = pl.DataFrame(rows)
    mapping = bulk.ColumnMapping(list(scores), list(item), row=fields)
    assert bulk.is_simple(frame, mapping.resolved(frame.columns))
    store.record(name, frame, item=list(item), scores=list(scores), columns=fields)


WAYS = [log, record_dicts, record_frame]


@pytest.fixture(params=WAYS, ids=lambda way: way.__name__)
def write(request):
    return request.param


def assert_untouched(store, *names):
    """Exactly these jobs are there, and nothing half-written beside them."""
    assert sorted(store.jobs()["name"]) == sorted(names)
    assert list((store.root / "staging").glob("*/*")) == list((store.root / "pending").iterdir()) == []
    assert sorted(path.name for path in (store.root / "jobs/default").glob("*")) == sorted(names)


# Errors, NaN and missing


def test_errors_nan_and_missing_stay_three_things_whichever_way_they_come_in(store, write):
    values = [1.0, 0.0, NAN, INF, -INF, None, None]
    rows: list[dict[str, Any]] = [{"q": i, "ok": value, "why": None} for i, value in enumerate(values)]
    rows += [{"q": 7, "ok": None, "why": "timeout"}, {"q": 8, "ok": None, "why": "refused"}]
    write(store, "job", rows, error="why")
    [score] = store.aggregate_scores("job").scores
    assert (score.count, score.mean, score.nan_count, score.inf_count) == (2, 0.5, 1, 2)
    assert (score.rows_scored, score.rows_unscored, score.rows_error, score.rows_total) == (2, 5, 2, 9)
    found = {row.item["q"]: (row.metrics["ok"][0].value, row.error) for row in store.row_scores("job")}
    assert math.isnan(found[2][0])
    assert [found[i] for i in (3, 4, 5, 6)] == [(INF, None), (-INF, None), (None, None), (None, None)]
    assert [found[i] for i in (7, 8)] == [(None, "timeout"), (None, "refused")]
    assert store.sql("SELECT status, count(*) FROM row_scores GROUP BY ALL ORDER BY ALL").rows() == [
        ("scored", 2),
        ("unscored", 7),
    ]
    shown = store.show("job")
    assert (shown["rows_scored"], shown["rows_unscored"], shown["rows_error"], shown["rows_total"]) == (2, 5, 2, 9)


@pytest.mark.parametrize("value", ["good", 0.5, True])
def test_a_slice_in_which_nothing_was_scored_is_a_slice(store, value):
    with store.job("job") as job:
        job.log(item=1, scores={"grade": value}, metadata={"kind": "a"})
        job.log(item=2, scores={"grade": None}, metadata={"kind": "b"})
        job.log(item=3, error="refused", metadata={"kind": "c"})
    scores = store.aggregate_scores("job", by="metadata.kind").scores
    assert [(score.slice, score.count, score.rows_total) for score in scores] == [("a", 1, 1), ("b", 0, 1), ("c", 0, 1)]


# Texts

TEXTS = [
    "",
    "\0",
    "a\0b",
    "\0" * 1000,
    " ",
    "nan",
    "inf",
    "null",
    "true",
    "1",
    "{}",
    "\x1b[31m",
    "\u2028",
    "\ufeff",
    "🙂",
]


def test_texts_of_every_kind_come_back_whichever_way_they_come_in(store, write):
    rows = [
        {"q": text, "\0": text, "ok": text, "key": f"{i} {text}", "why": text or None, "cluster": text or "c"}
        for i, text in enumerate(TEXTS)
    ]
    write(store, "job", rows, item=("q", "\0"), row_key="key", error="why", cluster="cluster")
    found = sorted(store.row_scores("job"), key=lambda row: row.row_index)
    assert [row.item for row in found] == [{"q": text, "\0": text} for text in TEXTS]
    assert [row.metrics["ok"][0].label for row in found] == TEXTS
    assert [row.row_key for row in found] == [row["key"] for row in rows]
    assert [row.error for row in found] == [row["why"] for row in rows]
    assert [row.cluster for row in found] == [row["cluster"] for row in rows]


def test_a_field_without_a_name_comes_back(store, write):
    write(store, "job", [{"q": "a", "": "b", "ok": 1}], item=("q", ""))
    assert [row.item for row in store.row_scores("job")] == [{"q": "a", "": "b"}]


def test_a_metric_without_a_name_is_refused_and_leaves_no_job(store, write):
    with pytest.raises(InvalidScore, match="metric"):
        write(store, "job", [{"q": "a", "": 1}], scores=("",))
    if write is not log:
        assert_untouched(store)


@pytest.mark.parametrize("kind", [list, pl.DataFrame])
def test_a_suite_that_is_none_is_refused_and_leaves_no_job(store, kind):
    for suite in ("", 3, None):
        with pytest.raises(UsageError, match="suite is a text"):
            store.record("job", kind([{"q": "a", "ok": 1}]), scores=["ok"], suite=suite)
    assert_untouched(store)


NAMES = {"item": {1: "q"}, "scores": {1: "ok"}, "metadata": {None: "q"}}


@pytest.mark.parametrize("kind", [list, pl.DataFrame])
def test_names_of_fields_that_are_no_text_are_taken_as_text_or_refused(store, kind):
    for part, names in NAMES.items():
        try:
            store.record(part, kind([{"q": "a", "ok": 1}]), **{"scores": ["ok"], part: names})
        except UsageError:
            continue
        assert "'1'" in repr(list(store.row_scores(part))) or "'null'" in repr(list(store.row_scores(part)))
    assert not list((store.root / "staging").glob("*/*"))


# Lone surrogates


def test_lone_surrogates_in_dicts_are_replaced_and_counted(store):
    row = {"q": "a\ud800", "\ud800": 1, "ok": "\udfff", "key": "k\ud800", "why": "\ud800", "group": "\ud800"}
    store.record(
        "job", [row], scores={"m\ud800": "ok"}, item=["q", "\ud800"], suite="s\ud800",
        columns={"row_key": "key", "error": "why", "cluster": "group"},
    )  # fmt: skip
    [found] = store.row_scores("job")
    assert found.item == {"q": "a\ufffd", "\ufffd": 1}
    assert (found.suite, found.row_key, found.error, found.cluster) == ("s\ufffd", "k\ufffd", "\ufffd", "\ufffd")
    assert {metric: scores[0].label for metric, scores in found.metrics.items()} == {"m\ufffd": "\ufffd"}
    assert store.show("job")["replaced_characters"] == 8


NAMED: dict[str, dict[str, Any]] = {
    "item": {"item": {"q\ud800": "q"}},
    "scores": {"scores": {"m\ud800": "ok"}},
    "metadata": {"metadata": {"\ud800": "q"}},
    "suite": {"suite": "\ud800"},
}


@pytest.mark.parametrize("parts", [["item", "scores", "metadata"], ["suite"]], ids=" ".join)
def test_lone_surrogates_in_what_is_said_about_a_frame_are_replaced_and_counted(store, parts):
    for part in parts:
        store.record(part, pl.DataFrame({"q": ["a"], "ok": [1]}), **{"scores": ["ok"], "item": ["q"], **NAMED[part]})
        assert "\ufffd" in repr(list(store.row_scores(part)))
        assert store.show(part)["replaced_characters"] == 1


SAID: dict[str, Any] = {
    "tags": ["\ud800"],
    "labels": {"a": "\ud800"},
    "config": {"a": "\ud800"},
    "group": "\ud800",
    "metadata": "\ud800",
}


def test_lone_surrogates_in_what_is_said_of_a_job_are_replaced(store):
    with store.job("job", **SAID):
        pass
    shown = store.show("job")
    assert [shown[field] for field in SAID] == [["\ufffd"], {"a": "\ufffd"}, {"a": "\ufffd"}, "\ufffd", "\ufffd"]


def test_lone_surrogates_in_what_is_said_of_a_job_are_counted(store):
    with store.job("job", **SAID):
        pass
    assert store.show("job")["replaced_characters"] == len(SAID)


# Numbers


def test_integers_of_any_size_come_back_whichever_way_they_come_in(store):
    numbers = [2**70, -(2**70), 2**53 + 1, 2**63, -(2**63) - 1, 2**64, 0]
    rows = [{"q": number, "ok": number} for number in numbers]
    frame = pl.DataFrame(rows, schema={"q": pl.Int128, "ok": pl.Int128})
    log(store, "logged", rows)
    record_dicts(store, "dicts", rows)
    store.record("frame", frame, item=["q"], scores=["ok"])
    for name in ("logged", "dicts", "frame"):
        found = sorted(store.row_scores(name), key=lambda row: row.row_index)
        assert [row.item["q"] for row in found] == numbers
        assert [row.metrics["ok"][0].value for row in found] == numbers


# Keys that are one and the same as text


ONE, OTHER = "\ud800", "\udfff"  # two lone surrogates


@pytest.mark.parametrize("resumes", [False, True])
def test_a_row_whose_key_has_a_lone_surrogate_is_found(store, resumes):
    job = store.job("keys")
    job.log(item=1, suite=f"s{ONE}", row_key=f"a{ONE}")
    if resumes:
        job.finish()
        job = store.job("keys", resume=True)
    assert job.has(f"a{ONE}", suite=f"s{ONE}")
    assert job.has(f"a{OTHER}", suite=f"s{ONE}")  # the same once it is written
    assert not job.has("a", suite=f"s{ONE}")
    with pytest.raises(UsageError, match="logged already"):
        job.log(item=1, suite=f"s{ONE}", row_key=f"a{OTHER}", repetition=0)
    job.log(item=1, suite=f"s{ONE}", row_key=f"a{OTHER}")
    job.finish()
    assert store.sql("SELECT repetition, row_index FROM rows ORDER BY ALL").rows() == [(0, 0), (1, 1)]


COLLIDING: list[dict[Any, Any]] = [
    {1: "a", "1": "b"},
    {None: "a", "null": "b"},
    {1: "a", "1": "b", "n": 2**70},
    {ONE: "a", OTHER: "b"},
]


def test_keys_that_are_one_as_text_are_kept_apart_or_refused(store):
    kept = []
    with store.job("job") as job:
        for item in COLLIDING:
            try:
                job.log(item=item)
            except UsageError:
                continue
            kept.append(item)
    for row, item in zip(sorted(store.row_scores("job"), key=lambda row: row.row_index), kept, strict=True):
        assert len(row.item) == len(item)


@pytest.mark.parametrize(
    ("key", "other", "named"),
    [(1, "1", "1"), (None, "null", "null"), (1.5, "1.5", "1.5"), (True, "true", "true"), (ONE, OTHER, "\ufffd")],
)
def test_of_keys_that_are_one_as_text_the_field_and_the_key_are_named(store, key, other, named):
    given = {key: "a", other: "b"}
    job = store.job("job")
    for field in ("item", "sample", "reference", "metadata", "requests"):
        for value in (given, [{"a": given}], {**given, "n": 2**70}):
            with pytest.raises(UsageError, match=rf"^{field}: .*{named!r}"):
                job.log(**{"item": 1, field: value})
    with pytest.raises(InvalidScore, match=rf"^metric 'm', metadata: .*{named!r}"):
        job.log(item=1, scores={"m": {"value": 1, "metadata": given}})
    job.finish()
    assert list(store.row_scores("job")) == []


@pytest.mark.parametrize("given", [{1: "a", "1": "b"}, {ONE: "a", OTHER: "b"}, {"a": {None: 1, "null": 2}}])
@pytest.mark.parametrize("field", ["config", "metadata", "labels"])
def test_keys_that_are_one_as_text_are_refused_in_what_is_said_of_a_job(store, given, field):
    if field == "labels" and "a" in given:
        pytest.skip("labels hold texts")
    with pytest.raises(UsageError, match=f"^{field}: "):
        store.job("job", **{field: given})


@pytest.mark.parametrize(
    "scores", [{f"m{ONE}": 1, f"m{OTHER}": 2}, {"m": [{"name": ONE, "value": 1}, {"name": OTHER, "value": 2}]}]
)
def test_metrics_that_are_one_as_text_are_refused(store, scores):
    with store.job("job") as job:
        with pytest.raises(InvalidScore, match="\ufffd"):
            job.log(item=1, scores=scores)
        job.log(item=1, scores={f"m{ONE}": [1, 2]})
    assert store.row_scores("job").to_polars()["score_index"].to_list() == [0, 1]


@pytest.mark.parametrize("kind", [list, pl.DataFrame])
@pytest.mark.parametrize("part", ["scores", "item", "metadata"])
def test_names_of_columns_that_are_one_as_text_are_refused(store, kind, part):
    names = {part: {ONE: "q", OTHER: "ok"}}
    with pytest.raises(UsageError, match="\ufffd"):
        store.record("job", kind([{"q": 1, "ok": 1}]), **{"scores": ["ok"], "item": ["q"], **names})
    assert_untouched(store)


def test_keys_that_are_no_text_are_written_and_hashed_as_ever(store):
    kinds = {7: "a", 2.5: "b", 1e22: "e", None: "c", True: "d"}
    with store.job("job") as job:
        job.log(item=kinds)
    [row] = store.row_scores("job")
    assert row.item == {"7": "a", "2.5": "b", "1e+22": "e", "null": "c", "true": "d"}


# Depth


def nested(depth, kind):
    value = kind()
    for _ in range(depth):
        value = {"a": value} if kind is dict else [value]
    return value


@pytest.mark.parametrize("kind", [dict, list])
def test_documents_that_are_nested_deeply_come_back(store, kind):
    depths = (100, 200, 250)
    with store.job("logged") as job:
        for depth in depths:
            job.log(item={"q": nested(depth, kind)}, scores={"m": {"value": 1, "metadata": nested(depth, dict)}})
    store.record("dicts", [{"q": nested(depth, kind), "m": 1} for depth in depths], scores=["m"])
    for name in ("logged", "dicts"):
        found = sorted(store.row_scores(name), key=lambda row: row.row_index)
        assert [row.item["q"] for row in found] == [nested(depth, kind) for depth in depths]


TOO_DEEP = {
    "item": lambda value: {"item": value},
    "sample": lambda value: {"item": 1, "sample": value},
    "requests": lambda value: {"item": 1, "requests": value},
    "metadata of a score": lambda value: {"item": 1, "scores": {"m": {"value": 1, "metadata": value}}},
    "a score": lambda value: {"item": 1, "scores": {"m": {"value": value}}},
}


@pytest.mark.parametrize("depth", [100_000, pytest.param(2000, marks=pytest.mark.slow)])
def test_a_document_that_is_nested_too_deeply_is_not_logged_and_the_job_goes_on(store, depth):
    with store.job("job") as job:
        for make in TOO_DEEP.values():
            with pytest.raises((UsageError, RecursionError)):
                job.log(**make(nested(depth, dict)))
        job.log(item="last", row_key="last")
    assert [row.row_key for row in store.row_scores("job")] == ["last"]
    with pytest.raises((UsageError, RecursionError)):
        store.record("dicts", [{"q": 1, "m": 1}, {"q": nested(depth, list), "m": 1}], scores=["m"])
    with pytest.raises((UsageError, RecursionError)):
        store.job("config", config=nested(depth, dict))
    assert_untouched(store, "job")


@pytest.mark.parametrize("depth", [254, 400, 2000])
@pytest.mark.parametrize("more", [{}, {"n": 2**70}, {1: 2}])
def test_a_document_that_is_nested_too_deeply_is_refused_by_name(store, depth, more):
    job = store.job("job")
    value = {**nested(depth, dict), **more}
    for field in ("item", "sample", "metadata", "requests"):
        with pytest.raises(UsageError, match=rf"^{field} is nested too deeply"):
            job.log(**{"item": 1, field: value})
    with pytest.raises(UsageError, match=r"^metric 'm', metadata is nested too deeply"):
        job.log(item=1, scores={"m": {"value": 1, "metadata": value}})
    job.finish()
    for field in ("config", "metadata"):
        with pytest.raises(UsageError, match=rf"^{field} is nested too deeply"):
            store.job("next", **{field: value})
    with pytest.raises(UsageError, match=r"^item is nested too deeply"):
        store.record("next", [{"q": value, "m": 1}], scores=["m"])


def deepest_config(store):
    """The depth of the deepest config with which a job can be opened."""
    low, high = 100, 1500
    while high - low > 1:
        middle = (low + high) // 2
        try:
            store.job("probe", config=nested(middle, dict)).abandon()
        except UsageError:
            high = middle
        else:
            low = middle
    return low


@pytest.mark.parametrize("more", [{}, {"n": 2**70}, {"n": NAN}, {"n": ONE}], ids=["plain", "long", "nan", "surrogate"])
def test_a_job_that_could_be_opened_can_be_finished(store, more):
    log(store, "before", [{"q": 1, "ok": 1}])
    deepest = nested(deepest_config(store), dict)
    job = store.job("deep", config={**deepest, **more}, metadata=deepest)
    job.log(item={**deepest, **more}, row_key="kept")
    job.finish()
    assert store.show("deep")["metadata"] == deepest
    assert [(row.row_key, row.item["a"]) for row in store.row_scores("deep")] == [("kept", deepest["a"])]
    with store.job("deep", resume=True, config={**deepest, **more}) as job:
        job.log(item=deepest, row_key="more")
    (store.root / "catalog.duckdb").unlink()
    assert len(evalstore.open(store.root).row_scores("deep")) == 2
    assert store.verify()


@pytest.mark.parametrize("depth", [600, 5000])
def test_a_document_nested_more_deeply_than_anything_is_written_stops_nobody(store, depth):
    for name in ("before", "deep"):
        log(store, name, [{"q": 1, "ok": 1}])
    file = store.root / "jobs/default/deep/job.json"
    text = '{"a":' * depth + "1" + "}" * depth
    file.write_text(file.read_text().replace('"config":null', f'"config":{text}'))
    store.metrics.declare("m")
    with (store.root / "meta/metrics.jsonl").open("a") as declared:
        declared.write('{"workspace":"default","metric":"deep","name":null,"description":' + text + "}\n")
        declared.write('[1]\n7\n{"metric":"m"}\n{"workspace":"default","metric":"m","name":[1]}\n')
    (store.root / "catalog.duckdb").unlink()
    again = evalstore.open(store.root)
    assert again.jobs()["name"].to_list() == ["before"]
    log(again, "next", [{"q": 1, "ok": 1}])
    assert set(again.jobs()["name"]) == {"before", "next"}
    found = {finding.path: finding.message for finding in again.verify().findings}
    assert "jobs/default/deep" in found
    assert {path for path in found if path.startswith("meta")} == {f"meta/metrics.jsonl:{line}" for line in range(2, 7)}
    if depth < 1000:
        assert "too deeply" in found["jobs/default/deep"]


# Size

BIG_PLACES = {
    "item": lambda text: {"item": {"q": text}},
    "a key of the item": lambda text: {"item": {text: 1}},
    "row_key": lambda text: {"item": 1, "row_key": text},
    "error": lambda text: {"item": 1, "error": text},
    "label": lambda text: {"item": 1, "scores": {"m": text}},
    "comment": lambda text: {"item": 1, "scores": {"m": {"value": 1, "comment": text}}},
    "tags": lambda text: {"item": 1, "tags": [text]},
    "suite": lambda text: {"item": 1, "suite": text},
}


@pytest.mark.parametrize("places", [["comment"], pytest.param(list(BIG_PLACES), marks=pytest.mark.slow)])
def test_a_text_of_forty_megabytes_comes_back_wherever_it_stands(store, places):
    text = "x" * (BIG - 1) + "ü"
    for number, place in enumerate(places):
        name = f"job-{number}"
        with store.job(name) as job:
            job.log(item="small")
            job.log(**BIG_PLACES[place](text))
            job.log(item="small")
        rows = list(store.row_scores(name))
        assert len(rows) == 3
        found = [held for row in rows for held in texts_in(row.model_dump()) if len(held) == BIG]
        assert found
        assert all(held == text for held in found)


def texts_in(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for held in [*value.keys(), *value.values()] if isinstance(value, dict) else value:
            yield from texts_in(held)


@pytest.mark.slow
@pytest.mark.parametrize("write", [record_dicts, record_frame])
def test_a_text_of_forty_megabytes_in_bulk_comes_back(store, write):
    text = "x" * BIG
    rows = [{"q": "a", "ok": "good"}, {"q": text, "ok": text}, {"q": "b", "ok": "bad"}]
    write(store, "job", rows)
    found = sorted(store.row_scores("job"), key=lambda row: row.row_index)
    assert [row.item["q"] == given["q"] for row, given in zip(found, rows, strict=True)] == [True] * 3
    assert [row.metrics["ok"][0].label == given["ok"] for row, given in zip(found, rows, strict=True)] == [True] * 3


# Refused in the middle


@pytest.mark.parametrize(
    "wrong", [{"ok": object()}, {"ok": 10**400}, {"key": ""}], ids=["a score", "a number", "a key"]
)
def test_one_wrong_row_among_dicts_leaves_no_job_and_its_name_free(store, wrong):
    log(store, "before", [{"q": 1, "ok": 1}])
    rows = [{"q": i, "ok": 1, "key": f"k{i}"} for i in range(50)]
    with pytest.raises(EvalStoreError):
        record_dicts(store, "job", [*rows[:40], {**rows[40], **wrong}, *rows[41:]], row_key="key")
    assert_untouched(store, "before")
    with pytest.raises(UnknownField):
        record_dicts(store, "job", [*rows[:40], {"q": 1}])
    record_dicts(store, "job", rows, row_key="key")
    assert_untouched(store, "before", "job")
