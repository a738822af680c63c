"""The panels of the overview: fleet, urgent alerts, impact, changes and the collector."""

from __future__ import annotations

from watchdeck.console.lines.line import Line
from watchdeck.console.lines.panel_header import DataAge, panel_lines
from watchdeck.console.lines.table import Table
from watchdeck.console.models.columns import SUMMARY_COLUMNS
from watchdeck.console.models.list_panel import ModelRows
from watchdeck.console.overview.collector_lines import collector_lines, other_consoles
from watchdeck.console.overview.lines import (
    change_lines,
    fleet_columns,
    impact_lines,
    urgent_alert_lines,
)
from watchdeck.console.state.view_state import ViewState
from watchdeck.console.widgets.panel import Panel
from watchdeck.domain.board.board import Model


class FleetRows(ModelRows):
    """The models, worst health first, with sparklines where there is room."""

    def __init__(self) -> None:
        super().__init__("fleet", SUMMARY_COLUMNS, has_counts=True)

    def slices(self, state: ViewState) -> tuple[object, ...]:
        """Staleness, models and sparklines of the last hour: a change rebuilds the list."""
        return (*super().slices(state), state.trends)

    def build(self, state: ViewState, cells: int) -> Table[Model]:
        """The table of matching models, sorted; its columns have the newest sparklines."""
        if state.trends:
            self.columns = fleet_columns(state.trends, state.settings.dots)
        return super().build(state, cells)


class UrgentAlertsPanel(Panel):
    """The most urgent open alerts and their counts; hidden while no alert is open.

    The acknowledge key of the overview acts on the alert of the first line.
    """

    def slices(self, state: ViewState) -> tuple[object, ...]:
        """The alerts of the board: the panel is rebuilt when they change."""
        return (state.alerts,)

    def ages(self, state: ViewState) -> tuple[object, ...]:
        """Moment, staleness and time of the metrics: a change of one redraws the panel."""
        return (*super().ages(state), state.metrics_at)

    def draw(self, state: ViewState, cells: int, rows: int) -> tuple[Line, ...]:
        """A header with the counts, and one line for each alert."""
        more, body = urgent_alert_lines(state.alerts, state.now, cells, rows - 1)
        fresh = DataAge(state.metrics_at, state.now, state.stale)
        return panel_lines("alerts", more, fresh, body, cells)

    def rebuild(self) -> None:
        """Show the panel if an alert is open, else hide it; redraw."""
        if self.view_state is not None:
            self.display = any(one.episode.is_open for one in self.view_state.alerts)
        self.redraw()


class ChangesPanel(Panel):
    """The newest deploys, restarts and changes of configuration; hidden while there is none."""

    def slices(self, state: ViewState) -> tuple[object, ...]:
        """The change markers of the board: the panel is rebuilt when they change."""
        return (state.changes,)

    def draw(self, state: ViewState, cells: int, rows: int) -> tuple[Line, ...]:
        """A header, and one line for each change."""
        newest = max((change.at for change in state.changes), default=None)
        body = change_lines(state.changes, state.now, state.settings.zone, cells, rows - 1)
        return panel_lines("changes", (), DataAge(newest, state.now, state.stale), body, cells)

    def rebuild(self) -> None:
        """Show the panel if there is a change marker, else hide it; redraw."""
        if self.view_state is not None:
            self.display = bool(self.view_state.changes)
        self.redraw()


class ImpactPanel(Panel):
    """The services and models that need a bad model: one that is down or critical.

    Hidden while no bad model is needed.
    """

    def slices(self, state: ViewState) -> tuple[object, ...]:
        """The models of the board: the panel is rebuilt when they change."""
        return (state.models,)

    def ages(self, state: ViewState) -> tuple[object, ...]:
        """Moment, staleness and time of the metrics: a change of one redraws the panel."""
        return (*super().ages(state), state.metrics_at)

    def draw(self, state: ViewState, cells: int, rows: int) -> tuple[Line, ...]:
        """A header, and one line for each bad model."""
        body = impact_lines(state.models, cells, rows - 1)
        return panel_lines(
            "hurts", (), DataAge(state.metrics_at, state.now, state.stale), body, cells
        )

    def rebuild(self) -> None:
        """Show the panel if something needs a bad model, else hide it; redraw."""
        if self.view_state is not None:
            self.display = bool(impact_lines(self.view_state.models, 80, 1))
        self.redraw()


class CollectorPanel(Panel):
    """The collector's state, timing and losses, and the other open consoles."""

    def slices(self, state: ViewState) -> tuple[object, ...]:
        """The collector and the other consoles: the panel is rebuilt when one changes."""
        return (state.collector, state.others)

    def draw(self, state: ViewState, cells: int, rows: int) -> tuple[Line, ...]:  # noqa: ARG002
        """A header, and the lines of the collector, wrapped."""
        status = state.collector.heartbeat if state.collector else None
        fresh = DataAge(status.at if status else None, state.now, state.stale)
        body = collector_lines(state.collector, state.now, cells) if state.collector else ()
        return panel_lines(
            "collector", other_consoles(state.others, cells - 40), fresh, body, cells
        )
