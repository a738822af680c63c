"""Charts as text: lines of dots, a value axis, a time axis, and markers of changes."""

from __future__ import annotations

from msgspec import Struct

from watchdeck.console.charts.axis import ValueAxis, time_step, value_axis
from watchdeck.console.charts.dot_grid import merge_spans, stack_layers
from watchdeck.console.charts.line_plot import LineSeries, TimeRange, points, series_layers
from watchdeck.console.lines.line import DotStyle, Line, Role, Span, cut, fit, width
from watchdeck.console.lines.number import amount
from watchdeck.console.lines.relative_time import clock_time, utc_offset, utc_offset_ms
from watchdeck.domain.values.units import Unit

FLOATING = ("availability", "tls_days_left")
"""Signals whose values lie far from 0, where their axis does not start."""

OBJECTIVE_FACTOR = 3.0
"""An objective above this multiple of all values would flatten the lines: it is not drawn."""

_DAY = 86_400_000


class ChartData(Struct, frozen=True):
    """The content of a chart; the first series is the signal that was selected."""

    series: tuple[LineSeries, ...]
    unit: Unit
    window: TimeRange
    objective: float | None = None
    """The objective in the unit of the series; None without one."""
    changes: tuple[int, ...] = ()
    """Times (ms UTC) of change markers."""
    cursor: int | None = None
    """Time (ms UTC) under the cursor; None without a cursor."""


class ChartLayout(Struct, frozen=True):
    """The sizes of a chart in cells, and its value axis with labels by row."""

    axis: ValueAxis | None
    labels: dict[int, str]
    margin: int
    """Cells left of the plot."""
    plot_width: int
    plot_height: int


def chart_layout(data: ChartData, cells: int, rows: int) -> ChartLayout:
    """The layout of a chart in `cells` by `rows`; without any value there is no value axis."""
    height = max(1, rows - 2)
    axis = _value_axis(data, max(1, height // 2))
    labels = _labels(axis, data.unit, height) if axis else {}
    widest = max((width(text) for text in labels.values()), default=5)
    margin = min(widest + 1, cells // 2)
    return ChartLayout(axis, labels, margin, max(1, cells - margin - 1), height)


def chart_lines(data: ChartData, cells: int, rows: int, dots: DotStyle) -> tuple[Line, ...]:
    """The chart in `cells` by `rows`, axes included."""
    layout = chart_layout(data, cells, rows)
    body = _plot(data, layout, layout.axis, dots) if layout.axis else _empty_plot(cells, rows)
    return (*body, *_time_axis(data, layout, cells))


def _value_axis(data: ChartData, steps: int) -> ValueAxis | None:
    """An axis for the values of all series and for the band of the first."""
    lows, highs = [], []
    for place, series in enumerate(data.series):
        for p in points(series.history, data.window):
            lows.append(p.value if place else p.low)
            highs.append(p.value if place else p.high)
    if not lows:
        return None
    low, high = min(lows), max(highs)
    if is_objective_visible(data.objective, low, high):
        low, high = min(low, data.objective or low), max(high, data.objective or high)
    floating = data.series[0].history.column in FLOATING
    return value_axis(low, high, data.unit, min(steps, 5), floating=floating)


def is_objective_visible(objective: float | None, low: float, high: float) -> bool:
    """Whether an objective exists, and lies near enough to the values to be drawn."""
    return objective is not None and objective <= OBJECTIVE_FACTOR * max(abs(low), abs(high))


def _plot(
    data: ChartData, layout: ChartLayout, axis: ValueAxis, dots: DotStyle
) -> tuple[Line, ...]:
    size = (layout.plot_width, layout.plot_height)
    layers = [series_layers(series, data.window, axis, size, dots) for series in data.series]
    lines = [each[0] for each in layers]
    bands = [band for each in layers for band in each[1:]]
    marks = _marks(data, layout)
    rows = stack_layers([*lines, *bands], marks, layout.plot_height, layout.plot_width)
    return tuple(
        Line((_label(layout.labels.get(row, ""), layout.margin), *spans))
        for row, spans in enumerate(rows)
    )


def _marks(data: ChartData, layout: ChartLayout) -> dict[tuple[int, int], Span]:
    """The line of the objective, and the line of the cursor over it."""
    marks: dict[tuple[int, int], Span] = {}
    row = _row_of(data.objective, layout)
    if row is not None:
        marks |= {(row, cell): Span("╌", Role.WARNING) for cell in range(layout.plot_width)}
    if data.cursor is not None:
        cell = column_of(data.cursor, data.window, layout.plot_width)
        marks |= {(row, cell): Span("│", Role.STRONG) for row in range(layout.plot_height)}
    return marks


def _row_of(value: float | None, layout: ChartLayout) -> int | None:
    """The row of a value; None when it lies outside the axis."""
    if value is None or layout.axis is None or not 0 <= layout.axis.fraction(value) <= 1:
        return None
    return layout.plot_height - 1 - round(layout.axis.fraction(value) * (layout.plot_height - 1))


def column_of(at: int, window: TimeRange, columns: int) -> int:
    """The column of a time; the first or last one when the time lies outside the range."""
    column = (at - window.start) * columns // max(1, window.end - window.start)
    return max(0, min(columns - 1, column))


def column_period(at: int, window: TimeRange, columns: int) -> tuple[int, int]:
    """The start and end (ms UTC) of the column in which a time lies."""
    length = max(1, window.end - window.start)
    column = column_of(at, window, columns)
    return window.start + column * length // columns, window.start + (
        column + 1
    ) * length // columns


def _labels(axis: ValueAxis, unit: Unit, rows: int) -> dict[int, str]:
    """The labels of the value axis by row, 0 at the top."""
    return {
        rows - 1 - round(axis.fraction(value) * (rows - 1)): amount(value, unit)
        for value in axis.labels()
    }


def _label(text: str, margin: int) -> Span:
    return Span(f"{fit(text, margin, right=True)}{'┤' if text else '│'}", Role.MUTED)


def _time_axis(data: ChartData, layout: ChartLayout, cells: int) -> tuple[Line, ...]:
    window, margin, columns = data.window, layout.margin, layout.plot_width
    step = time_step(max(1, window.end - window.start), max(1, columns // 10))
    form = "%H:%M" if step < _DAY else "%b %d"
    ticks = [Span("─", Role.MUTED)] * columns
    zone = cut(utc_offset(window.end, window.zone), margin)
    text = [*zone, *" " * (cells - len(zone))]
    for at in range(_first_tick(window, step), window.end + 1, step):
        label = clock_time(at, window.zone, form)
        place = margin + 1 + column_of(at, window, columns) - len(label) // 2
        if place > len(zone) and place + len(label) <= len(text):
            ticks[column_of(at, window, columns)] = Span("┴", Role.MUTED)
            text[place : place + len(label)] = label
    _mark_changes(ticks, data, columns)
    return (
        Line((Span(f"{' ' * margin}└", Role.MUTED), *merge_spans(ticks))),
        Line((Span("".join(text), Role.MUTED),)),
    )


def _mark_changes(ticks: list[Span], data: ChartData, columns: int) -> None:
    """Put the changes and the cursor on the time axis."""
    window = data.window
    for at in data.changes:
        if window.start <= at <= window.end:
            ticks[column_of(at, window, columns)] = Span("◆", Role.ACCENT)
    if data.cursor is not None:
        cell = column_of(data.cursor, window, columns)
        shape = "◆" if ticks[cell].text == "◆" else "▲"
        ticks[cell] = Span(shape, Role.STRONG)


def _first_tick(window: TimeRange, step: int) -> int:
    """The first time (ms UTC) in the window that is a multiple of `step` in its time zone."""
    ahead = utc_offset_ms(window.start, window.zone)
    return -(-(window.start + ahead) // step) * step - ahead


def _empty_plot(cells: int, rows: int) -> tuple[Line, ...]:
    blank = [Line()] * max(0, rows - 2)
    if blank:
        blank[len(blank) // 2] = Line((Span(cut("  no data in this window", cells), Role.MUTED),))
    return tuple(blank)
