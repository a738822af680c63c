"""Dot grids: the dots of a chart, in braille, blocks or ASCII, and layers of such grids."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from msgspec import Struct

from watchdeck.console.lines.line import DotStyle, Role, Span

_BRAILLE = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
_BLOCK = ((1, 2), (4, 8))
_ASCII = ((1,), (2,))

_BITS = {DotStyle.BRAILLE: _BRAILLE, DotStyle.BLOCK: _BLOCK, DotStyle.ASCII: _ASCII}
"""The bit of each dot of a cell: rows from the top, columns from the left."""

_CHARACTERS = {
    DotStyle.BRAILLE: tuple(" " if code == 0 else chr(0x2800 + code) for code in range(256)),
    DotStyle.BLOCK: tuple(" ▘▝▀▖▌▞▛▗▚▐▜▄▙▟█"),
    DotStyle.ASCII: tuple(" '.:"),
}


class DotGrid:
    """A grid of `width` by `height` dots, all unset at first; dot row 0 is the bottom."""

    def __init__(self, cells: int, rows: int, dots: DotStyle) -> None:
        self._bits = _BITS[dots]
        self._characters = _CHARACTERS[dots]
        self.width = cells * len(self._bits[0])
        self.height = rows * len(self._bits)
        self._codes = [[0] * cells for _ in range(rows)]

    def set_column(self, x: int, bottom: int, top: int) -> None:
        """Set the dots of one column from `bottom` to `top`, both included."""
        tall, wide = len(self._bits), len(self._bits[0])
        for y in range(max(0, bottom), min(self.height - 1, top) + 1):
            row, part = divmod(self.height - 1 - y, tall)
            self._codes[row][x // wide] |= self._bits[part][x % wide]

    def rows(self) -> tuple[str, ...]:
        """The grid as text, one string a row, top first."""
        return tuple("".join(self._characters[code] for code in row) for row in self._codes)

    def code(self, row: int, cell: int) -> int:
        """The dots of one cell as bits, 0 when none is set; cell row 0 is the top."""
        return self._codes[row][cell]

    def character(self, code: int) -> str:
        """The character that shows the dots of one cell, given as bits from `code`."""
        return self._characters[code]


class Layer(Struct, frozen=True):
    """A grid of dots, and the role that colours them."""

    grid: DotGrid
    role: Role


Marks = Mapping[tuple[int, int], Span]
"""Characters by row (0 at the top) and cell; each shows only where no layer has a dot."""


def stack_layers(
    layers: Sequence[Layer], marks: Marks, rows: int, cells: int
) -> tuple[tuple[Span, ...], ...]:
    """Layers of one size drawn over each other, as spans for each row; the first is in front.

    A cell shows the dots of all layers, in the role of the foremost layer that has a dot there.
    """
    return tuple(
        merge_spans(_cell(layers, marks, row, cell) for cell in range(cells)) for row in range(rows)
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


def merge_spans(cells: Iterable[Span]) -> tuple[Span, ...]:
    """Adjacent spans of one role merged into one."""
    return tuple(
        Span("".join(cell.text for cell in run), role)
        for role, run in groupby(cells, key=lambda cell: cell.role)
    )
