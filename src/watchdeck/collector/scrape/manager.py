"""Keeps every endpoint's beat: one task each, spread over time, none waiting for another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence

from watchdeck.collector.exposition import PageParser
from watchdeck.collector.scrape.connectivity import ConnectivityCheck
from watchdeck.collector.scrape.file_limit import raise_open_files_limit
from watchdeck.collector.scrape.schedule import JITTER, jitter_of, schedule_of
from watchdeck.collector.scrape.scraper import Scraper
from watchdeck.collector.scrape.statistics import ScrapeStats, Statistics
from watchdeck.domain.kinds.kind import Kind
from watchdeck.domain.metrics.scrape import Outcome, Scrape
from watchdeck.domain.settings.endpoint import Endpoint
from watchdeck.domain.values.text import clean
from watchdeck.faults import FaultCounter
from watchdeck.net.client import Carry, client_for, default_connection
from watchdeck.net.resolver import Resolver

FIRST = 2.0
"""Seconds over which the first scrapes of a small fleet are spread: nobody waits a whole beat."""

A_FIRST_SCRAPE = 0.01
"""Seconds that one first scrape may take of all: it connects, and its page is new."""


class ScrapeManager:
    """Scrapes all endpoints until cancelled, and hands every scrape to `submit`.

    `clock` gives the wall time (ms UTC) that scrapes are stamped with; the beat itself follows the
    monotonic clock, whatever happens to the wall. `carry` makes the connections.
    """

    def __init__(
        self,
        endpoints: Sequence[Endpoint],
        kinds: Sequence[Kind],
        submit: Callable[[Scrape], None],
        clock: Callable[[], int],
        *,
        carry: Carry = default_connection,
    ) -> None:
        names, exposition = Resolver(), _Expositions()
        self._scrapers = {
            endpoint.name: Scraper(
                endpoint, kinds, exposition.of(endpoint), client_for(endpoint, names, carry)
            )
            for endpoint in endpoints
        }
        self._submit = submit
        self._clock = clock
        self._measure = ScrapeStats()
        self._faults = FaultCounter("the scraping")
        self._horizon = ConnectivityCheck(endpoints)
        self._outcomes: dict[str, Outcome] = {}
        self._spread = max(FIRST, len(endpoints) * A_FIRST_SCRAPE)

    def preload(self, endpoint: str, times: Iterable[int], good: Iterable[bool]) -> None:
        """Remember the probes (ms UTC, oldest first) of an earlier run, for the availability."""
        if endpoint in self._scrapers:
            self._scrapers[endpoint].preload(times, good)

    def statistics(self) -> Statistics:
        """What polling says of itself now; from any thread."""
        return self._measure.statistics(self._horizon.blind(self._outcomes))

    async def run(self) -> None:
        """Poll until cancelled; then every connection is let go at once."""
        raise_open_files_limit(len(self._scrapers))
        tasks = {self._begin(scraper, 0.0): scraper for scraper in self._scrapers.values()}
        try:
            while tasks:
                ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in ended:
                    scraper = tasks.pop(task)
                    self._report(scraper.endpoint.name, task)
                    tasks[self._begin(scraper, scraper.endpoint.every.seconds)] = scraper
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for scraper in self._scrapers.values():
                await scraper.close()

    def _begin(self, scraper: Scraper, pause: float) -> asyncio.Task[None]:
        return asyncio.create_task(self._watch(scraper, pause), name=scraper.endpoint.name)

    def _report(self, endpoint: str, task: asyncio.Task[None]) -> None:
        """A scrape never raises; one that did is a fault of ours, and stops nobody else's."""
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._faults.record(error, f"the scraping of {clean(endpoint)}")

    async def _watch(self, scraper: Scraper, pause: float) -> None:
        """Scrape one endpoint on its beat; a beat that comes while it is busy is left out."""
        loop = asyncio.get_running_loop()
        beat, jitter = schedule_of(scraper.endpoint), jitter_of(scraper.endpoint)
        began = loop.time() + pause
        planned, following = beat.first(began, self._spread), beat.second(began, self._spread)
        while True:
            due = beat.together(planned + jitter.uniform(0, JITTER) * beat.every)
            await asyncio.sleep(due - loop.time())
            await self._scrape(scraper, due)
            planned = following
            now = loop.time()
            if planned < now:
                planned, missed = beat.following(planned - beat.every, now)
                self._measure.overrun += missed
            following = planned + beat.every

    async def _scrape(self, scraper: Scraper, due: float) -> None:
        loop = asyncio.get_running_loop()
        lag = loop.time() - due
        self._measure.in_flight += 1
        try:
            scrape = await scraper.scrape(self._clock())
        finally:
            self._measure.in_flight -= 1
        self._outcomes[scraper.endpoint.name] = scrape.outcome
        self._measure.count(scrape, loop.time(), lag)
        self._submit(scrape)


class _Expositions:
    """One page reader for all endpoints of one bound: equal pages share a layout."""

    def __init__(self) -> None:
        self._by_bound: dict[int, PageParser] = {}

    def of(self, endpoint: Endpoint) -> PageParser:
        bound = endpoint.max_series
        if bound not in self._by_bound:
            self._by_bound[bound] = PageParser(max_series=bound)
        return self._by_bound[bound]
