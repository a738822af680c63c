"""The loop that runs the engine in the collector's process, on a thread of its own."""

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing

from watchdeck.config.maintenance import maintenance_in_force
from watchdeck.config.rules import rules_in_force
from watchdeck.domain.notifications.routing import Routing
from watchdeck.domain.settings.configuration import Settings
from watchdeck.domain.values.format import format_duration
from watchdeck.domain.values.text import clean
from watchdeck.domain.values.units import Clock
from watchdeck.engine.alerts.repository import AlertingConfig
from watchdeck.engine.clock import ClockMonitor
from watchdeck.engine.engine import Engine
from watchdeck.faults import FaultCounter
from watchdeck.logs import FailureEvents, FailureLog
from watchdeck.store.files.connection import StorageFault, open_readonly, open_writable
from watchdeck.store.files.directory import StoreDirectory

_log = logging.getLogger(__name__)

_EVALUATIONS = FailureEvents(
    "store", "rules cannot be evaluated", "rules are evaluated again", logging.ERROR
)
_JUMPS = FailureEvents("clock", "the wall clock jumped")
_PAUSES = FailureEvents("process", "the collector was suspended")

TICK = 1.0
"""Seconds between two evaluations."""

STUCK_AFTER = 30_000
"""Milliseconds without an evaluation after which the collector has a problem."""


def steady_clock() -> int:
    """A monotonic clock in ms; on Linux it also counts while the machine sleeps."""
    boottime = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime_ns(boottime) // 1_000_000


class EngineService:
    """Runs the engine on one thread; opens it at the first tick, and again after a fault.

    `blind` returns why the collector reaches no endpoint at all; empty when it reaches some.
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
        self._clock_monitor = ClockMonitor(clock(), steady())
        self._rules = rules_in_force(settings)
        self._alerting = AlertingConfig(
            routing or Routing(),
            maintenance=maintenance_in_force(settings),
            depends={one.name: one.depends_on for one in settings.endpoint if one.depends_on},
        )
        self._engine: Engine | None = None
        self._connections = ExitStack()
        self._fault = ""
        self._faults = FaultCounter("the evaluation of rules")
        self._evaluated_at = steady()
        self._evaluation_log = FailureLog(_log, _EVALUATIONS)
        self._jump_log = FailureLog(_log, _JUMPS)
        self._pause_log = FailureLog(_log, _PAUSES)

    async def run(self) -> None:
        """Evaluate once a tick until cancelled, on one thread, as SQLite connections need."""
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1, thread_name_prefix="engine") as thread:
            try:
                while True:
                    await loop.run_in_executor(thread, self.tick)
                    await asyncio.sleep(TICK)
            finally:
                thread.submit(self.stop)

    def stop(self) -> None:
        """Save what a restart would have to count again, and close; never raises."""
        with self._faults.catch():
            if self._engine is not None and not self._fault:
                self._engine.save_budgets()
        self.close()

    def close(self) -> None:
        """Close the engine's connections, on the thread that opened them; `tick` opens others."""
        self._engine = None
        self._connections.close()

    @property
    def problem(self) -> str:
        """Why no evaluation is possible; empty when all is well."""
        return self._fault or self._faults.problem

    @property
    def stuck(self) -> str:
        """Why evaluation fails, or for how long it has not run; empty when all is well."""
        idle = self._steady() - self._evaluated_at
        return self.problem or (f"nothing was judged for {idle} ms" if idle > STUCK_AFTER else "")

    @property
    def fault(self) -> str:
        """Why the store cannot be read or written; empty when it can."""
        return self._fault

    @property
    def evaluated_at(self) -> int:
        """The monotonic time (ms) of the newest evaluation, whose changes are committed."""
        return self._evaluated_at

    @property
    def clock(self) -> str:
        """The newest jump of the wall clock in words; empty without one in the last 10 minutes."""
        return self._clock_monitor.jump_text

    def tick(self) -> None:
        """Evaluate once; a storage fault sets `problem`, and the next tick tries again."""
        with self._faults.catch():
            self._tick()
        if self._faults.problem:
            self.close()  # the engine's memory may be half updated; the store has whole ticks

    def _tick(self) -> None:
        now = self._clock()
        jump, pause = self._clock_monitor.tick(now, self._steady())
        try:
            if self._engine is None:
                self._engine = self._open_engine(now)
            if jump:
                sign = "-" if jump < 0 else ""
                self._jump_log.record_failure("", by=f"{sign}{format_duration(abs(jump))}")
                self._engine.apply_clock_jump(jump, now)
            if pause:
                self._pause_log.record_failure("", paused_for=format_duration(pause))
                self._engine.resume(now)
            self._engine.evaluate(now, self._blind())
            self._fault = ""
            self._evaluated_at = self._steady()
            self._evaluation_log.record_success(str(self._directory.path))
        except StorageFault as error:
            self._evaluation_log.record_failure(str(self._directory.path), problem=error)
            self._fault = f"health cannot be judged: {clean(str(error), 300)}"
            self.close()

    def _open_engine(self, now: int) -> Engine:
        metrics = self._connections.enter_context(closing(open_readonly(self._directory.metrics)))
        state = self._connections.enter_context(closing(open_writable(self._directory.state)))
        engine = Engine(metrics, state, self._rules, self._alerting)
        engine.publish(now)
        return engine
