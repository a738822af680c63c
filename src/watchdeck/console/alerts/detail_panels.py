"""The panels of one alert: its state and rule, and its history."""

from __future__ import annotations

from watchdeck.console.alerts.detail_lines import (
    HistoryRow,
    alert_lines,
    history_columns,
    history_rows,
)
from watchdeck.console.lines.line import Line, Role, Span, cut, wrap
from watchdeck.console.lines.panel_header import DataAge, panel_lines
from watchdeck.console.lines.table import Table
from watchdeck.console.state.view_state import ViewState
from watchdeck.console.widgets.list import ListHeader, ListRows
from watchdeck.console.widgets.panel import Panel
from watchdeck.domain.board.board import AlertHistory

_GONE = "this alert is over; its story is kept"


class AlertPanel(Panel):
    """The state of one alert, its reason, its rule and its owner."""

    def __init__(self, episode: int) -> None:
        super().__init__(id="alert")
        self._episode = episode
        self._history: AlertHistory | None = None

    def slices(self, state: ViewState) -> tuple[object, ...]:
        """The alert: the panel is rebuilt when it changes."""
        return (state.alert(self._episode),)

    def ages(self, state: ViewState) -> tuple[object, ...]:
        """Moment, staleness and time of the metrics: a change of one redraws the panel."""
        return (*super().ages(state), state.metrics_at)

    def show_history(self, found: AlertHistory) -> None:
        """Store the alert's history, and redraw: the panel shows the rule that is in it."""
        self._history = found
        self.redraw()

    def draw(self, state: ViewState, cells: int, rows: int) -> tuple[Line, ...]:
        """A header and the lines of the alert; a note in their place when it has left the board."""
        fresh = DataAge(state.metrics_at, state.now, state.stale)
        found = state.alert(self._episode)
        if found is None:
            return panel_lines("alert", (), fresh, wrap(f" {_GONE}", cells, Role.MUTED), cells)
        body = alert_lines(found, self._history, state.now, cells, state.settings.zone)
        name = cut(f"{found.alert.rule} {found.alert.model}".strip(), cells - 30)
        return panel_lines(name, (), fresh, body[: rows - 1], cells)


class AlertHistoryRows(ListRows[HistoryRow]):
    """The history of an alert: changes of state, actions, notifications, earlier episodes."""

    name = "story"

    def __init__(self) -> None:
        super().__init__()
        self._history: AlertHistory | None = None
        self._problem = ""

    def slices(self, state: ViewState) -> tuple[object, ...]:
        """Alerts and change markers of the board: the list is rebuilt when one changes."""
        return (state.alerts, state.changes)

    def take_history(self, found: AlertHistory | None, problem: str) -> None:
        """Replace the history, unless `found` is None; the header shows `problem`."""
        self._history = found or self._history
        self._problem = problem

    def header(self, state: ViewState, shown: Span, _cells: int) -> ListHeader:
        """The header of the history, with the age of its newest row."""
        newest = max((entry.at for entry in self.table.rows), default=None)
        return ListHeader(
            "story", (shown,), DataAge(newest, state.now, self._problem or state.stale)
        )

    def build(self, state: ViewState, _cells: int) -> Table[HistoryRow]:
        """The table of the history; without rows, a note that says why."""
        rows = history_rows(self._history, state.alerts, state.changes) if self._history else ()
        keys = tuple(f"{row.at} {row.kind} {place}" for place, row in enumerate(reversed(rows)))
        empty = self._problem or "reading the story"
        return Table(history_columns(state.settings.zone), rows, keys[::-1], empty)
