"""The HTML page of a comparison, used in a browser: what is shown, found, filtered, and how it stands narrow."""

import random

import pytest

import evalstore
from tests.browser import CHROMIUM, open_page

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (chromium, chromium-browser or google-chrome)"),
]

ROWS = 70


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """Two jobs of a rate and a latency over slices, and a suite that only the first one has."""
    folder = tmp_path_factory.mktemp("report")
    rng = random.Random(1)
    with evalstore.open(folder / "evals") as store:
        store.metrics.declare("latency_ms", higher_is_better=False)
        for name, wrong in (("one", 10), ("two", 65)):
            with store.job(name, dataset="d", model="m") as job:
                for suite in ("default", "gone") if name == "one" else ("default",):
                    for n in range(ROWS):
                        job.log(
                            item={"question": f'say "hi" to <b>{n}</b> </script> café'},
                            sample={"output_text": f"the answer {n} of {name}", "steps": [1, "é"]},
                            scores={
                                "accuracy": {"value": n >= wrong, "comment": "well done" if n >= wrong else "oh no"},
                                "latency_ms": 900.0 + rng.gauss(0, 40) + 300 * (name == "two"),
                            },
                            row_key=f"row-{n}", suite=suite, metadata={"kind": ["fractions", "rates"][n % 2]},
                        )  # fmt: skip
        store.compare("one", "two", margin=0.05, by="metadata.kind").write_html(folder / "report.html")
    return folder / "report.html"


@pytest.fixture(scope="module")
def page(report, tmp_path_factory):
    with open_page(tmp_path_factory.mktemp("profile")) as page:
        page.resize(1280, 900)
        page.go(report.as_uri())
        yield page
        assert page.errors == []


SHOWN = "[...document.querySelectorAll('#flips tbody tr')].filter((line) => line.offsetHeight > 0).length"
COUNT = "document.getElementById('count').textContent"


def text_of(page, selector):
    return page.run(f"document.querySelector('{selector}').innerText")


def choose(page, select, value):
    page.run(
        f"{{ const list = document.getElementById('{select}'); list.value = '{value}'; "
        "list.dispatchEvent(new Event('input')); }"
    )


def test_the_page_asks_for_nothing_but_itself(page, report):
    page.wait_for(f"{SHOWN} === 50")
    assert page.asked_for == [report.as_uri()]
    assert page.run("performance.getEntriesByType('resource').length") == 0


def test_all_that_a_comparison_says_is_shown(page):
    assert text_of(page, "h1") == "one → two"
    head = text_of(page, "#metrics thead").strip().split("\t")
    lines = [line.split("\t") for line in text_of(page, "#metrics tbody").strip().split("\n")]
    accuracy, latency = (dict(zip(head, line, strict=True)) for line in lines)
    assert (accuracy["metric"], accuracy["difference"], accuracy["flips"]) == ("accuracy", "-0.7857", "+0 -55")
    assert (accuracy["margin"], accuracy["scored"]) == ("not within 0.05", "70 of 70")
    assert (latency["metric"], latency["change"]) == ("latency_ms (lower is better)", "regressed")
    assert text_of(page, "#not-compared") == (
        "Not compared: gone/accuracy (only in the baseline), gone/latency_ms (only in the baseline)"
    )
    assert text_of(page, "#slices-title") == "By metadata.kind"


def test_each_metric_has_a_scale_of_its_own(page):
    lines = "[...document.querySelectorAll('#plot line[stroke-width]')]"
    widths = page.run(f"{lines}.map((line) => line.getBoundingClientRect().width)")
    assert len(widths) == 2 * 3  # all rows and two slices, of either metric
    assert min(widths) > 20  # an accuracy beside milliseconds was less than a pixel


def test_rows_are_found_by_what_they_show(page):
    for text, found in (('"hi"', 55 + ROWS), ("row-12", 2), ("answer 12 of two", 2), ("OH NO", 55), ("12 café oh", 1)):
        page.type_into("#search", text)
        assert page.run(COUNT) == f"{min(50, found)} of {found} rows", text
        assert page.run(SHOWN) == min(50, found)
    for key in ("question", "baseline_sample", "\\u", "nothing like it"):  # names of fields that are not shown
        page.type_into("#search", key)
        assert page.run(COUNT) == "0 of 0 rows", key
    page.type_into("#search", " ")
    assert page.run(COUNT) == f"50 of {55 + ROWS} rows"


def test_rows_are_filtered_by_metric_and_flip(page):
    choose(page, "metric", "latency_ms")
    assert page.run(COUNT) == f"50 of {ROWS} rows"
    page.run("document.getElementById('more').click()")
    assert (page.run(SHOWN), page.run("document.getElementById('more').hidden")) == (ROWS, True)
    choose(page, "metric", "accuracy")
    choose(page, "kind", "regressed")
    assert page.run(COUNT) == "50 of 55 rows"
    assert set(text_of(page, "#flips tbody").split()) >= {"1", "→", "0", "</script>", "<b>12</b>"}  # text, not markup
    choose(page, "metric", "")
    choose(page, "kind", "")


def test_a_narrow_page_is_read_without_scrolling_sideways(page):
    page.resize(500, 900)
    try:
        page.wait_for("innerWidth === 500")
        assert page.run("document.documentElement.scrollWidth") <= 500
        assert page.run("[...document.querySelectorAll('.wide')].every((e) => e.scrollWidth <= e.clientWidth)")
        texts = "[...document.querySelectorAll('#plot text, #plot .label')]"
        assert min(page.run(f"{texts}.map((text) => text.getBoundingClientRect().height)")) >= 11
        first = text_of(page, "#flips tbody tr")
        assert first.index("row-") < first.index('say "hi"') < first.index("of one") < first.index("of two")
        assert page.run("getComputedStyle(document.querySelector('#flips td'), '::before').content") == '"flip"'
    finally:
        page.resize(1280, 900)
