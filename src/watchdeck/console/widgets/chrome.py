"""What frames every screen: the top line, the warnings under it, the keys at the bottom."""

from __future__ import annotations

from textual.reactive import reactive

from watchdeck.console.input import keys
from watchdeck.console.input.keys import KeyScope
from watchdeck.console.input.time_cursor import PastOffset
from watchdeck.console.lines.line import Line
from watchdeck.console.state.board_source import BoardSnapshot
from watchdeck.console.state.view_state import ViewSettings
from watchdeck.console.widgets import chrome_lines as bar
from watchdeck.console.widgets.chrome_lines import StatusBarState
from watchdeck.console.widgets.panel import Panel

SMALLEST = (60, 16)
"""The smallest terminal with a layout: cells across, rows down."""


class TopBar(Panel):
    """Name, modes, store, age of the data, collector, clock."""

    sight: reactive[BoardSnapshot] = reactive(BoardSnapshot(), repaint=False)
    past: reactive[PastOffset | None] = reactive[PastOffset | None](None, repaint=False)

    def __init__(self, mode: str, trail: str = "") -> None:
        super().__init__(id="top")
        self._mode = mode
        self._trail = trail

    def draw(self, setting: ViewSettings, cells: int, rows: int) -> tuple[Line, ...]:  # noqa: ARG002
        """One line."""
        known = (setting.store, setting.zone, setting.read_only, self.past, self._trail)
        where = StatusBarState(self._mode, keys.MODES, *known)
        return (bar.bar(self.sight, where, self.now, cells),)

    def watch_sight(self) -> None:
        """Another sight of the store."""
        self.redraw()

    def watch_past(self) -> None:
        """The moment moved away from now, or runs faster."""
        self.redraw()


class Banner(Panel):
    """What must not be missed; no line at all when there is nothing."""

    sight: reactive[BoardSnapshot] = reactive(BoardSnapshot(), repaint=False)
    notice: reactive[str] = reactive("", repaint=False)

    def draw(self, setting: ViewSettings, cells: int, rows: int) -> tuple[Line, ...]:  # noqa: ARG002
        """The warnings, worst first, then the notice."""
        return self._words(setting, cells)

    def _words(self, setting: ViewSettings, cells: int) -> tuple[Line, ...]:
        live = keys.shown("time.live", setting.keys)
        return bar.banner(self.sight, self.notice, setting.zone, cells, live)

    def _resize_to_fit(self) -> None:
        """Take as many rows as there are lines; none hides the panel."""
        if self.setting is not None:
            rows = len(self._words(self.setting, self.app.size.width))
            self.display = bool(rows)
            self.styles.height = max(1, rows)
        self.redraw()

    def on_resize(self) -> None:
        """Fewer cells may need more lines."""
        self._resize_to_fit()

    def watch_sight(self) -> None:
        """Another sight of the store."""
        self._resize_to_fit()

    def watch_notice(self) -> None:
        """A notice came or went."""
        self._resize_to_fit()

    def watch_setting(self) -> None:
        """The clock of the words is known now."""
        super().watch_setting()
        self._resize_to_fit()


class Footer(Panel):
    """The keys that work on this screen."""

    def __init__(self, where: KeyScope) -> None:
        super().__init__(id="footer")
        self._where = where

    def draw(self, setting: ViewSettings, cells: int, rows: int) -> tuple[Line, ...]:  # noqa: ARG002
        """One line."""
        return (bar.footer(keys.footer(self._where, setting.keys), cells),)


class TooSmall(Panel):
    """The only thing on a terminal below the smallest layout."""

    def draw(self, setting: ViewSettings, cells: int, rows: int) -> tuple[Line, ...]:
        """The size there is, and the size that is needed."""
        return bar.too_small(cells, rows, SMALLEST, keys.shown("quit", setting.keys))
