"""The only writer of metrics.db: a thread that commits queued scrapes; queueing never blocks."""

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress

from msgspec import Struct

from watchdeck.domain.board.board import CollectorStatus
from watchdeck.domain.metrics.scrape import Scrape
from watchdeck.domain.settings.configuration import Retention
from watchdeck.domain.settings.endpoint import EndpointFacts
from watchdeck.domain.values.text import clean
from watchdeck.domain.values.wall_clock import TrustedClock
from watchdeck.errors import StoreError, StoreFull
from watchdeck.logs import FailureEvents, FailureLog, fields, monotonic_clock
from watchdeck.store.files.connection import (
    Connection,
    StorageFault,
    open_writable,
    store_errors,
    transaction,
)
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.files.filesystem import Ballast
from watchdeck.store.metrics.frames import LayoutTable, Stream, add_frame
from watchdeck.store.metrics.housekeeping import Housekeeper
from watchdeck.store.metrics.latest import (
    read_heartbeat,
    register_endpoints,
    save_heartbeat,
    save_latest,
    save_responses,
)

_log = logging.getLogger(__name__)

_WRITES = FailureEvents(
    "file", "scrapes cannot be stored", "scrapes are stored again", logging.ERROR
)
_HOUSEKEEPING = FailureEvents("file", "old scrapes are not tidied", "old scrapes are tidied again")
_DROPS = FailureEvents("queue", "a scrape was lost: the queue is full", level=logging.ERROR)

_BATCH = 500
_GATHER = 0.05
"""Seconds for which scrapes are gathered into one commit: a commit costs more than its rows."""

_RETRY = 2.0
"""Seconds between two attempts while nothing can be written."""


class WriterStatus(Struct, frozen=True):
    """The state of a MetricsWriter."""

    queued: int
    """Scrapes that wait for a commit."""
    dropped: int
    """Scrapes lost because the queue was full."""
    problem: str
    """Why nothing can be written; empty when all is well."""
    committed_at: int | None
    """Time of the last commit (ms UTC); None before the first."""
    trusted_at: int = 0
    """The time that deletions go by (ms UTC); 0 before the first housekeeping."""


_Registration = tuple[tuple[EndpointFacts, ...], Future[None]]


class _OpenFile(Struct, frozen=True):
    """The open metrics.db, with its layouts and its housekeeper."""

    db: Connection
    layouts: LayoutTable
    housekeeper: Housekeeper


class MetricsWriter:
    """Owns the only write connection of metrics.db, on a thread of its own.

    Submitted scrapes wait in memory until they are committed; above `capacity` the oldest is
    dropped and counted. While writes fail, the thread tries again, and `status` says why.
    """

    def __init__(
        self,
        directory: StoreDirectory,
        retention: Retention,
        *,
        clock: Callable[[], int],
        steady: Callable[[], int] = monotonic_clock,
        capacity: int = 20_000,
    ) -> None:
        self._directory = directory
        self._retention = retention
        self._clock = clock
        self._steady = steady
        self._trusted_clock: TrustedClock | None = None
        self._trusted_at = 0
        self._capacity = capacity
        self._waiting: deque[Scrape] = deque()
        self._heartbeat: CollectorStatus | None = None
        self._registration: _Registration | None = None
        self._wake = threading.Condition()
        self._closing = False
        self._dropped = 0
        self._problem = ""
        self._committed_at: int | None = None
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._open: _OpenFile | None = None
        self._ballast = Ballast(directory.path, int(retention.budget))
        self._housekeeping_problem = ""
        self._ids: dict[str, int] = {}
        self._write_log = FailureLog(_log, _WRITES)
        self._housekeeping_log = FailureLog(_log, _HOUSEKEEPING)
        self._drop_log = FailureLog(_log, _DROPS)

    def start(self) -> None:
        """Start the writer's thread."""
        self._thread.start()

    def register(self, facts: Sequence[EndpointFacts]) -> None:
        """Store the configured endpoints and wait for the commit; call it before the first scrape.

        Raises StoreError when that fails, TimeoutError after 30 s.
        """
        done: Future[None] = Future()
        with self._wake:
            self._registration = (tuple(facts), done)
            self._wake.notify()
        done.result(timeout=30)

    def submit(self, scrape: Scrape) -> None:
        """Queue a scrape for the next commit; never blocks on the disk."""
        with self._wake:
            if len(self._waiting) >= self._capacity:
                self._waiting.popleft()
                self._dropped += 1
                self._drop_log.record_failure(self._directory.metrics.name)
            self._waiting.append(scrape)
            self._wake.notify()

    def submit_heartbeat(self, heartbeat: CollectorStatus) -> None:
        """Queue the collector's status for the next commit; it replaces one that still waits."""
        with self._wake:
            self._heartbeat = heartbeat
            self._wake.notify()

    def status(self) -> WriterStatus:
        """The state of the writer; callable from any thread."""
        with self._wake:
            problem = "; ".join(filter(None, (self._problem, self._housekeeping_problem)))
            return WriterStatus(
                *(len(self._waiting), self._dropped, problem, self._committed_at, self._trusted_at)
            )

    def close(self) -> None:
        """Write the queue and stop the thread, within 10 s; what cannot be written is lost."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        if self._thread.is_alive():
            self._thread.join(timeout=10)
        if self._waiting:
            _log.error("scrapes were lost at the end", extra=fields(scrapes=len(self._waiting)))

    def _run(self) -> None:
        while True:
            with self._wake:
                while not (self._closing or self._waiting or self._heartbeat or self._registration):
                    self._wake.wait()
                if not self._closing and not self._registration:
                    self._wake.wait(_RETRY if self._problem else _GATHER)
                closing = self._closing
            wrote = self._write()
            if wrote and not closing:
                self._run_housekeeping()
            if closing and (not wrote or not self.status().queued):
                break
        if self._open is not None:
            self._open.db.close()

    def _write(self) -> bool:
        """Commit a batch; returns whether that worked."""
        with self._wake:
            batch = [self._waiting[i] for i in range(min(_BATCH, len(self._waiting)))]
            heartbeat, registration = self._heartbeat, self._registration
            dropped = self._dropped
        try:
            self._commit(batch, heartbeat, registration[0] if registration else None)
        except StorageFault as error:
            self._handle_failure(error, registration)
            return False
        with self._wake:
            dropped_meanwhile = self._dropped - dropped
            for _ in range(max(0, len(batch) - dropped_meanwhile)):
                self._waiting.popleft()
            self._heartbeat = None if self._heartbeat is heartbeat else self._heartbeat
            self._registration = None if self._registration is registration else self._registration
            self._problem = ""
            self._committed_at = self._clock()
        self._write_log.record_success(self._directory.metrics.name)
        if registration:
            registration[1].set_result(None)
        return True

    def _handle_failure(self, error: Exception, registration: _Registration | None) -> None:
        if isinstance(error, StoreFull):
            self._ballast.release()
        with self._wake:
            self._problem = clean(str(error), 300)
        self._write_log.record_failure(self._directory.metrics.name, problem=error)
        if self._open is not None:
            with suppress(*StorageFault):
                self._open.db.close()
        self._open = None
        if registration and not self._ids:
            self._registration = None
            registration[1].set_exception(StoreError(str(error)))

    def _open_file(self) -> _OpenFile:
        if self._open is None:
            path = self._directory.metrics
            db = open_writable(path, synchronous="NORMAL")
            layouts = LayoutTable(db)
            self._open = _OpenFile(
                db, layouts, Housekeeper(db, layouts, path, self._retention, self._ballast)
            )
        return self._open

    def _commit(
        self,
        batch: list[Scrape],
        heartbeat: CollectorStatus | None,
        facts: tuple[EndpointFacts, ...] | None,
    ) -> None:
        store = self._open_file()
        with store_errors(self._directory.metrics), transaction(store.db):
            for scrape in batch:
                self._save(store, scrape)
            if facts is not None:
                self._ids = register_endpoints(store.db, facts, self._clock())
            if heartbeat is not None:
                save_heartbeat(store.db, heartbeat)

    def _save(self, store: _OpenFile, scrape: Scrape) -> None:
        """Store the frames of a scrape and its latest row, if its endpoint is registered."""
        endpoint = self._ids.get(scrape.endpoint)
        if endpoint is None:
            return
        series = scrape.series
        if (
            series is not None
            and len(series.layout)
            and store.housekeeper.has_room_for(Stream.SERIES)
        ):
            add_frame(store.db, store.layouts, endpoint, scrape.at, Stream.SERIES, series)
        if store.housekeeper.has_room_for(Stream.SIGNALS):
            add_frame(store.db, store.layouts, endpoint, scrape.at, Stream.SIGNALS, scrape.signals)
        save_latest(store.db, store.layouts, endpoint, scrape)
        if scrape.exchanges:
            save_responses(store.db, endpoint, scrape.exchanges)

    def _trusted_time(self, now: int) -> int:
        if self._trusted_clock is None:
            before = read_heartbeat(self._open.db) if self._open else None
            known = (before.trusted_at or before.at) if before else now
            self._trusted_clock = TrustedClock(known, self._steady())
        self._trusted_at = self._trusted_clock.now(now, self._steady())
        return self._trusted_at

    def _run_housekeeping(self) -> None:
        """Run one housekeeping job; `status` reports a failure, which loses no scrape."""
        if self._open is not None:
            now = self._clock()
            self._open.housekeeper.step(now, self._trusted_time(now))
            problem, before = self._open.housekeeper.problem, self._housekeeping_problem
            self._housekeeping_problem = problem
            if problem != before:
                self._housekeeping_log.record(self._directory.metrics.name, problem)
