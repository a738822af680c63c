"""The frame of every screen: the top line, the warnings under it, the keys at the bottom."""

from __future__ import annotations

from watchdeck.console.input import keys
from watchdeck.console.input.keys import KeyScope
from watchdeck.console.lines.line import Line
from watchdeck.console.state.view_state import ViewState
from watchdeck.console.widgets import chrome_lines as bar
from watchdeck.console.widgets.chrome_lines import StatusBarState
from watchdeck.console.widgets.panel import Panel

SMALLEST = (60, 16)
"""Columns and rows of the smallest terminal on which panels are shown."""


class TopBar(Panel):
    """The top line: program name, modes, store, age of the data, collector, clock."""

    def __init__(self, mode: str, trail: str = "") -> None:
        super().__init__(id="top")
        self._mode = mode
        self._trail = trail

    def slices(self, state: ViewState) -> tuple[object, ...]:
        """The snapshot, and how long ago its moment is: a change of one rebuilds the line."""
        return (state.snapshot, state.past)

    def draw(self, state: ViewState, cells: int, rows: int) -> tuple[Line, ...]:  # noqa: ARG002
        """The top line."""
        settings = state.settings
        known = (settings.store, settings.zone, settings.read_only, state.past, self._trail)
        where = StatusBarState(self._mode, keys.MODES, *known)
        return (bar.top_line(state.snapshot, where, state.now, cells),)


class Banner(Panel):
    """The warnings and the notice under the top line; hidden when there are none."""

    def slices(self, state: ViewState) -> tuple[object, ...]:
        """The snapshot and the notice: the banner is rebuilt when one changes."""
        return (state.snapshot, state.notice)

    def draw(self, state: ViewState, cells: int, rows: int) -> tuple[Line, ...]:  # noqa: ARG002
        """The warnings, worst first, then the notice."""
        live = keys.key_label("time.live", state.settings.keys)
        return bar.banner_lines(state.snapshot, state.notice, state.settings.zone, cells, live)

    def rebuild(self) -> None:
        """Make the banner as high as its lines need; hide it when there are none."""
        if self.view_state is not None:
            rows = len(self.draw(self.view_state, self.app.size.width, 0))
            self.display = bool(rows)
            self.styles.height = max(1, rows)
        self.redraw()

    def on_resize(self) -> None:
        """Set the height again: on a narrower terminal the text may need more lines."""
        self.rebuild()


class Footer(Panel):
    """The last line of a screen: the keys that work on it."""

    def __init__(self, where: KeyScope) -> None:
        super().__init__(id="footer")
        self._where = where

    def ages(self, state: ViewState) -> tuple[object, ...]:  # noqa: ARG002 - no data is shown
        """Nothing: the footer shows no ages, so it is not redrawn when time passes."""
        return ()

    def draw(self, state: ViewState, cells: int, rows: int) -> tuple[Line, ...]:  # noqa: ARG002
        """One line with as many keys as fit."""
        return (bar.footer_line(keys.footer(self._where, state.settings.keys), cells),)


class TooSmall(Panel):
    """The message that replaces all panels on a terminal smaller than SMALLEST."""

    def ages(self, state: ViewState) -> tuple[object, ...]:  # noqa: ARG002 - no data is shown
        """Nothing: the message shows no ages, so it is not redrawn when time passes."""
        return ()

    def draw(self, state: ViewState, cells: int, rows: int) -> tuple[Line, ...]:
        """Lines with the size that is needed, the size of the terminal, and the key to quit."""
        leave = keys.key_label("quit", state.settings.keys)
        return bar.too_small_lines(cells, rows, SMALLEST, leave)
