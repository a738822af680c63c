"""A list of models, worst first: the fleet strip of the deck and the table of models."""

from __future__ import annotations

from msgspec.structs import replace
from textual.reactive import reactive

from watchdeck.console.input.keys import KeyScope, bindings
from watchdeck.console.lines.health import counts
from watchdeck.console.lines.line import Line, Span
from watchdeck.console.lines.panel_header import DataAge, headed
from watchdeck.console.lines.table import Columns, Table
from watchdeck.console.models.sorting import SortOrder, arranged, next_order
from watchdeck.console.widgets.filterable_list import FilterableList
from watchdeck.domain.board.board import Model

EMPTY = "no model is watched yet: `watchdeck init URL` writes a configuration"


class ModelList(FilterableList):
    """The models under some columns; `counted` tells first how many have which health."""

    BINDINGS = bindings(KeyScope.FLEET)

    models: reactive[tuple[Model, ...]] = reactive[tuple[Model, ...]]((), repaint=False)
    written: reactive[int | None] = reactive[int | None](None, repaint=False)

    def __init__(self, title: str, columns: Columns[Model], *, counted: bool = False) -> None:
        super().__init__(title)
        self._columns = columns
        self._counted = counted
        self.order = SortOrder()

    @property
    def columns(self) -> Columns[Model]:
        """The columns, whether there is room for all or not."""
        return self._columns

    @property
    def total(self) -> int:
        """All models."""
        return len(self.models)

    def lead(self) -> tuple[Line, ...]:
        """How many have which health."""
        return (counts(self.models),) if self._counted else ()

    def heading(
        self, more: tuple[Span, ...], body: tuple[Line, ...], cells: int
    ) -> tuple[Line, ...]:
        """The rule tells what is left out, and the age of the newest data."""
        fresh = DataAge(self.written, self.now, self.stale)
        said = self.told(len(self.table.rows), cells)
        return headed(self._title, (*more, *said), fresh, body, cells)

    def watch_models(self) -> None:
        """A model changed."""
        self.rebuild()

    def rebuild(self) -> None:
        """Sort and filter the models anew."""
        rows = arranged(self.models, self._columns, self.wanted, self.order)
        keys = tuple(model.facts.name for model in rows)
        known = frozenset(model.facts.name for model in self.models)
        self.table = Table(
            self._columns,
            rows,
            keys,
            self._empty(),
            self.table.marked & known if self.models else self.table.marked,
            self.order.column,
            self.order.rising,
        )
        self.redraw()

    def _empty(self) -> str:
        if self.stale:
            return ""
        return f"no model matches /{self.typed}" if self.typed and self.models else EMPTY

    def sort(self, column: str) -> None:
        """Sort by a column; high values first, texts from A on."""
        self.order = SortOrder(column, rising=column in ("name", "kind"))
        self.rebuild()

    def action_sort(self, by: int) -> None:
        """Sort by the next or previous column."""
        self.order = next_order(self.order, self._columns, by)
        self.rebuild()

    def action_turn(self) -> None:
        """Sort the other way round."""
        if self.order.column:
            self.order = replace(self.order, rising=not self.order.rising)
            self.rebuild()

    def watch_written(self) -> None:
        """Newer data came."""
        self.redraw()
