"""Stretches of frames with one layout, for whoever reads everything and keeps little in memory."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from itertools import takewhile
from sqlite3 import Connection

from watchdeck.store.frames import Stream, key, moment, values_of
from watchdeck.store.layouts import Layouts

_ENDPOINTS = "select name from endpoint order by name"

_ENDPOINT = "select id from endpoint where name = :name"

_PAGE = """
select k, layout, v from frame
where k >= :first and k < :past and (k & 1) = :stream
order by k limit :most
"""

_MOST = 200
"""Frames in one block: of the largest pages allowed they take 8 MB."""


@dataclass(frozen=True, slots=True)
class Block:
    """Frames of one layout in the order of time: `values[i]` are those of `times[i]` (ms UTC)."""

    columns: tuple[str, ...]
    times: list[int]
    values: list[array[float]]


def endpoint_names(db: Connection) -> tuple[str, ...]:
    """Every endpoint that was ever watched and still has a place in the store."""
    return tuple(name for (name,) in db.execute(_ENDPOINTS).fetchall())


def next_block(db: Connection, endpoint: str, stream: Stream, start: int, end: int) -> Block | None:
    """The first frames from `start` until before `end`; None when there are no more.

    Ask again from just after its last time: nothing is held open in between.
    """
    known = db.execute(_ENDPOINT, {"name": endpoint}).fetchone()
    if known is None:
        return None
    bounds = {"first": key(known[0], start), "past": key(known[0], end)}
    page = db.execute(_PAGE, bounds | {"stream": int(stream), "most": _MOST}).fetchall()
    if not page:
        return None
    layout = page[0][1]
    rows = list(takewhile(lambda row: row[1] == layout, page))
    columns = Layouts(db).columns(layout)
    return Block(columns, [moment(k) for k, _, _ in rows], [values_of(v) for _, _, v in rows])
