"""A list with a filter, and with rows that can be marked."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from msgspec.structs import replace

from watchdeck.console.input.keys import KeyScope, bindings
from watchdeck.console.lines.line import Role, Span, cut
from watchdeck.console.lines.panel_header import DataAge
from watchdeck.console.lines.table import Row
from watchdeck.console.state.view_state import ViewState
from watchdeck.console.widgets.list import List, ListHeader, ListRows
from watchdeck.console.widgets.prompt import Hint, Prompt
from watchdeck.domain.board.filter import (
    EVERYTHING,
    Filter,
    FilterError,
    Vocabulary,
    parse_named,
)

FILTER = "/"
"""The sign of the prompt for a filter."""


class FilterableRows(ListRows[Row]):
    """Rows that can be filtered and marked; a mark follows its row when rows move."""

    NOUN: ClassVar[str]
    VOCABULARY: ClassVar[Vocabulary]
    FILTER_HELP: ClassVar[str]
    EMPTY: ClassVar[str]

    def __init__(self, title: str) -> None:
        super().__init__()
        self.name = title
        self.wanted: Filter = EVERYTHING
        self.typed = ""
        self.total = 0
        """The number of rows without a filter, counted when the table is built."""

    def slices(self, state: ViewState) -> tuple[object, ...]:
        """Whether the board is stale: a change rebuilds the list."""
        return (bool(state.stale),)

    def ages(self, state: ViewState) -> tuple[object, ...]:
        """Moment, staleness and time of the metrics: a change of one redraws the list."""
        return (*super().ages(state), state.metrics_at)

    @abstractmethod
    def unfiltered_text(self, state: ViewState) -> str:
        """How many rows there are without the filter, in words: `4 are open`."""

    def filter(self, typed: str, saved: Mapping[str, str]) -> None:
        """Set the filter, for which `@name` calls a `saved` one. Raises FilterError.

        It takes effect when the rows are built next. One that cannot be read filters nothing.
        """
        self.wanted, self.typed = EVERYTHING, ""
        self.wanted, self.typed = parse_named(typed, saved, self.VOCABULARY), typed

    @property
    def match_count(self) -> int:
        """The number of rows that match the filter."""
        return len(self.table.rows)

    @property
    def mark_count(self) -> int:
        """The number of marked rows."""
        return len(self.table.marked)

    def header(self, state: ViewState, shown: Span, cells: int) -> ListHeader:
        """The header: the rows in view, the filter, the number of marks, the age of the metrics."""
        spans = [shown]
        if self.typed:
            words = f"  {self.match_count} of {self.total} by /{self.typed}"
            spans.append(Span(cut(words, max(24, cells // 2)), Role.WARNING))
        if self.table.marked:
            spans.append(Span(f"  {self.mark_count} marked", Role.ACCENT))
        age = DataAge(state.metrics_at, state.now, state.stale)
        return ListHeader(self.name, tuple(spans), age)

    def empty_text(self, state: ViewState) -> str:
        """The text in place of rows when none is shown; empty while the board is stale."""
        if state.stale:
            return ""
        if not self.typed or not self.total:
            return self.EMPTY
        return f"no {self.NOUN} matches /{self.typed}; {self.unfiltered_text(state)}"


SelectedRows = TypeVar("SelectedRows", bound=FilterableRows[Any])


class FilterableList(List[SelectedRows]):
    """A list that shows the rows that match a filter, and whose rows can be marked."""

    BINDINGS = bindings(KeyScope.CHOICE)

    def filter(self, typed: str) -> None:
        """Set the filter, and show only the rows that match it.

        `@name` is a saved filter. Raises FilterError, after which all rows are shown.
        """
        saved = self.view_state.settings.view.filters if self.view_state else {}
        try:
            self.rows.filter(typed, saved)
        finally:
            self.rebuild()

    def mark(self, keys: frozenset[str]) -> None:
        """Mark the rows with these keys, and no others."""
        self.rows.table = replace(self.rows.table, marked=keys)
        self.redraw()

    def action_filter(self) -> None:
        """Open the prompt for a filter."""
        self.post_message(Prompt.Requested(FILTER, FilterPrompt(self), self.rows.typed))

    def action_mark(self) -> None:
        """Mark the row under the cursor, or take its mark away, and go to the next row."""
        if self.cursor is not None:
            self.mark(self.rows.table.marked ^ {self.cursor})
            self.action_move(1)

    def action_mark_all(self) -> None:
        """Mark every row that is shown; when all are marked, take their marks away."""
        keys, marked = frozenset(self.rows.table.keys), self.rows.table.marked
        self.mark(marked - keys if keys <= marked else keys)


class FilterPrompt:
    """Serves the prompt of a list's filter: the list is filtered again after every letter."""

    def __init__(self, filterable: FilterableList[Any]) -> None:
        self._list = filterable

    def hint(self, text: str) -> Hint:
        """Filter the list; returns the number of matching rows, or the mistake in the text."""
        problem = self.submit(text)
        if problem is not None:
            return problem
        rows = self._list.rows
        return Hint(f"{rows.match_count} of {rows.total}" if rows.typed else rows.FILTER_HELP)

    def complete(self, _text: str) -> str:
        """An empty text: filters are not completed."""
        return ""

    def submit(self, text: str) -> Hint | None:
        """Filter the list; returns None, or the mistake because of which all rows are shown."""
        try:
            self._list.filter(text.strip())
        except FilterError as error:
            return Hint(str(error), error.position)
        return None

    def cancel(self) -> None:
        """Remove the filter, so that all rows show again."""
        self._list.filter("")
