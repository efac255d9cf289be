"""Charts as geometry."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.report.axis import Axis
from orchestrator.report.chart import (
    BOTTOM,
    HEIGHT,
    LEFT,
    LINE_COLOURS,
    RIGHT,
    TOP,
    WIDTH,
    Chart,
    Kind,
    Series,
    make_chart,
)

X = Axis(0.0, 10.0, ())
Y = Axis(0.0, 100.0, ())


def chart(*points: tuple[float, float | None], kind: Kind = "line") -> Chart:
    return make_chart("t", "u", [Series("s", points, kind)], X, y_axis=Y)


def test_a_line_goes_from_corner_to_corner() -> None:
    path = chart((0.0, 0.0), (10.0, 100.0)).shapes[0].path

    assert path == f"M{LEFT:g} {HEIGHT - BOTTOM:g}L{WIDTH - RIGHT:g} {TOP:g}"


def test_a_missing_value_interrupts_the_line() -> None:
    path = chart((0.0, 0.0), (2.0, 10.0), (4.0, None), (6.0, 10.0), (8.0, 0.0)).shapes[0].path

    assert re.findall("[ML]", path) == ["M", "L", "M", "L"]


def test_a_level_line_needs_two_points() -> None:
    path = chart(*((at / 10, 50.0) for at in range(100))).shapes[0].path

    assert re.findall("[ML]", path) == ["M", "L"]


def test_a_step_goes_level_before_it_goes_up() -> None:
    path = chart((0.0, 0.0), (10.0, 100.0), kind="step").shapes[0].path

    assert path == f"M{LEFT:g} {HEIGHT - BOTTOM:g}H{WIDTH - RIGHT:g}V{TOP:g}"


def test_a_bar_that_stands_alone_is_as_wide_as_one_of_a_single_day_should_be() -> None:
    ((x, _, width, _),) = chart((5.0, 50.0), kind="bars").shapes[0].rectangles

    assert width == 0.75 * (WIDTH - LEFT - RIGHT)
    assert x == LEFT + 0.125 * (WIDTH - LEFT - RIGHT)


def test_bars_stand_on_zero_and_nothing_is_no_bar() -> None:
    bars = chart((1.0, 50.0), (2.0, 0.0), (3.0, 100.0), kind="bars").shapes[0].rectangles

    assert len(bars) == 2
    assert {round(y + height, 1) for _, y, _, height in bars} == {HEIGHT - BOTTOM}
    assert bars[1][3] == 2 * bars[0][3]


def test_dots_are_where_their_values_are() -> None:
    assert chart((5.0, 100.0), kind="dots").shapes[0].centres == ((round((LEFT + WIDTH - RIGHT) / 2, 1), TOP),)


def test_colours_begin_again_when_there_are_no_more() -> None:
    many = make_chart("t", "u", [Series(str(number), [(0.0, 1.0)]) for number in range(LINE_COLOURS + 1)], X)

    assert [shape.colour for shape in many.shapes] == [*range(LINE_COLOURS), 0]


def test_a_rule_is_drawn_at_its_value_and_on_the_axis() -> None:
    drawn = make_chart("t", "u", [Series("s", [(0.0, 1.0)])], X, rules=[(15.0, "15 s")])

    assert drawn.rules[0].text == "15 s"
    assert drawn.top <= drawn.rules[0].at < drawn.bottom


@given(
    st.lists(st.tuples(st.floats(0, 10), st.none() | st.floats(-1e6, 1e6)), max_size=30),
    st.sampled_from(["line", "step"]),
)
def test_nothing_is_drawn_outside(points: list[tuple[float, float | None]], kind: Kind) -> None:
    points.sort(key=lambda point: point[0])
    drawn = make_chart("t", "u", [Series("s", points, kind)], X)
    path = drawn.shapes[0].path

    for x, y in re.findall(r"[ML]([\d.]+) ([\d.]+)", path):
        assert LEFT <= float(x) <= WIDTH - RIGHT
        assert TOP <= float(y) <= HEIGHT - BOTTOM
    assert bool(path) == any(y is not None for _, y in points)
    assert drawn.top <= drawn.zero_y <= drawn.bottom
