"""In which order changed cells are written: whichever takes fewer bytes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from watchdeck.console.terminal.ansi import AnsiWriter
from watchdeck.console.terminal.cell_style import INK, CellStyle
from watchdeck.console.terminal.cells import CellRow
from watchdeck.console.terminal.row_diff import RowDiff

_BRIDGE = 8
"""Cells between two changes that may be cheaper to write again than to skip."""

_ERASE = 3
"""Bytes to erase the rest of a row."""

_TRY_BOTH = 3
"""Rows from which on it may pay to write all that is of one look before the next look."""


def write_changes(pen: AnsiWriter, changes: Sequence[RowDiff]) -> AnsiWriter:
    """Write the changes with this pen, or one like it; the pen that has written."""
    by_row = pen.like()
    for change in changes:
        _write_row(by_row, change)
    if len(changes) < _TRY_BOTH:
        return by_row
    by_look = pen.like()
    _write_looks(by_look, changes)
    return min(by_row, by_look, key=lambda one: one.length)


def _write_row(pen: AnsiWriter, change: RowDiff) -> None:
    """From left to right."""
    y, row, stretches = change
    bare = _bare_from(pen, row)
    for start, stop in stretches:
        _bridge(pen, start, y, row)
        if stop > bare + _ERASE:
            pen.draw(start, y, _part(row, start, bare))
            pen.erase(max(start, bare), y, row.looks[-1])
            break
        pen.draw(start, y, _part(row, start, stop))


def _bare_from(pen: AnsiWriter, row: CellRow) -> int:
    """From which cell on the row is empty, in one look that the terminal fills in by itself."""
    look = row.looks[-1]
    x = len(row.glyphs)
    if not pen.fills(look):
        return x
    while x and row.glyphs[x - 1] == " " and row.looks[x - 1] == look:
        x -= 1
    return x


def _part(row: CellRow, start: int, stop: int) -> CellRow:
    return CellRow(row.glyphs[start:stop], row.looks[start:stop])


def _bridge(pen: AnsiWriter, x: int, y: int, row: CellRow) -> None:
    """Write again what lies between the pen and `x`, when that is shorter than to move."""
    if pen.y != y or pen.x is None or not 0 < x - pen.x <= _BRIDGE:
        return
    between = _part(row, pen.x, x)
    same = all(pen.fits(look) for look in between.looks)
    if same and len("".join(between.glyphs).encode()) <= len(pen.way(x, y)):
        pen.draw(pen.x, y, between)


class StyledRun(NamedTuple):
    """Cells of one look, blanks among them; without cells the rest of the row is erased."""

    x: int
    y: int
    cells: CellRow


def _write_looks(pen: AnsiWriter, changes: Sequence[RowDiff]) -> None:
    """One look after the other: to move is shorter than to change the pen."""
    found: defaultdict[CellStyle, list[StyledRun]] = defaultdict(list)
    for change in changes:
        for look, piece in _pieces(pen, change):
            found[look].append(piece)
    for look in sorted(found, key=lambda one: one.back):
        for piece in found[look]:
            if piece.cells.glyphs:
                pen.draw(*piece)
            else:
                pen.erase(piece.x, piece.y, look)


def _pieces(pen: AnsiWriter, change: RowDiff) -> Iterator[tuple[CellStyle, StyledRun]]:
    """The changed cells of a row by their looks."""
    y, row, stretches = change
    bare = _bare_from(pen, row)
    for start, stop in stretches:
        erases = stop > bare + _ERASE
        last = bare if erases else stop
        for look, x, end in _inked(row, start, last):
            yield look, StyledRun(x, y, _part(row, x, end))
        if erases:
            yield row.looks[-1], StyledRun(max(start, bare), y, CellRow([], []))
            return


def _inked(row: CellRow, start: int, stop: int) -> Iterator[tuple[CellStyle, int, int]]:
    """Stretches of one look; blanks go with the ink beside them where the ground is the same."""
    look, begin = row.looks[start], start
    for x in range(start + 1, stop):
        here = row.looks[x]
        if here == look or _joins(look, here):
            continue
        if not _joins(here, look):
            yield look, begin, x
            begin = x
        look = here
    if stop > start:
        yield look, begin, stop


def _joins(ink: CellStyle, blank: CellStyle) -> bool:
    return blank.fore is None and ink.back == blank.back and not ink.attributes & ~INK
