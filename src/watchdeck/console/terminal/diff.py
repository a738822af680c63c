"""Differences between two screens, and the fewest bytes that write or scroll them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from watchdeck.console.terminal.ansi import AnsiWriter
from watchdeck.console.terminal.cells import TEXT_ONLY, CellRow, CellStyle

_MAX_GAP = 8
"""Unchanged cells between two changes that may be cheaper to write again than to skip."""

_ERASE_COST = 3
"""Bytes of the sequence that erases the rest of a row."""

_BOTH_ORDERS_FROM = 3
"""Changed rows from which on writing style by style may be shorter than row by row."""

_MIN_SCROLLED_ROWS = 4
"""Changed rows that must be found elsewhere on the screen before scrolling is tried."""


class RowDiff(NamedTuple):
    """The cells to write in row `y`: `ranges` are (start, stop) columns of the row `wanted`."""

    y: int
    wanted: CellRow
    ranges: tuple[tuple[int, int], ...]


def row_diff(y: int, shown: CellRow, wanted: CellRow) -> RowDiff | None:
    """The cells to write in this row; None when the terminal already shows it."""
    if shown.glyphs == wanted.glyphs and shown.styles == wanted.styles:
        return None
    old = zip(shown.glyphs, shown.styles, strict=True)
    new = zip(wanted.glyphs, wanted.styles, strict=True)
    changed = [x for x, (was, is_) in enumerate(zip(old, new, strict=True)) if was != is_]
    return RowDiff(y, wanted, tuple(_changed_ranges(changed, wanted.glyphs)))


def _changed_ranges(changed: list[int], glyphs: list[str]) -> Iterator[tuple[int, int]]:
    """Adjacent columns joined to ranges that never split a wide glyph."""
    start = stop = -1
    for x in changed:
        if x < stop:
            continue
        if x > stop:
            if stop > start:
                yield start, stop
            start = x - 1 if x and not glyphs[x] else x
        stop = x + 2 if x + 1 < len(glyphs) and not glyphs[x + 1] else x + 1
    if stop > start:
        yield start, stop


class ScrollRegion(NamedTuple):
    """Rows from `top` until before `bottom`, scrolled up by `lines` (down when negative)."""

    top: int
    bottom: int
    lines: int

    def apply(self, rows: Sequence[CellRow]) -> list[CellRow]:
        """The rows after the scroll; those that scrolled in have unknown cells."""
        top, bottom, lines = self
        unknown = [_unknown_row(len(rows[top].glyphs)) for _ in range(abs(lines))]
        moved = rows[top + lines : bottom] if lines > 0 else rows[top : bottom + lines]
        inside = [*moved, *unknown] if lines > 0 else [*unknown, *moved]
        return [*rows[:top], *inside, *rows[bottom:]]


def _unknown_row(width: int) -> CellRow:
    """A row that differs from every real row, so that all of its cells are written."""
    row = CellRow.empty(width)
    row.glyphs = ["\0"] * width
    return row


def find_scroll(shown: Sequence[CellRow], changes: Sequence[RowDiff]) -> ScrollRegion | None:
    """The scroll that brings most changed rows into place; None when too few rows moved."""
    if len(changes) < _MIN_SCROLLED_ROWS:
        return None
    rows_by_text: defaultdict[str, list[int]] = defaultdict(list)
    for y, row in enumerate(shown):
        rows_by_text["".join(row.glyphs)].append(y)
    moves: defaultdict[int, list[int]] = defaultdict(list)
    for y, row, _ in changes:
        text = "".join(row.glyphs)
        for before in rows_by_text.get(text, ()) if text.strip() else ():
            moves[before - y].append(y)
    lines, moved = max(moves.items(), key=lambda move: len(move[1]), default=(0, []))
    if not lines or len(moved) < _MIN_SCROLLED_ROWS:
        return None
    first, last = min(moved), max(moved)
    return ScrollRegion(min(first, first + lines), max(last, last + lines) + 1, lines)


def write_changes(ansi: AnsiWriter, changes: Sequence[RowDiff]) -> AnsiWriter:
    """Write the changes to forks of `ansi`; returns the fork with the shortest output.

    One fork writes row by row; with many changes, another one writes style by style.
    """
    by_row = ansi.fork()
    for change in changes:
        _write_row(by_row, change)
    if len(changes) < _BOTH_ORDERS_FROM:
        return by_row
    by_style = ansi.fork()
    _write_by_style(by_style, changes)
    return min(by_row, by_style, key=lambda fork: fork.length)


def _write_row(ansi: AnsiWriter, change: RowDiff) -> None:
    """Write the changed cells from left to right."""
    y, row, ranges = change
    blank_from = _blank_tail(ansi, row)
    for start, stop in ranges:
        _rewrite_gap(ansi, start, y, row)
        if stop > blank_from + _ERASE_COST:
            ansi.draw(start, y, row.part(start, blank_from))
            ansi.erase_line(max(start, blank_from), y, row.styles[-1])
            break
        ansi.draw(start, y, row.part(start, stop))


def _blank_tail(ansi: AnsiWriter, row: CellRow) -> int:
    """The column from which on the row is blank in one style that erasing produces."""
    style = row.styles[-1]
    x = len(row.glyphs)
    if not ansi.can_erase(style):
        return x
    while x and row.glyphs[x - 1] == " " and row.styles[x - 1] == style:
        x -= 1
    return x


def _rewrite_gap(ansi: AnsiWriter, x: int, y: int, row: CellRow) -> None:
    """Write the cells between the cursor and `x` again when that is shorter than moving."""
    if ansi.y != y or ansi.x is None or not 0 < x - ansi.x <= _MAX_GAP:
        return
    gap = row.part(ansi.x, x)
    same = all(ansi.has_style(style) for style in gap.styles)
    if same and len("".join(gap.glyphs).encode()) <= len(ansi.move_sequence(x, y)):
        ansi.draw(ansi.x, y, gap)


class StyledRun(NamedTuple):
    """Cells to write in one style from column `x` on; without cells, the row is erased from `x`."""

    x: int
    y: int
    cells: CellRow


def _write_by_style(ansi: AnsiWriter, changes: Sequence[RowDiff]) -> None:
    """Write one style after the other: a cursor move is shorter than a style change."""
    runs: defaultdict[CellStyle, list[StyledRun]] = defaultdict(list)
    for change in changes:
        for style, run in _styled_runs(ansi, change):
            runs[style].append(run)
    for style in sorted(runs, key=lambda style: style.background):
        for run in runs[style]:
            if run.cells.glyphs:
                ansi.draw(*run)
            else:
                ansi.erase_line(run.x, run.y, style)


def _styled_runs(ansi: AnsiWriter, change: RowDiff) -> Iterator[tuple[CellStyle, StyledRun]]:
    """The changed cells of a row, cut where the style changes."""
    y, row, ranges = change
    blank_from = _blank_tail(ansi, row)
    for start, stop in ranges:
        erases = stop > blank_from + _ERASE_COST
        for style, x, end in _style_ranges(row, start, blank_from if erases else stop):
            yield style, StyledRun(x, y, row.part(x, end))
        if erases:
            yield row.styles[-1], StyledRun(max(start, blank_from), y, CellRow([], []))
            return


def _style_ranges(row: CellRow, start: int, stop: int) -> Iterator[tuple[CellStyle, int, int]]:
    """Ranges of one style; a space joins the text beside it when the background is the same."""
    style, begin = row.styles[start], start
    for x in range(start + 1, stop):
        here = row.styles[x]
        if here == style or _fits_space(style, here):
            continue
        if not _fits_space(here, style):
            yield style, begin, x
            begin = x
        style = here
    if stop > start:
        yield style, begin, stop


def _fits_space(text: CellStyle, space: CellStyle) -> bool:
    """Whether a space of the style `space` looks the same when written in the style `text`."""
    same_background = text.background == space.background
    return space.foreground is None and same_background and not text.attributes & ~TEXT_ONLY
