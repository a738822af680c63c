"""Frames: the values of one scrape as one blob, found by endpoint, time and stream."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from enum import IntEnum
from sqlite3 import Connection
from typing import TYPE_CHECKING

from msgspec import Struct

from watchdeck.domain.metrics.scrape import Frame
from watchdeck.store.metrics.layouts import LayoutTable

if TYPE_CHECKING:
    from watchdeck.store.metrics.column_blob import Floats, Integers

_ENDPOINT_SHIFT = 43
_LAST_MOMENT = (1 << 42) - 1

_ADD_FRAME = """
insert into frame (k, layout, v) values (:k, :layout, :v)
on conflict (k) do update set layout = excluded.layout, v = excluded.v
"""
_BETWEEN = "select k, layout, v from frame where k >= :first and k < :past order by k"
_NEWEST = "select k, layout, v from frame where k >= :first and k < :past and (k & 1) = :stream \
order by k desc limit :most"
_REMOVE = "delete from frame where k >= :first and k < :past"
_FORGET = """
delete from frame
where k in (select k from frame where k >= :first and k < :past order by k limit :most)
"""


class Stream(IntEnum):
    """The two frames of a scrape; the number is the last bit of a frame's key."""

    SERIES = 0
    SIGNALS = 1


class Window(Struct, frozen=True):
    """One stream of one endpoint from `start` until before `end` (ms UTC)."""

    endpoint: int
    stream: Stream
    start: int
    end: int


def key(endpoint: int, at: int, stream: int = 0) -> int:
    """A frame's key: 20 bits of endpoint, 42 of time in ms UTC, one of stream.

    One endpoint's frames lie together, in the order of time; the scrape's true time is in the key.
    """
    return endpoint << _ENDPOINT_SHIFT | min(max(at, 0), _LAST_MOMENT) << 1 | stream


def moment(k: int) -> int:
    """The time (ms UTC) in a frame's key."""
    return k >> 1 & _LAST_MOMENT


def values_of(blob: bytes) -> array[float]:
    """The float64 values of a blob."""
    return array("d", blob)


def add_frame(
    db: Connection, layouts: LayoutTable, endpoint: int, at: int, stream: Stream, frame: Frame
) -> None:
    """Keep a frame, inside the caller's transaction; the same key twice is one frame."""
    row = {
        "k": key(endpoint, at, stream),
        "layout": layouts.id_of(frame.layout),
        "v": frame.values.tobytes(),
    }
    db.execute(_ADD_FRAME, row)


def read_frames(
    db: Connection, endpoint: int, start: int, end: int
) -> dict[tuple[int, int], tuple[Integers, Floats]]:
    """Times and values by stream and layout of an endpoint's frames within a window (ms UTC).

    All rows are fetched at once: an unfinished cursor would keep the WAL from shrinking.
    """
    import numpy as np

    bounds = {"first": key(endpoint, start), "past": key(endpoint, end)}
    rows: dict[tuple[int, int], list[tuple[int, bytes]]] = {}
    for k, layout, blob in db.execute(_BETWEEN, bounds).fetchall():
        rows.setdefault((k & 1, layout), []).append((moment(k), blob))
    return {
        place: (
            np.array([time for time, _ in found], np.int64),
            np.frombuffer(b"".join(blob for _, blob in found)).reshape(len(found), -1),
        )
        for place, found in rows.items()
    }


def newest_frames(db: Connection, window: Window, most: int) -> list[tuple[int, int, bytes]]:
    """Time, layout and blob of the newest frames within a window, the newest first."""
    bounds = {
        "first": key(window.endpoint, window.start),
        "past": key(window.endpoint, window.end),
        "stream": int(window.stream),
        "most": most,
    }
    return [(moment(k), layout, v) for k, layout, v in db.execute(_NEWEST, bounds).fetchall()]


def remove_frames(db: Connection, endpoint: int, start: int, end: int) -> None:
    """Delete the frames of both streams within a window, inside the caller's transaction."""
    db.execute(_REMOVE, {"first": key(endpoint, start), "past": key(endpoint, end)})


def forget_frames(db: Connection, endpoints: Iterable[int], before: int, most: int) -> int:
    """Delete up to `most` frames older than `before`; returns how many went."""
    gone = 0
    for endpoint in endpoints:
        bounds = {"first": key(endpoint, 0), "past": key(endpoint, before), "most": most - gone}
        gone += db.execute(_FORGET, bounds).rowcount
        if gone >= most:
            break
    return gone
