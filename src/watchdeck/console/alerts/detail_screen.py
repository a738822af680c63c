"""The screen of one alert: its reason, a chart around its start, and its history."""

from __future__ import annotations

from functools import partial

from textual.app import ComposeResult
from textual.containers import Container

from watchdeck.console.alerts.detail_lines import charted_signal
from watchdeck.console.alerts.detail_panels import AlertHistoryRows, AlertPanel
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
from watchdeck.console.widgets.list import List
from watchdeck.domain.alerts.alert import ActiveAlert
from watchdeck.domain.board.board import AlertHistory
from watchdeck.domain.metrics.signal import SIGNALS

_AROUND = (45 * 60_000, 15 * 60_000)
"""Milliseconds that the chart shows before and after the alert fired."""

_POINTS = 240


class AlertScreen(BaseScreen, inherit_bindings=False):
    """The screen of one alert; `episode` is the id of the alert's episode."""

    WHERE = KeyScope.ALERT
    BINDINGS = bindings(KeyScope.ALERT, KeyScope.ALERT_ACTIONS)

    def __init__(self, state: ViewState, area: str, episode: int) -> None:
        self._episode = episode
        self._rows = AlertHistoryRows()
        self._asked: tuple[int | None, int] | None = None
        self._wanted: HistoryQuery | None = None
        super().__init__(state, area)

    @property
    def _alert(self) -> ActiveAlert | None:
        return self.state.alert(self._episode)

    @property
    def view(self) -> str:
        """The name of this view: the alert's rule and model; `episode 7` once it left the board."""
        alert = self._alert.alert if self._alert else None
        return f"{alert.rule} {alert.model}".strip() if alert else f"episode {self._episode}"

    def choose_alerts(self, *, hold: bool = False) -> ChosenAlerts:  # noqa: ARG002 - one alert
        """The episode of this screen, the only one to act on; `hold` has no effect."""
        is_open = self._alert is not None and self._alert.episode.is_open
        return ChosenAlerts((self._episode,) if is_open else (), (self._episode,))

    @property
    def subject(self) -> str:
        """The model of the alert; empty when it has none, or has left the board."""
        return self._alert.alert.model if self._alert else ""

    @property
    def about(self) -> tuple[str, int]:
        """The alert's model and start (ms UTC), before which changes are listed.

        When the alert has left the board: "" and now.
        """
        if self._alert is None:
            return "", self.state.now
        return self._alert.alert.model, self._alert.episode.started_at

    def show(self, state: ViewState) -> None:
        """Show `state`; if the store has changed, read the alert's history again."""
        super().show(state)
        self._read_history()

    def on_mount(self) -> None:
        """Start to read the alert's history."""
        self._read_history()

    def panels(self) -> ComposeResult:
        """The panels of alert, chart and history; the last two side by side if they fit."""
        bound = BaseScreen.view_state
        yield AlertPanel(self._episode).data_bind(bound)
        with Container(id="body"):
            yield ChartPanel(self.subject).data_bind(bound)
            yield List(self._rows).data_bind(bound)

    def _read_history(self) -> None:
        """Ask for the history, unless it was asked for since the stored state changed."""
        board = self.state.board
        if board is None or not self.is_mounted:
            return
        asked = (board.state_at, self._alert.episode.rev if self._alert else 0)
        if asked != self._asked:
            self._asked = asked
            query = partial(read_alert_history, self._episode, self.state.board_time)
            self.ask("alert history", query, self.show_history)

    def show_history(self, found: AlertHistory | None, problem: str = "") -> None:
        """Show the history `found`; when it is None, show `problem`, the reason why."""
        self._rows.take_history(found, problem)
        self.query_one(List).rebuild()
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
        """Show the chart's points `found`, or `problem` when it is None.

        Do nothing when other points than `wanted` have been asked for since.
        """
        chart = self.query_one(ChartPanel)
        if wanted == self._wanted and chart.chart_input is not None:
            names, cursor = chart.chart_input.names, chart.chart_input.cursor
            chart.chart_input = ChartInput(wanted, names, found, problem, cursor=cursor)

    def action_model(self) -> None:
        """Open the screen of the alert's model; do nothing when it has none."""
        if self.subject:
            self.post_message(ModelOpened(self.subject))
