"""Frames: the values of one scrape as one blob, found by endpoint, time and stream."""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterable, Iterator
from enum import IntEnum
from sqlite3 import Connection

from watchdeck.domain.scrape import Frame
from watchdeck.domain.series import Layout

_ENDPOINT_SHIFT = 43
_LAST_MOMENT = (1 << 42) - 1

_ADD_LAYOUT = """
insert into layout (digest, columns) values (:digest, :columns)
on conflict (digest) do nothing
"""
_LAYOUT_ID = "select id from layout where digest = :digest"
_COLUMNS = "select columns from layout where id = :layout"
_ADD_FRAME = """
insert into frame (k, layout, v) values (:k, :layout, :v)
on conflict (k) do update set layout = excluded.layout, v = excluded.v
"""
_BETWEEN = "select k, layout, v from frame where k >= :first and k < :past order by k"
_NEWEST = "select k, layout, v from frame where k >= :first and k < :past and (k & 1) = :stream \
order by k desc limit 1"
_FORGET = """
delete from frame
where k in (select k from frame where k >= :first and k < :past order by k limit :most)
"""


class Stream(IntEnum):
    """The two frames of a scrape; the number is the last bit of a frame's key."""

    SERIES = 0
    SIGNALS = 1


def key(endpoint: int, at: int, stream: int = 0) -> int:
    """A frame's key: 20 bits of endpoint, 42 of time in ms UTC, one of stream.

    One endpoint's frames lie together, in the order of time; the scrape's true time is in the key.
    """
    return endpoint << _ENDPOINT_SHIFT | min(max(at, 0), _LAST_MOMENT) << 1 | stream


def moment(k: int) -> int:
    """The time (ms UTC) in a frame's key."""
    return k >> 1 & _LAST_MOMENT


class Layouts:
    """The layouts of one store, remembered by one connection."""

    def __init__(self, db: Connection) -> None:
        self._db = db
        self._ids: dict[bytes, int] = {}
        self._columns: dict[int, tuple[str, ...]] = {}

    def id_of(self, layout: Layout) -> int:
        """The number of a layout, given when it is new; inside the caller's transaction."""
        digest = layout.digest
        if digest not in self._ids:
            columns = json.dumps([str(series) for series in layout.series])
            self._db.execute(_ADD_LAYOUT, {"digest": digest, "columns": columns})
            ((number,),) = self._db.execute(_LAYOUT_ID, {"digest": digest}).fetchall()
            self._ids[digest] = number
        return self._ids[digest]

    def forget(self) -> None:
        """Remember nothing: a transaction that gave numbers was rolled back."""
        self._ids.clear()

    def columns(self, number: int) -> tuple[str, ...]:
        """The column names of a layout, in the order of a frame's values."""
        if number not in self._columns:
            ((text,),) = self._db.execute(_COLUMNS, {"layout": number}).fetchall()
            self._columns[number] = tuple(json.loads(text))
        return self._columns[number]


def values_of(blob: bytes) -> array[float]:
    """The float64 values of a blob."""
    return array("d", blob)


def add_frame(
    db: Connection, layouts: Layouts, endpoint: int, at: int, stream: Stream, frame: Frame
) -> None:
    """Keep a frame, inside the caller's transaction; the same key twice is one frame."""
    row = {
        "k": key(endpoint, at, stream),
        "layout": layouts.id_of(frame.layout),
        "v": frame.values.tobytes(),
    }
    db.execute(_ADD_FRAME, row)


def read_frames(
    db: Connection, endpoint: int, stream: Stream, start: int, end: int
) -> Iterator[tuple[int, int, bytes]]:
    """Time, layout and blob of every frame from `start` until before `end`, oldest first.

    All rows are fetched at once: an unfinished cursor would keep the WAL from shrinking.
    """
    bounds = {"first": key(endpoint, start), "past": key(endpoint, end)}
    for k, layout, blob in db.execute(_BETWEEN, bounds).fetchall():
        if k & 1 == stream:
            yield moment(k), layout, blob


def newest_frame(
    db: Connection, endpoint: int, stream: Stream, start: int, end: int
) -> tuple[int, int, bytes] | None:
    """The newest frame from `start` until before `end`; None when there is none."""
    bounds = {"first": key(endpoint, start), "past": key(endpoint, end), "stream": stream}
    row = db.execute(_NEWEST, bounds).fetchone()
    return None if row is None else (moment(row[0]), row[1], row[2])


def forget_frames(db: Connection, endpoints: Iterable[int], before: int, most: int) -> int:
    """Delete up to `most` frames older than `before`; returns how many went."""
    gone = 0
    for endpoint in endpoints:
        bounds = {"first": key(endpoint, 0), "past": key(endpoint, before), "most": most - gone}
        gone += db.execute(_FORGET, bounds).rowcount
        if gone >= most:
            break
    return gone
