"""Values as they were scraped, from the frames of the last hour and the segments before it."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from itertools import pairwise
from sqlite3 import Connection
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from watchdeck.store.metrics.frames import (
    LayoutTable,
    Stream,
    StreamWindow,
    decode_values,
    frame_key,
    frame_time,
    newest_frames,
    read_frames,
)
from watchdeck.store.metrics.segments import (
    DAY,
    HOUR,
    SegmentCache,
    find_segments,
    load_segment,
    merge_by_time,
    open_segment,
)

if TYPE_CHECKING:
    from watchdeck.store.metrics.codec import Floats, Integers

    Part = tuple[Integers, dict[str, Floats]]

_FIRST_SEGMENT = "select min(first) from segment where endpoint = :endpoint and stream = :stream"
_FIRST_FRAME = "select min(k) from frame where k >= :first and k < :past"


def read_raw(
    db: Connection, layouts: LayoutTable, window: StreamWindow, columns: Sequence[str]
) -> dict[str, tuple[Integers, Floats]]:
    """Times (ms UTC) and values inside a window, by column; a column without any is absent."""
    found: dict[str, tuple[list[Integers], list[Floats]]] = {}
    for source in (_segment_parts, _frame_parts):
        for times, parts in source(db, layouts, window, columns):
            for column, part in parts.items():
                parts_of_column = found.setdefault(column, ([], []))
                parts_of_column[0].append(times)
                parts_of_column[1].append(part)
    return {column: merge_by_time(*parts_of_column) for column, parts_of_column in found.items()}


def read_oldest_time(db: Connection, window: StreamWindow) -> int | None:
    """The time (ms UTC) of an endpoint's oldest stored scrape; None when there is none.

    Of `window` only the endpoint and stream are used: scrapes before its start count too.
    """
    place = {"endpoint": window.endpoint, "stream": int(window.stream)}
    bounds = {"first": frame_key(window.endpoint, 0), "past": frame_key(window.endpoint + 1, 0)}
    (segment,) = db.execute(_FIRST_SEGMENT, place).fetchone()
    (frame,) = db.execute(_FIRST_FRAME, bounds).fetchone()
    return min((t for t in (segment, frame and frame_time(frame)) if t is not None), default=None)


class NewestRow(Struct, frozen=True):
    """The newest scrape of an endpoint, and the interval between its last few scrapes."""

    at: int
    """Time of the scrape (ms UTC)."""
    columns: tuple[str, ...]
    values: array[float]
    interval: int
    """Shortest interval between the last few scrapes (ms); 0 when unknown."""


def read_newest_row(
    db: Connection, layouts: LayoutTable, window: StreamWindow, cache: SegmentCache | None = None
) -> NewestRow | None:
    """The newest scrape inside a window; None when there is none."""
    frames = newest_frames(db, window, _ENOUGH)
    later = replace(window, start=frames[0][0] + 1) if frames else window
    packed = _newest_in_segments(db, layouts, later, cache or SegmentCache())
    if packed is not None or not frames:
        return packed
    at, layout, blob = frames[0]
    interval = _least_interval([time for time, _, _ in frames])
    return NewestRow(at, layouts.columns(layout), decode_values(blob), interval)


_ENOUGH = 4
"""Scrapes that are read to find the interval: one gap is not the shortest of three distances."""


def _newest_in_segments(
    db: Connection, layouts: LayoutTable, window: StreamWindow, cache: SegmentCache
) -> NewestRow | None:
    """The newest scrape in the segments of a window; None when there is none.

    Segments that end before the newest scrape found so far are not opened.
    """
    newest: NewestRow | None = None
    for segment in sorted(find_segments(db, window), key=lambda one: one.last, reverse=True):
        if newest is not None and segment.last < newest.at:
            break
        rows, past = cache.rows(db, layouts, segment, window.end)
        at = int(rows.times[past - 1]) if past else -1
        if at >= window.start and (newest is None or at >= newest.at):
            before = rows.times[max(0, past - _ENOUGH) : past][::-1].tolist()
            columns = layouts.columns(segment.layout)
            newest = NewestRow(
                at, columns, array("d", rows.values[past - 1]), _least_interval(before)
            )
    return newest


def _least_interval(newest_first: Sequence[int]) -> int:
    return min((after - before for after, before in pairwise(newest_first)), default=0)


def _segment_parts(
    db: Connection, layouts: LayoutTable, window: StreamWindow, columns: Sequence[str]
) -> Iterator[Part]:
    for segment in find_segments(db, window):
        wanted = _positions(layouts, segment.layout, columns)
        if wanted:
            with open_segment(db, layouts, segment) as blob:
                times = blob.times()
                there = slice(*times.searchsorted([window.start, window.end]))
                part = {name: blob.column(place)[there] for name, place in wanted.items()}
            yield times[there], part


def _frame_parts(
    db: Connection, layouts: LayoutTable, window: StreamWindow, columns: Sequence[str]
) -> Iterator[Part]:
    found = read_frames(db, window.endpoint, window.start, window.end, window.stream)
    for (_, layout), (times, values) in found.items():
        wanted = _positions(layouts, layout, columns)
        if wanted:
            yield times, {name: values[:, place] for name, place in wanted.items()}


def _positions(layouts: LayoutTable, layout: int, columns: Sequence[str]) -> dict[str, int]:
    places = layouts.positions(layout)
    return {name: places[name] for name in columns if name in places}


_ENDPOINT_NAMES = "select name from endpoint order by name"

_ENDPOINT = "select id from endpoint where name = :name"

_NEXT_FRAME = "select min(k) from frame where k >= :first and k < :past"

_NEXT_SEGMENT = """
select min(first) from segment
where endpoint = :endpoint and stream = :stream and first >= :start
"""

_STRIDE = {Stream.SERIES: HOUR, Stream.SIGNALS: DAY}
"""Milliseconds of scrapes read at once: an hour of the largest pages at 10 s takes 15 MB."""


class Block(Struct, frozen=True):
    """Scrapes of one layout in the order of time: `values[i]` belong to `times[i]` (ms UTC)."""

    columns: tuple[str, ...]
    times: list[int]
    values: Floats


class Blocks(Struct, frozen=True):
    """The scrapes of one period, an hour or a day, as blocks in the order of time."""

    blocks: list[Block]
    next: int | None
    """Start of the next read (ms UTC); None when nothing is left."""


def read_endpoint_names(db: Connection) -> tuple[str, ...]:
    """The names of all endpoints in the store, retired ones included."""
    return tuple(name for (name,) in db.execute(_ENDPOINT_NAMES).fetchall())


def read_blocks(db: Connection, endpoint: str, stream: Stream, start: int, end: int) -> Blocks:
    """Read the scrapes of the first hour (of series) or day (of signals) that has any.

    Only scrapes from `start` until before `end` (ms UTC) are searched; an unknown endpoint has
    none. To read on, call it again with the `next` of the result as `start`, until that is None. No
    transaction stays open.
    """
    known = db.execute(_ENDPOINT, {"name": endpoint}).fetchone()
    if known is None:
        return Blocks([], None)
    window = StreamWindow(known[0], stream, start, end)
    begin = _find_start(db, window)
    if begin is None:
        return Blocks([], None)
    stride = _STRIDE[stream]
    past = min(begin - begin % stride + stride, end)
    found = list(_layout_runs(db, StreamWindow(known[0], stream, begin, past)))
    return Blocks(found, past if past < end else None)


def _find_start(db: Connection, window: StreamWindow) -> int | None:
    """The first time of a window (ms UTC) at which a scrape may be; None when it is empty."""
    if find_segments(
        db, StreamWindow(window.endpoint, window.stream, window.start, window.start + 1)
    ):
        return window.start
    place = {"endpoint": window.endpoint, "stream": int(window.stream), "start": window.start}
    (segment,) = db.execute(_NEXT_SEGMENT, place).fetchone()
    bounds = {
        "first": frame_key(window.endpoint, window.start),
        "past": frame_key(window.endpoint, window.end),
    }
    (frame,) = db.execute(_NEXT_FRAME, bounds).fetchone()
    moments = [segment, None if frame is None else frame_time(frame)]
    return min((at for at in moments if at is not None and at < window.end), default=None)


def _layout_runs(db: Connection, window: StreamWindow) -> Iterator[Block]:
    """All scrapes of a window, one block for each run of scrapes with the same layout."""
    import numpy as np

    layouts = LayoutTable(db)
    stretches = {
        layout: merge_by_time([times for times, _ in parts], [values for _, values in parts])
        for layout, parts in _parts_by_layout(db, layouts, window).items()
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


def _parts_by_layout(
    db: Connection, layouts: LayoutTable, window: StreamWindow
) -> dict[int, list[tuple[Integers, Floats]]]:
    found: dict[int, list[tuple[Integers, Floats]]] = {}
    for segment in find_segments(db, window):
        blob = load_segment(db, layouts, segment)
        times = blob.times()
        there = slice(*times.searchsorted([window.start, window.end]))
        if there.start < there.stop:
            found.setdefault(segment.layout, []).append((times[there], blob.matrix()[there]))
    frames = read_frames(db, window.endpoint, window.start, window.end, window.stream)
    for (_, layout), stretch in frames.items():
        found.setdefault(layout, []).append(stretch)
    return found
