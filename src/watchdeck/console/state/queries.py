"""What a person asks for, read on a thread of its own: the boards must not wait for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from watchdeck.console.state.board_source import BoardSource, OpenSource
from watchdeck.console.state.messages import (
    AlertHistoryRead,
    ChangesRequested,
    EventsRead,
    HistoryQuery,
    HistoryRead,
    HistoryResult,
)
from watchdeck.domain.metrics.scrape import ResponseRecord
from watchdeck.errors import StoreError

if TYPE_CHECKING:
    from watchdeck.domain.kinds.kind import Kind


from msgspec.structs import replace

from watchdeck.domain.board.board import History


def read_history(open_source: OpenSource, wanted: HistoryQuery) -> HistoryRead:
    """The points of a chart, through a connection that belongs to this thread alone."""
    source = open_source()
    try:
        return HistoryRead(wanted, _find(source, wanted))
    except StoreError as error:
        return HistoryRead(wanted, None, str(error))
    finally:
        source.close()


def _find(source: BoardSource, wanted: HistoryQuery) -> HistoryResult:
    start, end, name = wanted.start, wanted.end, wanted.endpoint
    histories = source.history(name, wanted.columns, start, end, points=wanted.points)
    changes = source.changes(start, end, name)
    if not wanted.earlier:
        return HistoryResult(histories, None, changes)
    earlier, first = wanted.earlier, wanted.columns[:1]
    before = source.history(name, first, start - earlier, end - earlier, points=wanted.points)
    return HistoryResult(histories, shift_history(before[0], earlier) if before else None, changes)


def read_events(open_source: OpenSource, wanted: ChangesRequested) -> EventsRead:
    """What changed in a stretch of time: 50 us a model."""
    start, end = wanted.start, wanted.end
    source = open_source()
    try:
        healths = {name: source.health_history(name, start, end) for name in wanted.names}
        return EventsRead(source.changes(start, end), healths)
    except StoreError as error:
        return EventsRead((), {}, str(error))
    finally:
        source.close()


def read_story(open_source: OpenSource, episode: int, at: int) -> AlertHistoryRead:
    """What was known of an episode at a moment (ms UTC), or why it cannot be read."""
    source = open_source()
    try:
        story = source.story(episode, at)
        return AlertHistoryRead(story, "" if story else f"there is no episode {episode} any more")
    except StoreError as error:
        return AlertHistoryRead(None, str(error))
    finally:
        source.close()


def read_answers(open_source: OpenSource, name: str) -> tuple[tuple[ResponseRecord, ...], str]:
    """The last raw answers of a model's server, or why they cannot be read."""
    source = open_source()
    try:
        return source.exchanges(name), ""
    except StoreError as error:
        return (), str(error)
    finally:
        source.close()


def read_kinds() -> Mapping[str, Kind]:
    """The kinds of server by name: where signals are from, or why not (20 ms: files are parsed)."""
    from watchdeck.config.reading.kinds import load_kinds

    return {kind.name: kind for kind in load_kinds()}


def shift_history(history: History, by: int) -> History:
    """The same points, as many milliseconds later."""
    return replace(history, times=[at + by for at in history.times])
