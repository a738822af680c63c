"""A list that can be filtered, and whose rows can be marked."""

from __future__ import annotations

from typing import ClassVar

from msgspec.structs import replace

from watchdeck.console.input.keys import KeyScope, bindings
from watchdeck.console.lines.line import Role, Span, cut
from watchdeck.console.state.view_state import ViewState
from watchdeck.console.widgets.list import List
from watchdeck.console.widgets.prompt import Hint, Prompt
from watchdeck.domain.board.filter import EVERYTHING, Filter, FilterError, parse

FILTER = "/"
"""The sign of the prompt for a filter."""


class FilterableList(List):
    """Rows that match a filter, and marks that stay on them wherever they go."""

    BINDINGS = bindings(KeyScope.CHOICE)
    FILTER_HELP: ClassVar[str]

    def __init__(self, title: str) -> None:
        super().__init__(id=title)
        self._title = title
        self.wanted: Filter = EVERYTHING
        self.typed = ""

    def slices(self, state: ViewState) -> tuple[object, ...]:
        """Without a board nobody can tell whether there are rows."""
        return (bool(state.stale),)

    @property
    def total(self) -> int:
        """How many rows there would be without a filter."""
        return len(self.table.keys)

    def read_filter(self, typed: str) -> Filter:
        """Read a filter of these rows. Raises FilterError."""
        return parse(typed)

    @property
    def match_count(self) -> int:
        """How many rows match the filter."""
        return len(self.table.keys)

    @property
    def marks(self) -> int:
        """How many are marked."""
        return len(self.table.marked)

    def filter(self, typed: str) -> None:
        """Show the rows that match a text from now on. Raises FilterError."""
        self.show_matches(self.read_filter(typed), typed)

    def show_matches(self, wanted: Filter, typed: str) -> None:
        """Show the rows that match; `typed` is the filter as it was typed."""
        self.wanted, self.typed = wanted, typed
        self.rebuild()

    def filter_words(self, count: int, cells: int) -> tuple[Span, ...]:
        """How many rows are shown by which filter, and how many are marked."""
        spans = []
        if self.typed:
            words = f"  {count} of {self.total} by /{self.typed}"
            spans.append(Span(cut(words, max(24, cells // 2)), Role.WARNING))
        if self.table.marked:
            spans.append(Span(f"  {self.marks} marked", Role.ACCENT))
        return tuple(spans)

    def action_filter(self) -> None:
        """Ask for a filter."""
        self.post_message(Prompt.Requested(FILTER, FilterPrompt(self), self.typed))

    def action_mark(self) -> None:
        """Mark the row under the cursor, or take its mark away, and go on."""
        if self.cursor is not None:
            self.mark(self.table.marked ^ {self.cursor})
            self.action_move(1)

    def action_mark_all(self) -> None:
        """Mark every row that is shown; when all are, none."""
        keys = frozenset(self.table.keys)
        self.mark(self.table.marked - keys if keys <= self.table.marked else keys)

    def mark(self, marked: frozenset[str]) -> None:
        """Have marks on these rows and no others."""
        self.table = replace(self.table, marked=marked)
        self.redraw()


class FilterPrompt:
    """The prompt of a list's filter: the list follows every letter."""

    def __init__(self, rows: FilterableList) -> None:
        self._rows = rows

    def hint(self, text: str) -> Hint:
        """Show what matches so far; says how much that is, or what is wrong."""
        typed = text.strip()
        try:
            wanted = self._rows.read_filter(typed)
        except FilterError as error:
            return Hint(str(error), error.position)
        self._rows.show_matches(wanted, typed)
        count = f"{self._rows.match_count} of {self._rows.total}"
        return Hint(count if typed else self._rows.FILTER_HELP)

    def complete(self, _text: str) -> str:
        """Nothing is completed."""
        return ""

    def submit(self, text: str) -> Hint | None:
        """Keep the filter."""
        try:
            self._rows.filter(text.strip())
        except FilterError as error:
            return Hint(str(error), error.position)
        return None

    def cancel(self) -> None:
        """Show all rows again."""
        self._rows.show_matches(EVERYTHING, "")
