"""Rows that only moved up or down: the terminal moves them itself for a few bytes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from watchdeck.console.terminal.cells import CellRow
from watchdeck.console.terminal.row_diff import RowDiff

_LEAST = 4
"""Rows that have to be found elsewhere, before it is tried to move them."""


class ScrollRegion(NamedTuple):
    """The rows from `top` to before `bottom` go up by so many, or down by less than none."""

    top: int
    bottom: int
    by: int

    def of(self, rows: Sequence[CellRow]) -> list[CellRow]:
        """The rows after it; of those that came in nothing is known."""
        top, bottom, by = self
        fresh = [_unknown(len(rows[top].glyphs)) for _ in range(abs(by))]
        kept = rows[top + by : bottom] if by > 0 else rows[top : bottom + by]
        inside = [*kept, *fresh] if by > 0 else [*fresh, *kept]
        return [*rows[:top], *inside, *rows[bottom:]]


def find_scroll(shown: Sequence[CellRow], changes: Sequence[RowDiff]) -> ScrollRegion | None:
    """The shift that brings most of the changed rows to where they should be, if there is one."""
    if len(changes) < _LEAST:
        return None
    places: defaultdict[str, list[int]] = defaultdict(list)
    for y, row in enumerate(shown):
        places["".join(row.glyphs)].append(y)
    moved: defaultdict[int, list[int]] = defaultdict(list)
    for y, row, _ in changes:
        text = "".join(row.glyphs)
        for before in places.get(text, ()) if text.strip() else ():
            moved[before - y].append(y)
    by, rows = max(moved.items(), key=lambda one: len(one[1]), default=(0, []))
    if not by or len(rows) < _LEAST:
        return None
    first, last = min(rows), max(rows)
    return ScrollRegion(min(first, first + by), max(last, last + by) + 1, by)


def _unknown(width: int) -> CellRow:
    """A row that is like no row that is wanted."""
    row = CellRow.empty(width)
    row.glyphs = ["\0"] * width
    return row
