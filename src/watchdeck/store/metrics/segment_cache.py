"""The scrapes around the moments that were read last: the next step through time is among them."""

from __future__ import annotations

from sqlite3 import Connection
from typing import TYPE_CHECKING

from msgspec import Struct

from watchdeck.store.metrics.layouts import LayoutTable
from watchdeck.store.metrics.segments import Segment, load_segment

if TYPE_CHECKING:
    from watchdeck.store.metrics.column_blob import Floats, Integers

AROUND = 100
"""So many scrapes on either side of a moment are kept: 60 kB a model, and 16 minutes at 10 s."""

MOST = 1_000
"""Segments of which something is kept."""


class CachedRows(Struct, frozen=True):
    """Some scrapes of a segment in a row; `ends` when the last of the segment is among them."""

    times: Integers
    values: Floats
    begins: bool
    ends: bool

    def before(self, moment: int) -> int | None:
        """How many of them are before a moment; None when others of the segment might be it."""
        past = int(self.times.searchsorted(moment))
        within = (past > 0 or self.begins) and (past < len(self.times) or self.ends)
        return past if within else None


class SegmentCache:
    """Unpacks a segment once for many moments; it belongs to one thread."""

    def __init__(self) -> None:
        self._kept: dict[Segment, CachedRows] = {}
        self._db: Connection | None = None

    def rows(
        self, db: Connection, layouts: LayoutTable, segment: Segment, end: int
    ) -> tuple[CachedRows, int]:
        """Scrapes of a segment, and how many of them are before `end` (ms UTC)."""
        if self._db is not db:
            self._db = db
            self._kept.clear()
        kept = self._kept.get(segment)
        past = kept.before(end) if kept else None
        if kept is None or past is None:
            kept, past = _unpacked(db, layouts, segment, end)
            self._kept.pop(segment, None)
            self._kept[segment] = kept
            if len(self._kept) > MOST:
                del self._kept[next(iter(self._kept))]
        return kept, past


def _unpacked(
    db: Connection, layouts: LayoutTable, segment: Segment, end: int
) -> tuple[CachedRows, int]:
    import numpy as np

    bundle = load_segment(db, layouts, segment)
    times = bundle.times()
    past = int(times.searchsorted(end))
    first, last = max(0, past - AROUND), min(len(times), past + AROUND)
    columns = range(len(layouts.columns(segment.layout)))
    values = np.array([bundle.column(place)[first:last] for place in columns]).T
    rows = CachedRows(times[first:last].copy(), values, begins=first == 0, ends=last == len(times))
    return rows, past - first
