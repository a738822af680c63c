"""What the commands of `:` and of the palette do: each is what a key does, by its name."""

from __future__ import annotations

from textual import on

from watchdeck.console.controllers.copy import CopyController
from watchdeck.console.controllers.type_ahead import TypeAhead
from watchdeck.console.input.keys import KeyScope
from watchdeck.console.models.list_base import ModelListScreen
from watchdeck.console.models.list_panel import ModelList
from watchdeck.console.state.messages import CommandEntered, CommandLineRequested, ModelOpened
from watchdeck.console.widgets.base_screen import BaseScreen
from watchdeck.domain.board.filter import FilterError


class CommandController(TypeAhead, CopyController, inherit_bindings=False):
    """An application that can be told what to do; a method `command_NAME` for each command."""

    def action_mode(self, name: str) -> None:
        """Show a mode."""
        raise NotImplementedError

    def action_theme(self, name: str) -> None:
        """Other colours."""
        raise NotImplementedError

    def action_layout(self, name: str) -> None:
        """Another layout."""
        raise NotImplementedError

    def action_help(self) -> None:
        """The keys that work here."""
        raise NotImplementedError

    def action_redraw(self) -> None:
        """Draw every cell again."""
        raise NotImplementedError

    def action_command(self) -> None:
        """Type a command at the bottom of the screen in view."""
        self.screen.post_message(CommandLineRequested())

    def action_palette(self) -> None:
        """Find anything by a few of its letters."""
        screen = self.screen
        if isinstance(screen, BaseScreen) and screen.WHERE is not KeyScope.PALETTE:
            from watchdeck.console.dialogs.command_palette import PaletteScreen

            self.push_screen(PaletteScreen(self._outlook, self.current_mode, screen.known()))

    @on(CommandEntered)
    def _do(self, message: CommandEntered) -> None:
        given = message.given
        getattr(self, f"command_{given.command.action}")(given.text)

    def command_model(self, name: str) -> None:
        """Open a model."""
        self.post_message(ModelOpened(name))

    def command_mode_deck(self, _text: str) -> None:
        """To the deck."""
        self.action_mode("deck")

    def command_mode_models(self, _text: str) -> None:
        """To the table of models."""
        self.action_mode("models")

    def command_mode_alerts(self, _text: str) -> None:
        """To the alerts."""
        self.action_mode("alerts")

    def command_theme(self, name: str) -> None:
        """Other colours."""
        self.action_theme(name)

    def command_layout(self, name: str) -> None:
        """Other panels."""
        self.action_layout(name)

    def command_help(self, _text: str) -> None:
        """The keys."""
        self.action_help()

    def command_redraw(self, _text: str) -> None:
        """Draw anew."""
        self.action_redraw()

    def command_quit(self, _text: str) -> None:
        """Leave."""
        self.exit()

    def command_filter(self, text: str) -> None:
        """Show some models only."""
        fleet = self._fleet()
        if fleet is None:
            return
        try:
            fleet.keep(text)
        except FilterError as error:
            self.say(f"{error} (at character {error.position + 1})")

    def command_sort(self, column: str) -> None:
        """Sort the models."""
        fleet = self._fleet()
        if fleet is not None:
            fleet.query_one(ModelList).sort(column)

    def _fleet(self) -> ModelListScreen | None:
        if isinstance(self.screen, ModelListScreen):
            return self.screen
        self.say("this works on a list of models: 1 or 2 goes to one")
        return None
