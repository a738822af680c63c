"""The scraper of one endpoint: page, probes and canary within one deadline."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

from msgspec import Struct

from watchdeck.collector.exposition import PageParser
from watchdeck.collector.scrape.attempt import (
    CONNECTION_FAILURES,
    MetricsPage,
    PageDecoder,
    RunningAttempt,
    ScrapeAttempt,
    without_secrets,
)
from watchdeck.collector.scrape.canary import CanaryProbe
from watchdeck.collector.scrape.detection import KindDetector
from watchdeck.collector.scrape.endpoint_state import (
    EarlierScrapes,
    EndpointState,
    expects_page,
)
from watchdeck.collector.scrape.endpoint_urls import EndpointUrls, endpoint_urls
from watchdeck.collector.scrape.response_log import ResponseLog
from watchdeck.domain.kinds.kind import Kind, ProbeResponse, ProbeSpec
from watchdeck.domain.metrics.scrape import ModelState, Scrape
from watchdeck.domain.settings.endpoint import Endpoint
from watchdeck.domain.signals.counter_window import FIRST_PAGES
from watchdeck.domain.signals.probes import probe_requests
from watchdeck.net import tls
from watchdeck.net.client import HttpClient, client_for
from watchdeck.net.failure import RequestError

RARE_INTERVAL = 600_000
"""Milliseconds between two probes for values that seldom change, such as versions."""

AFTER_A_FAILURE = 60_000
"""Milliseconds before an optional probe that failed is sent again."""

RECONNECT_EVERY = 30
"""Scrapes after which a connection that is kept is renewed."""

AWAKE = (ModelState.READY, ModelState.UNKNOWN)
"""States of a model that gets a canary: in any other, an inference would wake the model, disturb
its loading, or fail as expected."""


def _ignore_page(_endpoint: str, _kind: Kind, _page: MetricsPage, _at: int) -> None:
    """Do nothing: only the pages of resources are passed on."""


class Scraper:
    """Scrapes one endpoint; lives as long as the endpoint. Not for two scrapes at once."""

    def __init__(
        self,
        endpoint: Endpoint,
        kinds: Sequence[Kind],
        parser: PageParser,
        client: HttpClient | None = None,
        known_kind: str | None = None,
        history: Callable[[], EarlierScrapes] | None = None,
    ) -> None:
        self.endpoint = endpoint
        self.state = EndpointState(endpoint)
        self.observe: Callable[[str, Kind, MetricsPage, int], None] = _ignore_page
        """Called with each page: the endpoint's name, its kind, the page, the time (ms UTC)."""
        self._client = client or client_for(endpoint)
        self._decoder = PageDecoder(endpoint, parser)
        self._detector = KindDetector(endpoint, kinds, known_kind)
        self._history = history
        self._log = ResponseLog()
        self._urls: EndpointUrls | None = None
        self._canary: CanaryProbe | None = None
        self._rare_probes: dict[str, ProbeResponse] = {}
        self._due: dict[str, int] = {}
        self._page_due = 0
        self._scrapes = 0
        self._plan: _ProbePlan | None = None

    async def scrape(self, at: int) -> Scrape:
        """Scrape once, at `at` (ms UTC); never raises: a failure is in the Scrape's outcome."""
        self._restore()
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            urls = self._endpoint_urls()
        except RequestError as error:
            return self.state.scrape(ScrapeAttempt(at, failures=[error.failure]))
        attempt = RunningAttempt(at, client=self._client, urls=urls, decoder=self._decoder)
        try:
            async with asyncio.timeout(self.endpoint.timeout.seconds):
                await self._run(attempt)
        except TimeoutError:
            attempt.time_out(self.endpoint.timeout)
        except RequestError as error:
            attempt.failures.append(error.failure)
        attempt.duration = loop.time() - began
        self._detector.check(attempt)
        self._complete(attempt)
        if attempt.kind is not None and attempt.page is not None:
            self.observe(self.endpoint.name, attempt.kind, attempt.page, at)
        scrape = self._log.add_to(self.state.scrape(attempt), attempt)
        await self._meet_other_processes(attempt)
        return scrape

    async def _meet_other_processes(self, attempt: RunningAttempt) -> None:
        """Close the connection where another process may answer the next one.

        A connection that is kept stays with one process. It is renewed at the first scrapes and
        rarely later (a thirtieth of a handshake a scrape), and always while several answer.
        """
        self._scrapes += 1
        is_due = self._scrapes < FIRST_PAGES or self._scrapes % RECONNECT_EVERY == 0
        if attempt.page is not None and (is_due or self.state.window.has_several):
            await self._client.close()

    def _restore(self) -> None:
        """Continue with the history of an earlier collector, at the first scrape.

        Only then: a fleet is restored while it is scraped, a few milliseconds for each endpoint.
        """
        if self._history is not None:
            self.state.restore(self._history())
            self._history = None

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    def _endpoint_urls(self) -> EndpointUrls:
        """The URLs; the first call parses them, and makes the canary. Raises RequestError."""
        if self._urls is None:
            self._urls = endpoint_urls(self.endpoint, self._detector.kinds)
            if self.endpoint.canary is not None:
                self._canary = CanaryProbe(self.endpoint.canary, self._urls.root)
        return self._urls

    async def _run(self, attempt: RunningAttempt) -> None:
        kind = await self._detector.find_kind(attempt)
        if kind is None:
            return
        await self._probe(attempt, kind)
        if attempt.page is None and expects_page(kind, self.endpoint):
            await self._read_page(attempt, kind)
        elif attempt.page is None and kind.optional_page and not attempt.failures:
            await self._try_page(attempt, kind)
        await self._probe_optional(attempt, kind)
        if self._canary is not None and self._canary.is_due(attempt.at) and self._is_awake(attempt):
            await self._send_canary(self._canary, attempt)

    async def _probe(self, attempt: RunningAttempt, kind: Kind) -> None:
        """Send the probes that belong to every scrape; none after a connection failure."""
        for path in self._probe_plan(kind).always:
            if path in attempt.probes:
                continue
            try:
                await attempt.probe(path)
            except RequestError as error:
                attempt.failures.append(error.failure)
                if error.failure.outcome in CONNECTION_FAILURES:
                    return

    async def _read_page(self, attempt: RunningAttempt, kind: Kind) -> None:
        """Read the page, unless it would come over a connection that was just lost."""
        lost = any(failure.outcome in CONNECTION_FAILURES for failure in attempt.failures)
        urls = self._detector.page_urls(attempt.urls, kind)
        urls = [url for url in urls if not lost or url.origin != attempt.urls.root.origin]
        if not urls:
            return
        try:
            await attempt.read_page(urls, json=kind.json_map)
        except RequestError as error:
            attempt.failures.append(error.failure)

    async def _try_page(self, attempt: RunningAttempt, kind: Kind) -> None:
        """Read a page that a server of this kind has by choice; look for one only now and then."""
        if attempt.at < self._page_due:
            return
        with suppress(RequestError):
            await attempt.read_page(self._detector.page_urls(attempt.urls, kind))
        self._page_due = 0 if attempt.page is not None else attempt.at + RARE_INTERVAL

    async def _probe_optional(self, attempt: RunningAttempt, kind: Kind) -> None:
        """Send the optional probes that are due, when all went well so far."""
        if attempt.failures:
            self._due.clear()
            return
        for path, spec in self._probe_plan(kind).optional:
            if attempt.at < self._due.get(path, 0):
                continue
            ok = await attempt.try_probe(path, spec.port)
            pause = 0 if spec.every_scrape else RARE_INTERVAL
            self._due[path] = attempt.at + (pause if ok else AFTER_A_FAILURE)
            if ok and not spec.every_scrape:
                self._rare_probes[path] = attempt.probes[path]

    def _is_awake(self, attempt: RunningAttempt) -> bool:
        """Whether an inference would reach a model that serves, by all responses so far."""
        if attempt.failures:
            return False
        self._complete(attempt)
        return self.state.model_state(attempt) in AWAKE

    async def _send_canary(self, canary: CanaryProbe, attempt: RunningAttempt) -> None:
        try:
            response = await attempt.send(canary.request(), canary.name)
            canary.check(without_secrets(response), attempt.at)
        except RequestError as error:
            attempt.failures.append(error.failure)

    def _complete(self, attempt: RunningAttempt) -> None:
        """Add kind, earlier responses to rare probes, certificate expiry, and count of canaries."""
        attempt.kind = self._detector.current
        attempt.probes = {**self._rare_probes, **attempt.probes}
        attempt.expires = self._client.expires()
        self._add_peer(attempt)
        attempt.canaries = self._canary.sent if self._canary else 0

    def _add_peer(self, attempt: RunningAttempt) -> None:
        """Add the certificate and the address of the server that answered a request."""
        origin, page = attempt.urls.root.origin, attempt.page
        if page is not None and not self._client.peer(origin):
            origin = page.url.origin
        certificate = self._client.certificate(origin)
        attempt.certificate = tls.describe(certificate) if certificate else None
        if any(one.status is not None for one in attempt.responses.values()):
            attempt.host = self._client.peer(origin) or None

    def _probe_plan(self, kind: Kind) -> _ProbePlan:
        if self._plan is None or self._plan.kind is not kind:
            self._plan = _build_probe_plan(kind, self.endpoint.model)
        return self._plan


class _ProbePlan(Struct, frozen=True):
    """The probes of a kind: `always` in every scrape, `optional` when nothing failed before."""

    kind: Kind
    always: tuple[str, ...]
    optional: tuple[tuple[str, ProbeSpec], ...]


def _build_probe_plan(kind: Kind, model: str | None) -> _ProbePlan:
    requests = probe_requests(kind, model)
    return _ProbePlan(
        kind,
        tuple(path for path, spec in requests if not _is_optional(spec)),
        tuple((path, spec) for path, spec in requests if _is_optional(spec)),
    )


def _is_optional(spec: ProbeSpec) -> bool:
    """Whether a scrape can do without a probe: for a version, or on a port a firewall may close."""
    return spec.port is not None or spec.about == "identity" or not spec.every_scrape
