"""Segments: packed frames of one endpoint, stream and layout, of one hour or later one day."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from enum import IntEnum
from sqlite3 import Connection
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import asdict

from watchdeck.store.metrics.codec import ColumnBlob, encode_blob, load_blob
from watchdeck.store.metrics.frames import LayoutTable, StreamWindow

if TYPE_CHECKING:
    from watchdeck.store.metrics.codec import Floats, Integers

HOUR = 3_600_000
DAY = 24 * HOUR
"""Milliseconds."""

_ADD = """
insert into segment (endpoint, stream, level, layout, first, last, count, b)
values (:endpoint, :stream, :level, :layout, :first, :last, :count, :b)
on conflict (endpoint, stream, first, level, layout)
do update set last = excluded.last, count = excluded.count, b = excluded.b
"""
_HEAD = "select id, stream, level, layout, first, last, count from segment"
# Left to choose, SQLite takes the index by age, and reads rows of every endpoint: 2 ms for 1,000.
_OVERLAPPING = f"""
{_HEAD} indexed by segment_of_endpoint
where endpoint = :endpoint and stream = :stream
and first > :start - {DAY} and first < :end and last >= :start order by first, id
"""
_BEGUN = f"""
{_HEAD} where endpoint = :endpoint and first >= :start and first < :end and level <= :level
order by first, level desc, id
"""
_BLOB = "select b from segment where id = :id"
_REMOVE = "delete from segment where id = :id"


class SegmentPeriod(IntEnum):
    """The time that a segment covers: one UTC hour, or one UTC day."""

    HOUR = 0
    DAY = 1


class Segment(Struct, frozen=True):
    """A row of the segment table, without its blob."""

    id: int
    stream: int
    level: int
    layout: int
    first: int
    """Time of the oldest scrape (ms UTC)."""
    last: int
    """Time of the newest scrape (ms UTC)."""
    count: int
    """Number of scrapes."""


class PackedSegment(Struct, frozen=True):
    """The scrapes of a segment as one blob, with first and last time (ms UTC) and their count."""

    first: int
    last: int
    count: int
    b: bytes


def pack_segment(times: Integers, values: Floats) -> PackedSegment:
    """Pack scrapes, at least one; `times` (ms UTC) ascend, and `values` has a row for each."""
    return PackedSegment(int(times[0]), int(times[-1]), len(times), encode_blob(times, values))


def add_segment(
    db: Connection,
    endpoint: int,
    stream: int,
    level: SegmentPeriod,
    layout: int,
    stretch: PackedSegment,
) -> None:
    """Store a segment in the caller's transaction, replacing one that begins at the same time."""
    place = {"endpoint": endpoint, "stream": stream, "level": int(level), "layout": layout}
    db.execute(_ADD, place | asdict(stretch))


def find_segments(db: Connection, window: StreamWindow) -> list[Segment]:
    """The segments with scrapes inside a window, oldest first."""
    return [Segment(*row) for row in db.execute(_OVERLAPPING, asdict(window)).fetchall()]


def find_segments_starting(
    db: Connection, endpoint: int, start: int, end: int, level: SegmentPeriod
) -> list[Segment]:
    """Segments of both streams that begin from `start` until before `end` (ms UTC).

    With `level` HOUR only the hourly segments are returned, with DAY the daily ones too.
    """
    bounds = {"endpoint": endpoint, "start": start, "end": end, "level": int(level)}
    return [Segment(*row) for row in db.execute(_BEGUN, bounds).fetchall()]


@contextmanager
def open_segment(db: Connection, layouts: LayoutTable, segment: Segment) -> Iterator[ColumnBlob]:
    """Open a segment in place, for callers that need few of its columns.

    A read transaction is open until the block ends: keep it short.
    """
    with db.blobopen("segment", "b", segment.id, readonly=True) as raw:
        yield ColumnBlob(raw, len(layouts.columns(segment.layout)), segment.count)


def load_segment(db: Connection, layouts: LayoutTable, segment: Segment) -> ColumnBlob:
    """Load a segment into memory, for callers that need most of its columns."""
    ((blob,),) = db.execute(_BLOB, {"id": segment.id}).fetchall()
    return load_blob(blob, len(layouts.columns(segment.layout)), segment.count)


def delete_segments(db: Connection, segments: Iterable[Segment]) -> None:
    """Delete segments, in the caller's transaction."""
    db.executemany(_REMOVE, [{"id": segment.id} for segment in segments])


def merge_by_time(times: Sequence[Integers], values: Sequence[Floats]) -> tuple[Integers, Floats]:
    """Merge parts in the order of time; of two rows of the same time, the last given one wins."""
    import numpy as np

    if len(times) == 1:
        return times[0], values[0]
    joined, beside = np.concatenate(times), np.concatenate(values)
    if (joined[1:] > joined[:-1]).all():
        return joined, beside
    ascending, places = np.unique(joined[::-1], return_index=True)
    return ascending, beside[len(joined) - 1 - places]


CACHED_ROWS = 100
"""Scrapes cached on either side of a moment: 60 kB a model, and 16 minutes at 10 s."""


CACHED_SEGMENTS = 1_000
"""The number of segments of which rows are cached."""


class CachedRows(Struct, frozen=True):
    """Some consecutive scrapes of a segment, kept in memory."""

    times: Integers
    values: Floats
    begins: bool
    """Whether the first scrape of the segment is among them."""
    ends: bool
    """Whether the last scrape of the segment is among them."""

    def count_before(self, moment: int) -> int | None:
        """The number of rows before `moment` (ms UTC); None when it lies outside these rows."""
        past = int(self.times.searchsorted(moment))
        within = (past > 0 or self.begins) and (past < len(self.times) or self.ends)
        return past if within else None


class SegmentCache:
    """Keeps the rows around the times that were read last, so that reads near them unpack nothing.

    Use it on one thread only.
    """

    def __init__(self) -> None:
        self._cache: dict[Segment, CachedRows] = {}
        self._db: Connection | None = None

    def rows(
        self, db: Connection, layouts: LayoutTable, segment: Segment, end: int
    ) -> tuple[CachedRows, int]:
        """Cached rows of a segment around `end` (ms UTC), and how many of them are before `end`."""
        if self._db is not db:
            self._db = db
            self._cache.clear()
        rows = self._cache.get(segment)
        past = rows.count_before(end) if rows else None
        if rows is None or past is None:
            rows, past = _load_rows(db, layouts, segment, end)
            self._cache.pop(segment, None)
            self._cache[segment] = rows
            if len(self._cache) > CACHED_SEGMENTS:
                del self._cache[next(iter(self._cache))]
        return rows, past


def _load_rows(
    db: Connection, layouts: LayoutTable, segment: Segment, end: int
) -> tuple[CachedRows, int]:
    import numpy as np

    blob = load_segment(db, layouts, segment)
    times = blob.times()
    past = int(times.searchsorted(end))
    first, last = max(0, past - CACHED_ROWS), min(len(times), past + CACHED_ROWS)
    columns = range(len(layouts.columns(segment.layout)))
    values = np.array([blob.column(place)[first:last] for place in columns]).T
    rows = CachedRows(times[first:last].copy(), values, begins=first == 0, ends=last == len(times))
    return rows, past - first
