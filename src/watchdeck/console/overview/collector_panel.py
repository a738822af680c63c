"""The collector's own health, on the deck."""

from __future__ import annotations

from textual.reactive import reactive

from watchdeck.console.lines.line import Line
from watchdeck.console.lines.panel_header import DataAge, headed
from watchdeck.console.overview.collector_lines import collector, company
from watchdeck.console.state.view_state import ViewSettings
from watchdeck.console.widgets.panel import Panel
from watchdeck.domain.board.board import Collector
from watchdeck.domain.board.presence import Presence


class CollectorPanel(Panel):
    """State, pace and losses of the collector."""

    collector: reactive[Collector | None] = reactive[Collector | None](None, repaint=False)
    others: reactive[tuple[Presence, ...]] = reactive[tuple[Presence, ...]]((), repaint=False)

    def draw(self, setting: ViewSettings, cells: int, rows: int) -> tuple[Line, ...]:  # noqa: ARG002
        """A rule, and as many lines as the words need."""
        beat = self.collector.heartbeat if self.collector else None
        fresh = DataAge(beat.at if beat else None, self.now, self.stale)
        body = collector(self.collector, self.now, cells) if self.collector else ()
        return headed("collector", company(self.others, cells - 40), fresh, body, cells)

    def watch_collector(self) -> None:
        """The collector said something new."""
        self.redraw()

    def watch_others(self) -> None:
        """Somebody came, went, or looks elsewhere."""
        self.redraw()
