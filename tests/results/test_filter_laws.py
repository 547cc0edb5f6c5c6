"""For random filters over random jobs, the answer is what plain Python says it is; so are orders and walks."""

from functools import cmp_to_key
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import evalstore
from tests.results import random_jobs

TEXTS = st.sampled_from([*random_jobs.WORDS, "A", "job", "default/alpha", "_", "%", "llama", "É", "σας", "ДА", "ς"])
STATUSES = st.sampled_from(["completed", "error", "interrupted"])
NUMBERS = st.sampled_from([n for n in random_jobs.NUMBERS if n is not None] + [0, 1, 2, 0.3])
LARGE = st.sampled_from(random_jobs.LARGE) | st.sampled_from([2**53, 2.0**53, 2.0**64, 2**70 + 1, 1e300, 10**40])
MOMENTS = st.sampled_from(random_jobs.TIMES)
REFERENCES = st.sampled_from([model for model in random_jobs.MODELS if model] + ["ws/exact", "default/none"])
JSON = st.one_of(TEXTS, NUMBERS, st.booleans())
SCORE_FIELDS = [f"scores.{name}.{statistic}" for name in random_jobs.SCORES for statistic in random_jobs.STATISTICS]
SCORE_FIELDS += ["suites.hard.rouge.mean", "suites.default.accuracy.count"]
FIELDS = {
    **dict.fromkeys(["name", "group", "labels.team", "labels.x.y", "tags", "workspace", "metadata.tag"], TEXTS),
    "status": STATUSES,
    **dict.fromkeys(["model", "dataset", "metric"], REFERENCES),
    **dict.fromkeys(["created_at", "finished_at", "updated_at"], MOMENTS),
    **dict.fromkeys(["duration", "cost", "overall_score", *SCORE_FIELDS], NUMBERS),
    **dict.fromkeys(["config.temperature", "config.deep.list[1]"], JSON),
    "config.seed": LARGE,
}
HAS_NO_TEXT = {field for field, values in FIELDS.items() if values in (NUMBERS, MOMENTS, LARGE)}


@st.composite
def beginnings(draw):
    """A time, or its beginning, in some zone, with a T or a space."""
    moment = draw(st.sampled_from(random_jobs.TIMES))
    length = draw(st.sampled_from([4, 7, 10, 13, 16, 19, 21, 26]))
    zone = draw(st.sampled_from(random_jobs.ZONES)) if length > 10 else ""
    written = random_jobs.in_zone(moment, zone)[:length] + zone
    return written.replace("T", draw(st.sampled_from("T ")))


@st.composite
def comparisons(draw, field):
    """What may stand under a field, besides logical operators."""
    values = FIELDS[field]
    operators = ["$eq", "$ne", "$in", "$nin", "$exists", "$lt", "$lte", "$gt", "$gte"]
    operator = draw(st.sampled_from([*operators, *([] if values in (NUMBERS, LARGE) else ["$like"])]))
    if operator == "$exists":
        return {operator: draw(st.booleans())}
    if operator in ("$in", "$nin"):
        return {operator: draw(st.lists(st.none() | values, max_size=3))}
    if operator == "$like":
        return {operator: draw(beginnings() if values is MOMENTS else TEXTS)}
    if operator in ("$eq", "$ne"):
        return {operator: draw(st.none() | values)}
    return {operator: draw(values.filter(lambda value: not isinstance(value, bool)))}


@st.composite
def under_a_field(draw, field, depth=2):
    shape = draw(st.sampled_from(["bare", "one", "one", "several", *(["$not", "$or", "$and"] if depth else [])]))
    if shape == "bare":
        return draw(st.none() | FIELDS[field])
    if shape == "one":
        return draw(comparisons(field))
    if shape == "several":
        return {**draw(comparisons(field)), **draw(comparisons(field))}
    if shape == "$not":
        return {"$not": draw(under_a_field(field, depth - 1))}
    return {shape: draw(st.lists(under_a_field(field, depth - 1), min_size=1, max_size=3))}


@st.composite
def one_field(draw):
    field = draw(st.sampled_from(sorted(FIELDS)))
    return {field: draw(under_a_field(field))}


@st.composite
def several_fields(draw):
    return draw(one_field()) | draw(one_field())


FILTERS = st.recursive(
    one_field() | several_fields(),
    lambda inner: st.one_of(
        st.builds(lambda part: {"$not": part}, inner),
        st.builds(lambda parts: {"$or": parts}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda parts: {"$and": parts}, st.lists(inner, min_size=1, max_size=3)),
    ),
    max_leaves=5,
)


class Jobs(list):
    """What the jobs of a store say."""

    def __repr__(self):
        return f"{len(self)} jobs"


@pytest.fixture(scope="module")
def jobs(tmp_path_factory):
    """A store and what its jobs say."""
    root = tmp_path_factory.mktemp("laws") / "evals"
    told = Jobs(random_jobs.make(root, 40, seed=1))
    with evalstore.open(root) as store:
        yield store, told


def found(store, **asked):
    return [
        (one.workspace, one.name) for one in store.results.list(workspace="-", status=None, page_size=1000, **asked)
    ]


def named(told):
    return [(one["workspace"], one["name"]) for one in told]


@given(FILTERS)
def test_a_filter_finds_what_plain_python_finds(jobs, tree):
    store, told = jobs
    assert sorted(found(store, filter=tree)) == sorted(named(one for one in told if random_jobs.finds(tree, one)))


@settings(max_examples=15)
@given(FILTERS)
def test_the_opposite_of_a_filter_finds_all_others(jobs, tree):
    store, told = jobs
    both = found(store, filter=tree) + found(store, filter={"$not": tree})
    assert sorted(both) == sorted(named(told))


@settings(max_examples=15)
@given(FILTERS, FILTERS)
def test_filter_search_and_status_must_all_hold(jobs, tree, search):
    store, told = jobs
    mentioned = fields_of([tree, search])
    wanted = [
        one
        for one in told
        if ("status" in mentioned or one["status"] == "completed")
        and ("workspace" in mentioned or one["workspace"] == "default")
        and random_jobs.finds(tree, one) and random_jobs.finds(texts_only(search), one, "$like")
    ]  # fmt: skip
    page = store.results.list(tree, texts_only(search), page_size=1000)
    assert sorted((one.workspace, one.name) for one in page) == sorted(named(wanted))
    assert page.pagination.total_results == len(wanted)


def fields_of(tree):
    """All keys of a filter."""
    if isinstance(tree, dict):
        return set(tree) | fields_of(list(tree.values()))
    return set().union(*map(fields_of, tree)) if isinstance(tree, list) else set()


def texts_only(tree):
    """A filter without bare texts where a part of a text is meant by them that a field cannot have."""
    if isinstance(tree, dict):
        return {key: {"$eq": value} if is_bare_text(key, value) else texts_only(value) for key, value in tree.items()}
    return [texts_only(one) for one in tree] if isinstance(tree, list) else tree


def is_bare_text(key, value):
    return key in HAS_NO_TEXT and isinstance(value, str)


SORTED = [
    "name",
    "created_at",
    "finished_at",
    "model",
    "cost",
    "scores.accuracy.mean",
    "scores.rouge.p90",
    "labels.team",
    "config.seed",
]


@settings(max_examples=10)
@given(
    st.lists(st.tuples(st.booleans(), st.sampled_from(SORTED)), min_size=1, max_size=3),
    st.integers(7, 25),
    one_field() | st.none(),
)
def test_pages_and_walks_are_the_whole_list_in_order(jobs, keys, page_size, tree):
    store, told = jobs
    sort = [f"{'-' * descends}{field}" for descends, field in keys]
    asked = {"filter": tree, "sort": sort, "workspace": "-", "status": None}
    whole = [one.id for one in store.results.list(**asked, page_size=1000)]
    by_id = {one["job_id"]: one for one in told}
    assert sorted(whole) == sorted(one["job_id"] for one in told if tree is None or random_jobs.finds(tree, one))
    assert [one.id for one in store.results.list(**asked, page_size=page_size)] == whole
    first = store.results.list(**asked, page_size=page_size)
    pages = [
        store.results.list(**asked, page=page, page_size=page_size)
        for page in range(1, first.pagination.total_pages + 1)
    ]
    assert [one.id for page in pages for one in page.data] == whole
    for before, after in pairwise(whole):
        assert order(keys)(by_id[before], by_id[after]) <= 0


def order(keys):
    """Compares two jobs by several keys; what lacks one comes last either way."""

    def compare(one, other):
        for descends, field in keys:
            left, right = key_of(field, one, descends), key_of(field, other, descends)
            if left == right:
                continue
            if left is None or right is None:
                return 1 if left is None else -1
            return (1 if left > right else -1) * (-1 if descends else 1)
        return 0

    return compare


def key_of(field, job, descends):
    found = random_jobs.values(field, job)
    return None if not found else max(found) if descends else min(found)


@pytest.fixture(scope="module")
def few_jobs(tmp_path_factory):
    """A store whose jobs may be deleted, if they are brought back."""
    root = tmp_path_factory.mktemp("deleted") / "evals"
    told = Jobs(random_jobs.make(root, 5, seed=3))
    with evalstore.open(root) as store:
        yield store, told


@settings(max_examples=2)
@given(st.sampled_from(["scores.accuracy.count", "suites.hard.rouge.count"]), st.booleans(), st.integers(1, 3))
def test_a_walk_that_deletes_what_it_sees_sees_all_of_it(few_jobs, score, descends, page_size):
    """Also when the last job with the score that is filtered and sorted by has gone."""
    store, told = few_jobs
    tree = {score: {"$gte": 0}}
    wanted = named(one for one in told if random_jobs.finds(tree, one))
    asked = {"sort": f"{'-' * descends}{score}", "workspace": "-", "status": None, "page_size": page_size}
    walked = []
    for result in store.results.list(tree, **asked):
        walked.append((result.workspace, result.name))
        store.results.delete("/".join(walked[-1]))
    for place in walked:
        store.results.restore("/".join(place))
    assert sorted(walked) == sorted(wanted)
    assert len(wanted) > 1


def test_the_comparison_of_the_tests_is_an_order(jobs):
    _, told = jobs
    keys = [(True, "cost"), (False, "name")]
    ordered = sorted(told, key=cmp_to_key(order(keys)))
    assert [one["cost"] for one in ordered][-1] is None
    costs = [one["cost"] for one in ordered if one["cost"] is not None]
    assert costs == sorted(costs, reverse=True)
