"""Legend of a chart: the name and value of each series, and the change at the cursor."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import tzinfo

from msgspec import Struct

from watchdeck.console.charts.chart import ChartData, column_period
from watchdeck.console.charts.line_plot import (
    GAP,
    LineSeries,
    Point,
    TimeRange,
    line_sample,
    points,
)
from watchdeck.console.lines.line import (
    DotStyle,
    Line,
    Role,
    Span,
    Spans,
    cut,
    untrusted_text,
    wrap_parts,
)
from watchdeck.console.lines.number import amount, describe_value, interval
from watchdeck.console.lines.relative_time import age_phrase, clock_time
from watchdeck.domain.board.board import Change, History, SignalValue
from watchdeck.domain.values.units import Unit


class QuantileBounds(Struct, frozen=True):
    """The bounds, over time, of the histogram bucket that holds the first series' quantile."""

    low: History
    high: History


def legend(
    data: ChartData, columns: int, cells: int, dots: DotStyle, bounds: QuantileBounds | None = None
) -> tuple[Line, ...]:
    """The lines of the legend: for each series a line sample, its name and a value.

    The value is the one at the cursor, or the newest when there is no cursor.
    """
    parts = [
        (*_name(series, dots), untrusted_text(_value(series, data, columns, None if n else bounds)))
        for n, series in enumerate(data.series)
    ]
    if data.objective is not None:
        objective = Span(f"SLO {amount(data.objective, data.unit)}", Role.WARNING)
        parts.insert(1, (Span("╌╌ ", Role.WARNING), objective))
    return tuple(Line((Span(" "), *line.spans)) for line in wrap_parts(parts, cells - 1, gap=3))


def _name(series: LineSeries, dots: DotStyle) -> Spans:
    sample = Span(f"{line_sample(series.style, dots).rstrip()} ", series.role)
    return (sample, untrusted_text(f"{series.name} ", Role.MUTED, 60))


def _value(series: LineSeries, data: ChartData, columns: int, bounds: QuantileBounds | None) -> str:
    point = _point_at(series.history, data, columns)
    if point is None:
        return "no data"
    if series.history.low is not None:
        mean = amount(point.value, data.unit)
        return f"{mean}{_extremes(point, data.unit) if series.has_band else ''}"
    return _bounded_value(point, data, columns, bounds)


def _extremes(point: Point, unit: Unit) -> str:
    return f" ({interval(point.low, point.high, unit)})" if point.low < point.high else ""


def _bounded_value(
    point: Point, data: ChartData, columns: int, bounds: QuantileBounds | None
) -> str:
    if bounds is not None:
        low, high = _point_at(bounds.low, data, columns), _point_at(bounds.high, data, columns)
        if low is not None:
            above = math.inf if high is None else high.value
            return describe_value(SignalValue(point.value, data.unit, low.value, above))
    return amount(point.value, data.unit)


def _point_at(history: History, data: ChartData, columns: int) -> Point | None:
    """The point at the cursor, else the newest one; None in a gap."""
    if data.cursor is not None:
        return value_at(history, data.window, data.cursor, columns)
    recent = [p for p in points(history, data.window) if _is_recent(p, history, data.window)]
    return recent[-1] if recent else None


def _is_recent(point: Point, history: History, window: TimeRange) -> bool:
    """Whether no gap follows a point in the window, with a tolerance of 1/60 of the window."""
    slack = (window.end - window.start) // 60
    return window.end - point.at <= GAP * max(history.every, point.step, 1) + slack


def value_at(history: History, window: TimeRange, at: int, columns: int) -> Point | None:
    """The mean of the points in the column of `at`, else the nearest point; None in a gap."""
    start, end = column_period(at, window, columns)
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
    changes: Iterable[Change], data: ChartData, columns: int, now: int, cells: int
) -> tuple[Line, ...]:
    """One line with the newest change up to the cursor; no line when there is no change.

    Without a cursor, up to the end of the time range.
    """
    start, end = data.window.end, data.window.end + 1
    if data.cursor is not None:
        start, end = column_period(data.cursor, data.window, columns)
    before = [change for change in changes if change.at < end]
    if not before:
        return ()
    newest = max(before, key=lambda change: (change.at, change.id))
    is_at_cursor = data.cursor is not None and newest.at >= start
    return (_change_line(newest, data.window.zone, now, cells, strong=is_at_cursor),)


def _change_line(
    change: Change, zone: tzinfo | None, now: int, cells: int, *, strong: bool
) -> Line:
    when = f"{clock_time(change.at, zone, '%b %d %H:%M')} {age_phrase(change.at, now)}  "
    text = f"{change.what}: {change.text}" if change.text else change.what
    spans = (Span(" ◆ ", Role.ACCENT), Span(when, Role.MUTED))
    room = cells - sum(len(span.text) for span in spans)
    return Line((*spans, Span(cut(text, room), Role.STRONG if strong else Role.TEXT)))
