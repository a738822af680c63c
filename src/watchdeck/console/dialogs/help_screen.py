"""The help screen: the keys of the screen from which it was opened."""

from __future__ import annotations

from textual.app import ComposeResult

from watchdeck.console.dialogs.help_lines import key_table
from watchdeck.console.input import keys
from watchdeck.console.input.keys import Key, KeyScope, bindings
from watchdeck.console.lines.line import Span
from watchdeck.console.lines.table import Table
from watchdeck.console.state.view_state import ViewState
from watchdeck.console.widgets.base_screen import BaseScreen
from watchdeck.console.widgets.list import List, ListHeader, ListRows


class HelpRows(ListRows[Key]):
    """The keys that work on the screen `where`, one row for each binding."""

    name = "help"

    def __init__(self, where: KeyScope) -> None:
        super().__init__()
        self._where = where

    def ages(self, _state: ViewState) -> tuple[object, ...]:
        """Nothing: keys show no ages, so the list is not redrawn when time passes."""
        return ()

    def build(self, state: ViewState, _cells: int) -> Table[Key]:
        """One row for each binding, with its keys as configured."""
        return key_table(keys.active_keys(self._where, state.settings.keys))

    def header(self, _state: ViewState, shown: Span, _cells: int) -> ListHeader:
        """The header, with the name of the screen that the keys work on."""
        return ListHeader(f"keys: {self._where}", (shown,))


class HelpScreen(BaseScreen, inherit_bindings=False):
    """The help for the screen `about`, made from the table of keys."""

    WHERE = KeyScope.HELP
    BINDINGS = bindings(KeyScope.HELP)

    def __init__(self, state: ViewState, area: str, about: KeyScope) -> None:
        self._about = about
        super().__init__(state, area)

    def panels(self) -> ComposeResult:
        """The list of keys."""
        yield List(HelpRows(self._about)).data_bind(BaseScreen.view_state)
