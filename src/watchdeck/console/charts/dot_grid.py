"""A grid of dots behind the cells of a chart, in braille, in blocks, or in plain ASCII."""

from __future__ import annotations

from watchdeck.console.lines.glyphs import DotStyle

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
    """Dots to be set, `across` by `down`, with row 0 at the bottom as charts count."""

    def __init__(self, cells: int, rows: int, dots: DotStyle) -> None:
        self._bits = _BITS[dots]
        self._characters = _CHARACTERS[dots]
        self.across = cells * len(self._bits[0])
        self.down = rows * len(self._bits)
        self._codes = [[0] * cells for _ in range(rows)]

    def column(self, x: int, bottom: int, top: int) -> None:
        """Set the dots of one column from `bottom` to `top`, both included."""
        tall, wide = len(self._bits), len(self._bits[0])
        for y in range(max(0, bottom), min(self.down - 1, top) + 1):
            row, part = divmod(self.down - 1 - y, tall)
            self._codes[row][x // wide] |= self._bits[part][x % wide]

    def rows(self) -> tuple[str, ...]:
        """The grid as text, one string a row, top first."""
        return tuple("".join(self._characters[code] for code in row) for row in self._codes)

    def code(self, row: int, cell: int) -> int:
        """The dots of one cell, 0 when there are none; row 0 is the top."""
        return self._codes[row][cell]

    def character(self, code: int) -> str:
        """How the dots of a cell look."""
        return self._characters[code]
