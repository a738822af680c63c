"""The palette: a few letters find any model, view or command."""

from __future__ import annotations

from textual import events, on
from textual.app import ComposeResult
from textual.widgets import Input

from watchdeck.console.input.commands import CommandError, CompletionContext, entries, found, parse
from watchdeck.console.input.keys import KeyScope, bindings
from watchdeck.console.lines.line import Line, Role, Span, foreign_text
from watchdeck.console.lines.panel_header import rule
from watchdeck.console.lines.table import Column, Columns, Table
from watchdeck.console.state.messages import CommandEntered, CommandLineRequested
from watchdeck.console.state.view_state import ViewState
from watchdeck.console.widgets.base_screen import BaseScreen, offered
from watchdeck.console.widgets.list import List

PaletteEntry = tuple[str, str]

_COLUMNS: Columns[PaletteEntry] = (
    Column("line", "", 24, lambda entry, _now: foreign_text(entry[0], Role.STRONG), most=48),
    Column("words", "", 16, lambda entry, _now: Span(entry[1], Role.MUTED), most=60, rank=1),
)

_STEPS = {"down": 1, "up": -1}


class EntryList(List):
    """What was found, the closest first."""

    def show(self, lines: tuple[PaletteEntry, ...]) -> None:
        """Other lines; the cursor goes to the first."""
        keys = tuple(line for line, _ in lines)
        self.table = Table(_COLUMNS, lines, keys, "nothing has these letters in this order")
        self.action_first()
        self.redraw()

    def heading(
        self, more: tuple[Span, ...], body: tuple[Line, ...], cells: int
    ) -> tuple[Line, ...]:
        """How many there are."""
        return (rule("go to", more, None, cells), *body)


class PaletteScreen(BaseScreen, inherit_bindings=False):
    """A line to type on, over what it finds."""

    WHERE = KeyScope.PALETTE
    BINDINGS = bindings(KeyScope.PALETTE)

    def __init__(self, outlook: ViewState, area: str, known: CompletionContext) -> None:
        self._known_then = known
        super().__init__(outlook, area)

    def known(self) -> CompletionContext:
        """What was known where the palette was opened."""
        return self._known_then

    def panels(self) -> ComposeResult:
        """The line over the list."""
        yield Input(id="search", placeholder="a few letters", compact=True)
        yield EntryList(id="entries").data_bind(BaseScreen.setting)

    def on_mount(self) -> None:
        """Everything, until something is typed."""
        self.query_one(Input).focus()
        self._find("")

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        self._find(event.value)

    def _find(self, typed: str) -> None:
        lines = tuple(entries(self._known_then, offered(self.app)))
        self.query_one(EntryList).show(found(typed, lines))

    def on_key(self, event: events.Key) -> None:
        """Up and down choose while one types."""
        if event.key in _STEPS:
            event.stop()
            self.query_one(EntryList).action_move(_STEPS[event.key])

    @on(Input.Submitted)
    def action_choose(self) -> None:
        """Go to what the cursor is on, or do it; one that is only begun is typed to its end."""
        line = self.query_one(EntryList).cursor
        if line is None:
            return
        if line.endswith(" "):
            below = self.app.screen_stack[-2]
            self.dismiss()
            below.post_message(CommandLineRequested(line))
            return
        try:
            given = parse(line, self._known_then, offered(self.app))
        except CommandError:
            return  # what it is about has gone in the meantime
        self.app.post_message(CommandEntered(given))
        self.dismiss()

    def action_back(self) -> None:
        """Back to where one was."""
        self.dismiss()
