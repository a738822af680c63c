"""Columns over time, as charts and exports ask for them."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterator, Sequence
from sqlite3 import Connection

from watchdeck.domain.board import History
from watchdeck.store.frames import Layouts, Stream, read_frames

_ENDPOINT = "select id, facts from endpoint where name = :name"


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
    highest value. An endpoint or column that is not known has no points.
    """
    return tuple(
        _thinned(history, start, end, points)
        for history in _read(db, endpoint, Stream.SIGNALS, columns, start, end)
    )


def read_series(db: Connection, endpoint: str, series: str, start: int, end: int) -> History:
    """One kept series of one endpoint from `start` until before `end` (ms UTC)."""
    return next(_read(db, endpoint, Stream.SERIES, (series,), start, end))


def list_columns(db: Connection, endpoint: str, stream: Stream, since: int, end: int) -> list[str]:
    """The columns that an endpoint's frames have had from `since` until before `end`."""
    known = db.execute(_ENDPOINT, {"name": endpoint}).fetchone()
    if known is None:
        return []
    layouts = Layouts(db)
    used = {layout for _, layout, _ in read_frames(db, known[0], stream, since, end)}
    return list(dict.fromkeys(name for one in sorted(used) for name in layouts.columns(one)))


def _read(
    db: Connection, endpoint: str, stream: Stream, columns: Sequence[str], start: int, end: int
) -> Iterator[History]:
    known = db.execute(_ENDPOINT, {"name": endpoint}).fetchone()
    number, every = (known[0], json.loads(known[1])["every"]) if known else (None, 0)
    rows = list(read_frames(db, number, stream, start, end)) if number else []
    places = {layout: Layouts(db).columns(layout) for layout in {row[1] for row in rows}}
    for column in columns:
        at = {
            layout: 8 * names.index(column) for layout, names in places.items() if column in names
        }
        times = [time for time, layout, _ in rows if layout in at]
        values = [_value(blob, at[layout]) for _, layout, blob in rows if layout in at]
        yield History(column, every, times, values)


def _value(blob: bytes, offset: int) -> float:
    (value,) = struct.unpack_from("<d", blob, offset)
    return float(value)


def _thinned(history: History, start: int, end: int, points: int | None) -> History:
    if points is None or len(history.times) <= points:
        return history
    width = max(1, -(-(end - start) // points))
    slices: dict[int, list[float]] = {}
    for time, value in zip(history.times, history.values, strict=True):
        slices.setdefault((time - start) // width, []).append(value)
    known = {n: [v for v in values if not math.isnan(v)] for n, values in slices.items()}
    return History(
        history.column,
        max(width, history.every),
        [start + n * width + width // 2 for n in known],
        [sum(v) / len(v) if v else math.nan for v in known.values()],
        [min(v, default=math.nan) for v in known.values()],
        [max(v, default=math.nan) for v in known.values()],
    )
