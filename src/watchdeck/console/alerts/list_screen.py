"""Mode 3: every alert, most urgent first, and what can be done about each."""

from __future__ import annotations

from textual.app import ComposeResult

from watchdeck.console.alerts.action_screen import AlertActionScreen
from watchdeck.console.alerts.list_lines import AlertGroup
from watchdeck.console.alerts.list_panel import AlertList
from watchdeck.console.input.keys import KeyScope, bindings
from watchdeck.console.state.messages import AlertOpened
from watchdeck.console.widgets.base_screen import BaseScreen
from watchdeck.console.widgets.filter_screen import FilterableScreen
from watchdeck.domain.board.filter import Filter, matches, parse
from watchdeck.domain.board.filter_fields import ALERTS, FilteredAlert


class AlertsScreen(FilterableScreen, AlertActionScreen):
    """The list of alerts on the whole screen."""

    WHERE = KeyScope.ALERTS
    BINDINGS = bindings(KeyScope.ALERTS)
    FILTER_HELP = (
        "rule  owner=risk  sev<=2  age>10m  unacked  muted  /pattern/  !not  one | other   Esc: all"
    )

    def panels(self) -> ComposeResult:
        """The list."""
        yield AlertList("alerts").data_bind(
            BaseScreen.alerts,
            BaseScreen.sources,
            BaseScreen.written,
            BaseScreen.now,
            BaseScreen.stale,
            BaseScreen.setting,
        )

    @property
    def chosen(self) -> tuple[int, ...]:
        """The marked episodes, else the one under the cursor."""
        return self.query_one(AlertList).chosen

    @property
    def remembered(self) -> tuple[int, ...]:
        """The marked episodes, else the one under the cursor, over or not."""
        return self.query_one(AlertList).remembered

    @property
    def subject(self) -> str:
        """The model of the alert under the cursor."""
        row = self.query_one(AlertList).under_cursor
        return "" if row is None or isinstance(row, AlertGroup) else row.alert.model

    @property
    def about(self) -> tuple[str, int]:
        """What changed before the alert under the cursor began."""
        row = self.query_one(AlertList).under_cursor
        if row is None or isinstance(row, AlertGroup):
            return "", self.now
        return row.alert.model, row.episode.started_at

    def _do(self, verb: str, text: str = "") -> None:
        """The cursor stays on the alert, wherever that goes: a second press is not for another."""
        listed = self.query_one(AlertList)
        if listed.cursor is not None:
            listed.go(listed.cursor)
        super()._do(verb, text)

    def action_open(self) -> None:
        """Open the alert under the cursor; fold a group, or unfold it."""
        row = self.query_one(AlertList).under_cursor
        if isinstance(row, AlertGroup):
            self.query_one(AlertList).fold(row.owner)
        elif row is not None:
            self.post_message(AlertOpened(row.episode.id))

    def read_filter(self, typed: str) -> Filter:
        """A filter of alerts."""
        return parse(typed, ALERTS)

    def matching(self, wanted: Filter) -> int:
        """How many alerts match."""
        return sum(matches(wanted, FilteredAlert(one, self.now)) for one in self.alerts)
