"""Mode 1: everything on one screen, worst first."""

from __future__ import annotations

from textual.app import ComposeResult

from watchdeck.console.alerts.list_lines import worst
from watchdeck.console.input.keys import Where, bindings
from watchdeck.console.models.list_base import FleetScreen
from watchdeck.console.overview.collector_panel import CollectorPanel
from watchdeck.console.overview.panels import ChangesPanel, FleetList, HurtsPanel, UrgentPanel
from watchdeck.console.state.messages import DeedWanted
from watchdeck.console.widgets.base_screen import Watching


class DeckScreen(FleetScreen, inherit_bindings=False):
    """Alerts over the fleet, what it hurts, what changed, and the collector's health."""

    WHERE = Where.DECK
    BINDINGS = bindings(Where.DECK)

    def panels(self) -> ComposeResult:
        """Each part is there when it has something to tell."""
        bound = (Watching.now, Watching.stale, Watching.setting)
        models = (Watching.models, Watching.written)
        yield UrgentPanel(id="urgent").data_bind(Watching.alerts, Watching.written, *bound)
        yield FleetList().data_bind(Watching.trends, *models, *bound)
        yield HurtsPanel(id="hurts").data_bind(*models, *bound)
        yield ChangesPanel(id="changes").data_bind(Watching.changes, *bound)
        yield CollectorPanel(id="collector").data_bind(Watching.collector, Watching.others, *bound)

    def action_acknowledge(self) -> None:
        """Take the worst alert that nobody has: the first line of its panel says which that is."""
        first = worst(self.alerts)
        self.post_message(DeedWanted("ack", (first.episode.id,) if first else ()))
