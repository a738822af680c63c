"""The table of rollups: one row for a field of all columns of a layout over thirty days."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from sqlite3 import Connection
from typing import TYPE_CHECKING

from msgspec.structs import asdict

from watchdeck.store.metrics.column_blob import ColumnBlob, unpacked
from watchdeck.store.metrics.frames import Stream, Window
from watchdeck.store.metrics.hourly import (
    HOUR,
    PERIOD,
    HourlyAggregate,
    HourlyField,
    combined,
    forward_fill,
    periods,
)
from watchdeck.store.metrics.layouts import LayoutTable
from watchdeck.store.metrics.segments import Packed, in_order, packed

if TYPE_CHECKING:
    from watchdeck.store.metrics.column_blob import Floats

_ADD = """
insert into rollup (endpoint, stream, period, layout, field, count, b)
values (:endpoint, :stream, :period, :layout, :field, :count, :b)
on conflict (endpoint, stream, period, layout, field)
do update set count = excluded.count, b = excluded.b
"""
_ROW = """
select count, b from rollup where endpoint = :endpoint and stream = :stream
and period = :period and layout = :layout and field = :field
"""
_BEFORE = f"""
select count, b from rollup where endpoint = :endpoint and stream = :stream
and layout = :layout and field = :field and period > :start - 2 * {PERIOD} and period < :start
order by period
"""
_BETWEEN = f"""
select layout, count, b from rollup where endpoint = :endpoint and stream = :stream
and field = :field and period > :start - {PERIOD} and period < :end order by period, layout
"""
_NEWEST = """
select layout, count, b from rollup where endpoint = :endpoint and stream = :stream
and field = :field and period = (
    select max(period) from rollup where endpoint = :endpoint and stream = :stream
)
"""


def pack_hours(
    rolled: Mapping[HourlyAggregate, HourlyField],
) -> Iterator[tuple[HourlyAggregate, int, Packed]]:
    """The rows that these hours make: field, beginning of the period (ms UTC), what is kept."""
    for field, hours in rolled.items():
        for period, part in periods(hours):
            yield field, period, packed(part.times, part.values)


def add_rollup(
    db: Connection,
    endpoint: int,
    stream: int,
    layout: int,
    columns: int,
    row: tuple[HourlyAggregate, int, Packed],
) -> None:
    """Keep hours, inside the caller's transaction; an hour that was there is replaced."""
    field, period, fresh = row
    place = {"endpoint": endpoint, "stream": stream, "layout": layout}
    place |= {"period": period, "field": int(field)}
    there = db.execute(_ROW, place).fetchone()
    kept = (
        fresh if there is None else _joined(unpacked(there[1], columns, there[0]), fresh, columns)
    )
    db.execute(_ADD, place | {"count": kept.count, "b": kept.b})


def _joined(there: ColumnBlob, fresh: Packed, columns: int) -> Packed:
    more = unpacked(fresh.b, columns, fresh.count)
    return packed(*in_order([there.times(), more.times()], [there.matrix(), more.matrix()]))


def before(
    db: Connection, endpoint: int, stream: int, layout: int, columns: int, start: int
) -> Floats:
    """The last value of each column before `start`, as far as a period back; else NaN."""
    import numpy as np

    place = {"endpoint": endpoint, "stream": stream, "layout": layout, "start": start}
    known = np.full((1, columns), np.nan)
    for count, blob in db.execute(_BEFORE, place | {"field": int(HourlyAggregate.LAST)}).fetchall():
        bundle = unpacked(blob, columns, count)
        rows = bundle.matrix()[bundle.times() < start]
        known = forward_fill(np.vstack([known, rows]))[-1:]
    last: Floats = known[0]
    return last


def read_hours(
    db: Connection,
    layouts: LayoutTable,
    window: Window,
    columns: Sequence[str],
    field: HourlyAggregate,
) -> dict[str, HourlyField]:
    """One field of the columns that have it, in the hours that begin within a window."""
    found: dict[str, list[HourlyField]] = {}
    rows = db.execute(_BETWEEN, asdict(window) | {"field": int(field)}).fetchall()
    for layout, count, blob in rows:
        places = layouts.places(layout)
        bundle = unpacked(blob, len(places), count)
        times = bundle.times()
        there = (times >= window.start) & (times < window.end)
        for column in columns:
            if column in places:
                part = HourlyField(times[there], bundle.column(places[column])[there])
                found.setdefault(column, []).append(part)
    return {column: combined(field, parts) for column, parts in found.items()}


def rolled_until(db: Connection, layouts: LayoutTable, endpoint: int, stream: Stream) -> int:
    """The end of the newest hour that was rolled up (ms UTC); 0 when none was."""
    place = {"endpoint": endpoint, "stream": int(stream), "field": int(HourlyAggregate.COUNT)}
    newest = 0
    for layout, count, blob in db.execute(_NEWEST, place).fetchall():
        times = unpacked(blob, len(layouts.columns(layout)), count).times()
        newest = max(newest, int(times[-1]) + HOUR)
    return newest
