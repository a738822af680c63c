"""What frames every screen: the top line, the warnings under it, the keys at the bottom."""

from __future__ import annotations

from watchdeck.console.input import keys
from watchdeck.console.input.keys import KeyScope
from watchdeck.console.lines.line import Line
from watchdeck.console.state.view_state import ViewState
from watchdeck.console.widgets import chrome_lines as bar
from watchdeck.console.widgets.chrome_lines import StatusBarState
from watchdeck.console.widgets.panel import Panel

SMALLEST = (60, 16)
"""The smallest terminal with a layout: cells across, rows down."""


class TopBar(Panel):
    """Name, modes, store, age of the data, collector, clock."""

    def __init__(self, mode: str, trail: str = "") -> None:
        super().__init__(id="top")
        self._mode = mode
        self._trail = trail

    def slices(self, state: ViewState) -> tuple[object, ...]:
        """The snapshot, and how far away it is."""
        return (state.snapshot, state.past)

    def draw(self, state: ViewState, cells: int, rows: int) -> tuple[Line, ...]:  # noqa: ARG002
        """One line."""
        settings = state.settings
        known = (settings.store, settings.zone, settings.read_only, state.past, self._trail)
        where = StatusBarState(self._mode, keys.MODES, *known)
        return (bar.top_line(state.snapshot, where, state.now, cells),)


class Banner(Panel):
    """What must not be missed; no line at all when there is nothing."""

    def slices(self, state: ViewState) -> tuple[object, ...]:
        """The snapshot and the notice."""
        return (state.snapshot, state.notice)

    def draw(self, state: ViewState, cells: int, rows: int) -> tuple[Line, ...]:  # noqa: ARG002
        """The warnings, worst first, then the notice."""
        live = keys.key_label("time.live", state.settings.keys)
        return bar.banner_lines(state.snapshot, state.notice, state.settings.zone, cells, live)

    def rebuild(self) -> None:
        """Take as many rows as there are lines; none hides the panel."""
        if self.view_state is not None:
            rows = len(self.draw(self.view_state, self.app.size.width, 0))
            self.display = bool(rows)
            self.styles.height = max(1, rows)
        self.redraw()

    def on_resize(self) -> None:
        """Fewer cells may need more lines."""
        self.rebuild()


class Footer(Panel):
    """The keys that work on this screen."""

    def __init__(self, where: KeyScope) -> None:
        super().__init__(id="footer")
        self._where = where

    def ages(self, state: ViewState) -> tuple[object, ...]:  # noqa: ARG002 - no data is shown
        """Keys have no age."""
        return ()

    def draw(self, state: ViewState, cells: int, rows: int) -> tuple[Line, ...]:  # noqa: ARG002
        """One line."""
        return (bar.footer_line(keys.footer(self._where, state.settings.keys), cells),)


class TooSmall(Panel):
    """The only thing on a terminal below the smallest layout."""

    def ages(self, state: ViewState) -> tuple[object, ...]:  # noqa: ARG002 - no data is shown
        """A size has no age."""
        return ()

    def draw(self, state: ViewState, cells: int, rows: int) -> tuple[Line, ...]:
        """The size there is, and the size that is needed."""
        leave = keys.key_label("quit", state.settings.keys)
        return bar.too_small_lines(cells, rows, SMALLEST, leave)
