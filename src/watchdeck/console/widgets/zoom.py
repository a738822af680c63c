"""Choosing a panel by a letter, and showing one panel on the whole screen."""

from __future__ import annotations

from textual import events
from textual.screen import Screen

from watchdeck.console.widgets.chrome import Banner, Footer, TooSmall, TopBar
from watchdeck.console.widgets.panel import Panel
from watchdeck.console.widgets.prompt import Prompt

_FRAME = (TopBar, Banner, Footer, TooSmall, Prompt)
_LETTERS = "asdfghjkl"


class PanelZoom:
    """Lets the operator choose a panel by a letter, and show one panel on the whole screen."""

    def __init__(self, screen: Screen[None]) -> None:
        self._screen = screen
        self._letters: dict[str, Panel] | None = None

    def _panels(self) -> list[Panel]:
        """The visible panels of the screen, without the frame."""
        return [
            panel
            for panel in self._screen.query(Panel)
            if panel.size.height
            and not any(isinstance(up, _FRAME) for up in panel.ancestors_with_self)
        ]

    def show_letters(self) -> None:
        """Show a letter on each panel; the next key shows the panel of its letter alone."""
        self._letters = dict(zip(_LETTERS, self._panels(), strict=False))
        for letter, panel in self._letters.items():
            panel.letter = letter

    @property
    def is_on(self) -> bool:
        """Whether one panel has the whole screen."""
        return self._screen.has_class("-zoomed")

    def toggle(self) -> None:
        """Show the focused panel on the whole screen, or all panels again.

        When no panel has the focus, show letters to choose one by.
        """
        focused = self._screen.focused
        if self.is_on:
            self._reset()
        elif isinstance(focused, Panel):
            self._zoom(focused)
        else:
            self.show_letters()

    def _reset(self) -> None:
        self._screen.remove_class("-zoomed")
        for node in self._screen.query("*"):
            node.remove_class("-aside", "-zoom")

    def _zoom(self, panel: Panel) -> None:
        self._reset()
        self._screen.add_class("-zoomed")
        panel.add_class("-zoom")
        for other in self._panels():
            if other is not panel:
                other.add_class("-aside")

    def on_key(self, event: events.Key) -> None:
        """While letters are shown, hide them, and show the panel of the key's letter alone."""
        if self._letters is None:
            return
        event.stop()
        event.prevent_default()
        chosen = self._letters.get(event.key)
        for panel in self._letters.values():
            panel.letter = ""
        self._letters = None
        if chosen is not None:
            chosen.focus()
            self._zoom(chosen)
