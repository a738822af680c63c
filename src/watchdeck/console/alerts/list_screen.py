"""Mode 3: the list of all alerts, most urgent first."""

from __future__ import annotations

from textual.app import ComposeResult

from watchdeck.console.alerts.list_lines import AlertGroup
from watchdeck.console.alerts.list_panel import AlertList, AlertRows
from watchdeck.console.input.keys import KeyScope, bindings
from watchdeck.console.widgets.base_screen import BaseScreen, ChosenAlerts


class AlertsScreen(BaseScreen, inherit_bindings=False):
    """The list of alerts on the whole screen."""

    WHERE = KeyScope.ALERTS
    BINDINGS = bindings(KeyScope.ALERTS, KeyScope.ALERT_ACTIONS)

    def panels(self) -> ComposeResult:
        """The only panel: the list of alerts."""
        yield AlertList(AlertRows()).data_bind(BaseScreen.view_state)

    def choose_alerts(self, *, hold: bool = False) -> ChosenAlerts:
        """The episodes of the marked rows; without marks, of the row under the cursor.

        With `hold` the cursor follows its alert when rows move, so that pressing a key again
        acts on the same alert.
        """
        alerts = self.query_one(AlertList)
        if hold and alerts.cursor is not None:
            alerts.go(alerts.cursor)
        return alerts.rows.choose(alerts.cursor)

    @property
    def about(self) -> tuple[str, int]:
        """Model and start (ms UTC) of the alert under the cursor: changes before it are listed.

        When the cursor is on no alert: "" and now.
        """
        row = self.query_one(AlertList).row
        if row is None or isinstance(row, AlertGroup):
            return "", self.state.now
        return row.alert.model, row.episode.started_at
