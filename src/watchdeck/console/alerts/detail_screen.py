"""One alert: why it fires, the chart at that moment, and everything that was done about it."""

from __future__ import annotations

from functools import partial

from textual.app import ComposeResult
from textual.containers import Container

from watchdeck.console.alerts.detail_lines import charted_signal
from watchdeck.console.alerts.detail_panels import AlertHistoryList, AlertPanel
from watchdeck.console.charts.panel import ChartInput, ChartPanel
from watchdeck.console.input.keys import KeyScope, bindings
from watchdeck.console.state.messages import ModelOpened
from watchdeck.console.state.queries import (
    HistoryQuery,
    HistoryResult,
    read_alert_history,
    read_history,
)
from watchdeck.console.state.view_state import ViewState
from watchdeck.console.widgets.base_screen import BaseScreen, ChosenAlerts
from watchdeck.domain.alerts.alert import ActiveAlert
from watchdeck.domain.board.board import AlertHistory
from watchdeck.domain.metrics.signal import SIGNALS

_AROUND = (45 * 60_000, 15 * 60_000)
"""How much time before and after the moment of firing the chart shows, in milliseconds."""

_POINTS = 240


class AlertScreen(BaseScreen, inherit_bindings=False):
    """Everything that is known of one alert."""

    WHERE = KeyScope.ALERT
    BINDINGS = bindings(KeyScope.ALERT, KeyScope.ALERT_ACTIONS)

    def __init__(self, state: ViewState, area: str, episode: int) -> None:
        self._episode = episode
        self._asked: tuple[int | None, int] | None = None
        self._wanted: HistoryQuery | None = None
        super().__init__(state, area)

    @property
    def _alert(self) -> ActiveAlert | None:
        return self.state.alert(self._episode)

    @property
    def view(self) -> str:
        """The rule and the model."""
        alert = self._alert.alert if self._alert else None
        return f"{alert.rule} {alert.model}".strip() if alert else f"episode {self._episode}"

    def choose_alerts(self, *, hold: bool = False) -> ChosenAlerts:  # noqa: ARG002 - one alert
        """This episode, open or ended."""
        is_open = self._alert is not None and self._alert.episode.is_open
        return ChosenAlerts((self._episode,) if is_open else (), (self._episode,))

    @property
    def subject(self) -> str:
        """The model of the alert."""
        return self._alert.alert.model if self._alert else ""

    @property
    def about(self) -> tuple[str, int]:
        """What changed before the alert began."""
        if self._alert is None:
            return "", self.state.now
        return self._alert.alert.model, self._alert.episode.started_at

    def show(self, state: ViewState) -> None:
        """Read the history again when anything was decided since."""
        super().show(state)
        self._read_history()

    def on_mount(self) -> None:
        """Read the history first."""
        self._read_history()

    def panels(self) -> ComposeResult:
        """State over chart and history; side by side where there is room."""
        bound = BaseScreen.view_state
        yield AlertPanel(self._episode).data_bind(bound)
        with Container(id="body"):
            yield ChartPanel(self.subject).data_bind(bound)
            yield AlertHistoryList().data_bind(bound)

    def _read_history(self) -> None:
        """Ask for the history, once for everything that was decided since."""
        board = self.state.board
        if board is None or not self.is_mounted:
            return
        asked = (board.state_at, self._alert.episode.rev if self._alert else 0)
        if asked != self._asked:
            self._asked = asked
            query = partial(read_alert_history, self._episode, self.state.board_time)
            self.ask("alert history", query, self.show_history)

    def show_history(self, found: AlertHistory | None, problem: str = "") -> None:
        """Show the history that was read, or why it cannot be read."""
        self.query_one(AlertHistoryList).show_history(found, problem)
        if found is not None:
            self.query_one(AlertPanel).show_history(found)
            self._read_chart(found)

    def _read_chart(self, history: AlertHistory) -> None:
        signal, fired = charted_signal(history), history.episode.since
        start, end = fired - _AROUND[0], min(fired + _AROUND[1], self.state.now)
        if signal is None or not history.alert.model:
            return
        bounded = (f"{signal}.low", f"{signal}.high") if SIGNALS[signal].bounded else ()
        wanted = HistoryQuery(history.alert.model, (signal, *bounded), start, end, _POINTS)
        if wanted != self._wanted:
            self._wanted = wanted
            self.query_one(ChartPanel).chart_input = ChartInput(
                wanted, (signal,), None, cursor=fired
            )
            self.ask("history", partial(read_history, wanted), partial(self.show_chart, wanted))

    def show_chart(
        self, wanted: HistoryQuery, found: HistoryResult | None, problem: str = ""
    ) -> None:
        """Show the points that were read, unless others are wanted by now."""
        chart = self.query_one(ChartPanel)
        if wanted == self._wanted and chart.chart_input is not None:
            names, cursor = chart.chart_input.names, chart.chart_input.cursor
            chart.chart_input = ChartInput(wanted, names, found, problem, cursor=cursor)

    def action_model(self) -> None:
        """Open the model of the alert."""
        if self.subject:
            self.post_message(ModelOpened(self.subject))
