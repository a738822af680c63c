"""The screen of one model: its health and reason, a chart of related signals, all signals."""

from __future__ import annotations

from functools import partial

from msgspec.structs import replace
from textual import on
from textual.app import ComposeResult
from textual.containers import Container

from watchdeck.console.charts.panel import ChartInput, ChartPanel
from watchdeck.console.charts.series import ChartComparison, chart_signals, next_comparison
from watchdeck.console.input.keys import KeyScope, bindings
from watchdeck.console.models.detail_panels import ModelSummaryPanel, SignalRows
from watchdeck.console.state.messages import RowReached
from watchdeck.console.state.queries import HistoryQuery, HistoryResult, read_history
from watchdeck.console.state.view_state import ViewState
from watchdeck.console.widgets.base_screen import BaseScreen
from watchdeck.console.widgets.list import List
from watchdeck.domain.board.board import Change, Health, Model
from watchdeck.domain.metrics.scrape import ResponseRecord
from watchdeck.domain.metrics.signal import SIGNALS

_HOUR, _DAY = 3_600_000, 86_400_000

SPANS = (900_000, _HOUR, 6 * _HOUR, _DAY, 7 * _DAY, 30 * _DAY, 90 * _DAY)
"""Lengths of time that a chart shows, in milliseconds: 15 min, 1 h, 6 h, 24 h, 7 d, 30 d, 90 d."""

_MINUTE = 60_000
STEPS = (_MINUTE, _MINUTE, 5 * _MINUTE, 30 * _MINUTE, 3 * _HOUR, 12 * _HOUR, _DAY)
"""Length of a step through time for each span, in milliseconds."""

FIRST_SPAN = SPANS[1]

POINTS = 240
"""The number of points in a history query: two for each cell of a wide chart."""

FIRST_SIGNALS = ("latency_p95", "latency_mean", "request_rate", "availability")
"""Signals to draw first; the first one that the model has is taken."""


class DetailScreen(BaseScreen, inherit_bindings=False):
    """The detail screen of the model called `model_name`."""

    WHERE = KeyScope.DETAIL
    BINDINGS = bindings(KeyScope.DETAIL)

    def __init__(self, state: ViewState, area: str, model_name: str) -> None:
        self._model_name = model_name
        self._span = FIRST_SPAN
        self._wanted: HistoryQuery | None = None
        self._against: ChartComparison | None = None
        self._cursor: int | None = None
        self._changes: tuple[Change, ...] = ()
        super().__init__(state, area)

    @property
    def step(self) -> int:
        """Length (ms) of a step through time: the longer the chart's time range, the longer."""
        return STEPS[SPANS.index(self._span)]

    @property
    def about(self) -> tuple[str, int]:
        """This model, and the moment (ms UTC) before which changes are listed.

        That is the moment of the chart's cursor; else the start of bad health; else now.
        """
        model = self._model
        if self._cursor is not None:
            return self._model_name, self._cursor
        if model is None or model.since is None or model.health is Health.OK:
            return self._model_name, self.state.now
        return self._model_name, model.since

    @property
    def subject(self) -> str:
        """The name of this model."""
        return self._model_name

    @property
    def pointed(self) -> int | None:
        """The moment (ms UTC) of the chart's cursor, else the past one shown; None when live."""
        return super().pointed if self._cursor is None else self._cursor

    def reload(self) -> None:
        """Read the chart's points again; the old points stay until then."""
        if self._wanted is not None:
            self._ask_history(self._wanted)

    @property
    def view(self) -> str:
        """The name of this view: the model's name."""
        return self._model_name

    @property
    def _model(self) -> Model | None:
        return self.state.model(self._model_name)

    def show(self, state: ViewState) -> None:
        """Show a view state; read the chart's points again when the chart's time range moved."""
        super().show(state)
        self._read_chart()

    def panels(self) -> ComposeResult:
        """The panels of summary, chart and signals; the last two side by side if they fit."""
        bound = BaseScreen.view_state
        yield ModelSummaryPanel(self._model_name).data_bind(bound)
        with Container(id="body"):
            yield ChartPanel(self._model_name).data_bind(bound)
            yield List(SignalRows(self._model_name)).data_bind(bound)

    def on_mount(self) -> None:
        """Put the list's cursor on the first of FIRST_SIGNALS that the model has."""
        latest = self._model.latest if self._model else None
        has = latest.signals if latest else {}
        first = next((name for name in FIRST_SIGNALS if name in has), FIRST_SIGNALS[0])
        # no list was composed when the console is left while this screen opens
        for signals in self.query(List):
            signals.call_after_refresh(signals.go, first)

    def show_history(
        self, wanted: HistoryQuery, found: HistoryResult | None, problem: str = ""
    ) -> None:
        """Show the chart's points `found`, or `problem` when it is None.

        Do nothing when other points than `wanted` have been asked for since.
        """
        if wanted != self._wanted:
            return
        if found:
            self._changes = found.changes
        self._draw_chart(wanted, found, problem)

    def _draw_chart(
        self, wanted: HistoryQuery, found: HistoryResult | None, problem: str = ""
    ) -> None:
        names = tuple(name for name in wanted.columns if name in SIGNALS)
        args = (wanted, names, found, problem, self._against, self._cursor)
        self.query_one(ChartPanel).chart_input = ChartInput(*args)

    def _ask_history(self, wanted: HistoryQuery) -> None:
        self.ask("history", partial(read_history, wanted), partial(self.show_history, wanted))

    @on(RowReached)
    def _read_chart(self) -> None:
        """Ask for the chart's points, if its signals changed or its time moved by a point."""
        wanted = self._next_wanted()
        if wanted is None or wanted == self._wanted:
            return
        is_same_chart = self._wanted is not None and _is_same_chart(self._wanted, wanted)
        self._wanted = wanted
        if self._cursor is not None and not wanted.start <= self._cursor < wanted.end:
            self._cursor = None
        if not is_same_chart:
            self._draw_chart(wanted, None)
        self._ask_history(wanted)

    def _next_wanted(self) -> HistoryQuery | None:
        signal = self.query_one(List).cursor if self.is_mounted else None
        if signal is None:
            return None
        step = self._span // POINTS
        end = -(-self.state.board_time // step) * step
        earlier = self._against.shift(end) if self._against else 0
        columns = _columns(signal, self._model)
        return HistoryQuery(self._model_name, columns, end - self._span, end, POINTS, earlier)

    def action_signal(self, by: int) -> None:
        """Chart the next signal (`by` 1) or the previous one (-1)."""
        self.query_one(List).action_move(by)

    def action_zoom(self, by: int) -> None:
        """Chart the next longer time range (`by` 1) or the next shorter one (-1)."""
        place = SPANS.index(self._span) + by
        self._span = SPANS[max(0, min(len(SPANS) - 1, place))]
        self._read_chart()

    def action_compare(self) -> None:
        """Compare the chart with the next of: yesterday, last week, before a change, nothing."""
        moment = self.state.board_time if self._cursor is None else self._cursor
        self._against = next_comparison(self._against, self._changes, moment)
        self._read_chart()

    def action_read(self, by: int) -> None:
        """Move the chart's cursor `by` columns, left if negative; at its right end remove it."""
        chart = self.query_one(ChartPanel)
        if self._wanted is None or chart.chart_input is None:
            return
        start, end = self._wanted.start, self._wanted.end
        step = max(1, self._span // chart.plot_width)
        at = (end if self._cursor is None else self._cursor) + by * step
        self._cursor = None if at >= end else max(start, at)
        chart.chart_input = replace(chart.chart_input, cursor=self._cursor)

    def action_answers(self) -> None:
        """Open the screen with the last raw responses of the model's server."""
        name = self._model_name
        self.ask("answers", lambda source: source.responses(name), self._open_answers)

    def _open_answers(self, found: tuple[ResponseRecord, ...] | None, problem: str) -> None:
        from watchdeck.console.models.responses_screen import ResponsesScreen

        screen = ResponsesScreen(self.state, self.area, self._model_name, found or (), problem)
        self.app.push_screen(screen)


def _columns(signal: str, model: Model | None) -> tuple[str, ...]:
    """The columns to read: the signal, those drawn with it, and its bounds if it has any."""
    latest = model.latest if model else None
    names = chart_signals(signal, latest.not_measurable if latest else ())
    return (*names, f"{signal}.low", f"{signal}.high") if SIGNALS[signal].bounded else names


def _is_same_chart(one: HistoryQuery, other: HistoryQuery) -> bool:
    """Whether two queries differ in time only: then the old chart stays until the new is read."""
    return (one.columns, one.end - one.start, bool(one.earlier)) == (
        other.columns,
        other.end - other.start,
        bool(other.earlier),
    )
