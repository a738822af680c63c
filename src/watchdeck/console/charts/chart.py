"""Signals over time, as text: lines of dots, a value axis, a time axis, and what happened when."""

from __future__ import annotations

from msgspec import Struct

from watchdeck.console.charts.axis import ValueAxis, scale, time_step
from watchdeck.console.charts.layers import merged, stacked
from watchdeck.console.charts.line_plot import LineSeries, TimeRange, layers, points
from watchdeck.console.lines.glyphs import DotStyle
from watchdeck.console.lines.line import Line, Role, Span, cut, fit, width
from watchdeck.console.lines.number import amount
from watchdeck.console.lines.relative_time import ahead_of_utc, clock, offset
from watchdeck.domain.values.units import Unit

FLOATING = ("availability", "tls_days_left")
"""Signals whose story lies far from zero."""

TOO_FAR = 3.0
"""A promise so many times above all values would press them flat: it is told, not drawn."""

_DAY = 86_400_000


class ChartData(Struct, frozen=True):
    """What a chart shows; the first curve is the one that matters.

    `limit` is what was promised, in the unit of the curves; `changes` are the times (ms UTC) of
    change markers, and `cursor` is the time that is read, if any.
    """

    curves: tuple[LineSeries, ...]
    unit: Unit
    window: TimeRange
    limit: float | None = None
    changes: tuple[int, ...] = ()
    cursor: int | None = None


class ChartLayout(Struct, frozen=True):
    """How a picture lies in its cells: the axis, its labels by row, the cells left of the plot."""

    axis: ValueAxis | None
    labels: dict[int, str]
    margin: int
    across: int
    down: int


def framed(picture: ChartData, cells: int, rows: int) -> ChartLayout:
    """The axes in so many cells and rows; without a single value there is no value axis."""
    down = max(1, rows - 2)
    axis = _axis(picture, max(1, down // 2))
    labels = _labels(axis, picture.unit, down) if axis else {}
    widest = max((width(text) for text in labels.values()), default=5)
    margin = min(widest + 1, cells // 2)
    return ChartLayout(axis, labels, margin, max(1, cells - margin - 1), down)


def chart(picture: ChartData, cells: int, rows: int, dots: DotStyle) -> tuple[Line, ...]:
    """The picture in so many cells and rows, the axes included."""
    frame = framed(picture, cells, rows)
    body = _plot(picture, frame, dots) if frame.axis else _empty(cells, rows)
    return (*body, *_time_axis(picture, frame, cells))


def _axis(picture: ChartData, steps: int) -> ValueAxis | None:
    """An axis for all curves, and for the band of the one that matters."""
    lows, highs = [], []
    for place, curve in enumerate(picture.curves):
        for p in points(curve.history, picture.window):
            lows.append(p.value if place else p.low)
            highs.append(p.value if place else p.high)
    if not lows:
        return None
    low, high = min(lows), max(highs)
    if shown_limit(picture.limit, low, high):
        low, high = min(low, picture.limit or low), max(high, picture.limit or high)
    floating = picture.curves[0].history.column in FLOATING
    return scale(low, high, picture.unit, min(steps, 5), floating=floating)


def shown_limit(limit: float | None, low: float, high: float) -> bool:
    """Whether a promise lies near enough to be drawn."""
    return limit is not None and limit <= TOO_FAR * max(abs(low), abs(high))


def _plot(picture: ChartData, frame: ChartLayout, dots: DotStyle) -> tuple[Line, ...]:
    if frame.axis is None:
        return ()
    size = (frame.across, frame.down)
    drawn = [layers(curve, picture.window, frame.axis, size, dots) for curve in picture.curves]
    lines = [one[0] for one in drawn]
    bands = [layer for one in drawn for layer in one[1:]]
    rows = stacked([*lines, *bands], _marks(picture, frame), frame.down, frame.across)
    return tuple(
        Line((_label(frame.labels.get(row, ""), frame.margin), *spans))
        for row, spans in enumerate(rows)
    )


def _marks(picture: ChartData, frame: ChartLayout) -> dict[tuple[int, int], Span]:
    """The promise, and the cursor over it."""
    marks: dict[tuple[int, int], Span] = {}
    row = _row(picture.limit, frame)
    if row is not None:
        marks |= {(row, cell): Span("╌", Role.WARNING) for cell in range(frame.across)}
    if picture.cursor is not None:
        cell = column(picture.cursor, picture.window, frame.across)
        marks |= {(row, cell): Span("│", Role.STRONG) for row in range(frame.down)}
    return marks


def _row(value: float | None, frame: ChartLayout) -> int | None:
    """The row of a value, if it lies on the axis."""
    if value is None or frame.axis is None or not 0 <= frame.axis.share(value) <= 1:
        return None
    return frame.down - 1 - round(frame.axis.share(value) * (frame.down - 1))


def column(at: int, window: TimeRange, across: int) -> int:
    """The cell of a moment, one of the outermost when it lies outside."""
    place = (at - window.start) * across // max(1, window.end - window.start)
    return max(0, min(across - 1, place))


def span_of(at: int, window: TimeRange, across: int) -> tuple[int, int]:
    """The times from and until which the cell of a moment reaches."""
    length = max(1, window.end - window.start)
    cell = column(at, window, across)
    return window.start + cell * length // across, window.start + (cell + 1) * length // across


def _labels(axis: ValueAxis, unit: Unit, rows: int) -> dict[int, str]:
    """The text of the value axis by row, top first."""
    return {
        rows - 1 - round(axis.share(value) * (rows - 1)): amount(value, unit)
        for value in axis.labels()
    }


def _label(text: str, margin: int) -> Span:
    return Span(f"{fit(text, margin, right=True)}{'┤' if text else '│'}", Role.MUTED)


def _time_axis(picture: ChartData, frame: ChartLayout, cells: int) -> tuple[Line, ...]:
    window, margin, across = picture.window, frame.margin, frame.across
    step = time_step(max(1, window.end - window.start), max(1, across // 10))
    form = "%H:%M" if step < _DAY else "%b %d"
    ticks = [Span("─", Role.MUTED)] * across
    zone = cut(offset(window.end, window.zone), margin)
    text = [*zone, *" " * (cells - len(zone))]
    for at in range(_first_tick(window, step), window.end + 1, step):
        said = clock(at, window.zone, form)
        place = margin + 1 + column(at, window, across) - len(said) // 2
        if place > len(zone) and place + len(said) <= len(text):
            ticks[column(at, window, across)] = Span("┴", Role.MUTED)
            text[place : place + len(said)] = said
    _mark_times(ticks, picture, across)
    return (
        Line((Span(f"{' ' * margin}└", Role.MUTED), *merged(ticks))),
        Line((Span("".join(text), Role.MUTED),)),
    )


def _mark_times(ticks: list[Span], picture: ChartData, across: int) -> None:
    """Changes and the cursor on the time axis."""
    window = picture.window
    for at in picture.changes:
        if window.start <= at <= window.end:
            ticks[column(at, window, across)] = Span("◆", Role.ACCENT)
    if picture.cursor is not None:
        cell = column(picture.cursor, window, across)
        shape = "◆" if ticks[cell].text == "◆" else "▲"
        ticks[cell] = Span(shape, Role.STRONG)


def _first_tick(window: TimeRange, step: int) -> int:
    """The first round moment on the reader's clock."""
    ahead = ahead_of_utc(window.start, window.zone)
    return -(-(window.start + ahead) // step) * step - ahead


def _empty(cells: int, rows: int) -> tuple[Line, ...]:
    blank = [Line()] * max(0, rows - 2)
    if blank:
        blank[len(blank) // 2] = Line((Span(cut("  no data in this window", cells), Role.MUTED),))
    return tuple(blank)
