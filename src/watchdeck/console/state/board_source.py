"""What the console sees: the newest board it could read, and why there is none newer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from watchdeck.domain.board.alert_detail import AlertHistory
from watchdeck.domain.board.board import Board, Change, CollectorState, History
from watchdeck.domain.board.health import HealthChange
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

    def changed(self) -> bool:
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

    def story(self, episode: int, at: int) -> AlertHistory | None:
        """What was known of an episode at a moment (ms UTC); None when there is none."""
        ...

    def exchanges(self, endpoint: str) -> tuple[ResponseRecord, ...]:
        """The last raw answers of one endpoint."""
        ...

    def changes(self, start: int, end: int, endpoint: str | None = None) -> tuple[Change, ...]:
        """The change markers of a stretch of time, oldest first."""
        ...

    def health_history(self, endpoint: str, start: int, end: int) -> tuple[HealthChange, ...]:
        """The healths of a stretch of time, led by the one in force at its start."""
        ...

    def close(self) -> None:
        """Let go of the files."""
        ...


OpenSource = Callable[[], BoardSource]


class BoardProblem(StrEnum):
    """Why there is no newer board: `preparing` passes by itself, `broken` does not have to."""

    NONE = ""
    READING = "reading"
    PREPARING = "preparing"
    BROKEN = "broken"


class BoardSnapshot(Struct, frozen=True):
    """The newest board that could be read, and in words what keeps a newer one away.

    `board` is None until the first could be read.
    """

    board: Board | None = None
    trouble: BoardProblem = BoardProblem.READING
    words: str = "reading the store"


class BoardQuery(Struct, frozen=True):
    """Which store is looked at, and which moment of it: now, or `at` in the past.

    Until `starting` (ms UTC) a collector was started that may not have come to the store yet.
    """

    place: StoreLocation
    at: int | None = None
    starting: int = 0


def read_board(
    source: BoardSource, view: BoardQuery, now: int, before: BoardSnapshot
) -> BoardSnapshot:
    """Read the store once; what goes wrong is said beside the board that was read `before`."""
    try:
        return BoardSnapshot(source.board(now, view.at), BoardProblem.NONE, "")
    except (StoreMissing, StoreBehind) as error:
        return BoardSnapshot(before.board, *_not_ready(error, view, now))
    except StoreError as error:
        return BoardSnapshot(before.board, BoardProblem.BROKEN, str(error))


def _not_ready(error: StoreError, view: BoardQuery, now: int) -> tuple[BoardProblem, str]:
    holder = view.place.lock_holder()
    if holder:
        return BoardProblem.PREPARING, f"preparing the store (collector, pid {holder})"
    if holder is not None or now < view.starting:
        return BoardProblem.PREPARING, "preparing the store"
    return BoardProblem.BROKEN, f"{error} No collector is running."


def stale_reason(sight: BoardSnapshot) -> str:
    """Why what is shown may not hold any more, in a few words; empty when it does."""
    if sight.trouble is not BoardProblem.NONE:
        return sight.words
    if sight.board is None or not sight.board.live:
        return ""
    collector = sight.board.collector
    unjudged = collector.heartbeat is not None and collector.heartbeat.judging
    return _COLLECTOR[collector.state] or ("nothing is judged" if unjudged else "")


_COLLECTOR = {
    CollectorState.RUNNING: "",
    CollectorState.STALLED: "the collector is stalled",
    CollectorState.STOPPED: "no collector is running",
}
