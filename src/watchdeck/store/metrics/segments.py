"""Segments: the frames of one endpoint, stream and layout of an hour, later of a day, packed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from enum import IntEnum
from sqlite3 import Connection
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import asdict

from watchdeck.store.metrics.column_blob import ColumnBlob, pack, unpacked
from watchdeck.store.metrics.frames import Window
from watchdeck.store.metrics.hourly import DAY
from watchdeck.store.metrics.layouts import LayoutTable

if TYPE_CHECKING:
    from watchdeck.store.metrics.column_blob import Floats, Integers

_ADD = """
insert into segment (endpoint, stream, level, layout, first, last, count, b)
values (:endpoint, :stream, :level, :layout, :first, :last, :count, :b)
on conflict (endpoint, stream, first, level, layout)
do update set last = excluded.last, count = excluded.count, b = excluded.b
"""
_HEAD = "select id, stream, level, layout, first, last, count from segment"
_OVERLAPPING = f"""
{_HEAD} where endpoint = :endpoint and stream = :stream
and first > :start - {DAY} and first < :end and last >= :start order by first, id
"""
_BEGUN = f"""
{_HEAD} where endpoint = :endpoint and first >= :start and first < :end and level <= :level
order by first, level desc, id
"""
_BLOB = "select b from segment where id = :id"
_REMOVE = "delete from segment where id = :id"


class SegmentPeriod(IntEnum):
    """How long a stretch a segment holds: it begins and ends within one such of UTC."""

    HOUR = 0
    DAY = 1


class Segment(Struct, frozen=True):
    """What stands beside a packed stretch: its first and last time (ms UTC) and how many."""

    id: int
    stream: int
    level: int
    layout: int
    first: int
    last: int
    count: int


class Packed(Struct, frozen=True):
    """A stretch as it is kept."""

    first: int
    last: int
    count: int
    b: bytes


def packed(times: Integers, values: Floats) -> Packed:
    """A stretch of at least one scrape, its times ascending, as it is kept."""
    return Packed(int(times[0]), int(times[-1]), len(times), pack(times, values))


def add_segment(
    db: Connection, endpoint: int, stream: int, level: SegmentPeriod, layout: int, stretch: Packed
) -> None:
    """Keep a segment, inside the caller's transaction."""
    place = {"endpoint": endpoint, "stream": stream, "level": int(level), "layout": layout}
    db.execute(_ADD, place | asdict(stretch))


def find_segments(db: Connection, window: Window) -> list[Segment]:
    """The segments that have something within a window, oldest first."""
    return [Segment(*row) for row in db.execute(_OVERLAPPING, asdict(window)).fetchall()]


def begun_segments(
    db: Connection, endpoint: int, start: int, end: int, level: SegmentPeriod
) -> list[Segment]:
    """The segments of both streams, up to a level, that begin from `start` until before `end`."""
    bounds = {"endpoint": endpoint, "start": start, "end": end, "level": int(level)}
    return [Segment(*row) for row in db.execute(_BEGUN, bounds).fetchall()]


@contextmanager
def open_segment(db: Connection, layouts: LayoutTable, segment: Segment) -> Iterator[ColumnBlob]:
    """A segment where it lies, for whoever wants few of its columns.

    While it is open, a moment of the file is held: keep the block short.
    """
    with db.blobopen("segment", "b", segment.id, readonly=True) as blob:
        yield ColumnBlob(blob, len(layouts.columns(segment.layout)), segment.count)


def load_segment(db: Connection, layouts: LayoutTable, segment: Segment) -> ColumnBlob:
    """A segment in memory, for whoever wants most of its columns."""
    ((blob,),) = db.execute(_BLOB, {"id": segment.id}).fetchall()
    return unpacked(blob, len(layouts.columns(segment.layout)), segment.count)


def remove_segments(db: Connection, segments: Iterable[Segment]) -> None:
    """Delete segments, inside the caller's transaction."""
    db.executemany(_REMOVE, [{"id": segment.id} for segment in segments])


def in_order(times: Sequence[Integers], values: Sequence[Floats]) -> tuple[Integers, Floats]:
    """Stretches as one, in the order of time; of the same time the last one given counts."""
    import numpy as np

    if len(times) == 1:
        return times[0], values[0]
    joined, beside = np.concatenate(times), np.concatenate(values)
    if (joined[1:] > joined[:-1]).all():
        return joined, beside
    ascending, places = np.unique(joined[::-1], return_index=True)
    return ascending, beside[len(joined) - 1 - places]
