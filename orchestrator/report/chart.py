"""Charts as geometry: lines, bars and dots in the units of an SVG. The template draws them, the style colours them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Final, Literal

from orchestrator.report.axis import Axis, number_axis

WIDTH: Final = 440.0
HEIGHT: Final = 220.0
LEFT, RIGHT, TOP, BOTTOM = 44.0, 8.0, 10.0, 22.0
LINE_COLOURS: Final = 8
"""How many colours the style has; further lines begin again with the first."""

Kind = Literal["line", "dashed", "step", "bars", "dots"]
Point = tuple[float, float | None]


@dataclass(frozen=True, slots=True)
class Series:
    """Points of a chart: x and y in the units of its axes, y None where the line is broken.

    `colour` is a number of the style, or the next free one.
    """

    name: str
    points: Sequence[Point]
    kind: Kind = "line"
    colour: int | None = None


@dataclass(frozen=True, slots=True)
class Shape:
    """A drawn series: a path for a line, rectangles (x, y, width, height) for bars, centres for dots."""

    name: str
    kind: Kind
    colour: int
    path: str = ""
    rectangles: tuple[tuple[float, float, float, float], ...] = ()
    centres: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark of an axis: where it is drawn, and its text."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything that is drawn, in units of the SVG. `zero_y` is where 0 lies; `rules` are horizontal lines."""

    title: str
    unit: str
    shapes: tuple[Shape, ...]
    x_marks: tuple[Mark, ...]
    y_marks: tuple[Mark, ...]
    zero_y: float
    rules: tuple[Mark, ...] = ()
    width: float = WIDTH
    height: float = HEIGHT
    left: float = LEFT
    right: float = WIDTH - RIGHT
    top: float = TOP
    bottom: float = HEIGHT - BOTTOM


def make_chart(
    title: str,
    unit: str,
    series: Sequence[Series],
    x_axis: Axis,
    *,
    y_axis: Axis | None = None,
    rules: Sequence[tuple[float, str]] = (),
) -> Chart:
    """Lay out `series`; without a `y_axis` one that holds all of it. `rules` are y values with their text."""
    if y_axis is None:
        y_axis = number_axis([y for each in series for _, y in each.points if y is not None] + [y for y, _ in rules])
    place = _Place(x_axis, y_axis)
    return Chart(
        title=title,
        unit=unit,
        shapes=tuple(place.shape(each, number) for number, each in enumerate(series)),
        x_marks=tuple(Mark(place.x(at), text) for at, text in x_axis.marks),
        y_marks=tuple(Mark(place.y(at), text) for at, text in y_axis.marks),
        zero_y=place.y(min(max(0.0, y_axis.low), y_axis.high)),
        rules=tuple(Mark(place.y(at), text) for at, text in rules),
    )


@dataclass(frozen=True, slots=True)
class _Place:
    """From the units of the axes to those of the SVG, to a tenth."""

    x_axis: Axis
    y_axis: Axis

    def x(self, value: float) -> float:
        return round(LEFT + self.x_axis.part(value) * (WIDTH - LEFT - RIGHT), 1)

    def y(self, value: float) -> float:
        part = min(max(self.y_axis.part(value), 0.0), 1.0)
        return round(HEIGHT - BOTTOM - part * (HEIGHT - TOP - BOTTOM), 1)

    def shape(self, series: Series, number: int) -> Shape:
        colour = (number if series.colour is None else series.colour) % LINE_COLOURS
        if series.kind == "bars":
            return Shape(series.name, "bars", colour, rectangles=self._rectangles(series.points))
        if series.kind == "dots":
            centres = tuple((self.x(x), self.y(y)) for x, y in series.points if y is not None)
            return Shape(series.name, "dots", colour, centres=centres)
        return Shape(series.name, series.kind, colour, path=self._path(series))

    def _path(self, series: Series) -> str:
        """An SVG path, interrupted where a value is missing."""
        parts: list[str] = []
        for run in _runs(series.points):
            (x, y), *others = _without_level_parts([(self.x(x), self.y(y)) for x, y in run])
            parts.append(f"M{x:g} {y:g}")
            parts += [f"H{x:g}V{y:g}" if series.kind == "step" else f"L{x:g} {y:g}" for x, y in others]
        return "".join(parts)

    def _rectangles(self, points: Sequence[Point]) -> tuple[tuple[float, float, float, float], ...]:
        """Bars from 0, each as wide as three quarters of the smallest distance between two of them, or of the axis."""
        places = sorted(x for x, _ in points)
        gaps = [b - a for a, b in pairwise(places) if b > a]
        length = self.x_axis.high - self.x_axis.low
        wide = max(0.75 * min(gaps, default=length) / length * (WIDTH - LEFT - RIGHT), 1.0)
        zero = self.y(0.0)
        return tuple(
            (round(self.x(x) - wide / 2, 1), min(self.y(y), zero), round(wide, 1), round(abs(zero - self.y(y)), 1))
            for x, y in points
            if y
        )


def _runs(points: Sequence[Point]) -> Iterator[list[tuple[float, float]]]:
    """The stretches of points that have a value."""
    for known, run in groupby(points, lambda point: point[1] is not None):
        if known:
            yield [(x, y) for x, y in run if y is not None]


def _without_level_parts(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The same line with fewer points: of those on one level the first and the last are enough."""
    last = len(points) - 1
    return [
        point
        for number, point in enumerate(points)
        if number in (0, last) or not points[number - 1][1] == point[1] == points[number + 1][1]
    ]
