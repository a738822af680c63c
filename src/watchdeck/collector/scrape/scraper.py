"""One endpoint, scraped again and again: page, probes and canary within one deadline."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from watchdeck.collector.exposition import PageParser
from watchdeck.collector.scrape.attempt import LOST, ScrapeAttempt
from watchdeck.collector.scrape.canary import CanaryProbe
from watchdeck.collector.scrape.decode import PageDecoder
from watchdeck.collector.scrape.detection import KindDetector
from watchdeck.collector.scrape.endpoint_state import EndpointState, ScrapeInput, expects_page
from watchdeck.collector.scrape.endpoint_urls import EndpointUrls, endpoint_urls
from watchdeck.collector.scrape.response_log import MOST, RENEW, raw_response
from watchdeck.domain.kinds.kind import Kind, ProbeResponse, ProbeSpec
from watchdeck.domain.metrics.scrape import ModelState, Outcome, Scrape
from watchdeck.domain.settings.endpoint import Endpoint
from watchdeck.domain.signals.probes import probes
from watchdeck.net.client import HttpClient, client_for
from watchdeck.net.failure import Failure, RequestError

NOW_AND_THEN = 600_000
"""Milliseconds between two looks at what seldom changes: versions."""

AFTER_A_FAILURE = 60_000
"""Milliseconds before a question that a scrape can do without is asked again."""

AWAKE = (ModelState.READY, ModelState.UNKNOWN)
"""What a server may say of a model that is sent a canary: any other word means that an inference
would wake it, hurry its loading, or fail as foretold."""


class Scraper:
    """Scrapes one endpoint; lives as long as it is watched. Not for two scrapes at once."""

    def __init__(
        self,
        endpoint: Endpoint,
        kinds: Sequence[Kind],
        pages: PageParser,
        reader: HttpClient | None = None,
    ) -> None:
        self.endpoint = endpoint
        self._reader = reader or client_for(endpoint)
        self._pages = PageDecoder(endpoint, pages)
        self._recognition = KindDetector(endpoint, kinds)
        self._memory = EndpointState(endpoint)
        self._site: EndpointUrls | None = None
        self._canary: CanaryProbe | None = None
        self._kept: dict[str, ProbeResponse] = {}
        self._due: dict[str, int] = {}
        self._asked: _Questions | None = None
        self._told: tuple[Outcome, ModelState] | None = None
        self._told_at = 0

    def preload(self, times: Iterable[int], good: Iterable[bool]) -> None:
        """Remember the probes (ms UTC, oldest first) of an earlier run, for the availability."""
        self._memory.preload(times, good)

    async def scrape(self, at: int) -> Scrape:
        """Scrape once, at `at` (ms UTC); never raises, whatever the endpoint does."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            visit = ScrapeAttempt(self._reader, self._where(), self._pages)
        except RequestError as failed:
            return self._memory.scrape(ScrapeInput(at, 0.0, None, {}, None, (failed.failure,)))
        try:
            async with asyncio.timeout(self.endpoint.timeout.seconds):
                await self._visit(visit, at)
        except TimeoutError:
            visit.failures.append(self._timed_out(visit))
        except RequestError as failed:
            visit.failures.append(failed.failure)
        return self._concluded(visit, at, loop.time() - began)

    async def close(self) -> None:
        """Let go of the connections."""
        await self._reader.close()

    def _where(self) -> EndpointUrls:
        """Where the endpoint is; the canary hangs on it. Raises Failed."""
        if self._site is None:
            self._site = endpoint_urls(self.endpoint, self._recognition.kinds)
            if self.endpoint.canary is not None:
                self._canary = CanaryProbe(self.endpoint.canary, self._site.root)
        return self._site

    async def _visit(self, visit: ScrapeAttempt, at: int) -> None:
        kind = await self._recognition.kind(visit, at)
        if kind is None:
            return
        await self._probe(visit, kind)
        if visit.page is None and expects_page(kind, self.endpoint):
            await self._read(visit, kind)
        await self._ask_aside(visit, kind, at)
        if self._canary is not None and self._canary.is_due(at) and self._is_awake(visit, at):
            await self._send(self._canary, visit, at)

    async def _probe(self, visit: ScrapeAttempt, kind: Kind) -> None:
        """Ask what every scrape asks on the serving port; a lost connection ends the questions."""
        for path in self._questions(kind).always:
            if path in visit.answers:
                continue
            try:
                await visit.probe(path)
            except RequestError as failed:
                visit.failures.append(failed.failure)
                if failed.failure.outcome in LOST:
                    return

    async def _read(self, visit: ScrapeAttempt, kind: Kind) -> None:
        """Read the page, unless it would come over a connection that was just lost."""
        lost = any(failure.outcome in LOST for failure in visit.failures)
        places = self._recognition.places(visit.site, kind)
        places = [where for where in places if not lost or where.origin != visit.site.root.origin]
        if not places:
            return
        try:
            await visit.read(places, json=kind.json_map)
        except RequestError as failed:
            visit.failures.append(failed.failure)

    def _is_awake(self, visit: ScrapeAttempt, at: int) -> bool:
        """Whether an inference would meet a model that serves, by all that was said of it."""
        if visit.failures:
            return False
        return self._memory.state(self._visited(visit, at)) in AWAKE

    async def _send(self, canary: CanaryProbe, visit: ScrapeAttempt, at: int) -> None:
        try:
            answer = await visit.ask(canary.question(), canary.name)
            canary.check(answer, at)
        except RequestError as failed:
            visit.failures.append(failed.failure)

    async def _ask_aside(self, visit: ScrapeAttempt, kind: Kind, at: int) -> None:
        """Ask what a scrape can do without, at its own times and when all went well so far."""
        if visit.failures:
            self._due.clear()
            return
        for path, spec in self._questions(kind).aside:
            if at < self._due.get(path, 0):
                continue
            came = await visit.aside(path, spec.port)
            self._due[path] = at + (_again(spec) if came else AFTER_A_FAILURE)
            if came and not spec.every_scrape:
                self._kept[path] = visit.answers[path]

    def _concluded(self, visit: ScrapeAttempt, at: int, took: float) -> Scrape:
        self._recognition.check(visit)
        scrape = self._memory.scrape(self._visited(visit, at, took))
        return self._with_exchanges(scrape, visit)

    def _with_exchanges(self, scrape: Scrape, visit: ScrapeAttempt) -> Scrape:
        """The scrape with what was heard, when it is another outcome or a minute later."""
        said = (scrape.outcome, scrape.model_state)
        if said == self._told and abs(scrape.at - self._told_at) < RENEW:
            return scrape
        self._told, self._told_at = said, scrape.at
        heard = list(visit.heard.items())[:MOST]
        redacted = self._reader.redacted
        return replace(
            scrape, exchanges=tuple(raw_response(name, scrape.at, a, redacted) for name, a in heard)
        )

    def _visited(self, visit: ScrapeAttempt, at: int, took: float = 0.0) -> ScrapeInput:
        return ScrapeInput(
            at,
            took,
            self._recognition.current,
            {**self._kept, **visit.answers},
            visit.page,
            visit.failures,
            self._reader.expires(),
            self._canary.sent if self._canary else 0,
        )

    def _questions(self, kind: Kind) -> _Questions:
        if self._asked is None or self._asked.kind is not kind:
            self._asked = _questions(kind, self.endpoint.model)
        return self._asked

    def _timed_out(self, visit: ScrapeAttempt) -> Failure:
        within = self.endpoint.timeout
        return Failure(Outcome.TIMED_OUT, f"{visit.asking}: no complete answer within {within}")


class _Questions(Struct, frozen=True):
    """What a kind asks: `always` in every scrape, `aside` what a scrape can do without."""

    kind: Kind
    always: tuple[str, ...]
    aside: tuple[tuple[str, ProbeSpec], ...]


def _questions(kind: Kind, model: str | None) -> _Questions:
    found = probes(kind, model)
    return _Questions(
        kind,
        tuple(path for path, spec in found if not _is_aside(spec)),
        tuple((path, spec) for path, spec in found if _is_aside(spec)),
    )


def _is_aside(spec: ProbeSpec) -> bool:
    """Whether a scrape can do without: versions, and ports that a firewall may close."""
    return spec.port is not None or spec.about == "identity" or not spec.every_scrape


def _again(spec: ProbeSpec) -> int:
    return 0 if spec.every_scrape else NOW_AND_THEN
