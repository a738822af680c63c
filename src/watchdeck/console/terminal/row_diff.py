"""Where what a row shows differs from what it should."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from watchdeck.console.terminal.cells import CellRow


class RowDiff(NamedTuple):
    """A row to be written; `stretches` are from and to of the cells that differ."""

    y: int
    wanted: CellRow
    stretches: tuple[tuple[int, int], ...]


def difference(y: int, shown: CellRow, wanted: CellRow) -> RowDiff | None:
    """What has to be written in this row; None when it is as it should be."""
    if shown.glyphs == wanted.glyphs and shown.looks == wanted.looks:
        return None
    old = zip(shown.glyphs, shown.looks, strict=True)
    new = zip(wanted.glyphs, wanted.looks, strict=True)
    differ = [x for x, (was, is_) in enumerate(zip(old, new, strict=True)) if was != is_]
    return RowDiff(y, wanted, tuple(_stretches(differ, wanted.glyphs)))


def _stretches(differ: list[int], glyphs: list[str]) -> Iterator[tuple[int, int]]:
    """Neighbours together, and never half of a wide glyph."""
    start = stop = -1
    for x in differ:
        if x < stop:
            continue
        if x > stop:
            if stop > start:
                yield start, stop
            start = x - 1 if x and not glyphs[x] else x
        stop = x + 2 if x + 1 < len(glyphs) and not glyphs[x + 1] else x + 1
    if stop > start:
        yield start, stop
