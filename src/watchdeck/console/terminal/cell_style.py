"""How a cell looks, in the terminal's own words."""

from __future__ import annotations

from typing import NamedTuple

from rich.style import Style

from watchdeck.console.terminal.colour import Depth, codes

BOLD, DIM, ITALIC, UNDERLINE, BLINK, BLINK2, REVERSE, CONCEAL, STRIKE, UNDERLINE2 = (
    1 << bit for bit in range(10)
)
FRAME, ENCIRCLE, OVERLINE = (1 << bit for bit in range(10, 13))

INK = BOLD | DIM | ITALIC | CONCEAL
"""Attributes that nobody sees on a cell without ink."""

_NAMES = (
    "bold", "dim", "italic", "underline", "blink", "blink2", "reverse", "conceal", "strike",
    "underline2", "frame", "encircle", "overline",
)  # fmt: skip

_KEPT = 4_096
"""Styles remembered; a theme has some dozens, text that can be selected has one for each place."""


class CellStyle(NamedTuple):
    """Text colour, ground and attributes of a cell; a cell without ink has no text colour (None).

    Colours are SGR parameters; empty is the terminal's own colour.
    """

    fore: str | None = ""
    back: str = ""
    attributes: int = 0

    def blank(self) -> CellStyle:
        """How a space looks: two that differ only in what no ink shows are one."""
        if self.attributes & ~INK:
            return self
        return CellStyle(None, self.back)


PLAIN = CellStyle()
EMPTY = PLAIN.blank()
"""A cell as the terminal itself makes it."""


class StyleCache:
    """Finds the looks of styles for a terminal of this depth."""

    def __init__(self, depth: Depth) -> None:
        self.depth = depth
        self._known: dict[Style | None, tuple[CellStyle, CellStyle]] = {None: (PLAIN, EMPTY)}

    def of(self, style: Style | None) -> tuple[CellStyle, CellStyle]:
        """The look of ink in this style, and of a space in it; a link keeps its look alone."""
        found = self._known.get(style)
        if found is None:
            if len(self._known) >= _KEPT:
                self._known = {None: (PLAIN, EMPTY)}
            found = self._known[style] = self._made(style) if style else (PLAIN, EMPTY)
        return found

    def _made(self, style: Style) -> tuple[CellStyle, CellStyle]:
        fore, back = codes(style.color, style.bgcolor, self.depth)
        set_bits = (1 << bit for bit, name in enumerate(_NAMES) if getattr(style, name))
        look = CellStyle(fore, back, sum(set_bits))
        return look, look.blank()
