"""Lists: the rows as a plain object, and the widget that shows them with a cursor."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Generic, TypeVar

from msgspec import Struct
from textual import events, on
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive

from watchdeck.console.input.keys import KeyScope, bindings
from watchdeck.console.lines import list_position as place
from watchdeck.console.lines.line import Line, Role, Span
from watchdeck.console.lines.list_position import ListPosition
from watchdeck.console.lines.panel_header import DataAge, panel_lines
from watchdeck.console.lines.table import Row, Table, row_range, table_lines
from watchdeck.console.state.messages import RowReached
from watchdeck.console.state.view_state import ViewState
from watchdeck.console.widgets.panel import Panel

_WHEEL_ROWS = 3


class ListHeader(Struct, frozen=True):
    """The parts of a list's header line: title, further texts, and age of the data.

    `age` is None for rows that are not data of the store.
    """

    title: str
    more: tuple[Span, ...] = ()
    age: DataAge | None = None


class ListRows(ABC, Generic[Row]):
    """The rows of a list: their table, the lines above them, and the message that opens a row.

    `name` is the id of the list's widget; `table` is the table that was built last.
    """

    name: str

    def __init__(self) -> None:
        self.table: Table[Row] = Table(())

    def slices(self, _state: ViewState) -> tuple[object, ...]:
        """The parts of the view state that the table is built from; none by default."""
        return ()

    def ages(self, state: ViewState) -> tuple[object, ...]:
        """The parts of the view state that only the drawing uses: a change redraws the list."""
        return (state.now, state.stale)

    @abstractmethod
    def build(self, state: ViewState, cells: int) -> Table[Row]:
        """The table of the rows, for a list that is `cells` wide."""

    @abstractmethod
    def header(self, state: ViewState, shown: Span, cells: int) -> ListHeader:
        """The parts of the header; `shown` is the number of rows, or the range in view."""

    def lead(self, _state: ViewState, _row: Row | None, _size: Size) -> tuple[Line, ...]:
        """Lines between the header and the column heads; none by default."""
        return ()

    def subject(self, _row: Row | None) -> str:
        """The name of the model that the row is about; empty when there is none."""
        return ""

    def open_message(self, _row: Row) -> Message | None:
        """The message that opens what the row is about; None when there is nothing to open."""
        return None


Rows = TypeVar("Rows", bound=ListRows[Any])


class List(Panel, Generic[Rows], can_focus=True, inherit_bindings=False):
    """Shows rows with a cursor; cursor and scroll position stay with their row when rows move."""

    BINDINGS = bindings(KeyScope.LIST)

    place: reactive[ListPosition] = reactive(ListPosition(), repaint=False)

    def __init__(self, rows: Rows) -> None:
        super().__init__(id=rows.name)
        self.rows = rows

    def slices(self, state: ViewState) -> tuple[object, ...]:
        """The parts of the view state that the rows are built from: a change rebuilds the list."""
        return self.rows.slices(state)

    def ages(self, state: ViewState) -> tuple[object, ...]:
        """The parts of the view state that only the drawing uses: a change redraws the list."""
        return self.rows.ages(state)

    def rebuild(self) -> None:
        """Build the table again, and redraw."""
        if self.view_state is not None:
            self.rows.table = self.rows.build(self.view_state, self.size.width)
        self.redraw()

    def draw(self, state: ViewState, cells: int, rows: int) -> tuple[Line, ...]:
        """The header, the lines between header and columns, the column heads, the rows in view."""
        table = self.rows.table
        self.set_reactive(List.place, place.follow_row(self.place, table.keys, self.rows_in_view))
        lead = self.rows.lead(state, self.row, self.size)
        room = rows - 1 - len(lead)
        shown = Span(row_range(table, self.place, room), Role.MUTED)
        header = self.rows.header(state, shown, cells)
        body = (*lead, *table_lines(table, self.place, state.now, cells, room))
        return panel_lines(header.title, header.more, header.age, body, cells)

    @property
    def above(self) -> int:
        """The number of lines above the first row, column heads included."""
        state = self.view_state
        return 2 + (len(self.rows.lead(state, self.row, self.size)) if state else 0)

    @property
    def rows_in_view(self) -> int:
        """The number of rows that fit below the column heads."""
        return max(1, self.size.height - self.above)

    @property
    def cursor(self) -> str | None:
        """The key of the row under the cursor; None when there is no row."""
        keys = self.rows.table.keys
        return keys[place.follow_row(self.place, keys, 1).index] if keys else None

    @property
    def row(self) -> Any:
        """The row under the cursor; None when there is no row."""
        table = self.rows.table
        return table.rows[place.follow_row(self.place, table.keys, 1).index] if table.keys else None

    @property
    def words(self) -> str:
        """The row under the cursor in full, a tab between its cells; empty without a row."""
        row, state = self.row, self.view_state
        if row is None or state is None:
            return ""
        columns = self.rows.table.columns
        return "\t".join(column.cell(row, state.now).text.strip() for column in columns)

    @property
    def subject(self) -> str:
        """The name of the model that the row under the cursor is about; empty without one."""
        return self.rows.subject(self.row)

    def open_row(self) -> None:
        """Open the row under the cursor, if it can be opened."""
        message = None if self.row is None else self.rows.open_message(self.row)
        if message is not None:
            self.post_message(message)

    def watch_place(self) -> None:
        """Redraw, and post RowReached: Textual calls this when cursor or scrolling moved."""
        self.redraw()
        if self.cursor is not None:
            self.post_message(RowReached(self.cursor))

    def action_move(self, by: int) -> None:
        """Move the cursor down `by` rows, up if negative."""
        self.place = place.move(self.place, self.rows.table.keys, self.rows_in_view, by)

    def action_page(self, by: int) -> None:
        """Move the cursor down `by` pages, up if negative."""
        self.action_move(by * self.rows_in_view)

    def action_first(self) -> None:
        """Go to the first row; when rows move, the cursor stays at the top."""
        self.place = place.first_position()

    def action_last(self) -> None:
        """Go to the last row."""
        self.action_move(len(self.rows.table.keys))

    def go(self, key: str) -> None:
        """Put the cursor on the row with this key; do nothing when there is no such row."""
        keys = self.rows.table.keys
        if key in keys:
            self.place = place.move_to(self.place, keys, self.rows_in_view, keys.index(key))

    def on_click(self, event: events.Click) -> None:
        """Put the cursor on the row that was clicked."""
        keys = self.rows.table.keys
        index = event.y - self.above + self.place.top
        if event.y >= self.above and index < len(keys):
            self.go(keys[index])

    @on(events.MouseScrollDown)
    @on(events.MouseScrollUp)
    def _move_by_wheel(self, event: events.MouseEvent) -> None:
        event.stop()
        is_down = isinstance(event, events.MouseScrollDown)
        self.action_move(_WHEEL_ROWS if is_down else -_WHEEL_ROWS)
