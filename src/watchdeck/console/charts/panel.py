"""Chart panel: the signals of one chart, their objective, changes, and an earlier time range."""

from __future__ import annotations

from msgspec import Struct
from textual.reactive import reactive

from watchdeck.console.charts.chart import ChartData, chart_layout, chart_lines
from watchdeck.console.charts.legend import QuantileBounds, change_line, legend
from watchdeck.console.charts.line_plot import LineSeries, LineStyle, TimeRange, points
from watchdeck.console.charts.series import ChartComparison, chart_objective, short_name
from watchdeck.console.lines.line import Line, Role, Span, untrusted_text, wrap
from watchdeck.console.lines.panel_header import DataAge, panel_lines
from watchdeck.console.lines.relative_time import age_phrase, clock_time, short_duration
from watchdeck.console.state.queries import HistoryQuery, HistoryResult
from watchdeck.console.state.view_state import ViewState
from watchdeck.console.widgets.panel import Panel
from watchdeck.domain.board.qualifiers import qualifiers
from watchdeck.domain.metrics.signal import SIGNALS

_LINE_STYLES = (
    (LineStyle.SOLID, Role.CHART),
    (LineStyle.DASHED, Role.TEXT),
    (LineStyle.DASH_DOT, Role.ACCENT),
    (LineStyle.DOTTED, Role.TEXT),
)
"""Style and role of the lines of a chart, the front one first."""

_TWO_LINE_LEGEND_ROWS = 12
"""Rows from which on a legend may take two of them."""


class ChartInput(Struct, frozen=True):
    """The input of a chart panel: a history query, and its result (None until it was read)."""

    query: HistoryQuery
    names: tuple[str, ...]
    """The signals, the selected one first."""
    result: HistoryResult | None = None
    problem: str = ""
    """Why the history cannot be read; empty when it can."""
    comparison: ChartComparison | None = None
    cursor: int | None = None
    """Time (ms UTC) under the cursor; None without a cursor."""


class ChartPanel(Panel):
    """A chart of one signal, with the other signals of its group or its own earlier values."""

    chart_input: reactive[ChartInput | None] = reactive[ChartInput | None](None, repaint=False)

    def __init__(self, model_name: str) -> None:
        super().__init__(id="chart")
        self._model_name = model_name

    def slices(self, state: ViewState) -> tuple[object, ...]:
        """What the panel is made from: its model. The panel is rebuilt when it changes."""
        return (state.model(self._model_name),)

    def draw(self, state: ViewState, cells: int, rows: int) -> tuple[Line, ...]:
        """The lines of the panel: a header with signal and time range, and the chart."""
        model, shown = state.model(self._model_name), self.chart_input
        latest = model.latest if model else None
        age = DataAge(latest.at if latest else None, state.now, state.stale)
        if shown is None:
            return panel_lines("chart", (), age, (), cells)
        body = self._body(shown, state, cells, rows - 1)
        return panel_lines(shown.names[0], self._subtitle(shown, state), age, body, cells)

    def _subtitle(self, shown: ChartInput, state: ViewState) -> tuple[Span, ...]:
        """The scope of the newest value, the time under the cursor, and the length of the range.

        The scope is there only where the value is not the model's alone.
        """
        length = shown.query.end - shown.query.start
        span = Span(f"last {short_duration(length)}", Role.MUTED)
        words = "".join(f"{text}  " for text in self._scope(shown, state))
        scope = (untrusted_text(words, Role.WARNING, 80),) if words else ()
        if shown.cursor is None:
            return (*scope, span)
        form = "%H:%M:%S" if length < 86_400_000 else "%b %d %H:%M"
        at = clock_time(shown.cursor, state.settings.zone, form)
        return (*scope, Span(f"{at} {age_phrase(shown.cursor, state.now)}  ", Role.STRONG), span)

    def _scope(self, shown: ChartInput, state: ViewState) -> tuple[str, ...]:
        """What limits the newest value of the selected signal, in words."""
        model = state.model(self._model_name)
        latest = model.latest if model else None
        value = latest.signals.get(shown.names[0]) if latest else None
        return qualifiers(value, latest.facts.every) if latest and value else ()

    def _body(self, shown: ChartInput, state: ViewState, cells: int, rows: int) -> tuple[Line, ...]:
        if shown.result is None:
            text = shown.problem or "reading the history"
            return wrap(f" {text}", cells, Role.WARNING if shown.problem else Role.MUTED)
        data = self._data(shown, state)
        head = self._legend_lines(shown.result, data, state, (cells, rows))
        return (*head, *chart_lines(data, cells, max(3, rows - len(head)), state.settings.dots))

    def _legend_lines(
        self, result: HistoryResult, data: ChartData, state: ViewState, size: tuple[int, int]
    ) -> tuple[Line, ...]:
        """The legend, and a line about the change at the cursor."""
        cells, rows = size
        columns = chart_layout(data, cells, rows).plot_width
        lines = legend(data, columns, cells, state.settings.dots, _quantile_bounds(result))
        change = change_line(result.changes, data, columns, state.now, cells)
        most = 2 if rows >= _TWO_LINE_LEGEND_ROWS else 1
        return (*lines[:most], *(change if rows >= 7 else ()))

    def _data(self, shown: ChartInput, state: ViewState) -> ChartData:
        window = TimeRange(shown.query.start, shown.query.end, state.settings.zone)
        model = state.model(self._model_name)
        objective = chart_objective(shown.names, model.facts.slo) if model else None
        return ChartData(
            _line_series(shown, window),
            SIGNALS[shown.names[0]].unit,
            window,
            objective[1] if objective else None,
            tuple(change.at for change in shown.result.changes) if shown.result else (),
            shown.cursor,
        )

    @property
    def plot_width(self) -> int:
        """Width of the plot in cells: the number of cursor positions."""
        if self.chart_input is None or self.view_state is None or not self.size.width:
            return 1
        return chart_layout(self._data(self.chart_input, self.view_state), *self.size).plot_width

    def watch_chart_input(self) -> None:
        """Redraw; Textual calls this when `chart_input` changes: history, query or cursor."""
        self.redraw()


def _line_series(shown: ChartInput, window: TimeRange) -> tuple[LineSeries, ...]:
    """The signal and its group, or the signal and its own earlier values."""
    result = shown.result
    by_name = {history.column: history for history in result.histories} if result else {}
    names = [name for name in shown.names if name in by_name]
    if result and result.before is not None and shown.comparison is not None:
        now = LineSeries(by_name[names[0]], names[0])
        label = shown.comparison.label
        return now, LineSeries(result.before, label, LineStyle.DOTTED, Role.ACCENT, has_band=False)
    known = [n for n in names if n == names[0] or any(points(by_name[n], window))]
    return tuple(
        LineSeries(by_name[name], short_name(name, known), *style, has_band=not place)
        for place, (name, style) in enumerate(zip(known, _LINE_STYLES, strict=False))
    )


def _quantile_bounds(result: HistoryResult) -> QuantileBounds | None:
    by_name = {history.column: history for history in result.histories}
    first = result.histories[0].column
    low, high = by_name.get(f"{first}.low"), by_name.get(f"{first}.high")
    return QuantileBounds(low, high) if low and high else None
