"""The engine in the collector: on a thread of its own, and opened anew after a fault."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from watchdeck.config.maintenance import maintenance_in_force
from watchdeck.config.rules import rules_in_force
from watchdeck.domain.notifications.routing import Routing
from watchdeck.domain.settings.endpoint import Settings
from watchdeck.domain.values.text import clean
from watchdeck.domain.values.units import Clock
from watchdeck.engine.alerts.repository import AlertingConfig
from watchdeck.engine.clock import ClockMonitor
from watchdeck.engine.engine import Engine
from watchdeck.faults import FaultCounter
from watchdeck.store.files.connection import StorageFault, reading, writing
from watchdeck.store.files.directory import StoreDirectory

TICK = 1.0
"""Seconds between two judgements."""

STUCK = 30_000
"""Milliseconds without a judgement after which the collector is not well."""


def steady_clock() -> int:
    """Milliseconds that go on while the machine sleeps, where it can tell, and never jump."""
    boottime = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime_ns(boottime) // 1_000_000


class EngineService:
    """The engine behind one thread: opened late, reopened after a fault, which it names.

    `blind` says why the collector can reach nothing at all, or nothing.
    """

    def __init__(
        self,
        settings: Settings,
        directory: StoreDirectory,
        blind: Callable[[], str],
        clock: Clock,
        steady: Clock = steady_clock,
        routing: Routing | None = None,
    ) -> None:
        self._directory = directory
        self._blind = blind
        self._clock, self._steady = clock, steady
        self._clocks = ClockMonitor(clock(), steady())
        self._rules = rules_in_force(settings)
        self._terms = AlertingConfig(
            routing or Routing(),
            maintenance=maintenance_in_force(settings),
            depends={one.name: one.depends_on for one in settings.endpoint if one.depends_on},
        )
        self._engine: Engine | None = None
        self._fault = ""
        self._faults = FaultCounter("the judgement")
        self._done_at = steady()

    async def run(self) -> None:
        """Judge once a tick on one thread: SQLite connections stay where they were made."""
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1, thread_name_prefix="engine") as thread:
            while True:
                await loop.run_in_executor(thread, self.tick)
                await asyncio.sleep(TICK)

    @property
    def problem(self) -> str:
        """Why nothing can be judged; empty when all is well."""
        return self._fault or self._faults.problem

    @property
    def stuck(self) -> str:
        """Why nothing is judged, or that nothing was for too long; empty when all is well."""
        idle = self._steady() - self._done_at
        return self.problem or (f"nothing was judged for {idle} ms" if idle > STUCK else "")

    @property
    def clock(self) -> str:
        """What the wall clock did lately, in words; empty when nothing."""
        return self._clocks.words

    def tick(self) -> None:
        """Judge once; what cannot be stored is said, and tried again at the next tick."""
        with self._faults.catch():
            self._tick()
        if self._faults.problem:
            self._engine = None  # it may be half stepped: the store has the last whole tick

    def _tick(self) -> None:
        now = self._clock()
        jump, pause = self._clocks.tick(now, self._steady())
        try:
            if self._engine is None:
                self._engine = self._opened(now)
            if jump:
                self._engine.jump(jump, now)
            if pause:
                self._engine.wake(now)
            self._engine.evaluate(now, self._blind())
            self._fault = ""
            self._done_at = self._steady()
        except StorageFault as error:
            self._fault = f"health cannot be judged: {clean(str(error), 300)}"
            self._engine = None

    def _opened(self, now: int) -> Engine:
        metrics, state = reading(self._directory.metrics), writing(self._directory.state)
        engine = Engine(metrics, state, self._rules, self._terms)
        engine.publish(now)
        return engine
