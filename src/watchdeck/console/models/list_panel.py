"""The list of models, on the overview and as the models table."""

from __future__ import annotations

from msgspec.structs import replace
from textual.geometry import Size

from watchdeck.console.input.keys import KeyScope, bindings
from watchdeck.console.lines.health import health_counts
from watchdeck.console.lines.line import Line, Role, Span
from watchdeck.console.lines.table import Columns, Table
from watchdeck.console.models.columns import (
    SortOrder,
    filter_and_sort,
    has_limited_value,
    next_order,
)
from watchdeck.console.state.messages import ModelOpened
from watchdeck.console.state.view_state import ViewState
from watchdeck.console.widgets.filterable_list import FilterableList, FilterableRows
from watchdeck.domain.board.board import Model
from watchdeck.domain.board.filter import MODELS

_MARKS = " * over a longer time, of the whole server or of a machine: Enter tells which"


class ModelRows(FilterableRows[Model]):
    """The rows of a list of models, filtered and sorted.

    `has_counts` adds a line with the number of models of each health.
    """

    NOUN = "model"
    VOCABULARY = MODELS
    FILTER_HELP = (
        "name  owner=risk  health!=ok  p95>200ms  /pattern/  !not  one | other  @saved   Esc: all"
    )
    EMPTY = "no model is watched yet: `watchdeck init URL` writes a configuration"

    def __init__(self, title: str, columns: Columns[Model], *, has_counts: bool = False) -> None:
        super().__init__(title)
        self.columns = columns
        """All columns, even those without room on the screen."""
        self.order = SortOrder()
        self._has_counts = has_counts
        self._has_limits = False

    def slices(self, state: ViewState) -> tuple[object, ...]:
        """Whether the board is stale, and its models: a change rebuilds the list."""
        return (*super().slices(state), state.models)

    def build(self, state: ViewState, _cells: int) -> Table[Model]:
        """The table of matching models, sorted; a mark stays while its model is configured."""
        self.total = len(state.models)
        rows = filter_and_sort(state.models, self.columns, self.wanted, self.order)
        known = frozenset(model.facts.name for model in state.models)
        self._has_limits = not self._has_counts and any(map(has_limited_value, rows))
        return Table(
            self.columns,
            rows,
            tuple(model.facts.name for model in rows),
            self.empty_text(state),
            self.table.marked & known if known else self.table.marked,
            self.order.column,
            self.order.rising,
        )

    def lead(self, state: ViewState, _row: Model | None, _size: Size) -> tuple[Line, ...]:
        """One line with the number of models of each health; without `has_counts`, on marks.

        That line is there only while a value has a mark.
        """
        if self._has_limits:
            return (Line((Span(_MARKS, Role.MUTED),)),)
        return (health_counts(state.models),) if self._has_counts else ()

    def unfiltered_text(self, state: ViewState) -> str:
        """How many models are watched: `8 are watched`."""
        count = len(state.models)
        return f"{count} {'is' if count == 1 else 'are'} watched"

    def subject(self, row: Model | None) -> str:
        """The name of the row's model; empty without a row."""
        return row.facts.name if row else ""

    def open_message(self, row: Model) -> ModelOpened:
        """The message that opens the screen of the row's model."""
        return ModelOpened(row.facts.name)


class ModelList(FilterableList[ModelRows]):
    """A list of models with keys to sort it."""

    BINDINGS = bindings(KeyScope.FLEET)

    def sort(self, column: str) -> None:
        """Sort by a column: high values first, texts from A to Z."""
        self.rows.order = SortOrder(column, rising=column in ("name", "kind"))
        self.rebuild()

    def action_sort(self, by: int) -> None:
        """Sort by the next column (`by` 1) or the previous one (-1)."""
        self.rows.order = next_order(self.rows.order, self.rows.columns, by)
        self.rebuild()

    def action_turn(self) -> None:
        """Reverse the order; do nothing while the worst health comes first."""
        order = self.rows.order
        if order.column:
            self.rows.order = replace(order, rising=not order.rising)
            self.rebuild()
