"""Columns as they were scraped, from the frames of the last hour and the segments before it."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from itertools import pairwise
from sqlite3 import Connection
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from watchdeck.store.metrics.frames import (
    Window,
    key,
    moment,
    newest_frames,
    read_frames,
    values_of,
)
from watchdeck.store.metrics.layouts import LayoutTable
from watchdeck.store.metrics.segment_cache import SegmentCache
from watchdeck.store.metrics.segments import find_segments, in_order, open_segment

if TYPE_CHECKING:
    from watchdeck.store.metrics.column_blob import Floats, Integers

    Part = tuple[Integers, dict[str, Floats]]

_FIRST_SEGMENT = "select min(first) from segment where endpoint = :endpoint and stream = :stream"
_FIRST_FRAME = "select min(k) from frame where k >= :first and k < :past"


def read_exact(
    db: Connection, layouts: LayoutTable, window: Window, columns: Sequence[str]
) -> dict[str, tuple[Integers, Floats]]:
    """Times (ms UTC) and values of those columns that have any within a window."""
    found: dict[str, tuple[list[Integers], list[Floats]]] = {}
    for source in (_from_segments, _from_frames):
        for times, parts in source(db, layouts, window, columns):
            for column, part in parts.items():
                pile = found.setdefault(column, ([], []))
                pile[0].append(times)
                pile[1].append(part)
    return {column: in_order(*pile) for column, pile in found.items()}


def first_moment(db: Connection, window: Window) -> int | None:
    """The time (ms UTC) of the oldest scrape that is still kept; None when there is none."""
    place = {"endpoint": window.endpoint, "stream": int(window.stream)}
    bounds = {"first": key(window.endpoint, 0), "past": key(window.endpoint + 1, 0)}
    (segment,) = db.execute(_FIRST_SEGMENT, place).fetchone()
    (frame,) = db.execute(_FIRST_FRAME, bounds).fetchone()
    return min((t for t in (segment, frame and moment(frame)) if t is not None), default=None)


class NewestRow(Struct, frozen=True):
    """One scrape; `spacing` is the least distance (ms) of those just before it, 0 if unknown."""

    at: int
    columns: tuple[str, ...]
    values: array[float]
    spacing: int


def newest_row(
    db: Connection, layouts: LayoutTable, window: Window, near: SegmentCache | None = None
) -> NewestRow | None:
    """The newest scrape within a window; None when there is none."""
    frames = newest_frames(db, window, _ENOUGH)
    later = replace(window, start=frames[0][0] + 1) if frames else window
    packed = _newest_packed(db, layouts, later, near or SegmentCache())
    if packed is not None or not frames:
        return packed
    at, layout, blob = frames[0]
    spacing = _spacing([time for time, _, _ in frames])
    return NewestRow(at, layouts.columns(layout), values_of(blob), spacing)


_ENOUGH = 4
"""So many scrapes tell how often there was one: a hole is one distance, and never the least."""


def _newest_packed(
    db: Connection, layouts: LayoutTable, window: Window, near: SegmentCache
) -> NewestRow | None:
    """The newest scrape that is packed; what ended before one that was found is skipped."""
    newest: NewestRow | None = None
    for segment in sorted(find_segments(db, window), key=lambda one: one.last, reverse=True):
        if newest is not None and segment.last < newest.at:
            break
        rows, past = near.rows(db, layouts, segment, window.end)
        at = int(rows.times[past - 1]) if past else -1
        if at >= window.start and (newest is None or at >= newest.at):
            before = rows.times[max(0, past - _ENOUGH) : past][::-1].tolist()
            columns = layouts.columns(segment.layout)
            newest = NewestRow(at, columns, array("d", rows.values[past - 1]), _spacing(before))
    return newest


def _spacing(newest_first: Sequence[int]) -> int:
    return min((after - before for after, before in pairwise(newest_first)), default=0)


def _from_segments(
    db: Connection, layouts: LayoutTable, window: Window, columns: Sequence[str]
) -> Iterator[Part]:
    for segment in find_segments(db, window):
        wanted = _wanted(layouts, segment.layout, columns)
        if wanted:
            with open_segment(db, layouts, segment) as bundle:
                times = bundle.times()
                there = slice(*times.searchsorted([window.start, window.end]))
                part = {name: bundle.column(place)[there] for name, place in wanted.items()}
            yield times[there], part


def _from_frames(
    db: Connection, layouts: LayoutTable, window: Window, columns: Sequence[str]
) -> Iterator[Part]:
    found = read_frames(db, window.endpoint, window.start, window.end)
    for (stream, layout), (times, values) in found.items():
        wanted = _wanted(layouts, layout, columns) if stream == window.stream else {}
        if wanted:
            yield times, {name: values[:, place] for name, place in wanted.items()}


def _wanted(layouts: LayoutTable, layout: int, columns: Sequence[str]) -> dict[str, int]:
    places = layouts.places(layout)
    return {name: places[name] for name in columns if name in places}
