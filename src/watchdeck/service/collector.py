"""The collector process: wires the scraping, the store, the engine and the notifications."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from msgspec import Struct

from watchdeck import __version__
from watchdeck.actions.change import mark_configured
from watchdeck.actions.store import prepare_store, quarantine_store
from watchdeck.collector.scrape.endpoint_state import EarlierScrapes
from watchdeck.collector.scrape.manager import ScrapeManager
from watchdeck.config.reading.kinds import load_kinds
from watchdeck.config.routing import routing_of
from watchdeck.domain.board.board import CollectorStatus
from watchdeck.domain.kinds.kind import Kind
from watchdeck.domain.settings.configuration import Settings
from watchdeck.domain.settings.endpoint import Endpoint, public_facts
from watchdeck.domain.signals.counter_window import window_length
from watchdeck.domain.values.operator import Operator
from watchdeck.domain.values.text import clean
from watchdeck.domain.values.units import Clock
from watchdeck.engine.self_monitoring import MAX_LAG
from watchdeck.errors import StoreError, StoreMissing
from watchdeck.faults import FaultCounter
from watchdeck.logs import FailureEvents, FailureLog, fields
from watchdeck.service.engine_loop import EngineService, steady_clock
from watchdeck.service.intake_loop import IntakeService, sources_of
from watchdeck.service.notify_loop import NotifyService
from watchdeck.service.store_outage import StoreOutageNotifier
from watchdeck.service.watchdog import LoopWatchdog, SystemdNotifier
from watchdeck.store.files.connection import corruption_as_error, open_readonly
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.metrics.latest import read_facts_by_id, read_latest_rows
from watchdeck.store.metrics.recent import RecentReader
from watchdeck.store.metrics.writer import MetricsWriter
from watchdeck.store.migrations import MigrationResult
from watchdeck.store.restore import check_restored

_log = logging.getLogger(__name__)

_CONDITIONS = FailureEvents(
    "condition", "the collector is not well", "the collector is well again", logging.ERROR
)

HEARTBEAT_INTERVAL = 1.0
"""Seconds between two heartbeats, which tell readers of the store that the collector runs."""


def collect(
    settings: Settings,
    directory: StoreDirectory,
    who: Operator,
    *,
    clock: Clock,
    started: Callable[[], None] = lambda: None,
) -> None:
    """Collect until SIGTERM or SIGINT, holding the store's lock; calls `started` once it runs.

    The store is created, or migrated to this version, on behalf of `who`. Raises
    CollectorRunning when another collector has the store, and StoreMissing when the store is
    deleted while this one runs.
    """
    directory.create()
    with directory.hold_lock():
        check_restored(directory)
        damage = [one.words for one in quarantine_store(directory, who, clock())]
        for words in damage:
            _log.error("a damaged file was moved aside", extra=fields(problem=words))
        for changed in prepare_store(directory, who, clock()):
            _log_store_change(changed)
        writer = MetricsWriter(directory, settings.retention, clock=clock, steady=steady_clock)
        writer.start()
        try:
            fleet = [public_facts(endpoint) for endpoint in settings.endpoint]
            mark_configured(directory, fleet, who, clock())
            writer.register(fleet)
            _run(_collect(settings, directory, writer, clock, started, damage))
        finally:
            writer.close()
        _log.info("collector stopped", extra=fields(pid=os.getpid()))


def _log_store_change(changed: MigrationResult) -> None:
    message = "store file upgraded" if changed.before else "store file created"
    before = changed.before or None
    _log.info(
        message,
        extra=fields(file=changed.path, before=before, version=changed.after, backup=changed.copy),
    )


def _log_start(settings: Settings, directory: StoreDirectory) -> None:
    counts = fields(
        version=__version__,
        pid=os.getpid(),
        store=directory.path,
        endpoints=len(settings.endpoint),
        channels=len(settings.channel),
        sources=sum(1 for _ in sources_of(settings)),
    )
    _log.info("collector started, collecting from endpoints", extra=counts)


def _run(main: Coroutine[Any, Any, None]) -> None:
    """Run on uvloop where it is installed (extra `fast`: about a tenth less processor time)."""
    try:
        import uvloop
    except ImportError:
        asyncio.run(main)
        return
    uvloop.run(main)


async def _collect(
    settings: Settings,
    directory: StoreDirectory,
    writer: MetricsWriter,
    clock: Clock,
    started: Callable[[], None],
    damage: list[str],
) -> None:
    loop = asyncio.get_running_loop()
    stopping: asyncio.Future[None] = loop.create_future()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _stop, stopping, number.name)
    past = PastScrapes(directory, settings.endpoint, load_kinds(), clock())
    polling = ScrapeManager(
        *(settings.endpoint, load_kinds(), writer.submit, clock),
        known_kinds=past.kinds,
        history=past.history,
    )
    routing = routing_of(settings)
    engine = EngineService(
        settings, directory, lambda: polling.statistics().blind, clock, routing=routing
    )
    intake = IntakeService(settings, directory, clock)
    notifications = NotifyService(
        settings, directory, routing, clock, lambda: writer.status().problem or engine.stuck
    )
    outage = StoreOutageNotifier(
        *(notifications.receivers, routing, clock, steady_clock),
        problem=lambda: writer.status().problem or engine.fault,
        failing=lambda: polling.failing,
    )
    services = _CollectorServices(
        *(len(settings.endpoint), polling, writer, engine, intake, notifications),
        damage=lambda: (*damage, *past.damage),
    )
    tasks = [
        asyncio.create_task(polling.run(), name="polling"),
        asyncio.create_task(_send_heartbeats(services, clock), name="heartbeats"),
        asyncio.create_task(engine.run(), name="engine"),
        asyncio.create_task(intake.run(), name="intake"),
        asyncio.create_task(notifications.run(), name="notifications"),
        asyncio.create_task(outage.run(), name="store outage"),
        asyncio.create_task(
            _watch_store_files(
                directory,
                directory.file_identities(),
                lambda: writer.status().problem or engine.problem,
            )
        ),
    ]
    _log_start(settings, directory)
    started()
    await _wait_for_end(stopping, tasks)
    past.close()
    await _end([stopping, *tasks])


def _stop(stopping: asyncio.Future[None], signal_name: str) -> None:
    _log.info("collector stops", extra=fields(signal=signal_name))
    if not stopping.done():
        stopping.set_result(None)


async def _wait_for_end(stopping: asyncio.Future[None], tasks: list[asyncio.Task[None]]) -> None:
    """Wait until a signal stops the collector, or a task fails; one may end that has no work."""
    waiting: set[asyncio.Future[None]] = {stopping, *tasks}
    while stopping in waiting:
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if any(task.exception() for task in done):
            return


async def _end(tasks: list[asyncio.Future[Any]]) -> None:
    """Cancel all tasks, and raise the error of one that failed, so that none is lost."""
    failed = [task for task in tasks if task.done() and task.exception()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for task in failed:
        task.result()


async def _send_heartbeats(services: _CollectorServices, clock: Clock) -> None:
    started_at = clock()
    faults = FaultCounter("the heartbeat")
    conditions = ConditionLog()
    systemd, watchdog = SystemdNotifier(), LoopWatchdog()
    systemd.send("READY=1")
    watchdog.start()
    try:
        while True:
            watchdog.turn()
            with faults.catch():
                status = _heartbeat(services, started_at, clock())
                services.writer.submit_heartbeat(status)
                conditions.record(status, "" if status.judging else services.engine.stuck)
                systemd.feed(services.writer.status().committed_at, services.engine.evaluated_at)
            await asyncio.sleep(HEARTBEAT_INTERVAL)
    finally:
        watchdog.stop()


class ConditionLog:
    """Logs when a condition of the whole collector begins and ends, not every second meanwhile."""

    def __init__(self) -> None:
        self._log = FailureLog(_log, _CONDITIONS)
        self._before: dict[str, str] = {}

    def record(self, status: CollectorStatus, stuck: str) -> None:
        """Log what changed since the last call; `stuck` is why nothing is evaluated, or empty."""
        late = f"scrapes begin {status.lag:.1f}s late" if status.lag > MAX_LAG else ""
        for condition, problem in (
            ("no network", status.blind),
            ("scrapes late", late),
            ("rules not evaluated", stuck),
        ):
            if bool(problem) is not bool(self._before.get(condition)):
                self._log.record(condition, problem)
            self._before[condition] = problem


async def _watch_store_files(
    directory: StoreDirectory, opened: object, problem: Callable[[], str]
) -> None:
    """Raise StoreMissing when the store was deleted or replaced: writes would be lost.

    A WAL file also disappears when its database is reopened after a problem, which is no loss.
    """
    logs, is_well = directory.log_identities(), False
    while True:
        await asyncio.sleep(HEARTBEAT_INTERVAL)
        before, logs = logs, directory.log_identities()
        was_well, is_well = is_well, not problem()
        lost = any(old and old != new for old, new in zip(before, logs, strict=True))
        if directory.file_identities() != opened or (lost and is_well and was_well):
            _log.error("store replaced or deleted", extra=fields(store=directory.path))
            raise StoreMissing(
                f"files of {directory.path} were deleted or replaced while the collector wrote to"
                " them. Start it again: it keeps the files that exist, and creates the others."
            )


class _CollectorServices(Struct, frozen=True):
    """The parts of the collector that its heartbeat reports on."""

    endpoints: int
    polling: ScrapeManager
    writer: MetricsWriter
    engine: EngineService
    intake: IntakeService
    notifications: NotifyService
    damage: Callable[[], Sequence[str]]
    """What was found damaged in the store at the start."""


def _heartbeat(services: _CollectorServices, started_at: int, now: int) -> CollectorStatus:
    scraped, stored = services.polling.statistics(), services.writer.status()
    return CollectorStatus(
        pid=os.getpid(),
        version=__version__,
        started_at=started_at,
        at=now,
        endpoints=services.endpoints,
        scrapes=scraped.scrapes,
        failed=scraped.failed,
        samples=scraped.samples,
        cut=scraped.cut,
        dropped=stored.dropped,
        queued=stored.queued,
        in_flight=scraped.in_flight,
        overrun=scraped.overrun,
        lag=scraped.lag,
        scrape_p50=scraped.scrape_p50,
        scrape_p95=scraped.scrape_p95,
        blind=scraped.blind,
        trusted_at=stored.trusted_at,
        clock=services.engine.clock,
        storing=_join_problems(stored.problem, services.engine.problem),
        judging=services.engine.problem,
        outside=_join_problems(services.intake.problem, services.notifications.problem),
        faults=_join_problems(
            *(services.damage() if now - started_at < DAMAGE_SHOWN_FOR else ()),
            services.polling.lasting_fault,
            services.intake.lasting_fault,
            services.notifications.lasting_fault,
        ),
    )


def _join_problems(*problems: str) -> str:
    return "; ".join(filter(None, problems))


DAMAGE_SHOWN_FOR = 3_600_000
"""Milliseconds after a start in which damage that it found is shown, and is an alert."""

HISTORY = 3_600_000
"""Milliseconds of past scrapes that a scraper needs after a start."""


class PastScrapes:
    """What an earlier collector stored, read for each endpoint when it is scraped first."""

    def __init__(
        self,
        directory: StoreDirectory,
        endpoints: Sequence[Endpoint],
        kinds: Sequence[Kind],
        now: int,
    ) -> None:
        self._db = open_readonly(directory.metrics)
        self._reader: RecentReader | None = None
        self._endpoints = {endpoint.name: endpoint for endpoint in endpoints}
        self._by_name = {kind.name: kind for kind in kinds}
        self._now = now
        self._path = directory.metrics
        self.damage: list[str] = []
        names = {number: facts.name for number, facts in read_facts_by_id(self._db).items()}
        rows = [row for row in read_latest_rows(self._db) if row.endpoint in names]
        self.kinds = {names[row.endpoint]: row.kind for row in rows}
        self._expected = {names[row.endpoint]: tuple(row.expected.split()) for row in rows}

    def close(self) -> None:
        """Close the store."""
        self._db.close()

    def history(self, name: str) -> EarlierScrapes:
        """The last hour of an endpoint; empty when nothing was stored, or it is damaged."""
        if name not in self.kinds:
            return EarlierScrapes()
        try:
            with corruption_as_error(self._path):
                return self._read(name)
        except StoreError as error:
            self.damage.append(clean(f"the last hour of {name} cannot be read: {error}", 200))
            _log.error("history cannot be read", extra=fields(endpoint=name, problem=str(error)))
            return EarlierScrapes()

    def _read(self, name: str) -> EarlierScrapes:
        endpoint, now = self._endpoints[name], self._now
        full = now - 2 * window_length(int(endpoint.every))
        self._reader = self._reader or RecentReader(self._db)
        recent = self._reader.read(name, now - HISTORY, full, now)
        kind = self._by_name.get(self.kinds[name] or "")
        pages = [(page.at, page.layout, page.values) for page in recent.pages]
        return EarlierScrapes(kind, self._expected[name], pages, recent.probes)
