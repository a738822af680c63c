"""The scrape manager: one task for each endpoint on its own schedule, none waiting for another."""

import asyncio
import hashlib
import logging
import math
import random
import resource
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial

from msgspec import Struct

from watchdeck.collector.exposition import PageParser
from watchdeck.collector.scrape.endpoint_state import EarlierScrapes
from watchdeck.collector.scrape.resources import FleetResources
from watchdeck.collector.scrape.scraper import Scraper
from watchdeck.collector.scrape.statistics import ConnectivityCheck, ScrapeStats, Statistics
from watchdeck.domain.board.health import DOWN_FAILURES
from watchdeck.domain.kinds.kind import Kind
from watchdeck.domain.metrics.scrape import Outcome, Scrape
from watchdeck.domain.settings.endpoint import Endpoint
from watchdeck.domain.values.text import clean
from watchdeck.faults import FaultCounter
from watchdeck.logs import FailureEvents, FailureLog
from watchdeck.net.client import ConnectionFactory, client_for
from watchdeck.net.connection import SocketConnection
from watchdeck.net.resolver import Resolver

_log = logging.getLogger(__name__)

_SCRAPES = FailureEvents("endpoint", "endpoint cannot be scraped", "endpoint can be scraped again")
_OVERRUNS = FailureEvents("endpoint", "scrapes were left out: the one before had not ended")

FIRST_SPREAD = 2.0
"""Seconds over which the first scrapes of a small fleet are spread, instead of a whole interval."""

FIRST_SCRAPE = 0.01
"""CPU seconds of an endpoint's first scrape, which connects and parses a new page."""

JITTER = 0.02
"""Largest random delay of a scrape, as a share of its interval: fleets must not synchronise."""

WAKE_INTERVAL = 0.1
"""Seconds to which start times are rounded up, so that scrapes begin together. Waking ten times a
second instead of a hundred saves a third of the CPU time (1,000 endpoints: 7.5 against 10.8 %)."""

SPARE_FILES = 200
"""Open files that the process needs besides its connections."""

FILES_PER_ENDPOINT = 2
"""Connections of one endpoint: to its serving port and to its page."""


_NO_KINDS: Mapping[str, str | None] = {}


class ScrapeManager:
    """Scrapes all endpoints until cancelled, and passes every scrape to `submit`.

    `clock` gives the wall time (ms UTC) of a scrape; the schedule follows the monotonic clock,
    whatever happens to the wall clock. `factory` makes the connections. `known_kinds` are the kinds
    of server of an earlier run, by endpoint; `history` reads what it stored of one in the last
    hour.
    """

    def __init__(
        self,
        endpoints: Sequence[Endpoint],
        kinds: Sequence[Kind],
        submit: Callable[[Scrape], None],
        clock: Callable[[], int],
        *,
        factory: ConnectionFactory = SocketConnection,
        known_kinds: Mapping[str, str | None] = _NO_KINDS,
        history: Callable[[str], EarlierScrapes] | None = None,
    ) -> None:
        resolver = Resolver()
        # endpoints with equal limits share a parser: equal pages then share a layout
        limits = {endpoint.max_series for endpoint in endpoints}
        parsers = {limit: PageParser(max_series=limit) for limit in limits}
        self._scrapers = {
            one.name: Scraper(
                *(one, kinds, parsers[one.max_series], client_for(one, resolver, factory)),
                known_kind=known_kinds.get(one.name),
                history=partial(history, one.name) if history else None,
            )
            for one in endpoints
        }
        self._resources = FleetResources(endpoints)
        for name in self._resources.names:
            self._scrapers[name].observe = self._resources.add_page
        self._submit = submit
        self._clock = clock
        self._stats = ScrapeStats()
        self._faults = FaultCounter("the scraping")
        self._scrape_log = FailureLog(_log, _SCRAPES)
        self._overrun_log = FailureLog(_log, _OVERRUNS)
        self._connectivity = ConnectivityCheck(endpoints)
        self._outcomes: dict[str, Outcome] = {}
        self._failing: dict[str, str] = {}
        self._spread = max(FIRST_SPREAD, len(endpoints) * FIRST_SCRAPE)

    def statistics(self) -> Statistics:
        """The statistics of the scrape loop up to now; safe from any thread."""
        return self._stats.statistics(self._connectivity.reason(self._outcomes))

    @property
    def failing(self) -> Mapping[str, str]:
        """The endpoints that do not answer, each with the reason, as the scrapes in memory say."""
        return self._failing

    @property
    def lasting_fault(self) -> str:
        """The fault that keeps endpoints from being scraped; empty without one."""
        return self._faults.lasting

    async def run(self) -> None:
        """Scrape until cancelled, or only wait; then close every connection at once."""
        raise_open_files_limit(len(self._scrapers))
        tasks = {self._start(scraper, 0.0): scraper for scraper in self._scrapers.values()}
        try:
            while tasks:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    scraper = tasks.pop(task)
                    self._report(scraper.endpoint.name, task)
                    tasks[self._start(scraper, scraper.endpoint.every.seconds)] = scraper
            await asyncio.Event().wait()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for scraper in self._scrapers.values():
                await scraper.close()

    def _start(self, scraper: Scraper, pause: float) -> asyncio.Task[None]:
        return asyncio.create_task(self._run(scraper, pause), name=scraper.endpoint.name)

    def _report(self, endpoint: str, task: asyncio.Task[None]) -> None:
        """Record an exception as an internal fault: a scrape should never raise."""
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._faults.record(error, f"the scraping of {clean(endpoint)}")

    async def _run(self, scraper: Scraper, pause: float) -> None:
        """Scrape one endpoint on its schedule; a scrape that is due during another is left out."""
        loop = asyncio.get_running_loop()
        schedule, jitter = schedule_of(scraper.endpoint), jitter_of(scraper.endpoint)
        began = loop.time() + pause
        planned = schedule.first(began, self._spread)
        following = schedule.second(began, self._spread)
        while True:
            due = schedule.wake_time(planned + jitter.uniform(0, JITTER) * schedule.every)
            await asyncio.sleep(due - loop.time())
            await self._scrape(scraper, due)
            planned = following
            now = loop.time()
            if planned < now:
                planned, missed = schedule.next_after(planned - schedule.every, now)
                self._stats.overrun += missed
                if missed:
                    self._overrun_log.record_failure(scraper.endpoint.name, scrapes=missed)
            following = planned + schedule.every

    async def _scrape(self, scraper: Scraper, due: float) -> None:
        loop = asyncio.get_running_loop()
        lag = loop.time() - due
        self._stats.in_flight += 1
        try:
            scrape = await scraper.scrape(self._clock())
        finally:
            self._stats.in_flight -= 1
        self._outcomes[scraper.endpoint.name] = scrape.outcome
        if scrape.failures >= DOWN_FAILURES:
            self._failing[scraper.endpoint.name] = scrape.detail or str(scrape.outcome)
        else:
            self._failing.pop(scraper.endpoint.name, None)
        self._stats.count(scrape, loop.time(), lag)
        self._log_outcome(scrape)
        self._submit(self._resources.add_to(scrape))

    def _log_outcome(self, scrape: Scrape) -> None:
        if scrape.outcome is Outcome.OK:
            self._scrape_log.record_success(scrape.endpoint)
        else:
            self._scrape_log.record_failure(
                scrape.endpoint, outcome=scrape.outcome, problem=scrape.detail
            )


class ScrapeSchedule(Struct, frozen=True):
    """The scrape times of an endpoint, in seconds on the monotonic clock.

    There is a scrape every `every` seconds; `phase` (0 to 1) is its place in that interval. It is a
    hash of the name, so a restart does not move an endpoint's scrapes.
    """

    every: float
    phase: float

    def first(self, now: float, spread: float) -> float:
        """The time of the first scrape: at most `spread` seconds after `now`."""
        return now + self.phase * min(spread, self.every)

    def second(self, now: float, spread: float) -> float:
        """The time of the second scrape, which is the first regular one.

        It is at least half an interval after the first scrape.
        """
        earliest = self.first(now, spread) + self.every / 2
        regular = now + self.phase * self.every
        return regular if regular >= earliest else regular + self.every

    def wake_time(self, due: float) -> float:
        """`due` rounded up, so that scrapes that are due at about the same time begin together."""
        step = min(WAKE_INTERVAL, self.every * JITTER)
        return math.ceil(due / step) * step

    def next_after(self, planned: float, now: float) -> tuple[float, int]:
        """The next scrape time after `planned` that is not past at `now`.

        Also returns the number of scrapes that were skipped because they are past.
        """
        late = (now - planned) / self.every - 1
        missed = max(0, math.ceil(late))
        return planned + (1 + missed) * self.every, missed


def schedule_of(endpoint: Endpoint) -> ScrapeSchedule:
    """The schedule of an endpoint: its interval, and a phase from the hash of its name."""
    digest = hashlib.blake2b(endpoint.name.encode(), digest_size=8).digest()
    return ScrapeSchedule(endpoint.every.seconds, int.from_bytes(digest, "big") / 2**64)


def jitter_of(endpoint: Endpoint) -> random.Random:
    """The source of an endpoint's random delays, seeded with its name."""
    return random.Random(endpoint.name)  # noqa: S311 - spreads load, keeps no secret


def open_files_limit(endpoints: int, soft: int, hard: int) -> int:
    """The soft limit of open files for this many endpoints: from `soft` to `hard`."""
    needed = SPARE_FILES + FILES_PER_ENDPOINT * endpoints
    ceiling = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    return soft if soft == resource.RLIM_INFINITY else max(soft, ceiling)


def raise_open_files_limit(endpoints: int) -> None:
    """Raise this process's limit of open files (often 1,024) for a fleet, as far as allowed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):  # may be forbidden: scrapes then fail with a clear reason
        resource.setrlimit(resource.RLIMIT_NOFILE, (open_files_limit(endpoints, soft, hard), hard))
