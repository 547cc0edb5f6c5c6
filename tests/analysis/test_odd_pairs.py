"""Pairs that are easily misjudged: rounding, repetitions, slices, labels, and jobs that are gone by then."""

import json
from itertools import product

import pytest

import evalstore
from evalstore.errors import JobNotFound


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with evalstore.open(tmp_path_factory.mktemp("odd_pairs") / "evals") as store:
        yield store


def put(store, name, rows, **context):
    """A job of (row key, repetition, scores, more) lines."""
    with store.job(name, **context) as job:
        for key, repetition, scores, *more in rows:
            job.log(item={"q": key}, row_key=str(key), repetition=repetition, scores=scores, **dict(*more))


def only_line(comparison):
    [found] = comparison.metrics.to_dicts()
    return found


# Rounding


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([[0.1, 0.2, 0.3]] * 20, [[0.3, 0.2, 0.1]] * 20),  # one mean, added up in two orders
        ([[0.1 + 0.2]] * 20, [[0.3]] * 20),
        ([[1e9 * (0.1 + 0.2)]] * 20, [[1e9 * 0.3]] * 20),
        ([[x / 7] for x in range(50)], [[x / 7 * (1 + 2e-16)] for x in range(50)]),
    ],
    ids=["order", "sum", "large", "digit"],
)
def test_rounding_is_no_difference(store, before, after, request):
    names = [f"{request.node.callspec.id}-{side}" for side in ("before", "after")]
    for name, values in zip(names, (before, after), strict=True):
        put(store, name, [(n, k, {"x": value}) for n, some in enumerate(values) for k, value in enumerate(some)])
    found = only_line(store.compare(*names))
    assert (found["difference"], found["improved"], found["regressed"]) == (0, 0, 0)
    assert (found["unchanged"], found["change"], found["p_value"]) == (len(before), "no difference shown", 1)
    assert only_line(store.compare(*names, test="permutation"))["p_value"] == 1
    assert store.compare(*names).flips.height == 0
    assert store.gate(names[1], baseline=names[0], policy={"all": {"max_flips": 0}})


def test_rounding_is_no_difference_of_clusters(store):
    steps = (0.1, 0.2, -0.3)  # added up: 5.6e-17
    for name, is_after in (("clusters-before", 0), ("clusters-after", 1)):
        put(
            store, name,
            [(n, 0, {"x": is_after * steps[n % 3]}, {"cluster": f"c{n // 3}"}) for n in range(60)],
        )  # fmt: skip
    found = only_line(store.compare("clusters-before", "clusters-after"))
    assert (found["clusters"], found["difference"], found["p_value"]) == (20, 0, 1)
    assert (found["improved"], found["regressed"]) == (40, 20)  # the rows did change
    assert only_line(store.compare("clusters-before", "clusters-after", test="permutation"))["p_value"] == 1


@pytest.mark.parametrize("cluster", [None, "row_key"])
def test_rounding_is_no_spread(store, cluster):
    name = f"steps-{cluster}"
    put(store, f"{name}-1", [(n, 0, {"x": 0.1 * n}) for n in range(6)])
    put(store, f"{name}-2", [(n, 0, {"x": 0.1 * (n + 1)}) for n in range(6)])
    found = only_line(store.compare(f"{name}-1", f"{name}-2", cluster=cluster))
    assert found["difference"] == pytest.approx(0.1)
    assert (found["test"], found["p_value"], found["interval"]) == ("sign test", 2 / 2**6, "rule of three")


def test_small_differences_are_differences(store):
    """Beside large values too, which are the same on both sides."""
    put(store, "small-1", [(n, 0, {"x": 1e-7 * n if n else 1e6}) for n in range(12)])
    put(store, "small-2", [(n, 0, {"x": 1e-7 * n + 1e-9 * (n % 3) if n else 1e6}) for n in range(12)])
    found = only_line(store.compare("small-1", "small-2"))
    assert (found["improved"], found["regressed"], found["unchanged"]) == (8, 0, 4)
    assert found["difference"] == pytest.approx(1e-9)
    assert found["p_value"] < 0.01


# Slices


def test_slices_are_tested_by_permutation_too(store):
    """By the same test as the metrics: within a slice, over clusters where there are some."""
    changes = [0.4, -0.1, 0.3, 0.2, -0.2, 0.1, 0.5, 0.3]
    for name, is_after in (("signs-1", 0), ("signs-2", 1)):
        rows = [
            (f"{kind}{n}", 0, {"x": 0.5 + is_after * change * (-1 if kind == "b" else 1)},
             {"metadata": {"kind": kind}, "cluster": f"{kind}{n // 2}" if kind == "b" else None})
            for kind in "ab" for n, change in enumerate(changes)
        ]  # fmt: skip
        put(store, name, rows)
    found = store.compare("signs-1", "signs-2", by="metadata.kind", test="permutation")
    a, b = found.slices.sort("slice").to_dicts()
    assert {a["test"], b["test"], *found.metrics["test"]} == {"sign-flip permutation"}
    pairs = [sum(changes[n : n + 2]) for n in range(0, 8, 2)]
    assert (a["p_value"], b["p_value"]) == pytest.approx((all_signs(changes), all_signs(pairs)))
    assert (a["p_adjusted"], b["p_adjusted"]) == pytest.approx((2 * a["p_value"], max(b["p_value"], 2 * a["p_value"])))


def all_signs(values):
    """How many of all combinations of signs give a sum as far from 0."""
    every = product((1, -1), repeat=len(values))
    sums = [abs(sum(v * s for v, s in zip(values, signs, strict=True))) for signs in every]
    return sum(one >= abs(sum(values)) - 1e-9 for one in sums) / len(sums)


# Jobs that are gone when their rows are asked for


def test_rows_of_a_job_that_is_gone_are_not_said_to_be_none(store):
    for name, share in (("z1", 2), ("z2", 3)):
        put(store, name, [(n, 0, {"ok": n % share == 0}) for n in range(30)])
    found = store.compare("z1", "z2")
    assert found.metrics["improved"].to_list() == [5]
    store.delete("z2")

    def assert_refused():
        for ask in (lambda: found.flips, lambda: found.flipped("improved"), found.to_html):
            with pytest.raises(JobNotFound, match="job 'z2', which was compared, is no more in the store as it was"):
                ask()

    assert_refused()
    put(store, "z2", [(n, 0, {"ok": True}) for n in range(30)])  # the name is that of another job now
    assert_refused()


# Which repetition is shown


def texts(flips, side):
    return [json.loads(text)["value"] for text in flips[f"{side}_sample"]]


@pytest.fixture(scope="module")
def repeated(store):
    """Three repetitions, of which one goes wrong in the candidate: by its score, by an error, or by its length."""

    def repetition(name, k, wrong):
        is_wrong = k == wrong
        said = {"comment": f"{name} {k} {'wrong' if is_wrong else 'right'}"}
        return {"ok": {"value": not is_wrong, **said}, "length": 9 if is_wrong else k}

    for name, wrong in (("three-1", None), ("three-2", 2)):
        rows = [
            (n, k, repetition(name, k, wrong), {"sample": f"{name} {k}"}) for n in range(4) for k in range(3)
        ]  # fmt: skip
        put(store, name, rows, metrics={"length": {"higher_is_better": False}}, dataset="three")
    rows = [
        (n, k, {"ok": True} if k != 1 else None, {"sample": f"failing {k}"} | ({"error": "late"} if k == 1 else {}))
        for n in range(4) for k in range(3)
    ]  # fmt: skip
    put(store, "three-failing", rows, dataset="three")
    return store


def test_the_repetition_that_differs_is_shown(repeated):
    found = repeated.compare("three-1", "three-2")
    lost = found.flipped("regressed", metric="ok", limit=1)
    assert texts(lost, "candidate") == ["three-2 2"]
    assert (lost["candidate_comment"][0], lost["baseline_comment"][0]) == ("three-2 2 wrong", "three-1 0 right")
    assert texts(found.flipped("regressed", metric="length", limit=1), "candidate") == ["three-2 2"]
    back = repeated.compare("three-2", "three-1").flipped("improved", metric="ok", limit=1)
    assert (texts(back, "baseline"), texts(back, "candidate")) == (["three-2 2"], ["three-1 0"])


def test_an_error_that_counts_is_shown(repeated):
    for errors, shown in (("zero", "failing 1"), ("exclude", "failing 0")):
        found = repeated.compare("three-1", "three-failing", metric="ok", errors=errors)
        flip = "regressed" if errors == "zero" else "both right"
        row = found.flipped(flip, limit=1)
        assert texts(row, "candidate") == [shown]
        assert row["candidate_error"].to_list() == ["late" if errors == "zero" else None]


def test_of_several_baselines_one_that_differs_is_shown(repeated):
    for name in ("three-1", "three-2", "three-failing"):
        repeated.baselines.set("three", name)
    put(repeated, "three-wrong", [(n, 0, {"ok": False}, {"sample": "no"}) for n in range(4)], dataset="three")
    lost = repeated.compare("last:2", "three-wrong", metric="ok").flipped("regressed", limit=1)
    assert texts(lost, "baseline")[0] in ("failing 0", "failing 2", "three-2 0", "three-2 1")


def test_the_worst_repetition_is_shown_by_a_gate(repeated):
    verdict = repeated.gate("three-2", policy={"metrics": {"ok": {"min": 0.9}}})
    assert {json.loads(row["candidate_sample"])["value"] for row in verdict.worst_rows} == {"three-2 2"}


# Labels


def test_labels_without_numbers_are_told_as_such(store):
    for name, other in (("labels-1", 0), ("labels-2", 20)):
        rows = [
            (n, 0, {"verdict": "bad" if n < other else "good", "length": n}, {"metadata": {"half": str(n % 2)}})
            for n in range(40)
        ]  # fmt: skip
        put(store, name, rows)
    found = store.compare("labels-1", "labels-2", by="metadata.half")
    changes = {line["metric"]: line["change"] for line in found.metrics.to_dicts()}
    assert changes == {"length": "no difference shown", "verdict": "20 of 40 labels changed"}
    slices = {(line["metric"], line["change"]) for line in found.slices.to_dicts()}
    assert slices == {("length", "no difference shown"), ("verdict", "labels, no numbers")}
    for rule in ({"min": 0.5}, {"max_drop": 0.1}, {"max_flips": 3}):
        verdict = store.gate("labels-2", baseline="labels-1", policy={"metrics": {"verdict": rule}})
        assert verdict.outcome == "not comparable"
        assert verdict.message == "verdict: 40 rows scored with labels, which have no mean: a rubric gives them values"


def test_labels_that_a_rubric_gives_values_are_numbers(store):
    quality = {"rubric": [{"label": "bad", "value": 0}, {"label": "good", "value": 1}]}
    for name, other in (("rubric-1", 0), ("rubric-2", 20)):
        put(store, name, [(n, 0, {"v": "bad" if n < other else "good"}) for n in range(40)], metrics={"v": quality})
    assert only_line(store.compare("rubric-1", "rubric-2"))["difference"] == -0.5
