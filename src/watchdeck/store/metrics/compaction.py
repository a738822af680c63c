"""Compaction: packs the frames of an hour into segments, and a day into one segment and rollups."""

from __future__ import annotations

from sqlite3 import Connection
from typing import TYPE_CHECKING

from msgspec import Struct, field

from watchdeck.store.files.connection import transaction
from watchdeck.store.metrics.frames import LayoutTable, delete_frames, read_frames
from watchdeck.store.metrics.rollups import add_rollup, aggregate, pack_rollups, read_last_values
from watchdeck.store.metrics.segments import (
    DAY,
    HOUR,
    Segment,
    SegmentPeriod,
    add_segment,
    delete_segments,
    find_segments_starting,
    load_segment,
    merge_by_time,
    pack_segment,
)

if TYPE_CHECKING:
    from watchdeck.store.metrics.codec import Floats, Integers


class CompactionSpan(Struct, frozen=True):
    """One UTC hour or day of one endpoint, beginning at `start` (ms UTC)."""

    endpoint: int
    start: int
    level: SegmentPeriod

    @property
    def end(self) -> int:
        """The first moment after the span (ms UTC)."""
        return self.start + (HOUR if self.level is SegmentPeriod.HOUR else DAY)


class _Parts(Struct):
    """The times and values of one stream and layout: an item for each segment, then for frames."""

    times: list[Integers] = field(default_factory=list)
    values: list[Floats] = field(default_factory=list)


def compact(db: Connection, layouts: LayoutTable, span: CompactionSpan) -> None:
    """Join all stored scrapes of a span into one compressed segment for each stream and layout.

    For a day, hourly aggregates (rollups) are stored too. Only the writer may call this: rows are
    read and packed before the transaction, and nobody else may change them meanwhile. An
    interrupted call loses nothing; a repeated one changes nothing.
    """
    segments = find_segments_starting(db, span.endpoint, span.start, span.end, span.level)
    parts = _read_parts(db, layouts, span, segments)
    joined = {place: merge_by_time(part.times, part.values) for place, part in parts.items()}
    made = {place: pack_segment(*stretch) for place, stretch in joined.items()}
    with transaction(db):
        delete_segments(db, segments)
        for (stream, layout), stretch in made.items():
            add_segment(db, span.endpoint, stream, span.level, layout, stretch)
            if span.level is SegmentPeriod.DAY:
                _add_rollups(db, layouts, span, stream, layout, *joined[stream, layout])
        delete_frames(db, span.endpoint, span.start, span.end)


def _read_parts(
    db: Connection, layouts: LayoutTable, span: CompactionSpan, segments: list[Segment]
) -> dict[tuple[int, int], _Parts]:
    parts: dict[tuple[int, int], _Parts] = {}
    for segment in segments:
        part = parts.setdefault((segment.stream, segment.layout), _Parts())
        blob = load_segment(db, layouts, segment)
        part.times.append(blob.times())
        part.values.append(blob.matrix())
    frames = read_frames(db, span.endpoint, span.start, span.end)
    for place, (times, values) in frames.items():
        part = parts.setdefault(place, _Parts())
        part.times.append(times)
        part.values.append(values)
    return parts


def _add_rollups(
    db: Connection,
    layouts: LayoutTable,
    span: CompactionSpan,
    stream: int,
    layout: int,
    times: Integers,
    values: Floats,
) -> None:
    columns = len(layouts.columns(layout))
    earlier = read_last_values(db, span.endpoint, stream, layout, columns, span.start)
    rolled = aggregate(times, values, earlier, layouts.cumulative_flags(layout))
    for row in pack_rollups(rolled):
        add_rollup(db, span.endpoint, stream, layout, columns, row)
