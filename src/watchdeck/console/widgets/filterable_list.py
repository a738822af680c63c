"""A list that can be filtered, and whose rows can be marked."""

from __future__ import annotations

from msgspec.structs import replace

from watchdeck.console.input.keys import KeyScope, bindings
from watchdeck.console.lines.line import Role, Span, cut
from watchdeck.console.state.messages import FilterRequested
from watchdeck.console.widgets.list import List
from watchdeck.domain.board.filter import EVERYTHING, Filter


class FilterableList(List):
    """Rows that are wanted, and marks that stay on them wherever they go."""

    BINDINGS = bindings(KeyScope.CHOICE)

    def __init__(self, title: str) -> None:
        super().__init__(id=title)
        self._title = title
        self.wanted: Filter = EVERYTHING
        self.typed = ""

    def rebuild(self) -> None:
        """Make the table anew: something changed, or others are wanted."""
        raise NotImplementedError

    @property
    def total(self) -> int:
        """How many rows there would be without a filter."""
        raise NotImplementedError

    @property
    def marks(self) -> int:
        """How many are marked."""
        return len(self.table.marked)

    def want(self, wanted: Filter, typed: str) -> None:
        """Show only what matches, and say what was typed for it."""
        self.wanted, self.typed = wanted, typed
        self.rebuild()

    def told(self, shown: int, cells: int) -> tuple[Span, ...]:
        """How many are shown by which filter, and how many are marked."""
        said = []
        if self.typed:
            words = f"  {shown} of {self.total} by /{self.typed}"
            said.append(Span(cut(words, max(24, cells // 2)), Role.WARNING))
        if self.table.marked:
            said.append(Span(f"  {self.marks} marked", Role.ACCENT))
        return tuple(said)

    def action_filter(self) -> None:
        """Have a filter typed."""
        self.post_message(FilterRequested())

    def action_mark(self) -> None:
        """Mark the row under the cursor, or take its mark away, and go on."""
        if self.cursor is not None:
            self.mark(self.table.marked ^ {self.cursor})
            self.action_move(1)

    def action_mark_all(self) -> None:
        """Mark every row that is shown; when all are, none."""
        shown = frozenset(self.table.keys)
        self.mark(self.table.marked - shown if shown <= self.table.marked else shown)

    def mark(self, marked: frozenset[str]) -> None:
        """Have marks on these rows and no others."""
        self.table = replace(self.table, marked=marked)
        self.redraw()

    def watch_stale(self) -> None:
        """Without a board nobody can tell whether there are rows."""
        self.rebuild()
