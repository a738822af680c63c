"""What the tests of whole scrapes share."""

import math
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from msgspec.structs import replace

from net.clients import PATIENT
from watchdeck.collector.exposition import PageParser
from watchdeck.collector.scrape.scraper import Scraper
from watchdeck.config.reading.kinds import load_kinds
from watchdeck.domain.kinds.kind import Kind, MetricsLocation
from watchdeck.domain.metrics.scrape import Scrape
from watchdeck.domain.settings.endpoint import Endpoint

KINDS = load_kinds()
BEAT = 10_000
NOON = 1_800_000_000_000


def known(name: str) -> Kind:
    return next(one for one in KINDS if one.name == name)


def with_port(name: str, port: int) -> tuple[Kind, ...]:
    """All kinds, one of them with its page on the port of a test's server."""
    moved = replace(
        known(name), places=(MetricsLocation("/metrics", port), MetricsLocation("/metrics"))
    )
    return tuple(moved if one.name == name else one for one in KINDS)


def named(url: str, kind: str = "auto", **settings: object) -> Endpoint:
    defaults: dict[str, object] = {"name": "iris", "timeout": PATIENT}
    return Endpoint(url=url, kind=kind, **(defaults | settings))  # type: ignore[arg-type]


class Beats:
    """An endpoint and its scraper; every call is the next beat, ten seconds on."""

    def __init__(self, scraper: Scraper) -> None:
        self._scraper = scraper
        self._at = NOON

    async def next(self, after: int = BEAT) -> Scrape:
        self._at += after
        return await self._scraper.scrape(self._at)

    def skip(self, after: int = BEAT) -> None:
        """Let a beat pass without a scrape."""
        self._at += after

    def preload(self, good: Sequence[bool]) -> None:
        """Remember as many earlier probes, a beat apart, up to now."""
        first = self._at - BEAT * (len(good) - 1)
        self._scraper.state.probes.preload([first + BEAT * n for n in range(len(good))], good)

    async def times(self, count: int) -> list[Scrape]:
        return [await self.next() for _ in range(count)]


@asynccontextmanager
async def scraping(endpoint: Endpoint, kinds: tuple[Kind, ...] = KINDS) -> AsyncIterator[Beats]:
    scraper = Scraper(endpoint, kinds, PageParser(max_series=endpoint.max_series))
    try:
        yield Beats(scraper)
    finally:
        await scraper.close()


def signals(scrape: Scrape) -> dict[str, float]:
    """The signals that are known, by name."""
    frame = scrape.signals
    pairs = zip(frame.layout.series, frame.values, strict=True)
    return {series.name: value for series, value in pairs if not math.isnan(value)}
