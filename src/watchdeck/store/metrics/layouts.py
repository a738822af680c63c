"""Layouts: the column names that many frames share, kept once."""

from __future__ import annotations

import json
from sqlite3 import Connection

from watchdeck.domain.metrics.series import Layout, Series, SeriesType

_ADD = """
insert into layout (digest, columns, cumulative) values (:digest, :columns, :cumulative)
on conflict (digest) do nothing
"""
_ID = "select id from layout where digest = :digest"
_COLUMNS = "select columns from layout where id = :layout"
_CUMULATIVE = "select cumulative from layout where id = :layout"

_FORGET = """
delete from layout where id not in (
    select layout from frame union select layout from segment
    union select layout from rollup union select layout from latest
)
"""


class LayoutTable:
    """The layouts of one store, remembered by one connection."""

    def __init__(self, db: Connection) -> None:
        self._db = db
        self._ids: dict[bytes, int] = {}
        self._columns: dict[int, tuple[str, ...]] = {}
        self._places: dict[int, dict[str, int]] = {}

    def id_of(self, layout: Layout) -> int:
        """The number of a layout, given when it is new; inside the caller's transaction."""
        digest = layout.digest
        if digest not in self._ids:
            self._db.execute(_ADD, {"digest": digest} | _described(layout))
            ((number,),) = self._db.execute(_ID, {"digest": digest}).fetchall()
            self._ids[digest] = number
        return self._ids[digest]

    def forget(self) -> None:
        """Remember nothing: a transaction that gave numbers was rolled back, or took some away."""
        self._ids.clear()
        self._columns.clear()
        self._places.clear()

    def columns(self, number: int) -> tuple[str, ...]:
        """The column names of a layout, in the order of a frame's values."""
        if number not in self._columns:
            ((text,),) = self._db.execute(_COLUMNS, {"layout": number}).fetchall()
            self._columns[number] = tuple(json.loads(text))
        return self._columns[number]

    def places(self, number: int) -> dict[str, int]:
        """Where each column of a layout stands."""
        if number not in self._places:
            columns = self.columns(number)
            self._places[number] = {name: place for place, name in enumerate(columns)}
        return self._places[number]

    def cumulative(self, number: int) -> bytes:
        """A byte for each column of a layout: 1 when its values only go up, until a reset."""
        ((flags,),) = self._db.execute(_CUMULATIVE, {"layout": number}).fetchall()
        return bytes(flags)


def forget_layouts(db: Connection) -> int:
    """Delete the layouts that nothing has any more, inside the caller's transaction.

    Whoever remembers layouts must forget them then. It reads every row's head: some times a day.
    """
    return db.execute(_FORGET).rowcount


def _described(layout: Layout) -> dict[str, str | bytes]:
    return {
        "columns": json.dumps([str(series) for series in layout.series]),
        "cumulative": cumulative(layout),
    }


def cumulative(layout: Layout) -> bytes:
    """A byte for each column: 1 when its values only go up, until a reset."""
    return bytes(map(_goes_up, layout.series))


def _goes_up(series: Series) -> bool:
    if series.type is SeriesType.SUMMARY:
        return series.name.endswith(("_sum", "_count"))
    return series.type in (SeriesType.COUNTER, SeriesType.HISTOGRAM)
