"""A list of models, worst first: the fleet strip of the deck and the table of models."""

from __future__ import annotations

from textual.reactive import reactive

from watchdeck.console.draw.health import counts, worst_first
from watchdeck.console.draw.rule import Freshness, headed
from watchdeck.console.draw.table import Columns, Table
from watchdeck.console.draw.text import Line, Span
from watchdeck.console.panels.list import List
from watchdeck.domain.board import Model

EMPTY = "no model is watched yet: `watchdeck init URL` writes a configuration"


class ModelList(List):
    """The models under some columns; `counted` tells first how many have which health."""

    models: reactive[tuple[Model, ...]] = reactive[tuple[Model, ...]]((), repaint=False)
    written: reactive[int | None] = reactive[int | None](None, repaint=False)

    def __init__(self, title: str, columns: Columns[Model], *, counted: bool = False) -> None:
        super().__init__(id=title)
        self._title = title
        self._columns = columns
        self._counted = counted

    def lead(self) -> tuple[Line, ...]:
        """How many have which health."""
        return (counts(self.models),) if self._counted else ()

    def heading(
        self, more: tuple[Span, ...], body: tuple[Line, ...], cells: int
    ) -> tuple[Line, ...]:
        """The rule tells the age of the newest data."""
        fresh = Freshness(self.written, self.now, self.stale)
        return headed(self._title, more, fresh, body, cells)

    def watch_models(self) -> None:
        """A model changed."""
        rows = worst_first(self.models)
        keys = tuple(model.facts.name for model in rows)
        self.table = Table(self._columns, rows, keys, "" if self.stale else EMPTY)
        self.redraw()

    def watch_stale(self) -> None:
        """Without a board nobody can tell whether there are models."""
        self.watch_models()

    def watch_written(self) -> None:
        """Newer data came."""
        self.redraw()
