"""The keys that worked on the screen from which help was asked."""

from __future__ import annotations

from textual.app import ComposeResult

from watchdeck.console.dialogs.help_lines import table
from watchdeck.console.input import keys
from watchdeck.console.input.keys import KeyScope, bindings
from watchdeck.console.lines.line import Line, Span
from watchdeck.console.lines.panel_header import rule
from watchdeck.console.state.view_state import ViewState
from watchdeck.console.widgets.base_screen import BaseScreen
from watchdeck.console.widgets.list import List


class HelpList(List):
    """One row a key."""

    def __init__(self, where: KeyScope) -> None:
        super().__init__(id="help")
        self._where = where

    def watch_setting(self) -> None:
        """The keys as they are set now."""
        super().watch_setting()
        if self.setting is not None:
            self.table = table(keys.active_keys(self._where, self.setting.keys))

    def heading(
        self, more: tuple[Span, ...], body: tuple[Line, ...], cells: int
    ) -> tuple[Line, ...]:
        """The keys are always fresh."""
        return (rule(f"keys: {self._where}", more, None, cells), *body)


class HelpScreen(BaseScreen, inherit_bindings=False):
    """Help, made from the table of keys."""

    WHERE = KeyScope.HELP
    BINDINGS = bindings(KeyScope.HELP)

    def __init__(self, outlook: ViewState, area: str, about: KeyScope) -> None:
        self._about = about
        super().__init__(outlook, area)

    def panels(self) -> ComposeResult:
        """The list of keys."""
        yield HelpList(self._about).data_bind(BaseScreen.setting)

    def action_back(self) -> None:
        """Back to the screen that was asked about."""
        self.dismiss()
