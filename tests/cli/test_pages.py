"""How numbers, times and lines of bars read, and how a table fits into a width."""

import io
import math

import pytest
from rich.console import Console

from evalstore.cli.blocks import Column, Sentence, Table
from evalstore.cli.pages.trend import sparkline
from evalstore.cli.pages.wording import duration, measure, number, signed
from evalstore.cli.terminal import cut, render


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.56254, "0.5625"), (1, "1.0000"), (0.0, "0.0000"), (-0.5, "-0.5000"), (1234.5, "1234.5000"),
        (0.00001234, "1.23e-05"), (-0.00009, "-9.00e-05"), (1.5e12, "1.50e+12"),
        (None, None), (math.nan, "NaN"), (math.inf, "Infinity"), (-math.inf, "-Infinity"),
    ],
)  # fmt: skip
def test_means_have_four_decimals(value, shown):
    assert number(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(1.0, "1"), (100.0, "100"), (0.5, "0.5"), (0.07692, "0.0769"), (1e10, "1.00e+10"), (0.0, "0"), (None, None)],
)
def test_single_values_have_no_zeros_at_their_end(value, shown):
    assert measure(value) == shown


def test_differences_have_a_sign():
    assert [signed(value) for value in (0.25, -0.25, 0.0, None)] == ["+0.2500", "-0.2500", "0.0000", None]


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.00012, "0.12 ms"),
        (0.0317, "31.7 ms"),
        (1.5, "1.5 s"),
        (59.94, "1 min 0 s"),
        (61, "1 min 1 s"),
        (7260, "2 h 1 min"),
    ],
)
def test_time_spans_come_in_the_unit_that_suits_them(seconds, shown):
    assert duration(seconds) == shown


def test_bars_go_from_the_lowest_to_the_highest():
    assert sparkline([0, 0.5, None, 1]) == "▁▅ █"
    assert sparkline([2, 2, 2]) == "▁▁▁"
    assert sparkline([1]) == sparkline([None, None]) == sparkline([]) == ""


def test_a_text_is_cut_by_what_it_takes_on_the_screen():
    assert cut("漢字漢字", 8) == "漢字漢字"
    assert cut("漢字漢字", 7) == "漢字漢…"
    assert cut("two\nlines", 20) == r"two\nlines"


def shown(blocks, width):
    left_out: list[str] = []
    text = "".join(render(blocks, Console(file=io.StringIO(), width=width), left_out))
    return text.splitlines(), left_out


def test_first_columns_that_can_be_spared_go():
    columns = [Column("a", ["x" * 10]), Column("b", ["y" * 10], spare=1), Column("c", ["z" * 10], spare=2)]
    assert shown([Table(columns)], 34)[1] == []
    assert shown([Table(columns)], 33)[1] == ["c"]
    assert shown([Table(columns)], 20)[1] == ["c", "b"] or shown([Table(columns)], 20)[1] == ["b", "c"]


def test_then_texts_wrap_and_numbers_stay():
    lines, _ = shown([Table([Column("text", ["some words that are long"]), Column("n", ["1234567"], right=True)])], 25)
    assert lines == ["text                    n", "─" * 25, "some words that   1234567", "are long"]


def test_at_last_each_line_is_a_record():
    columns = [Column(f"column {n}", ["a value that is long"] * 2) for n in range(4)]
    lines, _ = shown([Table(columns)], 40)
    assert lines[:2] == ["1 " + "─" * 38, "column 0  a value that is long"]
    assert lines[5] == "2 " + "─" * 38


def test_long_sentences_are_broken_between_words():
    assert shown([Sentence("one two three four")], 10)[0] == ["one two", "three four"]
