"""Line plots: one signal as a line of dots, with a band where points stand for many values."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import tzinfo
from enum import StrEnum
from itertools import pairwise

from msgspec import Struct
from msgspec.structs import replace

from watchdeck.console.charts.axis import ValueAxis
from watchdeck.console.charts.dot_grid import DotGrid, Layer
from watchdeck.console.lines.line import DotStyle, Role
from watchdeck.domain.board.board import History

GAP = 2.5
"""Points further apart than this multiple of their usual distance are not joined."""

_MOST = 1e100
_LEAST = 1e-100


class TimeRange(Struct, frozen=True):
    """A time range in milliseconds UTC, labelled in the time of `zone`; None is the machine's."""

    start: int
    end: int
    zone: tzinfo | None = None


class LineStyle(StrEnum):
    """The dash pattern of a line, so that lines differ by more than colour."""

    SOLID = "solid"
    DASHED = "dashed"
    DASH_DOT = "dash_dot"
    DOTTED = "dotted"


_PATTERNS = {
    LineStyle.SOLID: "1",
    LineStyle.DASHED: "111100",
    LineStyle.DASH_DOT: "11110010",
    LineStyle.DOTTED: "100",
}
"""The columns of dots that a line fills (1), repeated."""

_ASCII_PATTERNS = {
    LineStyle.SOLID: "1",
    LineStyle.DASHED: "110",
    LineStyle.DASH_DOT: "11010",
    LineStyle.DOTTED: "10",
}
"""The patterns for cells with only one column of dots."""


class LineSeries(Struct, frozen=True):
    """One line of a chart: points, name, and style."""

    history: History
    name: str
    style: LineStyle = LineStyle.SOLID
    role: Role = Role.CHART
    has_band: bool = True
    """Whether a band shows the lowest and highest values that the points stand for."""


class Point(Struct, frozen=True):
    """A value at a time (ms UTC), with the lowest and highest values that it stands for."""

    at: int
    value: float
    low: float
    high: float
    step: int = 0
    """Distance (ms) to the nearest point, even one without a value: scrape intervals may change."""


class Bucket(Struct, frozen=True):
    """The points in one column of dots."""

    low: float
    high: float
    """The lowest and highest value of the points."""
    first: Point
    last: Point
    band_low: float
    band_high: float
    """The lowest and highest value that the points stand for."""


def points(history: History, window: TimeRange) -> Iterator[Point]:
    """Every point in the time range that has a finite value."""
    lows = history.low or history.values
    highs = history.high or history.values
    steps = _nearest_distances(history.times)
    rows = zip(history.times, history.values, lows, highs, steps, strict=True)
    for at, value, low, high, step in rows:
        if window.start <= at <= window.end and math.isfinite(value):
            lowest = low if math.isfinite(low) else value
            highest = high if math.isfinite(high) else value
            yield Point(at, _clamp(value), _clamp(lowest), _clamp(highest), step)


def _nearest_distances(times: Sequence[int]) -> Iterator[int]:
    """The distance of each time to its nearest neighbour; 0 when there is only one time."""
    apart = [after - before for before, after in pairwise(times)]
    if apart:
        yield from map(min, [apart[0], *apart], [*apart, apart[-1]])
    else:
        yield from (0 for _ in times)


def is_gap(before: Point, after: Point, every: int) -> bool:
    """Whether points are missing between two that should be `every` ms apart."""
    return after.at - before.at > GAP * max(1, every, min(before.step, after.step))


def _clamp(value: float) -> float:
    """The value limited to a magnitude for which axis arithmetic does not overflow."""
    return 0.0 if abs(value) < _LEAST else max(-_MOST, min(_MOST, value))


def buckets(found: Sequence[Point], window: TimeRange, columns: int) -> dict[int, Bucket]:
    """The points grouped by the column of dots they fall into; empty columns are absent."""
    by_column: dict[int, Bucket] = {}
    span = max(1, window.end - window.start)
    for p in found:
        x = min(columns - 1, (p.at - window.start) * columns // span)
        old = by_column.get(x)
        by_column[x] = (
            Bucket(p.value, p.value, p, p, p.low, p.high)
            if old is None
            else replace(
                old,
                low=min(old.low, p.value),
                high=max(old.high, p.value),
                last=p,
                band_low=min(old.band_low, p.low),
                band_high=max(old.band_high, p.high),
            )
        )
    return by_column


def series_layers(
    series: LineSeries, window: TimeRange, axis: ValueAxis, size: tuple[int, int], dots: DotStyle
) -> list[Layer]:
    """The layers of a series: its line, and behind it the band from lowest to highest value.

    A series without a band has one layer. `size` is in cells and rows.
    """
    line, band = DotGrid(*size, dots), DotGrid(*size, dots)
    found = buckets(list(points(series.history, window)), window, line.width)
    _draw_line(LinePlotter(line, axis, series.style, dots), found, series.history.every)
    layers = [Layer(line, series.role)]
    if series.has_band and series.history.low is not None:
        _fill_band(band, axis, found)
        layers.append(Layer(band, Role.MUTED))
    return layers


def line_sample(style: LineStyle, dots: DotStyle) -> str:
    """A short piece of a line of this style, for a legend."""
    grid = DotGrid(5 if dots is DotStyle.ASCII else 4, 1, dots)
    plotter = LinePlotter(grid, ValueAxis(0.0, 1.0, 1.0), style, dots)
    for x in range(grid.width):
        plotter.set_column(x, grid.height // 2, grid.height // 2)
    return grid.rows()[0]


class LinePlotter:
    """Draws one line on a grid; its dash pattern leaves some columns out."""

    def __init__(self, grid: DotGrid, axis: ValueAxis, style: LineStyle, dots: DotStyle) -> None:
        self._grid = grid
        self._axis = axis
        self._pattern = (_ASCII_PATTERNS if dots is DotStyle.ASCII else _PATTERNS)[style]

    def dot_row(self, value: float) -> int:
        """The row of dots of a value, counted from the bottom."""
        return dot_row(self._grid, self._axis, value)

    def set_column(self, x: int, bottom: int, top: int) -> None:
        """Set the dots from `bottom` to `top`, unless the pattern leaves this column out."""
        if self._pattern[x % len(self._pattern)] == "1":
            self._grid.set_column(x, bottom, top)

    def join(self, x0: int, y0: int, x1: int, y1: int) -> None:
        """Draw a straight line from column `x0`, dot row `y0` to column `x1`, dot row `y1`."""
        last = y0
        for x in range(x0, x1 + 1):
            y = round(y0 + (y1 - y0) * (x - x0) / max(1, x1 - x0))
            middle = (last + y) // 2
            self.set_column(x, min(y, middle), max(y, middle))
            if x > x0:
                self.set_column(x - 1, min(last, middle), max(last, middle))
            last = y


def dot_row(grid: DotGrid, axis: ValueAxis, value: float) -> int:
    """The row of dots of a value, counted from the bottom."""
    return round(axis.fraction(value) * (grid.height - 1))


def _draw_line(plotter: LinePlotter, found: dict[int, Bucket], every: int) -> None:
    before: tuple[int, Bucket] | None = None
    for x, bucket in sorted(found.items()):
        plotter.set_column(x, plotter.dot_row(bucket.low), plotter.dot_row(bucket.high))
        if before is not None and not is_gap(before[1].last, bucket.first, every):
            start, end = before[1].last.value, bucket.first.value
            plotter.join(before[0], plotter.dot_row(start), x, plotter.dot_row(end))
        before = (x, bucket)


def _fill_band(grid: DotGrid, axis: ValueAxis, found: dict[int, Bucket]) -> None:
    """Fill each column from its lowest to its highest value with every other dot and both ends."""
    for x, bucket in found.items():
        bottom, top = (dot_row(grid, axis, end) for end in (bucket.band_low, bucket.band_high))
        for y in range(bottom, top + 1):
            if y in (bottom, top) or (x + y) % 2 == 0:
                grid.set_column(x, y, y)
