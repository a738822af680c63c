"""Frames: the values of one scrape as one blob, and the layouts that name their columns."""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterable
from enum import IntEnum
from sqlite3 import Connection
from typing import TYPE_CHECKING

from msgspec import Struct

from watchdeck.domain.metrics.scrape import Frame
from watchdeck.domain.metrics.series import Layout, Series, SeriesType

if TYPE_CHECKING:
    from watchdeck.store.metrics.codec import Floats, Integers

_INSERT_LAYOUT = """
insert into layout (digest, columns, cumulative) values (:digest, :columns, :cumulative)
on conflict (digest) do nothing
"""
_LAYOUT_ID = "select id from layout where digest = :digest"
_COLUMNS = "select columns from layout where id = :layout"
_CUMULATIVE = "select cumulative from layout where id = :layout"

_FORGET_LAYOUTS = """
delete from layout where id not in (
    select layout from frame union select layout from segment
    union select layout from rollup union select layout from latest
)
"""


class LayoutTable:
    """The layouts of one store, cached for one connection.

    A layout is the list of columns of a scrape; it is stored once and shared by many scrapes.
    """

    def __init__(self, db: Connection) -> None:
        self._db = db
        self._ids: dict[bytes, int] = {}
        self._columns: dict[int, tuple[str, ...]] = {}
        self._positions: dict[int, dict[str, int]] = {}

    def id_of(self, layout: Layout) -> int:
        """Return the id of a layout; an unknown one is inserted in the caller's transaction."""
        digest = layout.digest
        if digest not in self._ids:
            self._db.execute(_INSERT_LAYOUT, {"digest": digest} | _layout_row(layout))
            ((number,),) = self._db.execute(_LAYOUT_ID, {"digest": digest}).fetchall()
            self._ids[digest] = number
        return self._ids[digest]

    def forget(self) -> None:
        """Empty the cache; call it after a rollback of new layouts or a deletion of old ones."""
        self._ids.clear()
        self._columns.clear()
        self._positions.clear()

    def columns(self, number: int) -> tuple[str, ...]:
        """The column names of the layout with this id, in the order of a scrape's values."""
        if number not in self._columns:
            ((text,),) = self._db.execute(_COLUMNS, {"layout": number}).fetchall()
            self._columns[number] = tuple(json.loads(text))
        return self._columns[number]

    def positions(self, number: int) -> dict[str, int]:
        """The index of each column of the layout with this id, by column name."""
        if number not in self._positions:
            columns = self.columns(number)
            self._positions[number] = {name: place for place, name in enumerate(columns)}
        return self._positions[number]

    def cumulative_flags(self, number: int) -> bytes:
        """A byte for each column of the layout with this id, as `cumulative_flags` returns them."""
        ((flags,),) = self._db.execute(_CUMULATIVE, {"layout": number}).fetchall()
        return bytes(flags)


def delete_unused_layouts(db: Connection) -> int:
    """Delete layouts that no row uses, in the caller's transaction; returns how many.

    The search scans whole tables, so call it only a few times a day; then call `forget` of every
    LayoutTable.
    """
    return db.execute(_FORGET_LAYOUTS).rowcount


def _layout_row(layout: Layout) -> dict[str, str | bytes]:
    return {
        "columns": json.dumps([str(series) for series in layout.series]),
        "cumulative": cumulative_flags(layout),
    }


def cumulative_flags(layout: Layout) -> bytes:
    """A byte for each column of a layout: 1 if its values only rise, except at a reset; else 0."""
    return bytes(map(_is_cumulative, layout.series))


def _is_cumulative(series: Series) -> bool:
    if series.type is SeriesType.SUMMARY:
        return series.name.endswith(("_sum", "_count"))
    return series.type in (SeriesType.COUNTER, SeriesType.HISTOGRAM)


_ENDPOINT_SHIFT = 43

_LAST_MOMENT = (1 << 42) - 1

_INSERT_FRAME = """
insert into frame (k, layout, v) values (:k, :layout, :v)
on conflict (k) do update set layout = excluded.layout, v = excluded.v
"""

_BETWEEN = "select k, layout, v from frame where k >= :first and k < :past \
and (:stream is null or (k & 1) = :stream) order by k"

_NEWEST = "select k, layout, v from frame where k >= :first and k < :past and (k & 1) = :stream \
order by k desc limit :most"

_REMOVE = "delete from frame where k >= :first and k < :past"

_FORGET_FRAMES = """
delete from frame
where k in (select k from frame where k >= :first and k < :past order by k limit :most)
"""


class Stream(IntEnum):
    """The two kinds of values of a scrape: its raw series, and the signals derived from them.

    Each is stored as a row of its own, a frame; the number is the last bit of the frame's key.
    """

    SERIES = 0
    SIGNALS = 1


class StreamWindow(Struct, frozen=True):
    """One stream of one endpoint, from `start` until before `end` (ms UTC)."""

    endpoint: int
    stream: Stream
    start: int
    end: int


def frame_key(endpoint: int, at: int, stream: int = 0) -> int:
    """The key of a frame: 20 bits of endpoint id, 42 of time (ms UTC), one of stream.

    A frame is the stored values of one scrape. Those of one endpoint are adjacent on disk, in the
    order of time.
    """
    return endpoint << _ENDPOINT_SHIFT | min(max(at, 0), _LAST_MOMENT) << 1 | stream


def frame_time(k: int) -> int:
    """The time (ms UTC) in a frame's key."""
    return k >> 1 & _LAST_MOMENT


def decode_values(blob: bytes) -> array[float]:
    """The float64 values of a frame's blob."""
    return array("d", blob)


def add_frame(
    db: Connection, layouts: LayoutTable, endpoint: int, at: int, stream: Stream, frame: Frame
) -> None:
    """Store the values of a scrape at `at` (ms UTC), in the caller's transaction.

    They replace those of the same endpoint, time and stream.
    """
    row = {
        "k": frame_key(endpoint, at, stream),
        "layout": layouts.id_of(frame.layout),
        "v": frame.values.tobytes(),
    }
    db.execute(_INSERT_FRAME, row)


def read_frames(
    db: Connection, endpoint: int, start: int, end: int, stream: Stream | None = None
) -> dict[tuple[int, int], tuple[Integers, Floats]]:
    """Times and values of an endpoint's frames, by stream and layout id.

    From `start` until before `end` (ms UTC), of one stream or of both. All rows are fetched at
    once: an unfinished cursor would keep the WAL from shrinking.
    """
    import numpy as np

    bounds = {
        "first": frame_key(endpoint, start),
        "past": frame_key(endpoint, end),
        "stream": stream,
    }
    rows: dict[tuple[int, int], list[tuple[int, bytes]]] = {}
    for k, layout, blob in db.execute(_BETWEEN, bounds).fetchall():
        rows.setdefault((k & 1, layout), []).append((frame_time(k), blob))
    return {
        place: (
            np.array([time for time, _ in found], np.int64),
            np.frombuffer(b"".join(blob for _, blob in found)).reshape(len(found), -1),
        )
        for place, found in rows.items()
    }


def newest_frames(db: Connection, window: StreamWindow, most: int) -> list[tuple[int, int, bytes]]:
    """Time, layout id and blob of at most `most` frames inside a window, newest first."""
    bounds = {
        "first": frame_key(window.endpoint, window.start),
        "past": frame_key(window.endpoint, window.end),
        "stream": int(window.stream),
        "most": most,
    }
    return [(frame_time(k), layout, v) for k, layout, v in db.execute(_NEWEST, bounds).fetchall()]


def delete_frames(db: Connection, endpoint: int, start: int, end: int) -> None:
    """Delete the frames from `start` until before `end` (ms UTC), in the caller's transaction.

    Frames of both streams, series and signals, are deleted.
    """
    db.execute(_REMOVE, {"first": frame_key(endpoint, start), "past": frame_key(endpoint, end)})


def delete_old_frames(db: Connection, endpoints: Iterable[int], before: int, most: int) -> int:
    """Delete frames older than `before` (ms UTC), up to `most` in total; returns how many."""
    gone = 0
    for endpoint in endpoints:
        bounds = {
            "first": frame_key(endpoint, 0),
            "past": frame_key(endpoint, before),
            "most": most - gone,
        }
        gone += db.execute(_FORGET_FRAMES, bounds).rowcount
        if gone >= most:
            break
    return gone
