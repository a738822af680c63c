"""The palette: a few letters find any model, view or command."""

from __future__ import annotations

from collections.abc import Callable

from textual import events, on
from textual.app import ComposeResult
from textual.widgets import Input

from watchdeck.console.input.commands import found
from watchdeck.console.input.keys import KeyScope, bindings
from watchdeck.console.lines.line import Line, Role, Span, untrusted_text
from watchdeck.console.lines.panel_header import header_line
from watchdeck.console.lines.table import Column, Columns, Table
from watchdeck.console.state.view_state import ViewState
from watchdeck.console.widgets.base_screen import BaseScreen
from watchdeck.console.widgets.list import List

PaletteEntry = tuple[str, str]

_COLUMNS: Columns[PaletteEntry] = (
    Column("line", "", 24, lambda entry, _now: untrusted_text(entry[0], Role.STRONG), most=48),
    Column("words", "", 16, lambda entry, _now: Span(entry[1], Role.MUTED), most=60, rank=1),
)

_STEPS = {"down": 1, "up": -1}


class EntryList(List):
    """What was found, the closest first."""

    def ages(self, state: ViewState) -> tuple[object, ...]:  # noqa: ARG002 - no data is shown
        """The lines have no age."""
        return ()

    def list_entries(self, lines: tuple[PaletteEntry, ...]) -> None:
        """Other lines; the cursor goes to the first."""
        keys = tuple(line for line, _ in lines)
        self.table = Table(_COLUMNS, lines, keys, "nothing has these letters in this order")
        self.action_first()
        self.redraw()

    def heading(
        self,
        state: ViewState,  # noqa: ARG002 - the lines have no age
        more: tuple[Span, ...],
        body: tuple[Line, ...],
        cells: int,
    ) -> tuple[Line, ...]:
        """How many there are."""
        return (header_line("go to", more, None, cells), *body)


class PaletteScreen(BaseScreen, inherit_bindings=False):
    """A line to type on, over the entries that it finds.

    `choose` is called with the entry that was chosen, when the palette has gone.
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
        self._choose = choose
        super().__init__(state, area)

    def panels(self) -> ComposeResult:
        """The line over the list."""
        yield Input(id="search", placeholder="a few letters", compact=True)
        yield EntryList(id="entries").data_bind(BaseScreen.view_state)

    def on_mount(self) -> None:
        """Focus the input, and list every entry until something is typed."""
        self.query_one(Input).focus()
        self._find("")

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        self._find(event.value)

    def _find(self, typed: str) -> None:
        self.query_one(EntryList).list_entries(found(typed, self._entries))

    def on_key(self, event: events.Key) -> None:
        """Up and down choose while one types."""
        if event.key in _STEPS:
            event.stop()
            self.query_one(EntryList).action_move(_STEPS[event.key])

    @on(Input.Submitted)
    def action_choose(self) -> None:
        """Choose what the cursor is on."""
        entry = self.query_one(EntryList).cursor
        if entry is not None:
            self.dismiss()
            self.app.call_later(self._choose, entry)
