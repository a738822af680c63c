"""Stretches of scrapes with one layout, for whoever reads everything and keeps little in memory."""

from __future__ import annotations

from collections.abc import Iterator
from sqlite3 import Connection
from typing import TYPE_CHECKING

from msgspec import Struct

from watchdeck.store.metrics.frames import Stream, Window, key, moment, read_frames
from watchdeck.store.metrics.hourly import DAY, HOUR
from watchdeck.store.metrics.layouts import LayoutTable
from watchdeck.store.metrics.segments import find_segments, in_order, load_segment

if TYPE_CHECKING:
    from watchdeck.store.metrics.column_blob import Floats, Integers

_ENDPOINTS = "select name from endpoint order by name"
_ENDPOINT = "select id from endpoint where name = :name"

_NEXT_FRAME = "select min(k) from frame where k >= :first and k < :past"
_NEXT_SEGMENT = """
select min(first) from segment
where endpoint = :endpoint and stream = :stream and first >= :start
"""

_STRIDE = {Stream.SERIES: HOUR, Stream.SIGNALS: DAY}
"""How much is in memory at once: of the largest pages at 10 s an hour takes 15 MB."""


class Block(Struct, frozen=True):
    """Scrapes of one layout in the order of time: `values[i]` are those of `times[i]` (ms UTC)."""

    columns: tuple[str, ...]
    times: list[int]
    values: Floats


class Blocks(Struct, frozen=True):
    """The blocks of a stretch of time, in its order, and from when the next stretch is to be."""

    found: list[Block]
    next: int | None


def endpoint_names(db: Connection) -> tuple[str, ...]:
    """Every endpoint that was ever watched and still has a place in the store."""
    return tuple(name for (name,) in db.execute(_ENDPOINTS).fetchall())


def next_blocks(db: Connection, endpoint: str, stream: Stream, start: int, end: int) -> Blocks:
    """What lies in the first stretch from `start` on that has anything, and before `end`.

    Ask again from its `next` until that is None: nothing is held open in between.
    """
    known = db.execute(_ENDPOINT, {"name": endpoint}).fetchone()
    if known is None:
        return Blocks([], None)
    window = Window(known[0], stream, start, end)
    begin = _begin(db, window)
    if begin is None:
        return Blocks([], None)
    stride = _STRIDE[stream]
    past = min(begin - begin % stride + stride, end)
    found = list(_runs(db, Window(known[0], stream, begin, past)))
    return Blocks(found, past if past < end else None)


def _begin(db: Connection, window: Window) -> int | None:
    """The first moment of a window from which on something may lie."""
    if find_segments(db, Window(window.endpoint, window.stream, window.start, window.start + 1)):
        return window.start
    place = {"endpoint": window.endpoint, "stream": int(window.stream), "start": window.start}
    (segment,) = db.execute(_NEXT_SEGMENT, place).fetchone()
    bounds = {
        "first": key(window.endpoint, window.start),
        "past": key(window.endpoint, window.end),
    }
    (frame,) = db.execute(_NEXT_FRAME, bounds).fetchone()
    moments = [segment, None if frame is None else moment(frame)]
    return min((at for at in moments if at is not None and at < window.end), default=None)


def _runs(db: Connection, window: Window) -> Iterator[Block]:
    """All of a window, a block for each run of scrapes with the same layout."""
    import numpy as np

    layouts = LayoutTable(db)
    stretches = {
        layout: in_order([times for times, _ in parts], [values for _, values in parts])
        for layout, parts in _parts(db, layouts, window).items()
    }
    if not stretches:
        return
    numbers = list(stretches)
    times = np.concatenate([stretches[number][0] for number in numbers])
    sources = np.repeat(np.arange(len(numbers)), [len(stretches[n][0]) for n in numbers])
    order = np.lexsort((sources, times))
    edges = np.flatnonzero(np.diff(sources[order])) + 1
    taken = dict.fromkeys(numbers, 0)
    for run in np.split(order, edges):
        number = numbers[int(sources[run[0]])]
        at, values = stretches[number]
        there = slice(taken[number], taken[number] + len(run))
        taken[number] = there.stop
        yield Block(layouts.columns(number), at[there].tolist(), values[there])


def _parts(
    db: Connection, layouts: LayoutTable, window: Window
) -> dict[int, list[tuple[Integers, Floats]]]:
    found: dict[int, list[tuple[Integers, Floats]]] = {}
    for segment in find_segments(db, window):
        bundle = load_segment(db, layouts, segment)
        times = bundle.times()
        there = slice(*times.searchsorted([window.start, window.end]))
        if there.start < there.stop:
            found.setdefault(segment.layout, []).append((times[there], bundle.matrix()[there]))
    frames = read_frames(db, window.endpoint, window.start, window.end)
    for (stream, layout), stretch in frames.items():
        if stream == window.stream:
            found.setdefault(layout, []).append(stretch)
    return found
