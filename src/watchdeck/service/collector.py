"""The collector process: polls, stores, judges; the only wiring of those three."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine
from typing import Any

from msgspec import Struct

from watchdeck import __version__
from watchdeck.actions.change import mark_configured
from watchdeck.actions.store import prepare_store
from watchdeck.collector.scrape.manager import ScrapeManager
from watchdeck.config.reading.kinds import load_kinds
from watchdeck.config.routing import routing_of
from watchdeck.domain.board.board import CollectorStatus
from watchdeck.domain.settings.endpoint import Settings
from watchdeck.domain.values.operator import Operator
from watchdeck.domain.values.units import Clock
from watchdeck.errors import StoreMissing
from watchdeck.faults import FaultCounter
from watchdeck.service.endpoint_facts import facts
from watchdeck.service.engine_loop import EngineService
from watchdeck.service.intake_loop import IntakeService
from watchdeck.service.notify_loop import NotifyService
from watchdeck.service.probe_history import recent_probes
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.metrics.writer import Writer

TICK = 1.0
"""Seconds between two heartbeats."""


def collect(
    settings: Settings,
    directory: StoreDirectory,
    who: Operator,
    *,
    clock: Clock,
    started: Callable[[], None] = lambda: None,
) -> None:
    """Collect until SIGTERM or SIGINT, holding the store's lock; `started` is called once it runs.

    The store is made, or brought up to this version, on behalf of `who`. Raises
    CollectorRunning when another collector has the store, and StoreMissing when the store goes
    away under this one.
    """
    directory.create()
    with directory.hold_lock():
        prepare_store(directory, who, clock())
        writer = Writer(directory, settings.retention, clock=clock)
        writer.start()
        try:
            fleet = [facts(endpoint) for endpoint in settings.endpoint]
            mark_configured(directory, fleet, who, clock())
            writer.register(fleet)
            _run(_collecting(settings, directory, writer, clock, started))
        finally:
            writer.close()


def _run(main: Coroutine[Any, Any, None]) -> None:
    """Run on uvloop where it is installed (extra `fast`: about a tenth less processor time)."""
    try:
        import uvloop
    except ImportError:
        asyncio.run(main)
        return
    uvloop.run(main)


async def _collecting(
    settings: Settings,
    directory: StoreDirectory,
    writer: Writer,
    clock: Clock,
    started: Callable[[], None],
) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    polling = ScrapeManager(settings.endpoint, load_kinds(), writer.submit, clock)
    for name, times, good in recent_probes(directory, settings.endpoint, clock()):
        polling.preload(name, times, good)
    routing = routing_of(settings)
    judge = EngineService(
        settings, directory, lambda: polling.statistics().blind, clock, routing=routing
    )
    hearing = IntakeService(settings, directory, clock)
    telling = NotifyService(
        settings, directory, routing, clock, lambda: writer.status().problem or judge.stuck
    )
    ending = asyncio.create_task(stop.wait())
    tasks = [
        asyncio.create_task(polling.run(), name="polling"),
        asyncio.create_task(
            _beating(
                _Pulse(len(settings.endpoint), polling, writer, judge, hearing, telling), clock
            )
        ),
        asyncio.create_task(judge.run(), name="judging"),
        asyncio.create_task(hearing.run(), name="hearing"),
        asyncio.create_task(telling.run(), name="telling"),
        asyncio.create_task(
            _guarding(
                directory, directory.places(), lambda: writer.status().problem or judge.problem
            )
        ),
    ]
    started()
    await asyncio.wait([ending, *tasks], return_when=asyncio.FIRST_COMPLETED)
    await _end([ending, *tasks])


async def _end(tasks: list[asyncio.Task[Any]]) -> None:
    """Cancel all; a task that had failed raises its error here, so that nothing dies unheard."""
    failed = [task for task in tasks if task.done() and task.exception()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for task in failed:
        task.result()


async def _beating(pulse: _Pulse, clock: Clock) -> None:
    started_at = clock()
    faults = FaultCounter("the heartbeat")
    while True:
        with faults.catch():
            pulse.writer.beat(_heartbeat(pulse, started_at, clock()))
        await asyncio.sleep(TICK)


async def _guarding(directory: StoreDirectory, opened: object, trouble: Callable[[], str]) -> None:
    """Fail when the store is no longer the one that was opened: all would be written to nowhere.

    A log goes by itself only where a file is closed and opened again after some trouble.
    """
    logs, well = directory.logs(), False
    while True:
        await asyncio.sleep(TICK)
        before, logs = logs, directory.logs()
        was_well, well = well, not trouble()
        lost = any(old and old != new for old, new in zip(before, logs, strict=True))
        if directory.places() != opened or (lost and well and was_well):
            raise StoreMissing(
                f"files of {directory.path} were deleted or replaced while the collector wrote to"
                " them. Start it again: it goes on with what is there, and makes what is not."
            )


class _Pulse(Struct, frozen=True):
    """Those who know how the collector is."""

    endpoints: int
    polling: ScrapeManager
    writer: Writer
    judge: EngineService
    hearing: IntakeService
    telling: NotifyService


def _heartbeat(pulse: _Pulse, started_at: int, now: int) -> CollectorStatus:
    said, stored = pulse.polling.statistics(), pulse.writer.status()
    return CollectorStatus(
        pid=os.getpid(),
        version=__version__,
        started_at=started_at,
        at=now,
        endpoints=pulse.endpoints,
        scrapes=said.scrapes,
        failed=said.failed,
        samples=said.samples,
        cut=said.cut,
        dropped=stored.dropped,
        queued=stored.queued,
        in_flight=said.in_flight,
        overrun=said.overrun,
        lag=said.lag,
        scrape_p50=said.scrape_p50,
        scrape_p95=said.scrape_p95,
        blind=said.blind,
        clock=pulse.judge.clock,
        storing=_joined(stored.problem, pulse.judge.problem),
        judging=pulse.judge.problem,
        outside=_joined(pulse.hearing.problem, pulse.telling.problem),
    )


def _joined(*problems: str) -> str:
    return "; ".join(filter(None, problems))
