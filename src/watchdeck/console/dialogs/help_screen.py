"""The keys that worked on the screen from which help was asked."""

from __future__ import annotations

from textual.app import ComposeResult

from watchdeck.console.dialogs.help_lines import key_table
from watchdeck.console.input import keys
from watchdeck.console.input.keys import KeyScope, bindings
from watchdeck.console.lines.line import Line, Span
from watchdeck.console.lines.panel_header import header_line
from watchdeck.console.state.view_state import ViewState
from watchdeck.console.widgets.base_screen import BaseScreen
from watchdeck.console.widgets.list import List


class HelpList(List):
    """One row a key."""

    def __init__(self, where: KeyScope) -> None:
        super().__init__(id="help")
        self._where = where

    def ages(self, state: ViewState) -> tuple[object, ...]:  # noqa: ARG002 - no data is shown
        """Keys have no age."""
        return ()

    def rebuild(self) -> None:
        """List the keys as they are set now."""
        if self.view_state is not None:
            self.table = key_table(keys.active_keys(self._where, self.view_state.settings.keys))
        self.redraw()

    def heading(
        self,
        state: ViewState,  # noqa: ARG002 - the keys are always fresh
        more: tuple[Span, ...],
        body: tuple[Line, ...],
        cells: int,
    ) -> tuple[Line, ...]:
        """The screen that the keys work on."""
        return (header_line(f"keys: {self._where}", more, None, cells), *body)


class HelpScreen(BaseScreen, inherit_bindings=False):
    """Help, made from the table of keys."""

    WHERE = KeyScope.HELP
    BINDINGS = bindings(KeyScope.HELP)

    def __init__(self, state: ViewState, area: str, about: KeyScope) -> None:
        self._about = about
        super().__init__(state, area)

    def panels(self) -> ComposeResult:
        """The list of keys."""
        yield HelpList(self._about).data_bind(BaseScreen.view_state)
