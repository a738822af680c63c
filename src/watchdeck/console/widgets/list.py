"""A list with a cursor that stays on its row, whatever the rows do."""

from __future__ import annotations

from typing import Any

from textual import events
from textual.reactive import reactive

from watchdeck.console.input.keys import KeyScope, bindings
from watchdeck.console.lines import list_position as place
from watchdeck.console.lines.line import Line, Role, Span
from watchdeck.console.lines.list_position import ListPosition
from watchdeck.console.lines.panel_header import header_line
from watchdeck.console.lines.table import Table, row_range, table_lines
from watchdeck.console.state.messages import RowReached
from watchdeck.console.state.view_state import ViewState
from watchdeck.console.widgets.panel import Panel


class List(Panel, can_focus=True, inherit_bindings=False):
    """Shows a table; the cursor and the scroll are kept by the name of the row."""

    BINDINGS = bindings(KeyScope.LIST)

    place: reactive[ListPosition] = reactive(ListPosition(), repaint=False)

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own word
        super().__init__(id=id)
        self.table: Table[Any] = Table(())

    def lead(self, state: ViewState) -> tuple[Line, ...]:  # noqa: ARG002 - none is usual
        """Lines between the rule and the heads; as many at any time."""
        return ()

    def heading(
        self,
        state: ViewState,  # noqa: ARG002 - a list with a title shows an age
        more: tuple[Span, ...],
        body: tuple[Line, ...],
        cells: int,
    ) -> tuple[Line, ...]:
        """The whole panel: a header that says which rows are in view, over the body."""
        return (header_line("", more, None, cells), *body)

    @property
    def subject(self) -> str:
        """The model of the row under the cursor; empty when there is none."""
        return ""

    def open_row(self) -> None:
        """Open what the row under the cursor stands for, if it can be opened."""

    def draw(self, state: ViewState, cells: int, rows: int) -> tuple[Line, ...]:
        """The rule, the heads and the rows in view."""
        self.set_reactive(
            List.place, place.follow_row(self.place, self.table.keys, self.rows_in_view)
        )
        lead = self.lead(state)
        room = rows - 1 - len(lead)
        more = (Span(row_range(self.table, self.place, room), Role.MUTED),)
        shown = table_lines(self.table, self.place, state.now, cells, room)
        return self.heading(state, more, (*lead, *shown), cells)

    @property
    def above(self) -> int:
        """How many lines are over the first row: the rule, the lead, the heads."""
        return 2 + (len(self.lead(self.view_state)) if self.view_state else 0)

    @property
    def rows_in_view(self) -> int:
        """How many rows are in view."""
        return max(1, self.size.height - self.above)

    @property
    def cursor(self) -> str | None:
        """The name of the row under the cursor; None when there is no row."""
        keys = self.table.keys
        return keys[place.follow_row(self.place, keys, self.rows_in_view).index] if keys else None

    @property
    def words(self) -> str:
        """The row under the cursor in full, a tab between its cells; empty without a row."""
        if self.cursor is None or self.view_state is None:
            return ""
        row, now = self.table.rows[self.table.keys.index(self.cursor)], self.view_state.now
        return "\t".join(column.cell(row, now).text.strip() for column in self.table.columns)

    def watch_place(self) -> None:
        """The cursor was moved."""
        self.redraw()
        if self.cursor is not None:
            self.post_message(RowReached(self.cursor))

    def action_move(self, by: int) -> None:
        """Move the cursor by rows."""
        self.place = place.move(self.place, self.table.keys, self.rows_in_view, by)

    def action_page(self, by: int) -> None:
        """Move the cursor by pages."""
        self.action_move(by * self.rows_in_view)

    def action_first(self) -> None:
        """To the first row, and stay on the first row whichever it is."""
        self.place = place.first_position()

    def action_last(self) -> None:
        """To the last row."""
        self.action_move(len(self.table.keys))

    def go(self, key: str) -> None:
        """Put the cursor on a row by its name, if there is one."""
        keys = self.table.keys
        if key in keys:
            self.place = place.move_to(self.place, keys, self.rows_in_view, keys.index(key))

    def on_click(self, event: events.Click) -> None:
        """A click chooses the row under it."""
        keys = self.table.keys
        index = event.y - self.above + self.place.top
        if event.y >= self.above and index < len(keys):
            self.go(keys[index])

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """The wheel moves the cursor."""
        event.stop()
        self.action_move(3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """The wheel moves the cursor."""
        event.stop()
        self.action_move(-3)
