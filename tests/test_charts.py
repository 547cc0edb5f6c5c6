"""Charts: one file that any reader of XML takes, with axes that end on round numbers."""

import math
import re
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import evalstore
from evalstore import axes, charts
from evalstore.errors import UsageError

SVG = "{http://www.w3.org/2000/svg}"
DAY = datetime(2026, 5, 1, 9, tzinfo=UTC)
NASTY = "a\"<&>'b"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with evalstore.open(tmp_path_factory.mktemp("charts") / "evals") as store:
        for number in range(4):
            for model, right in (("m", number), (NASTY, 3)):
                items = 6 if number == 2 else 4
                lines = [{"q": n, "ok": n < right, "t": 10.0 * n} for n in range(items)]
                store.record(f"{'m' if model == 'm' else 'n'}-{number}", lines, scores=["ok", "t"], item=["q"],
                             model=model, dataset="d", created_at=DAY + timedelta(days=number))  # fmt: skip
        yield store


def drawn(frame):
    text = charts.trend_svg(frame)
    assert text is not None
    return ET.fromstring(text)


def all_of(root, tag, kind):
    return [part for part in root.iter(f"{SVG}{tag}") if part.get("class") == kind]


@pytest.mark.parametrize("x", ["time", "day", "run"])
@pytest.mark.parametrize("metric", ["ok", "t", None])
def test_a_series_is_a_line_with_a_band_and_marks_inside_the_plot(store, metric, x):
    root = drawn(store.trend(metric, x=x))
    assert len(all_of(root, "polyline", "line")) == len(all_of(root, "polygon", "band")) == 2
    marks = all_of(root, "circle", "mark")
    assert len(marks) == 8
    for shape in (*all_of(root, "polyline", "line"), *all_of(root, "polygon", "band")):
        for pair in (shape.get("points") or "").split():
            right, down = map(float, pair.split(","))
            assert charts.LEFT <= right <= charts.WIDTH - charts.RIGHT
            assert charts.TOP <= down <= charts.TOP + charts.PLOT_HEIGHT
    said = [mark[0].text or "" for mark in marks]
    assert any(f"{'n'}-0, 2026-05-01 09:00 UTC" in text for text in said)
    assert sum("other rows than before" in text for text in said) == 4  # there, and back again
    assert sum(mark.get("fill") == "#fff" for mark in marks) == 4


def test_names_are_text_whatever_they_hold(store):
    texts = ["".join(part.itertext()) for part in drawn(store.trend("ok")).iter(f"{SVG}text")]
    assert any(f"default/{NASTY} · default/d: 0.75" in text for text in texts)
    assert charts._text("a\x00\x1bb\x7f") == "a  b "
    frame = store.trend("ok").with_columns(pl.lit("x\x08<y>").alias("suite"), pl.lit("\x01").alias("metric"))
    assert "x &lt;y&gt;" in (charts.trend_svg(frame) or "")
    drawn(frame)


def test_a_page_needs_nothing_else(store, tmp_path):
    frame = store.trend("ok")
    assert charts.write_trend(frame, str(tmp_path / "a.html"))
    assert charts.write_trend(frame, str(tmp_path / "a.SVG"))
    page = (tmp_path / "a.html").read_text("utf-8")
    assert (tmp_path / "a.SVG").read_text("utf-8").strip() in page
    assert page.startswith("<!DOCTYPE html>")
    assert re.findall(r"(?:src|href|url|@import|<script)", page) == []
    assert re.findall(r"https?://[^\s\"]+", page) == ["http://www.w3.org/2000/svg"]


@pytest.mark.parametrize("path", ["a.png", "a", "svg", "a.svg.gz"])
def test_a_file_of_another_kind_is_refused(path):
    with pytest.raises(UsageError, match=r"a plot is written as \.svg or \.html"):
        charts.check_path(path)


def test_without_a_value_there_is_no_chart_and_a_gap_is_no_point(store, tmp_path):
    frame = store.trend("ok", model="m")
    assert not charts.write_trend(frame.clear(), str(tmp_path / "none.svg"))
    nothing = frame.with_columns(pl.lit(None, pl.Float64).alias("mean"))
    assert charts.trend_svg(nothing) is None
    assert not list(tmp_path.iterdir())
    gap = frame.with_columns(pl.when(pl.col("position") == 2).then(None).otherwise(pl.col("mean")).alias("mean"))
    assert len(all_of(drawn(gap), "circle", "mark")) == 3
    unknown = frame.with_columns(pl.lit(None, pl.Float64).alias("low"))
    assert all_of(drawn(unknown), "polygon", "band") == []
    single = drawn(frame.head(1))
    assert len(all_of(single, "circle", "mark")) == 1


def test_many_series_keep_apart(store):
    one = store.trend("ok", model="m")
    frame = pl.concat([one.with_columns(pl.lit(f"s{n}").alias("suite")) for n in range(20)])
    looks = {(line.get("stroke"), line.get("stroke-dasharray")) for line in all_of(drawn(frame), "polyline", "line")}
    assert len(looks) == 20


# Axes

NUMBERS = st.floats(-1e6, 1e6).map(lambda n: round(n, 6))


@given(low=NUMBERS, span=st.floats(1e-2, 1e9))
def test_an_axis_of_numbers_holds_all_and_has_few_round_ticks(low, span):
    axis = axes.numbers(low, low + span, most=6)
    ticks = [tick for tick, _ in axis.ticks]
    assert axis.low <= low < low + span <= axis.high
    assert 2 <= len(ticks) <= 9
    step = ticks[1] - ticks[0]
    digit = step / 10 ** math.floor(math.log10(step) + 1e-6)
    assert min(abs(digit - round_one) for round_one in (1, 2, 5)) < 1e-2
    assert 0 <= axis.share(low) < axis.share(low + span) <= 1


@given(value=st.one_of(NUMBERS, st.just(0.0)))
def test_an_axis_of_one_number_has_room(value):
    axis = axes.numbers(value, value, most=6)
    assert axis.low < value < axis.high


def test_shares_stay_between_nought_and_one():
    axis = axes.numbers(0.03, 0.97, most=6, within=(0, 1))
    assert (axis.low, axis.high) == (0, 1)
    assert [label for _, label in axis.ticks] == ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]


@given(low=st.integers(0, 4_000_000_000), span=st.integers(0, 2_000_000_000))
def test_an_axis_of_time_has_ticks_inside_and_room_outside(low, span):
    axis = axes.times(low, low + span)
    assert axis.low < low <= low + span < axis.high
    assert 1 <= len(axis.ticks) <= 12 or span > 1_000_000_000
    assert all(low <= tick <= low + span for tick, _ in axis.ticks)
    assert len({label for _, label in axis.ticks}) == len(axis.ticks) or span < 86_400 * 8


@given(low=st.integers(1, 1000), span=st.integers(0, 5000))
def test_an_axis_of_runs_has_whole_ticks(low, span):
    axis = axes.runs(low, low + span)
    assert all(label == str(int(tick)) for tick, label in axis.ticks)
    assert len(axis.ticks) <= 12
