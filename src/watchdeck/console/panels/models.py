"""A list of models, worst first: the fleet strip of the deck and the table of models."""

from __future__ import annotations

from dataclasses import replace

from textual.reactive import reactive

from watchdeck.console.draw.health import counts
from watchdeck.console.draw.order import Order, arranged, next_order
from watchdeck.console.draw.rule import Freshness, headed
from watchdeck.console.draw.table import Columns, Table
from watchdeck.console.draw.text import Line, Role, Span, cut
from watchdeck.console.keys import Where, bindings
from watchdeck.console.messages import FilterAsked
from watchdeck.console.panels.list import List
from watchdeck.domain.board import Model
from watchdeck.domain.filter import EVERYTHING, Filter

EMPTY = "no model is watched yet: `watchdeck init URL` writes a configuration"


class ModelList(List):
    """The models under some columns; `counted` tells first how many have which health."""

    BINDINGS = bindings(Where.FLEET)

    models: reactive[tuple[Model, ...]] = reactive[tuple[Model, ...]]((), repaint=False)
    written: reactive[int | None] = reactive[int | None](None, repaint=False)

    def __init__(self, title: str, columns: Columns[Model], *, counted: bool = False) -> None:
        super().__init__(id=title)
        self._title = title
        self._columns = columns
        self._counted = counted
        self._wanted: Filter = EVERYTHING
        self._typed = ""
        self.order = Order()

    @property
    def columns(self) -> Columns[Model]:
        """The columns, whether there is room for all or not."""
        return self._columns

    def lead(self) -> tuple[Line, ...]:
        """How many have which health."""
        return (counts(self.models),) if self._counted else ()

    def heading(
        self, more: tuple[Span, ...], body: tuple[Line, ...], cells: int
    ) -> tuple[Line, ...]:
        """The rule tells what is left out, and the age of the newest data."""
        fresh = Freshness(self.written, self.now, self.stale)
        return headed(self._title, (*more, *self._said(cells)), fresh, body, cells)

    def _said(self, cells: int) -> tuple[Span, ...]:
        said = []
        if self._typed:
            shown, all_of_them = len(self.table.rows), len(self.models)
            words = f"  {shown} of {all_of_them} by /{self._typed}"
            said.append(Span(cut(words, max(24, cells // 2)), Role.WARNING))
        if self.table.marked:
            said.append(Span(f"  {len(self.table.marked)} marked", Role.ACCENT))
        return tuple(said)

    def watch_models(self) -> None:
        """A model changed, or others are wanted."""
        rows = arranged(self.models, self._columns, self._wanted, self.order)
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
        return f"no model matches /{self._typed}" if self._typed and self.models else EMPTY

    def want(self, wanted: Filter, typed: str) -> None:
        """Show only the models that match, and say what was typed for it."""
        self._wanted, self._typed = wanted, typed
        self.watch_models()

    def action_filter(self) -> None:
        """Have a filter typed."""
        self.post_message(FilterAsked())

    def sort(self, column: str) -> None:
        """Sort by a column; high values first, texts from A on."""
        self.order = Order(column, rising=column in ("name", "kind"))
        self.watch_models()

    def action_sort(self, by: int) -> None:
        """Sort by the next or previous column."""
        self.order = next_order(self.order, self._columns, by)
        self.watch_models()

    def action_turn(self) -> None:
        """Sort the other way round."""
        if self.order.column:
            self.order = replace(self.order, rising=not self.order.rising)
            self.watch_models()

    def action_mark(self) -> None:
        """Mark the row under the cursor, or take its mark away, and go on."""
        if self.cursor is not None:
            self._mark(self.table.marked ^ {self.cursor})
            self.action_move(1)

    def action_mark_all(self) -> None:
        """Mark every row that is shown; when all are, none."""
        shown = frozenset(self.table.keys)
        self._mark(self.table.marked - shown if shown <= self.table.marked else shown)

    def _mark(self, marked: frozenset[str]) -> None:
        self.table = replace(self.table, marked=marked)
        self.redraw()

    def watch_stale(self) -> None:
        """Without a board nobody can tell whether there are models."""
        self.watch_models()

    def watch_written(self) -> None:
        """Newer data came."""
        self.redraw()
