"""Columns as they were scraped, from the frames of the last hour and the segments before it."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import replace
from sqlite3 import Connection
from typing import TYPE_CHECKING

from watchdeck.store.frames import Window, key, moment, newest_frame, read_frames, values_of
from watchdeck.store.layouts import Layouts
from watchdeck.store.segments import find_segments, in_order, opened, whole

if TYPE_CHECKING:
    from watchdeck.store.bundle import Floats, Integers

    Part = tuple[Integers, dict[str, Floats]]

_FIRST_SEGMENT = "select min(first) from segment where endpoint = :endpoint and stream = :stream"
_FIRST_FRAME = "select min(k) from frame where k >= :first and k < :past"


def read_exact(
    db: Connection, layouts: Layouts, window: Window, columns: Sequence[str]
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


def newest_row(
    db: Connection, layouts: Layouts, window: Window
) -> tuple[int, tuple[str, ...], array[float]] | None:
    """Time, columns and values of the newest scrape within a window; None when there is none."""
    frame = newest_frame(db, window)
    later = window if frame is None else replace(window, start=frame[0] + 1)
    found = _newest_packed(db, layouts, later)
    if found is not None or frame is None:
        return found
    at, layout, blob = frame
    return at, layouts.columns(layout), values_of(blob)


def _newest_packed(
    db: Connection, layouts: Layouts, window: Window
) -> tuple[int, tuple[str, ...], array[float]] | None:
    newest = None
    for segment in find_segments(db, window):
        bundle = whole(db, layouts, segment)
        times = bundle.times()
        place = int(times.searchsorted(window.end)) - 1
        at = int(times[place]) if place >= 0 else -1
        if at >= window.start and (newest is None or at >= newest[0]):
            newest = at, layouts.columns(segment.layout), bundle, place
    if newest is None:
        return None
    at, columns, bundle, place = newest
    return at, columns, array("d", (bundle.column(n)[place] for n in range(len(columns))))


def _from_segments(
    db: Connection, layouts: Layouts, window: Window, columns: Sequence[str]
) -> Iterator[Part]:
    for segment in find_segments(db, window):
        wanted = _wanted(layouts, segment.layout, columns)
        if wanted:
            with opened(db, layouts, segment) as bundle:
                times = bundle.times()
                there = slice(*times.searchsorted([window.start, window.end]))
                part = {name: bundle.column(place)[there] for name, place in wanted.items()}
            yield times[there], part


def _from_frames(
    db: Connection, layouts: Layouts, window: Window, columns: Sequence[str]
) -> Iterator[Part]:
    found = read_frames(db, window.endpoint, window.start, window.end)
    for (stream, layout), (times, values) in found.items():
        wanted = _wanted(layouts, layout, columns) if stream == window.stream else {}
        if wanted:
            yield times, {name: values[:, place] for name, place in wanted.items()}


def _wanted(layouts: Layouts, layout: int, columns: Sequence[str]) -> dict[str, int]:
    places = layouts.places(layout)
    return {name: places[name] for name in columns if name in places}
