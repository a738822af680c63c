"""One signal as a line of dots: thinned points as their mean in a band; gaps are gaps."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import tzinfo
from enum import StrEnum
from itertools import pairwise

from msgspec import Struct
from msgspec.structs import replace

from watchdeck.console.charts.axis import ValueAxis
from watchdeck.console.charts.dot_grid import DotGrid
from watchdeck.console.charts.layers import Layer
from watchdeck.console.lines.glyphs import DotStyle
from watchdeck.console.lines.line import Role
from watchdeck.domain.board.board import History

GAP = 2.5
"""Two points further apart than so many times their usual distance are not joined."""

_MOST = 1e100
_LEAST = 1e-100


class TimeRange(Struct, frozen=True):
    """A stretch of time, in milliseconds UTC, read on the clock of `zone`."""

    start: int
    end: int
    zone: tzinfo | None = None


class LineStyle(StrEnum):
    """The shape of a line, so that no line is told by its colour alone."""

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
"""Which columns of dots a line fills."""

_COARSE = {
    LineStyle.SOLID: "1",
    LineStyle.DASHED: "110",
    LineStyle.DASH_DOT: "11010",
    LineStyle.DOTTED: "10",
}
"""The same where a cell has one column of dots."""


class LineSeries(Struct, frozen=True):
    """One line of a chart: its points, its name, and how it looks.

    A `banded` one shows the lowest and highest values that its points stand for.
    """

    history: History
    name: str
    stroke: LineStyle = LineStyle.SOLID
    role: Role = Role.CHART
    banded: bool = True


class Point(Struct, frozen=True):
    """A value at a time (ms UTC), with the lowest and highest that it stands for.

    `step` is how far (ms) the nearest neighbour lies, known or not: the pace of scrapes changes.
    """

    at: int
    value: float
    low: float
    high: float
    step: int = 0


class Bucket(Struct, frozen=True):
    """What one column of dots holds: the extremes of its values, its first and last, its band."""

    low: float
    high: float
    first: float
    last: float
    begins: Point
    ends: Point
    lowest: float
    highest: float


def points(history: History, window: TimeRange) -> Iterator[Point]:
    """Every known point in the window."""
    lows = history.low or history.values
    highs = history.high or history.values
    rows = zip(history.times, history.values, lows, highs, _steps(history.times), strict=True)
    for at, value, low, high, step in rows:
        if window.start <= at <= window.end and math.isfinite(value):
            lowest = low if math.isfinite(low) else value
            highest = high if math.isfinite(high) else value
            yield Point(at, _drawable(value), _drawable(lowest), _drawable(highest), step)


def _steps(times: Sequence[int]) -> Iterator[int]:
    """The distance of each time to its nearest neighbour; 0 when it is alone."""
    apart = [after - before for before, after in pairwise(times)]
    if apart:
        yield from map(min, [apart[0], *apart], [*apart, apart[-1]])
    else:
        yield from (0 for _ in times)


def is_gap(before: Point, after: Point, every: int) -> bool:
    """Whether something is missing between two points that should be `every` ms apart."""
    return after.at - before.at > GAP * max(1, every, min(before.step, after.step))


def _drawable(value: float) -> float:
    """The value within what arithmetic on an axis can bear."""
    return 0.0 if abs(value) < _LEAST else max(-_MOST, min(_MOST, value))


def buckets(found: Sequence[Point], window: TimeRange, columns: int) -> dict[int, Bucket]:
    """The points by the column of dots they fall into; a column without a point is absent."""
    made: dict[int, Bucket] = {}
    span = max(1, window.end - window.start)
    for p in found:
        x = min(columns - 1, (p.at - window.start) * columns // span)
        old = made.get(x)
        made[x] = (
            Bucket(p.value, p.value, p.value, p.value, p, p, p.low, p.high)
            if old is None
            else replace(
                old,
                low=min(old.low, p.value),
                high=max(old.high, p.value),
                last=p.value,
                ends=p,
                lowest=min(old.lowest, p.low),
                highest=max(old.highest, p.high),
            )
        )
    return made


def layers(
    curve: LineSeries, window: TimeRange, axis: ValueAxis, size: tuple[int, int], dots: DotStyle
) -> list[Layer]:
    """The line of a curve and, behind it, its band, on grids of `size` cells and rows."""
    line, band = DotGrid(*size, dots), DotGrid(*size, dots)
    found = buckets(list(points(curve.history, window)), window, line.across)
    _draw(LinePlotter(line, axis, curve.stroke, dots), found, curve.history.every)
    drawn = [Layer(line, curve.role)]
    if curve.banded and curve.history.low is not None:
        _fill(band, axis, found)
        drawn.append(Layer(band, Role.MUTED))
    return drawn


def sample(stroke: LineStyle, dots: DotStyle) -> str:
    """What a line of this shape looks like, for a legend."""
    grid = DotGrid(5 if dots is DotStyle.ASCII else 4, 1, dots)
    pen = LinePlotter(grid, ValueAxis(0.0, 1.0, 1.0), stroke, dots)
    for x in range(grid.across):
        pen.column(x, grid.down // 2, grid.down // 2)
    return grid.rows()[0]


class LinePlotter:
    """Draws one line on a grid; its shape leaves some columns out."""

    def __init__(self, grid: DotGrid, axis: ValueAxis, stroke: LineStyle, dots: DotStyle) -> None:
        self._grid = grid
        self._axis = axis
        self._pattern = (_COARSE if dots is DotStyle.ASCII else _PATTERNS)[stroke]

    def height(self, value: float) -> int:
        """The row of dots of a value."""
        return height(self._grid, self._axis, value)

    def column(self, x: int, bottom: int, top: int) -> None:
        """Dots from `bottom` to `top`, unless the shape leaves this column out."""
        if self._pattern[x % len(self._pattern)] == "1":
            self._grid.column(x, bottom, top)

    def join(self, x0: int, y0: int, x1: int, y1: int) -> None:
        """A straight line of dots between two columns."""
        last = y0
        for x in range(x0, x1 + 1):
            y = round(y0 + (y1 - y0) * (x - x0) / max(1, x1 - x0))
            middle = (last + y) // 2
            self.column(x, min(y, middle), max(y, middle))
            if x > x0:
                self.column(x - 1, min(last, middle), max(last, middle))
            last = y


def height(grid: DotGrid, axis: ValueAxis, value: float) -> int:
    """The row of dots of a value, counted from the bottom."""
    return round(axis.share(value) * (grid.down - 1))


def _draw(pen: LinePlotter, found: dict[int, Bucket], every: int) -> None:
    before: tuple[int, Bucket] | None = None
    for x, bucket in sorted(found.items()):
        pen.column(x, pen.height(bucket.low), pen.height(bucket.high))
        if before is not None and not is_gap(before[1].ends, bucket.begins, every):
            pen.join(before[0], pen.height(before[1].last), x, pen.height(bucket.first))
        before = (x, bucket)


def _fill(grid: DotGrid, axis: ValueAxis, found: dict[int, Bucket]) -> None:
    """Every other dot from the lowest to the highest; the ends always."""
    for x, bucket in found.items():
        bottom, top = height(grid, axis, bucket.lowest), height(grid, axis, bucket.highest)
        for y in range(bottom, top + 1):
            if y in (bottom, top) or (x + y) % 2 == 0:
                grid.column(x, y, y)
