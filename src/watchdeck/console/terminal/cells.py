"""A screen of cells: what it should show, or what the terminal shows."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct, field
from rich.segment import Segment

from watchdeck.console.terminal.cell_style import EMPTY, CellStyle, StyleCache
from watchdeck.console.terminal.glyph import glyphs, within


class CellRow(Struct):
    """The cells of one row: a glyph and a look for each."""

    glyphs: list[str]
    looks: list[CellStyle]

    @classmethod
    def empty(cls, width: int) -> CellRow:
        """A row as a cleared terminal shows it."""
        return cls([" "] * width, [EMPTY] * width)

    def copy(self) -> CellRow:
        """The same cells, in lists of their own."""
        return CellRow(self.glyphs[:], self.looks[:])

    def put(self, x: int, cells: CellRow) -> None:
        """Lay cells over this row from `x` on; what reaches over the end is dropped.

        Of a wide glyph that loses one half to them, the other half becomes a space.
        """
        cells.cut(max(0, len(self.glyphs) - x))
        stop = x + len(cells.glyphs)
        if stop > x:
            self._halve(x, x - 1)
            self._halve(stop, stop)
            self.glyphs[x:stop] = cells.glyphs
            self.looks[x:stop] = cells.looks

    def _halve(self, second: int, left: int) -> None:
        """When a wide glyph has its second half here, blank the half that is left of it."""
        if second < len(self.glyphs) and not self.glyphs[second]:
            self.glyphs[left] = " "
            self.looks[left] = self.looks[left].blank()

    def cut(self, width: int) -> None:
        """Drop what is beyond so many cells; a wide glyph on the edge becomes a space."""
        self._halve(width, width - 1)
        del self.glyphs[width:], self.looks[width:]


class ScreenBuffer(Struct):
    """A screen of so many cells and rows."""

    width: int = 0
    rows: list[CellRow] = field(default_factory=list)

    @classmethod
    def empty(cls, width: int, height: int) -> ScreenBuffer:
        """A cleared screen."""
        return cls(width, [CellRow.empty(width) for _ in range(height)])

    @property
    def size(self) -> tuple[int, int]:
        """Cells across and rows down."""
        return self.width, len(self.rows)


class CellBuilder(Struct, frozen=True):
    """Turns segments into cells, for a terminal with these looks and this charset."""

    looks: StyleCache
    charset: str = "utf-8"

    def cells(self, segments: Iterable[Segment], width: int) -> CellRow:
        """At most `width` cells; whatever the segments hold, one glyph for each."""
        made = CellRow([], [])
        for text, style, control in segments:
            if not control:
                self._add(made, text, *self.looks.of(style))
        made.cut(width)
        return made

    def _add(self, made: CellRow, text: str, look: CellStyle, blank: CellStyle) -> None:
        found = glyphs(text)
        if self.charset != "utf-8":
            found = within(found, self.charset)
        made.glyphs.extend(found)
        if " " in text:
            made.looks.extend([blank if glyph == " " else look for glyph in found])
        else:
            made.looks.extend([look] * len(found))
