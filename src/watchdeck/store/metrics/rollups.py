"""Rollups: hourly aggregates of every column; one row holds one aggregate for thirty days."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum
from sqlite3 import Connection
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import asdict

from watchdeck.store.metrics.codec import ColumnBlob, load_blob
from watchdeck.store.metrics.frames import LayoutTable, Stream, StreamWindow
from watchdeck.store.metrics.segments import DAY, HOUR, PackedSegment, merge_by_time, pack_segment

if TYPE_CHECKING:
    from watchdeck.store.metrics.codec import Floats, Integers

PERIOD = 30 * DAY
"""Milliseconds that one row covers: a year of one column then takes a dozen reads."""


class HourlyAggregate(IntEnum):
    """The aggregates of a column over one hour; their numbers are stored in the database."""

    LOW = 0
    HIGH = 1
    TOTAL = 2
    """The sum of all values."""
    COUNT = 3
    """The number of values."""
    LAST = 4
    INCREASE = 5
    """The sum of all rises, beginning with that from the last value before the hour.

    A fall is a reset, and counts as a rise by the whole new value. Columns that are not cumulative
    have NaN.
    """


class HourlyValues(Struct, frozen=True):
    """One aggregate over time: `times` are starts of hours (ms UTC), `values` has a row for each.

    An hour without any value has NaN, or 0 when the aggregate is COUNT.
    """

    times: Integers
    values: Floats


def aggregate(
    times: Integers, values: Floats, before: Floats, cumulative: bytes
) -> dict[HourlyAggregate, HourlyValues]:
    """Aggregate all columns of scrapes by the hour.

    `times` (ms UTC) ascend; `values` has a row for each time, with NaN for an absent value.
    `before` is the last value of each column before the first scrape, NaN where it is unknown.
    `cumulative` is a result of `cumulative_flags`.
    """
    import numpy as np

    hours, starts = np.unique(times // HOUR, return_index=True)
    parts: list[dict[HourlyAggregate, Floats]] = []
    for first, past in _chunks(starts, *values.shape):
        edges = [*starts[first:past], len(times) if past == len(hours) else starts[past]]
        part = values[edges[0] : edges[-1]]
        parts.append(_aggregate_hours(part, np.array(edges[:-1]) - edges[0], before, cumulative))
        before = forward_fill(np.vstack([before, parts[-1][HourlyAggregate.LAST]]))[-1]
    return {
        field: HourlyValues(hours * HOUR, np.concatenate([part[field] for part in parts]))
        for field in parts[0]
    }


def _chunks(starts: Integers, rows: int, columns: int) -> Iterator[tuple[int, int]]:
    """Ranges of hours, as indexes, that fit into the processor's cache: four times as fast."""
    hours = len(starts)
    each = max(1, _CACHED * hours // (rows * max(1, columns)))
    return ((first, min(first + each, hours)) for first in range(0, hours, each))


_CACHED = 1 << 17
"""Values in one range: a megabyte."""


def _aggregate_hours(
    values: Floats, starts: Integers, before: Floats, cumulative: bytes
) -> dict[HourlyAggregate, Floats]:
    import numpy as np

    with np.errstate(invalid="ignore", over="ignore"):  # sums of infinities
        found = {
            HourlyAggregate.LOW: np.fmin.reduceat(values, starts),
            HourlyAggregate.HIGH: np.fmax.reduceat(values, starts),
            HourlyAggregate.TOTAL: _hourly_sums(values, starts),
            HourlyAggregate.COUNT: np.add.reduceat(~np.isnan(values), starts, dtype=np.float64),
            HourlyAggregate.LAST: _hourly_lasts(values, starts),
        }
        if any(cumulative):
            steps = _hourly_sums(_increases(values, before), starts)
            steps[:, ~np.frombuffer(cumulative, np.bool_)] = np.nan
            found[HourlyAggregate.INCREASE] = steps
    return found


def combine_layouts(field: HourlyAggregate, parts: Sequence[HourlyValues]) -> HourlyValues:
    """Join the values of one aggregate from several layouts; an hour is in the result only once."""
    import numpy as np

    if len(parts) == 1:
        return parts[0]
    times = np.concatenate([part.times for part in parts])
    order = np.argsort(times, kind="stable")
    hours, starts = np.unique(times[order], return_index=True)
    values = np.concatenate([part.values for part in parts])[order]
    if field is HourlyAggregate.LOW:
        return HourlyValues(hours, np.fmin.reduceat(values, starts))
    if field is HourlyAggregate.HIGH:
        return HourlyValues(hours, np.fmax.reduceat(values, starts))
    with np.errstate(invalid="ignore", over="ignore"):
        return HourlyValues(
            hours,
            (_hourly_lasts if field is HourlyAggregate.LAST else _hourly_sums)(values, starts),
        )


def split_by_period(hours: HourlyValues) -> Iterator[tuple[int, HourlyValues]]:
    """Split hourly values into stored rows of 30 days: yields start (ms UTC) and values of each."""
    import numpy as np

    numbers = hours.times // PERIOD
    for number in np.unique(numbers):
        there = numbers == number
        yield int(number) * PERIOD, HourlyValues(hours.times[there], hours.values[there])


def forward_fill(values: Floats) -> Floats:
    """Replace each NaN by the last number above it in its column; without one it stays NaN."""
    import numpy as np

    rows = np.where(np.isnan(values), 0, np.arange(len(values))[:, None])
    return np.take_along_axis(values, np.maximum.accumulate(rows, axis=0), axis=0)


def _hourly_sums(values: Floats, starts: Integers) -> Floats:
    import numpy as np

    known = ~np.isnan(values)
    sums: Floats = np.add.reduceat(np.where(known, values, 0.0), starts)
    return np.where(np.logical_or.reduceat(known, starts), sums, np.nan)


def _hourly_lasts(values: Floats, starts: Integers) -> Floats:
    import numpy as np

    numbers = np.arange(len(values)).reshape(-1, *(1,) * (values.ndim - 1))
    rows = np.where(np.isnan(values), -1, numbers)
    last = np.maximum.reduceat(rows, starts)
    return np.where(last < 0, np.nan, np.take_along_axis(values, last, axis=0))


def _increases(values: Floats, before: Floats) -> Floats:
    """The rise of each value above the last known one; after a reset, the whole new value."""
    import numpy as np

    earlier = forward_fill(np.vstack([before, values]))[:-1]
    steps = np.where(values >= earlier, values - earlier, values)
    return np.where(np.isnan(earlier) & ~np.isnan(values), 0.0, steps)


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


def pack_rollups(
    rolled: Mapping[HourlyAggregate, HourlyValues],
) -> Iterator[tuple[HourlyAggregate, int, PackedSegment]]:
    """Yield the rows to store: aggregate, start of their 30 days (ms UTC), packed hours."""
    for field, hours in rolled.items():
        for period, part in split_by_period(hours):
            yield field, period, pack_segment(part.times, part.values)


def add_rollup(
    db: Connection,
    endpoint: int,
    stream: int,
    layout: int,
    columns: int,
    row: tuple[HourlyAggregate, int, PackedSegment],
) -> None:
    """Merge a row of `pack_rollups` into the stored one, in the caller's transaction.

    An hour that is stored already is replaced.
    """
    field, period, new = row
    place = {"endpoint": endpoint, "stream": stream, "layout": layout}
    place |= {"period": period, "field": int(field)}
    stored = db.execute(_ROW, place).fetchone()
    if stored is not None:
        new = _merge(load_blob(stored[1], columns, stored[0]), new, columns)
    db.execute(_ADD, place | {"count": new.count, "b": new.b})


def _merge(stored: ColumnBlob, new: PackedSegment, columns: int) -> PackedSegment:
    more = load_blob(new.b, columns, new.count)
    return pack_segment(
        *merge_by_time([stored.times(), more.times()], [stored.matrix(), more.matrix()])
    )


def read_last_values(
    db: Connection, endpoint: int, stream: int, layout: int, columns: int, start: int
) -> Floats:
    """The last stored value of each column before `start` (ms UTC).

    NaN for a column without any value in the month before.
    """
    import numpy as np

    place = {"endpoint": endpoint, "stream": stream, "layout": layout, "start": start}
    known = np.full((1, columns), np.nan)
    for count, blob in db.execute(_BEFORE, place | {"field": int(HourlyAggregate.LAST)}).fetchall():
        blob_values = load_blob(blob, columns, count)
        rows = blob_values.matrix()[blob_values.times() < start]
        known = forward_fill(np.vstack([known, rows]))[-1:]
    last: Floats = known[0]
    return last


def read_hours(
    db: Connection,
    layouts: LayoutTable,
    window: StreamWindow,
    columns: Sequence[str],
    field: HourlyAggregate,
) -> dict[str, HourlyValues]:
    """The values of one aggregate, by column, for the hours that start inside a window.

    A column that no stored layout has is absent.
    """
    found: dict[str, list[HourlyValues]] = {}
    rows = db.execute(_BETWEEN, asdict(window) | {"field": int(field)}).fetchall()
    for layout, count, blob in rows:
        places = layouts.positions(layout)
        blob_values = load_blob(blob, len(places), count)
        times = blob_values.times()
        there = (times >= window.start) & (times < window.end)
        for column in columns:
            if column in places:
                part = HourlyValues(times[there], blob_values.column(places[column])[there])
                found.setdefault(column, []).append(part)
    return {column: combine_layouts(field, parts) for column, parts in found.items()}


def read_rollup_end(db: Connection, layouts: LayoutTable, endpoint: int, stream: Stream) -> int:
    """The end of the newest hour in the rollups (ms UTC); 0 when there is none."""
    place = {"endpoint": endpoint, "stream": int(stream), "field": int(HourlyAggregate.COUNT)}
    newest = 0
    for layout, count, blob in db.execute(_NEWEST, place).fetchall():
        times = load_blob(blob, len(layouts.columns(layout)), count).times()
        newest = max(newest, int(times[-1]) + HOUR)
    return newest
