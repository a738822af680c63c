"""One signal over time, as text: a line of dots, a value axis and a time axis; gaps are gaps."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import tzinfo

from watchdeck.console.draw.age import ahead_of_utc, clock, offset
from watchdeck.console.draw.grid import Dots, Grid
from watchdeck.console.draw.number import amount
from watchdeck.console.draw.scale import Scale, scale, time_step
from watchdeck.console.draw.text import Line, Role, Span, cut, fit, width
from watchdeck.domain.board import History
from watchdeck.domain.signal import Unit

GAP = 2.5
"""Two points further apart than so many times their usual distance are not joined."""

_FLOATING = ("availability", "tls_days_left")
"""Signals whose story lies far from zero."""

_DAY = 86_400_000
_MOST = 1e100


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time, in milliseconds UTC, read on the clock of `zone`."""

    start: int
    end: int
    zone: tzinfo | None = None


@dataclass(frozen=True, slots=True)
class Bucket:
    """What one column of dots holds: its extremes, and its first and last point."""

    low: float
    high: float
    first: float
    last: float
    begins: int
    ends: int


def chart(
    history: History, unit: Unit, window: Window, cells: int, rows: int, dots: Dots
) -> tuple[Line, ...]:
    """The signal in so many cells and rows, the axes included."""
    found = list(_points(history, window))
    if not found:
        return _empty(window, cells, rows)
    axis = _axis(history.column, unit, found, max(1, (rows - 2) // 2))
    labels = _labels(axis, unit, rows - 2)
    margin = min(max(width(text) for text in labels.values()) + 1, cells // 2)
    grid = Grid(max(1, cells - margin - 1), max(1, rows - 2), dots)
    _plot(grid, buckets(history, window, grid.across), axis, history.every)
    body = [
        Line((_label(labels.get(row, ""), margin), Span(text, Role.CHART)))
        for row, text in enumerate(grid.rows())
    ]
    return (*body, *_time_axis(window, margin, cells))


def _points(history: History, window: Window) -> Iterator[tuple[int, float, float, float]]:
    """Time, lowest, highest and value of every known point in the window."""
    lows = history.low or history.values
    highs = history.high or history.values
    for at, value, low, high in zip(history.times, history.values, lows, highs, strict=True):
        if window.start <= at <= window.end and math.isfinite(value):
            lowest = low if math.isfinite(low) else value
            highest = high if math.isfinite(high) else value
            yield at, _drawable(lowest), _drawable(highest), _drawable(value)


def _drawable(value: float) -> float:
    """The value within what arithmetic on an axis can bear."""
    return max(-_MOST, min(_MOST, value))


def buckets(history: History, window: Window, columns: int) -> dict[int, Bucket]:
    """The points by the column of dots they fall into; a column without a point is absent."""
    found: dict[int, Bucket] = {}
    span = max(1, window.end - window.start)
    for at, low, high, value in _points(history, window):
        x = min(columns - 1, (at - window.start) * columns // span)
        old = found.get(x)
        found[x] = (
            Bucket(low, high, value, value, at, at)
            if old is None
            else Bucket(min(old.low, low), max(old.high, high), old.first, value, old.begins, at)
        )
    return found


def _axis(
    column: str, unit: Unit, points: list[tuple[int, float, float, float]], steps: int
) -> Scale:
    low = min(point[1] for point in points)
    high = max(point[2] for point in points)
    return scale(low, high, unit, min(steps, 5), floating=column in _FLOATING)


def _plot(grid: Grid, found: dict[int, Bucket], axis: Scale, every: int) -> None:
    def height(value: float) -> int:
        return round(axis.share(value) * (grid.down - 1))

    before: tuple[int, Bucket] | None = None
    for x, bucket in sorted(found.items()):
        grid.column(x, height(bucket.low), height(bucket.high))
        if before is not None and bucket.begins - before[1].ends <= GAP * max(1, every):
            _join(grid, before[0], height(before[1].last), x, height(bucket.first))
        before = (x, bucket)


def _join(grid: Grid, x0: int, y0: int, x1: int, y1: int) -> None:
    """A straight line of dots between two columns."""
    last = y0
    for x in range(x0, x1 + 1):
        y = round(y0 + (y1 - y0) * (x - x0) / max(1, x1 - x0))
        middle = (last + y) // 2
        grid.column(x, min(y, middle), max(y, middle))
        if x > x0:
            grid.column(x - 1, min(last, middle), max(last, middle))
        last = y


def _labels(axis: Scale, unit: Unit, rows: int) -> dict[int, str]:
    """The text of the value axis by row, top first."""
    return {
        rows - 1 - round(axis.share(value) * (rows - 1)): amount(value, unit)
        for value in axis.labels()
    }


def _label(text: str, margin: int) -> Span:
    return Span(f"{fit(text, margin, right=True)}{'┤' if text else '│'}", Role.MUTED)


def _time_axis(window: Window, margin: int, cells: int) -> tuple[Line, ...]:
    plot = max(1, cells - margin - 1)
    span = max(1, window.end - window.start)
    step = time_step(span, max(1, plot // 10))
    form = "%H:%M" if step < _DAY else "%b %d"
    ticks = ["─"] * plot
    zone = cut(offset(window.end, window.zone), margin)
    text = [*zone, *" " * (plot + margin + 1 - len(zone))]
    for at in range(_first_tick(window, step), window.end + 1, step):
        x = min(plot - 1, (at - window.start) * plot // span)
        said = clock(at, window.zone, form)
        place = margin + 1 + x - len(said) // 2
        if place > len(zone) and place + len(said) <= len(text):
            ticks[x] = "┴"
            text[place : place + len(said)] = said
    return (
        Line((Span(f"{' ' * margin}└{''.join(ticks)}", Role.MUTED),)),
        Line((Span("".join(text), Role.MUTED),)),
    )


def _first_tick(window: Window, step: int) -> int:
    """The first round moment on the reader's clock."""
    ahead = ahead_of_utc(window.start, window.zone)
    return -(-(window.start + ahead) // step) * step - ahead


def _empty(window: Window, cells: int, rows: int) -> tuple[Line, ...]:
    blank = [Line()] * max(0, rows - 2)
    if blank:
        blank[len(blank) // 2] = Line((Span(cut("  no data in this window", cells), Role.MUTED),))
    return (*blank, *_time_axis(window, 6, cells))
