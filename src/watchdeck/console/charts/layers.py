"""Grids laid on one another: several lines share the cells of one chart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from msgspec import Struct

from watchdeck.console.charts.dot_grid import DotGrid
from watchdeck.console.lines.line import Role, Span


class Layer(Struct, frozen=True):
    """One grid, and what its dots mean."""

    grid: DotGrid
    role: Role


Marks = Mapping[tuple[int, int], Span]
"""Characters by row and cell, row 0 at the top: they show where no layer has a dot."""


def stacked(
    layers: Sequence[Layer], marks: Marks, rows: int, cells: int
) -> tuple[tuple[Span, ...], ...]:
    """Layers of one size as spans, one tuple a row; the first layer is in front.

    A cell shows the dots of all, in the role of the foremost that has any there.
    """
    return tuple(
        merged([_cell(layers, marks, row, cell) for cell in range(cells)]) for row in range(rows)
    )


def _cell(layers: Sequence[Layer], marks: Marks, row: int, cell: int) -> Span:
    codes = [layer.grid.code(row, cell) for layer in layers]
    front = next((layer for layer, code in zip(layers, codes, strict=True) if code), None)
    if front is None:
        return marks.get((row, cell), Span(" "))
    joined = 0
    for code in codes:
        joined |= code
    return Span(front.grid.character(joined), front.role)


def merged(cells: Iterable[Span]) -> tuple[Span, ...]:
    """Neighbours of one role as one span."""
    return tuple(
        Span("".join(cell.text for cell in run), role)
        for role, run in groupby(cells, key=lambda cell: cell.role)
    )
