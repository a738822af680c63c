"""Folding: the frames of an hour become segments, the segments of a day become one and rollups."""

from __future__ import annotations

from sqlite3 import Connection
from typing import TYPE_CHECKING

from msgspec import Struct, field

from watchdeck.store.files.connection import transaction
from watchdeck.store.metrics.frames import read_frames, remove_frames
from watchdeck.store.metrics.hourly import DAY, HOUR, aggregate
from watchdeck.store.metrics.layouts import LayoutTable
from watchdeck.store.metrics.rollups import add_rollup, before, pack_hours
from watchdeck.store.metrics.segments import (
    Segment,
    SegmentPeriod,
    add_segment,
    begun_segments,
    in_order,
    load_segment,
    packed,
    remove_segments,
)

if TYPE_CHECKING:
    from watchdeck.store.metrics.column_blob import Floats, Integers


class CompactionSpan(Struct, frozen=True):
    """One endpoint's hour or day of UTC, from `start` (ms)."""

    endpoint: int
    start: int
    level: SegmentPeriod

    @property
    def end(self) -> int:
        """The first moment after it."""
        return self.start + (HOUR if self.level is SegmentPeriod.HOUR else DAY)


class _Pile(Struct):
    """All that is there of one stream and layout, the oldest source first."""

    times: list[Integers] = field(default_factory=list)
    values: list[Floats] = field(default_factory=list)


def compact(db: Connection, layouts: LayoutTable, span: CompactionSpan) -> None:
    """Put what lies in a span together: a segment for each stream and layout.

    What is read and packed is outside the transaction: only the writer may call this, for nobody
    else changes these rows. Nothing is lost wherever it ends, and doing it again changes nothing.
    """
    segments = begun_segments(db, span.endpoint, span.start, span.end, span.level)
    piles = _piles(db, layouts, span, segments)
    joined = {place: in_order(pile.times, pile.values) for place, pile in piles.items()}
    made = {place: packed(*stretch) for place, stretch in joined.items()}
    with transaction(db):
        remove_segments(db, segments)
        for (stream, layout), stretch in made.items():
            add_segment(db, span.endpoint, stream, span.level, layout, stretch)
            if span.level is SegmentPeriod.DAY:
                _roll(db, layouts, span, stream, layout, *joined[stream, layout])
        remove_frames(db, span.endpoint, span.start, span.end)


def _piles(
    db: Connection, layouts: LayoutTable, span: CompactionSpan, segments: list[Segment]
) -> dict[tuple[int, int], _Pile]:
    piles: dict[tuple[int, int], _Pile] = {}
    for segment in segments:
        pile = piles.setdefault((segment.stream, segment.layout), _Pile())
        bundle = load_segment(db, layouts, segment)
        pile.times.append(bundle.times())
        pile.values.append(bundle.matrix())
    frames = read_frames(db, span.endpoint, span.start, span.end)
    for place, (times, values) in frames.items():
        pile = piles.setdefault(place, _Pile())
        pile.times.append(times)
        pile.values.append(values)
    return piles


def _roll(
    db: Connection,
    layouts: LayoutTable,
    span: CompactionSpan,
    stream: int,
    layout: int,
    times: Integers,
    values: Floats,
) -> None:
    columns = len(layouts.columns(layout))
    earlier = before(db, span.endpoint, stream, layout, columns, span.start)
    rolled = aggregate(times, values, earlier, layouts.cumulative(layout))
    for row in pack_hours(rolled):
        add_rollup(db, span.endpoint, stream, layout, columns, row)
