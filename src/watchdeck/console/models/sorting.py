"""Which models a list shows, and in which order."""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter

from msgspec import Struct

from watchdeck.console.lines.health import worst_first
from watchdeck.console.lines.table import Column, Columns
from watchdeck.domain.board.board import Model
from watchdeck.domain.board.filter import EVERYTHING, Filter, matches
from watchdeck.domain.board.filter_fields import FilteredModel


class SortOrder(Struct, frozen=True):
    """The column that rows are sorted by, high values first unless `rising`; none: worst first."""

    column: str = ""
    rising: bool = False


def arranged(
    models: Iterable[Model], columns: Columns[Model], wanted: Filter, order: SortOrder
) -> tuple[Model, ...]:
    """The models that are wanted, in their order; what has no value stands last either way."""
    rows = worst_first(
        models
        if wanted == EVERYTHING
        else (model for model in models if matches(wanted, FilteredModel(model)))
    )
    by = next((column.by for column in columns if column.name == order.column), None)
    if by is None:
        return rows
    values = [(by(model), model) for model in rows]
    known = [(value, model) for value, model in values if value is not None]
    known.sort(key=itemgetter(0), reverse=not order.rising)
    return (
        *(model for _, model in known),
        *(model for value, model in values if value is None),
    )


def next_order(order: SortOrder, columns: Columns[Model], by: int) -> SortOrder:
    """Sorted by the next column that can be sorted by; after the last one worst first again."""
    names = ["", *(column.name for column in columns if column.by is not None)]
    here = names.index(order.column) if order.column in names else 0
    return SortOrder(names[(here + by) % len(names)])


def sortable(columns: Iterable[Column[Model]]) -> tuple[str, ...]:
    """The names of the columns that can be sorted by."""
    return tuple(column.name for column in columns if column.by is not None)
