"""One scrape under way: what it has brought so far, and the questions that bring it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from msgspec import Struct, field

from watchdeck.collector.scrape.decode import MetricsPage, PageDecoder
from watchdeck.collector.scrape.endpoint_urls import EndpointUrls
from watchdeck.domain.kinds.kind import ProbeResponse
from watchdeck.domain.metrics.scrape import Outcome
from watchdeck.net.address import Origin, Url
from watchdeck.net.client import HttpClient
from watchdeck.net.connection import Request
from watchdeck.net.failure import Failure, RequestError

LOST = frozenset(
    (
        Outcome.TIMED_OUT,
        Outcome.REFUSED,
        Outcome.RESET,
        Outcome.DNS,
        Outcome.TLS,
        Outcome.UNREACHABLE,
    )
)
"""Outcomes without an answer: the next question to the same origin would end the same."""

ASIDE = 1.0
"""Seconds for a question that a scrape can do without."""


class ScrapeAttempt(Struct):
    """What one visit to an endpoint has brought: it counts even when the deadline cuts the rest.

    `answers` are by the path that a kind asks; the first of `failures` is the visit's outcome;
    `asking` names the question under way; `heard` has every answer by the name of its question.
    """

    reader: HttpClient
    site: EndpointUrls
    pages: PageDecoder
    answers: dict[str, ProbeResponse] = field(default_factory=dict)
    page: MetricsPage | None = None
    failures: list[Failure] = field(default_factory=list)
    asking: str = ""
    heard: dict[str, ProbeResponse] = field(default_factory=dict)

    async def ask(self, question: Request, name: str = "") -> ProbeResponse:
        """Send a request. Raises Failed that names it."""
        self.asking = name or self.site.called(question.address)
        try:
            answer = await self.reader.ask(question)
        except RequestError as failed:
            self.heard[self.asking] = ProbeResponse(None, failed.failure.detail.encode())
            raise failed.about(self.asking) from failed
        self.heard[self.asking] = answer
        return answer

    async def probe(self, path: str, port: int | None = None) -> ProbeResponse:
        """Ask what a kind asks, and keep the answer. Raises Failed that names the path."""
        self.answers[path] = answer = await self.ask(Request(self.site.root.at(path, port)))
        return answer

    async def aside(self, path: str, port: int | None = None) -> bool:
        """Ask what the visit can do without; whether an answer came, and soon."""
        with suppress(RequestError, TimeoutError):
            async with asyncio.timeout(ASIDE):
                await self.probe(path, port)
            return True
        return False

    async def read(self, places: Sequence[Url], *, json: bool = False) -> None:
        """Read the page at the first place that has one. Raises Failed that tells of them all."""
        failed: list[Failure] = []
        lost: set[Origin] = set()
        for where in places:
            if where.origin in lost:
                continue
            try:
                await self._read_at(where, json=json)
            except RequestError as error:
                failed.append(error.failure)
                if error.failure.outcome in LOST:
                    lost.add(where.origin)
            else:
                return
        # the last place is on the serving port: what it says weighs most
        raise RequestError(failed[-1].outcome, "; ".join(failure.detail for failure in failed))

    async def _read_at(self, where: Url, *, json: bool) -> None:
        answer = await self.ask(Request(where))
        try:
            self.page = self.pages.read(where, answer, json=json)
        except RequestError as failed:
            raise failed.about(self.asking) from failed
