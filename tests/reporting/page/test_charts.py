"""Charts place their values correctly, show nothing that was not measured, and take their colours from the style sheet."""

from __future__ import annotations

import itertools
import re
from xml.etree import ElementTree

import pytest

from reversegen.reporting.page.charts import (
    BOTTOM,
    COLOURS,
    HEIGHT,
    TOP,
    Point,
    Series,
    columns,
    line_chart,
    row_chart,
    ticks,
)

HOSTILE = '<script>alert("x")</script>\x1b\u202e'


def parsed(chart: str) -> ElementTree.Element:
    return ElementTree.fromstring(f"<div>{chart}</div>")


def line(chart: str) -> list[tuple[float, float]]:
    [path] = [e for e in parsed(chart).iter("path") if (e.get("class") or "").startswith("line")]
    return [(float(x), float(y)) for x, y in re.findall(r"([\d.]+) ([\d.]+)", path.get("d") or "")]


def test_points_are_where_their_values_are() -> None:
    chart = line_chart("t", [Series("s", [Point(0, 0.0), Point(1, 0.5), Point(3, 1.0)])], "x", "y")
    (x0, y0), (x1, y1), (x3, y3) = line(chart)
    assert (y0, y3) == (HEIGHT - BOTTOM, TOP)
    assert y1 == pytest.approx((y0 + y3) / 2)
    assert (x1 - x0) / (x3 - x0) == pytest.approx(1 / 3, abs=1e-3)


def test_intervals_are_drawn_from_low_to_high() -> None:
    chart = line_chart("t", [Series("s", [Point(0, 0.5, 0.25, 1.0), Point(1, 0.5)])], "x", "y")
    [bar] = [e.get("d") for e in parsed(chart).iter("path") if (e.get("class") or "").startswith("bar")]
    assert bar
    _, low, high = (float(n) for n in re.findall(r"[\d.]+", bar))
    assert (low, high) == pytest.approx((HEIGHT - BOTTOM - 0.25 * (HEIGHT - BOTTOM - TOP), TOP), abs=0.1)


def test_a_missing_value_leaves_a_gap() -> None:
    chart = line_chart("t", [Series("s", [Point(0, 0.1), Point(1, None), Point(2, 0.3), Point(3, 0.4)])], "x", "y")
    [path] = [e.get("d") for e in parsed(chart).iter("path") if (e.get("class") or "").startswith("line")]
    assert path
    assert re.sub(r"[\d. ]", "", path) == "MML"
    assert "nan" not in chart
    assert "None" not in line_chart("t", [Series("s", [Point(0, None)])], "x", "y")


def test_an_axis_of_something_else_than_shares_fits_its_values() -> None:
    chart = line_chart("t", [Series("loss", [Point(10, 2.4), Point(20, -0.3)])], "step", "loss", share=False)
    texts = [e.text for e in parsed(chart).iter("text")]
    assert {"2.5", "0", "\N{MINUS SIGN}0.5", "10", "20"} <= set(texts)
    assert all(TOP <= y <= HEIGHT - BOTTOM for _, y in line(chart))


@pytest.mark.parametrize(
    ("low", "high", "whole", "expected"),
    [
        (0, 1, False, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (0, 3, True, [0, 1, 2, 3]),
        (0, 1, True, [0, 1]),
        (0, 0.013, False, [0, 0.005, 0.01, 0.015]),
        (10, 250, True, [0, 50, 100, 150, 200, 250]),
        (2, 2, True, [2]),
    ],
)
def test_ticks_are_round_and_cover_what_is_shown(low: float, high: float, whole: bool, expected: list[float]) -> None:
    assert ticks(low, high, whole) == expected


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_all_series_of_a_row_are_between_its_lines(count: int) -> None:
    series = [Series(f"s{n}", [Point(0, 0.5, 0.4, 0.6), Point(1, 0.6, 0.5, 0.7)], n) for n in range(count)]
    paths = [
        (e.get("class") or "", e.get("d") or "") for e in parsed(row_chart("t", ["a", "b"], series, "x")).iter("path")
    ]
    lines = [
        TOP,
        *(float(m[1]) for name, d in paths if name == "grid" and (m := re.fullmatch(r"M\d+ ([\d.]+)H\d+", d))),
    ]
    assert len(lines) == 3
    places = [float(d.split()[1].split("H")[0]) for name, d in paths if name.startswith("bar")]
    assert len(places) == 2 * count
    assert sorted(places) == sorted(set(places))
    for top, bottom in itertools.pairwise(lines):
        assert sum(top + 5 < place < bottom - 5 for place in places) == count


def test_series_differ_in_shape_and_colour_and_faint_ones_are_in_no_legend() -> None:
    series = [Series(f"s{n}", [Point(0, 0.5), Point(1, 0.6)], n) for n in range(COLOURS)]
    tree = parsed(line_chart("t", [*series, Series("run", [Point(0, 0.1), Point(1, 0.2)], 0, faint=True)], "x", "y"))
    keys = [e for e in tree.iter("svg") if e.get("class") == "key"]
    shapes = {re.sub(r"[\d.-]+", "", path.get("d") or "") for key in keys for path in key.iter("path")}
    assert len(keys) == len(shapes) == COLOURS
    assert {path.get("class") for key in keys for path in key.iter("path")} == {f"mark c{n}" for n in range(COLOURS)}
    assert "run" not in "".join(tree.itertext())


def test_rows_are_below_each_other_with_one_mark_for_each_series() -> None:
    series = [Series(name, [Point(0, 0.2, 0.1, 0.3), Point(1, None), Point(2, 0.9)], n) for n, name in enumerate("ab")]
    tree = parsed(row_chart("t", ["one", "two", "three"], series, "share"))
    titles = [title.text for e in tree.iter("path") if (title := e.find("title")) is not None]
    assert titles[:4] == ["one, a: 0.200", "three, a: 0.900", "one, b: 0.200", "three, b: 0.900"]
    marks = [e.get("d") or "" for e in tree.iter("path") if (e.get("class") or "").startswith("mark")][:4]
    heights = [float(re.findall(r"[\d.]+", d)[1]) for d in marks]
    assert heights[0] < heights[2] < heights[1]  # both series of a row above those of the next


def test_single_runs_behind_their_mean_have_no_bars_of_their_own() -> None:
    points = [Point(0, 0.5, 0.4, 0.6), Point(1, 0.6, 0.5, 0.7)]
    series = [Series("mean", points), Series("run", points, faint=True)]
    for chart in (line_chart("t", series, "x", "y"), row_chart("t", ["one", "two"], series, "share")):
        assert len([e for e in parsed(chart).iter("path") if (e.get("class") or "").startswith("bar")]) == 2


def test_columns_have_their_numbers_as_text_and_the_largest_is_full_height() -> None:
    tree = parsed(columns([0.1, 0.2, 0.0], "iteration 0: 10 %"))
    heights = [float(e.get("height") or 0) for e in tree.iter("rect")]
    assert heights == [11.0, 21.0, 1.0]
    assert "".join(tree.itertext()) == "iteration 0: 10 %"
    assert parsed(columns([0.0, 0.0], "nothing")).find("svg") is not None


def test_a_legend_of_html_takes_the_place_of_the_name() -> None:
    tree = parsed(line_chart("t", [Series("s", [Point(0, 0.5)], legend="<b>explained</b>")], "x", "y"))
    assert [e.text for e in tree.iter("b")] == ["explained"]


def test_hostile_names_are_text_and_nothing_has_a_style() -> None:
    series = [Series(HOSTILE, [Point(0, 0.5, 0.4, 0.6)])]
    for chart in (line_chart(HOSTILE, series, HOSTILE, HOSTILE), row_chart(HOSTILE, [HOSTILE], series, HOSTILE)):
        tree = parsed(chart)
        assert not list(tree.iter("script"))
        assert "\x1b" not in chart
        assert "\u202e" not in chart
        assert "[U+202E]" in "".join(tree.itertext())
        assert not [e for e in tree.iter() if e.get("style") or e.get("fill") or e.get("stroke")]
