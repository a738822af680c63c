"""Navigation between modes, screens opened over them, help, and panels by letter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from textual.app import App
from textual.screen import Screen

from watchdeck.console.controllers.port import ConsolePort
from watchdeck.console.input.commands import Command
from watchdeck.console.input.keys import KeyScope, key_label
from watchdeck.console.overview.screen import DeckScreen


class Navigation:
    """Opens and closes the screens of an application."""

    def __init__(self, app: App[None], port: ConsolePort, ready: Callable[[], object]) -> None:
        self._app = app
        self._port = port
        self._ready = ready
        app.add_mode("deck", lambda: DeckScreen(port.view_state, "deck"))
        app.add_mode("models", self._models_screen)
        app.add_mode("alerts", self._alerts_screen)

    def _models_screen(self) -> Screen[None]:
        """The screen of the models mode; its module is imported only when it is first shown."""
        from watchdeck.console.models.list_screen import ModelsScreen

        return ModelsScreen(self._port.view_state, "models")

    def _alerts_screen(self) -> Screen[None]:
        from watchdeck.console.alerts.list_screen import AlertsScreen

        return AlertsScreen(self._port.view_state, "alerts")

    def keys(self) -> Mapping[str, Callable[[], object]]:
        """The function to call for each key binding, by the id of the binding."""
        return {
            "mode.deck": partial(self.show_mode, "deck"),
            "mode.models": partial(self.show_mode, "models"),
            "mode.alerts": partial(self.show_mode, "alerts"),
            "help.open": self.show_help,
            "panel.jump": self.show_letters,
            "panel.zoom": self.zoom_panel,
            "quit.hint": self.say_how_to_quit,
        }

    def commands(self) -> tuple[Command, ...]:
        """The commands that open a model or show a mode."""
        return (
            Command("model", "Open a model", self.open_model, "NAME", lambda known: known.models),
            Command("deck", "Everything, worst first", lambda _: self.show_mode("deck")),
            Command("models", "The table of models", lambda _: self.show_mode("models")),
            Command("alerts", "The alerts, most urgent first", lambda _: self.show_mode("alerts")),
        )

    def show_mode(self, name: str) -> None:
        """Show a mode (`deck`, `models` or `alerts`) as it was left.

        If it is in view already, close the screens that were opened over its first one.
        """
        screen = self._port.current_screen
        if screen is not None and screen.WHERE is KeyScope.HELP:
            self._app.pop_screen()
        if name != self._app.current_mode:
            self._app.switch_mode(name)
            return
        while len(self._app.screen_stack) > 1:
            self._app.pop_screen()

    def open_model(self, name: str) -> None:
        """Open the screen of the model called `name` over the screen in view."""
        from watchdeck.console.models.detail_screen import DetailScreen

        self._app.push_screen(DetailScreen(self._port.view_state, self._app.current_mode, name))

    def open_alert(self, episode: int) -> None:
        """Open the screen of the alert with this episode id over the screen in view."""
        from watchdeck.console.alerts.detail_screen import AlertScreen

        self._app.push_screen(AlertScreen(self._port.view_state, self._app.current_mode, episode))

    def show_help(self) -> None:
        """Open the help for the screen in view: the keys that work there."""
        screen = self._port.current_screen
        if screen is not None and screen.WHERE is not KeyScope.HELP:
            from watchdeck.console.dialogs.help_screen import HelpScreen

            state, mode = self._port.view_state, self._app.current_mode
            self._app.push_screen(HelpScreen(state, mode, screen.WHERE))

    def show_letters(self) -> None:
        """Show a letter on each panel: the next key chooses the panel with its letter.

        `ready` is called when the letters are shown, to handle keys that were typed meanwhile.
        """
        screen = self._port.current_screen
        if screen is not None:
            screen.zoom.show_letters()
            self._app.call_later(self._ready)

    def zoom_panel(self) -> None:
        """Show the focused panel on the whole screen, or all panels again."""
        screen = self._port.current_screen
        if screen is not None:
            screen.zoom.toggle()

    def say_how_to_quit(self) -> None:
        """Show a notice that names the key for quitting; Ctrl+C, a common way to quit, shows it."""
        leave = key_label("quit", self._port.view_state.settings.keys)
        self._port.say(f"{leave} leaves the console; the collector goes on")
