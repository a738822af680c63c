"""The collector's own health, on the deck."""

from __future__ import annotations

from textual.reactive import reactive

from watchdeck.console.draw.collector import collector
from watchdeck.console.draw.rule import Freshness, headed
from watchdeck.console.draw.text import Line
from watchdeck.console.outlook import Setting
from watchdeck.console.panels.panel import Panel
from watchdeck.domain.board import Collector


class CollectorPanel(Panel):
    """State, pace and losses of the collector."""

    collector: reactive[Collector | None] = reactive[Collector | None](None, repaint=False)

    def draw(self, setting: Setting, cells: int, rows: int) -> tuple[Line, ...]:  # noqa: ARG002
        """A rule, and as many lines as the words need."""
        if self.collector is None:
            return headed("collector", (), Freshness(None, self.now, self.stale), (), cells)
        beat = self.collector.heartbeat
        fresh = Freshness(beat.at if beat else None, self.now, self.stale)
        return headed("collector", (), fresh, collector(self.collector, self.now, cells), cells)

    def watch_collector(self) -> None:
        """The collector said something new."""
        self.redraw()
