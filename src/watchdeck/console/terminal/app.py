"""Base application that sends only changed cells, where the terminal allows it."""

from __future__ import annotations

import os
import sys
from typing import Any

from rich.console import RenderableType
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver
from textual.screen import Screen

from watchdeck.console.terminal.capabilities import capabilities_of, reduce_colours
from watchdeck.console.terminal.renderer import DiffRenderer
from watchdeck.console.terminal.textual_update import read_update
from watchdeck.console.terminal.traffic import Traffic
from watchdeck.console.terminal.writer import TerminalWriter


class DiffRenderedApp(App[None]):
    """Sends only changed cells, through a TerminalWriter; without one Textual draws as usual."""

    renderer: DiffRenderer | None = None
    is_link_slow = False
    """Whether less is sent: fewer colours, no mouse, no animation."""

    _writer: TerminalWriter | None = None

    def reduce_output(self) -> None:
        """Disable the mouse, animation and true colour from now on, for a slow link."""
        self.is_link_slow = True
        self.animation_level = "none"
        if isinstance(self._driver, LinuxDriver):
            self._driver._disable_mouse_support()  # noqa: SLF001 - Textual has no other way
        if self.renderer is not None and self._writer is not None:
            capabilities = reduce_colours(self.renderer.capabilities)
            self.renderer = DiffRenderer(capabilities, self._writer)
            self._writer.on_free = self.renderer.flush
            self.screen.refresh(layout=True)

    def connect(self, writer: TerminalWriter | None) -> None:
        """Draw through this writer from now on; the next frame clears the terminal first.

        With None Textual draws, and the application blocks while the terminal takes no bytes.
        """
        self._writer = writer
        if writer is None:
            self.renderer = None
            return
        if self.renderer is None:
            encoding = None if sys.__stderr__ is None else sys.__stderr__.encoding
            found = capabilities_of(os.environ, self.console.color_system, encoding)
            capabilities = reduce_colours(found) if self.is_link_slow else found
            self.renderer = DiffRenderer(capabilities, writer)
        self.renderer.sink = writer
        writer.on_free = self.renderer.flush
        writer.on_lost = self.exit
        self.renderer.invalidate()

    @property
    def traffic(self) -> Traffic | None:
        """Statistics of the output to the terminal; None while Textual itself draws."""
        return None if self._writer is None else self._writer.traffic()

    def redraw(self) -> None:
        """Draw every cell again, after another program wrote on the terminal."""
        if self.renderer is None:
            self.screen.refresh(layout=True)
        else:
            self.renderer.invalidate()
            self.renderer.flush()

    def invalidate(self, size: tuple[int, int]) -> None:
        """Draw every cell again, because it is unknown what the terminal, now of `size`, shows.

        If that is a new size, nothing is drawn until Textual sends its layout for it.
        """
        if self.renderer is not None:
            self.renderer.invalidate()
            if self.renderer.size == size:
                self.renderer.flush()

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        """Send a screen update through the renderer; Textual draws what the renderer cannot."""
        update = read_update(renderable)
        renderer = self.renderer
        if update is None or renderer is None or self._batch_count or not self._running:
            super()._display(screen, renderable)
            return
        renderer.synchronised = self._sync_available
        renderer.apply(update)
        self.post_display_hook()
