"""The thread that polls the store and hands over each newer snapshot."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress

from msgspec.structs import replace

from watchdeck.console.state.board_source import (
    BoardProblem,
    BoardQuery,
    BoardSnapshot,
    BoardSource,
    OpenSource,
    read_board,
)
from watchdeck.domain.values.units import Clock
from watchdeck.errors import StoreError

POLL_INTERVAL = 0.14
"""Seconds between two polls.

Each wake-up takes 0.25 ms: half of all work while the store does not change.
"""

MAX_BOARD_AGE = 5_000
"""Milliseconds after which an unchanged store is read again.

A dead collector writes nothing, yet models that are no longer scraped must become unknown.
"""

RETRY = 500
"""Milliseconds until a store that could not be read is tried again."""


DEFECT = "a defect ended the watching of the store: leave the console and start it again"
"""Text of the last snapshot when the poller dies: an old board must not look fresh."""


class BoardPoller(threading.Thread):
    """Reads a board whenever the store has changed, and calls `receive` with it on this thread.

    A moment of the past is read once, as it never changes. Of several moments that are requested
    during one read, only the last is read next, so that no key press waits for the others.
    """

    def __init__(
        self,
        open_source: OpenSource,
        query: BoardQuery,
        clock: Clock,
        receive: Callable[[BoardSnapshot], object],
    ) -> None:
        super().__init__(name="watch", daemon=True)
        self._open = open_source
        self._query = query
        self._clock = clock
        self._receive = receive
        self._stopping = threading.Event()
        self._bell = threading.Lock()  # waits in half the time that an Event needs
        self._bell.acquire()
        self._done: BoardQuery | None = None
        self._snapshot = BoardSnapshot()
        self._read_at = 0

    def run(self) -> None:
        """Poll until `stop` is called; an exception sends a last snapshot with the text DEFECT."""
        source = self._open()
        try:
            while not self._stopping.is_set():
                self._poll(source)
                self._bell.acquire(timeout=POLL_INTERVAL)
        finally:
            if not self._stopping.is_set():
                self._receive(replace(self._snapshot, trouble=BoardProblem.BROKEN, words=DEFECT))
            source.close()

    def stop(self) -> None:
        """Stop polling, and wait at most one second for the thread to end."""
        self._stopping.set()
        self._wake()
        if self.is_alive():
            self.join(1.0)

    def show_moment(self, at: int | None) -> None:
        """Read the board of `at` (ms UTC) next, None for now; may be called on any thread."""
        self._query = replace(self._query, at=at)
        self._wake()

    def _wake(self) -> None:
        with suppress(RuntimeError):  # released already
            self._bell.release()

    def _poll(self, source: BoardSource) -> None:
        now, query = self._clock(), self._query
        if query == self._done and not self._is_due(source, now):
            return
        self._read_at = now
        snapshot = read_board(source, query, now, self._snapshot)
        if (query.at is None) is (self._query.at is None):
            self._done, self._snapshot = query, snapshot
            self._receive(snapshot)

    def _is_due(self, source: BoardSource, now: int) -> bool:
        if self._snapshot.trouble is BoardProblem.READING:
            return True
        if self._snapshot.trouble is not BoardProblem.NONE:
            return now - self._read_at >= RETRY
        if self._query.at is not None:
            return False
        return _has_changed(source) or now - self._read_at >= MAX_BOARD_AGE


def _has_changed(source: BoardSource) -> bool:
    """Whether the store has changed; also True on a StoreError, which the next read reports."""
    try:
        return source.has_changed()
    except StoreError:
        return True
