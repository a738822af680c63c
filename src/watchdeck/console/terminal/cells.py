"""Screen cells: text split into glyphs, the style of each cell, rows and the screen buffer.

No control sequence from data passes `glyphs`, the only way text gets into a cell.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from msgspec import Struct, field
from rich.cells import split_graphemes
from rich.segment import Segment
from rich.style import Style

from watchdeck.console.terminal.capabilities import ColourDepth
from watchdeck.console.terminal.colour import sgr_parameters

REPLACEMENT = "\ufffd"

_SIMPLE = re.compile(
    "[ -~\xa0-\xac\xae-\u02ff\u0370-\u0377\u0400-\u0482\u2010-\u2015\u2018-\u2027\u2030-\u203a"
    "\u20a0-\u20bf\u2190-\u2199\u2500-\u25fc\u2713-\u2718\u2800-\u28ff\ufffd]*"
)
"""Text in which every character takes one cell on any terminal."""

_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u115f\u1160\u180e\u200b\u200c\u200e\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ud800-\udfff\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
"""Control characters, characters that change the text direction, and invisible ones."""

_MAX_CLUSTER = 12
"""Most characters sent of one grapheme cluster: a thousand stacked accents are an attack."""


def glyphs(text: str) -> tuple[str, ...] | list[str]:
    """One glyph for each cell of the text; the second cell of a wide glyph is empty.

    Control, bidi, invisible and surrogate characters become U+FFFD, each in a cell of its own.
    """
    return list(text) if _SIMPLE.fullmatch(text) else _split(text)


@lru_cache(1_024)
def _split(text: str) -> tuple[str, ...]:
    safe = _UNSAFE.sub(REPLACEMENT, text)
    cells: list[str] = []
    for start, end, width in split_graphemes(safe)[0]:
        cells.extend(_cluster_cells(safe[start:end], width))
    return tuple(cells)


def _cluster_cells(cluster: str, width: int) -> tuple[str, ...]:
    """The cells of a cluster; one of zero width has no base character and becomes U+FFFD."""
    if width == 0:
        return (REPLACEMENT,)
    return (cluster[:_MAX_CLUSTER], *[""] * (width - 1))


def replace_unencodable(cells: list[str] | tuple[str, ...], charset: str) -> list[str]:
    """The glyphs, with a question mark in each cell of a glyph that the charset does not have."""
    replaced: list[str] = []
    for glyph in cells:
        fits = glyph.encode(charset, "ignore") if glyph else replaced[-1:] != ["?"]
        replaced.append(glyph if fits else "?")
    return replaced


def has_certain_width(glyph: str) -> bool:
    """Whether every terminal moves its cursor by the expected width when it draws this glyph."""
    return bool(_SIMPLE.fullmatch(glyph)) or _is_letter_or_digit(glyph)


@lru_cache(4_096)
def _is_letter_or_digit(glyph: str) -> bool:
    """Whether a glyph is one letter or digit, also of a wide script; emoji and clusters are not."""
    return len(glyph) == 1 and unicodedata.category(glyph) in ("Lo", "Lu", "Ll", "Nd")


BOLD, DIM, ITALIC, UNDERLINE, BLINK, BLINK2, REVERSE, CONCEAL, STRIKE, UNDERLINE2 = (
    1 << bit for bit in range(10)
)
FRAME, ENCIRCLE, OVERLINE = (1 << bit for bit in range(10, 13))

TEXT_ONLY = BOLD | DIM | ITALIC | CONCEAL
"""Attributes that are invisible on a space."""

_ATTRIBUTES = (
    "bold", "dim", "italic", "underline", "blink", "blink2", "reverse", "conceal", "strike",
    "underline2", "frame", "encircle", "overline",
)  # fmt: skip
"""The attributes by the names that rich gives them, in the order of their bits."""

_MAX_STYLES = 4_096
"""Most styles in the cache; a theme has a few dozen, selectable text one for each position."""


class CellStyle(NamedTuple):
    """Colours, as SGR parameters, and attributes of a cell."""

    foreground: str | None = ""
    """Empty is the terminal's default colour; None is a space, which shows no text colour."""
    background: str = ""
    attributes: int = 0

    def space_style(self) -> CellStyle:
        """The style of a space: styles that look the same on a space become equal."""
        if self.attributes & ~TEXT_ONLY:
            return self
        return CellStyle(None, self.background)


DEFAULT_STYLE = CellStyle()
CLEARED = DEFAULT_STYLE.space_style()
"""The style of a cell that the terminal has cleared."""


class StyleCache:
    """Converts rich styles to cell styles for a terminal of one colour depth."""

    def __init__(self, depth: ColourDepth) -> None:
        self.depth = depth
        self._styles: dict[Style | None, tuple[CellStyle, CellStyle]]
        self._clear()

    def _clear(self) -> None:
        self._styles = {None: (DEFAULT_STYLE, CLEARED)}

    def cell_styles(self, style: Style | None) -> tuple[CellStyle, CellStyle]:
        """The cell styles of text and of a space for a rich style; a link's URL is dropped."""
        found = self._styles.get(style)
        if found is None:
            if len(self._styles) >= _MAX_STYLES:
                self._clear()
            found = self._styles[style] = self._convert(style)
        return found

    def _convert(self, style: Style | None) -> tuple[CellStyle, CellStyle]:
        if not style:
            return DEFAULT_STYLE, CLEARED
        foreground, background = sgr_parameters(style.color, style.bgcolor, self.depth)
        bits = (1 << bit for bit, name in enumerate(_ATTRIBUTES) if getattr(style, name))
        cell_style = CellStyle(foreground, background, sum(bits))
        return cell_style, cell_style.space_style()


class CellRow(Struct):
    """The cells of one row: a glyph and a style for each."""

    glyphs: list[str]
    styles: list[CellStyle]

    @classmethod
    def empty(cls, width: int) -> CellRow:
        """A row of `width` blank cells, as a cleared terminal shows it."""
        return cls([" "] * width, [CLEARED] * width)

    def copy(self) -> CellRow:
        """A copy that shares no list with this row."""
        return CellRow(self.glyphs[:], self.styles[:])

    def part(self, start: int, stop: int) -> CellRow:
        """The cells from column `start` until before `stop`."""
        return CellRow(self.glyphs[start:stop], self.styles[start:stop])

    def overwrite(self, x: int, cells: CellRow) -> None:
        """Put cells over this row from column `x` on; cells beyond the end are dropped.

        When one half of a wide glyph is overwritten, its other half becomes a space.
        """
        cells.truncate(max(0, len(self.glyphs) - x))
        stop = x + len(cells.glyphs)
        if stop > x:
            self._blank_cut_glyph(x, x - 1)
            self._blank_cut_glyph(stop, stop)
            self.glyphs[x:stop] = cells.glyphs
            self.styles[x:stop] = cells.styles

    def _blank_cut_glyph(self, cut: int, remaining: int) -> None:
        """Blank the `remaining` half of a wide glyph whose second half is at column `cut`."""
        if cut < len(self.glyphs) and not self.glyphs[cut]:
            self.glyphs[remaining] = " "
            self.styles[remaining] = self.styles[remaining].space_style()

    def truncate(self, width: int) -> None:
        """Drop the cells from column `width` on; a wide glyph across the edge becomes a space."""
        self._blank_cut_glyph(width, width - 1)
        del self.glyphs[width:], self.styles[width:]


class ScreenBuffer(Struct):
    """The cells of a whole screen."""

    width: int = 0
    rows: list[CellRow] = field(default_factory=list)

    @classmethod
    def empty(cls, width: int, height: int) -> ScreenBuffer:
        """A cleared screen."""
        return cls(width, [CellRow.empty(width) for _ in range(height)])

    @property
    def size(self) -> tuple[int, int]:
        """Width in cells and height in rows."""
        return self.width, len(self.rows)


class CellBuilder(Struct, frozen=True):
    """Converts rich segments to cells, for a terminal of one colour depth and charset."""

    styles: StyleCache
    charset: str = "utf-8"

    def build_row(self, segments: Iterable[Segment], width: int) -> CellRow:
        """A row of at most `width` cells; control segments are dropped."""
        row = CellRow([], [])
        for text, style, control in segments:
            if not control:
                self._append(row, text, *self.styles.cell_styles(style))
        row.truncate(width)
        return row

    def _append(self, row: CellRow, text: str, style: CellStyle, space_style: CellStyle) -> None:
        added = glyphs(text)
        if self.charset != "utf-8":
            added = replace_unencodable(added, self.charset)
        row.glyphs.extend(added)
        if " " in text:
            row.styles.extend([space_style if glyph == " " else style for glyph in added])
        else:
            row.styles.extend([style] * len(added))
