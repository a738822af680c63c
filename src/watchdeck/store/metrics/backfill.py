"""Backfill: any process packs past scrapes by the day, and the one writer inserts them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from sqlite3 import Connection
from typing import TYPE_CHECKING

from msgspec import Struct

from watchdeck.domain.metrics.series import Layout
from watchdeck.store.metrics.frames import LayoutTable, Stream, cumulative_flags
from watchdeck.store.metrics.latest import read_endpoint_ids
from watchdeck.store.metrics.rollups import HourlyAggregate, add_rollup, aggregate, pack_rollups
from watchdeck.store.metrics.segments import (
    DAY,
    PackedSegment,
    SegmentPeriod,
    add_segment,
    pack_segment,
)

if TYPE_CHECKING:
    from watchdeck.store.metrics.codec import Floats, Integers


class ScrapeHistory(Struct, frozen=True):
    """Past scrapes of one endpoint that have the same columns, either raw series or signals."""

    endpoint: str
    stream: Stream
    layout: Layout
    times: Integers
    """Ascending, in ms UTC."""
    values: Floats
    """One row for each time, one column for each series."""


class PackedHistory(Struct, frozen=True):
    """A ScrapeHistory as compressed days and hourly aggregates, ready to be stored.

    It can be sent to another process.
    """

    endpoint: str
    stream: Stream
    layout: Layout
    days: tuple[PackedSegment, ...]
    rollups: tuple[tuple[HourlyAggregate, int, PackedSegment], ...]
    """Rows as `pack_rollups` returns them."""


def pack_history(history: ScrapeHistory) -> PackedHistory:
    """Compress a history into days and hourly aggregates; needs no database.

    This is most of the work of an import, so it can run in another process. Pass whole months at
    once: how much a counter rose between two histories is not known.
    """
    import numpy as np

    times, values = history.times, history.values
    whole = int(times.searchsorted(_end_of_days(times)))
    unknown = np.full(len(history.layout), np.nan)
    hourly = (
        aggregate(times[:whole], values[:whole], unknown, cumulative_flags(history.layout))
        if whole
        else {}
    )
    return PackedHistory(
        history.endpoint,
        history.stream,
        history.layout,
        tuple(_pack_days(times, values)),
        tuple(pack_rollups(hourly)),
    )


def _end_of_days(times: Integers) -> int:
    """The end of the last whole day (ms UTC): a day gets rollups only when it is over."""
    step = int(times[-1] - times[-2]) if len(times) > 1 else 0
    return (int(times[-1]) + step) // DAY * DAY


def _pack_days(times: Integers, values: Floats) -> Iterator[PackedSegment]:
    import numpy as np

    _, starts = np.unique(times // DAY, return_index=True)
    for start, end in zip(starts, [*starts[1:], len(times)], strict=True):
        yield pack_segment(times[start:end], values[start:end])


def insert_history(db: Connection, histories: Iterable[PackedHistory]) -> None:
    """Store the results of `pack_history`, in the caller's transaction.

    Raises KeyError when an endpoint is not registered.
    """
    numbers = {name: number for number, name in read_endpoint_ids(db)}
    layouts = LayoutTable(db)
    for one in histories:
        endpoint, layout = numbers[one.endpoint], layouts.id_of(one.layout)
        for day in one.days:
            add_segment(db, endpoint, one.stream, SegmentPeriod.DAY, layout, day)
        for row in one.rollups:
            add_rollup(db, endpoint, one.stream, layout, len(one.layout), row)
