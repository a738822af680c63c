"""The panels of one alert: its state and rule, and its history."""

from __future__ import annotations

from watchdeck.console.alerts.detail_lines import alert_lines, history_columns, history_rows
from watchdeck.console.lines.line import Line, Role, Span, cut, wrap
from watchdeck.console.lines.panel_header import DataAge, panel_lines
from watchdeck.console.lines.table import Table
from watchdeck.console.state.view_state import ViewState
from watchdeck.console.widgets.list import List
from watchdeck.console.widgets.panel import Panel
from watchdeck.domain.board.board import AlertHistory

_GONE = "this alert is over; its story is kept"


class AlertPanel(Panel):
    """The state of one alert, why, by which rule, and its owner."""

    def __init__(self, episode: int) -> None:
        super().__init__(id="alert")
        self._episode = episode
        self._history: AlertHistory | None = None

    def slices(self, state: ViewState) -> tuple[object, ...]:
        """The panel is rebuilt when the alert changes."""
        return (state.alert(self._episode),)

    def ages(self, state: ViewState) -> tuple[object, ...]:
        """The rule tells the age of the metrics."""
        return (*super().ages(state), state.metrics_at)

    def show_history(self, found: AlertHistory) -> None:
        """Show what the history says of the rule."""
        self._history = found
        self.redraw()

    def draw(self, state: ViewState, cells: int, rows: int) -> tuple[Line, ...]:
        """A rule and the facts."""
        fresh = DataAge(state.metrics_at, state.now, state.stale)
        found = state.alert(self._episode)
        if found is None:
            return panel_lines("alert", (), fresh, wrap(f" {_GONE}", cells, Role.MUTED), cells)
        body = alert_lines(found, self._history, state.now, cells, state.settings.zone)
        name = cut(f"{found.alert.rule} {found.alert.model}".strip(), cells - 30)
        return panel_lines(name, (), fresh, body[: rows - 1], cells)


class AlertHistoryList(List):
    """Everything that happened to an alert and was done about it."""

    def __init__(self) -> None:
        super().__init__(id="story")
        self._history: AlertHistory | None = None
        self._problem = ""

    def slices(self, state: ViewState) -> tuple[object, ...]:
        """Other alerts that may be open, and changes."""
        return (state.alerts, state.changes)

    def show_history(self, found: AlertHistory | None, problem: str) -> None:
        """Show a history, or why there is no newer one."""
        self._history = found or self._history
        self._problem = problem
        self.rebuild()

    def heading(
        self, state: ViewState, more: tuple[Span, ...], body: tuple[Line, ...], cells: int
    ) -> tuple[Line, ...]:
        """The rule tells when the newest of it happened."""
        newest = max((entry.at for entry in self.table.rows), default=None)
        fresh = DataAge(newest, state.now, self._problem or state.stale)
        return panel_lines("story", more, fresh, body, cells)

    def rebuild(self) -> None:
        """List the entries anew."""
        state = self.view_state
        if state is None:
            return
        rows = history_rows(self._history, state.alerts, state.changes) if self._history else ()
        keys = tuple(f"{row.at} {row.kind} {place}" for place, row in enumerate(reversed(rows)))
        empty = self._problem or "reading the story"
        self.table = Table(history_columns(state.settings.zone), rows, keys[::-1], empty)
        self.redraw()
