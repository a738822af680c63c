"""ANSI output: cursor position and style of the terminal, and the fewest bytes to change either."""

from __future__ import annotations

from functools import lru_cache

from watchdeck.console.terminal import cells as bits
from watchdeck.console.terminal.cells import (
    DEFAULT_STYLE,
    TEXT_ONLY,
    CellRow,
    CellStyle,
    has_certain_width,
)

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
"""The SGR parameters that turn attributes off; some turn off two together."""

RESET = "\x1b[r\x1b[m"
"""Removes the scroll region, all colours and all attributes."""


@lru_cache(4_096)
def style_change(old: CellStyle, new: CellStyle) -> tuple[str, CellStyle]:
    """The shortest sequence to write a cell of style `new`, and the terminal's style after it.

    For a space, the text colour and the attributes that only text shows stay as they are.
    """
    foreground = old.foreground if new.foreground is None else new.foreground
    retained = old.attributes & TEXT_ONLY if new.foreground is None else 0
    then = CellStyle(foreground, new.background, new.attributes | retained)
    if then == old:
        return "", old
    parameters = _changed_parameters(old, then)
    if len(parameters) >= len(reset := _reset_parameters(new)):
        return f"\x1b[{reset}m", CellStyle(new.foreground or "", new.background, new.attributes)
    return f"\x1b[{parameters}m", then


def _changed_parameters(old: CellStyle, new: CellStyle) -> str:
    """The SGR parameters for what differs between two styles, joined with `;`."""
    lost = old.attributes & ~new.attributes
    parameters = [code for group, code in _OFF if lost & group]
    cleared = sum(group for group, _ in _OFF if lost & group)
    gained = new.attributes & (~old.attributes | cleared)
    parameters += [code for bit, code in _ON if gained & bit]
    if new.foreground != old.foreground:
        parameters.append(new.foreground or "39")
    if new.background != old.background:
        parameters.append(new.background or "49")
    return ";".join(parameters)


def _reset_parameters(style: CellStyle) -> str:
    """The SGR parameters that set a style whatever the style before; empty for the default."""
    on = [code for bit, code in _ON if style.attributes & bit]
    parameters = [*on, *(colour for colour in (style.foreground, style.background) if colour)]
    return ";".join(("0", *parameters)) if parameters else ""


class AnsiWriter:
    """Collects the escape sequences that draw cells, and tracks the terminal's cursor.

    `length` is the number of characters since `take_output`. `x` is None when the cursor's column
    is uncertain, `y` when its whole position is. The style is remembered from frame to frame, as
    the terminal does; the position never is.
    """

    def __init__(
        self, width: int, style: CellStyle = DEFAULT_STYLE, *, erases_in_colour: bool = False
    ) -> None:
        self.x: int | None = None
        self.y: int | None = None
        self.length = 0
        self._width = width
        self._style = style
        self._erases_in_colour = erases_in_colour
        self._out: list[str] = []

    def fork(self) -> AnsiWriter:
        """Another writer with the same style, position and output so far."""
        other = AnsiWriter(self._width, self._style, erases_in_colour=self._erases_in_colour)
        other.x, other.y = self.x, self.y
        other._add("".join(self._out))
        return other

    def clear(self, width: int) -> None:
        """Reset the style and clear the whole terminal, which is `width` cells wide."""
        self._width, self._style = width, DEFAULT_STYLE
        self.x = self.y = None
        self._add(f"{RESET}\x1b[2J")

    def scroll(self, top: int, bottom: int, lines: int) -> None:
        """Scroll rows `top` until before `bottom` up by `lines`, or down if that is negative.

        The rows that scroll in may show anything.
        """
        move = f"\x1b[{lines}M" if lines > 0 else f"\x1b[{-lines}L"
        self._add(f"\x1b[{top + 1};{bottom}r{_absolute_move(0, top)}{move}\x1b[r")
        self.x = self.y = None

    def take_output(self) -> str:
        """Return and forget the output; the cursor's position is unknown from then on."""
        output = "".join(self._out)
        self._out.clear()
        self.length = 0
        self.x = self.y = None
        return output

    def _add(self, text: str) -> None:
        self._out.append(text)
        self.length += len(text)

    def has_style(self, style: CellStyle) -> bool:
        """Whether cells of this style can be written without a style change."""
        return not style_change(self._style, style)[0]

    def can_erase(self, style: CellStyle) -> bool:
        """Whether erasing gives cells this style: some terminals erase to their own background."""
        return style.foreground is None and (self._erases_in_colour or not style.background)

    def erase_line(self, x: int, y: int, style: CellStyle) -> None:
        """Erase a row from column `x` to its end, in the background of `style`."""
        self.move_to(x, y)
        self._set_style(style)
        self._add("\x1b[K")

    def move_to(self, x: int, y: int) -> None:
        """Move the cursor to a cell."""
        self._add(self.move_sequence(x, y))
        self.x, self.y = x, y

    def move_sequence(self, x: int, y: int) -> str:
        """The shortest sequence that moves the cursor from its position to a cell."""
        if y == self.y and x == self.x:
            return ""
        if y != self.y:
            is_next_line = self.y is not None and y == self.y + 1 and x == 0
            return "\r\n" if is_next_line else _absolute_move(x, y)
        if x == 0:
            return "\r"
        moves = [f"\x1b[{x + 1}G"]
        if self.x is not None:
            moves.append(_relative_move(x - self.x))
        return min(moves, key=len)

    def draw(self, x: int, y: int, row: CellRow) -> None:
        """Write the cells of `row` into screen row `y`, from column `x` on."""
        start, count = 0, len(row.glyphs)
        if count:
            self.move_to(x, y)
        while start < count:
            stop, style = start + 1, row.styles[start]
            while stop < count and row.styles[stop] is style:
                stop += 1
            self._set_style(style)
            self._write(x + start, y, row.glyphs[start:stop])
            start = stop
        if self.x is not None and self.x >= self._width:
            self.x = None  # in the last column terminals disagree on where their cursor is

    def _set_style(self, style: CellStyle) -> None:
        sequence, self._style = style_change(self._style, style)
        self._add(sequence)

    def _write(self, x: int, y: int, glyphs: list[str]) -> None:
        """Write cells of one style; move the cursor again after a glyph of uncertain width."""
        text = "".join(glyphs)
        if self.x == x and has_certain_width(text):
            self._add(text)
            self.x = x + len(glyphs)
            return
        for column, glyph in enumerate(glyphs, x):
            if glyph:
                self.move_to(column, y)
                self._add(glyph)
                self.x = column + 1 if has_certain_width(glyph) else None
            elif self.x is not None:
                self.x += 1


def _absolute_move(x: int, y: int) -> str:
    if x == 0:
        return f"\x1b[{y + 1}H" if y else "\x1b[H"
    return f"\x1b[{y + 1};{x + 1}H"


def _relative_move(cells: int) -> str:
    if cells == 0:
        return ""
    if cells < 0:
        return "\b" * -cells if cells > -4 else f"\x1b[{-cells}D"
    return f"\x1b[{cells}C" if cells > 1 else "\x1b[C"
