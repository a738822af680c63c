"""Mode 1: everything on one screen, worst first."""

from __future__ import annotations

from textual.app import ComposeResult

from watchdeck.console.alerts.list_lines import worst
from watchdeck.console.input.keys import KeyScope, bindings
from watchdeck.console.models.list_base import ModelListScreen
from watchdeck.console.overview.collector_panel import CollectorPanel
from watchdeck.console.overview.panels import (
    ChangesPanel,
    FleetList,
    ImpactPanel,
    UrgentAlertsPanel,
)
from watchdeck.console.state.messages import ActionRequested
from watchdeck.console.widgets.base_screen import BaseScreen


class DeckScreen(ModelListScreen, inherit_bindings=False):
    """Alerts over the fleet, what it hurts, what changed, and the collector's health."""

    WHERE = KeyScope.DECK
    BINDINGS = bindings(KeyScope.DECK)

    def panels(self) -> ComposeResult:
        """Each part is there when it has something to tell."""
        bound = (BaseScreen.now, BaseScreen.stale, BaseScreen.setting)
        models = (BaseScreen.models, BaseScreen.written)
        yield UrgentAlertsPanel(id="urgent").data_bind(
            BaseScreen.alerts, BaseScreen.written, *bound
        )
        yield FleetList().data_bind(BaseScreen.trends, *models, *bound)
        yield ImpactPanel(id="hurts").data_bind(*models, *bound)
        yield ChangesPanel(id="changes").data_bind(BaseScreen.changes, *bound)
        yield CollectorPanel(id="collector").data_bind(
            BaseScreen.collector, BaseScreen.others, *bound
        )

    def action_acknowledge(self) -> None:
        """Take the worst alert that nobody has: the first line of its panel says which that is."""
        first = worst(self.alerts)
        self.post_message(ActionRequested("ack", (first.episode.id,) if first else ()))
