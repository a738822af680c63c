"""History in bulk: days of scrapes packed at once, in any process, and written by one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from sqlite3 import Connection
from typing import TYPE_CHECKING

from msgspec import Struct

from watchdeck.domain.metrics.series import Layout
from watchdeck.store.metrics.frames import Stream
from watchdeck.store.metrics.hourly import DAY, HourlyAggregate, aggregate
from watchdeck.store.metrics.latest import endpoints
from watchdeck.store.metrics.layouts import LayoutTable, cumulative
from watchdeck.store.metrics.rollups import add_rollup, pack_hours
from watchdeck.store.metrics.segments import Packed, SegmentPeriod, add_segment, packed

if TYPE_CHECKING:
    from watchdeck.store.metrics.column_blob import Floats, Integers


class Stretch(Struct, frozen=True):
    """Scrapes of one endpoint and stream with one layout.

    `times` are in ms UTC and ascend; `values` has a row for each, a column for each series.
    """

    endpoint: str
    stream: Stream
    layout: Layout
    times: Integers
    values: Floats


class Encoded(Struct, frozen=True):
    """A stretch as it will be kept; it can travel from a process to another."""

    endpoint: str
    stream: Stream
    layout: Layout
    days: tuple[Packed, ...]
    rollups: tuple[tuple[HourlyAggregate, int, Packed], ...]


def encode(stretch: Stretch) -> Encoded:
    """Pack a stretch, the most of the work; nothing is read or written.

    What a counter rose by from an earlier stretch is in neither: give whole months at once.
    """
    import numpy as np

    times, values = stretch.times, stretch.values
    whole = int(times.searchsorted(_end_of_days(times)))
    unknown = np.full(len(stretch.layout), np.nan)
    rolled = (
        aggregate(times[:whole], values[:whole], unknown, cumulative(stretch.layout))
        if whole
        else {}
    )
    return Encoded(
        stretch.endpoint,
        stretch.stream,
        stretch.layout,
        tuple(_days(times, values)),
        tuple(pack_hours(rolled)),
    )


def _end_of_days(times: Integers) -> int:
    """The end of the last whole day: hours of one that goes on are rolled up when it is over."""
    step = int(times[-1] - times[-2]) if len(times) > 1 else 0
    return (int(times[-1]) + step) // DAY * DAY


def _days(times: Integers, values: Floats) -> Iterator[Packed]:
    import numpy as np

    _, starts = np.unique(times // DAY, return_index=True)
    for start, end in zip(starts, [*starts[1:], len(times)], strict=True):
        yield packed(times[start:end], values[start:end])


def insert(db: Connection, encoded: Iterable[Encoded]) -> None:
    """Keep packed stretches of endpoints that are registered, inside the caller's transaction.

    Raises KeyError for an endpoint that is not.
    """
    numbers = {name: number for number, name in endpoints(db)}
    layouts = LayoutTable(db)
    for one in encoded:
        endpoint, layout = numbers[one.endpoint], layouts.id_of(one.layout)
        for day in one.days:
            add_segment(db, endpoint, one.stream, SegmentPeriod.DAY, layout, day)
        for row in one.rollups:
            add_rollup(db, endpoint, one.stream, layout, len(one.layout), row)
