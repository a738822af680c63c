"""One scrape attempt: the responses, the page and the failures it has brought so far."""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import Mapping, Sequence
from contextlib import suppress

from msgspec import Struct, field

from watchdeck.collector.exposition import IncompletePage, NotMetrics, PageParser
from watchdeck.collector.scrape.endpoint_urls import EndpointUrls
from watchdeck.domain.kinds.kind import Kind, ProbeResponse
from watchdeck.domain.metrics.scrape import Outcome, Truncation
from watchdeck.domain.metrics.series import Layout
from watchdeck.domain.settings.endpoint import Endpoint
from watchdeck.domain.signals.custom_mapping import json_layout, read_json_values
from watchdeck.domain.values.json_assertion import JsonAssertionError
from watchdeck.domain.values.units import Milliseconds
from watchdeck.net.address import Origin, Url
from watchdeck.net.client import HttpClient
from watchdeck.net.connection import Request
from watchdeck.net.failure import Failure, RequestError, status_words
from watchdeck.redaction import redact

CONNECTION_FAILURES = frozenset(
    (
        Outcome.TIMED_OUT,
        Outcome.REFUSED,
        Outcome.RESET,
        Outcome.DNS,
        Outcome.TLS,
        Outcome.UNREACHABLE,
    )
)
"""Outcomes without a response: the next request to the same origin would end the same."""

_LENGTH_HEADERS = ("content-length", "transfer-encoding", "content-encoding")
"""Headers of a response whose end is told: by its length, by a last part, or by a checksum."""

OPTIONAL_TIMEOUT = 1.0
"""Seconds for a request that a scrape can do without."""


class MetricsPage(Struct, frozen=True):
    """A parsed page, its URL, and the headers of its response."""

    url: Url
    layout: Layout
    values: array[float]
    truncation: Truncation = field(default_factory=Truncation)
    headers: Mapping[str, str] = field(default_factory=dict)
    at: int | None = None
    """The time (ms UTC) of its samples by their own timestamps; None without a common one."""
    stale_age: int = 0
    """The age (ms) of the oldest sample that was left out as too old; 0 when none was."""


def without_secrets(response: ProbeResponse) -> ProbeResponse:
    """A response as it may be read for texts: a server may repeat secrets that were sent to it."""
    text = response.body.decode("utf-8", "surrogateescape")
    shown = redact(text)
    headers = {name: redact(value) for name, value in response.headers.items()}
    if shown == text and headers == response.headers:
        return response
    return ProbeResponse(response.status, shown.encode("utf-8", "surrogateescape"), headers)


class PageDecoder:
    """Parses the pages of one endpoint: exposition text, or JSON by the endpoint's `map`."""

    def __init__(self, endpoint: Endpoint, parser: PageParser) -> None:
        self._name = endpoint.name
        self._map = endpoint.map
        self._parser = parser
        self._json_layout = json_layout(endpoint.map)

    def decode(
        self, url: Url, response: ProbeResponse, *, at: int = 0, json: bool = False
    ) -> MetricsPage:
        """Parse the page in a response, as of `at` (ms UTC).

        Raises RequestError when the status is not 2xx, or the body is not a page.
        """
        if response.status is None or not 200 <= response.status < 300:
            raise RequestError(Outcome.HTTP_STATUS, status_words(response.status or 0))
        return self._decode_json(url, response) if json else self._decode_text(url, response, at)

    def _decode_text(self, url: Url, response: ProbeResponse, at: int) -> MetricsPage:
        content_type = response.headers.get("content-type", "")
        try:
            page = self._parser.read(
                *(self._name, response.body, content_type),
                at=at,
                is_whole=any(name in response.headers for name in _LENGTH_HEADERS),
            )
        except NotMetrics as error:
            raise RequestError(Outcome.NOT_METRICS, str(error)) from error
        except IncompletePage as error:
            raise RequestError(Outcome.UNREADABLE, str(error)) from error
        return MetricsPage(
            *(url, page.layout, page.values, page.truncation, response.headers),
            *(page.at, page.stale_age),
        )

    def _decode_json(self, url: Url, response: ProbeResponse) -> MetricsPage:
        try:
            values = read_json_values(self._map, response.body)
        except JsonAssertionError as error:
            raise RequestError(Outcome.NOT_METRICS, str(error)) from error
        return MetricsPage(url, self._json_layout, values, headers=response.headers)


class ScrapeAttempt(Struct):
    """The results of one scrape so far; partial when the deadline ended the scrape."""

    at: int
    """When the scrape began (ms UTC)."""
    duration: float = 0.0
    """Seconds."""
    kind: Kind | None = None
    probes: dict[str, ProbeResponse] = field(default_factory=dict)
    """Responses to probes, by path."""
    page: MetricsPage | None = None
    failures: list[Failure] = field(default_factory=list)
    """In order; the first one decides the outcome of the scrape."""
    expires: int | None = None
    """When the first certificate of the endpoint expires (ms UTC); None without TLS."""
    certificate: str | None = None
    """The fingerprint and the last day of the certificate that the server showed."""
    host: str | None = None
    """The IP address that answered; None without a response."""
    canaries: int = 0
    """Canaries sent since the collector started."""


class RunningAttempt(ScrapeAttempt, kw_only=True):
    """A scrape attempt under way: sends its requests, one after the other."""

    client: HttpClient
    urls: EndpointUrls
    decoder: PageDecoder
    request: str = ""
    """The name of the request under way."""
    responses: dict[str, ProbeResponse] = field(default_factory=dict)
    """Responses by the name of the request; after a failure, the reason as the body (no status)."""

    async def send(self, request: Request, name: str = "") -> ProbeResponse:
        """Send a request and record its response. Raises RequestError that names the request."""
        self.request = name or self.urls.short_name(request.address)
        try:
            response = await self.client.send(request)
        except RequestError as error:
            self.responses[self.request] = ProbeResponse(None, error.failure.detail.encode())
            raise error.with_name(self.request) from error
        self.responses[self.request] = response
        return response

    async def probe(self, path: str, port: int | None = None) -> ProbeResponse:
        """GET `path`; store the response in `probes`. Raises RequestError that names the path."""
        response = await self.send(Request(self.urls.root.at(path, port)))
        self.probes[path] = without_secrets(response)
        return self.probes[path]

    async def try_probe(self, path: str, port: int | None = None) -> bool:
        """Send an optional probe; returns False when no response came within 1 s."""
        with suppress(RequestError, TimeoutError):
            async with asyncio.timeout(OPTIONAL_TIMEOUT):
                await self.probe(path, port)
            return True
        return False

    async def read_page(self, urls: Sequence[Url], *, json: bool = False) -> None:
        """Set `page` from the first URL that has a page.

        Raises RequestError that lists the failures of all URLs when none has.
        """
        failures: list[Failure] = []
        lost: set[Origin] = set()
        for url in urls:
            if url.origin in lost:
                continue
            try:
                await self._read_page_at(url, json=json)
            except RequestError as error:
                failures.append(error.failure)
                if error.failure.outcome in CONNECTION_FAILURES:
                    lost.add(url.origin)
            else:
                return
        # the last URL is on the serving port: its outcome weighs most
        details = "; ".join(failure.detail for failure in failures)
        raise RequestError(failures[-1].outcome, details)

    async def _read_page_at(self, url: Url, *, json: bool) -> None:
        response = await self.send(Request(url))
        try:
            self.page = self.decoder.decode(url, response, at=self.at, json=json)
        except RequestError as error:
            raise error.with_name(self.request) from error

    def time_out(self, limit: Milliseconds) -> None:
        """Record as a failure that the request under way was not complete within `limit`."""
        detail = f"{self.request}: no complete answer within {limit}"
        self.failures.append(Failure(Outcome.TIMED_OUT, detail))
