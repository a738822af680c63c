"""Mode 1: everything on one screen, worst first."""

from __future__ import annotations

from textual.app import ComposeResult

from watchdeck.console.keys import Where, bindings
from watchdeck.console.panels.collector import CollectorPanel
from watchdeck.console.panels.deck import ChangesPanel, FleetList, HurtsPanel
from watchdeck.console.screens.fleet import FleetScreen
from watchdeck.console.screens.watching import Watching


class DeckScreen(FleetScreen, inherit_bindings=False):
    """The fleet strip over what it hurts, what changed, and the collector's health."""

    WHERE = Where.DECK
    BINDINGS = bindings(Where.DECK)

    def panels(self) -> ComposeResult:
        """Each part is there when it has something to tell."""
        bound = (Watching.now, Watching.stale, Watching.setting)
        models = (Watching.models, Watching.written)
        yield FleetList().data_bind(Watching.trends, *models, *bound)
        yield HurtsPanel(id="hurts").data_bind(*models, *bound)
        yield ChangesPanel(id="changes").data_bind(Watching.changes, *bound)
        yield CollectorPanel(id="collector").data_bind(Watching.collector, Watching.others, *bound)
