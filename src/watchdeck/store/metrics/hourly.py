"""What became of each column in each hour: the arithmetic of rollups."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from watchdeck.store.metrics.column_blob import Floats, Integers

HOUR = 3_600_000
DAY = 24 * HOUR

PERIOD = 30 * DAY
"""One row of rollups holds so many hours: a year of one column is then a dozen reads."""


class HourlyAggregate(IntEnum):
    """What is kept of an hour; the number is stored.

    `increase` is the sum of the steps up of a cumulative column, from its value before the hour; a
    step down is a reset, and counts with the whole new value. It is NaN for other columns.
    """

    LOW = 0
    HIGH = 1
    TOTAL = 2
    COUNT = 3
    LAST = 4
    INCREASE = 5


class HourlyField(Struct, frozen=True):
    """One field over time: `times` are the beginnings of hours (ms UTC), `values` a row for each.

    An hour without any value has NaN, and a count of 0.
    """

    times: Integers
    values: Floats


def aggregate(
    times: Integers, values: Floats, before: Floats, cumulative: bytes
) -> dict[HourlyAggregate, HourlyField]:
    """The hours of a stretch of scrapes, whose times ascend; an absent value is NaN.

    `before` is each column's value before the stretch, NaN where that is not known.
    """
    import numpy as np

    hours, starts = np.unique(times // HOUR, return_index=True)
    parts: list[dict[HourlyAggregate, Floats]] = []
    for first, past in _chunks(starts, *values.shape):
        edges = [*starts[first:past], len(times) if past == len(hours) else starts[past]]
        part = values[edges[0] : edges[-1]]
        parts.append(_rolled(part, np.array(edges[:-1]) - edges[0], before, cumulative))
        before = forward_fill(np.vstack([before, parts[-1][HourlyAggregate.LAST]]))[-1]
    return {
        field: HourlyField(hours * HOUR, np.concatenate([part[field] for part in parts]))
        for field in parts[0]
    }


def _chunks(starts: Integers, rows: int, columns: int) -> Iterator[tuple[int, int]]:
    """Runs of hours that fit into a processor's cache: four times as fast as all at once."""
    hours = len(starts)
    each = max(1, _CACHED * hours // (rows * max(1, columns)))
    return ((first, min(first + each, hours)) for first in range(0, hours, each))


_CACHED = 1 << 17
"""Values: a megabyte of them."""


def _rolled(
    values: Floats, starts: Integers, before: Floats, cumulative: bytes
) -> dict[HourlyAggregate, Floats]:
    import numpy as np

    with np.errstate(invalid="ignore", over="ignore"):  # of infinities there is no sum
        found = {
            HourlyAggregate.LOW: np.fmin.reduceat(values, starts),
            HourlyAggregate.HIGH: np.fmax.reduceat(values, starts),
            HourlyAggregate.TOTAL: _sum(values, starts),
            HourlyAggregate.COUNT: np.add.reduceat(~np.isnan(values), starts, dtype=np.float64),
            HourlyAggregate.LAST: _last(values, starts),
        }
        if any(cumulative):
            steps = _sum(_steps(values, before), starts)
            steps[:, ~np.frombuffer(cumulative, np.bool_)] = np.nan
            found[HourlyAggregate.INCREASE] = steps
    return found


def combined(field: HourlyAggregate, parts: Sequence[HourlyField]) -> HourlyField:
    """The hours of several layouts as one: an hour that two of them have is one hour."""
    import numpy as np

    if len(parts) == 1:
        return parts[0]
    times = np.concatenate([part.times for part in parts])
    order = np.argsort(times, kind="stable")
    hours, starts = np.unique(times[order], return_index=True)
    values = np.concatenate([part.values for part in parts])[order]
    if field is HourlyAggregate.LOW:
        return HourlyField(hours, np.fmin.reduceat(values, starts))
    if field is HourlyAggregate.HIGH:
        return HourlyField(hours, np.fmax.reduceat(values, starts))
    with np.errstate(invalid="ignore", over="ignore"):
        return HourlyField(
            hours, (_last if field is HourlyAggregate.LAST else _sum)(values, starts)
        )


def periods(hours: HourlyField) -> Iterator[tuple[int, HourlyField]]:
    """The hours of each period, with the period's beginning (ms UTC)."""
    import numpy as np

    numbers = hours.times // PERIOD
    for number in np.unique(numbers):
        there = numbers == number
        yield int(number) * PERIOD, HourlyField(hours.times[there], hours.values[there])


def forward_fill(values: Floats) -> Floats:
    """Each value, or where it is absent the newest one before it in its column."""
    import numpy as np

    rows = np.where(np.isnan(values), 0, np.arange(len(values))[:, None])
    return np.take_along_axis(values, np.maximum.accumulate(rows, axis=0), axis=0)


def _sum(values: Floats, starts: Integers) -> Floats:
    import numpy as np

    known = ~np.isnan(values)
    sums: Floats = np.add.reduceat(np.where(known, values, 0.0), starts)
    return np.where(np.logical_or.reduceat(known, starts), sums, np.nan)


def _last(values: Floats, starts: Integers) -> Floats:
    import numpy as np

    numbers = np.arange(len(values)).reshape(-1, *(1,) * (values.ndim - 1))
    rows = np.where(np.isnan(values), -1, numbers)
    last = np.maximum.reduceat(rows, starts)
    return np.where(last < 0, np.nan, np.take_along_axis(values, last, axis=0))


def _steps(values: Floats, before: Floats) -> Floats:
    """By how much each value is above the known one before it; all of it after a reset."""
    import numpy as np

    earlier = forward_fill(np.vstack([before, values]))[:-1]
    steps = np.where(values >= earlier, values - earlier, values)
    return np.where(np.isnan(earlier) & ~np.isnan(values), 0.0, steps)
