"""An application whose screen is sent cell by cell, where the terminal allows it."""

from __future__ import annotations

import os
import sys
from typing import Any

from rich.console import RenderableType
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver
from textual.screen import Screen

from watchdeck.console.terminal.capabilities import means_of, reduced_for_slow_link
from watchdeck.console.terminal.renderer import DiffRenderer
from watchdeck.console.terminal.textual_update import read
from watchdeck.console.terminal.traffic import Traffic
from watchdeck.console.terminal.writer import TerminalWriter


class DiffRenderedApp(App[None]):
    """Sends the cells that changed, over a link that never blocks; without one it is as Textual."""

    canvas: DiffRenderer | None = None
    slow = False
    """Whether the link is spared: fewer colours, no mouse, no animation."""

    _link: TerminalWriter | None = None

    def slow_down(self) -> None:
        """Spare the link from now on."""
        self.slow = True
        self.animation_level = "none"
        if isinstance(self._driver, LinuxDriver):
            self._driver._disable_mouse_support()  # noqa: SLF001 - Textual has no other way
        if self.canvas is not None and self._link is not None:
            self.canvas = DiffRenderer(reduced_for_slow_link(self.canvas.means), self._link)
            self._link.on_free = self.canvas.flush
            self.screen.refresh(layout=True)

    def connect(self, link: TerminalWriter | None) -> None:
        """Draw over this link from now on, on a terminal of which nothing is known.

        Without a link Textual draws, and the application waits when the terminal takes no more.
        """
        self._link = link
        if link is None:
            self.canvas = None
            return
        if self.canvas is None:
            encoding = None if sys.__stderr__ is None else sys.__stderr__.encoding
            means = means_of(os.environ, self.console.color_system, encoding)
            self.canvas = DiffRenderer(reduced_for_slow_link(means) if self.slow else means, link)
        self.canvas.wire = link
        link.on_free = self.canvas.flush
        link.on_lost = self.exit
        self.canvas.forget()

    @property
    def traffic(self) -> Traffic | None:
        """What goes to the terminal; None while Textual itself draws."""
        return None if self._link is None else self._link.traffic()

    def redraw(self) -> None:
        """Draw every cell again, after something else wrote on the terminal."""
        if self.canvas is None:
            self.screen.refresh(layout=True)
        else:
            self.canvas.forget()
            self.canvas.flush()

    def distrust(self, size: tuple[int, int]) -> None:
        """Something moved what the terminal of this size shows.

        At another size a new layout is on its way, and draws all.
        """
        if self.canvas is not None:
            self.canvas.forget()
            if self.canvas.size == size:
                self.canvas.flush()

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        """Textual draws through this; what it would not draw now is left to it."""
        update = read(renderable)
        canvas = self.canvas
        if update is None or canvas is None or self._batch_count or not self._running:
            super()._display(screen, renderable)
            return
        canvas.synchronised = self._sync_available
        canvas.take(update)
        self.post_display_hook()
