"""The one thread that watches the store, and posts what it sees."""

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

EVERY = 0.14
"""Seconds between two questions whether the store changed.

To be woken for them costs a quarter of a millisecond each: on a quiet store it is half of all work.
"""

AT_LEAST = 5_000
"""Milliseconds after which an unchanged store is read again: silence is news too.

A collector that died writes nothing, and a model that is not scraped any more becomes unknown.
"""

RETRY = 500
"""Milliseconds until a store that could not be read is tried again."""


DEFECT = "a defect ended the watching of the store: leave the console and start it again"
"""What is said when this thread dies: a board that nobody renews must not look alive."""


class BoardPoller(threading.Thread):
    """Reads a board when the store changed; `see` is called on this thread.

    A moment of the past is read once: it never changes. Of moments asked for while a board is read
    only the newest is read next, so that no key waits for those that were overtaken.
    """

    def __init__(
        self,
        open_source: OpenSource,
        view: BoardQuery,
        clock: Clock,
        see: Callable[[BoardSnapshot], object],
    ) -> None:
        super().__init__(name="watch", daemon=True)
        self._open = open_source
        self._view = view
        self._clock = clock
        self._see = see
        self._stopping = threading.Event()
        self._bell = threading.Lock()  # waits in half the time that an Event needs
        self._bell.acquire()
        self._seen: BoardQuery | None = None
        self._sight = BoardSnapshot()
        self._looked = 0

    def run(self) -> None:
        """Look until stopped."""
        source = self._open()
        try:
            while not self._stopping.is_set():
                self._once(source)
                self._bell.acquire(timeout=EVERY)
        finally:
            if not self._stopping.is_set():
                self._see(replace(self._sight, trouble=BoardProblem.BROKEN, words=DEFECT))
            source.close()

    def stop(self) -> None:
        """Ask it to end, and wait for a moment until it did."""
        self._stopping.set()
        self._wake()
        if self.is_alive():
            self.join(1.0)

    def look_at(self, at: int | None) -> None:
        """Show another moment (ms UTC), or now; called on any thread."""
        self._view = replace(self._view, at=at)
        self._wake()

    def _wake(self) -> None:
        with suppress(RuntimeError):  # it rings already
            self._bell.release()

    def _once(self, source: BoardSource) -> None:
        now, view = self._clock(), self._view
        if view == self._seen and not self._is_due(source, now):
            return
        self._looked = now
        sight = read_board(source, view, now, self._sight)
        if (view.at is None) is (self._view.at is None):
            self._seen, self._sight = view, sight
            self._see(sight)

    def _is_due(self, source: BoardSource, now: int) -> bool:
        if self._sight.trouble is BoardProblem.READING:
            return True
        if self._sight.trouble is not BoardProblem.NONE:
            return now - self._looked >= RETRY
        if self._view.at is not None:
            return False
        return _changed(source) or now - self._looked >= AT_LEAST


def _changed(source: BoardSource) -> bool:
    """Whether there is something to read; what cannot be asked will say why when it is read."""
    try:
        return source.changed()
    except StoreError:
        return True
