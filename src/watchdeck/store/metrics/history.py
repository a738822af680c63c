"""Columns over time, for charts: raw values, or hourly values over long windows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from sqlite3 import Connection
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from watchdeck.domain.board.board import History
from watchdeck.store.metrics.frames import LayoutTable, Stream, StreamWindow
from watchdeck.store.metrics.raw import read_oldest_time, read_raw
from watchdeck.store.metrics.rollups import HourlyAggregate, read_hours, read_rollup_end
from watchdeck.store.metrics.segments import HOUR

if TYPE_CHECKING:
    from watchdeck.store.metrics.codec import Floats, Integers

_ENDPOINT = "select id, facts from endpoint where name = :name"
_FIELDS = (HourlyAggregate.TOTAL, HourlyAggregate.COUNT, HourlyAggregate.LOW, HourlyAggregate.HIGH)


def read_signals(
    db: Connection,
    endpoint: str,
    columns: Sequence[str],
    start: int,
    end: int,
    *,
    points: int | None = None,
) -> tuple[History, ...]:
    """Signals of one endpoint from `start` until before `end` (ms UTC), one History a column.

    With `points`, the window is cut into about that many slices; each slice becomes one point with
    its mean, lowest and highest value. Hourly values are read where a slice is an hour or longer,
    and where raw values are no longer stored. The History of an unknown endpoint or column has no
    points.
    """
    known = db.execute(_ENDPOINT, {"name": endpoint}).fetchone()
    if known is None:
        return tuple(History(column, 0, [], []) for column in columns)
    layouts, every = LayoutTable(db), json.loads(known[1])["every"]
    window = StreamWindow(known[0], Stream.SIGNALS, start, end)
    edge = _rollup_edge(db, layouts, window, coarse=_slice_width(window, points) >= HOUR)
    hourly = _read_hourly(db, layouts, replace(window, end=edge), columns)
    raw = read_raw(db, layouts, replace(window, start=edge), columns)
    return tuple(
        _build_history(
            History(column, every, [], []), hourly.get(column), raw.get(column), window, points
        )
        for column in columns
    )


def read_series(db: Connection, endpoint: str, series: str, start: int, end: int) -> History:
    """Raw values of one series of one endpoint, from `start` until before `end` (ms UTC).

    The History of an unknown endpoint or series has no points.
    """
    known = db.execute(_ENDPOINT, {"name": endpoint}).fetchone()
    if known is None:
        return History(series, 0, [], [])
    window = StreamWindow(known[0], Stream.SERIES, start, end)
    found = read_raw(db, LayoutTable(db), window, (series,)).get(series)
    times, values = ([], []) if found is None else (found[0].tolist(), found[1].tolist())
    return History(series, json.loads(known[1])["every"], times, values)


def _rollup_edge(
    db: Connection, layouts: LayoutTable, window: StreamWindow, *, coarse: bool
) -> int:
    """The time (ms UTC) before which hourly values are read, and from which raw ones are."""
    hourly = read_rollup_end(db, layouts, window.endpoint, window.stream)
    if not coarse:
        first = read_oldest_time(db, window)
        hourly = min(hourly, window.end if first is None else first - first % HOUR)
    return min(max(hourly, window.start), window.end)


class _Points(Struct, frozen=True):
    """Sum, count, lowest and highest of the values at each time (ms UTC)."""

    times: Integers
    total: Floats
    count: Floats
    low: Floats
    high: Floats


def _read_hourly(
    db: Connection, layouts: LayoutTable, window: StreamWindow, columns: Sequence[str]
) -> dict[str, _Points]:
    if window.start >= window.end:
        return {}
    fields = [read_hours(db, layouts, window, columns, field) for field in _FIELDS]
    return {
        column: _Points(hours.times + HOUR // 2, *(field[column].values for field in fields))
        for column, hours in fields[0].items()
    }


def _build_history(
    empty: History,
    hourly: _Points | None,
    raw: tuple[Integers, Floats] | None,
    window: StreamWindow,
    points: int | None,
) -> History:
    """One History of hourly and raw values, downsampled when there are more than `points`."""
    if hourly is None:
        times, values = raw or (None, None)
        if times is None or values is None:
            return empty
        if points is None or len(times) <= points:
            every = _median_interval(times, empty.every)
            return replace(empty, every=every, times=times.tolist(), values=values.tolist())
    found = _concatenate(hourly, raw)
    every = _median_interval(found.times, empty.every) if hourly is None else max(empty.every, HOUR)
    if points is not None and len(found.times) > points:
        width = _slice_width(window, points)
        found, every = _downsample(found, window.start, width), max(width, every)
    return History(
        empty.column,
        every,
        found.times.tolist(),
        _means(found).tolist(),
        found.low.tolist(),
        found.high.tolist(),
    )


def _median_interval(times: Integers, every: int) -> int:
    """The median interval of the points (ms), at least `every`: scrapes may have been rarer."""
    import numpy as np

    return max(every, int(np.median(np.diff(times)))) if len(times) > 2 else every


def _concatenate(hourly: _Points | None, raw: tuple[Integers, Floats] | None) -> _Points:
    """Hourly values, then raw ones; a raw value is its own sum, lowest and highest."""
    import numpy as np

    parts = [] if hourly is None else [hourly]
    if raw is not None:
        times, values = raw
        known = ~np.isnan(values)
        parts.append(_Points(times, values, known.astype(np.float64), values, values))
    return _Points(
        np.concatenate([part.times for part in parts]),
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("total", "count", "low", "high")
        ),
    )


def _downsample(points: _Points, start: int, width: int) -> _Points:
    """One point in the middle of each slice of `width` ms that has any values."""
    import numpy as np

    slices, starts = np.unique((points.times - start) // width, return_index=True)
    with np.errstate(invalid="ignore", over="ignore"):
        return _Points(
            start + slices * width + width // 2,
            np.add.reduceat(np.where(points.count > 0, points.total, 0.0), starts),
            np.add.reduceat(points.count, starts),
            np.fmin.reduceat(points.low, starts),
            np.fmax.reduceat(points.high, starts),
        )


def _means(points: _Points) -> Floats:
    import numpy as np

    with np.errstate(invalid="ignore"):
        return np.where(points.count > 0, points.total / points.count, np.nan)


def _slice_width(window: StreamWindow, points: int | None) -> int:
    """The length (ms) of one of `points` slices of a window; 0 when all points are wanted."""
    return -(-(window.end - window.start) // points) if points else 0
