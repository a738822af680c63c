"""The terminal's pen: where it is, how it writes, and the fewest bytes to change either."""

from __future__ import annotations

from functools import lru_cache

from watchdeck.console.terminal import cell_style as bits
from watchdeck.console.terminal.cell_style import INK, PLAIN, CellStyle
from watchdeck.console.terminal.cells import CellRow
from watchdeck.console.terminal.glyph import is_steady

_ON = (
    (bits.BOLD, "1"), (bits.DIM, "2"), (bits.ITALIC, "3"), (bits.UNDERLINE, "4"), (bits.BLINK, "5"),
    (bits.BLINK2, "6"), (bits.REVERSE, "7"), (bits.CONCEAL, "8"), (bits.STRIKE, "9"),
    (bits.UNDERLINE2, "21"), (bits.FRAME, "51"), (bits.ENCIRCLE, "52"), (bits.OVERLINE, "53"),
)  # fmt: skip

_OFF = (
    (bits.BOLD | bits.DIM, "22"), (bits.ITALIC, "23"), (bits.UNDERLINE | bits.UNDERLINE2, "24"),
    (bits.BLINK | bits.BLINK2, "25"), (bits.REVERSE, "27"), (bits.CONCEAL, "28"),
    (bits.STRIKE, "29"), (bits.FRAME | bits.ENCIRCLE, "54"), (bits.OVERLINE, "55"),
)  # fmt: skip
"""Which attributes one parameter turns off: some only together."""

RESET = "\x1b[r\x1b[m"
"""No region that scrolls alone, no colour, no attribute."""


@lru_cache(4_096)
def change(old: CellStyle, new: CellStyle) -> tuple[str, CellStyle]:
    """The shortest sequence after which a cell of this look can be written, and the pen then.

    A cell without ink leaves the text colour, and what only ink shows, as they were.
    """
    fore = old.fore if new.fore is None else new.fore
    kept = old.attributes & INK if new.fore is None else 0
    then = CellStyle(fore, new.back, new.attributes | kept)
    if then == old:
        return "", old
    steps = _steps(old, then)
    if len(steps) >= len(afresh := _afresh(new)):
        return f"\x1b[{afresh}m", CellStyle(new.fore or "", new.back, new.attributes)
    return f"\x1b[{steps}m", then


def _steps(old: CellStyle, new: CellStyle) -> str:
    """The parameters that change only what differs."""
    lost = old.attributes & ~new.attributes
    found = [code for group, code in _OFF if lost & group]
    cleared = sum(group for group, _ in _OFF if lost & group)
    gained = new.attributes & (~old.attributes | cleared)
    found += [code for bit, code in _ON if gained & bit]
    if new.fore != old.fore:
        found.append(new.fore or "39")
    if new.back != old.back:
        found.append(new.back or "49")
    return ";".join(found)


def _afresh(look: CellStyle) -> str:
    """The parameters that set a look on a pen of which nothing is known."""
    on = [code for bit, code in _ON if look.attributes & bit]
    found = [*on, *(colour for colour in (look.fore, look.back) if colour)]
    return ";".join(("0", *found)) if found else ""


class AnsiWriter:
    """Writes cells; `x` is None when the column is not certain, `y` when nothing is.

    `length` is how much was written since it was taken. It keeps its look from frame to frame, as
    the terminal does, but never trusts its place.
    """

    def __init__(self, width: int, look: CellStyle = PLAIN, *, fills: bool = False) -> None:
        self.x: int | None = None
        self.y: int | None = None
        self.length = 0
        self._width = width
        self._look = look
        self._fills = fills
        self._out: list[str] = []

    def like(self) -> AnsiWriter:
        """Another pen with the same look and the same way before it."""
        other = AnsiWriter(self._width, self._look, fills=self._fills)
        other.x, other.y = self.x, self.y
        other._add("".join(self._out))
        return other

    def clear(self, width: int) -> None:
        """Make the whole terminal empty, whatever was on it; it is so many cells wide."""
        self._width, self._look = width, PLAIN
        self.x = self.y = None
        self._add(f"{RESET}\x1b[2J")

    def shift(self, top: int, bottom: int, by: int) -> None:
        """Move the rows between up, or down by less than none; what comes in may be anything."""
        move = f"\x1b[{by}M" if by > 0 else f"\x1b[{-by}L"
        self._add(f"\x1b[{top + 1};{bottom}r{_place(0, top)}{move}\x1b[r")
        self.x = self.y = None

    def take(self) -> str:
        """All that was written since the last time; somebody else may move the cursor now."""
        written = "".join(self._out)
        self._out.clear()
        self.length = 0
        self.x = self.y = None
        return written

    def _add(self, text: str) -> None:
        self._out.append(text)
        self.length += len(text)

    def fits(self, look: CellStyle) -> bool:
        """Whether cells of this look can be written without a change."""
        return not change(self._look, look)[0]

    def fills(self, look: CellStyle) -> bool:
        """Whether the terminal gives erased cells this look; some know only their own ground."""
        return look.fore is None and (self._fills or not look.back)

    def erase(self, x: int, y: int, look: CellStyle) -> None:
        """Empty a row from this cell on."""
        self.go(x, y)
        self._style(look)
        self._add("\x1b[K")

    def go(self, x: int, y: int) -> None:
        """Move to a cell."""
        self._add(self.way(x, y))
        self.x, self.y = x, y

    def way(self, x: int, y: int) -> str:
        """The shortest sequence that leads to a cell from here."""
        if y == self.y and x == self.x:
            return ""
        if y != self.y:
            near = self.y is not None and y == self.y + 1 and x == 0
            return "\r\n" if near else _place(x, y)
        if x == 0:
            return "\r"
        ways = [f"\x1b[{x + 1}G"]
        if self.x is not None:
            ways.append(_shift(x - self.x))
        return min(ways, key=len)

    def draw(self, x: int, y: int, row: CellRow) -> None:
        """Write cells from this place on."""
        start, count = 0, len(row.glyphs)
        if count:
            self.go(x, y)
        while start < count:
            stop, look = start + 1, row.looks[start]
            while stop < count and row.looks[stop] is look:
                stop += 1
            self._style(look)
            self._write(x + start, y, row.glyphs[start:stop])
            start = stop
        if self.x is not None and self.x >= self._width:
            self.x = None  # in the last column terminals disagree on where their cursor is

    def _style(self, look: CellStyle) -> None:
        sequence, self._look = change(self._look, look)
        self._add(sequence)

    def _write(self, x: int, y: int, glyphs: list[str]) -> None:
        """Write cells of one look, and find the way again after each that may mislead."""
        text = "".join(glyphs)
        if self.x == x and is_steady(text):
            self._add(text)
            self.x = x + len(glyphs)
            return
        for place, glyph in enumerate(glyphs, x):
            if glyph:
                self.go(place, y)
                self._add(glyph)
                self.x = place + 1 if is_steady(glyph) else None
            elif self.x is not None:
                self.x += 1


def _place(x: int, y: int) -> str:
    if x == 0:
        return f"\x1b[{y + 1}H" if y else "\x1b[H"
    return f"\x1b[{y + 1};{x + 1}H"


def _shift(cells: int) -> str:
    if cells == 0:
        return ""
    if cells < 0:
        return "\b" * -cells if cells > -4 else f"\x1b[{-cells}D"
    return f"\x1b[{cells}C" if cells > 1 else "\x1b[C"
