"""The list of models, on the overview and as the models table."""

from __future__ import annotations

from msgspec.structs import replace

from watchdeck.console.input.keys import KeyScope, bindings
from watchdeck.console.lines.health import health_counts
from watchdeck.console.lines.line import Line, Span
from watchdeck.console.lines.panel_header import DataAge, panel_lines
from watchdeck.console.lines.table import Columns, Table
from watchdeck.console.models.columns import SortOrder, filter_and_sort, next_order
from watchdeck.console.state.messages import ModelOpened
from watchdeck.console.state.view_state import ViewState
from watchdeck.console.widgets.filterable_list import FilterableList
from watchdeck.domain.board.board import Model
from watchdeck.domain.board.filter import Filter, FilterError, parse

EMPTY = "no model is watched yet: `watchdeck init URL` writes a configuration"


class ModelList(FilterableList):
    """A filterable, sortable list of models; `has_counts` adds a line that counts each health."""

    BINDINGS = bindings(KeyScope.FLEET)

    FILTER_HELP = (
        "name  owner=risk  health!=ok  p95>200ms  /pattern/  !not  one | other  @saved   Esc: all"
    )

    def __init__(self, title: str, columns: Columns[Model], *, has_counts: bool = False) -> None:
        super().__init__(title)
        self._columns = columns
        self._has_counts = has_counts
        self.order = SortOrder()

    @property
    def columns(self) -> Columns[Model]:
        """All columns, even those without room on the screen."""
        return self._columns

    def slices(self, state: ViewState) -> tuple[object, ...]:
        """The list is rebuilt when the models change."""
        return (*super().slices(state), state.models)

    def ages(self, state: ViewState) -> tuple[object, ...]:
        """The header shows the age of the metrics."""
        return (*super().ages(state), state.metrics_at)

    @property
    def models(self) -> tuple[Model, ...]:
        """All models."""
        return self.view_state.models if self.view_state else ()

    @property
    def total(self) -> int:
        """The number of all models, filtered or not."""
        return len(self.models)

    @property
    def subject(self) -> str:
        """The model under the cursor."""
        return self.cursor or ""

    def open_row(self) -> None:
        """Open the model under the cursor."""
        if self.cursor is not None:
            self.post_message(ModelOpened(self.cursor))

    def read_filter(self, typed: str) -> Filter:
        """Read a filter, or the saved one that `@name` names. Raises FilterError."""
        if not typed.startswith("@"):
            return parse(typed)
        saved = self.view_state.settings.view.filters if self.view_state else {}
        if typed[1:] not in saved:
            names = ", ".join(f"@{name}" for name in saved) or "none yet: [console] filters"
            raise FilterError(1, f"there is no filter of this name. Saved are {names}")
        return parse(saved[typed[1:]])

    def lead(self, state: ViewState) -> tuple[Line, ...]:
        """The line with the count of each health, if any."""
        return (health_counts(state.models),) if self._has_counts else ()

    def heading(
        self, state: ViewState, more: tuple[Span, ...], body: tuple[Line, ...], cells: int
    ) -> tuple[Line, ...]:
        """A header with the filter and the age of the newest data, over the rows."""
        fresh = DataAge(state.metrics_at, state.now, state.stale)
        words = self.filter_words(len(self.table.rows), cells)
        return panel_lines(self._title, (*more, *words), fresh, body, cells)

    def rebuild(self) -> None:
        """Filter and sort the models again, and redraw."""
        rows = filter_and_sort(self.models, self._columns, self.wanted, self.order)
        keys = tuple(model.facts.name for model in rows)
        known = frozenset(model.facts.name for model in self.models)
        self.table = Table(
            self._columns,
            rows,
            keys,
            self._empty_words(),
            self.table.marked & known if self.models else self.table.marked,
            self.order.column,
            self.order.rising,
        )
        self.redraw()

    def _empty_words(self) -> str:
        if self.view_state and self.view_state.stale:
            return ""
        return f"no model matches /{self.typed}" if self.typed and self.models else EMPTY

    def sort(self, column: str) -> None:
        """Sort by a column: high values first, texts from A to Z."""
        self.order = SortOrder(column, rising=column in ("name", "kind"))
        self.rebuild()

    def action_sort(self, by: int) -> None:
        """Sort by the next column (`by` 1) or the previous one (-1)."""
        self.order = next_order(self.order, self._columns, by)
        self.rebuild()

    def action_turn(self) -> None:
        """Reverse the order."""
        if self.order.column:
            self.order = replace(self.order, rising=not self.order.rising)
            self.rebuild()
