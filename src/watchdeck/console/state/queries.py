"""What a person asks for, read on a thread of its own: the boards must not wait for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from watchdeck.console.state.board_source import BoardSource, OpenSource
from watchdeck.console.state.messages import (
    EventsRead,
    EventsWanted,
    Found,
    HistoryRead,
    StoryRead,
    Wanted,
)
from watchdeck.domain.metrics.scrape import Exchange
from watchdeck.errors import StoreError

if TYPE_CHECKING:
    from watchdeck.domain.kinds.kind import Kind


from dataclasses import replace

from watchdeck.domain.board.board import History


def read_history(open_source: OpenSource, wanted: Wanted) -> HistoryRead:
    """The points of a chart, through a connection that belongs to this thread alone."""
    source = open_source()
    try:
        return HistoryRead(wanted, _find(source, wanted))
    except StoreError as error:
        return HistoryRead(wanted, None, str(error))
    finally:
        source.close()


def _find(source: BoardSource, wanted: Wanted) -> Found:
    start, end, name = wanted.start, wanted.end, wanted.endpoint
    histories = source.history(name, wanted.columns, start, end, points=wanted.points)
    changes = source.changes(start, end, name)
    if not wanted.earlier:
        return Found(histories, None, changes)
    earlier, first = wanted.earlier, wanted.columns[:1]
    before = source.history(name, first, start - earlier, end - earlier, points=wanted.points)
    return Found(histories, later(before[0], earlier) if before else None, changes)


def read_events(open_source: OpenSource, wanted: EventsWanted) -> EventsRead:
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


def read_story(open_source: OpenSource, episode: int, at: int) -> StoryRead:
    """What was known of an episode at a moment (ms UTC), or why it cannot be read."""
    source = open_source()
    try:
        story = source.story(episode, at)
        return StoryRead(story, "" if story else f"there is no episode {episode} any more")
    except StoreError as error:
        return StoryRead(None, str(error))
    finally:
        source.close()


def read_answers(open_source: OpenSource, name: str) -> tuple[tuple[Exchange, ...], str]:
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


def later(history: History, by: int) -> History:
    """The same points, as many milliseconds later."""
    return replace(history, times=[at + by for at in history.times])
