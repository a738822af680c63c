"""The panels of the deck: the fleet with its last hour, what changed, what it hurts."""

from __future__ import annotations

from collections.abc import Mapping

from textual.reactive import reactive

from watchdeck.console.lines.line import Line
from watchdeck.console.lines.panel_header import DataAge, headed
from watchdeck.console.models import summary_columns as fleet
from watchdeck.console.models.list_panel import ModelList
from watchdeck.console.overview import lines as deck
from watchdeck.console.state.trends import Sparkline
from watchdeck.console.state.view_state import ViewSettings
from watchdeck.console.widgets.panel import Panel
from watchdeck.domain.alerts.alert import ActiveAlert
from watchdeck.domain.board.board import Change, Model


class FleetList(ModelList):
    """The models worst first, with sparklines where there is room."""

    trends: reactive[Mapping[str, Sparkline]] = reactive[Mapping[str, Sparkline]]({}, repaint=False)

    def __init__(self) -> None:
        super().__init__("fleet", fleet.COLUMNS, counted=True)

    def watch_trends(self) -> None:
        """Five more minutes are known."""
        if self.setting is not None:
            self._columns = deck.columns(self.trends, self.setting.dots)
            self.watch_models()


class UrgentAlertsPanel(Panel):
    """The alerts that somebody should take, and how many there are; not there while none is open.

    The first line is the one that the key of the deck takes.
    """

    alerts: reactive[tuple[ActiveAlert, ...]] = reactive[tuple[ActiveAlert, ...]]((), repaint=False)
    written: reactive[int | None] = reactive[int | None](None, repaint=False)

    def draw(self, setting: ViewSettings, cells: int, rows: int) -> tuple[Line, ...]:  # noqa: ARG002
        """A rule with the counts, and a line an alert."""
        more, body = deck.urgent(self.alerts, self.now, cells, rows - 1)
        fresh = DataAge(self.written, self.now, self.stale)
        return headed("alerts", more, fresh, body, cells)

    def watch_alerts(self) -> None:
        """An alert changed."""
        self.display = any(one.episode.is_open for one in self.alerts)
        self.redraw()


class ChangesPanel(Panel):
    """The newest deploys, restarts and configurations; not there while nothing changed."""

    changes: reactive[tuple[Change, ...]] = reactive[tuple[Change, ...]]((), repaint=False)

    def draw(self, setting: ViewSettings, cells: int, rows: int) -> tuple[Line, ...]:
        """A rule, and a line a change."""
        newest = max((change.at for change in self.changes), default=None)
        body = deck.changes(self.changes, self.now, setting.zone, cells, rows - 1)
        return headed("changes", (), DataAge(newest, self.now, self.stale), body, cells)

    def watch_changes(self) -> None:
        """Something changed, or its day is over."""
        self.display = bool(self.changes)
        self.redraw()


class ImpactPanel(Panel):
    """Services and models that feel a bad model; not there while nothing is bad."""

    models: reactive[tuple[Model, ...]] = reactive[tuple[Model, ...]]((), repaint=False)
    written: reactive[int | None] = reactive[int | None](None, repaint=False)

    def draw(self, setting: ViewSettings, cells: int, rows: int) -> tuple[Line, ...]:  # noqa: ARG002
        """A rule, and a line a model."""
        body = deck.impact_lines(self.models, cells, rows - 1)
        return headed("hurts", (), DataAge(self.written, self.now, self.stale), body, cells)

    def watch_models(self) -> None:
        """A model changed."""
        self.display = bool(deck.impact_lines(self.models, 80, 1))
        self.redraw()
