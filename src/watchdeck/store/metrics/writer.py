"""The one writer of metrics.db: a thread that commits what is queued, and never blocks a scrape."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress

from msgspec import Struct

from watchdeck.domain.board.board import CollectorStatus
from watchdeck.domain.metrics.scrape import Scrape
from watchdeck.domain.settings.endpoint import Retention
from watchdeck.domain.settings.facts import EndpointFacts
from watchdeck.domain.values.text import clean
from watchdeck.errors import StoreError, StoreFull
from watchdeck.store.files.ballast import Ballast
from watchdeck.store.files.connection import Connection, StorageFault, faults, transaction, writing
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.metrics.frames import Stream, add_frame
from watchdeck.store.metrics.housekeeping import Housekeeper
from watchdeck.store.metrics.latest import register, save_heartbeat, save_latest
from watchdeck.store.metrics.layouts import LayoutTable
from watchdeck.store.metrics.responses import save_exchanges

_BATCH = 500
_GATHER = 0.05
"""Seconds that scrapes gather before a commit: a commit costs more than the scrapes in it."""

_RETRY = 2.0
"""Seconds between two tries while nothing can be written."""


class WriterStatus(Struct, frozen=True):
    """What waits, what was dropped for want of room, why nothing can be written, or empty."""

    queued: int
    dropped: int
    problem: str
    committed_at: int | None


_Registration = tuple[tuple[EndpointFacts, ...], Future[None]]


class _Open(Struct, frozen=True):
    """The file while it can be written."""

    db: Connection
    layouts: LayoutTable
    keeper: Housekeeper


class Writer:
    """Owns the only write connection of metrics.db, on a thread of its own.

    What is submitted waits in memory until it is committed; over `capacity` the oldest is dropped
    and counted. While the disk refuses, the thread tries again and says why.
    """

    def __init__(
        self,
        directory: StoreDirectory,
        retention: Retention,
        *,
        clock: Callable[[], int],
        capacity: int = 20_000,
    ) -> None:
        self._directory = directory
        self._retention = retention
        self._clock = clock
        self._capacity = capacity
        self._waiting: deque[Scrape] = deque()
        self._beat: CollectorStatus | None = None
        self._facts: _Registration | None = None
        self._wake = threading.Condition()
        self._closing = False
        self._dropped = 0
        self._problem = ""
        self._committed_at: int | None = None
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._open: _Open | None = None
        self._ballast = Ballast(directory.path, int(retention.budget))
        self._untidy = ""
        self._ids: dict[str, int] = {}

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def register(self, facts: Sequence[EndpointFacts]) -> None:
        """Make the fleet known before its first scrape. Raises StoreError when it cannot be."""
        done: Future[None] = Future()
        with self._wake:
            self._facts = (tuple(facts), done)
            self._wake.notify()
        done.result(timeout=30)

    def submit(self, scrape: Scrape) -> None:
        """Queue a scrape; never blocks on the disk."""
        with self._wake:
            if len(self._waiting) >= self._capacity:
                self._waiting.popleft()
                self._dropped += 1
            self._waiting.append(scrape)
            self._wake.notify()

    def beat(self, heartbeat: CollectorStatus) -> None:
        """Keep the newest heartbeat with the next commit."""
        with self._wake:
            self._beat = heartbeat
            self._wake.notify()

    def status(self) -> WriterStatus:
        """What the writer says of itself; from any thread."""
        with self._wake:
            problem = "; ".join(filter(None, (self._problem, self._untidy)))
            return WriterStatus(len(self._waiting), self._dropped, problem, self._committed_at)

    def close(self) -> None:
        """Write what is queued and end; what the disk refuses is lost after one more try."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        if self._thread.is_alive():
            self._thread.join(timeout=10)

    def _run(self) -> None:
        while True:
            with self._wake:
                while not (self._closing or self._waiting or self._beat or self._facts):
                    self._wake.wait()
                if not self._closing and not self._facts:
                    self._wake.wait(_RETRY if self._problem else _GATHER)
                closing = self._closing
            wrote = self._write()
            if wrote and not closing:
                self._tidy()
            if closing and (not wrote or not self.status().queued):
                break
        if self._open is not None:
            self._open.db.close()

    def _write(self) -> bool:
        """Commit a batch; whether the disk took it."""
        with self._wake:
            batch = [self._waiting[i] for i in range(min(_BATCH, len(self._waiting)))]
            beat, facts = self._beat, self._facts
            dropped = self._dropped
        try:
            self._commit(batch, beat, facts[0] if facts else None)
        except StorageFault as error:
            self._failed(error, facts)
            return False
        with self._wake:
            gone = self._dropped - dropped
            for _ in range(max(0, len(batch) - gone)):
                self._waiting.popleft()
            self._beat = None if self._beat is beat else self._beat
            self._facts = None if self._facts is facts else self._facts
            self._problem = ""
            self._committed_at = self._clock()
        if facts:
            facts[1].set_result(None)
        return True

    def _failed(
        self, error: Exception, facts: tuple[tuple[EndpointFacts, ...], Future[None]] | None
    ) -> None:
        if isinstance(error, StoreFull):
            self._ballast.release()
        with self._wake:
            self._problem = clean(str(error), 300)
        if self._open is not None:
            with suppress(*StorageFault):
                self._open.db.close()
        self._open = None
        if facts and not self._ids:
            self._facts = None
            facts[1].set_exception(StoreError(str(error)))

    def _opened(self) -> _Open:
        if self._open is None:
            path = self._directory.metrics
            db = writing(path, synchronous="NORMAL")
            layouts = LayoutTable(db)
            self._open = _Open(
                db, layouts, Housekeeper(db, layouts, path, self._retention, self._ballast)
            )
        return self._open

    def _commit(
        self,
        batch: list[Scrape],
        beat: CollectorStatus | None,
        facts: tuple[EndpointFacts, ...] | None,
    ) -> None:
        store = self._opened()
        with faults(self._directory.metrics), transaction(store.db):
            for scrape in batch:
                self._keep(store, scrape)
            if facts is not None:
                self._ids = register(store.db, facts, self._clock())
            if beat is not None:
                save_heartbeat(store.db, beat)

    def _keep(self, store: _Open, scrape: Scrape) -> None:
        """Keep a scrape's frames and its latest row; of an endpoint not registered, nothing."""
        endpoint = self._ids.get(scrape.endpoint)
        if endpoint is None:
            return
        page = scrape.series
        if page is not None and len(page.layout) and store.keeper.keeps(Stream.SERIES):
            add_frame(store.db, store.layouts, endpoint, scrape.at, Stream.SERIES, page)
        if store.keeper.keeps(Stream.SIGNALS):
            add_frame(store.db, store.layouts, endpoint, scrape.at, Stream.SIGNALS, scrape.signals)
        save_latest(store.db, store.layouts, endpoint, scrape)
        if scrape.exchanges:
            save_exchanges(store.db, endpoint, scrape.exchanges)

    def _tidy(self) -> None:
        """A little housekeeping; what it cannot do is said, and never costs a scrape."""
        if self._open is not None:
            self._open.keeper.step(self._clock())
            self._untidy = self._open.keeper.problem
