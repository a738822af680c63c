"""The palette: a few letters find any model, view or command."""

from __future__ import annotations

from collections.abc import Callable

from textual import events, on
from textual.app import ComposeResult
from textual.widgets import Input

from watchdeck.console.input.commands import found
from watchdeck.console.input.keys import KeyScope, bindings
from watchdeck.console.lines.line import Role, Span, untrusted_text
from watchdeck.console.lines.table import Column, Columns, Table
from watchdeck.console.state.view_state import ViewState
from watchdeck.console.widgets.base_screen import BaseScreen
from watchdeck.console.widgets.list import List, ListHeader, ListRows

PaletteEntry = tuple[str, str]

_COLUMNS: Columns[PaletteEntry] = (
    Column("line", "", 24, lambda entry, _now: untrusted_text(entry[0], Role.STRONG), most=48),
    Column("words", "", 16, lambda entry, _now: Span(entry[1], Role.MUTED), most=60, rank=1),
)

_STEPS = {"down": 1, "up": -1}


class EntryRows(ListRows[PaletteEntry]):
    """The palette entries that match the typed letters, the closest match first."""

    name = "entries"

    def __init__(self) -> None:
        super().__init__()
        self.entries: tuple[PaletteEntry, ...] = ()

    def ages(self, _state: ViewState) -> tuple[object, ...]:
        """Nothing: entries show no ages, so the list is not redrawn when time passes."""
        return ()

    def build(self, _state: ViewState, _cells: int) -> Table[PaletteEntry]:
        """The table of entries; without any, a text that says why."""
        keys = tuple(line for line, _ in self.entries)
        return Table(_COLUMNS, self.entries, keys, "nothing has these letters in this order")

    def header(self, _state: ViewState, shown: Span, _cells: int) -> ListHeader:
        """The header, with the number of entries."""
        return ListHeader("go to", (shown,))


class PaletteScreen(BaseScreen, inherit_bindings=False):
    """The palette: an input line over the list of entries that match it.

    `choose` is called with the line of the chosen entry after the palette has closed.
    """

    WHERE = KeyScope.PALETTE
    BINDINGS = bindings(KeyScope.PALETTE)

    def __init__(
        self,
        state: ViewState,
        area: str,
        entries: tuple[PaletteEntry, ...],
        choose: Callable[[str], None],
    ) -> None:
        self._entries = entries
        self._rows = EntryRows()
        self._choose = choose
        super().__init__(state, area)

    def panels(self) -> ComposeResult:
        """The input line over the list of entries."""
        yield Input(id="search", placeholder="a few letters", compact=True)
        yield List(self._rows).data_bind(BaseScreen.view_state)

    def on_mount(self) -> None:
        """Focus the input, and list every entry until something is typed."""
        self.query(Input).focus()
        self._find("")

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        self._find(event.value)

    def _find(self, typed: str) -> None:
        self._rows.entries = found(typed, self._entries)
        entries = self.query_one(List)
        entries.rebuild()
        entries.action_first()

    def on_key(self, event: events.Key) -> None:
        """Move the list's cursor on the up and down keys, while the input keeps the focus."""
        if event.key in _STEPS:
            event.stop()
            self.query_one(List).action_move(_STEPS[event.key])

    @on(Input.Submitted)
    def action_choose(self) -> None:
        """Close the palette, and call `choose`; do nothing when no entry is under the cursor."""
        entry = self.query_one(List).cursor
        if entry is not None and self.leave():
            self.app.call_later(self._choose, entry)
