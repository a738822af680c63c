"""Themes and layouts, changed while the console runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec.structs import replace

from watchdeck.console.controllers.port import ConsolePort
from watchdeck.console.input.commands import Command
from watchdeck.console.state.view_state import ViewSettings
from watchdeck.console.theme import layouts
from watchdeck.console.theme.styles import StyleSheet
from watchdeck.console.theme.themes import Palette, load_theme, theme_files
from watchdeck.errors import ConfigError


class ThemeController:
    """Changes theme and layout of the running console.

    `apply` is called with the palette of a new theme, to set Textual's own colours.
    """

    def __init__(self, port: ConsolePort, apply: Callable[[Palette], None]) -> None:
        self._port = port
        self._apply = apply

    def keys(self) -> Mapping[str, Callable[[], object]]:
        """The function to call for each key binding, by the id of the binding."""
        return {"theme.next": self.next_theme}

    def commands(self) -> tuple[Command, ...]:
        """The commands that set the theme and the layout."""
        return (
            Command("theme", "Other colours", self.set_theme, "NAME", lambda known: known.themes),
            Command(
                "layout", "Other panels", self.set_layout, "NAME", lambda _: layouts.LAYOUT_NAMES
            ),
        )

    @property
    def _settings(self) -> ViewSettings:
        return self._port.view_state.settings

    def _show(self, settings: ViewSettings) -> None:
        self._port.show(replace(self._port.view_state, settings=settings))

    def set_theme(self, name: str) -> None:
        """Use a theme; if it cannot be loaded, keep the old one and show the reason."""
        try:
            palette = load_theme(name, self._settings.environ)
        except ConfigError as error:
            self._port.say(str(error))
            return
        self._apply(palette)
        styles = StyleSheet(palette, ascii=self._settings.styles.ascii)
        self._show(replace(self._settings, styles=styles))

    def next_theme(self) -> None:
        """Use the next theme in the order of names; after the last one, the first."""
        names = sorted(theme_files(self._settings.environ))
        current = self._settings.styles.palette.name
        name = next((name for name in names if name > current), names[0])
        self.set_theme(name)
        self._port.say(f"theme {name}")

    def set_layout(self, name: str) -> None:
        """Use the layout called `name`; an unknown name is reported as a notice."""
        if problem := layouts.layout_problem(name):
            self._port.say(problem)
            return
        self._show(replace(self._settings, view=replace(self._settings.view, layout=name)))
