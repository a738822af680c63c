"""Going to a panel by a letter, and having it take the whole screen."""

from __future__ import annotations

from textual import events
from textual.screen import Screen

from watchdeck.console.widgets.chrome import Banner, Footer, TooSmall, TopBar
from watchdeck.console.widgets.panel import Panel
from watchdeck.console.widgets.prompt import Prompt

_FRAME = (TopBar, Banner, Footer, TooSmall, Prompt)
_LETTERS = "asdfghjkl"


class ZoomableScreen(Screen[None], inherit_bindings=False):
    """A screen whose panels can be reached by letters and zoomed."""

    _letters: dict[str, Panel] | None = None

    def zoomable(self) -> list[Panel]:
        """The panels in view, but the frame around them."""
        return [
            panel
            for panel in self.query(Panel)
            if panel.size.height
            and not any(isinstance(up, _FRAME) for up in panel.ancestors_with_self)
        ]

    def jump(self) -> None:
        """Show a letter on each panel: the next key goes to one."""
        self._letters = dict(zip(_LETTERS, self.zoomable(), strict=False))
        for letter, panel in self._letters.items():
            panel.letter = letter

    @property
    def zoomed(self) -> bool:
        """Whether one panel has the whole screen."""
        return self.has_class("-zoomed")

    def zoom(self) -> None:
        """Give the panel with the focus the whole screen; or all panels their places again."""
        if self.zoomed:
            self.unzoom()
            return
        focused = self.focused
        if isinstance(focused, Panel):
            self._zoom(focused)
        else:
            self.jump()

    def unzoom(self) -> None:
        """All panels in their places."""
        self.remove_class("-zoomed")
        for node in self.query("*"):
            node.remove_class("-aside", "-zoom")

    def _zoom(self, panel: Panel) -> None:
        self.unzoom()
        self.add_class("-zoomed")
        panel.add_class("-zoom")
        for other in self.zoomable():
            if other is not panel:
                other.add_class("-aside")

    def on_key(self, event: events.Key) -> None:
        """While letters are shown, a key chooses; any other key takes them away."""
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
