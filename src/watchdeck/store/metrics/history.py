"""Columns over time, as charts ask for them: as scraped, or by the hour over long windows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from sqlite3 import Connection
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from watchdeck.domain.board.board import History
from watchdeck.store.metrics.frames import Stream, Window, read_frames
from watchdeck.store.metrics.hourly import HOUR, HourlyAggregate
from watchdeck.store.metrics.layouts import LayoutTable
from watchdeck.store.metrics.raw import first_moment, read_exact
from watchdeck.store.metrics.rollups import read_hours, rolled_until
from watchdeck.store.metrics.segments import find_segments

if TYPE_CHECKING:
    from watchdeck.store.metrics.column_blob import Floats, Integers

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

    `points` thins to about so many: each stands for a slice of time with its mean, lowest and
    highest value. Where a slice has an hour or more, and where scrapes are no longer kept, hours
    are read instead. An endpoint or column that is not known has no points.
    """
    known = db.execute(_ENDPOINT, {"name": endpoint}).fetchone()
    if known is None:
        return tuple(History(column, 0, [], []) for column in columns)
    layouts, every = LayoutTable(db), json.loads(known[1])["every"]
    window = Window(known[0], Stream.SIGNALS, start, end)
    edge = _edge(db, layouts, window, coarse=_width(window, points) >= HOUR)
    rolled = _by_hour(db, layouts, replace(window, end=edge), columns)
    exact = read_exact(db, layouts, replace(window, start=edge), columns)
    return tuple(
        _history(
            History(column, every, [], []), rolled.get(column), exact.get(column), window, points
        )
        for column in columns
    )


def read_series(db: Connection, endpoint: str, series: str, start: int, end: int) -> History:
    """One kept series of one endpoint from `start` until before `end` (ms UTC), as scraped."""
    known = db.execute(_ENDPOINT, {"name": endpoint}).fetchone()
    if known is None:
        return History(series, 0, [], [])
    window = Window(known[0], Stream.SERIES, start, end)
    found = read_exact(db, LayoutTable(db), window, (series,)).get(series)
    times, values = ([], []) if found is None else (found[0].tolist(), found[1].tolist())
    return History(series, json.loads(known[1])["every"], times, values)


def list_columns(db: Connection, endpoint: str, stream: Stream, start: int, end: int) -> list[str]:
    """The columns that an endpoint's scrapes have had from `start` until before `end`."""
    known = db.execute(_ENDPOINT, {"name": endpoint}).fetchone()
    if known is None:
        return []
    window, layouts = Window(known[0], stream, start, end), LayoutTable(db)
    used = {segment.layout for segment in find_segments(db, window)}
    used |= {one for kind, one in read_frames(db, known[0], start, end) if kind == stream}
    return list(dict.fromkeys(name for one in sorted(used) for name in layouts.columns(one)))


def _edge(db: Connection, layouts: LayoutTable, window: Window, *, coarse: bool) -> int:
    """Until when hours are read; from there on scrapes are."""
    rolled = rolled_until(db, layouts, window.endpoint, window.stream)
    if not coarse:
        first = first_moment(db, window)
        rolled = min(rolled, window.end if first is None else first - first % HOUR)
    return min(max(rolled, window.start), window.end)


class _Points(Struct, frozen=True):
    """What stands at each time: the sum of the values, how many, the lowest and the highest."""

    times: Integers
    total: Floats
    count: Floats
    low: Floats
    high: Floats


def _by_hour(
    db: Connection, layouts: LayoutTable, window: Window, columns: Sequence[str]
) -> dict[str, _Points]:
    if window.start >= window.end:
        return {}
    fields = [read_hours(db, layouts, window, columns, field) for field in _FIELDS]
    return {
        column: _Points(hours.times + HOUR // 2, *(field[column].values for field in fields))
        for column, hours in fields[0].items()
    }


def _history(
    empty: History,
    rolled: _Points | None,
    exact: tuple[Integers, Floats] | None,
    window: Window,
    points: int | None,
) -> History:
    """What was found as one History, in slices of time where there is more than was asked for."""
    if rolled is None:
        times, values = exact or (None, None)
        if times is None or values is None:
            return empty
        if points is None or len(times) <= points:
            every = _spacing(times, empty.every)
            return replace(empty, every=every, times=times.tolist(), values=values.tolist())
    found = _joined(rolled, exact)
    every = _spacing(found.times, empty.every) if rolled is None else max(empty.every, HOUR)
    if points is not None and len(found.times) > points:
        width = _width(window, points)
        found, every = _sliced(found, window.start, width), max(width, every)
    return History(
        empty.column,
        every,
        found.times.tolist(),
        _mean(found).tolist(),
        found.low.tolist(),
        found.high.tolist(),
    )


def _spacing(times: Integers, every: int) -> int:
    """The distance that points have: an endpoint may have been polled less often then than now."""
    import numpy as np

    return max(every, int(np.median(np.diff(times)))) if len(times) > 2 else every


def _joined(rolled: _Points | None, exact: tuple[Integers, Floats] | None) -> _Points:
    """Hours and scrapes one after the other; a scrape is its own sum, lowest and highest."""
    import numpy as np

    parts = [] if rolled is None else [rolled]
    if exact is not None:
        times, values = exact
        known = ~np.isnan(values)
        parts.append(_Points(times, values, known.astype(np.float64), values, values))
    return _Points(
        np.concatenate([part.times for part in parts]),
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("total", "count", "low", "high")
        ),
    )


def _sliced(points: _Points, start: int, width: int) -> _Points:
    """One point for each slice that has any, in its middle."""
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


def _mean(points: _Points) -> Floats:
    import numpy as np

    with np.errstate(invalid="ignore"):
        return np.where(points.count > 0, points.total / points.count, np.nan)


def _width(window: Window, points: int | None) -> int:
    """How long a slice is when the window has so many; 0 when it is not to be sliced."""
    return -(-(window.end - window.start) // points) if points else 0
