"""The lines over a chart: which curve is which, and what they are at a moment."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import tzinfo

from msgspec import Struct

from watchdeck.console.charts.chart import ChartData, span_of
from watchdeck.console.charts.line_plot import GAP, LineSeries, Point, TimeRange, points, sample
from watchdeck.console.lines.glyphs import DotStyle
from watchdeck.console.lines.line import Line, Role, Span, Spans, cut, foreign_text, wrap_parts
from watchdeck.console.lines.number import amount, describe_reading, interval
from watchdeck.console.lines.relative_time import ago, clock
from watchdeck.domain.board.board import Change, History, SignalValue
from watchdeck.domain.values.units import Unit


class QuantileBounds(Struct, frozen=True):
    """What the buckets of the first curve allow, as two histories."""

    low: History
    high: History


def legend(
    picture: ChartData,
    across: int,
    cells: int,
    dots: DotStyle,
    bounds: QuantileBounds | None = None,
) -> tuple[Line, ...]:
    """Each curve by shape, word and value: at the cursor, else the newest one in the window."""
    parts = [
        (*_name(curve, dots), foreign_text(_value(curve, picture, across, None if n else bounds)))
        for n, curve in enumerate(picture.curves)
    ]
    if picture.limit is not None:
        promise = Span(f"SLO {amount(picture.limit, picture.unit)}", Role.WARNING)
        parts.insert(1, (Span("╌╌ ", Role.WARNING), promise))
    return tuple(Line((Span(" "), *line.spans)) for line in wrap_parts(parts, cells - 1, gap=3))


def _name(curve: LineSeries, dots: DotStyle) -> Spans:
    shape = Span(f"{sample(curve.stroke, dots).rstrip()} ", curve.role)
    return (shape, foreign_text(f"{curve.name} ", Role.MUTED, 60))


def _value(
    curve: LineSeries, picture: ChartData, across: int, bounds: QuantileBounds | None
) -> str:
    read = _at(curve.history, picture, across)
    if read is None:
        return "no data"
    if curve.history.low is not None:
        mean = amount(read.value, picture.unit)
        return f"{mean}{_extremes(read, picture.unit) if curve.banded else ''}"
    return _exact(read, picture, across, bounds)


def _extremes(read: Point, unit: Unit) -> str:
    return f" ({interval(read.low, read.high, unit)})" if read.low < read.high else ""


def _exact(read: Point, picture: ChartData, across: int, bounds: QuantileBounds | None) -> str:
    if bounds is not None:
        low, high = _at(bounds.low, picture, across), _at(bounds.high, picture, across)
        if low is not None:
            above = math.inf if high is None else high.value
            return describe_reading(SignalValue(read.value, picture.unit, low.value, above))
    return amount(read.value, picture.unit)


def _at(history: History, picture: ChartData, across: int) -> Point | None:
    """What is known at the cursor, or of the newest moment; None in a gap."""
    if picture.cursor is None:
        newest = [p for p in points(history, picture.window) if _is_near(p, history, picture)]
        return newest[-1] if newest else None
    return value_at(history, picture.window, picture.cursor, across)


def _is_near(point: Point, history: History, picture: ChartData) -> bool:
    """Whether a point is no older than a gap before the end."""
    return picture.window.end - point.at <= GAP * max(history.every, point.step, 1) + _slice(
        picture.window
    )


def _slice(window: TimeRange) -> int:
    return (window.end - window.start) // 60


def value_at(history: History, window: TimeRange, at: int, across: int) -> Point | None:
    """The points in the cell of a moment as one; the nearest when there is none; else a gap."""
    start, end = span_of(at, window, across)
    known = list(points(history, window))
    inside = [p for p in known if start <= p.at < end]
    if inside:
        mean = sum(p.value for p in inside) / len(inside)
        low, high = min(p.low for p in inside), max(p.high for p in inside)
        return Point(inside[-1].at, min(high, max(low, mean)), low, high)
    near = min(known, key=lambda p: abs(p.at - at), default=None)
    if near is None:
        return None
    far = GAP / 2 * max(1, history.every, near.step)
    return near if abs(near.at - at) <= far else None


def change_line(
    changes: Iterable[Change], picture: ChartData, across: int, now: int, cells: int
) -> tuple[Line, ...]:
    """The change under the cursor in words, or the newest one before the cursor or the end."""
    start, end = picture.window.end, picture.window.end + 1
    if picture.cursor is not None:
        start, end = span_of(picture.cursor, picture.window, across)
    before = [change for change in changes if change.at < end]
    if not before:
        return ()
    newest = max(before, key=lambda change: (change.at, change.id))
    here = picture.cursor is not None and newest.at >= start
    return (_words(newest, picture.window.zone, now, cells, here=here),)


def _words(change: Change, zone: tzinfo | None, now: int, cells: int, *, here: bool) -> Line:
    when = clock(change.at, zone, "%b %d %H:%M")
    text = f"{change.what}: {change.text}" if change.text else change.what
    spans = (Span(" ◆ ", Role.ACCENT), Span(f"{when} {ago(change.at, now)}  ", Role.MUTED))
    room = cells - sum(len(span.text) for span in spans)
    return Line((*spans, Span(cut(text, room), Role.STRONG if here else Role.TEXT)))
