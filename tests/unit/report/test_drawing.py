"""Drawings: numbers to places, words beside them, and nothing that a text could break."""

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator

import pytest

from cohortfinder.report.drawing import (
    Axis,
    Band,
    Box,
    Chart,
    Flow,
    Line,
    Mark,
    axis,
    chart_svg,
    flow_svg,
    people_axis,
)

TENTHS = Axis("Share", 0, 1, ((0, "0"), (1, "1")))


def elements(svg: str, name: str) -> Iterator[ElementTree.Element]:
    return (one for one in ElementTree.fromstring(svg).iter() if one.tag == name)


def points(svg: str, kind: str) -> list[list[tuple[float, float]]]:
    found = [
        one for one in ElementTree.fromstring(svg).iter() if one.get("class", "").startswith(kind) and one.get("points")
    ]
    return [
        [(float(x), float(y)) for x, y in (pair.split(",") for pair in one.get("points", "").split())] for one in found
    ]


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0, 10, ["0", "2", "4", "6", "8", "10"]),
        (0.13, 0.41, ["0.1", "0.15", "0.2", "0.25", "0.3", "0.35", "0.4", "0.45"]),
        (-3, 3, ["-3", "-2", "-1", "0", "1", "2", "3"]),
        (5, 5, ["5", "6"]),
        (0, 0, ["0", "1"]),
    ],
)
def test_an_axis_has_round_numbers_that_hold_all_values(low: float, high: float, ticks: list[str]) -> None:
    drawn = axis("x", low, high)
    assert [word for _, word in drawn.ticks] == ticks
    assert drawn.low <= low <= high <= drawn.high


@pytest.mark.parametrize(
    ("most", "ticks"), [(0, ["0", "1"]), (3, ["0", "1", "2", "3"]), (70, ["0", "20", "40", "60", "80"])]
)
def test_people_are_counted_in_whole_numbers(most: int, ticks: list[str]) -> None:
    assert [word for _, word in people_axis("people", most).ticks] == ticks


def test_a_line_goes_from_the_lower_left_to_the_upper_right() -> None:
    (line,) = points(chart_svg(Chart("t", "d", TENTHS, TENTHS, lines=(Line("all", ((0, 0), (1, 1))),))), "line")
    (x1, y1), (x2, y2) = line
    assert x1 < x2
    assert y1 > y2


def test_a_stepped_line_stays_until_the_next_point() -> None:
    plain, stepped = (
        points(chart_svg(Chart("t", "d", TENTHS, TENTHS, lines=(Line("a", ((0, 1), (1, 0)), stepped=way),))), "line")[0]
        for way in (False, True)
    )
    assert stepped == [plain[0], (plain[1][0], plain[0][1]), plain[1]]


def test_a_band_lies_between_its_two_values() -> None:
    band = Band("between", ((0, 0.2, 0.8), (1, 0.2, 0.8)))
    line = Line("low", ((0, 0.2), (1, 0.2)))
    svg = chart_svg(Chart("t", "d", TENTHS, TENTHS, lines=(line,), bands=(band,)))
    low = points(svg, "line")[0]
    assert [corner for corner in points(svg, "band")[0] if corner in low] == low[::-1]


def test_what_is_drawn_is_named_in_words() -> None:
    svg = chart_svg(
        Chart(
            "Curve", "It falls.", TENTHS, TENTHS, lines=(Line("known", ((0, 1), (1, 0))),), marks=(Mark("now", (1, 0)),)
        )
    )
    root = ElementTree.fromstring(svg)
    assert (root.get("role"), root.get("aria-label")) == ("img", "Curve. It falls.")
    assert [one.text for one in (*elements(svg, "title"), *elements(svg, "desc"))] == ["Curve", "It falls."]
    words = [one.text for one in elements(svg, "text")]
    assert {"known", "now", "Share"} <= set(words)


def test_a_text_is_never_markup() -> None:
    evil = '<script>"&'
    flow = Flow(evil, evil, (Box((evil,)), Box((evil,))), (Box((evil,)),), ends=(Box((evil,)), Box((evil,))))
    for svg in (flow_svg(flow), chart_svg(Chart(evil, evil, TENTHS, TENTHS, marks=(Mark(evil, (0, 0)),)))):
        assert "<script" not in svg
        assert evil in [one.text for one in elements(svg, "text")]


def test_boxes_of_a_flow_do_not_overlap() -> None:
    box = Box(("a", "b", "c"))
    svg = flow_svg(Flow("t", "d", (box, Box(("one",)), box), (box, box), ends=(box, box)))
    placed = [[float(one.get(key, "")) for key in ("x", "y", "width", "height")] for one in elements(svg, "rect")]
    assert len(placed) == 7
    for place, (x, y, width, height) in enumerate(placed):
        for left, top, wide, tall in placed[place + 1 :]:
            assert x + width <= left or left + wide <= x or y + height <= top or top + tall <= y


def test_a_long_word_is_cut_to_its_box() -> None:
    (text,) = elements(flow_svg(Flow("t", "d", (Box(("x" * 200,)),), ())), "text")
    assert len(text.text or "") < 40
    assert (text.text or "").endswith("…")
