"""Mode 1: everything on one screen, worst first."""

from __future__ import annotations

from textual.app import ComposeResult

from watchdeck.console.input.keys import KeyScope, bindings
from watchdeck.console.models.list_panel import ModelList
from watchdeck.console.overview.panels import (
    ChangesPanel,
    CollectorPanel,
    FleetRows,
    ImpactPanel,
    UrgentAlertsPanel,
)
from watchdeck.console.widgets.base_screen import BaseScreen


class DeckScreen(BaseScreen, inherit_bindings=False):
    """The overview: urgent alerts, the fleet, impact, changes, and the collector's health."""

    WHERE = KeyScope.DECK
    BINDINGS = bindings(KeyScope.DECK)

    def panels(self) -> ComposeResult:
        """The panels, of which alerts, impact and changes are hidden while they are empty."""
        bound = BaseScreen.view_state
        yield UrgentAlertsPanel(id="urgent").data_bind(bound)
        yield ModelList(FleetRows()).data_bind(bound)
        yield ImpactPanel(id="hurts").data_bind(bound)
        yield ChangesPanel(id="changes").data_bind(bound)
        yield CollectorPanel(id="collector").data_bind(bound)
