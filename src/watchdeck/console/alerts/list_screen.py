"""Mode 3: every alert, most urgent first, and what can be done about each."""

from __future__ import annotations

from textual.app import ComposeResult

from watchdeck.console.alerts.list_lines import AlertGroup
from watchdeck.console.alerts.list_panel import AlertList
from watchdeck.console.input.keys import KeyScope, bindings
from watchdeck.console.widgets.base_screen import BaseScreen, ChosenAlerts


class AlertsScreen(BaseScreen, inherit_bindings=False):
    """The list of alerts on the whole screen."""

    WHERE = KeyScope.ALERTS
    BINDINGS = bindings(KeyScope.ALERTS, KeyScope.ALERT_ACTIONS)

    def panels(self) -> ComposeResult:
        """The list."""
        yield AlertList("alerts").data_bind(BaseScreen.view_state)

    def choose_alerts(self, *, hold: bool = False) -> ChosenAlerts:
        """The marked episodes, else those of the row under the cursor.

        With `hold` the cursor stays on the alert, wherever that goes: a second press is not for
        another.
        """
        rows = self.query_one(AlertList)
        if hold and rows.cursor is not None:
            rows.go(rows.cursor)
        return ChosenAlerts(rows.open_episodes, rows.episodes)

    @property
    def about(self) -> tuple[str, int]:
        """What changed before the alert under the cursor began."""
        row = self.query_one(AlertList).cursor_row
        if row is None or isinstance(row, AlertGroup):
            return "", self.state.now
        return row.alert.model, row.episode.started_at
