"""Mode 1: everything on one screen, worst first."""

from __future__ import annotations

from textual.app import ComposeResult

from watchdeck.console.input.keys import KeyScope, bindings
from watchdeck.console.overview.panels import (
    ChangesPanel,
    CollectorPanel,
    FleetList,
    ImpactPanel,
    UrgentAlertsPanel,
)
from watchdeck.console.widgets.base_screen import BaseScreen


class DeckScreen(BaseScreen, inherit_bindings=False):
    """Alerts over the fleet, what it hurts, what changed, and the collector's health."""

    WHERE = KeyScope.DECK
    BINDINGS = bindings(KeyScope.DECK)

    def panels(self) -> ComposeResult:
        """Each part is there when it has something to show."""
        bound = BaseScreen.view_state
        yield UrgentAlertsPanel(id="urgent").data_bind(bound)
        yield FleetList().data_bind(bound)
        yield ImpactPanel(id="hurts").data_bind(bound)
        yield ChangesPanel(id="changes").data_bind(bound)
        yield CollectorPanel(id="collector").data_bind(bound)
