"""Boards as the console reads them: the newest one, and why there is none newer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from watchdeck.domain.board.board import (
    AlertHistory,
    Board,
    Change,
    CollectorState,
    HealthChange,
    History,
)
from watchdeck.domain.metrics.scrape import ResponseRecord
from watchdeck.errors import StoreBehind, StoreError, StoreMissing


class StoreLocation(Protocol):
    """The directory of a store."""

    @property
    def path(self) -> Path:
        """Where it is."""
        ...

    def lock_holder(self) -> int | None:
        """The process that collects into it; None when there is none, 0 when it is not named."""
        ...


class BoardSource(Protocol):
    """What the console needs of a store; every method may raise a StoreError."""

    def has_changed(self) -> bool:
        """Whether anything was written since the last time it was asked."""
        ...

    def board(self, now: int, at: int | None = None) -> Board:
        """The board of `at`, or the live one of `now` (ms UTC)."""
        ...

    def history(
        self,
        endpoint: str,
        columns: Sequence[str],
        start: int,
        end: int,
        points: int | None = None,
    ) -> tuple[History, ...]:
        """The columns over a stretch of time, thinned to about so many points."""
        ...

    def alert_history(self, episode: int, at: int) -> AlertHistory | None:
        """What was known of an episode at a moment (ms UTC); None when there is none."""
        ...

    def responses(self, endpoint: str) -> tuple[ResponseRecord, ...]:
        """The last raw answers of one endpoint."""
        ...

    def changes(self, start: int, end: int, endpoint: str | None = None) -> tuple[Change, ...]:
        """The change markers of a stretch of time, oldest first."""
        ...

    def health_history(self, endpoint: str, start: int, end: int) -> tuple[HealthChange, ...]:
        """The healths of a stretch of time, led by the one in force at its start."""
        ...

    def close(self) -> None:
        """Close the files."""
        ...


OpenSource = Callable[[], BoardSource]


class BoardProblem(StrEnum):
    """Why there is no newer board: `preparing` passes by itself, `broken` does not have to."""

    NONE = ""
    READING = "reading"
    PREPARING = "preparing"
    BROKEN = "broken"


class BoardSnapshot(Struct, frozen=True):
    """The newest board that could be read, and in words why there is none newer.

    `board` is None until the first is read.
    """

    board: Board | None = None
    trouble: BoardProblem = BoardProblem.READING
    words: str = "reading the store"


class BoardQuery(Struct, frozen=True):
    """A store, and the moment of it to read: now, or `at` in the past (ms UTC).

    Until `starting` (ms UTC) a collector that was just started may not have the store yet.
    """

    place: StoreLocation
    at: int | None = None
    starting: int = 0


def read_board(
    source: BoardSource, query: BoardQuery, now: int, before: BoardSnapshot
) -> BoardSnapshot:
    """Read the store once; after a failure the board of `before` stays, with the reason."""
    try:
        return BoardSnapshot(source.board(now, query.at), BoardProblem.NONE, "")
    except (StoreMissing, StoreBehind) as error:
        return BoardSnapshot(before.board, *_not_ready(error, query, now))
    except StoreError as error:
        return BoardSnapshot(before.board, BoardProblem.BROKEN, str(error))


def _not_ready(error: StoreError, query: BoardQuery, now: int) -> tuple[BoardProblem, str]:
    holder = query.place.lock_holder()
    if holder:
        return BoardProblem.PREPARING, f"preparing the store (collector, pid {holder})"
    if holder is not None or now < query.starting:
        return BoardProblem.PREPARING, "preparing the store"
    return BoardProblem.BROKEN, f"{error} No collector is running."


def stale_reason(snapshot: BoardSnapshot) -> str:
    """Why the board may be out of date, in a few words; empty when it is not."""
    if snapshot.trouble is not BoardProblem.NONE:
        return snapshot.words
    if snapshot.board is None or not snapshot.board.live:
        return ""
    collector = snapshot.board.collector
    unjudged = collector.heartbeat is not None and collector.heartbeat.judging
    return _COLLECTOR[collector.state] or ("nothing is judged" if unjudged else "")


_COLLECTOR = {
    CollectorState.RUNNING: "",
    CollectorState.STALLED: "the collector is stalled",
    CollectorState.STOPPED: "no collector is running",
}
