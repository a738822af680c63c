"""Queries: functions that read from a board source, on a thread of their own."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct, field
from msgspec.structs import replace

from watchdeck.console.state.board_source import BoardSource, OpenSource
from watchdeck.domain.board.board import AlertHistory, Change, HealthChange, History
from watchdeck.errors import StoreError

if TYPE_CHECKING:
    from watchdeck.domain.kinds.kind import Kind

Found = TypeVar("Found")

Query = Callable[[BoardSource], Found]
"""A function that reads from a board source; may raise a StoreError."""

Answer = Callable[[Found | None, str], None]
"""A function that takes the result and "", or None and the reason of the failure."""


def run_query(query: Query[Found], then: Answer[Found], source: BoardSource) -> Callable[[], None]:
    """Run a query; returns a function without arguments that passes the result to `then`."""
    try:
        return partial(then, query(source), "")
    except StoreError as error:
        return partial(then, None, str(error))


class HistoryQuery(Struct, frozen=True):
    """A request for a chart: columns of an endpoint from `start` until before `end` (ms UTC).

    About `points` values of each column are read. Unless `earlier` is 0, the first column is also
    read for a range that many ms earlier.
    """

    endpoint: str
    columns: tuple[str, ...]
    start: int
    end: int
    points: int
    earlier: int = 0


class HistoryResult(Struct, frozen=True):
    """The result of a HistoryQuery: its columns in order, and the changes in its time range.

    `before` is the first column of the earlier range, with times moved into the chart's range;
    None when no earlier range was asked for.
    """

    histories: tuple[History, ...]
    before: History | None = None
    changes: tuple[Change, ...] = ()


class FleetChanges(Struct, frozen=True):
    """The change markers of a time range, and the health changes of each model by name."""

    changes: tuple[Change, ...] = ()
    healths: Mapping[str, tuple[HealthChange, ...]] = field(default_factory=dict)


def read_history(wanted: HistoryQuery, source: BoardSource) -> HistoryResult:
    """Read what a HistoryQuery asks for, and the changes in its range. Raises StoreError."""
    start, end, name = wanted.start, wanted.end, wanted.endpoint
    histories = source.history(name, wanted.columns, start, end, points=wanted.points)
    changes = source.changes(start, end, name)
    if not wanted.earlier:
        return HistoryResult(histories, None, changes)
    earlier, first = wanted.earlier, wanted.columns[:1]
    before = source.history(name, first, start - earlier, end - earlier, points=wanted.points)
    return HistoryResult(histories, shift_history(before[0], earlier) if before else None, changes)


def read_fleet_changes(
    names: Sequence[str], start: int, end: int, source: BoardSource
) -> FleetChanges:
    """Read the changes of all models from `start` until before `end` (ms UTC).

    Takes 50 us for each model. Raises StoreError.
    """
    healths = {name: source.health_history(name, start, end) for name in names}
    return FleetChanges(source.changes(start, end), healths)


def read_alert_history(episode: int, at: int, source: BoardSource) -> AlertHistory:
    """Read the history of an episode as known at `at` (ms UTC).

    Raises StoreError, also when there is no such episode.
    """
    found = source.alert_history(episode, at)
    if found is None:
        raise StoreError(f"there is no episode {episode} any more")
    return found


def read_kinds() -> Mapping[str, Kind]:
    """Read the kinds of server by name (20 ms: files are parsed)."""
    from watchdeck.config.reading.kinds import load_kinds

    return {kind.name: kind for kind in load_kinds()}


def shift_history(history: History, by: int) -> History:
    """A history with the same values, its times `by` milliseconds later."""
    return replace(history, times=[at + by for at in history.times])


TREND_SLOTS = 12
TREND_SPAN = 3_600_000
TREND_STEP = TREND_SPAN // TREND_SLOTS
"""Milliseconds of one value of a sparkline; once they are over, trends are read again."""


MAX_TREND_MODELS = 200
"""The most models whose trends are read; each takes 3 ms, on a thread of its own."""


class Sparkline(Struct, frozen=True):
    """Latency p95 (s) and error ratio of the last hour: 5 min means, oldest first; NaN: no data."""

    latency: tuple[float, ...]
    errors: tuple[float, ...]


def read_trends(open_source: OpenSource, names: Iterable[str], now: int) -> Mapping[str, Sparkline]:
    """Read the sparklines of these models, by name: the hour up to the end of the current 5 min.

    A model that cannot be read is left out: the board itself says why.
    """
    end = -(-now // TREND_STEP) * TREND_STEP
    found = {}
    source = open_source()
    try:
        for name in list(names)[:MAX_TREND_MODELS]:
            with suppress(StoreError):
                read = source.history(name, ("latency_p95", "error_ratio"), end - TREND_SPAN, end)
                found[name] = Sparkline(*(slot_means(one, end) for one in read))
    finally:
        source.close()
    return found


def slot_means(history: History, end: int) -> tuple[float, ...]:
    """The means of the values in each 5 min of the hour before `end` (ms UTC), oldest first.

    NaN for 5 min without values.
    """
    slots: list[list[float]] = [[] for _ in range(TREND_SLOTS)]
    for at, value in zip(history.times, history.values, strict=True):
        slot = (at - (end - TREND_SPAN)) // TREND_STEP
        if 0 <= slot < TREND_SLOTS and math.isfinite(value):
            slots[slot].append(value)
    return tuple(sum(slot) / len(slot) if slot else math.nan for slot in slots)
