"""Mode 1: everything on one screen, worst first."""

from __future__ import annotations

from textual.app import ComposeResult

from watchdeck.console.draw.fleet import COLUMNS
from watchdeck.console.keys import Where, bindings
from watchdeck.console.panels.collector import CollectorPanel
from watchdeck.console.panels.models import ModelList
from watchdeck.console.screens.fleet import FleetScreen
from watchdeck.console.screens.watching import Watching


class DeckScreen(FleetScreen, inherit_bindings=False):
    """The fleet strip over the collector's health."""

    WHERE = Where.DECK
    BINDINGS = bindings(Where.DECK)

    def panels(self) -> ComposeResult:
        """The fleet, and who collects it."""
        yield ModelList("fleet", COLUMNS, counted=True).data_bind(
            Watching.models, Watching.written, Watching.now, Watching.stale, Watching.setting
        )
        yield CollectorPanel(id="collector").data_bind(
            Watching.collector, Watching.now, Watching.stale, Watching.setting
        )
