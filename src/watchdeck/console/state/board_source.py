"""Reading boards: the newest one, and the reason when there is no newer one."""

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
    HealthChange,
    History,
)
from watchdeck.domain.metrics.scrape import ResponseRecord
from watchdeck.errors import StoreBehind, StoreError, StoreMissing


class StoreLocation(Protocol):
    """The directory of a store."""

    @property
    def path(self) -> Path:
        """The path of the directory."""
        ...

    def lock_holder(self) -> int | None:
        """The pid of the collector that uses the store; None without one, 0 when it is unknown."""
        ...


class BoardSource(Protocol):
    """The part of a store reader that the console uses; each method may raise a StoreError."""

    def has_changed(self) -> bool:
        """Whether the store was written to since its last read or the last call of this method."""
        ...

    def board(self, now: int, at: int | None = None) -> Board:
        """The board of the past moment `at`, or the live board of `now` (ms UTC)."""
        ...

    def history(
        self, endpoint: str, columns: Sequence[str], start: int, end: int, points: int | None = None
    ) -> tuple[History, ...]:
        """The stored values of these columns, from `start` until before `end` (ms UTC).

        Each column has about `points` values; None: all of them.
        """
        ...

    def alert_history(self, episode: int, at: int) -> AlertHistory | None:
        """The history of an episode as known at `at` (ms UTC); None without such an episode."""
        ...

    def responses(self, endpoint: str) -> tuple[ResponseRecord, ...]:
        """The last raw responses of one endpoint, in the order of their requests."""
        ...

    def changes(self, start: int, end: int, endpoint: str | None = None) -> tuple[Change, ...]:
        """Change markers from `start` until before `end` (ms UTC), oldest first.

        With an `endpoint` only its own; None: those of all endpoints.
        """
        ...

    def health_history(self, endpoint: str, start: int, end: int) -> tuple[HealthChange, ...]:
        """Health changes from `start` until before `end`, led by the one in force at `start`."""
        ...

    def close(self) -> None:
        """Close the files of the store."""
        ...


OpenSource = Callable[[], BoardSource]


class BoardProblem(StrEnum):
    """Why there is no newer board.

    `reading` is the first read; `preparing` (a store is being created) ends by itself;
    `broken` may not.
    """

    NONE = ""
    READING = "reading"
    PREPARING = "preparing"
    BROKEN = "broken"


class BoardSnapshot(Struct, frozen=True):
    """The newest board that could be read; `board` is None until the first one is read.

    `trouble` and `words` say why no newer board could be read; empty when the last read succeeded.
    """

    board: Board | None = None
    trouble: BoardProblem = BoardProblem.READING
    words: str = "reading the store"


class BoardQuery(Struct, frozen=True):
    """A store, and the moment to read: `at` in the past (ms UTC), or now when it is None.

    Until `starting` (ms UTC) a missing store is no failure: a new collector is creating it.
    """

    place: StoreLocation
    at: int | None = None
    starting: int = 0


def read_board(
    source: BoardSource, query: BoardQuery, now: int, before: BoardSnapshot
) -> BoardSnapshot:
    """Read one board; after a StoreError returns the board of `before` with the reason."""
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
    """The reason why the board may be out of date, in a few words; empty for a current board."""
    if snapshot.trouble is not BoardProblem.NONE:
        return snapshot.words
    if snapshot.board is None or not snapshot.board.live:
        return ""
    collector = snapshot.board.collector
    unjudged = collector.heartbeat is not None and collector.heartbeat.judging
    return collector.trouble or ("nothing is judged" if unjudged else "")
